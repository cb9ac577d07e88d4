//! The laws of the scaling limit, each as the literature or the expansion in powers of ε states it (THEORY §4).

use crate::record::{Record, RecordError};
use crate::verdict::{Claim, Law};

const B: &str = "Berman, arXiv 1712.03082";
const DKPS: &str = "Deb, Kim, Pal, Schiebinger, arXiv 2307.16421";
const D24: &str = "Deb, first-order corrections of the Sinkhorn scaling limit (talk)";
const EXPANSION: &str = "expansion in powers of ε (docs/scaling-limit.md)";

/// Upper bounds from the literature first, then the exact orders of the expansion.
#[rustfmt::skip]
pub const CLAIMS: &[Claim] = &[
    Claim::new("potential-bound", "sup|p^{ε} − p_{t}| = O(ε)", B, "potential", Law::AtLeast(1.0)),
    Claim::new("gradient-bound-half", "sup|∇p^{ε} − ∇p_{t}| = O(√ε)", B, "gradient", Law::AtLeast(0.5)),
    Claim::new("gradient-bound", "sup|∇p^{ε} − ∇p_{t}| = O(ε)", D24, "gradient", Law::AtLeast(1.0)),
    Claim::new("first-order-potential", "sup|p^{ε} − p_{t} − ε r_{t}| = O(ε²)", D24, "corrected", Law::AtLeast(2.0)),
    Claim::new("first-order-gradient", "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}| = O(ε)", D24, "profile", Law::AtLeast(1.0)),
    Claim::new("wasserstein-bound-half", "W_{2}(ρ^{ε}, ρ_{t}) = O(√ε)", DKPS, "wasserstein", Law::AtLeast(0.5)),
    Claim::new("wasserstein-bound", "W_{2}(ρ^{ε}, ρ_{t}) = O(ε)", D24, "wasserstein", Law::AtLeast(1.0)),
    Claim::new("kl-vanishes", "KL(ρ^{ε} | ρ_{t}) → 0", D24, "kl", Law::Vanishes),
    Claim::new("lot-vanishes", "LOT(ρ^{ε}, ρ_{t}) → 0", D24, "lot", Law::Vanishes),
    Claim::new("potential-order", "sup|p^{ε} − p_{t}| is of exact order 1", EXPANSION, "potential", Law::Equals(1.0)),
    Claim::new("gradient-order", "sup|∇p^{ε} − ∇p_{t}| is of exact order 1", EXPANSION, "gradient", Law::Equals(1.0)),
    Claim::new("first-order-potential-order", "sup|p^{ε} − p_{t} − ε r_{t}| is of exact order 2", EXPANSION, "corrected", Law::Equals(2.0)),
    Claim::new("first-order-gradient-order", "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}| is of exact order 1", EXPANSION, "profile", Law::Equals(1.0)),
    Claim::new("wasserstein-order", "W_{2}(ρ^{ε}, ρ_{t}) is of exact order 1", EXPANSION, "wasserstein", Law::Equals(1.0)),
    Claim::new("lot-order", "LOT(ρ^{ε}, ρ_{t}) is of exact order 1", EXPANSION, "lot", Law::Equals(1.0)),
    Claim::new("kl-order", "KL(ρ^{ε} | ρ_{t}) is of exact order 2", EXPANSION, "kl", Law::Equals(2.0)),
];

/// A leading term below this is zero up to the accuracy of the flow (1e-9 in p, its derivatives a little more).
const LEADING: f64 = 1e-6;

/// An exact order needs a leading term that is not zero: r_t for the potential, ∇r_t for the gradient, s_t for distances of marginals.
/// The reason when it vanishes on this scenario.
pub fn missing_leading_term(record: &Record, claim: &Claim) -> Result<Option<String>, RecordError> {
    let Law::Equals(_) = claim.law else {
        return Ok(None);
    };
    let r = record.values("r")?;
    let (low, high) = r
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), r| {
            (low.min(*r), high.max(*r))
        });
    let (term, size) = match claim.quantity {
        "potential" => ("r_t", high.abs().max(low.abs())),
        "gradient" => ("∇r_t", high - low),
        "wasserstein" | "lot" | "kl" => (
            "s_t = ∂_t r_t − ½∂_t log ρ_t",
            record.number("marginal_profile")?,
        ),
        _ => return Ok(None),
    };
    Ok((size <= LEADING).then(|| {
        format!("the leading term {term} vanishes on this scenario (sup {size:.1e}), so the order is higher")
    }))
}
