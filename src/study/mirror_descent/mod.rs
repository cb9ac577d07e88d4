//! Study `MirrorDescent`: the mirror flow in steps, with its evolution variational inequality and its regret (THEORY §7).
//!
//! `gaussian` measures between centred Gaussians, in closed form. `torus` measures there: `descent` follows a run, `sinkhorn` its gradient-free competitor, `flow` the flow that they approximate, `limit` how
//! they do. `track` is what was recorded of a run, as plain arrays; `bounds` evaluates the bounds on them, `claims` holds what the
//! theory says, `verdicts` compares, `figures` and `curve` show.

mod average;
mod bounds;
mod claims;
mod columns;
mod curve;
mod descent;
mod euclidean;
mod figures;
mod flow;
mod gaussian;
mod limit;
mod sampling;
mod sinkhorn;
mod torus;
mod track;
mod verdicts;

pub use claims::CLAIMS;
pub use euclidean::CLAIMS as EUCLIDEAN_CLAIMS;
pub use gaussian::GAUSSIAN_CLAIMS;
pub use sampling::{CLAIMS as SAMPLING_CLAIMS, Sampling};

use super::short;
use mirrorflow_solvers::mirror_descent as numerics;
use serde::{Deserialize, Serialize};

/// `ψ_{k+1} = ψ_k − η_k h_k∘∇ψ_k` from the scenario's start, by several rules on the same axes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorDescent {
    /// T, the number of steps of every run.
    pub steps: usize,
    /// What is run.
    pub runs: Vec<Run>,
    /// K, on the torus: q = ψ − |y|²/2 has the modes `|k_i| ≤ K`. An explicit step is stable up to about `1/(2π²K²d λ_max((∇²ψ)^{-1}))`.
    #[serde(default)]
    pub band: Option<usize>,
    /// The π of the evolution variational inequality; e^{-f} is always among them.
    #[serde(default = "usual_comparators")]
    pub comparators: Vec<ComparatorChoice>,
    /// Constant steps to one time against the flow; left out by default.
    #[serde(default)]
    pub limit: Option<Limit>,
    /// Points Z ~ e^{-g} that the last ∇ψ transports, on the torus; left out by default.
    #[serde(default)]
    pub sampling: Option<Sampling>,
}

/// One way to descend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Run {
    /// `ψ_{k+1} = ψ_k − η_k h_k∘∇ψ_k`.
    Explicit(Schedule),
    /// `ψ_{k+1} = ψ_k − η_k h_{k+1}∘∇ψ_{k+1}`: no step limit.
    Implicit(Schedule),
    /// Sinkhorn with this ε = η: no gradient, no step limit.
    Sinkhorn(f64),
}

/// η_k for k = 0, 1, …, T−1, in the unit of the flow's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Schedule {
    /// η_k = η.
    Constant(f64),
    /// η_k = c/(k+1).
    Harmonic(f64),
    /// η_k = c log T/T.
    LogOverT(f64),
    /// η_k = this fraction of the largest stable step at ψ_k.
    Adaptive(f64),
    /// The user's own.
    List(Vec<f64>),
}

/// A density π.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum ComparatorChoice {
    /// e^{-f}, the minimiser.
    Source,
    /// e^{-g}.
    Target,
    /// On the torus.
    Uniform,
    /// A smooth random density; on R^d, a random covariance.
    Random { seed: u64 },
}

/// The limit η → 0: `steps` equal steps to `time`, explicit and implicit, against the flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub time: f64,
    /// Three or more numbers of steps, increasing.
    pub steps: Vec<usize>,
}

/// The comparators of a study that names none.
pub fn usual_comparators() -> Vec<ComparatorChoice> {
    use ComparatorChoice::{Random, Source, Target};
    vec![Source, Target, Random { seed: 1 }]
}

impl MirrorDescent {
    /// The comparators with e^{-f} in front.
    pub fn all_comparators(&self) -> Vec<ComparatorChoice> {
        let others = self
            .comparators
            .iter()
            .filter(|c| **c != ComparatorChoice::Source);
        std::iter::once(ComparatorChoice::Source)
            .chain(others.cloned())
            .collect()
    }

    /// Of the points and of the random comparators.
    pub fn seeds(&self) -> Vec<(String, u64)> {
        let of_points = self.sampling.iter().map(|s| ("sampling".into(), s.seed));
        let comparators = self.comparators.iter().enumerate();
        let random = comparators.filter_map(|(i, comparator)| match comparator {
            ComparatorChoice::Random { seed } => Some((format!("comparator {}", i + 1), *seed)),
            _ => None,
        });
        of_points.chain(random).collect()
    }

    /// The names of the runs' arrays begin with this; runs are counted from 1.
    fn prefix(number: usize) -> String {
        format!("run_{number}_")
    }
}

impl Run {
    /// For legends and messages, in the markup of figures.
    pub fn label(&self) -> String {
        match self {
            Self::Explicit(schedule) => format!("explicit, {}", schedule.label()),
            Self::Implicit(schedule) => format!("implicit, {}", schedule.label()),
            Self::Sinkhorn(epsilon) => format!("Sinkhorn, ε = {}", short(*epsilon)),
        }
    }

    /// Its steps, unless it is Sinkhorn.
    pub fn schedule(&self) -> Option<&Schedule> {
        match self {
            Self::Explicit(schedule) | Self::Implicit(schedule) => Some(schedule),
            Self::Sinkhorn(_) => None,
        }
    }
}

impl Schedule {
    /// In the markup of figures.
    fn label(&self) -> String {
        match self {
            Self::Constant(eta) => format!("η = {}", short(*eta)),
            Self::Harmonic(c) => format!("η_{{k}} = {}/(k+1)", short(*c)),
            Self::LogOverT(c) => format!("η = {} log T/T", short(*c)),
            Self::Adaptive(fraction) => format!("{} × limit", short(*fraction)),
            Self::List(_) => "own steps".into(),
        }
    }

    /// η_0 of a run of `steps` where the stability limit is `limit`.
    pub fn first(&self, steps: usize, limit: f64) -> f64 {
        self.numerics().step(0, steps, limit)
    }

    /// The same schedule for the solvers.
    fn numerics(&self) -> numerics::Schedule {
        match self {
            Self::Constant(eta) => numerics::Schedule::Constant(*eta),
            Self::Harmonic(c) => numerics::Schedule::Harmonic(*c),
            Self::LogOverT(c) => numerics::Schedule::LogOverT(*c),
            Self::Adaptive(fraction) => numerics::Schedule::Adaptive { safety: *fraction },
            Self::List(list) => numerics::Schedule::List(list.clone()),
        }
    }
}

impl ComparatorChoice {
    /// In the markup of figures.
    pub fn label(&self) -> String {
        match self {
            Self::Source => "e^{−f}".into(),
            Self::Target => "e^{−g}".into(),
            Self::Uniform => "uniform".into(),
            Self::Random { seed } => format!("random, seed {seed}"),
        }
    }
}
