//! The integrators that are compared, and how each is run.

#[path = "../work_precision/exponential.rs"]
mod exponential;
#[path = "../work_precision/rkc.rs"]
mod rkc;

use crate::Result;
use mirrorflow::scenario::BuiltTorus;
use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::monge_ampere::{
    Accuracy, ExtrapolatedFlow, Flow, FlowStep, MongeAmpere, Snapshot,
};
use mirrorflow_solvers::time::{Method, Stepper};
use mirrorflow_solvers::{Error, LogDensity};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrator {
    /// What a scenario gets that does not choose.
    Default,
    ExtrapolatedSinkhorn,
    Rosenbrock,
    RungeKutta4,
    Euler,
    /// Runge–Kutta–Chebyshev of order 2, of the bench `work_precision`.
    Chebyshev,
    /// Exponential Rosenbrock of order 4, likewise.
    Exponential,
}

/// Part of the limit of stability that steps of explicit methods take.
const OF_THE_LIMIT: f64 = 0.9;
/// More steps of explicit methods than this are not tried.
const MOST_STEPS: f64 = 1e6;

/// The flow as far as it came, and what it took.
#[derive(Default)]
pub struct Run {
    pub snapshots: Vec<Snapshot>,
    pub work: Work,
    /// Ended after so many steps, if that is given.
    pub most_steps: Option<usize>,
}

#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub struct Work {
    pub steps: usize,
    pub rejected: usize,
    /// Krylov iterations; of the methods of `work_precision` right-hand sides and products with the Jacobian.
    pub krylov: usize,
    pub sinkhorn: usize,
}

impl Work {
    fn add(&mut self, step: &FlowStep) {
        self.steps += 1;
        self.rejected += step.rejected;
        self.krylov += step.krylov;
        self.sinkhorn += step.sinkhorn;
    }
}

/// The potential at the end of a run of the bench `work_precision`.
pub struct End {
    pub p: Vec<f64>,
    pub work: usize,
}

impl Integrator {
    pub const ALL: [Self; 7] = [
        Self::Default,
        Self::ExtrapolatedSinkhorn,
        Self::Rosenbrock,
        Self::RungeKutta4,
        Self::Euler,
        Self::Chebyshev,
        Self::Exponential,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::ExtrapolatedSinkhorn => "extrapolated Sinkhorn",
            Self::Rosenbrock => "Rodas5P",
            Self::RungeKutta4 => "RK4",
            Self::Euler => "Euler",
            Self::Chebyshev => "RKC",
            Self::Exponential => "exponential Rosenbrock",
        }
    }

    /// The integrator called `name`, or by the beginning of its name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|i| i.name().starts_with(name));
        found.ok_or_else(|| format!("no integrator `{name}`").into())
    }

    /// Whether its steps follow a tolerance; those of the others follow stability alone.
    pub fn has_tolerance(self) -> bool {
        !matches!(self, Self::RungeKutta4 | Self::Euler)
    }

    /// Integrates to the last of the `times`.
    ///
    /// # Errors
    /// Those of the integrator; what was reached before is in `run`.
    pub fn run(
        self,
        built: &BuiltTorus,
        times: &[f64],
        tolerance: f64,
        run: &mut Run,
    ) -> Result<()> {
        match self {
            Self::RungeKutta4 => explicit(Method::RungeKutta4, built, times, run),
            Self::Euler => explicit(Method::Euler, built, times, run),
            Self::Chebyshev => by_legs(built, times, run, |operator, start, time| {
                rkc::run(operator, start, time, tolerance)
            }),
            Self::Exponential => by_legs(built, times, run, |operator, start, time| {
                exponential::run(operator, start, time, tolerance)
            }),
            _ => {
                let Run {
                    snapshots,
                    work,
                    most_steps,
                } = run;
                let mut observe = |step: &FlowStep| {
                    work.add(step);
                    match most_steps {
                        Some(most) if work.steps >= *most => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }
                };
                Ok(match self {
                    Self::ExtrapolatedSinkhorn => {
                        by_sinkhorn(built, tolerance)?.run_into(times, snapshots, &mut observe)
                    }
                    _ => {
                        let mut flow = self.flow(built, tolerance)?;
                        flow.run_into(times, snapshots, &mut observe)
                    }
                }?)
            }
        }
    }

    /// The flow as the PDE, as studies make it.
    fn flow(self, built: &BuiltTorus, tolerance: f64) -> Result<Flow> {
        let (torus, start) = (&built.torus, built.start.on(&built.torus));
        let source: Arc<dyn LogDensity> = Arc::new(built.source.clone());
        let target: Arc<dyn LogDensity> = Arc::new(built.target.clone());
        Ok(match self {
            Self::Rosenbrock => Flow::new(operator(built), Stepper::Adaptive { tolerance }, &start)
                .advised_by(source, target)
                .watched(),
            _ => {
                let accuracy = Accuracy::within(tolerance, torus);
                Flow::following([source, target], torus, accuracy, &start, &[])?.watched()
            }
        })
    }
}

