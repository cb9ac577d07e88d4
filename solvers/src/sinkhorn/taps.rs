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

/// Taps `k(i − o)` between the inputs i and eight outputs, at o in units of the inputs: output j is at `j·p/q`.
pub struct Taps {
    /// A table for each place that the first output of a block can have after an input.
    rows: Vec<[f64; OUTPUTS]>,
    /// Rows of a table.
    length: usize,
    /// Row 0 is the input `reach` before the one at or before the first output.
    reach: i64,
    /// `8p/q` in lowest terms.
    block: [i64; 2],
}

impl Taps {
    /// At least `reach` inputs on either side of every output, for outputs that are p/q inputs apart; `taps` makes taps of distances.
    pub fn new(reach: usize, [p, q]: [usize; 2], taps: impl FnOnce(&mut [f64])) -> Self {
        let places = places([p, q]) as i64;
        let (p, q, reach, eight) = (p as i64, q as i64, reach as i64, OUTPUTS as i64);
        let last = ((eight - 1) * p).div_euclid(q) + 1 + reach;
        let row = |place: i64, input: i64| {
            // One rounding for the whole distance.
            let distance = |r: i64| (input * q - place * (q / places) - r * p) as f64 / q as f64;
            std::array::from_fn(|r| distance(r as i64))
        };
        let mut rows: Vec<[f64; OUTPUTS]> = (0..places)
            .flat_map(|place| (-reach..=last).map(move |input| row(place, input)))
            .collect();
        taps(rows.as_flattened_mut());
        Self {
            rows,
            length: (last + reach + 1) as usize,
            reach,
            block: [eight * p * places / q, places],
        }
    }

    /// Rows of the inputs `low` to `high` for the outputs `8·block …`; `None` where the table does not reach so far.
    pub fn of(&self, block: i64, low: i64, high: i64) -> Option<&[[f64; OUTPUTS]]> {
        let [inputs, places] = self.block;
        let origin = (block * inputs).div_euclid(places);
        let place = (block * inputs).rem_euclid(places) as usize;
        let (start, end) = (low - origin + self.reach, high - origin + self.reach);
        let covered = start >= 0 && start <= end && end < self.length as i64;
        covered.then(|| &self.rows[place * self.length..][start as usize..=end as usize])
    }
}

/// Places that the first of eight outputs, p/q inputs apart, can have between two inputs: `q / gcd(8p, q)`.
pub fn places([p, q]: [usize; 2]) -> usize {
    let (mut a, mut b) = (OUTPUTS * p, q);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    q / a
}

/// `sums[r] = Σ_k rows[k] taps[k][r]`; false where the first or last term is above `tail` of the sum, so that the window is
/// too narrow, or where anything is not a number.
///
/// What lies beyond an end decays faster than the terms towards it (the summand is log-concave), so the end bounds it.
#[multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+fma",
    "x86_64+avx2+fma",
    "x86_64+avx2"
))]
pub fn sum(rows: &[Row], taps: &[[f64; OUTPUTS]], tail: f64, sums: &mut [Row; OUTPUTS]) -> bool {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    // Eight accumulators of the full width need 32 registers; of half the width, 16.
    if target_cfg_f!(target_feature = "avx512f") {
        accumulate::<FUSED, LANES>(rows, taps, 0, sums);
    } else {
        accumulate::<FUSED, { LANES / 2 }>(rows, taps, 0, sums);
        accumulate::<FUSED, { LANES / 2 }>(rows, taps, LANES / 2, sums);
    }
    enough(rows, taps, tail, sums)
}

