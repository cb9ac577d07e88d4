//! Eight lines side by side: all outputs of a circle at once, or piece by piece.

use super::line::{LIMIT, LinePlan, Way};
use super::piece::{Inputs, Piece, Sums, Target, Windows, write};
use super::rows::{Survey, weigh};
use super::source::Source;
use super::taps::{LANES, OUTPUTS, Row, sum};
use super::window::Maximisers;

/// Buffers of one thread.
pub struct Strip {
    exponents: Vec<Row>,
    weights: Vec<Row>,
    /// Sums at the nodes between the halves of a split.
    between: Vec<Row>,
    maximisers: Maximisers,
    windows: Windows,
}

impl Strip {
    /// For pieces of at most `length` outputs.
    pub fn new(plan: &LinePlan, length: usize) -> Self {
        let rows = length.max(plan.piece()) + 2 * plan.margin();
        let apart = plan.apart();
        let between = (rows as f64 / apart) as usize + 4 * OUTPUTS;
        Self {
            exponents: vec![[0.0; LANES]; rows],
            weights: vec![[0.0; LANES]; rows],
            between: vec![[0.0; LANES]; between],
            maximisers: Maximisers::new(rows, apart as usize),
            windows: Windows::new(rows),
        }
    }

    /// The sums of all lanes; false, with them unfinished, where that way does not hold.
    pub fn run(
        &mut self,
        plan: &LinePlan,
        way: Way,
        source: &Source,
        survey: &Survey,
        target: &mut Target,
    ) -> bool {
        if way == Way::Circle {
            return self.circle(plan, source, survey, target);
        }
        let whole = Piece::whole(target.lane, survey.drift + 1.0);
        let circle = target.lane == plan.points && matches!(source, Source::Tile(_));
        let fits = circle && survey.range() <= 2.0 * LIMIT;
        (fits && self.piece(plan, way, source, survey, whole, target))
            || self.pieces(plan, way, source, survey, target)
    }

    /// Piece by piece; where one does not hold, it and all after it are halved.
    fn pieces(
        &mut self,
        plan: &LinePlan,
        way: Way,
        source: &Source,
        survey: &Survey,
        target: &mut Target,
    ) -> bool {
        let (mut start, mut longest) = (0, plan.piece());
        while start < target.lane {
            let length = longest.min(target.lane - start);
            let (drift, spread) = source.drift(start + length / 2, plan.c);
            let piece = Piece {
                start,
                length,
                drift,
                spread,
                whole: false,
            };
            if self.piece(plan, way, source, survey, piece, target) {
                start += length;
            } else if longest > OUTPUTS {
                longest = (longest / 2).next_multiple_of(OUTPUTS);
            } else {
                return false;
            }
        }
        true
    }

    fn piece(
        &mut self,
        plan: &LinePlan,
        way: Way,
        source: &Source,
        survey: &Survey,
        piece: Piece,
        target: &mut Target,
    ) -> bool {
        let margin = margin(plan, way, survey, &piece);
        let rows = piece.length + OUTPUTS + 2 * margin as usize;
        if rows > self.weights.len() {
            return false;
        }
        let inputs = match source {
            Source::Tile(tile) if piece.whole => {
                let last = rows as i64 - margin;
                self.maximisers.measure_circle(tile, -margin, last, plan.c);
                Inputs {
                    exponents: tile,
                    first: 0,
                    middle: Some(0.5 * (survey.exponent[0] + survey.exponent[1])),
                }
            }
            _ => {
                let exponents = &mut self.exponents[..rows];
                source.fill(piece.start, &piece.drift, -margin, plan.c, exponents);
                self.maximisers.measure(exponents, -margin, plan.c);
                Inputs {
                    exponents,
                    first: -margin,
                    middle: None,
                }
            }
        };
        let mut sums = Sums {
            plan,
            piece,
            inputs,
            weights: &mut self.weights[..rows],
            first: -margin,
            maximisers: &self.maximisers,
            windows: &mut self.windows,
            target,
        };
        match (way, &plan.split) {
            (Way::Direct { .. }, _) => sums.direct(),
            (Way::Split { .. }, Some(split)) => sums.split(split, &mut self.between),
            _ => None,
        }
        .is_some()
    }

    /// Every output from all nodes: no window, any kernel and no convexity, where the exponents differ by at most 2·LIMIT.
    fn circle(
        &mut self,
        plan: &LinePlan,
        source: &Source,
        survey: &Survey,
        target: &mut Target,
    ) -> bool {
        let (Some(taps), Source::Tile(tile)) = (&plan.circle, source) else {
            return false;
        };
        let middle = 0.5 * (survey.exponent[0] + survey.exponent[1]);
        let weights = &mut self.weights[..plan.points];
        weigh(tile, &[middle; LANES], weights);
        let piece = Piece::whole(plan.points, 0.0);
        let finish = piece.finish([middle; LANES], plan.c, target);
        let mut sums = [[0.0; LANES]; OUTPUTS];
        let last = plan.points as i64 - 1;
        (0..=piece.last_block()).step_by(OUTPUTS).all(|origin| {
            let all = taps.of(origin / OUTPUTS as i64, 0, last);
            let done = all.is_some_and(|taps| sum(weights, taps, f64::MAX, &mut sums));
            if done {
                write(&sums, &finish, &piece, origin, target);
            }
            done
        })
    }
}

/// Inputs needed on either side of a piece.
fn margin(plan: &LinePlan, way: Way, survey: &Survey, piece: &Piece) -> i64 {
    let lambda = survey.curvature[0];
    let reach = match way {
        Way::Direct { reach } => reach,
        Way::Split { reach } => reach[0] + 2.0 * reach[1] / (1.0 + lambda),
        Way::Circle | Way::Dense => 0.0,
    };
    // Maximisers move by at most 1/λ per output, and within all drifts there are.
    let half = 0.5 * piece.length as f64 + OUTPUTS as f64;
    let moved = match piece.whole {
        true => 0.0,
        false => (half * (1.0 / lambda - 1.0)).clamp(0.0, 2.0 * survey.drift),
    };
    let slack = 3.0 + OUTPUTS as f64 * plan.apart();
    (moved + piece.spread + reach + slack) as i64
}
