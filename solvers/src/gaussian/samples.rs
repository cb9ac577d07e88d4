//! Matrices for the tests.

use super::matrix::{gram, product, scale};
use faer::{Mat, Scale};

/// A symmetric positive definite d × d matrix with eigenvalues spread geometrically over `1/√condition..√condition`, whose
/// eigenvectors depend on `seed`: a product of Householder reflections.
pub(super) fn spd(d: usize, seed: u64, condition: f64) -> Mat<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / 2f64.powi(53) - 0.5
    };
    let mut vectors = Mat::<f64>::identity(d, d);
    for _ in 0..4 {
        let v: Vec<f64> = (0..d).map(|_| random()).collect();
        let norm: f64 = v.iter().map(|v| v * v).sum();
        let reflection = Mat::from_fn(d, d, |i, j| {
            f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / norm
        });
        vectors = product(vectors.as_ref(), reflection.as_ref());
    }
    let roots: Vec<f64> = (0..d)
        .map(|i| condition.powf(0.5 * (i as f64 + 0.5) / d as f64 - 0.25))
        .collect();
    gram(scale(&vec![1.0; d], vectors.as_ref(), &roots).as_ref())
}

/// Largest difference of entries.
pub(super) fn distance(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    (a - b).norm_max()
}

/// The 1 × 1 matrix.
pub(super) fn scalar(value: f64) -> Mat<f64> {
    Mat::from_fn(1, 1, |_, _| value)
}

/// Aitken–Neville limit at node 0 of values that are a power series in the node.
pub(super) fn limit_at_zero(nodes: &[f64], values: &[Mat<f64>]) -> Mat<f64> {
    let mut row: Vec<Mat<f64>> = vec![];
    for (j, value) in values.iter().enumerate() {
        let mut next = vec![value.clone()];
        for k in 1..=j {
            let ratio = nodes[j - k] / nodes[j];
            let change = &next[k - 1] - &row[k - 1];
            next.push(&next[k - 1] + Scale(1.0 / (ratio - 1.0)) * change);
        }
        row = next;
    }
    row[values.len() - 1].clone()
}
