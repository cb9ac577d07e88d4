//! The mirror flow of a function F on R or R², by several mirrors beside each other (THEORY §10).
//!
//! `along` measures one mirror's flow, `identities` what holds along it, `orders` refines the step, `claims` holds what the theory says, `verdicts` compares, `figures` and `plane`
//! draw. What belongs to one mirror stands in the record under a prefix, see [`prefix`].

mod along;
mod claims;
mod figures;
mod identities;
mod orders;
mod plane;
mod verdicts;

pub use claims::CLAIMS;

use super::MirrorFlow;
use super::columns;
use crate::figure::Figure;
use crate::record::{Record, RecordError, Table};
use crate::scenario::BuiltEuclidean;
use crate::study::measure::{Context, MeasureError, Measured, stepper};
use crate::study::{Curve, Experiment};
use crate::verdict::Verdict;
use mirrorflow_solvers::Error;
use std::ops::ControlFlow;

/// Equal intervals of the horizon at which the path is recorded.
pub const SAMPLES: usize = 160;

/// Prefix in the record of what belongs to the k-th mirror, counted from 0: `u1_` for the scenario's own, `u2_`, … for `others`.
pub fn prefix(k: usize) -> String {
    format!("u{}_", k + 1)
}

impl MirrorFlow {
    fn on_euclidean(
        &self,
        context: &Context<BuiltEuclidean>,
        record: &mut Record,
    ) -> Result<(), Error> {
        let built = context.built;
        let horizon = *self.times.last().expect("the times are not empty");
        let samples = (0..=SAMPLES).map(|j| horizon * j as f64 / SAMPLES as f64);
        record.insert_curve("times", self.times.clone());
        record.insert_curve("samples", samples.collect());
        record.insert_number("mirrors", built.problems.len() as f64);
        for (k, problem) in built.problems.iter().enumerate() {
            let done = k as f64 / (built.problems.len() + 1) as f64;
            let stage = format!("the flow with U = {}", built.labels[k]);
            if context.progress.tick(&stage, done) == ControlFlow::Break(()) {
                let when = format!("before {stage}");
                return Err(Error::Interrupted { when });
            }
            let measured = along::measure(problem, &self.times, stepper(context.numerics.time));
            record.extend(&prefix(k), measured.map_err(|error| error.during(stage))?);
        }
        let stepper = stepper(context.numerics.time);
        orders::record(self, built.first(), stepper, record)
    }
}

impl Experiment<BuiltEuclidean> for MirrorFlow {
    /// Records `times[T]`, `samples[S+1]`, the number `mirrors`; with refinements `steps`, `mirror_time_error`, `primal_time_error`,
    /// their floors and `time_order`; and per mirror, with its prefix, what `along` measures.
    fn measure(&self, context: &Context<BuiltEuclidean>) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.on_euclidean(context, &mut record);
        Measured::after(record, outcome)
    }

    fn tables(&self, built: &BuiltEuclidean) -> Vec<Table> {
        let refined = !self.refinements.is_empty();
        let own = Table::new("", columns::EUCLIDEAN).and(refined, columns::EUCLIDEAN_REFINED);
        let mirrors = 0..built.problems.len();
        let of_mirror = |k| Table::new(prefix(k), columns::OF_MIRROR);
        std::iter::once(own).chain(mirrors.map(of_mirror)).collect()
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        verdicts::judge(self, study, record)
    }

    fn draw(&self, built: &BuiltEuclidean, record: &Record) -> Result<Vec<Figure>, RecordError> {
        figures::draw(built, record)
    }

    /// One row per sample: the coordinates of each mirror's path and F there.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        let mut curve = Curve::default().column("t", record, "samples")?;
        for k in 0..record.count("mirrors")? {
            let part = record.part(&prefix(k));
            let path = part.array("path")?;
            let number = k + 1;
            for (axis, name) in ["x", "y"].iter().enumerate().take(path.shape()[1]) {
                let column = path.index_axis(ndarray::Axis(1), axis);
                let column = column.iter().copied().collect();
                curve
                    .columns
                    .push((format!("{name}, mirror {number}"), column));
            }
            curve = curve.column(&format!("F, mirror {number}"), &part, "path_objective")?;
        }
        Ok(curve)
    }
}
