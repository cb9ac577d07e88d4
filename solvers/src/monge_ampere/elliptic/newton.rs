//! Newton's method for the elliptic equation on one grid.
//!
//! Inexact Newton–Krylov with a line search that keeps u convex and the residual falling. Every trial freezes the linearisation, since
//! the full step is nearly always taken and then needs nothing computed twice.

use super::{Brenier, rounding};
use crate::density::Order;
use crate::error::{Error, Result};
use crate::monge_ampere::linearised::Linearised;
use crate::monge_ampere::operator::MongeAmpere;
use crate::parallel::{for_each_block, max_of, mean, mean_of, sup};
use crate::watch;

pub(super) const MOST_NEWTON_STEPS: usize = 40;
/// A search that stalls this close to the estimate of rounding has arrived: the estimate is a size, not a bound.
const ROUND_OFF_MARGIN: f64 = 50.0;
/// Shortest fraction of a Newton step that is tried.
const SHORTEST_FRACTION: f64 = 1e-4;
/// Largest part of a residual that a linear solve may leave.
const LOOSEST_FORCING: f64 = 0.1;
/// Part of the residual asked for that the last linear solve may leave.
const LAST_FORCING: f64 = 0.1;

/// The residual to stop at, asked again at every iterate, whose derivatives the operator holds.
pub(super) type Asked<'a> = dyn FnMut(&MongeAmpere) -> f64 + 'a;

/// Workspace for elliptic solves on one grid, one after the other.
pub struct Elliptic {
    /// `L_u`, frozen at the last solution.
    pub(crate) linearised: Linearised,
    rate: Vec<f64>,
    step: Vec<f64>,
    trial: Vec<f64>,
    trial_rate: Vec<f64>,
    /// Of the last Newton step, what was taken.
    fraction: f64,
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
            fraction: 1.0,
        }
    }

    /// Solves for the Brenier potential from the periodic part `start`, to a sup-residual below `tolerance` or below what
    /// rounding allows on this grid, `8·2^{-53} (1 + Σ(πn_i)² sup|p|)` up to a factor of fifty where the search stalls.
    ///
    /// # Errors
    /// [`Error::LostConvexity`] when the start is not convex, [`Error::NoConvergence`], [`Error::Interrupted`].
    pub fn solve(
        &mut self,
        operator: &mut MongeAmpere,
        start: &[f64],
        tolerance: f64,
    ) -> Result<Brenier> {
        self.solve_to(operator, start, &mut |_| tolerance, MOST_NEWTON_STEPS)
    }

    /// [`Self::solve`] to a residual that may depend on the iterate, in at most `most` steps.
    pub(super) fn solve_to(
        &mut self,
        operator: &mut MongeAmpere,
        start: &[f64],
        asked: &mut Asked,
        most: usize,
    ) -> Result<Brenier> {
        let mut found = Brenier::unsolved(start.to_vec());
        self.linearised.freeze(operator, &found.p, &mut self.rate)?;
        found.measure(&self.rate);
        self.fraction = 1.0;
        let first = found.residual;
        loop {
            let tolerance = asked(operator);
            let floor = rounding::of_values(operator.torus(), sup(&found.p));
            let done = found.residual <= tolerance.max(floor);
            watch::reached(reached(&found, first, tolerance.max(floor)))?;
            if !done && found.newton_steps < most && self.newton(operator, &mut found, tolerance)? {
                continue;
            }
            if !done {
                // The last trial was in vain: back to what was found.
                self.linearised.freeze(operator, &found.p, &mut self.rate)?;
                arrived(&found, operator, tolerance)?;
            }
            found.round_off = round_off(operator, &found.p);
            return Ok(found);
        }
    }

    /// One step with line search; false when no fraction of it helps.
    fn newton(
        &mut self,
        operator: &mut MongeAmpere,
        found: &mut Brenier,
        tolerance: f64,
    ) -> Result<bool> {
        // Quadratic convergence without solving early systems further than they deserve, nor the last one (Eisenstat & Walker,
        // SISC 17 (1996)): what Newton's method leaves is about the square of the residual, an error of log ρ. Krylov measures root
        // mean squares, which can be far below the sup: so a fraction of what it starts from, never a fraction of the sup.
        let fraction = found
            .residual
            .max(LAST_FORCING * tolerance / found.residual)
            .min(LOOSEST_FORCING);
        let forcing = fraction * deviation(&self.rate);
        let solved =
            self.linearised
                .solve_poisson(operator, &self.rate, &mut self.step, forcing)?;
        found.krylov += solved.iterations;
        found.newton_steps += 1;
        Ok(self.advance(operator, found))
    }

    /// Line search: from four times the last fraction, halves the Newton step until the trial is convex and its residual smaller; false
    /// when no fraction will do. At rounding only the whole step is tried.
    fn advance(&mut self, operator: &mut MongeAmpere, found: &mut Brenier) -> bool {
        let shortest = if found.residual <= allowance(operator, &found.p) {
            1.0
        } else {
            SHORTEST_FRACTION
        };
        let mut fraction = (4.0 * self.fraction).clamp(shortest, 1.0);
        while fraction >= shortest {
            combine(&found.p, fraction, &self.step, &mut self.trial);
            let (trial, rate) = (&self.trial, &mut self.trial_rate);
            let enough = (1.0 - 0.1 * fraction) * found.residual;
            if self.linearised.freeze(operator, trial, rate).is_ok() && spread(rate) < enough {
                std::mem::swap(&mut found.p, &mut self.trial);
                std::mem::swap(&mut self.rate, &mut self.trial_rate);
                found.measure(&self.rate);
                self.fraction = fraction;
                return true;
            }
            fraction *= 0.5;
        }
        false
    }
}

