//! Study `ExponentialConvergence`: how fast the mirror flow of KL (parabolic Monge–Ampère) converges, against the theorem's bound, the
//! sharp rate 2·gap, Fokker–Planck, Sinkhorn at several ε, and the mirror flows of other objectives (THEORY §6).
//!
//! `flows` computes the decaying quantities, `decay` their rates, `claims` holds what the theory says, `verdicts` compares, `figures` draws.

mod claims;
mod columns;
mod decay;
mod figures;
mod flows;
mod gaussian;
mod modes;
mod sinkhorn;
mod slowest;
mod verdicts;

pub use claims::{SHARED as SHARED_CLAIMS, TORUS as TORUS_CLAIMS};
pub use decay::Decay;
pub use figures::panel as decay_panel;
pub use gaussian::GAUSSIAN_CLAIMS;

use super::flow_grid::flow_grid;
use super::jobs::{self, Job, Tick};
use super::measure::{Context, MeasureError, Measured};
use super::progress::{Progress, Stages, watch};
use super::variation::Variation;
use super::{Curve, Experiment, IterationStart, Kernel, Objective, short};
use crate::figure::Figure;
use crate::quantities::largest;
use crate::record::{Record, RecordError, Table};
use crate::scenario::BuiltTorus;
use crate::verdict::Verdict;
use flows::Path;
use mirrorflow_solvers::log_sobolev::{self, Method};
use mirrorflow_solvers::monge_ampere::Linearised;
use mirrorflow_solvers::spectrum::smallest_modes;
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Error, Order, Torus};
use modes::{Left, Modes};
use serde::{Deserialize, Serialize};

/// Decay to e^{-f} until `time`, sampled at `samples` equal intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialConvergence {
    /// Horizon t > 0; where it is left out, that in which `e^{−2·gap·t}` falls to 1e-7.
    #[serde(default = "left_out")]
    pub time: f64,
    /// Equal intervals between the recorded instants.
    #[serde(default = "default_samples")]
    pub samples: usize,
    /// Sinkhorn's ε, each a divisor of `time/samples`; may be empty.
    #[serde(default)]
    pub epsilons: Vec<f64>,
    #[serde(default)]
    pub kernel: Kernel,
    #[serde(default)]
    pub start: IterationStart,
    /// Divergences whose mirror flows run beside that of KL; may be empty.
    #[serde(default)]
    pub others: Vec<Objective>,
}

/// A time that the scenario leaves open, until it is read.
fn left_out() -> f64 {
    f64::NAN
}

fn default_samples() -> usize {
    40
}

/// Constants κ of the logarithmic Sobolev inequality: name in the record, and for people.
const BOUNDS: [(Method, &str); 4] = [
    (Method::HolleyStroock, "kappa_holley_stroock"),
    (Method::Stretched, "kappa_stretched"),
    (Method::BobkovGoetze, "kappa_bobkov_goetze"),
    (Method::NearProduct, "kappa_near_product"),
];

/// Eigenvalues recorded of each operator: the gap, and the next ones that blur it.
const MODES: usize = 4;

/// Modelled shares of the work: the flow, its limit, the spectra and constants, then everything else side by side.
const SHARES: [f64; 4] = [0.1, 0.03, 0.07, 0.8];

/// Parts into which the Wasserstein distances are split.
const DISTANCE_JOBS: usize = 4;

/// What a job gives.
#[derive(Default)]
struct Found {
    /// At the instants.
    values: Vec<f64>,
    /// Their budget, or a second quantity.
    beside: Vec<f64>,
    /// Of a flow as the scenario has it, not varied.
    left: Left,
}

impl ExponentialConvergence {
    /// The sampled instants, 0 included.
    fn times(&self) -> Vec<f64> {
        let step = self.time / self.samples as f64;
        (0..=self.samples)
            .map(|j| {
                if j == self.samples {
                    self.time
                } else {
                    j as f64 * step
                }
            })
            .collect()
    }

