//! What the theory says of mirror flows of functions (THEORY §10).

use super::super::MirrorFlow;
use super::verdicts::{Mirrors, decrease, one_over_t, order, some};
use crate::rule::Rule;
use crate::verdict::{Claim, Law};

const THEORY: &str = "mirror flow of functions (docs/euclidean.md)";
const NY: &str = "Nemirovski, Yudin 1983; Beck, Teboulle 2003";
const SCHEME: &str = "order of the scheme (docs/euclidean.md)";

/// Asked of values that are known otherwise, relative to the whole way.
const EXACT: f64 = 1e-10;

/// Asked of integrated identities, relative.
const IDENTITY: f64 = 1e-8;

/// Orders are those of the default stepper here: they follow from the scenario.
#[rustfmt::skip]
pub const CLAIMS: &[Rule<MirrorFlow>] = &[
    Claim::new("closed-form", "for F = x²/2 x_{t} is x_{0}e^{−t} with U = x²/2, √(x_{0}² − t/6) and then 0 with U = x⁴, (x_{0}^{−3} + 3t/2)^{−1/3} with U = 1/x", THEORY, "closed_form", Law::Below(EXACT)).by(|e, c| Mirrors::of(e)?.defects(c, "x_budget")).when(|e| some(e, "closed_form")),
    Claim::new("travel-time", "on the line the flow is at x_{t} after the time ∫U''/F' from there to x_{0}, by quadrature", THEORY, "time_defect", Law::Below(EXACT)).by(|e, c| Mirrors::of(e)?.defects(c, "time_budget")).when(|e| some(e, "time_defect")),
    Claim::new("coordinates", "x of ẋ = −(∇²U)^{−1}∇F is ∇U*(θ) of θ̇ = −∇F(∇U*(θ))", THEORY, "coordinate_difference", Law::Below(EXACT)).by(|e, c| Mirrors::of(e)?.defects(c, "coordinate_budget")),
    Claim::new("function-dissipation", "dF/dt = −∇F·(∇²U)^{−1}∇F, integrated between the instants, relative defect", THEORY, "dissipation_defect", Law::Below(IDENTITY)).by(|e, c| Mirrors::of(e)?.defects(c, "dissipation_budget")),
    Claim::new("bregman-identity", "d/dt D_{U}(x_{∞}, x_{t}) = −⟨∇F(x_{t}), x_{t} − x_{∞}⟩, integrated between the instants, relative defect", NY, "bregman_defect", Law::Below(IDENTITY)).by(|e, c| Mirrors::of(e)?.defects(c, "bregman_budget")),
    Claim::new("bregman-decrease", "for convex F D_{U}(x_{∞}, x_{t}) never increases, largest ratio of successive values", NY, "divergence", Law::Bounded).by(|e, c| Mirrors::of(e)?.ratios(c, |_, part| decrease(part))),
    Claim::new("one-over-t", "for convex F F(x_{t}) − F(x_{∞}) ≤ D_{U}(x_{∞}, x_{0})/t", NY, "t·gap/D_0", Law::Bounded).by(|e, c| Mirrors::of(e)?.ratios(c, one_over_t)),
    Claim::new("exponential-decay", "where ∇²U and ∇²F are positive at x_{∞}, |x_{t} − x_{∞}| ~ e^{−rt}, r the least root of det(∇²F − r∇²U) = 0", THEORY, "distance", Law::Within(0.01)).by(|e, c| Mirrors::of(e)?.exponential(c)).when(|e| some(e, "rate")),
    Claim::new("arrival-time", "where U''/F' is integrable at x_{∞}, the flow is there after its integral and rests", THEORY, "arrival", Law::Within(1e-6)).by(|e, c| Mirrors::of(e)?.arrival(c)).when(|e| some(e, "arrival_time")),
    Claim::new("algebraic-decay", "where U''/F' ~ |x − x_{∞}|^{a} with a < −1, |x_{t} − x_{∞}| ~ t^{1/(a+1)}", THEORY, "tail_distance", Law::Within(0.01)).by(|e, c| Mirrors::of(e)?.algebraic(c)).when(|e| some(e, "exponent")),
    Claim::new("theta-step-order", "the mirror coordinate θ has the order of its stepper in the step", SCHEME, "mirror_time_error", Law::Equals(5.0)).by(order).when(|e| !e.study.refinements.is_empty()),
    Claim::new("x-step-order", "the primal coordinate x has the order of its stepper in the step", SCHEME, "primal_time_error", Law::Equals(5.0)).by(order).when(|e| !e.study.refinements.is_empty()),
];
