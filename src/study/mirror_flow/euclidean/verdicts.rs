//! The measured flows against the claims. A claim is judged over all mirrors to which it applies; those to which it does not are listed.

use super::super::MirrorFlow;
use super::{CLAIMS, prefix};
use crate::order::Point;
use crate::quantities::largest;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged};
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

/// Verdicts on all claims that the scenario asks for.
pub fn judge(study: &MirrorFlow, slug: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
    rule::judge(CLAIMS, &Evidence::new(study, slug, record), &[])
}

/// Whether some mirror has this array: closed forms and endings are judged where one has.
pub fn some(e: &Evidence<MirrorFlow>, name: &str) -> bool {
    Mirrors::of(e).is_ok_and(|mirrors| mirrors.parts.iter().any(|part| part.array(name).is_ok()))
}

/// The record by mirrors.
pub struct Mirrors<'a> {
    study: &'a MirrorFlow,
    slug: &'a str,
    record: &'a Record,
    /// One per mirror, empty where the run was cut short before.
    parts: Vec<Record>,
}

impl<'a> Mirrors<'a> {
    /// # Errors
    /// [`RecordError::Missing`].
    pub fn of(e: &Evidence<'a, MirrorFlow>) -> Result<Self, RecordError> {
        let mirrors = e.record.count("mirrors")?;
        Ok(Self {
            study: e.study,
            slug: e.slug,
            record: e.record,
            parts: (0..mirrors).map(|k| e.record.part(&prefix(k))).collect(),
        })
    }

    /// Mirrors that were measured, with their numbers.
    fn measured(&self) -> Result<impl Iterator<Item = (usize, &Record)>, RecordError> {
        if let Some(cut) = self.parts.iter().position(Record::is_empty) {
            return Err(RecordError::Missing(format!("{}x", prefix(cut))));
        }
        Ok(self.parts.iter().enumerate())
    }

    /// The claim's quantity at every instant of every mirror that has it.
    pub fn defects(&self, claim: &Claim, budget: &str) -> Judged {
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
    pub fn ratios(
        &self,
        claim: &Claim,
        ratio: fn(&Record, &Record) -> Result<Option<Observed>, RecordError>,
    ) -> Judged {
        let (mut found, mut without) = (Vec::new(), Vec::new());
        for (k, part) in self.measured()? {
            if part.array("divergence").is_err() {
                without.push(format!("mirror {}: {}", k + 1, why_not(claim, part)));
            } else if let Some(why) = not_convex(part)? {
                without.push(format!("mirror {}: {why}", k + 1));
            } else if let Some(observed) = ratio(self.record, part)? {
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

    pub fn exponential(&self, claim: &Claim) -> Judged {
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

    pub fn arrival(&self, claim: &Claim) -> Judged {
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
    pub fn algebraic(&self, claim: &Claim) -> Judged {
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
}

/// `max t (F(x_t) − F_∞)/D_0`.
pub fn one_over_t(record: &Record, part: &Record) -> Result<Option<Observed>, RecordError> {
    let (gap, divergence) = (part.values("gap")?, part.values("divergence")?[0]);
    let times = record.values("samples")?;
    let ratios = times.iter().zip(gap).map(|(t, gap)| t * gap / divergence);
    Ok(Some(Observed::plus_minus(largest(ratios), ROUNDING)))
}

/// Errors against steps, whose floor is how far the reference moves with its tolerance.
pub fn order(e: &Evidence<MirrorFlow>, claim: &Claim) -> Judged {
    let order = e.record.number("time_order")?;
    let budget = e
        .record
        .number(&claim.quantity.replace("_error", "_floor"))?;
    let steps = ("step", e.record.values("steps")?);
    let values = e.record.values(claim.quantity)?;
    let points = Point::series(steps, values, (budget, "time"));
    Ok(claim.with_law(Law::Equals(order)).judge(e.slug, &points))
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
pub fn decrease(part: &Record) -> Result<Option<Observed>, RecordError> {
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
