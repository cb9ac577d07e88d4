//! The start's curvature: u_0 must be convex, and the grid must resolve every ε on it.
//!
//! A Sinkhorn half-step sums Gaussians of variance ε/λ, λ an eigenvalue of ∇²u or its inverse; the node sum is exact
//! once `h ≤ 0.7 √(ε / max(λ_max(∇²u), 1/λ_min(∇²u)))` (THEORY §3). Checked here with u_0.

use super::super::Checks;
use super::descent;
use crate::scenario::BuiltTorus;
use crate::scenario::Scenario;
use crate::scenario::locate::{Step, way};
use crate::study::{Run, Study};
use mirrorflow_solvers::sinkhorn::{RESOLUTION, points_needed};

pub fn check(checks: &mut Checks, scenario: &Scenario, built: &BuiltTorus) {
    let curvature = built.start.curvature(&built.torus);
    if curvature.least <= 0.0 || !curvature.greatest.is_finite() {
        let at = built.torus.node(curvature.node);
        let message = format!(
            "start: u_0 = |x|²/2 + p_0 is not convex, smallest eigenvalue {:.3} of ∇²u_0 at x = {at:?}",
            curvature.least
        );
        let help = "make p_0 smaller: I + ∇²p_0 must be positive definite".into();
        checks.refuse(way!["problem", "start", 0], message, "not convex", help);
        return;
    }
    let stretch = curvature.greatest.max(1.0 / curvature.least);
    for (number, study) in scenario.studies.iter().enumerate() {
        resolves(checks, number, study, built.torus.points(), stretch);
        if let Study::MirrorDescent(descent) = study {
            // λ_min(∇²ψ_0) = 1/λ_max(∇²u_0).
            descent::check(
                checks,
                number,
                descent,
                (&built.torus, 1.0 / curvature.greatest),
            );
        }
    }
}

/// Refuses the smallest ε of a study if the grid does not resolve it.
fn resolves(checks: &mut Checks, number: usize, study: &Study, points: &[usize], stretch: f64) {
    match study {
        Study::Flow(_) | Study::OptimalMap(_) | Study::MirrorFlow(_) => {}
        Study::MirrorDescent(descent) => {
            for (i, run) in descent.runs.iter().enumerate() {
                if let Run::Sinkhorn(epsilon) = run {
                    let path = way!["studies", number, "runs", i];
                    resolves_one(checks, path, *epsilon, points, stretch);
                }
            }
        }
        Study::Sinkhorn(sinkhorn) => {
            let path = way!["studies", number, "epsilon"];
            resolves_one(checks, path, sinkhorn.epsilon, points, stretch);
        }
        Study::ScalingLimit(limit) => {
            resolves_list(checks, number, &limit.epsilons, points, stretch)
        }
        Study::ExponentialConvergence(decay) => {
            resolves_list(checks, number, &decay.epsilons, points, stretch);
        }
        Study::SideBySide(page) => resolves_list(checks, number, &page.epsilons, points, stretch),
    }
}

/// Refuses the smallest of a list.
fn resolves_list(
    checks: &mut Checks,
    number: usize,
    epsilons: &[f64],
    points: &[usize],
    stretch: f64,
) {
    let smallest = epsilons.iter().copied().enumerate();
    if let Some((i, epsilon)) = smallest.min_by(|a, b| a.1.total_cmp(&b.1)) {
        let path = way!["studies", number, "epsilons", i];
        resolves_one(checks, path, epsilon, points, stretch);
    }
}

fn resolves_one(checks: &mut Checks, path: &[Step], epsilon: f64, points: &[usize], stretch: f64) {
    let needed = points_needed(epsilon, stretch);
    let Some(&coarsest) = points.iter().min() else {
        return;
    };
    if coarsest >= needed {
        return;
    }
    let message =
        format!("{coarsest} points along an axis are too few for ε = {epsilon}: {needed} needed");
    let smallest = rounded_up(epsilon_needed(coarsest, stretch));
    let help = format!("use points ≥ {needed} along every axis, or ε ≥ {smallest} on this grid");
    checks.refuse(path, message, "too small for the grid", help);
}

/// Smallest ε that `points` nodes resolve.
fn epsilon_needed(points: usize, stretch: f64) -> f64 {
    stretch / (RESOLUTION * points as f64).powi(2)
}

/// A positive number rounded up to three significant digits.
fn rounded_up(value: f64) -> f64 {
    let unit = 10f64.powi(value.log10().floor() as i32 - 2);
    let digits = (value / unit).ceil();
    format!("{}e{}", digits, unit.log10().round())
        .parse()
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_epsilon_are_inverse_to_each_other() {
        assert_eq!(points_needed(0.0025, 1.0), 30);
        assert_eq!(points_needed(0.0025, 4.0), 58);
        assert_eq!(points_needed(1e-300, 1.0), usize::MAX);
        for points in [16, 64, 130] {
            for stretch in [1.0, 3.7] {
                let epsilon = epsilon_needed(points, stretch);
                assert_eq!(points_needed(epsilon, stretch), points);
                assert!(points_needed(rounded_up(epsilon), stretch) <= points);
                assert!(points_needed(0.98 * epsilon, stretch) > points);
            }
        }
    }

    #[test]
    fn rounding_goes_up_and_stays_near() {
        assert_eq!(rounded_up(0.000498246), 0.000499);
        assert_eq!(rounded_up(0.005), 0.005);
    }
}
