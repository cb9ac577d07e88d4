//! The mirror flow in steps: mirror descent.

use super::newton::newton;
use super::plane::{Local, Point, along, sum};
use super::problem::Euclidean;
use crate::error::{Error, Result};
use crate::watch;

/// One way to take a step of length η; each has order 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `∇U(x_{k+1}) = ∇U(x_k) − η∇F(x_k)`: Euler's method in the mirror coordinate.
    Explicit,
    /// `∇U(x_{k+1}) = ∇U(x_k) − η∇F(x_{k+1})`: the proximal step `argmin ηF + D_U(·, x_k)`.
    Implicit,
    /// `x_{k+1} = x_k − η(∇²U)^{-1}∇F(x_k)`: natural gradient, Euler's method in the primal coordinate.
    Natural,
}

impl Rule {
    pub const ALL: [Self; 3] = [Self::Explicit, Self::Implicit, Self::Natural];
}

/// `x_0, …, x_T` with these step lengths. `gradient` multiplies ∇F: 1, or another number for negative controls.
///
/// # Errors
/// Those of [`super::Mirror::inverse`] with the step; [`Error::Euclidean`] where a step leaves the domain of U or of F.
pub fn descend(
    problem: &Euclidean,
    rule: Rule,
    steps: &[f64],
    gradient: f64,
) -> Result<Vec<Point>> {
    let mut points = vec![problem.start()];
    for (k, &step) in steps.iter().enumerate() {
        watch::on()?;
        let x = points[k];
        let next = advance(problem, rule, gradient * step, x)
            .map_err(|error| error.during(format!("step {} of length {step}", k + 1)))?;
        let inside = problem.mirror().holds(next) && problem.objective(next).is_finite();
        if !inside {
            return Err(Error::Euclidean {
                reason: format!(
                    "step {} of length {step} leads from x = {:?} to {:?}, where U is not finite and strictly convex or F not finite",
                    k + 1,
                    &x[..problem.dimension()],
                    &next[..problem.dimension()]
                ),
                remedy: "use smaller steps, or the implicit rule".into(),
            });
        }
        points.push(next);
    }
    Ok(points)
}

fn advance(problem: &Euclidean, rule: Rule, step: f64, x: Point) -> Result<Point> {
    let mirror = problem.mirror();
    let theta = mirror.at(x).gradient;
    match rule {
        Rule::Explicit => {
            let moved = along(theta, -step, problem.objective(x).gradient);
            mirror.inverse(moved, x)
        }
        Rule::Natural => Ok(along(x, step, problem.velocity(x))),
        Rule::Implicit => {
            let both = |x: Point| {
                let (u, f) = (mirror.at(x), problem.objective(x));
                Local {
                    value: u.value + step * f.value,
                    gradient: along(u.gradient, step, f.gradient),
                    hessian: sum(&u.hessian, step, &f.hessian),
                }
            };
            let inside = |a: Point, b: Point| mirror.reaches(a, b) && both(b).is_finite();
            newton(&both, &inside, theta, x, problem.dimension())
        }
    }
}
