//! The laws of the scaling limit, each as the literature or the expansion in powers of ε states it (THEORY §4).

use super::{ScalingLimit, points};
use crate::record::{Record, RecordError};
use crate::rule::{Evidence, Judged, Reason, Rule};
use crate::study::hypothesis;
use crate::verdict::{Claim, Law, Status};

const B: &str = "Berman, arXiv 1712.03082";
const DKPS: &str = "Deb, Kim, Pal, Schiebinger, arXiv 2307.16421";
const D24: &str = "Deb, first-order corrections of the Sinkhorn scaling limit (talk)";
const EXPANSION: &str = "expansion in powers of ε (docs/scaling-limit.md)";

/// Leading terms that an exact order needs, each with the reason when it vanishes: r_t, ∇r_t, s_t.
struct Leading {
    potential: Leads,
    gradient: Leads,
    marginal: Leads,
}

type Leads = fn(&Evidence<ScalingLimit>) -> Reason;

/// On the torus.
pub const TORUS: &[Rule<ScalingLimit>] = &rules(Leading {
    potential: |e| {
        smooth(e, "r_t", |record| {
            let [low, high] = extremes(record.values("r")?);
            Ok(high.abs().max(low.abs()))
        })
    },
    gradient: |e| {
        smooth(e, "∇r_t", |record| {
            let [low, high] = extremes(record.values("r")?);
            Ok(high - low)
        })
    },
    marginal: |e| {
        smooth(e, "s_t = ∂_t r_t − ½∂_t log ρ_t", |record| {
            record.number("marginal_profile")
        })
    },
});

/// Between Gaussians: R_t beside P_t, and S_t.
pub const GAUSSIAN: &[Rule<ScalingLimit>] = &rules(Leading {
    potential: relative_profile,
    gradient: relative_profile,
    marginal: |e| {
        let size = e.record.number("marginal_profile")?;
        Ok(vanishes("S_t", size, LEADING_DIGITS))
    },
});

fn relative_profile(e: &Evidence<ScalingLimit>) -> Reason {
    let largest = |name: &str| {
        let [low, high] = extremes(e.record.values(name)?);
        Ok::<_, RecordError>(high.abs().max(low.abs()))
    };
    let size = largest("r")? / largest("p")?;
    Ok(vanishes("R_t", size, LEADING_DIGITS))
}

