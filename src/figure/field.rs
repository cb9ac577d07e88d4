//! Periodic fields as bitmaps.

use ndarray::Array2;
use resvg::tiny_skia::{ColorU8, Pixmap};

use super::axis::Range;
use super::style::{MISSING, Rgb};
use super::{Colours, FigureError, Scale};

/// Side of the bitmap. Values are interpolated to it before they are coloured, so that every viewer shows the same.
const BITMAP: u32 = 320;

/// Colours along the bar.
const SHADES: u32 = 256;

/// A field of two variables on the unit square, continued periodically, and how it is coloured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) values: &'a Array2<f64>,
    pub(super) colours: Colours,
}

impl Field<'_> {
    /// The values at the ends of the colour bar.
    pub(super) fn range(&self) -> Range {
        let finite = self
            .values
            .iter()
            .filter_map(|&value| Scale::Linear.coordinate(value));
        match self.colours {
            Colours::Sequential | Colours::Pale => Range::of(Scale::Linear, finite),
            Colours::Diverging => {
                let largest = finite.fold(0.0_f64, |largest, value| largest.max(value.abs()));
                let largest = if largest > 0.0 { largest } else { 1.0 };
                Range {
                    low: -largest,
                    high: largest,
                }
            }
        }
    }

    fn colour(&self, range: &Range, value: f64) -> Rgb {
        if value.is_finite() {
            self.colours.at((value - range.low) / range.span())
        } else {
            MISSING
        }
    }

    /// The field over the unit square, y upwards.
    pub(super) fn bitmap(&self) -> Result<Vec<u8>, FigureError> {
        let range = self.range();
        let centre = |pixel: u32| (f64::from(pixel) + 0.5) / f64::from(BITMAP);
        encode(BITMAP, BITMAP, |column, row| {
            self.colour(
                &range,
                periodic(self.values, centre(column), 1.0 - centre(row)),
            )
        })
    }

    /// The colours from the least value at the bottom to the greatest at the top.
    pub(super) fn bar_bitmap(&self) -> Result<Vec<u8>, FigureError> {
        encode(2, SHADES, |_, row| {
            self.colours
                .at(1.0 - f64::from(row) / f64::from(SHADES - 1))
        })
    }
}

/// Bilinear interpolation of a periodic field between its nodes.
fn periodic(values: &Array2<f64>, x: f64, y: f64) -> f64 {
    let (rows, columns) = values.dim();
    if values.is_empty() {
        return f64::NAN;
    }
    let cell = |place: f64, nodes: usize| {
        let scaled = place * nodes as f64;
        let below = scaled.floor() as usize % nodes;
        (below, (below + 1) % nodes, scaled - scaled.floor())
    };
    let ((i0, i1, s), (j0, j1, t)) = (cell(x, rows), cell(y, columns));
    let along = |j: usize| blend(values[[i0, j]], values[[i1, j]], s);
    blend(along(j0), along(j1), t)
}

fn blend(from: f64, to: f64, share: f64) -> f64 {
    from + share * (to - from)
}

fn encode(
    width: u32,
    height: u32,
    colour: impl Fn(u32, u32) -> Rgb,
) -> Result<Vec<u8>, FigureError> {
    let failed = |what: String| {
        FigureError::Bitmap(format!("heat map of {width} × {height} pixels: {what}"))
    };
    let mut pixmap = Pixmap::new(width, height).ok_or_else(|| failed("no memory".to_owned()))?;
    for (index, pixel) in (0..).zip(pixmap.pixels_mut()) {
        let [red, green, blue] = colour(index % width, index / width);
        *pixel = ColorU8::from_rgba(red, green, blue, 255).premultiply();
    }
    pixmap
        .encode_png()
        .map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn field(values: &Array2<f64>, colours: Colours) -> Field<'_> {
        Field { values, colours }
    }

    #[test]
    fn interpolation_meets_the_nodes_and_wraps_round() {
        let values = Array2::from_shape_fn((4, 3), |(i, j)| (10 * i + j) as f64);
        assert_relative_eq!(periodic(&values, 0.5, 1.0 / 3.0), 21.0, epsilon = 1e-12);
        // Half-way between the last node and the first.
        assert_relative_eq!(periodic(&values, 0.875, 0.0), 15.0, epsilon = 1e-12);
        assert_relative_eq!(periodic(&values, 0.0, 5.0 / 6.0), 1.0, epsilon = 1e-12);
    }

    #[test]
    fn x_runs_to_the_right_and_y_upwards() {
        let mut values = Array2::zeros((8, 8));
        values[[6, 1]] = 1.0;
        let bitmap = field(&values, Colours::Sequential).bitmap();
        let pixmap = Pixmap::decode_png(&bitmap.expect("a bitmap")).expect("a PNG");
        let green = |x: f64, y: f64| {
            let place = |share: f64| (share * f64::from(BITMAP)) as u32;
            pixmap
                .pixel(place(x), place(1.0 - y))
                .expect("inside")
                .green()
        };
        assert!(green(0.75, 0.125) > 200, "the peak is at x = 3/4, y = 1/8");
        assert!(green(0.125, 0.75) < 50 && green(0.75, 0.875) < 50);
    }

    #[test]
    fn diverging_colours_are_symmetric_about_zero() {
        let values = ndarray::arr2(&[[-1.0, 3.0]]);
        let range = field(&values, Colours::Diverging).range();
        let (low, high) = (-3.0, 3.0);
        assert_eq!(range, Range { low, high });
    }

    #[test]
    fn constant_empty_and_non_finite_fields_have_a_range() {
        for values in [
            Array2::zeros((4, 4)),
            Array2::zeros((0, 0)),
            ndarray::arr2(&[[f64::NAN, f64::INFINITY]]),
        ] {
            for colours in [Colours::Sequential, Colours::Diverging, Colours::Pale] {
                let field = field(&values, colours);
                assert!(field.range().span() > 0.0);
                assert!(field.bitmap().is_ok());
            }
        }
    }
}
