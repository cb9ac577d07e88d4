//! Study `ExponentialConvergence`: how fast the mirror flow of KL (parabolic Monge–Ampère) converges, against the theorem's bound, the
//! sharp rate 2·gap, Fokker–Planck, Sinkhorn at several ε, and the mirror flows of other objectives (THEORY §6).
//!
//! `flows` computes the decaying quantities, `decay` their rates, `claims` holds what the theory says, `verdicts` compares, `figures` draws.

mod claims;
mod decay;
mod figures;
mod flows;
mod verdicts;

pub use claims::CLAIMS;
pub use decay::Decay;
pub use figures::panel as decay_panel;

use super::measure::{Context, MeasureError, Measured};
use super::{Curve, Experiment, Kernel, Objective, short};
use crate::figure::Figure;
use crate::record::{Record, RecordError};
use crate::scenario::Built;
use crate::verdict::Verdict;
use flows::{Path, Variation};
use mirrorflow_solvers::log_sobolev::{self, Method};
use mirrorflow_solvers::monge_ampere::Linearised;
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::spectrum::smallest_modes;
use mirrorflow_solvers::{Error, Order};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// Decay to e^{-f} until `time`, sampled at `samples` equal intervals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExponentialConvergence {
    /// Horizon t > 0.
    pub time: f64,
    /// Equal intervals between the recorded instants.
    #[serde(default = "default_samples")]
    pub samples: usize,
    /// Sinkhorn's ε, each a divisor of `time/samples`; may be empty.
    #[serde(default)]
    pub epsilons: Vec<f64>,
    #[serde(default)]
    pub kernel: Kernel,
    /// Divergences whose mirror flows run beside that of KL; may be empty.
    #[serde(default)]
    pub others: Vec<Objective>,
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
const MODES: usize = 3;

/// Stages of the measurement with their share of the work, for the progress bar.
struct Stage<'a> {
    context: &'a Context<'a>,
    name: String,
    from: f64,
    to: f64,
}

