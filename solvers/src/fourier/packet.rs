//! Complex Fourier transforms of eight lines at once, one line in each lane of the vector registers.
//!
//! `X_k = Σ_j x_j e^{−2πijk/n}` and back, in place, with radices 8, 5, 4 and 3: decimation in frequency forward, decimation in time
//! back (Van Loan, *Computational Frameworks for the FFT*, 1992, §§1.9, 2.3). Modes stay in the scrambled order in which the one
//! leaves them and the other takes them; whoever looks at a mode asks for its position ([`LineTransform::positions`]). No line is ever shuffled
//! against itself, so the loops over lanes are plain vector code.

use bytemuck::{Pod, Zeroable};
use multiversion::multiversion;
use rustfft::num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::f64::consts::{FRAC_1_SQRT_2, TAU};
use std::sync::Arc;

/// Lines that are transformed together: eight doubles fill the widest vector register.
pub const LANES: usize = 8;

/// Longer lines than this do not stay in the first-level cache: after the first stage their parts are transformed one by one.
const LONG: usize = 128;

/// One complex number in every lane.
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Packet {
    pub re: [f64; LANES],
    pub im: [f64; LANES],
}

impl Packet {
    pub const ZERO: Self = Self {
        re: [0.0; LANES],
        im: [0.0; LANES],
    };

    /// The numbers in some packets, sixteen of each.
    pub fn numbers(packets: &[Self]) -> &[f64] {
        bytemuck::cast_slice(packets)
    }

    pub fn numbers_mut(packets: &mut [Self]) -> &mut [f64] {
        bytemuck::cast_slice_mut(packets)
    }
}

/// What multiplies the modes of a line before they are transformed back.
#[derive(Debug, Clone, Copy)]
pub struct Multiplier<'a> {
    /// One factor for each position.
    pub factors: &'a [f64],
    /// Whether there is another factor i.
    pub turned: bool,
    /// Further factors for each position and lane.
    pub symbol: Option<&'a [f64]>,
}

/// The plan for lines of one length.
pub struct LineTransform {
    positions: Vec<usize>,
    stages: Vec<Stage>,
    /// For lengths that the radices do not divide: one line after the other.
    single: Option<Arc<dyn Fft<f64>>>,
}

/// Splits blocks of R·m values: `x[jm + p] ← e^{−2πijp/(Rm)} Σ_l x[lm + p] e^{−2πijl/R}`, j < R, p < m.
struct Stage {
    radix: usize,
    part: usize,
    /// `e^{−2πijp/(Rm)}` for every p and 0 < j < R.
    twiddles: Vec<[f64; 2]>,
}

impl LineTransform {
    pub fn new(len: usize) -> Self {
        let radices = radices(len);
        let mut part = len;
        let stages = radices.iter().flatten().map(|&radix| {
            part /= radix;
            Stage::new(radix, part)
        });
        let stages: Vec<Stage> = stages.collect();
        Self {
            positions: (0..len).map(|k| position(&stages, k)).collect(),
            single: radices
                .is_none()
                .then(|| FftPlanner::new().plan_fft_forward(len)),
            stages,
        }
    }

    /// Where each mode is.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// The mode at each position.
    pub fn modes(&self) -> Vec<usize> {
        let mut modes = vec![0; self.positions.len()];
        for (mode, &position) in self.positions.iter().enumerate() {
            modes[position] = mode;
        }
        modes
    }

    /// From values to modes.
    pub fn forward(&self, x: &mut [Packet]) {
        assert_eq!(x.len(), self.positions.len());
        match &self.single {
            None => forward(&self.stages, x),
            Some(plan) => one_by_one(plan.as_ref(), x),
        }
    }

    /// From the modes `from`, multiplied, to n times the values.
    pub fn backward(&self, from: &[Packet], multiplier: Multiplier, to: &mut [Packet]) {
        assert!(from.len() == self.positions.len() && to.len() == from.len());
        match &self.single {
            None => backward(&self.stages, from, multiplier, to),
            Some(plan) => {
                multiply(from, multiplier, to);
                exchange(to);
                one_by_one(plan.as_ref(), to);
                exchange(to);
            }
        }
    }
}

