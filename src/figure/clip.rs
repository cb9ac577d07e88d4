//! Lines and polygons cut off at the sides of a rectangle.

use super::canvas::{Point, Rect};

impl Rect {
    /// The parts of a line inside the rectangle, in order. A line that only touches a corner has none, and a point
    /// that is not finite interrupts it.
    pub(super) fn clip_line(&self, points: &[Point]) -> Vec<Vec<Point>> {
        let mut parts: Vec<Vec<Point>> = Vec::new();
        for pair in points.windows(2) {
            let Some((from, to)) = self.clip_segment(pair[0], pair[1]) else {
                continue;
            };
            match parts.last_mut() {
                Some(part) if part.last() == Some(&from) => part.push(to),
                _ => parts.push(vec![from, to]),
            }
        }
        parts
    }

    /// The part of a segment inside the rectangle (Y.-D. Liang and B. Barsky 1984).
    fn clip_segment(&self, from: Point, to: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        for (step, room) in [
            (-dx, from.0 - self.left),
            (dx, self.right - from.0),
            (-dy, from.1 - self.top),
            (dy, self.bottom - from.1),
        ] {
            if step == 0.0 && room < 0.0 {
                return None;
            }
            if step < 0.0 {
                enter = enter.max(room / step);
            } else if step > 0.0 {
                leave = leave.min(room / step);
            }
        }
        let at = |share: f64| self.nearest((from.0 + share * dx, from.1 + share * dy));
        let start = if enter > 0.0 { at(enter) } else { from };
        let end = if leave < 1.0 { at(leave) } else { to };
        let finite = dx.is_finite() && dy.is_finite();
        (finite && enter < leave && start != end).then_some((start, end))
    }

    /// Takes off the round-off of a point that is meant to be on a side.
    fn nearest(&self, (x, y): Point) -> Point {
        (
            x.clamp(self.left, self.right),
            y.clamp(self.top, self.bottom),
        )
    }

    /// The part of a convex polygon inside the rectangle (I. Sutherland and G. Hodgman 1974); empty when there is none.
    pub(super) fn clip_polygon(&self, corners: &[Point]) -> Vec<Point> {
        let left = cut(corners, |corner| corner.0 - self.left);
        let right = cut(&left, |corner| self.right - corner.0);
        let top = cut(&right, |corner| corner.1 - self.top);
        let inside = cut(&top, |corner| self.bottom - corner.1);
        inside
            .into_iter()
            .map(|corner| self.nearest(corner))
            .collect()
    }
}

/// The part of a polygon where `inside`, an affine function, is not negative.
fn cut(corners: &[Point], inside: impl Fn(Point) -> f64) -> Vec<Point> {
    let mut kept = Vec::new();
    for (index, &corner) in corners.iter().enumerate() {
        let next = corners[(index + 1) % corners.len()];
        let (here, there) = (inside(corner), inside(next));
        if here >= 0.0 {
            kept.push(corner);
        }
        if here * there < 0.0 {
            let share = here / (here - there);
            kept.push((
                corner.0 + share * (next.0 - corner.0),
                corner.1 + share * (next.1 - corner.1),
            ));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 1.0,
        bottom: 1.0,
    };

    #[test]
    fn a_segment_ends_exactly_on_the_sides() {
        let parts = UNIT.clip_line(&[(-0.5, 0.25), (1.5, 0.75)]);
        assert_eq!(parts, [[(0.0, 0.375), (1.0, 0.625)]]);
        let parts = UNIT.clip_line(&[(0.3, 0.1), (0.7, -0.3)]);
        assert_eq!(parts[0][0], (0.3, 0.1));
        assert_eq!(parts[0][1].1, 0.0);
    }

    #[test]
    fn a_line_that_leaves_and_comes_back_has_two_parts() {
        let parts = UNIT.clip_line(&[
            (0.5, 0.5),
            (1.5, 0.5),
            (1.5, 0.75),
            (0.5, 0.75),
            (0.25, 0.75),
        ]);
        let first = vec![(0.5, 0.5), (1.0, 0.5)];
        let second = vec![(1.0, 0.75), (0.5, 0.75), (0.25, 0.75)];
        assert_eq!(parts, [first, second]);
    }

    #[test]
    fn lines_outside_and_those_that_touch_a_corner_have_no_part() {
        for line in [
            [(1.5, 0.0), (1.5, 1.0)],
            [(-0.5, 0.5), (0.5, -0.5)],
            [(-1.0, 0.5), (0.5, -1.5)],
            [(0.5, 0.5), (0.5, 0.5)],
            [(0.5, 0.5), (f64::NAN, 0.5)],
            [(0.5, f64::INFINITY), (0.5, 0.5)],
        ] {
            assert!(UNIT.clip_line(&line).is_empty(), "{line:?}");
        }
    }

    #[test]
    fn a_line_along_a_side_is_kept() {
        let side = vec![(1.0, 0.0), (1.0, 1.0)];
        assert_eq!(UNIT.clip_line(&side), [side]);
    }

    #[test]
    fn a_triangle_over_a_side_becomes_a_trapezium() {
        let corners = UNIT.clip_polygon(&[(0.5, 0.25), (1.5, 0.5), (0.5, 0.75)]);
        assert_eq!(
            corners,
            [(0.5, 0.25), (1.0, 0.375), (1.0, 0.625), (0.5, 0.75)]
        );
        assert!(
            UNIT.clip_polygon(&[(2.0, 0.0), (3.0, 0.0), (2.5, 1.0)])
                .is_empty()
        );
    }
}
