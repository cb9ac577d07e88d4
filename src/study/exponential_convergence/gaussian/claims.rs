//! What the theory says of convergence between centred Gaussians, beyond what it says anywhere (THEORY §9, docs/gaussian.md).

use super::super::ExponentialConvergence;
use super::verdicts::{
    asks_for_sinkhorn, closed_form, exact_rates, mode_rates, rate_order, winner,
};
use crate::rule::Rule;
use crate::verdict::{Claim, Law};

const TALK: &str =
    "Deb, talk on first-order corrections of the Sinkhorn scaling limit, examples 2 and 3";
const RICCATI: &str = "matrix Riccati equation (docs/gaussian.md)";

/// Six digits.
pub const SIX_DIGITS: f64 = 1e-6;

/// Relative accuracy asked of the closed forms.
pub const CLOSED: f64 = 1e-10;

#[rustfmt::skip]
pub const GAUSSIAN_CLAIMS: &[Rule<ExponentialConvergence>] = &[
    Claim::new("closed-form", "the covariance is that of the talk's example, relative defect", TALK, "closed_form_difference", Law::Below(CLOSED)).by(closed_form),
    Claim::new("fokker-planck-closed-form", "along Fokker–Planck the covariance is that of the talk's example, relative defect", TALK, "fokker_planck_closed_form_difference", Law::Below(CLOSED)).by(closed_form),
    Claim::new("mode-rate", "mode i of P_{t} − P_{∞} decays at 2m_{i}, for commuting eigenvalues 2/√(sθ)", TALK, "modes", Law::Within(SIX_DIGITS)).by(|e, c| mode_rates(e, c, "rates", "rounding")),
    Claim::new("fokker-planck-mode-rate", "mode i of the covariance decays to Σ at 2/s_{i} along Fokker–Planck", TALK, "fokker_planck_modes", Law::Within(SIX_DIGITS)).by(|e, c| mode_rates(e, c, "fokker_planck_rates", "fokker_planck_rounding")),
    Claim::new("faster-than-fokker-planck", "for commuting eigenvalues the mirror flow is faster than Fokker–Planck iff θ < s: rate of the predicted loser over that of the predicted winner", TALK, "slower/faster", Law::Bounded).by(winner),
    Claim::new("sinkhorn-exact-rate", "the slowest mode of Sinkhorn decays at 4asinh(εm_{1}/2)/ε", RICCATI, "sinkhorn_modes", Law::Within(SIX_DIGITS)).by(exact_rates).when(asks_for_sinkhorn),
    Claim::new("sinkhorn-rate-order", "the asymptotic rate of Sinkhorn differs from the flow's by exact order 2 in ε", RICCATI, "sinkhorn_modes", Law::Equals(2.0)).by(rate_order).when(asks_for_sinkhorn),
];