/// Upper bounds from the literature first, then the exact orders of the expansion.
#[rustfmt::skip]
const fn rules(leading: Leading) -> [Rule<ScalingLimit>; 16] {
    [
        Claim::new("potential-bound", "sup|p^{ε} − p_{t}| = O(ε)", B, "potential", Law::AtLeast(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(rough),
        Claim::new("gradient-bound-half", "sup|∇p^{ε} − ∇p_{t}| = O(√ε)", B, "gradient", Law::AtLeast(0.5)).by(|e, c| order(e, c, potential_on_its_way)).unless(rough),
        Claim::new("gradient-bound", "sup|∇p^{ε} − ∇p_{t}| = O(ε)", D24, "gradient", Law::AtLeast(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(rough),
        Claim::new("first-order-potential", "sup|p^{ε} − p_{t} − ε r_{t}| = O(ε²)", D24, "corrected", Law::AtLeast(2.0)).by(|e, c| order(e, c, corrected_on_its_way)).unless(rough),
        Claim::new("first-order-gradient", "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}| = O(ε)", D24, "profile", Law::AtLeast(1.0)).by(|e, c| order(e, c, profile_on_its_way)).unless(rough),
        Claim::new("wasserstein-bound-half", "W_{2}(ρ^{ε}, ρ_{t}) = O(√ε)", DKPS, "wasserstein", Law::AtLeast(0.5)).by(|e, c| order(e, c, potential_on_its_way)).unless(rough),
        Claim::new("wasserstein-bound", "W_{2}(ρ^{ε}, ρ_{t}) = O(ε)", D24, "wasserstein", Law::AtLeast(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(rough),
        Claim::new("kl-vanishes", "KL(ρ^{ε} | ρ_{t}) → 0", D24, "kl", Law::Vanishes).by(|e, c| order(e, c, potential_on_its_way)).unless(rough),
        Claim::new("lot-vanishes", "LOT(ρ^{ε}, ρ_{t}) → 0", D24, "lot", Law::Vanishes).by(|e, c| order(e, c, potential_on_its_way)).unless(rough),
        Claim::new("potential-order", "sup|p^{ε} − p_{t}| is of exact order 1", EXPANSION, "potential", Law::Equals(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(leading.potential),
        Claim::new("gradient-order", "sup|∇p^{ε} − ∇p_{t}| is of exact order 1", EXPANSION, "gradient", Law::Equals(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(leading.gradient),
        Claim::new("first-order-potential-order", "sup|p^{ε} − p_{t} − ε r_{t}| is of exact order 2", EXPANSION, "corrected", Law::Equals(2.0)).by(|e, c| order(e, c, corrected_on_its_way)).unless(rough),
        Claim::new("first-order-gradient-order", "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}| is of exact order 1", EXPANSION, "profile", Law::Equals(1.0)).by(|e, c| order(e, c, profile_on_its_way)).unless(rough),
        Claim::new("wasserstein-order", "W_{2}(ρ^{ε}, ρ_{t}) is of exact order 1", EXPANSION, "wasserstein", Law::Equals(1.0)).by(|e, c| order(e, c, leading_term_hidden)).unless(leading.marginal),
        Claim::new("lot-order", "LOT(ρ^{ε}, ρ_{t}) is of exact order 1", EXPANSION, "lot", Law::Equals(1.0)).by(|e, c| order(e, c, leading_term_hidden)).unless(leading.marginal),
        Claim::new("kl-order", "KL(ρ^{ε} | ρ_{t}) is of exact order 2", EXPANSION, "kl", Law::Equals(2.0)).by(|e, c| order(e, c, leading_term_hidden)).unless(leading.marginal),
    ]
}

/// The hypotheses of all claims, as measured.
fn rough(e: &Evidence<ScalingLimit>) -> Reason {
    hypothesis::failed(e.record)
}

fn smooth(
    e: &Evidence<ScalingLimit>,
    term: &str,
    size: fn(&Record) -> Result<f64, RecordError>,
) -> Reason {
    match rough(e)? {
        Some(why) => Ok(Some(why)),
        None => Ok(vanishes(term, size(e.record)?, LEADING)),
    }
}

/// The reason why an exact order is not claimed where its leading term is zero to `limit`.
fn vanishes(term: &str, size: f64, limit: f64) -> Option<String> {
    (size <= limit).then(|| {
        format!(
            "the leading term {term} vanishes on this scenario ({size:.1e}), so the order is higher"
        )
    })
}

/// Why the order measured at these ε says nothing of the one at smaller ones, if that is so.
type TooEarly = fn(&Record, &Claim, f64) -> Reason;

/// The order of the claim's quantity; it is refuted only where it is not `too_early`. Of a run that was cut short the verdict says so.
fn order(e: &Evidence<ScalingLimit>, claim: &Claim, too_early: TooEarly) -> Judged {
    let (done, asked) = (e.record.values("epsilons")?.len(), e.study.epsilons.len());
    let mut verdict = claim.judge(e.slug, &points(e.record, claim.quantity)?);
    if verdict.status == Status::Inconsistent
        && let Some(observed) = verdict.observed
        && let Some(why) = too_early(e.record, claim, observed)?
    {
        verdict.status = Status::Inconclusive;
        verdict.reason = format!("{why}; {}", verdict.reason);
    }
    if verdict.observed.is_none() && done < asked {
        verdict.reason = format!("cut short: {done} of {asked} ε were measured");
    }
    Ok(verdict)
}

/// A leading term below this is zero up to the accuracy of the flow (1e-9 in p, its derivatives a little more).
const LEADING: f64 = 1e-6;
/// The same between Gaussians, where there is rounding only.
const LEADING_DIGITS: f64 = 1e-10;

/// W₂ and LOT are at most sup|s_t|ε times the diameter to leading order, a sixth of it for one wave: what is larger is of higher order.
const SEEN: f64 = 1.0;

/// Of distances of marginals whose order is higher than claimed: the leading term is too small to be what was measured at the smallest ε.
fn leading_term_hidden(record: &Record, claim: &Claim, observed: f64) -> Reason {
    let claimed = match claim.law {
        Law::Equals(order) => order,
        law => unreachable!("{law} is no exact order"),
    };
    if observed <= claimed {
        return potential_on_its_way(record, claim, observed);
    }
    let s = record.number("marginal_profile")?;
    let (epsilons, values) = (record.values("epsilons")?, record.values(claim.quantity)?);
    let (Some(epsilon), Some(value)) = (epsilons.last(), values.last()) else {
        return Ok(None);
    };
    let most = (SEEN * s * epsilon).powf(claimed) / claimed;
    Ok((*value > most).then(|| {
        format!("the leading term s_t (sup {s:.1e}) makes at most {most:.1e} of the {value:.1e} at ε = {epsilon}: use smaller ε")
    }))
}

/// A measured constant this near to the predicted one is the asymptotic one.
const NEAR: f64 = 0.1;
/// One that is farther away and has come nearer by this part with the last ε is on its way.
const NEARER: f64 = 0.1;

/// Whether `quantity/size(ε)` is still on its way to its limit: far from it at the smallest ε, and farther before.
fn on_its_way(
    record: &Record,
    (quantity, what): (&str, &str),
    limit: f64,
    size: impl Fn(f64) -> f64,
) -> Reason {
    let both = record
        .values(quantity)?
        .iter()
        .zip(record.values("epsilons")?);
    let off: Vec<f64> = both
        .map(|(value, &epsilon)| (value / size(epsilon) - limit).abs())
        .collect();
    let [.., before, last] = off[..] else {
        return Ok(None);
    };
    Ok((last > NEAR && before - last > NEARER * last).then(|| {
        format!("pre-asymptotic: {what} is off by {last:.2} at the smallest ε and by {before:.2} at the one before; use smaller ε")
    }))
}

/// The first-order expansion is not reached yet, so that orders of what is measured against it are not either: p^ε − p_t against ε r_t.
fn potential_on_its_way(record: &Record, _: &Claim, _: f64) -> Reason {
    let [low, high] = extremes(record.values("r")?);
    let size = high.abs().max(low.abs());
    let what = "sup|p^{ε} − p_{t}|/ε against sup|r_{t}|";
    on_its_way(record, ("potential", what), 1.0, |epsilon| epsilon * size)
}

/// The same, or what is left beside ε r_t.
fn corrected_on_its_way(record: &Record, claim: &Claim, observed: f64) -> Reason {
    if let Some(why) = potential_on_its_way(record, claim, observed)? {
        return Ok(Some(why));
    }
    let [low, high] = extremes(record.values("r")?);
    let size = high.abs().max(low.abs());
    let what = "sup|p^{ε} − p_{t} − ε r_{t}| against ε sup|r_{t}|";
    on_its_way(record, ("corrected", what), 0.0, |epsilon| epsilon * size)
}

/// The same, or what is left beside ∇r_t: a periodic function that varies by so much has twice that as a slope.
fn profile_on_its_way(record: &Record, claim: &Claim, observed: f64) -> Reason {
    if let Some(why) = potential_on_its_way(record, claim, observed)? {
        return Ok(Some(why));
    }
    let [low, high] = extremes(record.values("r")?);
    let what = "∇(p^{ε} − p_{t})/ε against ∇r_{t}";
    on_its_way(record, ("profile", what), 0.0, |_| 2.0 * (high - low))
}

fn extremes(values: &[f64]) -> [f64; 2] {
    let start = [f64::INFINITY, f64::NEG_INFINITY];
    values
        .iter()
        .fold(start, |[low, high], v| [low.min(*v), high.max(*v)])
}
