//! The mirror U: strictly convex on an open set, which holds the path.

use super::newton::newton;
use super::plane::{Local, Matrix, Point, along, distance, dot, least_eigenvalue, minus};
use crate::density::{Formula, LogDensity};
use crate::error::{Error, Result};

/// A mirror on R, or on R².
#[derive(Debug, Clone)]
pub enum Mirror {
    /// `|x|²/2` in this dimension: gradient flow.
    Quadratic(usize),
    /// `x⁴`: flat at zero, which is reached in finite time.
    Quartic,
    /// `1/x` on x > 0: steep at zero, which is approached algebraically.
    Reciprocal,
    /// Any other.
    Formula(Box<Formula>),
}

/// Points of a segment at which U is looked at before Newton's method goes along it.
const LOOKS: usize = 4;

impl Mirror {
    pub fn dimension(&self) -> usize {
        match self {
            Self::Quadratic(dimension) => *dimension,
            Self::Quartic | Self::Reciprocal => 1,
            Self::Formula(formula) => formula.dimension(),
        }
    }

    /// U, ∇U and ∇²U.
    pub fn at(&self, x: Point) -> Local {
        let line = |value, gradient, hessian| Local {
            value,
            gradient: [gradient, 0.0],
            hessian: [[hessian, 0.0], [0.0, 0.0]],
        };
        let s = x[0];
        match self {
            Self::Quadratic(1) => line(0.5 * s * s, s, 1.0),
            Self::Quadratic(_) => Local {
                value: 0.5 * dot(x, x),
                gradient: x,
                hessian: [[1.0, 0.0], [0.0, 1.0]],
            },
            Self::Quartic => line(s.powi(4), 4.0 * s.powi(3), 12.0 * s * s),
            Self::Reciprocal => line(1.0 / s, -s.powi(-2), 2.0 * s.powi(-3)),
            Self::Formula(formula) => Local::of(&formula.jet_at(&x[..self.dimension()])),
        }
    }

    /// Whether U is finite and strictly convex at x.
    pub fn holds(&self, x: Point) -> bool {
        let local = self.at(x);
        local.is_finite() && least_eigenvalue(&local.hessian, self.dimension()) > 0.0
    }

    /// `x = ∇U*(θ)`, the point of the domain with `∇U(x) = θ`: in closed form for the named mirrors, else by Newton's method
    /// from `near`, a point of the domain.
    ///
    /// # Errors
    /// [`Error::Euclidean`] where θ is no gradient of U; [`Error::NoConvergence`].
    pub fn inverse(&self, theta: Point, near: Point) -> Result<Point> {
        let closed = match self {
            Self::Quadratic(_) => theta,
            Self::Quartic => [(0.25 * theta[0]).cbrt(), 0.0],
            Self::Reciprocal => [(-theta[0]).powf(-0.5), 0.0],
            Self::Formula(_) => {
                let inside = |a: Point, b: Point| self.reaches(a, b);
                let u = |x: Point| self.at(x);
                return newton(&u, &inside, theta, near, self.dimension());
            }
        };
        if closed.iter().all(|x| x.is_finite()) {
            return Ok(closed);
        }
        Err(Error::Euclidean {
            reason: format!("θ = {:e} is no slope of U = {}", theta[0], self.name()),
            remedy: "use a smaller step or another start".into(),
        })
    }

    /// Whether U is finite and strictly convex from a to b, as far as a few looks tell: a pole between two convex pieces shows as a
    /// gradient that is not monotone.
    pub fn reaches(&self, a: Point, b: Point) -> bool {
        let way = minus(b, a);
        let mut before = self.at(a).gradient;
        (1..=LOOKS).all(|k| {
            let x = along(a, k as f64 / LOOKS as f64, way);
            let gradient = self.at(x).gradient;
            let monotone = dot(minus(gradient, before), way) >= 0.0;
            before = gradient;
            monotone && self.holds(x)
        })
    }

    /// x(t) of `F = x²/2` on the line from `start`, where it is known: `x_0e^{−t}`, `√(x_0² − t/6)₊`, `(x_0^{-3} + 3t/2)^{-1/3}`.
    pub fn exact(&self, start: f64, t: f64) -> Option<f64> {
        match self {
            Self::Quadratic(1) => Some(start * (-t).exp()),
            Self::Quartic => Some((start * start - t / 6.0).max(0.0).sqrt().copysign(start)),
            Self::Reciprocal => Some((start.powi(-3) + 1.5 * t).cbrt().recip()),
            _ => None,
        }
    }

