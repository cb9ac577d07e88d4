//! Figures of mirror descent between Gaussians: those of any run, the identity, deviations along axes, orders by all three rules.

use super::super::MirrorDescent;
use super::super::figures::{colour, panel, series, without_orders};
use super::super::track::{Rule, Track};
use super::limit::RULES;
use super::verdicts::defect;
use crate::figure::{Axis, Curves, Figure, Panel, Scale, Series, SlopeGuide, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltGaussian;
use crate::study::gaussian::deviation;
use crate::study::{draw, short};

/// Everything that was measured.
pub fn draw(
    study: &MirrorDescent,
    built: &BuiltGaussian,
    record: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let tracks = Track::all(study, record)?;
    let mut figures = without_orders(study, record)?;
    if tracks.iter().any(|track| track.rule != Rule::Sinkhorn) {
        figures.push(identity(study, record, &tracks)?);
    }
    if record.values("limit_eta").is_ok() {
        figures.push(orders(study, record)?);
    }
    figures.push(deviations(built, record, &tracks)?);
    Ok(figures)
}

fn k() -> Axis {
    draw::axis("step k", Scale::Linear)
}

/// Relative defect of the identity by comparator, of the first run of each rule.
fn identity(
    study: &MirrorDescent,
    record: &Record,
    tracks: &[Track],
) -> Result<Figure, RecordError> {
    let names = study.all_comparators();
    let first = |rule| tracks.iter().find(|track| track.rule == rule);
    let found = [Rule::Explicit, Rule::Implicit]
        .into_iter()
        .filter_map(first);
    let mut panels = Vec::new();
    for track in found {
        let part = record.part(&MirrorDescent::prefix(track.number));
        let mut all = Vec::new();
        for (c, name) in names.iter().enumerate() {
            let squares = part.item("metric_square", c)?;
            let relative = |k: usize| {
                let (defect, size) = defect(track, squares, c, k);
                defect.abs() / size
            };
            let values: Vec<f64> = (0..track.steps()).map(relative).collect();
            let label = format!("π = {}", name.label());
            all.push(series(&label, 0, &values, Style::Line, draw::colour(c)));
        }
        let allowed = vec![1e-12; track.steps()];
        all.push(series("allowed", 0, &allowed, Style::Dashed, 7));
        let y = draw::axis("|defect| / size of the terms", Scale::Log);
        panels.push(panel(&track.label, k(), y, all));
    }
    Ok(Figure {
        name: "identity".into(),
        title: None,
        rows: vec![panels],
        caption: "Between Gaussians the evolution variational inequality with ξ in the metric of a potential is an identity: its relative defect at every \
                  step for every density π, of the first explicit and the first implicit run. Steps without a defect are not drawn."
            .into(),
    })
}

/// `√(aᵀCov(ρ_k)a)` along the axes.
fn deviations(
    built: &BuiltGaussian,
    record: &Record,
    tracks: &[Track],
) -> Result<Figure, RecordError> {
    let axes = record.array("axes")?.shape()[0];
    let mut panels = Vec::new();
    for a in 0..axes {
        let axis = record.item("axes", a)?;
        let end = deviation(built.problem.sigma(), axis);
        let longest = tracks.iter().map(Track::steps).max().unwrap_or(0);
        let mut all = vec![series("", 1, &vec![end; longest + 1], Style::Dashed, 4)];
        for track in tracks {
            let part = record.part(&MirrorDescent::prefix(track.number));
            let values = part.item("deviations", a)?;
            all.push(series(&track.label, 1, values, Style::Line, colour(track)));
        }
        let title = format!("variance {} of e^{{−f}}", draw::three_digits(end * end));
        let y = draw::axis("deviation of ρ_{k}", Scale::Linear);
        let x = draw::axis("k + 1", Scale::Log);
        panels.push(panel(&title, x, y, all));
    }
    Ok(Figure {
        name: "deviations".into(),
        title: None,
        rows: panels.chunks(2).map(<[Panel]>::to_vec).collect(),
        caption: "Standard deviation of ρ_{k} along eigenvectors of Σ, from the least variance to the greatest; dashed: that of e^{−f}."
            .into(),
    })
}

/// Distances to the flow against η, by all rules.
fn orders(study: &MirrorDescent, record: &Record) -> Result<Figure, RecordError> {
    let styles = [Style::LineMarkers, Style::HollowMarkers, Style::LineMarkers];
    let panel = |ending: &str, label: &str| -> Result<Panel, RecordError> {
        let each = RULES.iter().zip(styles).enumerate();
        let series = each.map(|(k, (rule, style))| {
            let (name, shown) = (format!("limit_{rule}{ending}"), shown(rule));
            draw::recorded(record, ("limit_eta", &name), shown, style, draw::colour(k))
        });
        Ok(Panel::Curves(Curves {
            title: String::new(),
            x: draw::axis("η", Scale::Log),
            y: draw::axis(label, Scale::Log),
            series: series.collect::<Result<Vec<Series>, _>>()?,
            guides: vec![SlopeGuide {
                slope: 1.0,
                label: "η".into(),
                beside: 0,
            }],
        }))
    };
    let time = study.limit.as_ref().map_or(f64::NAN, |limit| limit.time);
    Ok(Figure {
        name: "orders".into(),
        title: None,
        rows: vec![vec![
            panel("", "sup_{|y| ≤ 1}|ψ_{k} − ψ_{t}|")?,
            panel("_conjugate", "sup_{|x| ≤ 1}|u_{k} − u_{t}|")?,
        ]],
        caption: format!(
            "Explicit and implicit steps, and Sinkhorn with ε = η, to t = {} against the matrix Riccati flow: potentials ψ of the marginals (left) and \
             potentials u (right). Grey: slope 1.",
            short(time)
        ),
    })
}

fn shown(rule: &str) -> &str {
    match rule {
        "sinkhorn" => "Sinkhorn",
        rule => rule,
    }
}
