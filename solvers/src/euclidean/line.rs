//! On the line nothing needs to be stepped: `t(x) = ∫_x^{x_0} U''/F' ds` says when the flow is at x, and the behaviour of `U''/F'` at the
//! end of the path says how it gets there.

use super::plane::Point;
use super::problem::Euclidean;
use crate::quadrature::adaptive;

/// How the flow approaches its end `x_∞`, by the exponent a of `U''/F' ~ |x − x_∞|^a`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ending {
    /// a = −1: `|x − x_∞| ~ e^{−rt}`.
    Exponential { rate: f64 },
    /// a > −1: there at `time`, with `|x − x_∞|^power` linear in t before, power = a + 1.
    Finite { power: f64, time: f64 },
    /// a < −1: `|x − x_∞| ~ t^{exponent}`, exponent = 1/(a + 1).
    Algebraic { exponent: f64 },
    /// No such exponent is seen, or the path has no end.
    Unknown,
}

/// The path of a problem on the line.
#[derive(Debug, Clone)]
pub struct Line {
    problem: Euclidean,
    start: f64,
    /// `x_∞`: the first zero of F' or border of the domain of U on the way; `None` where there is neither.
    end: Option<f64>,
    ending: Ending,
}

/// Steps on the way to the end, each twice as long as the one before.
const MOST_DOUBLINGS: usize = 200;

/// Distance from the end, as a part of the whole, at which the exponent is read.
const NEAR: f64 = 1e-4;
/// Exponents this near to −1 are −1; those at two distances differ by no more.
const EXPONENT: f64 = 1e-3;
/// Below this part of the whole the local law takes over from quadrature.
const TAIL: f64 = 1e-7;
/// Relative accuracy of the integrals.
const ACCURATE: f64 = 1e-14;

impl Line {
    /// `None` unless the problem is one-dimensional.
    pub fn of(problem: &Euclidean) -> Option<Self> {
        if problem.dimension() != 1 {
            return None;
        }
        let mut line = Self {
            problem: problem.clone(),
            start: problem.start()[0],
            end: None,
            ending: Ending::Unknown,
        };
        line.end = line.find_end();
        line.ending = line.find_ending();
        Some(line)
    }

    pub fn end(&self) -> Option<f64> {
        self.end
    }

    pub fn ending(&self) -> Ending {
        self.ending
    }

    /// When the flow is at x, between start and end, and the error of the quadrature.
    ///
    /// With `s = x_∞ ± |x_0 − x_∞|e^{−u}` the integrand is bounded at an exponential end and a sum of exponentials at any other.
    pub fn time_to(&self, x: f64) -> (f64, f64) {
        let Some(end) = self.end else {
            return adaptive(|s| self.per_length(s), x, self.start, ACCURATE);
        };
        let whole = self.start - end;
        let last = (whole / (x - end)).ln();
        adaptive(|u| self.per_logarithm(end, whole, u), 0.0, last, ACCURATE)
    }

    /// `U''/F'`, the time per length of the path.
    fn per_length(&self, s: f64) -> f64 {
        let x: Point = [s, 0.0];
        let bend = self.problem.mirror().at(x).hessian[0][0];
        bend / self.problem.objective(x).gradient[0]
    }

    fn per_logarithm(&self, end: f64, whole: f64, u: f64) -> f64 {
        let from_end = whole * (-u).exp();
        self.per_length(end + from_end) * from_end
    }

    /// Whether the flow goes on from a to b: U is finite and convex and F' keeps its sign on the way.
    fn goes_on(&self, a: f64, b: f64) -> bool {
        let slope = |s: f64| self.problem.objective([s, 0.0]).gradient[0];
        let sign = slope(self.start).signum();
        let down = |k: u32| slope(a + 0.25 * f64::from(k) * (b - a)) * sign > 0.0;
        (1..=4).all(down) && self.problem.mirror().reaches([a, 0.0], [b, 0.0])
    }

    fn find_end(&self) -> Option<f64> {
        let slope = self.problem.objective(self.problem.start()).gradient[0];
        let size = if self.start == 0.0 {
            1.0
        } else {
            self.start.abs()
        };
        let (mut inside, mut step) = (self.start, -0.25 * size * slope.signum());
        let mut doublings = 0;
        while self.goes_on(inside, inside + step) {
            inside += step;
            step *= 2.0;
            doublings += 1;
            if doublings > MOST_DOUBLINGS || !inside.is_finite() {
                return None;
            }
        }
        let mut outside = inside + step;
        while (outside - inside).abs() > 0.1 * f64::EPSILON * (self.start - outside).abs() {
            let middle = 0.5 * (inside + outside);
            if middle == inside || middle == outside {
                break;
            }
            if self.goes_on(inside, middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        // Zero is a usual end, and rounding of the bisection may miss it.
        let rounding = 8.0 * f64::EPSILON * size;
        Some(if outside.abs() <= rounding {
            0.0
        } else {
            outside
        })
    }

    fn find_ending(&self) -> Ending {
        let Some(end) = self.end else {
            return Ending::Unknown;
        };
        let whole = self.start - end;
        let density = |part: f64| self.per_length(end + part * whole).abs();
        let local = |part: f64| (density(2.0 * part) / density(part)).log2();
        // The exponent at distance δ is off by O(δ): extrapolated.
        let (far, near) = (local(NEAR), local(0.5 * NEAR));
        let exponent = 2.0 * near - far;
        if (far - near).abs() > EXPONENT || !exponent.is_finite() {
            return Ending::Unknown;
        }
        let power = exponent + 1.0;
        if power.abs() <= EXPONENT {
            let rate = |part: f64| 1.0 / (density(part) * part * whole.abs());
            let rate = 2.0 * rate(0.5 * NEAR) - rate(NEAR);
            Ending::Exponential { rate }
        } else if power > 0.0 {
            let time = self.arrival(end, whole, power);
            Ending::Finite { power, time }
        } else {
            let exponent = 1.0 / power;
            Ending::Algebraic { exponent }
        }
    }

    /// The whole integral, its last part by the local law.
    fn arrival(&self, end: f64, whole: f64, power: f64) -> f64 {
        let last = -TAIL.ln();
        let integrand = |u: f64| self.per_logarithm(end, whole, u);
        adaptive(integrand, 0.0, last, ACCURATE).0 + integrand(last) / power
    }
}
