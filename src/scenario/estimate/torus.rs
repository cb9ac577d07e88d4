//! The cost of a torus scenario.
//!
//! Memory is `8 bytes × nodes × (fields of the problem + the largest study's working fields and record)`.
//! Time is a sum of `nodes × nanoseconds per node` over the parts of each study, with the constants of [`Cost`].

use crate::scenario::{Numerics, Space, Time, TorusProblem};
use crate::study::{
    ExponentialConvergence, Flow, IterationStart, MirrorDescent, MirrorFlow, Run, ScalingLimit,
    SideBySide, Sinkhorn, Study,
};

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
    /// Fields of one run of mirror descent with its inequality, and those for each density π: the coupling and its interpolants.
    pub descent_fields: f64,
    pub comparator_fields: f64,
    /// One step of mirror descent with its inequality, per node and density π.
    pub comparator_ns: f64,
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
    /// One half-step of Sinkhorn, per node and axis, for d = 1, 2, 3: nearly the same for all grids and ε.
    pub half_step_ns: [f64; 3],
    /// Extrapolated Sinkhorn to any horizon at tolerance 1e-9, per node of its own grid, and its steps.
    pub extrapolation_ns: f64,
    pub extrapolation_steps: f64,
    /// Points along an axis that resolve the flow of smooth data: flows on their own grid have no more.
    pub flow_points: usize,
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
    descent_fields: 180.0,
    comparator_fields: 10.0,
    comparator_ns: 45_000.0,
    elliptic_ns: 2500.0,
    adaptive_steps: 40.0,
    adaptive_growth: 1.6,
    adaptive_step_ns: 4000.0,
    right_hand_side_ns: 150.0,
    half_step_ns: [60.0, 15.0, 15.0],
    extrapolation_ns: 40_000.0,
    extrapolation_steps: 30.0,
    flow_points: 72,
    distances_ns: [10_000.0, 30_000.0, 200_000.0],
    tangent: 2.2,
    time_variation: 0.8,
};

/// Bytes of one number.
const BYTES: f64 = 8.0;

/// What the cost of a study depends on.
pub struct Grid<'a> {
    points: &'a [usize],
    time: Time,
    space: Space,
}

/// Peak memory in bytes, as a float since absurd grids overflow integers.
pub fn memory(problem: &TorusProblem, studies: &[Study]) -> f64 {
    let largest = studies.iter().map(study_fields).fold(0.0, f64::max);
    BYTES * nodes(&problem.points) * (COST.problem_fields + largest)
}

/// Wall time in seconds, to a factor of a few.
pub fn seconds(problem: &TorusProblem, numerics: &Numerics, studies: &[Study]) -> f64 {
    let grid = &Grid {
        points: &problem.points,
        time: numerics.time,
        space: numerics.space,
    };
    let of_study = |study: &Study| match study {
        Study::Flow(flow) => flow_by_itself_ns(grid, horizon(flow)),
        Study::Sinkhorn(sinkhorn) => sinkhorn_ns(grid, sinkhorn),
        Study::ScalingLimit(limit) => scaling_limit_ns(grid, limit),
        Study::OptimalMap(_) => 4.0 * COST.elliptic_ns,
        Study::MirrorFlow(flow) => mirror_flow_ns(grid, flow),
        Study::ExponentialConvergence(decay) => convergence_ns(grid, decay),
        Study::SideBySide(page) => side_by_side_ns(grid, page),
        Study::MirrorDescent(descent) => mirror_descent_ns(grid, descent),
    };
    let per_node: f64 = studies.iter().map(of_study).sum();
    per_node * nodes(&problem.points) * 1e-9
}

