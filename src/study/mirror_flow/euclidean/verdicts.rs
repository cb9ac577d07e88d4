//! The measured flows against the claims. A claim is judged over all mirrors to which it applies; those to which it does not are listed.

use super::super::MirrorFlow;
use super::{CLAIMS, prefix};
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::study::euclidean::{Sample, judge_samples};
use crate::study::exponential_convergence::Decay;
use crate::study::short;
use crate::verdict::{Claim, Law, Observed, Status, Verdict};

/// F counts as convex where no eigenvalue of its Hessian is below minus this.
pub const CONVEX: f64 = 1e-12;

/// Bounds are compared that were rounded.
const ROUNDING: f64 = 1e-10;

/// Below this share the slowest mode is not there but for rounding; from this one on it is what is left.
const ABSENT: f64 = 1e-6;
const DOMINANT: f64 = 0.5;

/// Verdicts on all claims that the scenario asks for; what was not measured, because the run was cut short, decides nothing.
pub fn judge(study: &MirrorFlow, slug: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
    let mirrors = record.count("mirrors")?;
    let judge = Judge {
        study,
        slug,
        record,
        parts: (0..mirrors).map(|k| record.part(&prefix(k))).collect(),
    };
    let asked = CLAIMS.iter().filter(|claim| judge.asks(claim));
    asked
        .map(|claim| claim.or_cut_short(slug, judge.claim(claim)))
        .collect()
}

struct Judge<'a> {
    study: &'a MirrorFlow,
    slug: &'a str,
    record: &'a Record,
    /// One per mirror, empty where the run was cut short before.
    parts: Vec<Record>,
}

