use super::{Objective, power_excess};
use crate::parallel::mean_of;

/// `∫e^{-f} (r^m − 1 − m(r − 1)) / (m(m−1))`, `r = ρ/e^{-f}`: half χ² at m = 2, towards KL as m → 1 and reverse KL as m → 0.
/// `φ = (r^{m−1} − 1)/(m − 1)`.
#[derive(Debug, Clone, Copy)]
pub struct PowerDivergence {
    exponent: f64,
}

impl PowerDivergence {
    /// # Panics
    /// If m is 0 or 1, which are reverse KL and KL.
    pub fn new(exponent: f64) -> Self {
        assert!(exponent != 0.0 && exponent != 1.0, "a limit of the family");
        Self { exponent }
    }
}

impl Objective for PowerDivergence {
    fn value(&self, log_rho: &[f64], f: &[f64]) -> f64 {
        mean_of(f.len(), |i| {
            (-f[i]).exp() * power_excess(self.exponent, log_rho[i] + f[i])
        })
    }

    fn variation(&self, l: f64, f: f64) -> f64 {
        let n = self.exponent - 1.0;
        (n * (l + f)).exp_m1() / n
    }

    fn slopes(&self, l: f64, f: f64) -> (f64, f64) {
        let slope = ((self.exponent - 1.0) * (l + f)).exp();
        (slope, slope)
    }
}
