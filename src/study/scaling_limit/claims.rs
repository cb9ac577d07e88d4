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
        not_zero(e, "r_t", |record| {
            let [low, high] = extremes(record.values("r")?);
            Ok(high.abs().max(low.abs()))
        })
    },
    gradient: |e| {
        not_zero(e, "∇r_t", |record| {
            let [low, high] = extremes(record.values("r")?);
            Ok(high - low)
        })
    },
    marginal: |e| {
        not_zero(e, "s_t = ∂_t r_t − ½∂_t log ρ_t", |record| {
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
        Claim::new("potential-bound", "sup|p^{ε} − p_{t}| = O(ε)", B, "potential", Law::AtLeast(1.0)).by(|e, c| constant(e, c, potential_ratio, potential_on_its_way)).unless(not_smooth),
        Claim::new("gradient-bound-half", "sup|∇p^{ε} − ∇p_{t}| = O(√ε)", B, "gradient", Law::AtLeast(0.5)).by(|e, c| order(e, c, potential_on_its_way)).unless(not_smooth),
        Claim::new("gradient-bound", "sup|∇p^{ε} − ∇p_{t}| = O(ε)", D24, "gradient", Law::AtLeast(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(not_smooth),
        Claim::new("first-order-potential", "sup|p^{ε} − p_{t} − ε r_{t}| = O(ε²)", D24, "corrected", Law::AtLeast(2.0)).by(|e, c| order(e, c, corrected_on_its_way)).unless(not_smooth),
        Claim::new("first-order-gradient", "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}| = O(ε)", D24, "profile", Law::AtLeast(1.0)).by(|e, c| order(e, c, profile_on_its_way)).unless(not_smooth),
        Claim::new("wasserstein-bound-half", "W_{2}(ρ^{ε}, ρ_{t}) = O(√ε)", DKPS, "wasserstein", Law::AtLeast(0.5)).by(|e, c| order(e, c, potential_on_its_way)).unless(not_smooth),
        Claim::new("wasserstein-bound", "W_{2}(ρ^{ε}, ρ_{t}) = O(ε)", D24, "wasserstein", Law::AtLeast(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(not_smooth),
        Claim::new("kl-vanishes", "KL(ρ^{ε} | ρ_{t}) → 0", D24, "kl", Law::Vanishes).by(|e, c| order(e, c, potential_on_its_way)).unless(not_smooth),
        Claim::new("lot-vanishes", "LOT(ρ^{ε}, ρ_{t}) → 0", D24, "lot", Law::Vanishes).by(|e, c| order(e, c, potential_on_its_way)).unless(not_smooth),
        Claim::new("potential-order", "sup|p^{ε} − p_{t}| is of exact order 1", EXPANSION, "potential", Law::Equals(1.0)).by(|e, c| constant(e, c, potential_ratio, potential_on_its_way)).unless(leading.potential),
        Claim::new("gradient-order", "sup|∇p^{ε} − ∇p_{t}| is of exact order 1", EXPANSION, "gradient", Law::Equals(1.0)).by(|e, c| order(e, c, potential_on_its_way)).unless(leading.gradient),
        Claim::new("first-order-potential-order", "sup|p^{ε} − p_{t} − ε r_{t}| is of exact order 2", EXPANSION, "corrected", Law::Equals(2.0)).by(|e, c| order(e, c, corrected_on_its_way)).unless(not_smooth),
        Claim::new("first-order-gradient-order", "sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}| is of exact order 1", EXPANSION, "profile", Law::Equals(1.0)).by(|e, c| order(e, c, profile_on_its_way)).unless(not_smooth),
        Claim::new("wasserstein-order", "W_{2}(ρ^{ε}, ρ_{t}) is of exact order 1", EXPANSION, "wasserstein", Law::Equals(1.0)).by(|e, c| order(e, c, marginal_on_its_way)).unless(leading.marginal),
        Claim::new("lot-order", "LOT(ρ^{ε}, ρ_{t}) is of exact order 1", EXPANSION, "lot", Law::Equals(1.0)).by(|e, c| order(e, c, marginal_on_its_way)).unless(leading.marginal),
        Claim::new("kl-order", "KL(ρ^{ε} | ρ_{t}) is of exact order 2", EXPANSION, "kl", Law::Equals(2.0)).by(|e, c| constant(e, c, kl_ratio, marginal_on_its_way)).unless(leading.marginal),
    ]
}

/// The hypotheses of all claims, as measured.
fn not_smooth(e: &Evidence<ScalingLimit>) -> Reason {
    hypothesis::failed(e.record)
}

/// The hypotheses, and that the leading term does not vanish.
fn not_zero(
    e: &Evidence<ScalingLimit>,
    term: &str,
    size: fn(&Record) -> Result<f64, RecordError>,
) -> Reason {
    match not_smooth(e)? {
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

/// A measured constant this near to the predicted one is the asymptotic one.
const NEAR: f64 = 0.1;
/// One that is farther away and has come nearer by this part with the last ε is on its way.
const NEARER: f64 = 0.1;
/// What two pairs of ε extrapolate to when the constant is the predicted one. That of an order which is off by 0.2 differs by a seventh from
/// one pair to the next.
const SAME: f64 = 0.03;

/// The order of a quantity whose leading constant is predicted: where the pairs of ε do not settle, the constant decides for the claim, if
/// measured/predicted, without its part linear in ε, is 1 by the last two pairs.
fn constant(
    e: &Evidence<ScalingLimit>,
    claim: &Claim,
    ratio: fn(&Record) -> Result<Vec<f64>, RecordError>,
    too_early: TooEarly,
) -> Judged {
    let mut verdict = order(e, claim, too_early)?;
    // Constants are read at the smallest ε, so that all of them must be above their budget.
    let decided = verdict.status != Status::Inconclusive;
    if decided || verdict.observed.is_none() || !verdict.excluded.is_empty() {
        return Ok(verdict);
    }
    let (epsilons, ratios) = (e.record.values("epsilons")?, ratio(e.record)?);
    let limit = |k: usize| {
        let (a, b) = (epsilons[k], epsilons[k + 1]);
        (a * ratios[k + 1] - b * ratios[k]) / (a - b)
    };
    let limits = [limit(ratios.len() - 3), limit(ratios.len() - 2)];
    if limits.iter().all(|limit| (limit - 1.0).abs() <= SAME) {
        verdict.status = Status::Consistent;
        verdict.reason = format!(
            "measured/predicted leading constant by the last two pairs of ε: {:.4}, {:.4}; {}",
            limits[0], limits[1], verdict.reason
        );
    }
    Ok(verdict)
}

/// `sup|p^ε − p_t|/(ε sup|r_t|)`.
fn potential_ratio(record: &Record) -> Result<Vec<f64>, RecordError> {
    let [low, high] = extremes(record.values("r")?);
    let size = high.abs().max(low.abs());
    over(record, "potential", |epsilon| epsilon * size)
}

/// `KL(ρ^ε | ρ_t)/(½ε²Var s_t)`.
fn kl_ratio(record: &Record) -> Result<Vec<f64>, RecordError> {
    let square = record.number("marginal_square")?;
    over(record, "kl", |epsilon| 0.5 * epsilon * epsilon * square)
}

fn over(
    record: &Record,
    quantity: &str,
    size: impl Fn(f64) -> f64,
) -> Result<Vec<f64>, RecordError> {
    let epsilons = record.values("epsilons")?.iter();
    let both = record.values(quantity)?.iter().zip(epsilons);
    Ok(both
        .map(|(value, &epsilon)| value / size(epsilon))
        .collect())
}

/// Whether ratios are still on their way to their limit: far from it at the smallest ε, and farther before.
fn on_its_way(ratios: &[f64], limit: f64, what: &str) -> Option<String> {
    let off: Vec<f64> = ratios.iter().map(|ratio| (ratio - limit).abs()).collect();
    let [.., before, last] = off[..] else {
        return None;
    };
    (last > NEAR && before - last > NEARER * last).then(|| {
        format!("pre-asymptotic: {what} is off by {last:.2} at the smallest ε and by {before:.2} at the one before; use smaller ε")
    })
}

/// The first-order expansion is not reached yet, so that orders of what is measured against it are not either: p^ε − p_t against ε r_t.
fn potential_on_its_way(record: &Record, _: &Claim, _: f64) -> Reason {
    let what = "sup|p^{ε} − p_{t}|/ε against sup|r_{t}|";
    Ok(on_its_way(&potential_ratio(record)?, 1.0, what))
}

/// Of distances of marginals: KL against ½ε²Var s_t is on its way, or a leading term is too small to be what was measured at all.
fn marginal_on_its_way(record: &Record, claim: &Claim, observed: f64) -> Reason {
    let what = "KL(ρ^{ε} | ρ_{t})/ε² against half the variance of s_{t}";
    let ratios = kl_ratio(record)?;
    if let Some(why) = on_its_way(&ratios, 1.0, what) {
        return Ok(Some(why));
    }
    let last = ratios.last().copied().unwrap_or(f64::NAN);
    let claimed = match claim.law {
        Law::Equals(order) => order,
        law => unreachable!("{law} is no exact order"),
    };
    if observed > claimed && last > HIDDEN {
        return Ok(Some(format!(
            "the leading term makes a part 1/{last:.1} of KL at the smallest ε: use smaller ε"
        )));
    }
    potential_on_its_way(record, claim, observed)
}

/// KL is this many times its leading term where higher orders are most of it.
const HIDDEN: f64 = 2.0;

/// The same, or `quantity`, which the profile corrects, has not reached its own order, so that nothing can be said of what the correction leaves.
fn not_reached(record: &Record, claim: &Claim, observed: f64, quantity: &str) -> Reason {
    if let Some(why) = potential_on_its_way(record, claim, observed)? {
        return Ok(Some(why));
    }
    let own = claim.with_law(Law::Equals(1.0));
    let verdict = own.judge("", &points(record, quantity)?);
    let open = verdict.status == Status::Inconclusive;
    Ok(open.then(|| {
        format!(
            "the order of `{quantity}`, which this corrects, has not settled itself: {}",
            verdict.reason
        )
    }))
}

/// The same, or what is left beside ε r_t.
fn corrected_on_its_way(record: &Record, claim: &Claim, observed: f64) -> Reason {
    if let Some(why) = not_reached(record, claim, observed, "potential")? {
        return Ok(Some(why));
    }
    let [low, high] = extremes(record.values("r")?);
    let size = high.abs().max(low.abs());
    let ratios = over(record, "corrected", |epsilon| epsilon * size)?;
    let what = "sup|p^{ε} − p_{t} − ε r_{t}| against ε sup|r_{t}|";
    Ok(on_its_way(&ratios, 0.0, what))
}

/// The same, or what is left beside ∇r_t: a periodic function that varies by so much has twice that as a slope.
fn profile_on_its_way(record: &Record, claim: &Claim, observed: f64) -> Reason {
    if let Some(why) = not_reached(record, claim, observed, "gradient")? {
        return Ok(Some(why));
    }
    let [low, high] = extremes(record.values("r")?);
    let ratios = over(record, "profile", |_| 2.0 * (high - low))?;
    let what = "∇(p^{ε} − p_{t})/ε against ∇r_{t}";
    Ok(on_its_way(&ratios, 0.0, what))
}

/// The least and the greatest; NaN if any is.
fn extremes(values: &[f64]) -> [f64; 2] {
    let start = [f64::INFINITY, f64::NEG_INFINITY];
    let wider = |[low, high]: [f64; 2], v: &f64| match v.is_nan() {
        true => [f64::NAN; 2],
        false => [
            if *v < low { *v } else { low },
            if *v > high { *v } else { high },
        ],
    };
    values.iter().fold(start, wider)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EPSILONS: [f64; 4] = [0.01, 0.005, 0.0025, 0.00125];

    /// A record whose KL is ½ε² times `square`, times these ratios.
    fn record(ratios: [f64; 4]) -> Record {
        let mut record = Record::default();
        let square = 3.0;
        let kl = EPSILONS
            .iter()
            .zip(ratios)
            .map(|(e, ratio)| ratio * 0.5 * e * e * square);
        record.insert_curve("epsilons", EPSILONS.to_vec());
        record.insert_curve("kl", kl.collect());
        record.insert_number("marginal_square", square);
        for part in ["space", "time", "iteration", "round_off"] {
            record.insert_curve(&format!("kl_{part}"), vec![0.0; 4]);
        }
        record.insert_curve("potential", EPSILONS.to_vec());
        record.insert_curve("r", vec![-1.0, 1.0]);
        record
    }

    #[test]
    fn kl_over_its_leading_term_is_its_ratio() {
        let ratios = kl_ratio(&record([1.4, 1.2, 1.1, 1.0])).unwrap();
        for (found, ratio) in ratios.iter().zip([1.4, 1.2, 1.1, 1.0]) {
            assert!((found - ratio).abs() < 1e-12);
        }
    }

    #[test]
    fn a_constant_decides_only_where_the_last_two_pairs_lead_to_it() {
        let study: ScalingLimit =
            ron::from_str("(time: 0.05, epsilons: [0.01, 0.005, 0.0025, 0.00125])").unwrap();
        let claim = Claim::new("kl-order", "", "", "kl", Law::Equals(2.0));
        let judged = |ratios: [f64; 4]| {
            let record = record(ratios);
            let evidence = Evidence::new(&study, "scaling-limit", &record);
            constant(&evidence, &claim, kl_ratio, |_, _, _| Ok(None)).unwrap()
        };
        // Orders are far from settled both times; the pairs of ratios lead to 1 and 1, and to 1.1 and 1.
        let both = judged([1.8, 1.8, 1.4, 1.2]);
        assert_eq!(both.status, Status::Consistent, "{}", both.reason);
        let one = judged([1.8, 1.9, 1.5, 1.25]);
        assert_eq!(one.status, Status::Inconclusive, "{}", one.reason);
    }

    #[test]
    fn extremes_keep_what_is_not_a_number() {
        assert_eq!(extremes(&[2.0, -1.0, 0.5]), [-1.0, 2.0]);
        assert!(extremes(&[2.0, f64::NAN, 0.5]).iter().all(|v| v.is_nan()));
    }
}
