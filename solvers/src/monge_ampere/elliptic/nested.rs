//! Nested iteration: the elliptic equation on coarse grids first.
//!
//! Each grid begins at the interpolated solution of the one before, whose error is that of the coarser grid. That error is squared,
//! roughly, by a doubling of the nodes when the data are smooth, and by one Newton step: so a grid takes about one step until the
//! solution is resolved, and the grid asked for may have none left to take. Hackbusch, *Multi-Grid Methods and Applications*
//! (1985), §5.
//!
//! Derivatives are interpolated with the potential, and Newton's method finds a correction to it. Second derivatives of values on
//! a fine grid magnify their rounding by (πn)²; those of the correction magnify only its own, and those carried over are as
//! accurate as the coarse grid had them.
//!
//! A coarse grid that does not resolve the data may hold a potential whose interpolant is not convex. It is smoothed then by a
//! positive kernel: ∇²u, positive at the coarse nodes, stays so between them.

use super::newton::{Asked, Elliptic, MOST_NEWTON_STEPS, centre, deviation, round_off, spread};
use super::resolution::Resolution;
use super::{Brenier, Level, hierarchy, rounding};
use crate::calculus::{Derivatives, Spectral};
use crate::density::Order;
use crate::error::Result;
use crate::monge_ampere::operator::{MongeAmpere, Potential};
use crate::parallel::{axpy, sup};
use crate::resample::{Kernel, Refinement, coarsen};
use crate::torus::Torus;
use crate::watch;

/// Newton steps on a coarser grid. Far from the solution a step goes only part of its way; here that costs little.
const MOST_COARSE_STEPS: usize = 100;
/// Residual asked of a coarse grid that resolves the solution, in units of the one asked for: the nodes between see a little more.
const COARSE_MARGIN: f64 = 0.3;

/// Part of the deviation of f by which a grid that sees its modes may fall short: those that it does not hold are below 1e-6 of f.
const LOST: f64 = 1e-12;

/// Solves for the Brenier potential, to a sup-residual below `tolerance` or below what rounding allows ([`Elliptic::solve`]), from the
/// periodic part `start` or from what coarser grids find, whichever is better.
///
/// Coarser grids halve the nodes down to sixteen along each axis; they take the modes of f and of the start that they hold, and
/// are spectral whatever the calculus of the grid itself. One that fails is passed over. Newton steps on the grid itself do not
/// grow with its nodes; with a spectral calculus and data that a coarser grid resolves there are none.
///
/// # Errors
/// [`crate::Error::LostConvexity`] when the start is not convex and coarser grids do not help, [`crate::Error::NoConvergence`].
pub fn solve_elliptic(
    operator: &mut MongeAmpere,
    start: &[f64],
    tolerance: f64,
) -> Result<Brenier> {
    let start = Start::new(operator, start);
    let (mut coarse, mut levels) = (None, Vec::new());
    if start.residual > tolerance {
        coarse = solution_of_coarser_grids(operator, start.p, tolerance, &mut levels);
    }
    let asked = &mut |_: &MongeAmpere| tolerance;
    let before = 1.0 - operator.torus().len() as f64 / nodes_with_coarser(operator.torus());
    let mut found = watch::part((before, 1.0), || {
        on_grid(operator, &start, coarse.as_ref(), asked, MOST_NEWTON_STEPS)
    })?;
    found.coarser = levels;
    Ok(found)
}

/// Nodes of a grid and of all its coarser ones together: what each has of them is about its part of the work.
fn nodes_with_coarser(torus: &Torus) -> f64 {
    let coarser = hierarchy::coarser(torus);
    (torus.len() + coarser.iter().map(Torus::len).sum::<usize>()) as f64
}

/// The start that was given, cut to a grid.
struct Start<'a> {
    p: &'a [f64],
    /// Its sup-residual; infinite where it is not convex, and for zero, which is no guess.
    residual: f64,
}

impl<'a> Start<'a> {
    fn new(operator: &mut MongeAmpere, p: &'a [f64]) -> Self {
        let mut residual = f64::INFINITY;
        if !is_zero(p) {
            let mut rate = vec![0.0; p.len()];
            if operator.rate(p, &mut rate).is_ok() {
                residual = spread(&rate);
            }
        }
        Self { p, residual }
    }
}

/// A solution on a coarser grid, with its derivatives at the nodes.
struct Coarse {
    torus: Torus,
    potential: Potential,
}

/// The solution on the finest coarser grid that has one; or on the first that sees the source and found nothing left to do, as finer
/// ones would not either.
fn solution_of_coarser_grids(
    operator: &MongeAmpere,
    start: &[f64],
    tolerance: f64,
    levels: &mut Vec<Level>,
) -> Option<Coarse> {
    let mut best = None;
    let all = deviation(operator.source());
    let (mut done, all_nodes) = (0.0, nodes_with_coarser(operator.torus()));
    for (torus, source, start) in restrictions(operator, start).into_iter().rev() {
        let calculus = Box::new(Spectral::new(&torus));
        let seen = deviation(&source) >= (1.0 - LOST) * all;
        let mut coarse = MongeAmpere::from_values(source, operator.target.clone(), calculus);
        let mut resolution = Resolution::new(&torus);
        let asked = &mut |coarse: &MongeAmpere| {
            let unseen = resolution.unseen(&coarse.derivatives);
            unseen.max(COARSE_MARGIN * tolerance)
        };
        let start = Start::new(&mut coarse, &start);
        let before = done;
        done += torus.len() as f64 / all_nodes;
        let found = watch::part((before, done), || {
            on_grid(&mut coarse, &start, best.as_ref(), asked, MOST_COARSE_STEPS)
        });
        let Ok(found) = found else { continue };
        levels.push(Level {
            points: torus.points().to_vec(),
            newton_steps: found.newton_steps,
            krylov: found.krylov,
            residual: found.residual,
        });
        let potential = Potential {
            p: found.p,
            derivatives: coarse.derivatives,
        };
        best = Some(Coarse { torus, potential });
        if seen && found.newton_steps == 0 && found.residual <= tolerance {
            break;
        }
    }
    best
}

