use super::{Minimiser, Objective};
use crate::parallel::mean_of;

/// `∫f ρ`, `φ = f`: transport without diffusion. Along its mirror flow `u_t = u_0 + t f`, until convexity is lost.
#[derive(Debug, Clone, Copy)]
pub struct PotentialEnergy;

impl Objective for PotentialEnergy {
    fn value(&self, log_rho: &[f64], f: &[f64]) -> f64 {
        mean_of(f.len(), |i| f[i] * log_rho[i].exp())
    }

    fn variation(&self, _l: f64, f: f64) -> f64 {
        f
    }

    fn slopes(&self, _l: f64, _f: f64) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn minimiser(&self) -> Minimiser {
        Minimiser::Concentrated
    }
}
