//! The spectral gap of a reversible diffusion: the smallest eigenvalues of `L w = −e^f ∇·(e^{-f} B ∇w)` in L²(e^{-f}).
//!
//! `B = A_∞ = (∇²u_∞)^{-1}` is the linearised mirror flow of KL(·|e^{-f}), whose sharp asymptotic rate in KL is twice the
//! gap (THEORY §6); B = I is Fokker–Planck, where the log-Sobolev constant is at most the gap.

mod conditional;
mod davidson;
pub(crate) mod dense;
mod ground_state;
mod preconditioner;
#[cfg(test)]
mod reference;

use crate::error::{Error, Result};
use crate::parallel::{axpy, dot, for_each_block, mean_of, sup};
use crate::symmetric::{Packed, extreme_eigenvalues, packed_len};
use crate::torus::Torus;
pub use conditional::{SinkhornRate, sinkhorn_rate};
use davidson::{Found, Search};
pub(crate) use ground_state::GroundState;

/// An eigenpair of L.
#[derive(Debug, Clone, PartialEq)]
pub struct Mode {
    pub eigenvalue: f64,
    /// w at the nodes: `∫w e^{-f} = 0`, `∫w² e^{-f} = 1`, and positive where `|w| e^{-f/2}` is largest (at the first
    /// such node). Accurate in L²(e^{-f}); where e^{-f} nearly vanishes, so does what is known of w.
    pub eigenfunction: Vec<f64>,
    /// `‖L w − λ w‖` in L²(e^{-f}), Nyquist modes included: what the grid leaves of the equation.
    pub residual: f64,
}

/// By how much an eigenvalue may be off whose residual is `residual` and whose nearest other eigenvalue is `distance` away: the residual
/// itself, or its square over the distance left (Kato 1949; Temple 1928), whichever is less. Multiple eigenvalues have distance zero.
pub fn uncertainty(residual: f64, distance: f64) -> f64 {
    let apart = distance - residual;
    if apart > residual {
        residual * residual / apart
    } else {
        residual
    }
}

/// Largest residual relative to the eigenvalue that is accepted: with more, no digit of it would be known for certain. What is between
/// this and rounding is for the caller to weigh ([`uncertainty`]).
const TOLERANCE: f64 = 1e-2;
/// What the iteration aims at, relative to the eigenvalue.
const GOAL: f64 = 1e-10;
/// Rounding of S in units of 2⁻⁵² times its spectral radius.
const ROUND_OFF: f64 = 0.25;
const MOST_ITERATIONS: usize = 400;
/// Eigenpairs iterated beyond the wanted ones: convergence depends on the first one that is not.
const GUARD: usize = 2;

/// The `count` smallest nonzero eigenvalues of `L w = −e^f ∇·(e^{-f} B ∇w)`, with multiplicity, in increasing order.
///
/// `log_density` is −f at the nodes, up to a constant; `b` has d(d+1)/2 components packed as in [`crate::symmetric`], the identity
/// when absent. Errors decay faster than any power of h for smooth data. The start is fixed and
/// all sums have a fixed order, so the bits are too.
///
/// Method: `e^{-f/2} L e^{f/2}` on the trigonometric polynomials without Nyquist modes, which is exactly symmetric
/// and keeps the constants out exactly; block Davidson iteration preconditioned by FFT. No inner
/// solves; a multiple eigenvalue comes out as often as it occurs.
///
/// # Errors
/// [`Error::Grid`] when the grid carries fewer modes than asked, [`Error::NonFinite`], [`Error::Density`] when B is not positive definite,
/// [`Error::NoConvergence`] when a residual exceeds a hundredth of its eigenvalue: the data are not resolved.
///
/// # Panics
/// If a field has another length than the torus.
pub fn smallest_modes(
    torus: &Torus,
    log_density: &[f64],
    b: Option<&[Vec<f64>]>,
    count: usize,
) -> Result<Vec<Mode>> {
    let (modes, iterations) = unjudged_modes(torus, log_density, b, count)?;
    match modes
        .iter()
        .find(|mode| mode.residual.is_nan() || mode.residual > TOLERANCE * mode.eigenvalue)
    {
        None => Ok(modes),
        Some(mode) => Err(Error::NoConvergence {
            what: "the smallest eigenvalues of the weighted Laplacian",
            residual: mode.residual,
            iterations,
            tolerance: TOLERANCE * mode.eigenvalue,
            remedy: "use more points: the density or the matrix field is not resolved".into(),
        }),
    }
}

