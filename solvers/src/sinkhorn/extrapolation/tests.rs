use super::rung::Rung;
use super::symmetric::Symmetric;
use super::*;
use crate::calculus::Spectral;
use crate::density::{Density, Formula};
use crate::monge_ampere::{Flow, MongeAmpere};
use crate::parallel::sup_difference;
use crate::sinkhorn::{HalfStep, Kernel};
use crate::time::Stepper;
use std::ops::ControlFlow;

const SOURCES: [&str; 3] = [
    "0.5*cos(2*pi*x) + 0.2*sin(4*pi*x)",
    "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y))",
    "0.3*cos(2*pi*x) + 0.2*sin(2*pi*(y - z))",
];
const TARGETS: [&str; 3] = [
    "0.4*sin(2*pi*x)",
    "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x - y))",
    "0.3*sin(2*pi*z) + 0.2*cos(2*pi*y)",
];

fn densities(d: usize) -> [Arc<dyn LogDensity>; 2] {
    [SOURCES[d - 1], TARGETS[d - 1]].map(|formula| {
        let shape = Arc::new(Formula::parse(formula, d).unwrap());
        Arc::new(Density::new(shape).unwrap()) as Arc<dyn LogDensity>
    })
}

/// The flow by a stepper that knows nothing of Sinkhorn.
fn flow(torus: &Torus, start: &[f64], time: f64) -> Vec<f64> {
    let [f, g] = densities(torus.dimension());
    let operator = MongeAmpere::new(&*f, g, Box::new(Spectral::new(torus)));
    let stepper = Stepper::Adaptive { tolerance: 1e-12 };
    let mut flow = Flow::new(operator, stepper, start);
    let end = flow.run(&[time], &mut |_| ControlFlow::Continue(()));
    end.unwrap().remove(0).p
}

fn extrapolated(torus: &Torus, start: &[f64], time: f64, tolerance: f64) -> (Vec<f64>, usize) {
    let [f, g] = densities(torus.dimension());
    let mut extrapolation = Extrapolation::new(torus, f, g, start, tolerance).unwrap();
    let (mut now, mut steps) = (0.0, 0);
    while now < time {
        now = extrapolation.advance(now, time).unwrap().time;
        steps += 1;
    }
    (extrapolation.p(), steps)
}

/// Errors of plain iterations, and of symmetric ones, at the time 0.02 in 8, 16 and 32 iterations.
fn errors_of_iterations() -> [Vec<f64>; 2] {
    let torus = Torus::new(&[96]).unwrap();
    let [f, g] = densities(1);
    let rung = Rung::new(torus.clone(), &*f, &*g);
    let (start, time) = (vec![0.0; 96], 0.02);
    let exact = flow(&torus, &start, time);
    let error = |symmetric: bool, count: usize| {
        let epsilon = time / count as f64;
        if symmetric {
            let (p, _) = Symmetric::new(&rung, epsilon)
                .run(&rung, &start, count)
                .unwrap();
            return sup_difference(&p, &exact);
        }
        let mut half_step = HalfStep::new(&torus, Kernel::Heat, epsilon);
        let (mut p, mut q) = (start.clone(), start.clone());
        for _ in 0..count {
            half_step.apply(&p, &rung.f, &mut q);
            half_step.apply(&q, &rung.g, &mut p);
        }
        sup_difference(&p, &exact)
    };
    [false, true].map(|symmetric| [8, 16, 32].map(|count| error(symmetric, count)).to_vec())
}

#[test]
fn the_symmetric_iteration_is_of_order_two_and_the_plain_one_of_order_one() {
    let [plain, symmetric] = errors_of_iterations();
    let order = |errors: &[f64]| (errors[1] / errors[2]).log2();
    approx::assert_abs_diff_eq!(order(&plain), 1.0, epsilon = 0.05);
    approx::assert_abs_diff_eq!(order(&symmetric), 2.0, epsilon = 0.05);
    assert!(symmetric[2] < 0.05 * plain[2]);
}

