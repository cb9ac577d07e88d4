//! Loops over rows, one node of eight lines each: curvature and drift, weights, logarithms.

use super::taps::{LANES, OUTPUTS, Row};
use crate::elementary::{exp_moderate, ln_pair, multiply_add};
use multiversion::{multiversion, target::target_cfg_f};

/// What lines are like, as far as choosing how to sum needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Survey {
    /// Second differences as curvatures λ = 1 + p″ of the summed potential.
    pub curvature: [f64; 2],
    /// Largest `|a′|/2c`, a′ to the next node: how far, in nodes, a maximiser is from its output.
    pub drift: f64,
    /// Smallest and largest exponent.
    pub exponent: [f64; 2],
    pub nan: bool,
}

impl Survey {
    /// Neutral element of [`Survey::union`].
    pub const EMPTY: Self = Self {
        curvature: [f64::INFINITY, f64::NEG_INFINITY],
        drift: 0.0,
        exponent: [f64::INFINITY, f64::NEG_INFINITY],
        nan: false,
    };

    pub fn union(self, other: Self) -> Self {
        let wider = |a: [f64; 2], b: [f64; 2]| [a[0].min(b[0]), a[1].max(b[1])];
        Self {
            curvature: wider(self.curvature, other.curvature),
            drift: self.drift.max(other.drift),
            exponent: wider(self.exponent, other.exponent),
            nan: self.nan || other.nan,
        }
    }

    /// Of one periodic line with `c = h²/2ε`.
    pub fn of_line(line: &[f64], c: f64) -> Self {
        let n = line.len();
        let triples = |start: usize| -> [Row; 3] {
            std::array::from_fn(|k| std::array::from_fn(|l| line[(start + k + l) % n]))
        };
        // Nodes of which all neighbours follow in order, and the rest with the start again.
        let whole = (n - 2) / LANES * LANES;
        let mut all = survey_shifted(&line[..whole], &line[1..], &line[2..], c);
        for start in (whole..n).step_by(LANES) {
            let [left, here, right] = triples(start);
            all = all.union(survey_shifted(&left, &here, &right, c));
        }
        all
    }

    /// Middle of the exponents.
    pub fn middle(&self) -> f64 {
        0.5 * (self.exponent[0] + self.exponent[1])
    }

    /// Range of the exponents.
    pub fn range(&self) -> f64 {
        self.exponent[1] - self.exponent[0]
    }
}

/// Per lane the extremes of second differences, slopes and values, and the sum of the values: finite unless one of them is not.
#[derive(Clone, Copy)]
struct Extremes {
    second: [Row; 2],
    slope: Row,
    value: [Row; 2],
    sum: Row,
}

impl Extremes {
    const EMPTY: Self = Self {
        second: [[f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]],
        slope: [0.0; LANES],
        value: [[f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]],
        sum: [0.0; LANES],
    };

    /// With the steps to and from a node.
    #[inline(always)]
    fn include(&mut self, back: &Row, step: &Row, here: &Row) {
        for l in 0..LANES {
            lower(&mut self.second[0][l], step[l] - back[l]);
            raise(&mut self.second[1][l], step[l] - back[l]);
            raise(&mut self.slope[l], step[l].abs());
            lower(&mut self.value[0][l], here[l]);
            raise(&mut self.value[1][l], here[l]);
            self.sum[l] += here[l];
        }
    }

    #[inline(always)]
    fn survey(&self, c: f64) -> Survey {
        let lambda = |second: f64| 1.0 - second / (2.0 * c);
        Survey {
            curvature: [
                lambda(ends(&self.second[1])[1]),
                lambda(ends(&self.second[0])[0]),
            ],
            drift: ends(&self.slope)[1] / (2.0 * c),
            exponent: [ends(&self.value[0])[0], ends(&self.value[1])[1]],
            nan: self.sum.iter().any(|sum| !sum.is_finite()),
        }
    }
}

/// Surveys periodic lines with `c = h²/2ε`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn survey(rows: &[Row], c: f64) -> Survey {
    let mut extremes = Extremes::EMPTY;
    let n = rows.len();
    let mut here = rows[n - 1];
    let mut back: Row = std::array::from_fn(|l| here[l] - rows[n - 2][l]);
    for next in rows {
        let step = std::array::from_fn(|l| next[l] - here[l]);
        extremes.include(&back, &step, &here);
        (here, back) = (*next, step);
    }
    extremes.survey(c)
}

