//! What the studies of a Euclidean problem may ask for.

use super::super::Checks;
use crate::scenario::BuiltEuclidean;
use crate::scenario::locate::{Step, way};
use crate::study::{
    ComparatorChoice, MirrorDescent, MirrorFlow, Objective, Run, Schedule, Study, usual_comparators,
};
use mirrorflow_solvers::euclidean::{Ending, Euclidean, Line};

/// The fields that need nothing but themselves.
pub fn check(checks: &mut Checks, studies: &[Study]) {
    for (number, study) in studies.iter().enumerate() {
        match study {
            Study::MirrorFlow(flow) => mirror_flow(checks, number, flow),
            Study::MirrorDescent(descent) => mirror_descent(checks, number, descent),
            _ => {}
        }
    }
}

fn mirror_flow(checks: &mut Checks, study: usize, flow: &MirrorFlow) {
    if flow.objective != Objective::default() {
        checks.refuse(
            way!["studies", study, "objective"],
            "objectives of densities have no meaning on a Euclidean problem, whose objective is F"
                .into(),
            "has no meaning here",
            "leave `objective` of the study out; F is the `objective` of the problem".into(),
        );
    }
}

fn mirror_descent(checks: &mut Checks, study: usize, descent: &MirrorDescent) {
    for (i, run) in descent.runs.iter().enumerate() {
        one_run(checks, way!["studies", study, "runs", i], run);
    }
    let no_meaning = "has no meaning here";
    if descent.band.is_some() {
        let message =
            "a band limits the modes of densities, which a Euclidean problem does not have".into();
        checks.refuse(
            way!["studies", study, "band"],
            message,
            no_meaning,
            "leave `band` out".into(),
        );
    }
    if descent.comparators != usual_comparators() && !only_source(&descent.comparators) {
        let message = "comparators are densities; the comparator of a Euclidean problem is the minimiser of F".into();
        let help = "leave `comparators` out".into();
        checks.refuse(
            way!["studies", study, "comparators"],
            message,
            no_meaning,
            help,
        );
    }
}

fn only_source(comparators: &[ComparatorChoice]) -> bool {
    comparators == [ComparatorChoice::Source]
}

fn one_run(checks: &mut Checks, path: &[Step], run: &Run) {
    let schedule = match run {
        Run::Explicit(schedule) | Run::Implicit(schedule) => schedule,
        Run::Sinkhorn(_) => {
            let message =
                "Sinkhorn's iteration couples densities, which a Euclidean problem does not have"
                    .into();
            let help = "use Explicit(…) or Implicit(…)".into();
            checks.refuse(path, message, "not defined here", help);
            return;
        }
    };
    if let Schedule::Adaptive(_) = schedule {
        let message = "the adaptive schedule follows the stability limit of densities".into();
        let help = "use Constant(…), Harmonic(…), LogOverT(…) or List([…])".into();
        checks.refuse(path, message, "not defined here", help);
    }
}

/// An instant this near to an arrival, as a part of it, is not told from it.
const AT_ARRIVAL: f64 = 1e-6;

/// A flow that is at its end in finite time is known to working accuracy before and after, not at that time itself; orders are
/// those of the flow before.
pub fn arrivals(checks: &mut Checks, studies: &[Study], built: &BuiltEuclidean) {
    for (number, study) in studies.iter().enumerate() {
        match study {
            Study::MirrorFlow(flow) => {
                for (i, &time) in flow.times.iter().enumerate() {
                    not_at_arrival(checks, way!["studies", number, "times", i], time, built);
                }
                let last = flow.times.last().copied().unwrap_or(0.0);
                if !flow.refinements.is_empty() {
                    let path = way!["studies", number, "refinements"];
                    before_arrival(checks, path, last, built);
                }
            }
            Study::MirrorDescent(descent) => {
                if let Some(limit) = &descent.limit {
                    let path = way!["studies", number, "limit", "time"];
                    before_arrival(checks, path, limit.time, built);
                }
            }
            _ => {}
        }
    }
}

fn arrival(problem: &Euclidean) -> Option<f64> {
    match Line::of(problem)?.ending() {
        Ending::Finite { time, .. } => Some(time),
        _ => None,
    }
}

fn not_at_arrival(checks: &mut Checks, path: &[Step], time: f64, built: &BuiltEuclidean) {
    for (problem, label) in built.problems.iter().zip(&built.labels) {
        if let Some(arrival) = arrival(problem).filter(|a| (a - time).abs() <= AT_ARRIVAL * a) {
            checks.refuse(
                path,
                format!("with U = {label} the flow reaches its end at t = {arrival:.6}, with unbounded speed"),
                "x_t is not determined to working accuracy there",
                format!("ask for an earlier or a later time, such as {:.3} or {:.3}", 0.99 * arrival, 1.01 * arrival),
            );
        }
    }
}

fn before_arrival(checks: &mut Checks, path: &[Step], time: f64, built: &BuiltEuclidean) {
    if let Some(arrival) = arrival(built.first()).filter(|&arrival| time > 0.9 * arrival) {
        checks.refuse(
            path,
            format!(
                "with U = {} the flow reaches its end at t = {arrival:.6}: steps have no order at t = {time}",
                built.labels[0]
            ),
            "too near to the end",
            format!("take the order at an earlier time, at most {:.3}", 0.9 * arrival),
        );
    }
}
