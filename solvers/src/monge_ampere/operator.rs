//! The right-hand side of parabolic Monge–Ampère (PMA), fast.

use super::resolution;
use crate::calculus::{Calculus, Derivatives};
use crate::density::{Jet, LogDensity, Order, at_nodes};
use crate::elementary;
use crate::error::{Error, Result};
use crate::fourier::{Complex64, Fourier};
use crate::parallel::{axpy, for_each_block, max_of, mean_of};
use crate::resolution::Moduli;
use crate::symmetric::{Packed, determinant, extreme_eigenvalues, identity_plus};
use crate::torus::Torus;
use std::sync::Arc;

/// `F(p) = f − g(∇u) + log det ∇²u` on a grid, with `u = |x|²/2 + p` (THEORY §2).
///
/// Evaluating F costs one forward and d + d(d+1)/2 inverse transforms (spectral) and one evaluation of g per node, and
/// allocates nothing.
pub struct MongeAmpere {
    pub(crate) source: Vec<f64>,
    pub(crate) target: Arc<dyn LogDensity>,
    pub(crate) calculus: Box<dyn Calculus>,
    pub(crate) derivatives: Derivatives,
    /// `∇u = x + ∇p` at the nodes.
    pub(crate) map: Vec<Vec<f64>>,
    nodes: Vec<Vec<f64>>,
    pub(crate) jet: Jet,
    /// Added to every p, with derivatives of its own; none but while an elliptic solve corrects the solution of a coarser grid.
    pub(super) base: Option<Potential>,
    fourier: Fourier,
    spectrum: Vec<Complex64>,
}

/// A periodic part with its derivatives at the nodes.
pub(super) struct Potential {
    pub p: Vec<f64>,
    pub derivatives: Derivatives,
}

/// How healthy a potential is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Diagnosis {
    /// `min_x λ_min(∇²u)`; positive while u is convex.
    pub min_eigenvalue: f64,
    /// `max_x λ_max(∇²u)`.
    pub max_eigenvalue: f64,
    /// `|∫ρ − 1|` with `log ρ = −g(∇u) + log det ∇²u`: zero but for the space discretisation.
    pub mass_defect: f64,
    /// Largest |p̂_k| with some |k_i| > n_i/3, relative to the largest of all.
    pub spectral_tail: f64,
    /// What the grid leaves out: the sum of the moduli of the Fourier coefficients with |k_i| ≥ 0.4 n_i of f + log ρ or of log det ∇²u,
    /// whichever is larger, along the axis where it is largest ([`super::resolution`]).
    pub left_out: f64,
}

impl MongeAmpere {
    /// The operator for source f and target g, discretised by `calculus`.
    pub fn new(
        source: &dyn LogDensity,
        target: Arc<dyn LogDensity>,
        calculus: Box<dyn Calculus>,
    ) -> Self {
        let source = at_nodes(source, calculus.torus());
        Self::from_values(source, target, calculus)
    }

    /// The same for a source f known at the nodes only.
    pub fn from_values(
        source: Vec<f64>,
        target: Arc<dyn LogDensity>,
        calculus: Box<dyn Calculus>,
    ) -> Self {
        let torus = calculus.torus().clone();
        let fourier = Fourier::new(&torus);
        let nodes = torus.nodes();
        assert_eq!(source.len(), torus.len());
        Self {
            source,
            target,
            calculus,
            derivatives: Derivatives::zeros(&torus),
            map: nodes.clone(),
            nodes,
            jet: Jet::zeros(torus.dimension(), torus.len(), Order::Value),
            base: None,
            spectrum: fourier.spectrum(),
            fourier,
        }
    }

    pub fn torus(&self) -> &Torus {
        self.calculus.torus()
    }

    /// f at the nodes.
    pub fn source(&self) -> &[f64] {
        &self.source
    }

    /// Takes another source, given at the nodes.
    pub fn set_source(&mut self, source: &[f64]) {
        self.source.copy_from_slice(source);
    }

    pub fn calculus(&mut self) -> &mut dyn Calculus {
        self.calculus.as_mut()
    }

    /// `out = F(p) = f − g(∇u) + log det ∇²u`.
    ///
    /// # Errors
    /// [`Error::LostConvexity`] where `∇²u` is not positive definite, [`Error::NonFinite`].
    pub fn rate(&mut self, p: &[f64], out: &mut [f64]) -> Result<()> {
        self.unprojected(p, out)?;
        self.calculus.project(out);
        Ok(())
    }

    /// F(p) before the projection of a dealiased calculus, which is about how p is evolved, not about what ρ is.
    pub(crate) fn unprojected(&mut self, p: &[f64], out: &mut [f64]) -> Result<()> {
        self.differentiate(p);
        self.target.jet(&self.map, &mut self.jet);
        self.assemble(out)
    }

    /// `log ρ = −g(∇u) + log det ∇²u`, the marginal that `∇u` carries to `e^{-g}`.
    ///
    /// # Errors
    /// As [`Self::rate`].
    pub fn log_marginal(&mut self, p: &[f64], out: &mut [f64]) -> Result<()> {
        self.unprojected(p, out)?;
        let f = &self.source;
        for_each_block(out, |start, out| {
            for (out, f) in out.iter_mut().zip(&f[start..]) {
                *out -= f;
            }
        });
        Ok(())
    }

