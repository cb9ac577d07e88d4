//! Mirror descent between centred Gaussians: matrices only, every term in closed form, g strongly convex (THEORY §§7 and 9).
//!
//! `steps` follows explicit and implicit runs, `sinkhorn` their competitor, `flow` the Riccati flow, `limit` how they approach it;
//! `verdicts` adds what is true of Gaussians only, `figures` shows it.

mod claims;
mod figures;
mod flow;
mod limit;
mod sinkhorn;
mod steps;
mod verdicts;

pub use claims::GAUSSIAN_CLAIMS;

use super::columns;
use super::descent::Part;
use super::{ComparatorChoice, MirrorDescent, Run, curve};
use crate::figure::Figure;
use crate::record::{Record, RecordError, Table};
use crate::scenario::BuiltGaussian;
use crate::scenario::build::gaussian::random;
use crate::study::gaussian::{axes, insert_rows};
use crate::study::jobs::Tick;
use crate::study::measure::{Context, MeasureError, Measured};
use crate::study::progress::{Stages, kept};
use crate::study::{Curve, Experiment};
use crate::verdict::Verdict;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{Comparator, Mat, eigen, mixture_entropies};

/// Modelled shares of the work: the runs, the flow, the limit.
const SHARES: [f64; 3] = [0.7, 0.15, 0.15];

/// The spectrum of a random comparator goes from this part of the least variance of e^{-f} to this multiple of the greatest.
const RANDOM_SPREAD: (f64, f64) = (0.5, 3.0);

impl MirrorDescent {
    /// Everything, in the order in which it is worth having when the run is cut short.
    fn collect_gaussian(
        &self,
        context: &Context<BuiltGaussian>,
        record: &mut Record,
    ) -> Result<()> {
        let built = context.built;
        let stages = Stages::new(context.progress, &SHARES);
        let comparators = self.gaussian_comparators(built)?;
        let axes = axes(built, None)?;
        let stopped = self.record_runs(&stages.part(0), record, &|run, tick| {
            self.gaussian_run(built, (&comparators, &axes), run, tick)
        });
        if !record.is_empty() {
            let (variances, _) = kept(&stopped, || eigen(built.problem.theta()))?;
            record.insert_number("strong_convexity", 1.0 / variances[variances.len() - 1]);
            insert_rows(record, "axes", &axes);
        }
        stopped?;
        flow::measure(built, self.horizon(record), &stages.part(1), record)?;
        limit::measure(self, built, &stages.part(2), record)
    }

    fn gaussian_run(
        &self,
        built: &BuiltGaussian,
        (comparators, axes): (&[Comparator], &[Vec<f64>]),
        run: &Run,
        tick: &Tick,
    ) -> Result<Part> {
        let (step, schedule) = match run {
            Run::Explicit(schedule) => (steps::EXPLICIT, schedule),
            Run::Implicit(schedule) => (steps::IMPLICIT, schedule),
            Run::Sinkhorn(epsilon) => return sinkhorn::run(self, built, axes, *epsilon, tick),
        };
        let problem = steps::Problem {
            built,
            comparators,
            axes,
            condition: condition(built)?,
        };
        steps::run(self.steps, &problem, (step, &schedule.numerics()), tick)
    }

    fn gaussian_comparators(&self, built: &BuiltGaussian) -> Result<Vec<Comparator>> {
        let problem = &built.problem;
        let (variances, _) = eigen(problem.sigma())?;
        let (least, greatest) = (variances[0], variances[variances.len() - 1]);
        let choices = self.all_comparators();
        let each = choices.iter().map(|choice| match choice {
            ComparatorChoice::Source => Ok(Comparator::source(problem)),
            ComparatorChoice::Target => Comparator::new(problem, problem.theta()),
            ComparatorChoice::Random { seed } => {
                let spread = (RANDOM_SPREAD.0 * least, RANDOM_SPREAD.1 * greatest);
                Comparator::new(problem, &random(built.dimension(), spread, *seed))
            }
            ComparatorChoice::Uniform => unreachable!("validation refuses it on R^d"),
        });
        each.collect()
    }
}

/// Adds `average_kl` and `average_kl_budget` of the counted iterates, where a quadrature is possible.
fn insert_average(
    record: &mut Record,
    sigma: &Mat<f64>,
    (covariances, weights): (&[Mat<f64>], &[f64]),
) -> Result<()> {
    if let Some(found) = mixture_entropies(sigma, covariances, weights)? {
        record.insert_curve("average_kl", found.iter().map(|a| a.0).collect());
        let budget = |a: &(f64, f64)| a.1 + f64::EPSILON * a.0;
        record.insert_curve("average_kl_budget", found.iter().map(budget).collect());
    }
    Ok(())
}

impl Experiment<BuiltGaussian> for MirrorDescent {
    /// Records what the study on a torus does, but for `newton_steps`, `comparator_mass_defect`, `q`, `rho`, and with `band_defect` and
    /// `mass_defect` zero; `average_kl` with its budget where d ≤ 2. Besides, with the prefix `run_r_`: `wasserstein[T+1]`, W₂(ρ_k, e^{-f});
    /// `deviations[A, T+1]` along `axes[A, d]`; `snapshots[S]`, `covariance[S, d, d]`; of steps `metric_square[C, T]` and `dual[d, d]`, the last Q.
    /// Of the limit, `limit_sinkhorn` and `limit_sinkhorn_conjugate`, sup over the unit ball.
    ///
    /// # Errors
    /// [`MeasureError`], with what was measured before it.
    fn measure(
        &self,
        context: &Context<BuiltGaussian>,
    ) -> std::result::Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect_gaussian(context, &mut record);
        Measured::after(record, outcome)
    }

    fn tables(&self, _built: &BuiltGaussian) -> Vec<Table> {
        let limit = self.limit.is_some();
        let own = Table::new("", columns::COLUMNS)
            .and(true, columns::GAUSSIAN)
            .and(limit, columns::LIMIT);
        let of_run = |(k, run): (usize, &Run)| {
            let descends = !matches!(run, Run::Sinkhorn(_));
            Table::new(format!("run_{}_", k + 1), columns::OF_GAUSSIAN_RUN)
                .and(descends, columns::OF_GAUSSIAN_DESCENT)
        };
        let runs = self.runs.iter().enumerate().map(of_run);
        std::iter::once(own).chain(runs).collect()
    }

    fn judge(
        &self,
        study: &str,
        record: &Record,
    ) -> std::result::Result<Vec<Verdict>, RecordError> {
        verdicts::judge(self, study, record)
    }

    fn draw(
        &self,
        built: &BuiltGaussian,
        record: &Record,
    ) -> std::result::Result<Vec<Figure>, RecordError> {
        figures::draw(self, built, record)
    }

    fn curve(&self, record: &Record) -> std::result::Result<Curve, RecordError> {
        curve::curve(self, record)
    }
}

/// The larger condition number of Σ and Θ.
fn condition(built: &BuiltGaussian) -> Result<f64> {
    let of = |covariance: &Mat<f64>| -> Result<f64> {
        let (values, _) = eigen(covariance)?;
        Ok(values[values.len() - 1] / values[0])
    };
    Ok(of(built.problem.sigma())?.max(of(built.problem.theta())?))
}
