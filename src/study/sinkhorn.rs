//! Study `Sinkhorn`: the iteration at one ε (THEORY §3).

use super::draw::{self, Snapshot};
use super::measure::{Context, MeasureError, Measured};
use super::{Curve, Experiment, IterationStart, Kernel, short};
use crate::figure::{Figure, Scale, Style};
use crate::record::{Column, Record, RecordError, Table, always};
use crate::scenario::BuiltTorus;
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::sinkhorn as numerics;
use mirrorflow_solvers::{Error, Result};
use serde::{Deserialize, Serialize};

/// Sinkhorn's iteration at one ε, from `p_0` of the scenario's start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sinkhorn {
    /// Regularisation ε > 0, in squared lengths of the unit torus.
    pub epsilon: f64,
    /// Number of iterations, each two half-steps.
    pub iterations: usize,
    #[serde(default)]
    pub kernel: Kernel,
    #[serde(default)]
    pub start: IterationStart,
}

impl IterationStart {
    /// `p_0^ε` from the scenario's `p_0`: plain, or `p_0 + ε(½f + log ρ_0)`.
    ///
    /// # Errors
    /// [`mirrorflow_solvers::Error::LostConvexity`] when u_0 is not convex.
    pub fn on(self, context: &Context, epsilon: f64) -> Result<Vec<f64>> {
        let torus = &context.built.torus;
        let mut p = context.built.start.on(torus);
        if self == Self::Prepared {
            let mut operator = context.operator(torus);
            let mut log_rho = vec![0.0; p.len()];
            operator.log_marginal(&p, &mut log_rho)?;
            for ((p, log_rho), f) in p.iter_mut().zip(&log_rho).zip(operator.source()) {
                *p += epsilon * (0.5 * f + log_rho);
            }
        }
        Ok(p)
    }
}

impl Sinkhorn {
    /// The iteration ready to run.
    ///
    /// # Errors
    /// `TooCoarse`, `LostConvexity`.
    pub fn iteration(&self, context: &Context) -> Result<numerics::Sinkhorn> {
        let (f, g) = context.densities();
        let start = self.start.on(context, self.epsilon)?;
        let torus = &context.built.torus;
        let iteration =
            numerics::Sinkhorn::new(torus, self.kernel.into(), self.epsilon, &f, &g, &start);
        iteration.map_err(|error| match (error, self.start) {
            (
                Error::LostConvexity {
                    when,
                    at,
                    eigenvalue,
                    ..
                },
                IterationStart::Prepared,
            ) => Error::LostConvexity {
                when,
                at,
                eigenvalue,
                remedy: "the prepared start adds ε(½f + log ρ_0): use a smaller ε, or start: Plain"
                    .into(),
            },
            (error, _) => error,
        })
    }
}

#[rustfmt::skip]
const COLUMNS: &[Column] = &[
    always("epsilon", "", "ε"),
    always("p q log_rho", "n", "after the last iteration; log ρ = (p_k − p_{k−1})/ε − f"),
    always("iteration kl change", "K", "k; KL(ρ_k | e^{-f}); sup|p_k − p_{k−1}|"),
];

impl Experiment for Sinkhorn {
    /// Records `epsilon`, `p`, `q`, `log_rho` [n…] after the last iteration, and per iteration `kl` = KL(ρ_k | e^{-f}) and
    /// `change` = sup|p_k − p_{k−1}|.
    ///
    /// # Errors
    /// [`MeasureError`], with the iterations before it.
    fn measure(&self, context: &Context) -> std::result::Result<Measured, MeasureError> {
        let mut sinkhorn = self.iteration(context)?;
        let log_source: Vec<f64> = sinkhorn.source().iter().map(|f| -f).collect();
        let mut log_rho = log_source.clone();
        let (mut kl, mut change) = (Vec::new(), Vec::new());
        let outcome = sinkhorn.run(self.iterations, &mut |sinkhorn, report| {
            sinkhorn.log_marginal(&mut log_rho);
            kl.push(relative_entropy(&log_rho, &log_source));
            change.push(report.change);
            let fraction = report.iteration as f64 / self.iterations as f64;
            let stage = format!("Sinkhorn, iteration {}", report.iteration);
            context.progress.tick(&stage, fraction)
        });
        let mut record = Record::default();
        let shape = context.built.torus.points();
        record.insert_number("epsilon", self.epsilon);
        record.insert("p", shape, sinkhorn.p().to_vec());
        record.insert("q", shape, sinkhorn.q().to_vec());
        record.insert("log_rho", shape, log_rho);
        let iterations = (1..=kl.len()).map(|k| k as f64);
        record.insert_curve("iteration", iterations.collect());
        record.insert_curve("kl", kl);
        record.insert_curve("change", change);
        let nothing = sinkhorn.iterations() == 0;
        Measured::after(record, outcome).map_err(|failed| MeasureError {
            partial: failed.partial.filter(|_| !nothing),
            ..failed
        })
    }

    fn tables(&self, _built: &BuiltTorus) -> Vec<Table> {
        vec![Table::new("", COLUMNS)]
    }

    /// Marginal and potentials after the last iteration, and the decay along the way.
    ///
    /// # Errors
    /// [`RecordError`].
    fn draw(
        &self,
        built: &BuiltTorus,
        record: &Record,
    ) -> std::result::Result<Vec<Figure>, RecordError> {
        let iterations = record.values("iteration")?;
        let snapshot = Snapshot {
            label: format!("k = {}", iterations.len()),
            p: record.values("p")?.to_vec(),
            rho: record.values("log_rho")?.iter().map(|l| l.exp()).collect(),
        };
        let caption = format!(
            "Sinkhorn at ε = {}: X-marginal ρ_{{k}} and periodic part p_{{k}} after {} iterations",
            short(self.epsilon),
            iterations.len()
        );
        let fields = draw::snapshots(built, "fields", &caption, "p_{k}", &[snapshot]);
        let curve = |name, label, colour| {
            draw::recorded(
                record,
                ("iteration", name),
                label,
                Style::LineMarkers,
                colour,
            )
        };
        let decay = draw::one_panel(
            "decay",
            draw::axis("iteration k", Scale::Linear),
            draw::axis("decay along the iteration", Scale::Log),
            vec![
                curve("kl", "KL(ρ_{k} | e^{−f})", 0)?,
                curve("change", "sup|p_{k} − p_{k−1}|", 1)?,
            ],
            format!(
                "Sinkhorn at ε = {}: decay along the iteration.",
                short(self.epsilon)
            ),
        );
        Ok(vec![fields, decay])
    }

    /// One row per iteration.
    fn curve(&self, record: &Record) -> std::result::Result<Curve, RecordError> {
        Curve::default()
            .column("iteration", record, "iteration")?
            .column("KL(rho_k | e^-f) [nats]", record, "kl")?
            .column("sup|p_k - p_{k-1}|", record, "change")
    }
}

/// Number of iterations of length ε that reach `time`, a multiple of ε once the scenario is validated.
pub fn iterations(time: f64, epsilon: f64) -> usize {
    (time / epsilon).round() as usize
}
