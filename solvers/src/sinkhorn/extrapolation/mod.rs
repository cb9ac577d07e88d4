//! Extrapolated Sinkhorn: the parabolic Monge–Ampère flow from Sinkhorn iterations, without a derivative or a linear solve.
//!
//! One iteration is a step of length ε of PMA. Made symmetric in time ([`symmetric`]) it has an error in even powers of ε, so a
//! macro step H is taken k times, by j = 1, …, k iterations at ε = H/j, and extrapolated to ε = 0 ([`tableau`]) as Gragg, Bulirsch
//! and Stoer do. H has no stability limit: an iteration is the heat semigroup with logarithms in between and damps every
//! mode as the flow does. The columns are independent of each other, and each runs on the coarsest grid that resolves its √ε and the
//! fields ([`ladder`]); its cost does not depend on the grid asked for.
//!
//! *Where it stops working.* The expansion is in powers of `ελ` for a mode that decays at rate λ: a potential with many
//! modes needs small H. At rest a column is at Sinkhorn's fixed point, not PMA's, so H does not grow as the flow comes to
//! rest, as it does for a stiff integrator. Grids finer than asked are used up to [`ladder::MOST_REFINED`] times.

mod columns;
mod control;
mod ladder;
mod rung;
mod symmetric;
mod tableau;
#[cfg(test)]
mod tests;

use super::iteration::start_curvature;
use crate::density::LogDensity;
use crate::error::{Error, Result};
use crate::torus::Torus;
use columns::Columns;
use control::Control;
use ladder::Ladder;
use std::sync::Arc;

/// One accepted macro step.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroStep {
    /// Time reached.
    pub time: f64,
    /// H.
    pub step: f64,
    /// k.
    pub columns: usize,
    /// Sinkhorn iterations spent, on rejected steps too.
    pub iterations: usize,
    pub rejected: usize,
    /// Points of the grid of the last column.
    pub points: Vec<usize>,
    /// Estimate of the error of the step: that of one column fewer.
    pub error: f64,
}

/// `∂_t u = f − g(∇u) + log det ∇²u` by extrapolated Sinkhorn iterations.
pub struct Extrapolation {
    ladder: Ladder,
    /// p, and the rung that it is given on.
    p: Vec<f64>,
    rung: usize,
    tolerance: f64,
    control: Control,
}

/// A step this much smaller than the horizon no longer advances.
const SMALLEST_STEP: f64 = 1e-10;

impl Extrapolation {
    /// From the periodic part `start` of u_0 on `torus`, with error `tolerance` of p per macro step (sup norm).
    ///
    /// # Errors
    /// [`Error::LostConvexity`] when u_0 is not convex.
    pub fn new(
        torus: &Torus,
        source: Arc<dyn LogDensity>,
        target: Arc<dyn LogDensity>,
        start: &[f64],
        tolerance: f64,
    ) -> Result<Self> {
        let curvature = start_curvature(torus, start)?;
        let mut ladder = Ladder::new(torus, source, target, curvature, tolerance);
        ladder.resolve(0, start);
        Ok(Self {
            ladder,
            p: start.to_vec(),
            rung: 0,
            tolerance,
            control: Control::FIRST,
        })
    }

    /// One macro step from `time`, not past `end`.
    ///
    /// # Errors
    /// [`Error::TooCoarse`] where the grids allowed do not resolve the ε that the tolerance takes, [`Error::NoConvergence`] where steps
    /// become too small to advance, [`Error::NonFinite`].
    pub fn advance(&mut self, time: f64, end: f64) -> Result<MacroStep> {
        let (mut rejected, mut iterations) = (0, 0);
        loop {
            let tried = self.control.within(end - time);
            if tried.step < SMALLEST_STEP * end {
                return Err(stalled(tried.step, self.tolerance));
            }
            let columns = Columns::run(&mut self.ladder, tried, self.rung, &self.p)?;
            iterations += columns.iterations();
            let (p, errors) = columns.extrapolate();
            if !errors.all.is_finite() {
                return Err(Error::NonFinite {
                    quantity: "p",
                    when: String::new(),
                    remedy: "check the densities and the start".into(),
                });
            }
            let work = |columns: usize, step: f64| self.ladder.work(columns, step);
            let next = tried.next(errors, self.tolerance, work);
            let resolved = columns.resolved(&mut self.ladder, &p);
            if errors.all <= self.tolerance && resolved {
                self.control = next.no_less_than(self.control, tried);
                (self.p, self.rung) = (p, columns.finest());
                return Ok(MacroStep {
                    time: reached(time + tried.step, end),
                    step: tried.step,
                    columns: tried.columns,
                    iterations,
                    rejected,
                    points: self.ladder.points(self.rung).to_vec(),
                    error: errors.all,
                });
            }
            rejected += 1;
            if errors.all > self.tolerance {
                self.control = next;
            }
        }
    }

    /// p on the grid asked for, constant included.
    pub fn p(&mut self) -> Vec<f64> {
        self.ladder.carry(&self.p, self.rung, 0)
    }
}

/// `end` itself where a step was cut to it.
fn reached(time: f64, end: f64) -> f64 {
    if end - time <= 1e-12 * end { end } else { time }
}

fn stalled(step: f64, tolerance: f64) -> Error {
    Error::NoConvergence {
        what: "the macro step of extrapolated Sinkhorn",
        residual: step,
        iterations: 0,
        tolerance,
        remedy: "use a looser tolerance, or the Rosenbrock integrator".into(),
    }
}
