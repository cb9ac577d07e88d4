//! Densities on the circle whose products over the axes are the components of a mixture.

use super::blocks::BLOCK;
use crate::elementary;
use multiversion::multiversion;
use std::f64::consts::TAU;

/// ln k and its first two derivatives on a block of points.
pub(super) struct LogJet {
    pub value: [f64; BLOCK],
    pub first: [f64; BLOCK],
    pub second: [f64; BLOCK],
}

impl LogJet {
    pub const ZERO: Self = Self {
        value: [0.0; BLOCK],
        first: [0.0; BLOCK],
        second: [0.0; BLOCK],
    };
}

/// A density k of unit mass on the circle R/Z.
#[derive(Debug, Clone)]
pub(super) enum Factor {
    /// Wrapped normal of small deviation σ: `(2πσ²)^(−½) Σ_m exp(−(x − μ + m)²/2σ²)`, |m| ≤ images.
    Images {
        mean: f64,
        deviation: f64,
        images: i32,
    },
    /// Wrapped normal of large deviation: `1 + 2 Σ_j exp(−2π²σ²j²) cos 2πj(x − μ)`; the exponentials are kept.
    Series { mean: f64, coefficients: Vec<f64> },
    /// Von Mises: `exp(κ cos 2π(x − μ))/I₀(κ)`; kept is `ln(I₀(κ) e^{−κ})`.
    VonMises {
        mean: f64,
        concentration: f64,
        log_bessel: f64,
    },
}

impl Factor {
    /// The wrapped normal, by whichever of its two sums is shorter at full precision.
    ///
    /// The series is the shorter one for σ > 0.23 or so, where k stays above a tenth of its maximum, so no digits cancel.
    pub fn wrapped_normal(mean: f64, deviation: f64) -> Self {
        // Terms below e^{−45} times the largest are dropped, from the ratio (m² − |m|)/2σ² for the images.
        let images = (0.5 + (0.25 + 90.0 * deviation * deviation).sqrt()).ceil();
        let terms = (45.0_f64.sqrt() / (TAU / 2.0_f64.sqrt() * deviation)).ceil();
        if terms > 2.0 * images {
            return Self::Images {
                mean,
                deviation,
                images: images as i32,
            };
        }
        let decay = 0.5 * (TAU * deviation).powi(2);
        Self::Series {
            mean,
            coefficients: (1..=terms as i32)
                .map(|j| (-decay * f64::from(j * j)).exp())
                .collect(),
        }
    }

    pub fn von_mises(mean: f64, concentration: f64) -> Self {
        Self::VonMises {
            mean,
            concentration,
            log_bessel: log_scaled_bessel(concentration),
        }
    }

    /// Writes ln k, (ln k)' and (ln k)'' at the points `x`, at most a block.
    pub fn log_jet(&self, x: &[f64], out: &mut LogJet) {
        match self {
            Self::Images {
                mean,
                deviation,
                images,
            } => sum_images(x, *mean, *deviation, *images, out),
            Self::Series { mean, coefficients } => sum_series(x, *mean, coefficients, out),
            Self::VonMises {
                mean,
                concentration,
                log_bessel,
            } => von_mises(x, *mean, *concentration, *log_bessel, out),
        }
    }
}

/// `ln(I₀(κ) e^{−κ})`, I₀(κ)e^{−κ} being the mean over the circle of `exp(κ(cos 2πx − 1))`.
///
/// The trapezoid rule converges geometrically; the number of nodes resolves the peak of width 1/(2π√κ).
fn log_scaled_bessel(concentration: f64) -> f64 {
    let nodes = 64 + (10.0 * concentration.sqrt()) as usize;
    let sum: f64 = (0..nodes)
        .map(|i| {
            // cos 2πx − 1 = −2 sin² πx, without cancellation.
            let half = (0.5 * TAU * i as f64 / nodes as f64).sin();
            (-2.0 * concentration * half * half).exp()
        })
        .sum();
    (sum / nodes as f64).ln()
}

/// The image of x − μ nearest to zero: `y ∈ [−½, ½]`.
#[inline(always)]
fn nearest_image(x: f64, mean: f64) -> f64 {
    let y = x - mean;
    y - y.round_ties_even()
}

