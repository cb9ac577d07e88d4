//! Rows of panels.

use super::canvas::{Align, Canvas, Drawn, Lettering, Rect};
use super::fonts::Weight;
use super::layout::{Margins, Plan};
use super::style::{BORDER, GUTTER, LEADING, TITLE};
use super::{Figure, Panel, text};

/// A row of panels whose frames have the same size and stand side by side.
pub(super) struct Row<'a> {
    titles: Vec<Vec<String>>,
    plans: Vec<Box<dyn Plan + 'a>>,
    /// Space round each frame.
    margins: Vec<Margins>,
    /// Width of all panels without the space between them.
    room: f64,
}

/// The rows with their final margins and titles.
pub(super) fn of(figure: &Figure, width: f64) -> Vec<Row<'_>> {
    let filled = || figure.rows.iter().filter(|panels| !panels.is_empty());
    let mut rows: Vec<Row<'_>> = filled().map(|panels| Row::new(panels, width)).collect();
    // Ticks depend on the frame, the frame on the margins, and these on the tick labels: twice round is enough.
    for _ in 0..2 {
        rows.iter_mut().for_each(Row::fit);
        align(&mut rows);
    }
    let lettered = figure.rows.iter().map(Vec::len).sum::<usize>() > 1;
    let mut letters = 'a'..;
    for (row, panels) in rows.iter_mut().zip(filled()) {
        let frame = row.frame_width();
        let mut letter = || lettered.then(|| letters.next()).flatten();
        row.titles = panels
            .iter()
            .zip(&row.margins)
            .map(|(panel, margins)| header(panel, letter(), (frame + margins.right) / TITLE))
            .collect();
    }
    rows
}

