//! The measured runs against the claims. A claim is judged over all runs to which it applies; the others are listed.

use super::super::{MirrorDescent, Run};
use super::{CLAIMS, prefix};
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::study::euclidean::{Sample, judge_samples};
use crate::verdict::{Claim, Observed, Verdict};

/// F counts as convex where no eigenvalue of its Hessian is below minus this.
const CONVEX: f64 = 1e-12;

/// Bounds are compared that were rounded.
const ROUNDING: f64 = 1e-10;

/// Gaps below this part of the first are rounding.
const SMALL: f64 = 1e-13;

/// Verdicts on all claims that the study asks for; what was not measured, because the run was cut short, decides nothing.
pub fn judge(
    study: &MirrorDescent,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    let judge = Judge {
        study,
        slug,
        record,
    };
    let asked = CLAIMS.iter().filter(|claim| judge.asks(claim));
    asked
        .map(|claim| claim.or_cut_short(slug, judge.claim(claim)))
        .collect()
}

struct Judge<'a> {
    study: &'a MirrorDescent,
    slug: &'a str,
    record: &'a Record,
}

impl Judge<'_> {
    fn asks(&self, claim: &Claim) -> bool {
        match claim.name {
            "implicit-decrease" => self.study.runs.iter().any(is_implicit),
            name if name.ends_with("-step-order") => self.study.limit.is_some(),
            _ => true,
        }
    }

    fn claim(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        match claim.name {
            "three-point" => self.three_point(claim),
            "function-regret" => self.ratios(claim, |_| true, regret),
            "implicit-decrease" => self.ratios(claim, is_implicit, |part| {
                let gap = part.values("gap")?;
                let seen = gap.windows(2).filter(|pair| pair[0] > SMALL * gap[0]);
                Ok(seen.map(|pair| pair[1] / pair[0]).fold(0.0, f64::max))
            }),
            _ => self.order(claim),
        }
    }

    /// The records of the runs that are chosen, with their numbers.
    fn runs(&self, chosen: impl Fn(&Run) -> bool) -> Result<Vec<(usize, Record)>, RecordError> {
        let numbers = (0..self.study.runs.len()).filter(|&k| chosen(&self.study.runs[k]));
        let part = |k: usize| {
            let part = self.record.part(&prefix(k));
            let missing = || RecordError::Missing(format!("{}x", prefix(k)));
            (!part.is_empty()).then_some((k, part)).ok_or_else(missing)
        };
        numbers.map(part).collect()
    }

    fn three_point(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let (mut samples, mut without) = (Vec::new(), Vec::new());
        for (k, part) in self.runs(|_| true)? {
            let Ok(defects) = part.values(claim.quantity) else {
                without.push(format!("run {}: {}", k + 1, no_divergence(&part)));
                continue;
            };
            let budgets = part.values("three_point_budget")?;
            samples.extend(defects.iter().zip(budgets).enumerate().map(
                |(step, (&value, &budget))| Sample {
                    value,
                    budget,
                    place: format!("run {}, step {}", k + 1, step + 1),
                },
            ));
        }
        if samples.is_empty() {
            return Ok(claim.not_applicable(self.slug, &without.join("; ")));
        }
        let mut verdict = judge_samples(claim, self.slug, &samples);
        // Steps at the end, where nothing moves but rounding, are many.
        summarise(&mut verdict.excluded);
        verdict.excluded.extend(without);
        Ok(verdict)
    }

    /// The largest ratio over the chosen runs to which the claim applies, against 1.
    fn ratios(
        &self,
        claim: &Claim,
        chosen: impl Fn(&Run) -> bool,
        ratio: impl Fn(&Record) -> Result<f64, RecordError>,
    ) -> Result<Verdict, RecordError> {
        let (mut found, mut without) = (Vec::new(), Vec::new());
        for (k, part) in self.runs(chosen)? {
            match inapplicable(claim, &part)? {
                Some(why) => without.push(format!("run {}: {why}", k + 1)),
                None => found.push((k, ratio(&part)?)),
            }
        }
        let worst = found.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some(&(k, largest)) = worst else {
            return Ok(claim.not_applicable(self.slug, &without.join("; ")));
        };
        let observed = Observed::plus_minus(largest, ROUNDING);
        let reason = format!("largest for run {}", k + 1);
        let mut verdict = claim.judge_number(self.slug, observed, reason);
        verdict.excluded = without;
        Ok(verdict)
    }

    fn order(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let budget = self.record.number("floor")?;
        let steps = self.record.values("steps")?.iter();
        let points = steps.zip(self.record.values(claim.quantity)?);
        let point = |(&epsilon, &value): (&f64, &f64)| Point {
            epsilon,
            value,
            budget,
            symbol: "η",
            largest_part: "time",
        };
        let points: Vec<Point> = points.map(point).collect();
        Ok(claim.judge(self.slug, &points))
    }
}

fn is_implicit(run: &Run) -> bool {
    matches!(run, Run::Implicit(_))
}

/// `max regret/bound` over the steps.
fn regret(part: &Record) -> Result<f64, RecordError> {
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

/// Which hypothesis of an inequality fails.
fn inapplicable(claim: &Claim, part: &Record) -> Result<Option<String>, RecordError> {
    let about_regret = claim.name == "function-regret";
    if part.array("end").is_err() || about_regret && part.array("divergence").is_err() {
        return Ok(Some(no_divergence(part).into()));
    }
    let least = part.number("convexity")?;
    if least < -CONVEX {
        let why = format!(
            "F is not convex between the iterates and x_∞: smallest eigenvalue {least:.2e} of ∇²F"
        );
        return Ok(Some(why));
    }
    if about_regret && part.array("bound").is_err() {
        let least = part.number("strong_convexity")?;
        let why = format!(
            "U is not strongly convex between the iterates: smallest eigenvalue {least:.2e} of ∇²U"
        );
        return Ok(Some(why));
    }
    Ok(None)
}

/// One line for many.
fn summarise(excluded: &mut Vec<String>) {
    if excluded.len() > 3 {
        let more = excluded.len() - 1;
        excluded.truncate(1);
        excluded.push(format!("and {more} more steps at rounding"));
    }
}
