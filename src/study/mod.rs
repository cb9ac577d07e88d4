//! Studies: what a scenario may ask for. One file each, with its RON parameters, what it measures, its claims and its figures.
//!
//! `measure` is the only expensive step; `judge`, `draw`, `curve` and `summary` are pure functions of the record.

mod draw;
mod euclidean;
mod experiment;
mod exponential_convergence;
mod flow;
mod flow_grid;
mod gaussian;
mod hypothesis;
mod jobs;
mod measure;
mod mirror_descent;
mod mirror_flow;
mod objective;
mod optimal_map;
mod problem;
mod progress;
mod rehearsal;
mod scaling_limit;
mod side_by_side;
mod sinkhorn;
mod variation;

pub use experiment::{Bound, Experiment};
pub use exponential_convergence::ExponentialConvergence;
pub use flow::Flow;
pub use measure::{Context, Interrupted, MeasureError, Measured};
pub use mirror_descent::{
    ComparatorChoice, Limit, MirrorDescent, Run, Sampling, Schedule, usual_comparators,
};
pub use mirror_flow::{Metric, MirrorFlow};
pub use objective::Objective;
pub use optimal_map::OptimalMap;
pub use progress::{Progress, Silent};
pub use rehearsal::{Growth, Rehearsal};
pub use scaling_limit::{GaussianLimit, Reference, ScalingLimit};
pub use side_by_side::SideBySide;
pub use sinkhorn::Sinkhorn;
pub use variation::Variation;

use crate::record::{Record, RecordError};
use crate::report::Table;
use crate::scenario::{BuiltEuclidean, BuiltGaussian, Problem};
use crate::verdict::Claim;
use mirrorflow_solvers::sinkhorn as numerics;
use serde::{Deserialize, Serialize};

/// One study of a scenario, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Study {
    Flow(Flow),
    Sinkhorn(Sinkhorn),
    ScalingLimit(ScalingLimit),
    OptimalMap(OptimalMap),
    MirrorFlow(MirrorFlow),
    ExponentialConvergence(ExponentialConvergence),
    SideBySide(SideBySide),
    MirrorDescent(MirrorDescent),
}

/// The Gibbs kernel `K_ε` on the torus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kernel {
    /// `(2πε)^{-d/2} Σ_m exp(−|x−y+m|²/2ε)`, the heat kernel at time ε/2.
    #[default]
    Heat,
    /// `(2πε)^{-d/2} exp(−d_T(x,y)²/2ε)`, the geodesic distance alone.
    Geodesic,
}

/// How the iteration starts from the scenario's `p_0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IterationStart {
    /// `p_0^ε = p_0`.
    #[default]
    Plain,
    /// `p_0^ε = p_0 + ε(½f + log ρ_0)`, which removes the initial layer of the first-order profile.
    Prepared,
}

impl From<Kernel> for numerics::Kernel {
    fn from(kernel: Kernel) -> Self {
        match kernel {
            Kernel::Heat => Self::Heat,
            Kernel::Geodesic => Self::Geodesic,
        }
    }
}

