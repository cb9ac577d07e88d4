//! Figures of the mirror flow: densities, Brenier maps, velocities, identities and orders.

use super::MirrorFlow;
use crate::figure::{Arrow, Curves, Figure, Mesh, Panel, Quiver, Scale, SlopeGuide, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltTorus;
use crate::study::draw::{self, Snapshot};
use crate::study::short;
use mirrorflow_solvers::Torus;

pub fn draw(
    study: &MirrorFlow,
    built: &BuiltTorus,
    record: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let labels: Vec<String> = record
        .values("times")?
        .iter()
        .map(|t| format!("t = {}", short(*t)))
        .collect();
    let mut figures = vec![
        fields(study, built, record, &labels)?,
        maps(built, record, &labels)?,
        velocities(built, record, &labels)?,
        identities(study, record)?,
    ];
    if ["steps", "spacings"]
        .iter()
        .any(|x| record.values(x).is_ok())
    {
        figures.push(orders(record)?);
    }
    Ok(figures)
}

fn fields(
    study: &MirrorFlow,
    built: &BuiltTorus,
    record: &Record,
    labels: &[String],
) -> Result<Figure, RecordError> {
    let snapshot = |(k, label): (usize, &String)| {
        Ok(Snapshot {
            label: label.clone(),
            p: record.item("p", k)?.to_vec(),
            rho: record.item("rho", k)?.to_vec(),
        })
    };
    let snapshots = labels.iter().enumerate().map(snapshot);
    let snapshots = snapshots.collect::<Result<Vec<_>, RecordError>>()?;
    let caption = format!(
        "Densities ρ_{{t}} and periodic parts p_{{t}} of the potentials along the mirror flow of {}",
        study.objective.label()
    );
    Ok(draw::snapshots(
        built, "fields", &caption, "p_{t}", &snapshots,
    ))
}

/// Panels in a row of a figure with one panel per instant.
const ROW: usize = 3;

/// The Brenier maps: their displacement in 1-D, else the image of a mesh.
fn maps(built: &BuiltTorus, record: &Record, labels: &[String]) -> Result<Figure, RecordError> {
    let torus = &built.torus;
    let rows = if torus.dimension() == 1 {
        let series = labels.iter().enumerate().map(|(k, label)| {
            let displacement = &draw::gradient(torus, record.item("p", k)?)[0];
            Ok(draw::profile(
                label,
                displacement,
                Style::Line,
                draw::colour(k),
            ))
        });
        let series = series.collect::<Result<Vec<_>, RecordError>>()?;
        vec![vec![draw::profile_panel("", "∇u_{t}(x) − x", series)]]
    } else {
        let target: Vec<f64> = built.target.on(torus).iter().map(|g| (-g).exp()).collect();
        let panels = labels.iter().enumerate().map(|(k, label)| {
            Ok(Panel::Mesh(Mesh {
                title: label.clone(),
                x: "x".into(),
                y: "y".into(),
                lines: draw::mesh(torus, &draw::gradient(torus, record.item("p", k)?)),
                markers: Vec::new(),
                background: Some(draw::slice(torus, &target)),
                colour_bar: "e^{−g}".into(),
                line_label: String::new(),
                marker_label: String::new(),
            }))
        });
        in_rows(panels.collect::<Result<Vec<_>, RecordError>>()?)
    };
    let what = if torus.dimension() == 1 {
        "Displacement of the Brenier maps ∇u_{t}, which carry ρ_{t} to e^{−g}"
    } else {
        "Image of a regular mesh under the Brenier maps ∇u_{t}, which carry ρ_{t} to e^{−g} (blue)"
    };
    Ok(Figure {
        name: "maps".into(),
        title: None,
        rows,
        caption: format!("{what}{}.", draw::slice_note(torus)),
    })
}

/// v_t, over ρ_t in more than one dimension.
fn velocities(
    built: &BuiltTorus,
    record: &Record,
    labels: &[String],
) -> Result<Figure, RecordError> {
    let torus = &built.torus;
    let rows = if torus.dimension() == 1 {
        let series = labels.iter().enumerate().map(|(k, label)| {
            let v = record.item("v", k)?;
            Ok(draw::profile(label, v, Style::Line, draw::colour(k)))
        });
        let series = series.collect::<Result<Vec<_>, RecordError>>()?;
        vec![vec![draw::profile_panel("", "v_{t}", series)]]
    } else {
        let panels = labels.iter().enumerate().map(|(k, label)| {
            let v = record.item("v", k)?;
            let components: Vec<Vec<f64>> = v.chunks(torus.len()).map(<[f64]>::to_vec).collect();
            Ok(quiver(
                torus,
                label,
                &components,
                record.item("rho", k)?,
                "ρ_{t}",
                "v_{t}",
            ))
        });
        in_rows(panels.collect::<Result<Vec<_>, RecordError>>()?)
    };
    Ok(Figure {
        name: "velocity".into(),
        title: None,
        rows,
        caption: format!(
            "Velocity v_{{t}} = −A∇δF/δρ of the mirror flow{}.",
            draw::slice_note(torus)
        ),
    })
}

/// Arrows along each axis.
const ARROWS: usize = 16;

/// Arrows of a vector field over a density.
pub fn quiver(
    torus: &Torus,
    title: &str,
    components: &[Vec<f64>],
    density: &[f64],
    colour_bar: &str,
    symbol: &str,
) -> Panel {
    let slices: Vec<_> = components[..2]
        .iter()
        .map(|c| draw::slice(torus, c))
        .collect();
    let (rows, columns) = slices[0].dim();
    let stride = |n: usize| n.div_ceil(ARROWS).max(1);
    let mut arrows = Vec::new();
    for i in (0..rows).step_by(stride(rows)) {
        for j in (0..columns).step_by(stride(columns)) {
            arrows.push(Arrow {
                at: (i as f64 / rows as f64, j as f64 / columns as f64),
                vector: (slices[0][[i, j]], slices[1][[i, j]]),
            });
        }
    }
    let longest = arrows
        .iter()
        .map(|a| a.vector.0.hypot(a.vector.1))
        .fold(0.0, f64::max);
    Panel::Quiver(Quiver {
        title: title.to_owned(),
        x: "x".into(),
        y: "y".into(),
        arrows,
        background: Some(draw::slice(torus, density)),
        colour_bar: colour_bar.to_owned(),
        scale_label: format!("|{symbol}| = {}", draw::three_digits(longest)),
    })
}

fn in_rows(panels: Vec<Panel>) -> Vec<Vec<Panel>> {
    panels.chunks(ROW).map(<[Panel]>::to_vec).collect()
}

/// F and its dissipation; speed and LOT speed; what is left of the identities and between the routes.
pub fn identities(study: &MirrorFlow, record: &Record) -> Result<Figure, RecordError> {
    let curve =
        |name, label, style, colour| draw::recorded(record, ("times", name), label, style, colour);
    let flow = vec![
        curve("objective", "F(ρ_{t})", Style::LineMarkers, 0)?,
        curve("dissipation", "∫ρ∇φ·A∇φ", Style::LineMarkers, 1)?,
        curve("speed", "‖v_{t}‖", Style::Line, 2)?,
        curve(
            "lot_speed",
            "LOT(ρ_{t+h}, ρ_{t−h})/2h",
            Style::HollowMarkers,
            3,
        )?,
        curve("length", "length from 0", Style::Dashed, 4)?,
    ];
    let mut defects = Vec::new();
    for (name, label, colour) in [
        ("dissipation_defect", "dissipation identity", 1),
        ("speed_defect", "LOT speed against ‖v‖", 3),
        ("primal_difference", "primal − mirror", 0),
        ("dual_difference", "dual − mirror", 2),
        ("conjugate_difference", "u − ψ*", 5),
        ("riccati_difference", "closed form − steps", 0),
        ("closed_form_difference", "matrix flow − example", 6),
    ] {
        if record.values(name).is_ok() {
            defects.push(curve(name, label, Style::LineMarkers, colour)?);
        }
    }
    let panel = |title: &str, y: &str, series| {
        Panel::Curves(Curves {
            title: title.into(),
            x: draw::axis("t", Scale::Linear),
            y: draw::axis(y, Scale::Log),
            series,
            guides: Vec::new(),
        })
    };
    Ok(Figure {
        name: "identities".into(),
        title: None,
        rows: vec![vec![
            panel("along the flow", "F, dissipation, speed", flow),
            panel("defects", "defect", defects),
        ]],
        caption: format!(
            "Mirror flow of {}: objective, dissipation, speed and length (left); defects of the identities and differences of the \
             three coordinates (right).",
            study.objective.label()
        ),
    })
}

/// Errors at the last instant against the step, and against h.
fn orders(record: &Record) -> Result<Figure, RecordError> {
    let names = [("mirror", "mirror"), ("dual", "dual"), ("primal", "primal")];
    let panel = |x: &str, what: &str, order: f64, symbol: &str| -> Result<Panel, RecordError> {
        let series = names.iter().enumerate().map(|(k, (name, label))| {
            let style = [Style::LineMarkers, Style::HollowMarkers, Style::LineMarkers][k];
            draw::recorded(
                record,
                (x, &format!("{name}_{what}_error")),
                label,
                style,
                k,
            )
        });
        Ok(Panel::Curves(Curves {
            title: String::new(),
            x: draw::axis(symbol, Scale::Log),
            y: draw::axis("sup|ρ − ρ_{t}|/sup ρ_{t}", Scale::Log),
            series: series.collect::<Result<_, _>>()?,
            guides: vec![SlopeGuide {
                slope: order,
                label: format!("slope {order}"),
                beside: 2,
            }],
        }))
    };
    let mut row = Vec::new();
    if record.values("primal_time_error").is_ok() {
        row.push(panel(
            "steps",
            "time",
            record.number("time_order")?,
            "time step",
        )?);
    }
    if record.values("primal_space_error").is_ok() {
        row.push(panel(
            "spacings",
            "space",
            record.number("space_order")?,
            "h",
        )?);
    }
    Ok(Figure {
        name: "orders".into(),
        title: None,
        rows: vec![row],
        caption: "Errors of ρ_{t} at the last instant in the three coordinates: against the step, each coordinate against itself at a tight \
                  tolerance; against h, a spectral solution. Grey: the order of the scheme."
            .into(),
    })
}
