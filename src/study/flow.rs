//! Study `Flow`: the parabolic Monge–Ampère flow `∂_t u = f − g(∇u) + log det ∇²u` at the asked times (THEORY §2).

use super::draw::{self, Snapshot};
use super::measure::{Context, MeasureError, Measured};
use super::progress::Pace;
use super::variation::by_itself;
use super::{Curve, Experiment, short};
use crate::figure::{Figure, Scale, Style};
use crate::record::{Column, Record, RecordError, Table, always};
use crate::scenario::{BuiltTorus, Time};
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::monge_ampere::{ExtrapolatedFlow, FlowStep};
use mirrorflow_solvers::{Error, LogDensity};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The parabolic Monge–Ampère flow, recorded at `times`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Instants t > 0 at which p_t and ρ_t are recorded, increasing.
    pub times: Vec<f64>,
}

/// Columns of the diagnostics, one entry per accepted step.
const DIAGNOSTICS: [(&str, &str); 9] = [
    ("step_time", "t"),
    ("step_size", "step"),
    ("min_eigenvalue", "min eigenvalue of ∇²u"),
    ("mass_defect", "|∫ρ − 1|"),
    ("spectral_tail", "spectral tail of p"),
    ("krylov", "Krylov iterations"),
    ("sinkhorn", "Sinkhorn iterations"),
    ("left_out", "left out of log ρ by the grid"),
    ("nodes", "nodes computed on"),
];

#[rustfmt::skip]
const COLUMNS: &[Column] = &[
    always("times", "T", "times reached"),
    always("p rho", "T n", "p_t raw; ρ_t"),
    always("kl", "T", "KL(ρ_t | e^{-f})"),
    always("step_time step_size", "S", "end and length of each accepted step"),
    always("min_eigenvalue", "S", "min over nodes of λ_min(∇²u)"),
    always("mass_defect", "S", "|∫ρ − 1|"),
    always("spectral_tail", "S", "largest Fourier coefficient of p with some |k_i| > n_i/3, over the largest of all"),
    always("krylov", "S", "GMRES iterations, refused attempts included; 0 for explicit steppers"),
    always("sinkhorn", "S", "Sinkhorn iterations of extrapolated Sinkhorn; 0 otherwise"),
    always("left_out", "S", "what the grid of the step leaves out of log ρ: Σ|coefficients| with |k_i| ≥ 0.4 n_i"),
    always("nodes", "S", "nodes that the step was computed on"),
];

impl Experiment for Flow {
    /// Records `times[T]`, `p[T, n…]` raw, `rho[T, n…]`, `kl[T]` = KL(ρ_t | e^{-f}), and the diagnostics of every step.
    ///
    /// # Errors
    /// [`MeasureError`], with the times reached before it.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        let horizon = self.times.last().copied().unwrap_or(0.0);
        let mut steps: Vec<FlowStep> = Vec::new();
        let mut snapshots = Vec::new();
        let pace = Pace::to(horizon);
        let mut observe = |step: &FlowStep| {
            steps.push(*step);
            let stage = format!("flow, t = {}", short(step.time));
            context.progress.tick(&stage, pace.at(step.time))
        };
        let outcome = match context.numerics.time {
            Time::ExtrapolatedSinkhorn { tolerance } => {
                by_sinkhorn(context, tolerance)?.run_into(&self.times, &mut snapshots, &mut observe)
            }
            _ => by_itself(context)?.run_into(&self.times, &mut snapshots, &mut observe),
        };
        let mut record = Record::default();
        let reached: Vec<f64> = snapshots.iter().map(|s| s.time).collect();
        let shape = [&[reached.len()], context.built.torus.points()].concat();
        let log_source: Vec<f64> = context.source().iter().map(|f| -f).collect();
        record.insert_curve("times", reached);
        record.insert(
            "p",
            &shape,
            snapshots.iter().flat_map(|s| s.p.clone()).collect(),
        );
        let densities = snapshots
            .iter()
            .flat_map(|s| s.log_marginal.iter().map(|l| l.exp()));
        record.insert("rho", &shape, densities.collect());
        let kl = snapshots
            .iter()
            .map(|s| relative_entropy(&s.log_marginal, &log_source));
        record.insert_curve("kl", kl.collect());
        let columns: [fn(&FlowStep) -> f64; 9] = [
            |s| s.time,
            |s| s.step,
            |s| s.diagnosis.min_eigenvalue,
            |s| s.diagnosis.mass_defect,
            |s| s.diagnosis.spectral_tail,
            |s| s.krylov as f64,
            |s| s.sinkhorn as f64,
            |s| s.diagnosis.left_out,
            |s| s.nodes as f64,
        ];
        for ((name, _), column) in DIAGNOSTICS.iter().zip(columns) {
            record.insert_curve(name, steps.iter().map(column).collect());
        }
        Measured::after(record, outcome)
    }

    fn tables(&self, _built: &BuiltTorus) -> Vec<Table> {
        vec![Table::new("", COLUMNS)]
    }

    /// Densities and potentials at the recorded times, and the health of the integration.
    ///
    /// # Errors
    /// [`RecordError`].
    fn draw(&self, built: &BuiltTorus, record: &Record) -> Result<Vec<Figure>, RecordError> {
        let times = record.values("times")?.to_vec();
        let mut figures = Vec::new();
        if !times.is_empty() {
            let snapshots: Vec<Snapshot> = times
                .iter()
                .enumerate()
                .map(|(k, t)| {
                    Ok(Snapshot {
                        label: format!("t = {}", short(*t)),
                        p: record.item("p", k)?.to_vec(),
                        rho: record.item("rho", k)?.to_vec(),
                    })
                })
                .collect::<Result<_, RecordError>>()?;
            figures.push(draw::snapshots(
                built,
                "fields",
                "Densities ρ_{t} and periodic parts p_{t} of the potentials along the parabolic Monge–Ampère flow",
                "p_{t}",
                &snapshots,
            ));
        }
        figures.push(health(record)?);
        Ok(figures)
    }

    /// Diagnostics per accepted step.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        DIAGNOSTICS
            .iter()
            .try_fold(Curve::default(), |curve, (name, header)| {
                curve.column(header, record, name)
            })
    }
}

/// The flow by extrapolated Sinkhorn iterations.
fn by_sinkhorn(context: &Context, tolerance: f64) -> Result<ExtrapolatedFlow, Error> {
    let torus = &context.built.torus;
    let source: Arc<dyn LogDensity> = Arc::new(context.built.source.clone());
    let start = context.built.start.on(torus);
    ExtrapolatedFlow::new(context.operator(torus), source, tolerance, &start)
}

/// Step size, mass defect and spectral tail against time.
fn health(record: &Record) -> Result<Figure, RecordError> {
    let curve = |name, label, style, colour| {
        draw::recorded(record, ("step_time", name), label, style, colour)
    };
    Ok(draw::one_panel(
        "health",
        draw::axis("t", Scale::Log),
        draw::axis("diagnostics", Scale::Log),
        vec![
            curve("step_size", "step", Style::Line, 0)?,
            // Often exactly zero, where a logarithmic axis has no point.
            curve("mass_defect", "|∫ρ_{t} − 1|", Style::Markers, 1)?,
            curve("spectral_tail", "spectral tail", Style::Line, 2)?,
            curve("min_eigenvalue", "min λ(∇²u)", Style::Line, 3)?,
        ],
        "Accepted steps of the time integration: step size, smallest eigenvalue of ∇²u, defect of the mass of ρ_{t}, \
         and the largest Fourier coefficient of p_{t} in the upper third of the modes over the largest of all."
            .into(),
    ))
}