impl Study {
    /// Name in the scenario file.
    pub fn name(&self) -> &'static str {
        self.names().0
    }

    /// Name in paths and verdicts.
    pub fn slug(&self) -> &'static str {
        self.names().1
    }

    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Flow(_) => ("Flow", "flow"),
            Self::Sinkhorn(_) => ("Sinkhorn", "sinkhorn"),
            Self::ScalingLimit(_) => ("ScalingLimit", "scaling-limit"),
            Self::OptimalMap(_) => ("OptimalMap", "optimal-map"),
            Self::MirrorFlow(_) => ("MirrorFlow", "mirror-flow"),
            Self::ExponentialConvergence(_) => {
                ("ExponentialConvergence", "exponential-convergence")
            }
            Self::SideBySide(_) => ("SideBySide", "side-by-side"),
            Self::MirrorDescent(_) => ("MirrorDescent", "mirror-descent"),
        }
    }

    /// Fields on the scenario's grid that are recorded, at the least.
    pub fn recorded_fields(&self, dimension: usize) -> usize {
        match self {
            Self::Flow(flow) => 2 * flow.times.len(),
            Self::Sinkhorn(_) => 3,
            Self::ScalingLimit(limit) => 3 + limit.epsilons.len(),
            Self::OptimalMap(_) => 2 + dimension,
            Self::MirrorFlow(flow) => (2 + dimension) * flow.times.len(),
            // p and log ρ are held at every instant.
            Self::ExponentialConvergence(decay) => decay.samples.saturating_mul(2),
            Self::SideBySide(page) => page.samples.saturating_mul(2),
            Self::MirrorDescent(descent) => 4 * descent.runs.len(),
        }
    }

    /// The seeds of its random numbers, by what they are for.
    pub fn seeds(&self) -> Vec<(String, u64)> {
        match self {
            Self::MirrorDescent(study) => study.seeds(),
            _ => Vec::new(),
        }
    }

    /// The study on the torus, where every one is defined.
    pub fn on_torus(&self) -> Option<&dyn Experiment> {
        Some(match self {
            Self::Flow(study) => study,
            Self::Sinkhorn(study) => study,
            Self::ScalingLimit(study) => study,
            Self::OptimalMap(study) => study,
            Self::MirrorFlow(study) => study,
            Self::ExponentialConvergence(study) => study,
            Self::SideBySide(study) => study,
            Self::MirrorDescent(study) => study,
        })
    }

    /// The study between centred Gaussians.
    pub fn on_gaussian(&self) -> Option<&dyn Experiment<BuiltGaussian>> {
        Some(match self {
            Self::ScalingLimit(study) => study,
            Self::MirrorFlow(study) => study,
            Self::ExponentialConvergence(study) => study,
            Self::MirrorDescent(study) => study,
            _ => return None,
        })
    }

    /// The study on R or R².
    pub fn on_euclidean(&self) -> Option<&dyn Experiment<BuiltEuclidean>> {
        Some(match self {
            Self::MirrorFlow(study) => study,
            Self::MirrorDescent(study) => study,
            _ => return None,
        })
    }

    /// Whether the study is defined on this kind of problem.
    pub fn fits(&self, problem: &Problem) -> bool {
        match problem {
            Problem::Torus(_) => self.on_torus().is_some(),
            Problem::Gaussian(_) => self.on_gaussian().is_some(),
            Problem::Euclidean(_) => self.on_euclidean().is_some(),
        }
    }

    /// The statement of the claim called `name`, which another problem may have by another reference.
    pub fn statement(name: &str, reference: &str) -> Option<&'static str> {
        let claims = Self::claims();
        let mut all = claims.iter().flat_map(|(_, claims)| claims.iter());
        all.find(|claim| (claim.name, claim.reference) == (name, reference))
            .map(|claim| claim.statement)
    }

    /// Every claim that some study can judge, with the study's name.
    pub fn claims() -> Vec<(&'static str, &'static [Claim])> {
        vec![
            ("ScalingLimit", scaling_limit::CLAIMS),
            ("OptimalMap", optimal_map::CLAIMS),
            ("MirrorFlow", mirror_flow::CLAIMS),
            ("MirrorFlow", mirror_flow::GAUSSIAN_CLAIMS),
            ("MirrorFlow", mirror_flow::EUCLIDEAN_CLAIMS),
            ("ExponentialConvergence", exponential_convergence::CLAIMS),
            (
                "ExponentialConvergence",
                exponential_convergence::GAUSSIAN_CLAIMS,
            ),
            ("MirrorDescent", mirror_descent::CLAIMS),
            ("MirrorDescent", mirror_descent::EUCLIDEAN_CLAIMS),
            ("MirrorDescent", mirror_descent::GAUSSIAN_CLAIMS),
            ("MirrorDescent", mirror_descent::SAMPLING_CLAIMS),
        ]
    }
}

/// Columns of equal length with headers that name quantity and unit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    pub columns: Vec<(String, Vec<f64>)>,
}

impl Curve {
    /// Adds the array `name` of the record under `header`.
    ///
    /// # Errors
    /// [`RecordError::Missing`].
    pub fn column(
        mut self,
        header: &str,
        record: &Record,
        name: &str,
    ) -> Result<Self, RecordError> {
        self.columns
            .push((header.to_owned(), record.values(name)?.to_vec()));
        Ok(self)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |(_, column)| column.len())
    }

    /// For the report: four significant digits.
    pub fn table(&self, title: &str) -> Table {
        Table {
            title: title.to_owned(),
            header: self.columns.iter().map(|(name, _)| name.clone()).collect(),
            rows: (0..self.rows())
                .map(|row| {
                    let cell = |(_, column): &(String, Vec<f64>)| short(column[row]);
                    self.columns.iter().map(cell).collect()
                })
                .collect(),
        }
    }
}

/// A number for people: plain where that is short, else with an exponent.
pub fn short(value: f64) -> String {
    let plain = format!("{value}");
    if plain.len() <= 8 {
        plain
    } else {
        format!("{value:.3e}")
    }
}