fn by_sinkhorn(built: &BuiltTorus, tolerance: f64) -> Result<ExtrapolatedFlow> {
    let source: Arc<dyn LogDensity> = Arc::new(built.source.clone());
    let start = built.start.on(&built.torus);
    let flow = ExtrapolatedFlow::new(operator(built), source, tolerance, &start)?;
    Ok(flow)
}

fn operator(built: &BuiltTorus) -> MongeAmpere {
    let target: Arc<dyn LogDensity> = Arc::new(built.target.clone());
    MongeAmpere::new(&built.source, target, Box::new(Spectral::new(&built.torus)))
}

/// Steps a little below the limit of stability, found anew whenever it falls below them.
fn explicit(method: Method, built: &BuiltTorus, times: &[f64], run: &mut Run) -> Result<()> {
    let flow = |step: f64| {
        let start = built.start.on(&built.torus);
        Flow::new(operator(built), Stepper::Explicit { method, step }, &start)
    };
    let mut limit = flow(1.0).stability_limit(method)?;
    let horizon = times.last().copied().unwrap_or(0.0);
    loop {
        if horizon > MOST_STEPS * limit {
            return Err(format!("{:.0e} steps", horizon / limit).into());
        }
        let Run {
            snapshots, work, ..
        } = &mut *run;
        snapshots.clear();
        let mut flow = flow(OF_THE_LIMIT * limit);
        match flow.run_into(times, snapshots, &mut |step| {
            work.add(step);
            ControlFlow::Continue(())
        }) {
            Err(Error::Unstable { limit: lower, .. }) => limit = lower.min(OF_THE_LIMIT * limit),
            outcome => return Ok(outcome?),
        }
    }
}

/// An integrator of the bench `work_precision`, from each instant to the next.
fn by_legs(
    built: &BuiltTorus,
    times: &[f64],
    run: &mut Run,
    integrate: impl Fn(MongeAmpere, &[f64], f64) -> Result<End>,
) -> Result<()> {
    let (mut p, mut before) = (built.start.on(&built.torus), 0.0);
    for &time in times {
        let end = integrate(operator(built), &p, time - before)?;
        run.work.krylov += end.work;
        (p, before) = (end.p, time);
        run.snapshots.push(snapshot(built, time, &p)?);
    }
    Ok(())
}

fn snapshot(built: &BuiltTorus, time: f64, p: &[f64]) -> Result<Snapshot> {
    let mut operator = operator(built);
    let mut log_marginal = vec![0.0; p.len()];
    operator.log_marginal(p, &mut log_marginal)?;
    Ok(Snapshot {
        time,
        p: p.to_vec(),
        diagnosis: operator.diagnose(p, &log_marginal),
        log_marginal,
        tangent: None,
    })
}
