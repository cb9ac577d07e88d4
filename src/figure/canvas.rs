//! A sheet to draw on, in pixels with fractions.
//!
//! plotters draws on whole numbers only, which makes steps of smooth curves; its drawing is therefore made
//! [`UNITS`] times as large and shown at the intended size by the view box.

use std::cell::RefCell;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plotters::coord::Shift;
use plotters::element::{Circle, DashedPathElement, PathElement, Polygon};
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontTransform, RGBColor, ShapeStyle, TextStyle};

use super::FigureError;
use super::fonts::{DRAWN, FAMILY, Weight};
use super::style::{INK, LABEL, Rgb};
use super::text;

/// Drawing units in a pixel.
const UNITS: f64 = 16.0;

/// plotters' centred text sits half an ex, a quarter of an em for usvg, below the point it is given.
const CENTRED: f64 = 0.25;

/// A place on the sheet: pixels to the right and downwards.
pub(super) type Point = (f64, f64);

/// A rectangle with sides along the axes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Rect {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn corners(&self) -> [Point; 4] {
        [
            (self.left, self.top),
            (self.right, self.top),
            (self.right, self.bottom),
            (self.left, self.bottom),
        ]
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stroke {
    pub(super) colour: Rgb,
    pub(super) width: f64,
    /// Lengths of dash and gap.
    pub(super) dash: Option<(f64, f64)>,
}

impl Stroke {
    pub(super) fn solid(colour: Rgb, width: f64) -> Self {
        let dash = None;
        Self {
            colour,
            width,
            dash,
        }
    }

    fn shape(&self) -> ShapeStyle {
        rgb(self.colour).stroke_width(length(self.width))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// How a label is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lettering {
    pub(super) size: f64,
    pub(super) colour: Rgb,
    pub(super) weight: Weight,
    pub(super) align: Align,
    /// Written upwards instead of to the right.
    pub(super) upwards: bool,
}

impl Lettering {
    pub(super) fn new(size: f64, align: Align) -> Self {
        Self {
            size,
            colour: INK,
            weight: Weight::Regular,
            align,
            upwards: false,
        }
    }

    pub(super) fn coloured(self, colour: Rgb) -> Self {
        Self { colour, ..self }
    }

    pub(super) fn bold(self) -> Self {
        Self {
            weight: Weight::Bold,
            ..self
        }
    }

    /// Smaller where the label would be longer than `room`, down to two thirds.
    pub(super) fn fitted(self, label: &str, room: f64) -> Self {
        let wide = self.size * text::width(label, self.weight);
        Self {
            size: self.size * (room / wide).clamp(0.67, 1.0),
            ..self
        }
    }

    /// A label along a vertical axis.
    pub(super) fn upwards() -> Self {
        Self {
            upwards: true,
            ..Self::new(LABEL, Align::Middle)
        }
    }
}

pub(super) type Drawn = Result<(), FigureError>;

/// The sheet while it is drawn on.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    /// Bitmaps, which lie under everything else.
    images: RefCell<String>,
}

/// Runs `draw` on a white sheet of `width` × `height` pixels and returns the SVG document, text still as text.
pub(super) fn paint(
    width: f64,
    height: f64,
    draw: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, FigureError> {
    let size = (length(width), length(height));
    let mut svg = String::new();
    let canvas = Canvas {
        area: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
        images: RefCell::default(),
    };
    draw(&canvas)?;
    canvas.area.present().map_err(failed)?;
    let images = canvas.images.take();
    drop(canvas);
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    Ok(format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{images}{body}",
        size.0, size.1
    ))
}

