//! A field's trigonometric interpolant on a finer grid, and its low modes on a coarser one.
//!
//! One axis at a time: transforms along an axis run only on lines whose modes are not zero, or will not be dropped. A field of
//! few modes on a fine grid then costs little more than its real transform along the last axis.

use crate::fourier::{Complex64, Fourier, wavenumbers};
use crate::parallel::{PerThread, for_each_chunk};
use crate::torus::Torus;
use realfft::{ComplexToReal, RealFftPlanner};
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Lines moved together when axes are exchanged: eight complex numbers are two cache lines.
const TILE: usize = 8;

/// How values between the nodes are made of those at the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// The trigonometric interpolant, a Nyquist mode read as a cosine.
    Interpolating,
    /// The modes below Nyquist. Unlike interpolation, this commutes with ∂, which does not see Nyquist modes.
    Dirichlet,
    /// Jackson's kernel, a trigonometric polynomial without negative values: it commutes with ∂, and what is positive at all nodes
    /// stays positive everywhere, matrices too. Its error is O(h²). Along axes that are not refined, values stay.
    Jackson,
}

/// The field's trigonometric interpolant at the nodes of `to`, which must be at least as fine along every axis.
///
/// Exact to round-off; the Nyquist mode is read as a cosine.
///
/// # Panics
/// If `to` is coarser along an axis or has another dimension.
pub fn refine(from: &Torus, field: &[f64], to: &Torus) -> Vec<f64> {
    let mut out = vec![0.0; to.len()];
    Refinement::new(from, to, Kernel::Interpolating).apply(field, &mut out);
    out
}

/// Interpolation of one field after the other.
pub struct Refinement {
    /// Nodes along the last axis.
    last: usize,
    /// What ±n/2 gets of a Nyquist mode.
    share: f64,
    /// Factors of the modes along each axis, if not one.
    window: Option<Vec<Vec<f64>>>,
    coarse: Fourier,
    spectrum: Vec<Complex64>,
    /// For all axes but the last.
    complex: Vec<Arc<dyn Fft<f64>>>,
    real: Arc<dyn ComplexToReal<f64>>,
    wide: Vec<Complex64>,
    scratch: PerThread<Scratch>,
}

/// What one thread needs to transform a line.
struct Scratch {
    line: Vec<Complex64>,
    real: Vec<f64>,
    work: Vec<Complex64>,
}

impl Scratch {
    fn new(points: usize, work: usize) -> Self {
        Self {
            line: vec![Complex64::ZERO; points / 2 + 1],
            real: vec![0.0; points],
            work: vec![Complex64::ZERO; work],
        }
    }
}

impl Refinement {
    /// # Panics
    /// If `to` is coarser along an axis or has another dimension.
    pub fn new(from: &Torus, to: &Torus, kernel: Kernel) -> Self {
        let window = (kernel == Kernel::Jackson).then(|| windows(from, to));
        let share = if kernel == Kernel::Interpolating {
            0.5
        } else {
            0.0
        };
        Self::with(from, to, share, window)
    }

    /// Interpolation of a field whose modes are multiplied by `weight(axis, |k|)` along each axis.
    ///
    /// # Panics
    /// If `to` is coarser along an axis or has another dimension.
    pub fn weighted(from: &Torus, to: &Torus, weight: impl Fn(usize, usize) -> f64) -> Self {
        let along = |axis| {
            let each = wavenumbers(from, axis).into_iter();
            each.map(|k| weight(axis, k.abs() as usize)).collect()
        };
        let weights = (0..from.dimension()).map(along).collect();
        Self::with(from, to, 0.5, Some(weights))
    }