impl Stage {
    fn new(radix: usize, part: usize) -> Self {
        let pairs = (0..part).flat_map(|p| (1..radix).map(move |j| j * p));
        Self {
            radix,
            part,
            twiddles: pairs.map(|k| root_of_unity(k, radix * part)).collect(),
        }
    }
}

/// Mode `k = j_1 + R_1 (j_2 + R_2 (j_3 + …))` is in part j_1 of the line, part j_2 of that, …
fn position(stages: &[Stage], k: usize) -> usize {
    if stages.is_empty() {
        return k;
    }
    let mut rest = k;
    let mut digit = |stage: &Stage| {
        let j = rest % stage.radix;
        rest /= stage.radix;
        j * stage.part
    };
    stages.iter().map(&mut digit).sum()
}

/// Factors 8, 5, 4 and 3 of `len`, as few as possible. An 8 comes last, or a 4: the last stage needs no twiddles, and takes the
/// multiplier on the way back.
fn radices(mut len: usize) -> Option<Vec<usize>> {
    let mut radices = Vec::new();
    for radix in [3, 5] {
        while len.is_multiple_of(radix) {
            radices.push(radix);
            len /= radix;
        }
    }
    let twos = len.is_power_of_two().then(|| len.trailing_zeros())?;
    let (fours, eights) = match twos % 3 {
        0 => (0, twos / 3),
        1 if twos >= 4 => (2, twos / 3 - 1),
        2 => (1, twos / 3),
        _ => return None,
    };
    radices.extend((0..fours).map(|_| 4));
    radices.extend((0..eights).map(|_| 8));
    Some(radices)
}

/// `e^{−2πik/n}`, rounded once: the angle is reduced to an eighth of a turn in integers.
fn root_of_unity(k: usize, n: usize) -> [f64; 2] {
    let k = k % n;
    let quarter = (4 * k + n / 2) / n;
    let angle = TAU * (4.0 * k as f64 - (quarter * n) as f64) / (4 * n) as f64;
    let (s, c) = angle.sin_cos();
    match quarter % 4 {
        0 => [c, -s],
        1 => [-s, -c],
        2 => [-c, s],
        _ => [s, c],
    }
}

fn one_by_one(plan: &dyn Fft<f64>, x: &mut [Packet]) {
    let mut line = vec![Complex64::ZERO; x.len()];
    for lane in 0..LANES {
        for (value, packet) in line.iter_mut().zip(&*x) {
            *value = Complex64::new(packet.re[lane], packet.im[lane]);
        }
        plan.process(&mut line);
        for (value, packet) in line.iter().zip(&mut *x) {
            (packet.re[lane], packet.im[lane]) = (value.re, value.im);
        }
    }
}