impl Canvas<'_> {
    /// A line through the points.
    pub(super) fn line(&self, points: &[Point], stroke: Stroke) -> Drawn {
        let points: Vec<_> = points.iter().map(unit).collect();
        let style = stroke.shape();
        match stroke.dash {
            None => self.area.draw(&PathElement::new(points, style)),
            Some((dash, gap)) => {
                let (dash, gap) = (length(dash), length(gap));
                self.area
                    .draw(&DashedPathElement::new(points, dash, gap, style))
            }
        }
        .map_err(failed)
    }

    /// A filled polygon.
    pub(super) fn polygon(&self, corners: &[Point], colour: Rgb) -> Drawn {
        let corners: Vec<_> = corners.iter().map(unit).collect();
        self.area
            .draw(&Polygon::new(corners, rgb(colour).filled()))
            .map_err(failed)
    }

    /// A disc.
    pub(super) fn disc(&self, centre: Point, radius: f64, colour: Rgb) -> Drawn {
        self.circle(centre, radius, rgb(colour).filled())
    }

    /// A circle.
    pub(super) fn ring(&self, centre: Point, radius: f64, stroke: Stroke) -> Drawn {
        self.circle(centre, radius, stroke.shape())
    }

    fn circle(&self, centre: Point, radius: f64, style: ShapeStyle) -> Drawn {
        self.area
            .draw(&Circle::new(unit(&centre), length(radius), style))
            .map_err(failed)
    }

    /// The outline of a rectangle.
    pub(super) fn outline(&self, rect: &Rect, stroke: Stroke) -> Drawn {
        let [a, b, c, d] = rect.corners();
        // Past the first corner once more, so that this corner is closed as well.
        self.line(&[a, b, c, d, a, b], stroke)
    }

    /// A label whose baseline goes through the point.
    pub(super) fn text(&self, label: &str, (x, y): Point, lettering: Lettering) -> Drawn {
        let Lettering {
            size,
            weight,
            upwards,
            ..
        } = lettering;
        let (runs, width) = text::set(label, weight);
        let begin = match lettering.align {
            Align::Start => 0.0,
            Align::Middle => -0.5 * width,
            Align::End => -width,
        };
        for (start, run) in runs {
            let along = size * (begin + start);
            let em = size * run.level.size();
            let below = -size * run.level.rise() - CENTRED * em;
            let at = if upwards {
                (x + below, y - along)
            } else {
                (x + along, y + below)
            };
            self.run(run.text, at, em, lettering)?;
        }
        Ok(())
    }

    fn run(&self, text: &str, at: Point, em: f64, lettering: Lettering) -> Drawn {
        let family = FontFamily::Name(FAMILY);
        let colour = rgb(lettering.colour);
        let style = TextStyle::from((family, em * UNITS * DRAWN, lettering.weight.style()))
            .color(&colour)
            .pos(Pos::new(HPos::Left, VPos::Center));
        let style = if lettering.upwards {
            style.transform(FontTransform::Rotate270)
        } else {
            style
        };
        // Leading blanks would be dropped by the reader of the SVG, but their width is already counted.
        let text = text.replace(' ', "\u{a0}");
        self.area
            .draw_text(&text, &style, unit(&at))
            .map_err(failed)
    }

    /// A bitmap stretched over the rectangle, under everything that is drawn.
    pub(super) fn image(&self, rect: &Rect, png: &[u8]) {
        let ((x, y), size) = (
            unit(&(rect.left, rect.top)),
            (length(rect.width()), length(rect.height())),
        );
        let written = writeln!(
            self.images.borrow_mut(),
            "<image x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{}\"/>",
            size.0,
            size.1,
            STANDARD.encode(png)
        );
        debug_assert!(written.is_ok(), "writing into a string cannot fail");
    }
}

fn unit(&(x, y): &Point) -> (i32, i32) {
    ((x * UNITS).round() as i32, (y * UNITS).round() as i32)
}

fn length(pixels: f64) -> u32 {
    (pixels * UNITS).round() as u32
}

fn rgb([red, green, blue]: Rgb) -> RGBColor {
    RGBColor(red, green, blue)
}

fn failed(error: impl std::fmt::Display) -> FigureError {
    FigureError::Drawing(error.to_string())
}
