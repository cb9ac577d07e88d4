//! The measured flow against the claims.

use super::MirrorFlow;
use super::claims::{AGREEMENT, CLAIMS};
use super::path::Along;
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::study::hypothesis;
use crate::verdict::{Claim, Law, Observed, Verdict};

/// `|F_{k−1} − F_k − ∫D|/(F_{k−1} − F_k)`.
pub fn dissipation_defect(along: &Along, k: usize) -> f64 {
    ((along.drop[k] - along.dissipated[k]) / along.drop[k]).abs()
}

/// `|LOT speed − ‖v‖|/‖v‖`.
pub fn speed_defect(along: &Along, k: usize) -> f64 {
    (along.lot_speed[k] / along.speed[k] - 1.0).abs()
}

/// Verdicts on all claims; what was not measured, because the run was cut short, decides nothing.
pub fn judge(study: &MirrorFlow, slug: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
    let judge = Judge {
        study,
        slug,
        record,
    };
    if let Some(why) = hypothesis::failed(record)? {
        let refused = CLAIMS.iter().map(|claim| claim.not_applicable(slug, &why));
        return Ok(refused.collect());
    }
    let verdict = |claim: &Claim| match judge.claim(claim) {
        Err(RecordError::Missing(name)) => {
            Ok(claim.undecided(slug, &format!("cut short: `{name}` was not measured")))
        }
        judged => judged,
    };
    CLAIMS.iter().map(verdict).collect()
}

struct Judge<'a> {
    study: &'a MirrorFlow,
    slug: &'a str,
    record: &'a Record,
}

impl Judge<'_> {
    fn claim(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        match claim.name {
            "mass" => self.mass(claim),
            "primal-mirror" | "dual-mirror" | "conjugacy" | "dissipation" | "lot-speed"
                if self.record.number("space_order").is_ok() =>
            {
                Ok(claim.not_applicable(self.slug, DIFFERENCES))
            }
            "primal-mirror" => self.agreement(claim, "primal_budget"),
            "dual-mirror" => self.agreement(claim, "dual_budget"),
            "conjugacy" => self.agreement(claim, "conjugate_budget"),
            "dissipation" => self.dissipation(claim),
            "lot-speed" => self.speed(claim),
            name if name.ends_with("time-order") => self.time_order(claim),
            _ => self.space_order(claim),
        }
    }

    /// The largest difference over all instants; its budget is how far either route moves with grid and tolerance.
    fn agreement(&self, claim: &Claim, own: &str) -> Result<Verdict, RecordError> {
        let dimension = self.record.array("p")?.ndim() - 1;
        let claim = claim.with_law(Law::Below(AGREEMENT[dimension - 1]));
        let values = self.record.values(claim.quantity)?;
        let (mirror, own) = (self.record.values("rho_budget")?, self.record.values(own)?);
        let budgets: Vec<f64> = mirror.iter().zip(own).map(|(a, b)| a + b).collect();
        Ok(self.largest(&claim, values, &budgets))
    }

    fn mass(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let least = self.record.values("min_density")?;
        let least = least.iter().copied().fold(f64::INFINITY, f64::min);
        let (value, _) = largest(self.record.values("mass_defect")?);
        let reason = format!("least density {least:.3e}");
        Ok(claim.judge_number(self.slug, Observed::plus_minus(value, 0.0), reason))
    }

    fn dissipation(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let [drop, dissipated, quadrature, budget] =
            ["drop", "dissipated", "quadrature", "dissipation_budget"]
                .map(|name| self.record.values(name));
        let (drop, dissipated) = (drop?, dissipated?);
        let (quadrature, budget) = (quadrature?, budget?);
        let defect = |k: usize| ((drop[k] - dissipated[k]) / drop[k]).abs();
        let defects: Vec<f64> = (0..drop.len()).map(defect).collect();
        let budgets: Vec<f64> = (0..drop.len())
            .map(|k| budget[k] + (quadrature[k] / drop[k]).abs())
            .collect();
        Ok(self.largest(claim, &defects, &budgets))
    }

    fn speed(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let (speed, lot) = (
            self.record.values("speed")?,
            self.record.values("lot_speed")?,
        );
        let defects: Vec<f64> = lot
            .iter()
            .zip(speed)
            .map(|(l, s)| (l / s - 1.0).abs())
            .collect();
        Ok(self.largest(claim, &defects, self.record.values("speed_budget")?))
    }

    /// Judges the largest of values, whose instants are named, with the budget there.
    fn largest(&self, claim: &Claim, values: &[f64], budgets: &[f64]) -> Verdict {
        let (value, k) = largest(values);
        let observed = Observed {
            value,
            interval: ((value - budgets[k]).max(0.0), value),
        };
        let reason = format!("largest at t = {}", self.study.times[k]);
        claim.judge_number(self.slug, observed, reason)
    }

    fn time_order(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        if self.study.refinements.is_empty() {
            return Ok(claim.not_applicable(self.slug, "no refinements were asked for"));
        }
        let order = self.record.number("time_order")?;
        let points = self.points("steps", claim.quantity)?;
        Ok(claim.with_law(Law::Equals(order)).judge(self.slug, &points))
    }

    fn space_order(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let Ok(order) = self.record.number("space_order") else {
            let why =
                "a spectral calculus has no order in h: its error falls faster than every power";
            return Ok(claim.not_applicable(self.slug, why));
        };
        let points = self.points("spacings", claim.quantity)?;
        Ok(claim.with_law(Law::Equals(order)).judge(self.slug, &points))
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
        let (x, y) = (self.record.values(x)?, self.record.values(quantity)?);
        let point = |(&epsilon, &value): (&f64, &f64)| Point {
            epsilon,
            value,
            budget,
            symbol: if steps { "step" } else { "h" },
            largest_part: "time",
        };
        Ok(x.iter().zip(y).map(point).collect())
    }
}

/// Share of the change to a tolerance a hundred times looser that is error at the tight one: a hundredth would be proportional.
const TIGHT_PART: f64 = 0.1;

const DIFFERENCES: &str = "with differences the identity holds up to their order in h only, which is what the space orders judge";

/// The largest value and where it is.
fn largest(values: &[f64]) -> (f64, usize) {
    values
        .iter()
        .enumerate()
        .fold((0.0, 0), |best, (k, &value)| {
            if value > best.0 || value.is_nan() {
                (value, k)
            } else {
                best
            }
        })
}
