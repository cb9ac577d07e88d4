//! The average iterate: the η-weighted mixture of the densities so far.

use mirrorflow_solvers::distance::relative_entropy;

/// `Σ η_k ρ_k / Σ η_k` at the nodes x.
pub struct Mixture {
    log_source: Vec<f64>,
    sum: Vec<f64>,
    weight: f64,
}

impl Mixture {
    pub fn new(f: &[f64]) -> Self {
        Self {
            log_source: f.iter().map(|f| -f).collect(),
            sum: vec![0.0; f.len()],
            weight: 0.0,
        }
    }

    /// Adds ρ with weight η; returns KL(mixture | e^{-f}).
    pub fn add(&mut self, eta: f64, log_rho: &[f64]) -> f64 {
        self.weight += eta;
        for (sum, l) in self.sum.iter_mut().zip(log_rho) {
            *sum += eta * l.exp();
        }
        let log: Vec<f64> = self.sum.iter().map(|s| (s / self.weight).ln()).collect();
        relative_entropy(&log, &self.log_source)
    }
}
