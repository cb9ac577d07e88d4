//! The elliptic Monge–Ampère equation `f − g(∇u) + log det ∇²u = c`: ∇u is the optimal map from e^{-f} to e^{-g}.
//!
//! Inexact Newton–Krylov on the whole grid with a line search that keeps u convex. The constant c is zero in the continuum; on
//! the grid it absorbs the difference of the two discrete masses and comes out of the linear solve.

use super::linearised::Linearised;
use super::operator::MongeAmpere;
use crate::density::Order;
use crate::error::{Error, Result};
use crate::parallel::{for_each_block, max_of, mean, mean_of, sup};

/// A Brenier potential and how it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Brenier {
    /// Periodic part of u, mean zero.
    pub p: Vec<f64>,
    /// The constant c: discretisation error of the masses.
    pub constant: f64,
    /// `sup |f − g(∇u) + log det ∇²u − c|`.
    pub residual: f64,
    pub newton_steps: usize,
    pub krylov: usize,
}

const MOST_NEWTON_STEPS: usize = 40;
/// A search that stalls this close to the estimate of rounding has arrived: the estimate is a size, not a bound.
const ROUND_OFF_MARGIN: f64 = 50.0;
/// Shortest fraction of a Newton step that is tried.
const SHORTEST_FRACTION: f64 = 1e-4;

/// Solves once; see [`Elliptic::solve`].
///
/// # Errors
/// As [`Elliptic::solve`].
pub fn solve_elliptic(
    operator: &mut MongeAmpere,
    start: &[f64],
    tolerance: f64,
) -> Result<Brenier> {
    Elliptic::new(operator, Order::Gradient).solve(operator, start, tolerance)
}

/// Workspace for elliptic solves on one grid, one after the other.
pub struct Elliptic {
    /// `L_u`, frozen at the last solution.
    pub(crate) linearised: Linearised,
    rate: Vec<f64>,
    step: Vec<f64>,
    trial: Vec<f64>,
    trial_rate: Vec<f64>,
}

impl Elliptic {
    /// `order` as for [`Linearised::new`].
    pub fn new(operator: &MongeAmpere, order: Order) -> Self {
        let zeros = || vec![0.0; operator.torus().len()];
        Self {
            linearised: Linearised::new(operator, order),
            rate: zeros(),
            step: zeros(),
            trial: zeros(),
            trial_rate: zeros(),
        }
    }

    /// Solves for the Brenier potential from the periodic part `start`, to a sup-residual below `tolerance` or below what
    /// rounding allows on this grid, `8·2^{-53} (1 + Σ(πn_i)² sup|p|)` up to a factor of fifty where the search stalls.
    ///
    /// # Errors
    /// [`Error::LostConvexity`] when the start is not convex, [`Error::NoConvergence`].
    pub fn solve(
        &mut self,
        operator: &mut MongeAmpere,
        start: &[f64],
        tolerance: f64,
    ) -> Result<Brenier> {
        let mut found = Brenier {
            p: start.to_vec(),
            constant: 0.0,
            residual: f64::INFINITY,
            newton_steps: 0,
            krylov: 0,
        };
        self.linearised.freeze(operator, &found.p, &mut self.rate)?;
        loop {
            found.constant = mean(&self.rate);
            found.residual = spread(&self.rate);
            if found.residual <= tolerance.max(round_off(operator, &found.p)) {
                centre(&mut found.p);
                return Ok(found);
            }
            if found.newton_steps == MOST_NEWTON_STEPS
                || !self.newton(operator, &mut found, tolerance)?
            {
                return settle(found, operator, tolerance);
            }
            self.linearised.freeze(operator, &found.p, &mut self.rate)?;
        }
    }

    /// One step with line search; false when no fraction of it helps.
    fn newton(
        &mut self,
        operator: &mut MongeAmpere,
        found: &mut Brenier,
        tolerance: f64,
    ) -> Result<bool> {
        // Quadratic convergence without solving early systems further than they deserve. Krylov measures root mean
        // squares, which can be far below the sup: so a fraction of what it starts from, never a fraction of the sup.
        let fraction = found
            .residual
            .min(1e-2)
            .max(0.1 * tolerance / found.residual);
        let forcing = fraction * deviation(&self.rate);
        let solved =
            self.linearised
                .solve_poisson(operator, &self.rate, &mut self.step, forcing)?;
        found.krylov += solved.iterations;
        found.newton_steps += 1;
        let shorter = shorten(
            operator,
            found,
            &self.step,
            &mut self.trial,
            &mut self.trial_rate,
        );
        if shorter {
            std::mem::swap(&mut found.p, &mut self.trial);
        }
        Ok(shorter)
    }
}

/// Line search: halves the Newton step until the trial is convex and its residual smaller; false when no fraction will do.
fn shorten(
    operator: &mut MongeAmpere,
    found: &Brenier,
    step: &[f64],
    trial: &mut [f64],
    rate: &mut [f64],
) -> bool {
    let mut fraction = 1.0;
    while fraction >= SHORTEST_FRACTION {
        combine(&found.p, fraction, step, trial);
        let enough = (1.0 - 0.1 * fraction) * found.residual;
        if operator.rate(trial, rate).is_ok() && spread(rate) < enough {
            return true;
        }
        fraction *= 0.5;
    }
    false
}

/// `sup |r − ⟨r⟩|`.
fn spread(rate: &[f64]) -> f64 {
    let mean = mean(rate);
    max_of(rate.len(), |i| (rate[i] - mean).abs())
}

/// `⟨(r − ⟨r⟩)²⟩^{1/2}`.
fn deviation(rate: &[f64]) -> f64 {
    let mean = mean(rate);
    mean_of(rate.len(), |i| (rate[i] - mean).powi(2)).sqrt()
}

fn round_off(operator: &MongeAmpere, p: &[f64]) -> f64 {
    let modes: f64 = operator
        .torus()
        .points()
        .iter()
        .map(|&n| (std::f64::consts::PI * n as f64).powi(2))
        .sum();
    4.0 * f64::EPSILON * (modes * sup(p) + 1.0)
}

fn combine(p: &[f64], fraction: f64, step: &[f64], out: &mut [f64]) {
    for_each_block(out, |start, out| {
        for (k, out) in out.iter_mut().enumerate() {
            *out = p[start + k] + fraction * step[start + k];
        }
    });
}

fn centre(p: &mut [f64]) {
    let mean = mean(p);
    for_each_block(p, |_, p| p.iter_mut().for_each(|p| *p -= mean));
}

/// The end of a search that no longer improves: at the floor of rounding a solution, above it a failure.
fn settle(mut found: Brenier, operator: &MongeAmpere, tolerance: f64) -> Result<Brenier> {
    if found.residual <= ROUND_OFF_MARGIN * round_off(operator, &found.p) {
        centre(&mut found.p);
        return Ok(found);
    }
    Err(Error::NoConvergence {
        what: "the elliptic Monge–Ampère solve",
        residual: found.residual,
        iterations: found.newton_steps,
        tolerance,
        remedy: "use more points: the densities may not be resolved, or one nearly vanishes".into(),
    })
}
