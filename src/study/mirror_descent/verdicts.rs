//! The measured runs against the claims.

use super::bounds;
use super::claims::CLAIMS;
use super::track::{Rule, Track};
use super::{MirrorDescent, Run, Schedule};
use crate::figure::label_plain;
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged};
use crate::study::draw::three_digits;
use crate::study::short;
use crate::verdict::{Claim, Law, Observed, Verdict};

/// Ratios of sums are compared that were rounded.
const ROUNDING: f64 = 1e-12;
/// A ratio this near to 1, and nearer than its noise, says that the bound is attained: between Gaussians on R it is, at every step.
const EQUAL: f64 = 1e-6;

/// Why a claim about the average iterate is not made.
const NO_AVERAGE: &str = "the average of Gaussians is none, and its relative entropy is known by quadrature only, on R or R² and for widths that do not \
     differ too much; by convexity it is at most the average of KL, which `average-bound` judges";

/// Verdicts on the claims that the study's parameters ask for, claims about runs once for each of them.
pub fn judge(
    study: &MirrorDescent,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    judge_by(CLAIMS, study, slug, record)
}

/// The same by another table.
pub fn judge_by(
    rules: &[rule::Rule<MirrorDescent>],
    study: &MirrorDescent,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    let runs: Vec<String> = study
        .runs
        .iter()
        .map(|run| label_plain(&run.label()))
        .collect();
    rule::judge(rules, &Evidence::new(study, slug, record), &runs)
}

/// Relative entropies and divergences are squares of what is known to rounding.
const NOTHING: f64 = 1e-28;

pub const AT_REST: &str = "nothing moves: the start is e^{−f} to rounding";

/// Whether the start differs from e^{-f} by rounding alone.
pub fn at_rest(track: &Track) -> bool {
    track.bregman[0][0].abs() <= NOTHING && track.kl[0].abs() <= NOTHING
}

type Of<'a> = Evidence<'a, MirrorDescent>;

fn rule_of(e: &Of) -> Rule {
    Rule::of(&e.study.runs[e.run - 1])
}

pub fn is_explicit(e: &Of) -> bool {
    rule_of(e) == Rule::Explicit
}

pub fn is_implicit(e: &Of) -> bool {
    rule_of(e) == Rule::Implicit
}

/// Whether the run is one of mirror descent.
pub fn is_descent(e: &Of) -> bool {
    rule_of(e) != Rule::Sinkhorn
}

pub fn is_harmonic(e: &Of) -> bool {
    matches!(
        e.study.runs[e.run - 1],
        Run::Explicit(Schedule::Harmonic(_))
    )
}

pub fn is_log_over_t(e: &Of) -> bool {
    matches!(
        e.study.runs[e.run - 1],
        Run::Explicit(Schedule::LogOverT(_))
    )
}

/// Whether the study refines its steps.
pub fn has_limit(e: &Of) -> bool {
    e.study.limit.is_some()
}

/// The largest violation of the inequality.
pub fn evi(e: &Of, claim: &Claim) -> Judged {
    e.moving(claim, Evidence::evi)
}

/// What the steps spend against what the divergence pays.
pub fn regret_bound(e: &Of, claim: &Claim) -> Judged {
    e.moving(claim, |e, claim, track| {
        let (spent, bound) = (bounds::spent(track), bounds::weighted_regret(track));
        Ok(e.ratios(claim, track, 1, [&spent, &bound, &bounds::noise(track)]))
    })
}

/// Of the errors against η: those of the steps,
pub const STEPS: (&[&str], &str) = (&["limit_time_error"], "time");
/// and of conjugates, which also see the modes that the band leaves out.
pub const STEPS_AND_BAND: (&[&str], &str) = (&["limit_time_error", "limit_band_error"], "space");

