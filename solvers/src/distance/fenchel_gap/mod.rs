//! The Fenchel gap of one convex potential along the map of another, without cancellation.
//!
//! Between `ψ_ρ = |y|²/2 + q_ρ` and the point `x = ∇ψ_π(y)` it is `ψ_ρ^*(x) + ψ_ρ(y) − x·y ≥ 0`, zero iff `x = ∇ψ_ρ(y)`. With z
//! the point where `∇ψ_ρ(z) = x` and `δ = z − y`, Taylor's formula around z makes it quadratic in δ:
//!
//! ```text
//! gap(y) = ∫₀¹ s δᵀ ∇²ψ_ρ(y + sδ) δ ds,      [∫₀¹ ∇²ψ_ρ(y + sδ) ds] δ = ∇(q_π − q_ρ)(y).
//! ```

mod far;
mod near;

use crate::calculus::{Calculus, Derivatives, Spectral};
use crate::error::{Error, Result};
use crate::parallel::{max_of, sup};
use crate::symmetric::{
    Packed, determinant, extreme_eigenvalues, identity_plus, inverse, position,
};
use crate::torus::Torus;
use far::far;
use near::near;

/// Displacements up to this many nodes are integrated along; further ones leave enough digits to the closed form.
const NEAR: f64 = 1.0;
const MOST_ITERATIONS: usize = 60;
/// A change this small relative to the displacement ends the iteration.
const SETTLED: f64 = 1e-15;
/// So does one below this that no longer shrinks: the floor of the interpolation.
const FLOOR: f64 = 1e-8;
/// The gap and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct FenchelGap {
    /// `ψ_ρ^*(∇ψ_π(y)) + ψ_ρ(y) − y·∇ψ_π(y)` at the nodes y.
    pub gap: Vec<f64>,
    /// `δ = ∇ψ_ρ^*(∇ψ_π(y)) − y` at the nodes, one vector per axis.
    pub displacement: Vec<Vec<f64>>,
}

/// The Fenchel gap of `|y|²/2 + q_rho` along the map of `|y|²/2 + q_pi`, both periodic parts at the nodes.
///
/// Up to a displacement of one node the formulas above are integrated by six Gauss nodes: about 1e-12 relative for resolved
/// potentials, *however near* the two are, and exactly zero for equal ones. Beyond that z comes from the Legendre transform and
/// Newton's method and the gap is `q_ρ(y) − q_ρ(z) + ∇q_π(y)·δ − |δ|²/2`, to about 1e-13·sup|q_ρ| absolute.
///
/// # Errors
/// [`Error::LostConvexity`] where ψ_ρ is not convex, [`Error::NoConvergence`].
pub fn fenchel_gap(torus: &Torus, q_rho: &[f64], q_pi: &[f64]) -> Result<FenchelGap> {
    let mut pair = Pair::new(torus, q_rho, q_pi)?;
    let finest = *torus.points().iter().max().expect("d ≥ 1") as f64;
    if largest(&pair.newton_step()) * finest <= NEAR {
        near(torus, &pair)
    } else {
        far(torus, q_rho, &mut pair)
    }
}

/// What both forms start from.
struct Pair {
    /// ∇q_ρ and ∇²q_ρ.
    rho: Derivatives,
    /// `∇(q_π − q_ρ)`, of the difference, so that its digits do not cancel.
    push: Vec<Vec<f64>>,
}

impl Pair {
    fn new(torus: &Torus, q_rho: &[f64], q_pi: &[f64]) -> Result<Self> {
        let mut spectral = Spectral::new(torus);
        let mut this = Self {
            rho: Derivatives::zeros(torus),
            push: vec![vec![0.0; torus.len()]; torus.dimension()],
        };
        let difference: Vec<f64> = q_pi.iter().zip(q_rho).map(|(pi, rho)| pi - rho).collect();
        spectral.gradient(&difference, &mut this.push);
        spectral.derivatives(q_rho, &mut this.rho);
        check_convex(torus, &this.rho.hessian)?;
        Ok(this)
    }

