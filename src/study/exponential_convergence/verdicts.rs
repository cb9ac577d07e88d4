//! The measured decay against the claims.

use super::claims;
use super::gaussian::SIX_DIGITS;
use super::slowest::Slowest;
use super::{Decay, ExponentialConvergence};
use crate::quantities::largest;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged};
use crate::study::short;
use crate::verdict::{Claim, Law, Observed, Status, Verdict};
use mirrorflow_solvers::spectrum::uncertainty;

/// A ratio to a bound is this uncertain at least: values are compared that were rounded.
pub const ROUNDING: f64 = 1e-12;

/// Verdicts on all claims that the study's parameters ask for.
pub fn judge(
    study: &ExponentialConvergence,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    let evidence = Evidence::new(study, slug, record);
    let others: Vec<String> = study.others.iter().map(|o| o.label()).collect();
    let mut verdicts = rule::judge(claims::SHARED, &evidence, &[])?;
    verdicts.extend(rule::judge(claims::TORUS, &evidence, &others)?);
    Ok(verdicts)
}

/// What the record knows of a spectrum: the arrays of its least eigenvalue and of several, of the share of the slowest mode in what is left,
/// and (between Gaussians) of what the others still add to the mean rate at the end.
pub struct Spectrum {
    gap: &'static str,
    eigenvalues: &'static str,
    residuals: &'static str,
    kl: &'static str,
    amplitudes: &'static str,
    deviation: &'static str,
    share: &'static str,
    excess: &'static str,
}

/// Of the mirror flow.
pub const GAP: Spectrum = Spectrum {
    gap: "gap",
    eigenvalues: "eigenvalues",
    residuals: "residuals",
    kl: "kl",
    amplitudes: "amplitudes",
    deviation: "deviation",
    share: "slowest_share",
    excess: "slowest_excess",
};

/// Of Fokker–Planck.
pub const PLAIN_GAP: Spectrum = Spectrum {
    gap: "fokker_planck_gap",
    eigenvalues: "fokker_planck_eigenvalues",
    residuals: "fokker_planck_residuals",
    kl: "fokker_planck_kl",
    amplitudes: "fokker_planck_amplitudes",
    deviation: "fokker_planck_deviation",
    share: "fokker_planck_share",
    excess: "fokker_planck_excess",
};

impl Spectrum {
    /// By which part of itself the gap may be off on its grid; zero where it is known in closed form.
    pub fn uncertainty(&self, record: &Record) -> f64 {
        let (Ok(all), Ok(residuals)) = (
            record.values(self.eigenvalues),
            record.values(self.residuals),
        ) else {
            return 0.0;
        };
        uncertainty(residuals[0], all[1] - all[0]) / all[0]
    }
}

/// Where the other modes shift the mean rate at the end by less than this, the slowest is alone, and its rate is known to six digits.
const ALONE: f64 = 1e-8;

