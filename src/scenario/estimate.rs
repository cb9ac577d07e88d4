//! What a scenario will cost, before anything is computed.
//!
//! Memory is `8 bytes × nodes × (fields of the problem + the largest study's working fields and record)`.
//! Time is a sum of `nodes × nanoseconds per node` over the parts of each study, with the constants of [`Cost`].

use super::{Scenario, Time};
use crate::study::{
    ExponentialConvergence, Flow, IterationStart, MirrorFlow, ScalingLimit, SideBySide, Sinkhorn,
    Study,
};
use std::fs;

/// The measured constants behind both estimates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Fields that live as long as the run: f, g, p_0 and the transforms' plans and scratch.
    pub problem_fields: f64,
    /// Fields alive in one stiff step: 40 of the GMRES basis, stages, ∇²u, A, ∇g(∇u), preconditioner.
    pub flow_fields: f64,
    /// Fields recorded per instant of a flow: p and ρ.
    pub flow_record_fields: f64,
    /// Fields of an iteration: p and q, accepted and under way, the p before, f, g, log ρ and two for the sums.
    pub sinkhorn_fields: f64,
    /// Fields of a scaling limit: a flow with e_t, an iteration, and the elliptic solve for W₂.
    pub scaling_limit_fields: f64,
    /// Fields recorded per ε: p^ε, and what is in hand while it is compared.
    pub scaling_limit_record_fields: f64,
    /// Fields of the mirror flow in three coordinates: the primal one holds an elliptic solve and its own Krylov basis.
    pub mirror_flow_fields: f64,
    /// Fields kept per instant: the three coordinates, velocity, and the dense output round it.
    pub mirror_flow_record_fields: f64,
    /// One step of the primal coordinate, relative to one of the mirror coordinate.
    pub primal: f64,
    /// One elliptic solve, per node.
    pub elliptic_ns: f64,
    /// Steps of the adaptive integrator to any horizon at tolerance 1e-9 (the initial layer dominates).
    pub adaptive_steps: f64,
    /// Growth of that number per factor ten in the tolerance.
    pub adaptive_growth: f64,
    /// One stiff step, per node.
    pub adaptive_step_ns: f64,
    /// One right-hand side, per node.
    pub right_hand_side_ns: f64,
    /// One term of a Sinkhorn sum, per node and node of the kernel's window.
    pub sinkhorn_term_ns: f64,
    /// The distances at one ε (W₂ and LOT above all), per node, for d = 1, 2, 3.
    pub distances_ns: [f64; 3],
    /// Cost of a flow that carries the tangent e_t, relative to one that does not.
    pub tangent: f64,
    /// Cost of the flow at a looser tolerance that measures the time error, relative to the flow itself.
    pub time_variation: f64,
}

/// Constants of the present implementation, on two cores.
pub const COST: Cost = Cost {
    problem_fields: 10.0,
    flow_fields: 70.0,
    flow_record_fields: 2.0,
    sinkhorn_fields: 10.0,
    scaling_limit_fields: 90.0,
    scaling_limit_record_fields: 3.0,
    mirror_flow_fields: 160.0,
    mirror_flow_record_fields: 30.0,
    primal: 6.0,
    elliptic_ns: 6000.0,
    adaptive_steps: 40.0,
    adaptive_growth: 1.6,
    adaptive_step_ns: 4000.0,
    right_hand_side_ns: 150.0,
    sinkhorn_term_ns: 2.0,
    distances_ns: [10_000.0, 30_000.0, 200_000.0],
    tangent: 2.2,
    time_variation: 0.8,
};

/// Bytes of one number.
const BYTES: f64 = 8.0;

/// Part of the machine's memory that a run may take.
pub const MEMORY_SHARE: f64 = 0.8;

/// Peak memory of a scenario in bytes, as a float since absurd grids overflow integers.
pub fn memory(scenario: &Scenario) -> f64 {
    let largest = scenario
        .studies
        .iter()
        .map(study_fields)
        .fold(0.0, f64::max);
    BYTES * nodes(scenario) * (COST.problem_fields + largest)
}

