//! Real Fourier transforms on the torus, planned once.
//!
//! `p(x) = Σ_k p̂_k e^{2πi k·x}`. The real transform runs along the last axis, complex ones along the others; after each
//! pass the axis just done becomes the contiguous one. The spectrum is therefore stored with axes in the order
//! (d, 1, …, d−1), the last axis halved: `[k_d][k_1]…[k_{d−1}]`. Lines are independent, so the bits do
//! not depend on the number of threads.

mod filter;
mod packet;
mod pencils;

pub use filter::Filter;
pub use packet::Packet;
pub use pencils::{Order, Pencils, Place};

use crate::parallel::{PerThread, for_each_chunk};
use crate::torus::Torus;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
pub use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::PI;
use std::sync::Arc;

/// Lines moved together when axes are exchanged: eight complex numbers are two cache lines.
const TILE: usize = 8;

type ForwardAndInverse = (Arc<dyn Fft<f64>>, Arc<dyn Fft<f64>>);

/// Signed wavenumbers stored along an axis: `0..=n/2` on the last, `0, 1, …, n/2, −n/2+1, …, −1` on the others.
pub fn wavenumbers(torus: &Torus, axis: usize) -> Vec<f64> {
    let n = torus.points()[axis];
    let half = n / 2 + 1;
    let stored = if axis + 1 == torus.dimension() {
        half
    } else {
        n
    };
    let signed = |k: usize| k as f64 - if k < half { 0.0 } else { n as f64 };
    (0..stored).map(signed).collect()
}

/// Plans and scratch for the transforms of one grid.
pub struct Fourier {
    torus: Torus,
    real_forward: Arc<dyn RealToComplex<f64>>,
    real_inverse: Arc<dyn ComplexToReal<f64>>,
    /// For axes 1, …, d−1, in the order in which they are transformed.
    complex: Vec<ForwardAndInverse>,
    work: Vec<Complex64>,
    scratch: PerThread<Scratch>,
}

/// What one thread needs to transform a line.
struct Scratch {
    real: Vec<f64>,
    line: Vec<Complex64>,
    work: Vec<Complex64>,
}

impl Fourier {
    pub fn new(torus: &Torus) -> Self {
        let (&last, others) = torus.points().split_last().expect("d ≥ 1");
        let mut real = RealFftPlanner::new();
        let (real_forward, real_inverse) =
            (real.plan_fft_forward(last), real.plan_fft_inverse(last));
        let mut planner = FftPlanner::new();
        let complex: Vec<_> = others
            .iter()
            .map(|&n| (planner.plan_fft_forward(n), planner.plan_fft_inverse(n)))
            .collect();
        let scratch_len = complex
            .iter()
            .flat_map(|(a, b)| [a.get_inplace_scratch_len(), b.get_inplace_scratch_len()])
            .chain([
                real_forward.get_scratch_len(),
                real_inverse.get_scratch_len(),
            ])
            .max()
            .unwrap_or(0);
        let modes = torus.len() / last * (last / 2 + 1);
        Self {
            torus: torus.clone(),
            real_forward,
            real_inverse,
            complex,
            work: vec![Complex64::ZERO; modes],
            scratch: PerThread::new(|| Scratch {
                real: vec![0.0; last],
                line: vec![Complex64::ZERO; last / 2 + 1],
                work: vec![Complex64::ZERO; scratch_len],
            }),
        }
    }

    pub fn torus(&self) -> &Torus {
        &self.torus
    }

    /// Number of stored modes.
    pub fn modes(&self) -> usize {
        self.work.len()
    }

    /// A zero spectrum.
    pub fn spectrum(&self) -> Vec<Complex64> {
        vec![Complex64::ZERO; self.modes()]
    }

    /// Axes in the order in which the spectrum stores them.
    pub fn axis_order(&self) -> Vec<usize> {
        let d = self.torus.dimension();
        std::iter::once(d - 1).chain(0..d - 1).collect()
    }

    /// As [`wavenumbers`].
    pub fn wavenumbers(&self, axis: usize) -> Vec<f64> {
        wavenumbers(&self.torus, axis)
    }

    /// Unnormalised forward transform, `n^d p̂_k`.
    pub fn forward(&mut self, field: &[f64], spectrum: &mut [Complex64]) {
        let last = *self.torus.points().last().expect("d ≥ 1");
        let half = last / 2 + 1;
        let (plan, scratch) = (&self.real_forward, &self.scratch);
        let exchanges = self.complex.len();
        // Each exchange of axes moves the data to the other buffer; start so that it ends in `spectrum`.
        let (mut from, mut to) = (&mut self.work[..], spectrum);
        if exchanges.is_multiple_of(2) {
            std::mem::swap(&mut from, &mut to);
        }
        for_each_chunk(from, half, |row, line| {
            scratch.with(|scratch| {
                scratch
                    .real
                    .copy_from_slice(&field[row * last..(row + 1) * last]);
                plan.process_with_scratch(&mut scratch.real, line, &mut scratch.work)
                    .expect("lengths were planned");
            });
        });
        for (plan, _) in &self.complex {
            let n = plan.len();
            let columns = from.len() / n;
            for_each_chunk(to, TILE * n, |tile, lines| {
                gather_columns(from, columns, tile * TILE, n, lines);
                scratch.with(|scratch| plan.process_with_scratch(lines, &mut scratch.work));
            });
            std::mem::swap(&mut from, &mut to);
        }
    }

