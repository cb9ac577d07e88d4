//! The Legendre transform of the trigonometric interpolant at the nodes.

use super::discrete::{Discrete, discrete};
use crate::calculus::{Calculus, Derivatives, Spectral};
use crate::error::{Error, Result};
use crate::interpolation::Interpolant;
use crate::parallel::max_of;
use crate::symmetric::{
    Packed, determinant, extreme_eigenvalues, identity_plus, inverse, position,
};
use crate::torus::Torus;

const MOST_ITERATIONS: usize = 50;
/// Below steps of this size the Hessian is kept: each later step is then smaller by about as much.
const FROZEN: f64 = 1e-4;
/// After a step of this size, with a Hessian from at most [`FROZEN`] away, the error is below rounding.
const SETTLED: f64 = 1e-11;
/// Steps below this that no longer shrink are at the floor of rounding, `1e-14/λ_min(∇²u)`.
const FLOOR: f64 = 1e-9;
/// How far a maximum may lie below the best node's before Newton is said to have left it: rounding of the interpolant.
const ROUND_OFF: f64 = 1e-12;

/// A conjugate potential `u^* = |y|²/2 + q` at the nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct Conjugate {
    /// `q(y) = sup_x [−|x−y|²/2 − p(x)]`.
    pub q: Vec<f64>,
    /// `∇q(y) = x − y` at the maximiser x, so that `∇u^*(y) = y + ∇q(y) = x` inverts ∇u; one vector per axis.
    pub displacement: Vec<Vec<f64>>,
}

/// The conjugate of `u = |x|²/2 + p`, p read as its trigonometric interpolant: `q(y) = −|δ|²/2 − p(y+δ)` where `δ + ∇p(y+δ) = 0`.
///
/// Newton's method for δ from the best node ([`discrete`]). q is stationary in δ, so its error is the interpolant's, about 1e-13
/// relative to sup|p|; the displacement's is that of ∇p over `λ_min(∇²u)`. Three to five Newton steps, the first without interpolation;
/// one with its Hessian costs `14^d d(d+3)/2` multiply–adds per node.
///
/// # Errors
/// [`Error::LostConvexity`] where ∇²u is not positive definite, at a node or at a maximiser, or where Newton leaves the
/// best node's maximum; [`Error::NonFinite`]; [`Error::NoConvergence`].
pub fn conjugate(torus: &Torus, p: &[f64]) -> Result<Conjugate> {
    let best = discrete(torus, p)?;
    let d = torus.dimension();
    let mut derivatives = Derivatives::zeros(torus);
    Spectral::new(torus).derivatives(p, &mut derivatives);
    check_convex(torus, &derivatives.hessian, &torus.nodes())?;
    let newton = Newton::new(torus, p, &derivatives);
    let mut displacement: Vec<Vec<f64>> = best
        .shift
        .iter()
        .enumerate()
        .map(|(axis, shift)| {
            let h = torus.spacing(axis);
            shift.iter().map(|&s| h * f64::from(s)).collect()
        })
        .collect();
    newton.solve(at_best(torus, &derivatives, &best), &mut displacement)?;
    let value = newton.values(&displacement);
    let square = |i: usize| -> f64 { displacement.iter().map(|delta| delta[i].powi(2)).sum() };
    let q: Vec<f64> = (0..p.len()).map(|i| -0.5 * square(i) - value[i]).collect();
    let left = (0..q.len()).find(|&i| q[i] < best.q[i] - ROUND_OFF * (1.0 + value[i].abs()));
    match left {
        None => Ok(Conjugate { q, displacement }),
        Some(i) => Err(Error::LostConvexity {
            when: " where Newton left the best node's maximum".into(),
            at: (0..d)
                .map(|a| newton.nodes[a][i] + displacement[a][i])
                .collect(),
            eigenvalue: extreme_eigenvalues(d, &identity_plus(d, &derivatives.hessian, i)).0,
            remedy: "use more points: the potential is not resolved".into(),
        }),
    }
}

/// ∇p and ∇²p at the best node of every node: what the first step needs, without interpolation.
fn at_best(torus: &Torus, derivatives: &Derivatives, best: &Discrete) -> Vec<Vec<f64>> {
    let node = best.nodes(torus);
    let fields = derivatives.gradient.iter().chain(&derivatives.hessian);
    fields
        .map(|field| node.iter().map(|&i| field[i]).collect())
        .collect()
}

