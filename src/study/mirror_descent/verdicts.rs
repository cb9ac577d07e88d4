//! The measured runs against the claims.

use super::bounds;
use super::claims::CLAIMS;
use super::track::{Rule, Track};
use super::{MirrorDescent, Run, Schedule};
use crate::figure::label_plain;
use crate::order::Point;
use crate::record::{Record, RecordError};
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

/// Verdicts on the claims that the study's parameters ask for, claims about runs once for each of them; what was not measured, because the
/// run was cut short, decides nothing.
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
    let mut verdicts = Vec::new();
    for claim in CLAIMS {
        if claim.name.starts_with("flow-") {
            verdicts.push(claim.or_cut_short(slug, judge.flow(claim))?);
        } else if claim.name.ends_with("-order") {
            if study.limit.is_some() {
                verdicts.push(claim.or_cut_short(slug, judge.order(claim))?);
            }
        } else {
            for (k, run) in study.runs.iter().enumerate() {
                if concerns(claim, run) {
                    let verdict = claim.or_cut_short(slug, judge.run(claim, k + 1))?;
                    verdicts.push(of_run(verdict, run));
                }
            }
        }
    }
    Ok(verdicts)
}

/// Relative entropies and divergences are squares of what is known to rounding.
const NOTHING: f64 = 1e-28;

pub const AT_REST: &str = "nothing moves: the start is e^{−f} to rounding";

/// Whether the start differs from e^{-f} by rounding alone.
pub fn at_rest(track: &Track) -> bool {
    track.bregman[0][0].abs() <= NOTHING && track.kl[0].abs() <= NOTHING
}

/// Whether a claim about runs is about this one.
fn concerns(claim: &Claim, run: &Run) -> bool {
    let rule = Rule::of(run);
    match claim.name {
        "average-iterate" => true,
        "bregman" => rule != Rule::Sinkhorn,
        "implicit-evi" | "implicit-bound" | "implicit-decreasing" => rule == Rule::Implicit,
        "log-regret" | "log-last-iterate" => matches!(run, Run::Explicit(Schedule::Harmonic(_))),
        "log-over-t" => matches!(run, Run::Explicit(Schedule::LogOverT(_))),
        _ => rule == Rule::Explicit,
    }
}

pub fn of_run(mut verdict: Verdict, run: &Run) -> Verdict {
    let label = label_plain(&run.label());
    verdict.quantity = format!("{}, {label}", verdict.quantity);
    verdict
}

pub struct Judge<'a> {
    pub study: &'a MirrorDescent,
    pub slug: &'a str,
    pub record: &'a Record,
}

