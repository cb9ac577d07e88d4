//! Mirror descent on the torus: the runs side by side, then the flow to where they came, then the limit η → 0.

use super::columns;
use super::curve::curve;
use super::descent::{self, IMPLICIT_TOLERANCE, Part, Problem};
use super::{MirrorDescent, Run, figures, flow, limit, sampling, sinkhorn, verdicts};
use crate::figure::{Figure, label_plain};
use crate::record::{Record, RecordError, Table};
use crate::scenario::BuiltTorus;
use crate::study::jobs::{self, Job, Tick};
use crate::study::measure::{Context, MeasureError, Measured};
use crate::study::progress::{Progress, Stages, watch};
use crate::study::{Curve, Experiment};
use crate::verdict::Verdict;
use mirrorflow_solvers::mirror_descent::{Comparator, Rule};
use mirrorflow_solvers::parallel::max_of;
use mirrorflow_solvers::symmetric::extreme_eigenvalues;
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Error, Jet, Order};

/// Modelled shares of the work: the comparators, the runs, the flow, and the limit and the samples where they are asked.
const SHARES: [f64; 5] = [0.05, 0.65, 0.15, 0.05, 0.3];

/// The flow runs at this part of the scenario's tolerance, or of 1e-9 where an explicit stepper has none; never below 1e-13.
const TIGHTER: f64 = 1e-2;

impl MirrorDescent {
    /// Everything, in the order in which it is worth having when the run is cut short.
    fn collect(&self, context: &Context, record: &mut Record) -> Result<(), Error> {
        let stages = Stages::new(context.progress, &self.shares());
        let (problem, comparators) = watch(&stages.part(0), "the comparators", || {
            let problem = Problem::new(context, &context.built.torus)?;
            let comparators = descent::comparators(self, &problem)?;
            Ok::<_, Error>((problem, comparators))
        })?;
        let stopped = self.record_runs(&stages.part(1), record, &|run, tick| {
            self.measure_run(context, &problem, &comparators, run, tick)
        });
        if !record.is_empty() {
            let least = strong_convexity(&problem);
            record.insert_number("strong_convexity", least);
        }
        stopped?;
        self.record_flow(&context.with(&stages.part(2)), record)?;
        self.record_limit(&context.with(&stages.part(3)), &problem, record)?;
        sampling::record(self, &context.with(&stages.part(4)), record)
    }

    fn shares(&self) -> [f64; 5] {
        let asked = [
            true,
            true,
            true,
            self.limit.is_some(),
            self.sampling.is_some(),
        ];
        [0, 1, 2, 3, 4].map(|k| if asked[k] { SHARES[k] } else { 0.0 })
    }

    /// The runs, each with the arrays of what it did; one that fails keeps its steps, and the others go on.
    pub(super) fn record_runs(
        &self,
        progress: &dyn Progress,
        record: &mut Record,
        measure: &(dyn Fn(&Run, &Tick) -> Result<Part, Error> + Sync),
    ) -> Result<(), Error> {
        let jobs = self.runs.iter().map(|run| {
            let name = label_plain(&run.label());
            Job::new(name, 1.0, move |tick: &Tick| {
                // Not an error of the job, which would stop the others.
                Ok(measure(run, tick))
            })
        });
        let found = jobs::run(jobs.collect(), progress);
        let mut stopped = Ok(());
        for (k, part) in found.into_iter().enumerate() {
            let name = label_plain(&self.runs[k].label());
            let part = part.and_then(|part| part);
            let outcome = part.and_then(|part| {
                record.extend(&Self::prefix(k + 1), part.record);
                part.outcome
            });
            // Of several reasons a failure rather than an interruption.
            if let Err(error) = outcome
                && !matches!(stopped, Err(ref e) if !matches!(e, Error::Interrupted { .. }))
            {
                stopped = Err(error.during(name));
            }
        }
        stopped
    }

    fn measure_run(
        &self,
        context: &Context,
        problem: &Problem,
        comparators: &[Comparator],
        run: &Run,
        tick: &Tick,
    ) -> Result<Part, Error> {
        let tolerance = IMPLICIT_TOLERANCE;
        let (rule, schedule) = match run {
            Run::Explicit(schedule) => (Rule::Explicit, schedule),
            Run::Implicit(schedule) => (Rule::Implicit { tolerance }, schedule),
            Run::Sinkhorn(epsilon) => {
                return sinkhorn::run(self, context, problem, &comparators[0], *epsilon, tick);
            }
        };
        descent::run(self, problem, comparators, (rule, schedule), tick)
    }

