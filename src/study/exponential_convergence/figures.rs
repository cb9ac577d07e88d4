//! Figures of the decay: everything against t, the local rates, and the slowest mode.

use super::verdicts::{decay, decay_of};
use super::{Decay, ExponentialConvergence};
use crate::figure::{Colours, Curves, Figure, Panel, Scale, Series, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltTorus;
use crate::study::{draw, short};

pub fn draw(
    study: &ExponentialConvergence,
    built: &BuiltTorus,
    record: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let every: Vec<usize> = (0..record.values("epsilons").map_or(0, <[f64]>::len)).collect();
    let mut figures = vec![decay_figure(study, record, &every)?];
    if record.values("eigenfunction").is_ok() {
        figures.push(rates(study, record, &every)?);
        if !study.others.is_empty() {
            figures.push(objectives(study, record)?);
        }
        figures.push(distances(record)?);
        figures.push(slowest_mode(built, record)?);
    }
    Ok(figures)
}

/// The figure of [`panel`].
pub fn decay_figure(
    study: &ExponentialConvergence,
    record: &Record,
    epsilons: &[usize],
) -> Result<Figure, RecordError> {
    Ok(Figure {
        name: "decay".into(),
        title: None,
        rows: vec![vec![panel(study, record, epsilons)?]],
        caption: "Relative entropy to e^{−f} along the mirror flow (parabolic Monge–Ampère), Sinkhorn at k = t/ε, Fokker–Planck and the \
                  flows of other objectives, with the theorem's bound e^{−2κλt} and the sharp rate e^{−2·gap·t}."
            .into(),
    })
}

/// KL against t on a logarithmic axis for every flow, Sinkhorn at the ε with the given numbers, with bound and sharp rate.
pub fn panel(
    study: &ExponentialConvergence,
    record: &Record,
    epsilons: &[usize],
) -> Result<Panel, RecordError> {
    let flows = flows(study, record, epsilons)?;
    let mirror = &flows[0].decay;
    let page = Page::of(mirror);
    let curve = |flow: &Flow| {
        let points = flow.decay.times.iter().zip(&flow.decay.values);
        flow.series(page.cut(points.map(|(t, v)| (*t, *v)).collect()))
    };
    let mut series: Vec<Series> = flows.iter().map(curve).collect();
    let mut straight = |label: &str, rate: f64, from: usize, colour| {
        let (start, value) = (mirror.times[from], mirror.values[from]);
        let ends = [0, mirror.times.len() - 1].map(|end| mirror.times[end]);
        series.push(Series {
            label: label.to_owned(),
            points: page.cut(line_through(ends, (start, value), rate)),
            style: Style::Dotted,
            colour,
        });
    };
    if let (Ok(kappa), Ok(lambda)) = (record.number("kappa"), record.number("lambda")) {
        straight("bound, rate 2κλ", 2.0 * kappa * lambda, 0, 7);
    }
    if let Ok(gap) = record.number("gap") {
        straight(
            "sharp rate 2·gap",
            2.0 * gap,
            mirror.usable().saturating_sub(1),
            4,
        );
    }
    Ok(Panel::Curves(Curves {
        title: String::new(),
        x: draw::axis("t", Scale::Linear),
        y: draw::axis("KL(· | e^{−f})", Scale::Log),
        series,
        guides: Vec::new(),
    }))
}

/// A decaying quantity and how it is drawn.
struct Flow {
    label: String,
    decay: Decay,
    style: Style,
    colour: usize,
    /// Place among the flows that are drawn with markers, so that these alternate.
    turn: usize,
}

/// Markers along a curve.
const MARKERS: usize = 12;

impl Flow {
    /// A series through `points`; of hollow markers a few, at other places than those of its neighbours.
    fn series(&self, points: Vec<(f64, f64)>) -> Series {
        let points = if self.style == Style::HollowMarkers {
            let stride = points.len().div_ceil(MARKERS).max(1);
            points
                .into_iter()
                .skip(self.turn % stride)
                .step_by(stride)
                .collect()
        } else {
            points
        };
        Series {
            label: self.label.clone(),
            points,
            style: self.style,
            colour: self.colour,
        }
    }
}

/// KL along the mirror flow; before its budget is measured, the whole curve is usable.
fn kl_decay(record: &Record) -> Result<Decay, RecordError> {
    let values = record.values("kl")?.to_vec();
    let budgets = record.values("kl_budget").map(<[f64]>::to_vec);
    Ok(Decay {
        times: record.values("times")?.to_vec(),
        budgets: budgets.unwrap_or_else(|_| vec![0.0; values.len()]),
        values,
    })
}

/// Every flow that was measured, the mirror flow of KL first.
fn flows(
    study: &ExponentialConvergence,
    record: &Record,
    epsilons: &[usize],
) -> Result<Vec<Flow>, RecordError> {
    let flow = |label: String, decay, style, colour, turn| Flow {
        label,
        decay,
        style,
        colour,
        turn,
    };
    let kl = kl_decay(record)?;
    let mut flows = vec![flow("mirror flow".into(), kl, Style::Line, 0, 0)];
    if let Ok(decay) = decay(record, "fokker_planck_kl") {
        flows.push(flow("Fokker–Planck".into(), decay, Style::Dashed, 1, 0));
    }
    for (turn, &k) in epsilons.iter().enumerate() {
        let label = format!("Sinkhorn, ε = {}", short(record.values("epsilons")?[k]));
        let decay = decay_of(record, "sinkhorn_kl", k)?;
        flows.push(flow(
            label,
            decay,
            Style::HollowMarkers,
            draw::colour(2 + turn),
            turn,
        ));
    }
    for (k, objective) in study.others.iter().enumerate() {
        if let Ok(decay) = decay_of(record, "others_kl", k) {
            let turn = epsilons.len() + k;
            flows.push(flow(
                objective.label(),
                decay,
                Style::HollowMarkers,
                draw::colour(2 + turn),
                turn,
            ));
        }
    }
    Ok(flows)
}

/// The part of the axis that the mirror flow fills.
struct Page {
    least: f64,
    greatest: f64,
}

impl Page {
    /// A little below the last usable value, a little above the first.
    fn of(mirror: &Decay) -> Self {
        let last = mirror.usable().saturating_sub(1);
        Self {
            least: 0.3 * mirror.values[last],
            greatest: 1.5 * mirror.values[0],
        }
    }

    fn cut(&self, points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        let inside = |(_, v): &(f64, f64)| *v >= self.least && *v <= self.greatest;
        points.into_iter().filter(inside).collect()
    }
}

/// Points of a straight line on the logarithmic axis.
const STRAIGHT: usize = 100;

fn line_through([from, to]: [f64; 2], (t, value): (f64, f64), rate: f64) -> Vec<(f64, f64)> {
    (0..=STRAIGHT)
        .map(|k| from + (to - from) * k as f64 / STRAIGHT as f64)
        .map(|s| (s, value * (rate * (t - s)).exp()))
        .collect()
}

/// Local rates −d log KL/dt, which approach twice the gaps.
pub fn rates(
    study: &ExponentialConvergence,
    record: &Record,
    epsilons: &[usize],
) -> Result<Figure, RecordError> {
    let local = |flow: &Flow| {
        let middles = flow.decay.times.windows(2).map(|t| 0.5 * (t[0] + t[1]));
        flow.series(middles.zip(flow.decay.rates()).collect())
    };
    let mut series: Vec<Series> = flows(study, record, epsilons)?.iter().map(local).collect();
    let horizon = record.values("times")?.last().copied().unwrap_or(1.0);
    let mut level = |value: f64, label: &str, style, colour| {
        series.push(Series {
            label: label.to_owned(),
            points: vec![(0.0, value), (horizon, value)],
            style,
            colour,
        });
    };
    level(
        2.0 * record.number("gap")?,
        "2·gap of −L_{u}",
        Style::Dotted,
        4,
    );
    let plain = 2.0 * record.number("fokker_planck_gap")?;
    level(plain, "2·gap, Fokker–Planck", Style::Dotted, 7);
    let theorem = 2.0 * record.number("kappa")? * record.number("lambda")?;
    level(theorem, "2κλ", Style::Dashed, 7);
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

/// KL along the flow of each other objective over KL along its own: below 1 the other objective is ahead.
fn objectives(study: &ExponentialConvergence, record: &Record) -> Result<Figure, RecordError> {
    let flows = flows(study, record, &[])?;
    let mirror = &flows[0].decay;
    let ratio = |flow: &Flow| {
        let usable = flow.decay.usable().min(mirror.usable());
        let point = |j: usize| (mirror.times[j], flow.decay.values[j] / mirror.values[j]);
        Series {
            label: flow.label.clone(),
            points: (0..usable).map(point).collect(),
            style: Style::Line,
            colour: flow.colour,
        }
    };
    let others = flows
        .iter()
        .filter(|flow| flow.style == Style::HollowMarkers);
    let mut series: Vec<Series> = others.map(ratio).collect();
    series.push(Series {
        label: "KL".into(),
        points: vec![
            (mirror.times[0], 1.0),
            (mirror.times[mirror.usable().saturating_sub(1)], 1.0),
        ],
        style: Style::Dashed,
        colour: 0,
    });
    Ok(draw::one_panel(
        "objectives",
        draw::axis("t", Scale::Linear),
        draw::axis("KL(ρ_{t}^{F} | e^{−f}) / KL(ρ_{t} | e^{−f})", Scale::Log),
        series,
        "Relative entropy along the mirror flows of other objectives F over that along the flow of relative entropy itself: below 1 the other \
         objective is ahead; all approach a constant, since their asymptotic rates agree."
            .into(),
    ))
}

/// √KL, √I, W₂ and the distance of gradients: all decay at the rate gap.
pub fn distances(record: &Record) -> Result<Figure, RecordError> {
    let usable = kl_decay(record)?.usable();
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
        // W_{2} and the gradients nearly coincide: both are seen when the upper one is dashed.
        style: if k == 3 { Style::Dashed } else { Style::Line },
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
fn slowest_mode(built: &BuiltTorus, record: &Record) -> Result<Figure, RecordError> {
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
            "What is left at the end approaches the first eigenfunction of −L_{{u}}, u = u_{{∞}}: the slowest mode has {} of it{}.",
            draw::three_digits(record.number("slowest_share").unwrap_or(f64::NAN)),
            draw::slice_note(torus)
        ),
    })
}
