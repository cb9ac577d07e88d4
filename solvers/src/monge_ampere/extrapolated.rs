//! The flow by extrapolated Sinkhorn iterations.

use super::flow::{FlowStep, Observe, Snapshot, snapshot};
use super::operator::MongeAmpere;
use crate::density::LogDensity;
use crate::error::Result;
use crate::sinkhorn::Extrapolation;
use crate::time::{Step, Traveller, travel};
use std::ops::ControlFlow;
use std::sync::Arc;

/// `∂_t u = f − g(∇u) + log det ∇²u` by extrapolated Sinkhorn: fast where u is far from degenerate, with p right to the tolerance and log ρ to
/// about `(πn)²` times that. What Sinkhorn is compared with is a [`super::Flow`].
pub struct ExtrapolatedFlow {
    /// Only diagnoses.
    operator: MongeAmpere,
    extrapolation: Extrapolation,
}

impl ExtrapolatedFlow {
    /// With error `tolerance` of p per macro step. The source is asked for on other grids than the operator's.
    ///
    /// # Errors
    /// As [`Extrapolation::new`].
    pub fn new(
        operator: MongeAmpere,
        source: Arc<dyn LogDensity>,
        tolerance: f64,
        start: &[f64],
    ) -> Result<Self> {
        let target = operator.target.clone();
        let torus = operator.torus();
        Ok(Self {
            extrapolation: Extrapolation::new(torus, source, target, start, tolerance)?,
            operator,
        })
    }

    /// As [`super::Flow::run_into`]; macro steps end at the asked times.
    ///
    /// # Errors
    /// Those of [`Extrapolation::advance`], with their time; [`crate::Error::Interrupted`] when the observer breaks.
    pub fn run_into(
        &mut self,
        times: &[f64],
        snapshots: &mut Vec<Snapshot>,
        observe: Observe,
    ) -> Result<()> {
        let mut journey = Journey {
            flow: self,
            iterations: 0,
            snapshots,
            observe,
        };
        travel(&mut journey, times)
    }
}

struct Journey<'a> {
    flow: &'a mut ExtrapolatedFlow,
    /// Of the last macro step.
    iterations: usize,
    snapshots: &'a mut Vec<Snapshot>,
    observe: Observe<'a>,
}

impl Journey<'_> {
    fn snapshot(&mut self, time: f64) -> Result<Snapshot> {
        let p = self.flow.extrapolation.p();
        snapshot(&mut self.flow.operator, time, &p)
    }
}

impl Traveller for Journey<'_> {
    fn advance(&mut self, time: f64, next: f64, _horizon: f64) -> Result<Step> {
        let step = self.flow.extrapolation.advance(time, next)?;
        self.iterations = step.iterations;
        Ok(Step {
            time: step.time,
            step: step.step,
            rejected: step.rejected,
            krylov: 0,
        })
    }

    fn reached(&mut self, asked: f64, _before: f64, _time: f64) -> Result<()> {
        let there = self.snapshot(asked)?;
        self.snapshots.push(there);
        Ok(())
    }

    fn observe(&mut self, step: &Step) -> Result<ControlFlow<()>> {
        let there = self.snapshot(step.time)?;
        Ok((self.observe)(&FlowStep {
            time: step.time,
            step: step.step,
            rejected: step.rejected,
            krylov: 0,
            sinkhorn: self.iterations,
            nodes: there.p.len(),
            diagnosis: there.diagnosis,
        }))
    }
}