impl Evidence<'_, MirrorDescent> {
    /// Judges the run by its track, unless nothing moves.
    pub fn moving(&self, claim: &Claim, judge: fn(&Self, &Claim, &Track) -> Judged) -> Judged {
        let track = Track::read(self.study, self.record, self.run)?;
        match at_rest(&track) {
            true => Ok(claim.undecided(self.slug, AT_REST)),
            false => judge(self, claim, &track),
        }
    }

    pub fn average_bound(&self, claim: &Claim, track: &Track) -> Judged {
        let times = track.times();
        let noise = bounds::noise(track).into_iter().zip(&times[1..]);
        let noise: Vec<f64> = noise.map(|(noise, time)| noise / time).collect();
        let (average, bound) = (track.average(), bounds::average(track));
        Ok(self.ratios(claim, track, 1, [&average, &bound, &noise]))
    }

    pub fn average_iterate(&self, claim: &Claim, track: &Track) -> Judged {
        if track.average_kl.is_empty() {
            return Ok(claim.not_applicable(self.slug, NO_AVERAGE));
        }
        let budget = &track.average_kl_budget;
        // One iterate is its own average.
        let from = if track.steps() > 1 { 2 } else { 1 };
        let sides = [&track.average_kl[..], &track.average(), budget];
        Ok(self.ratios(claim, track, from, sides))
    }

    pub fn implicit_decreasing(&self, claim: &Claim, track: &Track) -> Judged {
        let bound = bounds::implicit_next(track);
        let noise = &track.terms[0].noise;
        Ok(self.ratios(claim, track, 1, [&track.kl[1..], &bound, noise]))
    }

    /// The largest `measured/bound` over T ≥ `first`, `noise` in the unit of the bound. Where both are equal to one part in 10⁶ and to their noise the
    /// bound is attained; where the noise alone keeps them from being told apart, nothing is said.
    pub fn ratios(
        &self,
        claim: &Claim,
        track: &Track,
        first: usize,
        [measured, bound, noise]: [&[f64]; 3],
    ) -> Verdict {
        let at = |k: usize| {
            let (ratio, noise) = (measured[k] / bound[k], noise[k] / bound[k] + ROUNDING);
            let attained = (ratio - 1.0).abs() <= noise && noise <= EQUAL;
            if attained { (1.0, 0.0) } else { (ratio, noise) }
        };
        let decides = |k: &usize| {
            let (ratio, noise) = at(*k);
            ratio + noise <= 1.0 || ratio - noise > 1.0
        };
        let (telling, silent): (Vec<usize>, Vec<usize>) =
            (first - 1..measured.len()).partition(decides);
        let worst = telling
            .iter()
            .copied()
            .max_by(|&a, &b| at(a).0.total_cmp(&at(b).0));
        let Some(worst) = worst else {
            return claim.undecided(self.slug, "too few steps, or all of them at their rounding");
        };
        let (value, noise) = at(worst);
        let reason = format!(
            "largest at T = {}; {}",
            worst + 1,
            measured_constants(track)
        );
        let observed = Observed::plus_minus(value, noise);
        let mut verdict = claim.judge_number(self.slug, observed, reason);
        verdict.excluded = left_out(&silent);
        verdict
    }

    /// The largest violation over all steps and comparators, relative to the terms. A step whose rounding covers the limit says nothing
    /// against the claim.
    pub fn evi(&self, claim: &Claim, track: &Track) -> Judged {
        let Law::Below(limit) = claim.law else {
            unreachable!("{} is not about a defect", claim.name)
        };
        let mut worst = (f64::NEG_INFINITY, 0.0);
        let mut silent = Vec::new();
        for k in 0..track.steps() {
            for (c, terms) in track.terms.iter().enumerate() {
                let (slack, size) = track.slack(c, k);
                let (violation, noise) = (-slack / size, terms.noise[k] / size);
                if violation > limit && violation - noise <= limit {
                    silent.push(k);
                } else if violation > worst.0 {
                    worst = (violation, noise);
                }
            }
        }
        silent.dedup();
        let (value, noise) = worst;
        let observed = Observed {
            value,
            interval: (value - noise, value),
        };
        let masses = track.terms.iter().flat_map(|terms| &terms.mass_defect);
        let reason = format!(
            "{} steps against {} densities; {}; mass defects up to {:.0e}",
            track.steps(),
            track.terms.len(),
            measured_constants(track),
            masses.fold(0.0f64, |most, mass| most.max(mass.abs())),
        );
        let mut verdict = claim.judge_number(self.slug, observed, reason);
        verdict.excluded = left_out(&silent);
        Ok(verdict)
    }

    /// `−B_g`, and the definition's against the mean Fenchel gap.
    pub fn bregman(&self, claim: &Claim, track: &Track) -> Judged {
        let part = self.record.part(&MirrorDescent::prefix(track.number));
        let start = track.bregman[0][0];
        let negative = track.bregman.iter().flatten().map(|b| ((-b).max(0.0), 0.0));
        let both = part
            .values("bregman_legendre")?
            .iter()
            .zip(&track.bregman[0]);
        let both = both.zip(part.values("bregman_budget")?);
        let apart = both.map(|((a, b), budget)| ((a - b).abs(), *budget));
        let (value, budget) =
            negative.chain(apart).fold(
                (0.0, 0.0),
                |worst, next| if next.0 > worst.0 { next } else { worst },
            );
        let reason = format!(
            "{} iterates against {} densities, B_0 = {start:.3e}",
            track.kl.len(),
            track.bregman.len()
        );
        let observed = Observed {
            value: value / start,
            interval: ((value - budget).max(0.0) / start, value / start),
        };
        Ok(claim.judge_number(self.slug, observed, reason))
    }

    /// The bounds that need KL(e^{-f}|ρ_k) ≥ cB_k with c = λ/M.
    pub fn strongly_convex(
        &self,
        claim: &Claim,
        bound: fn(&Self, &Claim, &Track, Constants) -> Verdict,
    ) -> Judged {
        let track = &Track::read(self.study, self.record, self.run)?;
        if at_rest(track) {
            return Ok(claim.undecided(self.slug, AT_REST));
        }
        let lambda = self.record.number("strong_convexity")?;
        let most = greatest(&track.largest_curvature);
        if lambda <= 0.0 {
            let ratio = track.ratios().into_iter().fold(f64::INFINITY, f64::min);
            let why = format!(
                "g is not strongly convex: inf λ_min(∇²g) = {} (on the torus it cannot be), with M = {}; for information, \
                 KL(e^{{-f}}|ρ_k) ≥ {}·B_k along this run",
                three_digits(lambda),
                three_digits(most),
                three_digits(ratio)
            );
            return Ok(claim.not_applicable(self.slug, &why));
        }
        let c = lambda / most;
        let (Schedule::Harmonic(of_schedule) | Schedule::LogOverT(of_schedule)) =
            self.study.runs[track.number - 1].schedule().expect("steps")
        else {
            unreachable!("{} is about two schedules", claim.name)
        };
        if c * of_schedule < 1.0 {
            let why = format!(
                "C = {} is less than 1/c = M/λ = {}, with λ = {} and M = {} as measured: C ≥ {} would do if M stays",
                short(*of_schedule),
                three_digits(1.0 / c),
                three_digits(lambda),
                three_digits(most),
                three_digits(1.0 / c)
            );
            return Ok(claim.not_applicable(self.slug, &why));
        }
        let constants = Constants {
            of_schedule: *of_schedule,
            c,
        };
        let mut verdict = bound(self, claim, track, constants);
        verdict.reason.push_str(&format!(
            "; measured λ = {}, c = λ/M = {}, so C = {} ≥ 1/c = {}",
            three_digits(lambda),
            three_digits(c),
            short(*of_schedule),
            three_digits(1.0 / c)
        ));
        Ok(verdict)
    }

    pub fn log_regret(&self, claim: &Claim, track: &Track, of: Constants) -> Verdict {
        let bound = bounds::logarithmic_regret(track, of.of_schedule);
        let noise = bounds::noise(track);
        self.ratios(claim, track, 1, [&track.regret(), &bound, &noise])
    }

    /// B_T, and KL where it never rises.
    pub fn log_last_iterate(&self, claim: &Claim, track: &Track, of: Constants) -> Verdict {
        let noise = bounds::noise(track);
        let mut measured = track.bregman[0][1..].to_vec();
        let mut bound = bounds::logarithmic_divergence(track, of.of_schedule);
        let decreases = bounds::decreases(track);
        if decreases {
            let regret = bounds::logarithmic_regret(track, of.of_schedule);
            measured.extend(track.counted());
            bound.extend(regret.iter().enumerate().map(|(k, r)| r / (k as f64 + 1.0)));
        }
        let noise = [&noise[..], &noise[..]].concat();
        let mut verdict = self.ratios(claim, track, 1, [&measured, &bound, &noise]);
        verdict.reason.push_str(match decreases {
            true => "; KL never rises: both bounds judged",
            false => "; KL rises in places: only B_T judged",
        });
        verdict
    }

    pub fn log_over_t(&self, claim: &Claim, track: &Track, of: Constants) -> Verdict {
        let steps = track.steps();
        if of.c * track.eta[0] > 1.0 {
            let why = format!(
                "cη = {} is more than 1: use more steps",
                short(of.c * track.eta[0])
            );
            return claim.not_applicable(self.slug, &why);
        }
        if steps < self.study.steps {
            return claim.undecided(self.slug, "cut short before T");
        }
        let bound = bounds::last_divergence(track, of.of_schedule, of.c);
        let noise = bounds::noise(track)[steps - 1];
        let value = track.bregman[0][steps] / bound;
        let observed = Observed::plus_minus(value, noise / bound + ROUNDING);
        let reason = format!("T = {steps}; {}", measured_constants(track));
        claim.judge_number(self.slug, observed, reason)
    }

    /// What is spent over B_0, at every recorded instant after 0.
    pub fn flow_bound(&self, claim: &Claim) -> Judged {
        let flow = Fallen::read(self.record)?;
        let (spent, change) = (
            flow.part.values("spent")?,
            flow.part.values("spent_change")?,
        );
        let (value, budget) = flow.worst(|j| {
            let budget = (change[j] + flow.changes[0]) / flow.bregman[0] + ROUNDING;
            (spent[j] / flow.bregman[0], budget)
        });
        let observed = Observed::plus_minus(value, budget);
        Ok(claim.judge_number(self.slug, observed, flow.reason()?))
    }

    /// What B has fallen by against the integral of what it falls by.
    pub fn flow_identity(&self, claim: &Claim) -> Judged {
        let flow = Fallen::read(self.record)?;
        let (fallen, change) = (
            flow.part.values("fallen")?,
            flow.part.values("fallen_change")?,
        );
        let quadrature = flow.part.values("quadrature")?;
        let (value, budget) = flow.worst(|j| {
            let drop = flow.bregman[0] - flow.bregman[j];
            let budget = change[j] + quadrature[j] + flow.changes[0] + flow.changes[j];
            ((fallen[j] / drop - 1.0).abs(), budget / drop)
        });
        let observed = Observed {
            value,
            interval: ((value - budget).max(0.0), value),
        };
        Ok(claim.judge_number(self.slug, observed, flow.reason()?))
    }

    /// Errors against η, whose budget has these parts.
    pub fn order(&self, claim: &Claim, (parts, largest_part): (&[&str], &'static str)) -> Judged {
        let mut budget = 0.0;
        for part in parts {
            budget += self.record.number(part)?;
        }
        let etas = ("η", self.record.values("limit_eta")?);
        let values = self.record.values(claim.quantity)?;
        let points = Point::series(etas, values, (budget, largest_part));
        Ok(claim.judge(self.slug, &points))
    }
}

