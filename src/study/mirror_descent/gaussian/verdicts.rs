//! The measured runs between Gaussians against the claims.

use super::super::MirrorDescent;
use super::super::track::{Rule, Track};
use super::super::verdicts::{self, greatest, left_out, measured_constants};
use super::claims::GAUSSIAN_CLAIMS;
use crate::record::{Record, RecordError};
use crate::rule::{Evidence, Judged};
use crate::study::draw::three_digits;
use crate::verdict::{Claim, Law, Observed, Verdict};

/// Verdicts on the claims made anywhere, then on those about Gaussians.
pub fn judge(
    study: &MirrorDescent,
    slug: &str,
    record: &Record,
) -> Result<Vec<Verdict>, RecordError> {
    let mut all = verdicts::judge(study, slug, record)?;
    all.extend(verdicts::judge_by(GAUSSIAN_CLAIMS, study, slug, record)?);
    Ok(all)
}

type Of<'a> = Evidence<'a, MirrorDescent>;

/// Defect of the identity against comparator `c` at step `k`, and the size of its terms.
pub fn defect(track: &Track, metric_square: &[f64], c: usize, k: usize) -> (f64, f64) {
    let (eta, terms) = (track.eta[k], &track.terms[c]);
    let remainder = 0.5 * eta * metric_square[k];
    let signed = match track.rule {
        Rule::Explicit => remainder,
        _ => -remainder,
    };
    let parts = [
        (track.bregman[c][k] - track.bregman[c][k + 1]) / eta,
        signed,
        -terms.divergence[k],
        -track.counted()[k],
        terms.comparator_kl,
    ];
    let size = parts.iter().map(|part| part.abs()).sum();
    (parts.iter().sum(), size)
}

/// The largest relative defect over all steps and comparators. A step whose rounding covers the limit says nothing against the claim.
pub fn equality(e: &Of, claim: &Claim, track: &Track) -> Judged {
    let Law::Below(limit) = claim.law else {
        unreachable!("{} is about a defect", claim.name)
    };
    let part = e.record.part(&MirrorDescent::prefix(track.number));
    let (mut worst, mut silent) = ((0.0f64, 0.0), Vec::new());
    for c in 0..track.terms.len() {
        let squares = part.item("metric_square", c)?;
        for k in 0..track.steps() {
            let (defect, size) = defect(track, squares, c, k);
            let (value, noise) = (defect.abs() / size, track.terms[c].noise[k] / size);
            if value > limit && value - noise <= limit {
                silent.push(k);
            } else if value > worst.0 {
                worst = (value, noise);
            }
        }
    }
    silent.sort_unstable();
    silent.dedup();
    let (value, noise) = worst;
    let observed = Observed {
        value,
        interval: ((value - noise).max(0.0), value),
    };
    let reason = format!(
        "{} steps against {} densities; {}",
        track.steps(),
        track.terms.len(),
        measured_constants(track)
    );
    let mut verdict = claim.judge_number(e.slug, observed, reason);
    verdict.excluded = left_out(&silent);
    Ok(verdict)
}

/// `(λ/M)B/KL` over the counted iterates.
pub fn strong_convexity(e: &Of, claim: &Claim, track: &Track) -> Judged {
    let lambda = e.record.number("strong_convexity")?;
    let most = greatest(&track.largest_curvature);
    let c = lambda / most;
    let from = usize::from(track.rule != Rule::Explicit);
    let terms = &track.terms[0];
    let bound: Vec<f64> = terms.divergence.clone();
    let measured: Vec<f64> = track.bregman[0][from..]
        .iter()
        .take(bound.len())
        .map(|b| c * b)
        .collect();
    let noise: Vec<f64> = bound.iter().map(|kl| ROUNDING * kl).collect();
    let mut verdict = e.ratios(claim, track, 1, [&measured, &bound, &noise]);
    let least = track.ratios().into_iter().fold(f64::INFINITY, f64::min);
    verdict.reason.push_str(&format!(
        "; measured λ = {}, c = λ/M = {}, least KL/B = {}",
        three_digits(lambda),
        three_digits(c),
        three_digits(least)
    ));
    Ok(verdict)
}

/// Of closed forms.
const ROUNDING: f64 = 1e-12;
