//! The gap in closed form: for potentials whose maps are more than a node apart.

use super::{FenchelGap, MOST_ITERATIONS, Pair, correct, largest, not_converged, settled};
use crate::calculus::Derivatives;
use crate::error::Result;
use crate::interpolation::Interpolant;
use crate::legendre::conjugate;
use crate::parallel::axpy;
use crate::torus::Torus;

/// z from the Legendre transform of ψ_ρ, read off the nodes and polished by Newton's method; `gradient` is ∇q_π at the nodes.
pub(super) fn far(torus: &Torus, q_rho: &[f64], pair: &mut Pair) -> Result<FenchelGap> {
    let nodes = torus.nodes();
    let shifted = |by: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let add = |(y, by): (&Vec<f64>, &Vec<f64>)| y.iter().zip(by).map(|(y, b)| y + b).collect();
        nodes.iter().zip(by).map(add).collect()
    };
    // ∇q_π.
    for (push, slope) in pair.push.iter_mut().zip(&pair.rho.gradient) {
        axpy(1.0, slope, push);
    }
    let gradient = &pair.push;
    // δ = (x − y) + (z − x).
    let inverse = conjugate(torus, q_rho)?.displacement;
    let mut delta = evaluate(torus, inverse.iter(), &shifted(gradient));
    for (delta, gradient) in delta.iter_mut().zip(gradient) {
        axpy(1.0, gradient, delta);
    }
    polish(torus, &pair.rho, gradient, &shifted, &mut delta)?;
    let value = evaluate(torus, std::iter::once(&q_rho.to_vec()), &shifted(&delta)).swap_remove(0);
    let gap = |i: usize| -> f64 {
        let terms = gradient.iter().zip(&delta);
        let slope: f64 = terms
            .map(|(g, delta)| (g[i] - 0.5 * delta[i]) * delta[i])
            .sum();
        (q_rho[i] - value[i]) + slope
    };
    Ok(FenchelGap {
        gap: (0..torus.len()).map(gap).collect(),
        displacement: delta,
    })
}

/// Newton's method for `δ + ∇q_ρ(y + δ) = ∇q_π(y)`.
fn polish(
    torus: &Torus,
    rho: &Derivatives,
    gradient: &[Vec<f64>],
    shifted: &impl Fn(&[Vec<f64>]) -> Vec<Vec<f64>>,
    delta: &mut [Vec<f64>],
) -> Result<()> {
    let fields = rho.gradient.iter().chain(&rho.hessian);
    let fields: Vec<&[f64]> = fields.map(Vec::as_slice).collect();
    let slopes = Interpolant::new(torus, &fields);
    let mut at: Vec<Vec<f64>> = fields.iter().map(|field| field.to_vec()).collect();
    let mut last = f64::INFINITY;
    for _ in 0..MOST_ITERATIONS {
        let mut out: Vec<&mut [f64]> = at.iter_mut().map(Vec::as_mut_slice).collect();
        slopes.evaluate(&shifted(delta), &mut out);
        let (residual, hessian) = at.split_at_mut(delta.len());
        for ((residual, gradient), delta) in residual.iter_mut().zip(gradient).zip(&*delta) {
            for ((residual, gradient), delta) in residual.iter_mut().zip(gradient).zip(delta) {
                *residual = gradient - delta - *residual;
            }
        }
        let change = correct(hessian, residual, delta);
        if settled(change, largest(delta), last) {
            return Ok(());
        }
        last = change;
    }
    Err(not_converged(last))
}

/// Interpolants of fields at points.
fn evaluate<'a>(
    torus: &Torus,
    fields: impl Iterator<Item = &'a Vec<f64>>,
    points: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let fields: Vec<&[f64]> = fields.map(Vec::as_slice).collect();
    let mut values = vec![vec![0.0; points[0].len()]; fields.len()];
    let mut out: Vec<&mut [f64]> = values.iter_mut().map(Vec::as_mut_slice).collect();
    Interpolant::new(torus, &fields).evaluate(points, &mut out);
    values
}