/// C of the schedule η_k = C/(k+1) or C log T/T, and c = λ/M.
#[derive(Clone, Copy)]
pub struct Constants {
    of_schedule: f64,
    c: f64,
}

/// B_g along the flow.
struct Fallen {
    part: Record,
    bregman: Vec<f64>,
    changes: Vec<f64>,
}

impl Fallen {
    fn read(record: &Record) -> Result<Self, RecordError> {
        let part = record.part("flow_");
        Ok(Self {
            bregman: part.values("bregman")?.to_vec(),
            changes: part.values("bregman_change")?.to_vec(),
            part,
        })
    }

    /// The largest value with its budget, over the instants after 0.
    fn worst(&self, at: impl Fn(usize) -> (f64, f64)) -> (f64, f64) {
        let each = (1..self.bregman.len()).map(at);
        each.fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
    }

    fn reason(&self) -> Result<String, RecordError> {
        let last = self.bregman.len() - 1;
        Ok(format!(
            "until t = {}, B_0 = {:.4e}, what is left of it {:.1e}",
            short(self.part.values("times")?[last]),
            self.bregman[0],
            self.bregman[last] / self.bregman[0]
        ))
    }
}

/// The hypotheses as they were measured.
pub fn measured_constants(track: &Track) -> String {
    if track.rule == Rule::Sinkhorn {
        return format!("B_0 = {:.3e}", track.bregman[0][0]);
    }
    let least = track
        .convexity
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    let gradient = bounds::largest_gradient(track)
        .last()
        .copied()
        .unwrap_or(0.0);
    let gradient = match track.rule {
        Rule::Explicit => format!(", sup G²/m = {}", three_digits(gradient)),
        _ => String::new(),
    };
    format!(
        "measured m = {}, M = {}{gradient}, B_0 = {:.3e}",
        three_digits(least),
        three_digits(greatest(&track.largest_curvature)),
        track.bregman[0][0]
    )
}

pub fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

/// Steps that say nothing, in few words.
pub fn left_out(silent: &[usize]) -> Vec<String> {
    let (Some(first), Some(last)) = (silent.first(), silent.last()) else {
        return Vec::new();
    };
    let count = silent.len();
    vec![format!(
        "{count} steps between k = {first} and {last}: at their rounding"
    )]
}
