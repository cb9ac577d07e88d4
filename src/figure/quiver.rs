//! Panels of arrows: a vector field on the unit torus.

use ndarray::Array2;

use super::arrow;
use super::canvas::{Align, Canvas, Drawn, Lettering, Rect};
use super::field::Field;
use super::layout::{self, Margins};
use super::square::{Square, wrapped};
use super::style::{HALF_CAPITAL, LEADING, TICK};
use super::{Colours, Scale};

/// Arrows over the unit square, the longest about as long as the distance between neighbours.
#[derive(Clone, Debug, PartialEq)]
pub struct Quiver {
    pub title: String,
    pub x: String,
    pub y: String,
    pub arrows: Vec<Arrow>,
    /// A periodic field below the arrows in pale colours, laid out as in [`super::HeatMap::values`].
    pub background: Option<Array2<f64>>,
    /// Label of the colour bar, which is there when the background is.
    pub colour_bar: String,
    /// Length of the longest vector in words, for instance `|v| = 3.1`: written beside an arrow of that length below
    /// the frame. Without it there is no such arrow.
    pub scale_label: String,
}

/// A vector at a point of the torus, drawn with its middle there. Non-finite ones are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrow {
    pub at: (f64, f64),
    pub vector: (f64, f64),
}

/// Largest share of the square that an arrow takes, however few there are.
const LONGEST: f64 = 0.25;

/// Space between the axis and the reference arrow, and from there to its label.
const ABOVE: f64 = 6.0;
const BESIDE: f64 = 8.0;

/// A vector field on its way to the page.
pub(super) struct Plan<'a> {
    quiver: &'a Quiver,
    square: Square<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(quiver: &'a Quiver) -> Self {
        let field = quiver.background.as_ref().map(|values| Field {
            values,
            colours: Colours::Pale,
        });
        Self {
            quiver,
            square: Square::new((&quiver.x, &quiver.y), field, &quiver.colour_bar),
        }
    }

    fn draw_arrows(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        let scale = self.quiver.scale() * square.width();
        for &Arrow { at, vector } in self.quiver.shown() {
            let step = (scale * vector.0, -scale * vector.1);
            for (dx, dy) in neighbours() {
                let point = (wrapped(at.0) + dx, wrapped(at.1) + dy);
                let middle = self.square.place(square, point);
                arrow::draw(canvas, middle, step, square)?;
            }
        }
        Ok(())
    }

    /// An arrow as long as the longest, with what that means.
    fn draw_reference(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        let label = &self.quiver.scale_label;
        if label.is_empty() {
            return Ok(());
        }
        let length = self.quiver.longest() * self.quiver.scale() * square.width();
        let below = square.bottom + self.square.margins().bottom + ABOVE;
        let room = Rect {
            left: square.left,
            top: below,
            right: square.left + length,
            bottom: below + LEADING * TICK,
        };
        let y = below + 0.5 * room.height();
        let middle = (square.left + 0.5 * length, y);
        arrow::draw(canvas, middle, (length, 0.0), &room)?;
        let at = (room.right + BESIDE, y + HALF_CAPITAL * TICK);
        let free = square.width() - length - BESIDE;
        canvas.text(
            label,
            at,
            Lettering::new(TICK, Align::Start).fitted(label, free),
        )
    }
}

impl layout::Plan for Plan<'_> {
    fn fit(&mut self, width: f64, height: f64) {
        self.square.fit(width, height);
    }

    fn margins(&self) -> Margins {
        let square = self.square.margins();
        let reference = if self.quiver.scale_label.is_empty() {
            0.0
        } else {
            ABOVE + LEADING * TICK
        };
        Margins {
            bottom: square.bottom + reference,
            ..square
        }
    }

    fn height(&self, width: f64) -> f64 {
        Square::height(width)
    }

    fn draw(&self, canvas: &Canvas<'_>, frame: Rect) -> Drawn {
        let square = Square::within(&frame);
        self.square.draw_field(canvas, &square)?;
        self.draw_arrows(canvas, &square)?;
        self.square.draw_axes(canvas, &square)?;
        self.draw_reference(canvas, &square)
    }
}

impl Quiver {
    /// The arrows that can be drawn.
    fn shown(&self) -> impl Iterator<Item = &Arrow> {
        self.arrows.iter().filter(|arrow| {
            let place = arrow.at.0.is_finite() && arrow.at.1.is_finite();
            place && Scale::Linear.coordinate(arrow.length()).is_some()
        })
    }

    fn longest(&self) -> f64 {
        self.shown().map(Arrow::length).fold(0.0, f64::max)
    }

    /// Drawn length of a vector of length 1, in sides of the square.
    fn scale(&self) -> f64 {
        let longest = self.longest();
        let spacing = 1.0 / (self.arrows.len().max(1) as f64).sqrt();
        // The reciprocal of a subnormal number is infinite: such a field counts as zero.
        if longest > f64::MIN_POSITIVE {
            spacing.min(LONGEST) / longest
        } else {
            0.0
        }
    }
}

impl Arrow {
    fn length(&self) -> f64 {
        self.vector.0.hypot(self.vector.1)
    }
}

/// Periods from the square to itself and its eight neighbours: what leaves it on one side enters on the other.
fn neighbours() -> impl Iterator<Item = (f64, f64)> {
    let periods = [-1.0, 0.0, 1.0];
    periods
        .into_iter()
        .flat_map(move |dx| periods.map(|dy| (dx, dy)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn quiver(vectors: &[(f64, f64)]) -> Quiver {
        let label = String::new;
        let at = (0.5, 0.5);
        Quiver {
            title: label(),
            x: label(),
            y: label(),
            arrows: vectors.iter().map(|&vector| Arrow { at, vector }).collect(),
            background: None,
            colour_bar: label(),
            scale_label: label(),
        }
    }

    #[test]
    fn the_longest_arrow_is_as_long_as_the_distance_between_neighbours() {
        let mut vectors = vec![(0.0, -1.0); 99];
        vectors.push((30.0, 40.0));
        let quiver = quiver(&vectors);
        assert_relative_eq!(quiver.longest(), 50.0);
        assert_relative_eq!(quiver.longest() * quiver.scale(), 0.1);
    }

    #[test]
    fn few_arrows_do_not_fill_the_square() {
        assert_relative_eq!(quiver(&[(3.0, 4.0)]).scale(), LONGEST / 5.0);
    }

    #[test]
    fn zero_and_non_finite_vectors_have_a_finite_scale() {
        for vectors in [
            vec![],
            vec![(0.0, 0.0)],
            vec![(5e-324, 0.0)],
            vec![(f64::NAN, 1.0), (f64::INFINITY, 0.0)],
        ] {
            assert_eq!(quiver(&vectors).scale(), 0.0, "{vectors:?}");
        }
        let one_finite = quiver(&[(f64::NAN, 1.0), (2.0, 0.0)]);
        assert_relative_eq!(one_finite.longest(), 2.0);
    }
}
