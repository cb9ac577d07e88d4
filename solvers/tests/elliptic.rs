//! The elliptic equation by nested iteration, against Newton's method on one grid and against exact solutions.

mod common;

use common::*;
use mirrorflow_solvers::calculus::{Calculus, FiniteDifference, Spectral};
use mirrorflow_solvers::density::{Density, Gaussian, Mixture};
use mirrorflow_solvers::monge_ampere::{Brenier, Elliptic, MongeAmpere, solve_elliptic};
use mirrorflow_solvers::parallel::{mean, sup, sup_difference};
use mirrorflow_solvers::{Error, Order, Result};
use std::sync::Arc;

const TOLERANCE: f64 = 1e-10;

/// On one grid, from the identity.
fn direct(operator: &mut MongeAmpere, tolerance: f64) -> Result<Brenier> {
    let start = vec![0.0; operator.torus().len()];
    Elliptic::new(operator, Order::Gradient).solve(operator, &start, tolerance)
}

/// On coarser grids first, from the identity.
fn nested(operator: &mut MongeAmpere, tolerance: f64) -> Result<Brenier> {
    let start = vec![0.0; operator.torus().len()];
    solve_elliptic(operator, &start, tolerance)
}

/// `sup |F(p) − ⟨F(p)⟩|` from the values of p at the nodes.
fn residual(operator: &mut MongeAmpere, p: &[f64]) -> f64 {
    let mut rate = vec![0.0; p.len()];
    operator.rate(p, &mut rate).unwrap();
    sup(&centred(&rate))
}

/// Bumps of width `1/sharpness` over gentle waves.
fn bumps(sharpness: f64) -> (Density, Density) {
    let bump = |sign: f64, x: f64, y: f64| {
        let k = sharpness * sharpness;
        format!("{sign}*exp({k}*(cos(2*pi*(x-{x})) + cos(2*pi*(y-{y})) - 2))")
    };
    let source = format!("{} + 0.3*cos(2*pi*(x-2*y))", bump(1.2, 0.3, 0.4));
    let target = format!("{} + 0.2*sin(2*pi*(3*x+y))", bump(-1.2, 0.7, 0.6));
    (density(&source, 2), density(&target, 2))
}

/// A Gaussian over a broad one.
fn needle(mean: [f64; 2], deviation: f64) -> Density {
    let gaussian = |weight, mean: [f64; 2], deviation| Gaussian {
        weight,
        mean: mean.to_vec(),
        deviation: vec![deviation; 2],
    };
    let components = [
        gaussian(1.0, mean, deviation),
        gaussian(0.3, [0.1, 0.1], 0.5),
    ];
    Density::new(Arc::new(Mixture::wrapped_gaussians(&components).unwrap())).unwrap()
}

fn square(n: usize, (source, target): (Density, Density)) -> MongeAmpere {
    spectral_operator(&torus(&[n, n]), &source, target)
}

/// Halved, with large prime factors, along one axis only, and too small for coarser ones.
const GRIDS: [&[usize]; 6] = [
    &[256],
    &[128, 128],
    &[254, 48],
    &[16, 134],
    &[40, 40],
    &[64, 24, 16],
];

#[test]
fn nested_iteration_finds_the_potential_of_newtons_method_on_the_grid() {
    for points in GRIDS {
        let torus = torus(points);
        let calculi: [Box<dyn Calculus>; 4] = [
            Box::new(Spectral::new(&torus)),
            Box::new(Spectral::dealiased(&torus)),
            Box::new(FiniteDifference::new(&torus, 2)),
            Box::new(FiniteDifference::new(&torus, 4)),
        ];
        for (number, calculus) in calculi.into_iter().enumerate() {
            // The equation leaves open the modes that a dealiased calculus does not keep: to compare, they must be resolved.
            if number == 1 && points.iter().any(|&n| n < 40) {
                continue;
            }
            let d = points.len();
            let (source, target) = (density(SOURCES[d - 1], d), density(TARGETS[d - 1], d));
            let mut operator = MongeAmpere::new(&source, Arc::new(target), calculus);
            let plain = direct(&mut operator, TOLERANCE).unwrap();
            let found = nested(&mut operator, TOLERANCE).unwrap();
            assert_eq!(found.coarser.is_empty(), points == [40, 40]);
            assert!(found.residual <= TOLERANCE && plain.residual <= TOLERANCE);
            // Residuals over the smallest eigenvalue of −L, which is above one.
            let error = sup_difference(&plain.p, &found.p);
            assert!(
                error < 2.0 * TOLERANCE,
                "{points:?}, calculus {number}: {error:e}"
            );
            assert!((plain.constant - found.constant).abs() < TOLERANCE);
        }
    }
}

