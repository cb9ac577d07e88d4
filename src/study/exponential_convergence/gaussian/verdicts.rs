//! The measured decay between Gaussians against the claims: those of the torus, with their rates to six digits where one mode is left,
//! and those of the closed forms.

use super::super::verdicts::{Judge, NOTHING, sinkhorn_points_until};
use super::super::{Decay, ExponentialConvergence, claims};
use super::claims::{GAUSSIAN_CLAIMS, SIX_DIGITS};
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::study::gaussian::NOT_COMMUTING;
use crate::study::short;
use crate::verdict::{Claim, Law, Observed, Verdict};

/// Verdicts on all claims; what was not measured, because the run was cut short, decides nothing.
pub fn judge(
    study: &ExponentialConvergence,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    let shared = Judge { slug, record };
    let own = Gaussian { slug, record };
    let with_epsilons =
        |claim: &&Claim| !claim.name.starts_with("sinkhorn") || !study.epsilons.is_empty();
    let shared_claims = claims::CLAIMS.iter().filter(|c| c.name != "objective-rate");
    let first = shared_claims
        .filter(with_epsilons)
        .map(|claim| match claim.name {
            "sinkhorn-rate" => claim.or_cut_short(slug, own.mean_rates(claim)),
            _ => shared.claim(&settled(claim, record)),
        });
    let second = GAUSSIAN_CLAIMS
        .iter()
        .filter(with_epsilons)
        .map(|claim| claim.or_cut_short(slug, own.claim(claim)));
    first.chain(second).collect()
}

/// Where the other modes shift the mean rate at the end by less than this, the slowest is alone, and its rate is known to six digits.
const ALONE: f64 = 1e-8;

/// The claim with the law that the spectrum of what is left allows: six digits where one mode is left.
fn settled(claim: &Claim, record: &Record) -> Claim {
    let excess = |name: &str| record.number(name).unwrap_or(f64::INFINITY);
    let (mirror, plain) = (excess("slowest_excess"), excess("fokker_planck_excess"));
    let left = match claim.name {
        "sharp-rate" | "potential-rate" | "wasserstein-rate" => mirror,
        "fokker-planck-rate" => plain,
        "rate-ratio" => mirror.max(plain),
        _ => f64::INFINITY,
    };
    if left <= ALONE {
        claim.with_law(Law::Within(SIX_DIGITS))
    } else {
        *claim
    }
}

struct Gaussian<'a> {
    slug: &'a str,
    record: &'a Record,
}

