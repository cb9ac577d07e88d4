//! Convergence between centred Gaussians: matrices only, every quantity in closed form and carried in relative accuracy, so that rates are
//! read off where KL is 1e-100 (THEORY §9, docs/gaussian.md).
//!
//! Centred Gaussians have no part in the linear modes, so `gap` is that of −L_{u_∞} on even functions, 2m₁: KL decays at 2·gap = 4m₁,
//! distances and covariances at gap. The error budget is rounding, which the same problem in turned coordinates shows.

mod claims;
mod figures;
mod flows;
mod verdicts;

pub use claims::{GAUSSIAN_CLAIMS, SIX_DIGITS};

use super::ExponentialConvergence;
use super::columns;
use crate::figure::Figure;
use crate::record::{Record, RecordError, Table};
use crate::scenario::BuiltGaussian;
use crate::study::gaussian::{Commuting, Turned, insert_rows, relative_change};
use crate::study::jobs::{self, Job, Tick};
use crate::study::measure::{Context, MeasureError, Measured};
use crate::study::progress::kept;
use crate::study::{Curve, Experiment, short};
use crate::verdict::Verdict;
use flows::Decays;
use mirrorflow_solvers::gaussian::{Sinkhorn, eigen};
use mirrorflow_solvers::{Error, Result};

impl ExponentialConvergence {
    fn collect_gaussian(
        &self,
        context: &Context<BuiltGaussian>,
        record: &mut Record,
    ) -> Result<()> {
        let (built, times) = (context.built, self.times());
        let commuting = Commuting::of(built)?;
        self.record_constants(built, record)?;
        let turned = Turned::new(built)?.built;
        let stretched = Turned::diffusion_times(&times);
        let jobs = self.gaussian_jobs(built, &turned, [&times, &stretched], commuting.as_ref());
        let found = jobs::run(jobs, context.progress);
        let (found, outcome) = jobs::first_failure(found);
        let mut pairs = found.chunks_exact(2);
        if let Some([mirror, varied]) = pairs.next() {
            record.insert_curve("times", times.clone());
            record_mirror(mirror, varied, record);
            record_bound(&times, record);
        }
        if let Some(form) = &commuting {
            record_pairs(form, record);
        }
        if let Some([plain, varied]) = pairs.next() {
            record_fokker_planck(plain, varied, record);
        }
        let iterates: Vec<&[Decays]> = pairs.collect();
        kept(&outcome, || self.record_iterates(built, &iterates, record))?;
        outcome
    }

    /// Each flow with the same flow in turned coordinates after it.
    fn gaussian_jobs<'a>(
        &'a self,
        built: &'a BuiltGaussian,
        turned: &'a BuiltGaussian,
        [times, stretched]: [&'a [f64]; 2],
        commuting: Option<&'a Commuting>,
    ) -> Vec<Job<'a, Decays>> {
        let pair = |name: &'static str, flow: Flow, again: &'a [f64]| {
            let job = move |which: &'a BuiltGaussian, times: &'a [f64], form| {
                Job::new(name, 2.0, move |tick: &Tick| flow(which, times, form, tick))
            };
            [job(built, times, commuting), job(turned, again, None)]
        };
        let mut jobs = Vec::from(pair("the mirror flow of KL", flows::mirror, times));
        jobs.extend(pair("Fokker–Planck", flows::fokker_planck, stretched));
        for &epsilon in &self.epsilons {
            for which in [built, turned] {
                let name = format!("Sinkhorn at ε = {}", short(epsilon));
                let weight = self.time / epsilon / self.samples as f64;
                jobs.push(Job::new(name, weight, move |tick: &Tick| {
                    flows::iterates(which, self, epsilon, tick)
                }));
            }
        }
        jobs
    }

    /// What the matrices alone give: rates, gaps, and the constants of the theorem.
    fn record_constants(&self, built: &BuiltGaussian, record: &mut Record) -> Result<()> {
        let rates: Vec<f64> = built.problem.rates().iter().map(|m| 2.0 * m).collect();
        let (variances, _) = eigen(built.problem.sigma())?;
        let largest = variances[variances.len() - 1];
        record.insert_number("gap", rates[0]);
        record.insert_number("linear_gap", 0.5 * rates[0]);
        record.insert_curve("rates", rates);
        record.insert_number("fokker_planck_gap", 2.0 / largest);
        let plain = variances.iter().map(|s| 2.0 / s).collect();
        record.insert_curve("fokker_planck_rates", plain);
        record.insert_number("kappa", 1.0 / largest);
        let curvature = built.problem.largest_curvature(&built.start)?;
        record.insert_number("lambda", 1.0 / curvature);
        Ok(())
    }

    fn record_iterates(
        &self,
        built: &BuiltGaussian,
        iterates: &[&[Decays]],
        record: &mut Record,
    ) -> Result<()> {
        if iterates.is_empty() {
            return Ok(());
        }
        let epsilons = self.epsilons[..iterates.len()].to_vec();
        let rate = |&epsilon: &f64| {
            let iteration = Sinkhorn::new(&built.problem, epsilon, &built.start)?;
            Ok(iteration.rate())
        };
        let rates = epsilons.iter().map(rate).collect::<Result<Vec<f64>>>()?;
        record.insert_curve("sinkhorn_rates", rates);
        record.insert_curve("epsilons", epsilons);
        let (mut kl, mut budgets, mut modes, mut noise) = Default::default();
        for pair in iterates {
            let part = relative_change(&pair[0].kl, &pair[1].kl);
            let rows: [(&mut Vec<Vec<f64>>, Vec<f64>); 3] = [
                (&mut kl, pair[0].kl.clone()),
                (&mut budgets, scaled(&pair[0].kl, part)),
                (&mut modes, pair[0].modes[0].clone()),
            ];
            rows.into_iter().for_each(|(rows, row)| rows.push(row));
            let noise: &mut Vec<Vec<f64>> = &mut noise;
            let of_mode = relative_change(&pair[0].modes[0], &normalised(pair));
            noise.push(scaled(&pair[0].modes[0], of_mode));
        }
        insert_rows(record, "sinkhorn_kl", &kl);
        insert_rows(record, "sinkhorn_kl_budget", &budgets);
        insert_rows(record, "sinkhorn_modes", &modes);
        insert_rows(record, "sinkhorn_modes_budget", &noise);
        Ok(())
    }
}

