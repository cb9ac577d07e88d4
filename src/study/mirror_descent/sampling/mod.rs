//! Samples of e^{-f}: `∇ψ_K(Z)`, Z ~ e^{-g}, one map, beside the composition of the one-step maps of Fokker–Planck on the same Z, to the
//! same time (docs/sampling.md).
//!
//! `samples` carries the points and counts them, `costs` compares what the maps cost with W₂², `relaxation` follows Fokker–Planck to the same
//! relative entropy, `claims` holds what is expected, `verdicts`
//! compares, `figures` shows.

mod claims;
mod costs;
mod figures;
mod relaxation;
mod samples;
mod verdicts;

pub use claims::CLAIMS;
pub use figures::draw;
pub use verdicts::judge;

use super::{MirrorDescent, Run};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltTorus;
use crate::study::jobs::{self, Job, Tick};
use crate::study::measure::Context;
use mirrorflow_solvers::{LogDensity, Result, Torus};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The names of all arrays begin with this.
const PREFIX: &str = "sampling_";

/// Error per step of ρ_t along Fokker–Planck, and a looser one that shows what it leaves.
const TOLERANCES: [f64; 2] = [1e-11, 1e-10];

/// N independent points of e^{-g}, transported to e^{-f} in two ways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// N.
    pub samples: usize,
    #[serde(default = "usual_seed")]
    pub seed: u64,
    /// Bins of the histograms along each axis.
    #[serde(default = "usual_bins")]
    pub bins: usize,
    /// One-step maps of Fokker–Planck from 0 to Σ η_k, a multiple of 8; its cost is seen at this many steps, at half as many, and so on
    /// while that is even.
    #[serde(default = "usual_steps")]
    pub fokker_planck_steps: usize,
}

fn usual_seed() -> u64 {
    1
}

fn usual_bins() -> usize {
    16
}

fn usual_steps() -> usize {
    256
}

impl Sampling {
    /// Steps after which the cost is seen, increasing.
    fn kept(&self) -> Vec<usize> {
        let halves = std::iter::successors(Some(self.fokker_planck_steps), |steps| {
            (steps % 4 == 0).then_some(steps / 2)
        });
        let mut kept: Vec<usize> = halves.collect();
        kept.reverse();
        kept
    }
}

/// Number of the run whose last iterate is sampled: the first explicit one, lacking one the first implicit.
pub fn sampled_run(study: &MirrorDescent) -> Option<usize> {
    let first = |wanted: fn(&Run) -> bool| study.runs.iter().position(wanted);
    let explicit = first(|run| matches!(run, Run::Explicit(_)));
    let found = explicit.or_else(|| first(|run| matches!(run, Run::Implicit(_))));
    found.map(|k| k + 1)
}

/// The densities on one grid, the last iterate there, and how far the composition goes.
struct Setting<'a> {
    asked: &'a Sampling,
    torus: Torus,
    source: Arc<dyn LogDensity>,
    target: Arc<dyn LogDensity>,
    /// −f and −g at the nodes.
    log_source: Vec<f64>,
    log_start: Vec<f64>,
    /// Σ η_k.
    horizon: f64,
}

impl<'a> Setting<'a> {
    fn new(asked: &'a Sampling, built: &BuiltTorus, torus: &Torus, horizon: f64) -> Self {
        Self {
            asked,
            log_source: minus(&built.source.on(torus)),
            log_start: minus(&built.target.on(torus)),
            torus: torus.clone(),
            source: Arc::new(built.source.clone()),
            target: Arc::new(built.target.clone()),
            horizon,
        }
    }
}

fn minus(field: &[f64]) -> Vec<f64> {
    field.iter().map(|value| -value).collect()
}

/// Adds everything that is listed in docs/sampling.md, after the runs were recorded.
///
/// # Errors
/// Those of the sampler, of the elliptic solves and of Fokker–Planck; an interruption.
pub fn record(study: &MirrorDescent, context: &Context, record: &mut Record) -> Result<()> {
    let (Some(asked), Some(number)) = (&study.sampling, sampled_run(study)) else {
        return Ok(());
    };
    let Ok((q, horizon)) = last_iterate(record, number) else {
        return Ok(());
    };
    let on = |torus: &Torus| Setting::new(asked, context.built, torus, horizon);
    let torus = &context.built.torus;
    let given = on(torus);
    let coarse = on(&torus.resized(|n| 3 * n / 4)?);
    let finer = on(&torus.resized(|n| 3 * n / 4 * 2)?);
    let steps = asked.fokker_planck_steps;
    let flow_map = |name: &str, setting, steps, tolerance| {
        Job::new(name, 1.0, move |tick: &Tick| {
            costs::flow_map(setting, steps, tolerance, tick)
        })
    };
    let jobs = vec![
        Job::new("samples", 2.0, |tick: &Tick| {
            samples::carry(&given, &q, tick)
        }),
        Job::new("cost of one map", 0.2, |_: &Tick| {
            costs::one_map(&given, &finer, &q)
        }),
        Job::new("relaxation of Fokker–Planck", 0.3, |tick: &Tick| {
            relaxation::relax(&given, tick)
        }),
        flow_map("Fokker–Planck's map", &given, steps, TOLERANCES[0]),
        flow_map(
            "Fokker–Planck's map in half the steps",
            &given,
            steps / 2,
            TOLERANCES[1],
        ),
        flow_map(
            "Fokker–Planck's map on three quarters of the nodes",
            &coarse,
            steps,
            TOLERANCES[0],
        ),
    ];
    let (found, outcome) = jobs::first_failure(jobs::run(jobs, context.progress));
    outcome?;
    let [samples, one_map, relaxation, maps @ ..] = &found[..] else {
        unreachable!("six jobs");
    };
    let mut sampling = Record::default();
    sampling.insert_number("run", number as f64);
    sampling.insert_number("horizon", horizon);
    let maps = costs::with_budgets(maps, torus.dimension());
    for part in [samples, one_map, relaxation, &maps] {
        sampling.extend("", part.clone());
    }
    record.extend(PREFIX, sampling);
    Ok(())
}

/// q_K of a run and Σ η_k.
fn last_iterate(
    record: &Record,
    number: usize,
) -> std::result::Result<(Vec<f64>, f64), RecordError> {
    let run = record.part(&MirrorDescent::prefix(number));
    Ok((run.values("q")?.to_vec(), run.values("eta")?.iter().sum()))
}
