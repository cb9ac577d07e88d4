//! Sinkhorn's rates of decay against the flow's: mean rates, which differ by O(ε), and asymptotic ones, which differ by O(ε²).

use super::ExponentialConvergence;
use super::verdicts::{GAP, ROUNDING, decay, decay_of};
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::rule::{Evidence, Judged};
use crate::study::short;
use crate::verdict::{Claim, Status, Verdict};

/// `|rate^ε − rate|` at every ε: an order in ε. It refutes only where Sinkhorn is near the flow: data that are nearer to each other than ε
/// is small are left at once by the first step, however the flow behaves.
pub fn sinkhorn(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let points = sinkhorn_points(e.record)?;
    let mut verdict = by_four(claim.judge(e.slug, &points), &points);
    let (Some(last), Some(point)) = (read_until(e.record)?, points.last()) else {
        return Ok(verdict);
    };
    let apart = point.value * e.record.values("times")?[last];
    if verdict.status == Status::Inconsistent && apart > BESIDE {
        verdict.status = Status::Inconclusive;
        verdict.reason = format!(
            "pre-asymptotic: at ε = {} KL of Sinkhorn and of the flow differ by a factor e^{apart:.1}; use smaller ε; {}",
            short(point.epsilon),
            verdict.reason
        );
    }
    Ok(verdict)
}

/// Logarithm of the ratio of two entropies up to which their difference is that of its first order in ε.
const BESIDE: f64 = 0.5;

/// `|−2 log λ_2/ε − 2·gap|` at every ε: an order in ε.
pub fn sinkhorn_rates(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let (epsilons, rates) = (
        e.record.values("epsilons")?,
        e.record.values(claim.quantity)?,
    );
    let budgets = e.record.values("sinkhorn_rates_budget")?;
    let gap = 2.0 * e.record.number("gap")?;
    let of_gap = gap * (GAP.uncertainty(e.record) + ROUNDING);
    let point = |k: usize| Point {
        epsilon: epsilons[k],
        value: (rates[k] - gap).abs(),
        budget: budgets[k] + of_gap,
        largest_part: if of_gap > budgets[k] {
            "space"
        } else {
            "iteration"
        },
        symbol: "ε",
    };
    let points: Vec<Point> = (0..rates.len()).map(point).collect();
    if points
        .iter()
        .all(|point| point.value <= point.budget.max(SAME_RATE * gap))
    {
        let why =
            "Sinkhorn's rate is that of the flow at every ε, as where both densities are uniform";
        return Ok(claim.not_applicable(e.slug, why));
    }
    Ok(by_four(claim.judge(e.slug, &points), &points))
}

/// A refutation by three ε is none where no leading constant is known: two orders of pairs may agree by chance, far from their limit.
fn by_four(mut verdict: Verdict, points: &[Point]) -> Verdict {
    if verdict.status == Status::Inconsistent && points.len() < 4 {
        verdict.status = Status::Inconclusive;
        verdict.reason = format!(
            "pre-asymptotic or refuted, which three ε do not tell: add smaller ones; {}",
            verdict.reason
        );
    }
    verdict
}

/// Rates that differ by less than this part do not differ.
const SAME_RATE: f64 = 1e-9;

/// Rates are compared where values are this many times their budget: their small differences need more digits than they do.
const CLEAR: f64 = 1e4;
/// Mean rates are read where KL has fallen to this part: later the asymptotic rates, which differ by O(ε²) only, weigh more and more, and with
/// large ε even another sign.
const FALLEN: f64 = 0.01;

/// `|rate^ε − rate|` from the start to the last instant that is clear at every ε and before KL has [`FALLEN`], descending in ε: the mean
/// rates, whose difference is `|log(KL^ε/KL)|/t` there.
pub fn sinkhorn_points(record: &Record) -> Result<Vec<Point>, RecordError> {
    let Some(last) = read_until(record)? else {
        return Ok(Vec::new());
    };
    let flow = decay(record, "kl")?;
    let point = |(k, epsilon): (usize, &f64)| -> Result<Point, RecordError> {
        let decay = decay_of(record, "sinkhorn_kl", k)?;
        Ok(Point {
            epsilon: *epsilon,
            value: (decay.rate_between(0, last) - flow.rate_between(0, last)).abs(),
            budget: decay.uncertainty_between(0, last) + flow.uncertainty_between(0, last),
            largest_part: "time",
            symbol: "ε",
        })
    };
    let epsilons = record.values("epsilons")?.iter().enumerate();
    epsilons.map(point).collect()
}

/// The instant at which mean rates are read, if there are three up to it.
fn read_until(record: &Record) -> Result<Option<usize>, RecordError> {
    let kl = decay(record, "kl")?;
    let mut usable = kl.clear_of(CLEAR);
    for k in 0..record.values("epsilons")?.len() {
        usable = usable.min(decay_of(record, "sinkhorn_kl", k)?.clear_of(CLEAR));
    }
    let above = kl
        .values
        .iter()
        .take_while(|v| **v > FALLEN * kl.values[0])
        .count();
    // The first three at least, however few instants there are.
    Ok((usable >= 3).then(|| above.clamp(3, usable) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Law;

    #[test]
    fn three_epsilons_refute_nothing() {
        let claim = Claim::new("sinkhorn-rate", "", "", "", Law::AtLeast(1.0));
        let judged = |count: i32| {
            let point = |k| Point {
                epsilon: 0.5f64.powi(k),
                value: 1.0,
                budget: 0.0,
                largest_part: "time",
                symbol: "ε",
            };
            let points: Vec<Point> = (0..count).map(point).collect();
            by_four(claim.judge("decay", &points), &points).status
        };
        assert_eq!(judged(3), Status::Inconclusive);
        assert_eq!(judged(4), Status::Inconsistent);
    }
}
