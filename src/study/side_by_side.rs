//! Study `SideBySide`: on one page the ε → 0 limit, the mirror flow with Sinkhorn over it, and exponential convergence.
//!
//! It is the studies `ScalingLimit` and `ExponentialConvergence` on the same data, with the maps of flow and iteration at a few instants;
//! their arrays stand in the record with the prefixes `limit_` and `decay_`, and their claims are judged as there.

use super::exponential_convergence::{self, ExponentialConvergence};
use super::measure::{Context, Interrupted, MeasureError, Measured};
use super::progress::{Pace, Progress, Stages};
use super::scaling_limit::{self, ScalingLimit};
use super::variation::{Variation, alone};
use super::{Curve, Experiment, IterationStart, Kernel, Sinkhorn, draw, short, sinkhorn};
use crate::figure::{Figure, Mesh, Panel, Style};
use crate::record::{Column, Record, RecordError, Table, always};
use crate::scenario::BuiltTorus;
use crate::verdict::Verdict;
use mirrorflow_solvers::Error;
use mirrorflow_solvers::legendre::conjugate;
use serde::{Deserialize, Serialize};

/// The three views of the same flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideBySide {
    /// Time t > 0 at which the limit ε → 0 is taken, a whole number of iterations at every ε.
    pub time: f64,
    /// Regularisations, three or more; descending once loaded.
    pub epsilons: Vec<f64>,
    /// Instants at which flow and iteration are drawn, whole numbers of iterations at the largest ε.
    pub times: Vec<f64>,
    /// Horizon of the decay.
    pub horizon: f64,
    /// Equal intervals of the decay, each a whole number of iterations at every ε.
    #[serde(default = "default_samples")]
    pub samples: usize,
    #[serde(default)]
    pub kernel: Kernel,
    #[serde(default)]
    pub start: IterationStart,
}

fn default_samples() -> usize {
    40
}

/// Prefixes of the two studies' arrays.
const LIMIT: &str = "limit_";
const DECAY: &str = "decay_";
/// Modelled shares of the work: both studies, and the instants.
const SHARES: [f64; 3] = [0.5, 0.45, 0.05];
/// The part of the first, for those who see its progress.
pub const LIMIT_SHARE: f64 = SHARES[0];

impl SideBySide {
    /// The limit ε → 0 as a study of its own.
    pub fn scaling_limit(&self) -> ScalingLimit {
        ScalingLimit {
            time: self.time,
            epsilons: self.epsilons.clone(),
            kernel: self.kernel,
            start: self.start,
        }
    }

    /// The decay as a study of its own.
    pub fn convergence(&self) -> ExponentialConvergence {
        ExponentialConvergence {
            time: self.horizon,
            samples: self.samples,
            epsilons: self.epsilons.clone(),
            kernel: self.kernel,
            start: self.start,
            others: Vec::new(),
        }
    }

    /// p_t and ρ_t of the flow and of Sinkhorn at the largest ε, at the asked instants.
    fn snapshots(&self, context: &Context, record: &mut Record) -> Result<(), Error> {
        let horizon = self.times.last().copied().unwrap_or(0.0);
        let stages = Stages::new(context.progress, &[0.4, 0.6]);
        let (mut flow, _) = Variation::None.flow(context, &alone)?;
        let (part, pace) = (stages.part(0), Pace::to(horizon));
        let snapshots = flow.run(&self.times, &mut |step| {
            part.tick("the flow at a few instants", pace.at(step.time))
        })?;
        let epsilon = self.epsilons[0];
        let iteration = Sinkhorn {
            epsilon,
            iterations: sinkhorn::iterations(horizon, epsilon),
            kernel: self.kernel,
            start: self.start,
        };
        let (count, beside) = (iteration.iterations, stages.part(1));
        let mut iteration = iteration.iteration(context)?;
        let mut log_rho = vec![0.0; context.built.torus.len()];
        let (mut p, mut rho) = (Vec::new(), Vec::new());
        for &time in &self.times {
            let ahead = sinkhorn::iterations(time, epsilon) - iteration.iterations();
            iteration.run(ahead, &mut |_, report| {
                beside.tick("Sinkhorn beside it", report.iteration as f64 / count as f64)
            })?;
            iteration.log_marginal(&mut log_rho);
            p.extend_from_slice(iteration.p());
            rho.extend(log_rho.iter().map(|l| l.exp()));
        }
        let series = [&[self.times.len()], context.built.torus.points()].concat();
        record.insert_curve("times", self.times.clone());
        record.insert(
            "p",
            &series,
            snapshots.iter().flat_map(|s| s.p.clone()).collect(),
        );
        let densities = snapshots
            .iter()
            .flat_map(|s| s.log_marginal.iter().map(|l| l.exp()));
        record.insert("rho", &series, densities.collect());
        record.insert("p_epsilon", &series, p);
        record.insert("rho_epsilon", &series, rho);
        Ok(())
    }

