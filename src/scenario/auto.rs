//! `points: Auto(dimension: 2)`: the coarsest grid that resolves a scenario, found before anything is built on it.
//!
//! A run of the flow at a loose tolerance, on grids that follow it, says how many points it takes up to the longest horizon of the studies and how
//! curved its potentials become; the smallest ε then takes what the rule of Sinkhorn's node sums asks for at that curvature.

use super::build::torus::{density, start};
use super::{Problem, Scenario, TorusProblem};
use crate::study::{Run, Study};
use miette::{Report, miette};
use mirrorflow_solvers::monge_ampere::{Resolved, what_resolves};
use mirrorflow_solvers::resolution::fast_length;
use mirrorflow_solvers::sinkhorn::points_needed;
use mirrorflow_solvers::{Error, LogDensity, Torus};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::Arc;

/// Points along an axis that are to be found.
const TO_BE_FOUND: usize = usize::MAX;

/// What a grid may leave out of log ρ: far below what a figure shows, for budgets are measured on three quarters of it.
const LEFT_OUT: f64 = 1e-6;

/// Long enough for a flow to come to rest, where a study asks for its end: twenty times 1/4π².
const TO_REST: f64 = 0.5;

/// Reads a list of points, or `Auto(dimension: d)` as d points that are to be found.
///
/// # Errors
/// Where it is neither.
pub fn points<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<usize>, D::Error> {
    deserializer.deserialize_any(Points)
}

struct Points;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Dimension,
}

impl<'de> Visitor<'de> for Points {
    type Value = Vec<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a list of points, one per axis, or Auto(dimension: …)")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut points = Vec::new();
        while let Some(n) = list.next_element()? {
            points.push(n);
        }
        Ok(points)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut dimension = None;
        while let Some(Field::Dimension) = map.next_key()? {
            dimension = Some(map.next_value()?);
        }
        let missing = || serde::de::Error::missing_field("dimension");
        let dimension: usize = dimension.ok_or_else(missing)?;
        Ok(vec![TO_BE_FOUND; dimension.min(4)])
    }
}

/// Puts the grid that resolves it into a scenario that leaves it open; says which that is.
///
/// # Errors
/// Where no grid that is tried does.
pub fn find(scenario: &mut Scenario) -> Result<Option<Vec<usize>>, Report> {
    let Problem::Torus(problem) = &mut scenario.problem else {
        return Ok(None);
    };
    let open = |&n: &usize| n == TO_BE_FOUND;
    if problem.points.is_empty() || !problem.points.iter().all(open) {
        return Ok(None);
    }
    // What follows complains about densities that cannot be built and about impossible dimensions.
    problem.points.fill(FIRST);
    let Some(found) = found(problem, &scenario.studies) else {
        return Ok(None);
    };
    problem.points = found.map_err(|error| {
        miette!(
            help = "give the points along each axis, such as points: [64, 64]",
            "points: Auto(…): {error}"
        )
    })?;
    Ok(Some(problem.points.clone()))
}

/// Points along each axis of the grid that the search begins on.
const FIRST: usize = 32;

/// Axes have whole groups of so many nodes.
const GROUP: usize = 8;

/// A grid that does not hold a density is refined by this.
const REFINE: f64 = 1.25;

/// `None` where the problem cannot be built.
fn found(problem: &TorusProblem, studies: &[Study]) -> Option<Result<Vec<usize>, Error>> {
    let d = problem.points.len();
    let mut torus = Torus::new(&problem.points).ok()?;
    let densities = [&problem.source, &problem.target].map(|choice| density(choice, d));
    let [source, target] = densities;
    let densities = [source.ok()?, target.ok()?];
    let start = start(&problem.start, d).ok()?;
    while densities
        .iter()
        .any(|density| density.check_resolved(&torus).is_err())
    {
        let finer = |n: usize| fast_length((REFINE * n as f64) as usize, GROUP);
        torus = torus.resized(finer).ok()?;
        if torus.len() > MOST_NODES {
            return None;
        }
    }
    let least = torus.points().to_vec();
    let horizon = studies.iter().map(horizon).fold(0.0, f64::max);
    let [source, target] = densities;
    let shared: [Arc<dyn LogDensity>; 2] = [Arc::new(source), Arc::new(target)];
    let first = start.on(&torus);
    let resolved = what_resolves(shared, &torus, &first, horizon, LEFT_OUT);
    Some(resolved.map(|Resolved { points, stretch }| {
        let epsilon = studies
            .iter()
            .flat_map(epsilons)
            .fold(f64::INFINITY, f64::min);
        let sums = points_needed(epsilon, MARGIN * stretch);
        let axes = points.iter().zip(&least);
        axes.map(|(&n, &least)| fast_length(n.max(least).max(sums), GROUP))
            .collect()
    }))
}