/// Images weighted relative to the nearest, `p_m = exp(−(m² + 2my)/2σ²) ≤ 1`:
/// `ln k = −ln(√(2π)σ) − y²/2σ² + ln Σp`, `(ln k)' = −(y + E m)/σ²`, `(ln k)'' = −1/σ² + Var(m)/σ⁴`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum_images(x: &[f64], mean: f64, deviation: f64, images: i32, out: &mut LogJet) {
    let precision = 1.0 / (deviation * deviation);
    let normaliser = -0.5 * TAU.ln() - deviation.ln();
    let LogJet {
        value,
        first,
        second,
    } = out;
    let (value, first, second) = (
        &mut value[..x.len()],
        &mut first[..x.len()],
        &mut second[..x.len()],
    );
    // The three arrays first hold Σp, Σmp and Σm²p.
    value.fill(1.0);
    first.fill(0.0);
    second.fill(0.0);
    for m in (1..=images).flat_map(|m| [f64::from(m), -f64::from(m)]) {
        for (i, &x) in x.iter().enumerate() {
            let y = nearest_image(x, mean);
            let p = elementary::exp(-0.5 * precision * (m * m + 2.0 * m * y));
            value[i] += p;
            first[i] += m * p;
            second[i] += m * m * p;
        }
    }
    for (i, &x) in x.iter().enumerate() {
        let y = nearest_image(x, mean);
        let average = first[i] / value[i];
        let variance = second[i] / value[i] - average * average;
        value[i] = normaliser - 0.5 * precision * y * y + elementary::ln(value[i]);
        first[i] = -precision * (y + average);
        second[i] = precision * (precision * variance - 1.0);
    }
}

/// Sums k, k', k'' with cos 2πjy and sin 2πjy by rotation, then `(ln k)' = k'/k`, `(ln k)'' = k''/k − (k'/k)²`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum_series(x: &[f64], mean: f64, coefficients: &[f64], out: &mut LogJet) {
    let [mut sin, mut cos, mut sin_j, mut cos_j] = [[0.0; BLOCK]; 4];
    for (i, &x) in x.iter().enumerate() {
        (sin[i], cos[i]) = elementary::sin_cos(TAU * nearest_image(x, mean));
        (sin_j[i], cos_j[i]) = (sin[i], cos[i]);
    }
    let LogJet {
        value,
        first,
        second,
    } = out;
    value.fill(1.0);
    first.fill(0.0);
    second.fill(0.0);
    for (j, a) in coefficients.iter().enumerate() {
        let frequency = TAU * (j + 1) as f64;
        // Whole blocks: the padding is zeros, and loops of fixed length vectorise best.
        for i in 0..BLOCK {
            let (s, c) = (sin_j[i], cos_j[i]);
            value[i] += 2.0 * a * c;
            first[i] -= 2.0 * a * frequency * s;
            second[i] -= 2.0 * a * frequency * frequency * c;
            sin_j[i] = s * cos[i] + c * sin[i];
            cos_j[i] = c * cos[i] - s * sin[i];
        }
    }
    for i in 0..x.len() {
        let slope = first[i] / value[i];
        second[i] = second[i] / value[i] - slope * slope;
        first[i] = slope;
        value[i] = elementary::ln(value[i]);
    }
}

