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

/// W₂ and LOT are at most sup|s_t|ε times the diameter to leading order, a sixth of it for one wave: what is larger is of higher order.
const SEEN: f64 = 1.0;

/// Whether the leading term of a distance of marginals is too small to be what was measured at the smallest ε; the reason.
pub fn hidden_leading_term(record: &Record, quantity: &str) -> Result<Option<String>, RecordError> {
    let s = record.number("marginal_profile")?;
    let (epsilons, values) = (record.values("epsilons")?, record.values(quantity)?);
    let (Some(epsilon), Some(value)) = (epsilons.last(), values.last()) else {
        return Ok(None);
    };
    let most = match quantity {
        "kl" => 0.5 * (SEEN * s * epsilon).powi(2),
        _ => SEEN * s * epsilon,
    };
    Ok((*value > most).then(|| {
        format!("the leading term s_t (sup {s:.1e}) makes at most {most:.1e} of the {value:.1e} at ε = {epsilon}: use smaller ε")
    }))
}

/// A measured constant this near to the predicted one is the asymptotic one.
const NEAR: f64 = 0.1;
/// One that is farther away and has come nearer by this part with the last ε is on its way.
const NEARER: f64 = 0.1;

/// Whether the first-order expansion is still on its way to hold, which the orders of what is measured against it then are too: p^ε − p_t over ε
/// against r_t in size, and for the profile what is left of ∇r_t. The reason.
pub fn not_asymptotic(record: &Record, quantity: &str) -> Result<Option<String>, RecordError> {
    let [low, high] = extremes(record.values("r")?);
    let epsilons = record.values("epsilons")?;
    let relative = |name: &str, limit: f64, size: &dyn Fn(f64) -> f64| {
        let each = record.values(name)?.iter().zip(epsilons);
        let off = each.map(|(value, &epsilon)| (value / size(epsilon) - limit).abs());
        Ok::<_, RecordError>(off.collect::<Vec<_>>())
    };
    let size = high.abs().max(low.abs());
    let mut all = vec![(
        "sup|p^{ε} − p_{t}|/ε against sup|r_{t}|",
        relative("potential", 1.0, &|e| e * size)?,
    )];
    if quantity == "profile" {
        // A periodic function that varies by so much has twice that as a slope.
        let slope = 2.0 * (high - low);
        all.push((
            "∇(p^{ε} − p_{t})/ε against ∇r_{t}",
            relative("profile", 0.0, &|_| slope)?,
        ));
    }
    if quantity == "corrected" {
        all.push((
            "sup|p^{ε} − p_{t} − ε r_{t}| against ε sup|r_{t}|",
            relative("corrected", 0.0, &|e| e * size)?,
        ));
    }
    let on_its_way = all.into_iter().find_map(|(what, off)| {
        let [.., before, last] = off[..] else {
            return None;
        };
        (last > NEAR && before - last > NEARER * last).then(|| {
            format!("pre-asymptotic: {what} is off by {last:.2} at the smallest ε and by {before:.2} at the one before; use smaller ε")
        })
    });
    Ok(on_its_way)
}

fn extremes(values: &[f64]) -> [f64; 2] {
    let start = [f64::INFINITY, f64::NEG_INFINITY];
    values
        .iter()
        .fold(start, |[low, high], v| [low.min(*v), high.max(*v)])
}

/// An exact order needs a leading term that is not zero: r_t for the potential, ∇r_t for the gradient, s_t for distances of marginals.
/// The reason when it vanishes on this scenario.
pub fn missing_leading_term(record: &Record, claim: &Claim) -> Result<Option<String>, RecordError> {
    let Law::Equals(_) = claim.law else {
        return Ok(None);
    };
    let [low, high] = extremes(record.values("r")?);
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
