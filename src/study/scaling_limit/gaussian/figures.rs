//! Figures of the scaling limit between Gaussians: the orders, and the scaled error of P against R_t.

use super::super::figures::{orders_figure, orders_panel_of};
use super::{QUANTITIES, ScalingLimit};
use crate::figure::{Curves, Figure, Panel, Scale, Series, Style};
use crate::record::{Record, RecordError};
use crate::study::{draw, short};

pub fn draw(study: &ScalingLimit, record: &Record) -> Result<Vec<Figure>, RecordError> {
    if record.values("epsilons")?.is_empty() {
        return Ok(Vec::new());
    }
    let panel = orders_panel_of(record, &QUANTITIES)?;
    let caption = "exact recursion of Gaussians";
    Ok(vec![
        orders_figure(study, panel, caption),
        profile(study, record)?,
    ])
}

/// Entries of the diagonal that are drawn.
const ENTRIES: usize = 4;

/// `(P^ε − P_t)/ε` against ε, entry by entry of the diagonal, with R_t at the left, and what is left of it over ε.
fn profile(study: &ScalingLimit, record: &Record) -> Result<Figure, RecordError> {
    let (p, r, epsilons) = (
        record.values("p")?,
        record.values("r")?,
        record.values("epsilons")?,
    );
    let d = record.array("p")?.shape()[0];
    let count = d.min(ENTRIES);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let least = epsilons.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = epsilons.iter().copied().fold(0.0, f64::max);
    for k in 0..count {
        let i = k * (d - 1) / count.max(2).saturating_sub(1);
        let at = i * d + i;
        let (mut scaled, mut rest) = (Vec::new(), Vec::new());
        for (e, &epsilon) in epsilons.iter().enumerate() {
            let error = (record.item("p_epsilon", e)?[at] - p[at]) / epsilon;
            scaled.push((epsilon, error));
            rest.push((epsilon, (error - r[at]) / epsilon));
        }
        let label = if d == 1 {
            String::new()
        } else {
            format!("entry {}", i + 1)
        };
        first.push(series(&label, scaled, Style::LineMarkers, k));
        let limit = vec![(least, r[at]), (greatest, r[at])];
        let name = if k == 0 { "R_{t}" } else { "" };
        first.push(series(name, limit, Style::Dotted, 4));
        second.push(series(&label, rest, Style::LineMarkers, k));
    }
    let panel = |title: &str, y: &str, series| {
        Panel::Curves(Curves {
            title: title.into(),
            x: draw::axis("ε", Scale::Log),
            y: draw::axis(y, Scale::Linear),
            series,
            guides: Vec::new(),
        })
    };
    Ok(Figure {
        name: "profile".into(),
        title: None,
        rows: vec![vec![
            panel("scaled error", "(P^{ε} − P_{t})/ε", first),
            panel("the rest", "(P^{ε} − P_{t} − εR_{t})/ε^{2}", second),
        ]],
        caption: format!(
            "Diagonal entries of the scaled error of Sinkhorn at t = {} approach those of R_{{t}}, the Hessian of the first-order profile \
             (dotted); the rest over ε^{{2}} approaches the second-order one.",
            short(study.time)
        ),
    })
}

fn series(label: &str, points: Vec<(f64, f64)>, style: Style, colour: usize) -> Series {
    Series {
        label: label.to_owned(),
        points,
        style,
        colour,
    }
}