/// `ln k = −2κ sin² π(x − μ) − ln(I₀ e^{−κ})`, derivatives `−2πκ sin 2π(x − μ)`, `−4π²κ cos 2π(x − μ)`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn von_mises(x: &[f64], mean: f64, concentration: f64, log_bessel: f64, out: &mut LogJet) {
    let LogJet {
        value,
        first,
        second,
    } = out;
    let places = value.iter_mut().zip(first).zip(second);
    for (&x, ((value, first), second)) in x.iter().zip(places) {
        let (s, c) = elementary::sin_cos(0.5 * TAU * nearest_image(x, mean));
        let (sin, cos) = (2.0 * s * c, 1.0 - 2.0 * s * s);
        *value = -2.0 * concentration * s * s - log_bessel;
        *first = -TAU * concentration * sin;
        *second = -TAU * TAU * concentration * cos;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated(factor: &Factor, x: &[f64]) -> LogJet {
        let mut jet = LogJet::ZERO;
        factor.log_jet(x, &mut jet);
        jet
    }

    fn abscissae() -> Vec<f64> {
        (0..100).map(|i| -1.3 + 0.0371 * f64::from(i)).collect()
    }

    /// Mean over the nodes of the circle.
    fn mass(factor: &Factor) -> f64 {
        let n = 20_000;
        let nodes: Vec<f64> = (0..n).map(|i| f64::from(i) / f64::from(n)).collect();
        let sums = nodes.chunks(BLOCK).map(|chunk| {
            let jet = evaluated(factor, chunk);
            jet.value[..chunk.len()]
                .iter()
                .map(|v| v.exp())
                .sum::<f64>()
        });
        sums.sum::<f64>() / f64::from(n)
    }

    fn series(mean: f64, deviation: f64, terms: i32) -> Factor {
        let decay = 0.5 * (TAU * deviation).powi(2);
        let coefficients = (1..=terms).map(|j| (-decay * f64::from(j * j)).exp());
        Factor::Series {
            mean,
            coefficients: coefficients.collect(),
        }
    }

    #[test]
    fn images_and_series_are_one_function() {
        for deviation in [0.15, 0.2, 0.25, 0.3, 0.5, 1.0] {
            let images = Factor::Images {
                mean: 0.3,
                deviation,
                images: 20,
            };
            let x = abscissae();
            let a = evaluated(&images, &x);
            let b = evaluated(&series(0.3, deviation, 40), &x);
            // The series cancels where k is small against its maximum: at most e^{1/8σ²} there.
            let tolerance = 1e-14 * (0.125 / (deviation * deviation)).exp();
            for i in 0..x.len() {
                assert!((a.value[i] - b.value[i]).abs() < tolerance);
                assert!((a.first[i] - b.first[i]).abs() < 100.0 * tolerance);
                assert!((a.second[i] - b.second[i]).abs() < 10_000.0 * tolerance);
            }
        }
    }

    #[test]
    fn the_chosen_sum_is_long_enough() {
        for deviation in [1e-3, 0.05, 0.15, 0.2, 0.23, 0.25, 0.3, 0.5, 1.0, 5.0] {
            let chosen = Factor::wrapped_normal(0.7, deviation);
            let longer = match &chosen {
                Factor::Images {
                    mean,
                    deviation,
                    images,
                } => Factor::Images {
                    mean: *mean,
                    deviation: *deviation,
                    images: images + 3,
                },
                _ => series(0.7, deviation, 30),
            };
            let x = abscissae();
            let (a, b) = (evaluated(&chosen, &x), evaluated(&longer, &x));
            for i in 0..x.len() {
                assert!((a.value[i] - b.value[i]).abs() <= 1e-15 * (1.0 + a.value[i].abs()));
                assert!((a.second[i] - b.second[i]).abs() <= 2e-12 * (1.0 + a.second[i].abs()));
            }
        }
    }

    #[test]
    fn masses_are_one() {
        for deviation in [0.002, 0.05, 0.22, 0.24, 0.4, 3.0] {
            let error = mass(&Factor::wrapped_normal(0.37, deviation)) - 1.0;
            assert!(error.abs() < 1e-13, "σ = {deviation}: {error}");
        }
        for concentration in [0.0, 0.1, 1.0, 30.0, 300.0, 1e5] {
            let error = mass(&Factor::von_mises(0.37, concentration)) - 1.0;
            assert!(error.abs() < 1e-12, "κ = {concentration}: {error}");
        }
    }

    #[test]
    fn bessel_functions_match_tables() {
        // I₀(1) = 1.2660658777520083, I₀(10) = 2815.716628466254 (Abramowitz & Stegun, table 9.8).
        for (concentration, i0) in [
            (0.0, 1.0),
            (1.0, 1.266_065_877_752_008_3),
            (10.0, 2_815.716_628_466_254),
        ] {
            let error = log_scaled_bessel(concentration) + concentration - f64::ln(i0);
            assert!(error.abs() < 1e-14, "{error}");
        }
    }
}
