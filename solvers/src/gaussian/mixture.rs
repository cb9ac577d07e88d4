//! The average of Gaussians, which is none: its relative entropy by quadrature on R and R².

use super::matrix::{cholesky, inverse_of_factor, log_determinant, solve_lower};
use crate::distance::entropy_density;
use crate::error::Result;
use crate::spectrum::dense::symmetric_eigen;
use faer::Mat;

/// Nodes to the width of the narrowest Gaussian, and half-widths of the box in units of the widest.
const PER_WIDTH: f64 = 4.0;
const REACH: f64 = 9.0;
/// More nodes are refused.
const MOST_NODES: f64 = 3e5;

/// `KL(μ_T | N(0, Σ))` of `μ_T = Σ_{k<T} w_k N(0, C_k)/Σ_{k<T} w_k` for T = 1, 2, …, and its error, or nothing where d > 2 or the widths
/// differ so much that the nodes would be too many.
///
/// Trapezoidal rule in coordinates in which Σ = 1: for Gaussians it converges like `e^{−2π²σ²/h²}`, and the rule on every other node
/// shows the error.
///
/// # Errors
/// [`crate::Error::Gaussian`] where a matrix is not a covariance.
pub fn mixture_entropies(
    sigma: &Mat<f64>,
    covariances: &[Mat<f64>],
    weights: &[f64],
) -> Result<Option<Vec<(f64, f64)>>> {
    if sigma.nrows() > 2 {
        return Ok(None);
    }
    let lower = cholesky("Σ", sigma.as_ref())?;
    let inside = |c: &Mat<f64>| {
        let half = solve_lower(lower.as_ref(), c.as_ref());
        solve_lower(lower.as_ref(), half.transpose())
    };
    let inside: Vec<Mat<f64>> = covariances.iter().map(inside).collect();
    let Some(nodes) = Nodes::new(&inside)? else {
        return Ok(None);
    };
    let mut sum = vec![0.0; nodes.places.len()];
    let mut total = 0.0;
    let mut found = Vec::new();
    for (c, weight) in inside.iter().zip(weights) {
        total += weight;
        nodes.add(c, *weight, &mut sum)?;
        found.push(nodes.relative_entropy(&sum, total));
    }
    Ok(Some(found))
}

/// Nodes of a half-plane or half-line (everything is even) with their weights in the rule and in that of every other node.
struct Nodes {
    places: Vec<([f64; 2], [f64; 2])>,
    dimension: usize,
}

impl Nodes {
    fn new(covariances: &[Mat<f64>]) -> Result<Option<Self>> {
        let d = covariances.first().map_or(1, Mat::nrows);
        let (mut narrowest, mut widest) = (1.0f64, 1.0f64);
        for c in covariances {
            let (values, _) = symmetric_eigen(c.as_ref())?;
            narrowest = narrowest.min(values[0].sqrt());
            widest = widest.max(values[d - 1].sqrt());
        }
        let h = narrowest / PER_WIDTH;
        let count = (REACH * widest / h).ceil();
        if count.powi(d as i32) * if d == 2 { 2.0 } else { 1.0 } > MOST_NODES {
            return Ok(None);
        }
        let n = count as i64;
        let across = if d == 2 { -n..=n } else { 0..=0 };
        let places = (0..=n).flat_map(|i| across.clone().map(move |j| place(d, h, i, j)));
        Ok(Some(Self {
            places: places.collect(),
            dimension: d,
        }))
    }

    /// Adds `weight` times the density of N(0, c).
    fn add(&self, c: &Mat<f64>, weight: f64, sum: &mut [f64]) -> Result<()> {
        let d = self.dimension;
        let precision = inverse_of_factor(cholesky("the covariance", c.as_ref())?.as_ref());
        let entry = |i: usize, j: usize| {
            if i < d && j < d {
                precision[(i, j)]
            } else {
                0.0
            }
        };
        let (a, b, e) = (entry(0, 0), 2.0 * entry(0, 1), entry(1, 1));
        let log = weight.ln() - 0.5 * log_determinant(c)? - normal(d);
        for (([x, y], _), sum) in self.places.iter().zip(sum) {
            *sum += (log - 0.5 * (a * x * x + b * x * y + e * y * y)).exp();
        }
        Ok(())
    }

