//! The parabolic Monge–Ampère flow from a start to the asked times.

use super::operator::{Diagnosis, MongeAmpere};
use super::parabolic::Parabolic;
use crate::error::Result;
use crate::time::{Explicit, Method, Stepper, march};
use std::ops::ControlFlow;

/// The flow at an asked time.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    pub time: f64,
    /// Periodic part of u_t, constant included.
    pub p: Vec<f64>,
    /// `log ρ_t = −g(∇u_t) + log det ∇²u_t`.
    pub log_marginal: Vec<f64>,
    /// Tangent e_t, when one was started.
    pub tangent: Option<Vec<f64>>,
    pub diagnosis: Diagnosis,
}

/// What the observer sees after every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowStep {
    /// Time reached.
    pub time: f64,
    pub step: f64,
    pub rejected: usize,
    /// Krylov iterations spent on the step (adaptive stepper).
    pub krylov: usize,
    pub diagnosis: Diagnosis,
}

/// `∂_t u = f − g(∇u) + log det ∇²u` ready to run.
pub struct Flow {
    system: Parabolic,
    stepper: Stepper,
    state: Vec<f64>,
}

impl Flow {
    /// From the periodic part `start` of u_0.
    pub fn new(operator: MongeAmpere, stepper: Stepper, start: &[f64]) -> Self {
        Self {
            system: Parabolic::new(operator),
            stepper,
            state: start.to_vec(),
        }
    }

    /// The same, carrying the tangent `∂_t e = L_{u_t} e` from `tangent`.
    pub fn with_tangent(
        operator: MongeAmpere,
        stepper: Stepper,
        start: &[f64],
        tangent: &[f64],
    ) -> Self {
        Self {
            system: Parabolic::with_tangent(operator),
            stepper,
            state: [start, tangent].concat(),
        }
    }

    /// Runs to the last of the increasing `times` ≥ 0 and returns the flow at each.
    ///
    /// # Errors
    /// As [`Self::run_into`].
    pub fn run(
        &mut self,
        times: &[f64],
        observe: &mut dyn FnMut(&FlowStep) -> ControlFlow<()>,
    ) -> Result<Vec<Snapshot>> {
        let mut snapshots = Vec::with_capacity(times.len());
        self.run_into(times, &mut snapshots, observe)?;
        Ok(snapshots)
    }

    /// The same, pushing each snapshot when it is reached, so that a run cut short keeps them. `observe` is called
    /// after every step and may stop the run.
    ///
    /// # Errors
    /// [`crate::Error::Unstable`], [`crate::Error::LostConvexity`], [`crate::Error::NonFinite`], [`crate::Error::NoConvergence`], each with its
    /// time; [`crate::Error::Interrupted`] when the observer breaks.
    pub fn run_into(
        &mut self,
        times: &[f64],
        snapshots: &mut Vec<Snapshot>,
        observe: &mut dyn FnMut(&FlowStep) -> ControlFlow<()>,
    ) -> Result<()> {
        march(
            &mut self.system,
            self.stepper,
            &mut self.state,
            times,
            &mut |system, time, state| {
                snapshots.push(snapshot(system, time, state)?);
                Ok(())
            },
            &mut |system, step, state| {
                Ok(observe(&FlowStep {
                    time: step.time,
                    step: step.step,
                    rejected: step.rejected,
                    krylov: step.krylov,
                    diagnosis: snapshot(system, step.time, state)?.diagnosis,
                }))
            },
        )
    }

    /// Largest stable explicit step at the current state.
    ///
    /// # Errors
    /// As [`MongeAmpere::rate`].
    pub fn stability_limit(&mut self, method: Method) -> Result<f64> {
        Explicit::new(method, self.state.len()).limit(&mut self.system, &self.state)
    }
}

fn snapshot(system: &mut Parabolic, time: f64, state: &[f64]) -> Result<Snapshot> {
    let operator = &mut system.operator;
    let (p, tangent) = state.split_at(operator.torus().len());
    let mut log_marginal = vec![0.0; p.len()];
    operator.log_marginal(p, &mut log_marginal)?;
    let diagnosis = operator.diagnose(p, &log_marginal);
    Ok(Snapshot {
        time,
        p: p.to_vec(),
        log_marginal,
        tangent: (!tangent.is_empty()).then(|| tangent.to_vec()),
        diagnosis,
    })
}
