//! The flow in its two coordinates, as systems for the steppers.

use super::plane::{Matrix, Point, apply, dot, least_eigenvalue, point, solve, sum};
use super::problem::Euclidean;
use crate::error::{Error, Result};
use crate::time::System;

/// `θ' = −∇F(∇U*(θ))`; state: θ = ∇U(x). The Jacobian `−∇²F(∇²U)^{-1}` needs Hessians only. Errors are measured in x.
pub struct MirrorFlow<'a> {
    problem: &'a Euclidean,
    frozen: Frozen,
}

/// `x' = −(∇²U)^{-1}∇F(x)`; state: x. The Jacobian `−(∇²U)^{-1}(∇²F + ∇³U[ẋ])` has a third derivative of U, which is a difference
/// of exact Hessians along ẋ (relative error about 1e-11, far below what the order of a stepper sees).
pub struct PrimalFlow<'a> {
    problem: &'a Euclidean,
    frozen: Frozen,
}

/// Where the Jacobian was last frozen.
struct Frozen {
    x: Point,
    /// ∇²U.
    mass: Matrix,
    /// `∇²F`, in the primal coordinate plus `∇³U[ẋ]`.
    stiffness: Matrix,
}

impl Frozen {
    fn new(problem: &Euclidean) -> Self {
        Self {
            x: problem.start(),
            mass: [[1.0, 0.0], [0.0, 1.0]],
            stiffness: [[0.0; 2]; 2],
        }
    }

    /// Spectral radius of `(∇²U)^{-1}K`.
    fn radius(&self, dimension: usize) -> f64 {
        let column = |j: usize| {
            let k = [self.stiffness[0][j], self.stiffness[1][j]];
            solve(&self.mass, k, dimension)
        };
        let [[a, c], [b, d]] = [column(0), column(1)];
        if dimension == 1 {
            return a.abs();
        }
        let (half, determinant) = (0.5 * (a + d), a * d - b * c);
        let discriminant = half * half - determinant;
        if discriminant < 0.0 {
            determinant.abs().sqrt()
        } else {
            half.abs() + discriminant.sqrt()
        }
    }
}

/// A system whose states stand for points.
pub(super) trait Positions: System {
    fn state(&self, x: Point) -> Vec<f64>;
    fn position(&self, y: &[f64]) -> Result<Point>;
}

fn write(v: Point, out: &mut [f64]) {
    out.copy_from_slice(&v[..out.len()]);
}

/// The difference of points in the units of the tolerance: absolute for points of size one and less, relative beyond.
fn size(difference: Point, x: Point) -> f64 {
    let scale = dot(x, x).sqrt().max(1.0);
    dot(difference, difference).sqrt() / scale
}

impl<'a> MirrorFlow<'a> {
    pub fn new(problem: &'a Euclidean) -> Self {
        Self {
            problem,
            frozen: Frozen::new(problem),
        }
    }
}

impl System for MirrorFlow<'_> {
    fn len(&self) -> usize {
        self.problem.dimension()
    }

    fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()> {
        let x = self.position(y)?;
        let gradient = finite(self.problem.objective(x).gradient, "∇F", x)?;
        write(gradient.map(|g| -g), out);
        Ok(())
    }

    fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()> {
        self.frozen.x = self.position(y)?;
        let (f, u) = (
            self.problem.objective(self.frozen.x),
            self.problem.mirror().at(self.frozen.x),
        );
        (self.frozen.mass, self.frozen.stiffness) = (u.hessian, f.hessian);
        self.rate(y, rate)
    }

    /// `1 − cJ = (∇²U + c∇²F)(∇²U)^{-1}`.
    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], _: f64) -> Result<usize> {
        let Frozen {
            mass, stiffness, ..
        } = &self.frozen;
        let inner = solve(&sum(mass, c, stiffness), point(r), self.len());
        write(apply(mass, inner), k);
        Ok(0)
    }

    fn spectral_radius(&self) -> f64 {
        self.frozen.radius(self.len())
    }

    fn norm(&self, difference: &[f64]) -> f64 {
        let moved = solve(&self.frozen.mass, point(difference), self.len());
        size(moved, self.frozen.x)
    }
}

impl Positions for MirrorFlow<'_> {
    fn state(&self, x: Point) -> Vec<f64> {
        self.problem.mirror().at(x).gradient[..self.len()].to_vec()
    }

    fn position(&self, y: &[f64]) -> Result<Point> {
        self.problem.mirror().inverse(point(y), self.frozen.x)
    }
}

impl<'a> PrimalFlow<'a> {
    pub fn new(problem: &'a Euclidean) -> Self {
        Self {
            problem,
            frozen: Frozen::new(problem),
        }
    }
}

impl System for PrimalFlow<'_> {
    fn len(&self) -> usize {
        self.problem.dimension()
    }

    fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()> {
        let (x, d) = (point(y), self.len());
        let least = least_eigenvalue(&self.problem.mirror().at(x).hessian, d);
        if least <= 0.0 || least.is_nan() {
            return Err(Error::LostConvexity {
                when: String::new(),
                at: y.to_vec(),
                eigenvalue: least,
                remedy:
                    "the mirror U is not strictly convex there: use earlier times or another start"
                        .into(),
            });
        }
        write(finite(self.problem.velocity(x), "(∇²U)^{-1}∇F", x)?, out);
        Ok(())
    }

    fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()> {
        self.rate(y, rate)?;
        let x = point(y);
        let (f, u) = (self.problem.objective(x), self.problem.mirror().at(x));
        let third = self.problem.mirror().third(x, point(rate));
        self.frozen = Frozen {
            x,
            mass: u.hessian,
            stiffness: sum(&f.hessian, 1.0, &third),
        };
        Ok(())
    }

    /// `1 − cJ = (∇²U)^{-1}(∇²U + c(∇²F + ∇³U[ẋ]))`.
    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], _: f64) -> Result<usize> {
        let Frozen {
            mass, stiffness, ..
        } = &self.frozen;
        let right = apply(mass, point(r));
        write(solve(&sum(mass, c, stiffness), right, self.len()), k);
        Ok(0)
    }

    fn spectral_radius(&self) -> f64 {
        self.frozen.radius(self.len())
    }

    fn norm(&self, difference: &[f64]) -> f64 {
        size(point(difference), self.frozen.x)
    }
}

impl Positions for PrimalFlow<'_> {
    fn state(&self, x: Point) -> Vec<f64> {
        x[..self.len()].to_vec()
    }

    fn position(&self, y: &[f64]) -> Result<Point> {
        Ok(point(y))
    }
}

fn finite(v: Point, quantity: &'static str, x: Point) -> Result<Point> {
    if v.iter().all(|v| v.is_finite()) {
        return Ok(v);
    }
    Err(Error::NonFinite {
        quantity,
        when: format!("at x = {x:?}"),
        remedy: "the path leaves the domain of F or U: use earlier times or another start".into(),
    })
}