    /// Everything, in the order in which it is worth having when the run is cut short.
    fn collect(&self, context: &Context, record: &mut Record) -> Result<(), Error> {
        let stages = Stages::new(context.progress, &SHARES);
        let times = self.times();
        let flow = stages.part(0);
        let tick = |x: f64| flow.tick("the mirror flow of KL", x);
        let (path, outcome) = flows::path(context, &times, Variation::None, &tick)?;
        self.record_path(context, &path, record);
        outcome?;
        let grid = &self.grid(context, &path.points)?;
        let limit = watch(&stages.part(1), "the limit of the flow", || {
            self.record_limit(context, &path, record)
        })?;
        let modes = watch(&stages.part(2), "the spectral gaps", || {
            self.record_spectrum(context, &path, &limit, record)
        })?;
        let jobs = self.jobs(context, grid, &path, &limit, &modes);
        let found = jobs::run(jobs, &stages.part(3));
        let (found, outcome) = jobs::first_failure(found);
        let mut found = found.into_iter().map(Ok).chain(outcome.err().map(Err));
        let start = record.values("kl").expect("recorded")[0];
        self.record_jobs(of_steps(context, start), &mut found, record)
    }

    /// The grid of the flows beside the mirror flow, which took `points`.
    fn grid(&self, context: &Context, points: &[usize]) -> Result<Torus, Error> {
        match (context.stepper(), context.follows()) {
            (Stepper::Adaptive { tolerance }, true) => flow_grid(context, points, tolerance),
            _ => Ok(context.built.torus.clone()),
        }
    }

