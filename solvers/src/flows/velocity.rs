//! The velocity of the mirror flow, `v = −A∇φ` with `A = (∇²u)^{-1}`, and what follows from it (THEORY §5).
//!
//! With A = I it is the velocity of the Wasserstein gradient flow.

use crate::error::Result;
use crate::monge_ampere::MongeAmpere;
use crate::parallel::{for_each_block, mean_of};
use crate::symmetric::{determinant, identity_plus, inverse, packed_len, position};

/// `v = −A∇φ` at the nodes from A, packed, and ∇φ.
pub fn velocity(a: &[Vec<f64>], gradient: &[Vec<f64>], v: &mut [Vec<f64>]) {
    let d = gradient.len();
    for (i, v) in v.iter_mut().enumerate() {
        for_each_block(v, |start, v| {
            for (k, v) in v.iter_mut().enumerate() {
                let node = start + k;
                let entry = |j: usize| a[position(d, i, j)][node] * gradient[j][node];
                *v = -(0..d).map(entry).sum::<f64>();
            }
        });
    }
}

/// The same from the periodic part p of u and φ: what the mirror coordinate knows.
///
/// # Errors
/// As [`MongeAmpere::rate`].
pub fn mirror_velocity(
    operator: &mut MongeAmpere,
    p: &[f64],
    phi: &[f64],
) -> Result<Vec<Vec<f64>>> {
    let d = operator.torus().dimension();
    operator.log_marginal(p, &mut vec![0.0; p.len()])?;
    let hessian = &operator.derivatives.hessian;
    let a: Vec<Vec<f64>> = (0..packed_len(d))
        .map(|component| {
            let at = |node| {
                let m = identity_plus(d, hessian, node);
                inverse(d, &m, determinant(d, &m))[component]
            };
            (0..p.len()).map(at).collect()
        })
        .collect();
    let mut gradient = vec![vec![0.0; p.len()]; d];
    operator.calculus().gradient(phi, &mut gradient);
    let mut v = gradient.clone();
    velocity(&a, &gradient, &mut v);
    Ok(v)
}

/// `‖v‖_{L²(ρ)} = (∫ρ|v|²)^{1/2}`: the speed of the flow, in the metric `LOT_{e^{-g}}` for the mirror flow and W₂ for the
/// gradient flow.
pub fn norm(log_rho: &[f64], v: &[Vec<f64>]) -> f64 {
    let square = |i: usize| log_rho[i].exp() * v.iter().map(|v| v[i] * v[i]).sum::<f64>();
    mean_of(log_rho.len(), square).sqrt()
}

/// `∫ρ ∇φ·A∇φ = −∫ρ ∇φ·v`: the rate at which the objective falls.
pub fn dissipation(log_rho: &[f64], gradient: &[Vec<f64>], v: &[Vec<f64>]) -> f64 {
    let inner = |i: usize| {
        gradient
            .iter()
            .zip(v)
            .map(|(g, v)| g[i] * v[i])
            .sum::<f64>()
    };
    -mean_of(log_rho.len(), |i| log_rho[i].exp() * inner(i))
}