    /// `(∇²ψ_ρ)^{-1} ∇(q_π − q_ρ)`: δ to second order.
    fn newton_step(&self) -> Vec<Vec<f64>> {
        let mut delta = vec![vec![0.0; self.push[0].len()]; self.push.len()];
        correct(&self.rho.hessian, &self.push, &mut delta);
        delta
    }
}

/// Whether an iteration ends with this change, the one before it having been `last`.
fn settled(change: f64, size: f64, last: f64) -> bool {
    change <= SETTLED * size || (change < FLOOR * size && change >= 0.5 * last)
}

/// `δ ← δ + (I + ∇²q)^{-1} residual`; returns the largest change.
fn correct(hessian: &[Vec<f64>], residual: &[Vec<f64>], delta: &mut [Vec<f64>]) -> f64 {
    let d = delta.len();
    let mut largest = 0.0f64;
    for i in 0..delta[0].len() {
        let m = identity_plus(d, hessian, i);
        let a: Packed = inverse(d, &m, determinant(d, &m));
        for row in 0..d {
            let change: f64 = (0..d)
                .map(|j| a[position(d, row, j)] * residual[j][i])
                .sum();
            delta[row][i] += change;
            largest = if change.is_nan() {
                f64::NAN
            } else {
                largest.max(change.abs())
            };
        }
    }
    largest
}

fn largest(fields: &[Vec<f64>]) -> f64 {
    fields.iter().map(|field| sup(field)).fold(0.0, f64::max)
}

fn check_convex(torus: &Torus, hessian: &[Vec<f64>]) -> Result<()> {
    let d = torus.dimension();
    let eigenvalue = |i: usize| extreme_eigenvalues(d, &identity_plus(d, hessian, i)).0;
    if max_of(torus.len(), |i| -eigenvalue(i)) < 0.0 {
        return Ok(());
    }
    let worst = (0..torus.len()).min_by(|&a, &b| eigenvalue(a).total_cmp(&eigenvalue(b)));
    let worst = worst.expect("a torus is never empty");
    Err(Error::LostConvexity {
        when: " in a Fenchel gap".into(),
        at: torus.node(worst),
        eigenvalue: eigenvalue(worst),
        remedy: "the gap of a potential needs it convex: use a smaller step or more points".into(),
    })
}

fn not_converged(residual: f64) -> Error {
    Error::NoConvergence {
        what: "the inverse of a Brenier map in a Fenchel gap",
        residual,
        iterations: MOST_ITERATIONS,
        tolerance: SETTLED,
        remedy: "use more points: the potentials are not resolved or nearly flat".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror_descent::random_log_density;
    use crate::parallel::sup_difference;

    #[test]
    fn the_integral_and_the_closed_form_agree_on_both_sides_of_the_switch() {
        for points in [&[128][..], &[48, 40][..]] {
            let torus = Torus::new(points).unwrap();
            let field = |seed| random_log_density(&torus, seed, 2, 1.0);
            let (a, b) = (field(1), field(2));
            let q_rho: Vec<f64> = a.iter().map(|a| 0.006 * a).collect();
            for nodes in [0.5, 0.95, 1.4] {
                let q_pi =
                    |s: f64| -> Vec<f64> { q_rho.iter().zip(&b).map(|(q, b)| q + s * b).collect() };
                let unit = largest(
                    &Pair::new(&torus, &q_rho, &q_pi(1e-3))
                        .unwrap()
                        .newton_step(),
                );
                let s = 1e-3 * nodes / (unit * points[0] as f64);
                let mut pair = Pair::new(&torus, &q_rho, &q_pi(s)).unwrap();
                let integral = near(&torus, &pair).unwrap();
                let closed = far(&torus, &q_rho, &mut pair).unwrap();
                let gap = sup_difference(&integral.gap, &closed.gap);
                println!(
                    "{points:?} at {nodes} nodes: {gap:.1e} of {:.1e}",
                    sup(&integral.gap)
                );
                assert!(gap < 2e-15 && sup(&integral.gap) > 1e-6, "{gap:e}");
                for (integral, closed) in integral.displacement.iter().zip(&closed.displacement) {
                    assert!(sup_difference(integral, closed) < 1e-12);
                }
            }
        }
    }
}
