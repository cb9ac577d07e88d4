//! What is expected of the samples and of the maps (docs/sampling.md).

use super::super::MirrorDescent;
use super::verdicts::Samples;
use crate::rule::Rule;
use crate::verdict::{Claim, Law};

const DL: &str = "Deb, Liang, arXiv 2504.09279";
const BRENIER: &str = "Brenier; McCann, Geom. Funct. Anal. 11 (2001)";
const NOT_OPTIMAL: &str = "Tanana, Commun. Contemp. Math. 23 (2021); Lavenant, Santambrogio, Appl. Math. Lett. 133 (2022)";
const HERE: &str = "docs/sampling.md";

/// Independent draws of the right law are refused with probability 10^{−3}: −log₁₀ of the least p-value,
const P_VALUE: f64 = 3.0;
/// the same point of a Gaussian, two-sided,
const STANDARD_ERRORS: f64 = 3.3;
/// and `√(2 log 10³)` of McDiarmid's inequality.
const SPREADS: f64 = 3.72;

/// Relative accuracy asked of the cost of a map that is optimal.
const SAME_COST: f64 = 1e-6;

#[rustfmt::skip]
pub const CLAIMS: &[Rule<MirrorDescent>] = &[
    Claim::new("sampler-law", "the points ∇ψ_{K}(Z), Z ~ e^{−g}, have the law ρ_{K} = (∇ψ_{K})#e^{−g}: Pearson's test of their histogram has a p-value of 10^{−3} or more", DL, "−log10 p, one map", Law::Below(P_VALUE)).by(|e, c| Samples::of(e).law(c, "one_map")),
    Claim::new("sampler-variation", "the total variation between their histogram and ρ_{K} exceeds its expectation for independent draws by at most √(2 log 10³) of its spread 1/2√N", HERE, "excess/spread, one map", Law::Below(SPREADS)).by(|e, c| Samples::of(e).variation(c)),
    Claim::new("sampler-kl", "their histogram is as far from e^{−f} as ρ_{K} is: its relative entropy less that of N draws from e^{−f} is KL(ρ_{K} | e^{−f}) in the bins, difference in standard errors", HERE, "difference/error, one map", Law::Below(STANDARD_ERRORS)).by(|e, c| Samples::of(e).relative_entropy(c, "one_map")),
    Claim::new("composition-law", "the same points carried by the one-step maps of Fokker–Planck have the law ρ_{t}, t = Ση_{k}: Pearson's test of their histogram has a p-value of 10^{−3} or more", HERE, "−log10 p, composition", Law::Below(P_VALUE)).by(|e, c| Samples::of(e).composed_law(c)),
    Claim::new("composition-kl", "their histogram is as far from e^{−f} as the law of the composition is, difference in standard errors", HERE, "difference/error, composition", Law::Below(STANDARD_ERRORS)).by(|e, c| Samples::of(e).relative_entropy(c, "composition")),
    Claim::new("one-map-cost", "∇ψ_{K} is the optimal map: its cost from e^{−g} is W_{2}²(e^{−g}, ρ_{K}), relative difference", BRENIER, "|cost − W2²|/W2², one map", Law::Below(SAME_COST)).by(|e, c| Samples::of(e).one_map_cost(c)),
    Claim::new("composition-cost", "Fokker–Planck's flow map, the limit of its one-step maps, costs more than W_{2}²(e^{−g}, ρ_{t}) where its displacement is not the gradient of a periodic function", NOT_OPTIMAL, "W2²/cost, composition", Law::Bounded).by(|e, c| Samples::of(e).composition_cost(c)),
    Claim::new("composition-optimal", "where its displacement is the gradient of a periodic function, as for even data on the circle, the flow map costs W_{2}²(e^{−g}, ρ_{t}), relative difference", BRENIER, "|cost − W2²|/W2², composition", Law::Below(SAME_COST)).by(|e, c| Samples::of(e).composition_optimal(c)),
    Claim::new("composition-remainder", "what is not a gradient in the displacement of the flow map, its mean and its rotation, is O(t³) and no less", HERE, "remainder", Law::Equals(3.0)).by(|e, c| Samples::of(e).remainder(c)),
];
