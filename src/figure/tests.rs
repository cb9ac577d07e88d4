use super::*;
use ndarray::Array2;

pub(in crate::figure) mod page;
mod read_back;
mod squares;

fn curves(scale: Scale, points: &[Vec<(f64, f64)>]) -> Panel {
    let axis = |label: &str| Axis {
        label: label.to_owned(),
        scale,
    };
    let series = |(colour, points): (usize, &Vec<(f64, f64)>)| Series {
        label: format!("e_{{{colour}}}^{{ε}}"),
        points: points.clone(),
        style: [
            Style::Line,
            Style::Dashed,
            Style::Dotted,
            Style::Markers,
            Style::LineMarkers,
            Style::HollowMarkers,
        ][colour % 6],
        colour,
    };
    Panel::Curves(Curves {
        title: "orders".to_owned(),
        x: axis("ε"),
        y: axis("error < 1 & > 0"),
        series: points.iter().enumerate().map(series).collect(),
        guides: vec![
            SlopeGuide {
                slope: 2.0,
                label: "ε^{2}".to_owned(),
                beside: 0,
            },
            SlopeGuide {
                slope: 1.0,
                label: "ε".to_owned(),
                beside: 99,
            },
        ],
    })
}

fn heat_map(values: Array2<f64>, colours: Colours) -> Panel {
    let [title, x, y, colour_bar] = ["ρ_{t}", "x", "y", "ρ"].map(str::to_owned);
    Panel::HeatMap(HeatMap {
        title,
        x,
        y,
        values,
        colour_bar,
        colours,
    })
}

pub(in crate::figure) fn figure(rows: Vec<Vec<Panel>>) -> Figure {
    Figure {
        name: "test".to_owned(),
        title: None,
        rows,
        caption: String::new(),
    }
}

fn typical() -> Figure {
    let points = [1.0, 2.0].map(|order: f64| {
        [1e-3, 2e-3, 5e-3, 1e-2]
            .map(|epsilon: f64| (epsilon, epsilon.powf(order)))
            .to_vec()
    });
    let field = Array2::from_shape_fn((16, 16), |(i, j)| {
        (i as f64 * 0.4).sin() + (j as f64 * 0.4).cos()
    });
    figure(vec![vec![
        curves(Scale::Log, &points),
        heat_map(field, Colours::Diverging),
    ]])
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    let rendering = typical().render().expect("a rendering");
    assert_eq!(rendering, typical().render().expect("a rendering"));
    assert_eq!(rendering.svg, typical().svg().expect("a drawing"));
    assert_eq!(rendering.png, typical().png().expect("a bitmap"));
}

#[test]
fn text_is_outlined_and_the_drawing_scales() {
    let svg = typical().svg().expect("a drawing");
    assert!(!svg.contains("<text") && !svg.contains("font-family"));
    assert!(
        svg.starts_with("<svg viewBox=\"0 0 1020 "),
        "{}",
        &svg[..80]
    );
    assert!(svg.len() < 400_000, "{} bytes", svg.len());
}

/// Whether the outermost pixels are all white, so that nothing reaches over the edge.
fn has_white_border(png: &[u8]) -> bool {
    let pixmap = resvg::tiny_skia::Pixmap::decode_png(png).expect("a PNG");
    let (width, height) = (pixmap.width(), pixmap.height());
    let white = |x, y| {
        pixmap
            .pixel(x, y)
            .is_some_and(|pixel| pixel.red() == 255 && pixel.blue() == 255)
    };
    (0..width).all(|x| white(x, 0) && white(x, height - 1))
        && (0..height).all(|y| white(0, y) && white(width - 1, y))
}

#[test]
fn the_bitmap_has_two_pixels_for_each_unit_of_the_drawing() {
    let png = typical().png().expect("a bitmap");
    let pixmap = resvg::tiny_skia::Pixmap::decode_png(&png).expect("a PNG");
    assert_eq!(pixmap.width(), 2040);
}

#[test]
fn nothing_is_cut_off() {
    assert!(has_white_border(&typical().png().expect("a bitmap")));
    let words = "a title of many words that needs several lines over its panel";
    let mut long = curves(
        Scale::Log,
        &[vec![(1e-9, 1e-300), (1.0, 1e250)], vec![(1.0, 3.0)]],
    );
    let Panel::Curves(panel) = &mut long else {
        unreachable!("curves")
    };
    panel.title = words.to_owned();
    panel.y.label = words.to_owned();
    panel.series[1].label = words[..40].to_owned();
    let map = heat_map(Array2::from_elem((3, 5), -123_456.0), Colours::Sequential);
    let mut crowded = figure(vec![vec![long.clone(), map, long.clone()], vec![long]]);
    assert!(has_white_border(&crowded.png().expect("a bitmap")));
    crowded.title = Some(words.repeat(3));
    assert!(has_white_border(&crowded.png().expect("a bitmap")));
}

#[test]
fn a_figure_without_panels_is_refused() {
    for rows in [vec![], vec![vec![], vec![]]] {
        let error = figure(rows).svg().expect_err("nothing to draw");
        assert!(
            error.to_string().contains("`test` has no panels"),
            "{error}"
        );
    }
}

#[test]
fn degenerate_data_are_drawn_without_panic() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let data: [&[Vec<(f64, f64)>]; 8] = [
        &[],
        &[vec![]],
        &[vec![(0.5, 0.5)]],
        &[vec![(0.5, 0.5); 4], vec![(0.5, 0.5); 2]],
        &[vec![(nan, 1.0), (1.0, inf), (2.0, -inf)]],
        &[vec![(0.0, 0.0), (1.0, -1.0), (2.0, 1e-300), (3.0, 1e300)]],
        &[vec![(1e-310, 5e-324), (1e-300, 1e-320)]],
        &[
            vec![(-1e300, 1e299), (1e300, f64::MAX)],
            vec![(1.0, 1.0), (nan, nan), (1.0, 1.0 + 1e-15)],
        ],
    ];
    for points in data {
        for scale in [Scale::Linear, Scale::Log] {
            let svg = figure(vec![vec![curves(scale, points)]]).svg();
            assert!(
                svg.is_ok_and(|svg| !svg.contains("NaN")),
                "{points:?} on {scale:?} axes"
            );
        }
    }
    for values in [
        Array2::zeros((4, 4)),
        Array2::from_elem((1, 1), nan),
        Array2::zeros((0, 3)),
    ] {
        assert!(
            figure(vec![vec![heat_map(values, Colours::Sequential)]])
                .png()
                .is_ok()
        );
    }
}
