//! The measured runs against the claims. A claim is judged over all runs to which it applies; the others are listed.

use super::super::{MirrorDescent, Run};
use super::{CLAIMS, prefix};
use crate::order::Point;
use crate::quantities::largest;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged, Reason};
use crate::study::euclidean::{Sample, judge_samples};
use crate::verdict::{Claim, Observed, Verdict};

/// F counts as convex where no eigenvalue of its Hessian is below minus this.
const CONVEX: f64 = 1e-12;

/// Bounds are compared that were rounded.
const ROUNDING: f64 = 1e-10;

/// Gaps below this part of the first are rounding.
const SMALL: f64 = 1e-13;

/// Verdicts on all claims that the study asks for.
pub fn judge(
    study: &MirrorDescent,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    rule::judge(CLAIMS, &Evidence::new(study, slug, record), &[])
}

type Of<'a> = Evidence<'a, MirrorDescent>;

/// The records of the runs that are chosen, with their numbers.
fn runs(e: &Of, chosen: impl Fn(&Run) -> bool) -> Result<Vec<(usize, Record)>, RecordError> {
    let numbers = (0..e.study.runs.len()).filter(|&k| chosen(&e.study.runs[k]));
    let part = |k: usize| {
        let part = e.record.part(&prefix(k));
        let missing = || RecordError::Missing(format!("{}x", prefix(k)));
        (!part.is_empty()).then_some((k, part)).ok_or_else(missing)
    };
    numbers.map(part).collect()
}

pub fn three_point(e: &Of, claim: &Claim) -> Judged {
    let (mut samples, mut without) = (Vec::new(), Vec::new());
    for (k, part) in runs(e, |_| true)? {
        let Ok(defects) = part.values(claim.quantity) else {
            without.push(format!("run {}: {}", k + 1, no_divergence(&part)));
            continue;
        };
        let budgets = part.values("three_point_budget")?;
        samples.extend(
            defects
                .iter()
                .zip(budgets)
                .enumerate()
                .map(|(step, (&value, &budget))| Sample {
                    value,
                    budget,
                    place: format!("run {}, step {}", k + 1, step + 1),
                }),
        );
    }
    if samples.is_empty() {
        return Ok(claim.not_applicable(e.slug, &without.join("; ")));
    }
    let mut verdict = judge_samples(claim, e.slug, &samples);
    // Steps at the end, where nothing moves but rounding, are many.
    summarise(&mut verdict.excluded);
    verdict.excluded.extend(without);
    Ok(verdict)
}

/// The largest ratio over the chosen runs to which the claim applies, against 1.
pub fn ratios(
    e: &Of,
    claim: &Claim,
    chosen: fn(&Run) -> bool,
    fails: fn(&Record) -> Reason,
    ratio: fn(&Record) -> Result<f64, RecordError>,
) -> Judged {
    let (mut found, mut without) = (Vec::new(), Vec::new());
    for (k, part) in runs(e, chosen)? {
        match fails(&part)? {
            Some(why) => without.push(format!("run {}: {why}", k + 1)),
            None => found.push((k, ratio(&part)?)),
        }
    }
    let worst = found.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let Some(&(k, largest)) = worst else {
        return Ok(claim.not_applicable(e.slug, &without.join("; ")));
    };
    let observed = Observed::plus_minus(largest, ROUNDING);
    let reason = format!("largest for run {}", k + 1);
    let mut verdict = claim.judge_number(e.slug, observed, reason);
    verdict.excluded = without;
    Ok(verdict)
}

/// Errors against η.
pub fn order(e: &Of, claim: &Claim) -> Judged {
    let budget = e.record.number("floor")?;
    let steps = ("η", e.record.values("steps")?);
    let values = e.record.values(claim.quantity)?;
    let points = Point::series(steps, values, (budget, "time"));
    Ok(claim.judge(e.slug, &points))
}

pub fn is_implicit(run: &Run) -> bool {
    matches!(run, Run::Implicit(_))
}

/// `max regret/bound` over the steps.
pub fn regret(part: &Record) -> Result<f64, RecordError> {
    let pairs = part.values("regret")?.iter().zip(part.values("bound")?);
    Ok(pairs
        .map(|(regret, bound)| regret / bound)
        .fold(0.0, f64::max))
}

fn no_divergence(part: &Record) -> &'static str {
    if part.array("end").is_err() {
        "F has no minimiser that the flow goes to"
    } else {
        "U is not finite at x_∞"
    }
}

/// The largest ratio of successive gaps, while they are above rounding.
pub fn growth(part: &Record) -> Result<f64, RecordError> {
    let gap = part.values("gap")?;
    let seen = gap.windows(2).filter(|pair| pair[0] > SMALL * gap[0]);
    Ok(largest(seen.map(|pair| pair[1] / pair[0])))
}

/// Why F is not known to be convex between the iterates and its minimiser.
pub fn not_convex(part: &Record) -> Reason {
    if part.array("end").is_err() {
        return Ok(Some(no_divergence(part).into()));
    }
    let least = part.number("convexity")?;
    Ok((least < -CONVEX).then(|| {
        format!(
            "F is not convex between the iterates and x_∞: smallest eigenvalue {least:.2e} of ∇²F"
        )
    }))
}

/// Why there is no bound of the regret.
pub fn regret_fails(part: &Record) -> Reason {
    if part.array("end").is_err() || part.array("divergence").is_err() {
        return Ok(Some(no_divergence(part).into()));
    }
    let convex = not_convex(part)?;
    if convex.is_some() || part.array("bound").is_ok() {
        return Ok(convex);
    }
    let least = part.number("strong_convexity")?;
    Ok(Some(format!(
        "U is not strongly convex between the iterates: smallest eigenvalue {least:.2e} of ∇²U"
    )))
}

/// One line for many.
fn summarise(excluded: &mut Vec<String>) {
    if excluded.len() > 3 {
        let more = excluded.len() - 1;
        excluded.truncate(1);
        excluded.push(format!("and {more} more steps at rounding"));
    }
}