    /// Inverse of [`Self::forward`] times `n^d`; destroys the spectrum.
    pub fn inverse(&mut self, spectrum: &mut [Complex64], field: &mut [f64]) {
        let last = *self.torus.points().last().expect("d ≥ 1");
        let half = last / 2 + 1;
        let (plan, scratch) = (&self.real_inverse, &self.scratch);
        let (mut from, mut to) = (spectrum, &mut self.work[..]);
        for (_, plan) in self.complex.iter().rev() {
            let n = plan.len();
            let columns = from.len() / n;
            for_each_chunk(from, TILE * n, |_, lines| {
                scratch.with(|scratch| plan.process_with_scratch(lines, &mut scratch.work));
            });
            for_each_chunk(to, TILE * columns, |tile, rows| {
                gather_columns(from, n, tile * TILE, columns, rows);
            });
            std::mem::swap(&mut from, &mut to);
        }
        let from = &*from;
        for_each_chunk(field, last, |row, real| {
            scratch.with(|scratch| {
                let line = &mut scratch.line;
                line.copy_from_slice(&from[row * half..(row + 1) * half]);
                // These modes are their own mirror image, so a real field has no imaginary part there; the
                // transform refuses even a rounded trace of one.
                line[0].im = 0.0;
                line[half - 1].im = 0.0;
                plan.process_with_scratch(line, real, &mut scratch.work)
                    .expect("lengths were planned");
            });
        });
    }

    /// `out_k = unit · Π_i factors[i][k_i] · spectrum_k` with one real factor array per axis.
    ///
    /// Every derivative symbol has this form: `unit` is i for a first derivative and −1 for a second one.
    pub fn multiply(
        &self,
        spectrum: &[Complex64],
        factors: &[&[f64]],
        unit: Complex64,
        out: &mut [Complex64],
    ) {
        let order = self.axis_order();
        let (&inner_axis, outer) = order.split_last().expect("d ≥ 1");
        let inner = factors[inner_axis];
        for_each_chunk(out, inner.len(), |row, out| {
            let mut rest = row;
            let mut product = 1.0;
            for &axis in outer.iter().rev() {
                product *= factors[axis][rest % factors[axis].len()];
                rest /= factors[axis].len();
            }
            let row_factor = unit * product;
            let line = &spectrum[row * inner.len()..(row + 1) * inner.len()];
            for ((out, value), factor) in out.iter_mut().zip(line).zip(inner) {
                *out = row_factor * *factor * *value;
            }
        });
    }

    /// Runs `body(mode, wavenumber index along each axis)` over the spectrum, row by row in parallel.
    pub fn for_each_mode(
        &self,
        spectrum: &mut [Complex64],
        body: impl Fn(&mut Complex64, &[usize; 3]) + Sync,
    ) {
        let order = self.axis_order();
        let lengths: Vec<usize> = order.iter().map(|&axis| self.stored(axis)).collect();
        let (&inner_axis, outer) = order.split_last().expect("d ≥ 1");
        let inner_len = *lengths.last().expect("d ≥ 1");
        for_each_chunk(spectrum, inner_len, |row, line| {
            let mut index = [0; 3];
            let mut rest = row;
            for (&axis, &len) in outer.iter().zip(&lengths).rev() {
                index[axis] = rest % len;
                rest /= len;
            }
            for (k, value) in line.iter_mut().enumerate() {
                index[inner_axis] = k;
                body(value, &index);
            }
        });
    }

    /// Number of wavenumbers stored along an axis.
    pub(crate) fn stored(&self, axis: usize) -> usize {
        let n = self.torus.points()[axis];
        if axis + 1 == self.torus.dimension() {
            n / 2 + 1
        } else {
            n
        }
    }
}

/// `out[c − first][r] = from[r][c]` for the columns c of one tile; `from` has rows of `columns` entries.
fn gather_columns(
    from: &[Complex64],
    columns: usize,
    first: usize,
    rows: usize,
    out: &mut [Complex64],
) {
    let width = out.len() / rows;
    for r in 0..rows {
        let row = &from[r * columns + first..r * columns + first + width];
        for (c, value) in row.iter().enumerate() {
            out[c * rows + r] = *value;
        }
    }
}

/// Angular wavenumber `2πk`.
pub fn angular(k: f64) -> f64 {
    2.0 * PI * k
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn sample(torus: &Torus) -> Vec<f64> {
        (0..torus.len())
            .map(|i| ((i * i + 3) as f64 * 0.37).sin())
            .collect()
    }

    /// Direct sum, the definition.
    fn coefficient(torus: &Torus, field: &[f64], k: &[f64]) -> Complex64 {
        (0..torus.len())
            .map(|i| {
                let phase: f64 = torus.node(i).iter().zip(k).map(|(x, k)| x * k).sum();
                field[i] * Complex64::cis(-2.0 * PI * phase)
            })
            .sum()
    }

    #[test]
    fn forward_is_the_definition_and_inverse_undoes_it() {
        for points in [vec![10], vec![8, 12], vec![8, 10, 12]] {
            let torus = Torus::new(&points).unwrap();
            let mut fourier = Fourier::new(&torus);
            let field = sample(&torus);
            let mut spectrum = fourier.spectrum();
            fourier.forward(&field, &mut spectrum);
            let wavenumbers: Vec<_> = (0..points.len()).map(|a| fourier.wavenumbers(a)).collect();
            let mut checked = spectrum.clone();
            fourier.for_each_mode(&mut checked, |value, index| {
                let k: Vec<f64> = wavenumbers.iter().zip(index).map(|(w, &i)| w[i]).collect();
                *value -= coefficient(&torus, &field, &k);
            });
            let worst = checked.iter().map(|v| v.norm()).fold(0.0, f64::max);
            assert!(worst < 1e-10, "{points:?}: {worst}");
            let mut back = vec![0.0; torus.len()];
            fourier.inverse(&mut spectrum, &mut back);
            for (a, b) in back.iter().zip(&field) {
                assert_abs_diff_eq!(*a / torus.len() as f64, *b, epsilon = 1e-14);
            }
        }
    }
}
