//! The characteristic function of points: their Fourier coefficients at low wavenumbers.

use crate::elementary::sin_cos_slice;
use crate::fourier::Complex64;
use rayon::prelude::*;
use std::f64::consts::TAU;

/// Points taken together.
const STRETCH: usize = 256;

/// `Σ_i w_i e^{2πik·y_i} / N` over the N points y for the wavenumbers with `|k_a| ≤ highest` and `k_1 ≥ 0`, the others being conjugates:
/// k_1 outermost, each from −highest (k_1 from 0) up. `points` has one vector per coordinate.
///
/// One sine and cosine per coordinate, then products: `(highest + 1)(2·highest + 1)^{d−1}` complex multiply–adds per point.
pub fn characteristic(points: &[Vec<f64>], weights: &[f64], highest: usize) -> Vec<Complex64> {
    let stretches: Vec<Vec<Complex64>> = (0..weights.len())
        .step_by(STRETCH)
        .collect::<Vec<_>>()
        .into_par_iter()
        .map(|start| {
            let end = weights.len().min(start + STRETCH);
            let points: Vec<&[f64]> = points.iter().map(|x| &x[start..end]).collect();
            of_stretch(&points, &weights[start..end], highest)
        })
        .collect();
    let mut total = vec![Complex64::ZERO; stretches.first().map_or(0, Vec::len)];
    for part in &stretches {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    let scale = 1.0 / weights.len() as f64;
    total.iter_mut().for_each(|t| *t *= scale);
    total
}

/// Real and imaginary parts at the points of a stretch.
type Waves = (Vec<f64>, Vec<f64>);

fn of_stretch(points: &[&[f64]], weights: &[f64], highest: usize) -> Vec<Complex64> {
    let powers: Vec<Vec<Waves>> = points.iter().map(|x| powers(x, highest)).collect();
    let one = (weights.to_vec(), vec![0.0; weights.len()]);
    let (first, others) = powers.split_first().expect("d ≥ 1");
    let mut sums = Vec::new();
    for wave in first {
        descend(&product(&one, wave, 1.0), others, &mut sums);
    }
    sums
}

/// `e^{2πikx}` for k = 0, …, `highest`.
fn powers(x: &[f64], highest: usize) -> Vec<Waves> {
    let angle: Vec<f64> = x.iter().map(|x| TAU * (x - x.floor())).collect();
    let (mut sin, mut cos) = (vec![0.0; x.len()], vec![0.0; x.len()]);
    sin_cos_slice(&angle, &mut sin, &mut cos);
    let base = (cos, sin);
    let mut powers = vec![(vec![1.0; x.len()], vec![0.0; x.len()])];
    for k in 0..highest {
        powers.push(product(&powers[k], &base, 1.0));
    }
    powers
}

/// `a·b`, or `a·b̄` where `sign` is −1.
fn product(a: &Waves, b: &Waves, sign: f64) -> Waves {
    let (mut re, mut im) = (vec![0.0; a.0.len()], vec![0.0; a.0.len()]);
    for i in 0..re.len() {
        re[i] = a.0[i] * b.0[i] - sign * a.1[i] * b.1[i];
        im[i] = a.1[i] * b.0[i] + sign * a.0[i] * b.1[i];
    }
    (re, im)
}

/// Multiplies by the waves of the first axis left, each in turn, and sums over the points where none is left.
fn descend(so_far: &Waves, powers: &[Vec<Waves>], sums: &mut Vec<Complex64>) {
    let Some((axis, inner)) = powers.split_first() else {
        let sum = |x: &[f64]| x.iter().sum::<f64>();
        sums.push(Complex64::new(sum(&so_far.0), sum(&so_far.1)));
        return;
    };
    for wave in axis[1..].iter().rev() {
        descend(&product(so_far, wave, -1.0), inner, sums);
    }
    for wave in axis {
        descend(&product(so_far, wave, 1.0), inner, sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_that_it_says() {
        let (n, highest) = (700, 3);
        let column = |seed: f64| -> Vec<f64> {
            (0..n)
                .map(|i| 3.0 * (i as f64 * seed).sin() - 1.0)
                .collect()
        };
        for d in 1..=3 {
            let points: Vec<Vec<f64>> = [0.37, 1.91, 2.3][..d].iter().map(|s| column(*s)).collect();
            let weights = column(0.11);
            let found = characteristic(&points, &weights, highest);
            let side = 2 * highest + 1;
            assert_eq!(found.len(), (highest + 1) * side.pow(d as u32 - 1));
            for (number, found) in found.iter().enumerate() {
                let mut rest = number;
                let mut k = vec![0.0; d];
                for axis in (1..d).rev() {
                    k[axis] = (rest % side) as f64 - highest as f64;
                    rest /= side;
                }
                k[0] = rest as f64;
                let sum: Complex64 = (0..n)
                    .map(|i| {
                        let phase: f64 = k.iter().zip(&points).map(|(k, x)| k * x[i]).sum();
                        weights[i] * Complex64::cis(TAU * phase)
                    })
                    .sum();
                assert!((sum / n as f64 - found).norm() < 1e-12, "{k:?}");
            }
        }
    }
}
