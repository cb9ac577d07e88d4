//! What the theory says of mirror descent of functions (THEORY §10).

use super::super::MirrorDescent;
use super::verdicts::{
    growth, is_implicit, not_convex, order, ratios, regret, regret_fails, three_point,
};
use crate::rule::Rule;
use crate::verdict::{Claim, Law};

const NY: &str = "Nemirovski, Yudin 1983; Beck, Teboulle 2003";
const CT: &str = "Chen, Teboulle 1993";
const THEORY: &str = "mirror flow of functions (docs/euclidean.md)";

#[rustfmt::skip]
pub const CLAIMS: &[Rule<MirrorDescent>] = &[
    Claim::new("three-point", "D_{U}(x_{∞}, x_{k+1}) − D_{U}(x_{∞}, x_{k}) = D_{U}(x_{k}, x_{k+1}) − η⟨∇F(x_{k}), x_{k} − x_{∞}⟩ for explicit steps, and −D_{U}(x_{k+1}, x_{k}) with ∇F(x_{k+1}) for implicit ones; relative defect", NY, "three_point_defect", Law::Below(1e-10)).by(three_point),
    Claim::new("function-regret", "for convex F Ση_{k}(F(x_{k}) − F(x_{∞})) ≤ D_{U}(x_{∞}, x_{0}) + Ση_{k}²|∇F(x_{k})|²/2μ for explicit steps, ∇²U ≥ μ; without the last sum for implicit ones", NY, "regret", Law::Bounded).by(|e, c| ratios(e, c, |_| true, regret_fails, regret)),
    Claim::new("implicit-decrease", "an implicit step never increases a convex F, whatever its length, largest ratio of successive F(x_{k}) − F(x_{∞})", CT, "gap", Law::Bounded).by(|e, c| ratios(e, c, is_implicit, not_convex, growth)).when(|e| e.study.runs.iter().any(is_implicit)),
    Claim::new("explicit-step-order", "explicit mirror descent is at the flow up to O(η)", THEORY, "explicit_error", Law::Equals(1.0)).by(order).when(|e| e.study.limit.is_some()),
    Claim::new("implicit-step-order", "implicit mirror descent is at the flow up to O(η)", THEORY, "implicit_error", Law::Equals(1.0)).by(order).when(|e| e.study.limit.is_some()),
    Claim::new("natural-step-order", "natural gradient descent, x_{k+1} = x_{k} − η(∇²U)^{−1}∇F(x_{k}), is at the flow up to O(η)", THEORY, "natural_error", Law::Equals(1.0)).by(order).when(|e| e.study.limit.is_some()),
];
