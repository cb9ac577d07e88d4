use super::Objective;
use crate::parallel::mean_of;

/// `½χ²(ρ|e^{-f}) = ½∫e^{-f} (ρ/e^{-f} − 1)²`, `φ = ρ/e^{-f} − 1`. The half makes it agree with KL to second order.
#[derive(Debug, Clone, Copy)]
pub struct ChiSquare;

impl Objective for ChiSquare {
    fn value(&self, log_rho: &[f64], f: &[f64]) -> f64 {
        mean_of(f.len(), |i| {
            0.5 * (-f[i]).exp() * (log_rho[i] + f[i]).exp_m1().powi(2)
        })
    }

    fn variation(&self, l: f64, f: f64) -> f64 {
        (l + f).exp_m1()
    }

    fn slopes(&self, l: f64, f: f64) -> (f64, f64) {
        let slope = (l + f).exp();
        (slope, slope)
    }
}
