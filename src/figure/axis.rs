//! Ranges of the data, and axes with the ticks that suit their length.
//!
//! A logarithmic axis is a linear one on which log₁₀ of the value is plotted, with labels of our own.

use super::Scale;
use super::fonts::Weight;
use super::style::TICK;
use super::{text, ticks};

/// Values beyond this are treated like infinity: sums and differences of ranges must stay finite.
const LARGEST: f64 = 1e300;

/// Values below this count as zero on a linear axis: their tenths must not underflow.
const SMALLEST: f64 = 1e-290;

impl Scale {
    /// The coordinate at which a value is plotted, if the axis can show it.
    pub(super) fn coordinate(self, value: f64) -> Option<f64> {
        match self {
            Scale::Linear => (value.abs() < LARGEST).then_some(value),
            Scale::Log => (value > 0.0 && value < LARGEST).then(|| value.log10()),
        }
    }
}

/// An interval of plotted coordinates, never empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    /// The smallest range that holds the coordinates, widened where they (nearly) coincide; [0, 1] without any.
    pub(super) fn of(scale: Scale, coordinates: impl Iterator<Item = f64>) -> Self {
        let hull = coordinates.fold(None, |hull: Option<Range>, at| {
            let Range { low, high } = hull.unwrap_or(Range { low: at, high: at });
            Some(Range {
                low: low.min(at),
                high: high.max(at),
            })
        });
        let hull = hull.unwrap_or(Range {
            low: 0.0,
            high: 1.0,
        });
        match scale {
            Scale::Linear => hull.widened_linear(),
            Scale::Log => hull.widened_log(),
        }
    }

    /// Differences below nine digits are round-off of a constant, not a shape to be magnified.
    fn widened_linear(self) -> Self {
        let size = self.low.abs().max(self.high.abs());
        if size < SMALLEST {
            return self.grown(1.0);
        }
        if self.high - self.low > 1e-9 * size {
            return self;
        }
        self.grown(0.1 * size)
    }

    /// A factor of five between the ends always leaves two of 1, 2, 5, 10, … for labels.
    fn widened_log(self) -> Self {
        self.grown((0.5 * (0.72 - (self.high - self.low))).max(0.0))
    }

    /// The range with the same free space on both sides.
    pub(super) fn grown(self, by: f64) -> Self {
        Self {
            low: self.low - by,
            high: self.high + by,
        }
    }

    pub(super) fn span(&self) -> f64 {
        self.high - self.low
    }
}

/// A labelled tick at a plotted coordinate.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// The way an axis runs on the page, which decides how close labels may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    Across,
    Up,
}

/// An axis ready to be drawn: its range, its ticks, and the power of ten taken out of its labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ruler {
    pub(super) range: Range,
    pub(super) major: Vec<Tick>,
    pub(super) minor: Vec<f64>,
    /// For instance `×10^{−4}`.
    pub(super) factor: Option<String>,
}

impl Ruler {
    /// The densest ticks that stay legible on an axis `length` pixels long.
    pub(super) fn new(scale: Scale, range: Range, length: f64, run: Run) -> Self {
        let mut candidates = match scale {
            Scale::Linear => ticks::linear_axes(range),
            Scale::Log => ticks::log_axes(range),
        };
        // Numbers of a linear axis should stand apart; powers of ten may be close, and so may all where room is scarce.
        let airs = match scale {
            Scale::Linear => [1.2, 0.5],
            Scale::Log => [0.6, 0.5],
        };
        let legible = |air| {
            candidates
                .iter()
                .position(|ruler| ruler.is_legible(length, run, air))
        };
        match airs.into_iter().find_map(legible) {
            Some(index) => candidates.swap_remove(index),
            None => Self::with_ends_only(candidates),
        }
    }

    /// When even the fewest labels are too close, those at the ends say most.
    fn with_ends_only(candidates: Vec<Self>) -> Self {
        let readable = candidates.into_iter().rfind(|ruler| ruler.major.len() >= 2);
        let mut ruler = readable.expect("the densest candidate has two labels");
        ruler.major.drain(1..ruler.major.len() - 1);
        ruler
    }

    /// Whether at least two labels are there and all neighbours have `air` (in em) between them.
    fn is_legible(&self, length: f64, run: Run, air: f64) -> bool {
        let pixels = length / self.range.span();
        let extent = |pair: &[Tick]| match run {
            Run::Across => 0.5 * (pair[0].width() + pair[1].width()),
            Run::Up => TICK,
        };
        let free = |pair: &[Tick]| (pair[1].at - pair[0].at) * pixels - extent(pair);
        self.major.len() >= 2 && self.major.windows(2).all(|pair| free(pair) >= air * TICK)
    }

    /// The place of a coordinate along the axis, 0 at its low and 1 at its high end.
    pub(super) fn fraction(&self, at: f64) -> f64 {
        (at - self.range.low) / self.range.span()
    }

    /// Width of the widest tick label in pixels.
    pub(super) fn label_width(&self) -> f64 {
        self.major.iter().map(Tick::width).fold(0.0, f64::max)
    }

    /// The same axis, reaching outwards to the next tick where that is near.
    pub(super) fn snapped(mut self) -> Self {
        let [first, second, ..] = self.major.as_slice() else {
            return self;
        };
        let (first, last, step) = (
            first.at,
            self.major[self.major.len() - 1].at,
            second.at - first.at,
        );
        let near = 0.06 * self.range.span();
        let Range { low, high } = self.range;
        if low > first - step && low - (first - step) < near {
            self.range.low = first - step;
        }
        if high < last + step && last + step - high < near {
            self.range.high = last + step;
        }
        self
    }
}

impl Tick {
    fn width(&self) -> f64 {
        TICK * text::width(&self.label, Weight::Regular)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_never_touch() {
        for (low, high) in [
            (0.0, 1.0),
            (-1e-7, 3e9),
            (0.999_999, 1.000_001),
            (-8.0, -7.9),
        ] {
            for length in [60.0, 120.0, 300.0] {
                let ruler = Ruler::new(Scale::Linear, Range { low, high }, length, Run::Across);
                let room = length / ruler.range.span();
                for pair in ruler.major.windows(2) {
                    let free = (pair[1].at - pair[0].at) * room
                        - 0.5 * (pair[0].width() + pair[1].width());
                    assert!(
                        free > 0.0 || ruler.major.len() <= 2,
                        "[{low}, {high}] at {length}: {ruler:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn degenerate_values_give_a_range() {
        for values in [
            vec![],
            vec![0.0],
            vec![1.0, 1.0 + 1e-13],
            vec![-5e9],
            vec![5e-324, 1e-310],
            vec![1e-310],
        ] {
            for scale in [Scale::Linear, Scale::Log] {
                let coordinates = values.iter().filter_map(|&value| scale.coordinate(value));
                let range = Range::of(scale, coordinates);
                assert!(
                    range.span() > 1e-12 && range.span().is_finite(),
                    "{values:?} {scale:?}"
                );
                assert!(Ruler::new(scale, range, 300.0, Run::Across).major.len() >= 2);
            }
        }
    }

    #[test]
    fn a_log_axis_has_no_place_for_zero_or_negative_values() {
        assert_eq!(Scale::Log.coordinate(0.0), None);
        assert_eq!(Scale::Log.coordinate(-1.0), None);
        assert_eq!(Scale::Log.coordinate(1000.0), Some(3.0));
        assert_eq!(Scale::Linear.coordinate(f64::NAN), None);
        assert_eq!(Scale::Linear.coordinate(f64::INFINITY), None);
    }
}
