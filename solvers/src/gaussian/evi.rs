//! Every term of the evolution variational inequality of mirror descent (THEORY §7), in closed form.

use super::comparator::Comparator;
use super::iterate::Iterate;
use super::matrix::{product, sum_of_squares};

/// The terms of
///
/// ```text
/// explicit: KL(ρ_k|e^{-f})     − KL(π|e^{-f}) ≤ [B_g(π|ρ_k) − B_g(π|ρ_{k+1})]/η + (η/2m) ∫|ξ_k|² dπ_k − KL(π|ρ_k)
/// implicit: KL(ρ_{k+1}|e^{-f}) − KL(π|e^{-f}) ≤ [B_g(π|ρ_k) − B_g(π|ρ_{k+1})]/η                      − KL(π|ρ_{k+1}),
/// ```
///
/// `π = N(0, Π)`, `m = λ_min(∇²ψ_{k+1})`, `ξ_k(y) = (Q_kΣ^{-1}Q_k − Θ^{-1})y`, `π_k = (∇ψ_k^*)#π = N(0, P_kΠP_k)`.
///
/// *When they are equalities.* For quadratic potentials, every Π and η, exactly
///
/// ```text
/// explicit: … = … + (η/2) ∫ξ_k·(∇²ψ_{k+1})^{-1}ξ_k dπ_k         − KL(π|ρ_k)
/// implicit: … = … − (η/2) ∫ξ_{k+1}·(∇²ψ_k)^{-1}ξ_{k+1} dπ_{k+1} − KL(π|ρ_{k+1})
/// ```
///
/// since `ψ_{k+1}^*(∇ψ_k(y)) = y·∇ψ_k(y) − ψ_{k+1}(y) + ½η² ξ_k·Q_{k+1}^{-1}ξ_k` when ψ_{k+1} is quadratic, and likewise with k and k+1
/// exchanged. The explicit inequality is therefore an equality iff ξ_k maps into the eigenspace of the smallest eigenvalue of Q_{k+1}:
/// always for d = 1, or where Q_{k+1} is a multiple of 1, or at the end, where ξ = 0. Quadratic g alone does not suffice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evi {
    /// KL from e^{-f} of the iterate that the rule counts.
    pub iterate: f64,
    /// `KL(π|e^{-f})`.
    pub comparator: f64,
    /// `B_g(π|ρ_k)`.
    pub bregman: f64,
    /// `B_g(π|ρ_{k+1})`.
    pub next_bregman: f64,
    /// KL(π|ρ) of the iterate that the rule counts.
    pub separation: f64,
    /// `∫|ξ_k|² dπ_k` of an explicit step; 0 of an implicit one, whose inequality has no such term.
    pub gradient: f64,
    /// `∫ξ_k·(∇²ψ_{k+1})^{-1}ξ_k dπ_k ≤ gradient/convexity`, or that of the implicit identity.
    pub metric_gradient: f64,
    /// `m = λ_min(∇²ψ_{k+1})`.
    pub convexity: f64,
    /// η.
    pub eta: f64,
    pub(super) implicit: bool,
}

impl Evi {
    /// The terms of an explicit step of size `eta`.
    pub fn explicit(before: &Iterate<'_>, after: &Iterate<'_>, pi: &Comparator, eta: f64) -> Self {
        let (gradient, metric_gradient) = squares(before, after, pi);
        Self {
            gradient,
            metric_gradient,
            ..Self::common(before, (before, after), pi, eta)
        }
    }

    /// The terms of an implicit step of size `eta`.
    pub fn implicit(before: &Iterate<'_>, after: &Iterate<'_>, pi: &Comparator, eta: f64) -> Self {
        let (_, metric_gradient) = squares(after, before, pi);
        Self {
            metric_gradient,
            implicit: true,
            ..Self::common(after, (before, after), pi, eta)
        }
    }

    fn common(
        counted: &Iterate<'_>,
        (before, after): (&Iterate<'_>, &Iterate<'_>),
        pi: &Comparator,
        eta: f64,
    ) -> Self {
        Self {
            iterate: counted.relative_entropy,
            comparator: pi.relative_entropy,
            bregman: pi.bregman(before),
            next_bregman: pi.bregman(after),
            separation: pi.separation(counted),
            gradient: 0.0,
            metric_gradient: 0.0,
            convexity: after.least,
            eta,
            implicit: false,
        }
    }

    /// Right side less left side of the inequality: ≥ 0 up to rounding.
    pub fn slack(&self) -> f64 {
        self.without() + 0.5 * self.eta * self.gradient / self.convexity
    }

    /// Right side less left side of the identity: zero up to rounding.
    pub fn defect(&self) -> f64 {
        let sign = if self.implicit { -1.0 } else { 1.0 };
        self.without() + sign * 0.5 * self.eta * self.metric_gradient
    }

    /// Right side less left side, ξ apart.
    fn without(&self) -> f64 {
        (self.bregman - self.next_bregman) / self.eta
            - self.separation
            - (self.iterate - self.comparator)
    }
}

/// `∫|ξ|²dπ'` and `∫ξ·(∇²ψ)^{-1}ξ dπ'`: ξ and `π' = (∇ψ_at^*)#π` at `at`, ψ that of `metric`.
///
/// `ξ(y) = G^{-T} X G^{-1}y` and π' = N(0, GZW_π (GZW_π)ᵀ), so both are squares of `XZW_π`.
fn squares(at: &Iterate<'_>, metric: &Iterate<'_>, pi: &Comparator) -> (f64, f64) {
    let field = product(at.pulled.as_ref(), pi.w.as_ref());
    let plain = product(
        at.potential.problem.inverse_basis.transpose(),
        field.as_ref(),
    );
    let weighted = product(metric.potential.lower.transpose(), field.as_ref());
    (
        sum_of_squares(plain.as_ref()),
        sum_of_squares(weighted.as_ref()),
    )
}
