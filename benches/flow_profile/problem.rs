//! One problem of the set: a scenario's problem, the instants it is asked at, and how its truth is known.

use crate::Result;
use mirrorflow::scenario::{self, BuiltTorus};

#[derive(Debug, Clone)]
pub struct Problem {
    pub family: &'static str,
    pub name: String,
    /// Points of the grid that is asked for.
    pub points: Vec<usize>,
    /// Densities and start as they stand in a scenario.
    pub source: String,
    pub target: String,
    pub start: String,
    pub times: Vec<f64>,
    pub truth: Truth,
}

/// Where the right p and ρ come from.
#[derive(Debug, Clone)]
pub enum Truth {
    /// Two finer grids and two tolerances that agree.
    Converged,
    /// The densities and the start are sums over the coordinates: one problem per axis.
    Product(Vec<Problem>),
    /// Uniform densities on a circle and the start of [`crate::poisson`] with this r.
    PoissonKernel(f64),
}

impl Problem {
    /// From the identity, converged.
    pub fn new(
        family: &'static str,
        name: impl Into<String>,
        points: &[usize],
        [source, target]: [String; 2],
        times: &[f64],
    ) -> Self {
        Self {
            family,
            name: name.into(),
            points: points.to_vec(),
            source,
            target,
            start: "Identity".into(),
            times: times.to_vec(),
            truth: Truth::Converged,
        }
    }

    /// A scenario that the program runs.
    pub fn scenario(&self, points: &[usize]) -> String {
        let Self {
            name,
            source,
            target,
            start,
            times,
            ..
        } = self;
        format!(
            "Scenario(\n    title: \"{name}\",\n    problem: Torus(\n        points: {points:?},\n        source: {source},\n        \
             target: {target},\n        start: {start},\n    ),\n    studies: [Flow(times: {times:?})],\n)\n"
        )
    }

    /// Its densities and start, on a grid of `points`.
    ///
    /// # Errors
    /// What the program would say of the scenario.
    pub fn on(&self, points: &[usize]) -> Result<BuiltTorus> {
        let loaded = scenario::parse(&self.name, &self.scenario(points))
            .map_err(|report| format!("{report}"))?;
        Ok(loaded.built.on_torus().expect("a torus problem").clone())
    }
}
