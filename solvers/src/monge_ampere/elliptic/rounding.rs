//! What rounding leaves of the residual of the elliptic equation.

use crate::monge_ampere::operator::MongeAmpere;
use crate::parallel::max_of;
use crate::symmetric::{determinant, identity_plus, inverse, position};
use crate::torus::Torus;

/// `4·2^{-52} (1 + Σ(πn_i)² size)`: second derivatives of values of this size, each rounded.
pub(super) fn of_values(torus: &Torus, size: f64) -> f64 {
    let square = |&n: &usize| (std::f64::consts::PI * n as f64).powi(2);
    let modes: f64 = torus.points().iter().map(square).sum();
    4.0 * f64::EPSILON * (modes * size + 1.0)
}

/// `max tr(A)/d`, by which log det multiplies an error of ∇²u, at the potential that `operator` evaluated last.
pub(super) fn amplification(operator: &MongeAmpere) -> f64 {
    let (d, hessian) = (operator.torus().dimension(), &operator.derivatives.hessian);
    max_of(operator.torus().len(), |i| {
        let m = identity_plus(d, hessian, i);
        let a = inverse(d, &m, determinant(d, &m));
        (0..d).map(|k| a[position(d, k, k)]).sum::<f64>() / d as f64
    })
}