/// One extrapolation in ε² leaves an error of order 4: there is no odd power between.
#[test]
fn the_error_of_the_symmetric_iteration_is_even() {
    let torus = Torus::new(&[160]).unwrap();
    let [f, g] = densities(1);
    let rung = Rung::new(torus.clone(), &*f, &*g);
    let (start, time) = (vec![0.0; 160], 0.02);
    let exact = flow(&torus, &start, time);
    let run = |count: usize| {
        let symmetric = Symmetric::new(&rung, time / count as f64);
        symmetric.run(&rung, &start, count).unwrap().0
    };
    let error = |count: usize| {
        let (coarse, fine) = (run(count), run(2 * count));
        let best: Vec<f64> = coarse
            .iter()
            .zip(&fine)
            .map(|(a, b)| (4.0 * b - a) / 3.0)
            .collect();
        sup_difference(&best, &exact)
    };
    let order = (error(16) / error(32)).log2();
    assert!((order - 4.0).abs() < 0.15, "{order}");
}

#[test]
fn agrees_with_the_pde_in_every_dimension_on_grids_of_any_shape() {
    for (points, time) in [(&[64][..], 0.1), (&[48, 40], 0.05), (&[20, 24, 22], 0.02)] {
        let torus = Torus::new(points).unwrap();
        let start = vec![0.0; torus.len()];
        let (p, _) = extrapolated(&torus, &start, time, 1e-9);
        let error = sup_difference(&p, &flow(&torus, &start, time));
        assert!(error < 1e-8, "{points:?}: {error:e}");
    }
}

#[test]
fn the_error_follows_the_tolerance() {
    let torus = Torus::new(&[64]).unwrap();
    let start: Vec<f64> = (0..64)
        .map(|i| 0.01 * (i as f64 / 64.0 * std::f64::consts::TAU).cos())
        .collect();
    let exact = flow(&torus, &start, 0.2);
    for tolerance in [1e-5, 1e-7, 1e-9, 1e-11] {
        let (p, _) = extrapolated(&torus, &start, 0.2, tolerance);
        let error = sup_difference(&p, &exact);
        assert!(
            error < 20.0 * tolerance && error > 1e-3 * tolerance,
            "{tolerance:e}: {error:e}"
        );
    }
}

#[test]
fn a_constant_in_the_start_stays_to_rounding() {
    let torus = Torus::new(&[32, 32]).unwrap();
    let (p, _) = extrapolated(&torus, &vec![0.0; 1024], 0.02, 1e-8);
    let (shifted, _) = extrapolated(&torus, &vec![0.7; 1024], 0.02, 1e-8);
    let back: Vec<f64> = shifted.iter().map(|p| p - 0.7).collect();
    assert!(sup_difference(&p, &back) < 1e-13);
}

#[test]
fn the_grid_asked_for_does_not_change_the_steps() {
    let run = |n: usize| {
        let torus = Torus::new(&[n]).unwrap();
        extrapolated(&torus, &vec![0.0; n], 0.1, 1e-8)
    };
    let ((coarse, few), (fine, many)) = (run(64), run(1024));
    assert_eq!(few, many);
    let seen: Vec<f64> = fine.iter().step_by(16).copied().collect();
    assert!(sup_difference(&coarse, &seen) < 1e-11);
}

#[test]
fn same_bits_for_any_number_of_threads() {
    let torus = Torus::new(&[32, 24]).unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let (p, _) = extrapolated(&torus, &vec![0.0; torus.len()], 0.02, 1e-8);
            p.iter().map(|p| p.to_bits()).collect::<Vec<_>>()
        })
    };
    assert!(run(1) == run(2) && run(1) == run(3));
}

#[test]
fn what_cannot_be_computed_is_refused() {
    let torus = Torus::new(&[64]).unwrap();
    let [f, g] = densities(1);
    let wave = |amplitude: f64| -> Vec<f64> {
        (0..64)
            .map(|i| amplitude * (i as f64 / 64.0 * std::f64::consts::TAU).cos())
            .collect()
    };
    let start = Extrapolation::new(&torus, f.clone(), g.clone(), &wave(0.05), 1e-8);
    assert!(matches!(start, Err(Error::LostConvexity { .. })));
    let coarse = Torus::new(&[6]).unwrap();
    let mut strict = Extrapolation::new(&coarse, f, g, &[0.0; 6], 1e-14).unwrap();
    let refused = (0..200).try_for_each(|_| strict.advance(0.0, 1.0).map(drop));
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("tolerance"), "{message}");
}
