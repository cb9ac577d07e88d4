//! W₂ on the torus: exact maps on the circle, elliptic Monge–Ampère in two and three dimensions.

use super::circle::circle_map;
use crate::calculus::{Calculus, Spectral};
use crate::density::Order;
use crate::density::Sampled;
use crate::error::Result;
use crate::monge_ampere::{MongeAmpere, solve_elliptic};
use crate::parallel::{mean_of, sup_difference};
use crate::torus::Torus;
use std::sync::Arc;

/// The optimal transport between two densities.
#[derive(Debug, Clone, PartialEq)]
pub struct Transport {
    /// W₂ for the cost |x−y|² on the torus.
    pub distance: f64,
    /// `T(x) − x` at the nodes, one vector per axis.
    pub displacement: Vec<Vec<f64>>,
}

/// Newton stops when the residual is this small against the one at the identity.
const RELATIVE_RESIDUAL: f64 = 1e-8;

/// W₂ between `e^{log_rho1}` and `e^{log_rho2}` given at the nodes, with the optimal map from the first to the second.
///
/// Solved for the displacement itself, so nearby densities keep their digits: 1e-5 apart, at least four of W₂.
///
/// # Errors
/// [`crate::Error::NoConvergence`] when the densities are not resolved.
pub fn wasserstein(torus: &Torus, log_rho1: &[f64], log_rho2: &[f64]) -> Result<Transport> {
    let displacement = if torus.dimension() == 1 {
        vec![circle_map(torus, log_rho1, log_rho2)?]
    } else {
        brenier_displacement(torus, log_rho1, log_rho2)?
    };
    let mass = mean_of(torus.len(), |i| log_rho1[i].exp());
    let square = mean_of(torus.len(), |i| {
        let length: f64 = displacement.iter().map(|d| d[i] * d[i]).sum();
        log_rho1[i].exp() * length
    });
    Ok(Transport {
        distance: (square / mass).sqrt(),
        displacement,
    })
}

/// ∇p of the elliptic Monge–Ampère equation with source ρ₁ and target ρ₂.
fn brenier_displacement(
    torus: &Torus,
    log_rho1: &[f64],
    log_rho2: &[f64],
) -> Result<Vec<Vec<f64>>> {
    let negated = |l: &[f64]| l.iter().map(|l| -l).collect::<Vec<_>>();
    let target = Sampled::new(torus, &negated(log_rho2), Order::Gradient);
    let mut operator = MongeAmpere::from_values(
        negated(log_rho1),
        Arc::new(target),
        Box::new(Spectral::new(torus)),
    );
    let tolerance = RELATIVE_RESIDUAL * sup_difference(log_rho1, log_rho2);
    let brenier = solve_elliptic(&mut operator, &vec![0.0; torus.len()], tolerance)?;
    let mut gradient = vec![vec![0.0; torus.len()]; torus.dimension()];
    Spectral::new(torus).gradient(&brenier.p, &mut gradient);
    Ok(gradient)
}
