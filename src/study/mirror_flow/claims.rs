//! What the theory says of the mirror flow (THEORY §5).

use super::MirrorFlow;
use super::verdicts::{by_differences, has_differences, has_refinements, not_smooth};
use crate::rule::Rule;
use crate::verdict::{Claim, Law};

const DKPS: &str = "Deb, Kim, Pal, Schiebinger, arXiv 2307.16421";
const DL: &str = "Deb, Liang, arXiv 2504.09279";
const SCHEME: &str = "order of the scheme (docs/mirror-flow.md)";

/// Agreement asked of independent routes, by dimension: what practical grids give.
pub const AGREEMENT: [f64; 3] = [1e-7, 1e-5, 1e-5];

/// Relative accuracy asked of the identities.
const IDENTITY: f64 = 1e-5;

#[rustfmt::skip]
pub const DUAL_MIRROR: Claim = Claim::new("dual-mirror", "the conjugate flow ∂_{t}ψ gives the same ρ_{t}", DL, "dual_difference", Law::Below(AGREEMENT[0]));
#[rustfmt::skip]
pub const CONJUGACY: Claim = Claim::new("conjugacy", "u_{t} is the Legendre transform of ψ_{t}, constants included, sup|u_{t} − ψ_{t}*|", DL, "conjugate_difference", Law::Below(AGREEMENT[0]));
#[rustfmt::skip]
pub const DISSIPATION: Claim = Claim::new("dissipation", "dF/dt = −∫ρ ∇δF·A∇δF, integrated between the instants, relative defect", DKPS, "dissipation_defect", Law::Below(IDENTITY));
#[rustfmt::skip]
pub const LENGTH: Claim = Claim::new("length", "LOT(ρ_{0}, ρ_{T}) ≤ ∫‖v_{t}‖dt: no path is shorter than the distance of its ends", DKPS, "lot_distance/travelled", Law::Bounded);
#[rustfmt::skip]
pub const LOT_SPEED: Claim = Claim::new("lot-speed", "LOT(ρ_{t+h}, ρ_{t})/h → ‖v_{t}‖ in L²(ρ_{t}), relative defect", DKPS, "speed_defect", Law::Below(IDENTITY));

/// Laws of agreement are those of one dimension here; of order, those of the default stepper: both follow from the scenario.
#[rustfmt::skip]
pub const CLAIMS: &[Rule<MirrorFlow>] = &[
    Claim::new("primal-mirror", "the continuity equation with v = −A∇δF/δρ gives the ρ_{t} of the mirror coordinate, sup|ρ − ρ_{t}|/sup ρ_{t}", DKPS, "primal_difference", Law::Below(AGREEMENT[0])).by(|e, c| e.agreement(c, "primal_budget")).unless(by_differences),
    DUAL_MIRROR.by(|e, c| e.agreement(c, "dual_budget")).unless(by_differences),
    CONJUGACY.by(|e, c| e.agreement(c, "conjugate_budget")).unless(by_differences),
    Claim::new("mass", "∫ρ_{t} = 1 and ρ_{t} > 0 in the primal coordinate", DKPS, "mass_defect", Law::Below(1e-12)).by(|e, c| e.mass(c)).unless(not_smooth),
    DISSIPATION.by(|e, c| e.at_instants(c, "dissipation_budget")).unless(by_differences),
    LENGTH.by(|e, c| e.length(c)).unless(not_smooth),
    LOT_SPEED.by(|e, c| e.at_instants(c, "speed_budget")).unless(by_differences),
    Claim::new("mirror-time-order", "the mirror coordinate has the order of its stepper in the step", SCHEME, "mirror_time_error", Law::Equals(5.0)).by(|e, c| e.time_order(c)).when(has_refinements).unless(not_smooth),
    Claim::new("dual-time-order", "the dual coordinate has the order of its stepper in the step", SCHEME, "dual_time_error", Law::Equals(5.0)).by(|e, c| e.time_order(c)).when(has_refinements).unless(not_smooth),
    Claim::new("primal-time-order", "the primal coordinate has the order of its stepper in the step", SCHEME, "primal_time_error", Law::Equals(5.0)).by(|e, c| e.time_order(c)).when(has_refinements).unless(not_smooth),
    Claim::new("mirror-space-order", "the mirror coordinate has the order of its differences in h", SCHEME, "mirror_space_error", Law::Equals(2.0)).by(|e, c| e.space_order(c)).when(has_differences).unless(not_smooth),
    Claim::new("dual-space-order", "the dual coordinate has the order of its differences in h", SCHEME, "dual_space_error", Law::Equals(2.0)).by(|e, c| e.space_order(c)).when(has_differences).unless(not_smooth),
    Claim::new("primal-space-order", "the primal coordinate has the order of its differences in h", SCHEME, "primal_space_error", Law::Equals(2.0)).by(|e, c| e.space_order(c)).when(has_differences).unless(not_smooth),
];