/// Surveys the nodes `here` of a line between their neighbours, a multiple of eight of them.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn survey_shifted(left: &[f64], here: &[f64], right: &[f64], c: f64) -> Survey {
    let (left, here) = (left.as_chunks::<LANES>().0, here.as_chunks::<LANES>().0);
    let right = right.as_chunks::<LANES>().0;
    let mut extremes = Extremes::EMPTY;
    for ((left, here), right) in left.iter().zip(here).zip(right) {
        let back = std::array::from_fn(|l| here[l] - left[l]);
        let step = std::array::from_fn(|l| right[l] - here[l]);
        extremes.include(&back, &step, here);
    }
    extremes.survey(c)
}

#[inline(always)]
fn lower(least: &mut f64, value: f64) {
    *least = if value < *least { value } else { *least };
}

#[inline(always)]
fn raise(most: &mut f64, value: f64) {
    *most = if value > *most { value } else { *most };
}

/// Smallest and largest of the eight.
#[inline(always)]
fn ends(row: &Row) -> [f64; 2] {
    let (mut least, mut most) = (*row, *row);
    for width in [4, 2, 1] {
        for l in 0..width {
            least[l] = if least[l + width] < least[l] {
                least[l + width]
            } else {
                least[l]
            };
            most[l] = if most[l + width] > most[l] {
                most[l + width]
            } else {
                most[l]
            };
        }
    }
    [least[0], most[0]]
}

/// How far, in nodes, each of every `every` nodes is from the outputs of which it is the maximiser, `−E′/2c`: smallest and largest
/// of the lanes, for the nodes 1, 1 + every, … that have neighbours.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn shifts(rows: &[Row], every: usize, c: f64, out: &mut [[f64; 2]]) {
    let inverse = 1.0 / (4.0 * c);
    for (out, rows) in out.iter_mut().zip(rows.windows(3).step_by(every)) {
        let lanes = std::array::from_fn(|l| (rows[0][l] - rows[2][l]) * inverse);
        *out = ends(&lanes);
    }
}

/// Smallest and largest value per lane.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub fn extent(rows: &[Row]) -> [Row; 2] {
    let mut extent = [[f64::INFINITY; LANES], [f64::NEG_INFINITY; LANES]];
    for row in rows {
        for l in 0..LANES {
            lower(&mut extent[0][l], row[l]);
            raise(&mut extent[1][l], row[l]);
        }
    }
    extent
}

/// Writes `exp(exponent − reference)` for exponents within ±700 of the reference.
#[multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+fma",
    "x86_64+avx2+fma",
    "x86_64+avx2"
))]
pub fn weigh(exponents: &[Row], reference: &Row, weights: &mut [Row]) {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    for (weight, exponent) in weights.iter_mut().zip(exponents) {
        for l in 0..LANES {
            weight[l] = exp_moderate::<FUSED>(exponent[l] - reference[l]);
        }
    }
}

/// What becomes of the sums of a strip: `scale·(ln S + constant_l − slope_l η) + shift`.
#[derive(Debug, Clone, Copy)]
pub struct Finish {
    pub constant: Row,
    pub slope: Row,
    pub scale: f64,
    pub shift: f64,
}

/// The finished outputs η, η + 1, … of each lane from their sums.
#[multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+fma",
    "x86_64+avx2+fma",
    "x86_64+avx2"
))]
pub fn finish(sums: &[Row; OUTPUTS], finish: &Finish, eta: f64) -> [[f64; OUTPUTS]; LANES] {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    let mut rows = [[0.0; LANES]; OUTPUTS];
    let finished = |r: usize, l: usize, log: f64| {
        let constant = multiply_add::<FUSED>(-finish.slope[l], eta + r as f64, finish.constant[l]);
        multiply_add::<FUSED>(finish.scale, log + constant, finish.shift)
    };
    for r in (0..OUTPUTS).step_by(2) {
        for l in 0..LANES {
            let logs = ln_pair::<FUSED>([sums[r][l], sums[r + 1][l]]);
            rows[r][l] = finished(r, l, logs[0]);
            rows[r + 1][l] = finished(r + 1, l, logs[1]);
        }
    }
    let mut lines = [[0.0; OUTPUTS]; LANES];
    for l in 0..LANES {
        for r in 0..OUTPUTS {
            lines[l][r] = rows[r][l];
        }
    }
    lines
}
