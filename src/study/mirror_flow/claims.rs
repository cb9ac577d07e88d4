//! What the theory says of the mirror flow (THEORY §5).

use crate::verdict::{Claim, Law};

const DKPS: &str = "Deb, Kim, Pal, Schiebinger, arXiv 2307.16421";
const DL: &str = "Deb, Liang, arXiv 2504.09279";
const SCHEME: &str = "order of the scheme (docs/mirror-flow.md)";

/// Agreement asked of independent routes, by dimension: what practical grids give.
pub const AGREEMENT: [f64; 3] = [1e-7, 1e-5, 1e-5];

/// Relative accuracy asked of the identities.
const IDENTITY: f64 = 1e-5;

/// Laws of agreement are those of one dimension here; of order, those of the default stepper: both follow from the scenario.
#[rustfmt::skip]
pub const CLAIMS: &[Claim] = &[
    Claim::new("primal-mirror", "the continuity equation with v = −A∇δF/δρ gives the ρ_{t} of the mirror coordinate, sup|ρ − ρ_{t}|/sup ρ_{t}", DKPS, "primal_difference", Law::Below(AGREEMENT[0])),
    Claim::new("dual-mirror", "the conjugate flow ∂_{t}ψ gives the same ρ_{t}", DL, "dual_difference", Law::Below(AGREEMENT[0])),
    Claim::new("conjugacy", "u_{t} is the Legendre transform of ψ_{t}, constants included, sup|u_{t} − ψ_{t}*|", DL, "conjugate_difference", Law::Below(AGREEMENT[0])),
    Claim::new("mass", "∫ρ_{t} = 1 and ρ_{t} > 0 in the primal coordinate", DKPS, "mass_defect", Law::Below(1e-12)),
    Claim::new("dissipation", "dF/dt = −∫ρ ∇δF·A∇δF, integrated between the instants, relative defect", DKPS, "dissipation_defect", Law::Below(IDENTITY)),
    Claim::new("length", "LOT(ρ_{0}, ρ_{T}) ≤ ∫‖v_{t}‖dt: no path is shorter than the distance of its ends", DKPS, "lot_distance/travelled", Law::Bounded),
    Claim::new("lot-speed", "LOT(ρ_{t+h}, ρ_{t})/h → ‖v_{t}‖ in L²(ρ_{t}), relative defect", DKPS, "speed_defect", Law::Below(IDENTITY)),
    Claim::new("mirror-time-order", "the mirror coordinate has the order of its stepper in the step", SCHEME, "mirror_time_error", Law::Equals(5.0)),
    Claim::new("dual-time-order", "the dual coordinate has the order of its stepper in the step", SCHEME, "dual_time_error", Law::Equals(5.0)),
    Claim::new("primal-time-order", "the primal coordinate has the order of its stepper in the step", SCHEME, "primal_time_error", Law::Equals(5.0)),
    Claim::new("mirror-space-order", "the mirror coordinate has the order of its differences in h", SCHEME, "mirror_space_error", Law::Equals(2.0)),
    Claim::new("dual-space-order", "the dual coordinate has the order of its differences in h", SCHEME, "dual_space_error", Law::Equals(2.0)),
    Claim::new("primal-space-order", "the primal coordinate has the order of its differences in h", SCHEME, "primal_space_error", Law::Equals(2.0)),
];
