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

/// Amplitude one on a circle: λ_min(∇²u) falls to 0.06 and the modes go to hundreds of points.
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

/// p and log ρ at every other, third, … node of a grid `finer` times as fine, which the flow does not choose.
fn on_a_fine_grid(data: [&str; 2], points: &[usize], finer: usize) -> Vec<[Vec<f64>; 2]> {
    let fine = Torus::new(&points.iter().map(|n| finer * n).collect::<Vec<_>>()).unwrap();
    let [f, g] = densities(data, points.len());
    let operator = MongeAmpere::new(&*f, g, Box::new(Spectral::new(&fine)));
    let stepper = Stepper::Adaptive { tolerance: 1e-11 };
    let start = vec![0.0; fine.len()];
    let (outcome, snapshots, _) = run(&mut Flow::new(operator, stepper, &start), &TIMES);
    outcome.unwrap();
    let shared = |field: &[f64]| -> Vec<f64> {
        let on_both = |&i: &usize| {
            let mut axes = 0..points.len();
            axes.all(|axis| fine.index(i, axis).is_multiple_of(finer))
        };
        (0..fine.len()).filter(on_both).map(|i| field[i]).collect()
    };
    let both = |s: &Snapshot| [shared(&s.p), shared(&s.log_marginal)];
    snapshots.iter().map(both).collect()
}

/// Largest errors of p and log ρ at the asked times.
fn errors(found: &[Snapshot], truth: &[[Vec<f64>; 2]]) -> [f64; 2] {
    let of = |k: usize| {
        let each = found.iter().zip(truth).map(|(found, truth)| {
            let field = [&found.p, &found.log_marginal][k];
            sup_difference(field, &truth[k])
        });
        each.fold(0.0, f64::max)
    };
    [of(0), of(1)]
}

/// At every asked time, by dense output too; on nodes that could not have computed it.
#[test]
fn p_and_log_rho_are_right_to_the_tolerance() {
    for (data, points, finer) in [(SHARP, &[192][..], 5), (PLANE, &[32, 32], 2)] {
        let truth = on_a_fine_grid(data, points, finer);
        for tolerance in [1e-5, 1e-7, 1e-9] {
            let (outcome, found, _) = run(&mut following(data, points, tolerance), &TIMES);
            outcome.unwrap();
            let [p, log_rho] = errors(&found, &truth);
            let place = format!("{points:?}, {tolerance:e}: {p:e} {log_rho:e}");
            assert!(p <= tolerance && log_rho <= tolerance, "{place}");
        }
    }
}

/// What grids leave out costs less than the fifth of the tolerance that is meant for it, and ten thousand times as much left out would show.
#[test]
fn errors_in_space_are_far_below_the_tolerance_and_show_where_grids_are_too_coarse() {
    let (data, points) = (SHARP, &[192][..]);
    let truth = on_a_fine_grid(data, points, 5);
    let torus = Torus::new(points).unwrap();
    let error = |left_out: f64| {
        let accuracy = Accuracy {
            tolerance: 1e-10,
            left_out,
            ..Accuracy::within(1e-10, &torus)
        };
        let start = vec![0.0; torus.len()];
        let flow = Flow::following(densities(data, 1), &torus, accuracy, &start, &[]);
        let (outcome, found, _) = run(&mut flow.unwrap(), &TIMES);
        outcome.unwrap();
        errors(&found, &truth)[1]
    };
    for tolerance in [1e-6, 1e-7, 1e-8] {
        let allowed = Accuracy::within(tolerance, &torus).left_out;
        let (asked, careless) = (error(allowed), error(1e4 * allowed));
        assert!(asked < 0.2 * tolerance, "{tolerance:e}: {asked:e}");
        assert!(careless > tolerance, "{tolerance:e}: {careless:e}");
    }
}

/// Near its end a flow once went up and down between two grids for ever, and each coarser one kicked it: thousands of steps, log ρ wrong in
/// the sixth digit.
#[test]
fn a_flow_near_its_end_stays_on_its_grid() {
    let wells = ["2*cos(4*pi*x) + 0.2*cos(2*pi*x)", "0*x"];
    let times = [0.05, 0.2, 0.4];
    let fine = Torus::new(&[512]).unwrap();
    let [f, g] = densities(wells, 1);
    let operator = MongeAmpere::new(&*f, g, Box::new(Spectral::new(&fine)));
    let stepper = Stepper::Adaptive { tolerance: 1e-10 };
    let (outcome, truth, _) = run(&mut Flow::new(operator, stepper, &[0.0; 512]), &times);
    outcome.unwrap();
    let (outcome, found, steps) = run(&mut following(wells, &[256], 1e-8), &times);
    outcome.unwrap();
    assert!(steps.len() < 400, "{}", steps.len());
    for (found, truth) in found.iter().zip(&truth) {
        let every_other: Vec<f64> = truth.log_marginal.iter().step_by(2).copied().collect();
        let error = sup_difference(&found.log_marginal, &every_other);
        assert!(error < 1e-8, "t = {}: {error:e}", found.time);
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
    assert!(first <= 96 && (240..640).contains(&most), "{first} {most}");
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
