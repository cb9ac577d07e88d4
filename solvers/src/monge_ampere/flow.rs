//! The parabolic Monge–Ampère flow from a start to the asked times.

use super::operator::{Diagnosis, MongeAmpere};
use super::parabolic::Parabolic;
use crate::error::{Error, Result};
use crate::time::{Explicit, Method, Rosenbrock};
use std::ops::ControlFlow;

/// How time is discretised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stepper {
    /// [`Rosenbrock`] with this error per step, in the units of p. 1e-9 gives p to 1e-8.
    Adaptive { tolerance: f64 },
    /// Fixed explicit steps, shortened where an asked time is nearer.
    Explicit { method: Method, step: f64 },
}

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

enum Engine {
    Adaptive(Rosenbrock),
    Explicit(Explicit, f64),
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
    /// [`Error::Unstable`], [`Error::LostConvexity`], [`Error::NonFinite`], [`Error::NoConvergence`], each with its
    /// time; [`Error::Interrupted`] when the observer breaks.
    pub fn run_into(
        &mut self,
        times: &[f64],
        snapshots: &mut Vec<Snapshot>,
        observe: &mut dyn FnMut(&FlowStep) -> ControlFlow<()>,
    ) -> Result<()> {
        let len = self.state.len();
        let mut engine = match self.stepper {
            Stepper::Adaptive { tolerance } => Engine::Adaptive(Rosenbrock::new(tolerance, len)),
            Stepper::Explicit { method, step } => {
                Engine::Explicit(Explicit::new(method, len), step)
            }
        };
        let horizon = times.last().copied().unwrap_or(0.0);
        let mut time = 0.0;
        if times.first() == Some(&0.0) {
            snapshots.push(self.snapshot(0.0, &self.state.clone())?);
        }
        while time < horizon {
            let next = times[snapshots.len()];
            let before = time;
            let report = self.advance(&mut engine, time, next, horizon)?;
            time = report.time;
            if let Engine::Adaptive(rosenbrock) = &engine {
                self.interpolate(rosenbrock, before, time, times, snapshots)?;
            } else if time >= next {
                snapshots.push(self.snapshot(next, &self.state.clone())?);
            }
            if observe(&report).is_break() {
                return Err(Error::Interrupted {
                    when: format!("at t = {time:.6e}"),
                });
            }
        }
        Ok(())
    }

    /// One step and the diagnosis of where it led.
    fn advance(
        &mut self,
        engine: &mut Engine,
        time: f64,
        next: f64,
        horizon: f64,
    ) -> Result<FlowStep> {
        let stepped = match engine {
            Engine::Adaptive(rosenbrock) => rosenbrock
                .advance(&mut self.system, time, horizon, &mut self.state)
                .map(|r| (r.step, r.rejected, r.krylov)),
            Engine::Explicit(explicit, step) => {
                let step = step.min(next - time);
                explicit
                    .step(&mut self.system, time, step, &mut self.state)
                    .map(|()| (step, 0, 0))
            }
        };
        let (step, rejected, krylov) = stepped.map_err(|error| at_time(error, time))?;
        // The last step before a time was cut to it: land there exactly.
        let end = match engine {
            Engine::Adaptive(_) => horizon,
            Engine::Explicit(..) => next,
        };
        let reached = if end - (time + step) <= 1e-12 * end {
            end
        } else {
            time + step
        };
        Ok(FlowStep {
            time: reached,
            step,
            rejected,
            krylov,
            diagnosis: self.snapshot(reached, &self.state.clone())?.diagnosis,
        })
    }

    /// Dense output at the asked times in (before, time].
    fn interpolate(
        &mut self,
        rosenbrock: &Rosenbrock,
        before: f64,
        time: f64,
        times: &[f64],
        snapshots: &mut Vec<Snapshot>,
    ) -> Result<()> {
        while let Some(&asked) = times.get(snapshots.len()).filter(|&&t| t <= time) {
            let mut state = vec![0.0; self.state.len()];
            rosenbrock.interpolate((asked - before) / (time - before), &mut state);
            snapshots.push(self.snapshot(asked, &state)?);
        }
        Ok(())
    }

    fn snapshot(&mut self, time: f64, state: &[f64]) -> Result<Snapshot> {
        let operator = &mut self.system.operator;
        let (p, tangent) = state.split_at(operator.torus().len());
        let mut log_marginal = vec![0.0; p.len()];
        operator
            .log_marginal(p, &mut log_marginal)
            .map_err(|error| at_time(error, time))?;
        let diagnosis = operator.diagnose(p, &log_marginal);
        Ok(Snapshot {
            time,
            p: p.to_vec(),
            log_marginal,
            tangent: (!tangent.is_empty()).then(|| tangent.to_vec()),
            diagnosis,
        })
    }

    /// Largest stable explicit step at the current state.
    ///
    /// # Errors
    /// As [`MongeAmpere::rate`].
    pub fn stability_limit(&mut self, method: Method) -> Result<f64> {
        Explicit::new(method, self.state.len()).limit(&mut self.system, &self.state)
    }
}

/// Adds the time to an error that does not have it.
fn at_time(error: Error, time: f64) -> Error {
    let place = format!("at t = {time:.6e}");
    match error {
        Error::LostConvexity {
            at,
            eigenvalue,
            remedy,
            ..
        } => Error::LostConvexity {
            when: format!(" {place}"),
            at,
            eigenvalue,
            remedy,
        },
        Error::Unstable { .. } => error,
        error => error.during(place),
    }
}
