//! A piece of eight lines: from exponents through weights to the logarithms of the sums.

use super::line::{LIMIT, LinePlan, TAIL};
use super::rows::{Finish, extent, finish, weigh};
use super::split::Split;
use super::taps::{LANES, OUTPUTS, Row, Taps, sum};
use super::window::{Windows, extremes};
use std::ops::Range;

/// Where the sums go: lane l's outputs from `l·lane` on, as `scale·b + shift`.
pub struct Target<'a> {
    pub values: &'a mut [f64],
    pub lane: usize,
    pub scale: f64,
    pub shift: f64,
}

/// Outputs `start + η`, η = 0 … length − 1, and inputs `start − drift + k` of each lane.
#[derive(Clone, Copy)]
pub struct Piece {
    pub start: usize,
    pub length: usize,
    pub drift: [i64; LANES],
    /// How far the maximisers of the lanes may be from the drift, in nodes.
    pub spread: f64,
    /// All outputs of a circle, without drift: weights repeat.
    pub whole: bool,
}

impl Piece {
    pub fn whole(length: usize, spread: f64) -> Self {
        Self {
            start: 0,
            length,
            drift: [0; LANES],
            spread,
            whole: true,
        }
    }

    /// For weights that are `exp(E − reference)`.
    pub fn finish(&self, reference: Row, c: f64, target: &Target) -> Finish {
        let drift = self.drift.map(|d| d as f64);
        Finish {
            constant: std::array::from_fn(|l| reference[l] - c * drift[l] * drift[l]),
            slope: drift.map(|d| 2.0 * c * d),
            scale: target.scale,
            shift: target.shift,
        }
    }

    /// Where the last block of outputs begins.
    pub fn last_block(&self) -> i64 {
        ((self.length - 1) / OUTPUTS * OUTPUTS) as i64
    }

    /// The blocks of eight outputs.
    pub fn blocks(&self) -> Range<i64> {
        0..self.length.div_ceil(OUTPUTS) as i64
    }
}

/// Exponents from `first` on.
pub struct Inputs<'a> {
    pub exponents: &'a [Row],
    pub first: i64,
    /// The middle of their range, if they are a circle's.
    pub middle: Option<f64>,
}

/// The sums of one piece.
pub struct Sums<'a, 'b> {
    pub plan: &'a LinePlan,
    pub piece: Piece,
    pub inputs: Inputs<'a>,
    pub weights: &'a mut [Row],
    /// Position of the first weight.
    pub first: i64,
    pub windows: &'a Windows,
    pub target: &'a mut Target<'b>,
}

impl Sums<'_, '_> {
    /// Outputs straight from the inputs; `None` where a window is not enough.
    pub fn direct(&mut self) -> Option<()> {
        let finish = self.weigh(extremes(&self.windows.outputs)?)?;
        let nodes = Nodes::new(self.weights, self.first);
        outputs(
            &nodes,
            &self.plan.direct,
            &self.windows.outputs,
            &self.piece,
            &finish,
            self.target,
        )
    }

    /// Inputs to the nodes between, these to the outputs; `None` where a window is not enough.
    pub fn split(&mut self, split: &Split, between: &mut [Row]) -> Option<()> {
        let (windows, eight) = (self.windows, OUTPUTS as i64);
        let (blocks, needed) = (windows.blocks.clone(), extremes(&windows.outputs)?);
        let first = (eight * blocks.start).min(needed[0]);
        let count = (eight * blocks.end).max(needed[1] + 1) - first;
        let between = between.get_mut(..usize::try_from(count).ok()?)?;

        let finish = self.weigh(extremes(&windows.between)?)?;
        let nodes = Nodes::new(self.weights, self.first);
        let own = (eight * blocks.start - first) as usize;
        let sums = between[own..].as_chunks_mut().0.iter_mut();
        for ((block, window), sums) in blocks.zip(&windows.between).zip(sums) {
            nodes.sum(&split.to_between, block, *window, sums)?;
        }
        if let Some(count) = split.circle(&self.piece) {
            let [low, high] = needed.map(|node| (node - first) as usize);
            repeat(between, own, count, low, high);
        }
        let nodes = Nodes::new(between, first);
        outputs(
            &nodes,
            &split.to_outputs,
            &windows.outputs,
            &self.piece,
            &finish,
            self.target,
        )
    }

