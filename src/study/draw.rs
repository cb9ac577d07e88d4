//! Drawing of fields, shared by the studies: profiles in 1-D, heat maps in 2-D, the middle slice in 3-D.

use crate::figure::{Axis, Colours, Curves, Figure, HeatMap, Panel, Scale, Series, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltTorus;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::interpolation::Interpolant;
use mirrorflow_solvers::resample::refine;
use ndarray::Array2;

/// A potential and its marginal at some instant.
pub struct Snapshot {
    pub label: String,
    /// Periodic part, C order.
    pub p: Vec<f64>,
    pub rho: Vec<f64>,
}

/// Densities and potentials of `snapshots` beside the source and target densities. `potential` is the potential's symbol.
pub fn snapshots(
    built: &BuiltTorus,
    name: &str,
    caption: &str,
    potential: &str,
    snapshots: &[Snapshot],
) -> Figure {
    let torus = &built.torus;
    let density = |f: Vec<f64>| f.iter().map(|f| (-f).exp()).collect::<Vec<_>>();
    let (source, target) = (
        density(built.source.on(torus)),
        density(built.target.on(torus)),
    );
    let rows = if torus.dimension() == 1 {
        vec![profiles(potential, &source, &target, snapshots)]
    } else {
        maps(torus, &source, &target, snapshots)
    };
    Figure {
        name: name.to_owned(),
        title: None,
        rows,
        caption: format!("{caption}{}.", slice_note(torus)),
    }
}

fn profiles(potential: &str, source: &[f64], target: &[f64], snapshots: &[Snapshot]) -> Vec<Panel> {
    let mut densities = vec![
        profile("e^{−f}", source, Style::Dashed, 4),
        profile("e^{−g}", target, Style::Dotted, 7),
    ];
    densities.extend(
        snapshots
            .iter()
            .enumerate()
            .map(|(k, s)| profile(&format!("ρ, {}", s.label), &s.rho, Style::Line, colour(k))),
    );
    let potentials = snapshots
        .iter()
        .enumerate()
        .map(|(k, s)| profile(&s.label, &s.p, Style::Line, colour(k)))
        .collect();
    vec![
        profile_panel("densities", "density", densities),
        profile_panel("potentials", potential, potentials),
    ]
}

/// Colour of the k-th of several curves of one kind; black and grey are for what they are compared with.
pub fn colour(k: usize) -> usize {
    let colours = [0, 1, 2, 3, 5, 6];
    colours[k % colours.len()]
}

/// A panel of functions of x on the circle.
pub fn profile_panel(title: &str, y: &str, series: Vec<Series>) -> Panel {
    Panel::Curves(Curves {
        title: title.to_owned(),
        x: axis("x", Scale::Linear),
        y: axis(y, Scale::Linear),
        series,
        guides: Vec::new(),
    })
}

/// Up to two instants share rows with the source (densities) and target (potentials); more get rows of three.
fn maps(torus: &Torus, source: &[f64], target: &[f64], snapshots: &[Snapshot]) -> Vec<Vec<Panel>> {
    let density = |s: &Snapshot| {
        let title = format!("ρ, {}", s.label);
        map(torus, &title, &s.rho, Colours::Sequential)
    };
    let potential = |s: &Snapshot| {
        let title = format!("p, {}", s.label);
        map(torus, &title, &s.p, Colours::Diverging)
    };
    let ends = [("e^{−f}", source), ("e^{−g}", target)]
        .map(|(title, values)| map(torus, title, values, Colours::Sequential));
    if snapshots.len() <= 2 {
        let [source, target] = ends;
        let densities = std::iter::once(source).chain(snapshots.iter().map(density));
        let potentials = std::iter::once(target).chain(snapshots.iter().map(potential));
        return vec![densities.collect(), potentials.collect()];
    }
    let mut rows = vec![ends.to_vec()];
    for some in snapshots.chunks(3) {
        rows.push(some.iter().map(density).collect());
        rows.push(some.iter().map(potential).collect());
    }
    rows
}

/// The array `y` of a record against its array `x`.
pub fn recorded(
    record: &Record,
    (x, y): (&str, &str),
    label: &str,
    style: Style,
    colour: usize,
) -> Result<Series, RecordError> {
    let (x, y) = (record.values(x)?, record.values(y)?);
    Ok(Series {
        label: label.to_owned(),
        points: x.iter().copied().zip(y.iter().copied()).collect(),
        style,
        colour,
    })
}

/// A figure of one panel without guides.
pub fn one_panel(name: &str, x: Axis, y: Axis, series: Vec<Series>, caption: String) -> Figure {
    Figure {
        name: name.to_owned(),
        title: None,
        rows: vec![vec![Panel::Curves(Curves {
            title: String::new(),
            x,
            y,
            series,
            guides: Vec::new(),
        })]],
        caption,
    }
}

/// An axis.
pub fn axis(label: &str, scale: Scale) -> Axis {
    Axis {
        label: label.to_owned(),
        scale,
    }
}

/// A number with three significant digits, plain where that is short.
pub fn three_digits(value: f64) -> String {
    let digits = 2 - value.abs().max(f64::MIN_POSITIVE).log10().floor() as i32;
    if (0..=5).contains(&digits) {
        format!("{value:.*}", digits.cast_unsigned() as usize)
    } else {
        format!("{value:.2e}")
    }
}

/// Points of a drawn profile at least.
const SMOOTH: usize = 512;

/// The trigonometric interpolant of a periodic function, fine enough to look smooth, closed at x = 1.
pub fn profile(label: &str, values: &[f64], style: Style, colour: usize) -> Series {
    let n = values.len() * SMOOTH.div_ceil(values.len());
    let circle = |n: usize| Torus::new(&[n]).expect("a multiple of a grid is a grid");
    let values = refine(&circle(values.len()), values, &circle(n));
    Series {
        label: label.to_owned(),
        points: (0..=n)
            .map(|i| (i as f64 / n as f64, values[i % n]))
            .collect(),
        style,
        colour,
    }
}

/// Heat map of a field; of its slice at the middle of the third axis in 3-D.
pub fn map(torus: &Torus, title: &str, values: &[f64], colours: Colours) -> Panel {
    Panel::HeatMap(HeatMap {
        title: title.to_owned(),
        x: "x".into(),
        y: "y".into(),
        values: slice(torus, values),
        colour_bar: String::new(),
        colours,
    })
}

/// What a caption must say of a heat map in three dimensions.
pub fn slice_note(torus: &Torus) -> &'static str {
    if torus.dimension() == 3 {
        "; slice z = 1/2"
    } else {
        ""
    }
}

