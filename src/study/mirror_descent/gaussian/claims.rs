//! What the theory says of mirror descent between centred Gaussians, beyond what it says anywhere (docs/mirror-descent-gaussian.md).

use super::super::MirrorDescent;
use super::super::verdicts::{
    STEPS, STEPS_AND_BAND, has_limit, is_descent, is_explicit, is_implicit,
};
use super::verdicts::{equality, strong_convexity};
use crate::rule::Rule;
use crate::verdict::{Claim, Law};

const HERE: &str = "docs/mirror-descent-gaussian.md";
const DL: &str = "Deb, Liang, arXiv 2504.09279";
const SCALING: &str = "Deb, Kim, Pal, Schiebinger, Sinkhorn's scaling limit, between Gaussians";

/// Relative accuracy asked of the identity.
const IDENTITY: f64 = 1e-12;

#[rustfmt::skip]
pub const GAUSSIAN_CLAIMS: &[Rule<MirrorDescent>] = &[
    Claim::new("evi-equality", "explicit step between Gaussians: KL(ρ_{k} | e^{−f}) − KL(π | e^{−f}) = [B_{g}(π | ρ_{k}) − B_{g}(π | ρ_{k+1})]/η_{k} + (η_{k}/2)∫ξ_{k}·(∇²ψ_{k+1})^{−1}ξ_{k}dπ_{k} − KL(π | ρ_{k}) for every π at every step; defect relative to the terms", HERE, "metric_square", Law::Below(IDENTITY)).by(|e, c| e.moving(c, equality)).of_runs().when(is_explicit),
    Claim::new("implicit-evi-equality", "implicit step between Gaussians: KL(ρ_{k+1} | e^{−f}) − KL(π | e^{−f}) = [B_{g}(π | ρ_{k}) − B_{g}(π | ρ_{k+1})]/η_{k} − (η_{k}/2)∫ξ_{k+1}·(∇²ψ_{k})^{−1}ξ_{k+1}dπ_{k+1} − KL(π | ρ_{k+1}) for every π at every step; defect relative to the terms", HERE, "metric_square", Law::Below(IDENTITY)).by(|e, c| e.moving(c, equality)).of_runs().when(is_implicit),
    Claim::new("relative-strong-convexity", "g λ-strongly convex, ∇²ψ_{k} ≤ M: KL(e^{−f} | ρ_{k}) ≥ (λ/M) B_{g}(e^{−f} | ρ_{k}) at every step", DL, "(λ/M)B/KL", Law::Bounded).by(|e, c| e.moving(c, strong_convexity)).of_runs().when(is_descent),
    Claim::new("sinkhorn-order", "Sinkhorn with ε = η to a fixed time: the Brenier potential of its marginal approaches the flow, sup|ψ_{k} − ψ_{t}| = O(ε)", SCALING, "limit_sinkhorn", Law::Equals(1.0)).by(|e, c| e.order(c, STEPS)).when(has_limit),
    Claim::new("sinkhorn-conjugate-order", "Sinkhorn with ε = η to a fixed time: its potential approaches the parabolic Monge–Ampère flow, sup|u_{k} − u_{t}| = O(ε)", SCALING, "limit_sinkhorn_conjugate", Law::Equals(1.0)).by(|e, c| e.order(c, STEPS_AND_BAND)).when(has_limit),
];
