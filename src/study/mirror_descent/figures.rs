//! Figures of mirror descent: iterates, averages and regret with their bounds, the inequality's slack, the flow, the limit η → 0.

use super::bounds;
use super::limit::RULES;
use super::track::{Rule, Track};
use super::{MirrorDescent, Run, Schedule};
use crate::figure::{Axis, Colours, Curves, Figure, Panel, Scale, Series, SlopeGuide, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltTorus;
use crate::study::{draw, short};
use mirrorflow_solvers::Torus;

/// All figures that need no grid.
pub fn draw(study: &MirrorDescent, record: &Record) -> Result<Vec<Figure>, RecordError> {
    let mut figures = without_orders(study, record)?;
    if record.values("limit_eta").is_ok() {
        figures.push(orders(study, record)?);
    }
    Ok(figures)
}

/// Those of the runs and of the flow.
pub fn without_orders(study: &MirrorDescent, record: &Record) -> Result<Vec<Figure>, RecordError> {
    let tracks = Track::all(study, record)?;
    let mut figures = vec![iterates(&tracks), regret(study, &tracks)];
    if tracks.iter().any(|track| track.rule != Rule::Sinkhorn) {
        figures.push(inequality(study, &tracks));
    }
    if record.values("flow_times").is_ok() {
        figures.push(flow(record, &tracks)?);
    }
    Ok(figures)
}

/// Values at k = `from`, `from` + 1, …
pub fn series(label: &str, from: usize, values: &[f64], style: Style, colour: usize) -> Series {
    let points = values.iter().enumerate();
    Series {
        label: label.to_owned(),
        points: points.map(|(k, v)| ((from + k) as f64, *v)).collect(),
        style,
        colour,
    }
}

pub fn colour(track: &Track) -> usize {
    draw::colour(track.number - 1)
}

pub fn panel(title: &str, x: Axis, y: Axis, series: Vec<Series>) -> Panel {
    Panel::Curves(Curves {
        title: title.to_owned(),
        x,
        y,
        series,
        guides: Vec::new(),
    })
}

/// Last iterate, Bregman divergence, and the average iterate under its bound.
fn iterates(tracks: &[Track]) -> Figure {
    let each = |of: &dyn Fn(&Track) -> Vec<f64>, from: usize| -> Vec<Series> {
        let curve = |t: &Track| series(&t.label, from, &of(t), Style::Line, colour(t));
        tracks.iter().map(curve).collect()
    };
    // Where the average iterate was not computed, the average of its parts, which is above it.
    let known = tracks.iter().all(|track| !track.average_kl.is_empty());
    let mut averages = if known {
        each(&|t| t.average_kl.clone(), 1)
    } else {
        each(&Track::average, 1)
    };
    let (what, label) = if known {
        ("average iterate", "KL(average of T iterates | e^{−f})")
    } else {
        ("average of KL", "average of KL(ρ_{k} | e^{−f}), k < T")
    };
    for track in tracks.iter().filter(|t| t.rule != Rule::Sinkhorn) {
        let bound = bounds::average(track);
        averages.push(series("", 1, &bound, Style::Dashed, colour(track)));
    }
    let k = |scale| draw::axis("step k", scale);
    let log = |label: &str| draw::axis(label, Scale::Log);
    Figure {
        name: "iterates".into(),
        title: None,
        rows: vec![
            vec![
                panel("last iterate", k(Scale::Linear), log("KL(ρ_{k} | e^{−f})"), each(&|t| t.kl.clone(), 0)),
                panel("Bregman divergence", k(Scale::Linear), log("B_{g}(e^{−f} | ρ_{k})"), each(&|t| t.bregman[0].clone(), 0)),
            ],
            vec![panel(
                &format!("{what}, dashed: its bound"),
                draw::axis("steps T", Scale::Log),
                log(label),
                averages,
            )],
        ],
        caption: "Mirror descent: relative entropy of the last iterate, Bregman divergence to e^{−f}, and of the η-weighted average \
                  with the bound [B_{0} + Σ(η_{k}²/2m_{k+1})G_{k}²]/Ση_{k} (dashed, own constants; without the sum for implicit steps)."
            .into(),
    }
}

/// The regret under its bound; for harmonic steps also what strong convexity would give.
fn regret(study: &MirrorDescent, tracks: &[Track]) -> Figure {
    let mut all = Vec::new();
    for track in tracks {
        all.push(series(
            &track.label,
            1,
            &track.regret(),
            Style::Line,
            colour(track),
        ));
    }
    for track in tracks.iter().filter(|t| t.rule != Rule::Sinkhorn) {
        let bound = bounds::regret(track);
        all.push(series("", 1, &bound, Style::Dashed, colour(track)));
        if let Some(would) = would_be(study, track) {
            all.push(series("", 1, &would, Style::Dotted, colour(track)));
        }
    }
    let ratios = tracks.iter().filter(|t| t.rule != Rule::Sinkhorn);
    let ratios = ratios.map(|t| series(&t.label, 1, &t.ratios(), Style::Line, colour(t)));
    let x = || draw::axis("steps T", Scale::Log);
    Figure {
        name: "regret".into(),
        title: None,
        rows: vec![vec![
            panel("regret, dashed: its bound", x(), draw::axis("regret Σ_{k<T} KL(ρ_{k} | e^{−f})", Scale::Log), all),
            panel(
                "what strong convexity bounds",
                draw::axis("step k", Scale::Linear),
                draw::axis("KL(e^{−f} | ρ_{k}) / B_{g}(e^{−f} | ρ_{k})", Scale::Log),
                ratios.collect(),
            ),
        ]],
        caption: "Regret of mirror descent with its bound Σ[(B_{k} − B_{k+1})/η_{k} + (η_{k}/2m_{k+1})G_{k}²] (dashed); dotted, for steps C/(k+1), the bound \
                  (C/2) sup(G²/m)(1 + log T) where the ratio on the right, as measured, is at least 1/C. Right: that ratio, at least λ/M where g is \
                  λ-strongly convex."
            .into(),
    }
}

/// (C/2) sup(G²/m)(1 + log T) for harmonic explicit steps whose measured ratio admits it.
fn would_be(study: &MirrorDescent, track: &Track) -> Option<Vec<f64>> {
    let Run::Explicit(Schedule::Harmonic(c)) = study.runs[track.number - 1] else {
        return None;
    };
    let least = track.ratios().into_iter().fold(f64::INFINITY, f64::min);
    (least * c >= 1.0).then(|| bounds::logarithmic_regret(track, c))
}

/// Slack by comparator, and the terms for e^{-f}, of the first run of each rule.
fn inequality(study: &MirrorDescent, tracks: &[Track]) -> Figure {
    let names = study.all_comparators();
    let first = |rule| tracks.iter().find(|track| track.rule == rule);
    let row = |track: &Track| {
        let slacks = (0..track.terms.len()).map(|c| {
            let relative = |k: usize| {
                let (slack, size) = track.slack(c, k);
                slack / size
            };
            let values: Vec<f64> = (0..track.steps()).map(relative).collect();
            let label = format!("π = {}", names[c].label());
            series(&label, 0, &values, Style::Line, draw::colour(c))
        });
        vec![
            panel(
                &track.label,
                draw::axis("step k", Scale::Linear),
                draw::axis("slack / size of the terms", Scale::Log),
                slacks.collect(),
            ),
            panel(
                "terms for π = e^{−f}",
                draw::axis("step k", Scale::Linear),
                draw::axis("term", Scale::Log),
                terms(track),
            ),
        ]
    };
    let rows = [Rule::Explicit, Rule::Implicit]
        .into_iter()
        .filter_map(first);
    Figure {
        name: "inequality".into(),
        title: None,
        rows: rows.map(row).collect(),
        caption: "Evolution variational inequality at every step: right minus left side relative to the sum of the sizes of the terms, for every density π, and \
                  its terms for π = e^{−f}, for the first explicit and the first implicit run."
            .into(),
    }
}

fn terms(track: &Track) -> Vec<Series> {
    let terms = &track.terms[0];
    let steps = 0..track.steps();
    let decrease = |k: usize| (track.bregman[0][k] - track.bregman[0][k + 1]) / track.eta[k];
    let curvature = |k: usize| 0.5 * track.eta[k] / track.convexity[k] * terms.xi_square[k];
    let slack = |k: usize| track.slack(0, k).0;
    let line = |label: &str, values: Vec<f64>, style, colour| {
        series(label, 0, &values, style, draw::colour(colour))
    };
    let mut all = vec![
        line(
            "[B_{k} − B_{k+1}]/η",
            steps.clone().map(decrease).collect(),
            Style::Line,
            0,
        ),
        line("KL(ρ | e^{−f})", track.counted().to_vec(), Style::Line, 1),
        line("KL(e^{−f} | ρ)", terms.divergence.clone(), Style::Dashed, 2),
    ];
    if track.rule == Rule::Explicit {
        all.push(line(
            "(η/2m)∫|ξ|²dπ_{k}",
            steps.clone().map(curvature).collect(),
            Style::Line,
            3,
        ));
    }
    all.push(line("slack", steps.map(slack).collect(), Style::Dotted, 4));
    all
}

/// The flow: average KL under B_0/t, and with the average of each explicit run against its own time.
fn flow(record: &Record, tracks: &[Track]) -> Result<Figure, RecordError> {
    let times = record.values("flow_times")?;
    let after = |of: &dyn Fn(usize) -> f64| -> Vec<(f64, f64)> {
        (1..times.len()).map(|j| (times[j], of(j))).collect()
    };
    let (spent, bregman) = (record.values("flow_spent")?, record.values("flow_bregman")?);
    let kl = record.values("flow_kl")?;
    let curve = |label: &str, points, style, colour| Series {
        label: label.into(),
        points,
        style,
        colour,
    };
    let t = || draw::axis("t", Scale::Log);
    let averages = vec![
        curve(
            "B_{g}(e^{−f} | ρ_{0})/t",
            after(&|j| bregman[0] / times[j]),
            Style::Dashed,
            7,
        ),
        curve(
            "average of KL",
            after(&|j| spent[j] / times[j]),
            Style::Line,
            4,
        ),
        curve("KL(ρ_{t} | e^{−f})", after(&|j| kl[j]), Style::Line, 1),
    ];
    let mut runs = vec![curve("flow", after(&|j| kl[j]), Style::Line, 4)];
    for track in tracks {
        let points = track
            .times()
            .into_iter()
            .zip(track.kl.iter().copied())
            .skip(1);
        let horizon = times[times.len() - 1];
        let inside = points.filter(|point| point.0 <= 1.0001 * horizon).collect();
        runs.push(curve(
            &track.label,
            inside,
            Style::HollowMarkers,
            colour(track),
        ));
    }
    let apart = times[times.len() - 1] / MARKERS as f64;
    runs.iter_mut()
        .skip(1)
        .for_each(|series| thin(series, apart));
    runs.retain(|series| !series.points.is_empty());
    let log = |label: &str| draw::axis(label, Scale::Log);
    Ok(Figure {
        name: "flow".into(),
        title: None,
        rows: vec![vec![
            panel("flow", t(), log("relative entropy"), averages),
            panel("steps against the flow", draw::axis("t = Ση_{k}", Scale::Linear), log("KL(· | e^{−f})"), runs),
        ]],
        caption: "Left: the flow, whose average relative entropy stays below B_{0}/t. Right: the runs at the flow's time Ση_{k}, as far as the flow was followed."
            .into(),
    })
}

/// Markers along a run.
const MARKERS: usize = 14;

/// Keeps points that are at least `apart` from the one kept before.
fn thin(series: &mut Series, apart: f64) {
    let mut last = f64::NEG_INFINITY;
    series.points.retain(|point| {
        let keep = point.0 - last >= apart;
        last = if keep { point.0 } else { last };
        keep
    });
}

/// Distances to the flow against η; both rules have nearly the same error, so that of implicit steps is hollow.
fn orders(study: &MirrorDescent, record: &Record) -> Result<Figure, RecordError> {
    let panel = |ending: &str, label: &str| -> Result<Panel, RecordError> {
        let styles = [Style::LineMarkers, Style::HollowMarkers];
        let each = RULES.iter().zip(styles).enumerate();
        let series = each.map(|(k, (rule, style))| {
            let name = format!("limit_{rule}{ending}");
            draw::recorded(record, ("limit_eta", &name), rule, style, draw::colour(k))
        });
        Ok(Panel::Curves(Curves {
            title: String::new(),
            x: draw::axis("η", Scale::Log),
            y: draw::axis(label, Scale::Log),
            series: series.collect::<Result<_, _>>()?,
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
            panel("", "sup|ψ_{k} − ψ_{t}|")?,
            panel("_conjugate", "sup|ψ_{k}* − u_{t}|")?,
        ]],
        caption: format!(
            "Explicit and implicit steps to t = {} against the flow: potentials on the same modes (left), and their conjugates against the \
             parabolic Monge–Ampère flow on all modes (right). Grey: slope 1.",
            short(time)
        ),
    })
}

/// ρ_k at a few k: a panel per run in 1-D; in more both densities and the start, then a row of maps per run.
pub fn densities(
    study: &MirrorDescent,
    built: &BuiltTorus,
    record: &Record,
) -> Result<Figure, RecordError> {
    let torus = &built.torus;
    let density = |f: Vec<f64>| f.iter().map(|f| (-f).exp()).collect::<Vec<_>>();
    let source = density(built.source.on(torus));
    let parts = study.runs.iter().enumerate().map(|(k, run)| {
        let part = record.part(&MirrorDescent::prefix(k + 1));
        (run.label(), part)
    });
    let parts: Vec<(String, Record)> = parts
        .filter(|(_, part)| part.values("snapshots").is_ok())
        .collect();
    let rows = if torus.dimension() == 1 {
        profiles(&source, &parts)?
    } else {
        maps(torus, [&source, &density(built.target.on(torus))], &parts)?
    };
    Ok(Figure {
        name: "densities".into(),
        title: None,
        rows,
        caption: format!(
            "Iterates ρ_{{k}} = (∇ψ_{{k}})#e^{{−g}} on their way to e^{{−f}}{}.",
            draw::slice_note(torus)
        ),
    })
}

fn profiles(source: &[f64], parts: &[(String, Record)]) -> Result<Vec<Vec<Panel>>, RecordError> {
    let panel = |(label, part): &(String, Record)| -> Result<Panel, RecordError> {
        let mut profiles = vec![draw::profile("e^{−f}", source, Style::Dashed, 4)];
        for (i, k) in part.values("snapshots")?.iter().enumerate() {
            let rho = part.item("rho", i)?;
            profiles.push(draw::profile(
                &format!("k = {k}"),
                rho,
                Style::Line,
                draw::colour(i),
            ));
        }
        Ok(draw::profile_panel(label, "density", profiles))
    };
    let panels = parts.iter().map(panel).collect::<Result<Vec<_>, _>>()?;
    Ok(panels.chunks(2).map(<[Panel]>::to_vec).collect())
}

fn maps(
    torus: &Torus,
    [source, target]: [&[f64]; 2],
    parts: &[(String, Record)],
) -> Result<Vec<Vec<Panel>>, RecordError> {
    let map = |title: &str, values| draw::map(torus, title, values, Colours::Sequential);
    let mut rows = Vec::new();
    for (label, part) in parts {
        if rows.is_empty() {
            let start = part.item("rho", 0)?;
            rows.push(vec![
                map("e^{−f}", source),
                map("e^{−g}", target),
                map("ρ_{0}", start),
            ]);
        }
        let mut row = Vec::new();
        for (i, k) in part.values("snapshots")?.iter().enumerate().skip(1) {
            let title = match i {
                1 => format!("{label}: k = {k}"),
                _ => format!("k = {k}"),
            };
            row.push(map(&title, part.item("rho", i)?));
        }
        // A run that was cut short may have its start alone.
        if !row.is_empty() {
            rows.push(row);
        }
    }
    Ok(rows)
}