impl Gaussian<'_> {
    fn claim(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        match claim.name {
            "closed-form" | "fokker-planck-closed-form" => self.closed_form(claim),
            "mode-rate" => self.mode_rates(claim, "rates", "rounding"),
            "fokker-planck-mode-rate" => {
                self.mode_rates(claim, "fokker_planck_rates", "fokker_planck_rounding")
            }
            "faster-than-fokker-planck" => self.winner(claim),
            "sinkhorn-exact-rate" => self.exact_rates(claim),
            "sinkhorn-rate-order" => Ok(claim.judge(self.slug, &self.rate_points()?)),
            name => unreachable!("{name} is not a claim of this problem"),
        }
    }

    /// Mean rates of Sinkhorn, from the start until KL has fallen to [`FALLEN`]: later the asymptotic rates, which differ by ε² only,
    /// would take over.
    fn mean_rates(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let kl = self.record.values("kl")?;
        let most = kl.iter().take_while(|v| **v > FALLEN * kl[0]).count();
        let points = sinkhorn_points_until(self.record, most)?;
        Ok(claim.judge(self.slug, &points))
    }

    fn commutes(&self) -> bool {
        self.record.values("source_variances").is_ok()
    }

    /// The largest relative defect over all instants.
    fn closed_form(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        self.record.values("kl")?;
        if !self.commutes() {
            return Ok(claim.not_applicable(self.slug, NOT_COMMUTING));
        }
        let defects = self.record.values(claim.quantity)?;
        let worst = defects.iter().copied().fold(0.0, f64::max);
        let reason = format!("largest of {} instants", defects.len());
        Ok(claim.judge_number(self.slug, Observed::plus_minus(worst, 0.0), reason))
    }

    /// Every mode that is there at the start, each with its own rate: the one farthest from its prediction.
    fn mode_rates(
        &self,
        claim: &Claim,
        predictions: &str,
        rounding: &str,
    ) -> Result<Verdict, RecordError> {
        let predicted = self.record.values(predictions)?;
        // Modes of Fokker–Planck are counted as the eigenvalues of Σ are.
        let (mut worst, mut absent) = (None::<Observed>, Vec::new());
        for (i, &rate) in predicted.iter().enumerate() {
            let Some(observed) = self.mode(claim.quantity, i, rounding)?.asymptotic() else {
                absent.push(format!("mode {}, rate {}", i + 1, short(rate)));
                continue;
            };
            let ratio = over(observed, rate);
            if worst.is_none_or(|w| farthest(ratio) > farthest(w)) {
                worst = Some(ratio);
            }
        }
        let judged = predicted.len() - absent.len();
        let Some(worst) = worst else {
            return Ok(claim.undecided(self.slug, NOTHING));
        };
        let reason = format!(
            "observed over predicted rate, farthest from 1 of {judged} modes, the slowest {}",
            short(predicted.iter().copied().fold(f64::INFINITY, f64::min))
        );
        let mut verdict = claim.judge_against(self.slug, worst, ("rate/prediction", 1.0), reason);
        verdict.excluded = absent
            .into_iter()
            .map(|mode| format!("{mode}: not in the start, or gone before its rate settles"))
            .collect();
        Ok(verdict)
    }

    fn mode(&self, family: &str, i: usize, rounding: &str) -> Result<Decay, RecordError> {
        let values = self.record.item(family, i)?.to_vec();
        let part = self.record.number(rounding)?;
        Ok(Decay {
            times: self.record.values("times")?.to_vec(),
            budgets: values.iter().map(|v| part * v).collect(),
            values,
        })
    }

    /// Per pair (s, θ): whichever is predicted to be slower, by θ against s alone, is observed to be slower.
    fn winner(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        self.record.values("fokker_planck_kl")?;
        if !self.commutes() {
            return Ok(claim.not_applicable(self.slug, NOT_COMMUTING));
        }
        let (s, theta) = (
            self.record.values("source_variances")?,
            self.record.values("target_variances")?,
        );
        let places = by_rate(s, theta);
        let (mut worst, mut left_out, mut wins) = (None::<Observed>, Vec::new(), [0, 0]);
        for k in 0..s.len() {
            let pair = format!("s = {}, θ = {}", short(s[k]), short(theta[k]));
            if (theta[k] / s[k] - 1.0).abs() < TIE {
                left_out.push(format!("{pair}: a tie"));
                continue;
            }
            let mirror = self.mode("modes", places[k], "rounding")?;
            let plain = self.mode("fokker_planck_modes", k, "fokker_planck_rounding")?;
            let (Some(mirror), Some(plain)) = (mirror.asymptotic(), plain.asymptotic()) else {
                left_out.push(format!("{pair}: not in the start"));
                continue;
            };
            let mirror_wins = theta[k] < s[k];
            wins[usize::from(!mirror_wins)] += 1;
            let ratio = if mirror_wins {
                quotient(plain, mirror)
            } else {
                quotient(mirror, plain)
            };
            if worst.is_none_or(|w: Observed| ratio.value > w.value) {
                worst = Some(ratio);
            }
        }
        let Some(worst) = worst else {
            let why = "θ = s for every eigenvalue that is in the start: neither flow is faster";
            return Ok(claim.not_applicable(self.slug, why));
        };
        let reason = format!(
            "{} eigenvalues with θ < s, where the mirror flow is faster, {} with θ > s, where it is slower; the nearest race",
            wins[0], wins[1]
        );
        let mut verdict = claim.judge_number(self.slug, worst, reason);
        verdict.excluded = left_out;
        Ok(verdict)
    }

    /// At every ε: the one farthest from its prediction.
    fn exact_rates(&self, claim: &Claim) -> Result<Verdict, RecordError> {
        let predicted = self.record.values("sinkhorn_rates")?;
        let mut worst: Option<Observed> = None;
        for (k, &rate) in predicted.iter().enumerate() {
            let Some(observed) = self.iterate(k)?.asymptotic() else {
                return Ok(claim.undecided(self.slug, NOTHING));
            };
            let ratio = over(observed, rate);
            if worst.is_none_or(|w| farthest(ratio) > farthest(w)) {
                worst = Some(ratio);
            }
        }
        let worst = worst.expect("the study asks for some ε");
        let reason = format!(
            "observed over predicted rate, farthest from 1 of {} ε",
            predicted.len()
        );
        Ok(claim.judge_against(self.slug, worst, ("rate/prediction", 1.0), reason))
    }

    fn iterate(&self, k: usize) -> Result<Decay, RecordError> {
        Ok(Decay {
            times: self.record.values("times")?.to_vec(),
            values: self.record.item("sinkhorn_modes", k)?.to_vec(),
            budgets: self.record.item("sinkhorn_modes_budget", k)?.to_vec(),
        })
    }

    /// `|rate^ε − rate|` of the slowest modes, both measured, with what their intervals leave.
    fn rate_points(&self) -> Result<Vec<Point>, RecordError> {
        let half = |o: Observed| 0.5 * (o.interval.1 - o.interval.0);
        let Some(flow) = self.mode("modes", 0, "rounding")?.asymptotic() else {
            return Ok(Vec::new());
        };
        let mut points = Vec::new();
        for (k, &epsilon) in self.record.values("epsilons")?.iter().enumerate() {
            let Some(observed) = self.iterate(k)?.asymptotic() else {
                continue;
            };
            points.push(Point {
                epsilon,
                value: (observed.value - flow.value).abs(),
                budget: half(observed) + half(flow),
                largest_part: "round-off",
                symbol: "ε",
            });
        }
        Ok(points)
    }
}

/// For each pair, given by increasing s, its place among the modes, which are counted by increasing `1/√(sθ)`.
fn by_rate(s: &[f64], theta: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..s.len()).collect();
    order.sort_by(|&a, &b| (s[b] * theta[b]).total_cmp(&(s[a] * theta[a])));
    let mut places = vec![0; s.len()];
    for (place, &k) in order.iter().enumerate() {
        places[k] = place;
    }
    places
}

/// Part of the first KL at which mean rates are read off.
const FALLEN: f64 = 1e-6;

/// θ and s this near are equal.
const TIE: f64 = 1e-9;

fn over(observed: Observed, by: f64) -> Observed {
    Observed {
        value: observed.value / by,
        interval: (observed.interval.0 / by, observed.interval.1 / by),
    }
}

/// `a/b` of positive numbers.
fn quotient(a: Observed, b: Observed) -> Observed {
    Observed {
        value: a.value / b.value,
        interval: (a.interval.0 / b.interval.1, a.interval.1 / b.interval.0),
    }
}

/// How far the interval reaches from 1.
fn farthest(ratio: Observed) -> f64 {
    (ratio.interval.0 - 1.0)
        .abs()
        .max((ratio.interval.1 - 1.0).abs())
}
