//! Which curve is which: labels at the right ends, or a key below where there is no room for them.

use super::Series;
use super::canvas::{Align, Canvas, Drawn, Lettering, Point, Rect, Stroke};
use super::fonts::Weight;
use super::labels::spread;
use super::layout::Margins;
use super::style::{HALF_CAPITAL, LEADING, TICK, palette};
use super::text;

/// Share of a panel's width that labels at the right may take.
const MOST_FOR_LABELS: f64 = 0.36;

/// Share of a panel's width that the key below may take.
const KEY_WIDTH: f64 = 0.93;

/// Length of the sample of line in the key, the space after it, and the space between entries.
const SAMPLE: f64 = 28.0;
const AFTER_SAMPLE: f64 = 6.0;
const BETWEEN: f64 = 20.0;

/// Space between the axis and the key below it.
const ABOVE_KEY: f64 = 6.0;

/// Room for the leader lines between the frame and labels.
const LEADER: f64 = 22.0;

/// How the series of a panel are named.
pub(super) enum Key<'a> {
    Beside(Vec<(usize, &'a Series)>),
    /// Rows of entries below the panel, at most `width` long.
    Below {
        rows: Vec<Vec<&'a Series>>,
        width: f64,
    },
}

impl<'a> Key<'a> {
    /// Labels beside the curves, or entries below a panel whose cell has the given width.
    pub(super) fn new(series: &'a [Series], cell: f64, beside: bool) -> Self {
        let named = series
            .iter()
            .enumerate()
            .filter(|(_, series)| !series.label.is_empty());
        if beside {
            Key::Beside(named.collect())
        } else {
            let width = KEY_WIDTH * cell;
            let rows = in_rows(named.map(|(_, series)| series), width);
            Key::Below { rows, width }
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
            Key::Below { rows, .. } if rows.is_empty() => (0.0, 0.0),
            Key::Below { rows, .. } => (0.0, ABOVE_KEY + LEADING * TICK * rows.len() as f64),
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
        let (rows, width) = match self {
            Key::Beside(named) => return draw_beside(canvas, frame, named, places),
            Key::Below { rows, width } => (rows, *width),
        };
        let length = |row: &Vec<&Series>| {
            row.iter().map(|series| entry_width(series)).sum::<f64>() - BETWEEN
        };
        let longest = rows.iter().map(length).fold(0.0, f64::max).min(width);
        // Under the frame if the rows are short enough, else further to the left.
        let left = frame.left.min(frame.left - axes.left + width - longest);
        for (index, row) in rows.iter().enumerate() {
            let y = frame.bottom + axes.bottom + ABOVE_KEY + LEADING * TICK * (index as f64 + 0.5);
            draw_row(canvas, (left, y), row, width)?;
        }
        Ok(())
    }
}

/// Whether a cell of this width has room for labels to the right of the curves.
pub(super) fn has_room_beside(series: &[Series], cell: f64) -> bool {
    widest(series.iter()) + LEADER <= MOST_FOR_LABELS * cell
}

/// Fills rows of the given width with entries.
fn in_rows<'a>(series: impl Iterator<Item = &'a Series>, width: f64) -> Vec<Vec<&'a Series>> {
    let mut rows: Vec<Vec<&Series>> = Vec::new();
    let mut free = 0.0;
    for series in series {
        let entry = entry_width(series);
        match rows.last_mut() {
            Some(row) if entry <= free => row.push(series),
            _ => {
                rows.push(vec![series]);
                free = width;
            }
        }
        free -= entry;
    }
    rows
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
        1.25 * TICK,
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

fn draw_row(canvas: &Canvas<'_>, (left, y): Point, row: &[&Series], width: f64) -> Drawn {
    let mut x = left;
    for series in row {
        series.draw_sample(canvas, (x, y), SAMPLE)?;
        let lettering = Lettering::new(TICK, Align::Start).coloured(series.text_colour());
        let lettering = lettering.fitted(&series.label, width - SAMPLE - AFTER_SAMPLE);
        let at = (x + SAMPLE + AFTER_SAMPLE, y + HALF_CAPITAL * TICK);
        canvas.text(&series.label, at, lettering)?;
        x += entry_width(series);
    }
    Ok(())
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

fn entry_width(series: &Series) -> f64 {
    SAMPLE + AFTER_SAMPLE + label_width(series) + BETWEEN
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
    fn the_key_starts_a_new_row_when_one_is_full() {
        let series = ["KL", "W_{2}", "LOT"].map(series);
        let two = entry_width(&series[0]) + entry_width(&series[1]);
        let lengths = |width| {
            in_rows(series.iter(), width)
                .iter()
                .map(Vec::len)
                .collect::<Vec<_>>()
        };
        assert_eq!(lengths(two + 1.0), [2, 1]);
        assert_eq!(lengths(10.0), [1, 1, 1]);
    }

    #[test]
    fn a_series_without_label_is_not_named() {
        let series = [series("")];
        assert_eq!(Key::new(&series, 500.0, true).room(), (0.0, 0.0));
        assert!(
            matches!(Key::new(&series, 500.0, false), Key::Below { rows, .. } if rows.is_empty())
        );
    }

    #[test]
    fn the_right_end_is_found_in_any_order_of_points() {
        let places = [Some((9.0, 1.0)), None, Some((2.0, 5.0))];
        assert_eq!(right_end(&places), Some((9.0, 1.0)));
        assert_eq!(right_end(&[None]), None);
    }
}
