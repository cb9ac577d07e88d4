//! Panels of curves.

use super::axis::{Range, Ruler, Run};
use super::canvas::{Canvas, Drawn, Point, Rect};
use super::frame::Axes;
use super::key::Key;
use super::layout::{self, Margins};
use super::series::pieces;
use super::{Axis, Curves, Scale, Series, guide};

/// Heights of a frame: the least and the largest, and the one below which a frame is square.
const LEAST_HEIGHT: f64 = 150.0;
const LARGEST_HEIGHT: f64 = 430.0;
const LOW: f64 = 225.0;

/// Curves on their way to the page.
pub(super) struct Plan<'a> {
    curves: &'a Curves,
    /// Plotted coordinates of every point; `None` where an axis cannot show it.
    coordinates: Vec<Vec<Option<Point>>>,
    x: Range,
    y: Range,
    axes: Axes<'a>,
    key: Key<'a>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(curves: &'a Curves, beside: bool) -> Self {
        let coordinates = curves.coordinates();
        let shown = || coordinates.iter().flatten().flatten();
        let x = curves
            .x
            .range(shown().map(|point| point.0), curves.has_markers());
        let y = curves.y.range(shown().map(|point| point.1), true);
        Self {
            curves,
            x,
            y,
            axes: curves.axes(x, y, LARGEST_HEIGHT, LARGEST_HEIGHT),
            key: Key::new(&curves.series, beside),
            coordinates,
        }
    }

    fn places(&self, frame: &Rect) -> Vec<Vec<Option<Point>>> {
        let place = |point: &Option<Point>| point.map(|point| self.axes.place(frame, point));
        self.coordinates
            .iter()
            .map(|points| points.iter().map(place).collect())
            .collect()
    }

    fn draw_guides(
        &self,
        canvas: &Canvas<'_>,
        frame: &Rect,
        places: &[Vec<Option<Point>>],
    ) -> Drawn {
        let mut lines: Vec<Vec<Point>> = places.iter().flat_map(|places| pieces(places)).collect();
        let unit = self.axes.place(frame, (1.0, 1.0));
        let origin = self.axes.place(frame, (0.0, 0.0));
        for guide in &self.curves.guides {
            let host: Vec<Point> = places
                .get(guide.beside)
                .into_iter()
                .flatten()
                .flatten()
                .copied()
                .collect();
            let rise = guide.slope * (unit.1 - origin.1) / (unit.0 - origin.0);
            if let Some(placed) = guide::place(guide, rise, &host, &lines, frame) {
                placed.draw(canvas)?;
                lines.push(placed.outline());
            }
        }
        Ok(())
    }
}

impl layout::Plan for Plan<'_> {
    fn fit(&mut self, width: f64, height: f64) {
        self.axes = self.curves.axes(self.x, self.y, width, height);
        let axes = self.axes.margins();
        self.key.fit(axes.left + width + axes.right);
    }

    fn margins(&self) -> Margins {
        let axes = self.axes.margins();
        let (right, bottom) = self.key.room();
        Margins {
            right: axes.right.max(right),
            bottom: axes.bottom + bottom,
            ..axes
        }
    }

    fn height(&self, width: f64) -> f64 {
        frame_height(width)
    }

    fn draw(&self, canvas: &Canvas<'_>, frame: Rect) -> Drawn {
        let places = self.places(&frame);
        self.axes.grid(canvas, &frame)?;
        self.draw_guides(canvas, &frame, &places)?;
        self.axes.draw(canvas, &frame)?;
        for (series, places) in self.curves.series.iter().zip(&places) {
            series.draw(canvas, places)?;
        }
        self.key.draw(canvas, &frame, &places, &self.axes.margins())
    }
}

impl Curves {
    fn coordinates(&self) -> Vec<Vec<Option<Point>>> {
        let plotted =
            |&(x, y): &(f64, f64)| Some((self.x.scale.coordinate(x)?, self.y.scale.coordinate(y)?));
        let of_series = |series: &Series| series.points.iter().map(plotted).collect();
        self.series.iter().map(of_series).collect()
    }

    /// The axes for a frame of the given size.
    fn axes(&self, x: Range, y: Range, width: f64, height: f64) -> Axes<'_> {
        let across = Ruler::new(self.x.scale, x, width, Run::Across);
        Axes {
            x: if self.x.scale == Scale::Linear {
                across.snapped()
            } else {
                across
            },
            y: Ruler::new(self.y.scale, y, height, Run::Up),
            x_label: &self.x.label,
            y_label: &self.y.label,
        }
    }

    fn has_markers(&self) -> bool {
        self.series.iter().any(|series| series.style.has_markers())
    }
}

impl Axis {
    /// The range of an axis; `free` leaves space at its ends, so that markers and lines do not lie on the frame.
    fn range(&self, coordinates: impl Iterator<Item = f64>, free: bool) -> Range {
        let range = Range::of(self.scale, coordinates);
        if free {
            range.grown(0.05 * range.span())
        } else {
            range
        }
    }
}

/// Oblong frames, but narrow ones no lower than need be.
fn frame_height(width: f64) -> f64 {
    let low = width.clamp(LEAST_HEIGHT, LOW);
    (0.78 * width).clamp(low, LARGEST_HEIGHT)
}
