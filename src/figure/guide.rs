//! Slope guides: thin reference segments, put where they are close to their series and far from everything else.

use super::SlopeGuide;
use super::canvas::{Align, Canvas, Drawn, Lettering, Point, Rect, Stroke};
use super::fonts::Weight;
use super::style::{GUIDE, HALF_CAPITAL, TICK};
use super::text;

/// Free space about a guide beyond which more is no better.
const AMPLE: f64 = 17.0;

/// A guide with its place on the page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed<'a> {
    ends: [Point; 2],
    label: &'a str,
    middle: Point,
    half: (f64, f64),
}

/// Chooses the place of a guide.
///
/// `rise` is its direction on the page (pixels downwards to a pixel to the right), `host` the series beside which it
/// should be, `lines` everything to keep away from. `None` when the host has no points.
pub(super) fn place<'a>(
    guide: &'a SlopeGuide,
    rise: f64,
    host: &[Point],
    lines: &[Vec<Point>],
    frame: &Rect,
) -> Option<Placed<'a>> {
    let half_width = (0.11 * frame.width()).min(0.13 * frame.height() / rise.abs().max(1e-9));
    let candidates = anchors(host).into_iter().flat_map(|anchor| {
        [1.0, -1.0].into_iter().flat_map(move |side| {
            [13.0, 19.0, 27.0, 38.0].map(|distance| {
                (
                    distance,
                    beside(guide, anchor, side * distance, rise, half_width),
                )
            })
        })
    });
    let mut best: Option<(f64, Placed<'a>)> = None;
    for (distance, candidate) in candidates {
        let score = candidate.clearance(lines, frame).min(AMPLE) - 0.1 * distance;
        if best.as_ref().is_none_or(|(highest, _)| score > *highest) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, placed)| placed)
}

/// Places along the inner part of a line.
fn anchors(host: &[Point]) -> Vec<Point> {
    let (Some(first), Some(last)) = (host.first(), host.last()) else {
        return Vec::new();
    };
    let inner = (2..=14).map(|step| first.0 + (last.0 - first.0) * f64::from(step) / 16.0);
    let on_line = |x: f64| {
        let around = host
            .windows(2)
            .find(|pair| (pair[0].0 - x) * (pair[1].0 - x) <= 0.0 && pair[0].0 != pair[1].0)?;
        let share = (x - around[0].0) / (around[1].0 - around[0].0);
        Some((x, around[0].1 + share * (around[1].1 - around[0].1)))
    };
    let found: Vec<Point> = inner.filter_map(on_line).collect();
    if found.is_empty() {
        vec![*first]
    } else {
        found
    }
}

/// The guide at a signed distance below a point of its series, its label on the far side.
fn beside<'a>(
    guide: &'a SlopeGuide,
    (x, y): Point,
    distance: f64,
    rise: f64,
    half_width: f64,
) -> Placed<'a> {
    let size = rise.hypot(1.0);
    let (normal_x, normal_y) = (-rise / size * distance.signum(), distance.signum() / size);
    let middle = (x + normal_x * distance.abs(), y + normal_y * distance.abs());
    let half = (
        0.5 * TICK * text::width(&guide.label, Weight::Regular),
        0.5 * TICK,
    );
    let away = half.0 * normal_x.abs() + half.1 * normal_y.abs() + 3.0;
    Placed {
        ends: [-half_width, half_width].map(|step| (middle.0 + step, middle.1 + rise * step)),
        label: &guide.label,
        middle: (middle.0 + away * normal_x, middle.1 + away * normal_y),
        half,
    }
}

impl Placed<'_> {
    /// Distance from the guide and its label to the nearest line or side of the frame; negative outside.
    fn clearance(&self, lines: &[Vec<Point>], frame: &Rect) -> f64 {
        self.outline()
            .into_iter()
            .map(|point| inside(point, frame).min(nearest(point, lines)))
            .fold(f64::INFINITY, f64::min)
    }

    /// Points along the segment and round the label.
    pub(super) fn outline(&self) -> Vec<Point> {
        let [(x0, y0), (x1, y1)] = self.ends;
        let mut points: Vec<Point> = (0..=8)
            .map(|k| f64::from(k) / 8.0)
            .map(|s| (x0 + s * (x1 - x0), y0 + s * (y1 - y0)))
            .collect();
        for (across, down) in [
            (0.0, 0.0),
            (-1.0, -1.0),
            (1.0, -1.0),
            (-1.0, 1.0),
            (1.0, 1.0),
            (0.0, -1.0),
            (0.0, 1.0),
        ] {
            points.push((
                self.middle.0 + across * self.half.0,
                self.middle.1 + down * self.half.1,
            ));
        }
        points
    }

    pub(super) fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        canvas.line(&self.ends, Stroke::solid(GUIDE, 1.4))?;
        let baseline = self.middle.1 + HALF_CAPITAL * TICK;
        canvas.text(
            self.label,
            (self.middle.0, baseline),
            Lettering::new(TICK, Align::Middle).coloured(GUIDE),
        )
    }
}

fn inside((x, y): Point, frame: &Rect) -> f64 {
    (x - frame.left)
        .min(frame.right - x)
        .min(y - frame.top)
        .min(frame.bottom - y)
}

fn nearest(point: Point, lines: &[Vec<Point>]) -> f64 {
    let to_line = |line: &Vec<Point>| match line.as_slice() {
        [only] => distance(point, *only, *only),
        points => points
            .windows(2)
            .map(|pair| distance(point, pair[0], pair[1]))
            .fold(f64::INFINITY, f64::min),
    };
    lines.iter().map(to_line).fold(f64::INFINITY, f64::min)
}

/// Distance from a point to a segment.
fn distance((x, y): Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let square = dx * dx + dy * dy;
    let along = if square > 0.0 {
        (((x - from.0) * dx + (y - from.1) * dy) / square).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (x - from.0 - along * dx).hypot(y - from.1 - along * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 400.0,
        bottom: 300.0,
    };

    fn guide() -> SlopeGuide {
        SlopeGuide {
            slope: 1.0,
            label: "ε".to_owned(),
            beside: 0,
        }
    }

    #[test]
    fn a_guide_has_the_slope_it_shows() {
        let host = vec![(20.0, 280.0), (380.0, 20.0)];
        let guide = guide();
        let placed =
            place(&guide, -0.5, &host, std::slice::from_ref(&host), &FRAME).expect("a place");
        let [from, to] = placed.ends;
        assert!(((to.1 - from.1) / (to.0 - from.0) + 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_guide_keeps_away_from_lines_and_stays_in_the_frame() {
        let host = vec![(20.0, 150.0), (380.0, 150.0)];
        let above = vec![(20.0, 120.0), (380.0, 120.0)];
        let lines = [host.clone(), above];
        let guide = guide();
        let placed = place(&guide, 0.0, &host, &lines, &FRAME).expect("a place");
        assert!(placed.clearance(&lines, &FRAME) > 8.0);
        assert!(placed.ends[0].1 > 150.0, "the free side is below");
    }

    #[test]
    fn a_series_without_points_has_no_guide() {
        assert_eq!(place(&guide(), 1.0, &[], &[], &FRAME), None);
    }
}