    /// Eigenvalues, mass and tail of the potential p whose marginal is `log_marginal`.
    pub fn diagnose(&mut self, p: &[f64], log_marginal: &[f64]) -> Diagnosis {
        self.differentiate(p);
        let (d, hessian) = (self.torus().dimension(), &self.derivatives.hessian);
        let eigenvalues = |i| extreme_eigenvalues(d, &identity_plus(d, hessian, i));
        let mass = mean_of(p.len(), |i| log_marginal[i].exp());
        Diagnosis {
            min_eigenvalue: -max_of(p.len(), |i| -eigenvalues(i).0),
            max_eigenvalue: max_of(p.len(), |i| eigenvalues(i).1),
            mass_defect: (mass - 1.0).abs(),
            spectral_tail: resolution::spectral_tail(&mut self.fourier, &mut self.spectrum, p),
            left_out: self.left_out(log_marginal),
        }
    }

    /// Of the potential whose derivatives are in `derivatives`.
    fn left_out(&mut self, log_marginal: &[f64]) -> f64 {
        let rate = self.source.iter().zip(log_marginal);
        let rate: Vec<f64> = rate.map(|(f, log_rho)| f + log_rho).collect();
        let mut log_det = vec![0.0; rate.len()];
        self.log_determinant(&mut log_det);
        let points = self.calculus.torus().points().to_vec();
        [rate, log_det]
            .iter()
            .map(|field| Moduli::new(&mut self.fourier, &mut self.spectrum, field))
            .map(|moduli| resolution::left_out(&moduli, &points))
            .max_by(f64::total_cmp)
            .expect("two fields")
    }

    /// `log det ∇²u` of the potential whose derivatives are in `derivatives`; NaN where it is not convex.
    pub(super) fn log_determinant(&self, out: &mut [f64]) {
        let (d, hessian) = (self.torus().dimension(), &self.derivatives.hessian);
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = convex_determinant(d, &identity_plus(d, hessian, start + k));
            }
            elementary::ln_slice(out);
        });
    }

    /// F at the potential whose derivatives were put in `derivatives`.
    pub(super) fn rate_here(&mut self, out: &mut [f64]) -> Result<()> {
        self.move_nodes();
        self.target.jet(&self.map, &mut self.jet);
        self.assemble(out)?;
        self.calculus.project(out);
        Ok(())
    }

    /// Fills `derivatives` and `map` for p.
    pub(super) fn differentiate(&mut self, p: &[f64]) {
        if p.iter().all(|&p| p == 0.0) {
            fields(&mut self.derivatives).for_each(|field| field.fill(0.0));
        } else {
            self.calculus.derivatives(p, &mut self.derivatives);
        }
        if let Some(base) = &self.base {
            let derivatives = &base.derivatives;
            let of_base = derivatives.gradient.iter().chain(&derivatives.hessian);
            fields(&mut self.derivatives)
                .zip(of_base)
                .for_each(|(field, base)| axpy(1.0, base, field));
        }
        self.move_nodes();
    }

    /// `map = x + ∇p`.
    fn move_nodes(&mut self) {
        for ((map, node), gradient) in self
            .map
            .iter_mut()
            .zip(&self.nodes)
            .zip(&self.derivatives.gradient)
        {
            for_each_block(map, |start, map| {
                for (k, map) in map.iter_mut().enumerate() {
                    *map = node[start + k] + gradient[start + k];
                }
            });
        }
    }

    /// `F` from the derivatives and the jet of g just computed.
    pub(super) fn assemble(&mut self, out: &mut [f64]) -> Result<()> {
        let value = std::mem::take(&mut self.jet.value);
        let result = self.assemble_with(&value, out);
        self.jet.value = value;
        result
    }

    /// [`Self::assemble`] with g at the map given.
    pub(super) fn assemble_with(&mut self, g: &[f64], out: &mut [f64]) -> Result<()> {
        let (d, hessian, f) = (
            self.torus().dimension(),
            &self.derivatives.hessian,
            &self.source,
        );
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = convex_determinant(d, &identity_plus(d, hessian, start + k));
            }
            elementary::ln_slice(out);
            for (k, out) in out.iter_mut().enumerate() {
                *out += f[start + k] - g[start + k];
            }
        });
        if max_of(out.len(), |i| out[i].abs()).is_finite() {
            Ok(())
        } else {
            Err(self.explain(out))
        }
    }

    /// The reason for a non-finite right-hand side.
    fn explain(&self, out: &[f64]) -> Error {
        let torus = self.torus();
        let (d, hessian) = (torus.dimension(), &self.derivatives.hessian);
        let smallest = |i: usize| extreme_eigenvalues(d, &identity_plus(d, hessian, i)).0;
        let worst = (0..out.len())
            .filter(|&i| !out[i].is_finite())
            .min_by(|&a, &b| smallest(a).total_cmp(&smallest(b)))
            .unwrap_or(0);
        let eigenvalue = smallest(worst);
        if eigenvalue <= 0.0 {
            Error::LostConvexity {
                when: String::new(),
                at: torus.node(worst),
                eigenvalue,
                remedy: "use a smaller step, more points, or smoother data".into(),
            }
        } else {
            Error::NonFinite {
                quantity: "f − g(∇u) + log det ∇²u",
                when: format!("at x = {:?}", torus.node(worst)),
                remedy: "check the densities there, or use a smaller step".into(),
            }
        }
    }
}

/// All components.
fn fields(derivatives: &mut Derivatives) -> impl Iterator<Item = &mut Vec<f64>> {
    let Derivatives { gradient, hessian } = derivatives;
    gradient.iter_mut().chain(hessian)
}

/// det m, or NaN unless m is positive definite (Sylvester's criterion).
#[inline(always)]
fn convex_determinant(d: usize, m: &Packed) -> f64 {
    let det = determinant(d, m);
    let convex = det > 0.0
        && m[0] > 0.0
        && match d {
            1 => true,
            2 => m[2] > 0.0,
            _ => m[0] * m[3] - m[1] * m[1] > 0.0,
        };
    if convex { det } else { f64::NAN }
}
