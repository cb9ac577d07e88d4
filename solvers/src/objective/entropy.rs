use super::{Minimiser, Objective};
use crate::distance::relative_entropy;

/// `∫ρ log ρ`, `φ = log ρ`. Its gradient flow is the heat equation.
#[derive(Debug, Clone, Copy)]
pub struct Entropy;

impl Objective for Entropy {
    fn value(&self, log_rho: &[f64], _f: &[f64]) -> f64 {
        relative_entropy(log_rho, &vec![0.0; log_rho.len()])
    }

    fn variation(&self, l: f64, _f: f64) -> f64 {
        l
    }

    fn slopes(&self, _l: f64, _f: f64) -> (f64, f64) {
        (1.0, 0.0)
    }

    fn minimiser(&self) -> Minimiser {
        Minimiser::Uniform
    }
}
