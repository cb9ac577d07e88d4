use super::{Minimiser, Objective, power_excess};
use crate::parallel::mean_of;

/// `∫(ρ^m − 1 − m(ρ − 1)) / (m(m−1))`, `φ = (ρ^{m−1} − 1)/(m − 1)`. Its gradient flow is the porous medium equation
/// (fast diffusion for m < 1).
#[derive(Debug, Clone, Copy)]
pub struct PowerEntropy {
    exponent: f64,
}

impl PowerEntropy {
    /// # Panics
    /// If m is 0 or 1.
    pub fn new(exponent: f64) -> Self {
        assert!(exponent != 0.0 && exponent != 1.0, "a limit of the family");
        Self { exponent }
    }
}

impl Objective for PowerEntropy {
    fn value(&self, log_rho: &[f64], _f: &[f64]) -> f64 {
        mean_of(log_rho.len(), |i| power_excess(self.exponent, log_rho[i]))
    }

    fn variation(&self, l: f64, _f: f64) -> f64 {
        let n = self.exponent - 1.0;
        (n * l).exp_m1() / n
    }

    fn slopes(&self, l: f64, _f: f64) -> (f64, f64) {
        (((self.exponent - 1.0) * l).exp(), 0.0)
    }

    fn minimiser(&self) -> Minimiser {
        Minimiser::Uniform
    }
}
