//! Figures of the mirror flow between Gaussians: deviations against the closed form, ellipses, identities.

use super::super::{MirrorFlow, figures::identities};
use crate::figure::{Curves, Figure, Panel, Scale, Series, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltGaussian;
use crate::study::{Objective, draw, short};
use mirrorflow_solvers::gaussian::Mat;
use std::f64::consts::TAU;

pub fn draw(
    study: &MirrorFlow,
    built: &BuiltGaussian,
    record: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let mut figures = vec![deviations(study, record)?];
    if built.dimension() > 1 {
        figures.push(ellipses(study, built, record)?);
    }
    figures.push(identities(study, record)?);
    Ok(figures)
}

/// Deviations along a few axes: the mirror flow with the closed form, and the Wasserstein gradient flow of the same objective.
fn deviations(study: &MirrorFlow, record: &Record) -> Result<Figure, RecordError> {
    let count = record.array("deviations")?.shape()[0];
    let mut series = Vec::new();
    let flat = match study.objective {
        Objective::Entropy => "heat flow",
        _ => "Fokker–Planck",
    };
    for k in 0..count {
        let colour = draw::colour(k);
        let axis = |name: &str| {
            if count == 1 {
                name.to_owned()
            } else {
                format!("{name}, axis {}", k + 1)
            }
        };
        series.push(curve(
            record,
            ("drawn_times", "deviations"),
            k,
            &axis("mirror flow"),
            Style::Line,
            colour,
        )?);
        let plain = if count == 1 { 1 } else { colour };
        let label = if k == 0 { flat } else { "" };
        series.push(curve(
            record,
            ("drawn_times", "gradient_flow_deviations"),
            k,
            label,
            Style::Dashed,
            plain,
        )?);
        if record.values("closed_form_deviations").is_ok() {
            let label = if k == 0 { "closed form" } else { "" };
            series.push(curve(
                record,
                ("times", "closed_form_deviations"),
                k,
                label,
                Style::HollowMarkers,
                colour,
            )?);
        }
    }
    let along = if count == 1 {
        ""
    } else {
        " along eigenvectors of Σ"
    };
    let caption = format!(
        "Standard deviations of ρ_{{t}}{along} under the mirror flow of {} (lines; markers: closed form of the talk) and under its \
         Wasserstein gradient flow, {flat} (dashed).",
        study.objective.label()
    );
    let (x, y) = (
        draw::axis("t", Scale::Linear),
        draw::axis("standard deviation", Scale::Linear),
    );
    Ok(draw::one_panel("deviations", x, y, series, caption))
}

fn curve(
    record: &Record,
    (x, y): (&str, &str),
    k: usize,
    label: &str,
    style: Style,
    colour: usize,
) -> Result<Series, RecordError> {
    let (x, y) = (record.values(x)?, record.item(y, k)?);
    Ok(Series {
        label: label.to_owned(),
        points: x.iter().copied().zip(y.iter().copied()).collect(),
        style,
        colour,
    })
}

/// Instants that are drawn at most.
const INSTANTS: usize = 4;

/// One-deviation ellipses in the plane of the first and the last drawn axis.
fn ellipses(
    study: &MirrorFlow,
    built: &BuiltGaussian,
    record: &Record,
) -> Result<Figure, RecordError> {
    let count = record.array("axes")?.shape()[0];
    let plane = [record.item("axes", 0)?, record.item("axes", count - 1)?];
    let d = built.dimension();
    let dense = |values: &[f64]| Mat::from_fn(d, d, |i, j| values[i * d + j]);
    let mut series = Vec::new();
    let times = record.values("times")?;
    let stride = times.len().div_ceil(INSTANTS);
    for (shown, k) in (0..times.len()).rev().step_by(stride).enumerate() {
        let covariance = dense(record.item("covariance", k)?);
        let label = format!("t = {}", short(times[k]));
        series.push(ellipse(
            &covariance,
            plane,
            &label,
            Style::Line,
            draw::colour(shown),
        ));
    }
    series.reverse();
    series.push(ellipse(
        &built.start().covariance(),
        plane,
        "ρ_{0}",
        Style::Dotted,
        7,
    ));
    if study.objective != Objective::Entropy {
        series.push(ellipse(
            built.problem.sigma(),
            plane,
            "e^{−f}",
            Style::Dashed,
            4,
        ));
    }
    let caption = format!(
        "Ellipses of one standard deviation of ρ_{{t}} in the plane of two axes, mirror flow of {}.",
        study.objective.label()
    );
    let (x, y) = (
        draw::axis("first axis", Scale::Linear),
        draw::axis("last axis", Scale::Linear),
    );
    let mut figure = draw::one_panel("ellipses", x, y, series, caption);
    figure.rows[0].push(radii(record)?);
    Ok(figure)
}

/// KL or F against t beside the ellipses.
fn radii(record: &Record) -> Result<Panel, RecordError> {
    let curve =
        |name, label, style, colour| draw::recorded(record, ("times", name), label, style, colour);
    Ok(Panel::Curves(Curves {
        title: String::new(),
        x: draw::axis("t", Scale::Linear),
        y: draw::axis("length", Scale::Linear),
        series: vec![
            curve("travelled", "∫‖v_{t}‖dt", Style::LineMarkers, 0)?,
            curve("length", "in the Hessian metric", Style::Dashed, 1)?,
        ],
        guides: Vec::new(),
    }))
}

/// Points of an ellipse.
const POINTS: usize = 120;

/// `{C₂^{1/2}(cos, sin)}`, C₂ the covariance in the plane.
fn ellipse(
    covariance: &Mat<f64>,
    plane: [&[f64]; 2],
    label: &str,
    style: Style,
    colour: usize,
) -> Series {
    let d = covariance.nrows();
    let entry = |a: &[f64], b: &[f64]| -> f64 {
        let pairs = (0..d).flat_map(|i| (0..d).map(move |j| (i, j)));
        pairs.map(|(i, j)| a[i] * covariance[(i, j)] * b[j]).sum()
    };
    let [x, y] = plane;
    // Cholesky: (a, 0; b, c).
    let a = entry(x, x).sqrt();
    let b = entry(x, y) / a;
    let c = (entry(y, y) - b * b).max(0.0).sqrt();
    let point = |k: usize| {
        let (sin, cos) = (TAU * k as f64 / POINTS as f64).sin_cos();
        (a * cos, b * cos + c * sin)
    };
    Series {
        label: label.to_owned(),
        points: (0..=POINTS).map(point).collect(),
        style,
        colour,
    }
}
