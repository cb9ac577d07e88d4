//! The mirror flow of KL or of the entropy between centred Gaussians, where ρ_t stays Gaussian: closed form, identities, and both Riccati
//! equations by steps in time (THEORY §9, docs/gaussian.md).

mod claims;
mod figures;
mod path;
mod verdicts;

pub use claims::GAUSSIAN_CLAIMS;

use super::MirrorFlow;
use super::columns::GAUSSIAN;
use crate::figure::Figure;
use crate::record::{Record, RecordError, Table};
use crate::scenario::{BuiltGaussian, BuiltTorus};
use crate::study::gaussian::{
    Commuting, Turned, apart, axes, deviation, insert_matrices, insert_rows,
};
use crate::study::jobs::{self, Job, Tick};
use crate::study::measure::{Context, MeasureError, Measured};
use crate::study::progress::{Pace, kept};
use crate::study::{Curve, Experiment, Objective};
use crate::verdict::Verdict;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{
    FokkerPlanck, Mat, Riccati, congruence, frobenius, heat_covariance, inverse, product,
};
use mirrorflow_solvers::time::Stepper;
use path::{Along, Path};

/// Errors per step of the Riccati equations, relative to their size; the second shows how good the first is.
const TOLERANCES: [f64; 2] = [1e-11, 1e-10];

/// Instants of the drawn deviations.
const DRAWN: usize = 120;

/// What a job gives.
enum Found {
    Along(Box<Along>),
    /// A matrix per instant.
    Matrices(Vec<Mat<f64>>),
}

impl MirrorFlow {
    fn collect_gaussian(
        &self,
        context: &Context<BuiltGaussian>,
        record: &mut Record,
    ) -> Result<()> {
        let built = context.built;
        let turned = Turned::new(built)?;
        let jobs = self.gaussian_jobs(built, &turned.built);
        let found = jobs::run(jobs, context.progress);
        let (found, outcome) = jobs::first_failure(found);
        let (mut paths, mut routes) = (Vec::new(), Vec::new());
        for one in found {
            match one {
                Found::Along(along) => paths.push(along),
                Found::Matrices(matrices) => routes.push(matrices),
            }
        }
        if let [ours, theirs] = &paths[..] {
            kept(&outcome, || self.record_along(built, ours, theirs, record))?;
            if let [p, loose] = &routes[..routes.len().min(2)] {
                record_riccati(&ours.p, [p, loose], record);
            }
            if let [p, loose, q, loose_q] = &routes[..] {
                record_dual(built, ours, [p, loose], [q, loose_q], record);
            }
            outcome?;
            return self.record_drawn(built, record);
        }
        outcome
    }

