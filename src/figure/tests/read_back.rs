//! What a reader sees, read back from the drawing: slopes, places, colours of curves and of their labels, orientation of maps.

use super::*;
use crate::figure::style::{GUIDE, as_text, palette};

type Place = (f64, f64);

/// Paths of the drawing: colour of the stroke, colour of the filling, points.
struct Path {
    stroke: String,
    fill: String,
    points: Vec<Place>,
}

fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let from = element
        .split_once(&format!(" {name}=\""))
        .map_or("", |(_, after)| after);
    from.split('"').next().unwrap_or("")
}

fn paths(figure: &Figure) -> Vec<Path> {
    let svg = figure.render().unwrap().svg;
    let elements = svg.split("<path").skip(1);
    let points = |d: &str| {
        let numbers: Vec<f64> = d.split(' ').filter_map(|word| word.parse().ok()).collect();
        numbers
            .chunks_exact(2)
            .map(|pair| (pair[0], pair[1]))
            .collect()
    };
    let path = |element: &str| Path {
        stroke: attribute(element, "stroke").to_owned(),
        fill: attribute(element, "fill").to_owned(),
        points: points(attribute(element, "d")),
    };
    elements.map(path).collect()
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The longest line of a colour.
fn line(paths: &[Path], colour: [u8; 3]) -> Vec<Place> {
    let lines = paths.iter().filter(|path| path.stroke == hex(colour));
    let longest = lines.max_by_key(|path| path.points.len());
    longest.expect("a line of the colour").points.clone()
}

fn power_laws(orders: &[f64], guides: &[f64], label: impl Fn(usize) -> String) -> Figure {
    let axis = |label: &str| Axis {
        label: label.to_owned(),
        scale: Scale::Log,
    };
    let series = |(colour, order): (usize, &f64)| Series {
        label: label(colour),
        points: (0..12)
            .map(|k| 1e-3 * 1.4f64.powi(k))
            .map(|epsilon| (epsilon, 0.1 / (1.0 + colour as f64) * epsilon.powf(*order)))
            .collect(),
        style: Style::Line,
        colour,
    };
    let guide = |&slope: &f64| SlopeGuide {
        slope,
        label: String::new(),
        beside: 0,
    };
    figure(vec![vec![Panel::Curves(Curves {
        title: String::new(),
        x: axis("ε"),
        y: axis("error"),
        series: orders.iter().enumerate().map(series).collect(),
        guides: guides.iter().map(guide).collect(),
    })]])
}

fn steepness(line: &[Place]) -> f64 {
    let (first, last) = (line[0], line[line.len() - 1]);
    (last.1 - first.1) / (last.0 - first.0)
}

#[test]
fn a_guide_is_as_steep_as_a_power_law_of_its_slope() {
    for slope in [0.5, 1.0, 2.0] {
        let paths = paths(&power_laws(&[slope, 1.5], &[slope], |_| String::new()));
        let guides: Vec<&Path> = paths.iter().filter(|p| p.stroke == hex(GUIDE)).collect();
        assert_eq!(guides.len(), 1);
        let (law, guide) = (line(&paths, palette(0)), &guides[0].points);
        assert!(
            (steepness(guide) / steepness(&law) - 1.0).abs() < 0.02,
            "{slope}"
        );
        assert!(
            (steepness(guide) / steepness(&line(&paths, palette(1))) - slope / 1.5).abs() < 0.05
        );
    }
}

#[test]
fn a_curve_goes_where_its_points_are() {
    let paths = paths(&power_laws(&[1.0, 2.0], &[], |_| String::new()));
    let [first, second] = [0, 1].map(|colour| line(&paths, palette(colour)));
    // Equal steps of log ε are equal steps to the right, of a power law also upwards; ordinates of both curves are on one scale.
    let step = |line: &[Place], k: usize| (line[k + 1].0 - line[k].0, line[k + 1].1 - line[k].1);
    for k in 0..11 {
        let ((dx, dy), (ex, ey)) = (step(&first, k), step(&second, k));
        assert!(dx > 0.0 && (dx - ex).abs() <= 2.0);
        assert!(dy < 0.0 && (ey - 2.0 * dy).abs() <= 4.0, "{k}: {dy} {ey}");
    }
    let decade = 10f64.ln() / 1.4f64.ln() * -step(&first, 5).1;
    let apart = 2f64.log10() - (1e-3f64.log10());
    let drawn = (second[0].1 - first[0].1) / decade;
    assert!((drawn / apart - 1.0).abs() < 0.02, "{drawn} {apart}");
}

/// Every label is in the colour of its curve, and nearer to the end of its curve than to that of any other.
#[test]
fn labels_stand_at_the_ends_of_their_curves() {
    let names = |colour: usize| ["A", "B", "C"][colour].to_owned();
    let paths = paths(&power_laws(&[1.0, 2.0, 1.5], &[], names));
    let ends: Vec<Place> = (0..3)
        .map(|colour| *line(&paths, palette(colour)).last().unwrap())
        .collect();
    for colour in 0..3 {
        let text = hex(as_text(palette(colour)));
        let letters: Vec<&Path> = paths
            .iter()
            .filter(|p| p.fill == text && p.stroke == "none")
            .collect();
        assert_eq!(
            letters.len(),
            1,
            "one letter in the colour of curve {colour}"
        );
        let height =
            letters[0].points.iter().map(|p| p.1).sum::<f64>() / letters[0].points.len() as f64;
        let nearest = (0..3).min_by(|&a, &b| {
            (ends[a].1 - height)
                .abs()
                .total_cmp(&(ends[b].1 - height).abs())
        });
        assert_eq!(nearest, Some(colour));
        assert!(letters[0].points.iter().all(|p| p.0 > ends[colour].0));
    }
    // The letters themselves differ: A has three straight strokes, C only bends.
    let complexity = |colour: usize| {
        let text = hex(as_text(palette(colour)));
        paths.iter().find(|p| p.fill == text).unwrap().points.len()
    };
    let shape = |letter: &str| {
        let alone = self::paths(&power_laws(&[1.0], &[], |_| letter.to_owned()));
        alone
            .iter()
            .find(|p| p.fill == hex(as_text(palette(0))))
            .unwrap()
            .points
            .len()
    };
    assert_eq!([0, 1, 2].map(complexity), ["A", "B", "C"].map(shape));
}

/// The greatest value of a map is drawn where it is: x to the right, y upwards.
#[test]
fn a_heat_map_has_x_to_the_right_and_y_upwards() {
    let (i, j) = (3, 9);
    let field = Array2::from_shape_fn((16, 16), |(a, b)| if (a, b) == (i, j) { 1.0 } else { 0.0 });
    let png = figure(vec![vec![heat_map(field, Colours::Sequential)]])
        .png()
        .unwrap();
    let pixmap = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    let (width, height) = (pixmap.width() as usize, pixmap.height() as usize);
    let pixel = |x: usize, y: usize| pixmap.pixels()[y * width + x];
    // Viridis begins in violet: the map is where that is, left of the colour bar.
    let violet = |x: usize, y: usize| {
        let p = pixel(x, y);
        p.red() < 80 && p.green() < 20 && p.blue() > 70
    };
    let all: Vec<(usize, usize)> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .filter(|&(x, y)| violet(x, y))
        .collect();
    let row = all.iter().filter(|p| p.1 == height / 3).map(|p| p.0);
    let (left, right) = (row.clone().min().unwrap(), row.max().unwrap());
    let column = all
        .iter()
        .filter(|p| p.0 == (left + right) / 2)
        .map(|p| p.1);
    let (top, bottom) = (column.clone().min().unwrap(), column.max().unwrap());
    let warm: Vec<(usize, usize)> = (top..bottom)
        .flat_map(|y| (left..right).map(move |x| (x, y)))
        .filter(|&(x, y)| pixel(x, y).green() > 180 && pixel(x, y).blue() < 120)
        .collect();
    assert!(!warm.is_empty());
    let mean = |along: &dyn Fn(&(usize, usize)) -> usize| {
        warm.iter().map(along).sum::<usize>() as f64 / warm.len() as f64
    };
    let x = (mean(&|p| p.0) - left as f64) / (right - left) as f64;
    let y = (bottom as f64 - mean(&|p| p.1)) / (bottom - top) as f64;
    assert!((x - i as f64 / 16.0).abs() < 0.05, "x = {x}");
    assert!((y - j as f64 / 16.0).abs() < 0.05, "y = {y}");
}

/// Ten curves of one colour have a key; nothing in it has another colour.
#[test]
fn samples_in_a_key_have_the_colour_of_their_curves() {
    let axis = |label: &str| Axis {
        label: label.to_owned(),
        scale: Scale::Linear,
    };
    let series = |k: usize| Series {
        label: format!("a rather long name for the curve {k}"),
        points: (0..5)
            .map(|x| (f64::from(x), f64::from(x) * (1.0 + 1e-3 * k as f64)))
            .collect(),
        style: Style::LineMarkers,
        colour: 3,
    };
    let paths = paths(&figure(vec![vec![Panel::Curves(Curves {
        title: String::new(),
        x: axis("x"),
        y: axis("y"),
        series: (0..10).map(series).collect(),
        guides: Vec::new(),
    })]]));
    for other in (0..8).filter(|&other| palette(other) != palette(3)) {
        assert!(
            paths.iter().all(|path| path.stroke != hex(palette(other))),
            "colour {other}"
        );
    }
    let samples = paths
        .iter()
        .filter(|path| path.stroke == hex(palette(3)) && path.points.len() == 2);
    assert!(samples.count() >= 10);
}
