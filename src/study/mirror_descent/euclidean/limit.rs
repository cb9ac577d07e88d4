//! The order of every rule in the step: runs with equal steps to one time against the flow.

use super::tightest;
use crate::record::Record;
use crate::study::mirror_descent::MirrorDescent;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::euclidean::{Coordinate, Euclidean, Rule, descend, distance, flow};
use mirrorflow_solvers::time::Stepper;

/// Names of the rules in the record.
pub const RULES: [(&str, Rule); 3] = [
    ("explicit", Rule::Explicit),
    ("implicit", Rule::Implicit),
    ("natural", Rule::Natural),
];

pub fn record(
    study: &MirrorDescent,
    problem: &Euclidean,
    gradient: f64,
    record: &mut Record,
) -> Result<()> {
    let Some(limit) = &study.limit else {
        return Ok(());
    };
    let at = |stepper| flow(problem, None, Coordinate::Mirror, stepper, &[limit.time]);
    let exact = at(tightest())?.x[0];
    let looser = at(Stepper::Adaptive { tolerance: 1e-11 })?.x[0];
    let step = |count: &usize| limit.time / *count as f64;
    record.insert_curve("steps", limit.steps.iter().map(step).collect());
    record.insert_number("floor", distance(exact, looser) + 8.0 * f64::EPSILON);
    for (name, rule) in RULES {
        let error = |count: &usize| {
            let steps = vec![step(count); *count];
            let points = descend(problem, rule, &steps, gradient)?;
            Ok(distance(points[*count], exact))
        };
        let errors = limit
            .steps
            .iter()
            .map(error)
            .collect::<Result<Vec<f64>>>()?;
        record.insert_curve(&format!("{name}_error"), errors);
    }
    Ok(())
}
