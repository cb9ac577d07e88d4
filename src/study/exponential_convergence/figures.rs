//! Figures of the decay: everything against t, the local rates, and the slowest mode.

use super::verdicts::{decay, decay_of};
use super::{Decay, ExponentialConvergence};
use crate::figure::{Colours, Curves, Figure, Panel, Scale, Series, Style};
use crate::record::{Record, RecordError};
use crate::scenario::Built;
use crate::study::{draw, short};

pub fn draw(
    study: &ExponentialConvergence,
    built: &Built,
    record: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let mut figures = vec![Figure {
        name: "decay".into(),
        title: None,
        rows: vec![vec![panel(study, record)?]],
        caption: "Relative entropy to e^{−f} along the mirror flow (parabolic Monge–Ampère), Sinkhorn at k = t/ε, Fokker–Planck and the \
                  flows of other objectives, with the theorem's bound e^{−2κλt} and the sharp rate e^{−2·gap·t}."
            .into(),
    }];
    if record.values("eigenfunction").is_ok() {
        figures.push(rates(study, record)?);
        figures.push(distances(record)?);
        figures.push(slowest_mode(built, record)?);
    }
    Ok(figures)
}

/// KL against t on a logarithmic axis, with bound and sharp rate.
pub fn panel(study: &ExponentialConvergence, record: &Record) -> Result<Panel, RecordError> {
    let times = record.values("times")?;
    let mut series = vec![visible(
        record,
        times,
        record.values("kl")?,
        "mirror flow",
        Style::Line,
        0,
    )];
    if let Ok(values) = record.values("fokker_planck_kl") {
        series.push(visible(
            record,
            times,
            values,
            "Fokker–Planck",
            Style::Dashed,
            1,
        ));
    }
    for (k, epsilon) in record.values("epsilons").unwrap_or(&[]).iter().enumerate() {
        let label = format!("Sinkhorn, ε = {}", short(*epsilon));
        let values = record.item("sinkhorn_kl", k)?;
        series.push(visible(
            record,
            times,
            values,
            &label,
            Style::HollowMarkers,
            [2, 3, 5, 6][k % 4],
        ));
    }
    for (k, objective) in study.others.iter().enumerate() {
        if let Ok(values) = record.item("others_kl", k) {
            let colour = draw::colour(2 + k);
            series.push(visible(
                record,
                times,
                values,
                &objective.label(),
                Style::LineMarkers,
                colour,
            ));
        }
    }
    if let Ok(bound) = record.values("bound") {
        series.push(visible(
            record,
            times,
            bound,
            "bound, rate 2κλ",
            Style::Dotted,
            7,
        ));
    }
    if let Ok(gap) = record.number("gap") {
        let sharp = tangent(&decay(record, "kl")?, 2.0 * gap);
        series.push(visible(
            record,
            times,
            &sharp,
            "sharp rate 2·gap",
            Style::Dotted,
            4,
        ));
    }
    Ok(Panel::Curves(Curves {
        title: "exponential convergence".into(),
        x: draw::axis("t", Scale::Linear),
        y: draw::axis("KL(· | e^{−f})", Scale::Log),
        series,
        guides: Vec::new(),
    }))
}

/// `C e^{−rate·t}` through the last usable value.
fn tangent(decay: &Decay, rate: f64) -> Vec<f64> {
    let last = decay.usable().saturating_sub(1);
    let (t, value) = (decay.times[last], decay.values[last]);
    decay
        .times
        .iter()
        .map(|s| value * (rate * (t - s)).exp())
        .collect()
}

/// A hundred times below the least usable value of the mirror flow nothing is to be seen.
const DEPTH: f64 = 1e-2;

/// A series cut where it leaves the part of the page that the mirror flow fills.
fn visible(
    record: &Record,
    times: &[f64],
    values: &[f64],
    label: &str,
    style: Style,
    colour: usize,
) -> Series {
    let kl = record.values("kl").unwrap_or(&[]);
    let usable = decay(record, "kl").map_or(kl.len(), |d| d.usable().max(1));
    let least = DEPTH * kl[..usable].iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = kl.iter().copied().fold(0.0, f64::max) * 1.5;
    let inside = |(_, v): &(f64, f64)| *v >= least && *v <= greatest;
    Series {
        label: label.to_owned(),
        points: times
            .iter()
            .copied()
            .zip(values.iter().copied())
            .filter(inside)
            .collect(),
        style,
        colour,
    }
}