impl Stage<'_> {
    fn tick(&self, fraction: f64) -> ControlFlow<()> {
        let done = self.from + (self.to - self.from) * fraction;
        self.context.progress.tick(&self.name, done)
    }
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
        let stage = |name: &str, from: f64, to: f64| Stage {
            context,
            name: name.to_owned(),
            from,
            to,
        };
        let (torus, f) = (&context.built.torus, context.densities().0);
        let flow = stage("the mirror flow of KL", 0.0, 0.15);
        let (path, outcome) =
            flows::path(context, &self.times(), Variation::None, &|x| flow.tick(x))?;
        self.record_path(context, &path, record);
        outcome?;
        let limit = self.record_limit(context, &path, record)?;
        self.record_spectrum(context, &limit, record)?;
        self.record_budget(
            context,
            &path,
            &limit,
            record,
            &stage("its error budget", 0.15, 0.35),
        )?;
        let start = record.values("kl").expect("recorded")[0];
        self.record_fokker_planck(context, &path, record, &stage("Fokker–Planck", 0.35, 0.45))?;
        self.record_iterates(context, start, record, &stage("Sinkhorn", 0.45, 0.75))?;
        self.record_others(context, record, &stage("other objectives", 0.75, 0.85))?;
        let distances = stage("Wasserstein distances", 0.85, 1.0);
        let w2 = flows::distances(torus, &path.log_rho, &f, &|x| distances.tick(x))?;
        record.insert_curve("wasserstein", w2);
        Ok(())
    }

    /// What the path alone gives.
    fn record_path(&self, context: &Context, path: &Path, record: &mut Record) {
        let (torus, f) = (&context.built.torus, context.densities().0);
        let last = path.p.len() - 1;
        record.insert_curve("times", path.times.clone());
        record.insert_curve("kl", flows::entropies(&path.log_rho, &f));
        record.insert_curve("fisher", flows::fisher(torus, &path.log_rho, &f));
        record.insert_number("lambda", 1.0 / path.largest_eigenvalue);
        record.insert_number("min_eigenvalue", path.last.min_eigenvalue);
        record.insert_number("spectral_tail", path.last.spectral_tail);
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
        let (torus, f) = (&context.built.torus, context.densities().0);
        let limit = flows::limit(context, torus, path)?.p;
        record.insert("p_infinity", torus.points(), limit.clone());
        record.insert_curve("gradient", flows::gradients(torus, &path.p, &limit, &f));
        Ok(limit)
    }

    /// The gaps of −L_{u_∞} and of Fokker–Planck, and the constants of the logarithmic Sobolev inequality.
    fn record_spectrum(
        &self,
        context: &Context,
        limit: &[f64],
        record: &mut Record,
    ) -> Result<(), Error> {
        let (torus, f) = (&context.built.torus, context.densities().0);
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
        record.insert_number("gap", mirror[0].eigenvalue);
        record.insert_curve("eigenvalues", mirror.iter().map(|m| m.eigenvalue).collect());
        record.insert(
            "eigenfunction",
            torus.points(),
            mirror[0].eigenfunction.clone(),
        );
        record.insert_number("fokker_planck_gap", plain[0].eigenvalue);
        let plain = plain.iter().map(|m| m.eigenvalue).collect();
        record.insert_curve("fokker_planck_eigenvalues", plain);
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
        Ok(())
    }

    /// How far KL and the gradients move on a coarser grid and with a looser tolerance.
    fn record_budget(
        &self,
        context: &Context,
        path: &Path,
        limit: &[f64],
        record: &mut Record,
        stage: &Stage,
    ) -> Result<(), Error> {
        let (torus, f) = (&context.built.torus, context.densities().0);
        let (mut kl, mut gradient) = (vec![0.0; path.times.len()], vec![0.0; path.times.len()]);
        for (half, variation) in [Variation::Space, Variation::Time].into_iter().enumerate() {
            let tick = |x: f64| stage.tick(0.5 * (half as f64 + x));
            let (varied, outcome) = flows::path(context, &path.times, variation, &tick)?;
            outcome?;
            let coarse = variation.torus(context)?;
            let varied_f = context.built.source.on(&coarse);
            let entropies = flows::entropies(&varied.log_rho, &varied_f);
            add_changes(&mut kl, record.values("kl").expect("recorded"), &entropies);
            let onto = |p: &Vec<f64>| refine(&coarse, p, torus);
            let p: Vec<Vec<f64>> = varied.p.iter().map(onto).collect();
            let gradients = flows::gradients(torus, &p, limit, &f);
            add_changes(
                &mut gradient,
                record.values("gradient").expect("recorded"),
                &gradients,
            );
        }
        record.insert_curve("kl_budget", kl);
        record.insert_curve("gradient_budget", gradient);
        Ok(())
    }

    fn record_fokker_planck(
        &self,
        context: &Context,
        path: &Path,
        record: &mut Record,
        stage: &Stage,
    ) -> Result<(), Error> {
        let run = |variation, half: f64| {
            let tick = |x: f64| stage.tick(0.5 * (half + x));
            flows::fokker_planck(context, &path.log_rho[0], &path.times, variation, &tick)
        };
        let (kl, loose) = (run(Variation::None, 0.0)?, run(Variation::Time, 1.0)?);
        let mut budget = vec![0.0; kl.len()];
        add_changes(&mut budget, &kl, &loose);
        record.insert_curve("fokker_planck_kl", kl);
        record.insert_curve("fokker_planck_kl_budget", budget);
        Ok(())
    }

    fn record_iterates(
        &self,
        context: &Context,
        start: f64,
        record: &mut Record,
        stage: &Stage,
    ) -> Result<(), Error> {
        let whole: f64 = self.epsilons.iter().map(|e| 1.0 / e).sum();
        let (mut done, mut before) = (Vec::new(), 0.0);
        let (mut kl, mut budget) = (Vec::new(), Vec::new());
        for &epsilon in &self.epsilons {
            let share = 1.0 / (epsilon * whole);
            let tick = |x: f64| stage.tick(before + share * x);
            let (values, budgets) = flows::iterates(context, self, epsilon, start, &tick)
                .map_err(|error| error.during(format!("Sinkhorn at ε = {}", short(epsilon))))?;
            before += share;
            done.push(epsilon);
            kl.extend(values);
            budget.extend(budgets);
            let shape = [done.len(), self.samples + 1];
            record.insert_curve("epsilons", done.clone());
            record.insert("sinkhorn_kl", &shape, kl.clone());
            record.insert("sinkhorn_kl_budget", &shape, budget.clone());
        }
        Ok(())
    }

    fn record_others(
        &self,
        context: &Context,
        record: &mut Record,
        stage: &Stage,
    ) -> Result<(), Error> {
        let times = self.times();
        let (mut all, mut budgets) = (Vec::new(), Vec::new());
        for (k, &objective) in self.others.iter().enumerate() {
            let run = |variation, half: f64| {
                let tick =
                    |x: f64| stage.tick((k as f64 + 0.5 * (half + x)) / self.others.len() as f64);
                flows::other(context, objective, &times, variation, &tick)
                    .map_err(|error| error.during(format!("the flow of {}", objective.label())))
            };
            let (kl, loose) = (run(Variation::None, 0.0)?, run(Variation::Time, 1.0)?);
            let mut budget = vec![0.0; kl.len()];
            add_changes(&mut budget, &kl, &loose);
            all.extend(kl);
            budgets.extend(budget);
            let shape = [k + 1, times.len()];
            record.insert("others_kl", &shape, all.clone());
            record.insert("others_kl_budget", &shape, budgets.clone());
        }
        Ok(())
    }
}

