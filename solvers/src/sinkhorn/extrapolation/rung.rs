//! One of the grids of the ladder, and what is needed there.

use crate::density::{LogDensity, at_nodes};
use crate::fourier::{Complex64, Fourier};
use crate::resolution::points_for;
use crate::torus::Torus;

/// f, g and transforms on one grid.
pub struct Rung {
    pub torus: Torus,
    pub f: Vec<f64>,
    pub g: Vec<f64>,
    fourier: Fourier,
    spectrum: Vec<Complex64>,
}

impl Rung {
    pub fn new(torus: Torus, source: &dyn LogDensity, target: &dyn LogDensity) -> Self {
        let fourier = Fourier::new(&torus);
        Self {
            f: at_nodes(source, &torus),
            g: at_nodes(target, &torus),
            spectrum: fourier.spectrum(),
            fourier,
            torus,
        }
    }

    /// A `field` of this grid on another: the modes that both grids have, without those of Nyquist wavenumbers.
    pub fn transfer(&mut self, field: &[f64], to: &mut Self) -> Vec<f64> {
        self.fourier.forward(field, &mut self.spectrum);
        to.spectrum.fill(Complex64::ZERO);
        let along = |&axis: &usize| Along {
            stored: [self.fourier.stored(axis), to.fourier.stored(axis)],
            kept: self.torus.points()[axis].min(to.torus.points()[axis]) / 2,
            halved: axis + 1 == self.torus.dimension(),
        };
        let axes: Vec<_> = self.fourier.axis_order().iter().map(along).collect();
        let scale = 1.0 / self.torus.len() as f64;
        copy_modes(&self.spectrum, &mut to.spectrum, &axes, scale);
        let mut out = vec![0.0; to.torus.len()];
        to.fourier.inverse(&mut to.spectrum, &mut out);
        out
    }

    /// Points along each axis that resolve `field` but for `left_out`.
    pub fn points_for(&mut self, field: &[f64], left_out: f64) -> Vec<usize> {
        points_for(&mut self.fourier, &mut self.spectrum, field, left_out)
    }
}

/// How the modes along one axis are stored in two spectra.
struct Along {
    stored: [usize; 2],
    /// Wavenumbers |k| below this are copied.
    kept: usize,
    halved: bool,
}

fn copy_modes(from: &[Complex64], to: &mut [Complex64], axes: &[Along], scale: f64) {
    let Some((axis, inner)) = axes.split_first() else {
        to[0] = scale * from[0];
        return;
    };
    let [m, n] = axis.stored;
    let (a, b) = (from.len() / m, to.len() / n);
    let mut copy = |i: usize, j: usize| {
        let (from, to) = (&from[i * a..(i + 1) * a], &mut to[j * b..(j + 1) * b]);
        copy_modes(from, to, inner, scale);
    };
    (0..axis.kept).for_each(|k| copy(k, k));
    if !axis.halved {
        (1..axis.kept).for_each(|k| copy(m - k, n - k));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::Uniform;
    use crate::parallel::sup_difference;
    use std::f64::consts::PI;

    fn rung(points: &[usize]) -> Rung {
        let torus = Torus::new(points).unwrap();
        let uniform = Uniform {
            dimension: points.len(),
        };
        Rung::new(torus, &uniform, &uniform)
    }

    /// Modes up to 3 along the first axis and 2 along the others.
    fn field(torus: &Torus) -> Vec<f64> {
        let value = |x: &[f64]| {
            let rest: f64 = x[1..].iter().sum();
            0.5 + (2.0 * PI * (3.0 * x[0] - 2.0 * rest)).sin() + 0.1 * (2.0 * PI * x[0]).cos()
        };
        (0..torus.len()).map(|i| value(&torus.node(i))).collect()
    }

    #[test]
    fn low_modes_pass_exactly_between_any_two_grids() {
        for (a, b) in [
            (&[16][..], &[24][..]),
            (&[16, 24], &[40, 16]),
            (&[16, 8, 12], &[8, 16, 10]),
        ] {
            let (mut from, mut to) = (rung(a), rung(b));
            let moved = from.transfer(&field(&from.torus), &mut to);
            assert!(
                sup_difference(&moved, &field(&to.torus)) < 1e-14,
                "{a:?} {b:?}"
            );
        }
    }
}
