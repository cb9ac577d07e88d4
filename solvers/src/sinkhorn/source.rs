//! Eight lines side by side, or eight segments of one line.

use super::taps::{LANES, Row};
use multiversion::multiversion;

/// Rows that are filled together.
const TOGETHER: usize = 64;

/// Where the exponents a of the lanes come from; nodes are counted round the circle.
pub enum Source<'a> {
    /// One line per lane.
    Tile(&'a [Row]),
    /// One line; lane l sees it from node `base[l]` on.
    Segments {
        line: &'a [f64],
        base: [usize; LANES],
    },
}

impl Source<'_> {
    fn points(&self) -> i64 {
        match self {
            Self::Tile(rows) => rows.len() as i64,
            Self::Segments { line, .. } => line.len() as i64,
        }
    }

    fn value(&self, lane: usize, node: i64) -> f64 {
        let n = self.points();
        match self {
            Self::Tile(rows) => rows[node.rem_euclid(n) as usize][lane],
            Self::Segments { line, base } => {
                line[(node + base[lane] as i64).rem_euclid(n) as usize]
            }
        }
    }

    /// Per lane the drift `m − i*(m)` in nodes, and by how much the maximisers may be off it. Lines that drift alike get one drift.
    pub fn drift(&self, output: usize, c: f64) -> ([i64; LANES], f64) {
        let own: [i64; LANES] = std::array::from_fn(|lane| self.drift_of(lane, output as i64, c));
        let (least, most) = own
            .iter()
            .fold((i64::MAX, i64::MIN), |(a, b), &d| (a.min(d), b.max(d)));
        let spread = 0.5 * (most - least) as f64;
        let alike = spread <= 2.0 / (2.0 * c).sqrt();
        match self {
            Self::Tile(_) if alike => ([(least + most) / 2; LANES], spread + 1.0),
            _ => (own, 1.0),
        }
    }

    /// By bisection: `i − a′_i/2c`, the output of which i is the maximiser, increases with i.
    fn drift_of(&self, lane: usize, output: i64, c: f64) -> i64 {
        let n = self.points();
        let (mut low, mut high) = (output - n, output + n);
        while high - low > 1 {
            let i = (low + high) / 2;
            let slope = (self.value(lane, i + 1) - self.value(lane, i - 1)) / (4.0 * c);
            if i as f64 - slope <= output as f64 {
                low = i;
            } else {
                high = i;
            }
        }
        output - low
    }

    /// Exponents `a_i + 2cDk`, `i = start − D + k`, of the inputs k = first … into `rows`.
    pub fn fill(&self, start: usize, drift: &[i64; LANES], first: i64, c: f64, rows: &mut [Row]) {
        // Lane by lane, but within the first cache.
        for (block, rows) in rows.chunks_mut(TOGETHER).enumerate() {
            let first = first + (block * TOGETHER) as i64;
            self.gather(start as i64 + first, drift, rows);
            if drift.iter().any(|&d| d != 0) {
                tilt(drift, first, c, rows);
            }
        }
    }

    /// Exponents `a_i` of the nodes `i = begin − D …`.
    fn gather(&self, begin: i64, drift: &[i64; LANES], rows: &mut [Row]) {
        match self {
            Self::Tile(tile) if drift.iter().all(|d| *d == drift[0]) => {
                copy(tile, begin - drift[0], rows, |row, values| *row = *values);
            }
            Self::Tile(tile) => {
                for lane in 0..LANES {
                    copy(tile, begin - drift[lane], rows, |row, values| {
                        row[lane] = values[lane];
                    });
                }
            }
            Self::Segments { line, base } => {
                for lane in 0..LANES {
                    let node = begin - drift[lane] + base[lane] as i64;
                    copy(line, node, rows, |row, value| row[lane] = *value);
                }
            }
        }
    }

    /// The line of one lane, from its node 0 on.
    pub fn line(&self, lane: usize, out: &mut [f64]) {
        for (node, value) in out.iter_mut().enumerate() {
            *value = self.value(lane, node as i64);
        }
    }
}

/// Adds 2cDk to the rows k = first ….
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn tilt(drift: &[i64; LANES], first: i64, c: f64, rows: &mut [Row]) {
    let tilt = drift.map(|d| 2.0 * c * d as f64);
    for (k, row) in rows.iter_mut().enumerate() {
        let k = (first + k as i64) as f64;
        for lane in 0..LANES {
            row[lane] += tilt[lane] * k;
        }
    }
}

/// Every row with the value of its node, round the circle from `start` on.
#[inline(always)]
fn copy<T>(circle: &[T], start: i64, rows: &mut [Row], set: impl Fn(&mut Row, &T)) {
    let mut node = start.rem_euclid(circle.len() as i64) as usize;
    let mut rest = rows;
    while !rest.is_empty() {
        let (turn, later) = rest.split_at_mut(rest.len().min(circle.len() - node));
        for (row, value) in turn.iter_mut().zip(&circle[node..]) {
            set(row, value);
        }
        (rest, node) = (later, 0);
    }
}
