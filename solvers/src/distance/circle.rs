//! The optimal map between densities on the circle, exact up to round-off for resolved densities.
//!
//! With cumulative functions F₁, F₂ lifted to R, every map that transports ρ₁ to ρ₂ in the cyclic order is
//! `T_α = F₂^{-1}(F₁ + α)`, and the cost is convex in α. Its derivative is the mean displacement `∫(T_α − x)dx`,
//! which vanishes exactly for a gradient `T = x + p'` with p periodic: that is the optimal map.

use crate::error::{Error, Result};
use crate::fourier::{Complex64, Fourier, angular};
use crate::interpolation::Interpolant;
use crate::parallel::{mean, sup};
use crate::torus::Torus;

const MOST_ITERATIONS: usize = 60;
/// Of the shift: to halve its interval down to rounding takes 60, and where a density nearly vanishes Newton's steps between help little.
const MOST_SHIFTS: usize = 200;
/// Error of the interpolated cumulative function.
const ROUND_OFF: f64 = 1e-13;

/// Displacement `T(x) − x` at the nodes of the optimal map from `e^{log_rho1}` to `e^{log_rho2}` for the cost |x−y|²
/// on the circle. Both are normalised to unit mass first.
///
/// # Errors
/// [`Error::NoConvergence`] when a density is not resolved by the grid.
pub fn circle_map(torus: &Torus, log_rho1: &[f64], log_rho2: &[f64]) -> Result<Vec<f64>> {
    assert_eq!(torus.dimension(), 1);
    let (_, cumulative1) = cumulative(torus, log_rho1);
    let (rho2, cumulative2) = cumulative(torus, log_rho2);
    let second = Interpolant::new(torus, &[&cumulative2, &rho2]);
    let nodes = torus.nodes().remove(0);
    let mut shift = 0.0;
    let mut displacement = vec![0.0; torus.len()];
    let mut residual = f64::INFINITY;
    // The mean displacement increases with α and is within 2 of it, since |P₁|, |P₂| < 1. Where a density nearly vanishes it is a
    // staircase, on whose flat parts a bare Newton step would fly off.
    let mut bracket = Bracket::around(0.0, 2.0);
    for _ in 0..MOST_SHIFTS {
        let goal: Vec<f64> = cumulative1.iter().map(|c| c + shift).collect();
        let density = invert(&second, &nodes, &goal, &mut displacement)?;
        // d/dα of the mean displacement is the mean of 1/ρ₂(T).
        let slope = mean(&density.iter().map(|r| 1.0 / r).collect::<Vec<_>>());
        let next = bracket.next(shift, mean(&displacement), slope);
        let update = next - shift;
        shift = next;
        let converged = update.abs() >= residual && residual < 1e-12;
        residual = update.abs();
        if converged || residual < 1e-17 {
            return Ok(displacement);
        }
    }
    if residual < 1e-12 {
        Ok(displacement)
    } else {
        Err(stalled(residual))
    }
}

/// An interval that contains the zero of an increasing function.
#[derive(Clone, Copy)]
struct Bracket {
    low: f64,
    high: f64,
}

impl Bracket {
    fn around(centre: f64, radius: f64) -> Self {
        Self {
            low: centre - radius,
            high: centre + radius,
        }
    }

    /// Takes in the value `excess` at x; the next point is Newton's, or the middle when that is outside.
    fn next(&mut self, x: f64, excess: f64, slope: f64) -> f64 {
        if excess > 0.0 {
            self.high = self.high.min(x);
        } else {
            self.low = self.low.max(x);
        }
        let newton = x - excess / slope;
        if newton >= self.low && newton <= self.high {
            newton
        } else {
            0.5 * (self.low + self.high)
        }
    }
}

/// (ρ, F − x): the density normalised to unit mass and the periodic part of its antiderivative, mean zero.
fn cumulative(torus: &Torus, log_rho: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut rho: Vec<f64> = log_rho.iter().map(|l| l.exp()).collect();
    let mass = mean(&rho);
    rho.iter_mut().for_each(|r| *r /= mass);
    let mut fourier = Fourier::new(torus);
    let mut spectrum = fourier.spectrum();
    fourier.forward(&rho, &mut spectrum);
    let (wavenumbers, n) = (fourier.wavenumbers(0), torus.len());
    fourier.for_each_mode(&mut spectrum, |value, index| {
        let k = wavenumbers[index[0]];
        // The mean is the x that was split off; the Nyquist sine is not seen by the nodes.
        *value = if k == 0.0 || 2.0 * k == n as f64 {
            Complex64::ZERO
        } else {
            *value / Complex64::new(0.0, angular(k) * n as f64)
        };
    });
    let mut periodic = vec![0.0; n];
    fourier.inverse(&mut spectrum, &mut periodic);
    (rho, periodic)
}

/// Solves `δ + P₂(x + δ) = goal` for δ at every node by Newton's method kept inside a shrinking bracket; returns ρ₂ there.
fn invert(second: &Interpolant, x: &[f64], goal: &[f64], delta: &mut [f64]) -> Result<Vec<f64>> {
    let n = x.len();
    // |P₂| < 1, so the solution is within 1 of the goal.
    let mut bracket: Vec<Bracket> = goal.iter().map(|&g| Bracket::around(g, 1.0)).collect();
    let (mut periodic, mut density) = (vec![0.0; n], vec![0.0; n]);
    let (mut step, mut error) = (vec![0.0; n], vec![0.0; n]);
    let mut last = f64::INFINITY;
    for _ in 0..MOST_ITERATIONS {
        let at = vec![x.iter().zip(&*delta).map(|(x, d)| x + d).collect()];
        second.evaluate(&at, &mut [&mut periodic, &mut density]);
        for i in 0..n {
            let excess = delta[i] + periodic[i] - goal[i];
            let next = bracket[i].next(delta[i], excess, density[i]);
            (step[i], error[i]) = (next - delta[i], excess);
            delta[i] = next;
        }
        let size = sup(&step);
        // Newton is at its floor when the steps stop shrinking: about 1e-16/ρ₂, so large where ρ₂ nearly vanishes,
        // but there the mass that is misplaced, which is what a distance feels, is still at round-off.
        if size < 1e-17 || (size >= 0.5 * last && (size < 1e-13 || sup(&error) < ROUND_OFF)) {
            return Ok(density);
        }
        last = size;
    }
    if last < 1e-12 {
        Ok(density)
    } else {
        Err(stalled(last))
    }
}

fn stalled(residual: f64) -> Error {
    Error::NoConvergence {
        what: "the optimal map on the circle",
        residual,
        iterations: MOST_ITERATIONS,
        tolerance: 1e-13,
        remedy: "use more points: a density is not resolved or nearly vanishes".into(),
    }
}
