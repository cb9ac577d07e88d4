use super::Objective;
use crate::distance::relative_entropy;

/// `KL(ρ|e^{-f}) = ∫ρ (log ρ + f)`, `φ = log ρ + f`.
#[derive(Debug, Clone, Copy)]
pub struct RelativeEntropy;

impl Objective for RelativeEntropy {
    fn value(&self, log_rho: &[f64], f: &[f64]) -> f64 {
        relative_entropy(log_rho, &negated(f))
    }

    fn variation(&self, l: f64, f: f64) -> f64 {
        l + f
    }

    fn slopes(&self, _l: f64, _f: f64) -> (f64, f64) {
        (1.0, 1.0)
    }
}

pub(super) fn negated(f: &[f64]) -> Vec<f64> {
    f.iter().map(|f| -f).collect()
}
