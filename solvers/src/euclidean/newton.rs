//! The point at which a convex function has a given gradient, by a Newton iteration that stays inside a domain.

use super::plane::{Local, Point, along, dot, minus, solve};
use crate::error::{Error, Result};

/// Newton steps at most.
const MOST_STEPS: usize = 200;

/// A Newton step below this part of x, which no longer lowers the residual, is rounding.
const SETTLED: f64 = 1e-11;

/// A step is not shortened below this part.
const SHORTEST: f64 = 1e-12;

/// x with `∇V(x) = target`, from `near`, V given by its `jet`. A step is shortened until its way is `inside` and the
/// residual falls. Where V is strictly convex the Newton direction lets it fall, so that the iteration ends at the solution or at the
/// border.
///
/// # Errors
/// [`Error::NoConvergence`].
pub(super) fn newton(
    jet: &dyn Fn(Point) -> Local,
    inside: &dyn Fn(Point, Point) -> bool,
    target: Point,
    near: Point,
    dimension: usize,
) -> Result<Point> {
    let size = |v: Point| dot(v, v).sqrt();
    let residual = |local: &Local| minus(local.gradient, target);
    let (mut x, mut here) = (near, jet(near));
    for _ in 0..MOST_STEPS {
        let step = solve(&here.hessian, residual(&here), dimension).map(|s| -s);
        let left = size(residual(&here));
        if left == 0.0 || size(step) <= 2.0 * f64::EPSILON * size(x) {
            return Ok(x);
        }
        let mut part = 1.0;
        let next = loop {
            let trial = along(x, part, step);
            let local = jet(trial);
            if size(residual(&local)) < left && inside(x, trial) {
                break Some((trial, local));
            }
            part *= 0.5;
            if part < SHORTEST {
                break None;
            }
        };
        match next {
            Some(next) => (x, here) = next,
            None if size(step) <= SETTLED * (size(x) + f64::MIN_POSITIVE) => return Ok(x),
            None => break,
        }
    }
    Err(Error::NoConvergence {
        what: "Newton's iteration for the mirror coordinate",
        residual: size(residual(&here)),
        iterations: MOST_STEPS,
        tolerance: f64::EPSILON * size(target),
        remedy: format!(
            "{:?} is no gradient near x = {:?}, or U degenerates there: use earlier times, a smaller step or another start",
            &target[..dimension],
            &x[..dimension]
        ),
    })
}
