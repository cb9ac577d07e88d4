//! Figures of the scaling limit: all orders side by side, the fields, and the scaled error against r_t.

use super::compare::QUANTITIES;
use super::{ScalingLimit, points};
use crate::figure::{Colours, Curves, Figure, Panel, Scale, Series, SlopeGuide, Style};
use crate::record::{Record, RecordError};
use crate::scenario::Built;
use crate::study::draw::{self, Snapshot};
use crate::study::{IterationStart, short};

pub fn draw(
    study: &ScalingLimit,
    built: &Built,
    record: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let mut figures = vec![fields(built, record)?];
    if !record.values("epsilons")?.is_empty() {
        figures.insert(0, orders(study, record)?);
        figures.push(profile(study, built, record)?);
    }
    Ok(figures)
}

/// All quantities against ε, with guides of slope 1 and 2.
fn orders(study: &ScalingLimit, record: &Record) -> Result<Figure, RecordError> {
    let all = QUANTITIES
        .iter()
        .enumerate()
        .map(|(colour, q)| series(record, q.name, colour))
        .collect::<Result<Vec<_>, _>>()?;
    let guides = [(1.0, "ε", 0), (2.0, "ε^{2}", 2)].map(|(slope, label, beside)| SlopeGuide {
        slope,
        label: label.to_owned(),
        beside,
    });
    let start = match study.start {
        IterationStart::Plain => "plain",
        IterationStart::Prepared => "prepared",
    };
    Ok(Figure {
        name: "orders".into(),
        title: None,
        rows: vec![vec![Panel::Curves(Curves {
            title: String::new(),
            x: draw::axis("ε", Scale::Log),
            y: draw::axis("distance to the limit", Scale::Log),
            series: all,
            guides: guides.to_vec(),
        })]],
        caption: format!(
            "Sinkhorn after t/ε iterations against the parabolic Monge–Ampère flow at t = {}, {:?} kernel, {start} start: \
             distances of potentials, gradients and marginals, before and after the first-order term εr_{{t}}. Grey: slopes 1 and 2.",
            short(study.time),
            study.kernel,
        ),
    })
}

fn series(record: &Record, name: &str, colour: usize) -> Result<Series, RecordError> {
    let quantity = QUANTITIES
        .iter()
        .find(|q| q.name == name)
        .ok_or_else(|| RecordError::Missing(name.to_owned()))?;
    Ok(Series {
        label: quantity.label.to_owned(),
        points: points(record, name)?
            .iter()
            .map(|p| (p.epsilon, p.value))
            .collect(),
        // LOT nearly coincides with W₂: hollow, so that both are seen.
        style: if name == "lot" {
            Style::HollowMarkers
        } else {
            Style::LineMarkers
        },
        colour,
    })
}

fn fields(built: &Built, record: &Record) -> Result<Figure, RecordError> {
    let snapshot = Snapshot {
        label: format!("t = {}", short(record.number("time")?)),
        p: record.values("p")?.to_vec(),
        rho: record.values("rho")?.to_vec(),
    };
    Ok(draw::snapshots(
        built,
        "fields",
        "Source and target densities, and the limit: marginal ρ_{t} and periodic part p_{t} of the potential",
        "p_{t}",
        &[snapshot],
    ))
}

/// `(p^ε − p_t)/ε` against r_t.
fn profile(study: &ScalingLimit, built: &Built, record: &Record) -> Result<Figure, RecordError> {
    let torus = &built.torus;
    let (p, r) = (record.values("p")?, record.values("r")?);
    let epsilons = record.values("epsilons")?;
    let scaled = |k: usize| -> Result<Vec<f64>, RecordError> {
        let iterate = record.item("p_epsilon", k)?;
        Ok(iterate
            .iter()
            .zip(p)
            .map(|(a, b)| (a - b) / epsilons[k])
            .collect())
    };
    let label = |k: usize| format!("ε = {}", short(epsilons[k]));
    let last = epsilons.len() - 1;
    let rows = if torus.dimension() == 1 {
        let mut series = (0..=last)
            .map(|k| {
                Ok(draw::profile(
                    &label(k),
                    &scaled(k)?,
                    Style::Line,
                    draw::colour(k),
                ))
            })
            .collect::<Result<Vec<_>, RecordError>>()?;
        series.push(draw::profile("r_{t}", r, Style::Dashed, 4));
        vec![vec![draw::profile_panel("", "(p^{ε} − p_{t})/ε", series)]]
    } else {
        let map = |title: &str, values: &[f64]| draw::map(torus, title, values, Colours::Diverging);
        let titled = |k| format!("(p^{{ε}} − p_{{t}})/ε, {}", label(k));
        vec![vec![
            map(&titled(0), &scaled(0)?),
            map(&titled(last), &scaled(last)?),
            map("r_{t}", r),
        ]]
    };
    Ok(Figure {
        name: "profile".into(),
        title: None,
        rows,
        caption: format!(
            "The scaled error of Sinkhorn at t = {} approaches the first-order profile r_{{t}}{}.",
            short(study.time),
            draw::slice_note(torus)
        ),
    })
}
