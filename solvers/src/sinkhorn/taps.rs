//! Tables of taps, and the sums with them: eight outputs of eight lines at a time.
//!
//! Eight lines lie side by side, one per lane, so that a tap is the same number for all lanes, nothing is loaded unaligned, and a
//! register block of eight outputs needs one load per eight fused multiply–adds (one instruction each with AVX-512).

use crate::elementary::multiply_add;
use multiversion::{multiversion, target::target_cfg_f};

/// Lines side by side: eight doubles are a cache line.
pub const LANES: usize = 8;

/// Outputs summed together.
pub const OUTPUTS: usize = 8;

/// One node of eight lines.
pub type Row = [f64; LANES];

/// Taps `k(δ − r·step)` of the outputs r = 0 … 7 at the input offset δ from output 0.
pub struct Taps {
    rows: Vec<[f64; OUTPUTS]>,
    /// Row 0 has offset −reach.
    reach: i64,
}

impl Taps {
    /// Offsets −reach … reach from every one of the outputs.
    pub fn new(reach: usize, step: usize, tap: impl Fn(i64) -> f64) -> Self {
        let (reach, step) = (reach as i64, step as i64);
        let last = reach + step * (OUTPUTS as i64 - 1);
        let first = -reach - step * (OUTPUTS as i64 - 1);
        let once: Vec<f64> = (first..=last).map(tap).collect();
        let row =
            |delta: i64| std::array::from_fn(|r| once[(delta - r as i64 * step - first) as usize]);
        Self {
            rows: (-reach..=last).map(row).collect(),
            reach,
        }
    }

    /// Rows from the offset δ on; `None` where the table does not reach from δ to `last`.
    pub fn from(&self, delta: i64, last: i64) -> Option<&[[f64; OUTPUTS]]> {
        let start = delta + self.reach;
        let covered = start >= 0 && last + self.reach < self.rows.len() as i64;
        covered.then(|| &self.rows[start as usize..])
    }
}

/// `sums[r] = Σ_k rows[k] taps[k·stride][r]`; false where the first or last term is above `tail` of the sum, so that the window is
/// too narrow, or where anything is not a number.
///
/// What lies beyond an end decays faster than the terms towards it (the summand is log-concave), so the end bounds it.
#[multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+fma",
    "x86_64+avx2+fma",
    "x86_64+avx2"
))]
pub fn sum(
    rows: &[Row],
    taps: &[[f64; OUTPUTS]],
    stride: usize,
    tail: f64,
    sums: &mut [Row; OUTPUTS],
) -> bool {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    // Eight accumulators of the full width need 32 registers; of half the width, 16.
    if target_cfg_f!(target_feature = "avx512f") {
        accumulate::<FUSED, LANES>(rows, taps, stride, 0, sums);
    } else {
        accumulate::<FUSED, { LANES / 2 }>(rows, taps, stride, 0, sums);
        accumulate::<FUSED, { LANES / 2 }>(rows, taps, stride, LANES / 2, sums);
    }
    enough(rows, taps, stride, tail, sums)
}

/// Whether the first and the last term are below `tail` of the sum in every lane. A function of its own: within [`sum`] the compiler
/// would keep the first and the last accumulator together for it, by shuffles in the loop over the rows.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn enough(
    rows: &[Row],
    taps: &[[f64; OUTPUTS]],
    stride: usize,
    tail: f64,
    sums: &[Row; OUTPUTS],
) -> bool {
    let end = rows.len() - 1;
    let (low, high) = (taps[0][0], taps[end * stride][OUTPUTS - 1]);
    let mut enough = true;
    for lane in 0..LANES {
        enough &= rows[0][lane] * low <= tail * sums[0][lane];
        enough &= rows[end][lane] * high <= tail * sums[OUTPUTS - 1][lane];
    }
    enough
}