/// Whether the first and the last term are below `tail` of the sum in every lane. A function of its own: within [`sum`] the compiler
/// would keep the first and the last accumulator together for it, by shuffles in the loop over the rows.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn enough(rows: &[Row], taps: &[[f64; OUTPUTS]], tail: f64, sums: &[Row; OUTPUTS]) -> bool {
    let end = rows.len() - 1;
    let (low, high) = (taps[0][0], taps[end][OUTPUTS - 1]);
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
    first: usize,
    sums: &mut [Row; OUTPUTS],
) {
    let mut lanes = [[0.0; WIDTH]; OUTPUTS];
    for (row, tap) in rows.iter().zip(taps) {
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

    fn gaussian(distance: f64) -> f64 {
        (-C * distance * distance).exp()
    }

    fn gaussians(taps: &mut [f64]) {
        taps.iter_mut().for_each(|tap| *tap = gaussian(*tap));
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
        let weights = weights();
        for (p, q, block) in [
            (1, 1, 12),
            (3, 1, 4),
            (32, 11, 4),
            (32, 11, 5),
            (3, 8, 33),
            (7, 20, 33),
        ] {
            let taps = Taps::new(300, [p, q], gaussians);
            let mut sums = [[0.0; LANES]; OUTPUTS];
            let table = taps.of(block, 20, 180).unwrap();
            assert!(sum(&weights[20..=180], table, 1e-9, &mut sums));
            for r in 0..OUTPUTS {
                let output = (8 * block as usize + r) as f64 * p as f64 / q as f64;
                for lane in 0..LANES {
                    let terms = (20..=180).map(|k| weights[k][lane] * gaussian(k as f64 - output));
                    let exact: f64 = terms.sum();
                    approx::assert_relative_eq!(sums[r][lane], exact, max_relative = 1e-14);
                }
            }
        }
    }

    #[test]
    fn blocks_before_the_first_have_the_places_of_those_after() {
        let taps = Taps::new(40, [32, 11], gaussians);
        let table = |block: i64| {
            let origin = (block * 256).div_euclid(11);
            taps.of(block, origin - 20, origin + 30).unwrap().to_vec()
        };
        assert!(table(-3) == table(8) && table(-3) != table(-2));
        assert_eq!(places([32, 11]), 11);
        assert_eq!(places([3, 8]), 1);
        assert_eq!(places([7, 20]), 5);
    }

    #[test]
    fn narrow_registers_give_the_bits_of_wide_ones() {
        let (weights, taps) = (weights(), Taps::new(300, [1, 1], gaussians));
        let table = taps.of(12, -4, 196).unwrap();
        let (mut wide, mut narrow) = ([[0.0; LANES]; OUTPUTS], [[0.0; LANES]; OUTPUTS]);
        accumulate::<false, LANES>(&weights, table, 0, &mut wide);
        for first in [0, LANES / 2] {
            accumulate::<false, { LANES / 2 }>(&weights, table, first, &mut narrow);
        }
        assert_eq!(wide, narrow);
        let mut fused = [[0.0; LANES]; OUTPUTS];
        accumulate::<true, LANES>(&weights, table, 0, &mut fused);
        for (a, b) in fused.iter().flatten().zip(wide.iter().flatten()) {
            approx::assert_relative_eq!(a, b, max_relative = 1e-14);
        }
    }

    #[test]
    fn a_window_that_is_too_narrow_is_seen() {
        let (weights, taps) = (weights(), Taps::new(300, [1, 1], gaussians));
        let enough = |low: usize, high: usize| {
            let table = taps.of(12, low as i64, high as i64).unwrap();
            let mut sums = [[0.0; LANES]; OUTPUTS];
            sum(&weights[low..=high], table, 1e-16, &mut sums)
        };
        assert!(enough(36, 164));
        assert!(!enough(60, 164) && !enough(36, 140));
    }

    #[test]
    fn tables_give_no_more_than_they_hold() {
        let taps = Taps::new(10, [2, 1], gaussians);
        assert!(taps.of(0, -10, 24).is_some() && taps.of(3, 38, 72).is_some());
        assert!(taps.of(0, -11, 0).is_none() && taps.of(0, 0, 26).is_none());
    }

    #[test]
    fn a_weight_that_is_not_a_number_is_seen() {
        let (mut weights, taps) = (weights(), Taps::new(300, [1, 1], gaussians));
        weights[80][5] = f64::NAN;
        let mut sums = [[0.0; LANES]; OUTPUTS];
        let table = taps.of(12, -4, 196).unwrap();
        assert!(!sum(&weights, table, f64::MAX, &mut sums));
    }
}