    /// All that needs the path and its limit only, in the order in which [`Self::record_jobs`] takes the results.
    fn jobs<'a>(
        &'a self,
        context: &'a Context,
        grid: &'a Torus,
        path: &'a Path,
        limit: &'a [f64],
        modes: &'a Modes,
    ) -> Vec<Job<'a, Found>> {
        let torus = &context.built.torus;
        let start = move || flows::entropies(&path.log_rho[..1], &context.source())[0];
        let mut jobs = vec![
            Job::new(
                "the flow on three quarters of the nodes",
                1.0,
                move |tick| self.varied(context, path, limit, Variation::Space, tick),
            ),
            Job::new("the flow at a looser tolerance", 1.0, move |tick| {
                self.varied(context, path, limit, Variation::Time, tick)
            }),
        ];
        for variation in Variation::ALL {
            jobs.push(Job::new("Fokker–Planck", 1.0, move |tick: &Tick| {
                flows::fokker_planck(
                    context,
                    grid,
                    &path.times,
                    variation,
                    &modes.fokker_planck,
                    tick,
                )
            }));
        }
        for &epsilon in &self.epsilons {
            let name = format!("Sinkhorn at ε = {}", short(epsilon));
            let weight = 0.002 / epsilon;
            jobs.push(Job::new(name, weight, move |tick| {
                let (values, beside) = flows::iterates(context, self, epsilon, start(), tick)?;
                Ok(Found {
                    values,
                    beside,
                    left: Left::default(),
                })
            }));
        }
        for &epsilon in &self.epsilons {
            let name = format!("Sinkhorn's fixed point at ε = {}", short(epsilon));
            jobs.push(Job::new(name, 0.002 / epsilon, move |tick| {
                flows::sinkhorn_rate(context, self.kernel, epsilon, limit, modes, tick)
            }));
        }
        for &objective in &self.others {
            for variation in Variation::ALL {
                let name = format!("the flow of {}", objective.label());
                jobs.push(Job::new(name, 1.0, move |tick: &Tick| {
                    flows::other(
                        context,
                        grid,
                        objective,
                        &path.times,
                        variation,
                        &modes.mirror,
                        tick,
                    )
                }));
            }
        }
        let each = path.log_rho.len().div_ceil(DISTANCE_JOBS);
        jobs.extend(path.log_rho.chunks(each).map(|some| {
            Job::new("Wasserstein distances", 0.5, move |tick| {
                let distances = flows::distances(torus, some, &context.source(), tick)?;
                Ok(Found {
                    values: distances,
                    ..Found::default()
                })
            })
        }));
        jobs
    }

    /// KL and the distance of gradients along a varied flow.
    fn varied(
        &self,
        context: &Context,
        path: &Path,
        limit: &[f64],
        variation: Variation,
        tick: &Tick,
    ) -> Result<Found, Error> {
        let (torus, f) = (&context.built.torus, context.source());
        let (varied, outcome) = flows::path(context, &path.times, variation, tick)?;
        outcome?;
        Ok(Found {
            values: flows::entropies(&varied.log_rho, &f),
            beside: flows::gradients(torus, &varied.p, limit, &f),
            left: Left::default(),
        })
    }

    /// Takes the results in the order of [`Self::jobs`] until one failed.
    ///
    /// `steps` is the error of log ρ that the steps of the flow leave.
    fn record_jobs(
        &self,
        steps: f64,
        found: &mut dyn Iterator<Item = Result<Found, Error>>,
        record: &mut Record,
    ) -> Result<(), Error> {
        let mut next = || found.next().expect("a result for every job");
        let (coarser, looser) = (next()?, next()?);
        for (name, of) in [
            ("kl", (&coarser.values, &looser.values)),
            ("gradient", (&coarser.beside, &looser.beside)),
        ] {
            let values = record.values(name).expect("recorded");
            let mut budget = both_changes(values, of.0, of.1);
            if name == "kl" {
                let rounded = budget.iter_mut().zip(values);
                rounded.for_each(|(budget, kl)| *budget += noise(*kl, ROUNDED + steps));
            } else {
                let floor = LOWEST * (ROUNDED + steps) + unexplained(record);
                budget.iter_mut().for_each(|b| *b += floor);
            }
            record.insert_curve(&format!("{name}_budget"), budget);
        }
        let (kl, budget, left) = varied_decay(&mut next)?;
        record.insert_curve("fokker_planck_kl_budget", budget);
        record.insert_curve("fokker_planck_kl", kl);
        left.record("fokker_planck_", "fokker_planck_share", record);
        let mut sinkhorn = Family::default();
        for (done, _) in self.epsilons.iter().enumerate() {
            let found = next()?;
            sinkhorn.push(found.values, found.beside);
            record.insert_curve("epsilons", self.epsilons[..=done].to_vec());
            sinkhorn.record("sinkhorn_kl", record);
        }
        let mut rates = Found::default();
        for _ in &self.epsilons {
            let found = next()?;
            rates.values.extend(found.values);
            rates.beside.extend(found.beside);
            record.insert_curve("sinkhorn_rates", rates.values.clone());
            record.insert_curve("sinkhorn_rates_budget", rates.beside.clone());
        }
        let (mut others, mut left) = (Family::default(), Vec::new());
        for _ in &self.others {
            let (kl, budget, of_one) = varied_decay(&mut next)?;
            others.push(kl, budget);
            others.record("others_kl", record);
            left.push(of_one);
            record_left(&left, record);
        }
        let mut distances = Vec::new();
        for some in found {
            distances.extend(some?.values);
        }
        record.insert_curve("wasserstein", distances);
        Ok(())
    }

    /// What the path alone gives.
    fn record_path(&self, context: &Context, path: &Path, record: &mut Record) {
        let (torus, f) = (&context.built.torus, context.source());
        let last = path.p.len() - 1;
        record.insert_curve("times", path.times.clone());
        record.insert_curve("kl", flows::entropies(&path.log_rho, &f));
        record.insert_curve("fisher", flows::fisher(torus, &path.log_rho, &f));
        record.insert_number("lambda", 1.0 / path.largest_eigenvalue);
        record.insert_number("min_eigenvalue", path.least_eigenvalue);
        record.insert_number("spectral_tail", path.spectral_tail);
        record.insert("p", torus.points(), path.p[last].clone());
        let rho: Vec<f64> = path.log_rho[last].iter().map(|l| l.exp()).collect();
        let h = path.log_rho[last].iter().zip(&f).map(|(l, f)| l + f);
        record.insert("h", torus.points(), h.collect());
        record.insert("rho", torus.points(), rho);
    }

    /// u_∞ and the distance of gradients to it; returns the periodic part of u_∞.
    fn record_limit(
        &self,
        context: &Context,
        path: &Path,
        record: &mut Record,
    ) -> Result<Vec<f64>, Error> {
        let (torus, f) = (&context.built.torus, context.source());
        let limit = flows::limit(context, torus, path)?.p;
        record.insert("p_infinity", torus.points(), limit.clone());
        record.insert_curve("gradient", flows::gradients(torus, &path.p, &limit, &f));
        Ok(limit)
    }

    /// The gaps of −L_{u_∞} and of Fokker–Planck, and the constants of the logarithmic Sobolev inequality.
    fn record_spectrum(
        &self,
        context: &Context,
        path: &Path,
        limit: &[f64],
        record: &mut Record,
    ) -> Result<Modes, Error> {
        let (torus, f) = (&context.built.torus, context.source());
        let log_source: Vec<f64> = f.iter().map(|f| -f).collect();
        let mut operator = context.operator(torus);
        let mut linearised = Linearised::new(&operator, Order::Gradient);
        linearised.freeze(&mut operator, limit, &mut vec![0.0; f.len()])?;
        let mirror = smallest_modes(
            torus,
            &log_source,
            Some(linearised.inverse_hessian()),
            MODES,
        )
        .map_err(|error| error.during("the spectral gap of −L_{u_∞}"))?;
        let plain = smallest_modes(torus, &log_source, None, MODES)
            .map_err(|error| error.during("the spectral gap of Fokker–Planck"))?;
        let kl = record.values("kl").expect("recorded").to_vec();
        let mut left = Left::default();
        for (log_rho, kl) in path.log_rho.iter().zip(&kl) {
            left.push(log_rho, &f, *kl, &mirror);
        }
        left.record("", "slowest_share", record);
        let square = [MODES, MODES];
        let [gradient, wasserstein] = modes::forms(context, &mirror)?;
        record.insert("gradient_form", &square, gradient);
        record.insert("wasserstein_form", &square, wasserstein);
        record.insert_number("gap", mirror[0].eigenvalue);
        record.insert_curve("eigenvalues", mirror.iter().map(|m| m.eigenvalue).collect());
        for (name, modes) in [("residuals", &mirror), ("fokker_planck_residuals", &plain)] {
            record.insert_curve(name, modes.iter().map(|m| m.residual).collect());
        }
        record.insert(
            "eigenfunction",
            torus.points(),
            mirror[0].eigenfunction.clone(),
        );
        record.insert_number("fokker_planck_gap", plain[0].eigenvalue);
        let eigenvalues = plain.iter().map(|m| m.eigenvalue).collect();
        record.insert_curve("fokker_planck_eigenvalues", eigenvalues);
        let found = log_sobolev::bounds(torus, &f)?;
        let mut best: f64 = 0.0;
        for (method, name) in BOUNDS {
            if let Some(bound) = found.iter().find(|bound| bound.method == method) {
                record.insert_number(name, bound.kappa);
                best = best.max(bound.kappa);
            }
        }
        record.insert_number("kappa", best);
        let (lambda, kl) = (record.number("lambda"), record.values("kl"));
        let (lambda, kl) = (lambda.expect("recorded"), kl.expect("recorded"));
        let times = record.values("times").expect("recorded");
        let bound = times
            .iter()
            .map(|t| kl[0] * (-2.0 * best * lambda * t).exp());
        record.insert_curve("bound", bound.collect());
        Ok(Modes {
            mirror,
            fokker_planck: plain,
            inverse_hessian: linearised.inverse_hessian().to_vec(),
        })
    }
}

