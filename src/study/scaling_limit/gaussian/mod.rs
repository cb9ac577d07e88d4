//! The scaling limit between Gaussians: Sinkhorn's exact recursion against the closed form of the Riccati flow, ε down to rounding
//! (THEORY §9, docs/gaussian.md). The only error is rounding, which the same problem in turned coordinates shows.

mod compare;
mod figures;
mod limit;

use super::columns::GAUSSIAN;
pub use limit::GaussianLimit;

use super::{ScalingLimit, claims};
use crate::figure::Figure;
use crate::record::{Record, RecordError, Table};
use crate::rule::{self, Evidence};
use crate::scenario::BuiltGaussian;
use crate::study::gaussian::{Turned, by_rows, insert_matrices};
use crate::study::jobs::{self, Job, Tick};
use crate::study::measure::{Context, MeasureError, Measured};
use crate::study::progress::kept;
use crate::study::{Curve, Experiment, short, sinkhorn};
use crate::verdict::Verdict;
use compare::{Comparison, Iterate, QUANTITIES, compare};
use mirrorflow_solvers::gaussian::{ParabolicFlow, Sinkhorn, eigen};
use mirrorflow_solvers::{Error, Result};

/// Ticks of one ε.
const TICKS: usize = 100;

impl ScalingLimit {
    /// The measurement against a given limit, with the same limit computed in turned coordinates. Public so that a wrong limit can be
    /// shown to be caught.
    ///
    /// # Errors
    /// As [`Experiment::measure`].
    pub fn measure_gaussian_against(
        &self,
        context: &Context<BuiltGaussian>,
        limit: [&GaussianLimit; 2],
    ) -> std::result::Result<Measured, MeasureError> {
        let (built, turned) = (context.built, Turned::new(context.built)?);
        let turned = &turned;
        let job = |&epsilon: &f64| {
            let name = format!("ε = {}", short(epsilon));
            Job::new(name, 1.0 / epsilon, move |tick: &Tick| {
                let ours = self.iterate_gaussian(built, epsilon, &|x| tick(0.5 * x))?;
                let theirs =
                    self.iterate_gaussian(&turned.built, epsilon, &|x| tick(0.5 + 0.5 * x))?;
                let theirs = Iterate {
                    p: turned.potential(&theirs.p),
                    covariance: turned.covariance(&theirs.covariance),
                };
                compare(&built.problem, epsilon, [&ours, &theirs], limit)
            })
        };
        let jobs = self.epsilons.iter().map(job).collect();
        let found = jobs::run(jobs, context.progress);
        let (done, outcome) = jobs::first_failure(found);
        let record = kept(&outcome, || self.gaussian_record(limit[0], &done))?;
        Measured::after(record, outcome)
    }

    /// Sinkhorn after t/ε iterations.
    fn iterate_gaussian(
        &self,
        built: &BuiltGaussian,
        epsilon: f64,
        tick: &Tick,
    ) -> Result<Iterate> {
        let count = sinkhorn::iterations(self.time, epsilon);
        let flow = ParabolicFlow::new(built.start());
        let start = flow.start_matrix(epsilon, self.start.into());
        let mut iteration = Sinkhorn::new(&built.problem, epsilon, &start)?;
        while iteration.iterations() < count {
            if tick(iteration.iterations() as f64 / count as f64).is_break() {
                return Err(Error::Interrupted {
                    when: format!("at iteration {}", iteration.iterations()),
                });
            }
            iteration.run((iteration.iterations() + count.div_ceil(TICKS)).min(count))?;
        }
        Ok(Iterate {
            p: iteration.potential()?.matrix(),
            covariance: iteration.covariance().expect("after an iteration"),
        })
    }

    fn gaussian_record(&self, limit: &GaussianLimit, done: &[Comparison]) -> Result<Record> {
        let mut record = Record::default();
        let d = limit.p.nrows();
        record.insert_number("time", self.time);
        record.insert("p", &[d, d], by_rows(&limit.p));
        record.insert("r", &[d, d], by_rows(&limit.r));
        record.insert("covariance", &[d, d], by_rows(&limit.covariance));
        record.insert_number("marginal_profile", limit.marginal_profile);
        let square = 0.5 * limit.marginal_profile.powi(2);
        record.insert_number("marginal_square", square);
        let (values, _) = eigen(&limit.p)?;
        record.insert_number("min_eigenvalue", values[0]);
        record.insert_number("max_eigenvalue", values[d - 1]);
        record.insert_curve("epsilons", done.iter().map(|c| c.epsilon).collect());
        for (index, quantity) in QUANTITIES.iter().enumerate() {
            let values = done.iter().map(|c| c.values[index]);
            record.insert_curve(quantity.name, values.collect());
            let budget = done.iter().map(|c| c.round_off[index]);
            record.insert_curve(&format!("{}_round_off", quantity.name), budget.collect());
        }
        let iterates: Vec<_> = done.iter().map(|c| c.p.clone()).collect();
        insert_matrices(&mut record, "p_epsilon", &iterates);
        Ok(record)
    }
}

impl Experiment<BuiltGaussian> for ScalingLimit {
    /// Records, for the limit, `p`, `r`, `covariance[d, d]`, `time`, `marginal_profile`, `marginal_square`, `min_eigenvalue`, `max_eigenvalue`, and per ε
    /// `epsilons`, every quantity with its `_round_off`, each of length E, and `p_epsilon[E, d, d]`.
    ///
    /// # Errors
    /// [`MeasureError`], with the ε done before it.
    fn measure(
        &self,
        context: &Context<BuiltGaussian>,
    ) -> std::result::Result<Measured, MeasureError> {
        let limit = GaussianLimit::compute(context.built, self.time, self.start)?;
        let turned = Turned::new(context.built)?;
        let turned = GaussianLimit::turned(&turned, self.time, self.start)?;
        self.measure_gaussian_against(context, [&limit, &turned])
    }

    fn tables(&self, _built: &BuiltGaussian) -> Vec<Table> {
        vec![Table::new("", GAUSSIAN)]
    }

    fn judge(
        &self,
        study: &str,
        record: &Record,
    ) -> std::result::Result<Vec<Verdict>, RecordError> {
        let evidence = Evidence::new(self, study, record);
        rule::judge(claims::GAUSSIAN, &evidence, &[])
    }

    fn draw(
        &self,
        _built: &BuiltGaussian,
        record: &Record,
    ) -> std::result::Result<Vec<Figure>, RecordError> {
        figures::draw(self, record)
    }

    /// One row per ε: every quantity and its budget.
    fn curve(&self, record: &Record) -> std::result::Result<Curve, RecordError> {
        super::curve_of(record, &QUANTITIES)
    }
}
