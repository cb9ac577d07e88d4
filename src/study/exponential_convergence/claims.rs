//! What the theory says of convergence (THEORY §6).

use crate::verdict::{Claim, Law};

const DKPS: &str = "Deb, Kim, Pal, Schiebinger, arXiv 2307.16421";
const B: &str = "Berman, arXiv 1712.03082";
const LINEAR: &str = "linearisation at u_∞ (docs/exponential-convergence.md)";
const LSI: &str =
    "logarithmic Sobolev inequality with the computed constant (docs/exponential-convergence.md)";

const fn claim(
    name: &'static str,
    statement: &'static str,
    reference: &'static str,
    quantity: &'static str,
    law: Law,
) -> Claim {
    Claim {
        name,
        statement,
        reference,
        quantity,
        law,
    }
}

/// An observed rate counts as its prediction within this fraction.
const RATE: f64 = 0.02;

#[rustfmt::skip]
pub const CLAIMS: &[Claim] = &[
    claim("exponential-bound", "KL(ρ_{t} | e^{−f}) ≤ e^{−2κλt} KL(ρ_{0} | e^{−f}) at every t", DKPS, "kl/bound", Law::Bounded),
    claim("log-sobolev", "KL(ρ_{t} | e^{−f}) ≤ I(ρ_{t} | e^{−f})/2κ at every t", LSI, "2κ·kl/fisher", Law::Bounded),
    claim("decreasing", "KL(ρ_{t} | e^{−f}) decreases", DKPS, "kl_j/kl_{j−1}", Law::Bounded),
    claim("sharp-rate", "KL(ρ_{t} | e^{−f}) decays at the rate 2·gap of −L_{u}, u = u_{∞}", LINEAR, "kl", Law::Within(RATE)),
    claim("potential-rate", "|∇u_{t} − ∇u_{∞}| decays at the rate gap", B, "gradient", Law::Within(RATE)),
    claim("wasserstein-rate", "W_{2}(ρ_{t}, e^{−f}) decays at the rate gap", LINEAR, "wasserstein", Law::Within(RATE)),
    claim("fokker-planck-rate", "KL along Fokker–Planck decays at twice its own spectral gap", LINEAR, "fokker_planck_kl", Law::Within(RATE)),
    claim("rate-ratio", "mirror flow and Fokker–Planck: the ratio of their rates is that of their spectral gaps", LINEAR, "kl", Law::Within(2.0 * RATE)),
    claim("sinkhorn-rate", "Sinkhorn's mean rate of decay differs from the flow's by O(ε)", LINEAR, "sinkhorn_rate", Law::AtLeast(1.0)),
    claim("objective-rate", "KL along the mirror flow of a divergence that agrees with KL to second order decays at 2·gap", LINEAR, "others_kl", Law::Within(RATE)),
];
