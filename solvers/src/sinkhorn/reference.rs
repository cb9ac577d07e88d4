//! Dense log-sum-exp half-step: every pair of nodes, as the definition reads. O(N²); what [`super::HalfStep`] must agree with.

use super::kernel::Kernel;
use crate::torus::Torus;
use std::f64::consts::PI;

/// `out(y) = ε log [ N^{-1} Σ_x K_ε(x,y) exp(−p(x)/ε − f(x)) ]`.
pub fn half_step(torus: &Torus, kernel: Kernel, epsilon: f64, p: &[f64], f: &[f64]) -> Vec<f64> {
    let d = torus.dimension();
    let normalisation = -(d as f64) / 2.0 * (2.0 * PI * epsilon).ln() - (torus.len() as f64).ln();
    // log K along an axis depends on the offset of the nodes only.
    let tables: Vec<Vec<f64>> = torus
        .points()
        .iter()
        .map(|&n| {
            (0..n)
                .map(|offset| kernel.log_value(epsilon, offset as f64 / n as f64))
                .collect()
        })
        .collect();
    let log_kernel = |x: usize, y: usize| -> f64 {
        (0..d)
            .map(|axis| {
                let n = torus.points()[axis];
                tables[axis][(torus.index(x, axis) + n - torus.index(y, axis)) % n]
            })
            .sum()
    };
    (0..torus.len())
        .map(|y| {
            let exponents: Vec<f64> = (0..torus.len())
                .map(|x| log_kernel(x, y) - p[x] / epsilon - f[x])
                .collect();
            let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = exponents.iter().map(|e| (e - largest).exp()).sum();
            epsilon * (largest + sum.ln() + normalisation)
        })
        .collect()
}
