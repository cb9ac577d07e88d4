//! A system taken from time 0 to the asked times by one of the steppers.

use super::{Explicit, Method, Rosenbrock, System};
use crate::error::{Error, Result};
use std::ops::ControlFlow;

/// How time is discretised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stepper {
    /// [`Rosenbrock`] with this error per step, in the units of the state. 1e-9 gives p to 1e-8.
    Adaptive { tolerance: f64 },
    /// [`Rosenbrock`] with fixed steps, for measurements of order; linear systems to `tolerance`.
    Fixed { step: f64, tolerance: f64 },
    /// Fixed explicit steps, shortened where an asked time is nearer.
    Explicit { method: Method, step: f64 },
}

/// What the observer sees after every step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Time reached.
    pub time: f64,
    pub step: f64,
    pub rejected: usize,
    /// Krylov iterations spent on the step.
    pub krylov: usize,
}

/// Given an asked time and the state there.
pub type Reached<'a, S> = &'a mut dyn FnMut(&mut S, f64, &[f64]) -> Result<()>;

/// Given a step and the state it led to; says whether to go on.
pub type Observe<'a, S> = &'a mut dyn FnMut(&mut S, &Step, &[f64]) -> Result<ControlFlow<()>>;

enum Engine {
    Rosenbrock(Rosenbrock),
    Explicit(Explicit, f64),
}

impl Engine {
    fn new(stepper: Stepper, len: usize) -> Self {
        match stepper {
            Stepper::Adaptive { tolerance } => Self::Rosenbrock(Rosenbrock::new(tolerance, len)),
            Stepper::Fixed { step, tolerance } => {
                Self::Rosenbrock(Rosenbrock::fixed(step, tolerance, len))
            }
            Stepper::Explicit { method, step } => Self::Explicit(Explicit::new(method, len), step),
        }
    }

    /// One step from `time`, of explicit methods never past `next`, of all never past `horizon`.
    fn advance(
        &mut self,
        system: &mut dyn System,
        time: f64,
        (next, horizon): (f64, f64),
        state: &mut [f64],
    ) -> Result<Step> {
        let (taken, end) = match self {
            Self::Rosenbrock(rosenbrock) => {
                let report = rosenbrock.advance(system, time, horizon, state)?;
                let taken = Step {
                    time,
                    step: report.step,
                    rejected: report.rejected,
                    krylov: report.krylov,
                };
                (taken, horizon)
            }
            Self::Explicit(explicit, step) => {
                let step = step.min(next - time);
                explicit.step(system, time, step, state)?;
                let taken = Step {
                    time,
                    step,
                    rejected: 0,
                    krylov: 0,
                };
                (taken, next)
            }
        };
        // The last step before an end was cut to it: land there exactly.
        let reached = time + taken.step;
        let time = if end - reached <= 1e-12 * end {
            end
        } else {
            reached
        };
        Ok(Step { time, ..taken })
    }

    /// The state at an asked time within the step just taken from `before` to `time`: dense output, or the state itself.
    fn at(&self, asked: f64, (before, time): (f64, f64), state: &[f64]) -> Vec<f64> {
        let mut out = state.to_vec();
        if let Self::Rosenbrock(rosenbrock) = self
            && asked < time
        {
            rosenbrock.interpolate((asked - before) / (time - before), &mut out);
        }
        out
    }
}

/// Takes `state` from time 0 to the last of the increasing `times` ≥ 0. `reached` is given the state at each of them as soon as it
/// is known; `observe` sees every step with the state it led to, and may stop the run.
///
/// # Errors
/// Those of the system and the stepper, each with its time; [`Error::Interrupted`] when the observer breaks.
pub fn march<S: System>(
    system: &mut S,
    stepper: Stepper,
    state: &mut [f64],
    times: &[f64],
    reached: Reached<S>,
    observe: Observe<S>,
) -> Result<()> {
    let mut engine = Engine::new(stepper, state.len());
    let horizon = times.last().copied().unwrap_or(0.0);
    let (mut time, mut done, mut taken) = (0.0, 0, 0);
    if times.first() == Some(&0.0) {
        reached(system, 0.0, state).map_err(|error| at_time(error, 0.0))?;
        done = 1;
    }
    while time < horizon {
        let before = time;
        let step = engine
            .advance(system, time, (times[done], horizon), state)
            .map_err(|error| at_time(error, before))?;
        time = step.time;
        taken += 1;
        if taken > MOST_STEPS && matches!(engine, Engine::Rosenbrock(_)) {
            return Err(stalled(time, &step));
        }
        while let Some(&asked) = times.get(done).filter(|&&asked| asked <= time) {
            let there = engine.at(asked, (before, time), state);
            reached(system, asked, &there).map_err(|error| at_time(error, asked))?;
            done += 1;
        }
        if observe(system, &step, state)
            .map_err(|error| at_time(error, time))?
            .is_break()
        {
            return Err(Error::Interrupted {
                when: format!("at t = {time:.6e}"),
            });
        }
    }
    Ok(())
}

/// More implicit steps than this to any horizon say that something degenerates: a few hundred are usual.
const MOST_STEPS: usize = 20_000;

fn stalled(time: f64, step: &Step) -> Error {
    Error::NoConvergence {
        what: "the adaptive step size",
        residual: step.step,
        iterations: MOST_STEPS,
        tolerance: time,
        remedy: "a density nearly vanishes, the Hessian degenerates, or the grid is too coarse: use more points, smoother data, or a \
                 looser tolerance"
            .into(),
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
            when,
        } if when.is_empty() => Error::LostConvexity {
            when: format!(" {place}"),
            at,
            eigenvalue,
            remedy,
        },
        Error::Unstable { .. } | Error::LostConvexity { .. } => error,
        error => error.during(place),
    }
}
