//! Exponential, logarithm, sine and cosine without branches, so that loops over them vectorise.
//!
//! The scalar functions are inlined into loops compiled for several instruction sets (`multiversion`);
//! the slice functions are such loops. Products and sums stay separate: `mul_add` would be a library call where
//! the target has no fused instruction, and without it the bits are the same on every machine. Sinkhorn's sums, whose speed is
//! that of multiply–adds, use versions with `FUSED`, chosen where the instruction is known to exist; their bits differ from
//! machine to machine, not from run to run or with the number of threads.
//! Polynomials and reductions are those of FreeBSD's msun (`e_exp`, `e_log`, `k_sin`, `k_cos`).

use multiversion::multiversion;

/// 1.5·2⁵²: adding it rounds a double to the nearest integer and leaves that integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// 2⁵²: a 52-bit integer put in its low bits reads as 2⁵² plus that integer.
const INTEGER: f64 = 4_503_599_627_370_496.0;
/// ln 2 in two parts; the first has 32 bits, so that its product with an exponent is exact.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// π/2 in three parts of 33 bits: products with quadrant numbers below 2²⁰ are exact.
const HALF_PI: [f64; 3] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_711_166_5e-21,
];

/// Taylor coefficients of `(eʳ − 1 − r)/r²`.
const EXP: [[f64; 2]; 6] = [
    [1.0 / 2.0, 1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 120.0],
    [1.0 / 720.0, 1.0 / 5_040.0],
    [1.0 / 40_320.0, 1.0 / 362_880.0],
    [1.0 / 3_628_800.0, 1.0 / 39_916_800.0],
    [1.0 / 479_001_600.0, 1.0 / 6_227_020_800.0],
];

/// Coefficients of R in powers of s², from the second on: see [`ln`].
const LN: [[f64; 2]; 4] = [
    [6.666_666_666_666_735e-1, 3.999_999_999_940_942e-1],
    [2.857_142_874_366_239e-1, 2.222_219_843_214_978_4e-1],
    [1.818_357_216_161_805e-1, 1.531_383_769_920_937_3e-1],
    [1.479_819_860_511_658_6e-1, 0.0],
];

/// `(c[0][0] + c[0][1] x) + (c[1][0] + c[1][1] x) x² + …`, the even and the odd powers each by Horner's rule.
///
/// One Horner chain would be shorter, but all its operations depend on each other and the loops would wait on it.
#[inline(always)]
fn polynomial<const N: usize>(x: f64, c: [[f64; 2]; N]) -> f64 {
    let square = x * x;
    let [mut even, mut odd] = c[N - 1];
    for [a, b] in c[..N - 1].iter().rev() {
        even = even * square + a;
        odd = odd * square + b;
    }
    even + odd * x
}

/// eˣ within 1.5 ulp. Zero below −708 (no subnormal results), +∞ above 709.78, NaN for NaN.
///
/// `x = k ln 2 + r`, |r| ≤ ½ ln 2; Taylor's polynomial of degree 13 in r leaves 4·10⁻¹⁸.
#[inline(always)]
pub(crate) fn exp(x: f64) -> f64 {
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let power = 1.0 + (r + r * r * polynomial(r, EXP));
    // 2^(k−1), doubled afterwards: 2^1024 is not a double although e^709.7 is.
    let half_scale = f64::from_bits(rounded.to_bits().wrapping_add(1022) << 52);
    let result = power * half_scale * 2.0;
    let result = if x < -708.0 { 0.0 } else { result };
    if x > 709.782_712_893_384 {
        f64::INFINITY
    } else {
        result
    }
}

