//! A Gaussian π against which mirror descent is compared.

use super::divergence::relative_entropy;
use super::iterate::Iterate;
use super::matrix::{log_determinant, product, square_root, sum_of_squares};
use super::problem::{Gaussian, diagonal};
use crate::error::Result;
use faer::Mat;

/// `π = N(0, Π)` with `Q_π`, the optimal map from e^{-g} to π.
#[derive(Debug, Clone)]
pub struct Comparator {
    covariance: Mat<f64>,
    /// `W_π = GᵀQ_πG`, whose square is `GᵀΠG`.
    pub(super) w: Mat<f64>,
    /// `log det W_π`.
    log_determinant: f64,
    /// π = e^{-f}: everything that vanishes at the end is then found from the distance to it.
    is_source: bool,
    /// `KL(π|e^{-f})`.
    pub relative_entropy: f64,
}

impl Comparator {
    /// π = e^{-f}.
    pub fn source(problem: &Gaussian) -> Self {
        let slowness: Vec<f64> = problem.rates.iter().map(|m| 1.0 / m).collect();
        Self {
            covariance: problem.sigma().clone(),
            log_determinant: slowness.iter().map(|s| s.ln()).sum(),
            w: diagonal(&slowness),
            is_source: true,
            relative_entropy: 0.0,
        }
    }

    /// π = N(0, covariance).
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] where `covariance` (d × d) is not one.
    pub fn new(problem: &Gaussian, covariance: &Mat<f64>) -> Result<Self> {
        let covariance = problem.validated("the comparator Π", covariance)?;
        let w = square_root(&problem.covariance_coordinates(&covariance))?;
        Ok(Self {
            relative_entropy: relative_entropy(&covariance, problem.sigma())?,
            log_determinant: log_determinant(&w)?,
            is_source: false,
            covariance,
            w,
        })
    }

    /// Π.
    pub fn covariance(&self) -> &Mat<f64> {
        &self.covariance
    }

    /// `B_g(π|ρ_k) = ½ tr P (Q_π − Q_k) Θ (Q_π − Q_k)`; for π = e^{-f} accurate relative to itself, else to 1e-15 of the largest such.
    pub fn bregman(&self, iterate: &Iterate<'_>) -> f64 {
        let lower = iterate.potential.lower.as_ref();
        let root = if self.is_source {
            product(iterate.deviation.as_ref(), lower)
        } else {
            product((&self.w - &iterate.w).as_ref(), lower)
        };
        0.5 * sum_of_squares(root.as_ref())
    }

    /// B_g(π|ρ_k) by its definition `∫ψ_k^*dπ + ∫ψ_k e^{-g} − ∫ψ_π^*dπ − ∫ψ_π e^{-g}`, and the sum of the sizes of the four.
    ///
    /// In the coordinates of the problem, where the four cancel: this only checks the square.
    pub fn bregman_by_definition(&self, iterate: &Iterate<'_>, theta: &Mat<f64>) -> (f64, f64) {
        let problem = iterate.potential.problem;
        let q = problem.covariance_matrix(&self.w);
        let same = 0.5 * trace_of_product(&q, theta);
        let star = 0.5 * trace_of_product(&iterate.potential.matrix(), &self.covariance);
        let plain = 0.5 * trace_of_product(&iterate.dual(), theta);
        // ψ_π^* has the same integral against π as ψ_π against e^{-g}.
        (star + plain - 2.0 * same, star + plain + 2.0 * same)
    }

    /// `KL(π|ρ_k)`, with the same accuracy.
    pub fn separation(&self, iterate: &Iterate<'_>) -> f64 {
        if self.is_source {
            return iterate.reverse_relative_entropy;
        }
        let ratio = product(iterate.potential.z.as_ref(), self.w.as_ref());
        let d = self.w.nrows() as f64;
        let log = iterate.log_determinant() + self.log_determinant;
        0.5 * (sum_of_squares(ratio.as_ref()) - d) - log
    }
}

/// `tr ab` of symmetric matrices.
fn trace_of_product(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    let column = |j: usize| (0..a.nrows()).map(|i| a[(i, j)] * b[(i, j)]).sum::<f64>();
    (0..a.ncols()).map(column).sum()
}
