//! The measured flow between Gaussians against the claims.

use super::super::verdicts::Judge;
use super::super::{CLAIMS, MirrorFlow};
use super::claims::{GAUSSIAN_CLAIMS, IDENTITY, STEPS};
use crate::record::{Record, RecordError};
use crate::study::gaussian::NOT_COMMUTING;
use crate::verdict::{Claim, Law, Observed, Verdict};

/// The claims of the torus that are made here, with the accuracy that closed forms allow.
const SHARED: [(&str, Option<f64>); 5] = [
    ("dual-mirror", Some(STEPS)),
    ("conjugacy", Some(STEPS)),
    ("dissipation", Some(IDENTITY)),
    ("length", None),
    ("lot-speed", Some(IDENTITY)),
];

/// Verdicts on all claims; what was not measured, because the run was cut short, decides nothing.
pub fn judge(study: &MirrorFlow, slug: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
    let judge = Judge {
        study,
        slug,
        record,
    };
    let shared = CLAIMS.iter().filter_map(|claim| {
        let (_, limit) = SHARED.iter().find(|(name, _)| *name == claim.name)?;
        Some(limit.map_or(*claim, |limit| claim.with_law(Law::Below(limit))))
    });
    let all = shared.chain(GAUSSIAN_CLAIMS.iter().copied());
    all.map(|claim| claim.or_cut_short(judge.slug, one(&judge, &claim)))
        .collect()
}

fn one(judge: &Judge, claim: &Claim) -> Result<Verdict, RecordError> {
    let budget = match claim.name {
        "length" => return length(judge, claim),
        "closed-form" | "gradient-flow-closed-form" => return closed_form(judge, claim),
        "dual-mirror" => "dual_budget",
        "conjugacy" => "conjugate_budget",
        "riccati" => "riccati_budget",
        "dissipation" => "dissipation_budget",
        "lot-speed" => "speed_budget",
        name => unreachable!("{name} is not a claim of this problem"),
    };
    judge.at_instants(claim, judge.record.values(budget)?)
}

/// `LOT(ρ_0, ρ_T) / ∫‖v‖dt`, which is 1 where the maps from e^{-g} move along a line: in one dimension, and for the entropy. So it may
/// exceed 1 by the accuracy asked of identities.
fn length(judge: &Judge, claim: &Claim) -> Result<Verdict, RecordError> {
    let travelled = judge.record.values("travelled")?;
    let length = travelled.last().copied().unwrap_or(f64::NAN);
    let ratio = judge.record.number("lot_distance")? / length;
    let reason = format!(
        "length {length:.4}, LOT distance over length 1 − {:.1e}",
        1.0 - ratio
    );
    let claim = claim.with_law(Law::Below(1.0 + IDENTITY));
    Ok(claim.judge_number(judge.slug, Observed::plus_minus(ratio, ROUNDING), reason))
}

/// Of a ratio of lengths that were rounded.
const ROUNDING: f64 = 1e-12;

/// The largest relative defect over all instants; both sides are closed forms, so there is no budget to allow for.
fn closed_form(judge: &Judge, claim: &Claim) -> Result<Verdict, RecordError> {
    judge.record.values("times")?;
    let Ok(defects) = judge.record.values(claim.quantity) else {
        return Ok(claim.not_applicable(judge.slug, NOT_COMMUTING));
    };
    let worst = defects.iter().copied().fold(0.0, f64::max);
    let reason = format!("largest of {} instants", defects.len());
    Ok(claim.judge_number(judge.slug, Observed::plus_minus(worst, 0.0), reason))
}