/// ln x within 1.5 ulp for every positive double, subnormal ones included;
/// −∞ at ±0, +∞ at +∞, NaN for negative numbers and NaN.
///
/// `x = 2ᵏ(1 + f)`, √½ ≤ 1 + f < √2; with `s = f/(2 + f)`, `ln(1 + f) = f − s(f − R)`, R even in s.
#[inline(always)]
pub(crate) fn ln(x: f64) -> f64 {
    const ROOT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    const BIAS: u64 = 1023;
    const MANTISSA: u64 = (1 << 52) - 1;
    let subnormal = x < f64::MIN_POSITIVE;
    let normal = if subnormal { x * INTEGER } else { x };
    let shift = if subnormal { 52.0 } else { 0.0 };

    let offset = normal.to_bits().wrapping_sub(ROOT_HALF);
    let biased = offset.wrapping_add(BIAS << 52) >> 52;
    let k = f64::from_bits(biased | INTEGER.to_bits()) - (INTEGER + BIAS as f64) - shift;
    let f = f64::from_bits((offset & MANTISSA) + ROOT_HALF) - 1.0;

    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * polynomial(z, LN);
    let half_square = 0.5 * f * f;
    let result = k * LN_2_HIGH - ((half_square - (s * (half_square + r) + k * LN_2_LOW)) - f);
    let result = if x == 0.0 { f64::NEG_INFINITY } else { result };
    let result = if x < 0.0 { f64::NAN } else { result };
    // Infinity and NaN map to themselves.
    if x < f64::INFINITY { result } else { x }
}

/// a b + c, in one rounding if `FUSED`: for loops compiled for a target that has the instruction.
#[inline(always)]
pub(crate) fn multiply_add<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// [`polynomial`] with products and sums fused if `FUSED`.
#[inline(always)]
fn polynomial_fused<const FUSED: bool, const N: usize>(x: f64, c: [[f64; 2]; N]) -> f64 {
    let square = x * x;
    let [mut even, mut odd] = c[N - 1];
    for [a, b] in c[..N - 1].iter().rev() {
        even = multiply_add::<FUSED>(even, square, *a);
        odd = multiply_add::<FUSED>(odd, square, *b);
    }
    multiply_add::<FUSED>(odd, x, even)
}

/// eˣ within 1.5 ulp for |x| ≤ 700 only.
#[inline(always)]
pub(crate) fn exp_moderate<const FUSED: bool>(x: f64) -> f64 {
    let rounded = multiply_add::<FUSED>(x, std::f64::consts::LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r = multiply_add::<FUSED>(-k, LN_2_HIGH, x);
    let r = multiply_add::<FUSED>(-k, LN_2_LOW, r);
    let tail = multiply_add::<FUSED>(r * r, polynomial_fused::<FUSED, 6>(r, EXP), r);
    let scale = f64::from_bits(rounded.to_bits().wrapping_add(1023) << 52);
    (1.0 + tail) * scale
}

/// ln of two positive normal numbers within 1.5 ulp, with one division for both: a division takes as long as all the rest.
#[inline(always)]
pub(crate) fn ln_pair<const FUSED: bool>(x: [f64; 2]) -> [f64; 2] {
    let [(k0, f0), (k1, f1)] = x.map(exponent_and_mantissa);
    let (d0, d1) = (2.0 + f0, 2.0 + f1);
    let inverse = 1.0 / (d0 * d1);
    [
        ln_from::<FUSED>(k0, f0, f0 * d1 * inverse),
        ln_from::<FUSED>(k1, f1, f1 * d0 * inverse),
    ]
}

/// `ln(2ᵏ(1 + f))` with `s = f/(2 + f)`; see [`ln`].
#[inline(always)]
fn ln_from<const FUSED: bool>(k: f64, f: f64, s: f64) -> f64 {
    let z = s * s;
    let r = z * polynomial_fused::<FUSED, 4>(z, LN);
    let half_square = 0.5 * f * f;
    let small = multiply_add::<FUSED>(s, half_square + r, k * LN_2_LOW);
    multiply_add::<FUSED>(k, LN_2_HIGH, -((half_square - small) - f))
}

/// `x = 2ᵏ(1 + f)`, √½ ≤ 1 + f < √2, of a positive normal number.
#[inline(always)]
fn exponent_and_mantissa(x: f64) -> (f64, f64) {
    const ROOT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    const BIAS: u64 = 1023;
    const MANTISSA: u64 = (1 << 52) - 1;
    let offset = x.to_bits().wrapping_sub(ROOT_HALF);
    let biased = offset.wrapping_add(BIAS << 52) >> 52;
    let k = f64::from_bits(biased | INTEGER.to_bits()) - (INTEGER + BIAS as f64);
    (k, f64::from_bits((offset & MANTISSA) + ROOT_HALF) - 1.0)
}

/// (sin x, cos x), each within 2·10⁻¹⁶ for |x| ≤ 10⁵, less accurate far beyond; NaN for infinities.
///
/// `x = k π/2 + r`, |r| ≤ π/4; the quadrant k mod 4 chooses polynomial and sign.
#[inline(always)]
pub(crate) fn sin_cos(x: f64) -> (f64, f64) {
    let rounded = x * std::f64::consts::FRAC_2_PI + ROUND;
    let k = rounded - ROUND;
    let r = ((x - k * HALF_PI[0]) - k * HALF_PI[1]) - k * HALF_PI[2];
    let (sine, cosine) = (sin_polynomial(r), cos_polynomial(r));
    let quadrant = rounded.to_bits();
    let odd = quadrant & 1 == 1;
    let (s, c) = if odd { (cosine, sine) } else { (sine, cosine) };
    let sign = |k: u64| (k & 2) << 62;
    (
        f64::from_bits(s.to_bits() ^ sign(quadrant)),
        f64::from_bits(c.to_bits() ^ sign(quadrant.wrapping_add(1))),
    )
}

/// sin r for |r| ≤ π/4.
#[inline(always)]
fn sin_polynomial(r: f64) -> f64 {
    const ODD: [[f64; 2]; 3] = [
        [-1.666_666_666_666_663_2e-1, 8.333_333_333_322_49e-3],
        [-1.984_126_982_985_795e-4, 2.755_731_370_707_006_8e-6],
        [-2.505_076_025_340_686_3e-8, 1.589_690_995_211_55e-10],
    ];
    let z = r * r;
    r + r * z * polynomial(z, ODD)
}

/// cos r for |r| ≤ π/4.
#[inline(always)]
fn cos_polynomial(r: f64) -> f64 {
    const EVEN: [[f64; 2]; 3] = [
        [4.166_666_666_666_66e-2, -1.388_888_888_887_411e-3],
        [2.480_158_728_947_673e-5, -2.755_731_435_139_066_3e-7],
        [2.087_572_321_298_175e-9, -1.135_964_755_778_819_5e-11],
    ];
    let z = r * r;
    let half = 0.5 * z;
    let leading = 1.0 - half;
    // What the subtraction above rounded away is added back to the tail.
    leading + (((1.0 - leading) - half) + z * (z * polynomial(z, EVEN)))
}

/// Replaces each x by eˣ; within 1.5 ulp. Zero below −708, +∞ above 709.78, NaN for NaN.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn exp_slice(values: &mut [f64]) {
    for value in values {
        *value = exp(*value);
    }
}

