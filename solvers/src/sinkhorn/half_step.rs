//! One half-step, axis by axis: `out(y) = ε log ∫ K_ε(x,y) exp(−p(x)/ε − f(x)) dx`.
//!
//! The kernel is a product over the axes, so the sum is taken one axis at a time, in the log domain. Each pass reads lines along
//! the leading axis and writes them as the trailing one: after d passes the axes are in order again, writes are contiguous,
//! and lines are independent of each other, so the bits do not depend on the number of threads. Cost per pass and
//! node: `window/16 + 1` exponentials and `window` multiply–adds (see [`super::line`]). No allocation.

use super::kernel::Kernel;
use super::line::{LinePlan, LineScratch, Range};
use crate::parallel::{PerThread, for_each_block};
use crate::torus::Torus;
use rayon::prelude::*;
use std::f64::consts::PI;

/// Lines gathered together: eight doubles are one cache line.
const TILE: usize = 8;

/// Curvature of the summed potential along each axis, as met by the sums of a half-step: λ in the resolution rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Curvature {
    /// (smallest, largest) per axis.
    pub axes: Vec<(f64, f64)>,
}

/// Plans and buffers for half-steps on one grid at one ε.
pub struct HalfStep {
    torus: Torus,
    kernel: Kernel,
    epsilon: f64,
    plans: Vec<LinePlan>,
    scratch: Vec<PerThread<(Vec<f64>, LineScratch)>>,
    front: Vec<f64>,
    back: Vec<f64>,
}

impl HalfStep {
    pub fn new(torus: &Torus, kernel: Kernel, epsilon: f64) -> Self {
        let plans: Vec<_> = torus
            .points()
            .iter()
            .map(|&n| LinePlan::new(n, kernel, epsilon))
            .collect();
        let scratch = plans
            .iter()
            .zip(torus.points())
            .map(|(plan, &n)| PerThread::new(|| (vec![0.0; TILE * n], plan.scratch())))
            .collect();
        Self {
            torus: torus.clone(),
            kernel,
            epsilon,
            plans,
            scratch,
            front: vec![0.0; torus.len()],
            back: vec![0.0; torus.len()],
        }
    }

    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Writes `out(y) = ε log ∫ K_ε(x,y) exp(−p(x)/ε − f(x)) dx`; returns the curvatures met.
    ///
    /// The sum is the integral to round-off where the grid resolves the curvature ([`super::RESOLUTION`]); deciding
    /// that is the caller's.
    pub fn apply(&mut self, p: &[f64], f: &[f64], out: &mut [f64]) -> Curvature {
        let inverse = 1.0 / self.epsilon;
        for_each_block(&mut self.front, |start, front| {
            for (k, a) in front.iter_mut().enumerate() {
                *a = -p[start + k] * inverse - f[start + k];
            }
        });
        let mut axes = Vec::with_capacity(self.plans.len());
        for (plan, scratch) in self.plans.iter().zip(&self.scratch) {
            let range = pass(plan, scratch, &self.front, &mut self.back);
            axes.push((range.min, range.max));
            std::mem::swap(&mut self.front, &mut self.back);
        }
        let (epsilon, normalisation) = (self.epsilon, self.log_normalisation());
        let front = &self.front;
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = epsilon * (front[start + k] + normalisation);
            }
        });
        Curvature { axes }
    }

    /// `log [ N^{-1} (2πε)^{-d/2} ]`.
    fn log_normalisation(&self) -> f64 {
        let d = self.torus.dimension() as f64;
        -0.5 * d * (2.0 * PI * self.epsilon).ln() - (self.torus.len() as f64).ln()
    }
}

/// Lines along the leading axis of `[n][rest]` to lines along the trailing one of `[rest][n]`.
fn pass(
    plan: &LinePlan,
    scratch: &PerThread<(Vec<f64>, LineScratch)>,
    from: &[f64],
    to: &mut [f64],
) -> Range {
    let n = plan.points();
    let rest = from.len() / n;
    to.par_chunks_mut(TILE * n)
        .enumerate()
        .map(|(tile, lines)| {
            scratch.with(|(gathered, line_scratch)| {
                let (first, width) = (tile * TILE, lines.len() / n);
                for i in 0..n {
                    let row = &from[i * rest + first..i * rest + first + width];
                    for (k, value) in row.iter().enumerate() {
                        gathered[k * n + i] = *value;
                    }
                }
                lines
                    .chunks_mut(n)
                    .zip(gathered.chunks(n))
                    .map(|(b, a)| plan.convolve(a, b, line_scratch))
                    .fold(Range::EMPTY, Range::union)
            })
        })
        .reduce(|| Range::EMPTY, Range::union)
}