/// `total += |a − b|`.
fn add_changes(total: &mut [f64], a: &[f64], b: &[f64]) {
    for (total, (a, b)) in total.iter_mut().zip(a.iter().zip(b)) {
        *total += (a - b).abs();
    }
}

impl Experiment for ExponentialConvergence {
    fn name(&self) -> &'static str {
        "ExponentialConvergence"
    }

    fn slug(&self) -> &'static str {
        "exponential-convergence"
    }

    /// Records per instant `times` [T+1], `kl`, `fisher`, `gradient`, `wasserstein`, `bound`, `fokker_planck_kl`, and `kl_budget`,
    /// `gradient_budget`, `fokker_planck_kl_budget`; per ε `epsilons` [E] and `sinkhorn_kl` [E, T+1] with `sinkhorn_kl_budget`; per other
    /// objective `others_kl` [O, T+1] with its budget; the numbers `lambda`, `kappa` and `kappa_…` by method, `gap`,
    /// `fokker_planck_gap`, `min_eigenvalue`, `spectral_tail`; `eigenvalues`, `fokker_planck_eigenvalues` [3]; and the fields `p`, `rho`,
    /// `h` = log ρ + f at the horizon, `p_infinity`, `eigenfunction` [n…].
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect(context, &mut record);
        let nothing = record.values("kl").is_err();
        Measured::after(record, outcome).map_err(|failed| MeasureError {
            partial: failed.partial.filter(|_| !nothing),
            ..failed
        })
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        verdicts::judge(self, study, record)
    }

    fn draw(&self, built: &Built, record: &Record) -> Result<Vec<Figure>, RecordError> {
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
        let rows = [("epsilons", "sinkhorn_kl"), ("others_kl", "others_kl")];
        for (k, epsilon) in record.values(rows[0].0).unwrap_or(&[]).iter().enumerate() {
            let header = format!("KL along Sinkhorn, eps = {}", short(*epsilon));
            curve
                .columns
                .push((header, record.item(rows[0].1, k)?.to_vec()));
        }
        for (k, objective) in self.others.iter().enumerate() {
            if let Ok(values) = record.item(rows[1].1, k) {
                let header = format!("KL along the flow of {}", objective.label());
                curve.columns.push((header, values.to_vec()));
            }
        }
        Ok(curve)
    }
}
