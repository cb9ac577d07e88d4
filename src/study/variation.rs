//! Flows that differ from the scenario's own in one thing, to measure the error that it causes.

use super::measure::{Context, stepper};
use crate::scenario::{Space, Time};
use mirrorflow_solvers::monge_ampere::{Accuracy, Flow, MongeAmpere};
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{LogDensity, Result, Torus};
use std::sync::Arc;

/// What is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variation {
    None,
    /// Three quarters of the nodes along each axis.
    Space,
    /// Ten times the tolerance, or half the explicit step.
    Time,
}

/// Space errors of flows that others are compared with are kept below this part of the tolerance, so that three quarters of the nodes still show
/// errors below it.
const COMPARED: f64 = 1e-2;

/// Errors in time of a flow that Sinkhorn is compared with at one time, over the tolerance, which still bounds p there: log ρ, whose errors are
/// by far the larger, is compared with differences of the size of ε. Rates of decay need all of it.
const AT_ONE_TIME: f64 = 10.0;

impl Variation {
    pub const ALL: [Self; 3] = [Self::None, Self::Space, Self::Time];

    /// For progress and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "the limit",
            Self::Space => "the limit on three quarters of the nodes, for the error budget",
            Self::Time => "the limit with coarser time stepping, for the error budget",
        }
    }

    /// The variation of a grid.
    ///
    /// # Errors
    /// Where three quarters are too few points.
    pub fn grid(self, own: &Torus) -> Result<Torus> {
        match self {
            Self::Space => own.resized(|n| 3 * n / 4),
            _ => Ok(own.clone()),
        }
    }

    /// The variation of the scenario's stepper.
    pub fn stepper(self, context: &Context) -> Stepper {
        match (self, stepper(context.numerics.time)) {
            (Self::Time, Stepper::Adaptive { tolerance }) => Stepper::Adaptive {
                tolerance: 10.0 * tolerance,
            },
            (Self::Time, Stepper::Explicit { method, step }) => Stepper::Explicit {
                method,
                step: 0.5 * step,
            },
            (_, given) => given,
        }
    }

    /// The flow from the scenario's start as the PDE that it is, and the grid that it is given on: the scenario's where the flow chooses
    /// the grids that it is computed on, the variation of it otherwise. `tangent`, given operator and start, makes e_0; it may be empty.
    ///
    /// It is not refused where its grid does not resolve it: that is for the budget of what is compared with it.
    ///
    /// # Errors
    /// Those of `tangent`, and where the rate is not defined at the start.
    pub fn flow(self, context: &Context, tangent: Tangent) -> Result<(Flow, Torus)> {
        self.made(context, tangent, [COMPARED, 1.0])
    }

    /// The same with steps that err ten times as much.
    ///
    /// # Errors
    /// As [`Self::flow`].
    pub fn flow_to_one_time(self, context: &Context, tangent: Tangent) -> Result<(Flow, Torus)> {
        self.made(context, tangent, [COMPARED, AT_ONE_TIME])
    }

    fn made(
        self,
        context: &Context,
        tangent: Tangent,
        [in_space, in_time]: [f64; 2],
    ) -> Result<(Flow, Torus)> {
        let own = &context.built.torus;
        let torus = match context.follows() {
            true => own.clone(),
            false => self.grid(own)?,
        };
        let start = context.built.start.on(&torus);
        let mut operator = context.operator(&torus);
        let tangent = tangent(&mut operator, &start)?;
        let source: Arc<dyn LogDensity> = Arc::new(context.built.source.clone());
        let target: Arc<dyn LogDensity> = Arc::new(context.built.target.clone());
        let flow = match self.stepper(context) {
            Stepper::Adaptive { tolerance } if context.follows() => {
                let Stepper::Adaptive { tolerance: own } = context.stepper() else {
                    unreachable!("flows that choose their grids are adaptive")
                };
                let accuracy = Accuracy {
                    tolerance: in_time * tolerance,
                    ..Accuracy::within(in_space * own, &torus)
                };
                let accuracy = match self {
                    Self::Space => accuracy.coarser(),
                    _ => accuracy,
                };
                Flow::following([source, target], &torus, accuracy, &start, &tangent)?
            }
            stepper if tangent.is_empty() => {
                Flow::new(operator, stepper, &start).advised_by(source, target)
            }
            stepper => {
                Flow::with_tangent(operator, stepper, &start, &tangent).advised_by(source, target)
            }
        };
        Ok((flow, torus))
    }
}

/// The scenario's own flow by itself on its grid, refused where that does not resolve it.
///
/// # Errors
/// Where the rate is not defined at the start.
pub fn by_itself(context: &Context) -> Result<Flow> {
    let (flow, _) = Variation::None.made(context, &alone, [1.0, 1.0])?;
    Ok(flow.watched())
}

/// Makes the tangent e_0 that a flow carries.
pub type Tangent<'a> = &'a dyn Fn(&mut MongeAmpere, &[f64]) -> Result<Vec<f64>>;

/// No tangent.
pub fn alone(_: &mut MongeAmpere, _: &[f64]) -> Result<Vec<f64>> {
    Ok(Vec::new())
}

impl Context<'_> {
    /// Whether flows choose the grids that they are computed on.
    pub fn follows(&self) -> bool {
        let follows = !matches!(self.numerics.time, Time::Rosenbrock { .. });
        let adaptive = matches!(stepper(self.numerics.time), Stepper::Adaptive { .. });
        self.numerics.space == Space::Spectral && adaptive && follows
    }
}