/// Real and imaginary parts, which turns a transform into its inverse.
fn exchange(x: &mut [Packet]) {
    for packet in x {
        std::mem::swap(&mut packet.re, &mut packet.im);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn forward(stages: &[Stage], x: &mut [Packet]) {
    let Some((first, others)) = stages.split_first() else {
        return;
    };
    split(first, x);
    let whole = if x.len() > LONG { first.part } else { x.len() };
    for x in x.chunks_exact_mut(whole) {
        for stage in others {
            split(stage, x);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn backward(stages: &[Stage], from: &[Packet], multiplier: Multiplier, to: &mut [Packet]) {
    let Some((last, others)) = stages.split_last() else {
        return multiply(from, multiplier, to);
    };
    let Multiplier {
        factors,
        turned,
        symbol,
    } = multiplier;
    match (last.radix, turned, symbol) {
        (8, false, None) => begin_8::<false, false>(from, factors, &[], to),
        (8, true, None) => begin_8::<true, false>(from, factors, &[], to),
        (8, false, Some(symbol)) => begin_8::<false, true>(from, factors, symbol, to),
        (8, true, Some(symbol)) => begin_8::<true, true>(from, factors, symbol, to),
        (4, false, None) => begin_4::<false, false>(from, factors, &[], to),
        (4, true, None) => begin_4::<true, false>(from, factors, &[], to),
        (4, false, Some(symbol)) => begin_4::<false, true>(from, factors, symbol, to),
        (4, true, Some(symbol)) => begin_4::<true, true>(from, factors, symbol, to),
        _ => {
            multiply(from, multiplier, to);
            merge(last, to);
        }
    }
    let Some((first, others)) = others.split_first() else {
        return;
    };
    let whole = if to.len() > LONG {
        first.part
    } else {
        to.len()
    };
    for to in to.chunks_exact_mut(whole) {
        for stage in others.iter().rev() {
            merge(stage, to);
        }
    }
    merge(first, to);
}

/// A slow way for the lengths that need it.
#[inline(always)]
fn multiply(from: &[Packet], multiplier: Multiplier, to: &mut [Packet]) {
    for (k, (to, from)) in to.iter_mut().zip(from).enumerate() {
        for l in 0..LANES {
            let s = multiplier
                .symbol
                .map_or(1.0, |symbol| symbol[k * LANES + l]);
            let (re, im) = scaled(multiplier.factors[k] * s, (from.re[l], from.im[l]));
            (to.re[l], to.im[l]) = if multiplier.turned {
                (-im, re)
            } else {
                (re, im)
            };
        }
    }
}

#[inline(always)]
fn split(stage: &Stage, x: &mut [Packet]) {
    match (stage.radix, stage.part) {
        (3, _) => split_3::<true>(stage, x),
        (4, _) => split_4::<true>(stage, x),
        (5, _) => split_5::<true>(stage, x),
        (_, 1) => split_8::<false>(stage, x),
        _ => split_8::<true>(stage, x),
    }
}

/// Undoes [`split`], but for the factor R.
#[inline(always)]
fn merge(stage: &Stage, x: &mut [Packet]) {
    match (stage.radix, stage.part) {
        (3, _) => merge_3::<true>(stage, x),
        (4, _) => merge_4::<true>(stage, x),
        (5, _) => merge_5::<true>(stage, x),
        (_, 1) => merge_8::<false>(stage, x),
        _ => merge_8::<true>(stage, x),
    }
}

type Complex = (f64, f64);

#[inline(always)]
fn add(a: Complex, b: Complex) -> Complex {
    (a.0 + b.0, a.1 + b.1)
}

#[inline(always)]
fn sub(a: Complex, b: Complex) -> Complex {
    (a.0 - b.0, a.1 - b.1)
}

/// a + ib.
#[inline(always)]
fn add_i(a: Complex, b: Complex) -> Complex {
    (a.0 - b.1, a.1 + b.0)
}

/// a − ib.
#[inline(always)]
fn sub_i(a: Complex, b: Complex) -> Complex {
    (a.0 + b.1, a.1 - b.0)
}

#[inline(always)]
fn scaled(s: f64, a: Complex) -> Complex {
    (s * a.0, s * a.1)
}

/// aw.
#[inline(always)]
fn times(a: Complex, w: [f64; 2]) -> Complex {
    (a.0 * w[0] - a.1 * w[1], a.1 * w[0] + a.0 * w[1])
}

/// a times the conjugate of w.
#[inline(always)]
fn over(a: Complex, w: [f64; 2]) -> Complex {
    (a.0 * w[0] + a.1 * w[1], a.1 * w[0] - a.0 * w[1])
}

/// `Σ_l x_l e^{−2πijl/3}`.
#[inline(always)]
fn dft_3(x: [Complex; 3]) -> [Complex; 3] {
    const SIN: f64 = 0.866_025_403_784_438_6;
    let (sum, difference) = (add(x[1], x[2]), sub(x[1], x[2]));
    let (middle, turned) = (sub(x[0], scaled(0.5, sum)), scaled(SIN, difference));
    [add(x[0], sum), sub_i(middle, turned), add_i(middle, turned)]
}

#[inline(always)]
fn dft_4(x: [Complex; 4]) -> [Complex; 4] {
    let (a, b) = (add(x[0], x[2]), sub(x[0], x[2]));
    let (c, d) = (add(x[1], x[3]), sub(x[1], x[3]));
    [add(a, c), sub_i(b, d), sub(a, c), add_i(b, d)]
}

#[inline(always)]
fn dft_5(x: [Complex; 5]) -> [Complex; 5] {
    const COS: [f64; 2] = [0.309_016_994_374_947_45, -0.809_016_994_374_947_5];
    const SIN: [f64; 2] = [0.951_056_516_295_153_5, 0.587_785_252_292_473_1];
    let (s1, d1) = (add(x[1], x[4]), sub(x[1], x[4]));
    let (s2, d2) = (add(x[2], x[3]), sub(x[2], x[3]));
    let m1 = add(x[0], add(scaled(COS[0], s1), scaled(COS[1], s2)));
    let m2 = add(x[0], add(scaled(COS[1], s1), scaled(COS[0], s2)));
    let t1 = add(scaled(SIN[0], d1), scaled(SIN[1], d2));
    let t2 = sub(scaled(SIN[1], d1), scaled(SIN[0], d2));
    let whole = add(x[0], add(s1, s2));
    [
        whole,
        sub_i(m1, t1),
        sub_i(m2, t2),
        add_i(m2, t2),
        add_i(m1, t1),
    ]
}

#[inline(always)]
fn dft_8(x: [Complex; 8]) -> [Complex; 8] {
    let even = dft_4([x[0], x[2], x[4], x[6]]);
    let odd = dft_4([x[1], x[3], x[5], x[7]]);
    // Times e^{−πi/4} and e^{−3πi/4}.
    let (a, b) = (odd[1], odd[3]);
    let odd_1 = scaled(FRAC_1_SQRT_2, (a.0 + a.1, a.1 - a.0));
    let odd_3 = scaled(FRAC_1_SQRT_2, (b.1 - b.0, -(b.0 + b.1)));
    [
        add(even[0], odd[0]),
        add(even[1], odd_1),
        sub_i(even[2], odd[2]),
        add(even[3], odd_3),
        sub(even[0], odd[0]),
        sub(even[1], odd_1),
        add_i(even[2], odd[2]),
        sub(even[3], odd_3),
    ]
}

/// Defines one stage of one radix, forward and back; without twiddles where all of them are ones. The inverse of the small transform
/// is the transform itself with the outputs ±j exchanged: $back in place of $j.
///
/// The packets of a butterfly are separate arguments of a function, which tells the compiler that they do not overlap: it would
/// not vectorise the loop over lanes without that.
macro_rules! radix {
    ($radix:literal, $dft:ident, $split:ident, $merge:ident, [$($j:literal $x:ident $back:literal),*]) => {
        #[inline(always)]
        fn $split<const TWIDDLED: bool>(stage: &Stage, x: &mut [Packet]) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "see the macro")]
            fn butterfly<const TWIDDLED: bool>($($x: &mut Packet,)* w: [[f64; 2]; $radix - 1]) {
                for l in 0..LANES {
                    let y = $dft([$(($x.re[l], $x.im[l])),*]);
                    $(($x.re[l], $x.im[l]) =
                        if TWIDDLED && $j > 0 { times(y[$j], w[($j as usize).max(1) - 1]) } else { y[$j] };)*
                }
            }
            if !TWIDDLED {
                for [$($x),*] in x.as_chunks_mut::<$radix>().0 {
                    butterfly::<false>($($x,)* [[1.0, 0.0]; $radix - 1]);
                }
                return;
            }
            let m = stage.part;
            for x in x.chunks_exact_mut($radix * m) {
                $(let ($x, x) = x.split_at_mut(m);)*
                debug_assert!(x.is_empty());
                for p in 0..m {
                    let w = &stage.twiddles[p * ($radix - 1)..][..$radix - 1];
                    let w: [[f64; 2]; $radix - 1] = w.try_into().expect("as many");
                    butterfly::<true>($(&mut $x[p],)* w);
                }
            }
        }

        #[inline(always)]
        fn $merge<const TWIDDLED: bool>(stage: &Stage, x: &mut [Packet]) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "see the macro")]
            fn butterfly<const TWIDDLED: bool>($($x: &mut Packet,)* w: [[f64; 2]; $radix - 1]) {
                for l in 0..LANES {
                    let y = $dft([$(
                        if TWIDDLED && $j > 0 {
                            over(($x.re[l], $x.im[l]), w[($j as usize).max(1) - 1])
                        } else {
                            ($x.re[l], $x.im[l])
                        }
                    ),*]);
                    $(($x.re[l], $x.im[l]) = y[$back];)*
                }
            }
            if !TWIDDLED {
                for [$($x),*] in x.as_chunks_mut::<$radix>().0 {
                    butterfly::<false>($($x,)* [[1.0, 0.0]; $radix - 1]);
                }
                return;
            }
            let m = stage.part;
            for x in x.chunks_exact_mut($radix * m) {
                $(let ($x, x) = x.split_at_mut(m);)*
                debug_assert!(x.is_empty());
                for p in 0..m {
                    let w = &stage.twiddles[p * ($radix - 1)..][..$radix - 1];
                    let w: [[f64; 2]; $radix - 1] = w.try_into().expect("as many");
                    butterfly::<true>($(&mut $x[p],)* w);
                }
            }
        }
    };
}

