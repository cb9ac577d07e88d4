//! Lower bounds for the logarithmic Sobolev constant of a density on the unit torus.
//!
//! κ is a constant in `KL(μ|e^{-f}) ≤ I(μ|e^{-f})/(2κ)` for all μ, `I = ∫ μ |∇ ln(μ/e^{-f})|²`. With it and A_t ⪰ λ the mirror flow
//! decays at least at the rate 2κλ in KL (THEORY §6), Fokker–Planck at 2κ. κ is at most the spectral gap of Fokker–Planck
//! ([`crate::spectrum::smallest_modes`] with B = I). Each bound is a theorem; the numbers in it
//! (suprema, integrals) are those of the trigonometric interpolant of f on a finer grid.

mod bobkov_goetze;
mod holley_stroock;
mod near_product;
mod stretched;

use crate::error::{Error, Result};
use crate::parallel::sup;
use crate::resample::refine;
use crate::torus::Torus;
use std::f64::consts::PI;
use std::fmt;

/// κ of the uniform density on the unit torus.
const UNIFORM: f64 = 4.0 * PI * PI;
/// Nodes along each axis of the finer grid, at least, by dimension; and at least twice those of the grid.
const FINE: [usize; 3] = [8192, 512, 64];

/// A valid constant and the argument that gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogSobolev {
    pub kappa: f64,
    pub method: Method,
}

/// How a constant was obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Any dimension.
    HolleyStroock,
    /// One dimension.
    BobkovGoetze,
    /// One dimension.
    Stretched,
    /// Two or three dimensions.
    NearProduct,
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::HolleyStroock => "Holley–Stroock",
            Self::BobkovGoetze => "Bobkov–Götze (constants of Barthe–Roberto)",
            Self::Stretched => "Holley–Stroock in a stretched coordinate",
            Self::NearProduct => "tensor product over the axes, Holley–Stroock for the coupling",
        })
    }
}

/// Every bound that applies to `e^{-f}`, f at the nodes up to a constant.
///
/// # Errors
/// [`Error::NonFinite`].
///
/// # Panics
/// If f has another length than the torus.
pub fn bounds(torus: &Torus, f: &[f64]) -> Result<Vec<LogSobolev>> {
    assert_eq!(f.len(), torus.len());
    if !sup(f).is_finite() {
        return Err(Error::NonFinite {
            quantity: "f",
            when: "at a node".into(),
            remedy: "a logarithmic Sobolev constant needs a density that is positive everywhere"
                .into(),
        });
    }
    let first = holley_stroock::holley_stroock(torus, f);
    Ok(if torus.dimension() == 1 {
        let bobkov_goetze = bobkov_goetze::bobkov_goetze(torus, f);
        vec![first, bobkov_goetze, stretched::stretched(torus, f)]
    } else {
        vec![first, near_product::near_product(torus, f)?]
    })
}

/// The largest of [`bounds`].
///
/// # Errors
/// As [`bounds`].
pub fn best(torus: &Torus, f: &[f64]) -> Result<LogSobolev> {
    let all = bounds(torus, f)?;
    Ok(all
        .into_iter()
        .reduce(|a, b| if b.kappa > a.kappa { b } else { a })
        .expect("Holley–Stroock always applies"))
}

/// The trigonometric interpolant of f on a finer grid, which contains the nodes.
fn refined(torus: &Torus, f: &[f64]) -> (Torus, Vec<f64>) {
    let least = FINE[torus.dimension() - 1];
    let fine = torus
        .resized(|n| n * least.div_ceil(n).max(2))
        .expect("a multiple of a grid is a grid");
    let f = refine(torus, f, &fine);
    (fine, f)
}

#[cfg(test)]
mod tests;
