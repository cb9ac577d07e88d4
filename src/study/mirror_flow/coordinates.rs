//! The mirror flow in its three coordinates, each from the scenario's start to the same instants.

use super::Metric;
use crate::study::Objective;
use crate::study::jobs::Tick;
use crate::study::measure::Context;
use crate::study::progress::Pace;
use mirrorflow_solvers::flows::{Coordinate, GradientFlow, Mirror, Primal};
use mirrorflow_solvers::legendre::conjugate;
use mirrorflow_solvers::monge_ampere::MongeAmpere;
use mirrorflow_solvers::time::{Stepper, System, march};
use mirrorflow_solvers::{LogDensity, Result, Torus};
use std::sync::Arc;

/// Residual of the elliptic solves behind the primal coordinate, as a part of the error per step, and at least.
const ELLIPTIC_PART: f64 = 1e-3;
const ELLIPTIC_LEAST: f64 = 1e-13;

/// How to run a flow: grid, stepper, instants, and whom to tell.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub context: &'a Context<'a>,
    pub torus: &'a Torus,
    pub objective: Objective,
    pub stepper: Stepper,
    pub times: &'a [f64],
    pub tick: &'a Tick<'a>,
}

impl Run<'_> {
    /// States of `system` at the instants.
    fn states<S: System>(&self, system: &mut S, mut state: Vec<f64>) -> Result<Vec<Vec<f64>>> {
        let mut states = Vec::new();
        let pace = Pace::to(self.times.last().copied().unwrap_or(0.0));
        march(
            system,
            self.stepper,
            &mut state,
            self.times,
            &mut |_, _, state| {
                states.push(state.to_vec());
                Ok(())
            },
            &mut |_, step, _| Ok((self.tick)(pace.at(step.time))),
        )?;
        Ok(states)
    }

    fn start(&self) -> Vec<f64> {
        self.context.built.start.on(self.torus)
    }

    fn operator(&self) -> MongeAmpere {
        self.context.operator(self.torus)
    }

    /// p_t of `∂_t u = φ`.
    ///
    /// # Errors
    /// Those of the flow.
    pub fn mirror(&self) -> Result<Vec<Vec<f64>>> {
        let objective = self.objective.build();
        let mut system = Mirror::new(self.operator(), objective, Coordinate::Mirror);
        self.states(&mut system, self.start())
            .map_err(|error| error.during("the mirror coordinate"))
    }

    /// q_t of `∂_t ψ = −φ∘∇ψ`, from the conjugate of the start.
    ///
    /// # Errors
    /// Those of the flow and of the Legendre transform.
    pub fn dual(&self) -> Result<Vec<Vec<f64>>> {
        let built = &self.context.built;
        let f: Arc<dyn LogDensity> = Arc::new(built.source.clone());
        let calculus = self.context.calculus(self.torus);
        let operator = MongeAmpere::new(&built.target, f, calculus);
        let mut system = Mirror::new(operator, self.objective.build(), Coordinate::Dual);
        conjugate(self.torus, &self.start())
            .and_then(|start| self.states(&mut system, start.q))
            .map_err(|error| error.during("the dual coordinate"))
    }

    /// ρ_t of `∂_t ρ + ∇·(ρv) = 0` with `v = −A∇φ`, or without A in the flat metric.
    ///
    /// # Errors
    /// Those of the flow.
    pub fn primal(&self, metric: Metric) -> Result<Vec<Vec<f64>>> {
        let built = &self.context.built;
        let (objective, calculus) = (self.objective.build(), self.context.calculus(self.torus));
        let start = exponential(&self.log_marginal(&self.start())?);
        let states = match metric {
            Metric::Hessian => {
                let target: Arc<dyn LogDensity> = Arc::new(built.target.clone());
                let mut system = Primal::new(
                    objective,
                    &built.source,
                    target,
                    calculus,
                    self.elliptic_tolerance(),
                );
                self.states(&mut system, start)
            }
            Metric::Flat => {
                let mut system = GradientFlow::new(objective, &built.source, calculus);
                self.states(&mut system, start)
            }
        };
        states.map_err(|error| error.during("the primal coordinate"))
    }

    /// Of log ρ: it is multiplied by the step before it counts.
    fn elliptic_tolerance(&self) -> f64 {
        match self.stepper {
            Stepper::Adaptive { tolerance } => (ELLIPTIC_PART * tolerance).max(ELLIPTIC_LEAST),
            _ => ELLIPTIC_LEAST,
        }
    }

    /// log ρ of the potential p.
    ///
    /// # Errors
    /// As `MongeAmpere::rate`.
    pub fn log_marginal(&self, p: &[f64]) -> Result<Vec<f64>> {
        let mut log_rho = vec![0.0; p.len()];
        self.operator().log_marginal(p, &mut log_rho)?;
        Ok(log_rho)
    }

    /// ρ of each of the potentials.
    ///
    /// # Errors
    /// As [`Self::log_marginal`].
    pub fn densities(&self, potentials: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        let density = |p: &Vec<f64>| Ok(exponential(&self.log_marginal(p)?));
        potentials.iter().map(density).collect()
    }

    /// The periodic parts of `ψ_t^*`.
    ///
    /// # Errors
    /// Those of the Legendre transform.
    pub fn conjugates(&self, potentials: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        let conjugate = |q: &Vec<f64>| Ok(conjugate(self.torus, q)?.q);
        potentials.iter().map(conjugate).collect()
    }
}

fn exponential(log: &[f64]) -> Vec<f64> {
    log.iter().map(|l| l.exp()).collect()
}