    /// The flow to the latest time of an explicit run, or of any where there is none; again on three quarters of the nodes and at ten times
    /// the tolerance.
    fn record_flow(&self, context: &Context, record: &mut Record) -> Result<(), Error> {
        let horizon = self.horizon(record);
        let tolerance = match context.stepper() {
            Stepper::Adaptive { tolerance } => (TIGHTER * tolerance).max(1e-13),
            _ => 1e-11,
        };
        let torus = context.built.torus.clone();
        let coarse = torus.resized(|n| 3 * n / 4)?;
        let flow = |name: &str, torus, tolerance| {
            Job::new(name, 1.0, move |tick: &Tick| {
                let problem = Problem::new(context, torus)?;
                let only = Self {
                    comparators: Vec::new(),
                    ..self.clone()
                };
                let of_source = descent::comparators(&only, &problem)?.remove(0);
                flow::run(&problem, &of_source, horizon, tolerance, tick)
            })
        };
        let jobs = vec![
            flow("the flow", &torus, tolerance),
            flow(
                "the flow on three quarters of the nodes",
                &coarse,
                tolerance,
            ),
            flow("the flow at a looser tolerance", &torus, 10.0 * tolerance),
        ];
        let found = jobs::run(jobs, context.progress);
        let (found, outcome) = jobs::first_failure(found);
        outcome?;
        let [given, varied @ ..] = &found[..] else {
            unreachable!("three flows");
        };
        let change = |name: &str| -> Vec<f64> {
            let values = given.record.values(name).expect("recorded");
            let apart = |other: &Part, k: usize| {
                (other.record.values(name).expect("recorded")[k] - values[k]).abs()
            };
            (0..values.len())
                .map(|k| varied.iter().map(|other| apart(other, k)).sum())
                .collect()
        };
        for name in ["spent", "fallen", "bregman"] {
            record.insert_curve(&format!("flow_{name}_change"), change(name));
        }
        record.extend(
            "flow_",
            found.into_iter().next().expect("three flows").record,
        );
        Ok(())
    }

    pub(super) fn horizon(&self, record: &Record) -> f64 {
        let end = |explicit_only: bool| {
            let runs = self.runs.iter().enumerate();
            let wanted = runs.filter(|(_, run)| !explicit_only || matches!(run, Run::Explicit(_)));
            let ends = wanted.filter_map(|(k, _)| {
                let eta = record.part(&Self::prefix(k + 1));
                Some(eta.values("eta").ok()?.iter().sum::<f64>())
            });
            ends.fold(0.0, f64::max)
        };
        let explicit = end(true);
        if explicit > 0.0 { explicit } else { end(false) }
    }

    fn record_limit(
        &self,
        context: &Context,
        problem: &Problem,
        record: &mut Record,
    ) -> Result<(), Error> {
        let Some(asked) = &self.limit else {
            return Ok(());
        };
        let jobs = limit::jobs(self, problem);
        let found = jobs::run(jobs, context.progress);
        let (found, outcome) = jobs::first_failure(found);
        outcome?;
        limit::record(asked, &found, record);
        Ok(())
    }
}

/// inf λ_min(∇²g) over the nodes, at most 0 on the torus.
fn strong_convexity(problem: &Problem) -> f64 {
    let (d, n) = (problem.torus.dimension(), problem.torus.len());
    let mut jet = Jet::zeros(d, n, Order::Hessian);
    problem.target.jet(&problem.torus.nodes(), &mut jet);
    let smallest = |i: usize| {
        let mut packed = [0.0; 6];
        for (entry, field) in packed.iter_mut().zip(&jet.hessian) {
            *entry = field[i];
        }
        extreme_eigenvalues(d, &packed).0
    };
    -max_of(n, |i| -smallest(i))
}

impl Experiment<BuiltTorus> for MirrorDescent {
    /// Records for run r = 1, 2, … with T steps and C comparators, each name with the prefix `run_r_`: `eta`, `limit`, `newton_steps`,
    /// `convexity`, `average_kl`, `average_kl_budget` \[T\]; `kl`, `bregman_legendre`, `bregman_budget`, `largest_curvature`, `left_out` \[T+1\]; `bregman` \[C, T+1\];
    /// `comparator_kl`, `comparator_mass_defect` \[C\]; `xi_square`, `divergence`, `band_defect`, `mass_defect`, `noise` \[C, T\]; `snapshots` \[S\], `rho` \[S, n…\], `q` \[n…\]. Of
    /// the flow, prefix `flow_`: `times`, `kl`, `reverse_kl`, `bregman`, `spent`, `fallen`, `quadrature`, and `…_change`. Of the limit, prefix
    /// `limit_`: `eta`, `explicit`, `implicit`, `…_conjugate` \[L\], `time_error`, `band_error`. And `strong_convexity`.
    /// Of the samples, prefix `sampling_`, the arrays of docs/sampling.md.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect(context, &mut record);
        Measured::after(record, outcome)
    }

    fn tables(&self, _built: &BuiltTorus) -> Vec<Table> {
        let limit = self.limit.is_some();
        let own = Table::new("", columns::COLUMNS).and(limit, columns::LIMIT);
        let of_run = |(k, run): (usize, &Run)| {
            let descends = !matches!(run, Run::Sinkhorn(_));
            Table::new(format!("run_{}_", k + 1), columns::OF_RUN)
                .and(descends, columns::OF_DESCENT)
        };
        let runs = self.runs.iter().enumerate().map(of_run);
        let sampling = self.sampling.iter();
        let sampling = sampling.map(|_| Table::new("sampling_", columns::SAMPLING));
        std::iter::once(own).chain(runs).chain(sampling).collect()
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        let mut verdicts = verdicts::judge(self, study, record)?;
        verdicts.extend(sampling::judge(self, study, record)?);
        Ok(verdicts)
    }

    fn draw(&self, built: &BuiltTorus, record: &Record) -> Result<Vec<Figure>, RecordError> {
        let mut figures = figures::draw(self, record)?;
        figures.push(figures::densities(self, built, record)?);
        figures.extend(sampling::draw(self, built, record)?);
        Ok(figures)
    }

    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        curve(self, record)
    }
}
