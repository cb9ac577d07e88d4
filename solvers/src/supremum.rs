//! The supremum of a smooth function from its samples.
//!
//! The largest sample misses a maximum that falls between nodes by up to `(κh)²/8` relative, and by how much changes with where it
//! falls: on a quantity whose order is to be estimated that shows as a wrong order. The quadratic through the samples around
//! the largest one has its vertex within O(h⁴) of the supremum.

use crate::symmetric::{Packed, determinant, extreme_eigenvalues, inverse, pairs, position};
use crate::torus::Torus;

/// `sup f` to O(h⁴) for f smooth around its maximum, from its values at the nodes; NaN if any value is.
///
/// With centred differences g, H at the largest sample f₀ the vertex is `f₀ − ½ gᵀH⁻¹g`. Where H is not negative definite the
/// maximum is not a quadratic one and f₀ is returned.
pub fn supremum(torus: &Torus, values: &[f64]) -> f64 {
    let Some(best) = argmax(values) else {
        return f64::NAN;
    };
    let d = torus.dimension();
    let at = |steps: &[(usize, i64)]| values[shifted(torus, best, steps)];
    let f0 = values[best];
    let gradient: Vec<f64> = (0..d)
        .map(|i| 0.5 * (at(&[(i, 1)]) - at(&[(i, -1)])))
        .collect();
    // −H, so that a maximum is positive definite.
    let mut curvature: Packed = [0.0; 6];
    for (component, (i, j)) in pairs(d).enumerate() {
        curvature[component] = if i == j {
            2.0 * f0 - at(&[(i, 1)]) - at(&[(i, -1)])
        } else {
            let same = at(&[(i, 1), (j, 1)]) + at(&[(i, -1), (j, -1)]);
            let opposite = at(&[(i, 1), (j, -1)]) + at(&[(i, -1), (j, 1)]);
            0.25 * (opposite - same)
        };
    }
    if extreme_eigenvalues(d, &curvature).0 <= 0.0 {
        return f0;
    }
    let a = inverse(d, &curvature, determinant(d, &curvature));
    let step: Vec<f64> = (0..d)
        .map(|i| (0..d).map(|j| a[position(d, i, j)] * gradient[j]).sum())
        .collect();
    // Steps in nodes: a vertex further away belongs to a maximum too flat for these samples.
    if step.iter().any(|s: &f64| s.abs() > 1.0) {
        return f0;
    }
    f0 + 0.5 * step.iter().zip(&gradient).map(|(s, g)| s * g).sum::<f64>()
}

/// Index of the largest value, the first of equals; `None` if any is NaN.
fn argmax(values: &[f64]) -> Option<usize> {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if value.is_nan() {
            return None;
        }
        if *value > values[best] {
            best = i;
        }
    }
    Some(best)
}

/// The node a few steps away along some axes.
fn shifted(torus: &Torus, node: usize, steps: &[(usize, i64)]) -> usize {
    steps.iter().fold(node, |node, &(axis, by)| {
        let (n, stride) = (torus.points()[axis] as i64, torus.stride(axis));
        let here = torus.index(node, axis) as i64;
        let there = (here + by).rem_euclid(n);
        (node as i64 + (there - here) * stride as i64) as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    /// Errors of the supremum and of the largest sample for a function with coupled axes and supremum e^d.
    fn errors(d: usize, n: usize, place: f64) -> (f64, f64) {
        let torus = Torus::new(&vec![n; d]).unwrap();
        let values: Vec<f64> = (0..torus.len())
            .map(|i| {
                let x: Vec<f64> = torus.node(i).iter().map(|x| x - place).collect();
                let mut exponent = (2.0 * PI * x[0]).cos();
                for axis in 1..d {
                    exponent += (2.0 * PI * (x[axis] - x[axis - 1])).cos();
                }
                exponent.exp()
            })
            .collect();
        let exact = (d as f64).exp();
        let largest = values.iter().copied().fold(0.0, f64::max);
        (
            (supremum(&torus, &values) / exact - 1.0).abs(),
            (largest / exact - 1.0).abs(),
        )
    }

    #[test]
    fn error_is_of_fourth_order_where_the_largest_sample_is_of_second() {
        for d in 1..=3 {
            // The same place between nodes on both grids: 0.3 of a spacing.
            let ((coarse, coarse_bare), (fine, fine_bare)) =
                (errors(d, 48, 0.3 / 48.0), errors(d, 96, 0.3 / 96.0));
            let (order, bare) = ((coarse / fine).log2(), (coarse_bare / fine_bare).log2());
            assert!((order - 4.0).abs() < 0.3, "d = {d}: {order}");
            assert!((bare - 2.0).abs() < 0.3, "d = {d}: {bare}");
        }
    }

    #[test]
    fn constants_and_nan_are_what_they_are() {
        let torus = Torus::new(&[8, 8]).unwrap();
        assert_eq!(supremum(&torus, &[2.5; 64]), 2.5);
        let mut poisoned = vec![1.0; 64];
        poisoned[40] = f64::NAN;
        assert!(supremum(&torus, &poisoned).is_nan());
    }
}
