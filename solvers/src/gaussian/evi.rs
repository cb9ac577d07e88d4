//! Every term of the evolution variational inequality of mirror descent (THEORY §7), in closed form.

use super::descent::MirrorDescent;
use super::divergence::relative_entropy;
use super::matrix::{cholesky, product, solve_lower, sum_of_squares};
use crate::error::Result;
use crate::spectrum::dense::symmetric_eigen;
use faer::Mat;

/// The terms of
///
/// ```text
/// KL(ρ_k|e^{-f}) − KL(π|e^{-f}) ≤ [B_g(π|ρ_k) − B_g(π|ρ_{k+1})]/η + (η/2m) ∫|ξ_k|² dπ_k − KL(π|ρ_k),
/// ```
///
/// `π = N(0, Π)`, `m = λ_min(∇²ψ_{k+1})`, `ξ_k(y) = Ξy`, `Ξ = Q_kΣ^{-1}Q_k − Θ^{-1}`, `π_k = (∇ψ_k^*)#π = N(0, PΠP)`.
///
/// *When it is an equality.* For f, g and ψ_k quadratic, for every Π and η,
///
/// ```text
/// KL(ρ_k|e^{-f}) − KL(π|e^{-f}) = [B_g(π|ρ_k) − B_g(π|ρ_{k+1})]/η + (η/2) ∫ξ_k·(∇²ψ_{k+1})^{-1}ξ_k dπ_k − KL(π|ρ_k)
/// ```
///
/// since `ψ_{k+1}^*(∇ψ_k(y)) = y·∇ψ_k(y) − ψ_{k+1}(y) + ½η² ξ·Q_{k+1}^{-1}ξ` when ψ_{k+1} is quadratic; strong convexity enters the
/// inequality only there. The inequality itself is therefore an equality iff Ξ maps into the eigenspace of the smallest
/// eigenvalue of Q_{k+1}: always for d = 1, or where Q_{k+1} is a multiple of 1 (isotropic Σ, Θ and Q₀), or at the end, Ξ = 0.
/// Quadratic g alone does not suffice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evi {
    /// `KL(ρ_k|e^{-f})`.
    pub iterate: f64,
    /// `KL(π|e^{-f})`.
    pub comparator: f64,
    /// `B_g(π|ρ_k)`.
    pub bregman: f64,
    /// `B_g(π|ρ_{k+1})`.
    pub next_bregman: f64,
    /// `KL(π|ρ_k)`.
    pub separation: f64,
    /// `∫|ξ_k|² dπ_k`.
    pub gradient: f64,
    /// `∫ξ_k·(∇²ψ_{k+1})^{-1}ξ_k dπ_k ≤ gradient/convexity`.
    pub metric_gradient: f64,
    /// `m = λ_min(∇²ψ_{k+1})`.
    pub convexity: f64,
    /// η.
    pub eta: f64,
}

impl Evi {
    /// Right side less left side of the inequality: ≥ 0 up to rounding.
    pub fn slack(&self) -> f64 {
        self.defect() + 0.5 * self.eta * (self.gradient / self.convexity - self.metric_gradient)
    }

    /// Right side less left side of the identity: zero up to rounding.
    pub fn defect(&self) -> f64 {
        (self.bregman - self.next_bregman) / self.eta + 0.5 * self.eta * self.metric_gradient
            - self.separation
            - (self.iterate - self.comparator)
    }
}

/// The terms for the step of size `eta` that `descent` would take next, against `π = N(0, comparator)`.
///
/// # Errors
/// [`crate::Error::Gaussian`] where `comparator` (d × d) is not a covariance or the step loses convexity.
pub fn evi(descent: &MirrorDescent<'_>, comparator: &Mat<f64>, eta: f64) -> Result<Evi> {
    let mut next = descent.clone();
    next.step(eta)?;
    let (now, after) = (descent.potential()?, next.potential()?);
    let problem = now.problem;
    let pi = problem.validated("the comparator Π", comparator)?;
    // π_k = N(0, FFᵀ), F = P L_Π
    let root = cholesky("the comparator Π", pi.as_ref())?;
    let pulled = product(now.matrix().as_ref(), root.as_ref());
    let xi = product(descent.gradient().as_ref(), pulled.as_ref());
    let dual = next.dual();
    let lower = cholesky("the dual potential", dual.as_ref())?;
    Ok(Evi {
        iterate: now.relative_entropy()?,
        comparator: relative_entropy(&pi, problem.sigma())?,
        bregman: now.bregman(&pi)?,
        next_bregman: after.bregman(&pi)?,
        separation: relative_entropy(&pi, &now.covariance())?,
        gradient: sum_of_squares(xi.as_ref()),
        metric_gradient: sum_of_squares(solve_lower(lower.as_ref(), xi.as_ref()).as_ref()),
        convexity: symmetric_eigen(dual.as_ref())?.0[0],
        eta,
    })
}