    /// The flagship page: one row of three panels.
    fn page(&self, built: &BuiltTorus, record: &Record) -> Result<Figure, RecordError> {
        let limit = scaling_limit::orders_panel(&record.part(LIMIT))?;
        let extremes = [0, self.epsilons.len() - 1];
        let decay = exponential_convergence::decay_panel(
            &self.convergence(),
            &record.part(DECAY),
            &extremes,
        )?;
        let (flow, what) = if built.torus.dimension() == 1 {
            (self.densities(record)?, "densities ρ_{t} at a few instants")
        } else {
            let last = self.times.len() - 1;
            (
                self.mesh(built, record, last)?,
                "density ρ_{t} and image of a regular mesh under ∇u_{t}*, which carries e^{−g} to ρ_{t}",
            )
        };
        Ok(Figure {
            name: "page".into(),
            title: None,
            rows: vec![vec![
                titled(limit, "the limit ε → 0"),
                flow,
                titled(decay, "exponential convergence"),
            ]],
            caption: format!(
                "One problem, three views. (a) Sinkhorn after t/ε iterations against the parabolic Monge–Ampère flow at t = {}; grey: \
                 slopes 1 and 2. (b) The mirror flow: {what}; rings: Sinkhorn at ε = {}. (c) Relative entropy to e^{{−f}} with the \
                 theorem's bound and the sharp rate{}.",
                short(self.time),
                short(self.epsilons[0]),
                draw::slice_note(&built.torus)
            ),
        })
    }

    /// ρ_t as lines, Sinkhorn's as rings.
    fn densities(&self, record: &Record) -> Result<Panel, RecordError> {
        let mut series = Vec::new();
        for (k, time) in self.times.iter().enumerate() {
            let (label, colour) = (format!("t = {}", short(*time)), draw::colour(k));
            series.push(draw::profile(
                &label,
                record.item("rho", k)?,
                Style::Line,
                colour,
            ));
            // One entry of the key stands for the rings of all instants.
            let label = if k == 0 {
                format!("Sinkhorn, ε = {}", short(self.epsilons[0]))
            } else {
                String::new()
            };
            let rings = record.item("rho_epsilon", k)?;
            let mut rings = draw::profile(&label, rings, Style::HollowMarkers, colour);
            rings.points = every(&rings.points, RINGS);
            series.push(rings);
        }
        Ok(titled(
            draw::profile_panel("", "ρ_{t}", series),
            "the mirror flow",
        ))
    }

    /// Image of a mesh under `∇u_t^*` over ρ_t, with Sinkhorn's crossings.
    fn mesh(&self, built: &BuiltTorus, record: &Record, k: usize) -> Result<Panel, RecordError> {
        let torus = &built.torus;
        let inverse = |p: &[f64]| -> Vec<Vec<f64>> {
            // A recorded potential is convex; where a damaged record is not, the mesh is left as it is.
            conjugate(torus, p)
                .map(|found| found.displacement)
                .unwrap_or_else(|_| vec![vec![0.0; torus.len()]; torus.dimension()])
        };
        Ok(Panel::Mesh(Mesh {
            title: format!("the mirror flow, t = {}", short(self.times[k])),
            x: "x".into(),
            y: "y".into(),
            lines: draw::mesh(torus, &inverse(record.item("p", k)?)),
            markers: draw::crossings(torus, &inverse(record.item("p_epsilon", k)?)),
            background: Some(draw::slice(torus, record.item("rho", k)?)),
            colour_bar: "ρ_{t}".into(),
            line_label: "flow, ∇u_{t}*".into(),
            marker_label: format!("Sinkhorn, ε = {}", short(self.epsilons[0])),
        }))
    }
}

/// Rings along a profile.
const RINGS: usize = 32;

