//! The order of both coordinates in the step: errors at the last instant against the step, each coordinate against itself at the tightest
//! tolerance.

use super::super::{MirrorFlow, TIGHTEST, orders};
use crate::record::Record;
use mirrorflow_solvers::Error;
use mirrorflow_solvers::euclidean::{Coordinate, Euclidean, distance, flow};
use mirrorflow_solvers::time::Stepper;

/// Names of the coordinates in the record.
pub const COORDINATES: [(&str, Coordinate); 2] = [
    ("mirror", Coordinate::Mirror),
    ("primal", Coordinate::Primal),
];

pub fn record(
    study: &MirrorFlow,
    problem: &Euclidean,
    stepper: Stepper,
    record: &mut Record,
) -> Result<(), Error> {
    if study.refinements.is_empty() {
        return Ok(());
    }
    let horizon = *study.times.last().expect("the times are not empty");
    let step = |count: &usize| horizon / *count as f64;
    record.insert_number("time_order", f64::from(orders::of(stepper)));
    record.insert_curve("steps", study.refinements.iter().map(step).collect());
    for (name, coordinate) in COORDINATES {
        let at = |stepper| flow(problem, None, coordinate, stepper, &[horizon]).map(|p| p.x[0]);
        let adaptive = |tolerance| at(Stepper::Adaptive { tolerance });
        let (exact, looser) = (adaptive(TIGHTEST)?, adaptive(10.0 * TIGHTEST)?);
        let error = |count| Ok(distance(at(orders::refined(stepper, step(count)))?, exact));
        let errors = study.refinements.iter().map(error);
        let errors = errors.collect::<Result<Vec<f64>, Error>>()?;
        record.insert_curve(&format!("{name}_time_error"), errors);
        let floor = distance(looser, exact) + 8.0 * f64::EPSILON;
        record.insert_number(&format!("{name}_time_floor"), floor);
    }
    Ok(())
}
