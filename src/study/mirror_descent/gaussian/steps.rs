//! A run of explicit or implicit steps between Gaussians, with every term of its inequality and of its identity.

use super::super::descent::{Part, snapshots};
use super::insert_average;
use crate::record::Record;
use crate::scenario::BuiltGaussian;
use crate::study::gaussian::{by_rows, deviation, insert_matrices, insert_rows};
use crate::study::jobs::Tick;
use crate::study::progress::kept;
use mirrorflow_solvers::gaussian::{Comparator, Evi, Iterate, Mat, MirrorDescent};
use mirrorflow_solvers::mirror_descent::Schedule;
use mirrorflow_solvers::{Error, Result};

/// How a rule steps, writes its terms, and which iterates it counts.
pub struct Step {
    take: fn(&mut MirrorDescent<'_>, f64) -> Result<()>,
    terms: fn(&Iterate<'_>, &Iterate<'_>, &Comparator, f64) -> Evi,
    /// 0 where ρ_0, …, ρ_{T−1} count, 1 where ρ_1, …, ρ_T do.
    first: usize,
}

pub const EXPLICIT: &Step = &Step {
    take: |descent, eta| descent.step(eta),
    terms: Evi::explicit,
    first: 0,
};
pub const IMPLICIT: &Step = &Step {
    take: |descent, eta| descent.implicit_step(eta),
    terms: Evi::implicit,
    first: 1,
};

/// What all runs share.
pub struct Problem<'a> {
    pub built: &'a BuiltGaussian,
    /// e^{-f} first.
    pub comparators: &'a [Comparator],
    pub axes: &'a [Vec<f64>],
    /// The larger condition number of Σ and Θ: their factors are known to that many roundings.
    pub condition: f64,
}

/// At most `steps` steps of the schedule, as far as they go; nothing is kept of a run without a step.
///
/// # Errors
/// What stops it before the first step.
pub fn run(
    steps: usize,
    problem: &Problem,
    (step, schedule): (&Step, &Schedule),
    tick: &Tick,
) -> Result<Part> {
    let start = problem.built.start();
    let mut descent = MirrorDescent::new(&start);
    let mut follow = Follow::new(problem, steps);
    let mut before = descent.iterate()?;
    follow.visit(&before)?;
    let total = schedule.length(steps);
    let mut go = |k: usize| -> Result<()> {
        let limit = descent.limit()?;
        let eta = schedule.step(k, total, limit);
        (step.take)(&mut descent, eta)?;
        let after = descent.iterate()?;
        follow.visit(&after)?;
        let terms = problem.comparators.iter();
        let terms = terms.map(|pi| (step.terms)(&before, &after, pi, eta));
        follow.steps.push((limit, terms.collect()));
        before = after;
        if tick((k + 1) as f64 / total as f64).is_break() {
            return Err(Error::Interrupted {
                when: format!("after step {}", k + 1),
            });
        }
        Ok(())
    };
    let outcome = (0..total).try_for_each(&mut go);
    let dual = descent.dual();
    match outcome {
        Err(error) if follow.steps.is_empty() => Err(error),
        outcome => Ok(Part {
            record: kept(&outcome, || follow.record(step.first, &dual))?,
            outcome,
        }),
    }
}

/// Rounding of the terms, relative to their size, by √d and by the largest condition number of Q, Σ and Θ: a step rounds Q relative to
/// its greatest eigenvalue, and P feels that relative to the least; so do Σ^{-1} and Θ^{-1} with theirs.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

struct Follow<'a> {
    problem: &'a Problem<'a>,
    kept: Vec<usize>,
    seen: Seen,
    /// B_g(e^{-f}|ρ_k) by its definition, and the size of its terms.
    definition: Vec<(f64, f64)>,
    greatest: Vec<f64>,
    /// Condition number of Q_k.
    condition: Vec<f64>,
    steps: Vec<(f64, Vec<Evi>)>,
}

/// What every run keeps of its iterates.
pub struct Seen {
    pub kl: Vec<f64>,
    pub wasserstein: Vec<f64>,
    pub covariances: Vec<Mat<f64>>,
}

impl Seen {
    pub fn new() -> Self {
        Self {
            kl: Vec::new(),
            wasserstein: Vec::new(),
            covariances: Vec::new(),
        }
    }

    /// Adds `kl`, `wasserstein`, `deviations`, `snapshots`, `covariance` of the first `count` iterates.
    pub fn insert(&self, record: &mut Record, axes: &[Vec<f64>], (count, kept): (usize, &[usize])) {
        record.insert_curve("kl", self.kl[..count].to_vec());
        record.insert_curve("wasserstein", self.wasserstein[..count].to_vec());
        let along = |axis: &Vec<f64>| -> Vec<f64> {
            let each = self.covariances[..count].iter();
            each.map(|c| deviation(c, axis)).collect()
        };
        let rows: Vec<Vec<f64>> = axes.iter().map(along).collect();
        insert_rows(record, "deviations", &rows);
        let kept: Vec<usize> = kept.iter().copied().filter(|k| *k < count).collect();
        let matrices: Vec<Mat<f64>> = kept.iter().map(|&k| self.covariances[k].clone()).collect();
        record.insert_curve("snapshots", kept.iter().map(|&k| k as f64).collect());
        insert_matrices(record, "covariance", &matrices);
    }
}