impl Brenier {
    /// The start, its mean removed: it would only be rounded.
    pub(super) fn unsolved(mut p: Vec<f64>) -> Self {
        centre(&mut p);
        Self {
            p,
            constant: 0.0,
            residual: f64::INFINITY,
            round_off: 0.0,
            newton_steps: 0,
            krylov: 0,
            coarser: Vec::new(),
        }
    }

    /// Takes constant and residual from `rate = F(p)`.
    pub(super) fn measure(&mut self, rate: &[f64]) {
        self.constant = mean(rate);
        self.residual = spread(rate);
    }
}

/// `sup |r − ⟨r⟩|`.
pub(super) fn spread(rate: &[f64]) -> f64 {
    let mean = mean(rate);
    max_of(rate.len(), |i| (rate[i] - mean).abs())
}

/// `⟨(r − ⟨r⟩)²⟩^{1/2}`.
pub(super) fn deviation(rate: &[f64]) -> f64 {
    let mean = mean(rate);
    mean_of(rate.len(), |i| (rate[i] - mean).powi(2)).sqrt()
}

/// `p + fraction·step`, mean zero.
fn combine(p: &[f64], fraction: f64, step: &[f64], out: &mut [f64]) {
    for_each_block(out, |start, out| {
        for (k, out) in out.iter_mut().enumerate() {
            *out = p[start + k] + fraction * step[start + k];
        }
    });
    centre(out);
}

pub(super) fn centre(p: &mut [f64]) {
    let mean = mean(p);
    for_each_block(p, |_, p| p.iter_mut().for_each(|p| *p -= mean));
}

/// What rounding the values of the whole potential adds to the residual.
pub(super) fn round_off(operator: &MongeAmpere, p: &[f64]) -> f64 {
    let size = sup(p) + operator.base.as_ref().map_or(0.0, |base| sup(&base.p));
    rounding::of_values(operator.torus(), size) * rounding::amplification(operator)
}

/// Newton's method squares the residual once it is below one and works down to that in steps before: the fraction of the way of the
/// logarithms, the decades below one counted by their doublings.
fn reached(found: &Brenier, first: f64, asked: f64) -> f64 {
    let way = |residual: f64| {
        let decades = -residual.log10();
        if decades > 0.0 {
            (1.0 + decades).log2()
        } else {
            decades
        }
    };
    let whole = way(asked) - way(first);
    if whole > 0.0 {
        ((way(found.residual) - way(first)) / whole).clamp(0.0, 1.0)
    } else {
        1.0
    }
}

/// The residual at which a search that no longer improves has arrived.
fn allowance(operator: &MongeAmpere, p: &[f64]) -> f64 {
    let size = sup(p) + operator.base.as_ref().map_or(0.0, |base| sup(&base.p));
    ROUND_OFF_MARGIN * rounding::of_values(operator.torus(), size)
}

/// The end of a search that no longer improves: at the floor of rounding a solution, above it a failure.
fn arrived(found: &Brenier, operator: &MongeAmpere, tolerance: f64) -> Result<()> {
    if found.residual <= allowance(operator, &found.p) {
        return Ok(());
    }
    Err(Error::NoConvergence {
        what: "the elliptic Monge–Ampère solve",
        residual: found.residual,
        iterations: found.newton_steps,
        tolerance,
        remedy: "use more points, or densities nearer to each other: where one nearly vanishes the map may stretch a thousandfold".into(),
    })
}
