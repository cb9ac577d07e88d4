//! The iteration: two half-steps, with the resolution rule checked at the start and at every half-step.

use super::half_step::{Curvature, HalfStep};
use super::kernel::{Kernel, points_needed, quadrature_error};
use crate::calculus::{Calculus, Derivatives, Spectral};
use crate::error::{Error, Result};
use crate::parallel::{for_each_block, max_of, sup, sup_difference};
use crate::symmetric::{extreme_eigenvalues, identity_plus};
use crate::torus::Torus;
use std::ops::ControlFlow;

/// Sinkhorn potentials `(p_k, q_k)` for densities e^{-f}, e^{-g} on one grid at one ε.
pub struct Sinkhorn {
    torus: Torus,
    half_step: HalfStep,
    source: Vec<f64>,
    target: Vec<f64>,
    p: Vec<f64>,
    previous: Vec<f64>,
    q: Vec<f64>,
    /// The iterate under way: accepted only when it passed every check.
    next_p: Vec<f64>,
    iterations: usize,
    quadrature_error: f64,
}

/// What the observer sees after every iteration.
#[derive(Debug, Clone, PartialEq)]
pub struct IterationReport {
    /// k, counted from 1.
    pub iteration: usize,
    /// `sup |p_k − p_{k−1}|`.
    pub change: f64,
    /// Curvatures met by the sums over x and over y.
    pub curvature: [Curvature; 2],
}

impl Sinkhorn {
    /// From `f`, `g` and the periodic part `start` of u_0 at the nodes.
    ///
    /// # Errors
    /// [`Error::TooCoarse`] unless `h ≤ 0.7 √(ε / max(λ_max(∇²u_0), 1/λ_min(∇²u_0)))` along every axis;
    /// [`Error::LostConvexity`] when u_0 is not convex.
    pub fn new(
        torus: &Torus,
        kernel: Kernel,
        epsilon: f64,
        source: &[f64],
        target: &[f64],
        start: &[f64],
    ) -> Result<Self> {
        let curvature = start_curvature(torus, start)?;
        for axis in 0..torus.dimension() {
            resolved(torus, epsilon, axis, curvature, String::new)?;
        }
        Ok(Self {
            torus: torus.clone(),
            half_step: HalfStep::new(torus, kernel, epsilon),
            source: source.to_vec(),
            target: target.to_vec(),
            p: start.to_vec(),
            previous: start.to_vec(),
            q: vec![0.0; torus.len()],
            next_p: vec![0.0; torus.len()],
            iterations: 0,
            quadrature_error: 0.0,
        })
    }

    /// One iteration: `q_k` from `p_{k−1}`, then `p_k` from `q_k`. After an error the last good iterate is unchanged.
    ///
    /// # Errors
    /// [`Error::TooCoarse`] when the potential has become too curved for the grid, [`Error::NonFinite`].
    pub fn step(&mut self) -> Result<IterationReport> {
        let outcome = self.try_step();
        if outcome.is_err() {
            self.restore();
        }
        outcome
    }

    /// The step; after an error q is that of the iterate refused.
    fn try_step(&mut self) -> Result<IterationReport> {
        let iteration = self.iterations + 1;
        let over_x = self.half_step.apply(&self.p, &self.source, &mut self.q);
        self.check(&over_x, iteration)?;
        let over_y = self
            .half_step
            .apply(&self.q, &self.target, &mut self.next_p);
        self.check(&over_y, iteration)?;
        let change = sup_difference(&self.next_p, &self.p);
        if !change.is_finite() {
            return Err(Error::NonFinite {
                quantity: "p_k",
                when: format!("at iteration {iteration}"),
                remedy: "check the densities and the start".into(),
            });
        }
        std::mem::swap(&mut self.previous, &mut self.p);
        std::mem::swap(&mut self.p, &mut self.next_p);
        self.iterations = iteration;
        Ok(IterationReport {
            iteration,
            change,
            curvature: [over_x, over_y],
        })
    }