fn nodes(points: &[usize]) -> f64 {
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
        Study::MirrorDescent(descent) => {
            // As many runs at a time as there are threads.
            let runs = descent.runs.len().min(rayon::current_num_threads()) as f64;
            let against = descent.all_comparators().len() as f64;
            runs * (COST.descent_fields + COST.comparator_fields * against)
        }
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

/// Nodes of the grid that resolves a flow of smooth data, per node of the scenario's.
fn flow_nodes(grid: &Grid) -> f64 {
    match (grid.space, grid.time) {
        (Space::Spectral, Time::Adaptive { .. } | Time::Rosenbrock { .. }) => {
            let share = |&n: &usize| n.min(COST.flow_points) as f64 / n as f64;
            grid.points.iter().map(share).product()
        }
        _ => 1.0,
    }
}

/// Nanoseconds per node of a flow that the study is about.
fn flow_by_itself_ns(grid: &Grid, horizon: f64) -> f64 {
    let (Space::Spectral, Time::Adaptive { tolerance }) = (grid.space, grid.time) else {
        return flow_ns(grid, horizon);
    };
    let growth = COST.adaptive_growth.powf((1e-9 / tolerance).log10());
    let seen = COST.extrapolation_steps * 2.0 * COST.right_hand_side_ns;
    growth * (flow_nodes(grid) * COST.extrapolation_ns + seen)
}

/// Nanoseconds per node of a flow to time `horizon`.
fn flow_ns(grid: &Grid, horizon: f64) -> f64 {
    match grid.time {
        Time::Adaptive { tolerance } | Time::Rosenbrock { tolerance } => {
            let decades = (1e-9 / tolerance).log10();
            COST.adaptive_steps * COST.adaptive_growth.powf(decades) * COST.adaptive_step_ns
        }
        Time::Euler { step } => horizon / step * COST.right_hand_side_ns,
        Time::RungeKutta4 { step } => 4.0 * horizon / step * COST.right_hand_side_ns,
    }
}

fn sinkhorn_ns(grid: &Grid, sinkhorn: &Sinkhorn) -> f64 {
    sinkhorn.iterations as f64 * iteration_ns(grid)
}

fn scaling_limit_ns(grid: &Grid, limit: &ScalingLimit) -> f64 {
    let distances = COST.distances_ns[grid.points.len() - 1];
    let of_epsilon = |&epsilon: &f64| limit.time / epsilon * iteration_ns(grid) + distances;
    let iterations: f64 = limit.epsilons.iter().map(of_epsilon).sum();
    let tangent = match limit.start {
        IterationStart::Plain => COST.tangent,
        IterationStart::Prepared => 1.0,
    };
    // The flow itself, on three quarters of the nodes along each axis, and at a looser tolerance.
    let flows = 1.0 + 0.75f64.powi(grid.points.len() as i32) + COST.time_variation;
    iterations + flows * tangent * flow_nodes(grid) * flow_ns(grid, limit.time)
}

fn mirror_flow_ns(grid: &Grid, flow: &MirrorFlow) -> f64 {
    let horizon = flow.times.last().copied().unwrap_or(0.0);
    // At a hundredth of the tolerance, in the mirror, dual and primal coordinate.
    let tight = COST.adaptive_growth.powi(2) * flow_ns(grid, horizon);
    let steps: usize = flow.refinements.iter().sum();
    (2.0 + COST.primal) * (tight + steps as f64 * COST.adaptive_step_ns)
}

fn convergence_ns(grid: &Grid, decay: &ExponentialConvergence) -> f64 {
    let iterations = decay
        .epsilons
        .iter()
        .map(|&epsilon| decay.time / epsilon * iteration_ns(grid));
    // The flow with its two variations, Fokker–Planck and each other objective twice.
    let flows = 3.0 + 2.0 * (1.0 + decay.others.len() as f64);
    let distances = 0.5 * COST.distances_ns[grid.points.len() - 1];
    let flows = flows * flow_nodes(grid) * flow_ns(grid, decay.time);
    iterations.sum::<f64>() + flows + decay.samples as f64 * distances
}

fn mirror_descent_ns(grid: &Grid, descent: &MirrorDescent) -> f64 {
    let steps = descent.steps as f64;
    let against = descent.all_comparators().len() as f64;
    let of_run = |run: &Run| match run {
        Run::Sinkhorn(_) => steps * (iteration_ns(grid) + COST.elliptic_ns),
        _ => steps * against * COST.comparator_ns,
    };
    let runs: f64 = descent.runs.iter().map(of_run).sum();
    let limit = descent.limit.iter().flat_map(|limit| &limit.steps);
    let limit = limit.map(|&steps| steps as f64 * COST.adaptive_step_ns);
    runs + 3.0 * flow_ns(grid, 1e-2) + limit.sum::<f64>()
}

fn side_by_side_ns(grid: &Grid, page: &SideBySide) -> f64 {
    scaling_limit_ns(grid, &page.scaling_limit()) + convergence_ns(grid, &page.convergence())
}

/// Nanoseconds per node of two half-steps.
fn iteration_ns(grid: &Grid) -> f64 {
    let axes = grid.points.len();
    2.0 * axes as f64 * COST.half_step_ns[axes - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{DensityChoice, StartPotential};
    use crate::study::{ComparatorChoice, Schedule};

    fn problem(points: &[usize]) -> TorusProblem {
        TorusProblem {
            points: points.to_vec(),
            source: DensityChoice::Uniform,
            target: DensityChoice::Uniform,
            start: StartPotential::Identity,
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
        let one = memory(&problem(&[64, 64]), std::slice::from_ref(&flow));
        assert_eq!(one, 8.0 * 4096.0 * (10.0 + 70.0 + 10.0));
        let both = memory(&problem(&[64, 64]), &[flow, limit(&[0.1])]);
        assert_eq!(both, 8.0 * 4096.0 * (10.0 + 93.0));
        assert!(memory(&problem(&[usize::MAX; 3]), &[limit(&[0.1])]).is_finite());
    }

    #[test]
    fn mirror_descent_costs_as_its_steps_and_densities() {
        let of = |steps, comparators: &[ComparatorChoice]| {
            let study = Study::MirrorDescent(MirrorDescent {
                steps,
                runs: vec![Run::Explicit(Schedule::Constant(1e-3)), Run::Sinkhorn(1e-2)],
                band: Some(4),
                comparators: comparators.to_vec(),
                limit: None,
                sampling: None,
            });
            let (problem, studies) = (problem(&[32, 32]), [study]);
            let seconds = seconds(&problem, &Numerics::default(), &studies);
            (seconds, memory(&problem, &studies))
        };
        let (few, many) = (of(10, &[]), of(20, &[ComparatorChoice::Target]));
        assert!(many.0 > 2.0 * few.0 && many.1 > few.1, "{few:?} {many:?}");
    }

    #[test]
    fn time_grows_as_nodes_and_iterations() {
        let of = |points: &[usize], epsilons: &[f64], space: Space| {
            let time = Time::default();
            let numerics = Numerics { space, time };
            seconds(&problem(points), &numerics, &[limit(epsilons)])
        };
        let (spectral, differences) = (Space::Spectral, Space::FiniteDifference { order: 2 });
        let coarse = of(&[64], &[0.01], spectral);
        // A flow on its own grid costs no more on a finer one; with differences it stays on the scenario's.
        assert!(of(&[128], &[0.01], spectral) > coarse);
        let fine = of(&[128], &[0.01], differences);
        assert!(fine >= 2.0 * of(&[64], &[0.01], differences));
        assert!(fine > of(&[128], &[0.01], spectral));
        assert!(of(&[64], &[0.01, 0.005], spectral) > coarse);
    }
}