impl Judge<'_> {
    /// Closed forms and endings are judged where some mirror has one, orders where there are refinements.
    fn asks(&self, claim: &Claim) -> bool {
        let some = |name: &str| self.parts.iter().any(|part| part.array(name).is_ok());
        match claim.name {
            "closed-form" => some("closed_form"),
            "travel-time" => some("time_defect"),
            "exponential-decay" => some("rate"),
            "arrival-time" => some("arrival_time"),
            "algebraic-decay" => some("exponent"),
            "theta-step-order" | "x-step-order" => !self.study.refinements.is_empty(),
            _ => true,
        }
    }

    fn claim(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        match claim.name {
            "closed-form" => self.defects(claim, "x_budget"),
            "travel-time" => self.defects(claim, "time_budget"),
            "coordinates" => self.defects(claim, "coordinate_budget"),
            "function-dissipation" => self.defects(claim, "dissipation_budget"),
            "bregman-identity" => self.defects(claim, "bregman_budget"),
            "bregman-decrease" => self.ratios(claim, decrease),
            "one-over-t" => self.ratios(claim, |part| self.one_over_t(part)),
            "exponential-decay" => self.exponential(claim),
            "arrival-time" => self.arrival(claim),
            "algebraic-decay" => self.algebraic(claim),
            "theta-step-order" | "x-step-order" => self.order(claim),
            name => unreachable!("{name} is not a claim of this study"),
        }
    }

    /// Mirrors that were measured, with their numbers.
    fn measured(&self) -> Result<impl Iterator<Item = (usize, &Record)>, RecordError> {
        if let Some(cut) = self.parts.iter().position(Record::is_empty) {
            return Err(RecordError::Missing(format!("{}x", prefix(cut))));
        }
        Ok(self.parts.iter().enumerate())
    }

    /// The claim's quantity at every instant of every mirror that has it.
    fn defects(&self, claim: &Claim, budget: &str) -> Result<Verdict, RecordError> {
        let (mut samples, mut without) = (Vec::new(), Vec::new());
        for (k, part) in self.measured()? {
            let Ok(values) = part.values(claim.quantity) else {
                without.push(format!("mirror {}: {}", k + 1, why_not(claim, part)));
                continue;
            };
            let all = values
                .iter()
                .zip(part.values(budget)?)
                .zip(&self.study.times);
            samples.extend(all.map(|((&value, &budget), t)| Sample {
                value,
                budget,
                place: format!("mirror {}, t = {t}", k + 1),
            }));
        }
        if samples.is_empty() {
            return Ok(claim.not_applicable(self.slug, &without.join("; ")));
        }
        let mut verdict = judge_samples(claim, self.slug, &samples);
        verdict.excluded.extend(without);
        Ok(verdict)
    }

    /// The largest ratio of every mirror with finite D and convex F, against 1.
    fn ratios(
        &self,
        claim: &Claim,
        ratio: impl Fn(&Record) -> Result<Option<Observed>, RecordError>,
    ) -> Result<Verdict, RecordError> {
        let (mut found, mut without) = (Vec::new(), Vec::new());
        for (k, part) in self.measured()? {
            if part.array("divergence").is_err() {
                without.push(format!("mirror {}: {}", k + 1, why_not(claim, part)));
            } else if let Some(why) = not_convex(part)? {
                without.push(format!("mirror {}: {why}", k + 1));
            } else if let Some(observed) = ratio(part)? {
                found.push((k, observed));
            }
        }
        let worst = found.iter().max_by(|a, b| a.1.value.total_cmp(&b.1.value));
        let mut verdict = match worst {
            None if without.is_empty() => claim.undecided(self.slug, NOTHING),
            None => return Ok(claim.not_applicable(self.slug, &without.join("; "))),
            Some((k, observed)) => {
                let reason = format!("largest with mirror {}", k + 1);
                claim.judge_number(self.slug, *observed, reason)
            }
        };
        verdict.excluded = without;
        Ok(verdict)
    }

    /// `max t (F(x_t) − F_∞)/D_0`.
    fn one_over_t(&self, part: &Record) -> Result<Option<Observed>, RecordError> {
        let (gap, divergence) = (part.values("gap")?, part.values("divergence")?[0]);
        let times = self.record.values("samples")?;
        let ratios = times.iter().zip(gap).map(|(t, gap)| t * gap / divergence);
        let largest = ratios.fold(0.0, f64::max);
        Ok(Some(Observed::plus_minus(largest, ROUNDING)))
    }

    /// Of verdicts on several mirrors the gravest.
    fn decided(&self, claim: &Claim, verdicts: Vec<Verdict>) -> Verdict {
        let gravity = |verdict: &Verdict| match verdict.status {
            Status::NotApplicable => 0,
            Status::Consistent => 1,
            Status::Inconclusive => 2,
            Status::Inconsistent => 3,
        };
        let gravest = verdicts.into_iter().max_by_key(gravity);
        gravest.unwrap_or_else(|| claim.undecided(self.slug, NOTHING))
    }

    fn exponential(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let mut verdicts = Vec::new();
        for (k, part) in self.measured()? {
            let Ok(rate) = part.number("rate") else {
                continue;
            };
            let share = part.number("slow_share")?;
            let decay = Decay {
                times: self.record.values("samples")?.to_vec(),
                values: part.values("distance")?.to_vec(),
                budgets: part.values("distance_budget")?.to_vec(),
            };
            let reason = format!("mirror {}", k + 1);
            verdicts.push(if share < ABSENT {
                let why = format!("{reason}: the way has no part in the slowest mode (share {share:.1e})");
                claim.not_applicable(self.slug, &why)
            } else if share < DOMINANT {
                let why = format!("{reason}: pre-asymptotic, the slowest mode has {share:.2} of what is left; go on to a later time");
                claim.undecided(self.slug, &why)
            } else {
                match decay.asymptotic() {
                    None => claim.undecided(self.slug, &format!("{reason}: {NOTHING}")),
                    Some(observed) => claim.judge_against(self.slug, observed, ("r", rate), reason),
                }
            });
        }
        Ok(self.decided(claim, verdicts))
    }

    fn arrival(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let mut verdicts = Vec::new();
        for (k, part) in self.measured()? {
            let Ok(predicted) = part.number("arrival_time") else {
                continue;
            };
            let Ok(arrival) = part.number("arrival") else {
                let why = format!(
                    "mirror {} is at its end at t = {} only; go on to a later time",
                    k + 1,
                    short(predicted)
                );
                verdicts.push(claim.undecided(self.slug, &why));
                continue;
            };
            let observed = Observed::plus_minus(arrival, part.number("arrival_budget")?);
            let symbol = ("∫U''/F'", predicted);
            let reason = format!("mirror {}", k + 1);
            verdicts.push(claim.judge_against(self.slug, observed, symbol, reason));
        }
        Ok(self.decided(claim, verdicts))
    }

    /// The slope of log distance against log t is a rate against log t.
    fn algebraic(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let mut verdicts = Vec::new();
        for (k, part) in self.measured()? {
            let Ok(exponent) = part.number("exponent") else {
                continue;
            };
            let times = part.values("tail_times")?;
            let decay = Decay {
                times: times.iter().map(|t| t.ln()).collect(),
                values: part.values("tail_distance")?.to_vec(),
                budgets: part.values("tail_distance_budget")?.to_vec(),
            };
            verdicts.push(match decay.asymptotic() {
                None => claim.undecided(self.slug, &format!("mirror {}: {NOTHING}", k + 1)),
                Some(found) => {
                    let observed = Observed {
                        value: -found.value,
                        interval: (-found.interval.1, -found.interval.0),
                    };
                    let reason = format!(
                        "mirror {}, up to t = {}",
                        k + 1,
                        short(times[times.len() - 1])
                    );
                    claim.judge_against(self.slug, observed, ("1/(a+1)", exponent), reason)
                }
            });
        }
        Ok(self.decided(claim, verdicts))
    }

    fn order(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let order = self.record.number("time_order")?;
        let budget = self
            .record
            .number(&claim.quantity.replace("_error", "_floor"))?;
        let steps = self.record.values("steps")?.iter();
        let points = steps.zip(self.record.values(claim.quantity)?);
        let point = |(&epsilon, &value): (&f64, &f64)| Point {
            epsilon,
            value,
            budget,
            symbol: "step",
            largest_part: "time",
        };
        let points: Vec<Point> = points.map(point).collect();
        Ok(claim.with_law(Law::Equals(order)).judge(self.slug, &points))
    }
}