    fn with(from: &Torus, to: &Torus, share: f64, window: Option<Vec<Vec<f64>>>) -> Self {
        assert_eq!(from.dimension(), to.dimension());
        let finer = |(a, b): (&usize, &usize)| a <= b;
        assert!(
            from.points().iter().zip(to.points()).all(finer),
            "refine only"
        );
        let (&last, others) = to.points().split_last().expect("d ≥ 1");
        let real = RealFftPlanner::new().plan_fft_inverse(last);
        let mut planner = FftPlanner::new();
        let complex: Vec<_> = others
            .iter()
            .map(|&n| planner.plan_fft_inverse(n))
            .collect();
        let work = most_scratch(real.get_scratch_len(), &complex);
        let coarse = Fourier::new(from);
        Self {
            last,
            share,
            window,
            spectrum: coarse.spectrum(),
            coarse,
            complex,
            real,
            wide: Vec::new(),
            scratch: PerThread::new(|| Scratch::new(last, work)),
        }
    }

    /// Writes the interpolant of `field` at the nodes.
    pub fn apply(&mut self, field: &[f64], out: &mut [f64]) {
        self.coarse.forward(field, &mut self.spectrum);
        if let Some(window) = &self.window {
            self.coarse
                .for_each_mode(&mut self.spectrum, |value, index| {
                    *value *= window
                        .iter()
                        .zip(index)
                        .map(|(w, &k)| w[k])
                        .product::<f64>();
                });
        }
        for axis in (0..self.complex.len()).rev() {
            self.widen_along(axis);
        }
        self.rows(out);
    }

    /// Inverse transform along the axis whose modes are contiguous, then the exchange that `Fourier` stores spectra in the order of:
    /// the axis just done becomes the first.
    fn widen_along(&mut self, axis: usize) {
        let (plan, n) = (&self.complex[axis], self.coarse.torus().points()[axis]);
        let (m, lines) = (plan.len(), self.spectrum.len() / n);
        let (spectrum, scratch, share) = (&self.spectrum, &self.scratch, self.share);
        self.wide.resize(lines * m, Complex64::ZERO);
        for_each_chunk(&mut self.wide, m, |line, out| {
            widen(&spectrum[line * n..(line + 1) * n], share, out);
            scratch.with(|scratch| plan.process_with_scratch(out, &mut scratch.work));
        });
        self.spectrum.resize(lines * m, Complex64::ZERO);
        exchange(&self.wide, m, &mut self.spectrum);
    }

    /// Real transforms along the last axis.
    fn rows(&mut self, out: &mut [f64]) {
        let coarse = *self.coarse.torus().points().last().expect("d ≥ 1");
        let (fine, half) = (self.last, coarse / 2 + 1);
        let scale = 1.0 / self.coarse.torus().len() as f64;
        let highest = if coarse == fine {
            scale
        } else {
            self.share * scale
        };
        let (spectrum, plan) = (&self.spectrum, &self.real);
        for_each_chunk(out, fine, |row, real| {
            self.scratch.with(|scratch| {
                let line = &mut scratch.line;
                line.fill(Complex64::ZERO);
                for (wide, mode) in line.iter_mut().zip(&spectrum[row * half..(row + 1) * half]) {
                    *wide = scale * mode;
                }
                line[half - 1] = highest * spectrum[(row + 1) * half - 1];
                // Their own mirror images: real but for rounding, which the transform refuses.
                line[0].im = 0.0;
                line[fine / 2].im = 0.0;
                plan.process_with_scratch(line, real, &mut scratch.work)
                    .expect("lengths were planned");
            });
        });
        self.spectrum.resize(self.coarse.modes(), Complex64::ZERO);
    }
}

