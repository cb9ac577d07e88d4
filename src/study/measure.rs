//! What every study needs to measure: the built problem, its numerics, progress and interruption.

use crate::record::Record;
use crate::scenario::{BuiltTorus, Numerics, Space, Time};
use mirrorflow_solvers::calculus::{Calculus, FiniteDifference, Spectral};
use mirrorflow_solvers::monge_ampere::{Flow, MongeAmpere};
use mirrorflow_solvers::time::Method;
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Error, LogDensity, Torus};
use std::ops::ControlFlow;
use std::sync::Arc;
use thiserror::Error as ThisError;

/// Told how far a measurement is; asked whether to go on.
pub trait Progress: Sync {
    /// `stage` is under way; `fraction` of the whole study is done.
    fn update(&self, stage: &str, fraction: f64);

    /// Whether the user asked to stop.
    fn interrupted(&self) -> bool {
        false
    }

    /// Reports and asks at once, for observers of the solvers.
    fn tick(&self, stage: &str, fraction: f64) -> ControlFlow<()> {
        self.update(stage, fraction);
        if self.interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// No progress, no interruption.
pub struct Silent;

impl Progress for Silent {
    fn update(&self, _stage: &str, _fraction: f64) {}
}

/// A part of a larger measurement: its progress is squeezed between `from` and `to`.
pub struct Nested<'a> {
    whole: &'a dyn Progress,
    from: f64,
    to: f64,
}

impl<'a> Nested<'a> {
    pub fn new(whole: &'a dyn Progress, from: f64, to: f64) -> Self {
        Self { whole, from, to }
    }
}

impl Progress for Nested<'_> {
    fn update(&self, stage: &str, fraction: f64) {
        let done = self.from + (self.to - self.from) * fraction;
        self.whole.update(stage, done);
    }

    fn interrupted(&self) -> bool {
        self.whole.interrupted()
    }
}

/// The problem and how to discretise it.
pub struct Context<'a, B = BuiltTorus> {
    pub built: &'a B,
    pub numerics: &'a Numerics,
    pub progress: &'a dyn Progress,
}

impl<B> Clone for Context<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Context<'_, B> {}

/// A measurement, whole or cut short by the user.
#[derive(Debug)]
pub struct Measured {
    pub record: Record,
    pub interrupted: Interrupted,
}

/// Whether the user stopped a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    No,
    Yes,
}

/// Why a measurement failed, with what was measured before.
#[derive(Debug, ThisError)]
#[error("{error}")]
pub struct MeasureError {
    #[source]
    pub error: Error,
    pub partial: Option<Record>,
}

impl From<Error> for MeasureError {
    fn from(error: Error) -> Self {
        Self {
            error,
            partial: None,
        }
    }
}

impl Measured {
    pub fn whole(record: Record) -> Self {
        Self {
            record,
            interrupted: Interrupted::No,
        }
    }

    /// `record` is what there is; `outcome` says whether the run that made it was cut short, or failed.
    ///
    /// # Errors
    /// [`MeasureError`] with the record, for any failure but an interruption.
    pub fn after(record: Record, outcome: Result<(), Error>) -> Result<Self, MeasureError> {
        match outcome {
            Ok(()) => Ok(Self::whole(record)),
            Err(error) if record.is_empty() => Err(error.into()),
            Err(Error::Interrupted { .. }) => Ok(Self {
                record,
                interrupted: Interrupted::Yes,
            }),
            Err(error) => Err(MeasureError {
                error,
                partial: Some(record),
            }),
        }
    }
}

impl<'a> Context<'a> {
    /// The same, telling another progress.
    pub fn with<'b>(&self, progress: &'b dyn Progress) -> Context<'b>
    where
        'a: 'b,
    {
        Context { progress, ..*self }
    }

    /// The calculus that the scenario asks for, on `torus`.
    pub fn calculus(&self, torus: &Torus) -> Box<dyn Calculus> {
        match self.numerics.space {
            Space::Spectral => Box::new(Spectral::new(torus)),
            Space::Dealiased => Box::new(Spectral::dealiased(torus)),
            Space::FiniteDifference { order } => {
                Box::new(FiniteDifference::new(torus, u32::from(order)))
            }
        }
    }

    /// The PMA operator on `torus`.
    pub fn operator(&self, torus: &Torus) -> MongeAmpere {
        let target: Arc<dyn LogDensity> = Arc::new(self.built.target.clone());
        MongeAmpere::new(&self.built.source, target, self.calculus(torus))
    }

    /// The stepper of the PDE that the scenario asks for.
    pub fn stepper(&self) -> Stepper {
        stepper(self.numerics.time)
    }

    /// The flow from the scenario's start on a grid, integrated as the PDE: for what Sinkhorn is compared with.
    pub fn flow(&self, torus: &Torus) -> Flow {
        let start = self.built.start.on(torus);
        Flow::new(self.operator(torus), self.stepper(), &start)
    }

    /// The same for a flow by itself: extrapolated Sinkhorn where the scenario leaves the choice.
    ///
    /// # Errors
    /// As [`Flow::extrapolated`].
    pub fn flow_by_itself(&self) -> Result<Flow, Error> {
        let torus = &self.built.torus;
        let (Space::Spectral, Time::Adaptive { tolerance }) =
            (self.numerics.space, self.numerics.time)
        else {
            return Ok(self.flow(torus));
        };
        let start = self.built.start.on(torus);
        let source: Arc<dyn LogDensity> = Arc::new(self.built.source.clone());
        Flow::extrapolated(self.operator(torus), source, tolerance, &start)
    }

    /// f at the nodes.
    pub fn source(&self) -> Vec<f64> {
        self.built.source.on(&self.built.torus)
    }

    /// f and g at the nodes.
    pub fn densities(&self) -> (Vec<f64>, Vec<f64>) {
        let torus = &self.built.torus;
        (self.built.source.on(torus), self.built.target.on(torus))
    }
}

/// The stepper of the numerics that `time` names.
pub fn stepper(time: Time) -> Stepper {
    match time {
        Time::Adaptive { tolerance } | Time::Rosenbrock { tolerance } => {
            Stepper::Adaptive { tolerance }
        }
        Time::Euler { step } => Stepper::Explicit {
            method: Method::Euler,
            step,
        },
        Time::RungeKutta4 { step } => Stepper::Explicit {
            method: Method::RungeKutta4,
            step,
        },
    }
}
