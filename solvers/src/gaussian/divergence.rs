//! KL and Fisher information between centred Gaussians.

use super::matrix::{cholesky, product, singular, solve_lower, solve_upper, sum_of_squares};
use super::problem::{factored, same_size};
use crate::error::Result;
use crate::spectrum::dense::symmetric_eigen;
use faer::{Mat, MatRef};

/// `δ − log(1 + δ)` for `δ > −1`, accurate relative to itself.
///
/// With `s = δ/(2+δ)`, `log(1+δ) = 2 artanh s` and `δ − 2s = δs`.
pub(super) fn excess(delta: f64) -> f64 {
    if delta.abs() > 0.1 {
        return delta - delta.ln_1p();
    }
    let s = delta / (2.0 + delta);
    let tail = (1..8)
        .rev()
        .fold(0.0, |sum, k| (sum + 1.0 / f64::from(2 * k + 1)) * s * s);
    s * (delta - 2.0 * tail)
}

/// Eigenvalues λ of a ratio of covariances, and λ − 1 without cancellation.
pub(super) struct Ratio {
    /// λ − 1, increasing.
    excess: Vec<f64>,
    /// λ, increasing.
    whole: Vec<f64>,
}

impl Ratio {
    /// From the symmetric `R − 1` and any `X` with `R = XᵀX` up to similarity.
    pub(super) fn new(less_one: MatRef<'_, f64>, root: MatRef<'_, f64>) -> Result<Self> {
        let (excess, _) = symmetric_eigen(less_one)?;
        let mut whole: Vec<f64> = Vec::new();
        // λ − 1 has lost the digits of λ only where λ is small.
        if excess[0] < -0.5 {
            whole = singular(root)?.0.iter().rev().map(|v| v * v).collect();
        } else {
            whole.extend(excess.iter().map(|e| 1.0 + e));
        }
        Ok(Self { excess, whole })
    }

    /// `½ Σ (λ − 1 − log λ)`, which is `KL(N(0, R) ‖ N(0, 1))`.
    pub(super) fn forward(&self) -> f64 {
        self.sum(|e, l| {
            if e < -0.5 {
                l - 1.0 - l.ln()
            } else {
                excess(e)
            }
        })
    }

    /// `½ Σ (1/λ − 1 + log λ)`, which is `KL(N(0, 1) ‖ N(0, R))`.
    pub(super) fn backward(&self) -> f64 {
        self.sum(|e, l| {
            if !(-0.5..=2.0).contains(&e) {
                1.0 / l - 1.0 + l.ln()
            } else {
                excess(-e / (1.0 + e))
            }
        })
    }

    fn sum(&self, term: impl Fn(f64, f64) -> f64) -> f64 {
        let pairs = self.excess.iter().zip(&self.whole);
        0.5 * pairs.map(|(e, l)| term(*e, *l)).sum::<f64>()
    }
}

/// How what is left of a flow is spread over its modes, whose rates are counted in units of the slowest one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Left {
    /// Part of the square norm that is in modes within 1 % of the slowest rate.
    pub slowest: f64,
    /// By which part the mean rate of the square norm is above that of the slowest mode.
    pub excess: f64,
}

impl Left {
    /// From the coefficients of the modes and their rates over the slowest.
    pub(super) fn new(coefficients: &Mat<f64>, rate: impl Fn(usize, usize) -> f64) -> Self {
        let largest = coefficients.norm_max();
        let (mut whole, mut slow, mut above) = (0.0, 0.0, 0.0);
        for j in 0..coefficients.ncols() {
            for i in 0..coefficients.nrows() {
                let (square, rate) = ((coefficients[(i, j)] / largest).powi(2), rate(i, j));
                whole += square;
                slow += if rate <= SAME { square } else { 0.0 };
                above += square * (rate - 1.0);
            }
        }
        if whole > 0.0 {
            Self {
                slowest: slow / whole,
                excess: above / whole,
            }
        } else {
            Self {
                slowest: 0.0,
                excess: 0.0,
            }
        }
    }
}

/// Rates this near to the slowest belong to the same mode.
const SAME: f64 = 1.01;

/// `KL(N(0, A) ‖ N(0, B)) = ½ [tr B^{-1}A − d − log det B^{-1}A]`, from the eigenvalues of `L^{-1}(A − B)L^{-T}`, `B = LLᵀ`.
///
/// Nearly equal matrices lose nothing but the rounding of their own entries: the value is quadratic in it.
///
/// # Errors
/// [`crate::Error::Gaussian`] where a matrix is not a covariance or the sizes differ.
pub fn relative_entropy(a: &Mat<f64>, b: &Mat<f64>) -> Result<f64> {
    same_size("A", a, "B", b)?;
    let ((a, root), (b, lower)) = (
        factored("the covariance A", a)?,
        factored("the covariance B", b)?,
    );
    let half = solve_lower(lower.as_ref(), (&a - &b).as_ref());
    let less_one = solve_lower(lower.as_ref(), half.transpose());
    let ratio = Ratio::new(
        less_one.as_ref(),
        solve_lower(lower.as_ref(), root.as_ref()).as_ref(),
    )?;
    Ok(ratio.forward())
}