/// The modes `|k_i| < m_i/2` of the field on the grid `to` of m_i nodes, which must be at most as fine along every axis; all modes along
/// the axes on which both grids have the same nodes.
///
/// # Panics
/// If `to` is finer along an axis or has another dimension.
pub fn coarsen(from: &Torus, field: &[f64], to: &Torus) -> Vec<f64> {
    assert_eq!(from.dimension(), to.dimension());
    let coarser = |(a, b): (&usize, &usize)| a >= b;
    assert!(
        from.points().iter().zip(to.points()).all(coarser),
        "coarsen only"
    );
    let mut spectrum = low_rows(from, field, to);
    let mut planner = FftPlanner::new();
    for (&m, &n) in from
        .points()
        .iter()
        .zip(to.points())
        .take(from.dimension() - 1)
    {
        spectrum = narrow_along(&planner.plan_fft_forward(m), &spectrum, n);
    }
    let scale = 1.0 / from.len() as f64;
    for_each_chunk(&mut spectrum, TILE * TILE, |_, modes| {
        modes.iter_mut().for_each(|mode| *mode *= scale);
    });
    let mut out = vec![0.0; to.len()];
    Fourier::new(to).inverse(&mut spectrum, &mut out);
    out
}

/// Real transforms along the last axis, without the modes that `to` does not hold.
fn low_rows(from: &Torus, field: &[f64], to: &Torus) -> Vec<Complex64> {
    let last = *from.points().last().expect("d ≥ 1");
    let coarse = *to.points().last().expect("d ≥ 1");
    let plan = RealFftPlanner::new().plan_fft_forward(last);
    let scratch = PerThread::new(|| Scratch::new(last, plan.get_scratch_len()));
    let half = coarse / 2 + 1;
    let mut low = vec![Complex64::ZERO; from.len() / last * half];
    for_each_chunk(&mut low, half, |row, low| {
        scratch.with(|Scratch { line, real, work }| {
            real.copy_from_slice(&field[row * last..(row + 1) * last]);
            plan.process_with_scratch(real, line, work)
                .expect("lengths were planned");
            low.copy_from_slice(&line[..half]);
            if coarse < last {
                low[half - 1] = Complex64::ZERO;
            }
        });
    });
    low
}

/// Transform along the first axis, which becomes the last with its lowest modes, as many as n nodes hold.
fn narrow_along(plan: &Arc<dyn Fft<f64>>, spectrum: &[Complex64], n: usize) -> Vec<Complex64> {
    let m = plan.len();
    let lines = spectrum.len() / m;
    let scratch = PerThread::new(|| vec![Complex64::ZERO; plan.get_inplace_scratch_len()]);
    let mut wide = vec![Complex64::ZERO; spectrum.len()];
    exchange(spectrum, lines, &mut wide);
    for_each_chunk(&mut wide, m, |_, line| {
        scratch.with(|work| plan.process_with_scratch(line, work));
    });
    let mut narrow = vec![Complex64::ZERO; lines * n];
    for_each_chunk(&mut narrow, n, |line, out| {
        let line = &wide[line * m..(line + 1) * m];
        out.copy_from_slice(&line[..n]);
        if n < m {
            out[n / 2] = Complex64::ZERO;
            out[n / 2 + 1..].copy_from_slice(&line[m - n / 2 + 1..]);
        }
    });
    narrow
}

/// Modes `0, …, n/2, −n/2+1, …, −1` among those of more nodes; ±n/2 get `share` of the Nyquist mode.
fn widen(modes: &[Complex64], share: f64, out: &mut [Complex64]) {
    let (n, m) = (modes.len(), out.len());
    if n == m {
        out.copy_from_slice(modes);
        return;
    }
    let half = n / 2;
    out[..half].copy_from_slice(&modes[..half]);
    out[half..=m - half].fill(Complex64::ZERO);
    out[m - half + 1..].copy_from_slice(&modes[half + 1..]);
    (out[half], out[m - half]) = (share * modes[half], share * modes[half]);
}

/// Rows of n entries become columns.
fn exchange(from: &[Complex64], n: usize, to: &mut [Complex64]) {
    let rows = from.len() / n;
    for_each_chunk(to, TILE * rows, |tile, out| {
        let (first, width) = (tile * TILE, out.len() / rows);
        for r in 0..rows {
            let row = &from[r * n + first..r * n + first + width];
            for (c, value) in row.iter().enumerate() {
                out[c * rows + r] = *value;
            }
        }
    });
}

