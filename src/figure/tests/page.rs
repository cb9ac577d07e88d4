//! A page of three panels in a row, as in a paper: curves, a mesh, curves with many labels.

use super::*;
use std::f64::consts::TAU;

fn axis(label: &str, scale: Scale) -> Axis {
    Axis {
        label: label.to_owned(),
        scale,
    }
}

fn series(
    label: &str,
    colour: usize,
    style: Style,
    points: impl Iterator<Item = (f64, f64)>,
) -> Series {
    Series {
        label: label.to_owned(),
        points: points.collect(),
        style,
        colour,
    }
}

/// Seven errors over ε with their orders.
pub(in crate::figure) fn orders() -> Panel {
    let errors = [
        ("sup|p^{ε} − p_{t}|", 0.31, 1.0),
        ("sup|∇p^{ε} − ∇p_{t}|", 2.0, 0.97),
        ("sup|p^{ε} − p_{t} − εr_{t}|", 5.2, 1.95),
        ("sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}|", 38.0, 0.93),
        ("W_{2}(ρ^{ε}, ρ_{t})", 0.16, 1.04),
        ("LOT(ρ^{ε}, ρ_{t})", 0.165, 1.04),
        ("KL(ρ^{ε} | ρ_{t})", 0.55, 2.08),
    ];
    let epsilons = [1.25e-3, 2.5e-3, 5e-3, 1e-2];
    let of = |(colour, (label, size, order)): (usize, &(&str, f64, f64))| {
        let points = epsilons.map(|epsilon: f64| (epsilon, size * epsilon.powf(*order)));
        series(label, colour, Style::LineMarkers, points.into_iter())
    };
    let guide = |slope, label: &str, beside| SlopeGuide {
        slope,
        label: label.to_owned(),
        beside,
    };
    Panel::Curves(Curves {
        title: "orders".to_owned(),
        x: axis("ε", Scale::Log),
        y: axis("distance to the limit", Scale::Log),
        series: errors.iter().enumerate().map(of).collect(),
        guides: vec![guide(1.0, "ε", 0), guide(2.0, "ε^{2}", 2)],
    })
}

/// The image of a mesh of 24 × 24 lines under x + ∇φ(x).
pub(in crate::figure) fn mesh() -> Panel {
    let map = |x: f64, y: f64| {
        let (u, v) = (TAU * x, TAU * (x + y));
        let (a, b) = (0.055 * u.sin() + 0.03 * v.cos(), 0.03 * v.cos());
        (x + a, y + b)
    };
    let lines = (0..24).map(|k| f64::from(k) / 24.0).flat_map(|at| {
        let steps = || (0..=96).map(|step| f64::from(step) / 96.0);
        [
            steps().map(|s| map(at, s)).collect(),
            steps().map(|s| map(s, at)).collect(),
        ]
    });
    let [title, x, y] = ["mesh at t = 0.1", "x", "y"].map(str::to_owned);
    Panel::Mesh(Mesh {
        title,
        x,
        y,
        lines: lines.collect(),
        markers: vec![(0.3, 0.4), (0.99, 0.01), (-0.2, 1.7)],
        background: Some(field()),
        colour_bar: "ρ_{t}".to_owned(),
        line_label: "image of the mesh".to_owned(),
        marker_label: "least det".to_owned(),
    })
}

fn field() -> Array2<f64> {
    let wave = |index: usize| (TAU * index as f64 / 32.0).sin();
    Array2::from_shape_fn((32, 32), |(i, j)| (0.8 * wave(i) + 0.5 * wave(i + j)).exp())
}

/// A rotating field with a stagnation point in the middle.
pub(in crate::figure) fn quiver() -> Panel {
    let node = |index: usize| (0.5 + index as f64) / 16.0;
    let arrow = |(i, j): (usize, usize)| {
        let at = (node(i), node(j));
        let vector = ((TAU * at.1).sin(), (TAU * at.0).cos());
        Arrow { at, vector }
    };
    let [title, x, y] = ["velocity", "x", "y"].map(str::to_owned);
    Panel::Quiver(Quiver {
        title,
        x,
        y,
        arrows: (0..256).map(|k| arrow((k / 16, k % 16))).collect(),
        background: Some(field()),
        colour_bar: "ρ".to_owned(),
        scale_label: "|v| = 1.41".to_owned(),
    })
}

/// Eight errors that decay at different rates, and a bound.
pub(in crate::figure) fn decay() -> Panel {
    let times = || (0..=40).map(|step| 0.025 * f64::from(step));
    let of = |k: u8| {
        let rate = 4.0 + 2.0 * f64::from(k);
        let label = format!("n = {}", 16_u32 << k);
        let points = times().map(move |t| (t, 0.3 * (-rate * t).exp() + 1e-9));
        series(&label, usize::from(k), Style::Line, points)
    };
    let mut all: Vec<Series> = (0..7).map(of).collect();
    let bound = times().map(|t| (t, (-3.0 * t).exp()));
    all.push(series("bound e^{−λt}", 7, Style::Dashed, bound));
    Panel::Curves(Curves {
        title: "decay to the steady state".to_owned(),
        x: axis("t", Scale::Linear),
        y: axis("‖p − p_{∞}‖", Scale::Log),
        series: all,
        guides: Vec::new(),
    })
}

/// Writes pages to be looked at into the folder `FIGURES`.
#[test]
#[ignore = "for looking at: FIGURES=/tmp cargo test --release --lib figure -- --ignored"]
fn pages_to_look_at() {
    let folder = std::env::var("FIGURES").expect("the folder to write to");
    for (name, row) in [
        ("two", vec![orders(), mesh()]),
        ("three", vec![orders(), mesh(), decay()]),
        ("curves", vec![orders(), decay(), decay()]),
        ("short", vec![decay(), decay(), decay()]),
        ("squares", vec![mesh(), quiver()]),
        ("one", vec![quiver()]),
    ] {
        let png = figure(vec![row]).png().expect("a bitmap");
        std::fs::write(format!("{folder}/{name}.png"), png).expect("a writable folder");
    }
}
