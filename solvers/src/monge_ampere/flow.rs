//! The parabolic Monge–Ampère flow from a start to the asked times.

use super::operator::{Diagnosis, MongeAmpere};
use super::parabolic::Parabolic;
use crate::density::LogDensity;
use crate::error::{Error, Result};
use crate::sinkhorn::Extrapolation;
use crate::time::{Explicit, Method, Stepper, march};
use std::ops::ControlFlow;
use std::sync::Arc;

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
    /// Krylov iterations spent on the step (Rosenbrock).
    pub krylov: usize,
    /// Sinkhorn iterations spent on the step (extrapolated Sinkhorn).
    pub sinkhorn: usize,
    pub diagnosis: Diagnosis,
}

/// `∂_t u = f − g(∇u) + log det ∇²u` ready to run.
pub struct Flow {
    way: Way,
}

enum Way {
    /// p, and the tangent behind it if there is one, as a system of equations.
    Steps {
        system: Box<Parabolic>,
        stepper: Stepper,
        state: Vec<f64>,
    },
    /// The operator only diagnoses.
    Extrapolation {
        operator: Box<MongeAmpere>,
        extrapolation: Box<Extrapolation>,
    },
}

/// What a flow reports to.
type Observe<'a> = &'a mut dyn FnMut(&FlowStep) -> ControlFlow<()>;

impl Flow {
    /// From the periodic part `start` of u_0.
    pub fn new(operator: MongeAmpere, stepper: Stepper, start: &[f64]) -> Self {
        Self::steps(Parabolic::new(operator), stepper, start.to_vec())
    }

    /// The same by extrapolated Sinkhorn iterations, with error `tolerance` per macro step; `operator` only diagnoses. The source
    /// is asked for on other grids than the operator's.
    ///
    /// # Errors
    /// As [`Extrapolation::new`].
    pub fn extrapolated(
        operator: MongeAmpere,
        source: Arc<dyn LogDensity>,
        tolerance: f64,
        start: &[f64],
    ) -> Result<Self> {
        let target = operator.target.clone();
        let extrapolation = Extrapolation::new(operator.torus(), source, target, start, tolerance)?;
        let way = Way::Extrapolation {
            operator: Box::new(operator),
            extrapolation: Box::new(extrapolation),
        };
        Ok(Self { way })
    }

    /// The same, carrying the tangent `∂_t e = L_{u_t} e` from `tangent`.
    pub fn with_tangent(
        operator: MongeAmpere,
        stepper: Stepper,
        start: &[f64],
        tangent: &[f64],
    ) -> Self {
        let state = [start, tangent].concat();
        Self::steps(Parabolic::with_tangent(operator), stepper, state)
    }

    fn steps(system: Parabolic, stepper: Stepper, state: Vec<f64>) -> Self {
        let way = Way::Steps {
            system: Box::new(system),
            stepper,
            state,
        };
        Self { way }
    }

    /// Runs to the last of the increasing `times` ≥ 0 and returns the flow at each.
    ///
    /// # Errors
    /// As [`Self::run_into`].
    pub fn run(&mut self, times: &[f64], observe: Observe) -> Result<Vec<Snapshot>> {
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
        observe: Observe,
    ) -> Result<()> {
        match &mut self.way {
            Way::Steps {
                system,
                stepper,
                state,
            } => march(
                &mut **system,
                *stepper,
                state,
                times,
                &mut |system, time, state| {
                    snapshots.push(snapshot(&mut system.operator, time, state)?);
                    Ok(())
                },
                &mut |system, step, state| {
                    Ok(observe(&FlowStep {
                        time: step.time,
                        step: step.step,
                        rejected: step.rejected,
                        krylov: step.krylov,
                        sinkhorn: 0,
                        diagnosis: snapshot(&mut system.operator, step.time, state)?.diagnosis,
                    }))
                },
            ),
            Way::Extrapolation {
                operator,
                extrapolation,
            } => extrapolate(extrapolation, operator, times, snapshots, observe),
        }
    }

    /// Largest stable explicit step at the current state; extrapolated Sinkhorn has no limit.
    ///
    /// # Errors
    /// As [`MongeAmpere::rate`].
    pub fn stability_limit(&mut self, method: Method) -> Result<f64> {
        match &mut self.way {
            Way::Steps { system, state, .. } => {
                Explicit::new(method, state.len()).limit(&mut **system, state)
            }
            Way::Extrapolation { .. } => Ok(f64::INFINITY),
        }
    }
}

/// Macro steps to each of the `times`, which they end at.
fn extrapolate(
    extrapolation: &mut Extrapolation,
    operator: &mut MongeAmpere,
    times: &[f64],
    snapshots: &mut Vec<Snapshot>,
    observe: Observe,
) -> Result<()> {
    let mut time = 0.0;
    for &asked in times {
        if asked == time {
            snapshots.push(snapshot(operator, time, &extrapolation.p())?);
        }
        while time < asked {
            let place = |error: Error| error.during(format!("at t = {time:.6e}"));
            let step = extrapolation.advance(time, asked).map_err(place)?;
            time = step.time;
            let state = snapshot(operator, time, &extrapolation.p())?;
            let diagnosis = state.diagnosis;
            if time == asked {
                snapshots.push(state);
            }
            let report = FlowStep {
                time,
                step: step.step,
                rejected: step.rejected,
                krylov: 0,
                sinkhorn: step.iterations,
                diagnosis,
            };
            if observe(&report).is_break() {
                let when = format!("at t = {time:.6e}");
                return Err(Error::Interrupted { when });
            }
        }
    }
    Ok(())
}

fn snapshot(operator: &mut MongeAmpere, time: f64, state: &[f64]) -> Result<Snapshot> {
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