impl<'a> Follow<'a> {
    fn new(problem: &'a Problem<'a>, steps: usize) -> Self {
        Self {
            problem,
            kept: snapshots(steps),
            seen: Seen::new(),
            definition: Vec::new(),
            greatest: Vec::new(),
            condition: Vec::new(),
            steps: Vec::new(),
        }
    }

    fn visit(&mut self, iterate: &Iterate<'_>) -> Result<()> {
        let potential = iterate.potential();
        let (source, theta) = (
            &self.problem.comparators[0],
            self.problem.built.problem.theta(),
        );
        self.seen.kl.push(iterate.relative_entropy);
        self.seen.wasserstein.push(potential.wasserstein()?);
        self.seen.covariances.push(potential.covariance());
        self.definition
            .push(source.bregman_by_definition(iterate, theta));
        self.greatest.push(iterate.greatest);
        self.condition.push(iterate.greatest / iterate.least);
        Ok(())
    }

    /// Rounding of the divergences over η and of the other terms, at step k.
    fn noise(&self, k: usize, terms: &Evi) -> f64 {
        let d = self.problem.built.dimension() as f64;
        let divergences = (terms.bregman + terms.next_bregman) / terms.eta;
        let others = terms.iterate + terms.comparator + terms.separation;
        let squares = terms.eta * (terms.gradient / terms.convexity + terms.metric_gradient);
        let condition = self.condition[k]
            .max(self.condition[k + 1])
            .max(self.problem.condition);
        ROUNDING * condition * d.sqrt() * (divergences + others + squares)
    }

    fn record(self, first: usize, dual: &Mat<f64>) -> Result<Record> {
        let mut record = Record::default();
        let steps = self.steps.len();
        let of_source = |value: &dyn Fn(&Evi) -> f64| -> Vec<f64> {
            self.steps
                .iter()
                .map(|(_, terms)| value(&terms[0]))
                .collect()
        };
        let eta = of_source(&|terms| terms.eta);
        record.insert_curve("limit", self.steps.iter().map(|step| step.0).collect());
        record.insert_curve("convexity", of_source(&|terms| terms.convexity));
        self.seen
            .insert(&mut record, self.problem.axes, (steps + 1, &self.kept));
        let definition = &self.definition[..=steps];
        record.insert_curve("bregman_legendre", definition.iter().map(|b| b.0).collect());
        let budgets = definition.iter().zip(&self.condition);
        let budget = budgets
            .map(|(b, condition)| ROUNDING * condition * b.1)
            .collect();
        record.insert_curve("bregman_budget", budget);
        record.insert_curve("largest_curvature", self.greatest[..=steps].to_vec());
        // Quadratic potentials have no band to be cut to.
        record.insert_curve("left_out", vec![0.0; steps + 1]);
        let counted = &self.seen.covariances[first..first + steps];
        let sigma = self.problem.built.problem.sigma();
        insert_average(&mut record, sigma, (counted, &eta))?;
        record.insert_curve("eta", eta);
        self.insert_terms(&mut record);
        record.insert("dual", &[dual.nrows(), dual.ncols()], by_rows(dual));
        Ok(record)
    }

    fn insert_terms(&self, record: &mut Record) {
        let (count, steps) = (self.problem.comparators.len(), self.steps.len());
        let each = self.problem.comparators.iter();
        record.insert_curve("comparator_kl", each.map(|c| c.relative_entropy).collect());
        let mut table = |name: &str, value: &dyn Fn(usize, &Evi) -> f64| {
            let cells = (0..count).flat_map(|c| (0..steps).map(move |k| (c, k)));
            let values = cells.map(|(c, k)| value(k, &self.steps[k].1[c])).collect();
            record.insert(name, &[count, steps], values);
        };
        table("xi_square", &|_, terms| terms.gradient);
        table("metric_square", &|_, terms| terms.metric_gradient);
        table("divergence", &|_, terms| terms.separation);
        // There is neither band nor grid.
        table("band_defect", &|_, _| 0.0);
        table("mass_defect", &|_, _| 0.0);
        table("noise", &|k, terms| self.noise(k, terms));
        let bregman = (0..count).flat_map(|c| {
            let next = self
                .steps
                .iter()
                .map(move |(_, terms)| terms[c].next_bregman);
            std::iter::once(self.steps[0].1[c].bregman).chain(next)
        });
        record.insert("bregman", &[count, steps + 1], bregman.collect());
    }
}
