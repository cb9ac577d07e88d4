//! Products, factors and functions of symmetric matrices, on one core and in a fixed order.

use crate::error::{Error, Result};
use crate::spectrum::dense::symmetric_eigen;
use crate::watch;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor;
use faer::linalg::matmul::matmul;
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Accum, Col, Mat, MatRef, Par, Scale, Spec};

/// `ab`.
pub fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.nrows(), b.ncols());
    matmul(out.as_mut(), Accum::Replace, a, b, 1.0, Par::Seq);
    out
}

/// `½(x + xᵀ)`: exactly symmetric.
pub(super) fn symmetric_part(mut x: Mat<f64>) -> Mat<f64> {
    for j in 0..x.ncols() {
        for i in 0..j {
            let mean = 0.5 * (x[(i, j)] + x[(j, i)]);
            (x[(i, j)], x[(j, i)]) = (mean, mean);
        }
    }
    x
}

/// `a x aᵀ` for a symmetric x.
pub fn congruence(a: MatRef<'_, f64>, x: MatRef<'_, f64>) -> Mat<f64> {
    symmetric_part(product(product(a, x).as_ref(), a.transpose()))
}

/// `a aᵀ`.
pub(super) fn gram(a: MatRef<'_, f64>) -> Mat<f64> {
    symmetric_part(product(a, a.transpose()))
}

/// `diag(a) x diag(b)`.
pub(super) fn scale(a: &[f64], x: MatRef<'_, f64>, b: &[f64]) -> Mat<f64> {
    Mat::from_fn(x.nrows(), x.ncols(), |i, j| a[i] * x[(i, j)] * b[j])
}

/// `x + diag(a)`.
pub(super) fn add_diagonal(mut x: Mat<f64>, a: impl Fn(usize) -> f64) -> Mat<f64> {
    for i in 0..x.nrows() {
        x[(i, i)] += a(i);
    }
    x
}

/// `‖x‖²`, the sum of the squared entries.
pub(super) fn sum_of_squares(x: MatRef<'_, f64>) -> f64 {
    let column = |j: usize| (0..x.nrows()).map(|i| x[(i, j)] * x[(i, j)]).sum::<f64>();
    (0..x.ncols()).map(column).sum()
}

/// Lower L with `LLᵀ = x`, or nothing where x is not positive definite in floating point.
pub(super) fn factor_if_positive(x: MatRef<'_, f64>) -> Option<Mat<f64>> {
    let mut lower = x.to_owned();
    let n = x.nrows();
    let mut memory = MemBuffer::new(factor::cholesky_in_place_scratch::<f64>(
        n,
        Par::Seq,
        Spec::default(),
    ));
    factor::cholesky_in_place(
        lower.as_mut(),
        Default::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        Spec::default(),
    )
    .ok()?;
    for j in 0..n {
        for i in 0..j {
            lower[(i, j)] = 0.0;
        }
    }
    // faer lets NaN through.
    (0..n)
        .all(|i| lower[(i, i)] > 0.0 && lower[(i, i)].is_finite())
        .then_some(lower)
}

/// Cholesky factor of `x`, which is called `name` in the error.
pub(super) fn cholesky(name: &str, x: MatRef<'_, f64>) -> Result<Mat<f64>> {
    watch::on()?;
    match factor_if_positive(x) {
        Some(lower) => Ok(lower),
        None => Err(not_positive(name, x)?),
    }
}

/// The error that names the smallest and the largest eigenvalue.
pub(super) fn not_positive(name: &str, x: MatRef<'_, f64>) -> Result<Error> {
    let (values, _) = symmetric_eigen(x)?;
    let (least, largest) = (values[0], values[values.len() - 1]);
    Ok(Error::Gaussian {
        reason: format!(
            "{name} is not positive definite in floating point: its smallest eigenvalue is {least:.3e} and its largest {largest:.3e}"
        ),
        remedy: format!(
            "add at least {:.3e} to its diagonal, or drop the directions in which it degenerates",
            (-least).max(0.0) + 1e-12 * largest.abs()
        ),
    })
}

/// `L^{-1} b`.
pub(super) fn solve_lower(lower: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = b.to_owned();
    solve_lower_triangular_in_place(lower, out.as_mut(), Par::Seq);
    out
}

/// `L^{-T} b`.
pub(super) fn solve_upper(lower: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = b.to_owned();
    solve_upper_triangular_in_place(lower.transpose(), out.as_mut(), Par::Seq);
    out
}

/// `(LLᵀ)^{-1}`.
pub(super) fn inverse_of_factor(lower: MatRef<'_, f64>) -> Mat<f64> {
    let n = lower.nrows();
    let inverse = solve_lower(lower, Mat::<f64>::identity(n, n).as_ref());
    gram(inverse.transpose())
}

/// Singular values in decreasing order and the right singular vectors as columns.
pub(super) fn singular(x: MatRef<'_, f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    let n = x.nrows();
    let (mut values, mut right) = (Col::zeros(n), Mat::zeros(n, n));
    let (none, full) = (ComputeSvdVectors::No, ComputeSvdVectors::Full);
    let mut memory = MemBuffer::new(svd_scratch::<f64>(
        n,
        n,
        none,
        full,
        Par::Seq,
        Spec::default(),
    ));
    svd(
        x,
        values.as_diagonal_mut(),
        None,
        Some(right.as_mut()),
        Par::Seq,
        MemStack::new(&mut memory),
        Spec::default(),
    )
    .map_err(|_| Error::NoConvergence {
        what: "the singular values of a dense matrix",
        residual: f64::NAN,
        iterations: 0,
        tolerance: f64::EPSILON,
        remedy: "its entries are not finite or overflow: rescale the covariances".into(),
    })?;
    Ok((values.iter().copied().collect(), right))
}

