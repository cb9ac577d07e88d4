//! The flow on grids that follow it: accuracy of p and log ρ, work, refusals, bits.

mod common;

use common::density;
use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::monge_ampere::{Accuracy, Flow, FlowStep, MongeAmpere, Snapshot};
use mirrorflow_solvers::parallel::sup_difference;
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Error, LogDensity, Result, Torus};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Amplitude one on a circle: λ_min(∇²u) falls to 0.06 and the modes go to 800 points.
const SHARP: [&str; 2] = [
    "0.9*cos(2*pi*x) - 0.6*sin(2*pi*x) + 0.4*cos(4*pi*x) + 0.3*sin(6*pi*x)",
    "-0.8*sin(2*pi*x) + 0.5*cos(4*pi*x) - 0.3*cos(6*pi*x)",
];
const PLANE: [&str; 2] = [
    "0.3*cos(2*pi*x) + 0.2*sin(2*pi*(x + y))",
    "0.3*cos(2*pi*y) - 0.2*sin(2*pi*(x - y))",
];

fn densities([f, g]: [&str; 2], d: usize) -> [Arc<dyn LogDensity>; 2] {
    [Arc::new(density(f, d)), Arc::new(density(g, d))]
}

fn following(data: [&str; 2], points: &[usize], tolerance: f64) -> Flow {
    let torus = Torus::new(points).unwrap();
    let (accuracy, start) = (Accuracy::within(tolerance, &torus), vec![0.0; torus.len()]);
    let densities = densities(data, points.len());
    let flow = Flow::following(densities, &torus, accuracy, &start, &[]);
    flow.unwrap().watched()
}

fn run(flow: &mut Flow, times: &[f64]) -> (Result<()>, Vec<Snapshot>, Vec<FlowStep>) {
    let (mut snapshots, mut steps) = (Vec::new(), Vec::new());
    let outcome = flow.run_into(times, &mut snapshots, &mut |step| {
        steps.push(*step);
        ControlFlow::Continue(())
    });
    (outcome, snapshots, steps)
}

const TIMES: [f64; 4] = [1e-4, 0.003, 0.01, 0.1];

/// At every asked time, by dense output too; on nodes that could not have computed it.
#[test]
fn p_and_log_rho_are_right_to_the_tolerance() {
    let (outcome, truth, _) = run(&mut following(SHARP, &[192], 1e-10), &TIMES);
    outcome.unwrap();
    for tolerance in [1e-5, 1e-7] {
        let (outcome, found, _) = run(&mut following(SHARP, &[192], tolerance), &TIMES);
        outcome.unwrap();
        for (found, truth) in found.iter().zip(&truth) {
            let p = sup_difference(&found.p, &truth.p);
            let log_rho = sup_difference(&found.log_marginal, &truth.log_marginal);
            let place = format!("{tolerance:e}, t = {}: {p:e} {log_rho:e}", found.time);
            assert!(p <= tolerance && log_rho <= tolerance, "{place}");
        }
    }
}

/// A silent slowdown fails: steps, Krylov iterations a solve, and the grids that the flow passes through.
#[test]
fn the_work_is_pinned() {
    let (outcome, _, steps) = run(&mut following(SHARP, &[192], 1e-9), &TIMES);
    outcome.unwrap();
    let krylov: usize = steps.iter().map(|s| s.krylov).sum();
    let rejected: usize = steps.iter().map(|s| s.rejected).sum();
    let solves = 8 * (steps.len() + rejected);
    assert!(
        steps.len() < 600 && rejected < 30,
        "{} {rejected}",
        steps.len()
    );
    assert!(krylov < 5 * solves, "{krylov} in {solves} solves");
    let nodes = |s: &FlowStep| s.nodes;
    let (first, most) = (steps[0].nodes, steps.iter().map(nodes).max().unwrap());
    assert!(first <= 96 && (400..1537).contains(&most), "{first} {most}");
}

#[test]
fn nodes_that_cannot_hold_the_answer_are_refused_with_points_that_can() {
    let (outcome, kept, _) = run(&mut following(SHARP, &[32], 1e-8), &TIMES);
    let Err(Error::Unresolved(found)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(kept.len(), TIMES.len(), "what was measured is kept");
    assert!(found.left_out > found.most);
    let needed = found.needed.clone().unwrap();
    assert!(needed[0] > 32 && found.to_string().contains(&format!("{needed:?}")));
    run(&mut following(SHARP, &needed, 1e-8), &TIMES).0.unwrap();
}

/// The same for Rodas5P on the grid given, which is refused for its steps too.
#[test]
fn a_grid_that_cannot_hold_the_steps_is_refused_with_one_that_can() {
    let on = |points: &[usize]| {
        let torus = Torus::new(points).unwrap();
        let [f, g] = densities(SHARP, 1);
        let calculus = Box::new(Spectral::new(&torus));
        let operator = MongeAmpere::new(&*f, g.clone(), calculus);
        let stepper = Stepper::Adaptive { tolerance: 1e-7 };
        let flow = Flow::new(operator, stepper, &vec![0.0; torus.len()]);
        run(&mut flow.advised_by(f, g).watched(), &[0.02]).0
    };
    let Err(Error::Unresolved(found)) = on(&[96]) else {
        panic!("96 points are too few")
    };
    on(&found.needed.unwrap()).unwrap();
}

/// All mass of the uniform density goes to a peak: the map tears at its antipode, and no grid holds that.
#[test]
fn a_flow_that_no_grid_holds_ends_and_says_so() {
    let narrow = "40*sin(pi*x)^2";
    let torus = Torus::new(&[64]).unwrap();
    let [f, g] = densities(["0", narrow], 1);
    let calculus = Box::new(Spectral::new(&torus));
    let operator = MongeAmpere::new(&*f, g, calculus);
    let stepper = Stepper::Adaptive { tolerance: 1e-6 };
    let mut flow = Flow::new(operator, stepper, &vec![0.0; 64]).watched();
    let Err(Error::Unresolved(found)) = run(&mut flow, &[0.05]).0 else {
        panic!("64 points are too few")
    };
    assert_eq!(found.needed, None, "no densities were given to look with");
}

/// Same bits for any number of threads, whatever grids the flow passes through.
#[test]
fn the_bits_do_not_depend_on_the_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let (outcome, found, _) = run(&mut following(PLANE, &[48, 40], 1e-7), &[0.01, 0.05]);
            outcome.unwrap();
            found
        })
    };
    assert_eq!(with(1), with(3));
}
