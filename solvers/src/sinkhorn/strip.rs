//! Eight lines side by side: all outputs of a circle at once, or piece by piece.

use super::line::{LIMIT, LinePlan, Way};
use super::piece::{Inputs, Piece, Sums, Target, write};
use super::reach::Maximisers;
use super::rows::{Survey, weigh};
use super::source::Source;
use super::split::Split;
use super::taps::{LANES, OUTPUTS, Row, sum};
use super::window::Windows;

/// Buffers of one thread.
pub struct Strip {
    exponents: Vec<Row>,
    weights: Vec<Row>,
    /// Sums at the nodes between the halves of a split.
    between: Vec<Row>,
    maximisers: Maximisers,
    windows: Windows,
    /// How the whole circles were summed whose windows these are.
    before: Option<Way>,
}

/// Eight lines to be summed, and how.
#[derive(Clone, Copy)]
pub struct Lines<'a> {
    pub plan: &'a LinePlan,
    pub way: Way,
    pub source: &'a Source<'a>,
    pub survey: &'a Survey,
}

impl<'a> Lines<'a> {
    /// The split, if that is the way.
    pub fn split(&self) -> Option<&'a Split> {
        let split = matches!(self.way, Way::Split { .. });
        self.plan.split.as_ref().filter(|_| split)
    }
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
            before: None,
        }
    }

    /// Windows are no longer taken over from the lines before: to be called where these depend on the number of threads.
    pub fn forget(&mut self) {
        self.before = None;
    }

    /// The sums of all lanes; false, with them unfinished, where that way does not hold.
    pub fn run(&mut self, lines: Lines, target: &mut Target) -> bool {
        if lines.way == Way::Circle {
            return self.circle(lines, target);
        }
        let before = self.before.take();
        let whole = target.lane == lines.plan.points && matches!(lines.source, Source::Tile(_));
        if whole && lines.survey.range() <= 2.0 * LIMIT {
            let piece = Piece::whole(target.lane, lines.survey.drift + 1.0);
            // The windows of neighbouring lines hardly differ, and every sum says whether its window is enough.
            let known = before.filter(|before| before.resembles(lines.way));
            if known.is_some() && self.piece(lines, piece, true, target) {
                self.before = known;
                return true;
            }
            if self.piece(lines, piece, false, target) {
                self.before = Some(lines.way);
                return true;
            }
        }
        self.pieces(lines, target)
    }

    /// Piece by piece; where one does not hold, it and all after it are halved.
    fn pieces(&mut self, lines: Lines, target: &mut Target) -> bool {
        let plan = lines.plan;
        let (mut start, mut longest) = (0, plan.piece());
        while start < target.lane {
            let length = longest.min(target.lane - start);
            let (drift, spread) = lines.source.drift(start + length / 2, plan.c);
            let piece = Piece {
                start,
                length,
                drift,
                spread,
                whole: false,
            };
            if self.piece(lines, piece, false, target) {
                start += length;
            } else if longest > OUTPUTS {
                longest = (longest / 2).next_multiple_of(OUTPUTS);
            } else {
                return false;
            }
        }
        true
    }

    /// `known`: with the windows there are.
    fn piece(&mut self, lines: Lines, piece: Piece, known: bool, target: &mut Target) -> bool {
        let plan = lines.plan;
        let margin = margin(lines, &piece);
        let rows = piece.length + OUTPUTS + 2 * margin as usize;
        if rows > self.weights.len() {
            return false;
        }
        let inputs = match lines.source {
            Source::Tile(tile) if piece.whole => Inputs {
                exponents: tile,
                first: 0,
                middle: Some(lines.survey.middle()),
            },
            source => {
                let exponents = &mut self.exponents[..rows];
                source.fill(piece.start, &piece.drift, -margin, plan.c, exponents);
                Inputs {
                    exponents,
                    first: -margin,
                    middle: None,
                }
            }
        };
        if !known {
            self.maximisers
                .measure(&inputs, -margin, rows as i64 - margin, plan.c);
            if self.windows.find(lines, &piece, &self.maximisers).is_none() {
                return false;
            }
        }
        let mut sums = Sums {
            plan,
            piece,
            inputs,
            weights: &mut self.weights[..rows],
            first: -margin,
            windows: &self.windows,
            target,
        };
        match lines.split() {
            Some(split) => sums.split(split, &mut self.between),
            None => sums.direct(),
        }
        .is_some()
    }

    /// Every output from all nodes: no window, any kernel and no convexity, where the exponents differ by at most 2·LIMIT.
    fn circle(&mut self, lines: Lines, target: &mut Target) -> bool {
        let plan = lines.plan;
        let (Some(taps), Source::Tile(tile)) = (&plan.circle, lines.source) else {
            return false;
        };
        let middle = lines.survey.middle();
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
fn margin(lines: Lines, piece: &Piece) -> i64 {
    let survey = lines.survey;
    let lambda = survey.curvature[0];
    let reach = match lines.way {
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
    let slack = 3.0 + OUTPUTS as f64 * lines.plan.apart();
    (moved + piece.spread + reach + slack) as i64
}

#[cfg(test)]
mod tests {
    use super::super::kernel::Kernel;
    use super::super::line::tests::tile;
    use super::super::rows::survey;
    use super::*;

    /// What `sum` makes of a tile; `None` where it does not hold.
    fn sums(
        plan: &LinePlan,
        tile: &[Row],
        sum: impl FnOnce(Lines, &mut Target) -> bool,
    ) -> Option<Vec<f64>> {
        let n = plan.points;
        let (source, survey) = (Source::Tile(tile), survey(tile, plan.c));
        let lines = Lines {
            plan,
            way: plan.way(&survey),
            source: &source,
            survey: &survey,
        };
        let mut values = vec![0.0; LANES * n];
        let mut target = Target {
            values: &mut values,
            lane: n,
            scale: 1.0,
            shift: 0.0,
        };
        sum(lines, &mut target).then_some(values)
    }

    /// The same lines, further round the circle.
    fn moved(tile: &[Row], by: usize) -> Vec<Row> {
        [&tile[by..], &tile[..by]].concat()
    }

    #[test]
    fn windows_of_neighbours_hold_and_those_of_other_lines_are_refused() {
        for (n, epsilon) in [(512, 1e-3), (128, 3e-4)] {
            let plan = LinePlan::new(n, Kernel::Heat, epsilon);
            let mut strip = Strip::new(&plan, n);
            let mut whole = |tile: &[Row], known: bool| {
                sums(&plan, tile, |lines, target| {
                    let piece = Piece::whole(n, lines.survey.drift + 1.0);
                    strip.piece(lines, piece, known, target)
                })
            };
            let here = tile(n, epsilon, 0.3, 0.0);
            let (near, far) = (moved(&here, n / 64), moved(&here, n / 2));
            assert!(whole(&here, false).is_some());
            let lent = whole(&near, true).expect("a neighbour");
            assert_eq!(whole(&far, true), None);
            let own = whole(&near, false).expect("windows of its own");
            for (a, b) in lent.iter().zip(&own) {
                approx::assert_relative_eq!(a, b, max_relative = 1e-14, epsilon = 1e-14);
            }
        }
    }

    #[test]
    fn lines_whose_neighbours_are_no_help_are_summed_as_if_they_came_first() {
        let (n, epsilon) = (512, 1e-3);
        let plan = LinePlan::new(n, Kernel::Heat, epsilon);
        let (mut used, mut fresh) = (Strip::new(&plan, n), Strip::new(&plan, n));
        let run = |strip: &mut Strip, tile: &[Row]| {
            sums(&plan, tile, |lines, target| strip.run(lines, target)).expect("sums")
        };
        let first = tile(n, epsilon, 0.3, 0.0);
        let far = moved(&first, n / 2);
        run(&mut used, &first);
        assert!(used.before.is_some());
        assert_eq!(run(&mut used, &far), run(&mut fresh, &far));
        used.forget();
        assert!(used.before.is_none());
    }
}
