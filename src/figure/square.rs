//! The unit square of a periodic domain: its axes, and the field under everything else that is drawn on it.

use super::axis::{Range, Ruler, Tick};
use super::bar::Bar;
use super::canvas::{Canvas, Drawn, Point, Rect};
use super::field::Field;
use super::frame::Axes;
use super::layout::Margins;

/// Largest side of the square.
const LARGEST_SIDE: f64 = 430.0;

/// A unit square on its way to the page.
pub(super) struct Square<'a> {
    axes: Axes<'a>,
    background: Option<(Field<'a>, Bar<'a>)>,
}

impl<'a> Square<'a> {
    /// A square with labelled axes and, where there is a field, its colour bar.
    pub(super) fn new(
        (x_label, y_label): (&'a str, &'a str),
        field: Option<Field<'a>>,
        colour_bar: &'a str,
    ) -> Self {
        let bar = |field| (field, Bar::new(field, colour_bar, LARGEST_SIDE));
        Self {
            axes: Axes {
                x: unit_interval(),
                y: unit_interval(),
                x_label,
                y_label,
            },
            background: field.map(bar),
        }
    }

    /// Chooses the ticks of the colour bar for a frame of this size.
    pub(super) fn fit(&mut self, width: f64, height: f64) {
        if let Some((_, bar)) = &mut self.background {
            bar.fit(width.min(height));
        }
    }

    pub(super) fn margins(&self) -> Margins {
        let axes = self.axes.margins();
        let Some((_, bar)) = &self.background else {
            return axes;
        };
        Margins {
            right: bar.room_beside(),
            top: axes.top.max(bar.room_above()),
            ..axes
        }
    }

    /// The height that suits a frame of this width.
    pub(super) fn height(width: f64) -> f64 {
        width.min(LARGEST_SIDE)
    }

    /// The square in a frame: as large as this allows, in its middle.
    pub(super) fn within(frame: &Rect) -> Rect {
        let side = frame.width().min(frame.height());
        let left = frame.left + 0.5 * (frame.width() - side);
        let top = frame.top + 0.5 * (frame.height() - side);
        Rect {
            left,
            top,
            right: left + side,
            bottom: top + side,
        }
    }

    /// The place on the page of a point of the plane.
    pub(super) fn place(&self, square: &Rect, point: (f64, f64)) -> Point {
        self.axes.place(square, point)
    }

    /// The field, which lies under everything whenever it is drawn, and its bar.
    pub(super) fn draw_field(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        let Some((field, bar)) = &self.background else {
            return Ok(());
        };
        canvas.image(square, &field.bitmap()?);
        bar.draw(canvas, square)
    }

    /// The frame with its ticks and labels.
    pub(super) fn draw_axes(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        self.axes.draw(canvas, square)
    }
}

/// The representative in [0, 1) of a coordinate of period 1.
pub(super) fn wrapped(coordinate: f64) -> f64 {
    let inside = coordinate.rem_euclid(1.0);
    // The remainder of −10⁻²⁰ is rounded to 1.
    if inside < 1.0 { inside } else { 0.0 }
}

/// The axis of a periodic coordinate.
fn unit_interval() -> Ruler {
    let tick = |at: f64| Tick {
        at,
        label: at.to_string(),
    };
    Ruler {
        range: Range {
            low: 0.0,
            high: 1.0,
        },
        major: [0.0, 0.5, 1.0].map(tick).into(),
        minor: vec![0.25, 0.75],
        factor: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    #[test]
    fn the_square_stands_in_the_middle_of_its_frame() {
        let (left, top, right, bottom) = (10.0, 20.0, 210.0, 120.0);
        let frame = Rect {
            left,
            top,
            right,
            bottom,
        };
        let square = Square::within(&frame);
        let (left, right) = (60.0, 160.0);
        let expected = Rect {
            left,
            right,
            ..frame
        };
        assert_eq!(square, expected);
        let centre = Square::new(("x", "y"), None, "").place(&square, (0.5, 0.75));
        assert_eq!(centre, (110.0, 45.0));
    }

    #[test]
    fn coordinates_are_wrapped_into_the_period() {
        for (coordinate, expected) in [(0.25, 0.25), (1.25, 0.25), (-0.25, 0.75), (3.0, 0.0)] {
            assert_relative_eq!(wrapped(coordinate), expected);
        }
        assert_eq!(wrapped(-1e-20), 0.0);
    }
}