    /// The path in both coordinates, then P and Q by steps, each at both tolerances.
    fn gaussian_jobs<'a>(
        &'a self,
        built: &'a BuiltGaussian,
        turned: &'a BuiltGaussian,
    ) -> Vec<Job<'a, Found>> {
        let path = |which: &'a BuiltGaussian| {
            Job::new("the mirror flow", 2.0, move |tick: &Tick| {
                let along = Path::new(which, self.objective).along(&self.times, tick)?;
                Ok(Found::Along(Box::new(along)))
            })
        };
        let mut jobs = vec![path(built), path(turned)];
        for dual in [false, true] {
            for tolerance in TOLERANCES {
                let name = if dual {
                    "the dual Riccati equation"
                } else {
                    "the Riccati equation"
                };
                jobs.push(Job::new(name, 1.0, move |tick: &Tick| {
                    Ok(Found::Matrices(self.steps(built, dual, tolerance, tick)?))
                }));
            }
        }
        jobs
    }

    /// P_t, or Q_t of the dual, at the instants by steps in time.
    fn steps(
        &self,
        built: &BuiltGaussian,
        dual: bool,
        tolerance: f64,
        tick: &Tick,
    ) -> Result<Vec<Mat<f64>>> {
        let source = inverse(built.problem.sigma())?;
        let target = inverse(built.problem.theta())?;
        let start = if dual {
            inverse(&built.start)?
        } else {
            built.start.clone()
        };
        let pace = Pace::to(self.times.last().copied().unwrap_or(0.0));
        let system = match (self.objective, dual) {
            (Objective::Entropy, true) => {
                // Q̇ = Θ^{-1}: nothing to step.
                let at = |t: &f64| combined(&start, *t, &target);
                return Ok(self.times.iter().map(at).collect());
            }
            (Objective::Entropy, false) => Riccati::new(None, &target)?,
            (_, false) => Riccati::new(Some(&source), &target)?,
            (_, true) => Riccati::new(Some(&target), &source)?,
        };
        let stepper = Stepper::Adaptive { tolerance };
        system.run(&start, &self.times, stepper, &|t| tick(pace.at(t)))
    }

    fn record_along(
        &self,
        built: &BuiltGaussian,
        ours: &Along,
        theirs: &Along,
        record: &mut Record,
    ) -> Result<()> {
        record.insert_curve("times", self.times.clone());
        insert_matrices(record, "p", &ours.p);
        insert_matrices(record, "covariance", &ours.covariance);
        for (name, values) in [
            ("objective", &ours.objective),
            ("drop", &ours.drop),
            ("dissipation", &ours.dissipation),
            ("dissipated", &ours.dissipated),
            ("quadrature", &ours.quadrature),
            ("speed", &ours.speed),
            ("lot_speed", &ours.lot_speed),
            ("length", &ours.length),
            ("travelled", &ours.travelled),
        ] {
            record.insert_curve(name, values.clone());
        }
        record.insert_number("lot_distance", ours.lot_distance);
        let ratio = |a: &[f64], b: &[f64]| -> Vec<f64> {
            a.iter().zip(b).map(|(a, b)| (a / b - 1.0).abs()).collect()
        };
        let sum = |a: Vec<f64>, b: &[f64], unit: &[f64]| -> Vec<f64> {
            let parts = a.iter().zip(b).zip(unit);
            parts.map(|((a, b), u)| a + b / u.abs()).collect()
        };
        let dissipation = [ours, theirs].map(|a| ratio(&a.dissipated, &a.drop));
        let speed = [ours, theirs].map(|a| ratio(&a.lot_speed, &a.speed));
        let moved = |[a, b]: &[Vec<f64>; 2]| -> Vec<f64> {
            a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect()
        };
        let budget = sum(moved(&dissipation), &ours.quadrature, &ours.drop);
        record.insert_curve("dissipation_budget", budget);
        let budget = sum(moved(&speed), &ours.extrapolation, &ours.speed);
        record.insert_curve("speed_budget", budget);
        let [first, _] = dissipation;
        record.insert_curve("dissipation_defect", first);
        let [first, _] = speed;
        record.insert_curve("speed_defect", first);
        if let Some(form) = Commuting::of(built)? {
            let defect = |(t, c): (&f64, &Mat<f64>)| {
                let exact = form.covariance(|k| self.closed_form(&form, k, *t));
                apart(c, &exact)
            };
            let defects = self.times.iter().zip(&ours.covariance).map(defect);
            record.insert_curve("closed_form_difference", defects.collect());
        }
        Ok(())
    }

    fn closed_form(&self, form: &Commuting, k: usize, t: f64) -> f64 {
        match self.objective {
            Objective::Entropy => form.entropy(k, t),
            _ => form.mirror(k, t),
        }
    }

    /// Deviations along a few axes at many instants, beside the Wasserstein gradient flow of the same objective, and the closed form at
    /// the instants.
    fn record_drawn(&self, built: &BuiltGaussian, record: &mut Record) -> Result<()> {
        let commuting = Commuting::of(built)?;
        let axes = axes(built, commuting.as_ref())?;
        let horizon = self.times.last().copied().unwrap_or(0.0);
        let drawn: Vec<f64> = (0..=DRAWN)
            .map(|k| horizon * k as f64 / DRAWN as f64)
            .collect();
        let path = Path::new(built, self.objective);
        let start = path.covariance(0.0)?;
        let plain = FokkerPlanck::new(built.problem.sigma(), &start)?;
        let (mut mirror, mut flat) = (vec![Vec::new(); axes.len()], vec![Vec::new(); axes.len()]);
        let gradient_flow = |t: f64| match self.objective {
            Objective::Entropy => heat_covariance(&start, t),
            _ => plain.covariance(t),
        };
        for &t in &drawn {
            let beside = gradient_flow(t);
            let covariance = path.covariance(t)?;
            for (k, axis) in axes.iter().enumerate() {
                mirror[k].push(deviation(&covariance, axis));
                flat[k].push(deviation(&beside, axis));
            }
        }
        record.insert_curve("drawn_times", drawn);
        insert_rows(record, "deviations", &mirror);
        insert_rows(record, "gradient_flow_deviations", &flat);
        insert_rows(record, "axes", &axes);
        if let Some(form) = &commuting {
            let defect = |&t: &f64| {
                let exact = form.covariance(|k| match self.objective {
                    Objective::Entropy => form.heat(k, t),
                    _ => form.fokker_planck(k, t),
                });
                apart(&gradient_flow(t), &exact)
            };
            let name = "gradient_flow_closed_form_difference";
            record.insert_curve(name, self.times.iter().map(defect).collect());
            let exact: Vec<Vec<f64>> = form
                .drawn()
                .iter()
                .map(|&k| {
                    self.times
                        .iter()
                        .map(|&t| self.closed_form(form, k, t))
                        .collect()
                })
                .collect();
            insert_rows(record, "closed_form_deviations", &exact);
        }
        Ok(())
    }
}

