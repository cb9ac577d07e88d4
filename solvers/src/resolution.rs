//! How many points a field takes, and how many are good to compute with.

use crate::fourier::{Complex64, Fourier};

/// Part of n up to which wavenumbers are well resolved: products of two modes below n/3 do not alias onto them.
const SEEN: f64 = 1.0 / 3.0;

/// Points n_i along each axis that resolve `field`: the moduli of its Fourier coefficients with `|k_i| ≥ n_i/3` add up to no more than
/// `left_out`. `spectrum` is work space of the length that `fourier` has modes.
pub fn points_for(
    fourier: &mut Fourier,
    spectrum: &mut [Complex64],
    field: &[f64],
    left_out: f64,
) -> Vec<usize> {
    let moduli = Moduli::new(fourier, spectrum, field);
    moduli.points(SEEN, left_out)
}

/// For each axis and each |k_i| the sum of the moduli of all Fourier coefficients with it.
pub struct Moduli(Vec<Vec<f64>>);

impl Moduli {
    /// Of a field at the nodes; `spectrum` is work space of the length that `fourier` has modes.
    pub fn new(fourier: &mut Fourier, spectrum: &mut [Complex64], field: &[f64]) -> Self {
        Self(moduli(fourier, spectrum, field))
    }

    /// Points n_i along each axis such that the moduli with `|k_i| ≥ part·n_i` add up to no more than `left_out`.
    pub fn points(&self, part: f64, left_out: f64) -> Vec<usize> {
        let points = |moduli: &Vec<f64>| {
            let mut sum = 0.0;
            let counts = moduli.iter().enumerate().rev().find(|(_, modulus)| {
                sum += **modulus;
                sum > left_out
            });
            let highest = counts.map_or(0, |(k, _)| k);
            ((highest + 1) as f64 / part).ceil() as usize
        };
        self.0.iter().map(points).collect()
    }

    /// The larger of two at each wavenumber.
    pub fn or(mut self, other: Self) -> Self {
        let pairs = self.0.iter_mut().flatten().zip(other.0.iter().flatten());
        // NaN is kept.
        pairs.for_each(|(a, b)| *a = if a.total_cmp(b).is_lt() { *b } else { *a });
        self
    }

    /// The largest sum along an axis of the moduli with `|k_i| ≥ part·n_i` on a grid of n_i points.
    pub fn beyond(&self, part: f64, points: &[usize]) -> f64 {
        let sum = |(moduli, n): (&Vec<f64>, &usize)| {
            let first = (part * *n as f64).ceil() as usize;
            moduli.iter().skip(first).sum::<f64>()
        };
        let sums = self.0.iter().zip(points).map(sum);
        sums.max_by(f64::total_cmp).unwrap_or(0.0)
    }
}

/// The smallest product of 2, 3 and 5 that is a multiple of `multiple` and at least `least`: transforms of it are fast.
pub fn fast_length(least: usize, multiple: usize) -> usize {
    let mut candidates = (least.next_multiple_of(multiple)..).step_by(multiple);
    let found = candidates.find(|&n| [2, 3, 5].into_iter().fold(n, without) == 1);
    found.expect("there are powers of two")
}

/// n with every factor `factor` taken out.
fn without(mut n: usize, factor: usize) -> usize {
    while n.is_multiple_of(factor) {
        n /= factor;
    }
    n
}

fn moduli(fourier: &mut Fourier, spectrum: &mut [Complex64], field: &[f64]) -> Vec<Vec<f64>> {
    fourier.forward(field, spectrum);
    let (points, order) = (fourier.torus().points(), fourier.axis_order());
    let mut moduli: Vec<_> = points.iter().map(|n| vec![0.0; n / 2 + 1]).collect();
    let scale = 1.0 / field.len() as f64;
    for (mode, value) in spectrum.iter().enumerate() {
        let mut index = [0; 3];
        let mut rest = mode;
        for &axis in order.iter().rev() {
            let stored = fourier.stored(axis);
            index[axis] = (rest % stored).min(points[axis] - rest % stored);
            rest /= stored;
        }
        // A stored mode off the plane k_d = 0 stands for its mirror image too.
        let images = if index[points.len() - 1] == 0 {
            1.0
        } else {
            2.0
        };
        for (axis, moduli) in moduli.iter_mut().enumerate() {
            moduli[index[axis]] += images * scale * value.norm();
        }
    }
    moduli
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torus::Torus;
    use std::f64::consts::TAU;

    #[test]
    fn points_follow_the_modes_that_count() {
        let torus = Torus::new(&[32, 24]).unwrap();
        let value =
            |x: &[f64]| 0.5 + (TAU * (3.0 * x[0] - 2.0 * x[1])).sin() + 0.1 * (TAU * x[0]).cos();
        let field: Vec<f64> = (0..torus.len()).map(|i| value(&torus.node(i))).collect();
        let mut fourier = Fourier::new(&torus);
        let mut spectrum = fourier.spectrum();
        let mut points = |left_out| points_for(&mut fourier, &mut spectrum, &field, left_out);
        assert_eq!(points(1e-10), [12, 9]);
        assert_eq!(points(1.05), [6, 3]);
        assert_eq!(points(10.0), [3, 3]);
    }

    #[test]
    fn lengths_are_the_next_ones_with_small_factors() {
        let eights: Vec<_> = [1, 17, 33, 49, 65, 81, 97, 129, 201]
            .map(|least| fast_length(least, 8))
            .to_vec();
        assert_eq!(eights, [8, 24, 40, 64, 72, 96, 120, 144, 216]);
        assert_eq!(
            [61, 62, 127, 257].map(|n| fast_length(n, 2)),
            [64, 64, 128, 270]
        );
    }
}
