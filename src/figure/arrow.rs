//! One arrow on the page.

use super::canvas::{Canvas, Drawn, Point, Rect, Stroke};
use super::markers::regular;
use super::style::INK;

/// Length and half width of the head, in lengths of the arrow.
const HEAD: f64 = 0.34;
const HALF_HEAD: f64 = 0.14;

/// Width of the shaft: in lengths of the arrow, and at most.
const SHAFT: f64 = 0.12;
const WIDEST_SHAFT: f64 = 1.2;

/// Arrows shorter than this are dots.
const LEAST: f64 = 2.0;
const DOT: f64 = 1.0;

/// Draws an arrow about its middle, cut off at the sides of `frame`.
pub(super) fn draw(canvas: &Canvas<'_>, middle: Point, step: Point, frame: &Rect) -> Drawn {
    let Shape { shaft, solid } = shape(middle, step);
    let width = (SHAFT * step.0.hypot(step.1)).min(WIDEST_SHAFT);
    for part in shaft.iter().flat_map(|shaft| frame.clip_line(shaft)) {
        canvas.line(&part, Stroke::solid(INK, width))?;
    }
    let corners = frame.clip_polygon(&solid);
    if corners.len() < 3 {
        return Ok(());
    }
    canvas.polygon(&corners, INK)
}

/// A line, if any, and the filled polygon of the head or the dot.
#[derive(Debug)]
struct Shape {
    shaft: Option<[Point; 2]>,
    solid: Vec<Point>,
}

fn shape(middle: Point, step: Point) -> Shape {
    if step.0.hypot(step.1) < LEAST {
        let corner = |(x, y)| (middle.0 + x, middle.1 + y);
        let solid = regular(8, DOT, 0.0).into_iter().map(corner).collect();
        return Shape { shaft: None, solid };
    }
    // At a share of the arrow from its middle forwards, and to its side.
    let at = |along: f64, aside: f64| {
        (
            middle.0 + along * step.0 - aside * step.1,
            middle.1 + along * step.1 + aside * step.0,
        )
    };
    let neck = 0.5 - HEAD;
    Shape {
        shaft: Some([at(-0.5, 0.0), at(neck, 0.0)]),
        solid: vec![at(0.5, 0.0), at(neck, HALF_HEAD), at(neck, -HALF_HEAD)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn distance(from: Point, to: Point) -> f64 {
        (to.0 - from.0).hypot(to.1 - from.1)
    }

    #[test]
    fn an_arrow_has_its_length_and_a_head_in_proportion() {
        for scale in [1.0, 3.0] {
            let step = (6.0 * scale, -8.0 * scale);
            let Shape { shaft, solid } = shape((100.0, 50.0), step);
            let [tail, neck] = shaft.expect("a shaft");
            assert_relative_eq!(distance(tail, solid[0]), 10.0 * scale, epsilon = 1e-12);
            assert_relative_eq!(distance(neck, solid[0]), 3.4 * scale, epsilon = 1e-12);
            assert_relative_eq!(distance(solid[1], solid[2]), 2.8 * scale, epsilon = 1e-12);
            assert!(solid[0].1 < tail.1, "it points upwards on the page");
        }
    }

    #[test]
    fn a_short_arrow_is_a_dot() {
        let Shape { shaft, solid } = shape((1.0, 1.0), (1.9, 0.0));
        assert!(shaft.is_none());
        assert!(solid.iter().all(|&at| distance(at, (1.0, 1.0)) < 1.01));
        assert!(shape((1.0, 1.0), (2.1, 0.0)).shaft.is_some());
    }
}
