//! A system taken from time 0 to the asked times by one of the steppers.

use super::{Explicit, Method, Rosenbrock, System};
use crate::error::{Error, Result};
use crate::watch;
use std::ops::ControlFlow;

/// How time is discretised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stepper {
    /// [`Rosenbrock`] with this error per step, in the units of the state.
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
        Ok(Step {
            time: landed(time + taken.step, end),
            ..taken
        })
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

/// `end` itself where the last step before it was cut to it.
pub(crate) fn landed(reached: f64, end: f64) -> f64 {
    if end - reached <= 1e-12 * end {
        end
    } else {
        reached
    }
}

/// What goes through time by steps: it takes one, hands over its state at an asked time that the step reached, and is looked at.
pub(crate) trait Traveller {
    /// One step from `time`, not past `horizon`; `next` is the next asked time.
    fn advance(&mut self, time: f64, next: f64, horizon: f64) -> Result<Step>;

    /// The step from `before` to `time` reached the time `asked`.
    fn reached(&mut self, asked: f64, before: f64, time: f64) -> Result<()>;

    /// Says whether to go on after a step.
    fn observe(&mut self, step: &Step) -> Result<ControlFlow<()>>;
}

/// From time 0 to the last of the increasing `times` ≥ 0.
///
/// # Errors
/// Those of the traveller, each with its time; [`Error::Interrupted`] when it does not want to go on.
pub(crate) fn travel(traveller: &mut dyn Traveller, times: &[f64]) -> Result<()> {
    let horizon = times.last().copied().unwrap_or(0.0);
    let (mut time, mut done) = (0.0, 0);
    if times.first() == Some(&0.0) {
        let start = traveller.reached(0.0, 0.0, 0.0);
        start.map_err(|error| at_time(error, 0.0))?;
        done = 1;
    }
    while time < horizon {
        watch::on()?;
        let before = time;
        let step = traveller
            .advance(time, times[done], horizon)
            .map_err(|error| at_time(error, before))?;
        time = step.time;
        while let Some(&asked) = times.get(done).filter(|&&asked| asked <= time) {
            let reached = traveller.reached(asked, before, time);
            reached.map_err(|error| at_time(error, asked))?;
            done += 1;
        }
        let seen = traveller.observe(&step);
        if seen.map_err(|error| at_time(error, time))?.is_break() {
            return Err(Error::Interrupted {
                when: format!("at t = {time:.6e}"),
            });
        }
    }
    Ok(())
}

/// A system on its way.
struct Journey<'a, S> {
    system: &'a mut S,
    engine: Engine,
    state: &'a mut [f64],
    reached: Reached<'a, S>,
    observe: Observe<'a, S>,
}

impl<S: System> Traveller for Journey<'_, S> {
    fn advance(&mut self, time: f64, next: f64, horizon: f64) -> Result<Step> {
        self.engine
            .advance(self.system, time, (next, horizon), self.state)
    }

    fn reached(&mut self, asked: f64, before: f64, time: f64) -> Result<()> {
        let there = self.engine.at(asked, (before, time), self.state);
        (self.reached)(self.system, asked, &there)
    }

    fn observe(&mut self, step: &Step) -> Result<ControlFlow<()>> {
        (self.observe)(self.system, step, self.state)
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
    let mut journey = Journey {
        engine: Engine::new(stepper, state.len()),
        system,
        state,
        reached,
        observe,
    };
    travel(&mut journey, times)
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
        Error::StepTooSmall {
            step,
            quantity,
            when,
        } if when.is_empty() => Error::StepTooSmall {
            step,
            quantity,
            when: format!(" {place}"),
        },
        Error::Unstable { .. }
        | Error::LostConvexity { .. }
        | Error::StepTooSmall { .. }
        | Error::Unresolved(_) => error,
        error => error.during(place),
    }
}