/// Data that keep pace with the grid always leave it something to do; fixed ones do not.
#[test]
fn newton_steps_on_the_grid_do_not_grow_with_it() {
    let counts = [64, 128, 256, 512].map(|n| {
        let mut operator = square(n, bumps(n as f64 / 16.0));
        let found = nested(&mut operator, TOLERANCE).unwrap();
        assert!(found.residual <= TOLERANCE);
        (found.newton_steps, found.krylov)
    });
    assert!(
        counts.iter().all(|&(newton, _)| (1..=3).contains(&newton)),
        "{counts:?}"
    );
    let most = counts.iter().map(|&(_, krylov)| krylov).max();
    assert!(most <= Some(counts[0].1 + 8), "{counts:?}");
    for n in [256, 512] {
        let found = nested(&mut operator(&torus(&[n, n])), TOLERANCE).unwrap();
        assert_eq!((found.newton_steps, found.krylov), (0, 0));
        assert!(found.residual <= TOLERANCE);
        let steps: Vec<usize> = found
            .coarser
            .iter()
            .map(|level| level.newton_steps)
            .collect();
        assert!(
            steps.len() >= 4 && steps.iter().sum::<usize>() <= 8,
            "{steps:?}"
        );
    }
}

/// A source that the coarsest grid takes for a constant: nothing is left to do there, yet nothing is resolved.
#[test]
fn a_grid_that_does_not_see_the_source_is_not_taken_for_one_that_resolves_it() {
    let (source, target) = (density("0.5*cos(2*pi*10*x)", 2), density("0", 2));
    let found = nested(&mut square(512, (source, target)), TOLERANCE).unwrap();
    assert_eq!(found.newton_steps, 0);
    let (first, last) = (&found.coarser[0], found.coarser.last().unwrap());
    assert!(first.points == [16, 16] && first.newton_steps == 0);
    assert_eq!(last.points, [256, 256]);
}

/// A target of modes 8 and 10 that a map from a nearly flat source has to follow.
fn wavy() -> (Density, Density) {
    let target = "cos(2*pi*8*x) + sin(2*pi*10*y)";
    (density("0.5*cos(2*pi*x)", 2), density(target, 2))
}

#[test]
fn coarse_grids_that_fail_are_passed_over() {
    for (n, used) in [(64, &[][..]), (128, &[64])] {
        let mut operator = square(n, wavy());
        let plain = direct(&mut operator, TOLERANCE).unwrap();
        let found = nested(&mut operator, TOLERANCE).unwrap();
        let points: Vec<usize> = found.coarser.iter().map(|level| level.points[0]).collect();
        assert_eq!(points, used);
        assert!(found.residual <= TOLERANCE);
        let error = sup_difference(&plain.p, &found.p);
        assert!(error < 2.0 * TOLERANCE, "{n}: {error:e}");
        assert!(used.is_empty() || 2 * found.newton_steps < plain.newton_steps);
    }
}

/// Newton's method far from the solution takes hundredths of its steps; coarse grids go that way for the fine one.
#[test]
fn coarse_grids_find_a_way_that_newtons_method_alone_does_not() {
    let mut operator = square(128, (needle([0.3, 0.4], 0.04), needle([0.6, 0.7], 0.05)));
    let lost = direct(&mut operator, TOLERANCE);
    assert!(matches!(lost, Err(Error::NoConvergence { .. })), "{lost:?}");
    let found = nested(&mut operator, TOLERANCE).unwrap();
    assert!(found.residual <= TOLERANCE);
    let floor = found.residual + found.round_off;
    assert!(residual(&mut operator, &found.p) <= floor);
}

/// The equation that p solves, with f exact at the nodes.
fn manufactured(points: &[usize]) -> (MongeAmpere, Vec<f64>) {
    let torus = torus(points);
    let d = torus.dimension();
    let target = density(TARGETS[d - 1], d);
    let p = potential(d);
    let log_rho = pulled_back(&torus, &p, &target);
    let source = log_rho.iter().map(|l| -l).collect();
    let calculus = Box::new(Spectral::new(&torus));
    (
        MongeAmpere::from_values(source, Arc::new(target), calculus),
        p.on(&torus),
    )
}