impl Judge<'_> {
    fn run(&self, claim: &Claim, number: usize) -> Result<Verdict, RecordError> {
        let track = Track::read(self.study, self.record, number)?;
        if at_rest(&track) {
            return Ok(claim.undecided(self.slug, AT_REST));
        }
        Ok(match claim.name {
            "evi" | "implicit-evi" => self.evi(claim, &track),
            "bregman" => self.bregman(claim, &track)?,
            "regret-bound" | "implicit-bound" => {
                let (spent, bound) = (bounds::spent(&track), bounds::weighted_regret(&track));
                self.ratios(claim, &track, 1, [&spent, &bound, &bounds::noise(&track)])
            }
            "average-bound" => {
                let times = track.times();
                let noise = bounds::noise(&track).into_iter().zip(&times[1..]);
                let noise: Vec<f64> = noise.map(|(noise, time)| noise / time).collect();
                let (average, bound) = (track.average(), bounds::average(&track));
                self.ratios(claim, &track, 1, [&average, &bound, &noise])
            }
            "average-iterate" if track.average_kl.is_empty() => {
                claim.not_applicable(self.slug, NO_AVERAGE)
            }
            "average-iterate" => {
                let budget = &track.average_kl_budget;
                // One iterate is its own average.
                let from = if track.steps() > 1 { 2 } else { 1 };
                self.ratios(
                    claim,
                    &track,
                    from,
                    [&track.average_kl, &track.average(), budget],
                )
            }
            "implicit-decreasing" => {
                let bound = bounds::implicit_next(&track);
                let noise = &track.terms[0].noise;
                self.ratios(claim, &track, 1, [&track.kl[1..], &bound, noise])
            }
            _ => self.strongly_convex(claim, &track)?,
        })
    }

    /// The largest `measured/bound` over T ≥ `first`, `noise` in the unit of the bound. Where both are equal to [`EQUAL`] and to their noise the
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
    fn evi(&self, claim: &Claim, track: &Track) -> Verdict {
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
        verdict
    }

    /// `−B_g`, and the definition's against the mean Fenchel gap.
    fn bregman(&self, claim: &Claim, track: &Track) -> Result<Verdict, RecordError> {
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
    fn strongly_convex(&self, claim: &Claim, track: &Track) -> Result<Verdict, RecordError> {
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
        let mut verdict = self.logarithmic(claim, track, (*of_schedule, c));
        verdict.reason.push_str(&format!(
            "; measured λ = {}, c = λ/M = {}, so C = {} ≥ 1/c = {}",
            three_digits(lambda),
            three_digits(c),
            short(*of_schedule),
            three_digits(1.0 / c)
        ));
        if claim.name == "log-last-iterate" {
            verdict.reason.push_str(if bounds::decreases(track) {
                "; KL never rises: both bounds judged"
            } else {
                "; KL rises in places: only B_T judged"
            });
        }
        Ok(verdict)
    }

    fn logarithmic(&self, claim: &Claim, track: &Track, (of_schedule, c): (f64, f64)) -> Verdict {
        let steps = track.steps();
        let noise = bounds::noise(track);
        let ratios = |measured: &[f64], bound: &[f64]| {
            self.ratios(claim, track, 1, [measured, bound, &noise])
        };
        match claim.name {
            "log-regret" => ratios(
                &track.regret(),
                &bounds::logarithmic_regret(track, of_schedule),
            ),
            "log-last-iterate" => {
                let mut measured = track.bregman[0][1..].to_vec();
                let mut bound = bounds::logarithmic_divergence(track, of_schedule);
                if bounds::decreases(track) {
                    let regret = bounds::logarithmic_regret(track, of_schedule);
                    measured.extend(track.counted());
                    bound.extend(regret.iter().enumerate().map(|(k, r)| r / (k as f64 + 1.0)));
                }
                let noise = [&noise[..], &noise[..]].concat();
                self.ratios(claim, track, 1, [&measured, &bound, &noise])
            }
            _ if c * track.eta[0] > 1.0 => {
                let why = format!(
                    "cη = {} is more than 1: use more steps",
                    short(c * track.eta[0])
                );
                claim.not_applicable(self.slug, &why)
            }
            _ if steps < self.study.steps => claim.undecided(self.slug, "cut short before T"),
            _ => {
                let bound = bounds::last_divergence(track, of_schedule, c);
                let value = track.bregman[0][steps] / bound;
                let observed = Observed::plus_minus(value, noise[steps - 1] / bound + ROUNDING);
                let reason = format!("T = {steps}; {}", measured_constants(track));
                claim.judge_number(self.slug, observed, reason)
            }
        }
    }

    /// The identity and the bound of the flow, at every recorded instant after 0.
    fn flow(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let flow = self.record.part("flow_");
        let curve = |name: &str| Ok::<_, RecordError>(flow.values(name)?.to_vec());
        let bregman = curve("bregman")?;
        let changes = curve("bregman_change")?;
        let last = bregman.len() - 1;
        let reason = format!(
            "until t = {}, B_0 = {:.4e}, what is left of it {:.1e}",
            short(flow.values("times")?[last]),
            bregman[0],
            bregman[last] / bregman[0]
        );
        let worst = |at: &dyn Fn(usize) -> (f64, f64)| {
            let each = (1..=last).map(at);
            let (value, budget) =
                each.fold((0.0, 0.0), |a: (f64, f64), b| if b.0 > a.0 { b } else { a });
            (value, budget)
        };
        let observed = if claim.name == "flow-bound" {
            let (spent, change) = (curve("spent")?, curve("spent_change")?);
            let (value, budget) = worst(&|j| {
                let budget = (change[j] + changes[0]) / bregman[0] + ROUNDING;
                (spent[j] / bregman[0], budget)
            });
            Observed::plus_minus(value, budget)
        } else {
            let (fallen, change) = (curve("fallen")?, curve("fallen_change")?);
            let quadrature = curve("quadrature")?;
            let (value, budget) = worst(&|j| {
                let drop = bregman[0] - bregman[j];
                let budget = change[j] + quadrature[j] + changes[0] + changes[j];
                ((fallen[j] / drop - 1.0).abs(), budget / drop)
            });
            Observed {
                value,
                interval: ((value - budget).max(0.0), value),
            }
        };
        Ok(claim.judge_number(self.slug, observed, reason))
    }

    /// Errors against η; conjugates also see the modes that the band leaves out.
    pub fn order(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let time = self.record.number("limit_time_error")?;
        let band = self.record.number("limit_band_error")?;
        let conjugate = claim.quantity.ends_with("conjugate");
        let (budget, largest_part) = if conjugate {
            (time + band, "space")
        } else {
            (time, "time")
        };
        let both = self
            .record
            .values("limit_eta")?
            .iter()
            .zip(self.record.values(claim.quantity)?);
        let points: Vec<Point> = both
            .map(|(&epsilon, &value)| Point {
                epsilon,
                value,
                budget,
                largest_part,
                symbol: "η",
            })
            .collect();
        Ok(claim.judge(self.slug, &points))
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
