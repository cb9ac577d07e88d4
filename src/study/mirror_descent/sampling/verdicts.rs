//! What was counted and measured against the claims.

use super::super::MirrorDescent;
use super::PREFIX;
use super::claims::CLAIMS;
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged};
use crate::study::draw::three_digits;
use crate::verdict::{Claim, Observed, Verdict};
use mirrorflow_solvers::sampling::GoodnessOfFit;

/// A remainder within this many budgets is not told from zero.
const TOLD: f64 = 3.0;
/// Least p-value that is written as such.
const LEAST: f64 = 1e-300;
/// Shortest times, of those at which the flow map is seen, that show its order.
const SHORTEST: usize = 4;
/// A law is as good as another when 2N·KL, by which it shifts χ², is at most this part of the deviation of χ².
const SHIFT: f64 = 0.25;

/// Verdicts on the claims about samples, if the study draws any.
///
/// # Errors
/// [`RecordError`] when the record is not one of this study.
pub fn judge(
    study: &MirrorDescent,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    if study.sampling.is_none() {
        return Ok(Vec::new());
    }
    rule::judge(CLAIMS, &Evidence::new(study, slug, record), &[])
}

/// The part of the record about samples.
pub struct Samples<'a> {
    slug: &'a str,
    record: Record,
}

impl<'a> Samples<'a> {
    pub fn of(e: &Evidence<'a, MirrorDescent>) -> Self {
        Self {
            slug: e.slug,
            record: e.record.part(PREFIX),
        }
    }

    /// The test of the counts of `sampler` against the masses of `law`.
    fn fit(&self, sampler: &str, law: &str) -> Result<GoodnessOfFit, RecordError> {
        let counts = self.record.values(&format!("{sampler}_counts"))?;
        let counts: Vec<u64> = counts.iter().map(|&count| count as u64).collect();
        let masses = self.record.values(&format!("{law}_masses"))?;
        let total: f64 = masses.iter().sum();
        if (total - 1.0).abs() >= 1e-9 || masses.iter().any(|p| *p < 0.0) {
            return Err(RecordError::Damaged {
                name: format!("{PREFIX}{law}_masses"),
                why: format!("are not probabilities of sum one, but {total}"),
            });
        }
        // Tried when it was measured.
        GoodnessOfFit::new(&counts, masses).map_err(|error| RecordError::Damaged {
            name: format!("{PREFIX}{law}_masses"),
            why: format!("is not what `{PREFIX}{sampler}_counts` can be tested against: {error}"),
        })
    }

    pub fn law(&self, claim: &Claim, sampler: &str) -> Judged {
        let fit = self.fit(sampler, sampler)?;
        let value = -fit.p_value.max(LEAST).log10();
        let reason = format!(
            "{}, χ² = {:.1} with {} degrees of freedom, p = {}; {} of a gradient per point",
            points(&fit),
            fit.chi_square,
            fit.degrees_of_freedom,
            three_digits(fit.p_value),
            self.evaluations(sampler)?
        );
        Ok(claim.judge_number(self.slug, exact(value.max(0.0)), reason))
    }

    fn evaluations(&self, sampler: &str) -> Result<String, RecordError> {
        Ok(
            match self.record.number(&format!("{sampler}_evaluations"))? {
                1.0 => "one evaluation".into(),
                steps => format!("{steps} evaluations"),
            },
        )
    }

    pub fn variation(&self, claim: &Claim) -> Judged {
        let fit = self.fit("one_map", "one_map")?;
        let against_source = self.fit("one_map", "source")?;
        let excess = fit.total_variation - fit.expected_total_variation;
        let reason = format!(
            "{}: {} where {} is expected; against e^{{-f}} {}",
            points(&fit),
            three_digits(fit.total_variation),
            three_digits(fit.expected_total_variation),
            three_digits(against_source.total_variation)
        );
        let observed = exact(excess / fit.total_variation_spread);
        Ok(claim.judge_number(self.slug, observed, reason))
    }

    /// Seen in the counts against Σ r log(r/p) over the bins, r of the law and p of e^{-f}; the points of finitely many one-step maps are
    /// as much nearer to e^{-f} or farther as their law is, what the bins hide being the same.
    pub fn relative_entropy(&self, claim: &Claim, sampler: &str) -> Judged {
        let fit = self.fit(sampler, "source")?;
        let (seen, error) = fit.relative_entropy();
        let law = self.record.values(&format!("{sampler}_masses"))?.iter();
        let both = law.zip(self.record.values("source_masses")?);
        let binned: f64 = both.map(|(r, p)| r * (r / p).ln()).sum();
        let whole = self.record.number(&format!("{sampler}_kl"))?;
        let own = match sampler {
            "composition" => self.record.number("one_step_kl")?,
            _ => whole,
        };
        let expected = own - (whole - binned);
        let reason = format!(
            "{}: seen {seen:.3e} ± {error:.1e}, in the bins {expected:.3e} of {own:.3e} in all",
            points(&fit)
        );
        let observed = exact((seen - expected).abs() / error);
        Ok(claim.judge_number(self.slug, observed, reason))
    }