/// [`smallest_modes`] with whatever residuals the grid allows, and the iterations spent.
fn unjudged_modes(
    torus: &Torus,
    log_density: &[f64],
    b: Option<&[Vec<f64>]>,
    count: usize,
) -> Result<(Vec<Mode>, usize)> {
    check(torus, log_density, b, count)?;
    let mut operator = GroundState::new(torus, log_density, b);
    let search = Search {
        count,
        relative: GOAL,
        absolute: ROUND_OFF * f64::EPSILON * operator.radius(),
        most_iterations: MOST_ITERATIONS,
    };
    let found = search_from_noise(&mut operator, &search)?;
    let modes = (0..count).map(|j| mode(&mut operator, log_density, &found, j));
    Ok((modes.collect(), found.iterations))
}

fn search_from_noise(operator: &mut GroundState, search: &Search) -> Result<Found> {
    let width = (search.count + GUARD).min(carried(operator.torus()));
    let start = (0..width as u64)
        .map(|seed| smooth_noise(operator, seed))
        .collect();
    let kernel = operator.ground().to_vec();
    let operator = std::cell::RefCell::new(operator);
    search.smallest(
        |v, out| operator.borrow_mut().apply(v, out),
        |v, out| operator.borrow_mut().precondition(v, out),
        &kernel,
        start,
    )
}

/// Nonzero eigenvalues on the grid: modes other than Nyquist ones, less the constants.
fn carried(torus: &Torus) -> usize {
    torus.points().iter().map(|n| n - 1).product::<usize>() - 1
}

/// A field without symmetries, so that no eigenfunction is orthogonal to it: fixed noise, smoothed by the preconditioner.
fn smooth_noise(operator: &mut GroundState, seed: u64) -> Vec<f64> {
    let n = operator.torus().len();
    let mut noise: Vec<f64> = (0..n as u64).map(|i| hash(seed << 40 | i)).collect();
    operator.project(&mut noise);
    let mut smooth = vec![0.0; n];
    operator.precondition(&noise, &mut smooth);
    smooth
}

/// Uniform in (−½, ½); the finaliser of SplitMix64 (Steele, Lea & Flood 2014).
fn hash(i: u64) -> f64 {
    let mut z = i.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / u64::MAX as f64 - 0.5
}

/// The Ritz pair j as an eigenpair of L, with its true residual.
fn mode(operator: &mut GroundState, log_density: &[f64], found: &Found, j: usize) -> Mode {
    let n = operator.torus().len();
    let v = &found.vectors[j];
    let mut image = vec![0.0; n];
    operator.apply_at_nodes(v, &mut image);
    let eigenvalue = dot(v, &image) / dot(v, v);
    axpy(-eigenvalue, v, &mut image);
    let residual = (dot(&image, &image) / dot(v, v)).sqrt();
    // e^{-f} of unit mass; w = e^{f/2} v.
    let log_mass = log_mean_exp(log_density);
    let largest = sup(v);
    let first = v.iter().position(|v| v.abs() > (1.0 - 1e-6) * largest);
    let sign = first.map_or(1.0, |i| v[i].signum());
    let scale = sign * (n as f64 / dot(v, v)).sqrt();
    let mut eigenfunction = vec![0.0; n];
    for_each_block(&mut eigenfunction, |start, w| {
        for (k, w) in w.iter_mut().enumerate() {
            let i = start + k;
            *w = scale * v[i] * (0.5 * (log_mass - log_density[i])).exp();
        }
    });
    Mode {
        eigenvalue,
        eigenfunction,
        residual,
    }
}

/// `ln ∫ e^{l}`.
fn log_mean_exp(l: &[f64]) -> f64 {
    let top = l.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    top + mean_of(l.len(), |i| (l[i] - top).exp()).ln()
}

fn check(torus: &Torus, log_density: &[f64], b: Option<&[Vec<f64>]>, count: usize) -> Result<()> {
    let (d, n) = (torus.dimension(), torus.len());
    assert_eq!(log_density.len(), n);
    if !sup(log_density).is_finite() {
        return Err(Error::NonFinite {
            quantity: "the log-density",
            when: "at a node".into(),
            remedy: "an eigenvalue needs a density that is positive everywhere".into(),
        });
    }
    if count > carried(torus) {
        return Err(Error::Grid {
            points: torus.points().to_vec(),
            reason: format!("it carries {} modes, {count} asked", carried(torus)),
        });
    }
    let Some(b) = b else { return Ok(()) };
    assert_eq!(b.len(), packed_len(d));
    for node in 0..n {
        let mut m: Packed = [0.0; 6];
        for (m, b) in m.iter_mut().zip(b) {
            *m = b[node];
        }
        let smallest = extreme_eigenvalues(d, &m).0;
        if !(smallest > 0.0 && smallest.is_finite()) {
            return Err(Error::Density {
                reason: format!(
                    "the matrix field of the weighted Laplacian has eigenvalue {smallest:.3e} at x = {:?}",
                    torus.node(node)
                ),
                remedy: "it must be positive definite".into(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
