//! What the theory says of the mirror flow between centred Gaussians, beyond what it says anywhere (THEORY §9, docs/gaussian.md).

use super::super::MirrorFlow;
use super::super::claims::{CONJUGACY, DISSIPATION, DUAL_MIRROR, LENGTH, LOT_SPEED};
use super::verdicts::{closed_form, length};
use crate::rule::Rule;
use crate::verdict::{Claim, Law};

const TALK: &str =
    "Deb, talk on first-order corrections of the Sinkhorn scaling limit, examples 1 to 3";
const RICCATI: &str = "matrix Riccati equation (docs/gaussian.md)";

/// Relative accuracy asked of closed forms against the examples.
const CLOSED: f64 = 1e-10;
/// The same against steps in time, which are asked for 1e-11 each.
pub const STEPS: f64 = 1e-9;
/// The same of the identities, which take a quadrature or an extrapolated difference quotient.
pub const IDENTITY: f64 = 1e-8;

/// The claims of the torus that are made here, with the accuracy that closed forms allow, and those of closed forms.
#[rustfmt::skip]
pub const GAUSSIAN_CLAIMS: &[Rule<MirrorFlow>] = &[
    DUAL_MIRROR.with_law(Law::Below(STEPS)).by(|e, c| e.at_instants(c, "dual_budget")),
    CONJUGACY.with_law(Law::Below(STEPS)).by(|e, c| e.at_instants(c, "conjugate_budget")),
    DISSIPATION.with_law(Law::Below(IDENTITY)).by(|e, c| e.at_instants(c, "dissipation_budget")),
    LENGTH.by(length),
    LOT_SPEED.with_law(Law::Below(IDENTITY)).by(|e, c| e.at_instants(c, "speed_budget")),
    Claim::new("closed-form", "the covariance is that of the talk's example, relative defect", TALK, "closed_form_difference", Law::Below(CLOSED)).by(closed_form),
    Claim::new("gradient-flow-closed-form", "the covariance along the Wasserstein gradient flow of the same objective is that of the talk's example, relative defect", TALK, "gradient_flow_closed_form_difference", Law::Below(CLOSED)).by(closed_form),
    Claim::new("riccati", "P_{t} in closed form is the solution of its Riccati equation by steps in time, relative defect", RICCATI, "riccati_difference", Law::Below(STEPS)).by(|e, c| e.at_instants(c, "riccati_budget")),
];
