//! A function F, a mirror U and a start.

use super::mirror::Mirror;
use super::plane::{Local, Point, least_eigenvalue, point};
use crate::density::{Formula, LogDensity};
use crate::error::{Error, Result};

/// `d/dt ∇U(x) = −∇F(x)` from x_0, in one or two dimensions.
#[derive(Debug, Clone)]
pub struct Euclidean {
    objective: Formula,
    mirror: Mirror,
    start: Point,
}

/// Which part of a problem is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Objective,
    Mirror,
    Start,
}

impl Euclidean {
    /// F, U and x_0 of one dimension; F and U are finite at x_0, U is strictly convex and ∇F is not zero there.
    ///
    /// # Errors
    /// [`Error::Euclidean`], with [`Part`] in [`Self::checked`].
    pub fn new(objective: Formula, mirror: Mirror, start: &[f64]) -> Result<Self> {
        Self::checked(objective, mirror, start).map_err(|(_, error)| error)
    }

    /// The same; says which part is refused.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn checked(
        objective: Formula,
        mirror: Mirror,
        start: &[f64],
    ) -> std::result::Result<Self, (Part, Error)> {
        let d = start.len();
        let refused = |part, reason: String, remedy: &str| {
            let remedy = remedy.to_owned();
            Err((part, Error::Euclidean { reason, remedy }))
        };
        if mirror.dimension() != d || objective.dimension() != d || !(1..=2).contains(&d) {
            let reason = format!(
                "F in {} coordinates and U = {} in {} with a start of {d}",
                objective.dimension(),
                mirror.name(),
                mirror.dimension()
            );
            return refused(
                Part::Mirror,
                reason,
                "give all of them in one dimension, 1 or 2",
            );
        }
        let problem = Self {
            objective,
            mirror,
            start: point(start),
        };
        let (f, u) = (
            problem.objective(problem.start),
            problem.mirror.at(problem.start),
        );
        if !f.is_finite() {
            let reason = format!("F or a derivative of it is not finite at the start {start:?}");
            return refused(Part::Objective, reason, "start inside the domain of F");
        }
        if !u.is_finite() {
            let reason = format!("U or a derivative of it is not finite at the start {start:?}");
            return refused(Part::Mirror, reason, "start inside the domain of U");
        }
        let least = least_eigenvalue(&u.hessian, d);
        if least <= 0.0 {
            let reason = format!(
                "U is not strictly convex at the start {start:?}: smallest eigenvalue {least:.3} of ∇²U"
            );
            return refused(
                Part::Mirror,
                reason,
                "start where ∇²U is positive definite, or choose another mirror",
            );
        }
        if f.gradient == [0.0; 2] {
            let reason = format!("∇F is zero at the start {start:?}: nothing moves");
            return refused(Part::Start, reason, "start elsewhere");
        }
        Ok(problem)
    }

    pub fn dimension(&self) -> usize {
        self.mirror.dimension()
    }

    pub fn start(&self) -> Point {
        self.start
    }

    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// F, ∇F and ∇²F.
    pub fn objective(&self, x: Point) -> Local {
        Local::of(&self.objective.jet_at(&x[..self.dimension()]))
    }

    /// Whether F is `x²/2` up to a constant, on the line, as far as five points tell: then closed forms are known.
    pub fn is_half_square(&self) -> bool {
        let is = |x: f64| {
            let f = self.objective([x, 0.0]);
            (f.gradient[0] - x).abs() <= 1e-13 && (f.hessian[0][0] - 1.0).abs() <= 1e-13
        };
        self.dimension() == 1 && [-1.7, 0.0, 0.3, 1.0, 2.9].into_iter().all(is)
    }

    /// x(t) in closed form, where it is known.
    pub fn exact(&self, t: f64) -> Option<f64> {
        self.mirror
            .exact(self.start[0], t)
            .filter(|_| self.is_half_square())
    }

    /// `ẋ = −(∇²U)^{-1}∇F`.
    pub fn velocity(&self, x: Point) -> Point {
        let (f, u) = (self.objective(x), self.mirror.at(x));
        super::plane::solve(&u.hessian, f.gradient, self.dimension()).map(|v| -v)
    }

    /// `−dF/dt = ∇F·(∇²U)^{-1}∇F`.
    pub fn dissipation(&self, x: Point) -> f64 {
        -super::plane::dot(self.objective(x).gradient, self.velocity(x))
    }
}