/// Wall time of a scenario in seconds, to a factor of a few.
pub fn seconds(scenario: &Scenario) -> f64 {
    let of_study = |study: &Study| match study {
        Study::Flow(flow) => flow_ns(scenario, horizon(flow)),
        Study::Sinkhorn(sinkhorn) => sinkhorn_ns(scenario, sinkhorn),
        Study::ScalingLimit(limit) => scaling_limit_ns(scenario, limit),
        Study::OptimalMap(_) => 4.0 * COST.elliptic_ns,
        Study::MirrorFlow(flow) => mirror_flow_ns(scenario, flow),
        Study::ExponentialConvergence(decay) => convergence_ns(scenario, decay),
        Study::SideBySide(page) => side_by_side_ns(scenario, page),
    };
    let per_node: f64 = scenario.studies.iter().map(of_study).sum();
    per_node * nodes(scenario) * 1e-9
}

/// Memory of this machine in bytes, where `/proc/meminfo` tells it.
pub fn physical_memory() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// A number of bytes for people: `2.9 TB`.
pub fn bytes(bytes: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let power = (bytes.max(1.0).log10() / 3.0)
        .floor()
        .min(units.len() as f64 - 1.0);
    let digits = usize::from(power > 0.0);
    format!(
        "{:.digits$} {}",
        bytes / 1000f64.powf(power),
        units[power as usize]
    )
}

fn nodes(scenario: &Scenario) -> f64 {
    let points = &scenario.torus_problem().points;
    points.iter().map(|&n| n as f64).product()
}

fn study_fields(study: &Study) -> f64 {
    match study {
        Study::Flow(flow) => COST.flow_fields + COST.flow_record_fields * flow.times.len() as f64,
        Study::Sinkhorn(_) => COST.sinkhorn_fields,
        Study::ScalingLimit(limit) => {
            COST.scaling_limit_fields
                + COST.scaling_limit_record_fields * limit.epsilons.len() as f64
        }
        Study::OptimalMap(_) => COST.flow_fields,
        Study::MirrorFlow(flow) => {
            COST.mirror_flow_fields + COST.mirror_flow_record_fields * flow.times.len() as f64
        }
        Study::ExponentialConvergence(decay) => {
            COST.scaling_limit_fields + COST.flow_record_fields * decay.samples as f64
        }
        Study::SideBySide(page) => {
            study_fields(&Study::ScalingLimit(page.scaling_limit()))
                + COST.flow_record_fields * page.samples as f64
        }
    }
}

fn horizon(flow: &Flow) -> f64 {
    flow.times.last().copied().unwrap_or(0.0)
}

/// Nanoseconds per node of a flow to time `horizon`.
fn flow_ns(scenario: &Scenario, horizon: f64) -> f64 {
    match scenario.numerics.time {
        Time::Adaptive { tolerance } => {
            let decades = (1e-9 / tolerance).log10();
            COST.adaptive_steps * COST.adaptive_growth.powf(decades) * COST.adaptive_step_ns
        }
        Time::Euler { step } => horizon / step * COST.right_hand_side_ns,
        Time::RungeKutta4 { step } => 4.0 * horizon / step * COST.right_hand_side_ns,
    }
}

fn sinkhorn_ns(scenario: &Scenario, sinkhorn: &Sinkhorn) -> f64 {
    sinkhorn.iterations as f64 * iteration_ns(scenario, sinkhorn.epsilon)
}

fn scaling_limit_ns(scenario: &Scenario, limit: &ScalingLimit) -> f64 {
    let distances = COST.distances_ns[scenario.dimension() - 1];
    let of_epsilon =
        |&epsilon: &f64| limit.time / epsilon * iteration_ns(scenario, epsilon) + distances;
    let iterations: f64 = limit.epsilons.iter().map(of_epsilon).sum();
    let tangent = match limit.start {
        IterationStart::Plain => COST.tangent,
        IterationStart::Prepared => 1.0,
    };
    // The flow itself, on three quarters of the nodes along each axis, and at a looser tolerance.
    let flows = 1.0 + 0.75f64.powi(scenario.dimension() as i32) + COST.time_variation;
    iterations + flows * tangent * flow_ns(scenario, limit.time)
}

