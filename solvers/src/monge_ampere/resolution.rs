//! Whether a grid resolves a flow.
//!
//! The rate `∂_t u = f + log ρ` has two derivatives of u in it and shows first what a grid cannot hold; near the end of a flow it is
//! smooth whatever u is, and log det ∇²u still tells. A grid of n points holds wavenumbers below n/2; what a smooth field has near them says how
//! much it has beyond. So the measure is the sum of the moduli of the Fourier coefficients with |k_i| ≥ 0.4 n_i of one or the other: a bound of the
//! error of log ρ that the grid makes where modes fall geometrically, and a generous one.

use crate::fourier::{Complex64, Fourier};
use crate::resolution::Moduli;

/// Wavenumbers from this part of n on are near or beyond what n points hold.
pub const EDGE: f64 = 0.4;

/// A flow is unresolved when more than this is left out of log ρ at an asked time: its error is of that size, and ρ is no longer right to
/// four digits.
pub const UNRESOLVED: f64 = 1e-4;

/// A flow is unresolved when what the grid that it is computed on leaves out of `∂_t u` adds up to more than this over time: by the comparison
/// principle that bounds the error of p.
pub const UNRESOLVED_PATH: f64 = 1e-5;

/// What a grid of so many points along each axis leaves out of the field with these moduli.
pub fn left_out(moduli: &Moduli, points: &[usize]) -> f64 {
    moduli.beyond(EDGE, points)
}

/// Largest |p̂_k| with some |k_i| > n_i/3, relative to the largest of all. `spectrum` is work space of the length that `fourier` has modes.
pub fn spectral_tail(fourier: &mut Fourier, spectrum: &mut [Complex64], p: &[f64]) -> f64 {
    fourier.forward(p, spectrum);
    let torus = fourier.torus();
    let third: Vec<f64> = torus.points().iter().map(|&n| n as f64 / 3.0).collect();
    let axes = 0..torus.dimension();
    let wavenumbers: Vec<_> = axes.map(|axis| fourier.wavenumbers(axis)).collect();
    // The imaginary part is no longer needed: it carries the size of the tail modes.
    fourier.for_each_mode(spectrum, |value, index| {
        let high = wavenumbers
            .iter()
            .zip(index)
            .zip(&third)
            .any(|((k, &i), third)| k[i].abs() > *third);
        let size = value.norm();
        *value = Complex64::new(size, if high { size } else { 0.0 });
    });
    let (all, tail) = spectrum
        .iter()
        .fold((0.0f64, 0.0f64), |(a, t), v| (a.max(v.re), t.max(v.im)));
    if all > 0.0 { tail / all } else { 0.0 }
}
