//! Sinkhorn with ε = η as the gradient-free competitor: its marginals on the same axes.

use super::MirrorDescent;
use super::average::Mixture;
use super::descent::{Part, Problem, keep_snapshots, snapshots};
use crate::record::Record;
use crate::study::jobs::Tick;
use crate::study::measure::Context;
use crate::study::{IterationStart, Kernel, Sinkhorn};
use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::density::Sampled;
use mirrorflow_solvers::distance::{bregman_divergence, relative_entropy};
use mirrorflow_solvers::mirror_descent::Comparator;
use mirrorflow_solvers::monge_ampere::{MongeAmpere, solve_elliptic};
use mirrorflow_solvers::{Error, Order, Result};
use std::sync::Arc;

/// Residual of the elliptic solve for the Brenier potential of an iterate.
const ELLIPTIC_TOLERANCE: f64 = 1e-11;

/// `study.steps` iterations at ε, as far as they go.
///
/// # Errors
/// Those of the iteration before its first step.
pub fn run(
    study: &MirrorDescent,
    context: &Context,
    problem: &Problem,
    of_source: &Comparator,
    epsilon: f64,
    tick: &Tick,
) -> Result<Part> {
    let iteration = Sinkhorn {
        epsilon,
        iterations: study.steps,
        kernel: Kernel::Heat,
        start: IterationStart::Plain,
    };
    let mut iteration = iteration.iteration(context)?;
    let mut follow = Follow::new(study, problem, of_source, epsilon);
    let mut log_rho = vec![0.0; problem.f.len()];
    let start = context.built.start.on(&problem.torus);
    problem.operator().log_marginal(&start, &mut log_rho)?;
    follow.visit(&log_rho, &problem.start)?;
    let mut outcome = Ok(());
    for k in 1..=study.steps {
        let stepped = iteration.step().map(drop).and_then(|()| {
            iteration.log_marginal(&mut log_rho);
            follow.visit(&log_rho, iteration.q())
        });
        outcome = stepped;
        if outcome.is_ok() && tick(k as f64 / study.steps as f64).is_break() {
            outcome = Err(Error::Interrupted {
                when: format!("after iteration {k}"),
            });
        }
        if outcome.is_err() {
            break;
        }
    }
    match outcome {
        Err(error) if follow.average.is_empty() => Err(error),
        outcome => Ok(Part {
            record: follow.record(),
            outcome,
        }),
    }
}

struct Follow<'a> {
    problem: &'a Problem,
    of_source: &'a Comparator,
    epsilon: f64,
    log_source: Vec<f64>,
    kept: Vec<usize>,
    mixture: Mixture,
    kl: Vec<f64>,
    bregman: Vec<f64>,
    average: Vec<f64>,
    snapshots: Vec<(usize, Vec<f64>)>,
}

impl<'a> Follow<'a> {
    fn new(
        study: &MirrorDescent,
        problem: &'a Problem,
        of_source: &'a Comparator,
        epsilon: f64,
    ) -> Self {
        Self {
            log_source: problem.f.iter().map(|f| -f).collect(),
            kept: snapshots(study.steps),
            mixture: Mixture::new(&problem.f),
            kl: Vec::new(),
            bregman: Vec::new(),
            average: Vec::new(),
            snapshots: Vec::new(),
            problem,
            of_source,
            epsilon,
        }
    }

    /// Takes ρ_k, whose Brenier potential is near the periodic part `near`.
    fn visit(&mut self, log_rho: &[f64], near: &[f64]) -> Result<()> {
        let torus = &self.problem.torus;
        let shape: Vec<f64> = log_rho.iter().map(|l| -l).collect();
        let mut elliptic = MongeAmpere::from_values(
            self.problem.g.clone(),
            Arc::new(Sampled::new(torus, &shape, Order::Gradient)),
            Box::new(Spectral::new(torus)),
        );
        let q = solve_elliptic(&mut elliptic, near, ELLIPTIC_TOLERANCE)
            .map_err(|error| error.during("the Brenier potential of a marginal"))?
            .p;
        let log_reference: Vec<f64> = self.problem.g.iter().map(|g| -g).collect();
        let bregman = bregman_divergence(torus, &log_reference, &self.of_source.q, &q)?;
        let k = self.kl.len();
        if self.kept.contains(&k) {
            let rho = log_rho.iter().map(|l| l.exp()).collect();
            self.snapshots.push((k, rho));
        }
        self.kl.push(relative_entropy(log_rho, &self.log_source));
        self.bregman.push(bregman);
        if k > 0 {
            self.average.push(self.mixture.add(self.epsilon, log_rho));
        }
        Ok(())
    }

    fn record(self) -> Record {
        let mut record = Record::default();
        let steps = self.average.len();
        record.insert_curve("eta", vec![self.epsilon; steps]);
        record.insert_curve("kl", self.kl);
        record.insert("bregman", &[1, steps + 1], self.bregman);
        record.insert_curve("average_kl", self.average);
        record.insert_curve("average_kl_budget", vec![f64::EPSILON; steps]);
        keep_snapshots(&mut record, self.problem.torus.points(), &self.snapshots);
        record
    }
}