/// `x + t y`.
fn combined(x: &Mat<f64>, t: f64, y: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)] + t * y[(i, j)])
}

/// Relative differences instant by instant.
fn differences(a: &[Mat<f64>], b: &[Mat<f64>]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| apart(a, b)).collect()
}

fn record_riccati(p: &[Mat<f64>], [steps, loose]: [&Vec<Mat<f64>>; 2], record: &mut Record) {
    record.insert_curve("riccati_difference", differences(steps, p));
    record.insert_curve("riccati_budget", differences(loose, steps));
}

/// P Q = 1, and the covariance QΘQ of the dual coordinate.
fn record_dual(
    built: &BuiltGaussian,
    ours: &Along,
    [p, loose_p]: [&Vec<Mat<f64>>; 2],
    [q, loose_q]: [&Vec<Mat<f64>>; 2],
    record: &mut Record,
) {
    let d = built.dimension();
    let unit = Mat::<f64>::identity(d, d);
    let defects = |p: &[Mat<f64>], q: &[Mat<f64>]| -> Vec<f64> {
        let pairs = p.iter().zip(q);
        let defect = |(p, q): (&Mat<f64>, &Mat<f64>)| {
            frobenius(&(product(p.as_ref(), q.as_ref()) - &unit)) / (d as f64).sqrt()
        };
        pairs.map(defect).collect()
    };
    let moved = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect();
    let (tight, loose) = (defects(p, q), defects(loose_p, loose_q));
    record.insert_curve("conjugate_budget", moved(&tight, &loose));
    record.insert_curve("conjugate_difference", tight);
    let theta = built.problem.theta();
    let covariances = |q: &[Mat<f64>]| -> Vec<Mat<f64>> {
        q.iter()
            .map(|q| congruence(q.as_ref(), theta.as_ref()))
            .collect()
    };
    let (tight, loose) = (covariances(q), covariances(loose_q));
    record.insert_curve("dual_difference", differences(&tight, &ours.covariance));
    record.insert_curve("dual_budget", differences(&loose, &tight));
}

impl Experiment<BuiltGaussian> for MirrorFlow {
    /// Records per instant `times[T]`, `p`, `covariance[T, d, d]`, `objective`, `drop`, `dissipation`, `dissipated`, `quadrature`, `speed`,
    /// `lot_speed`, `length`, `travelled`, the defects `dissipation_defect`, `speed_defect`, `riccati_difference`, `conjugate_difference`,
    /// `dual_difference` with their budgets, and where all commutes `closed_form_difference`, `gradient_flow_closed_form_difference`; `lot_distance`; for the figures
    /// `drawn_times[S]`, `axes[A, d]`, `deviations`, `gradient_flow_deviations[A, S]`, `closed_form_deviations[A, T]`.
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
        vec![Table::new("", GAUSSIAN)]
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

    /// One row per instant, as on the torus.
    fn curve(&self, record: &Record) -> std::result::Result<Curve, RecordError> {
        Experiment::<BuiltTorus>::curve(self, record)
    }
}
