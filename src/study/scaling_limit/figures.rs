//! Figures of the scaling limit: all orders side by side, the fields, and the scaled error against r_t.

use super::compare::{QUANTITIES, Quantity};
use super::{ScalingLimit, points};
use crate::figure::{Colours, Curves, Figure, Panel, Scale, Series, SlopeGuide, Style};
use crate::order::Point;
use crate::record::{Record, RecordError};
use crate::scenario::BuiltTorus;
use crate::study::draw::{self, Snapshot};
use crate::study::{IterationStart, short};
use mirrorflow_solvers::Torus;

pub fn draw(
    study: &ScalingLimit,
    built: &BuiltTorus,
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
pub fn orders_panel(record: &Record) -> Result<Panel, RecordError> {
    orders_panel_of(record, &QUANTITIES)
}

/// The same for other definitions of the quantities.
pub fn orders_panel_of(record: &Record, quantities: &[Quantity]) -> Result<Panel, RecordError> {
    let all = quantities
        .iter()
        .enumerate()
        .map(|(colour, q)| Ok(series(q, &points(record, q.name)?, colour)))
        .collect::<Result<Vec<_>, RecordError>>()?;
    let guides = [(1.0, "ε", 0), (2.0, "ε^{2}", 2)].map(|(slope, label, beside)| SlopeGuide {
        slope,
        label: label.to_owned(),
        beside,
    });
    Ok(Panel::Curves(Curves {
        title: String::new(),
        x: draw::axis("ε", Scale::Log),
        y: draw::axis("distance to the limit", Scale::Log),
        series: all,
        guides: guides.to_vec(),
    }))
}

/// The figure of an orders panel; `kernel` says which iteration.
pub fn orders_figure(study: &ScalingLimit, panel: Panel, kernel: &str) -> Figure {
    let start = match study.start {
        IterationStart::Plain => "plain",
        IterationStart::Prepared => "prepared",
    };
    Figure {
        name: "orders".into(),
        title: None,
        rows: vec![vec![panel]],
        caption: format!(
            "Sinkhorn after t/ε iterations against the parabolic Monge–Ampère flow at t = {}, {kernel}, {start} start: \
             distances of potentials, gradients and marginals, before and after the first-order term εr_{{t}}. Grey: slopes 1 and 2.",
            short(study.time),
        ),
    }
}

fn orders(study: &ScalingLimit, record: &Record) -> Result<Figure, RecordError> {
    let kernel = format!("{:?} kernel", study.kernel);
    Ok(orders_figure(study, orders_panel(record)?, &kernel))
}

fn series(quantity: &Quantity, points: &[Point], colour: usize) -> Series {
    Series {
        label: quantity.label.to_owned(),
        points: points.iter().map(|p| (p.epsilon, p.value)).collect(),
        // LOT nearly coincides with W₂: hollow, so that both are seen.
        style: if quantity.name == "lot" {
            Style::HollowMarkers
        } else {
            Style::LineMarkers
        },
        colour,
    }
}

fn fields(built: &BuiltTorus, record: &Record) -> Result<Figure, RecordError> {
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

/// `(p^ε − p_t)/ε` against r_t, and what is left of it over ε, whose limit is the second-order profile.
fn profile(
    study: &ScalingLimit,
    built: &BuiltTorus,
    record: &Record,
) -> Result<Figure, RecordError> {
    let torus = &built.torus;
    let scaled = Scaled::new(record)?;
    let rows = if torus.dimension() == 1 {
        vec![scaled.profiles()]
    } else {
        scaled.maps(torus)
    };
    Ok(Figure {
        name: "profile".into(),
        title: None,
        rows,
        caption: format!(
            "The scaled error of Sinkhorn at t = {} approaches the first-order profile r_{{t}}; the rest over ε^{{2}} approaches \
             the second-order one{}.",
            short(study.time),
            draw::slice_note(torus)
        ),
    })
}

/// The expansion `p^ε = p_t + ε r_t + ε² s_t + …` term by term.
struct Scaled<'a> {
    labels: Vec<String>,
    /// `(p^ε − p_t)/ε` per ε.
    first: Vec<Vec<f64>>,
    /// `(p^ε − p_t − εr_t)/ε²` per ε.
    second: Vec<Vec<f64>>,
    r: &'a [f64],
}

const FIRST: &str = "(p^{ε} − p_{t})/ε";
const SECOND: &str = "(p^{ε} − p_{t} − εr_{t})/ε^{2}";

impl<'a> Scaled<'a> {
    fn new(record: &'a Record) -> Result<Self, RecordError> {
        let (p, r) = (record.values("p")?, record.values("r")?);
        let epsilons = record.values("epsilons")?;
        let over = |a: &[f64], b: &[f64], epsilon: f64| -> Vec<f64> {
            a.iter().zip(b).map(|(a, b)| (a - b) / epsilon).collect()
        };
        let first = (0..epsilons.len())
            .map(|k| Ok(over(record.item("p_epsilon", k)?, p, epsilons[k])))
            .collect::<Result<Vec<_>, RecordError>>()?;
        let second = first
            .iter()
            .zip(epsilons)
            .map(|(first, e)| over(first, r, *e));
        Ok(Self {
            labels: epsilons
                .iter()
                .map(|e| format!("ε\u{a0}=\u{a0}{}", short(*e)))
                .collect(),
            second: second.collect(),
            first,
            r,
        })
    }

    fn profiles(&self) -> Vec<Panel> {
        let curves = |fields: &[Vec<f64>]| -> Vec<Series> {
            let labelled = fields.iter().zip(&self.labels).enumerate();
            labelled
                .map(|(k, (field, label))| {
                    draw::profile(label, field, Style::Line, draw::colour(k))
                })
                .collect()
        };
        let mut first = curves(&self.first);
        first.push(draw::profile("r_{t}", self.r, Style::Dashed, 4));
        vec![
            draw::profile_panel("scaled error", FIRST, first),
            draw::profile_panel("the rest", SECOND, curves(&self.second)),
        ]
    }

    /// First row: the largest and the smallest ε beside the limit. Second row: what is left, from large to small ε.
    fn maps(&self, torus: &Torus) -> Vec<Vec<Panel>> {
        let last = self.labels.len() - 1;
        let map = |what: &str, k: usize, fields: &[Vec<f64>]| {
            let title = format!("{what}, {}", self.labels[k]);
            draw::map(torus, &title, &fields[k], Colours::Diverging)
        };
        let first = [0, last].map(|k| map(FIRST, k, &self.first));
        let limit = draw::map(torus, "r_{t}", self.r, Colours::Diverging);
        let shown = [0, last.div_ceil(2), last];
        let second = shown.map(|k| map(SECOND, k, &self.second));
        vec![first.into_iter().chain([limit]).collect(), second.to_vec()]
    }
}