/// Defines the first stage on the way back, in which packets are multiplied; all twiddles are ones.
macro_rules! begin {
    ($name:ident, $radix:literal, $dft:ident, [$($j:literal $x:ident $y:ident $back:literal),*]) => {
        #[inline(always)]
        fn $name<const TURNED: bool, const SYMBOL: bool>(
            from: &[Packet],
            factors: &[f64],
            symbol: &[f64],
            to: &mut [Packet],
        ) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "see the macro above")]
            fn butterfly<const TURNED: bool, const SYMBOL: bool>(
                $($x: &Packet,)*
                $($y: &mut Packet,)*
                factors: [f64; $radix],
                symbol: &[f64; $radix * LANES],
            ) {
                for l in 0..LANES {
                    let y = $dft([$({
                        let s = factors[$j] * if SYMBOL { symbol[$j * LANES + l] } else { 1.0 };
                        if TURNED { (-s * $x.im[l], s * $x.re[l]) } else { (s * $x.re[l], s * $x.im[l]) }
                    }),*]);
                    $(($y.re[l], $y.im[l]) = y[$back];)*
                }
            }
            let from = from.as_chunks::<$radix>().0;
            let factors = factors.as_chunks::<$radix>().0;
            let symbol = symbol.as_chunks::<{ $radix * LANES }>().0;
            let to = to.as_chunks_mut::<$radix>().0;
            for k in 0..from.len() {
                let [$($x),*] = &from[k];
                let [$($y),*] = &mut to[k];
                let symbol = if SYMBOL { &symbol[k] } else { &[1.0; $radix * LANES] };
                butterfly::<TURNED, SYMBOL>($($x,)* $($y,)* factors[k], symbol);
            }
        }
    };
}

