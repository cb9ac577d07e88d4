//! What every study needs to measure: the built problem, its numerics, progress and interruption.

use super::progress::Progress;
use crate::record::Record;
use crate::scenario::{BuiltTorus, Numerics, Space, Time};
use mirrorflow_solvers::calculus::{Calculus, FiniteDifference, Spectral};
use mirrorflow_solvers::monge_ampere::MongeAmpere;
use mirrorflow_solvers::time::Method;
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Error, LogDensity, Torus};
use std::sync::Arc;
use thiserror::Error as ThisError;

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

impl<'a, B> Context<'a, B> {
    /// The same, telling another progress.
    pub fn with<'b>(&self, progress: &'b dyn Progress) -> Context<'b, B>
    where
        'a: 'b,
    {
        Context { progress, ..*self }
    }
}

impl Context<'_> {
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

/// The stepper of the PDE for the numerics that `time` names: never Sinkhorn.
pub fn stepper(time: Time) -> Stepper {
    match time {
        Time::Adaptive { tolerance }
        | Time::Rosenbrock { tolerance }
        | Time::ExtrapolatedSinkhorn { tolerance } => Stepper::Adaptive { tolerance },
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