/// Replaces each x by ln x; within 1.5 ulp for positive numbers. −∞ at ±0, NaN for negative numbers and NaN.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn ln_slice(values: &mut [f64]) {
    for value in values {
        *value = ln(*value);
    }
}

/// Writes the sine and cosine of each x; within 2·10⁻¹⁶ for |x| ≤ 10⁵, less accurate far beyond.
///
/// # Panics
/// If the slices differ in length.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn sin_cos_slice(x: &[f64], sin: &mut [f64], cos: &mut [f64]) {
    assert!(
        x.len() == sin.len() && x.len() == cos.len(),
        "one sine and cosine per x"
    );
    for ((&x, sin), cos) in x.iter().zip(sin).zip(cos) {
        (*sin, *cos) = sin_cos(x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` points spread irregularly (golden ratio) over `[low, high]`.
    fn samples(low: f64, high: f64, count: usize) -> Vec<f64> {
        let golden = 0.618_033_988_749_894_9;
        (0..count)
            .map(|i| low + (high - low) * (i as f64 * golden).fract())
            .collect()
    }

    /// Distance from `reference` in units in its last place.
    fn ulps(value: f64, reference: f64) -> f64 {
        let unit = reference.abs().next_up() - reference.abs();
        (value - reference).abs() / unit
    }

    fn worst(points: &[f64], error: impl Fn(f64) -> f64) -> (f64, f64) {
        points
            .iter()
            .map(|&x| (error(x), x))
            .fold((0.0, f64::NAN), |a, b| if b.0 > a.0 { b } else { a })
    }

    #[test]
    fn exp_is_within_one_and_a_half_ulp() {
        for (low, high) in [(-707.9, 709.78), (-1.0, 1.0), (-40.0, 0.0), (-1e-8, 1e-8)] {
            let points = samples(low, high, 200_000);
            let (error, at) = worst(&points, |x| ulps(exp(x), x.exp()));
            assert!(error <= 1.5, "{error} ulp at {at}");
        }
    }

    #[test]
    fn exp_at_the_edges() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(-1e300), 0.0);
        assert_eq!(exp(-708.5), 0.0);
        assert!(exp(709.78).is_finite());
        assert_eq!(exp(709.79), f64::INFINITY);
        assert_eq!(exp(1e300), f64::INFINITY);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn ln_is_within_one_and_a_half_ulp() {
        for (low, high) in [(0.5, 2.0), (0.999, 1.001), (1e-3, 1e3), (1e-310, 1e-305)] {
            let points = samples(low, high, 200_000);
            let (error, at) = worst(&points, |x| ulps(ln(x), x.ln()));
            assert!(error <= 1.5, "{error} ulp at {at}");
        }
        let exponents = samples(-708.0, 709.0, 200_000);
        let (error, at) = worst(&exponents, |e| ulps(ln(e.exp()), e.exp().ln()));
        assert!(error <= 1.5, "{error} ulp at exp({at})");
    }

    #[test]
    fn fused_and_unfused_versions_for_sums_are_within_one_and_a_half_ulp() {
        let points = samples(-700.0, 700.0, 200_000);
        for exp in [exp_moderate::<false>, exp_moderate::<true>] {
            let (error, at) = worst(&points, |x| ulps(exp(x), x.exp()));
            assert!(error <= 1.5, "exp: {error} ulp at {at}");
        }
        let near = samples(0.99, 1.01, 100_000).into_iter();
        let points: Vec<f64> = points.iter().map(|x| x.exp()).chain(near).collect();
        for ln in [ln_pair::<false>, ln_pair::<true>] {
            let (error, at) = worst(&points, |x| {
                let partner = 1.0 + x.fract();
                let [a, b] = ln([x, partner]);
                let [c, d] = ln([partner, x]);
                assert_eq!((a, b), (d, c));
                ulps(a, x.ln()).max(ulps(b, partner.ln()))
            });
            assert!(error <= 1.5, "ln: {error} ulp at {at}");
        }
    }

    #[test]
    fn ln_at_the_edges() {
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(-0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert!(ln(-1.0).is_nan() && ln(f64::NEG_INFINITY).is_nan() && ln(f64::NAN).is_nan());
        for x in [f64::MIN_POSITIVE, f64::MIN_POSITIVE / 4.0, 5e-324, f64::MAX] {
            assert!(ulps(ln(x), x.ln()) <= 1.5, "{x}");
        }
    }

    #[test]
    fn sine_and_cosine_are_within_2e_16() {
        for range in [0.8, 7.0, 100.0, 1e5] {
            let points = samples(-range, range, 200_000);
            let (error, at) = worst(&points, |x| {
                let (s, c) = sin_cos(x);
                (s - x.sin()).abs().max((c - x.cos()).abs())
            });
            assert!(error <= 2e-16, "{error} at {at}");
        }
    }

    #[test]
    fn small_sines_keep_their_relative_accuracy() {
        // Multiples of π as doubles: the sine is the rounding error of the multiple, all from the second
        // and third parts of π/2. Dropping the third is seen here.
        for k in 1..2000 {
            let x = k as f64 * std::f64::consts::PI;
            assert!((sin_cos(x).0 / x.sin() - 1.0).abs() < 1e-6, "{k}");
        }
        let (error, at) = worst(&samples(-0.1, 0.1, 100_000), |x| {
            ulps(sin_cos(x).0, x.sin())
        });
        assert!(error <= 1.5, "{error} ulp at {at}");
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
        assert!(sin_cos(f64::INFINITY).0.is_nan() && sin_cos(f64::NAN).1.is_nan());
    }

    #[test]
    fn slices_give_the_bits_of_the_scalars() {
        let points = samples(-30.0, 30.0, 1003);
        let (mut sin, mut cos) = (vec![0.0; 1003], vec![0.0; 1003]);
        sin_cos_slice(&points, &mut sin, &mut cos);
        let mut exponentials = points.clone();
        exp_slice(&mut exponentials);
        let mut logarithms = exponentials.clone();
        ln_slice(&mut logarithms);
        for (i, &x) in points.iter().enumerate() {
            assert_eq!((sin[i], cos[i]), sin_cos(x));
            assert_eq!(exponentials[i], exp(x));
            assert_eq!(logarithms[i], ln(exp(x)));
        }
    }
}
