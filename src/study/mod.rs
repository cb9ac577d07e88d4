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

pub use crate::quantities::short;
use crate::record::{Record, RecordError};
use crate::report::Table;
use crate::rule::{self, Rule};
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

    /// Every claim that some study can judge, by study and kind of problem.
    pub fn claims() -> Vec<Claims> {
        let (torus, gaussian, euclidean) = ("Torus", "Gaussian", "Euclidean");
        let (limit, decay) = ("ScalingLimit", "ExponentialConvergence");
        let (flow, descent) = ("MirrorFlow", "MirrorDescent");
        vec![
            Claims::of(limit, torus, scaling_limit::CLAIMS),
            Claims::of(limit, gaussian, scaling_limit::GAUSSIAN_CLAIMS),
            Claims::of("OptimalMap", torus, optimal_map::CLAIMS),
            Claims::of(flow, torus, mirror_flow::CLAIMS),
            Claims::of(flow, gaussian, mirror_flow::GAUSSIAN_CLAIMS),
            Claims::of(flow, euclidean, mirror_flow::EUCLIDEAN_CLAIMS),
            Claims::of(decay, torus, exponential_convergence::SHARED_CLAIMS)
                .and(exponential_convergence::TORUS_CLAIMS),
            Claims::of(decay, gaussian, exponential_convergence::SHARED_CLAIMS)
                .and(exponential_convergence::GAUSSIAN_CLAIMS),
            Claims::of(descent, torus, mirror_descent::CLAIMS).and(mirror_descent::SAMPLING_CLAIMS),
            Claims::of(descent, gaussian, mirror_descent::CLAIMS)
                .and(mirror_descent::GAUSSIAN_CLAIMS),
            Claims::of(descent, euclidean, mirror_descent::EUCLIDEAN_CLAIMS),
        ]
    }
}

/// The claims of a study on one kind of problem, their names unique.
#[derive(Debug)]
pub struct Claims {
    pub study: &'static str,
    pub problem: &'static str,
    pub claims: Vec<&'static Claim>,
}

impl Claims {
    fn of<S>(study: &'static str, problem: &'static str, rules: &'static [Rule<S>]) -> Self {
        Self {
            study,
            problem,
            claims: rule::claims(rules).collect(),
        }
    }

    fn and<S>(mut self, rules: &'static [Rule<S>]) -> Self {
        self.claims.extend(rule::claims(rules));
        self
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

    /// For the report: four significant digits, of many rows some that are as far apart, the last among them.
    pub fn table(&self, title: &str) -> Table {
        let stride = self.rows().div_ceil(MOST_ROWS).max(1);
        let chosen = (0..self.rows()).filter(|row| (self.rows() - 1 - row).is_multiple_of(stride));
        Table {
            title: match stride {
                1 => title.to_owned(),
                _ => format!(
                    "{title}, one in {stride} of {} rows: all are in data/{title}.csv",
                    self.rows()
                ),
            },
            header: self.columns.iter().map(|(name, _)| name.clone()).collect(),
            rows: chosen
                .map(|row| {
                    let cell = |(_, column): &(String, Vec<f64>)| short(column[row]);
                    self.columns.iter().map(cell).collect()
                })
                .collect(),
        }
    }
}

/// Rows of a table on the page.
const MOST_ROWS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn long_curves_are_thinned_on_the_page_and_end_where_they_end() {
        let curve = |rows: usize| Curve {
            columns: vec![("t".into(), (0..rows).map(|k| k as f64).collect())],
        };
        assert_eq!(curve(MOST_ROWS).table("a").rows.len(), MOST_ROWS);
        let long = curve(100_001).table("a");
        assert!(long.rows.len() <= MOST_ROWS && long.rows.len() > MOST_ROWS / 2);
        assert_eq!(long.rows.last().unwrap()[0], "100000");
        assert!(long.title.contains("data/a.csv"), "{}", long.title);
        assert!(curve(0).table("a").rows.is_empty());
    }

    #[test]
    fn study_problem_and_name_say_which_claim_it_is() {
        let mut seen = HashSet::new();
        for table in Study::claims() {
            for claim in table.claims {
                let key = (table.study, table.problem, claim.name);
                assert!(seen.insert(key), "{key:?} twice");
                assert!(!claim.statement.is_empty() && !claim.reference.is_empty());
            }
        }
        assert!(seen.len() > 100, "{}", seen.len());
    }
}