/// The equation `δ + ∇p(y+δ) = 0` at all nodes y.
struct Newton<'a> {
    torus: &'a Torus,
    nodes: Vec<Vec<f64>>,
    /// ∇p, then ∇²p.
    slopes: Interpolant,
    value: Interpolant,
}

impl<'a> Newton<'a> {
    fn new(torus: &'a Torus, p: &[f64], derivatives: &Derivatives) -> Self {
        let fields: Vec<&[f64]> = derivatives
            .gradient
            .iter()
            .chain(&derivatives.hessian)
            .map(Vec::as_slice)
            .collect();
        Self {
            torus,
            nodes: torus.nodes(),
            slopes: Interpolant::new(torus, &fields),
            value: Interpolant::new(torus, &[p]),
        }
    }

    /// Newton's steps from δ, which the node values in `first` start; the Hessian is kept once the steps are small.
    fn solve(&self, first: Vec<Vec<f64>>, delta: &mut [Vec<f64>]) -> Result<()> {
        let d = delta.len();
        let mut fields = first;
        let mut last = f64::INFINITY;
        for iteration in 0..MOST_ITERATIONS {
            if iteration > 0 {
                let at = self.displaced(delta);
                let wanted = if last > FROZEN { fields.len() } else { d };
                let out = fields[..wanted].iter_mut().map(Vec::as_mut_slice);
                self.slopes
                    .evaluate_watched(&at, &mut out.collect::<Vec<_>>())?;
                check_convex(self.torus, &fields[d..], &at)?;
            }
            let (gradient, hessian) = fields.split_at(d);
            let size = step(gradient, hessian, delta);
            if size < SETTLED || (size < FLOOR && size >= 0.5 * last) {
                return Ok(());
            }
            last = size;
        }
        Err(Error::NoConvergence {
            what: "the Legendre transform",
            residual: last,
            iterations: MOST_ITERATIONS,
            tolerance: SETTLED,
            remedy: "use more points: the potential is not resolved or nearly flat".into(),
        })
    }

    /// y + δ.
    fn displaced(&self, delta: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let add = |(y, delta): (&Vec<f64>, &Vec<f64>)| {
            y.iter().zip(delta).map(|(y, delta)| y + delta).collect()
        };
        self.nodes.iter().zip(delta).map(add).collect()
    }

    /// p(y + δ).
    fn values(&self, delta: &[Vec<f64>]) -> Vec<f64> {
        let mut value = vec![0.0; self.torus.len()];
        self.value
            .evaluate(&self.displaced(delta), &mut [&mut value]);
        value
    }
}

/// `δ ← δ − (I + ∇²p)^{-1} (δ + ∇p)`; returns the largest change.
fn step(gradient: &[Vec<f64>], hessian: &[Vec<f64>], delta: &mut [Vec<f64>]) -> f64 {
    let d = delta.len();
    let mut largest = 0.0f64;
    for i in 0..delta[0].len() {
        let m = identity_plus(d, hessian, i);
        let a: Packed = inverse(d, &m, determinant(d, &m));
        let mut residual = [0.0; 3];
        for axis in 0..d {
            residual[axis] = delta[axis][i] + gradient[axis][i];
        }
        for row in 0..d {
            let change: f64 = (0..d).map(|j| a[position(d, row, j)] * residual[j]).sum();
            delta[row][i] -= change;
            largest = largest.max(change.abs());
        }
    }
    largest
}

fn check_convex(torus: &Torus, hessian: &[Vec<f64>], at: &[Vec<f64>]) -> Result<()> {
    let d = torus.dimension();
    let eigenvalue = |i: usize| extreme_eigenvalues(d, &identity_plus(d, hessian, i)).0;
    if max_of(torus.len(), |i| -eigenvalue(i)) < 0.0 {
        return Ok(());
    }
    let worst = (0..torus.len()).min_by(|&a, &b| eigenvalue(a).total_cmp(&eigenvalue(b)));
    let worst = worst.expect("a torus is never empty");
    Err(Error::LostConvexity {
        when: String::new(),
        at: at.iter().map(|x| x[worst]).collect(),
        eigenvalue: eigenvalue(worst),
        remedy:
            "a potential has a smooth conjugate only where it is convex; use the discrete transform"
                .into(),
    })
}
