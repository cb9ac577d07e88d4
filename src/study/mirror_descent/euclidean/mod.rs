//! Mirror descent of a function F on R or R², with the scenario's own mirror (THEORY §10).
//!
//! `runs` measures the runs, `limit` refines the step, `claims` holds what the theory says, `verdicts` compares, `figures` draws. What
//! belongs to one run stands in the record under a prefix, see [`prefix`].

mod claims;
mod figures;
mod limit;
mod runs;
mod verdicts;

pub use claims::CLAIMS;

use super::columns;
use super::{MirrorDescent, Run, Schedule};
use crate::figure::Figure;
use crate::record::{Record, RecordError, Table};
use crate::scenario::BuiltEuclidean;
use crate::study::measure::{Context, MeasureError, Measured};
use crate::study::{Curve, Experiment, short};
use crate::verdict::Verdict;
use mirrorflow_solvers::Error;
use mirrorflow_solvers::euclidean::Rule;
use mirrorflow_solvers::time::Stepper;

/// Prefix in the record of what belongs to the k-th run, counted from 0: `run_1_`, `run_2_`, …
pub fn prefix(k: usize) -> String {
    format!("run_{}_", k + 1)
}

/// The flow that a descent is compared with.
const FLOW: f64 = 1e-13;

impl MirrorDescent {
    /// The measurement with ∇F multiplied by `gradient`: 1, or another number that must be caught.
    ///
    /// # Errors
    /// As [`Experiment::measure`].
    pub fn measure_with(
        &self,
        context: &Context<BuiltEuclidean>,
        gradient: f64,
    ) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect_runs(context, gradient, &mut record);
        Measured::after(record, outcome)
    }

    fn collect_runs(
        &self,
        context: &Context<BuiltEuclidean>,
        gradient: f64,
        record: &mut Record,
    ) -> Result<(), Error> {
        runs::record(self, context, gradient, record)?;
        limit::record(self, context.built.first(), gradient, record)
    }
}

/// The rule and the step lengths of a run; validation refuses those that have none.
fn rule_and_steps(run: &Run, steps: usize) -> (Rule, Vec<f64>) {
    let (rule, schedule) = match run {
        Run::Explicit(schedule) => (Rule::Explicit, schedule),
        Run::Implicit(schedule) => (Rule::Implicit, schedule),
        Run::Sinkhorn(_) => unreachable!("validation refuses Sinkhorn here"),
    };
    let total = steps as f64;
    let length = |k: usize| match schedule {
        Schedule::Constant(eta) => *eta,
        Schedule::Harmonic(c) => c / (k + 1) as f64,
        Schedule::LogOverT(c) => c * total.ln() / total,
        Schedule::List(list) => list[k],
        Schedule::Adaptive(_) => unreachable!("validation refuses the adaptive schedule here"),
    };
    (rule, (0..steps).map(length).collect())
}

/// A run for people.
fn label(run: &Run) -> String {
    let schedule = |schedule: &Schedule| match schedule {
        Schedule::Constant(eta) => format!("η = {}", short(*eta)),
        Schedule::Harmonic(c) => format!("η_{{k}} = {}/(k + 1)", short(*c)),
        Schedule::LogOverT(c) => format!("η = {} log T/T", short(*c)),
        Schedule::List(_) | Schedule::Adaptive(_) => "own steps".to_owned(),
    };
    match run {
        Run::Explicit(steps) => format!("explicit, {}", schedule(steps)),
        Run::Implicit(steps) => format!("implicit, {}", schedule(steps)),
        Run::Sinkhorn(epsilon) => format!("Sinkhorn, ε = {}", short(*epsilon)),
    }
}

/// The tightest flow.
fn tightest() -> Stepper {
    Stepper::Adaptive { tolerance: FLOW }
}

impl Experiment<BuiltEuclidean> for MirrorDescent {
    /// Records the number `runs` and per run, with its prefix, what `runs` measures; with a limit `steps`, `explicit_error`,
    /// `implicit_error`, `natural_error` and `floor`.
    fn measure(&self, context: &Context<BuiltEuclidean>) -> Result<Measured, MeasureError> {
        self.measure_with(context, 1.0)
    }

    fn tables(&self, _built: &BuiltEuclidean) -> Vec<Table> {
        let limit = self.limit.is_some();
        let own = Table::new("", columns::EUCLIDEAN).and(limit, columns::EUCLIDEAN_LIMIT);
        let of_run = |k| Table::new(prefix(k), columns::OF_EUCLIDEAN_RUN);
        let runs = (0..self.runs.len()).map(of_run);
        std::iter::once(own).chain(runs).collect()
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        verdicts::judge(self, study, record)
    }

    fn draw(&self, built: &BuiltEuclidean, record: &Record) -> Result<Vec<Figure>, RecordError> {
        figures::draw(self, built, record)
    }

    /// One row per iterate: k, then t, the coordinates, F and, where there is a minimiser, the divergence of each run.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        let mut curve = Curve::default();
        let iterates = (0..=self.steps).map(|k| k as f64);
        curve.columns.push(("k".into(), iterates.collect()));
        for k in 0..record.count("runs")? {
            let (part, number) = (record.part(&prefix(k)), k + 1);
            curve = curve.column(&format!("t, run {number}"), &part, "time")?;
            let x = part.array("x")?;
            for (axis, name) in ["x", "y"].iter().enumerate().take(x.shape()[1]) {
                let column = x.index_axis(ndarray::Axis(1), axis);
                let column = column.iter().copied().collect();
                curve
                    .columns
                    .push((format!("{name}, run {number}"), column));
            }
            curve = curve.column(&format!("F, run {number}"), &part, "objective")?;
            if part.array("divergence").is_ok() {
                let header = format!("D_U(x_inf, x_k), run {number}");
                curve = curve.column(&header, &part, "divergence")?;
            }
        }
        Ok(curve)
    }
}