const NOTHING: &str = "too few instants at which the value is well above its error budget: use other times or a tighter tolerance";

/// Why a mirror does not have the claim's quantity.
fn why_not(claim: &Claim, part: &Record) -> String {
    match claim.name {
        "closed-form" => "no closed form is known".into(),
        _ if part.array("end").is_err() => "F has no minimiser that the flow goes to".into(),
        _ => "U is not finite at x_∞".into(),
    }
}

/// Why F is not known to be convex between the path and its end.
fn not_convex(part: &Record) -> Result<Option<String>, RecordError> {
    let Ok(least) = part.number("convexity") else {
        return Ok(Some("F is not finite at x_∞".into()));
    };
    let why =
        format!("F is not convex between path and x_∞: smallest eigenvalue {least:.2e} of ∇²F");
    Ok((least < -CONVEX).then_some(why))
}

/// `max D_j/D_{j−1}` over the instants where D is well above its budget.
fn decrease(part: &Record) -> Result<Option<Observed>, RecordError> {
    let values = part.values("divergence")?;
    let budgets = part.values("divergence_budget")?;
    let decay = Decay {
        times: Vec::new(),
        values: values.to_vec(),
        budgets: budgets.to_vec(),
    };
    let ratio = |j: usize| {
        let value = values[j] / values[j - 1];
        let error = budgets[j] / values[j] + budgets[j - 1] / values[j - 1];
        Observed::plus_minus(value, value * error)
    };
    let ratios = (1..decay.usable()).map(ratio);
    Ok(ratios.max_by(|a, b| a.value.total_cmp(&b.value)))
}