fn every(points: &[(f64, f64)], count: usize) -> Vec<(f64, f64)> {
    let stride = points.len().div_ceil(count).max(1);
    points.iter().copied().step_by(stride).collect()
}

fn titled(mut panel: Panel, title: &str) -> Panel {
    if let Panel::Curves(curves) = &mut panel {
        curves.title = title.to_owned();
    }
    panel
}

fn stopped() -> Error {
    Error::Interrupted {
        when: "before the end".into(),
    }
}

#[rustfmt::skip]
const COLUMNS: &[Column] = &[
    always("times", "T", "instants of the maps"),
    always("p rho", "T n", "p_t and ρ_t of the flow"),
    always("p_epsilon rho_epsilon", "T n", "of Sinkhorn at the largest ε"),
];

impl Experiment for SideBySide {
    /// Records the arrays of `ScalingLimit` with the prefix `limit_`, those of `ExponentialConvergence` with `decay_`, and at the instants
    /// `times[T]`: `p`, `rho` of the flow and `p_epsilon`, `rho_epsilon` of Sinkhorn at the largest ε, each `[T, n…]`.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let stages = Stages::new(context.progress, &SHARES);
        let (limit, decay) = (self.scaling_limit(), self.convergence());
        for (k, (prefix, study)) in [(LIMIT, &limit as &dyn Experiment), (DECAY, &decay)]
            .into_iter()
            .enumerate()
        {
            let (found, outcome) = match study.measure(&context.with(&stages.part(k))) {
                Ok(measured) => (Some(measured.record), Ok(measured.interrupted)),
                Err(failed) => (failed.partial, Err(failed.error)),
            };
            record.extend(prefix, found.unwrap_or_default());
            match outcome {
                Ok(Interrupted::No) => {}
                Ok(Interrupted::Yes) => return Measured::after(record, Err(stopped())),
                Err(error) => return Measured::after(record, Err(error)),
            }
        }
        let outcome = self.snapshots(&context.with(&stages.part(2)), &mut record);
        Measured::after(record, outcome)
    }

    fn tables(&self, built: &BuiltTorus) -> Vec<Table> {
        let limit = self.scaling_limit().tables(built);
        let decay = self.convergence().tables(built);
        let limit = limit.into_iter().map(|table| table.behind(LIMIT));
        let decay = decay.into_iter().map(|table| table.behind(DECAY));
        limit
            .chain(decay)
            .chain([Table::new("", COLUMNS)])
            .collect()
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        let limit = record.part(LIMIT);
        if limit.is_empty() {
            return Ok(Vec::new());
        }
        let mut verdicts = Experiment::<BuiltTorus>::judge(&self.scaling_limit(), study, &limit)?;
        let decay = record.part(DECAY);
        if decay.values("kl").is_ok() {
            verdicts.extend(Experiment::<BuiltTorus>::judge(
                &self.convergence(),
                study,
                &decay,
            )?);
        }
        Ok(verdicts)
    }

    /// The page; in more than one dimension also the maps at every instant.
    fn draw(&self, built: &BuiltTorus, record: &Record) -> Result<Vec<Figure>, RecordError> {
        if record.values("rho_epsilon").is_err() {
            // Cut short: what there is, drawn by its own study.
            return self.scaling_limit().draw(built, &record.part(LIMIT));
        }
        let mut figures = vec![self.page(built, record)?];
        if built.torus.dimension() > 1 {
            let panels = (0..self.times.len()).map(|k| self.mesh(built, record, k));
            let panels = panels.collect::<Result<Vec<_>, _>>()?;
            figures.push(Figure {
                name: "maps".into(),
                title: None,
                rows: panels.chunks(3).map(<[Panel]>::to_vec).collect(),
                caption: format!(
                    "Densities ρ_{{t}} and the maps ∇u_{{t}}* from e^{{−g}} along the mirror flow, with Sinkhorn at ε = {} (rings){}.",
                    short(self.epsilons[0]),
                    draw::slice_note(&built.torus)
                ),
            });
        }
        Ok(figures)
    }

    /// The decay, a row an instant; the limit's table is that of `ScalingLimit`.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        let decay = record.part(DECAY);
        if decay.values("times").is_ok() {
            Experiment::<BuiltTorus>::curve(&self.convergence(), &decay)
        } else {
            Experiment::<BuiltTorus>::curve(&self.scaling_limit(), &record.part(LIMIT))
        }
    }
}
