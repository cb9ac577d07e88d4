//! Heat maps of periodic fields, with their colour bars.

use ndarray::Array2;
use resvg::tiny_skia::{ColorU8, Pixmap};

use super::axis::{Range, Ruler, Run, Tick};
use super::canvas::{Align, Canvas, Drawn, Lettering, Rect, Stroke};
use super::fonts::Weight;
use super::frame::{Axes, tick};
use super::layout::{self, Margins};
use super::style::{
    FRAME_WIDTH, HALF_CAPITAL, INK, LABEL, LEADING, MINOR_TICK, MISSING, Rgb, TICK,
};
use super::{Colours, FigureError, HeatMap, Scale, text};

/// Side of the bitmap. Values are interpolated to it before they are coloured, so that every viewer shows the same.
const BITMAP: u32 = 320;

/// Colours along the bar.
const SHADES: u32 = 256;

/// Space between the square and its bar, and the width of the bar.
const APART: f64 = 14.0;
const BAR: f64 = 15.0;

/// Largest side of the square.
const LARGEST_SIDE: f64 = 430.0;

/// A heat map on its way to the page.
pub(super) struct Plan<'a> {
    map: &'a HeatMap,
    axes: Axes<'a>,
    bar: Ruler,
}

impl<'a> Plan<'a> {
    pub(super) fn new(map: &'a HeatMap) -> Self {
        let axes = Axes {
            x: unit_interval(),
            y: unit_interval(),
            x_label: &map.x,
            y_label: &map.y,
        };
        let bar = Ruler::new(Scale::Linear, map.range(), LARGEST_SIDE, Run::Up);
        Self { map, axes, bar }
    }

    fn draw_bar(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        let left = square.right + APART;
        let bar = Rect {
            left,
            right: left + BAR,
            ..*square
        };
        canvas.image(&bar, &self.map.bar_bitmap()?);
        canvas.outline(&bar, Stroke::solid(INK, FRAME_WIDTH))?;
        for Tick { at, label } in &self.bar.major {
            let y = bar.bottom - self.bar.fraction(*at) * bar.height();
            tick(canvas, (bar.right, y), (MINOR_TICK, 0.0))?;
            let beside = (bar.right + MINOR_TICK + 4.0, y + HALF_CAPITAL * TICK);
            canvas.text(label, beside, Lettering::new(TICK, Align::Start))?;
        }
        let factor = self.bar.factor.as_deref().unwrap_or_default();
        canvas.text(
            factor,
            (bar.left, bar.top - 0.45 * TICK),
            Lettering::new(TICK, Align::Start),
        )?;
        let x = bar.right + MINOR_TICK + 4.0 + self.bar.label_width() + 1.1 * LABEL;
        canvas.text(
            &self.map.colour_bar,
            (x, 0.5 * (bar.top + bar.bottom)),
            Lettering::upwards().fitted(&self.map.colour_bar, bar.height() + TICK),
        )
    }
}

impl layout::Plan for Plan<'_> {
    fn fit(&mut self, width: f64) {
        self.bar = Ruler::new(Scale::Linear, self.map.range(), self.height(width), Run::Up);
    }

    fn margins(&self) -> Margins {
        let axes = self.axes.margins();
        let label = if self.map.colour_bar.is_empty() {
            0.0
        } else {
            LEADING * LABEL
        };
        let factor = self
            .bar
            .factor
            .as_deref()
            .map_or(0.0, |factor| TICK * text::width(factor, Weight::Regular));
        let beside_bar = BAR + MINOR_TICK + 4.0 + self.bar.label_width() + label;
        Margins {
            right: APART + beside_bar.max(factor),
            top: if self.bar.factor.is_some() {
                LEADING * TICK + 2.0
            } else {
                axes.top
            },
            ..axes
        }
    }

    fn height(&self, width: f64) -> f64 {
        width.min(LARGEST_SIDE)
    }

    /// The square is as large as the frame allows and stands in its middle.
    fn draw(&self, canvas: &Canvas<'_>, frame: Rect) -> Drawn {
        let side = frame.width().min(frame.height());
        let (left, top) = (
            frame.left + 0.5 * (frame.width() - side),
            frame.top + 0.5 * (frame.height() - side),
        );
        let square = Rect {
            left,
            top,
            right: left + side,
            bottom: top + side,
        };
        canvas.image(&square, &self.map.bitmap()?);
        self.axes.draw(canvas, &square)?;
        self.draw_bar(canvas, &square)
    }
}

impl HeatMap {
    /// The values at the ends of the colour bar.
    fn range(&self) -> Range {
        let finite = self
            .values
            .iter()
            .filter_map(|&value| Scale::Linear.coordinate(value));
        match self.colours {
            Colours::Sequential => Range::of(Scale::Linear, finite),
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
    fn bitmap(&self) -> Result<Vec<u8>, FigureError> {
        let range = self.range();
        let centre = |pixel: u32| (f64::from(pixel) + 0.5) / f64::from(BITMAP);
        encode(BITMAP, BITMAP, |column, row| {
            self.colour(
                &range,
                periodic(&self.values, centre(column), 1.0 - centre(row)),
            )
        })
    }

    fn bar_bitmap(&self) -> Result<Vec<u8>, FigureError> {
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

    fn map(values: Array2<f64>, colours: Colours) -> HeatMap {
        let label = String::new;
        HeatMap {
            title: label(),
            x: label(),
            y: label(),
            values,
            colour_bar: label(),
            colours,
        }
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
        let map = map(values, Colours::Sequential);
        let pixmap = Pixmap::decode_png(&map.bitmap().expect("a bitmap")).expect("a PNG");
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
        let range = map(ndarray::arr2(&[[-1.0, 3.0]]), Colours::Diverging).range();
        assert_eq!(
            range,
            Range {
                low: -3.0,
                high: 3.0
            }
        );
    }

    #[test]
    fn constant_empty_and_non_finite_fields_have_a_range() {
        for values in [
            Array2::zeros((4, 4)),
            Array2::zeros((0, 0)),
            ndarray::arr2(&[[f64::NAN, f64::INFINITY]]),
        ] {
            for colours in [Colours::Sequential, Colours::Diverging] {
                let map = map(values.clone(), colours);
                assert!(map.range().span() > 0.0);
                assert!(map.bitmap().is_ok());
            }
        }
    }
}
