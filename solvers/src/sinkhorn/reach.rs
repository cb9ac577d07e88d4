//! Which inputs an output needs: the maximisers and how the exponents fall away from them, both from the slopes.
//!
//! Node k is the maximiser of the output `Y_k = k − E′_k/2c`, explicit and increasing in k, so maximisers need no search. From the
//! maximiser i* of the output η to the node k the exponent drops by `2c ∫_{i*}^k (Y − η)`, of which sums over a few
//! nodes, taken on the safe side, are a lower bound. A window ends where the drop is large enough: where the
//! curvature is large it is narrow. For several lanes the least or the most Y of them is as safe.

use super::piece::Inputs;
use super::rows::shifts;
use super::taps::{OUTPUTS, Row};
use std::ops::Range;

/// Every so many nodes k the smallest and the largest `Y_k` of the lanes.
pub struct Maximisers {
    samples: Vec<Sample>,
    shifts: Vec<[f64; 2]>,
    every: usize,
}

/// A node k, the least and the most `Y_k` of the lanes, and sums for `∫ Y dk`: not above that of the least, not below that of the most.
#[derive(Clone, Copy)]
struct Sample {
    node: f64,
    least: f64,
    most: f64,
    under_least: f64,
    over_most: f64,
}

impl Maximisers {
    /// For at most `rows` nodes; `every` nodes may be wasted.
    pub fn new(rows: usize, every: usize) -> Self {
        let every = every.max(OUTPUTS);
        Self {
            samples: Vec::with_capacity(rows / every + 4),
            shifts: vec![[0.0; 2]; rows / every + 1],
            every,
        }
    }

    /// From the exponents E, for the inputs from `first` to `last`.
    pub fn measure(&mut self, inputs: &Inputs, first: i64, last: i64, c: f64) {
        let rows = inputs.exponents;
        let (n, shifts) = (rows.len() as i64, self.shifts(rows, c));
        self.samples.clear();
        if inputs.middle.is_none() {
            return self.append(first + 1, 0..shifts);
        }
        // Round the circle: samples at 1 + turn·n + every·k between the first and the last input.
        let every = self.every as i64;
        for turn in first.div_euclid(n)..=last.div_euclid(n) {
            let start = 1 + turn * n;
            let begin = (first - start).max(0) / every;
            let end = ((last - start).max(0) / every + 1).min(shifts as i64);
            self.append(start, begin as usize..end as usize);
        }
    }

    /// Measures; the number of nodes measured.
    fn shifts(&mut self, rows: &[Row], c: f64) -> usize {
        let len = (rows.len() - 2).div_ceil(self.every);
        shifts(rows, self.every, c, &mut self.shifts[..len]);
        len
    }

    /// The shifts of the nodes `start + every·k`.
    fn append(&mut self, start: i64, k: std::ops::Range<usize>) {
        for k in k {
            let node = (start + (k * self.every) as i64) as f64;
            let [least, most] = self.shifts[k].map(|shift| node + shift);
            let (mut under_least, mut over_most) = (0.0, 0.0);
            if let Some(before) = self.samples.last() {
                let step = node - before.node;
                under_least = before.under_least + before.least * step;
                over_most = before.over_most + most * step;
            }
            self.samples.push(Sample {
                node,
                least,
                most,
                under_least,
                over_most,
            });
        }
    }
}

/// What a position on the way from an input to its output is the maximiser of.
#[derive(Clone, Copy, PartialEq)]
pub enum Position {
    /// The input, for outputs.
    Input,
    /// The input, for nodes between.
    HalfInput,
    /// The node between, for outputs.
    Between,
}

/// Windows for blocks of outputs, to be asked for in increasing order.
pub struct Reach<'a> {
    samples: &'a [Sample],
    position: Position,
    /// What the exponents must have dropped by at the ends of a window, over 2c.
    drop: f64,
    ends: Ends,
}

/// Samples: the last below a block and the first above it, and those where its window ends.
#[derive(Clone, Copy, Default)]
struct Ends {
    low: usize,
    high: usize,
    first: usize,
    last: usize,
}

impl<'a> Reach<'a> {
    pub fn new(maximisers: &'a Maximisers, position: Position, drop: f64) -> Self {
        Self {
            samples: &maximisers.samples,
            position,
            drop,
            ends: Ends::default(),
        }
    }

