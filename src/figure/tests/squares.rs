//! Meshes and arrows as whole figures.

use super::*;
use std::collections::BTreeSet;

#[test]
fn squares_with_lines_and_arrows_are_drawn_the_same_again() {
    let page = || figure(vec![vec![page::orders(), page::mesh(), page::quiver()]]);
    let rendering = page().render().expect("a rendering");
    assert_eq!(rendering, page().render().expect("a rendering"));
    assert!(has_white_border(&rendering.png));
    assert!(rendering.svg.starts_with("<svg viewBox=\"0 0 1200 "));
}

/// Pixels with the colour of ink in the bitmap of one panel.
fn inked(panel: Panel) -> BTreeSet<(u32, u32)> {
    let png = figure(vec![vec![panel]]).png().expect("a bitmap");
    let pixmap = resvg::tiny_skia::Pixmap::decode_png(&png).expect("a PNG");
    let width = pixmap.width();
    let dark = (0..).zip(pixmap.pixels()).filter(|(_, at)| at.red() < 60);
    dark.map(|(index, _)| (index % width, index / width))
        .collect()
}

/// A mesh of lines alone.
fn lines(lines: Vec<Vec<(f64, f64)>>) -> Panel {
    let label = String::new;
    Panel::Mesh(Mesh {
        title: label(),
        x: label(),
        y: label(),
        lines,
        markers: Vec::new(),
        background: None,
        colour_bar: label(),
        line_label: label(),
        marker_label: label(),
    })
}

fn arrows(arrows: Vec<Arrow>) -> Panel {
    let label = String::new;
    Panel::Quiver(Quiver {
        title: label(),
        x: label(),
        y: label(),
        arrows,
        background: None,
        colour_bar: label(),
        scale_label: label(),
    })
}

#[test]
fn lines_and_arrows_stay_inside_the_frame() {
    let bent = |(x, y)| vec![(x + 0.4, y + 0.3), (x, y), (x, y - 0.6)];
    let vector = |at| Arrow {
        at,
        vector: (1.0, -1.0),
    };
    let places = [(0.95, 0.2), (0.5, 0.05), (1.3, -0.2), (0.0, 0.0)];
    let frame = inked(lines(Vec::new()));
    // A row and a column of pixels away from ticks and their labels.
    let across = || frame.iter().filter(|at| at.1 == 600).map(|at| at.0);
    let up = || frame.iter().filter(|at| at.0 == 800).map(|at| at.1);
    let sides = across().min().zip(across().max()).expect("two sides");
    let levels = up().min().zip(up().max()).expect("a top and a bottom");
    assert!(sides.1 - sides.0 > 800 && levels.1 - levels.0 > 800);
    for panel in [
        lines(places.map(bent).to_vec()),
        arrows(places.map(vector).to_vec()),
    ] {
        let new = &inked(panel) - &frame;
        assert!(new.len() > 500, "{} pixels", new.len());
        for (x, y) in new {
            let inside = (sides.0..=sides.1).contains(&x) && (levels.0..=levels.1).contains(&y);
            assert!(inside, "({x}, {y})");
        }
    }
}

#[test]
fn degenerate_squares_are_drawn_without_panic() {
    for background in [
        Array2::zeros((4, 4)),
        Array2::from_elem((1, 1), f64::NAN),
        Array2::zeros((0, 3)),
    ] {
        let svg = figure(vec![degenerate(background)]).svg();
        assert!(svg.is_ok_and(|svg| !svg.contains("NaN")));
    }
}

/// A mesh and arrows of nothing but values that cannot be drawn.
fn degenerate(background: Array2<f64>) -> Vec<Panel> {
    let bad = [f64::NAN, f64::INFINITY, -1e300, 1e300, 0.0, 5e-324];
    let points = || bad.into_iter().flat_map(|x| bad.map(|y| (x, y)));
    let (Panel::Mesh(mut mesh), Panel::Quiver(mut quiver)) = (page::mesh(), page::quiver()) else {
        unreachable!("a mesh and arrows")
    };
    mesh.lines = vec![points().collect(), Vec::new(), vec![(0.5, 0.5)]];
    mesh.markers = points().collect();
    mesh.background = Some(background);
    let arrow = |at| Arrow { at, vector: at };
    quiver.arrows = points().map(arrow).collect();
    vec![Panel::Mesh(mesh), Panel::Quiver(quiver)]
}
