//! The measured flow between Gaussians against the claims.

use super::super::MirrorFlow;
use super::claims::{GAUSSIAN_CLAIMS, IDENTITY};
use crate::quantities::largest;
use crate::record::{Record, RecordError};
use crate::rule::{self, Evidence, Judged};
use crate::study::gaussian::NOT_COMMUTING;
use crate::verdict::{Claim, Law, Observed, Verdict};

/// Verdicts on all claims.
pub fn judge(study: &MirrorFlow, slug: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
    rule::judge(GAUSSIAN_CLAIMS, &Evidence::new(study, slug, record), &[])
}

/// `LOT(ρ_0, ρ_T) / ∫‖v‖dt`, which is 1 where the maps from e^{-g} move along a line: in one dimension, and for the entropy. So it may
/// exceed 1 by the accuracy asked of identities.
pub fn length(e: &Evidence<MirrorFlow>, claim: &Claim) -> Judged {
    let travelled = e.record.values("travelled")?;
    let length = travelled.last().copied().unwrap_or(f64::NAN);
    let ratio = e.record.number("lot_distance")? / length;
    let reason = format!(
        "length {length:.4}, LOT distance over length 1 − {:.1e}",
        1.0 - ratio
    );
    let claim = claim.with_law(Law::Below(1.0 + IDENTITY));
    Ok(claim.judge_number(e.slug, Observed::plus_minus(ratio, ROUNDING), reason))
}

/// Of a ratio of lengths that were rounded.
const ROUNDING: f64 = 1e-12;

/// The largest relative defect over all instants; both sides are closed forms, so there is no budget to allow for.
pub fn closed_form(e: &Evidence<MirrorFlow>, claim: &Claim) -> Judged {
    e.record.values("times")?;
    let Ok(defects) = e.record.values(claim.quantity) else {
        return Ok(claim.not_applicable(e.slug, NOT_COMMUTING));
    };
    let worst = largest(defects.iter().copied());
    let reason = format!("largest of {} instants", defects.len());
    Ok(claim.judge_number(e.slug, Observed::plus_minus(worst, 0.0), reason))
}
