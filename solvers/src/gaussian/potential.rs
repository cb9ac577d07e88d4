//! A quadratic potential with everything that PMA says about it.

use super::divergence::{Left, Ratio, half_weighted_square};
use super::matrix::{
    add_diagonal, cholesky, gram, inverse_of_factor, product, scale, solve_lower, solve_upper,
    square_root_difference, sum_of_squares, symmetric_part,
};
use super::problem::Gaussian;
use crate::error::Result;
use faer::Mat;

/// `u = ½xᵀPx` and `ρ = N(0, P^{-1}ΘP^{-1})`, with `(∇u)#ρ = e^{-g}`.
///
/// It keeps `Z = G^{-1}PG^{-T}` (see [`Gaussian`]) and `Z − diag m`, the distance to the stationary potential, apart: what
/// vanishes at the end is computed from the second and keeps its relative accuracy however small it gets.
#[derive(Debug, Clone)]
pub struct Potential<'a> {
    pub(super) problem: &'a Gaussian,
    pub(super) z: Mat<f64>,
    /// `Z − diag m`.
    pub(super) deviation: Mat<f64>,
    /// L, `Z = LLᵀ`.
    pub(super) lower: Mat<f64>,
}

impl Gaussian {
    /// `u = ½xᵀPx` for a symmetric positive definite P (d × d).
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] where P is not one.
    pub fn potential(&self, p: &Mat<f64>) -> Result<Potential<'_>> {
        let p = self.validated("the potential matrix P", p)?;
        let z = self.potential_coordinates(&p);
        let deviation = self.potential_coordinates(&(&p - self.brenier()));
        Potential::new(self, z, deviation)
    }

    /// `u = ½|x|²`: P = I, `ρ = e^{-g}`.
    ///
    /// # Errors
    /// As [`Self::potential`], for covariances at the limit of floating point.
    pub fn identity(&self) -> Result<Potential<'_>> {
        self.potential(&Mat::identity(self.dimension(), self.dimension()))
    }

    /// The Brenier potential from `ρ = N(0, covariance)` to e^{-g}, so that the flows start at that ρ.
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] where `covariance` (d × d) is not one.
    pub fn potential_of(&self, covariance: &Mat<f64>) -> Result<Potential<'_>> {
        let covariance = self.validated("the covariance of ρ", covariance)?;
        self.potential(&super::brenier(&covariance, self.theta())?)
    }
}

impl<'a> Potential<'a> {
    pub(super) fn new(problem: &'a Gaussian, z: Mat<f64>, deviation: Mat<f64>) -> Result<Self> {
        Ok(Self {
            lower: cholesky("the potential matrix", z.as_ref())?,
            problem,
            z,
            deviation,
        })
    }

    /// P.
    pub fn matrix(&self) -> Mat<f64> {
        self.problem.potential_matrix(&self.z)
    }

    /// `P − P_∞`, accurate relative to itself along the exact flows.
    pub fn deviation(&self) -> Mat<f64> {
        self.problem.potential_matrix(&self.deviation)
    }

    /// The coefficient of mode (i, i) in `P − P_∞ = G D Gᵀ`, i counted from the slowest: it decays like `e^{−2m_i t}` with a factor
    /// that settles as `1 + O(e^{−2m_1 t})`, whatever the other modes do.
    pub fn mode(&self, i: usize) -> f64 {
        self.deviation[(i, i)]
    }

    /// What is left at this state, `h = f + log ρ` up to a constant, by modes in L²(e^{-f}).
    pub fn left(&self) -> Left {
        let m = &self.problem.rates;
        let slowness: Vec<f64> = m.iter().map(|m| 1.0 / m).collect();
        Left::new(
            &scale(&slowness, self.rate_coordinates().as_ref(), &slowness),
            |i, j| (m[i] + m[j]) / (2.0 * m[0]),
        )
    }

    /// `Q = P^{-1}`, the matrix of `ψ = u^*` and of the optimal map from e^{-g} to ρ.
    pub fn dual(&self) -> Mat<f64> {
        self.problem
            .covariance_matrix(&inverse_of_factor(self.lower.as_ref()))
    }

    /// `Cov ρ = P^{-1}ΘP^{-1}`.
    pub fn covariance(&self) -> Mat<f64> {
        let w = inverse_of_factor(self.lower.as_ref());
        self.problem.covariance_matrix(&gram(w.as_ref()))
    }

    /// `Cov ρ − Σ`, accurate relative to itself: `VW + m^{-1}V` with `V = W − m^{-1} = −WDm^{-1}`, `W = Z^{-1}`.
    pub fn covariance_deviation(&self) -> Mat<f64> {
        let w = inverse_of_factor(self.lower.as_ref());
        let slowness: Vec<f64> = self.problem.rates.iter().map(|m| 1.0 / m).collect();
        let ones = vec![1.0; slowness.len()];
        let right = scale(&ones, self.deviation.as_ref(), &slowness);
        let v = symmetric_part(-product(w.as_ref(), right.as_ref()));
        let x = product(v.as_ref(), w.as_ref()) + scale(&slowness, v.as_ref(), &ones);
        self.problem.covariance_matrix(&symmetric_part(x))
    }

