//! The iteration: its state, its explicit step and its run.

use super::implicit::Workspace;
use super::schedule::Schedule;
use crate::calculus::Spectral;
use crate::density::LogDensity;
use crate::error::{Error, Result};
use crate::monge_ampere::MongeAmpere;
use crate::parallel::{axpy, for_each_block, max_of};
use crate::symmetric::{extreme_eigenvalues, identity_plus};
use crate::torus::Torus;
use std::f64::consts::PI;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A potential and what the next step needs of it, at the nodes y of the target side.
#[derive(Debug, Clone, PartialEq)]
pub struct Iterate {
    /// Periodic part of ψ, in the modes `|k_i| ≤ K`.
    pub q: Vec<f64>,
    /// `h∘∇ψ = f(∇ψ) − g − log det ∇²ψ`, all modes.
    pub log_ratio: Vec<f64>,
    /// `P_K[h∘∇ψ]`, whose gradient is ξ.
    pub direction: Vec<f64>,
    /// `min λ_min(∇²ψ)` over the nodes, positive.
    pub convexity: f64,
}

impl Iterate {
    fn zeros(len: usize) -> Self {
        let zeros = || vec![0.0; len];
        Self {
            q: zeros(),
            log_ratio: zeros(),
            direction: zeros(),
            convexity: 1.0,
        }
    }

    /// Fills everything but q.
    fn evaluate(&mut self, operator: &mut MongeAmpere) -> Result<()> {
        operator.unprojected(&self.q, &mut self.log_ratio)?;
        for_each_block(&mut self.log_ratio, |_, w| {
            w.iter_mut().for_each(|w| *w = -*w)
        });
        self.direction.copy_from_slice(&self.log_ratio);
        operator.calculus.project(&mut self.direction);
        let (d, hessian) = (operator.torus().dimension(), &operator.derivatives.hessian);
        let smallest = |i: usize| extreme_eigenvalues(d, &identity_plus(d, hessian, i)).0;
        self.convexity = -max_of(self.q.len(), |i| -smallest(i));
        Ok(())
    }
}

/// `2λ_min(∇²ψ)/(4π²K²d)`: the stability limit of an explicit step at a potential of this `convexity` = λ_min(∇²ψ).
pub fn stability_limit(dimension: usize, band: usize, convexity: f64) -> f64 {
    let squares = (2.0 * PI * band.max(1) as f64).powi(2) * dimension as f64;
    2.0 * convexity / squares
}

/// Which step is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// [`Descent::step`].
    Explicit,
    /// [`Descent::implicit_step`] to this tolerance.
    Implicit { tolerance: f64 },
}

/// A step just taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Taken {
    /// k of the step from ψ_k to ψ_{k+1}.
    pub iteration: usize,
    /// η_k.
    pub step: f64,
    /// Stability limit of the explicit step at ψ_k.
    pub limit: f64,
    /// `η_0 + … + η_k`, the time of the flow that this approximates.
    pub time: f64,
    /// Newton steps and Krylov iterations, zero for an explicit step.
    pub newton_steps: usize,
    pub krylov: usize,
}

/// Given a step, the iterate before and the one after it; says whether to go on.
pub type Observe<'a> = &'a mut dyn FnMut(&Taken, &Iterate, &Iterate) -> Result<ControlFlow<()>>;

/// Mirror descent for `KL(·|e^{-f})` with mirror `½W₂²(·, e^{-g})`.
pub struct Descent {
    pub(super) operator: MongeAmpere,
    pub(super) here: Iterate,
    /// The trial of a step; after one, the iterate before it.
    pub(super) other: Iterate,
    pub(super) workspace: Option<Box<Workspace>>,
    band: usize,
    iteration: usize,
    time: f64,
}