/// The field itself in 2-D, its slice at the middle of the third axis in 3-D.
pub fn slice(torus: &Torus, values: &[f64]) -> Array2<f64> {
    let points = torus.points();
    let depth = points.get(2).copied().unwrap_or(1);
    Array2::from_shape_fn((points[0], points[1]), |(i, j)| {
        values[(i * points[1] + j) * depth + depth / 2]
    })
}

/// ∇p at the nodes.
pub fn gradient(torus: &Torus, p: &[f64]) -> Vec<Vec<f64>> {
    let mut gradient = vec![vec![0.0; torus.len()]; torus.dimension()];
    Spectral::new(torus).gradient(p, &mut gradient);
    gradient
}

/// Lines of the mesh along each axis, and points on each.
const MESH_LINES: usize = 20;
const MESH_POINTS: usize = 200;

/// Image under `x + displacement(x)` of the lines x = const and y = const of a regular mesh.
pub fn mesh(torus: &Torus, displacement: &[Vec<f64>]) -> Vec<Vec<(f64, f64)>> {
    let map = Map::new(torus, displacement);
    let along = |k: usize| k as f64 / MESH_POINTS as f64;
    let across = |k: usize| k as f64 / MESH_LINES as f64;
    let line = |point: &dyn Fn(usize) -> (f64, f64)| -> Vec<(f64, f64)> {
        map.images(&(0..=MESH_POINTS).map(point).collect::<Vec<_>>())
    };
    (0..MESH_LINES)
        .flat_map(|k| {
            [
                line(&|s| (across(k), along(s))),
                line(&|s| (along(s), across(k))),
            ]
        })
        .collect()
}

/// Images of every second crossing of that mesh along each axis.
pub fn crossings(torus: &Torus, displacement: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let half = MESH_LINES / 2;
    let across = |k: usize| k as f64 / half as f64;
    let all = (0..half * half).map(|k| (across(k / half), across(k % half)));
    Map::new(torus, displacement).images(&all.collect::<Vec<_>>())
}

/// A map of the plane (of the middle slice in 3-D) between the nodes, by its interpolant.
struct Map {
    interpolant: Interpolant,
    dimension: usize,
}

impl Map {
    fn new(torus: &Torus, displacement: &[Vec<f64>]) -> Self {
        let fields: Vec<&[f64]> = displacement[..2].iter().map(Vec::as_slice).collect();
        Self {
            interpolant: Interpolant::new(torus, &fields),
            dimension: torus.dimension(),
        }
    }

    fn images(&self, points: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let mut coordinates = vec![vec![0.5; points.len()]; self.dimension];
        coordinates[0] = points.iter().map(|p| p.0).collect();
        coordinates[1] = points.iter().map(|p| p.1).collect();
        let (mut x, mut y) = (vec![0.0; points.len()], vec![0.0; points.len()]);
        self.interpolant
            .evaluate(&coordinates, &mut [&mut x, &mut y]);
        let moved = points.iter().zip(x.iter().zip(&y));
        moved.map(|(p, (x, y))| (p.0 + x, p.1 + y)).collect()
    }
}
