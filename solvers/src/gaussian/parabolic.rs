//! PMA in the Gaussian sector: the matrix Riccati flow, solved exactly.

use super::matrix::{
    add_diagonal, cholesky, congruence, gram, product, scale, solve_lower, solve_upper,
    symmetric_part,
};
use super::potential::Potential;
use super::problem::{Gaussian, diagonal};
use crate::error::{Error, Result};
use faer::Mat;

/// `Ṗ = Σ^{-1} − PΘ^{-1}P` from an initial P₀, at any `t ≥ 0` without a step.
///
/// In the coordinates of [`Gaussian`], with `N = m^{-1} tanh(tm)` and `S = 1/cosh(tm)`,
///
/// ```text
/// Z(t) = m tanh(tm) + S (Z₀^{-1} + N)^{-1} S:
/// ```
///
/// a sum of two positive matrices, so nothing cancels or overflows for any t. The distance of two solutions is
/// `Z − Z' = Ψ (Z₀ − Z₀') Ψ'ᵀ`, `Ψ = S (1 + Z₀N)^{-1}`; with `Z' = m`, `Ψ' = e^{−tm}`, this is the distance to the end,
/// again a product. Cost of [`Self::at`]: a dozen d³.
#[derive(Debug, Clone)]
pub struct ParabolicFlow<'a> {
    pub(super) start: Potential<'a>,
}

impl<'a> ParabolicFlow<'a> {
    /// The flow from `start`; P₀ = I is [`Gaussian::identity`].
    pub fn new(start: Potential<'a>) -> Self {
        Self { start }
    }

    /// The potential at time `t ≥ 0`.
    ///
    /// # Errors
    /// [`Error::Gaussian`] for a negative or non-finite time, since the flow backwards ends in finite time.
    pub fn at(&self, t: f64) -> Result<Potential<'a>> {
        let problem = self.problem();
        let step = Propagator::new(self, t)?;
        let grown = gram(step.half.transpose());
        let pull: Vec<f64> = problem.rates.iter().map(|m| m * (t * m).tanh()).collect();
        let z = scale(&step.damping, grown.as_ref(), &step.damping) + diagonal(&pull);
        let decay: Vec<f64> = problem.rates.iter().map(|m| (-t * m).exp()).collect();
        let ones = vec![1.0; decay.len()];
        let deviation = product(
            step.transition(self).as_ref(),
            scale(&ones, self.start.deviation.as_ref(), &decay).as_ref(),
        );
        Potential::new(problem, z, symmetric_part(deviation))
    }

    /// `Ψ E Ψᵀ`: the solution at time t of the linearised flow `Ė = −(PΘ^{-1}E + EΘ^{-1}P)` from `E`, in coordinates.
    pub(super) fn linearised(&self, t: f64, e: &Mat<f64>) -> Result<Mat<f64>> {
        let transition = Propagator::new(self, t)?.transition(self);
        Ok(congruence(transition.as_ref(), e.as_ref()))
    }

    pub(super) fn problem(&self) -> &'a Gaussian {
        self.start.problem
    }
}

/// The factors of the flow at one time.
struct Propagator {
    /// S.
    damping: Vec<f64>,
    /// R, `RRᵀ = 1 + LᵀNL` with `Z₀ = LLᵀ`.
    factor: Mat<f64>,
    /// `R^{-1}Lᵀ`, whose Gram matrix is `(Z₀^{-1} + N)^{-1}`.
    half: Mat<f64>,
}

impl Propagator {
    fn new(flow: &ParabolicFlow<'_>, t: f64) -> Result<Self> {
        if !(t >= 0.0 && t.is_finite()) {
            return Err(Error::Gaussian {
                reason: format!("the parabolic flow was asked at t = {t}"),
                remedy: "ask at a finite t ≥ 0".into(),
            });
        }
        let (lower, rates) = (&flow.start.lower, &flow.problem().rates);
        let root: Vec<f64> = rates.iter().map(|m| ((t * m).tanh() / m).sqrt()).collect();
        let ones = vec![1.0; rates.len()];
        let weighted = scale(&root, lower.as_ref(), &ones);
        let sum = add_diagonal(gram(weighted.transpose()), |_| 1.0);
        let factor = cholesky("1 + LᵀNL", sum.as_ref())?;
        Ok(Self {
            damping: rates.iter().map(|m| 1.0 / (t * m).cosh()).collect(),
            half: solve_lower(factor.as_ref(), lower.transpose()),
            factor,
        })
    }

    /// `Ψ = S (1 + Z₀N)^{-1} = S L (RRᵀ)^{-1} L^{-1}`.
    fn transition(&self, flow: &ParabolicFlow<'_>) -> Mat<f64> {
        // its transpose is L^{-T} R^{-T} (R^{-1} Lᵀ)
        let inner = solve_upper(self.factor.as_ref(), self.half.as_ref());
        let transposed = solve_upper(flow.start.lower.as_ref(), inner.as_ref());
        let ones = vec![1.0; self.damping.len()];
        scale(&self.damping, transposed.transpose(), &ones)
    }
}