    /// Recomputes q_k from p_{k−1}, which is cheaper than a field to keep it in.
    fn restore(&mut self) {
        if self.iterations == 0 {
            self.q.fill(0.0);
        } else {
            self.half_step
                .apply(&self.previous, &self.source, &mut self.q);
        }
    }

    /// `count` iterations; `observe` may stop them.
    ///
    /// # Errors
    /// As [`Self::step`]; [`Error::Interrupted`] when the observer breaks.
    pub fn run(
        &mut self,
        count: usize,
        observe: &mut dyn FnMut(&Self, &IterationReport) -> ControlFlow<()>,
    ) -> Result<()> {
        for _ in 0..count {
            let report = self.step()?;
            if observe(self, &report).is_break() {
                return Err(Error::Interrupted {
                    when: format!("after iteration {}", report.iteration),
                });
            }
        }
        Ok(())
    }

    fn check(&mut self, curvature: &Curvature, iteration: usize) -> Result<()> {
        let epsilon = self.half_step.epsilon();
        for (axis, &(_, largest)) in curvature.axes.iter().enumerate() {
            resolved(&self.torus, epsilon, axis, largest, || {
                format!(", at iteration {iteration}")
            })?;
            let error = quadrature_error(
                self.half_step.kernel(),
                epsilon,
                largest,
                self.torus.spacing(axis),
            );
            self.quadrature_error = self.quadrature_error.max(error);
        }
        Ok(())
    }

    /// `log ρ_k = (p_k − p_{k−1})/ε − f`, the X-marginal; the Y-marginal of the same coupling is e^{-g}.
    pub fn log_marginal(&self, out: &mut [f64]) {
        let epsilon = self.half_step.epsilon();
        let (p, previous, f) = (&self.p, &self.previous, &self.source);
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                let i = start + k;
                *out = (p[i] - previous[i]) / epsilon - f[i];
            }
        });
    }

    /// p_k at the nodes, constant included.
    pub fn p(&self) -> &[f64] {
        &self.p
    }

    /// q_k at the nodes, constant included.
    pub fn q(&self) -> &[f64] {
        &self.q
    }

    /// f at the nodes.
    pub fn source(&self) -> &[f64] {
        &self.source
    }

    /// Iterations done.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Estimate of the error of p_k from the sums so far: quadrature and rounding of p/ε, added up over the half-steps, each a contraction.
    pub fn error_estimate(&self) -> f64 {
        let size = 1.0 + sup(&self.p).max(sup(&self.q));
        let halves = 2.0 * self.iterations as f64;
        halves
            * (self.half_step.epsilon() * self.quadrature_error * self.torus.dimension() as f64
                + f64::EPSILON * size)
    }
}

/// `max(λ_max(∇²u_0), 1/λ_min(∇²u_0))`.
pub(super) fn start_curvature(torus: &Torus, start: &[f64]) -> Result<f64> {
    let mut derivatives = Derivatives::zeros(torus);
    Spectral::new(torus).derivatives(start, &mut derivatives);
    let d = torus.dimension();
    let eigenvalues =
        |node: usize| extreme_eigenvalues(d, &identity_plus(d, &derivatives.hessian, node));
    let smallest = -max_of(torus.len(), |i| -eigenvalues(i).0);
    let largest = max_of(torus.len(), |i| eigenvalues(i).1);
    if smallest > 0.0 {
        Ok(largest.max(1.0 / smallest))
    } else {
        let worst = (0..torus.len()).find(|&i| eigenvalues(i).0 <= 0.0);
        Err(Error::LostConvexity {
            when: " at the start".into(),
            at: torus.node(worst.unwrap_or(0)),
            eigenvalue: smallest,
            remedy: "give a start with |x|²/2 + p convex".into(),
        })
    }
}

fn resolved(
    torus: &Torus,
    epsilon: f64,
    axis: usize,
    curvature: f64,
    when: impl FnOnce() -> String,
) -> Result<()> {
    let (points, needed) = (torus.points()[axis], points_needed(epsilon, curvature));
    if points >= needed {
        return Ok(());
    }
    Err(Error::TooCoarse {
        epsilon,
        axis,
        points,
        needed,
        curvature,
        when: when(),
    })
}
