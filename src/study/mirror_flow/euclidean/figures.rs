//! Figures of the flows of functions: paths and decays of all mirrors beside each other, defects, orders.

use super::prefix;
use crate::figure::{Curves, Figure, Panel, Scale, Series, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltEuclidean;
use crate::study::draw;
use crate::study::short;
use mirrorflow_solvers::euclidean::Mirror;

/// Points of a closed form.
const SMOOTH: usize = 600;

pub fn draw(built: &BuiltEuclidean, record: &Record) -> Result<Vec<Figure>, RecordError> {
    let mirrors = built.problems.len();
    let parts: Vec<Record> = (0..mirrors).map(|k| record.part(&prefix(k))).collect();
    let page = Page {
        built,
        record,
        parts,
    };
    let mut figures = vec![page.decay()?, page.identities()?];
    if record.values("primal_time_error").is_ok() {
        figures.push(orders(record)?);
    }
    Ok(figures)
}

/// The record of a study with its parts by mirror.
pub struct Page<'a> {
    pub built: &'a BuiltEuclidean,
    record: &'a Record,
    pub parts: Vec<Record>,
}

impl Page<'_> {
    fn decay(&self) -> Result<Figure, RecordError> {
        let f = &self.built.objective;
        let (first, how) = if self.built.dimension() == 1 {
            let known = self.parts.iter().all(|part| part.array("exact").is_ok());
            let lines = if known {
                "closed forms"
            } else {
                "the computed flows"
            };
            (
                self.line()?,
                format!("Lines: {lines}; markers: the instants asked for"),
            )
        } else {
            let how =
                "Dotted: level sets of F; markers: the instants asked for; circle: the minimiser";
            (self.plane()?, how.to_owned())
        };
        Ok(Figure {
            name: "decay".into(),
            title: None,
            rows: vec![vec![first, self.distances()?]],
            caption: format!("Mirror flows of F = {f}, one for each mirror U. {how}."),
        })
    }

    /// x_t on plain axes.
    fn line(&self) -> Result<Panel, RecordError> {
        let mut series = Vec::new();
        for (k, part) in self.parts.iter().enumerate() {
            let label = self.label(k);
            let points = match self.closed(k, 0.0) {
                Some(points) => points,
                None => self.pairs("samples", part.values("path")?)?,
            };
            series.push(line(label, points, k));
            series.push(markers(self.pairs("times", part.values("x")?)?, k));
        }
        Ok(panel(
            "the flow",
            ("t", Scale::Linear),
            ("x_{t}", Scale::Linear),
            series,
        ))
    }

    pub fn label(&self, k: usize) -> String {
        format!("U = {}", self.built.labels[k])
    }

    /// How far the flow still has to go, on a logarithmic axis: straight lines are exponentials.
    fn distances(&self) -> Result<Panel, RecordError> {
        let plane = self.built.dimension() == 2;
        let (array, y) = if plane {
            ("gap", "F(x_{t}) − F(x_{∞})")
        } else {
            ("distance", "|x_{t} − x_{∞}|")
        };
        let mut series = Vec::new();
        for (k, part) in self.parts.iter().enumerate() {
            let Ok(values) = part.values(array) else {
                continue;
            };
            let law = self.law(k, part);
            let points = match (plane, self.closed(k, part.values("end")?[0])) {
                (false, Some(points)) => points,
                _ => self.pairs("samples", values)?,
            };
            series.push(line(law, visible(points, values), k));
            if !plane {
                let end = part.values("end")?[0];
                let near: Vec<f64> = part.values("x")?.iter().map(|x| (x - end).abs()).collect();
                series.push(markers(self.pairs("times", &near)?, k));
            }
        }
        if plane && let Some(bound) = self.bound()? {
            series.push(bound);
        }
        Ok(panel(
            "how far it still is",
            ("t", Scale::Linear),
            (y, Scale::Log),
            series,
        ))
    }

    /// `D_0/t` of the first mirror.
    fn bound(&self) -> Result<Option<Series>, RecordError> {
        let Ok(divergence) = self.parts[0].values("divergence") else {
            return Ok(None);
        };
        let samples = self.record.values("samples")?;
        let late = samples.iter().skip(samples.len() / 20);
        Ok(Some(Series {
            label: format!("D_{{U}}(x_{{∞}}, x_{{0}})/t, {}", self.label(0)),
            points: late.map(|&t| (t, divergence[0] / t)).collect(),
            style: Style::Dashed,
            colour: 0,
        }))
    }

    /// `|x(t) − end|` in closed form, densely at an arrival; `end` 0 for x(t) itself.
    fn closed(&self, k: usize, end: f64) -> Option<Vec<(f64, f64)>> {
        let (problem, part) = (&self.built.problems[k], &self.parts[k]);
        let horizon = *self.record.values("times").ok()?.last()?;
        let mut times: Vec<f64> = (0..=SMOOTH)
            .map(|j| horizon * j as f64 / SMOOTH as f64)
            .collect();
        if let Ok(arrival) = part.number("arrival_time") {
            let before = (1..=56).map(|j| arrival * (1.0 - 10f64.powf(-f64::from(j) / 8.0)));
            times.extend(before.filter(|t| *t < horizon));
            times.sort_by(f64::total_cmp);
        }
        let at = |&t: &f64| Some((t, problem.exact(t)? - end));
        times.iter().map(at).collect()
    }

    /// The law of a decay, in words or in closed form.
    fn law(&self, k: usize, part: &Record) -> String {
        let problem = &self.built.problems[k];
        let unit = problem.start()[0] == 1.0 && problem.is_half_square();
        match problem.mirror() {
            Mirror::Quadratic(1) if unit => return "e^{−t}".into(),
            Mirror::Quartic if unit => return "√(1 − t/6)".into(),
            Mirror::Reciprocal if unit => return "(1 + 3t/2)^{−1/3}".into(),
            _ => {}
        }
        // F − F(x_∞) is quadratic in the distance.
        let twice = if self.built.dimension() == 1 { "" } else { "2" };
        let digits = |value: f64| short((1e3 * value).round() / 1e3).replace('-', "−");
        let rate = part
            .number("rate")
            .map(|r| format!("e^{{−{twice}rt}}, r = {}", digits(r)));
        let arrival = part
            .number("arrival_time")
            .map(|t| format!("there at t = {}", digits(t)));
        let power = part
            .number("exponent")
            .map(|e| format!("t^{{{}}}", digits(e)));
        rate.or(arrival).or(power).unwrap_or_default()
    }

    fn pairs(&self, x: &str, y: &[f64]) -> Result<Vec<(f64, f64)>, RecordError> {
        Ok(self
            .record
            .values(x)?
            .iter()
            .copied()
            .zip(y.iter().copied())
            .collect())
    }

    /// The largest defect over the mirrors at each instant.
    fn identities(&self) -> Result<Figure, RecordError> {
        let times = self.record.values("times")?;
        let mut series = Vec::new();
        for (k, (array, label, style)) in [
            ("time_defect", "travel time", Style::LineMarkers),
            ("closed_form", "closed form", Style::HollowMarkers),
            ("coordinate_difference", "x against θ", Style::LineMarkers),
            ("dissipation_defect", "dissipation", Style::LineMarkers),
            ("bregman_defect", "divergence", Style::HollowMarkers),
        ]
        .into_iter()
        .enumerate()
        {
            let rows: Vec<&[f64]> = self
                .parts
                .iter()
                .filter_map(|p| p.values(array).ok())
                .collect();
            let worst = |j: usize| {
                let at = rows.iter().filter_map(|row| row.get(j)).copied();
                at.fold(f64::NAN, f64::max)
            };
            if !rows.is_empty() {
                series.push(Series {
                    label: label.into(),
                    points: times
                        .iter()
                        .enumerate()
                        .map(|(j, &t)| (t, worst(j)))
                        .collect(),
                    style,
                    colour: draw::colour(k),
                });
            }
        }
        Ok(draw::one_panel(
            "identities",
            draw::axis("t", Scale::Linear),
            draw::axis("defect", Scale::Log),
            series,
            "The largest defect over the mirrors at each instant: against closed form, travel time by quadrature and the other coordinate \
             (relative to the whole way), and of the integrated identities (relative to the drop)."
                .into(),
        ))
    }
}