    /// Weights of the inputs within `range`; `None` where these are not there or their exponents differ by more than 2·LIMIT.
    fn weigh(&mut self, range: [i64; 2]) -> Option<Finish> {
        let low = usize::try_from(range[0] - self.first).ok()?;
        let high = usize::try_from(range[1] - self.first).ok()?;
        let Inputs {
            exponents,
            first,
            middle,
        } = self.inputs;
        let weights = &mut *self.weights;
        if high >= weights.len() {
            return None;
        }
        let reference = if let Some(middle) = middle {
            // Around the circle the weights repeat: one exponential per node.
            let own = (first - self.first) as usize;
            let n = exponents.len();
            weigh(exponents, &[middle; LANES], &mut weights[own..own + n]);
            repeat(weights, own, n, low, high);
            [middle; LANES]
        } else {
            let exponents = &exponents[low..=high];
            let [least, most] = extent(exponents);
            if !least.iter().zip(&most).all(|(a, b)| b - a <= 2.0 * LIMIT) {
                return None;
            }
            let middle = std::array::from_fn(|lane| 0.5 * (least[lane] + most[lane]));
            weigh(exponents, &middle, &mut weights[low..=high]);
            middle
        };
        Some(self.piece.finish(reference, self.plan.c, self.target))
    }
}

/// Copies the `n` rows of a circle from `own` on to the rows from `low` to `high` outside of it.
fn repeat(rows: &mut [Row], own: usize, n: usize, low: usize, high: usize) {
    for start in (own + n..high + 1).step_by(n) {
        let count = n.min(high + 1 - start);
        rows.copy_within(own..own + count, start);
    }
    for end in (low + 1..own + 1).rev().step_by(n) {
        let count = n.min(end - low);
        rows.copy_within(own + n - count..own + n, end - count);
    }
}

/// Rows of the inputs `first`, `first + 1`, …
struct Nodes<'a> {
    rows: &'a [Row],
    first: i64,
}

impl<'a> Nodes<'a> {
    fn new(rows: &'a [Row], first: i64) -> Self {
        Self { rows, first }
    }

    /// Sums over the inputs within `window` for a block of outputs; `None` where the window is not enough.
    fn sum(
        &self,
        taps: &Taps,
        block: i64,
        [low, high]: [i64; 2],
        sums: &mut [Row; OUTPUTS],
    ) -> Option<()> {
        let start = usize::try_from(low - self.first).ok()?;
        let rows = self.rows.get(start..=start + (high - low) as usize)?;
        sum(rows, taps.of(block, low, high)?, TAIL, sums).then_some(())
    }
}

/// The outputs of a piece, each from the inputs within its window.
fn outputs(
    nodes: &Nodes,
    taps: &Taps,
    windows: &[[i64; 2]],
    piece: &Piece,
    finish: &Finish,
    target: &mut Target,
) -> Option<()> {
    let mut sums = [[0.0; LANES]; OUTPUTS];
    for (block, window) in piece.blocks().zip(windows) {
        nodes.sum(taps, block, *window, &mut sums)?;
        write(&sums, finish, piece, OUTPUTS as i64 * block, target);
    }
    Some(())
}

/// Finishes a block of sums and writes what lies within the piece and its lanes.
pub fn write(sums: &[Row; OUTPUTS], how: &Finish, piece: &Piece, origin: i64, target: &mut Target) {
    let lines = finish(sums, how, origin as f64);
    let origin = origin as usize;
    let width = OUTPUTS.min(piece.length - origin);
    let begin = piece.start + origin;
    for (lane, line) in target.values.chunks_mut(target.lane).zip(&lines) {
        if let (OUTPUTS, Some(out)) = (width, lane.get_mut(begin..begin + OUTPUTS)) {
            out.copy_from_slice(line);
        } else if let Some(out) = lane.get_mut(begin..(begin + width).min(lane.len())) {
            out.copy_from_slice(&line[..out.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_repeats_on_both_sides_as_often_as_needed() {
        let row = |k: usize| [((k + 300 - 100) % 30) as f64; LANES];
        for (low, high) in [(100, 129), (93, 140), (2, 197), (70, 190), (110, 120)] {
            let mut rows = vec![[-1.0; LANES]; 200];
            (100..130).for_each(|k| rows[k] = row(k));
            repeat(&mut rows, 100, 30, low, high);
            assert!((low..=high).all(|k| rows[k] == row(k)), "{low} {high}");
            let untouched = (0..low.min(100)).chain(high.max(129) + 1..200);
            assert!(untouched.into_iter().all(|k| rows[k] == [-1.0; LANES]));
        }
    }
}
