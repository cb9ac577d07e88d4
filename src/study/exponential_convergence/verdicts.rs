//! The measured decay against the claims.

use super::claims;
use super::gaussian::SIX_DIGITS;
use super::{Decay, ExponentialConvergence};
use crate::order::Point;
use crate::quantities::largest;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged};
use crate::study::short;
use crate::verdict::{Claim, Law, Observed, Status, Verdict};

/// A ratio to a bound is this uncertain at least: values are compared that were rounded.
const ROUNDING: f64 = 1e-12;

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
    share: &'static str,
    excess: &'static str,
}

/// Of the mirror flow.
pub const GAP: Spectrum = Spectrum {
    gap: "gap",
    eigenvalues: "eigenvalues",
    share: "slowest_share",
    excess: "slowest_excess",
};

/// Of Fokker–Planck.
pub const PLAIN_GAP: Spectrum = Spectrum {
    gap: "fokker_planck_gap",
    eigenvalues: "fokker_planck_eigenvalues",
    share: "fokker_planck_share",
    excess: "fokker_planck_excess",
};

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
    let ends = ratios.map(|(r, part)| (r, r * (1.0 - part), r * (1.0 + part)));
    let worst = ends.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1), a.2.max(b.2)));
    Ok(match worst {
        None => claim.undecided(e.slug, NOTHING),
        Some((value, low, high)) => {
            let interval = (low, high);
            claim.judge_number(e.slug, Observed { value, interval }, reason)
        }
    })
}

/// The asymptotic rate of a quantity against `factor` times the least eigenvalue.
pub fn rate(
    e: &Evidence<ExponentialConvergence>,
    claim: &Claim,
    quantity: &str,
    (symbol, factor): (&str, f64),
    spectrum: &Spectrum,
) -> Judged {
    let predicted = factor * e.record.number(spectrum.gap)?;
    let claim = settled(e.record, claim, &[spectrum]);
    let share = e.record.number(spectrum.share)?;
    let decay = decay(e.record, quantity)?;
    Ok(against(
        e,
        &claim,
        &decay,
        (symbol, predicted),
        (share, spectrum),
    ))
}

/// The asymptotic rate of `decay` against a predicted one, of a spectrum whose slowest mode has `share` of what is left.
fn against(
    e: &Evidence<ExponentialConvergence>,
    claim: &Claim,
    decay: &Decay,
    predicted: (&str, f64),
    (share, spectrum): (f64, &Spectrum),
) -> Verdict {
    if let Some(verdict) = not_yet(e.slug, claim, share) {
        return verdict;
    }
    match decay.asymptotic() {
        None => claim.undecided(e.slug, NOTHING),
        Some(observed) => {
            let rates = decay.rates();
            let reason = format!(
                "local rates from {} to {}, limit between {} and {}",
                short(rounded(rates[0])),
                short(rounded(rates[rates.len() - 1])),
                short(rounded(observed.interval.0)),
                short(rounded(observed.interval.1)),
            );
            let verdict = claim.judge_against(e.slug, observed, predicted, reason);
            let excess = (1.0 - share) * hidden(e.record, decay, predicted.1, spectrum.eigenvalues);
            let explained = predicted.1 * (1.0 + BEYOND * excess);
            let refuted = verdict.status == Status::Inconsistent;
            let again = decay.otherwise().map(|other| {
                claim
                    .judge_against(e.slug, other, predicted, String::new())
                    .status
            });
            if refuted && again != Some(Status::Inconsistent) {
                let why = format!(
                    "not settled: rates read at other distances do not say the same ({}); use more samples, or go on to a later time",
                    verdict.reason
                );
                return claim.undecided(e.slug, &why);
            }
            let faster = observed.interval.0 > predicted.1;
            if verdict.status == Status::Inconsistent && faster && observed.interval.0 <= explained
            {
                let why = format!(
                    "read too early: the slowest mode has {share:.2} of what is left at the end, and the others may make the rate up to {} ({}); \
                     go on to a later time",
                    short(rounded(explained)),
                    verdict.reason
                );
                return claim.undecided(e.slug, &why);
            }
            verdict
        }
    }
}