/// `I(N(0, A) | N(0, B)) = ∫ρ |∇ log(ρ/ν)|² = tr (B^{-1} − A^{-1}) A (B^{-1} − A^{-1})`, as `‖B^{-1}(A − B)L_A^{-T}‖²`.
///
/// # Errors
/// As [`relative_entropy`].
pub fn fisher_information(a: &Mat<f64>, b: &Mat<f64>) -> Result<f64> {
    same_size("A", a, "B", b)?;
    let ((a, root), (b, lower)) = (
        factored("the covariance A", a)?,
        factored("the covariance B", b)?,
    );
    let right = solve_lower(root.as_ref(), (&a - &b).as_ref());
    let half = solve_lower(lower.as_ref(), right.transpose());
    Ok(sum_of_squares(
        solve_upper(lower.as_ref(), half.as_ref()).as_ref(),
    ))
}

/// `½‖L^T X‖²` with `z = LLᵀ`: `½ tr z X Xᵀ`.
pub(super) fn half_weighted_square(z: &Mat<f64>, x: &Mat<f64>) -> Result<f64> {
    let lower = cholesky("the weight", z.as_ref())?;
    Ok(0.5 * sum_of_squares(product(lower.transpose(), x.as_ref()).as_ref()))
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{inverse, log_determinant};
    use super::super::samples::{scalar, spd};
    use super::*;

    #[test]
    fn excess_meets_its_closed_form_and_its_leading_terms() {
        for delta in [0.0999f64, -0.0999] {
            let closed = delta - delta.ln_1p();
            approx::assert_relative_eq!(excess(delta), closed, max_relative = 1e-13);
        }
        for delta in [1e-3f64, -1e-6, 1e-100] {
            let series = delta * delta * (0.5 - delta / 3.0 + delta * delta / 4.0);
            approx::assert_relative_eq!(excess(delta), series, max_relative = 1e-9);
        }
    }

    #[test]
    fn kl_is_its_textbook_formula_for_matrices_that_do_not_commute() {
        let (a, b) = (spd(20, 3, 40.0), spd(20, 4, 10.0));
        let ratio = product(inverse(&b).unwrap().as_ref(), a.as_ref());
        let trace: f64 = (0..20).map(|i| ratio[(i, i)]).sum();
        let logs = log_determinant(&a).unwrap() - log_determinant(&b).unwrap();
        let textbook = 0.5 * (trace - 20.0 - logs);
        approx::assert_relative_eq!(
            relative_entropy(&a, &b).unwrap(),
            textbook,
            max_relative = 1e-12
        );
    }

    #[test]
    fn kl_keeps_its_digits_at_both_ends() {
        for delta in [2f64.powi(-40), 2f64.powi(-20)] {
            let kl = relative_entropy(&scalar(1.0 + delta), &scalar(1.0)).unwrap();
            let exact = delta * delta * (0.25 - delta / 6.0 + delta * delta / 8.0);
            approx::assert_relative_eq!(kl, exact, max_relative = 1e-11);
        }
        let tiny = relative_entropy(&scalar(1e-30), &scalar(1.0)).unwrap();
        approx::assert_relative_eq!(tiny, 0.5 * (30.0 * 10f64.ln() - 1.0), max_relative = 1e-14);
        assert_eq!(
            relative_entropy(&spd(9, 1, 5.0), &spd(9, 1, 5.0)).unwrap(),
            0.0
        );
    }

    #[test]
    fn fisher_information_is_the_dissipation_of_the_heat_semigroup() {
        // d/dt KL(N(0, C)|N(0, B)) = −I along Ċ = 2 − B^{-1}C − CB^{-1}, by central differences
        let (c, b) = (spd(5, 5, 6.0), spd(5, 6, 3.0));
        let back = product(inverse(&b).unwrap().as_ref(), c.as_ref());
        let rate = Mat::from_fn(5, 5, |i, j| {
            2.0 * f64::from(u8::from(i == j)) - back[(i, j)] - back[(j, i)]
        });
        let kl = |h: f64| relative_entropy(&(&c + faer::Scale(h) * &rate), &b).unwrap();
        let h = 1e-3;
        let slope = (8.0 * (kl(h) - kl(-h)) - kl(2.0 * h) + kl(-2.0 * h)) / (12.0 * h);
        approx::assert_relative_eq!(
            fisher_information(&c, &b).unwrap(),
            -slope,
            max_relative = 1e-8
        );
    }
}
