//! PMA with finite differences converges to the spectral solution at the order of the stencils.

mod common;

use common::*;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::calculus::{Calculus, FiniteDifference, Spectral};
use mirrorflow_solvers::monge_ampere::{MongeAmpere, Snapshot, solve_elliptic};
use mirrorflow_solvers::parallel::sup_difference;
use std::sync::Arc;

const END: f64 = 0.02;
/// Time error, far below the space errors measured.
const TOLERANCE: f64 = 1e-11;

fn operator_with(calculus: Box<dyn Calculus>) -> MongeAmpere {
    let d = calculus.torus().dimension();
    let (source, target) = (density(SOURCES[d - 1], d), density(TARGETS[d - 1], d));
    MongeAmpere::new(&source, Arc::new(target), calculus)
}

/// n nodes along the first axis and half as many again along the second, so that no axis passes for the other.
fn grid(dimension: usize, n: usize) -> Torus {
    torus(&[n, n + n / 2][..dimension])
}

/// The flow at [`END`], `order` None for spectral.
fn flow(dimension: usize, n: usize, order: Option<u32>, tolerance: f64) -> (Torus, Snapshot) {
    let torus = grid(dimension, n);
    let calculus: Box<dyn Calculus> = match order {
        None => Box::new(Spectral::new(&torus)),
        Some(order) => Box::new(FiniteDifference::new(&torus, order)),
    };
    let start = vec![0.0; torus.len()];
    let end = run(operator_with(calculus), adaptive(tolerance), &start, &[END]);
    (torus, end.into_iter().next().unwrap())
}

/// The values at the nodes that a coarser grid shares.
fn restrict(fine: &Torus, values: &[f64], coarse: &Torus) -> Vec<f64> {
    (0..coarse.len())
        .map(|node| {
            let same =
                |axis| coarse.index(node, axis) * fine.points()[axis] / coarse.points()[axis];
            values[(0..fine.dimension())
                .map(|axis| same(axis) * fine.stride(axis))
                .sum::<usize>()]
        })
        .collect()
}

#[test]
fn flows_converge_to_the_spectral_one_at_their_order() {
    for dimension in [1, 2] {
        let (fine, exact) = flow(dimension, 64, None, TOLERANCE);
        for order in [2, 4] {
            let errors = [16, 32, 64].map(|n| {
                let (coarse, found) = flow(dimension, n, Some(order), TOLERANCE);
                sup_difference(&found.p, &restrict(&fine, &exact.p, &coarse))
            });
            // The next term of the error is smaller by (2πkh)²: with modes up to k = 4, by 0.15 at 64 nodes and 0.6 at 32.
            for (observed, margin) in orders(&errors).into_iter().zip([0.6, 0.25]) {
                assert!(
                    (observed - f64::from(order)).abs() < margin,
                    "d = {dimension}: {errors:?}"
                );
            }
            assert!(
                errors[2] > 100.0 * TOLERANCE,
                "time error is in the way: {errors:?}"
            );
        }
    }
}

/// Half the nodes give the same values: what is left is the time error.
#[test]
fn spectral_flows_are_exact_on_grids_that_resolve_them() {
    for (dimension, n) in [(1, 64), (2, 40)] {
        let (fine, exact) = flow(dimension, 2 * n, None, TOLERANCE);
        let (coarse, found) = flow(dimension, n, None, TOLERANCE);
        let error = sup_difference(&found.p, &restrict(&fine, &exact.p, &coarse));
        assert!(error < 10.0 * TOLERANCE, "d = {dimension}: {error:e}");
    }
}

/// `∫ρ_t = 1` in the continuum for whatever convex u: the defect is the space error alone, of the order of the stencils.
#[test]
fn the_mass_defect_measures_the_space_error() {
    let defect = |n, order| flow(2, n, order, 1e-6).1.diagnosis.mass_defect;
    for order in [2, 4] {
        let defects = [16, 32, 64].map(|n| defect(n, Some(order)));
        assert!(
            (orders(&defects)[1] - f64::from(order)).abs() < 0.25,
            "{defects:?}"
        );
    }
    assert!(defect(64, None) < 1e-12);
}

/// The elliptic equation with the same stencils, where no time error exists.
#[test]
fn stationary_solutions_converge_at_their_order() {
    let (fine, start) = (grid(2, 64), vec![0.0; 64 * 96]);
    let mut spectral = operator_with(Box::new(Spectral::new(&fine)));
    let exact = solve_elliptic(&mut spectral, &start, 1e-12).unwrap().p;
    for order in [2, 4] {
        let errors = [16, 32, 64].map(|n| {
            let coarse = grid(2, n);
            let mut operator = operator_with(Box::new(FiniteDifference::new(&coarse, order)));
            let found = solve_elliptic(&mut operator, &vec![0.0; coarse.len()], 1e-12).unwrap();
            sup_difference(&found.p, &centred(&restrict(&fine, &exact, &coarse)))
        });
        assert!(
            (orders(&errors)[1] - f64::from(order)).abs() < 0.25,
            "{errors:?}"
        );
    }
}
