//! Study `ScalingLimit`: Sinkhorn after t/ε iterations against the parabolic Monge–Ampère flow at time t, as ε → 0 (THEORY §4).
//!
//! The flow is integrated by a PDE stepper, never by Sinkhorn itself. [`reference`](self) computes it with its error budget,
//! `compare` measures the distances at one ε, `claims` holds the laws and `figures` draws them.

mod claims;
mod columns;
mod compare;
mod figures;
mod gaussian;
mod reference;

pub use claims::{GAUSSIAN as GAUSSIAN_CLAIMS, TORUS as CLAIMS};
pub use figures::orders_panel;
pub use gaussian::GaussianLimit;
pub use reference::Reference;

use super::jobs::{self, Job, Tick};
use super::measure::{Context, MeasureError, Measured};
use super::progress::Stages;
use super::variation::Variation;
use super::{Curve, Experiment, IterationStart, Kernel, Sinkhorn, short, sinkhorn};
use crate::figure::Figure;
use crate::order::Point;
use crate::record::{Record, RecordError, Table};
use crate::rule::{self, Evidence};
use crate::scenario::BuiltTorus;
use crate::verdict::Verdict;
use compare::{Comparison, QUANTITIES, Quantity, Varied, compare};
use mirrorflow_solvers::Error;
use serde::{Deserialize, Serialize};

/// Sinkhorn after `time/ε` iterations against the flow at `time`, as ε → 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingLimit {
    /// Horizon t > 0, a whole number of iterations at every ε.
    pub time: f64,
    /// Regularisations, three or more; descending once loaded.
    pub epsilons: Vec<f64>,
    #[serde(default)]
    pub kernel: Kernel,
    #[serde(default)]
    pub start: IterationStart,
}

/// Parts of the error budget, each an array `<quantity>_<part>` of the record.
pub const BUDGET_PARTS: [&str; 4] = ["space", "time", "iteration", "round_off"];

/// The part that every problem has.
const ROUND_OFF: &str = BUDGET_PARTS[3];

/// The same for people.
const PART_NAMES: [&str; 4] = ["space", "time", "iteration", "round-off"];

/// Modelled shares of the work: the reference with its variations, Sinkhorn.
const SHARES: [f64; 2] = [0.5, 0.5];

impl ScalingLimit {
    /// The measurement against a given limit and its variations in space and time. Public so that a wrong limit can be shown
    /// to be caught.
    ///
    /// # Errors
    /// As [`Self::measure`].
    pub fn measure_against(
        &self,
        context: &Context,
        limit: &Reference,
        variations: &[Reference; 2],
    ) -> Result<Measured, MeasureError> {
        let torus = &context.built.torus;
        let varied = |reference| {
            Varied::new(torus, limit, reference).map_err(|error| error.during("the error budget"))
        };
        let [coarser, looser] = variations;
        let variations = [varied(coarser)?, varied(looser)?];
        let job = |&epsilon: &f64| {
            let variations = &variations;
            Job::new(
                format!("ε = {}", short(epsilon)),
                1.0 / epsilon,
                move |tick: &Tick| self.at(context, epsilon, limit, variations, tick),
            )
        };
        let jobs = self.epsilons.iter().map(job).collect();
        let found = jobs::run(jobs, context.progress);
        let (comparisons, outcome) = jobs::first_failure(found);
        Measured::after(self.record(context, limit, &comparisons), outcome)
    }

    /// Everything at one ε.
    fn at(
        &self,
        context: &Context,
        epsilon: f64,
        limit: &Reference,
        variations: &[Varied; 2],
        tick: &Tick,
    ) -> Result<Comparison, Error> {
        let count = sinkhorn::iterations(self.time, epsilon);
        let study = Sinkhorn {
            epsilon,
            iterations: count,
            kernel: self.kernel,
            start: self.start,
        };
        let mut iteration = study.iteration(context)?;
        iteration.run(count, &mut |_, report| {
            tick(report.iteration as f64 / count as f64)
        })?;
        compare(context, &iteration, epsilon, limit, variations)
    }

