//! Several axes: the tensor product of the bounds along each, and Holley–Stroock for what couples them.

use super::holley_stroock::oscillation;
use super::{LogSobolev, Method, best};
use crate::error::Result;
use crate::torus::Torus;

/// `κ = e^{−osc r} min_i κ_i` for `f = Σ_i f_i(x_i) + r`, κ_i the best bound for `e^{-f_i}` on the circle.
///
/// A product has the smallest constant of its factors (Gross 1975), and r is a bounded perturbation (Holley & Stroock 1987). Any
/// splitting is valid; f_i is the mean of f over the other axes.
///
/// # Errors
/// As [`best`].
pub fn near_product(torus: &Torus, f: &[f64]) -> Result<LogSobolev> {
    let mut rest = f.to_vec();
    let mut smallest = f64::INFINITY;
    for axis in 0..torus.dimension() {
        let n = torus.points()[axis];
        let mut along = vec![0.0; n];
        for (i, f) in f.iter().enumerate() {
            along[torus.index(i, axis)] += f * n as f64 / torus.len() as f64;
        }
        for (i, rest) in rest.iter_mut().enumerate() {
            *rest -= along[torus.index(i, axis)];
        }
        smallest = smallest.min(best(&Torus::new(&[n])?, &along)?.kappa);
    }
    Ok(LogSobolev {
        kappa: smallest * (-oscillation(torus, &rest)).exp(),
        method: Method::NearProduct,
    })
}