/// Densities that take more nodes are left to whoever writes the scenario.
const MOST_NODES: usize = 1 << 22;

/// Curvature is met by Sinkhorn's potentials a little beyond the flow's.
const MARGIN: f64 = 1.1;

fn horizon(study: &Study) -> f64 {
    let last = |times: &[f64]| times.last().copied().unwrap_or(0.0);
    match study {
        Study::Flow(flow) => last(&flow.times),
        Study::MirrorFlow(flow) => last(&flow.times),
        Study::Sinkhorn(sinkhorn) => sinkhorn.epsilon * sinkhorn.iterations as f64,
        Study::ScalingLimit(limit) => limit.time,
        Study::ExponentialConvergence(_)
        | Study::SideBySide(_)
        | Study::OptimalMap(_)
        | Study::MirrorDescent(_) => TO_REST,
    }
}

fn epsilons(study: &Study) -> Vec<f64> {
    match study {
        Study::Flow(_) | Study::MirrorFlow(_) | Study::OptimalMap(_) => Vec::new(),
        Study::Sinkhorn(sinkhorn) => vec![sinkhorn.epsilon],
        Study::ScalingLimit(limit) => limit.epsilons.clone(),
        Study::ExponentialConvergence(decay) => decay.epsilons.clone(),
        Study::SideBySide(page) => page.epsilons.clone(),
        Study::MirrorDescent(descent) => {
            let of_run = |run: &Run| match run {
                Run::Sinkhorn(epsilon) => Some(*epsilon),
                _ => None,
            };
            descent.runs.iter().filter_map(of_run).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::parse;

    fn found(points: &str, studies: &str) -> Result<Vec<usize>, String> {
        let plane = points.contains('2');
        let (f, g) = match plane {
            true => ("0.4*cos(2*pi*x) + 0.2*sin(2*pi*(x + y))", "0.3*cos(2*pi*y)"),
            false => ("0.9*cos(2*pi*x) + 0.3*sin(6*pi*x)", "-0.8*sin(2*pi*x)"),
        };
        let text = format!(
            "Scenario(title: \"t\", problem: Torus(points: {points}, source: Formula(\"{f}\"), target: Formula(\"{g}\")), \
             studies: [{studies}])"
        );
        let loaded = parse("auto.ron", &text).map_err(|report| format!("{report:?}"))?;
        assert_eq!(
            loaded.found.as_deref(),
            Some(loaded.built.on_torus().unwrap().torus.points())
        );
        Ok(loaded.built.on_torus().unwrap().torus.points().to_vec())
    }

    #[test]
    fn a_grid_is_found_for_flows_and_for_the_smallest_epsilon() {
        let flow = found("Auto(dimension: 1)", "Flow(times: [0.01, 0.05])").unwrap();
        assert!((48..400).contains(&flow[0]), "{flow:?}");
        let short = found("Auto(dimension: 1)", "Flow(times: [1e-5])").unwrap();
        assert!(short < flow, "{short:?} {flow:?}");
        let small = "ScalingLimit(time: 0.01, epsilons: [0.001, 0.0005, 0.00005])";
        assert!(found("Auto(dimension: 1)", small).unwrap()[0] > 200);
        let plane = found("Auto(dimension: 2)", "Flow(times: [0.05])").unwrap();
        assert_eq!(plane.len(), 2);
        assert!(plane.iter().all(|n| (16..129).contains(n)), "{plane:?}");
    }

    #[test]
    fn impossible_dimensions_are_refused_as_ever() {
        for points in ["Auto(dimension: 0)", "Auto(dimension: 9)", "Auto()"] {
            assert!(found(points, "Flow(times: [0.01])").is_err(), "{points}");
        }
    }
}
