//! Source and target, and the coordinates in which both are diagonal.

use super::matrix::{
    congruence, factor_if_positive, not_positive, product, singular, solve_upper, symmetric_part,
};
use crate::error::{Error, Result};
use faer::Mat;

/// Source `e^{-f} = N(0, Σ)` and target `e^{-g} = N(0, Θ)` on R^d, which need not commute.
///
/// With `Σ = KKᵀ`, `Θ = BBᵀ` and the singular values `KᵀB = W m^{-1} Vᵀ`, the basis `G = BV` gives
///
/// ```text
/// Θ = G Gᵀ,      Σ^{-1} = G diag(m²) Gᵀ,      P = G Z Gᵀ,      Q = P^{-1} = G^{-T} Z^{-1} G^{-1},
/// ```
///
/// so that PMA is `Ż = m² − Z²`, and m are the rates: `m = 1/√(sθ)` for commuting eigenvalues s of Σ and θ of Θ,
/// in general the eigenvalues of `(Θ^{1/2} Σ Θ^{1/2})^{-1/2}`. Units: Σ of x², Θ of y² = (Px)², m of 1/t.
#[derive(Debug, Clone)]
pub struct Gaussian {
    sigma: Mat<f64>,
    theta: Mat<f64>,
    /// G.
    pub(super) basis: Mat<f64>,
    /// G^{-1}.
    pub(super) inverse_basis: Mat<f64>,
    /// m, increasing.
    pub(super) rates: Vec<f64>,
}

impl Gaussian {
    /// The problem with covariances `sigma` and `theta`, both d × d.
    ///
    /// # Errors
    /// [`Error::Gaussian`] where they are not square, of the same size, finite, symmetric to rounding and positive definite.
    pub fn new(sigma: &Mat<f64>, theta: &Mat<f64>) -> Result<Self> {
        let (source, target) = (
            factored("the source covariance Σ", sigma)?,
            factored("the target covariance Θ", theta)?,
        );
        same_size("Σ", &source.0, "Θ", &target.0)?;
        let b = target.1;
        let (m_inverse, v) = singular(product(source.1.transpose(), b.as_ref()).as_ref())?;
        Ok(Self {
            basis: product(b.as_ref(), v.as_ref()),
            inverse_basis: solve_upper(b.as_ref(), v.as_ref()).transpose().to_owned(),
            rates: m_inverse.iter().map(|v| 1.0 / v).collect(),
            sigma: source.0,
            theta: target.0,
        })
    }

    /// d.
    pub fn dimension(&self) -> usize {
        self.rates.len()
    }

    /// Σ.
    pub fn sigma(&self) -> &Mat<f64> {
        &self.sigma
    }

    /// Θ.
    pub fn theta(&self) -> &Mat<f64> {
        &self.theta
    }

    /// m, increasing: P approaches P_∞ under PMA like `e^{−(m_i + m_j)t}`, so at the rate `2 m_1`, and KL at `4 m_1`.
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// `1/inf_t λ_min(A_t)`: no P_t of the flow from `start`, at any t ≥ 0, has an eigenvalue above this.
    ///
    /// PMA preserves the order of symmetric matrices, and M is a supersolution when `0 ≥ Σ^{-1} − M²Θ^{-1}`, that is when
    /// `M² ≥ λ_max(Θ^{1/2}Σ^{-1}Θ^{1/2})`; so `P_t ⪯ M = max(λ_max(P₀), λ_max(Θ^{1/2}Σ^{-1}Θ^{1/2})^{1/2})`. Attained, at t = 0 or as
    /// t → ∞, where Σ, Θ and P₀ commute and P₀ is a multiple of 1.
    ///
    /// # Errors
    /// [`Error::Gaussian`] where `start` (d × d) is not positive definite.
    pub fn largest_curvature(&self, start: &Mat<f64>) -> Result<f64> {
        let start = self.validated("the starting potential P₀", start)?;
        let (_, b) = factored("Θ", &self.theta)?;
        let (_, k) = factored("Σ", &self.sigma)?;
        let ratio = singular(super::matrix::solve_lower(k.as_ref(), b.as_ref()).as_ref())?.0[0];
        Ok(super::matrix::operator_norm(&start)?.max(ratio))
    }

    /// `Σ^{-1} = G m² Gᵀ`.
    pub fn source_precision(&self) -> Mat<f64> {
        let squares: Vec<f64> = self.rates.iter().map(|m| m * m).collect();
        self.potential_matrix(&diagonal(&squares))
    }

    /// `P_∞`, the Brenier matrix from N(0, Σ) to N(0, Θ): `P_∞ Σ P_∞ = Θ`, where PMA ends.
    pub fn brenier(&self) -> Mat<f64> {
        self.potential_matrix(&diagonal(&self.rates))
    }

    /// `G z Gᵀ`: a potential, or a precision matrix, out of the diagonal coordinates.
    pub(super) fn potential_matrix(&self, z: &Mat<f64>) -> Mat<f64> {
        congruence(self.basis.as_ref(), z.as_ref())
    }

    /// `G^{-1} p G^{-T}`: its inverse.
    pub(super) fn potential_coordinates(&self, p: &Mat<f64>) -> Mat<f64> {
        congruence(self.inverse_basis.as_ref(), p.as_ref())
    }

    /// `G^{-T} x G^{-1}`: a covariance on the X side, or a dual potential, out of the diagonal coordinates.
    pub(super) fn covariance_matrix(&self, x: &Mat<f64>) -> Mat<f64> {
        congruence(self.inverse_basis.transpose(), x.as_ref())
    }

    /// `Gᵀ c G`: its inverse.
    pub(super) fn covariance_coordinates(&self, c: &Mat<f64>) -> Mat<f64> {
        congruence(self.basis.transpose(), c.as_ref())
    }

