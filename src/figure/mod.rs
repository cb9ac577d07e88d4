//! Figures as plain data, and their rendering.
//!
//! A study builds a [`Figure`] out of numbers and labels; this module alone decides how it looks and alone knows
//! the drawing libraries. The vector drawing is made once, and the bitmap is rendered from that drawing, so the two
//! formats cannot differ. The same figure gives the same bytes every time.
//!
//! Labels are text in any script of DejaVu Sans (ε, ρ, ∇, −, × …) with a little markup: `p^{ε}` raises and `W_{2}`
//! lowers what stands between the braces, since Unicode has no subscript ε.
//!
//! Text is written as outlines: a paper, a browser and a printer then show the same letters, whatever fonts they have.
//! A figure is 50–300 kB in that form, heat maps being the larger ones, so there is no need to embed a font.
//!
//! A further kind of panel is one new file that implements `layout::Plan` and one variant of [`Panel`].

mod arrow;
mod axis;
mod bar;
mod canvas;
mod clip;
mod colours;
mod curves;
mod field;
mod fonts;
mod frame;
mod guide;
mod heatmap;
mod key;
mod labels;
mod layout;
mod legend;
mod markers;
mod mesh;
mod quiver;
mod render;
mod row;
mod series;
mod square;
mod style;
mod text;
mod ticks;

pub use mesh::Mesh;
pub use quiver::{Arrow, Quiver};
pub(crate) use text::escape;
pub use text::{html as label_html, plain as label_plain};

use ndarray::Array2;
use thiserror::Error;

/// A figure: rows of panels, drawn with the letters (a), (b), … when there is more than one.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Stem of the file name, for instance `orders`.
    pub name: String,
    /// Heading over all panels; most figures leave it to the caption.
    pub title: Option<String>,
    /// Panels from top to bottom, each row from left to right.
    pub rows: Vec<Vec<Panel>>,
    /// What the reader should see; shown by the report, not drawn.
    pub caption: String,
}

/// One panel of a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Panel {
    Curves(Curves),
    HeatMap(HeatMap),
    Mesh(Mesh),
    Quiver(Quiver),
}

/// Curves and markers over two axes, labelled at their right ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
    pub guides: Vec<SlopeGuide>,
}

/// An axis; its range follows from the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub label: String,
    pub scale: Scale,
}

/// How values are laid along an axis. What a logarithmic axis cannot show (zeros, negative values) is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    Log,
}

/// Points `(x, y)` in drawing order. A non-finite point interrupts the line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Written beside the right end; a series without a label has none.
    pub label: String,
    pub points: Vec<(f64, f64)>,
    pub style: Style,
    /// Place in the palette, counted round when there are more series than colours; it also chooses the marker.
    pub colour: usize,
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Line,
    Dashed,
    Dotted,
    Markers,
    LineMarkers,
    HollowMarkers,
}

/// A thin reference segment of a given slope, measured between the plotted coordinates:
/// on two logarithmic axes the slope is the exponent of a power law.
#[derive(Clone, Debug, PartialEq)]
pub struct SlopeGuide {
    pub slope: f64,
    /// For instance `ε^{2}`.
    pub label: String,
    /// Place in [`Curves::series`] of the series beside which it is drawn.
    pub beside: usize,
}

/// A periodic field of two variables on the unit square, with its colour bar.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    pub title: String,
    pub x: String,
    pub y: String,
    /// `values[[i, j]]` at `x = i/n₀` (to the right) and `y = j/n₁` (upwards), continued periodically.
    pub values: Array2<f64>,
    /// Label of the colour bar.
    pub colour_bar: String,
    pub colours: Colours,
}

/// The colour map of a heat map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// Viridis, from the least to the greatest value.
    Sequential,
    /// Blue, white, red, symmetric about 0.
    Diverging,
    /// White to pale blue, from the least to the greatest value: for fields on which something is drawn.
    Pale,
}

/// The two written forms of a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// The vector drawing, text as outlines.
    pub svg: String,
    /// The bitmap, two pixels for each unit of the drawing (about 300 dots per inch at 17 cm).
    pub png: Vec<u8>,
}

/// Why a figure could not be drawn.
#[derive(Debug, Error)]
pub enum FigureError {
    #[error("figure `{0}` has no panels: give it at least one row with one panel")]
    Empty(String),
    #[error("the vector drawing failed: {0}")]
    Drawing(String),
    #[error("the drawing could not be turned into outlines: {0}")]
    Outlines(String),
    #[error("the bitmap could not be made: {0}")]
    Bitmap(String),
}

impl Figure {
    /// Draws the figure and returns both written forms.
    ///
    /// # Errors
    /// [`FigureError::Empty`] without panels; the others when a drawing library fails.
    pub fn render(&self) -> Result<Rendering, FigureError> {
        let tree = render::outlines(&layout::paint(self)?)?;
        Ok(Rendering {
            svg: render::svg(&tree, &self.name),
            png: render::png(&tree)?,
        })
    }

    /// The vector drawing alone.
    ///
    /// # Errors
    /// As for [`Figure::render`].
    pub fn svg(&self) -> Result<String, FigureError> {
        let tree = render::outlines(&layout::paint(self)?)?;
        Ok(render::svg(&tree, &self.name))
    }

    /// The bitmap alone.
    ///
    /// # Errors
    /// As for [`Figure::render`].
    pub fn png(&self) -> Result<Vec<u8>, FigureError> {
        render::png(&render::outlines(&layout::paint(self)?)?)
    }
}

impl Panel {
    /// Whether a cell of this width has room for labels beside the curves.
    fn has_room_beside(&self, cell: f64) -> bool {
        match self {
            Panel::Curves(curves) => key::has_room_beside(&curves.series, cell),
            Panel::HeatMap(_) | Panel::Mesh(_) | Panel::Quiver(_) => true,
        }
    }

    /// The panel on its way to the page, curves labelled beside them or in a key below.
    fn plan(&self, beside: bool) -> Box<dyn layout::Plan + '_> {
        match self {
            Panel::Curves(curves) => Box::new(curves::Plan::new(curves, beside)),
            Panel::HeatMap(map) => Box::new(heatmap::Plan::new(map)),
            Panel::Mesh(mesh) => Box::new(mesh::Plan::new(mesh)),
            Panel::Quiver(quiver) => Box::new(quiver::Plan::new(quiver)),
        }
    }

    fn title(&self) -> &str {
        match self {
            Panel::Curves(curves) => &curves.title,
            Panel::HeatMap(map) => &map.title,
            Panel::Mesh(mesh) => &mesh.title,
            Panel::Quiver(quiver) => &quiver.title,
        }
    }
}

#[cfg(test)]
mod tests;
