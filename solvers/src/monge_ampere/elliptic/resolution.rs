//! How much of a solution a grid does not see.

use crate::calculus::Derivatives;
use crate::fourier::{Complex64, Fourier};
use crate::symmetric::position;
use crate::torus::Torus;

/// Modes beyond this part of n along some axis are taken for the size of those beyond n/2, which the grid does not have.
const HIGH: f64 = 0.4;

/// Workspace for one grid.
pub(super) struct Resolution {
    fourier: Fourier,
    spectrum: Vec<Complex64>,
    trace: Vec<f64>,
    high: Vec<Vec<bool>>,
}

impl Resolution {
    pub fn new(torus: &Torus) -> Self {
        let fourier = Fourier::new(torus);
        let along = |(axis, &n): (usize, &usize)| {
            let wavenumbers = fourier.wavenumbers(axis);
            let high = wavenumbers.iter().map(|k| k.abs() > HIGH * n as f64);
            high.collect()
        };
        Self {
            high: torus.points().iter().enumerate().map(along).collect(),
            spectrum: fourier.spectrum(),
            trace: vec![0.0; torus.len()],
            fourier,
        }
    }

    /// Root mean square of the highest modes of Δp: about the residual that the solution of this grid leaves on a finer one. From
    /// derivatives, as those of p itself would end at its rounding, magnified.
    pub fn unseen(&mut self, derivatives: &Derivatives) -> f64 {
        let d = self.high.len();
        self.trace.copy_from_slice(&derivatives.hessian[0]);
        for axis in 1..d {
            let second = &derivatives.hessian[position(d, axis, axis)];
            crate::parallel::axpy(1.0, second, &mut self.trace);
        }
        self.fourier.forward(&self.trace, &mut self.spectrum);
        let high = &self.high;
        self.fourier
            .for_each_mode(&mut self.spectrum, |value, index| {
                if !high.iter().zip(index).any(|(high, &k)| high[k]) {
                    *value = Complex64::ZERO;
                }
            });
        // Nearly every mode stands for itself and its mirror image.
        let sum: f64 = self.spectrum.iter().map(|v| 2.0 * v.norm_sqr()).sum();
        sum.sqrt() / self.trace.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculus::{Calculus, Spectral};
    use std::f64::consts::PI;

    #[test]
    fn only_modes_near_the_end_of_the_spectrum_are_counted() {
        for points in [&[40][..], &[20, 40], &[16, 12, 40]] {
            let torus = Torus::new(points).unwrap();
            let last = points.len() - 1;
            let unseen = |k: f64| {
                let wave = |i| (2.0 * PI * k * torus.node(i)[last]).cos() / (2.0 * PI * k).powi(2);
                let field: Vec<f64> = (0..torus.len()).map(wave).collect();
                let mut derivatives = Derivatives::zeros(&torus);
                Spectral::new(&torus).derivatives(&field, &mut derivatives);
                Resolution::new(&torus).unseen(&derivatives)
            };
            assert!(unseen(16.0) < 1e-13);
            assert!((unseen(17.0) - 0.5f64.sqrt()).abs() < 1e-12);
        }
    }
}
