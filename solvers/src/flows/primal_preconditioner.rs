//! The FFT preconditioner of `−ρL_u (1 − cSL_u)`, the leading part of `w ↦ (1 − cJ)(ρλ(w))`.

use super::density::product;
use crate::calculus::{Calculus, Symbol};
use crate::monge_ampere::Preconditioner;
use crate::parallel::for_each_block;
use crate::symmetric::packed_len;

/// One [`Preconditioner`] for each factor, applied one after the other.
pub(super) struct PrimalPreconditioner {
    rho: Vec<f64>,
    potential: Preconditioner,
    diffusion: Preconditioner,
    /// SA.
    scaled: Vec<Vec<f64>>,
    half: Vec<f64>,
}

impl PrimalPreconditioner {
    pub(super) fn new(calculus: &dyn Calculus) -> Self {
        let (d, nodes) = (calculus.torus().dimension(), calculus.torus().len());
        Self {
            rho: vec![1.0; nodes],
            potential: Preconditioner::new(calculus),
            diffusion: Preconditioner::of_divergence_form(calculus),
            scaled: vec![vec![0.0; nodes]; packed_len(d)],
            half: vec![0.0; nodes],
        }
    }

    /// Eigenvalues of ∂ and −∂∂ along each axis.
    pub(super) fn symbols(&self) -> &[Symbol] {
        self.diffusion.symbols()
    }

    /// Takes ρ, A and S.
    pub(super) fn adopt(&mut self, rho: &[f64], a: &[Vec<f64>], slope: &[f64]) {
        self.rho.copy_from_slice(rho);
        for (scaled, a) in self.scaled.iter_mut().zip(a) {
            product(1.0, slope, a, scaled);
        }
        self.potential.adopt(a);
        self.diffusion.adopt(&self.scaled);
    }

    /// `out = (1 − cSL_u)^{-1} (−L_u)^{-1} (v/ρ)`, nearly.
    pub(super) fn solve(&mut self, c: f64, v: &[f64], out: &mut [f64]) {
        let rho = &self.rho;
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = v[start + k] / rho[start + k];
            }
        });
        self.potential.solve(0.0, 1.0, out, &mut self.half);
        self.diffusion.solve(1.0, c, &self.half, out);
    }
}
