//! The path of the flow to the asked times, in either coordinate.

use super::line::{Ending, Line};
use super::plane::{Point, least_eigenvalue};
use super::problem::Euclidean;
use super::systems::{MirrorFlow, Positions, PrimalFlow};
use crate::error::{Error, Result};
use crate::time::{Stepper, march};
use std::ops::ControlFlow;

/// Which coordinate is stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinate {
    /// `θ̇ = −∇F(∇U*(θ))`.
    Mirror,
    /// `ẋ = −(∇²U)^{-1}∇F(x)`.
    Primal,
}

/// The flow at the asked times.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    /// One point per asked time; after the arrival it is `x_∞`.
    pub x: Vec<Point>,
    /// When the flow comes to its end, if it does so in finite time and before the last of the times.
    pub arrival: Option<f64>,
}

/// A flow that ends in finite time is stepped until this part of its way is left: `|x − x_∞|^power` is linear in t from there on but for
/// this part of it, while x itself, of unbounded speed, is not to be had by steps.
pub const STOP: f64 = 1e-3;

/// The flow of `problem` from its start, at increasing `times` ≥ 0, in the coordinate asked for. On the line, whose `line` may be
/// given, a flow that ends in finite time is recognised there and rests at `x_∞` from then on.
///
/// # Errors
/// Those of the steppers; [`Error::Euclidean`] where ∇²U degenerates on the way.
pub fn flow(
    problem: &Euclidean,
    line: Option<&Line>,
    coordinate: Coordinate,
    stepper: Stepper,
    times: &[f64],
) -> Result<Path> {
    match coordinate {
        Coordinate::Mirror => run(MirrorFlow::new(problem), problem, line, stepper, times),
        Coordinate::Primal => run(PrimalFlow::new(problem), problem, line, stepper, times),
    }
}

/// The end of a flow that is there in finite time: `x_∞` and the power.
fn finite_end(line: &Line) -> Option<(f64, f64)> {
    match (line.end(), line.ending()) {
        (Some(end), Ending::Finite { power, .. }) => Some((end, power)),
        _ => None,
    }
}

fn run<S: Positions>(
    mut system: S,
    problem: &Euclidean,
    line: Option<&Line>,
    stepper: Stepper,
    times: &[f64],
) -> Result<Path> {
    let end = line.and_then(finite_end);
    let whole = |end: f64| (problem.start()[0] - end).abs();
    let mut state = system.state(problem.start());
    let (mut x, mut last, mut stopped) = (Vec::new(), problem.start(), None);
    let outcome = march(
        &mut system,
        stepper,
        &mut state,
        times,
        &mut |system, _, y| {
            x.push(system.position(y)?);
            Ok(())
        },
        &mut |system, step, y| {
            last = system.position(y)?;
            let near = |(end, _): (f64, f64)| (last[0] - end).abs() <= STOP * whole(end);
            if end.is_some_and(near) {
                stopped = Some(step.time);
                return Ok(ControlFlow::Break(()));
            }
            Ok(ControlFlow::Continue(()))
        },
    );
    if let (Some(time), Some(end)) = (stopped, end) {
        return Ok(rest(problem, end, (time, last), times, x));
    }
    outcome.map_err(|error| degenerate(problem, last, error))?;
    Ok(Path { x, arrival: None })
}

/// The path from the last state that was stepped to the end and after.
fn rest(
    problem: &Euclidean,
    (end, power): (f64, f64),
    (time, last): (f64, Point),
    times: &[f64],
    mut x: Vec<Point>,
) -> Path {
    let left = last[0] - end;
    let remaining = (left / problem.velocity(last)[0]).abs() / power;
    let arrival = time + remaining;
    for &t in &times[x.len()..] {
        let part = ((arrival - t) / remaining).max(0.0);
        x.push([end + left * part.powf(1.0 / power), 0.0]);
    }
    Path {
        x,
        arrival: Some(arrival),
    }
}

/// A Hessian of U whose smallest eigenvalue fell to this part of that at the start has degenerated.
const DEGENERATE: f64 = 1e-4;

/// The failure with its reason where ∇²U is about to degenerate.
fn degenerate(problem: &Euclidean, last: Point, error: Error) -> Error {
    let d = problem.dimension();
    let least = |x: Point| least_eigenvalue(&problem.mirror().at(x).hessian, d);
    if least(last) > DEGENERATE * least(problem.start()) {
        return error;
    }
    Error::Euclidean {
        reason: format!(
            "∇²U degenerates at x = {:?}, where its smallest eigenvalue is {:.1e}: the flow reaches that place in finite time and its speed \
             is unbounded there ({error})",
            &last[..d],
            least(last)
        ),
        remedy: "ask for earlier times, or choose a mirror that is strictly convex there".into(),
    }
}