radix!(3, dft_3, split_3, merge_3, [0 x0 0, 1 x1 2, 2 x2 1]);
radix!(4, dft_4, split_4, merge_4, [0 x0 0, 1 x1 3, 2 x2 2, 3 x3 1]);
radix!(5, dft_5, split_5, merge_5, [0 x0 0, 1 x1 4, 2 x2 3, 3 x3 2, 4 x4 1]);
radix!(8, dft_8, split_8, merge_8,
    [0 x0 0, 1 x1 7, 2 x2 6, 3 x3 5, 4 x4 4, 5 x5 3, 6 x6 2, 7 x7 1]);

begin!(begin_4, 4, dft_4, [0 x0 y0 0, 1 x1 y1 3, 2 x2 y2 2, 3 x3 y3 1]);
begin!(begin_8, 8, dft_8,
    [0 x0 y0 0, 1 x1 y1 7, 2 x2 y2 6, 3 x3 y3 5, 4 x4 y4 4, 5 x5 y5 3, 6 x6 y6 2, 7 x7 y7 1]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lane_has_the_transform_of_its_line_and_back() {
        for len in [
            6, 8, 12, 14, 16, 20, 24, 32, 36, 60, 64, 96, 128, 256, 720, 1024,
        ] {
            let value = |k: usize, lane: usize| ((k * k + 3 * lane) as f64 * 0.37).sin();
            let mut x = vec![Packet::ZERO; len];
            for (k, packet) in x.iter_mut().enumerate() {
                for lane in 0..LANES {
                    (packet.re[lane], packet.im[lane]) = (value(k, lane), value(k + 5, lane));
                }
            }
            let original = x.clone();
            let plan = LineTransform::new(len);
            plan.forward(&mut x);
            let direct = FftPlanner::new().plan_fft_forward(len);
            for lane in 0..LANES {
                let mut line: Vec<_> = (0..len)
                    .map(|k| Complex64::new(value(k, lane), value(k + 5, lane)))
                    .collect();
                direct.process(&mut line);
                for (value, &position) in line.iter().zip(plan.positions()) {
                    let found = Complex64::new(x[position].re[lane], x[position].im[lane]);
                    let error = (found - value).norm();
                    assert!(error < 2e-15 * len as f64, "{len}: {error:e}");
                }
            }
            let factors: Vec<f64> = (0..len).map(|k| 1.0 + (k as f64).cos()).collect();
            let symbol: Vec<f64> = (0..LANES * len).map(|k| 1.0 + 0.1 * k as f64).collect();
            for (turned, symbol) in [false, true]
                .into_iter()
                .flat_map(|t| [(t, None), (t, Some(&symbol[..]))])
            {
                let multiplier = Multiplier {
                    factors: &factors,
                    turned,
                    symbol,
                };
                let (mut found, mut modes) = (x.clone(), x.clone());
                plan.backward(&x, multiplier, &mut found);
                multiply(&x, multiplier, &mut modes);
                plan.forward(&mut found);
                for (found, mode) in found.iter().zip(&modes) {
                    for lane in 0..LANES {
                        let re = found.re[lane] / len as f64 - mode.re[lane];
                        let im = found.im[lane] / len as f64 - mode.im[lane];
                        let size = (len * len * if symbol.is_some() { len } else { 1 }) as f64;
                        assert!(re.abs().max(im.abs()) < 1e-15 * size, "{len}");
                    }
                }
            }
            let one = Multiplier {
                factors: &vec![1.0; len],
                turned: false,
                symbol: None,
            };
            let mut found = x.clone();
            plan.backward(&x, one, &mut found);
            for (found, packet) in found.iter().zip(&original) {
                for lane in 0..LANES {
                    let re = found.re[lane] / len as f64 - packet.re[lane];
                    let im = found.im[lane] / len as f64 - packet.im[lane];
                    assert!(re.abs().max(im.abs()) < 1e-14, "{len}");
                }
            }
        }
    }

    #[test]
    fn roots_of_unity_are_rounded_once() {
        for n in [8, 12, 20, 96, 1024] {
            for k in 0..2 * n {
                let [c, s] = root_of_unity(k, n);
                let angle = TAU * (k % n) as f64 / n as f64;
                assert!((c - angle.cos()).abs() < 1e-15 && (s + angle.sin()).abs() < 1e-15);
            }
            assert_eq!(root_of_unity(n / 4, n), [-0.0, -1.0]);
        }
    }

    #[test]
    fn lengths_with_a_single_two_or_a_large_prime_go_one_by_one() {
        assert_eq!(radices(128), Some(vec![4, 4, 8]));
        assert_eq!(radices(96), Some(vec![3, 4, 8]));
        assert_eq!(radices(6), None);
        assert_eq!(radices(28), None);
        assert_eq!(radices(1), Some(vec![]));
    }
}