/// Gives rows with the same number of panels the same left and right margins, so that their frames line up.
fn align(rows: &mut [Row<'_>]) {
    let most = rows.iter().map(|row| row.plans.len()).max().unwrap_or(0);
    for columns in 1..=most {
        let alike = |row: &&mut Row<'_>| row.plans.len() == columns;
        for column in 0..columns {
            let shared = rows.iter_mut().filter(alike).map(|row| row.margins[column]);
            let shared = shared.fold(Margins::default(), Margins::max);
            for row in rows.iter_mut().filter(alike) {
                let margins = &mut row.margins[column];
                (margins.left, margins.right) = (shared.left, shared.right);
            }
        }
    }
}

/// The lines over a panel: its letter and title.
fn header(panel: &Panel, letter: Option<char>, room: f64) -> Vec<String> {
    let letter = letter
        .map(|letter| format!("({letter}) "))
        .unwrap_or_default();
    text::wrap(&format!("{letter}{}", panel.title()), Weight::Bold, room)
}

impl<'a> Row<'a> {
    fn new(panels: &'a [Panel], width: f64) -> Self {
        let count = panels.len() as f64;
        let room = width - 2.0 * BORDER - GUTTER * (count - 1.0);
        let beside = panels
            .iter()
            .all(|panel| panel.has_room_beside(room / count));
        Self {
            titles: Vec::new(),
            plans: panels.iter().map(|panel| panel.plan(beside)).collect(),
            margins: vec![Margins::default(); panels.len()],
            room,
        }
    }

    /// Chooses the ticks anew; margins only grow, so that two rounds cannot alternate.
    fn fit(&mut self) {
        let (width, height) = (self.frame_width(), self.frame_height());
        for (plan, margins) in self.plans.iter_mut().zip(&mut self.margins) {
            plan.fit(width, height);
            *margins = margins.max(plan.margins());
        }
    }

    fn header_height(&self) -> f64 {
        let lines = self.titles.iter().map(Vec::len).max().unwrap_or(0);
        if lines == 0 {
            0.0
        } else {
            TITLE * (0.3 + LEADING * lines as f64)
        }
    }

    fn frame_width(&self) -> f64 {
        let taken = self
            .margins
            .iter()
            .map(|margins| margins.left + margins.right);
        ((self.room - taken.sum::<f64>()) / self.plans.len() as f64).max(60.0)
    }

    fn frame_height(&self) -> f64 {
        let width = self.frame_width();
        self.plans
            .iter()
            .map(|plan| plan.height(width))
            .fold(0.0, f64::max)
    }

    /// Space above and below the frames.
    fn outside(&self) -> Margins {
        let all = self.margins.iter().copied();
        all.fold(Margins::default(), Margins::max)
    }

    pub(super) fn height(&self) -> f64 {
        let outside = self.outside();
        self.header_height() + outside.top + self.frame_height() + outside.bottom
    }

    pub(super) fn draw(&self, canvas: &Canvas<'_>, top: f64) -> Drawn {
        for ((plan, title), frame) in self.plans.iter().zip(&self.titles).zip(self.frames(top)) {
            let lettering = Lettering::new(TITLE, Align::Start).bold();
            for (line, words) in title.iter().enumerate() {
                let baseline = top + TITLE * (1.0 + LEADING * line as f64);
                canvas.text(words, (frame.left, baseline), lettering)?;
            }
            plan.draw(canvas, frame)?;
        }
        Ok(())
    }

    /// The frames of a row that starts at height `top`.
    fn frames(&self, top: f64) -> Vec<Rect> {
        let (width, height) = (self.frame_width(), self.frame_height());
        let top = top + self.header_height() + self.outside().top;
        let mut end = BORDER - GUTTER;
        let frame = |margins: &Margins| {
            let left = end + GUTTER + margins.left;
            end = left + width + margins.right;
            Rect {
                left,
                top,
                right: left + width,
                bottom: top + height,
            }
        };
        self.margins.iter().map(frame).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::style::{FULL_WIDTH, WIDE_WIDTH};
    use crate::figure::tests::{figure, page};

    #[test]
    fn frames_of_a_row_are_alike_and_stand_in_line() {
        let figure = figure(vec![vec![page::orders(), page::mesh(), page::decay()]]);
        let rows = of(&figure, WIDE_WIDTH);
        let frames = rows[0].frames(0.0);
        for frame in &frames {
            assert!((frame.width() - frames[0].width()).abs() < 1e-9);
            assert_eq!((frame.top, frame.bottom), (frames[0].top, frames[0].bottom));
            assert!((frame.width() - frame.height()).abs() < 1e-9, "{frame:?}");
        }
        let last = frames[2].right + rows[0].margins[2].right;
        assert!(
            (last - (WIDE_WIDTH - BORDER)).abs() < 1e-9,
            "ends at {last}"
        );
        assert!(frames[0].width() > 240.0, "{:?}", frames[0]);
    }

    #[test]
    fn panels_leave_the_gutter_between_their_margins() {
        let figure = figure(vec![vec![page::mesh(), page::orders()]]);
        let rows = of(&figure, FULL_WIDTH);
        let [first, second] = rows[0].frames(0.0)[..] else {
            unreachable!("two panels")
        };
        let margins = &rows[0].margins;
        let between = second.left - first.right - margins[0].right - margins[1].left;
        assert!((between - GUTTER).abs() < 1e-9);
        assert!(margins[0].right > 2.0 * margins[1].right, "the colour bar");
    }

    #[test]
    fn frames_of_rows_with_as_many_panels_line_up() {
        let rows = vec![
            vec![page::mesh(), page::orders()],
            vec![page::orders(), page::quiver()],
        ];
        let figure = figure(rows);
        let rows = of(&figure, FULL_WIDTH);
        let sides = |row: &Row<'_>| -> Vec<(f64, f64)> {
            let frames = row.frames(0.0);
            frames
                .iter()
                .map(|frame| (frame.left, frame.right))
                .collect()
        };
        assert_eq!(sides(&rows[0]), sides(&rows[1]));
    }
}
