//! The same eigenvalues from dense matrices, straight from the definitions.

use super::dense::symmetric_eigen;
use crate::symmetric::position;
use crate::torus::Torus;
use faer::Mat;
use std::f64::consts::PI;

/// The matrix of ∂ along an axis: `½·2π (−1)^{i−j} cot(π(i−j)/n)` between nodes of one line, which annihilates Nyquist.
pub fn derivative(torus: &Torus, axis: usize) -> Mat<f64> {
    let n = torus.points()[axis];
    let same_line =
        |i, j| (0..torus.dimension()).all(|a| a == axis || torus.index(i, a) == torus.index(j, a));
    Mat::from_fn(torus.len(), torus.len(), |i, j| {
        let steps = torus.index(i, axis) as f64 - torus.index(j, axis) as f64;
        if i == j || !same_line(i, j) {
            return 0.0;
        }
        let sign = if steps as i64 % 2 == 0 { 1.0 } else { -1.0 };
        PI * sign / (PI * steps / n as f64).tan()
    })
}

/// `1 − N Nᵀ` with N the alternating field of every line along the axis, normalised.
fn without_nyquist(torus: &Torus, axis: usize) -> Mat<f64> {
    let n = torus.points()[axis];
    Mat::from_fn(torus.len(), torus.len(), |i, j| {
        let same_line =
            (0..torus.dimension()).all(|a| a == axis || torus.index(i, a) == torus.index(j, a));
        if !same_line {
            return 0.0;
        }
        let even = (torus.index(i, axis) + torus.index(j, axis)).is_multiple_of(2);
        f64::from(i == j) - if even { 1.0 } else { -1.0 } / n as f64
    })
}

fn diagonal(values: &[f64]) -> Mat<f64> {
    Mat::from_fn(values.len(), values.len(), |i, j| {
        if i == j { values[i] } else { 0.0 }
    })
}

/// All nonzero eigenvalues of `P D_fᵀ B D_f P`, `D_f = D + ½∇f`: the ground state and the Nyquist modes are lifted out of the way.
pub fn ground_state_eigenvalues(torus: &Torus, log_density: &[f64], b: &[Vec<f64>]) -> Vec<f64> {
    let (d, n) = (torus.dimension(), torus.len());
    let field = Mat::from_fn(n, 1, |i, _| log_density[i]);
    let twisted: Vec<Mat<f64>> = (0..d)
        .map(|axis| {
            let derivative = derivative(torus, axis);
            let slope = &derivative * &field;
            let half: Vec<f64> = (0..n).map(|i| -0.5 * slope[(i, 0)]).collect();
            derivative + diagonal(&half)
        })
        .collect();
    let mut matrix = Mat::<f64>::zeros(n, n);
    for i in 0..d {
        for j in 0..d {
            matrix += twisted[i].transpose() * diagonal(&b[position(d, i, j)]) * &twisted[j];
        }
    }
    let keep = (0..d).fold(Mat::<f64>::identity(n, n), |keep, axis| {
        keep * without_nyquist(torus, axis)
    });
    let ground = &keep * Mat::from_fn(n, 1, |i, _| (0.5 * log_density[i]).exp());
    let keep = &keep - faer::Scale(ground.norm_l2().powi(-2)) * (&ground * ground.transpose());
    // Above every eigenvalue, and no more, for the sake of rounding.
    let lift = 2.0 * matrix.norm_l2();
    let lifted = &keep * &matrix * &keep + faer::Scale(lift) * (Mat::<f64>::identity(n, n) - &keep);
    let (values, _) = symmetric_eigen(lifted.as_ref()).unwrap();
    values.into_iter().filter(|v| *v < 0.5 * lift).collect()
}

/// Eigenvalues of `Dᵀ (e^{-f} B) D w = λ e^{-f} w` in one dimension, where the kernel is the constants and the Nyquist mode: another
/// discretisation of the same operator.
pub fn weighted_eigenvalues(torus: &Torus, log_density: &[f64], b: &[f64]) -> Vec<f64> {
    let n = torus.len();
    let derivative = derivative(torus, 0);
    let weight: Vec<f64> = (0..n).map(|i| log_density[i].exp() * b[i]).collect();
    let root: Vec<f64> = log_density.iter().map(|l| (-0.5 * l).exp()).collect();
    let matrix = diagonal(&root)
        * derivative.transpose()
        * diagonal(&weight)
        * &derivative
        * diagonal(&root);
    let (values, _) = symmetric_eigen(matrix.as_ref()).unwrap();
    values[2..].to_vec()
}
