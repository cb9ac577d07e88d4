//! The Bregman divergence `D_U(z, x) = U(z) − U(x) − ⟨∇U(x), z − x⟩`, the minimiser z of F, and the modes of the flow there.

use super::newton::newton;
use super::plane::{Local, Matrix, Point, along, dot, least_eigenvalue, minus};
use super::problem::Euclidean;
use super::{Line, Mirror};

/// `D_U(z, x)` and the size of its rounding; NaN where U is not finite at z.
pub fn divergence(mirror: &Mirror, z: Point, x: Point) -> (f64, f64) {
    let (there, here) = (mirror.at(z).value, mirror.at(x));
    let slope = dot(here.gradient, minus(z, x));
    let size = there.abs() + here.value.abs() + slope.abs();
    (there - here.value - slope, 4.0 * f64::EPSILON * size)
}

/// Points of a segment at which curvature is looked at.
const LOOKS: usize = 32;

/// Smallest eigenvalue of the Hessian over the segments between these pairs of points, at 33 points of each; `−∞` where the function is not
/// finite. The first end of a segment is looked at only if `closed`.
pub fn least_curvature(
    jet: &dyn Fn(Point) -> Local,
    dimension: usize,
    segments: &[(Point, Point)],
    closed: bool,
) -> f64 {
    let first = usize::from(!closed);
    let at = |x: Point| {
        let local = jet(x);
        if local.is_finite() {
            least_eigenvalue(&local.hessian, dimension)
        } else {
            f64::NEG_INFINITY
        }
    };
    let on = |&(a, b): &(Point, Point)| {
        let part = move |k: usize| along(a, k as f64 / LOOKS as f64, minus(b, a));
        (first..=LOOKS).map(part).collect::<Vec<_>>()
    };
    segments
        .iter()
        .flat_map(on)
        .map(at)
        .fold(f64::INFINITY, f64::min)
}

/// Where the flow ends: on the line the first zero of F' or border of the domain, in the plane the minimiser of F next to `near`, if
/// Newton's method finds it and ∇²F is positive definite there.
pub fn minimiser(problem: &Euclidean, line: Option<&Line>, near: Point) -> Option<Point> {
    if let Some(line) = line {
        return line.end().map(|end| [end, 0.0]);
    }
    let f = |x: Point| problem.objective(x);
    let convex = |x: Point| f(x).is_finite() && least_eigenvalue(&f(x).hessian, 2) > 0.0;
    let inside = |_: Point, b: Point| convex(b);
    if !convex(near) {
        return None;
    }
    newton(&f, &inside, [0.0; 2], near, 2).ok()
}

/// The rates `r_1 ≤ r_2` with `det(∇²F − r∇²U) = 0` at z, where `x_t − z ~ Σ c_i e^{−r_i t}`, and the part of `displacement` in the first
/// one, squared, in the metric ∇²U. `None` where ∇²U is not positive definite and finite at z.
pub fn modes(problem: &Euclidean, z: Point, displacement: Point) -> Option<([f64; 2], f64)> {
    let (f, u) = (problem.objective(z), problem.mirror().at(z));
    let d = problem.dimension();
    if !(u.is_finite() && least_eigenvalue(&u.hessian, d) > 0.0 && f.is_finite()) {
        return None;
    }
    if d == 1 {
        return Some(([f.hessian[0][0] / u.hessian[0][0]; 2], 1.0));
    }
    // ∇²U = LLᵀ, S = L^{-1}∇²F L^{-T}.
    let l00 = u.hessian[0][0].sqrt();
    let l10 = u.hessian[0][1] / l00;
    let l11 = (u.hessian[1][1] - l10 * l10).sqrt();
    let back = |v: Point| [v[0] / l00, (v[1] - l10 * v[0] / l00) / l11];
    let rows: Matrix = [back(f.hessian[0]), back(f.hessian[1])];
    let columns = [
        back([rows[0][0], rows[1][0]]),
        back([rows[0][1], rows[1][1]]),
    ];
    let s: Matrix = [
        [columns[0][0], columns[0][1]],
        [columns[1][0], columns[1][1]],
    ];
    let least = least_eigenvalue(&s, 2);
    let most = s[0][0] + s[1][1] - least;
    // Of two expressions for the eigenvector the longer one.
    let candidates = [[s[0][1], least - s[0][0]], [least - s[1][1], s[0][1]]];
    let slow = if dot(candidates[0], candidates[0]) > dot(candidates[1], candidates[1]) {
        candidates[0]
    } else {
        candidates[1]
    };
    let y = [
        l00 * displacement[0] + l10 * displacement[1],
        l11 * displacement[1],
    ];
    let length = dot(slow, slow) * dot(y, y);
    let share = if length > 0.0 {
        dot(slow, y).powi(2) / length
    } else {
        1.0
    };
    Some(([least, most], share))
}