/// What is above the least recorded value but zero: a closed form plunges without end.
fn visible(points: Vec<(f64, f64)>, recorded: &[f64]) -> Vec<(f64, f64)> {
    let positive = recorded.iter().copied().filter(|v| *v > 0.0);
    let floor = 1e-3 * positive.clone().fold(0.0, f64::max);
    let least = positive.fold(f64::INFINITY, f64::min).min(floor);
    let points = points.into_iter().map(|(t, value)| (t, value.abs()));
    points.filter(|(_, value)| *value >= least).collect()
}

pub fn line(label: String, points: Vec<(f64, f64)>, k: usize) -> Series {
    Series {
        label,
        points,
        style: Style::Line,
        colour: draw::colour(k),
    }
}

pub fn markers(points: Vec<(f64, f64)>, k: usize) -> Series {
    Series {
        label: String::new(),
        points,
        style: Style::Markers,
        colour: draw::colour(k),
    }
}

pub fn panel(title: &str, x: (&str, Scale), y: (&str, Scale), series: Vec<Series>) -> Panel {
    Panel::Curves(Curves {
        title: title.to_owned(),
        x: draw::axis(x.0, x.1),
        y: draw::axis(y.0, y.1),
        series,
        guides: Vec::new(),
    })
}

fn orders(record: &Record) -> Result<Figure, RecordError> {
    use crate::figure::SlopeGuide;
    let names = [("mirror_time_error", "θ"), ("primal_time_error", "x")];
    let series = names.iter().enumerate().map(|(k, (array, label))| {
        let style = [Style::LineMarkers, Style::HollowMarkers][k];
        draw::recorded(record, ("steps", array), label, style, k)
    });
    let series = series.collect::<Result<Vec<_>, _>>()?;
    let order = record.number("time_order")?;
    let guide = SlopeGuide {
        slope: order,
        label: format!("slope {order}"),
        beside: 0,
    };
    let mut figure = draw::one_panel(
        "orders",
        draw::axis("step", Scale::Log),
        draw::axis("|x − x_{t}|", Scale::Log),
        series,
        "Errors at the last instant against the step, each coordinate against itself at a tight tolerance. Grey: the order of the scheme."
            .into(),
    );
    if let Some(Panel::Curves(curves)) = figure.rows.first_mut().and_then(|row| row.first_mut()) {
        curves.guides.push(guide);
    }
    Ok(figure)
}