/// A flow at the sampled times.
type Flow = fn(&BuiltGaussian, &[f64], Option<&Commuting>, &Tick) -> Result<Decays>;

/// The slowest mode of the turned iterates in the unit of the other: a mode is known up to a factor.
fn normalised(pair: &[Decays]) -> Vec<f64> {
    let factor = pair[0].modes[0][0] / pair[1].modes[0][0];
    scaled(&pair[1].modes[0], factor)
}

fn scaled(values: &[f64], factor: f64) -> Vec<f64> {
    values.iter().map(|v| factor * v).collect()
}

fn record_mirror(mirror: &Decays, turned: &Decays, record: &mut Record) {
    let part = relative_change(&mirror.kl, &turned.kl);
    record.insert_curve("kl", mirror.kl.clone());
    record.insert_curve("kl_budget", scaled(&mirror.kl, part));
    record.insert_curve("fisher", mirror.fisher.clone());
    record.insert_curve("gradient", mirror.gradient.clone());
    record.insert_curve("gradient_budget", scaled(&mirror.gradient, part));
    record.insert_curve("wasserstein", mirror.wasserstein.clone());
    record.insert_number("slowest_share", mirror.slowest_share);
    record.insert_number("slowest_excess", mirror.excess);
    record.insert_number("rounding", part);
    insert_rows(record, "modes", &mirror.modes);
    if !mirror.closed_form.is_empty() {
        record.insert_curve("closed_form_difference", mirror.closed_form.clone());
    }
}

fn record_fokker_planck(plain: &Decays, turned: &Decays, record: &mut Record) {
    let part = relative_change(&plain.kl, &turned.kl);
    record.insert_curve("fokker_planck_kl", plain.kl.clone());
    record.insert_curve("fokker_planck_kl_budget", scaled(&plain.kl, part));
    record.insert_number("fokker_planck_share", plain.slowest_share);
    record.insert_number("fokker_planck_excess", plain.excess);
    record.insert_number("fokker_planck_rounding", part);
    insert_rows(record, "fokker_planck_modes", &plain.modes);
    if !plain.closed_form.is_empty() {
        let name = "fokker_planck_closed_form_difference";
        record.insert_curve(name, plain.closed_form.clone());
    }
}

fn record_bound(times: &[f64], record: &mut Record) {
    let number = |name: &str| record.number(name).expect("recorded");
    let rate = 2.0 * number("kappa") * number("lambda");
    let start = record.values("kl").expect("recorded")[0];
    let bound = times.iter().map(|t| start * (-rate * t).exp()).collect();
    record.insert_curve("bound", bound);
}

/// Pairs (s, θ) by increasing s.
fn record_pairs(form: &Commuting, record: &mut Record) {
    let order = form.by_source();
    let pick = |values: &[f64]| order.iter().map(|&k| values[k]).collect::<Vec<f64>>();
    record.insert_curve("source_variances", pick(&form.source));
    record.insert_curve("target_variances", pick(&form.target));
}

impl Experiment<BuiltGaussian> for ExponentialConvergence {
    /// Records what the torus does, `p`, `rho`, `h`, `eigenfunction` and the budgets' two variations apart, and `linear_gap`, `rates[d]`,
    /// `fokker_planck_rates[d]`, `modes[d, T+1]`, `fokker_planck_modes[d, T+1]`,
    /// `slowest_excess`, `fokker_planck_excess`, `rounding`, `fokker_planck_rounding`; per ε `sinkhorn_rates[E]`, `sinkhorn_modes[E, T+1]` with
    /// budget; where source, target and start commute `source_variances[d]`, `target_variances[d]`, `closed_form_difference[T+1]`,
    /// `fokker_planck_closed_form_difference[T+1]`.
    fn measure(
        &self,
        context: &Context<BuiltGaussian>,
    ) -> std::result::Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect_gaussian(context, &mut record);
        // The constants alone are no measurement.
        if record.values("times").is_err()
            && let Err(error @ Error::Interrupted { .. }) = outcome
        {
            return Err(error.into());
        }
        Measured::after(record, outcome)
    }

    fn tables(&self, _built: &BuiltGaussian) -> Vec<Table> {
        let table = Table::new("", columns::GAUSSIAN);
        vec![table.and(!self.epsilons.is_empty(), columns::GAUSSIAN_SINKHORN)]
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
        _built: &BuiltGaussian,
        record: &Record,
    ) -> std::result::Result<Vec<Figure>, RecordError> {
        figures::draw(self, record)
    }

    /// One row per instant: every decaying quantity, as on the torus.
    fn curve(&self, record: &Record) -> std::result::Result<Curve, RecordError> {
        Experiment::<crate::scenario::BuiltTorus>::curve(self, record)
    }
}
