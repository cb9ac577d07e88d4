//! The map `∇ψ = id + ∇q` applied to points, and the law of the images.

use super::displaced;
use crate::calculus::{Calculus, Spectral};
use crate::density::LogDensity;
use crate::error::Result;
use crate::interpolation::Interpolant;
use crate::legendre::conjugate;
use crate::monge_ampere::MongeAmpere;
use crate::torus::Torus;
use std::sync::Arc;

/// `y ↦ y + ∇q(y)` for the periodic part q of ψ at the nodes, anywhere.
///
/// ∇q is the gradient of the trigonometric interpolant of q, evaluated to about 1e-13 of sup|∇q|; what q itself leaves unresolved
/// comes on top. A point costs `d·14^d` multiply–adds.
pub struct BrenierMap {
    displacement: Interpolant,
    dimension: usize,
}

impl BrenierMap {
    pub fn new(torus: &Torus, q: &[f64]) -> Self {
        let mut gradient = vec![vec![0.0; torus.len()]; torus.dimension()];
        Spectral::new(torus).gradient(q, &mut gradient);
        let fields: Vec<&[f64]> = gradient.iter().map(Vec::as_slice).collect();
        Self {
            displacement: Interpolant::new(torus, &fields),
            dimension: torus.dimension(),
        }
    }

    /// `∇q` at the points.
    pub fn displacement(&self, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let mut out = vec![vec![0.0; points[0].len()]; self.dimension];
        let mut slices: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
        self.displacement.evaluate(points, &mut slices);
        out
    }

    /// `∇ψ` at the points: as far as they were from [0, 1)^d, up to the displacement, so are the images.
    pub fn push(&self, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
        displaced(points, &self.displacement(points))
    }
}

/// `log ρ` at the nodes for `ρ = (∇ψ)#e^{-g}`, the exact law of ∇ψ(Z): `log ρ = −g(∇u) + log det ∇²u` with `u = ψ^*`.
///
/// # Errors
/// [`crate::Error::LostConvexity`] where ψ is not strictly convex, so that ∇ψ is not injective; as [`conjugate`].
pub fn law(torus: &Torus, g: Arc<dyn LogDensity>, q: &[f64]) -> Result<Vec<f64>> {
    let p = conjugate(torus, q)?.q;
    let source = vec![0.0; torus.len()];
    let mut operator = MongeAmpere::from_values(source, g, Box::new(Spectral::new(torus)));
    let mut log_rho = vec![0.0; torus.len()];
    operator.log_marginal(&p, &mut log_rho)?;
    Ok(log_rho)
}