    /// KL of `sum/total` from N(0, 1), and how far the rule on every other node is from it.
    fn relative_entropy(&self, sum: &[f64], total: f64) -> (f64, f64) {
        let (mut fine, mut coarse) = (0.0, 0.0);
        for (([x, y], [w, v]), sum) in self.places.iter().zip(sum) {
            let log_normal = -0.5 * (x * x + y * y) - normal(self.dimension);
            let value = integrand(sum / total, log_normal);
            fine += w * value;
            coarse += v * value;
        }
        (fine, (fine - coarse).abs())
    }
}

/// Node (i, j)h with its two weights.
fn place(d: usize, h: f64, i: i64, j: i64) -> ([f64; 2], [f64; 2]) {
    let mirrored = if i == 0 { 1.0 } else { 2.0 };
    let weight = mirrored * h.powi(d as i32);
    let other = if i % 2 == 0 && j % 2 == 0 {
        weight * 2f64.powi(d as i32)
    } else {
        0.0
    };
    ([i as f64 * h, j as f64 * h], [weight, other])
}

/// `log (2π)^{d/2}`.
fn normal(d: usize) -> f64 {
    0.5 * d as f64 * (2.0 * std::f64::consts::PI).ln()
}

/// `μ log(μ/ν) − μ + ν ≥ 0`, accurate where the densities are near.
fn integrand(mu: f64, log_nu: f64) -> f64 {
    if mu == 0.0 {
        return log_nu.exp();
    }
    let s = mu.ln() - log_nu;
    if s.abs() > 1.0 {
        return mu * (s - 1.0) + log_nu.exp();
    }
    log_nu.exp() * entropy_density(s)
}

#[cfg(test)]
mod tests {
    use super::super::divergence::relative_entropy;
    use super::super::samples::spd;
    use super::*;

    #[test]
    fn equal_gaussians_average_to_themselves() {
        for d in [1, 2] {
            let (sigma, c) = (spd(d, 1, 4.0), faer::Scale(1.7) * spd(d, 2, 3.0));
            let found = mixture_entropies(&sigma, &[c.clone(), c.clone()], &[0.3, 0.9]).unwrap();
            let exact = relative_entropy(&c, &sigma).unwrap();
            for (value, error) in found.unwrap() {
                approx::assert_relative_eq!(value, exact, max_relative = 1e-11);
                assert!(error < 1e-6 * exact, "{error}");
            }
            let same = mixture_entropies(&sigma, std::slice::from_ref(&sigma), &[1.0]).unwrap();
            assert!(same.unwrap()[0].0 < 1e-28);
        }
    }

    /// Half and half of N(0, 4) and N(0, 1/4) against N(0, 1), by a plain sum in steps of 0.005 outside this program.
    #[test]
    fn different_ones_average_to_less_than_the_average() {
        let scalar = super::super::samples::scalar;
        let parts = [scalar(4.0), scalar(0.25)];
        let found = mixture_entropies(&scalar(1.0), &parts, &[0.5, 0.5]).unwrap();
        let (value, error) = found.unwrap()[1];
        assert!(
            (value - MIXED).abs() < 1e-11 && error < 1e-5,
            "{value} {error}"
        );
        let each = parts.map(|c| relative_entropy(&c, &scalar(1.0)).unwrap());
        assert!(value < 0.5 * (each[0] + each[1]));
    }

    const MIXED: f64 = 0.3090286448652;

    #[test]
    fn what_the_rule_cannot_do_is_refused() {
        let three = [spd(3, 1, 2.0)];
        assert!(
            mixture_entropies(&three[0], &three, &[1.0])
                .unwrap()
                .is_none()
        );
        let wide = [spd(2, 1, 1e5)];
        let unit = Mat::<f64>::identity(2, 2);
        assert!(mixture_entropies(&unit, &wide, &[1.0]).unwrap().is_none());
    }
}
