//! The measured decay between Gaussians against the claims: those of the torus, with their rates to six digits where one mode is left,
//! and those of the closed forms.

use super::super::verdicts::NOTHING;
use super::super::{Decay, ExponentialConvergence, claims};
use super::claims::GAUSSIAN_CLAIMS;
use crate::order::Point;
use crate::quantities::largest;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged};
use crate::study::gaussian::NOT_COMMUTING;
use crate::study::short;
use crate::verdict::{Claim, Observed, Verdict};

/// Verdicts on all claims that the study's parameters ask for.
pub fn judge(
    study: &ExponentialConvergence,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    let evidence = Evidence::new(study, slug, record);
    let mut verdicts = rule::judge(claims::SHARED, &evidence, &[])?;
    verdicts.extend(rule::judge(GAUSSIAN_CLAIMS, &evidence, &[])?);
    Ok(verdicts)
}

pub fn asks_for_sinkhorn(e: &Evidence<ExponentialConvergence>) -> bool {
    !e.study.epsilons.is_empty()
}

/// The order of the difference of the slowest rates.
pub fn rate_order(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    Ok(claim.judge(e.slug, &rate_points(e.record)?))
}

fn commutes(record: &Record) -> bool {
    record.values("source_variances").is_ok()
}

/// The largest relative defect over all instants.
pub fn closed_form(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    e.record.values("kl")?;
    if !commutes(e.record) {
        return Ok(claim.not_applicable(e.slug, NOT_COMMUTING));
    }
    let defects = e.record.values(claim.quantity)?;
    let worst = largest(defects.iter().copied());
    let reason = format!("largest of {} instants", defects.len());
    Ok(claim.judge_number(e.slug, Observed::plus_minus(worst, 0.0), reason))
}

/// Every mode that is there at the start, each with its own rate: the one farthest from its prediction.
pub fn mode_rates(
    e: &Evidence<ExponentialConvergence>,
    claim: &Claim,
    predictions: &str,
    rounding: &str,
) -> Judged {
    let predicted = e.record.values(predictions)?;
    // Modes of Fokker–Planck are counted as the eigenvalues of Σ are.
    let (mut worst, mut absent) = (None::<Observed>, Vec::new());
    for (i, &rate) in predicted.iter().enumerate() {
        let Some(observed) = mode(e.record, claim.quantity, i, rounding)?.asymptotic() else {
            absent.push(format!("mode {}, rate {}", i + 1, short(rate)));
            continue;
        };
        let ratio = over(observed, rate);
        if worst.is_none_or(|w| farthest(ratio) > farthest(w)) {
            worst = Some(ratio);
        }
    }
    let judged = predicted.len() - absent.len();
    let Some(worst) = worst else {
        return Ok(claim.undecided(e.slug, NOTHING));
    };
    let reason = format!(
        "observed over predicted rate, farthest from 1 of {judged} modes, the slowest {}",
        short(predicted.iter().copied().fold(f64::INFINITY, f64::min))
    );
    let mut verdict = claim.judge_against(e.slug, worst, ("rate/prediction", 1.0), reason);
    verdict.excluded = absent
        .into_iter()
        .map(|mode| format!("{mode}: not in the start, or gone before its rate settles"))
        .collect();
    Ok(verdict)
}

fn mode(record: &Record, family: &str, i: usize, rounding: &str) -> Result<Decay, RecordError> {
    let values = record.item(family, i)?.to_vec();
    let part = record.number(rounding)?;
    Ok(Decay {
        times: record.values("times")?.to_vec(),
        budgets: values.iter().map(|v| part * v).collect(),
        values,
    })
}

