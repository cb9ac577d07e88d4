//! What the studies of functions on R and R² share: judging many defects at once, and drawing.

use crate::verdict::{Claim, Law, Observed, Verdict};

/// A defect with its error budget and where it was measured.
pub struct Sample {
    pub value: f64,
    pub budget: f64,
    pub place: String,
}

/// Judges [`Law::Below`] by every sample: a value within the limit holds, one whose budget does not reach down to it is refuted, and
/// where the budget covers the limit nothing is said, which is listed. Samples that say nothing must not be the majority.
///
/// # Panics
/// On other laws.
pub fn judge_samples(claim: &Claim, slug: &str, samples: &[Sample]) -> Verdict {
    let Law::Below(limit) = claim.law else {
        panic!("{} is not about a defect", claim.name)
    };
    let says = |s: &&Sample| s.value <= limit || s.value - s.budget > limit;
    let (telling, silent): (Vec<&Sample>, Vec<&Sample>) = samples.iter().partition(says);
    if telling.len() <= silent.len() {
        let why = "at most instants the error budget is larger than the limit: use a tighter tolerance, or earlier times";
        return claim.undecided(slug, why);
    }
    let worst = telling.iter().max_by(|a, b| a.value.total_cmp(&b.value));
    let worst = worst.expect("some sample says something");
    let observed = Observed {
        value: worst.value,
        interval: ((worst.value - worst.budget).max(0.0), worst.value),
    };
    let reason = format!("largest for {}", worst.place);
    let mut verdict = claim.judge_number(slug, observed, reason);
    let listed = silent.iter().map(|s| {
        format!(
            "{}: {:.1e} with an error budget of {:.1e}",
            s.place, s.value, s.budget
        )
    });
    verdict.excluded = listed.collect();
    verdict
}

/// Angles at which a level set is looked for.
const ANGLES: usize = 180;

/// Halvings of the interval in which a level is bracketed, and its outward steps.
const HALVINGS: usize = 50;
const OUTWARD: usize = 200;

/// The level set of a function about its minimiser `z`: on each ray the first point at which the function reaches the level, within
/// `reach`. Not a number, which interrupts the line, where it does not.
pub fn level_set(
    f: impl Fn((f64, f64)) -> f64,
    z: (f64, f64),
    level: f64,
    reach: f64,
) -> Vec<(f64, f64)> {
    let on_ray = |k: usize| {
        let angle = std::f64::consts::TAU * k as f64 / ANGLES as f64;
        let at = |r: f64| (z.0 + r * angle.cos(), z.1 + r * angle.sin());
        let step = reach / OUTWARD as f64;
        let outside = (1..=OUTWARD)
            .map(|j| j as f64 * step)
            .find(|&r| f(at(r)) >= level || f(at(r)).is_nan());
        let Some(mut high) = outside.filter(|&r| !f(at(r)).is_nan()) else {
            return (f64::NAN, f64::NAN);
        };
        let mut low = high - step;
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if f(at(middle)) >= level {
                high = middle;
            } else {
                low = middle;
            }
        }
        at(high)
    };
    (0..=ANGLES).map(on_ray).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Status;

    #[test]
    fn level_sets_of_a_paraboloid_are_ellipses_cut_at_the_reach() {
        let f = |(x, y): (f64, f64)| (x - 1.0).powi(2) + 4.0 * y * y;
        for (x, y) in level_set(f, (1.0, 0.0), 4.0, 3.0) {
            assert!((f((x, y)) - 4.0).abs() < 1e-12, "{x} {y}");
        }
        let cut = level_set(f, (1.0, 0.0), 4.0, 1.5);
        assert!(cut[0].0.is_nan() && !cut[ANGLES / 4].0.is_nan());
    }

    #[test]
    fn samples_decide_by_themselves_and_the_silent_ones_are_listed() {
        let claim = Claim::new("", "", "", "", Law::Below(1e-10));
        let sample = |value, budget| Sample {
            value,
            budget,
            place: "t = 1".into(),
        };
        let judged = |samples: &[Sample]| judge_samples(&claim, "", samples);
        let fine = judged(&[sample(1e-12, 1e-13), sample(2e-11, 1.0), sample(1e-9, 1e-8)]);
        assert_eq!((fine.status, fine.excluded.len()), (Status::Consistent, 1));
        let off = judged(&[sample(1e-12, 0.0), sample(1e-9, 1e-12)]);
        assert_eq!(off.status, Status::Inconsistent);
        let silent = judged(&[sample(1e-9, 1e-8), sample(1e-12, 0.0)]);
        assert_eq!(silent.status, Status::Inconclusive);
    }
}
