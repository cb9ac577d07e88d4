//! The measured flow against the claims.

use super::MirrorFlow;
use super::claims::{AGREEMENT, CLAIMS};
use crate::order::Point;
use crate::quantities::largest;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged, Reason};
use crate::study::hypothesis;
use crate::verdict::{Claim, Law, Observed, Verdict};

/// Verdicts on all claims that the scenario asks for.
pub fn judge(study: &MirrorFlow, slug: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
    rule::judge(CLAIMS, &Evidence::new(study, slug, record), &[])
}

/// Orders in the step are judged where there are refinements,
pub fn has_refinements(e: &Evidence<MirrorFlow>) -> bool {
    !e.study.refinements.is_empty()
}

/// orders in h where space is discretised by differences.
pub fn has_differences(e: &Evidence<MirrorFlow>) -> bool {
    e.record.number("space_order").is_ok()
}

pub fn not_smooth(e: &Evidence<MirrorFlow>) -> Reason {
    hypothesis::failed(e.record)
}

/// Identities are known to the accuracy of a Fourier calculus, or not at all.
pub fn by_differences(e: &Evidence<MirrorFlow>) -> Reason {
    Ok(match not_smooth(e)? {
        None if has_differences(e) => Some(DIFFERENCES.into()),
        failed => failed,
    })
}

impl Evidence<'_, MirrorFlow> {
    /// Differences of the routes; their budget is how far either of them moves with grid and tolerance.
    pub fn agreement(&self, claim: &Claim, own: &str) -> Judged {
        let dimension = self.record.array("p")?.ndim() - 1;
        let claim = claim.with_law(Law::Below(AGREEMENT[dimension - 1]));
        let (mirror, own) = (self.record.values("rho_budget")?, self.record.values(own)?);
        let budgets: Vec<f64> = mirror.iter().zip(own).map(|(a, b)| a + b).collect();
        self.within_budgets(&claim, &budgets)
    }

    /// The claim's quantity at every instant, with the recorded budget.
    pub fn at_instants(&self, claim: &Claim, budget: &str) -> Judged {
        self.within_budgets(claim, self.record.values(budget)?)
    }

    pub fn mass(&self, claim: &Claim) -> Judged {
        let least = self.record.values("min_density")?;
        let least = least.iter().copied().fold(f64::INFINITY, f64::min);
        let defects = self.record.values("mass_defect")?;
        let value = defects.iter().copied().fold(0.0, f64::max);
        let reason = format!("least density {least:.3e}");
        // A density that is not positive is as bad as a mass of two.
        let value = if least > 0.0 { value } else { 1.0 };
        Ok(claim.judge_number(self.slug, Observed::plus_minus(value, 0.0), reason))
    }

    /// `LOT(ρ_0, ρ_T) / ∫‖v‖dt`.
    pub fn length(&self, claim: &Claim) -> Judged {
        let travelled = self.record.values("travelled")?;
        let length = travelled.last().copied().unwrap_or(f64::NAN);
        let ratio = self.record.number("lot_distance")? / length;
        let reason = format!("length {length:.4}");
        // What ρ moves by with another tolerance, its maps do too, and interpolants are known to 1e-13.
        let moves = self.record.values("time_budget")?.iter().copied();
        let known = largest(moves.chain([INTERPOLATED]));
        let error = ROUNDING + known / length;
        Ok(claim.judge_number(self.slug, Observed::plus_minus(ratio, error), reason))
    }

    /// Judges the claim's quantity at every instant by itself: a value within the limit holds, one whose budget does not reach down to it
    /// is refuted, and where the budget covers the limit nothing is said, which is listed. Instants that say nothing must not
    /// be the majority.
    fn within_budgets(&self, claim: &Claim, budgets: &[f64]) -> Judged {
        let Law::Below(limit) = claim.law else {
            unreachable!("{} is not about a defect", claim.name)
        };
        let values = self.record.values(claim.quantity)?;
        let least = |k: usize| (values[k] - REFUTES * budgets[k]).max(0.0);
        let says = |k: &usize| values[*k] <= limit || least(*k) > limit;
        let (telling, silent): (Vec<usize>, Vec<usize>) = (0..values.len()).partition(says);
        if telling.len() <= silent.len() {
            let why = "at most instants the error budget is larger than the limit: use more points, a tighter tolerance, or earlier times";
            return Ok(claim.undecided(self.slug, why));
        }
        let worst = telling
            .iter()
            .copied()
            .max_by(|&a, &b| values[a].total_cmp(&values[b]));
        let worst = worst.expect("some instant says something");
        let observed = Observed {
            value: values[worst],
            interval: (least(worst), values[worst]),
        };
        let reason = format!("largest at t = {}", self.study.times[worst]);
        let mut verdict = claim.judge_number(self.slug, observed, reason);
        verdict.excluded = silent
            .iter()
            .map(|&k| {
                format!(
                    "t = {}: {:.1e} with an error budget of {:.1e}",
                    self.study.times[k], values[k], budgets[k]
                )
            })
            .collect();
        Ok(verdict)
    }

    pub fn time_order(&self, claim: &Claim) -> Judged {
        let order = self.record.number("time_order")?;
        let points = self.points("steps", claim.quantity)?;
        Ok(claim.with_law(Law::Equals(order)).judge(self.slug, &points))
    }

    pub fn space_order(&self, claim: &Claim) -> Judged {
        let order = self.record.number("space_order")?;
        let (resolved, coarse): (Vec<Point>, Vec<Point>) = self
            .points("spacings", claim.quantity)?
            .into_iter()
            .partition(|point| point.value <= RESOLVED);
        let mut verdict = claim
            .with_law(Law::Equals(order))
            .judge(self.slug, &resolved);
        let unresolved = |point: &Point| {
            format!(
                "h = {}: an error of {:.1e} is not resolved",
                point.epsilon, point.value
            )
        };
        verdict.excluded.extend(coarse.iter().map(unresolved));
        Ok(verdict)
    }

    /// Errors against steps, whose floor is how far the reference moves at ten times its tolerance, or against spacings.
    fn points(&self, x: &str, quantity: &str) -> Result<Vec<Point>, RecordError> {
        let steps = x == "steps";
        let budget = if steps {
            self.record.number(&quantity.replace("_error", "_floor"))?
        } else {
            TIGHT_PART
                * self
                    .record
                    .values("time_budget")?
                    .last()
                    .copied()
                    .unwrap_or(f64::NAN)
        };
        let x = (if steps { "step" } else { "h" }, self.record.values(x)?);
        let values = self.record.values(quantity)?;
        Ok(Point::series(x, values, (budget, "time")))
    }
}

/// Budgets are sizes, not bounds: a defect refutes an identity from this many of them on.
const REFUTES: f64 = 3.0;

/// A relative error above this is not in the range where orders show.
const RESOLVED: f64 = 1e-3;

/// Share of the change to a tolerance a hundred times looser that is error at the tight one: a hundredth would be proportional.
const TIGHT_PART: f64 = 0.1;

const DIFFERENCES: &str = "with differences the identity holds up to their order in h only, which is what the space orders judge";

/// Lengths are compared that were rounded, and come from a rule of high order.
const ROUNDING: f64 = 1e-9;

/// Displacements are interpolated.
const INTERPOLATED: f64 = 1e-12;
