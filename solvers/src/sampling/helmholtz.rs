//! What keeps a map of the torus from being optimal: the part of its displacement that is not a gradient.

use crate::calculus::{Calculus, Spectral};
use crate::fourier::{Fourier, angular};
use crate::parallel::{mean, mean_of};
use crate::torus::Torus;

/// `D = m + ∇φ + R`, R divergence-free of mean zero, φ periodic: three parts orthogonal in L²(dy).
///
/// `y + D(y)` is optimal from any positive density to its image iff `m = 0`, `R = 0` and `|y|²/2 + φ` is convex (Brenier, McCann).
#[derive(Debug, Clone, PartialEq)]
pub struct Helmholtz {
    /// m, one number per axis.
    pub mean: Vec<f64>,
    /// `‖∇φ‖` in L²(dy).
    pub gradient: f64,
    /// `‖R‖` in L²(dy); zero to rounding for d = 1.
    pub rotation: f64,
}

/// Parts of a displacement at the nodes, one vector per axis, without its Nyquist modes.
pub fn helmholtz(torus: &Torus, displacement: &[Vec<f64>]) -> Helmholtz {
    let (mut calculus, mut fourier) = (Spectral::new(torus), Fourier::new(torus));
    let mut phi = vec![0.0; torus.len()];
    calculus.divergence(displacement, &mut phi);
    let mut spectrum = fourier.spectrum();
    fourier.forward(&phi, &mut spectrum);
    let scale = 1.0 / torus.len() as f64;
    let wavenumbers: Vec<Vec<f64>> = (0..torus.dimension())
        .map(|axis| fourier.wavenumbers(axis))
        .collect();
    fourier.for_each_mode(&mut spectrum, |value, index| {
        let along = wavenumbers.iter().zip(index);
        let square: f64 = along.map(|(k, &i)| angular(k[i]).powi(2)).sum();
        *value *= if square == 0.0 { 0.0 } else { -scale / square };
    });
    fourier.inverse(&mut spectrum, &mut phi);
    let mut gradient = vec![vec![0.0; torus.len()]; torus.dimension()];
    calculus.gradient(&phi, &mut gradient);
    let mean: Vec<f64> = displacement.iter().map(|d| mean(d)).collect();
    let norm = |part: &(dyn Fn(usize, usize) -> f64 + Sync)| {
        let square = |i: usize| {
            (0..mean.len())
                .map(|axis| part(axis, i).powi(2))
                .sum::<f64>()
        };
        mean_of(torus.len(), square).sqrt()
    };
    Helmholtz {
        gradient: norm(&|axis, i| gradient[axis][i]),
        rotation: norm(&|axis, i| displacement[axis][i] - mean[axis] - gradient[axis][i]),
        mean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    /// `∇cos 2π(x + 2y)` plus the rotated gradient of `sin 2π(x − y)` plus a constant.
    #[test]
    fn the_parts_of_a_manufactured_field_are_found() {
        let torus = Torus::new(&[16, 20]).unwrap();
        let (mut d0, mut d1) = (vec![0.0; torus.len()], vec![0.0; torus.len()]);
        for i in 0..torus.len() {
            let x = torus.node(i);
            let slope = -2.0 * PI * (2.0 * PI * (x[0] + 2.0 * x[1])).sin();
            let turn = 2.0 * PI * (2.0 * PI * (x[0] - x[1])).cos();
            d0[i] = 0.3 + slope + 0.1 * turn;
            d1[i] = -0.2 + 2.0 * slope + 0.1 * turn;
        }
        let parts = helmholtz(&torus, &[d0, d1]);
        assert!((parts.mean[0] - 0.3).abs() < 1e-14 && (parts.mean[1] + 0.2).abs() < 1e-14);
        // |slope·(1, 2)| and |turn·(1, 1)| over ten, in root mean square.
        assert!((parts.gradient - 2.0 * PI * 2.5f64.sqrt()).abs() < 1e-12);
        assert!((parts.rotation - 0.2 * PI).abs() < 1e-12);
    }
}