#[test]
fn the_residual_keeps_the_tolerance_and_bounds_the_error() {
    for points in [&[512][..], &[128, 128], &[64, 48, 32]] {
        let (mut operator, exact) = manufactured(points);
        for tolerance in [1e-2, 1e-4, 1e-6, 1e-8, 1e-10] {
            let found = nested(&mut operator, tolerance).unwrap();
            assert!(
                found.residual <= tolerance,
                "{points:?}: {:e}",
                found.residual
            );
            assert!(mean(&found.p).abs() < 1e-15);
            let again = residual(&mut operator, &found.p);
            assert!(
                again <= found.residual + found.round_off,
                "{points:?}: {again:e} {found:?}"
            );
            // log ρ is off by the residual at most, and −L has no eigenvalue below one.
            let error = sup_difference(&found.p, &exact);
            assert!(
                error <= 2.0 * found.residual + 1e-14,
                "{points:?}: {error:e}"
            );
        }
    }
}

/// Rounding of values, magnified by second derivatives, ends Newton's method on the grid; it is not in derivatives carried over from
/// coarse grids, and is said.
#[test]
fn rounding_of_the_values_is_no_bar_and_is_reported() {
    let (mut operator, exact) = manufactured(&[16384]);
    let plain = direct(&mut operator, TOLERANCE).unwrap();
    assert!(
        plain.residual > TOLERANCE && plain.residual <= plain.round_off,
        "{plain:?}"
    );
    let found = nested(&mut operator, TOLERANCE).unwrap();
    assert!(found.residual <= TOLERANCE);
    assert!(sup_difference(&found.p, &exact) <= 1e-12);
    let of_values = residual(&mut operator, &found.p);
    assert!(of_values > TOLERANCE && of_values <= found.round_off);
    assert!(
        found.round_off < 20.0 * of_values,
        "{:e} {of_values:e}",
        found.round_off
    );
}

#[test]
fn a_start_that_is_the_better_one_is_used() {
    let mut operator = square(128, bumps(8.0));
    let solution = nested(&mut operator, 1e-12).unwrap();
    let again = solve_elliptic(&mut operator, &solution.p, TOLERANCE).unwrap();
    assert!(again.newton_steps == 0 && again.coarser.is_empty());
    assert!(sup_difference(&again.p, &solution.p) < 1e-15);
    // Modes that no coarse grid has, of which the coarse solution knows nothing.
    let near: Vec<f64> = (0..solution.p.len())
        .map(|i| {
            solution.p[i]
                + 1e-11 * (2.0 * std::f64::consts::PI * 40.0 * operator.torus().node(i)[0]).cos()
        })
        .collect();
    let off = residual(&mut operator, &near);
    let found = solve_elliptic(&mut operator, &near, TOLERANCE).unwrap();
    assert!(
        off > 1e-7 && found.newton_steps <= 2,
        "{off:e} {}",
        found.newton_steps
    );
    assert!(sup_difference(&found.p, &solution.p) < 2.0 * TOLERANCE);
    let fresh = nested(&mut operator, TOLERANCE).unwrap();
    assert!(found.krylov < fresh.krylov);
}

#[test]
fn a_start_that_is_not_convex_is_refused_and_hopeless_data_are_an_error() {
    let torus = torus(&[64, 64]);
    let mut operator = operator(&torus);
    let folded: Vec<f64> = potential(2).scaled(10.0).on(&torus);
    let refused = solve_elliptic(&mut operator, &folded, TOLERANCE);
    assert!(
        matches!(refused, Err(Error::LostConvexity { .. })),
        "{refused:?}"
    );
    let mut operator = square(64, (needle([0.3, 0.4], 0.015), needle([0.6, 0.7], 0.015)));
    assert!(nested(&mut operator, TOLERANCE).is_err());
    // What was tried leaves no trace.
    let zero = vec![0.0; operator.torus().len()];
    let mut rate = zero.clone();
    operator.rate(&zero, &mut rate).unwrap();
    let (f, mut g) = (operator.source().to_vec(), zero);
    g.copy_from_slice(&needle([0.6, 0.7], 0.015).on(operator.torus()));
    assert!((0..f.len()).all(|i| rate[i] == f[i] - g[i]));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let found = nested(&mut square(256, bumps(16.0)), TOLERANCE).unwrap();
            assert!(found.newton_steps > 0);
            found.p.iter().map(|p| p.to_bits()).collect::<Vec<_>>()
        })
    };
    let once = on(1);
    assert!(once == on(2) && once == on(3));
}