/// The claim with the law that the spectra of what is left allow.
fn settled(record: &Record, claim: &Claim, spectra: &[&Spectrum]) -> Claim {
    let alone = |s: &&Spectrum| record.number(s.excess).is_ok_and(|excess| excess <= ALONE);
    match spectra.iter().all(alone) {
        true => claim.with_law(Law::Within(SIX_DIGITS)),
        false => *claim,
    }
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

/// `max KL_t / (e^{−2κλt} KL_0)` over the instants after the first where KL is above its budget.
pub fn exponential_bound(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let (kappa, lambda) = (e.record.number("kappa")?, e.record.number("lambda")?);
    let bound = e.record.values("bound")?;
    let reason = format!(
        "κ = {kappa:.3} ({}), λ = {lambda:.4}, 2κλ = {:.3}",
        method(e.record)?,
        2.0 * kappa * lambda
    );
    ratio(e, claim, |kl, j| kl.values[j] / bound[j], reason)
}

/// `max 2κ KL_t / I_t`.
pub fn log_sobolev(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let (kappa, fisher) = (e.record.number("kappa")?, e.record.values("fisher")?);
    let reason = format!("κ = {kappa:.3} ({})", method(e.record)?);
    ratio(
        e,
        claim,
        |kl, j| 2.0 * kappa * kl.values[j] / fisher[j],
        reason,
    )
}

/// `max KL_j/KL_{j−1}`.
pub fn decreasing(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let reason = "largest ratio of successive values".to_owned();
    ratio(e, claim, |kl, j| kl.values[j] / kl.values[j - 1], reason)
}

/// The largest of `ratio(KL, j)` over usable j ≥ 1. Its interval ends where some ratio may be with KL's budget there and before.
fn ratio(
    e: &Evidence<ExponentialConvergence>,
    claim: &Claim,
    ratio: impl Fn(&Decay, usize) -> f64,
    reason: String,
) -> Judged {
    let kl = decay(e.record, "kl")?;
    let part = |j: usize| kl.budgets[j] / kl.values[j];
    let ratios = (1..kl.usable()).map(|j| (ratio(&kl, j), part(j) + part(j - 1) + ROUNDING));
    let ratios: Vec<(f64, f64)> = ratios.collect();
    if ratios.is_empty() {
        return Ok(claim.undecided(e.slug, NOTHING));
    }
    let worst = |side: f64| largest(ratios.iter().map(|(r, part)| r * (1.0 + side * part)));
    let observed = Observed {
        value: worst(0.0),
        interval: (worst(-1.0), worst(1.0)),
    };
    Ok(claim.judge_number(e.slug, observed, reason))
}

/// The asymptotic rate of a quantity of the flow of `spectrum` against `power` times the least eigenvalue.
pub fn rate(
    e: &Evidence<ExponentialConvergence>,
    claim: &Claim,
    quantity: &str,
    (symbol, power): (&str, f64),
    spectrum: &Spectrum,
) -> Judged {
    let predicted = power * e.record.number(spectrum.gap)?;
    let claim = settled(e.record, claim, &[spectrum]);
    let share = e.record.number(spectrum.share)?;
    let seen = seen(e.record, quantity, power, spectrum)?;
    Ok(against(
        e,
        &claim,
        seen,
        (symbol, predicted),
        (share, &[spectrum]),
    ))
}

/// A rate as it was read.
struct Seen {
    observed: Observed,
    /// The same by other instants: what both refute is refuted.
    again: Option<Observed>,
    how: String,
}

/// What there is to read, or why there is nothing.
type Read = Result<Seen, String>;

/// The rate of a quantity of the flow of `spectrum`: by three local rates where the slowest mode is most of what is left, on the torus also by the
/// amplitude of that mode, whichever knows it better.
fn seen(
    record: &Record,
    quantity: &str,
    power: f64,
    spectrum: &Spectrum,
) -> Result<Read, RecordError> {
    let decay = match record.values(&format!("{quantity}_budget")) {
        Ok(_) => decay(record, quantity)?,
        // W₂ is computed from log ρ, so it is as good as √KL is.
        Err(_) => {
            let (kl, values) = (decay(record, spectrum.kl)?, record.values(quantity)?);
            let budget = |j: usize| 0.5 * values[j] * kl.budgets[j] / kl.values[j];
            Decay {
                budgets: (0..values.len()).map(budget).collect(),
                values: values.to_vec(),
                times: kl.times,
            }
        }
    };
    let Ok(amplitudes) = record.values(spectrum.amplitudes) else {
        return Ok(by_local_rates(&decay));
    };
    let form = match power {
        1.0 => Some(record.values(&format!("{quantity}_form"))?),
        _ => None,
    };
    let slowest = Slowest {
        decay: &decay,
        kl: &self::decay(record, spectrum.kl)?,
        amplitudes: &amplitudes.chunks(decay.times.len()).collect::<Vec<_>>(),
        deviation: record.values(spectrum.deviation)?,
        form,
        power,
    };
    let share = record.number(spectrum.share)?;
    Ok(better(by_the_slowest(&slowest), &decay, share))
}

/// The one with the narrower interval, the other as what must agree to a refutation.
fn better(slowest: Read, decay: &Decay, share: f64) -> Read {
    let local = match share >= DOMINANT {
        true => by_local_rates(decay),
        false => Err(String::new()),
    };
    match (slowest, local) {
        (Ok(a), Ok(b)) => {
            let width = |seen: &Seen| seen.observed.interval.1 - seen.observed.interval.0;
            let (narrow, wide) = if width(&b) < width(&a) {
                (b, a)
            } else {
                (a, b)
            };
            Ok(Seen {
                again: Some(wide.observed),
                ..narrow
            })
        }
        // By itself it refutes nothing: without the amplitude nothing says whether other modes are still there.
        (Err(_), Ok(local)) => Ok(Seen {
            again: None,
            ..local
        }),
        (slowest, Err(_)) => slowest,
    }
}

fn by_local_rates(decay: &Decay) -> Read {
    let observed = decay.asymptotic().ok_or(NOTHING)?;
    let rates = decay.rates();
    Ok(Seen {
        observed,
        again: decay.otherwise(),
        how: format!(
            "local rates from {} to {}, limit between {} and {}",
            short(rounded(rates[0])),
            short(rounded(rates[rates.len() - 1])),
            short(rounded(observed.interval.0)),
            short(rounded(observed.interval.1)),
        ),
    })
}

fn by_the_slowest(slowest: &Slowest) -> Read {
    let Some((observed, [from, until])) = slowest.rate() else {
        return Err(slowest.lacking().to_owned());
    };
    Ok(Seen {
        observed,
        again: slowest.later().map(|(observed, _)| observed),
        how: format!(
            "by the amplitude of the slowest mode from t = {} to t = {}",
            short(from),
            short(until)
        ),
    })
}

/// A rate that was read against a predicted one, of spectra whose slowest modes have `share` of what is left at the end, or more.
fn against(
    e: &Evidence<ExponentialConvergence>,
    claim: &Claim,
    seen: Read,
    predicted: (&str, f64),
    (share, spectra): (f64, &[&Spectrum]),
) -> Verdict {
    if let Some(verdict) = not_yet(e, claim, share, spectra[0]) {
        return verdict;
    }
    let seen = match seen {
        Ok(seen) => seen,
        Err(why) => return claim.undecided(e.slug, &why),
    };
    let unknown: f64 = spectra.iter().map(|s| s.uncertainty(e.record)).sum();
    let unknown = predicted.1 * unknown;
    let judge = |observed: Observed, reason: String| {
        claim.judge_against(e.slug, observed.widened(unknown), predicted, reason)
    };
    let verdict = judge(seen.observed, seen.how);
    let refuted = |status| status == Status::Inconsistent;
    let again = seen.again.map(|again| judge(again, String::new()).status);
    if refuted(verdict.status) && !again.is_some_and(refuted) {
        let why = format!(
            "not settled: rates read at other instants do not say the same ({}); use more samples, or go on to a later time",
            verdict.reason
        );
        return claim.undecided(e.slug, &why);
    }
    verdict
}

/// The verdict where what is left at the end does not tell of the slowest mode: a start without a part in it never will, and local rates do
/// not before it is most of what is left.
fn not_yet(
    e: &Evidence<ExponentialConvergence>,
    claim: &Claim,
    share: f64,
    spectrum: &Spectrum,
) -> Option<Verdict> {
    let by_local_rates = e.record.values(spectrum.amplitudes).is_err();
    if share < ABSENT {
        let why = format!(
            "the start has no part in the slowest mode (share {share:.1e}), so that it decays faster"
        );
        Some(claim.not_applicable(e.slug, &why))
    } else if by_local_rates && share < DOMINANT {
        let why = format!(
            "pre-asymptotic: the slowest mode has {share:.2} of what is left at the end; go on to a later time"
        );
        Some(claim.undecided(e.slug, &why))
    } else {
        None
    }
}

/// Which flow is the faster one: the ratio of both observed rates against that of the gaps.
pub fn ratio_of_rates(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let gaps = e.record.number("gap")? / e.record.number("fokker_planck_gap")?;
    let shares = [
        e.record.number("slowest_share")?,
        e.record.number("fokker_planck_share")?,
    ];
    let (mirror, plain) = (
        seen(e.record, "kl", 2.0, &GAP)?,
        seen(e.record, "fokker_planck_kl", 2.0, &PLAIN_GAP)?,
    );
    let faster = if gaps > 1.0 {
        "the mirror flow"
    } else {
        "Fokker–Planck"
    };
    let both = mirror.and_then(|mirror| plain.map(|plain| (mirror, plain)));
    let seen = both.and_then(|(mirror, plain)| {
        let again = mirror.again.zip(plain.again);
        Ok(Seen {
            observed: quotient(mirror.observed, plain.observed).ok_or(NOTHING)?,
            again: again.and_then(|(mirror, plain)| quotient(mirror, plain)),
            how: format!("{faster} is the faster one"),
        })
    });
    let spectra = [&GAP, &PLAIN_GAP];
    let claim = settled(e.record, claim, &spectra);
    let predicted = ("ratio of gaps", gaps);
    let share = shares[0].min(shares[1]);
    Ok(against(e, &claim, seen, predicted, (share, &spectra)))
}

/// The ratio of two rates, which must be positive.
fn quotient(a: Observed, b: Observed) -> Option<Observed> {
    let positive = a.interval.0 > 0.0 && b.interval.0 > 0.0;
    positive.then(|| Observed {
        value: a.value / b.value,
        interval: (a.interval.0 / b.interval.1, a.interval.1 / b.interval.0),
    })
}

/// The rate of KL along the flow of one other objective.
pub fn objective(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let k = e.run - 1;
    let kl = decay_of(e.record, "others_kl", k)?;
    let amplitudes = e.record.item("others_amplitudes", k)?;
    let slowest = Slowest {
        decay: &kl,
        kl: &kl,
        amplitudes: &amplitudes.chunks(kl.times.len()).collect::<Vec<_>>(),
        deviation: e.record.item("others_deviation", k)?,
        form: None,
        power: 2.0,
    };
    let share = e.record.item("others_share", k)?[0];
    let predicted = ("2·gap", 2.0 * e.record.number("gap")?);
    Ok(against(
        e,
        claim,
        better(by_the_slowest(&slowest), &kl, share),
        predicted,
        (share, &[&GAP]),
    ))
}

/// The method whose κ is best.
fn method(record: &Record) -> Result<String, RecordError> {
    let best = record.number("kappa")?;
    let found = super::BOUNDS
        .iter()
        .find(|(_, name)| record.number(name).is_ok_and(|kappa| kappa == best));
    // On R^d it is the least eigenvalue of Σ^{-1}, by Bakry and Émery the constant of N(0, Σ).
    Ok(found.map_or("Bakry–Émery".into(), |(method, _)| method.to_string()))
}

/// Below this share the slowest mode is not there but for rounding.
const ABSENT: f64 = 1e-6;
/// From this share on local rates are those of the slowest mode, with a second one that the extrapolation takes out.
const DOMINANT: f64 = 0.5;

pub const NOTHING: &str = "too few instants at which the value is well above its error budget: use an earlier horizon, a tighter tolerance or more points";

/// Four decimals, for people.
fn rounded(value: f64) -> f64 {
    (1e4 * value).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(value: f64, error: f64) -> Observed {
        Observed::plus_minus(value, error)
    }

    #[test]
    fn a_quotient_is_as_wide_as_both_rates_allow() {
        let found = quotient(around(80.0, 4.0), around(40.0, 1.0)).unwrap();
        assert_eq!(found.value, 2.0);
        assert_eq!(found.interval, (76.0 / 41.0, 84.0 / 39.0));
        assert!(quotient(around(1.0, 2.0), around(40.0, 1.0)).is_none());
    }

    /// The verdict on a rate that was read as 77.2 ± 0.1 and again as `again`, against 2·gap = 80, with these residuals of the spectrum.
    fn verdict(again: Option<Observed>, residual: f64) -> Verdict {
        let study: ExponentialConvergence = ron::from_str("(time: 0.24)").unwrap();
        let mut record = Record::default();
        record.insert_curve("eigenvalues", vec![40.0, 40.0]);
        record.insert_curve("residuals", vec![residual, residual]);
        record.insert_curve("amplitudes", vec![1.0]);
        let evidence = Evidence::new(&study, "decay", &record);
        let claim = Claim::new("sharp-rate", "", "", "kl", Law::Within(0.02));
        let seen = Seen {
            observed: around(77.2, 0.1),
            again,
            how: String::new(),
        };
        against(&evidence, &claim, Ok(seen), ("2·gap", 80.0), (1.0, &[&GAP]))
    }

    #[test]
    fn a_rate_is_refuted_by_both_readings_only() {
        let refuted = verdict(Some(around(77.0, 0.5)), 0.0);
        assert_eq!(refuted.status, Status::Inconsistent);
        for again in [None, Some(around(80.0, 0.1)), Some(around(78.0, 1.0))] {
            assert_eq!(verdict(again, 0.0).status, Status::Inconclusive);
        }
    }

    #[test]
    fn what_is_not_known_of_the_gap_widens_the_rate() {
        let again = Some(around(77.0, 0.5));
        let known = verdict(again, 0.0).interval.unwrap();
        assert!((known.0 - 77.1).abs() < 1e-9 && (known.1 - 77.3).abs() < 1e-9);
        // A double eigenvalue: uncertain by the residual itself, 1 of 40.
        let unknown = verdict(again, 1.0);
        let (low, high) = unknown.interval.unwrap();
        assert!(
            (low - 75.1).abs() < 1e-9 && (high - 79.3).abs() < 1e-9,
            "{low} {high}"
        );
        assert_eq!(unknown.status, Status::Inconclusive);
    }
}