    /// `W₂(ρ, e^{-f})`, accurate relative to itself.
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] at the limit of floating point.
    pub fn wasserstein(&self) -> Result<f64> {
        let difference = self.covariance_deviation();
        super::transport::wasserstein_by(self.problem.sigma(), &self.covariance(), &difference)
    }

    /// `(Cov ρ)^{-1} = PΘ^{-1}P`, the Hessian of −log ρ.
    pub fn precision(&self) -> Mat<f64> {
        self.problem.potential_matrix(&gram(self.z.as_ref()))
    }

    /// `Ṗ = Σ^{-1} − PΘ^{-1}P`, the Hessian of `δF/δρ = f + log ρ`, accurate relative to itself.
    pub fn rate(&self) -> Mat<f64> {
        self.problem.potential_matrix(&self.rate_coordinates())
    }

    /// `Ż = m² − Z² = −(mD + Dm + D²)`, `D = Z − m`.
    pub(super) fn rate_coordinates(&self) -> Mat<f64> {
        let d = &self.deviation;
        -(self.problem.anticommutator(d) + gram(d.as_ref()))
    }

    /// `KL(ρ|e^{-f})`.
    ///
    /// # Errors
    /// [`crate::Error::NoConvergence`], which for finite matrices does not happen.
    pub fn relative_entropy(&self) -> Result<f64> {
        Ok(self.precision_ratio()?.backward())
    }

    /// `KL(e^{-f}|ρ)`.
    ///
    /// # Errors
    /// As [`Self::relative_entropy`].
    pub fn reverse_relative_entropy(&self) -> Result<f64> {
        Ok(self.precision_ratio()?.forward())
    }

    /// `m^{-1}Z²m^{-1}`, the precision of ρ over that of e^{-f}.
    pub(super) fn precision_ratio(&self) -> Result<Ratio> {
        let slowness: Vec<f64> = self.problem.rates.iter().map(|m| 1.0 / m).collect();
        let less_one = scale(&slowness, (-self.rate_coordinates()).as_ref(), &slowness);
        let ones = vec![1.0; slowness.len()];
        Ratio::new(
            less_one.as_ref(),
            scale(&slowness, self.z.as_ref(), &ones).as_ref(),
        )
    }

    /// Relative Fisher information `I(ρ|e^{-f}) = ∫ρ|∇(f + log ρ)|² = tr Ṗ Cov(ρ) Ṗ`.
    pub fn fisher_information(&self) -> f64 {
        let x = product(self.problem.basis.as_ref(), self.rate_over_z().as_ref());
        sum_of_squares(x.as_ref())
    }

    /// `‖v‖_{L²(ρ)}` of the mirror flow, `v = −A∇(f + log ρ) = −P^{-1}Ṗx`: the speed of ρ_t in LOT_{e^{-g}} (THEORY §5).
    pub fn speed(&self) -> f64 {
        let half = solve_lower(self.lower.as_ref(), self.rate_over_z().as_ref());
        let inner = solve_upper(self.lower.as_ref(), half.as_ref());
        let x = product(self.problem.inverse_basis.transpose(), inner.as_ref());
        sum_of_squares(x.as_ref()).sqrt()
    }

    /// `−d/dt KL(ρ_t|e^{-f}) = ∫ρ ∇h·A∇h`, `h = f + log ρ`, along the mirror flow.
    pub fn dissipation(&self) -> f64 {
        let half = solve_lower(self.lower.as_ref(), self.rate_over_z().as_ref());
        sum_of_squares(half.as_ref())
    }

    /// `Ż Z^{-1}`.
    fn rate_over_z(&self) -> Mat<f64> {
        let half = solve_lower(self.lower.as_ref(), self.rate_coordinates().as_ref());
        solve_upper(self.lower.as_ref(), half.as_ref())
            .transpose()
            .to_owned()
    }

    /// `B_g(π|ρ) = ½ tr P (Q_π − P^{-1}) Θ (Q_π − P^{-1})` for `π = N(0, comparator)`, `Q_π` the optimal map from e^{-g} to π.
    ///
    /// This is section 7's `∫ψ_ρ^* dπ + ∫ψ_ρ e^{-g} − ∫ψ_π^* dπ − ∫ψ_π e^{-g}`, completed to a square by `Q_πΘQ_π = Π`.
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] where `comparator` (d × d) is not a covariance.
    pub fn bregman(&self, comparator: &Mat<f64>) -> Result<f64> {
        let pi = self.problem.validated("the comparator Π", comparator)?;
        let w = inverse_of_factor(self.lower.as_ref());
        let (ours, theirs) = (gram(w.as_ref()), self.problem.covariance_coordinates(&pi));
        let difference = &theirs - &ours;
        let roots = square_root_difference(theirs.as_ref(), ours.as_ref(), difference.as_ref())?;
        half_weighted_square(&self.z, &roots)
    }

    /// `B_g(e^{-f}|ρ)`, accurate relative to itself: `½ tr Z(m^{-1} − Z^{-1})²`, `m^{-1} − Z^{-1} = Z^{-1}Dm^{-1}`.
    pub fn bregman_to_source(&self) -> f64 {
        let half = solve_lower(self.lower.as_ref(), self.deviation.as_ref());
        let slowness: Vec<f64> = self.problem.rates.iter().map(|m| 1.0 / m).collect();
        let ones = vec![1.0; slowness.len()];
        0.5 * sum_of_squares(scale(&ones, half.as_ref(), &slowness).as_ref())
    }

    /// Hessian of the prepared first-order profile `½f + log ρ` (THEORY §4): `½Σ^{-1} − PΘ^{-1}P`.
    pub fn prepared_correction(&self) -> Mat<f64> {
        self.problem
            .potential_matrix(&self.prepared_correction_coordinates())
    }

    /// `½m² − Z² = Ż − ½m²`.
    pub(super) fn prepared_correction_coordinates(&self) -> Mat<f64> {
        let m = &self.problem.rates;
        add_diagonal(self.rate_coordinates(), |i| -0.5 * m[i] * m[i])
    }
}
