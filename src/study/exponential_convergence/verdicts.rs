//! The measured decay against the claims.

use super::claims;
use super::{Decay, ExponentialConvergence};
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::study::{hypothesis, short};
use crate::verdict::{Claim, Observed, Status, Verdict};

/// A ratio to a bound is this uncertain at least: values are compared that were rounded.
const ROUNDING: f64 = 1e-12;

/// Verdicts on all claims; what was not measured, because the run was cut short, decides nothing.
pub fn judge(
    study: &ExponentialConvergence,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    let judge = Judge { slug, record };
    if let Some(why) = hypothesis::failed(record)? {
        let refused = asked(study).map(|claim| claim.not_applicable(slug, &why));
        return Ok(refused.collect());
    }
    let mut verdicts = Vec::new();
    for claim in asked(study) {
        match claim.name {
            "objective-rate" => verdicts.extend(judge.others(claim, study)?),
            _ => verdicts.push(judge.claim(claim)?),
        }
    }
    Ok(verdicts)
}

/// The claims that the study's parameters ask for.
fn asked(study: &ExponentialConvergence) -> impl Iterator<Item = &'static Claim> {
    let (sinkhorn, others) = (!study.epsilons.is_empty(), !study.others.is_empty());
    claims::CLAIMS.iter().filter(move |claim| match claim.name {
        "sinkhorn-rate" => sinkhorn,
        "objective-rate" => others,
        _ => true,
    })
}

/// The usable part of a recorded quantity with its budget, if it has one.
pub fn decay(record: &Record, quantity: &str) -> Result<Decay, RecordError> {
    let values = record.values(quantity)?.to_vec();
    Ok(Decay {
        times: record.values("times")?.to_vec(),
        budgets: record.values(&format!("{quantity}_budget"))?.to_vec(),
        values,
    })
}

/// Row `k` of a recorded family of decays.
pub fn decay_of(record: &Record, family: &str, k: usize) -> Result<Decay, RecordError> {
    Ok(Decay {
        times: record.values("times")?.to_vec(),
        values: record.item(family, k)?.to_vec(),
        budgets: record.item(&format!("{family}_budget"), k)?.to_vec(),
    })
}

/// Judges one study's record.
pub struct Judge<'a> {
    pub slug: &'a str,
    pub record: &'a Record,
}