/// What |∇u_t − ∇u_∞| keeps of the error of u_∞: near the end its square is at most `2λ_max KL_t/gap`, by the linear flow, in which
/// `KL = ½‖L_u φ‖²` and `‖∇φ‖² ≤ λ_max⟨φ, L_u φ⟩` for φ = u_t − u_∞. The flow is followed on grids that resolve it; u_∞ is what the
/// scenario's grid makes of it.
fn unexplained(record: &Record) -> f64 {
    let number = |name: &str| record.number(name).expect("recorded");
    let most = 2.0 / (number("lambda") * number("gap"));
    let kl = record.values("kl").expect("recorded");
    let both = kl.iter().zip(record.values("gradient").expect("recorded"));
    let late = both.filter(|(late, _)| **late <= LINEAR * kl[0]);
    largest(late.map(|(kl, gradient)| gradient - (most * kl.max(0.0)).sqrt()))
}

/// The part of the first KL below which the flow is linear.
const LINEAR: f64 = 1e-4;

/// The next three results, a flow with its variations: values, budget, and what is left in the slowest modes.
fn varied_decay(
    next: &mut dyn FnMut() -> Result<Found, Error>,
) -> Result<(Vec<f64>, Vec<f64>, Left), Error> {
    let (given, coarser, looser) = (next()?, next()?.values, next()?.values);
    let budget = both_changes(&given.values, &coarser, &looser);
    Ok((given.values, budget, given.left))
}