/// The coarser grids with the modes of the source and of the start that they hold, finest first.
fn restrictions(operator: &MongeAmpere, start: &[f64]) -> Vec<(Torus, Vec<f64>, Vec<f64>)> {
    let mut all: Vec<(Torus, Vec<f64>, Vec<f64>)> = Vec::new();
    for torus in hierarchy::coarser(operator.torus()) {
        let (finer, source, start) = match all.last() {
            Some((finer, source, start)) => (finer, source.as_slice(), start.as_slice()),
            None => (operator.torus(), operator.source(), start),
        };
        let source = coarsen(finer, source, &torus);
        let start = if is_zero(start) {
            vec![0.0; torus.len()]
        } else {
            coarsen(finer, start, &torus)
        };
        all.push((torus, source, start));
    }
    all
}

/// Newton's method on one grid from the solution of a coarser one, if that is convex here and better than the given start; else, or if
/// it fails, from the given start.
fn on_grid(
    operator: &mut MongeAmpere,
    start: &Start,
    coarse: Option<&Coarse>,
    asked: &mut Asked,
    most: usize,
) -> Result<Brenier> {
    let improved = coarse.and_then(|coarse| from_coarse(operator, start, coarse, asked, most));
    match improved {
        Some(found) => Ok(found),
        None => newton(operator, start.p, asked, most),
    }
}

fn newton(
    operator: &mut MongeAmpere,
    start: &[f64],
    asked: &mut Asked,
    most: usize,
) -> Result<Brenier> {
    Elliptic::new(operator, Order::Gradient).solve_to(operator, start, asked, most)
}

/// The interpolated solution where it is one here too, else corrected. No Newton workspace is allocated before it is needed.
fn from_coarse(
    operator: &mut MongeAmpere,
    start: &Start,
    coarse: &Coarse,
    asked: &mut Asked,
    most: usize,
) -> Option<Brenier> {
    let (mut found, carried) = interpolated(operator, coarse, Kernel::Dirichlet)
        .or_else(|| interpolated(operator, coarse, Kernel::Jackson))?;
    if found.residual > start.residual {
        return None;
    }
    let rounded = if carried { 0.0 } else { sup(&found.p) };
    let floor = rounding::of_values(operator.torus(), rounded);
    if found.residual <= asked(operator).max(floor) {
        found.round_off = round_off(operator, &found.p);
        return Some(found);
    }
    if carried {
        corrected(operator, found.p, asked, most)
    } else {
        newton(operator, &found.p, asked, most).ok()
    }
}

/// `p` and what Newton's method adds to it, p with the derivatives that the operator holds.
fn corrected(
    operator: &mut MongeAmpere,
    p: Vec<f64>,
    asked: &mut Asked,
    most: usize,
) -> Option<Brenier> {
    let empty = Derivatives::zeros(operator.torus());
    let derivatives = std::mem::replace(&mut operator.derivatives, empty);
    let zero = vec![0.0; p.len()];
    operator.base = Some(Potential { p, derivatives });
    let correction = newton(operator, &zero, asked, most);
    let base = operator.base.take().expect("set above");
    let mut found = correction.ok()?;
    axpy(1.0, &base.p, &mut found.p);
    centre(&mut found.p);
    Some(found)
}

/// The solution of a coarser grid on this one with its residual here, and whether its derivatives were carried over: those of a spectral
/// calculus, where interpolation commutes with ∂. `None` where it is not convex.
fn interpolated(
    operator: &mut MongeAmpere,
    coarse: &Coarse,
    kernel: Kernel,
) -> Option<(Brenier, bool)> {
    let mut refinement = Refinement::new(&coarse.torus, operator.torus(), kernel);
    let mut p = vec![0.0; operator.torus().len()];
    refinement.apply(&coarse.potential.p, &mut p);
    operator.calculus.project(&mut p);
    let mut found = Brenier::unsolved(p);
    let mut rate = vec![0.0; found.p.len()];
    let carried = operator.calculus.order().is_none();
    if carried {
        let (from, to) = (&coarse.potential.derivatives, &mut operator.derivatives);
        let from = from.gradient.iter().chain(&from.hessian);
        for (from, to) in from.zip(to.gradient.iter_mut().chain(&mut to.hessian)) {
            refinement.apply(from, to);
            operator.calculus.project(to);
        }
        operator.rate_here(&mut rate).ok()?;
    } else {
        operator.rate(&found.p, &mut rate).ok()?;
    }
    found.measure(&rate);
    Some((found, carried))
}

fn is_zero(p: &[f64]) -> bool {
    p.iter().all(|&p| p == 0.0)
}