/// `V φ(λ) Vᵀ` on the eigendecomposition of a symmetric matrix.
fn function(x: MatRef<'_, f64>, phi: impl Fn(f64) -> f64) -> Result<Mat<f64>> {
    let (values, vectors) = symmetric_eigen(x)?;
    let ones = vec![1.0; values.len()];
    let image: Vec<f64> = values.into_iter().map(phi).collect();
    let scaled = scale(&ones, vectors.as_ref(), &image);
    Ok(symmetric_part(product(
        scaled.as_ref(),
        vectors.transpose(),
    )))
}

/// The symmetric square root of a symmetric positive definite matrix (d × d).
///
/// # Errors
/// [`Error::Gaussian`] where it is not square, symmetric to rounding, finite and positive definite.
pub fn square_root(x: &Mat<f64>) -> Result<Mat<f64>> {
    function(
        super::problem::validated("the matrix", x)?.as_ref(),
        f64::sqrt,
    )
}

/// The inverse of a symmetric positive definite matrix (d × d), symmetric.
///
/// # Errors
/// As [`square_root`].
pub fn inverse(x: &Mat<f64>) -> Result<Mat<f64>> {
    function(
        super::problem::validated("the matrix", x)?.as_ref(),
        f64::recip,
    )
}

/// `log det` of a symmetric positive definite matrix, without overflow.
///
/// # Errors
/// As [`square_root`].
pub fn log_determinant(x: &Mat<f64>) -> Result<f64> {
    let (values, _) = symmetric_eigen(super::problem::validated("the matrix", x)?.as_ref())?;
    Ok(values.iter().map(|v| v.ln()).sum())
}

/// Eigenvalues of a symmetric matrix (d × d) in increasing order, and its eigenvectors as columns.
///
/// # Errors
/// [`Error::NoConvergence`], which for finite entries does not happen.
pub fn eigen(x: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    symmetric_eigen(x.as_ref())
}

/// `sup_{|y| ≤ 1} |yᵀxy|` of a symmetric matrix: its largest eigenvalue in size.
///
/// # Errors
/// As [`eigen`].
pub fn operator_norm(x: &Mat<f64>) -> Result<f64> {
    let (values, _) = eigen(x)?;
    Ok(values[0].abs().max(values[values.len() - 1].abs()))
}

/// `‖x‖_F`, the root of the sum of the squared entries; no overflow or underflow of the squares.
pub fn frobenius(x: &Mat<f64>) -> f64 {
    let largest = x.norm_max();
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * sum_of_squares((Scale(1.0 / largest) * x).as_ref()).sqrt()
}

/// `√a − √b` from a, b (symmetric, ≥ 0) and `a − b`, accurate relative to the difference.
///
/// `X = √a − √b` solves `√a X + X √b = a − b`: in the eigenbases of a and of b a division by `√α_i + √β_j`.
pub(super) fn square_root_difference(
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    difference: MatRef<'_, f64>,
) -> Result<Mat<f64>> {
    let ((alpha, left), (beta, right)) = (symmetric_eigen(a)?, symmetric_eigen(b)?);
    let mut x = product(
        product(left.transpose(), difference).as_ref(),
        right.as_ref(),
    );
    for j in 0..x.ncols() {
        for i in 0..x.nrows() {
            x[(i, j)] /= alpha[i].max(0.0).sqrt() + beta[j].max(0.0).sqrt();
        }
    }
    let back = product(left.as_ref(), x.as_ref());
    Ok(symmetric_part(product(back.as_ref(), right.transpose())))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{distance, spd};
    use super::*;

    #[test]
    fn functions_of_a_matrix_meet_their_definitions() {
        let (a, n) = (spd(20, 1, 50.0), 20);
        let root = square_root(&a).unwrap();
        assert!(distance(&product(root.as_ref(), root.as_ref()), &a) < 1e-12);
        let product = product(inverse(&a).unwrap().as_ref(), a.as_ref());
        assert!(distance(&product, &Mat::identity(n, n)) < 1e-12);
        let diagonal = Mat::from_fn(2, 2, |i, j| if i == j { 2.0 + i as f64 } else { 0.0 });
        approx::assert_relative_eq!(
            log_determinant(&diagonal).unwrap(),
            6f64.ln(),
            max_relative = 1e-15
        );
    }

    #[test]
    fn singular_values_are_those_of_the_gram_matrix() {
        let a = Mat::from_fn(6, 6, |i, j| ((i * 7 + j * 3) as f64).sin());
        let (values, right) = singular(a.as_ref()).unwrap();
        let squares: Vec<f64> = values.iter().map(|v| v * v).collect();
        let rebuilt = product(
            scale(&[1.0; 6], right.as_ref(), &squares).as_ref(),
            right.transpose(),
        );
        assert!(distance(&rebuilt, &gram(a.transpose())) < 1e-13);
        assert!(values.windows(2).all(|v| v[0] >= v[1]));
    }

    #[test]
    fn difference_of_roots_keeps_its_digits() {
        let (a, direction) = (spd(5, 2, 9.0), spd(5, 3, 4.0));
        // a perturbation whose entries add exactly
        let small = Mat::from_fn(5, 5, |i, j| {
            (direction[(i, j)] * 64.0).round() * 2f64.powi(-46)
        });
        let b = &a + &small;
        let difference = &b - &a;
        let x = square_root_difference(b.as_ref(), a.as_ref(), difference.as_ref()).unwrap();
        let root = square_root(&a).unwrap();
        let back = product(root.as_ref(), x.as_ref());
        let first_order = &back + back.transpose();
        assert!(
            distance(&first_order, &difference) / sum_of_squares(difference.as_ref()).sqrt()
                < 1e-10
        );
    }
}
