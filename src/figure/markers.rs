//! Markers: each colour of the palette has a shape of its own, so that a figure can be read without its colours.

use std::f64::consts::TAU;

use super::canvas::{Canvas, Drawn, Point, Stroke};
use super::style::{MARKER_RADIUS, Rgb, WHITE};

/// A marker in the shape of place `index` of the palette. A hollow one lets through what lies under it.
pub(super) fn draw(
    canvas: &Canvas<'_>,
    centre: Point,
    index: usize,
    colour: Rgb,
    hollow: bool,
) -> Drawn {
    let rim = if hollow {
        Stroke::solid(colour, 1.6)
    } else {
        Stroke::solid(WHITE, 0.8)
    };
    match polygon(index) {
        None if hollow => canvas.ring(centre, MARKER_RADIUS, rim),
        None => {
            canvas.disc(centre, MARKER_RADIUS, colour)?;
            canvas.ring(centre, MARKER_RADIUS, rim)
        }
        Some(corners) => {
            let mut corners: Vec<Point> = corners
                .iter()
                .map(|(x, y)| (centre.0 + x, centre.1 + y))
                .collect();
            if !hollow {
                canvas.polygon(&corners, colour)?;
            }
            // Past the first corner once more, so that this corner is closed as well.
            corners.extend_from_within(..2);
            canvas.line(&corners, rim)
        }
    }
}

/// The corners about the origin; `None` is a disc. Sizes are chosen so that all shapes weigh about the same.
fn polygon(index: usize) -> Option<Vec<Point>> {
    let shape = |corners, size, turn| Some(regular(corners, MARKER_RADIUS * size, turn));
    match index % 8 {
        0 => None,
        1 => shape(4, 1.25, 0.125),
        2 => shape(3, 1.4, 0.75),
        3 => shape(4, 1.35, 0.0),
        4 => shape(3, 1.4, 0.25),
        5 => shape(5, 1.2, 0.75),
        6 => shape(3, 1.4, 0.0),
        _ => shape(6, 1.15, 0.0),
    }
}

/// A regular polygon, its first corner `turn` revolutions from the right, clockwise on the page.
pub(super) fn regular(corners: u32, radius: f64, turn: f64) -> Vec<Point> {
    let corner = |index| {
        let angle = TAU * (turn + f64::from(index) / f64::from(corners));
        (radius * angle.cos(), radius * angle.sin())
    };
    (0..corners).map(corner).collect()
}
