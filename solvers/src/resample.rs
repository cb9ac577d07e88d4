//! The trigonometric interpolant of a field on a finer grid.

use crate::fourier::{Complex64, Fourier};
use crate::torus::Torus;

/// The field's trigonometric interpolant at the nodes of `to`, which must be at least as fine along every axis.
///
/// Exact to round-off; the Nyquist mode is read as a cosine.
///
/// # Panics
/// If `to` is coarser along an axis or has another dimension.
pub fn refine(from: &Torus, field: &[f64], to: &Torus) -> Vec<f64> {
    let (mut coarse, mut fine) = (Fourier::new(from), Fourier::new(to));
    let mut spectrum = coarse.spectrum();
    coarse.forward(field, &mut spectrum);
    let mut padded = fine.spectrum();
    pad(&coarse, &spectrum, &fine, &mut padded);
    let mut out = vec![0.0; to.len()];
    fine.inverse(&mut padded, &mut out);
    out
}

/// Copies the modes of `from` into a spectrum of `to`, divided by the number of nodes of `from` so that the inverse
/// transform gives values; a Nyquist mode is split evenly between ±n/2.
pub(crate) fn pad(from: &Fourier, spectrum: &[Complex64], to: &Fourier, out: &mut [Complex64]) {
    let (coarse, fine) = (from.torus().points(), to.torus().points());
    assert_eq!(coarse.len(), fine.len());
    assert!(coarse.iter().zip(fine).all(|(c, f)| c <= f), "refine only");
    out.fill(Complex64::ZERO);
    let order = from.axis_order();
    let scale = 1.0 / from.torus().len() as f64;
    for (mode, value) in spectrum.iter().enumerate() {
        // Fine positions of this mode along each axis in storage order, with weights.
        let mut places = vec![(0usize, *value * scale)];
        let mut strides = spectrum.len();
        let mut rest = mode;
        for &axis in &order {
            let len = from.stored(axis);
            strides /= len;
            let k = rest / strides;
            rest %= strides;
            let targets = fine_positions(k, coarse[axis], fine[axis], axis + 1 == coarse.len());
            places = places
                .iter()
                .flat_map(|&(base, v)| {
                    targets
                        .iter()
                        .map(move |&(t, w)| (base * to.stored(axis) + t, v * w))
                })
                .collect();
        }
        for (place, value) in places {
            out[place] += value;
        }
    }
}

/// Where wavenumber index k of n nodes goes among m ≥ n, with weights.
fn fine_positions(k: usize, n: usize, m: usize, halved: bool) -> Vec<(usize, f64)> {
    let nyquist = 2 * k == n && m > n;
    match (nyquist, halved) {
        (true, true) => vec![(k, 0.5)],
        (true, false) => vec![(k, 0.5), (m - k, 0.5)],
        _ if halved || 2 * k <= n => vec![(k, 1.0)],
        _ => vec![(m - (n - k), 1.0)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::sup_difference;
    use std::f64::consts::PI;

    #[test]
    fn band_limited_fields_are_reproduced_exactly_and_nyquist_is_a_cosine() {
        for (points, finer) in [
            (vec![8], vec![20]),
            (vec![8, 10], vec![16, 10]),
            (vec![8, 8, 8], vec![12, 8, 18]),
        ] {
            let value = |x: &[f64]| {
                let sum: f64 = x
                    .iter()
                    .enumerate()
                    .map(|(i, x)| (i as f64 - 2.0) * x)
                    .sum();
                (2.0 * PI * sum).sin() + (8.0 * PI * x[0]).cos() + 0.5
            };
            let sample = |t: &Torus| (0..t.len()).map(|i| value(&t.node(i))).collect::<Vec<_>>();
            let (from, to) = (Torus::new(&points).unwrap(), Torus::new(&finer).unwrap());
            let refined = refine(&from, &sample(&from), &to);
            assert!(sup_difference(&refined, &sample(&to)) < 1e-13, "{points:?}");
        }
    }
}
