//! The key below a panel: samples with their labels, in columns.

use super::Series;
use super::canvas::{Align, Canvas, Drawn, Lettering, Point, Rect, Stroke};
use super::fonts::Weight;
use super::style::{HALF_CAPITAL, LEADING, Rgb, TICK, as_text};
use super::text;

/// Length of a sample, the space after it, and the space between columns.
const SAMPLE: f64 = 28.0;
const AFTER_SAMPLE: f64 = 6.0;
const BETWEEN: f64 = 16.0;

/// Space between the axis and the key below it.
const ABOVE: f64 = 6.0;

/// Distance from one row to the next.
const ROW: f64 = LEADING * TICK;

/// What stands before a label.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample<'a> {
    Series(&'a Series),
    Line(Stroke),
    Ring(f64, Stroke),
}

/// A sample with its label.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) sample: Sample<'a>,
    pub(super) label: &'a str,
}

/// A key on its way to the page. Entries run down the columns, so that those of a family stay together.
pub(super) struct Legend<'a> {
    entries: Vec<Entry<'a>>,
    /// The room it may take to the right.
    room: f64,
    /// Entries in a column.
    rows: usize,
}

impl<'a> Legend<'a> {
    /// A key of the entries that have a label.
    pub(super) fn new(entries: impl IntoIterator<Item = Entry<'a>>) -> Self {
        let labelled = |entry: &Entry<'_>| !entry.label.is_empty();
        let entries: Vec<Entry<'a>> = entries.into_iter().filter(labelled).collect();
        Self {
            rows: entries.len(),
            entries,
            room: f64::INFINITY,
        }
    }

    /// Arranges the entries in as many columns as there is room for.
    pub(super) fn fit(&mut self, room: f64) {
        let all = self.entries.len();
        self.room = room;
        self.rows = (1..all)
            .find(|&rows| self.width(rows) <= room)
            .unwrap_or(all);
    }

    /// Space needed below the axis.
    pub(super) fn height(&self) -> f64 {
        if self.entries.is_empty() {
            0.0
        } else {
            ABOVE + ROW * self.rows as f64
        }
    }

    /// Draws the key below an axis that ends at height `below`: under `frame` when it is short enough, else as far to
    /// the left of that as it must, at most to `start`.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, frame: &Rect, start: f64, below: f64) -> Drawn {
        if self.entries.is_empty() {
            return Ok(());
        }
        let width = self.width(self.rows).min(self.room);
        let mut x = frame.left.min(start + self.room - width);
        for column in self.entries.chunks(self.rows) {
            for (row, entry) in column.iter().enumerate() {
                let y = below + ABOVE + ROW * (row as f64 + 0.5);
                entry.draw(canvas, (x, y), self.room)?;
            }
            x += column_width(column) + BETWEEN;
        }
        Ok(())
    }

    /// Width of the key when its columns have this many rows.
    fn width(&self, rows: usize) -> f64 {
        let columns = self.entries.chunks(rows);
        let between = BETWEEN * columns.len().saturating_sub(1) as f64;
        columns.map(column_width).sum::<f64>() + between
    }
}

impl Sample<'_> {
    fn colour(&self) -> Rgb {
        match self {
            Sample::Series(series) => series.text_colour(),
            Sample::Line(stroke) | Sample::Ring(_, stroke) => as_text(stroke.colour),
        }
    }

    fn draw(&self, canvas: &Canvas<'_>, (x, y): Point) -> Drawn {
        match self {
            Sample::Series(series) => series.draw_sample(canvas, (x, y), SAMPLE),
            Sample::Line(stroke) => canvas.line(&[(x, y), (x + SAMPLE, y)], *stroke),
            Sample::Ring(radius, stroke) => canvas.ring((x + 0.5 * SAMPLE, y), *radius, *stroke),
        }
    }
}

impl<'a> From<&'a Series> for Entry<'a> {
    fn from(series: &'a Series) -> Self {
        Self {
            sample: Sample::Series(series),
            label: &series.label,
        }
    }
}

impl Entry<'_> {
    fn width(&self) -> f64 {
        SAMPLE + AFTER_SAMPLE + TICK * text::width(self.label, Weight::Regular)
    }

    fn draw(&self, canvas: &Canvas<'_>, (x, y): Point, room: f64) -> Drawn {
        self.sample.draw(canvas, (x, y))?;
        let lettering = Lettering::new(TICK, Align::Start).coloured(self.sample.colour());
        let lettering = lettering.fitted(self.label, room - SAMPLE - AFTER_SAMPLE);
        let at = (x + SAMPLE + AFTER_SAMPLE, y + HALF_CAPITAL * TICK);
        canvas.text(self.label, at, lettering)
    }
}

fn column_width(entries: &[Entry<'_>]) -> f64 {
    entries.iter().map(Entry::width).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::style::INK;

    fn legend<'a>(labels: &[&'a str]) -> Legend<'a> {
        let sample = Sample::Line(Stroke::solid(INK, 1.0));
        Legend::new(labels.iter().map(|label| Entry { sample, label }))
    }

    #[test]
    fn columns_are_as_many_as_there_is_room_for() {
        let mut legend = legend(&["KL", "W_{2}", "LOT", "a longer label", "F"]);
        let (one, two, three) = (legend.width(5), legend.width(3), legend.width(2));
        for (room, rows) in [
            (10.0, 5),
            (one, 5),
            (two + 1.0, 3),
            (three + 1.0, 2),
            (1e4, 1),
        ] {
            legend.fit(room);
            assert_eq!(legend.rows, rows, "in {room} px");
        }
    }

    #[test]
    fn an_entry_without_label_takes_no_room() {
        let mut empty = legend(&["", ""]);
        empty.fit(300.0);
        assert_eq!(empty.height(), 0.0);
        assert_eq!(legend(&["", "KL"]).height(), legend(&["KL"]).height());
    }
}
