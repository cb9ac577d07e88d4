//! What the theory says of mirror descent (THEORY §7), as derived in docs/mirror-descent.md.

use super::MirrorDescent;
use super::verdicts::{
    STEPS, STEPS_AND_BAND, evi, has_limit, is_descent, is_explicit, is_harmonic, is_implicit,
    is_log_over_t, regret_bound,
};
use crate::rule::{Evidence, Rule};
use crate::verdict::{Claim, Law};

const DL: &str = "Deb, Liang, arXiv 2504.09279";
const DL_41: &str = "Deb, Liang, arXiv 2504.09279, Theorem 4.1";
const DL_43: &str = "Deb, Liang, arXiv 2504.09279, Theorem 4.3";
const DL_44: &str = "Deb, Liang, arXiv 2504.09279, Theorem 4.4";
const HERE: &str = "docs/mirror-descent.md";
const SCHEME: &str = "order of the scheme (docs/mirror-descent.md)";

/// A violation of an inequality counts from this part of its terms on: theirs are the last digits.
const DIGITS: f64 = 1e-9;

/// Relative accuracy asked of the flow's identity.
const IDENTITY: f64 = 1e-5;

#[rustfmt::skip]
pub const CLAIMS: &[Rule<MirrorDescent>] = &[
    Claim::new("flow-identity", "along the flow B_{g}(e^{−f} | ρ_{t}) falls by ∫[KL(ρ_{t} | e^{−f}) + KL(e^{−f} | ρ_{t})]dt, relative defect", DL, "flow_fallen", Law::Below(IDENTITY)).by(|e, c| e.flow_identity(c)),
    Claim::new("flow-bound", "flow: ∫_{0}^{t} KL(ρ_{s} | e^{−f})ds/t ≤ B_{g}(e^{−f} | ρ_{0})/t at every t", DL, "flow_spent/B_0", Law::Bounded).by(|e, c| e.flow_bound(c)),
    Claim::new("evi", "explicit step: KL(ρ_{k} | e^{−f}) − KL(π | e^{−f}) ≤ [B_{g}(π | ρ_{k}) − B_{g}(π | ρ_{k+1})]/η_{k} + (η_{k}/2m_{k+1})∫|ξ_{k}|²dπ_{k} − KL(π | ρ_{k}) for every π at every step; violation relative to the terms", DL, "violation", Law::Below(DIGITS)).by(evi).of_runs().when(is_explicit),
    Claim::new("implicit-evi", "implicit step: KL(ρ_{k+1} | e^{−f}) − KL(π | e^{−f}) ≤ [B_{g}(π | ρ_{k}) − B_{g}(π | ρ_{k+1})]/η_{k} − KL(π | ρ_{k+1}) for every π at every step; violation relative to the terms", HERE, "violation", Law::Below(DIGITS)).by(evi).of_runs().when(is_implicit),
    Claim::new("bregman", "B_{g} ≥ 0, and the Legendre transforms of its definition give the same; largest defect over B_{g}(e^{−f} | ρ_{0})", DL, "bregman", Law::Below(DIGITS)).by(|e, c| e.moving(c, Evidence::bregman)).of_runs().when(is_descent),
    Claim::new("regret-bound", "explicit steps: Ση_{k}[KL(ρ_{k} | e^{−f}) + KL(e^{−f} | ρ_{k})] + B_{T} ≤ B_{0} + Σ(η_{k}²/2m_{k+1})G_{k}² at every T", HERE, "spent/bound", Law::Bounded).by(regret_bound).of_runs().when(is_explicit),
    Claim::new("average-bound", "explicit steps: Ση_{k}KL(ρ_{k} | e^{−f})/Ση_{k} ≤ [B_{0} + Σ(η_{k}²/2m_{k+1})G_{k}²]/Ση_{k} at every T, which is B_{0}/ηT + ηG²/2m for a constant step", DL_41, "average/bound", Law::Bounded).by(|e, c| e.moving(c, Evidence::average_bound)).of_runs().when(is_explicit),
    Claim::new("average-iterate", "KL(Ση_{k}ρ_{k}/Ση_{k} | e^{−f}) ≤ Ση_{k}KL(ρ_{k} | e^{−f})/Ση_{k} at every T", DL_41, "average_kl/average", Law::Bounded).by(|e, c| e.moving(c, Evidence::average_iterate)).of_runs(),
    Claim::new("implicit-bound", "implicit steps: Ση_{k}[KL(ρ_{k+1} | e^{−f}) + KL(e^{−f} | ρ_{k+1})] + B_{T} ≤ B_{0} at every T", HERE, "spent/bound", Law::Bounded).by(regret_bound).of_runs().when(is_implicit),
    Claim::new("implicit-decreasing", "implicit steps: KL(ρ_{k} | e^{−f}) never rises, but for half the square of what the band limit leaves out of h∘∇ψ", HERE, "kl_{k+1}/bound", Law::Bounded).by(|e, c| e.moving(c, Evidence::implicit_decreasing)).of_runs().when(is_implicit),
    Claim::new("log-regret", "η_{k} = C/(k+1), g λ-strongly convex, ∇²ψ_{k} ≤ M, C ≥ M/λ: Σ_{k<T} KL(ρ_{k} | e^{−f}) ≤ (C/2) sup(G²/m)(1 + log T)", DL_43, "regret/bound", Law::Bounded).by(|e, c| e.strongly_convex(c, Evidence::log_regret)).of_runs().when(is_harmonic),
    Claim::new("log-last-iterate", "under the same hypotheses B_{T} ≤ (C²/2) sup(G²/m)(1 + log T)/T, and KL(ρ_{T−1} | e^{−f}) ≤ regret/T where KL does not rise", DL_44, "last/bound", Law::Bounded).by(|e, c| e.strongly_convex(c, Evidence::log_last_iterate)).of_runs().when(is_harmonic),
    Claim::new("log-over-t", "η = C log T/T, g λ-strongly convex, ∇²ψ_{k} ≤ M, C ≥ M/λ: B_{T} ≤ B_{0}/T + (M/2λ) C log T sup(G²/m)/T", DL, "bregman/bound", Law::Bounded).by(|e, c| e.strongly_convex(c, Evidence::log_over_t)).of_runs().when(is_log_over_t),
    Claim::new("explicit-order", "explicit steps to a fixed time approach the flow: sup|ψ_{k} − ψ_{t}| = O(η)", SCHEME, "limit_explicit", Law::Equals(1.0)).by(|e, c| e.order(c, STEPS)).when(has_limit),
    Claim::new("implicit-order", "implicit steps to a fixed time approach the flow: sup|ψ_{k} − ψ_{t}| = O(η)", SCHEME, "limit_implicit", Law::Equals(1.0)).by(|e, c| e.order(c, STEPS)).when(has_limit),
    Claim::new("explicit-conjugate-order", "explicit steps approach the parabolic Monge–Ampère flow: sup|ψ_{k}* − u_{t}| = O(η)", SCHEME, "limit_explicit_conjugate", Law::Equals(1.0)).by(|e, c| e.order(c, STEPS_AND_BAND)).when(has_limit),
    Claim::new("implicit-conjugate-order", "implicit steps approach the parabolic Monge–Ampère flow: sup|ψ_{k}* − u_{t}| = O(η)", SCHEME, "limit_implicit_conjugate", Law::Equals(1.0)).by(|e, c| e.order(c, STEPS_AND_BAND)).when(has_limit),
];