    /// Needs one-step maps so short that N points do not tell their image from ρ_t.
    pub fn composed_law(&self, claim: &Claim) -> Judged {
        let bias = self.record.number("one_step_bias")?;
        let steps = self.record.number("composition_evaluations")?;
        let fit = self.fit("composition", "composition")?;
        let shift = 2.0 * fit.samples as f64 * bias;
        let allowed = SHIFT * (2.0 * fit.degrees_of_freedom as f64).sqrt();
        if shift <= allowed {
            return self.law(claim, "composition");
        }
        let why = format!(
            "{steps} one-step maps end at KL = {bias:.1e} from ρ_t, which {} points may tell: 2N KL = {shift:.1} is more than {allowed:.1}; \
             use {:.0} steps or more, since it falls with their square",
            fit.samples,
            (steps * (shift / allowed).sqrt()).ceil()
        );
        Ok(claim.not_applicable(self.slug, &why))
    }

    pub fn one_map_cost(&self, claim: &Claim) -> Judged {
        let cost = self.record.number("one_map_cost")?;
        let best = self.record.number("one_map_wasserstein_square")?;
        let budget = self.record.number("one_map_cost_budget")?;
        let reason = format!("cost {cost:.6e}, W_2² = {best:.6e}");
        let observed = at_most((cost / best - 1.0).abs(), budget);
        Ok(claim.judge_number(self.slug, observed, reason))
    }

    /// Cost over the least, where the displacement is no gradient.
    pub fn composition_cost(&self, claim: &Claim) -> Judged {
        let last = Last::read(&self.record)?;
        if !last.told_from_gradient() {
            let why = format!("a gradient: {}", last.parts());
            return Ok(claim.not_applicable(self.slug, &why));
        }
        let observed = Observed::plus_minus(last.best / last.cost, last.budget / last.cost);
        Ok(claim.judge_number(self.slug, observed, last.reason()))
    }

    /// Where it is one, the cost is the least.
    pub fn composition_optimal(&self, claim: &Claim) -> Judged {
        let last = Last::read(&self.record)?;
        if last.told_from_gradient() {
            let why = format!("not a gradient: {}", last.parts());
            return Ok(claim.not_applicable(self.slug, &why));
        }
        let defect = (last.cost / last.best - 1.0).abs();
        let observed = at_most(defect, last.budget / last.best);
        Ok(claim.judge_number(self.slug, observed, last.reason()))
    }

    /// The order in t at the shortest times.
    pub fn remainder(&self, claim: &Claim) -> Judged {
        let values = self.record.values("remainder")?;
        let budgets = self.record.values("remainder_budget")?;
        let times = self.record.values("times")?;
        if !has_remainder(&self.record)? {
            let why = "the displacement of the flow map is a gradient at all times";
            return Ok(claim.not_applicable(self.slug, why));
        }
        let shortest = (0..times.len()).take(SHORTEST).rev();
        let points: Vec<Point> = shortest
            .map(|k| Point {
                epsilon: times[k],
                value: values[k],
                budget: budgets[k],
                largest_part: "round-off",
                symbol: "t",
            })
            .collect();
        Ok(claim.judge(self.slug, &points))
    }
}

/// The flow map at the last time.
struct Last {
    time: f64,
    cost: f64,
    /// W_2² and what the difference is known to.
    best: f64,
    budget: f64,
    gradient: f64,
    remainder: f64,
    floor: f64,
}

impl Last {
    fn read(record: &Record) -> Result<Self, RecordError> {
        let last = |name: &str| -> Result<f64, RecordError> {
            let missing = || RecordError::Missing(format!("{PREFIX}{name}"));
            record.values(name)?.last().copied().ok_or_else(missing)
        };
        Ok(Self {
            time: last("times")?,
            cost: last("cost")?,
            best: last("wasserstein_square")?,
            budget: last("excess_budget")?,
            gradient: last("gradient")?,
            remainder: last("remainder")?,
            floor: last("remainder_budget")?,
        })
    }

    fn told_from_gradient(&self) -> bool {
        self.remainder > TOLD * self.floor
    }

    fn parts(&self) -> String {
        format!(
            "at t = {} the displacement has a gradient part of {} and a remainder of {} ± {:.1e}",
            three_digits(self.time),
            three_digits(self.gradient),
            three_digits(self.remainder),
            self.floor
        )
    }

    fn reason(&self) -> String {
        format!(
            "cost {:.6e}, W_2² = {:.6e}, excess {:.2e} ± {:.1e}; {}",
            self.cost,
            self.best,
            self.cost - self.best,
            self.budget,
            self.parts()
        )
    }
}

/// Whether the displacement of the flow map is told from a gradient at any time.
///
/// # Errors
/// [`RecordError::Missing`].
pub fn has_remainder(record: &Record) -> Result<bool, RecordError> {
    let budgets = record.values("remainder_budget")?;
    let mut both = record.values("remainder")?.iter().zip(budgets);
    Ok(both.any(|(value, budget)| *value > TOLD * budget))
}

fn points(fit: &GoodnessOfFit) -> String {
    format!("{} points in {} classes", fit.samples, fit.classes)
}

fn exact(value: f64) -> Observed {
    Observed::plus_minus(value, 0.0)
}

/// A defect that a budget may explain.
fn at_most(value: f64, budget: f64) -> Observed {
    Observed {
        value,
        interval: ((value - budget).max(0.0), value + budget),
    }
}
