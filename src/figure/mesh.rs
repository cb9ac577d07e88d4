//! Panels of meshes: the image of a regular mesh of the torus under a map.

use ndarray::Array2;

use super::Colours;
use super::canvas::{Canvas, Drawn, Point, Rect, Stroke};
use super::field::Field;
use super::layout::{self, Margins};
use super::legend::{Entry, Legend, Sample};
use super::square::{Square, wrapped};
use super::style::{INK, palette};

/// The image of a regular mesh of the unit torus, over the unit square.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    pub title: String,
    pub x: String,
    pub y: String,
    /// Lines in the plane, continued over the sides of the square rather than wrapped round. Each is drawn with all
    /// its periodic translates, cut off at the frame. A non-finite point interrupts it.
    pub lines: Vec<Vec<(f64, f64)>>,
    /// Points of the torus, drawn as hollow circles.
    pub markers: Vec<(f64, f64)>,
    /// A periodic field below the lines in pale colours, laid out as in [`super::HeatMap::values`].
    pub background: Option<Array2<f64>>,
    /// Label of the colour bar, which is there when the background is.
    pub colour_bar: String,
    /// Names the lines in the key below the frame; without it they are not in the key.
    pub line_label: String,
    /// Names the markers in the key below the frame; without it they are not in the key.
    pub marker_label: String,
}

const LINE: Stroke = Stroke {
    colour: INK,
    width: 0.9,
    dash: None,
};

const RADIUS: f64 = 3.6;

/// Translates of a line in each direction at most. A line of a mesh goes round about once, so that three suffice.
const TRANSLATES: u32 = 16;

/// The unit square in its own coordinates.
const UNIT: Rect = Rect {
    left: 0.0,
    top: 0.0,
    right: 1.0,
    bottom: 1.0,
};

/// A mesh on its way to the page.
pub(super) struct Plan<'a> {
    mesh: &'a Mesh,
    square: Square<'a>,
    legend: Legend<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(mesh: &'a Mesh) -> Self {
        let field = mesh.background.as_ref().map(|values| Field {
            values,
            colours: Colours::Pale,
        });
        let lines = Entry {
            sample: Sample::Line(LINE),
            label: &mesh.line_label,
        };
        let markers = Entry {
            sample: Sample::Ring(RADIUS, ring()),
            label: &mesh.marker_label,
        };
        Self {
            mesh,
            square: Square::new((&mesh.x, &mesh.y), field, &mesh.colour_bar),
            legend: Legend::new([lines, markers]),
        }
    }

    fn draw_lines(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        for part in self.mesh.lines.iter().flat_map(|line| parts(line)) {
            let place = |&point: &Point| self.square.place(square, point);
            let places: Vec<Point> = part.iter().map(place).collect();
            canvas.line(&places, LINE)?;
        }
        Ok(())
    }

    fn draw_markers(&self, canvas: &Canvas<'_>, square: &Rect) -> Drawn {
        let finite = |&&(x, y): &&Point| x.is_finite() && y.is_finite();
        for &(x, y) in self.mesh.markers.iter().filter(finite) {
            let centre = self.square.place(square, (wrapped(x), wrapped(y)));
            canvas.ring(centre, RADIUS, ring())?;
        }
        Ok(())
    }
}

impl layout::Plan for Plan<'_> {
    fn fit(&mut self, width: f64, height: f64) {
        self.square.fit(width, height);
        let Margins { left, right, .. } = self.square.margins();
        self.legend.fit(left + width + right);
    }

    fn margins(&self) -> Margins {
        let square = self.square.margins();
        Margins {
            bottom: square.bottom + self.legend.height(),
            ..square
        }
    }

    fn height(&self, width: f64) -> f64 {
        Square::height(width)
    }

    fn draw(&self, canvas: &Canvas<'_>, frame: Rect) -> Drawn {
        let square = Square::within(&frame);
        self.square.draw_field(canvas, &square)?;
        self.draw_lines(canvas, &square)?;
        self.square.draw_axes(canvas, &square)?;
        self.draw_markers(canvas, &square)?;
        let margins = self.square.margins();
        let (start, below) = (frame.left - margins.left, square.bottom + margins.bottom);
        self.legend.draw(canvas, &square, start, below)
    }
}

