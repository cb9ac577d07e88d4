//! Mirror descent between Gaussians: what has no meaning on R^d, and the limit of its explicit steps.

use super::Checks;
use crate::scenario::locate::{Step, way};
use crate::scenario::{BuiltGaussian, Scenario};
use crate::study::{ComparatorChoice, MirrorDescent, Run, Schedule, Study};
use mirrorflow_solvers::gaussian::MirrorDescent as Descent;

/// Refuses what the torus has and R^d has not, and explicit steps that cannot be taken.
pub fn check(checks: &mut Checks, scenario: &Scenario, built: &BuiltGaussian) {
    for (number, study) in scenario.studies.iter().enumerate() {
        if let Study::MirrorDescent(descent) = study {
            refusals(checks, number, descent);
            explicit_steps(checks, number, descent, built);
        }
    }
}

fn refusals(checks: &mut Checks, study: usize, descent: &MirrorDescent) {
    for (i, comparator) in descent.comparators.iter().enumerate() {
        if *comparator == ComparatorChoice::Uniform {
            checks.refuse(
                way!["studies", study, "comparators", i],
                "there is no uniform density on R^d".into(),
                "on the torus only",
                "use Target, or Random(seed: 1) for a random covariance".into(),
            );
        }
    }
    if descent.band.is_some() {
        checks.refuse(
            way!["studies", study, "band"],
            "a Gaussian problem has no modes to limit".into(),
            "on the torus only",
            "leave `band` out: quadratic potentials are kept exactly".into(),
        );
    }
}

/// The first step must leave ∇²ψ positive, and a constant one must not be repelled by the end.
fn explicit_steps(
    checks: &mut Checks,
    study: usize,
    descent: &MirrorDescent,
    built: &BuiltGaussian,
) {
    let start = built.start();
    let first = Descent::new(&start);
    let Ok(largest) = first.largest_step() else {
        return;
    };
    let stable = first.stable_step();
    let mut refuse = |path: &[Step], eta: f64, constant: bool| {
        if eta >= largest {
            checks.refuse(
                path,
                format!("the first step η_0 = {eta} leaves the convex potentials"),
                "too large",
                format!("use η_0 < {largest:.4e}, or Implicit(…), which has no limit"),
            );
        } else if constant && eta >= stable {
            checks.refuse(
                path,
                format!("an explicit step that stays at {eta} is repelled by e^{{-f}}"),
                "unstable",
                format!(
                    "use η < 1/m_d = {stable:.4e}, m_d² the largest eigenvalue of Σ^{{-1}}Θ^{{-1}}, or Implicit(…)"
                ),
            );
        }
    };
    for (i, run) in descent.runs.iter().enumerate() {
        if let Run::Explicit(schedule) = run {
            let eta = schedule.first(descent.steps, largest.min(stable));
            let constant = matches!(schedule, Schedule::Constant(_) | Schedule::LogOverT(_));
            refuse(way!["studies", study, "runs", i], eta, constant);
        }
    }
    if let Some(limit) = &descent.limit
        && let Some(&fewest) = limit.steps.first()
        && fewest > 0
    {
        let path = way!["studies", study, "limit", "steps", 0];
        refuse(path, limit.time / fewest as f64, true);
    }
}