    fn record(&self, context: &Context, limit: &Reference, done: &[Comparison]) -> Record {
        let mut record = Record::default();
        let points = context.built.torus.points();
        record.insert_number("time", self.time);
        record.insert("p", points, limit.p.clone());
        let rho = limit.log_rho.iter().map(|l| l.exp()).collect();
        record.insert("rho", points, rho);
        record.insert("r", points, limit.profile.clone());
        record.insert_number("marginal_profile", limit.marginal_profile);
        record.insert_number("marginal_square", limit.marginal_square);
        record.insert_number("min_eigenvalue", limit.diagnosis.min_eigenvalue);
        record.insert_number("max_eigenvalue", limit.diagnosis.max_eigenvalue);
        record.insert_number("mass_defect", limit.diagnosis.mass_defect);
        record.insert_number("spectral_tail", limit.diagnosis.spectral_tail);
        record.insert_curve("epsilons", done.iter().map(|c| c.epsilon).collect());
        for (index, quantity) in QUANTITIES.iter().enumerate() {
            let values = done.iter().map(|c| c.values[index]);
            record.insert_curve(quantity.name, values.collect());
            for (part, name) in BUDGET_PARTS.iter().enumerate() {
                let budget = done.iter().map(|c| c.budget[index][part]);
                record.insert_curve(&format!("{}_{name}", quantity.name), budget.collect());
            }
        }
        let shape = [&[done.len()], points].concat();
        let iterates = done.iter().flat_map(|c| c.p.clone());
        record.insert("p_epsilon", &shape, iterates.collect());
        record
    }
}

impl Experiment for ScalingLimit {
    /// Computes the limit with its error budget, then Sinkhorn and all distances at each ε.
    ///
    /// Records, for the limit, `p[n…]`, `rho[n…]`, `r[n…]`, `time`, `marginal_profile`, `marginal_square`, `min_eigenvalue`, `max_eigenvalue`, `mass_defect`, `spectral_tail`, and per ε `epsilons`, every quantity
    /// with its four budget parts, each of length E, and `p_epsilon[E, n…]`.
    ///
    /// # Errors
    /// [`MeasureError`], with the ε done before it.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        let stages = Stages::new(context.progress, &SHARES);
        let job = |variation: Variation| {
            Job::new(variation.name(), 1.0, move |tick: &Tick| {
                Reference::compute(context, self, variation, tick)
            })
        };
        let jobs = Variation::ALL.map(job);
        let found = jobs::run(jobs.into(), &stages.part(0));
        let (found, outcome) = jobs::first_failure(found);
        outcome?;
        let [limit, coarser, looser] = <[Reference; 3]>::try_from(found).expect("three jobs");
        self.measure_against(&context.with(&stages.part(1)), &limit, &[coarser, looser])
    }

    fn tables(&self, _built: &BuiltTorus) -> Vec<Table> {
        vec![Table::new("", columns::COLUMNS)]
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        rule::judge(claims::TORUS, &Evidence::new(self, study, record), &[])
    }

    /// Orders, fields, and the scaled error against its limit.
    ///
    /// # Errors
    /// [`RecordError`].
    fn draw(&self, built: &BuiltTorus, record: &Record) -> Result<Vec<Figure>, RecordError> {
        figures::draw(self, built, record)
    }

    /// One row per ε: every quantity and its budget.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        curve_of(record, &QUANTITIES)
    }
}

/// One row per ε: every quantity and its budget.
fn curve_of(record: &Record, quantities: &[Quantity]) -> Result<Curve, RecordError> {
    let mut curve = Curve::default().column("epsilon", record, "epsilons")?;
    for quantity in quantities {
        curve = curve.column(quantity.header, record, quantity.name)?;
        let budgets = points(record, quantity.name)?;
        let column = budgets.iter().map(|p| p.budget).collect();
        curve
            .columns
            .push((format!("budget of {}", quantity.header), column));
    }
    Ok(curve)
}

/// Values of a quantity with their whole budget, of the parts that the problem has, in descending ε.
pub fn points(record: &Record, quantity: &str) -> Result<Vec<Point>, RecordError> {
    let (epsilons, values) = (record.values("epsilons")?, record.values(quantity)?);
    let mut parts = Vec::new();
    for (part, name) in BUDGET_PARTS.into_iter().zip(PART_NAMES) {
        match record.values(&format!("{quantity}_{part}")) {
            Ok(values) => parts.push((name, values)),
            // Between Gaussians there is rounding only.
            Err(_) if part != ROUND_OFF => {}
            Err(missing) => return Err(missing),
        }
    }
    let point = |i: usize| {
        let largest = parts.iter().max_by(|a, b| a.1[i].total_cmp(&b.1[i]));
        Point {
            epsilon: epsilons[i],
            value: values[i],
            budget: parts.iter().map(|(_, part)| part[i]).sum(),
            largest_part: largest.map_or("", |(name, _)| name),
            symbol: "ε",
        }
    };
    Ok((0..epsilons.len()).map(point).collect())
}
