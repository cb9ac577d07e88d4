//! The colour bar beside a square.

use super::axis::{Ruler, Run, Tick};
use super::canvas::{Align, Canvas, Drawn, Lettering, Rect, Stroke};
use super::field::Field;
use super::fonts::Weight;
use super::frame::tick;
use super::style::{FRAME_WIDTH, HALF_CAPITAL, INK, LABEL, LEADING, MINOR_TICK, TICK};
use super::{Scale, text};

/// Space between the square and its bar, and the width of the bar.
const APART: f64 = 14.0;
const WIDTH: f64 = 15.0;

/// Space between a tick and its label.
const GAP: f64 = 4.0;

/// The colours of a field with their values.
pub(super) struct Bar<'a> {
    field: Field<'a>,
    label: &'a str,
    ruler: Ruler,
}

impl<'a> Bar<'a> {
    pub(super) fn new(field: Field<'a>, label: &'a str, height: f64) -> Self {
        Self {
            field,
            label,
            ruler: Ruler::new(Scale::Linear, field.range(), height, Run::Up),
        }
    }

    /// Chooses the ticks for a bar of this height.
    pub(super) fn fit(&mut self, height: f64) {
        self.ruler = Ruler::new(Scale::Linear, self.field.range(), height, Run::Up);
    }

    fn factor(&self) -> &str {
        self.ruler.factor.as_deref().unwrap_or_default()
    }

    /// Space needed to the right of the square.
    pub(super) fn room_beside(&self) -> f64 {
        let label = if self.label.is_empty() {
            0.0
        } else {
            LEADING * LABEL
        };
        let beside = WIDTH + MINOR_TICK + GAP + self.ruler.label_width() + label;
        APART + beside.max(TICK * text::width(self.factor(), Weight::Regular))
    }

    /// Space needed above the square.
    pub(super) fn room_above(&self) -> f64 {
        if self.ruler.factor.is_some() {
            LEADING * TICK + 2.0
        } else {
            0.0
        }
    }

    pub(super) fn draw(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        let left = square.right + APART;
        let bar = Rect {
            left,
            right: left + WIDTH,
            ..*square
        };
        canvas.image(&bar, &self.field.bar_bitmap()?);
        canvas.outline(&bar, Stroke::solid(INK, FRAME_WIDTH))?;
        self.draw_ticks(canvas, &bar)?;
        let above = (bar.left, bar.top - 0.45 * TICK);
        canvas.text(self.factor(), above, Lettering::new(TICK, Align::Start))?;
        let x = bar.right + MINOR_TICK + GAP + self.ruler.label_width() + 1.1 * LABEL;
        canvas.text(
            self.label,
            (x, 0.5 * (bar.top + bar.bottom)),
            Lettering::upwards().fitted(self.label, bar.height() + TICK),
        )
    }

    fn draw_ticks(&self, canvas: &Canvas<'_>, bar: &Rect) -> Drawn {
        for Tick { at, label } in &self.ruler.major {
            let y = bar.bottom - self.ruler.fraction(*at) * bar.height();
            tick(canvas, (bar.right, y), (MINOR_TICK, 0.0))?;
            let beside = (bar.right + MINOR_TICK + GAP, y + HALF_CAPITAL * TICK);
            canvas.text(label, beside, Lettering::new(TICK, Align::Start))?;
        }
        Ok(())
    }
}