impl Descent {
    /// Starts at `|y|²/2 + P_K q`: `g` and `start` = q at the nodes of `torus`, `f` anywhere, `band` = K.
    ///
    /// # Errors
    /// [`Error::Grid`] unless `2K < n_i`; [`Error::LostConvexity`] when the projected start is not convex.
    pub fn new(
        torus: &Torus,
        f: Arc<dyn LogDensity>,
        g: &[f64],
        band: usize,
        start: &[f64],
    ) -> Result<Self> {
        let calculus = Box::new(Spectral::band_limited(torus, band)?);
        let mut operator = MongeAmpere::from_values(g.to_vec(), f, calculus);
        let mut here = Iterate::zeros(torus.len());
        here.q.copy_from_slice(start);
        operator.calculus.project(&mut here.q);
        here.evaluate(&mut operator)
            .map_err(|error| error.during("start of mirror descent"))?;
        Ok(Self {
            operator,
            here,
            other: Iterate::zeros(torus.len()),
            workspace: None,
            band,
            iteration: 0,
            time: 0.0,
        })
    }

    /// ψ_k and what belongs to it: after an error, the last good one.
    pub fn iterate(&self) -> &Iterate {
        &self.here
    }

    /// The band-limited Monge–Ampère operator with source g and target f.
    pub fn operator(&mut self) -> &mut MongeAmpere {
        &mut self.operator
    }

    /// K.
    pub fn band(&self) -> usize {
        self.band
    }

    /// Steps taken.
    pub fn iteration(&self) -> usize {
        self.iteration
    }

    /// `2/(4π²K² d λ_max((∇²ψ_k)^{-1}))`: the explicit step's stability limit, from the largest symbol of `tr(A∇²)` on the band.
    pub fn limit(&self) -> f64 {
        stability_limit(
            self.operator.torus().dimension(),
            self.band,
            self.here.convexity,
        )
    }

    /// `ψ_{k+1} = ψ_k − η P_K[f(∇ψ_k) − g − log det ∇²ψ_k]`. Allocates nothing.
    ///
    /// # Errors
    /// [`Error::DescentStep`] unless `0 < η ≤` [`Self::limit`]; [`Error::LostConvexity`] or [`Error::NonFinite`] where the step
    /// leaves the convex potentials all the same: ψ_k is then kept.
    pub fn step(&mut self, eta: f64) -> Result<Taken> {
        let limit = self.limit();
        let allowed = eta > 0.0 && eta <= limit * (1.0 + 1e-12);
        self.refuse_unless(allowed, eta)?;
        self.other.q.copy_from_slice(&self.here.q);
        axpy(-eta, &self.here.direction, &mut self.other.q);
        self.adopt(eta, limit, (0, 0))
    }

    pub(super) fn refuse_unless(&self, allowed: bool, step: f64) -> Result<()> {
        if allowed {
            return Ok(());
        }
        Err(Error::DescentStep {
            iteration: self.iteration,
            step,
            limit: self.limit(),
            band: self.band,
        })
    }

    /// Evaluates the trial and moves there if it is good.
    pub(super) fn adopt(
        &mut self,
        step: f64,
        limit: f64,
        (newton_steps, krylov): (usize, usize),
    ) -> Result<Taken> {
        let iteration = self.iteration;
        self.other
            .evaluate(&mut self.operator)
            .map_err(|error| error.during(format!("mirror descent, iteration {iteration}")))?;
        std::mem::swap(&mut self.here, &mut self.other);
        self.iteration += 1;
        self.time += step;
        Ok(Taken {
            iteration,
            step,
            limit,
            time: self.time,
            newton_steps,
            krylov,
        })
    }

    /// Takes at most `steps` steps of a schedule; returns how many.
    ///
    /// # Errors
    /// Those of the steps, with [`Self::iterate`] the last good iterate; those of `observe`.
    pub fn run(
        &mut self,
        schedule: &Schedule,
        rule: Rule,
        steps: usize,
        observe: Observe<'_>,
    ) -> Result<usize> {
        let total = schedule.length(steps);
        for k in 0..total {
            let eta = schedule.step(k, total, self.limit());
            let taken = match rule {
                Rule::Explicit => self.step(eta)?,
                Rule::Implicit { tolerance } => self.implicit_step(eta, tolerance)?,
            };
            if observe(&taken, &self.other, &self.here)?.is_break() {
                return Ok(k + 1);
            }
        }
        Ok(total)
    }
}
