//! Figures of mirror descent of functions: decay against the flow, regret against its bound, orders.

use super::super::MirrorDescent;
use super::limit::RULES;
use super::{label, prefix};
use crate::figure::{Curves, Figure, Panel, Scale, Series, SlopeGuide, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltEuclidean;
use crate::study::draw;

pub fn draw(
    study: &MirrorDescent,
    built: &BuiltEuclidean,
    record: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let mut figures = vec![descent(study, built, record)?];
    if record.values("natural_error").is_ok() {
        figures.push(orders(record)?);
    }
    Ok(figures)
}

/// F against the flow's time, and the regret against the number of steps.
fn descent(
    study: &MirrorDescent,
    built: &BuiltEuclidean,
    record: &Record,
) -> Result<Figure, RecordError> {
    let (mut values, mut regrets) = (Vec::new(), Vec::new());
    let mut longest: Option<Series> = None;
    for (k, run) in study.runs.iter().enumerate() {
        let part = record.part(&prefix(k));
        let time = part.values("time")?;
        let least = part.number("minimum").unwrap_or(0.0);
        let above = |name: &str| -> Result<Vec<(f64, f64)>, RecordError> {
            let gap = part.values(name)?.iter().map(|value| value - least);
            Ok(time.iter().copied().zip(gap).collect())
        };
        let flow = Series {
            label: "the flow".into(),
            points: above("flow_objective")?,
            style: Style::Line,
            colour: 4,
        };
        let reach = |s: &Series| s.points.last().map_or(0.0, |p| p.0);
        if longest
            .as_ref()
            .is_none_or(|known| reach(known) < reach(&flow))
        {
            longest = Some(flow);
        }
        values.push(Series {
            label: label(run),
            points: above("objective")?,
            style: Style::Markers,
            colour: draw::colour(k),
        });
        regrets.extend(regret(&part, &label(run), k)?);
    }
    values.extend(longest);
    let panel = |title: &str, x: &str, y: &str, series| {
        Panel::Curves(Curves {
            title: title.into(),
            x: draw::axis(x, Scale::Linear),
            y: draw::axis(y, Scale::Log),
            series,
            guides: Vec::new(),
        })
    };
    let least = if record.part(&prefix(0)).array("minimum").is_ok() {
        "F(x_{k}) − F(x_{∞})"
    } else {
        "F(x_{k})"
    };
    let mut row = vec![panel("descent", "t = Ση_{k}", least, values)];
    if !regrets.is_empty() {
        row.push(panel(
            "regret",
            "steps K",
            "Ση_{k}(F(x_{k}) − F(x_{∞}))",
            regrets,
        ));
    }
    Ok(Figure {
        name: "descent".into(),
        title: None,
        rows: vec![row],
        caption: format!(
            "Mirror descent of F = {} with U = {}: markers at the iterates over the flow (left); regret, lines, and its bound, dashed (right).",
            built.objective, built.labels[0]
        ),
    })
}

fn regret(part: &Record, label: &str, k: usize) -> Result<Vec<Series>, RecordError> {
    let curve = |name: &str, label: &str, style| -> Result<Series, RecordError> {
        let values = part.values(name)?.iter().enumerate();
        Ok(Series {
            label: label.to_owned(),
            points: values.map(|(k, &v)| ((k + 1) as f64, v)).collect(),
            style,
            colour: draw::colour(k),
        })
    };
    let mut series = Vec::new();
    if part.array("regret").is_ok() {
        series.push(curve("regret", label, Style::Line)?);
    }
    if part.array("bound").is_ok() {
        series.push(curve("bound", "", Style::Dashed)?);
    }
    Ok(series)
}

fn orders(record: &Record) -> Result<Figure, RecordError> {
    let labels = ["explicit", "implicit", "natural gradient"];
    let styles = [Style::LineMarkers, Style::LineMarkers, Style::HollowMarkers];
    let series = RULES.iter().enumerate().map(|(k, (name, _))| {
        let array = format!("{name}_error");
        draw::recorded(record, ("steps", &array), labels[k], styles[k], k)
    });
    let panel = Panel::Curves(Curves {
        title: String::new(),
        x: draw::axis("η", Scale::Log),
        y: draw::axis("|x_{k} − x_{t}|", Scale::Log),
        series: series.collect::<Result<_, _>>()?,
        guides: vec![SlopeGuide {
            slope: 1.0,
            label: "slope 1".into(),
            beside: 0,
        }],
    });
    Ok(Figure {
        name: "orders".into(),
        title: None,
        rows: vec![vec![panel]],
        caption:
            "Distance of mirror descent from the flow at one time against the step. Grey: order 1."
                .into(),
    })
}