/// What is left of each of the flows of other objectives.
fn record_left(left: &[Left], record: &mut Record) {
    let (flows, modes, instants) = (
        left.len(),
        left[0].amplitudes.len(),
        left[0].deviation.len(),
    );
    let amplitudes = left.iter().flat_map(|left| left.amplitudes.concat());
    let deviation = left.iter().flat_map(|left| left.deviation.clone());
    let shares = left.iter().map(|left| left.share);
    record.insert(
        "others_amplitudes",
        &[flows, modes, instants],
        amplitudes.collect(),
    );
    record.insert("others_deviation", &[flows, instants], deviation.collect());
    record.insert_curve("others_share", shares.collect());
}

/// Decays of one family, an array with a row for each.
#[derive(Default)]
struct Family {
    rows: usize,
    values: Vec<f64>,
    budgets: Vec<f64>,
}

impl Family {
    fn push(&mut self, values: Vec<f64>, budget: Vec<f64>) {
        self.rows += 1;
        self.values.extend(values);
        self.budgets.extend(budget);
    }

    fn record(&self, name: &str, record: &mut Record) {
        let shape = [self.rows, self.values.len() / self.rows];
        record.insert(name, &shape, self.values.clone());
        record.insert(&format!("{name}_budget"), &shape, self.budgets.clone());
    }
}

/// 2πk of the lowest modes, by which ∇p errs more than p.
const LOWEST: f64 = 20.0;
/// What rounding leaves of log ρ + f.
const ROUNDED: f64 = 16.0 * f64::EPSILON;
/// The part of the tolerance that log ρ may be wrong by all along where the flow begins within [`NEAR`] tolerances of its end: its steps are as
/// long as steps can grow, so that another tolerance shows nothing.
const OF_TOLERANCE: f64 = 0.1;
const NEAR: f64 = 1e3;

/// The error of log ρ that the steps of a flow leave, which begins at this relative entropy, beside what another tolerance shows.
fn of_steps(context: &Context, start: f64) -> f64 {
    match context.stepper() {
        Stepper::Adaptive { tolerance } => {
            let near = NEAR * tolerance / (2.0 * start).sqrt().max(f64::MIN_POSITIVE);
            OF_TOLERANCE * tolerance * near.min(1.0)
        }
        _ => 0.0,
    }
}