fn mirror_flow_ns(scenario: &Scenario, flow: &MirrorFlow) -> f64 {
    let horizon = flow.times.last().copied().unwrap_or(0.0);
    // At a hundredth of the tolerance, in the mirror, dual and primal coordinate.
    let tight = COST.adaptive_growth.powi(2) * flow_ns(scenario, horizon);
    let steps: usize = flow.refinements.iter().sum();
    (2.0 + COST.primal) * (tight + steps as f64 * COST.adaptive_step_ns)
}

fn convergence_ns(scenario: &Scenario, decay: &ExponentialConvergence) -> f64 {
    let iterations = decay
        .epsilons
        .iter()
        .map(|&epsilon| decay.time / epsilon * iteration_ns(scenario, epsilon));
    // The flow with its two variations, Fokker–Planck and each other objective twice.
    let flows = 3.0 + 2.0 * (1.0 + decay.others.len() as f64);
    let distances = 0.5 * COST.distances_ns[scenario.dimension() - 1];
    iterations.sum::<f64>()
        + flows * flow_ns(scenario, decay.time)
        + decay.samples as f64 * distances
}

fn side_by_side_ns(scenario: &Scenario, page: &SideBySide) -> f64 {
    scaling_limit_ns(scenario, &page.scaling_limit())
        + convergence_ns(scenario, &page.convergence())
}

/// Nanoseconds per node of two half-steps: one sum per axis over the nodes where the kernel exceeds round-off.
fn iteration_ns(scenario: &Scenario, epsilon: f64) -> f64 {
    let reach = (2.0 * epsilon * (1.0 / f64::EPSILON).ln()).sqrt();
    let window = |&n: &usize| (2.0 * reach * n as f64 + 1.0).min(n as f64);
    let points = &scenario.torus_problem().points;
    2.0 * COST.sinkhorn_term_ns * points.iter().map(window).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{DensityChoice, Numerics, Problem, StartPotential, TorusProblem};

    fn scenario(points: &[usize], studies: Vec<Study>) -> Scenario {
        Scenario {
            title: "cost".into(),
            problem: Problem::Torus(TorusProblem {
                points: points.to_vec(),
                source: DensityChoice::Uniform,
                target: DensityChoice::Uniform,
                start: StartPotential::Identity,
            }),
            numerics: Numerics::default(),
            studies,
        }
    }

    fn limit(epsilons: &[f64]) -> Study {
        Study::ScalingLimit(ScalingLimit {
            time: 0.05,
            epsilons: epsilons.to_vec(),
            kernel: Default::default(),
            start: Default::default(),
        })
    }

    #[test]
    fn memory_counts_fields_of_the_largest_study() {
        let flow = Study::Flow(Flow {
            times: vec![0.1; 5],
        });
        let one = memory(&scenario(&[64, 64], vec![flow.clone()]));
        assert_eq!(one, 8.0 * 4096.0 * (10.0 + 70.0 + 10.0));
        let both = memory(&scenario(&[64, 64], vec![flow, limit(&[0.1])]));
        assert_eq!(both, 8.0 * 4096.0 * (10.0 + 93.0));
        assert!(memory(&scenario(&[usize::MAX; 3], vec![limit(&[0.1])])).is_finite());
    }

    #[test]
    fn time_grows_as_nodes_and_iterations() {
        let coarse = seconds(&scenario(&[64], vec![limit(&[0.01])]));
        let fine = seconds(&scenario(&[128], vec![limit(&[0.01])]));
        let longer = seconds(&scenario(&[64], vec![limit(&[0.01, 0.005])]));
        assert!(fine >= 2.0 * coarse && longer > coarse);
    }

    #[test]
    fn bytes_are_said_in_the_nearest_unit() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(2.94e12), "2.9 TB");
        assert_eq!(bytes(1e30), "1000000000000.0 EB");
    }
}
