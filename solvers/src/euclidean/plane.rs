//! Points of R or R² and what a function has there. On the line the second coordinate is 0 and takes part in nothing.

use crate::density::PointJet;

/// A point, or a vector.
pub type Point = [f64; 2];

/// A symmetric matrix.
pub type Matrix = [[f64; 2]; 2];

/// Value, gradient and Hessian of a function at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Local {
    pub value: f64,
    pub gradient: Point,
    pub hessian: Matrix,
}

impl Local {
    pub(super) fn of(jet: &PointJet) -> Self {
        let [a, b, c] = [jet.hessian[0][0], jet.hessian[0][1], jet.hessian[1][1]];
        Self {
            value: jet.value,
            gradient: [jet.gradient[0], jet.gradient[1]],
            hessian: [[a, b], [b, c]],
        }
    }

    /// Whether all of it is finite.
    pub fn is_finite(&self) -> bool {
        let hessian = self.hessian.iter().flatten();
        let all = self.gradient.iter().chain(hessian).chain([&self.value]);
        all.into_iter().all(|v| v.is_finite())
    }
}

/// The point with these coordinates.
pub(super) fn point(x: &[f64]) -> Point {
    [x[0], x.get(1).copied().unwrap_or(0.0)]
}

pub fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// `|a − b|`.
pub fn distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// `a + s b`.
pub(super) fn along(a: Point, s: f64, b: Point) -> Point {
    [a[0] + s * b[0], a[1] + s * b[1]]
}

pub(super) fn minus(a: Point, b: Point) -> Point {
    along(a, -1.0, b)
}

pub(super) fn apply(m: &Matrix, v: Point) -> Point {
    [dot(m[0], v), dot(m[1], v)]
}

/// `a + s b`.
pub(super) fn sum(a: &Matrix, s: f64, b: &Matrix) -> Matrix {
    [along(a[0], s, b[0]), along(a[1], s, b[1])]
}

/// The solution of `m k = r`, m of the given dimension.
pub(super) fn solve(m: &Matrix, r: Point, dimension: usize) -> Point {
    if dimension == 1 {
        return [r[0] / m[0][0], 0.0];
    }
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    [
        (m[1][1] * r[0] - m[0][1] * r[1]) / determinant,
        (m[0][0] * r[1] - m[1][0] * r[0]) / determinant,
    ]
}

/// Smallest eigenvalue of a symmetric matrix; NaN where it has one.
pub fn least_eigenvalue(m: &Matrix, dimension: usize) -> f64 {
    if dimension == 1 {
        return m[0][0];
    }
    let (middle, half) = (0.5 * (m[0][0] + m[1][1]), 0.5 * (m[0][0] - m[1][1]));
    let radius = half.hypot(m[0][1]);
    // The larger one and the determinant: no cancellation for definite matrices.
    let determinant = m[0][0] * m[1][1] - m[0][1] * m[0][1];
    if middle > 0.0 {
        determinant / (middle + radius)
    } else {
        middle - radius
    }
}
