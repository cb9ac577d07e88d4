//! Mirror descent on a torus: its band limit on this grid, and the stability limit of its explicit steps at the start.

use super::super::Checks;
use crate::scenario::locate::{Step, way};
use crate::scenario::{Scenario, Space};
use crate::study::{MirrorDescent, Run, Study};
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::mirror_descent::stability_limit;

/// Refuses another calculus: the iterates are band-limited.
pub fn spectral(checks: &mut Checks, scenario: &Scenario) {
    let asked = scenario
        .studies
        .iter()
        .any(|study| matches!(study, Study::MirrorDescent(_)));
    if asked && scenario.numerics.space != Space::Spectral {
        checks.refuse(
            way!["numerics", "space"],
            "MirrorDescent keeps the modes of a band, for which the calculus must be spectral"
                .into(),
            "not spectral",
            "use space: Spectral, and a scenario of its own for studies with differences".into(),
        );
    }
}

/// `convexity` is λ_min(∇²ψ_0).
pub fn check(
    checks: &mut Checks,
    study: usize,
    descent: &MirrorDescent,
    (torus, convexity): (&Torus, f64),
) {
    let coarsest = *torus.points().iter().min().expect("d ≥ 1");
    let most = coarsest / 2 - 1;
    let Some(band) = descent.band else {
        checks.refuse(
            way!["studies", study],
            "MirrorDescent on a torus needs a band limit K".into(),
            "no band",
            format!(
                "add band: K, the modes |k_i| ≤ K that ψ keeps, such as band: {}",
                most.min(8)
            ),
        );
        return;
    };
    if band == 0 || band > most {
        checks.refuse(
            way!["studies", study, "band"],
            format!("modes |k| ≤ {band} on {coarsest} points along an axis"),
            "out of range",
            format!("use 1 to {most} on this grid"),
        );
        return;
    }
    let limit = stability_limit(torus.dimension(), band, convexity);
    let remedy = format!(
        "the limit is 2λ_min(∇²ψ_0)/(4π²K²d) = {limit:.3e} at K = {band}: use a smaller step or band, Adaptive(0.9), or Implicit(…)"
    );
    let mut refuse = |path: &[Step], step: f64| {
        if step > limit * (1.0 + 1e-12) {
            let message = format!(
                "the explicit step η_0 = {step:.3e} is past its stability limit {limit:.3e}"
            );
            checks.refuse(path, message, "unstable", remedy.clone());
        }
    };
    for (i, run) in descent.runs.iter().enumerate() {
        if let Run::Explicit(schedule) = run {
            let path = way!["studies", study, "runs", i];
            refuse(path, schedule.first(descent.steps, limit));
        }
    }
    if let Some(asked) = &descent.limit {
        for (i, &steps) in asked.steps.iter().enumerate() {
            let path = way!["studies", study, "limit", "steps", i];
            refuse(path, asked.time / steps as f64);
        }
    }
}