/// The sums of `WIDTH` lanes from `first` on.
#[inline(always)]
fn accumulate<const FUSED: bool, const WIDTH: usize>(
    rows: &[Row],
    taps: &[[f64; OUTPUTS]],
    stride: usize,
    first: usize,
    sums: &mut [Row; OUTPUTS],
) {
    let mut lanes = [[0.0; WIDTH]; OUTPUTS];
    for (row, tap) in rows.iter().zip(taps.iter().step_by(stride)) {
        for r in 0..OUTPUTS {
            for lane in 0..WIDTH {
                lanes[r][lane] = multiply_add::<FUSED>(row[first + lane], tap[r], lanes[r][lane]);
            }
        }
    }
    for r in 0..OUTPUTS {
        sums[r][first..first + WIDTH].copy_from_slice(&lanes[r]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: f64 = 0.01;

    fn gaussian(r: i64) -> f64 {
        (-C * (r * r) as f64).exp()
    }

    /// Weights that make every lane a Gaussian of its own, of which node 100 is the middle.
    fn weights() -> Vec<Row> {
        let weight = |k: usize, lane: usize| {
            let xi = k as f64 - 100.0;
            (0.1 * C * lane as f64 * xi - 0.3 * C * xi * xi).exp()
        };
        (0..201)
            .map(|k| std::array::from_fn(|lane| weight(k, lane)))
            .collect()
    }

    #[test]
    fn sums_are_those_of_the_definition() {
        let (weights, taps) = (weights(), Taps::new(300, 3, gaussian));
        let mut sums = [[0.0; LANES]; OUTPUTS];
        // Inputs 20, 22, …, 180 of the outputs 90, 93, ….
        let rows: Vec<Row> = weights[20..=180].iter().copied().step_by(2).collect();
        let table = taps.from(20 - 90, 180 - 90).unwrap();
        assert!(sum(&rows, table, 2, 1e-9, &mut sums));
        for r in 0..OUTPUTS {
            for lane in 0..LANES {
                let exact: f64 = (20..=180)
                    .step_by(2)
                    .map(|k| weights[k][lane] * gaussian(k as i64 - 90 - 3 * r as i64))
                    .sum();
                approx::assert_relative_eq!(sums[r][lane], exact, max_relative = 1e-14);
            }
        }
    }

    #[test]
    fn narrow_registers_give_the_bits_of_wide_ones() {
        let (weights, taps) = (weights(), Taps::new(300, 1, gaussian));
        let table = taps.from(-100, 100).unwrap();
        let (mut wide, mut narrow) = ([[0.0; LANES]; OUTPUTS], [[0.0; LANES]; OUTPUTS]);
        accumulate::<false, LANES>(&weights, table, 1, 0, &mut wide);
        for first in [0, LANES / 2] {
            accumulate::<false, { LANES / 2 }>(&weights, table, 1, first, &mut narrow);
        }
        assert_eq!(wide, narrow);
        let mut fused = [[0.0; LANES]; OUTPUTS];
        accumulate::<true, LANES>(&weights, table, 1, 0, &mut fused);
        for (a, b) in fused.iter().flatten().zip(wide.iter().flatten()) {
            approx::assert_relative_eq!(a, b, max_relative = 1e-14);
        }
    }

    #[test]
    fn a_window_that_is_too_narrow_is_seen() {
        let (weights, taps) = (weights(), Taps::new(300, 1, gaussian));
        let enough = |low: usize, high: usize| {
            let table = taps.from(low as i64 - 96, high as i64 - 96).unwrap();
            let mut sums = [[0.0; LANES]; OUTPUTS];
            sum(&weights[low..=high], table, 1, 1e-16, &mut sums)
        };
        assert!(enough(36, 164));
        assert!(!enough(60, 164) && !enough(36, 140));
    }

    #[test]
    fn tables_give_no_more_than_they_hold() {
        let taps = Taps::new(10, 2, gaussian);
        assert!(taps.from(-10, 24).is_some());
        assert!(taps.from(-11, 0).is_none() && taps.from(0, 25).is_none());
    }

    #[test]
    fn a_weight_that_is_not_a_number_is_seen() {
        let (mut weights, taps) = (weights(), Taps::new(300, 1, gaussian));
        weights[80][5] = f64::NAN;
        let mut sums = [[0.0; LANES]; OUTPUTS];
        let table = taps.from(-100, 100).unwrap();
        assert!(!sum(&weights, table, 1, f64::MAX, &mut sums));
    }
}