/// Local rates −d log KL/dt, which approach twice the gaps.
fn rates(study: &ExponentialConvergence, record: &Record) -> Result<Figure, RecordError> {
    let local = |decay: &Decay, label: &str, style, colour| Series {
        label: label.to_owned(),
        points: decay
            .rates()
            .iter()
            .zip(decay.times.windows(2))
            .map(|(rate, t)| (0.5 * (t[0] + t[1]), *rate))
            .collect(),
        style,
        colour,
    };
    let horizon = record.values("times")?.last().copied().unwrap_or(1.0);
    let level = |value: f64, label: &str, style, colour| Series {
        label: label.to_owned(),
        points: vec![(0.0, value), (horizon, value)],
        style,
        colour,
    };
    let mut series = vec![local(&decay(record, "kl")?, "mirror flow", Style::Line, 0)];
    if let Ok(decay) = decay(record, "fokker_planck_kl") {
        series.push(local(&decay, "Fokker–Planck", Style::Dashed, 1));
    }
    for (k, epsilon) in record.values("epsilons").unwrap_or(&[]).iter().enumerate() {
        let label = format!("Sinkhorn, ε = {}", short(*epsilon));
        let decay = decay_of(record, "sinkhorn_kl", k)?;
        series.push(local(
            &decay,
            &label,
            Style::HollowMarkers,
            [2, 3, 5, 6][k % 4],
        ));
    }
    for (k, objective) in study.others.iter().enumerate() {
        if let Ok(decay) = decay_of(record, "others_kl", k) {
            series.push(local(
                &decay,
                &objective.label(),
                Style::LineMarkers,
                draw::colour(2 + k),
            ));
        }
    }
    series.push(level(
        2.0 * record.number("gap")?,
        "2·gap of −L_{u}",
        Style::Dotted,
        4,
    ));
    let plain = 2.0 * record.number("fokker_planck_gap")?;
    series.push(level(plain, "2·gap, Fokker–Planck", Style::Dotted, 7));
    let theorem = 2.0 * record.number("kappa")? * record.number("lambda")?;
    series.push(level(theorem, "2κλ", Style::Dashed, 7));
    Ok(draw::one_panel(
        "rates",
        draw::axis("t", Scale::Linear),
        draw::axis("−d log KL/dt", Scale::Linear),
        series,
        "Local rates of decay of relative entropy between successive instants, with twice the spectral gaps that they approach and the \
         rate 2κλ of the theorem."
            .into(),
    ))
}

/// √KL, √I, W₂ and the distance of gradients: all decay at the rate gap.
fn distances(record: &Record) -> Result<Figure, RecordError> {
    let usable = decay(record, "kl")?.usable();
    let times = &record.values("times")?[..usable];
    let root = |name: &str| -> Result<Vec<f64>, RecordError> {
        Ok(record.values(name)?.iter().map(|v| v.sqrt()).collect())
    };
    let list = [
        ("√KL", root("kl")?),
        ("√I", root("fisher")?),
        (
            "W_{2}(ρ_{t}, e^{−f})",
            record.values("wasserstein").unwrap_or(&[]).to_vec(),
        ),
        ("|∇u_{t} − ∇u_{∞}|", record.values("gradient")?.to_vec()),
    ];
    let series = list.iter().enumerate().map(|(k, (label, values))| Series {
        label: (*label).to_owned(),
        points: times.iter().copied().zip(values.iter().copied()).collect(),
        style: Style::Line,
        colour: draw::colour(k),
    });
    Ok(draw::one_panel(
        "distances",
        draw::axis("t", Scale::Linear),
        draw::axis("distance to the limit", Scale::Log),
        series.filter(|s| !s.points.is_empty()).collect(),
        "Square roots of relative entropy and Fisher information, W_{2} to e^{−f}, and the L² distance of Brenier maps along the mirror \
         flow: all decay at the rate gap."
            .into(),
    ))
}

/// `h = log ρ_t + f` at the horizon, scaled, against the first eigenfunction of −L_{u_∞}.
fn slowest_mode(built: &Built, record: &Record) -> Result<Figure, RecordError> {
    let (h, mode) = (record.values("h")?, record.values("eigenfunction")?);
    let rho = record.values("rho")?;
    // The component of h along the mode, so that both have its size and sign.
    let along: f64 = (0..h.len()).map(|i| rho[i] * h[i] * mode[i]).sum::<f64>() / h.len() as f64;
    let scaled: Vec<f64> = h.iter().map(|h| h / along).collect();
    let torus = &built.torus;
    let rows = if torus.dimension() == 1 {
        let series = vec![
            draw::profile("log ρ_{t} + f, scaled", &scaled, Style::Line, 0),
            draw::profile("eigenfunction", mode, Style::Dashed, 4),
        ];
        vec![vec![draw::profile_panel("", "slowest mode", series)]]
    } else {
        vec![vec![
            draw::map(torus, "log ρ_{t} + f, scaled", &scaled, Colours::Diverging),
            draw::map(torus, "first eigenfunction", mode, Colours::Diverging),
        ]]
    };
    Ok(Figure {
        name: "slowest-mode".into(),
        title: None,
        rows,
        caption: format!(
            "At the end the flow decays along the first eigenfunction of −L_{{u}}, u = u_{{∞}}{}.",
            draw::slice_note(torus)
        ),
    })
}