fn ring() -> Stroke {
    Stroke::solid(palette(1), 1.7)
}

/// The parts inside the unit square of a line and its periodic translates.
fn parts(line: &[Point]) -> Vec<Vec<Point>> {
    let across = shifts(line.iter().map(|point| point.0));
    let up = shifts(line.iter().map(|point| point.1));
    let both = |&dx: &f64| up.iter().map(move |&dy| (dx, dy));
    let inside = |(dx, dy)| {
        let moved: Vec<Point> = line.iter().map(|&(x, y)| (x + dx, y + dy)).collect();
        UNIT.clip_line(&moved)
    };
    across.iter().flat_map(both).flat_map(inside).collect()
}

/// The whole numbers by which coordinates can be moved so that their hull meets [0, 1].
fn shifts(coordinates: impl Iterator<Item = f64>) -> Vec<f64> {
    let hull = (f64::INFINITY, f64::NEG_INFINITY);
    let (low, high) = coordinates
        .filter(|at| at.is_finite())
        .fold(hull, |(low, high), at| (low.min(at), high.max(at)));
    let (first, last) = ((-high).ceil(), (1.0 - low).floor());
    (0..TRANSLATES)
        .map(|step| first + f64::from(step))
        .take_while(|shift| *shift <= last)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_over_a_side_appears_on_both() {
        let found = parts(&[(0.75, 0.5), (1.25, 0.5)]);
        let (left, right) = ([(0.0, 0.5), (0.25, 0.5)], [(0.75, 0.5), (1.0, 0.5)]);
        assert_eq!(found, [left, right]);
    }

    #[test]
    fn a_line_over_a_corner_appears_at_three() {
        // From the middle below the upper right corner over the right and then the upper side.
        let line = [(0.75, 0.875), (1.125, 0.875), (1.125, 1.25)];
        let mut found = parts(&line);
        found.sort_by(|a, b| a.partial_cmp(b).expect("finite"));
        let expected = [
            vec![(0.0, 0.875), (0.125, 0.875), (0.125, 1.0)],
            vec![(0.125, 0.0), (0.125, 0.25)],
            vec![(0.75, 0.875), (1.0, 0.875)],
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn translates_of_a_closed_line_have_its_length() {
        let line: Vec<Point> = (0..=64)
            .map(|step| f64::from(step) / 64.0)
            .map(|s| (s + 0.4, 0.95 + 0.2 * (std::f64::consts::TAU * s).sin()))
            .collect();
        let length = |line: &[Point]| -> f64 {
            let steps = line.windows(2);
            steps
                .map(|w| (w[1].0 - w[0].0).hypot(w[1].1 - w[0].1))
                .sum()
        };
        let drawn: f64 = parts(&line).iter().map(|part| length(part)).sum();
        assert!((drawn - length(&line)).abs() < 1e-12, "{drawn}");
    }

    #[test]
    fn a_line_along_a_side_is_drawn_on_both_sides() {
        let found = parts(&[(0.0, 0.0), (0.0, 1.0)]);
        assert!(found.contains(&vec![(0.0, 0.0), (0.0, 1.0)]));
        assert!(found.contains(&vec![(1.0, 0.0), (1.0, 1.0)]));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn translates_follow_lines_that_lie_far_away_and_come_to_an_end() {
        assert_eq!(shifts([5.25, 5.5].into_iter()), [-5.0]);
        assert_eq!(shifts([-0.5, 1.5].into_iter()), [-1.0, 0.0, 1.0]);
        assert!(shifts([f64::NAN].into_iter()).is_empty());
        assert!(shifts([-1e300, 1e300].into_iter()).len() <= TRANSLATES as usize);
    }
}
