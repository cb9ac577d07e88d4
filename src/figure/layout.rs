//! Where the panels of a figure stand.

use super::canvas::{Align, Canvas, Drawn, Lettering, Rect, paint as paint_sheet};
use super::fonts::Weight;
use super::row::{self, Row};
use super::style::{BORDER, FULL_WIDTH, GUTTER, HEADING, LEADING, SINGLE_WIDTH, WIDE_WIDTH};
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
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            right: self.right.max(other.right),
            top: self.top.max(other.top),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// A panel on its way to the page: ticks are chosen for the frame it gets, and decide the margins it needs.
pub(super) trait Plan {
    /// Chooses the ticks for a frame of this size.
    fn fit(&mut self, width: f64, height: f64);

    fn margins(&self) -> Margins;

    /// The height that suits a frame of this width.
    fn height(&self, width: f64) -> f64;

    /// Draws the inside of the frame, the frame, and what stands in the margins.
    fn draw(&self, canvas: &Canvas<'_>, frame: Rect) -> Drawn;
}

/// Draws a figure; the text in the result is still text.
pub(super) fn paint(figure: &Figure) -> Result<String, FigureError> {
    let width = width(figure).ok_or_else(|| FigureError::Empty(figure.name.clone()))?;
    let heading = Heading::new(figure.title.as_deref().unwrap_or_default(), width);
    let rows = row::of(figure, width);
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

/// The width of the sheet, if there is anything to draw.
fn width(figure: &Figure) -> Option<f64> {
    let has_curves = |row: &&Vec<Panel>| row.iter().any(|panel| matches!(panel, Panel::Curves(_)));
    let columns = figure.rows.iter().map(Vec::len).max().unwrap_or(0);
    let of_curves = figure.rows.iter().filter(has_curves).map(Vec::len).max();
    match (columns, of_curves) {
        (0, _) => None,
        (1, _) => Some(SINGLE_WIDTH),
        (_, Some(3..)) => Some(WIDE_WIDTH),
        _ => Some(FULL_WIDTH),
    }
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
