//! What each study leaves on a Euclidean problem.

use super::{Shapes, joined, named, prefixed};
use crate::common::contract::Arrays;
use mirrorflow::scenario::BuiltEuclidean;
use mirrorflow::study::{Limit, Study};

/// Intervals between the samples of a path.
const SAMPLES: usize = 160;

pub fn figures(study: &Study) -> Vec<&'static str> {
    let (always, orders): (&[_], bool) = match study {
        Study::MirrorFlow(flow) => (&["decay", "identities"], !flow.refinements.is_empty()),
        Study::MirrorDescent(descent) => (&["descent"], descent.limit.is_some()),
        study => panic!("{} is not defined here", study.name()),
    };
    let orders = orders.then_some("orders");
    always.iter().copied().chain(orders).collect()
}

pub fn shapes(study: &Study, built: &BuiltEuclidean) -> Shapes {
    let d = built.dimension();
    match study {
        Study::MirrorFlow(flow) => {
            let instants = flow.times.len();
            let of_mirror = joined([
                named("x theta", &[instants, d]),
                named("path", &[SAMPLES + 1, d]),
                named(
                    "objective x_budget coordinate_difference coordinate_budget",
                    &[instants],
                ),
                named("path_objective", &[SAMPLES + 1]),
            ]);
            let mut shapes = joined([
                named("times", &[instants]),
                named("samples", &[SAMPLES + 1]),
                named("mirrors", &[]),
            ]);
            for k in 1..=built.problems.len() {
                shapes.extend(prefixed(&format!("u{k}_"), of_mirror.clone()));
            }
            if !flow.refinements.is_empty() {
                let errors = "steps mirror_time_error primal_time_error";
                shapes.extend(named(errors, &[flow.refinements.len()]));
                shapes.extend(named("time_order mirror_time_floor primal_time_floor", &[]));
            }
            shapes
        }
        Study::MirrorDescent(descent) => {
            let steps = descent.steps;
            let of_run = joined([
                named("x", &[steps + 1, d]),
                named("step", &[steps]),
                named("time objective flow_objective flow_distance", &[steps + 1]),
            ]);
            let mut shapes = named("runs", &[]);
            for k in 1..=descent.runs.len() {
                shapes.extend(prefixed(&format!("run_{k}_"), of_run.clone()));
            }
            if let Some(limit) = &descent.limit {
                let errors = "steps explicit_error implicit_error natural_error";
                shapes.extend(named(errors, &[limit.steps.len()]));
                shapes.extend(named("floor", &[]));
            }
            shapes
        }
        study => panic!("{} is not defined here", study.name()),
    }
}

pub fn rows(study: &Study, _arrays: &Arrays) -> usize {
    match study {
        Study::MirrorFlow(_) => SAMPLES + 1,
        Study::MirrorDescent(descent) => descent.steps + 1,
        study => panic!("{} is not defined here", study.name()),
    }
}

pub fn asked(study: &Study) -> Vec<(&'static str, Vec<f64>)> {
    let sizes = |limit: &Limit| limit.steps.iter().map(|&n| limit.time / n as f64).collect();
    match study {
        Study::MirrorFlow(flow) => vec![("times", flow.times.clone())],
        Study::MirrorDescent(descent) => {
            let limit = descent.limit.iter();
            limit.map(|limit| ("steps", sizes(limit))).collect()
        }
        study => panic!("{} is not defined here", study.name()),
    }
}
