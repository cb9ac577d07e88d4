//! W₂, linearised transport and Brenier matrices between centred Gaussians.

use super::matrix::{congruence, frobenius, solve_upper, square_root_difference};
use super::problem::{Gaussian, factored, same_size, validated};
use crate::error::Result;
use faer::Mat;

/// T with `T A T = B`: the optimal map of N(0, A) to N(0, B) is `x ↦ Tx`.
///
/// # Errors
/// [`crate::Error::Gaussian`] where a matrix is not a covariance or the sizes differ.
pub fn brenier(a: &Mat<f64>, b: &Mat<f64>) -> Result<Mat<f64>> {
    Ok(Gaussian::new(a, b)?.brenier())
}

/// `LOT_{N(0,Θ)}(N(0,A), N(0,B)) = ‖T_A − T_B‖_{L²(N(0,Θ))}`, T the optimal maps from N(0, Θ); unit: length on the X side.
///
/// With `Θ = LLᵀ`, `LᵀTL = (LᵀAL)^{1/2}`, and the difference of two roots is found from `A − B`, so nothing cancels.
///
/// # Errors
/// As [`brenier`].
pub fn linearised_transport(theta: &Mat<f64>, a: &Mat<f64>, b: &Mat<f64>) -> Result<f64> {
    same_size("A", a, "B", b)?;
    same_size("A", a, "Θ", theta)?;
    let (_, lower) = factored("the reference covariance Θ", theta)?;
    let (a, b) = (
        validated("the covariance A", a)?,
        validated("the covariance B", b)?,
    );
    by_difference(&lower, &a, &b, &(&a - &b))
}

/// `W₂(N(0,A), N(0,B))` from `difference` = B − A, so as accurate as that is.
pub(super) fn wasserstein_by(a: &Mat<f64>, b: &Mat<f64>, difference: &Mat<f64>) -> Result<f64> {
    let (a, lower) = factored("the covariance A", a)?;
    let b = validated("the covariance B", b)?;
    by_difference(&lower, &b, &a, difference)
}

/// LOT from a reference covariance LLᵀ, of A and B with `difference` = A − B.
fn by_difference(
    lower: &Mat<f64>,
    a: &Mat<f64>,
    b: &Mat<f64>,
    difference: &Mat<f64>,
) -> Result<f64> {
    let inside = |x: &Mat<f64>| congruence(lower.transpose(), x.as_ref());
    let roots = square_root_difference(
        inside(a).as_ref(),
        inside(b).as_ref(),
        inside(difference).as_ref(),
    )?;
    Ok(frobenius(&solve_upper(lower.as_ref(), roots.as_ref())))
}

/// `W₂(N(0,A), N(0,B))`, whose square is `tr A + tr B − 2 tr (A^{1/2}BA^{1/2})^{1/2}` (Bures), as `LOT_{N(0,A)}(N(0,A), N(0,B))`.
///
/// # Errors
/// As [`brenier`].
pub fn wasserstein(a: &Mat<f64>, b: &Mat<f64>) -> Result<f64> {
    linearised_transport(a, a, b)
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{product, square_root};
    use super::super::samples::{distance, scalar, spd};
    use super::*;

    fn trace(x: &Mat<f64>) -> f64 {
        (0..x.nrows()).map(|i| x[(i, i)]).sum()
    }

    #[test]
    fn w2_is_the_bures_formula_and_symmetric() {
        for d in [3, 20] {
            let (a, b) = (spd(d, 1, 30.0), spd(d, 2, 8.0));
            let root = square_root(&a).unwrap();
            let cross = square_root(&congruence(root.as_ref(), b.as_ref())).unwrap();
            let bures = (trace(&a) + trace(&b) - 2.0 * trace(&cross)).sqrt();
            let w2 = wasserstein(&a, &b).unwrap();
            approx::assert_relative_eq!(w2, bures, max_relative = 1e-12);
            approx::assert_relative_eq!(w2, wasserstein(&b, &a).unwrap(), max_relative = 1e-12);
        }
    }

    #[test]
    fn distances_keep_their_digits_when_tiny() {
        let delta = 2f64.powi(-40);
        let exact = delta / 2.0 * (1.0 - delta / 4.0);
        let w2 = wasserstein(&scalar(1.0 + delta), &scalar(1.0)).unwrap();
        approx::assert_relative_eq!(w2, exact, max_relative = 1e-11);
    }

    #[test]
    fn linearised_transport_is_the_distance_of_the_maps() {
        let (theta, a, b) = (spd(3, 1, 5.0), spd(3, 2, 7.0), spd(3, 3, 9.0));
        let difference = brenier(&theta, &a).unwrap() - brenier(&theta, &b).unwrap();
        let squared = trace(&congruence(difference.as_ref(), theta.as_ref()));
        let lot = linearised_transport(&theta, &a, &b).unwrap();
        approx::assert_relative_eq!(lot, squared.sqrt(), max_relative = 1e-12);
        assert!(lot >= wasserstein(&a, &b).unwrap());
    }

    #[test]
    fn the_brenier_matrix_pushes_forward() {
        let (a, b) = (spd(20, 1, 5.0), spd(20, 2, 7.0));
        let t = brenier(&a, &b).unwrap();
        assert!(distance(&congruence(t.as_ref(), a.as_ref()), &b) < 1e-12);
        let back = product(t.as_ref(), brenier(&b, &a).unwrap().as_ref());
        assert!(distance(&back, &Mat::identity(20, 20)) < 1e-11);
    }
}