    /// The mirror in words.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Quadratic(1) => "x²/2",
            Self::Quadratic(_) => "|x|²/2",
            Self::Quartic => "x⁴",
            Self::Reciprocal => "1/x",
            Self::Formula(_) => "its formula",
        }
    }

    /// `D_v ∇²U(x)`, the derivative of the Hessian along v, from four exact Hessians on the line through x: an error of fourth order in
    /// their distance, which is a thousandth of |x| or less where U varies faster.
    pub(super) fn third(&self, x: Point, v: Point) -> Matrix {
        let speed = dot(v, v).sqrt();
        if speed == 0.0 {
            return [[0.0; 2]; 2];
        }
        let near = distance(x, [0.0; 2]);
        let mut step = SPACING * if near > 0.0 { near } else { 1.0 } / speed;
        let here = self.at(x).hessian;
        let scale = here.iter().flatten().fold(0.0f64, |m, h| h.abs().max(m));
        for _ in 0..60 {
            let at = |k: f64| self.at(along(x, k * step, v)).hessian;
            let [far_back, back, ahead, far_ahead] = [-2.0, -1.0, 1.0, 2.0].map(at);
            let entry = |i: usize, j: usize| {
                let inner = 8.0 * (ahead[i][j] - back[i][j]);
                (inner - (far_ahead[i][j] - far_back[i][j])) / (12.0 * step)
            };
            let near_here = |other: &Matrix| {
                let mut pairs = other.iter().flatten().zip(here.iter().flatten());
                pairs.all(|(a, b)| (a - b).abs() <= SMOOTH * scale)
            };
            if near_here(&far_back) && near_here(&far_ahead) {
                return [[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]];
            }
            step *= 0.5;
        }
        [[f64::NAN; 2]; 2]
    }
}

/// Distance of the Hessians for a third derivative, relative; their largest relative change.
const SPACING: f64 = 1e-3;
const SMOOTH: f64 = 0.02;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::Formula;

    fn formula(text: &str, dimension: usize) -> Mirror {
        Mirror::Formula(Box::new(Formula::parse(text, dimension).unwrap()))
    }

    #[test]
    fn named_mirrors_are_their_formulas() {
        for (named, text) in [
            (Mirror::Quadratic(1), "x^2/2"),
            (Mirror::Quartic, "x^4"),
            (Mirror::Reciprocal, "1/x"),
        ] {
            let written = formula(text, 1);
            for x in [0.3, 1.0, 2.5] {
                let (a, b) = (named.at([x, 0.0]), written.at([x, 0.0]));
                approx::assert_relative_eq!(a.value, b.value, max_relative = 1e-14);
                approx::assert_relative_eq!(a.gradient[0], b.gradient[0], max_relative = 1e-14);
                approx::assert_relative_eq!(a.hessian[0][0], b.hessian[0][0], max_relative = 1e-14);
                let there = named.inverse(a.gradient, [1.0, 0.0]).unwrap();
                let newton = written.inverse(a.gradient, [1.0, 0.0]).unwrap();
                approx::assert_relative_eq!(there[0], x, max_relative = 1e-14);
                approx::assert_relative_eq!(newton[0], x, max_relative = 1e-14);
            }
        }
    }

    #[test]
    fn the_inverse_is_found_from_far_and_stays_in_the_domain() {
        let entropy = formula("x*log(x)", 1);
        for x in [1e-12, 1e-3, 1.0, 1e6] {
            let theta = entropy.at([x, 0.0]).gradient;
            let found = entropy.inverse(theta, [1.0, 0.0]).unwrap();
            approx::assert_relative_eq!(found[0], x, max_relative = 1e-12);
        }
        // Two convex pieces with a pole between them: the other one also has a point of slope 0.
        let two = formula("1/x^2 + x^2", 1);
        let found = two.inverse([0.0, 0.0], [40.0, 0.0]).unwrap();
        approx::assert_relative_eq!(found[0], 1.0, max_relative = 1e-12);
        assert!(!two.reaches([1.0, 0.0], [-1.0, 0.0]));
        let tilted = formula("exp(x + 0.3*y) + x^2 + y^4 + y^2/3", 2);
        let x = [0.7, -1.2];
        let found = tilted.inverse(tilted.at(x).gradient, [-3.0, 4.0]).unwrap();
        assert!(distance(found, x) < 1e-13, "{found:?}");
    }

    #[test]
    fn a_slope_that_no_point_has_is_refused() {
        for (mirror, theta) in [
            (Mirror::Reciprocal, 0.5),
            (formula("1/x", 1), 0.5),
            (formula("log(1 + exp(x))", 1), 1.5),
        ] {
            let refused = mirror.inverse([theta, 0.0], [1.0, 0.0]).unwrap_err();
            let said = refused.to_string();
            assert!(
                said.contains("no slope") || said.contains("no gradient"),
                "{said}"
            );
        }
    }

    #[test]
    fn third_derivatives_are_those_of_the_formula() {
        let third = |mirror: &Mirror, x: f64| mirror.third([x, 0.0], [1.0, 0.0])[0][0];
        approx::assert_relative_eq!(third(&Mirror::Quartic, 0.5), 12.0, max_relative = 1e-9);
        for x in [1e-3, 0.2, 3.0] {
            let expected = -6.0 * f64::powi(x, -4);
            approx::assert_relative_eq!(
                third(&Mirror::Reciprocal, x),
                expected,
                max_relative = 1e-9
            );
        }
        // A border nearer than a thousandth of x.
        let barrier = formula("-log(x - 1)", 1);
        let near = third(&barrier, 1.0 + 1e-6);
        approx::assert_relative_eq!(near, -2e18, max_relative = 1e-6);
    }
}
