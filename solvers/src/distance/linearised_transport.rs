//! Linearised optimal transport: the L² distance of optimal maps from a common reference.

use crate::calculus::{Calculus, Derivatives, Spectral};
use crate::error::{Error, Result};
use crate::interpolation::Interpolant;
use crate::parallel::{mean_of, sup};
use crate::symmetric::{determinant, identity_plus, inverse, position};
use crate::torus::Torus;

const MOST_ITERATIONS: usize = 100;

/// `LOT_ν(μ₁, μ₂) = ‖T₁ − T₂‖_{L²(ν)}`, T_i the optimal map ν → μ_i, from the Brenier potentials u_i of μ_i → ν.
///
/// `T_i = (∇u_i)^{-1}`. With `y = ∇u₂(x)` the square is `∫ |z(x) − x|² dμ₂(x)` where `∇u₁(z) = ∇u₂(x)`: evaluated
/// at nodes, with ∇u₁ off the grid through its trigonometric interpolant. `p1`, `p2` are the periodic parts of
/// u₁, u₂ and `log_mu2` the log-density of μ₂.
///
/// # Errors
/// [`Error::NoConvergence`] when the maps are too far apart for the fixed-Jacobian iteration.
pub fn linearised_transport(torus: &Torus, p1: &[f64], p2: &[f64], log_mu2: &[f64]) -> Result<f64> {
    let (d, n) = (torus.dimension(), torus.len());
    let mut spectral = Spectral::new(torus);
    let (mut first, mut second) = (Derivatives::zeros(torus), vec![vec![0.0; n]; d]);
    spectral.derivatives(p1, &mut first);
    spectral.gradient(p2, &mut second);
    let fields: Vec<&[f64]> = first.gradient.iter().map(Vec::as_slice).collect();
    let map = Interpolant::new(torus, &fields);
    let nodes = torus.nodes();
    // z = x + δ; the equation is δ + ∇p₁(x + δ) = ∇p₂(x).
    let mut delta = vec![vec![0.0; n]; d];
    let mut value = first.gradient.clone();
    let mut last = f64::INFINITY;
    for iteration in 0..MOST_ITERATIONS {
        if iteration > 0 {
            let at: Vec<Vec<f64>> = nodes
                .iter()
                .zip(&delta)
                .map(|(x, d)| x.iter().zip(d).map(|(x, d)| x + d).collect())
                .collect();
            let mut out: Vec<&mut [f64]> = value.iter_mut().map(Vec::as_mut_slice).collect();
            map.evaluate(&at, &mut out);
        }
        let size = correct(&first, &second, &value, &mut delta);
        if size < 1e-16 || (size < 1e-11 && size >= 0.5 * last) {
            let square = mean_of(n, |i| {
                log_mu2[i].exp() * delta.iter().map(|d| d[i] * d[i]).sum::<f64>()
            });
            return Ok(square.sqrt());
        }
        last = size;
    }
    Err(Error::NoConvergence {
        what: "the inverse of a Brenier map",
        residual: last,
        iterations: MOST_ITERATIONS,
        tolerance: 1e-11,
        remedy: "the two densities are far apart or not resolved: use more points".into(),
    })
}

/// `δ ← δ − (∇²u₁(x))^{-1} [δ + ∇p₁(x+δ) − ∇p₂(x)]`; returns the size of the correction.
fn correct(
    first: &Derivatives,
    second: &[Vec<f64>],
    value: &[Vec<f64>],
    delta: &mut [Vec<f64>],
) -> f64 {
    let d = delta.len();
    let mut steps = vec![0.0f64; delta[0].len()];
    for (i, largest) in steps.iter_mut().enumerate() {
        let hessian = identity_plus(d, &first.hessian, i);
        let a = inverse(d, &hessian, determinant(d, &hessian));
        let mut residual = [0.0; 3];
        for axis in 0..d {
            residual[axis] = delta[axis][i] + value[axis][i] - second[axis][i];
        }
        for row in 0..d {
            let step: f64 = (0..d)
                .map(|column| a[position(d, row, column)] * residual[column])
                .sum();
            delta[row][i] -= step;
            *largest = largest.max(step.abs());
        }
    }
    sup(&steps)
}
