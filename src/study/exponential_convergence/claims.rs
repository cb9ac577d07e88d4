//! What the theory says of convergence (THEORY §6).

use super::ExponentialConvergence;
use super::sinkhorn::{sinkhorn, sinkhorn_rates};
use super::verdicts::{
    GAP, PLAIN_GAP, decreasing, exponential_bound, log_sobolev, objective, rate, ratio_of_rates,
};
use crate::rule::Rule;
use crate::study::hypothesis;
use crate::verdict::{Claim, Law};

const DKPS: &str = "Deb, Kim, Pal, Schiebinger, arXiv 2307.16421";
const B: &str = "Berman, arXiv 1712.03082";
const LINEAR: &str = "linearisation at u_∞ (docs/exponential-convergence.md)";
const LSI: &str =
    "logarithmic Sobolev inequality with the computed constant (docs/exponential-convergence.md)";

/// An observed rate counts as its prediction within this fraction.
const RATE: f64 = 0.02;

/// On the torus and between Gaussians.
#[rustfmt::skip]
pub const SHARED: &[Rule<ExponentialConvergence>] = &[
    Claim::new("exponential-bound", "KL(ρ_{t} | e^{−f}) ≤ e^{−2κλt} KL(ρ_{0} | e^{−f}) at every t", DKPS, "kl/bound", Law::Bounded).by(exponential_bound).unless(|e| hypothesis::failed(e.record)),
    Claim::new("log-sobolev", "KL(ρ_{t} | e^{−f}) ≤ I(ρ_{t} | e^{−f})/2κ at every t", LSI, "2κ·kl/fisher", Law::Bounded).by(log_sobolev).unless(|e| hypothesis::failed(e.record)),
    Claim::new("decreasing", "KL(ρ_{t} | e^{−f}) decreases", DKPS, "kl_j/kl_{j−1}", Law::Bounded).by(decreasing).unless(|e| hypothesis::failed(e.record)),
    Claim::new("sharp-rate", "KL(ρ_{t} | e^{−f}) decays at the rate 2·gap of −L_{u}, u = u_{∞}", LINEAR, "kl", Law::Within(RATE)).by(|e, c| rate(e, c, "kl", ("2·gap", 2.0), &GAP)).unless(|e| hypothesis::failed(e.record)),
    Claim::new("potential-rate", "|∇u_{t} − ∇u_{∞}| decays at the rate gap", B, "gradient", Law::Within(RATE)).by(|e, c| rate(e, c, "gradient", ("gap", 1.0), &GAP)).unless(|e| hypothesis::failed(e.record)),
    Claim::new("wasserstein-rate", "W_{2}(ρ_{t}, e^{−f}) decays at the rate gap", LINEAR, "wasserstein", Law::Within(RATE)).by(|e, c| rate(e, c, "wasserstein", ("gap", 1.0), &GAP)).unless(|e| hypothesis::failed(e.record)),
    Claim::new("fokker-planck-rate", "KL along Fokker–Planck decays at twice its own spectral gap", LINEAR, "fokker_planck_kl", Law::Within(RATE)).by(|e, c| rate(e, c, "fokker_planck_kl", ("2·gap", 2.0), &PLAIN_GAP)).unless(|e| hypothesis::failed(e.record)),
    Claim::new("rate-ratio", "mirror flow and Fokker–Planck: the ratio of their rates is that of their spectral gaps", LINEAR, "kl", Law::Within(RATE)).by(ratio_of_rates).unless(|e| hypothesis::failed(e.record)),
    Claim::new("sinkhorn-rate", "Sinkhorn's mean rate of decay differs from the flow's by O(ε)", LINEAR, "sinkhorn_rate", Law::AtLeast(1.0)).by(sinkhorn).when(|e| !e.study.epsilons.is_empty()).unless(|e| hypothesis::failed(e.record)),
];

/// On the torus alone.
#[rustfmt::skip]
pub const TORUS: &[Rule<ExponentialConvergence>] = &[
    Claim::new("sinkhorn-rate-order", "the asymptotic rate −2 log λ_{2}/ε of Sinkhorn differs from 2·gap by exact order 2 in ε", LINEAR, "sinkhorn_rates", Law::Equals(2.0)).by(sinkhorn_rates).when(|e| !e.study.epsilons.is_empty()).unless(|e| hypothesis::failed(e.record)),
    Claim::new("objective-rate", "KL along the mirror flow of a divergence that agrees with KL to second order decays at 2·gap", LINEAR, "others_kl", Law::Within(RATE)).by(objective).of_runs().unless(|e| hypothesis::failed(e.record)),
];