    /// The first and the last input that each of some blocks of eight outputs needs, for outputs and inputs so many nodes apart;
    /// `None` where they lie beyond the samples.
    pub fn windows(
        mut self,
        blocks: Range<i64>,
        [output, input]: [f64; 2],
        windows: &mut Vec<[i64; 2]>,
    ) -> Option<()> {
        windows.clear();
        for block in blocks {
            let from = (OUTPUTS as i64 * block) as f64 * output;
            let [low, high] = self.window([from, from + (OUTPUTS - 1) as f64 * output])?;
            windows.push([floor(low / input), -floor(-high / input)]);
        }
        Some(())
    }

    /// The positions that the outputs need.
    fn window(&mut self, [from, to]: [f64; 2]) -> Option<[f64; 2]> {
        while self.is(self.ends.low + 1, |s| self.below(s, from)) {
            self.ends.low += 1;
        }
        while self.is(self.ends.high, |s| !self.above(s, to)) {
            self.ends.high += 1;
        }
        let (low, high) = (self.ends.low, self.ends.high);
        let (low, high) = (self.samples.get(low)?, self.samples.get(high)?);
        while self.is(self.ends.first + 1, |s| {
            self.drop_below(low, s, from) >= self.drop
        }) {
            self.ends.first += 1;
        }
        self.ends.last = self.ends.last.max(self.ends.high);
        while self.is(self.ends.last, |s| self.drop_above(high, s, to) < self.drop) {
            self.ends.last += 1;
        }
        self.positions(&self.ends, [from, to])
    }

    fn is(&self, index: usize, test: impl Fn(&Sample) -> bool) -> bool {
        self.samples.get(index).is_some_and(test)
    }

    /// The output, or the point half-way to it, of which a node is the maximiser where `Y_k` is `output`.
    fn target(&self, node: f64, output: f64) -> f64 {
        match self.position {
            Position::HalfInput => 0.5 * (node + output),
            Position::Input | Position::Between => output,
        }
    }

    fn below(&self, s: &Sample, from: f64) -> bool {
        self.target(s.node, s.most) <= from
    }

    fn above(&self, s: &Sample, to: f64) -> bool {
        self.target(s.node, s.least) >= to
    }

    /// Lower bound of the drop, over 2c, from the sample `high` to the one `s` above it, for the output `to`.
    fn drop_above(&self, high: &Sample, s: &Sample, to: f64) -> f64 {
        let integral = s.under_least - high.under_least;
        self.drop([high.node, s.node], [high.least, s.least], integral, to)
    }

    /// Lower bound of the drop, over 2c, from the sample `low` to the one `s` below it, for the output `from`.
    fn drop_below(&self, low: &Sample, s: &Sample, from: f64) -> f64 {
        let integral = s.over_most - low.over_most;
        self.drop([low.node, s.node], [low.most, s.most], integral, from)
    }

    /// `∫ (Y − η) dk` between two nodes given `∫ Y dk`; `2 ∫ (Z − ζ) dk` and `2 ∫ (Y − η) dZ` with `Z = (k + Y)/2` for the halves.
    fn drop(&self, k: [f64; 2], y: [f64; 2], integral: f64, output: f64) -> f64 {
        let (nodes, outputs) = (k[1] - k[0], y[1] - y[0]);
        match self.position {
            Position::Input => integral - output * nodes,
            Position::HalfInput => 0.5 * nodes * (k[0] + k[1]) + integral - 2.0 * output * nodes,
            Position::Between => {
                integral + 0.5 * outputs * (y[0] + y[1]) - output * (nodes + outputs)
            }
        }
    }

    fn positions(&self, ends: &Ends, [from, to]: [f64; 2]) -> Option<[f64; 2]> {
        let at = |index: usize| self.samples.get(index);
        let (low, high) = (at(ends.low)?, at(ends.high)?);
        let (first, last) = (at(ends.first)?, at(ends.last)?);
        let inside = self.below(low, from)
            && self.above(high, to)
            && self.drop_below(low, first, from) >= self.drop
            && self.drop_above(high, last, to) >= self.drop;
        inside.then_some(match self.position {
            Position::Between => [
                0.5 * (first.node + first.most),
                0.5 * (last.node + last.least),
            ],
            Position::Input | Position::HalfInput => [first.node, last.node],
        })
    }
}

/// The largest integer that is not larger: the method would be a library call.
fn floor(x: f64) -> i64 {
    let truncated = x as i64;
    truncated - i64::from(truncated as f64 > x)
}
