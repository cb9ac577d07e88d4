use super::Objective;
use super::relative_entropy::negated;
use crate::distance::relative_entropy;

/// `KL(e^{-f}|ρ) = −∫e^{-f} (log ρ + f)`, `φ = 1 − e^{-f}/ρ`.
#[derive(Debug, Clone, Copy)]
pub struct ReverseRelativeEntropy;

impl Objective for ReverseRelativeEntropy {
    fn value(&self, log_rho: &[f64], f: &[f64]) -> f64 {
        relative_entropy(&negated(f), log_rho)
    }

    fn variation(&self, l: f64, f: f64) -> f64 {
        -(-(l + f)).exp_m1()
    }

    fn slopes(&self, l: f64, f: f64) -> (f64, f64) {
        let slope = (-(l + f)).exp();
        (slope, slope)
    }
}
