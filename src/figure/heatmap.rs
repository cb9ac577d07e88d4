//! Heat maps of periodic fields.

use super::HeatMap;
use super::canvas::{Canvas, Drawn, Rect};
use super::field::Field;
use super::layout::{self, Margins};
use super::square::Square;

/// A heat map on its way to the page.
pub(super) struct Plan<'a> {
    square: Square<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(map: &'a HeatMap) -> Self {
        let field = Field {
            values: &map.values,
            colours: map.colours,
        };
        Self {
            square: Square::new((&map.x, &map.y), Some(field), &map.colour_bar),
        }
    }
}

impl layout::Plan for Plan<'_> {
    fn fit(&mut self, width: f64, height: f64) {
        self.square.fit(width, height);
    }

    fn margins(&self) -> Margins {
        self.square.margins()
    }

    fn height(&self, width: f64) -> f64 {
        Square::height(width)
    }

    fn draw(&self, canvas: &Canvas<'_>, frame: Rect) -> Drawn {
        let square = Square::within(&frame);
        self.square.draw_field(canvas, &square)?;
        self.square.draw_axes(canvas, &square)
    }
}
