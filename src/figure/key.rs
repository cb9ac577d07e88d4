//! Which curve is which: labels at the right ends, or a key below where there is no room for them.

use super::Series;
use super::canvas::{Align, Canvas, Drawn, Lettering, Point, Rect, Stroke};
use super::fonts::Weight;
use super::labels::spread;
use super::layout::Margins;
use super::legend::{Entry, Legend};
use super::style::{HALF_CAPITAL, TICK, palette};
use super::text;

/// Share of a panel's width that labels at the right may take.
const MOST_FOR_LABELS: f64 = 0.36;

/// Distance between labels that do not touch.
const SPACING: f64 = 1.25 * TICK;

/// Labels beside a panel at most; even low frames have room for so many.
const MOST_LABELS: usize = 12;

/// Width that labels at the right must leave for a frame with its axis.
const LEAST_REST: f64 = 310.0;

/// Room for the leader lines between the frame and labels.
const LEADER: f64 = 22.0;

/// How the series of a panel are named.
pub(super) enum Key<'a> {
    Beside(Vec<(usize, &'a Series)>),
    Below(Legend<'a>),
}

impl<'a> Key<'a> {
    /// Labels beside the curves, or a key below them.
    pub(super) fn new(series: &'a [Series], beside: bool) -> Self {
        if beside {
            let named = series.iter().enumerate();
            Key::Beside(named.filter(|(_, series)| is_named(series)).collect())
        } else {
            Key::Below(Legend::new(series.iter().map(Entry::from)))
        }
    }

    /// Arranges a key below a panel of this width, axis labels included.
    pub(super) fn fit(&mut self, width: f64) {
        if let Key::Below(legend) = self {
            legend.fit(width);
        }
    }

    /// Space needed to the right of the frame and below the axis.
    pub(super) fn room(&self) -> (f64, f64) {
        match self {
            Key::Beside(named) if named.is_empty() => (0.0, 0.0),
            Key::Beside(named) => (
                LEADER + widest(named.iter().map(|&(_, series)| series)),
                0.0,
            ),
            Key::Below(legend) => (0.0, legend.height()),
        }
    }

    /// Draws it for curves at `places`, whose axes take the given margins.
    pub(super) fn draw(
        &self,
        canvas: &Canvas<'_>,
        frame: &Rect,
        places: &[Vec<Option<Point>>],
        axes: &Margins,
    ) -> Drawn {
        match self {
            Key::Beside(named) => draw_beside(canvas, frame, named, places),
            Key::Below(legend) => {
                let (start, below) = (frame.left - axes.left, frame.bottom + axes.bottom);
                legend.draw(canvas, frame, start, below)
            }
        }
    }
}

/// Whether a cell of this width has room for labels to the right of the curves.
pub(super) fn has_room_beside(series: &[Series], cell: f64) -> bool {
    widest(series.iter()) + LEADER <= (MOST_FOR_LABELS * cell).min(cell - LEAST_REST)
        && series.iter().filter(|series| is_named(series)).count() <= MOST_LABELS
}

fn is_named(series: &Series) -> bool {
    !series.label.is_empty()
}

fn widest<'a>(series: impl Iterator<Item = &'a Series>) -> f64 {
    series.map(label_width).fold(0.0, f64::max)
}

fn draw_beside(
    canvas: &Canvas<'_>,
    frame: &Rect,
    named: &[(usize, &Series)],
    places: &[Vec<Option<Point>>],
) -> Drawn {
    let ends: Vec<(&Series, Point)> = named
        .iter()
        .filter_map(|&(index, series)| Some((series, right_end(&places[index])?)))
        .collect();
    let wanted: Vec<f64> = ends.iter().map(|(_, end)| end.1).collect();
    let heights = spread(
        &wanted,
        SPACING,
        frame.top + 0.3 * TICK,
        frame.bottom - 0.3 * TICK,
    );
    for ((series, end), height) in ends.into_iter().zip(heights) {
        let x = frame.right + LEADER;
        leader(canvas, end, (x - 3.0, height), frame, series)?;
        let lettering = Lettering::new(TICK, Align::Start).coloured(series.text_colour());
        canvas.text(&series.label, (x, height + HALF_CAPITAL * TICK), lettering)?;
    }
    Ok(())
}

/// A thin line from the end of a curve to its label.
fn leader(canvas: &Canvas<'_>, end: Point, label: Point, frame: &Rect, series: &Series) -> Drawn {
    let stroke = Stroke::solid(palette(series.colour), 0.9);
    let start = if series.style.has_markers() {
        end.0 + 6.0
    } else {
        end.0 + 1.0
    };
    let bend = (frame.right + 2.0).max(start);
    canvas.line(
        &[
            (start, end.1),
            (bend, end.1),
            (label.0 - 4.0, label.1),
            label,
        ],
        stroke,
    )
}

fn right_end(places: &[Option<Point>]) -> Option<Point> {
    places
        .iter()
        .flatten()
        .copied()
        .max_by(|a, b| a.0.total_cmp(&b.0))
}

fn label_width(series: &Series) -> f64 {
    TICK * text::width(&series.label, Weight::Regular)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Style;

    fn series(label: &str) -> Series {
        Series {
            label: label.to_owned(),
            points: Vec::new(),
            style: Style::Line,
            colour: 0,
        }
    }

    #[test]
    fn short_labels_have_room_beside_and_long_ones_have_not() {
        let mut labelled = vec![series("W_{2}"), series("KL")];
        assert!(has_room_beside(&labelled, 500.0));
        labelled.push(series(
            "a label of many words that leaves no room for the curve",
        ));
        assert!(!has_room_beside(&labelled, 500.0));
    }

    #[test]
    fn labels_leave_room_for_the_frame_of_a_narrow_panel() {
        let labelled = [series("n = 1024")];
        assert!(has_room_beside(&labelled, 480.0));
        assert!(!has_room_beside(&labelled, 370.0));
    }

    #[test]
    fn many_labels_have_no_room_beside() {
        let mut labelled = vec![series("KL"); MOST_LABELS];
        labelled.push(series(""));
        assert!(has_room_beside(&labelled, 500.0));
        labelled.push(series("W_{2}"));
        assert!(!has_room_beside(&labelled, 500.0));
    }

    #[test]
    fn a_series_without_label_is_not_named() {
        let series = [series("")];
        for beside in [true, false] {
            assert_eq!(Key::new(&series, beside).room(), (0.0, 0.0));
        }
    }

    #[test]
    fn the_right_end_is_found_in_any_order_of_points() {
        let places = [Some((9.0, 1.0)), None, Some((2.0, 5.0))];
        assert_eq!(right_end(&places), Some((9.0, 1.0)));
        assert_eq!(right_end(&[None]), None);
    }
}