/// Per pair (s, θ): whichever is predicted to be slower, by θ against s alone, is observed to be slower.
pub fn winner(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    e.record.values("fokker_planck_kl")?;
    if !commutes(e.record) {
        return Ok(claim.not_applicable(e.slug, NOT_COMMUTING));
    }
    let (s, theta) = (
        e.record.values("source_variances")?,
        e.record.values("target_variances")?,
    );
    let places = by_rate(s, theta);
    let (mut worst, mut left_out, mut wins) = (None::<Observed>, Vec::new(), [0, 0]);
    for k in 0..s.len() {
        let pair = format!("s = {}, θ = {}", short(s[k]), short(theta[k]));
        if (theta[k] / s[k] - 1.0).abs() < TIE {
            left_out.push(format!("{pair}: a tie"));
            continue;
        }
        let mirror = mode(e.record, "modes", places[k], "rounding")?;
        let plain = mode(e.record, "fokker_planck_modes", k, "fokker_planck_rounding")?;
        let (Some(mirror), Some(plain)) = (mirror.asymptotic(), plain.asymptotic()) else {
            left_out.push(format!("{pair}: not in the start"));
            continue;
        };
        let mirror_wins = theta[k] < s[k];
        wins[usize::from(!mirror_wins)] += 1;
        let ratio = if mirror_wins {
            quotient(plain, mirror)
        } else {
            quotient(mirror, plain)
        };
        if worst.is_none_or(|w: Observed| ratio.value > w.value) {
            worst = Some(ratio);
        }
    }
    let Some(worst) = worst else {
        let why = "θ = s for every eigenvalue that is in the start: neither flow is faster";
        return Ok(claim.not_applicable(e.slug, why));
    };
    let reason = format!(
        "{} eigenvalues with θ < s, where the mirror flow is faster, {} with θ > s, where it is slower; the nearest race",
        wins[0], wins[1]
    );
    let mut verdict = claim.judge_number(e.slug, worst, reason);
    verdict.excluded = left_out;
    Ok(verdict)
}

/// At every ε: the one farthest from its prediction.
pub fn exact_rates(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let predicted = e.record.values("sinkhorn_rates")?;
    let mut worst: Option<Observed> = None;
    for (k, &rate) in predicted.iter().enumerate() {
        let Some(observed) = iterate(e.record, k)?.asymptotic() else {
            return Ok(claim.undecided(e.slug, NOTHING));
        };
        let ratio = over(observed, rate);
        if worst.is_none_or(|w| farthest(ratio) > farthest(w)) {
            worst = Some(ratio);
        }
    }
    let worst = worst.expect("the study asks for some ε");
    let reason = format!(
        "observed over predicted rate, farthest from 1 of {} ε",
        predicted.len()
    );
    Ok(claim.judge_against(e.slug, worst, ("rate/prediction", 1.0), reason))
}

fn iterate(record: &Record, k: usize) -> Result<Decay, RecordError> {
    Ok(Decay {
        times: record.values("times")?.to_vec(),
        values: record.item("sinkhorn_modes", k)?.to_vec(),
        budgets: record.item("sinkhorn_modes_budget", k)?.to_vec(),
    })
}

/// `|rate^ε − rate|` of the slowest modes, both measured, with what their intervals leave.
fn rate_points(record: &Record) -> Result<Vec<Point>, RecordError> {
    let half = |o: Observed| 0.5 * (o.interval.1 - o.interval.0);
    let Some(flow) = mode(record, "modes", 0, "rounding")?.asymptotic() else {
        return Ok(Vec::new());
    };
    let mut points = Vec::new();
    for (k, &epsilon) in record.values("epsilons")?.iter().enumerate() {
        let Some(observed) = iterate(record, k)?.asymptotic() else {
            continue;
        };
        points.push(Point {
            epsilon,
            value: (observed.value - flow.value).abs(),
            budget: half(observed) + half(flow),
            largest_part: "round-off",
            symbol: "ε",
        });
    }
    Ok(points)
}

/// For each pair, given by increasing s, its place among the modes, which are counted by increasing `1/√(sθ)`.
fn by_rate(s: &[f64], theta: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..s.len()).collect();
    order.sort_by(|&a, &b| (s[b] * theta[b]).total_cmp(&(s[a] * theta[a])));
    let mut places = vec![0; s.len()];
    for (place, &k) in order.iter().enumerate() {
        places[k] = place;
    }
    places
}

/// θ and s this near are equal.
const TIE: f64 = 1e-9;

fn over(observed: Observed, by: f64) -> Observed {
    Observed {
        value: observed.value / by,
        interval: (observed.interval.0 / by, observed.interval.1 / by),
    }
}

/// `a/b` of positive numbers.
fn quotient(a: Observed, b: Observed) -> Observed {
    Observed {
        value: a.value / b.value,
        interval: (a.interval.0 / b.interval.1, a.interval.1 / b.interval.0),
    }
}

/// How far the interval reaches from 1.
fn farthest(ratio: Observed) -> f64 {
    (ratio.interval.0 - 1.0)
        .abs()
        .max((ratio.interval.1 - 1.0).abs())
}