/// What an error δ of log ρ + f makes of KL ≈ ½‖h‖²: `‖h‖δ + δ²`.
fn noise(kl: f64, delta: f64) -> f64 {
    (2.0 * kl).sqrt() * delta + delta * delta
}

/// `|a − coarser| + |a − looser|`: the budget from the two variations.
fn both_changes(a: &[f64], coarser: &[f64], looser: &[f64]) -> Vec<f64> {
    let varied = coarser.iter().zip(looser);
    let change = |(a, (space, time)): (&f64, (&f64, &f64))| (a - space).abs() + (a - time).abs();
    a.iter().zip(varied).map(change).collect()
}

impl Experiment for ExponentialConvergence {
    /// Records per instant `times[T+1]`, `kl`, `fisher`, `gradient`, `wasserstein`, `bound`, `fokker_planck_kl`, and `kl_budget`,
    /// `gradient_budget`, `fokker_planck_kl_budget`; per ε `epsilons[E]` and `sinkhorn_kl[E, T+1]` with `sinkhorn_kl_budget`; per other
    /// objective `others_kl[O, T+1]` with its budget; the numbers `lambda`, `kappa` and `kappa_…` by method, `gap`,
    /// `fokker_planck_gap`, the shares of the slowest modes `slowest_share`, `fokker_planck_share` and `others_share[O]`, `min_eigenvalue`, `spectral_tail`; `eigenvalues`, `fokker_planck_eigenvalues[3]`; and the fields `p`, `rho`,
    /// `h` = log ρ + f at the horizon, `p_infinity`, `eigenfunction[n…]`.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect(context, &mut record);
        Measured::after(record, outcome)
    }

    fn tables(&self, _built: &BuiltTorus) -> Vec<Table> {
        let table = Table::new("", columns::COLUMNS);
        vec![
            table
                .and(!self.epsilons.is_empty(), columns::SINKHORN)
                .and(!self.others.is_empty(), columns::OTHERS),
        ]
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        verdicts::judge(self, study, record)
    }

    fn draw(&self, built: &BuiltTorus, record: &Record) -> Result<Vec<Figure>, RecordError> {
        figures::draw(self, built, record)
    }

    /// One row per instant: every decaying quantity.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        let mut curve = Curve::default().column("t", record, "times")?;
        let columns = [
            ("KL(rho_t | e^-f) [nats]", "kl"),
            ("budget of KL", "kl_budget"),
            ("bound e^{-2 kappa lambda t} KL_0", "bound"),
            ("Fisher information", "fisher"),
            ("|grad u_t - grad u_inf| in L2(e^-f)", "gradient"),
            ("W2(rho_t, e^-f)", "wasserstein"),
            ("KL along Fokker-Planck", "fokker_planck_kl"),
        ];
        for (header, name) in columns {
            if record.values(name).is_ok() {
                curve = curve.column(header, record, name)?;
            }
        }
        for (k, epsilon) in record.values("epsilons").unwrap_or(&[]).iter().enumerate() {
            let header = format!("KL along Sinkhorn, eps = {}", short(*epsilon));
            let values = record.item("sinkhorn_kl", k)?.to_vec();
            curve.columns.push((header, values));
        }
        for (k, objective) in self.others.iter().enumerate() {
            if let Ok(values) = record.item("others_kl", k) {
                let header = format!("KL along the flow of {}", objective.label());
                curve.columns.push((header, values.to_vec()));
            }
        }
        Ok(curve)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_the_sum_of_both_changes() {
        let budget = both_changes(&[1.0, 2.0], &[1.25, 2.0], &[0.5, 2.125]);
        assert_eq!(budget, [0.75, 0.125]);
        assert_eq!(noise(0.5, 0.1), 0.1 + 0.1 * 0.1);
    }
}