/// Fourier coefficients of Jackson's kernel along each axis that `to` refines.
fn windows(coarse: &Torus, to: &Torus) -> Vec<Vec<f64>> {
    let along = |(axis, (&n, &m)): (usize, (&usize, &usize))| {
        let jackson = |k: &f64| {
            if n == m {
                1.0
            } else {
                jackson(2.0 * k.abs() / n as f64)
            }
        };
        wavenumbers(coarse, axis).iter().map(jackson).collect()
    };
    let axes = coarse.points().iter().zip(to.points());
    axes.enumerate().map(along).collect()
}

/// Four-fold convolution of a box, of support [−1, 1] and one at 0: its transform, the fourth power of a sine over its argument, is not
/// negative.
fn jackson(t: f64) -> f64 {
    if t <= 0.5 {
        1.0 - 6.0 * t * t * (1.0 - t)
    } else {
        2.0 * (1.0 - t).max(0.0).powi(3)
    }
}

/// The scratch that the longest of several plans asks for.
fn most_scratch(real: usize, complex: &[Arc<dyn Fft<f64>>]) -> usize {
    let lengths = complex.iter().map(|plan| plan.get_inplace_scratch_len());
    lengths.fold(real, usize::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculus::{Calculus, Derivatives, Spectral};
    use crate::parallel::{sup, sup_difference};
    use std::f64::consts::PI;

    /// Coarse and fine grids in every dimension, with factors other than two, axes that stay, and lengths with large primes.
    fn pairs_of_grids() -> Vec<(Torus, Torus)> {
        let torus = |points: &[usize]| Torus::new(points).unwrap();
        [
            (&[8][..], &[20][..]),
            (&[8, 10], &[16, 10]),
            (&[10, 8], &[34, 22]),
            (&[8, 8, 8], &[12, 8, 18]),
            (&[8, 12, 10], &[16, 26, 10]),
        ]
        .map(|(coarse, fine)| (torus(coarse), torus(fine)))
        .to_vec()
    }

    fn sample(torus: &Torus, value: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        (0..torus.len()).map(|i| value(&torus.node(i))).collect()
    }

    /// Modes up to 3 along every axis.
    fn low(x: &[f64]) -> f64 {
        let sum = |shift: f64| {
            let terms = x.iter().enumerate().map(|(i, x)| (i as f64 - shift) * x);
            terms.sum::<f64>()
        };
        (2.0 * PI * sum(2.0)).sin()
            + 0.3 * (2.0 * PI * sum(1.0)).cos()
            + (6.0 * PI * x[0]).cos()
            + 0.5
    }

    fn rough(torus: &Torus) -> Vec<f64> {
        (0..torus.len())
            .map(|i| ((i * i + 3) as f64 * 0.37).sin())
            .collect()
    }

    #[test]
    fn band_limited_fields_are_reproduced_exactly_and_nyquist_is_a_cosine() {
        for (from, to) in pairs_of_grids() {
            let half = from.points()[0] as f64 / 2.0;
            let value = |x: &[f64]| low(x) + (2.0 * PI * half * x[0]).cos();
            let refined = refine(&from, &sample(&from, value), &to);
            assert!(
                sup_difference(&refined, &sample(&to, value)) < 1e-13,
                "{from:?}"
            );
        }
    }

    /// Copies the modes of `from` into a spectrum of `to`, divided by the number of nodes of `from` so that the inverse
    /// transform gives values; a Nyquist mode is split evenly between ±n/2.
    fn pad(from: &Fourier, spectrum: &[Complex64], to: &Fourier, out: &mut [Complex64]) {
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

    /// By padding the spectrum of the whole grid, the definition.
    #[test]
    fn transforms_of_the_lines_with_modes_are_those_of_all_lines() {
        for (from, to) in pairs_of_grids() {
            let field = rough(&from);
            let (mut coarse, mut fine) = (Fourier::new(&from), Fourier::new(&to));
            let (mut spectrum, mut padded) = (coarse.spectrum(), fine.spectrum());
            coarse.forward(&field, &mut spectrum);
            pad(&coarse, &spectrum, &fine, &mut padded);
            let mut whole = vec![0.0; to.len()];
            fine.inverse(&mut padded, &mut whole);
            assert!(
                sup_difference(&refine(&from, &field, &to), &whole) < 1e-14,
                "{from:?}"
            );
        }
    }

    fn refined(from: &Torus, field: &[f64], to: &Torus, kernel: Kernel) -> Vec<f64> {
        let mut out = vec![0.0; to.len()];
        Refinement::new(from, to, kernel).apply(field, &mut out);
        out
    }

    /// What a Nyquist mode is dropped for: on the coarse grid its first derivative vanishes, on the fine one not.
    #[test]
    fn without_nyquist_modes_kernels_commute_with_derivatives() {
        let derivatives = |torus: &Torus, field: &[f64]| {
            let mut out = Derivatives::zeros(torus);
            Spectral::new(torus).derivatives(field, &mut out);
            [out.gradient, out.hessian].concat()
        };
        for (from, to) in pairs_of_grids() {
            let field = rough(&from);
            let defect = |kernel| {
                let fine = derivatives(&to, &refined(&from, &field, &to, kernel));
                let pairs = derivatives(&from, &field).into_iter().zip(fine);
                let relative = |(coarse, fine): (Vec<f64>, Vec<f64>)| {
                    sup_difference(&refined(&from, &coarse, &to, kernel), &fine) / sup(&fine)
                };
                pairs.map(relative).fold(0.0, f64::max)
            };
            assert!(defect(Kernel::Dirichlet) < 1e-12, "{from:?}");
            assert!(defect(Kernel::Jackson) < 1e-12, "{from:?}");
            assert!(defect(Kernel::Interpolating) > 1e-3, "{from:?}");
        }
    }

    #[test]
    fn jacksons_kernel_keeps_what_is_positive_and_is_of_second_order() {
        for (from, to) in pairs_of_grids() {
            // A spike is the worst case: every field of positive values is a sum of such.
            let spike: Vec<f64> = (0..from.len())
                .map(|i| f64::from(u8::from(i == 5)))
                .collect();
            let least = |kernel| {
                let values = refined(&from, &spike, &to, kernel);
                values.into_iter().fold(f64::INFINITY, f64::min)
            };
            assert!(least(Kernel::Jackson) > -1e-16, "{from:?}");
            assert!(least(Kernel::Dirichlet) < -0.05, "{from:?}");
        }
        let wave = |x: &[f64]| (2.0 * PI * (x[0] + x[1])).cos();
        let to = Torus::new(&[128, 128]).unwrap();
        let error = |n: usize| {
            let from = Torus::new(&[n, n]).unwrap();
            let found = refined(&from, &sample(&from, wave), &to, Kernel::Jackson);
            sup_difference(&found, &sample(&to, wave))
        };
        let order = (error(32) / error(64)).log2();
        assert!((order - 2.0).abs() < 0.1, "{order}");
    }

    #[test]
    fn coarsening_keeps_low_modes_and_drops_the_others() {
        for (coarse, fine) in pairs_of_grids() {
            let exact = sample(&coarse, low);
            let high = |x: &[f64]| {
                let refined =
                    (0..x.len()).find(|&axis| fine.points()[axis] > coarse.points()[axis]);
                let axis = refined.expect("one axis is finer");
                let half = coarse.points()[axis] as f64 / 2.0;
                (2.0 * PI * half * x[axis]).cos()
                    + (2.0 * PI * ((half + 1.0) * x[axis] + x[0])).sin()
            };
            let found = coarsen(&fine, &sample(&fine, |x| low(x) + high(x)), &coarse);
            assert!(sup_difference(&found, &exact) < 1e-13, "{coarse:?}");
            let back = coarsen(&fine, &refine(&coarse, &exact, &fine), &coarse);
            assert!(sup_difference(&back, &exact) < 1e-13, "{coarse:?}");
        }
    }
}
