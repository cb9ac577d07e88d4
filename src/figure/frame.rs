//! The frame of a panel with its two axes.

use super::axis::{Ruler, Tick};
use super::canvas::{Align, Canvas, Drawn, Lettering, Point, Rect, Stroke};
use super::fonts::Weight;
use super::layout::Margins;
use super::style::{
    FRAME_WIDTH, GRID, HALF_CAPITAL, INK, LABEL, LEADING, MAJOR_TICK, MINOR_TICK, TICK,
};
use super::text;

/// Space between a tick and its label, and between tick labels and the label of the axis.
const GAP: f64 = 5.0;

/// Two axes with their labels.
pub(super) struct Axes<'a> {
    pub(super) x: Ruler,
    pub(super) y: Ruler,
    pub(super) x_label: &'a str,
    pub(super) y_label: &'a str,
}

impl Axes<'_> {
    /// The space that ticks and labels take.
    pub(super) fn margins(&self) -> Margins {
        let x_line = if self.x_label.is_empty() && self.x.factor.is_none() {
            0.0
        } else {
            LEADING * LABEL
        };
        let y_line = if self.y_label.is_empty() {
            0.0
        } else {
            LEADING * LABEL
        };
        Margins {
            left: MAJOR_TICK + GAP + self.y.label_width() + GAP + y_line,
            right: (0.5 * self.x.label_width()).max(GAP),
            top: if self.y.factor.is_some() {
                LEADING * TICK + 2.0
            } else {
                0.5 * TICK
            },
            bottom: MAJOR_TICK + GAP + TICK + x_line + GAP,
        }
    }

    /// The place of a point given by its plotted coordinates.
    pub(super) fn place(&self, frame: &Rect, (x, y): (f64, f64)) -> Point {
        (
            frame.left + self.x.fraction(x) * frame.width(),
            frame.bottom - self.y.fraction(y) * frame.height(),
        )
    }

    fn across(&self, frame: &Rect, at: f64) -> f64 {
        frame.left + self.x.fraction(at) * frame.width()
    }

    fn up(&self, frame: &Rect, at: f64) -> f64 {
        frame.bottom - self.y.fraction(at) * frame.height()
    }

    /// Faint lines at the labelled ticks.
    pub(super) fn grid(&self, canvas: &Canvas<'_>, frame: &Rect) -> Drawn {
        let stroke = Stroke::solid(GRID, 1.0);
        for x in self.x.major.iter().map(|tick| self.across(frame, tick.at)) {
            canvas.line(&[(x, frame.top), (x, frame.bottom)], stroke)?;
        }
        for y in self.y.major.iter().map(|tick| self.up(frame, tick.at)) {
            canvas.line(&[(frame.left, y), (frame.right, y)], stroke)?;
        }
        Ok(())
    }

    /// The outline, the ticks and all labels.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, frame: &Rect) -> Drawn {
        canvas.outline(frame, Stroke::solid(INK, FRAME_WIDTH))?;
        for &at in &self.x.minor {
            let x = self.across(frame, at);
            tick(canvas, (x, frame.bottom), (0.0, MINOR_TICK))?;
        }
        for &at in &self.y.minor {
            let y = self.up(frame, at);
            tick(canvas, (frame.left, y), (-MINOR_TICK, 0.0))?;
        }
        self.draw_x_labels(canvas, frame)?;
        self.draw_y_labels(canvas, frame)
    }

    fn draw_x_labels(&self, canvas: &Canvas<'_>, frame: &Rect) -> Drawn {
        let lettering = Lettering::new(TICK, Align::Middle);
        let baseline = frame.bottom + MAJOR_TICK + GAP + 0.85 * TICK;
        for Tick { at, label } in &self.x.major {
            let x = self.across(frame, *at);
            tick(canvas, (x, frame.bottom), (0.0, MAJOR_TICK))?;
            canvas.text(label, (x, baseline), lettering)?;
        }
        let below = baseline + LEADING * LABEL;
        let factor = self.x.factor.as_deref().unwrap_or_default();
        let taken = 2.0 * TICK * text::width(factor, Weight::Regular);
        let label =
            Lettering::new(LABEL, Align::Middle).fitted(self.x_label, frame.width() - taken);
        let middle = 0.5 * (frame.left + frame.right);
        canvas.text(self.x_label, (middle, below), label)?;
        canvas.text(
            factor,
            (frame.right, below),
            Lettering::new(TICK, Align::End),
        )
    }

    fn draw_y_labels(&self, canvas: &Canvas<'_>, frame: &Rect) -> Drawn {
        let lettering = Lettering::new(TICK, Align::End);
        for Tick { at, label } in &self.y.major {
            let y = self.up(frame, *at);
            tick(canvas, (frame.left, y), (-MAJOR_TICK, 0.0))?;
            canvas.text(
                label,
                (frame.left - MAJOR_TICK - GAP, y + HALF_CAPITAL * TICK),
                lettering,
            )?;
        }
        let x = frame.left - MAJOR_TICK - GAP - self.y.label_width() - 2.0 * GAP;
        canvas.text(
            self.y_label,
            (x, 0.5 * (frame.top + frame.bottom)),
            Lettering::upwards().fitted(self.y_label, frame.height() + TICK),
        )?;
        let factor = self.y.factor.as_deref().unwrap_or_default();
        canvas.text(
            factor,
            (frame.left, frame.top - 0.45 * TICK),
            Lettering::new(TICK, Align::Start),
        )
    }
}

/// A tick from the frame outwards.
pub(super) fn tick(canvas: &Canvas<'_>, (x, y): Point, (dx, dy): (f64, f64)) -> Drawn {
    canvas.line(&[(x, y), (x + dx, y + dy)], Stroke::solid(INK, FRAME_WIDTH))
}