    /// Refuses a matrix of another size, else what [`validated`] refuses.
    pub(super) fn validated(&self, name: &str, x: &Mat<f64>) -> Result<Mat<f64>> {
        same_size(name, x, "Σ", &self.sigma)?;
        validated(name, x)
    }

    /// `m_i z_ij + z_ij m_j`.
    pub(super) fn anticommutator(&self, z: &Mat<f64>) -> Mat<f64> {
        Mat::from_fn(z.nrows(), z.ncols(), |i, j| {
            (self.rates[i] + self.rates[j]) * z[(i, j)]
        })
    }
}

/// `diag(values)`.
pub(super) fn diagonal(values: &[f64]) -> Mat<f64> {
    let n = values.len();
    Mat::from_fn(n, n, |i, j| if i == j { values[i] } else { 0.0 })
}

/// Largest asymmetry taken for rounding, relative to the largest entry.
const ASYMMETRY: f64 = 1e-12;

/// The symmetric part of a matrix that is square, finite, symmetric to rounding and positive definite.
///
/// # Errors
/// [`Error::Gaussian`], with `name`.
pub(super) fn validated(name: &str, x: &Mat<f64>) -> Result<Mat<f64>> {
    Ok(factored(name, x)?.0)
}

/// As [`validated`], with the Cholesky factor.
pub(super) fn factored(name: &str, x: &Mat<f64>) -> Result<(Mat<f64>, Mat<f64>)> {
    let (rows, columns) = x.shape();
    if rows != columns || rows == 0 {
        return refuse(
            format!("{name} is {rows} × {columns}"),
            "give a square matrix",
        );
    }
    let largest = entries(x).fold(0.0, |m: f64, v| m.max(v.abs()));
    if !entries(x).all(f64::is_finite) {
        return refuse(
            format!("{name} has an entry that is not finite"),
            "give finite numbers",
        );
    }
    for j in 0..rows {
        for i in 0..j {
            let difference = (x[(i, j)] - x[(j, i)]).abs();
            if difference > ASYMMETRY * largest {
                return refuse(
                    format!(
                        "{name} is not symmetric: entries ({i}, {j}) and ({j}, {i}) differ by {difference:.3e}"
                    ),
                    "give ½(A + Aᵀ) if that is what is meant",
                );
            }
        }
    }
    let x = symmetric_part(x.clone());
    match factor_if_positive(x.as_ref()) {
        Some(lower) => Ok((x, lower)),
        None => Err(not_positive(name, x.as_ref())?),
    }
}

fn entries(x: &Mat<f64>) -> impl Iterator<Item = f64> + '_ {
    (0..x.ncols()).flat_map(move |j| (0..x.nrows()).map(move |i| x[(i, j)]))
}

fn refuse<T>(reason: String, remedy: &str) -> Result<T> {
    Err(Error::Gaussian {
        reason,
        remedy: remedy.into(),
    })
}

/// Refuses matrices of different sizes.
pub(super) fn same_size(a: &str, x: &Mat<f64>, b: &str, y: &Mat<f64>) -> Result<()> {
    let (m, n) = (x.nrows(), y.nrows());
    if m == n && x.ncols() == y.ncols() {
        return Ok(());
    }
    refuse(
        format!("{a} is {m} × {} and {b} is {n} × {}", x.ncols(), y.ncols()),
        "give both in the same dimension",
    )
}

#[cfg(test)]
mod tests {
    use super::super::matrix::gram;
    use super::super::samples::{distance, spd};
    use super::*;

    fn message(sigma: &Mat<f64>, theta: &Mat<f64>) -> String {
        Gaussian::new(sigma, theta).unwrap_err().to_string()
    }

    #[test]
    fn refusals_name_the_reason() {
        let good = spd(3, 1, 4.0);
        assert!(message(&good, &Mat::zeros(3, 2)).contains("3 × 2"));
        assert!(message(&good, &spd(4, 1, 4.0)).contains("same dimension"));
        let mut bad = good.clone();
        bad[(0, 1)] += 1e-3;
        assert!(message(&bad, &good).contains("(0, 1) and (1, 0) differ by 1.000e-3"));
        let indefinite = diagonal(&[1.0, -0.25, 2.0]);
        let text = message(&good, &indefinite);
        assert!(
            text.contains("Θ") && text.contains("-2.500e-1") && text.contains("add at least"),
            "{text}"
        );
        assert!(message(&diagonal(&[1.0, 0.0, 1.0]), &good).contains("smallest eigenvalue is 0"));
        bad[(0, 1)] = f64::NAN;
        assert!(message(&bad, &good).contains("not finite"));
    }

    /// In all the dimensions asked for, and for condition numbers 1e8 each.
    #[test]
    fn the_basis_diagonalises_both_without_commuting() {
        for (d, condition) in [(1, 1.0), (3, 10.0), (20, 100.0), (200, 100.0), (20, 1e8)] {
            let (sigma, theta) = (spd(d, 7, condition), spd(d, 8, condition));
            let problem = Gaussian::new(&sigma, &theta).unwrap();
            assert!(distance(&gram(problem.basis.as_ref()), &theta) < 1e-13 * condition);
            let s: Vec<f64> = problem.rates.iter().map(|m| m.powi(-2)).collect();
            assert!(
                distance(&problem.covariance_coordinates(&sigma), &diagonal(&s)) < 1e-12 * s[0]
            );
            let p = problem.brenier();
            assert!(distance(&congruence(p.as_ref(), sigma.as_ref()), &theta) < 1e-13 * condition);
            assert!(problem.rates.windows(2).all(|m| m[0] <= m[1]));
        }
    }
}