/// By which part of the slowest rate another mode may raise the local rates without that their course late in the
/// decay shows it: `(λ_j/λ_1 − 1) e^{−(r_j − r_1)T/8}`, the largest of the recorded eigenvalues; rates are r = λ or 2λ.
fn hidden(record: &Record, decay: &Decay, rate: f64, eigenvalues: &str) -> f64 {
    let (Ok(all), Some(end)) = (record.values(eigenvalues), decay.times.last()) else {
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
    largest(all.iter().map(raised))
}

/// The verdict where what is left at the end does not decay along the slowest mode: a start without a part in it never will, a
/// horizon that is too early shows other modes.
fn not_yet(slug: &str, claim: &Claim, share: f64) -> Option<Verdict> {
    if share < ABSENT {
        let why = format!(
            "the start has no part in the slowest mode (share {share:.1e}), so that it decays faster"
        );
        Some(claim.not_applicable(slug, &why))
    } else if share < DOMINANT {
        let why = format!(
            "pre-asymptotic: the slowest mode has {:.2} of what is left at the end; go on to a later time",
            share
        );
        Some(claim.undecided(slug, &why))
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
    if let Some(verdict) = not_yet(e.slug, claim, shares[0].min(shares[1])) {
        return Ok(verdict);
    }
    let rates = ["kl", "fokker_planck_kl"].map(|name| decay(e.record, name));
    let [mirror, plain] = rates;
    let (Some(mirror), Some(plain)) = (mirror?.asymptotic(), plain?.asymptotic()) else {
        return Ok(claim.undecided(e.slug, NOTHING));
    };
    if mirror.interval.0 <= 0.0 || plain.interval.0 <= 0.0 {
        return Ok(claim.undecided(e.slug, NOTHING));
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
    let claim = settled(e.record, claim, &[&GAP, &PLAIN_GAP]);
    Ok(claim.judge_against(e.slug, observed, ("ratio of gaps", gaps), reason))
}

/// W₂ is computed from log ρ, so it is as good as √KL is.
pub fn wasserstein(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let (kl, values) = (decay(e.record, "kl")?, e.record.values("wasserstein")?);
    let budget = |j: usize| 0.5 * values[j] * kl.budgets[j] / kl.values[j];
    let decay = Decay {
        budgets: (0..values.len()).map(budget).collect(),
        values: values.to_vec(),
        times: kl.times,
    };
    let (gap, share) = (e.record.number("gap")?, e.record.number("slowest_share")?);
    Ok(against(
        e,
        &settled(e.record, claim, &[&GAP]),
        &decay,
        ("gap", gap),
        (share, &GAP),
    ))
}

/// `|rate^ε − rate|` at every ε: an order in ε. It refutes only where Sinkhorn is near the flow: data that are nearer to each other than ε
/// is small are left at once by the first step, however the flow behaves.
pub fn sinkhorn(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let points = sinkhorn_points(e.record)?;
    let mut verdict = claim.judge(e.slug, &points);
    let until = read_until(e.record, usize::MAX)?;
    if let (Some(last), Some(point)) = (until, points.last()) {
        let apart = point.value * e.record.values("times")?[last];
        if verdict.status == Status::Inconsistent && apart > BESIDE {
            verdict.status = Status::Inconclusive;
            verdict.reason = format!(
                "pre-asymptotic: at ε = {} KL of Sinkhorn and of the flow differ by a factor e^{apart:.1}; use smaller ε; {}",
                short(point.epsilon),
                verdict.reason
            );
        }
    }
    Ok(verdict)
}

/// Logarithm of the ratio of two entropies up to which their difference is that of its first order in ε.
const BESIDE: f64 = 0.5;

/// The rate of KL along the flow of one other objective.
pub fn objective(e: &Evidence<ExponentialConvergence>, claim: &Claim) -> Judged {
    let (k, decay) = (e.run - 1, decay_of(e.record, "others_kl", e.run - 1)?);
    let shares = e.record.values("others_share")?;
    let share = shares.get(k).copied().unwrap_or(f64::NAN);
    let predicted = ("2·gap", 2.0 * e.record.number("gap")?);
    Ok(against(e, claim, &decay, predicted, (share, &GAP)))
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
    let Some(last) = read_until(record, most)? else {
        return Ok(Vec::new());
    };
    let flow = decay(record, "kl")?;
    let point = |(k, epsilon): (usize, &f64)| -> Result<Point, RecordError> {
        let decay = decay_of(record, "sinkhorn_kl", k)?;
        Ok(Point {
            epsilon: *epsilon,
            value: (decay.rate_between(0, last) - flow.rate_between(0, last)).abs(),
            budget: decay.uncertainty_between(0, last) + flow.uncertainty_between(0, last),
            largest_part: "time",
            symbol: "ε",
        })
    };
    let epsilons = record.values("epsilons")?.iter().enumerate();
    epsilons.map(point).collect()
}

/// The last of the first `most` instants that is clear at every ε, if three are.
fn read_until(record: &Record, most: usize) -> Result<Option<usize>, RecordError> {
    let mut usable = decay(record, "kl")?.clear_of(CLEAR).min(most);
    for k in 0..record.values("epsilons")?.len() {
        usable = usable.min(decay_of(record, "sinkhorn_kl", k)?.clear_of(CLEAR));
    }
    Ok(usable.checked_sub(1).filter(|&last| last >= 2))
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