impl Judge<'_> {
    /// The verdict on a claim that has one: all but that on other objectives.
    ///
    /// # Errors
    /// [`RecordError`] when the record is not one of this study.
    pub fn claim(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let judged = match claim.name {
            "exponential-bound" => self.bound(claim),
            "log-sobolev" => self.log_sobolev(claim),
            "decreasing" => self.decreasing(claim),
            "sharp-rate" => self.rate(claim, "kl", ("2·gap", 2.0, "gap"), "slowest_share"),
            "potential-rate" => self.rate(claim, "gradient", ("gap", 1.0, "gap"), "slowest_share"),
            "wasserstein-rate" => self.wasserstein(claim),
            "fokker-planck-rate" => {
                let predicted = ("2·gap", 2.0, "fokker_planck_gap");
                self.rate(claim, "fokker_planck_kl", predicted, "fokker_planck_share")
            }
            "rate-ratio" => self.ratio_of_rates(claim),
            "sinkhorn-rate" => self.sinkhorn(claim),
            name => unreachable!("{name} is not one claim of this study"),
        };
        claim.or_cut_short(self.slug, judged)
    }

    /// `max KL_t / (e^{−2κλt} KL_0)` over the instants after the first where KL is above its budget.
    fn bound(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let (kappa, lambda) = (self.record.number("kappa")?, self.record.number("lambda")?);
        let bound = self.record.values("bound")?;
        let reason = format!(
            "κ = {kappa:.3} ({}), λ = {lambda:.4}, 2κλ = {:.3}",
            self.method()?,
            2.0 * kappa * lambda
        );
        self.ratio(claim, |kl, j| kl.values[j] / bound[j], reason)
    }

    /// `max 2κ KL_t / I_t`.
    fn log_sobolev(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let (kappa, fisher) = (self.record.number("kappa")?, self.record.values("fisher")?);
        let reason = format!("κ = {kappa:.3} ({})", self.method()?);
        self.ratio(
            claim,
            |kl, j| 2.0 * kappa * kl.values[j] / fisher[j],
            reason,
        )
    }

    /// `max KL_j/KL_{j−1}`.
    fn decreasing(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let reason = "largest ratio of successive values".to_owned();
        self.ratio(claim, |kl, j| kl.values[j] / kl.values[j - 1], reason)
    }

    /// The largest of `ratio(KL, j)` over usable j ≥ 1. Its interval ends where some ratio may be with KL's budget there and before.
    fn ratio(
        &self,
        claim: &Claim,
        ratio: impl Fn(&Decay, usize) -> f64,
        reason: String,
    ) -> Result<Verdict, RecordError> {
        let kl = decay(self.record, "kl")?;
        let part = |j: usize| kl.budgets[j] / kl.values[j];
        let ratios = (1..kl.usable()).map(|j| (ratio(&kl, j), part(j) + part(j - 1) + ROUNDING));
        let ends = ratios.map(|(r, part)| (r, r * (1.0 - part), r * (1.0 + part)));
        let worst = ends.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1), a.2.max(b.2)));
        Ok(match worst {
            None => claim.undecided(self.slug, NOTHING),
            Some((value, low, high)) => {
                let interval = (low, high);
                claim.judge_number(self.slug, Observed { value, interval }, reason)
            }
        })
    }

    /// The asymptotic rate of a quantity against `factor` times the recorded eigenvalue, whose modes have the recorded share of what is
    /// left.
    fn rate(
        &self,
        claim: &Claim,
        quantity: &str,
        (symbol, factor, eigenvalue): (&str, f64, &str),
        share: &str,
    ) -> Result<Verdict, RecordError> {
        let predicted = factor * self.record.number(eigenvalue)?;
        let share = self.record.number(share)?;
        let decay = decay(self.record, quantity)?;
        let eigenvalues = eigenvalue.replace("gap", "eigenvalues");
        Ok(self.against(claim, &decay, (symbol, predicted), (share, &eigenvalues)))
    }

    fn against(
        &self,
        claim: &Claim,
        decay: &Decay,
        predicted: (&str, f64),
        (share, eigenvalues): (f64, &str),
    ) -> Verdict {
        if let Some(verdict) = self.not_yet(claim, share) {
            return verdict;
        }
        match decay.asymptotic() {
            None => claim.undecided(self.slug, NOTHING),
            Some(observed) => {
                let rates = decay.rates();
                let reason = format!(
                    "local rates from {} to {}, limit between {} and {}",
                    short(rounded(rates[0])),
                    short(rounded(rates[rates.len() - 1])),
                    short(rounded(observed.interval.0)),
                    short(rounded(observed.interval.1)),
                );
                let verdict = claim.judge_against(self.slug, observed, predicted, reason);
                let excess = (1.0 - share) * self.hidden(decay, predicted.1, eigenvalues);
                let explained = predicted.1 * (1.0 + BEYOND * excess);
                let refuted = verdict.status == Status::Inconsistent;
                let again = decay.otherwise().map(|other| {
                    claim
                        .judge_against(self.slug, other, predicted, String::new())
                        .status
                });
                if refuted && again != Some(Status::Inconsistent) {
                    let why = format!(
                        "not settled: rates read at other distances do not say the same ({}); use more samples, or go on to a later time",
                        verdict.reason
                    );
                    return claim.undecided(self.slug, &why);
                }
                let faster = observed.interval.0 > predicted.1;
                if verdict.status == Status::Inconsistent
                    && faster
                    && observed.interval.0 <= explained
                {
                    let why = format!(
                        "read too early: the slowest mode has {share:.2} of what is left at the end, and the others may make the rate up to {} ({}); \
                         go on to a later time",
                        short(rounded(explained)),
                        verdict.reason
                    );
                    return claim.undecided(self.slug, &why);
                }
                verdict
            }
        }
    }

    /// By which part of the slowest rate another mode may raise the local rates without that their course late in the
    /// decay shows it: `(λ_j/λ_1 − 1) e^{−(r_j − r_1)T/8}`, the largest of the recorded eigenvalues; rates are r = λ or 2λ.
    fn hidden(&self, decay: &Decay, rate: f64, eigenvalues: &str) -> f64 {
        let (Ok(all), Some(end)) = (self.record.values(eigenvalues), decay.times.last()) else {
            return 0.0;
        };
        let Some(slowest) = all.first() else {
            return 0.0;
        };
        let raised = |other: &f64| {
            let part = other / slowest - 1.0;
            part * (-part * rate * LATE * end).exp()
        };
        // The slowest itself raises nothing; a NaN is the largest.
        all.iter().map(raised).max_by(f64::total_cmp).unwrap_or(0.0)
    }

    /// The verdict where what is left at the end does not decay along the slowest mode: a start without a part in it never will, a
    /// horizon that is too early shows other modes.
    fn not_yet(&self, claim: &Claim, share: f64) -> Option<Verdict> {
        if share < ABSENT {
            let why = format!(
                "the start has no part in the slowest mode (share {share:.1e}), so that it decays faster"
            );
            Some(claim.not_applicable(self.slug, &why))
        } else if share < DOMINANT {
            let why = format!(
                "pre-asymptotic: the slowest mode has {:.2} of what is left at the end; go on to a later time",
                share
            );
            Some(claim.undecided(self.slug, &why))
        } else {
            None
        }
    }

    /// Which flow is the faster one: the ratio of both observed rates against that of the gaps.
    fn ratio_of_rates(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let gaps = self.record.number("gap")? / self.record.number("fokker_planck_gap")?;
        let shares = [
            self.record.number("slowest_share")?,
            self.record.number("fokker_planck_share")?,
        ];
        if let Some(verdict) = self.not_yet(claim, shares[0].min(shares[1])) {
            return Ok(verdict);
        }
        let rates = ["kl", "fokker_planck_kl"].map(|name| decay(self.record, name));
        let [mirror, plain] = rates;
        let (Some(mirror), Some(plain)) = (mirror?.asymptotic(), plain?.asymptotic()) else {
            return Ok(claim.undecided(self.slug, NOTHING));
        };
        if mirror.interval.0 <= 0.0 || plain.interval.0 <= 0.0 {
            return Ok(claim.undecided(self.slug, NOTHING));
        }
        let observed = Observed {
            value: mirror.value / plain.value,
            interval: (
                mirror.interval.0 / plain.interval.1,
                mirror.interval.1 / plain.interval.0,
            ),
        };
        let faster = if gaps > 1.0 {
            "the mirror flow"
        } else {
            "Fokker–Planck"
        };
        let reason = format!("{faster} is the faster one");
        Ok(claim.judge_against(self.slug, observed, ("ratio of gaps", gaps), reason))
    }

    /// W₂ is computed from log ρ, so it is as good as √KL is.
    fn wasserstein(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let (kl, values) = (
            decay(self.record, "kl")?,
            self.record.values("wasserstein")?,
        );
        let budget = |j: usize| 0.5 * values[j] * kl.budgets[j] / kl.values[j];
        let decay = Decay {
            budgets: (0..values.len()).map(budget).collect(),
            values: values.to_vec(),
            times: kl.times,
        };
        let (gap, share) = (
            self.record.number("gap")?,
            self.record.number("slowest_share")?,
        );
        Ok(self.against(claim, &decay, ("gap", gap), (share, "eigenvalues")))
    }

    /// `|rate^ε − rate|` at every ε: an order in ε.
    fn sinkhorn(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        Ok(claim.judge(self.slug, &sinkhorn_points(self.record)?))
    }

    /// One verdict per other objective.
    fn others(
        &self,
        claim: &Claim,
        study: &ExponentialConvergence,
    ) -> Result<Vec<Verdict>, RecordError> {
        let predicted = ("2·gap", 2.0 * self.record.number("gap").unwrap_or(f64::NAN));
        let mut verdicts = Vec::new();
        for (k, objective) in study.others.iter().enumerate() {
            let share = self
                .record
                .values("others_share")
                .map_or(f64::NAN, |s| s[k.min(s.len() - 1)]);
            let mut verdict = match decay_of(self.record, "others_kl", k) {
                Ok(decay) => self.against(claim, &decay, predicted, (share, "eigenvalues")),
                Err(_) => claim.undecided(self.slug, "cut short before this objective"),
            };
            verdict.quantity = format!("KL along the flow of {}", objective.label());
            verdict.reason = format!("{}: {}", objective.label(), verdict.reason);
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// The method whose κ is best.
    fn method(&self) -> Result<String, RecordError> {
        let best = self.record.number("kappa")?;
        let found = super::BOUNDS
            .iter()
            .find(|(_, name)| self.record.number(name).is_ok_and(|kappa| kappa == best));
        // On R^d it is the least eigenvalue of Σ^{-1}, by Bakry and Émery the constant of N(0, Σ).
        Ok(found.map_or("Bakry–Émery".into(), |(method, _)| method.to_string()))
    }
}

/// The part of the time over which local rates are compared, by Aitken's three.
const LATE: f64 = 0.125;
/// Shares are of ‖h‖² at the very end, rates are read before it.
const BEYOND: f64 = 1.5;

/// Rates are compared where values are this many times their budget: their small differences need more digits than they do.
const CLEAR: f64 = 1e4;

/// `|rate^ε − rate|` from the start to the last instant that is clear at every ε, descending in ε: the mean rates, whose difference is
/// `|log(KL^ε/KL)|/t` there. (The asymptotic rates are nearer: in the Gaussian sector they differ by ε², see the docs.)
pub fn sinkhorn_points(record: &Record) -> Result<Vec<Point>, RecordError> {
    sinkhorn_points_until(record, usize::MAX)
}

/// The same from the first `most` instants.
pub fn sinkhorn_points_until(record: &Record, most: usize) -> Result<Vec<Point>, RecordError> {
    let (flow, epsilons) = (decay(record, "kl")?, record.values("epsilons")?);
    let iterates = (0..epsilons.len())
        .map(|k| decay_of(record, "sinkhorn_kl", k))
        .collect::<Result<Vec<_>, _>>()?;
    let all = iterates.iter().chain([&flow]);
    let usable = all.map(|decay| decay.clear_of(CLEAR).min(most)).min();
    let Some(last) = usable
        .and_then(|n| n.checked_sub(1))
        .filter(|&last| last >= 2)
    else {
        return Ok(Vec::new());
    };
    let point = |(epsilon, decay): (&f64, &Decay)| Point {
        epsilon: *epsilon,
        value: (decay.rate_between(0, last) - flow.rate_between(0, last)).abs(),
        budget: decay.uncertainty_between(0, last) + flow.uncertainty_between(0, last),
        largest_part: "time",
        symbol: "ε",
    };
    Ok(epsilons.iter().zip(&iterates).map(point).collect())
}

/// Below this share the slowest mode is not there but for rounding.
const ABSENT: f64 = 1e-6;
/// From this share on what is left decays as the slowest mode, with a second one that the extrapolation takes out.
const DOMINANT: f64 = 0.5;

pub const NOTHING: &str = "too few instants at which the value is well above its error budget: use an earlier horizon, a tighter tolerance or more points";

/// Four decimals, for people.
fn rounded(value: f64) -> f64 {
    (1e4 * value).round() / 1e4
}
