//! The windows of a piece: which inputs each block of eight outputs needs.

use super::piece::Piece;
use super::reach::{Maximisers, Position, Reach};
use super::strip::Lines;
use super::taps::OUTPUTS;
use std::ops::Range;

/// First and last input of every block.
pub struct Windows {
    /// Of the nodes between, if there are any.
    pub between: Vec<[i64; 2]>,
    /// Blocks of the nodes between: once round the circle, or those that the outputs need.
    pub blocks: Range<i64>,
    pub outputs: Vec<[i64; 2]>,
}

impl Windows {
    /// For pieces with at most `rows` outputs and nodes between.
    pub fn new(rows: usize) -> Self {
        let list = || Vec::with_capacity(rows / OUTPUTS + 2);
        Self {
            between: list(),
            blocks: 0..0,
            outputs: list(),
        }
    }

    /// Finds them; `None` where the inputs are not enough.
    pub fn find(&mut self, lines: Lines, piece: &Piece, maximisers: &Maximisers) -> Option<()> {
        let reach = |position| Reach::new(maximisers, position, lines.plan.drop());
        let Some(split) = lines.split() else {
            return reach(Position::Input).windows(piece.blocks(), [1.0, 1.0], &mut self.outputs);
        };
        let (s, eight) = (split.spacing.nodes(), OUTPUTS as i64);
        reach(Position::Between).windows(piece.blocks(), [1.0, s], &mut self.outputs)?;
        let [first, last] = extremes(&self.outputs)?;
        self.blocks = match split.circle(piece) {
            Some(count) => 0..count.div_ceil(OUTPUTS) as i64,
            None => first.div_euclid(eight)..last.div_euclid(eight) + 1,
        };
        reach(Position::HalfInput).windows(self.blocks.clone(), [s, 1.0], &mut self.between)
    }
}

/// From the first of the inputs that some blocks need to the last.
pub fn extremes(windows: &[[i64; 2]]) -> Option<[i64; 2]> {
    Some([windows.first()?[0], windows.last()?[1]])
}
