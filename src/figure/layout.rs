//! Where the panels of a figure stand.

use super::canvas::{Align, Canvas, Drawn, Lettering, Rect, paint as paint_sheet};
use super::fonts::Weight;
use super::style::{BORDER, FULL_WIDTH, GUTTER, HEADING, LEADING, SINGLE_WIDTH, TITLE};
use super::{Figure, FigureError, Panel, text};

/// Space that a panel needs round its frame for ticks and labels, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Margins {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Margins {
    fn max(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            right: self.right.max(other.right),
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// A panel on its way to the page: ticks are chosen for the width it gets, and decide the margins it needs.
pub(super) trait Plan {
    /// Chooses the ticks for a frame of this width.
    fn fit(&mut self, width: f64);

    fn margins(&self) -> Margins;

    /// The height that suits a frame of this width.
    fn height(&self, width: f64) -> f64;

    /// Draws the inside of the frame, the frame, and what stands in the margins.
    fn draw(&self, canvas: &Canvas<'_>, frame: Rect) -> Drawn;
}

/// A row of panels that share margins and height.
struct Row<'a> {
    titles: Vec<Vec<String>>,
    plans: Vec<Box<dyn Plan + 'a>>,
    cell: f64,
    margins: Margins,
}

/// Draws a figure; the text in the result is still text.
pub(super) fn paint(figure: &Figure) -> Result<String, FigureError> {
    let columns = figure.rows.iter().map(Vec::len).max().unwrap_or(0);
    if columns == 0 {
        return Err(FigureError::Empty(figure.name.clone()));
    }
    let width = if columns == 1 {
        SINGLE_WIDTH
    } else {
        FULL_WIDTH
    };
    let heading = Heading::new(figure.title.as_deref().unwrap_or_default(), width);
    let rows = rows(figure, width);
    let body = rows.iter().map(Row::height).sum::<f64>() + GUTTER * (rows.len() - 1) as f64;
    let top = BORDER + heading.height();
    paint_sheet(width, (top + body + BORDER).ceil(), |canvas| {
        heading.draw(canvas)?;
        let mut y = top;
        for row in &rows {
            row.draw(canvas, y)?;
            y += row.height() + GUTTER;
        }
        Ok(())
    })
}

/// The title over all panels.
struct Heading {
    lines: Vec<String>,
    middle: f64,
}

impl Heading {
    fn new(title: &str, width: f64) -> Self {
        Self {
            lines: text::wrap(title, Weight::Bold, (width - 2.0 * BORDER) / HEADING),
            middle: 0.5 * width,
        }
    }

    fn height(&self) -> f64 {
        match self.lines.len() {
            0 => 0.0,
            lines => HEADING * (0.6 + LEADING * lines as f64),
        }
    }

    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let lettering = Lettering::new(HEADING, Align::Middle).bold();
        for (index, line) in self.lines.iter().enumerate() {
            let baseline = BORDER + HEADING * (1.0 + LEADING * index as f64);
            canvas.text(line, (self.middle, baseline), lettering)?;
        }
        Ok(())
    }
}

/// The rows with their final margins and titles.
fn rows(figure: &Figure, width: f64) -> Vec<Row<'_>> {
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
        let room = (row.cell - row.margins.left) / TITLE;
        let mut letter = || lettered.then(|| letters.next()).flatten();
        row.titles = panels
            .iter()
            .map(|panel| header(panel, letter(), room))
            .collect();
    }
    rows
}

/// Gives rows with the same number of panels the same left and right margins, so that their frames line up.
fn align(rows: &mut [Row<'_>]) {
    let most = rows.iter().map(|row| row.plans.len()).max().unwrap_or(0);
    for columns in 1..=most {
        let alike = |row: &&mut Row<'_>| row.plans.len() == columns;
        let shared = rows.iter_mut().filter(alike);
        let shared = shared.fold(Margins::default(), |all, row| all.max(row.margins));
        for row in rows.iter_mut().filter(alike) {
            (row.margins.left, row.margins.right) = (shared.left, shared.right);
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
        let cell = (width - 2.0 * BORDER - GUTTER * (count - 1.0)) / count;
        let beside = panels.iter().all(|panel| panel.has_room_beside(cell));
        let plans = panels
            .iter()
            .map(|panel| panel.plan(cell, beside))
            .collect();
        let margins = Margins::default();
        Self {
            titles: Vec::new(),
            plans,
            cell,
            margins,
        }
    }

    /// Chooses the ticks anew; margins only grow, so that two rounds cannot alternate.
    fn fit(&mut self) {
        let width = self.frame_width();
        for plan in &mut self.plans {
            plan.fit(width);
            self.margins = self.margins.max(plan.margins());
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
        (self.cell - self.margins.left - self.margins.right).max(60.0)
    }

    fn frame_height(&self) -> f64 {
        let width = self.frame_width();
        self.plans
            .iter()
            .map(|plan| plan.height(width))
            .fold(0.0, f64::max)
    }

    fn height(&self) -> f64 {
        self.header_height() + self.margins.top + self.frame_height() + self.margins.bottom
    }

    fn draw(&self, canvas: &Canvas<'_>, top: f64) -> Drawn {
        for (index, (plan, title)) in self.plans.iter().zip(&self.titles).enumerate() {
            let left = BORDER + index as f64 * (self.cell + GUTTER) + self.margins.left;
            let frame_top = top + self.header_height() + self.margins.top;
            let frame = Rect {
                left,
                top: frame_top,
                right: left + self.frame_width(),
                bottom: frame_top + self.frame_height(),
            };
            for (line, words) in title.iter().enumerate() {
                let baseline = top + TITLE * (1.0 + LEADING * line as f64);
                canvas.text(
                    words,
                    (left, baseline),
                    Lettering::new(TITLE, Align::Start).bold(),
                )?;
            }
            plan.draw(canvas, frame)?;
        }
        Ok(())
    }
}
