//! Histograms over densities, and what the maps cost.

use super::super::MirrorDescent;
use super::super::track::Track;
use super::{PREFIX, relaxation, verdicts};
use crate::figure::{Colours, Curves, Figure, HeatMap, Panel, Scale, Series, SlopeGuide, Style};
use crate::record::{Record, RecordError};
use crate::scenario::BuiltTorus;
use crate::study::draw::{self, three_digits};
use ndarray::Array2;

/// The figures of the samples, if they were measured.
///
/// # Errors
/// [`RecordError`] when the record is not one of this study.
pub fn draw(
    study: &MirrorDescent,
    built: &BuiltTorus,
    whole: &Record,
) -> Result<Vec<Figure>, RecordError> {
    let record = whole.part(PREFIX);
    if study.sampling.is_none() || record.is_empty() {
        return Ok(Vec::new());
    }
    let histograms = if built.torus.dimension() == 1 {
        profiles(built, &record)?
    } else {
        maps(built, &record)?
    };
    Ok(vec![
        histograms,
        costs(&record)?,
        relative_entropies(study, whole, &record)?,
    ])
}

/// What carries the points: name in the record, title, its law.
const SAMPLERS: [(&str, &str, &str); 2] = [
    ("one_map", "one map", "ρ_{K}"),
    ("composition", "composition", "ρ_{t}"),
];

/// Counts as a density: over N and the volume of a bin.
fn heights(record: &Record, sampler: &str) -> Result<Vec<f64>, RecordError> {
    let counts = record.values(&format!("{sampler}_counts"))?;
    let per_count = counts.len() as f64 / counts.iter().sum::<f64>();
    Ok(counts.iter().map(|count| per_count * count).collect())
}

/// `(c − Np)/√(Np(1−p))` of each bin.
fn residuals(record: &Record, sampler: &str, law: &str) -> Result<Vec<f64>, RecordError> {
    let counts = record.values(&format!("{sampler}_counts"))?;
    let n: f64 = counts.iter().sum();
    let masses = record.values(&format!("{law}_masses"))?;
    let both = counts.iter().zip(masses);
    Ok(both
        .map(|(c, p)| (c - n * p) / (n * p * (1.0 - p)).sqrt())
        .collect())
}

fn caption(record: &Record, note: &str) -> Result<String, RecordError> {
    let points: f64 = record.values("one_map_counts")?.iter().sum();
    Ok(format!(
        "Histograms of {points} points Z ~ e^{{−g}} carried by the one map ∇ψ_{{K}}, one evaluation of a gradient per point, and by the \
         composition of {} one-step maps of Fokker–Planck to the same time{note}.",
        record.number("composition_evaluations")?
    ))
}

fn profiles(built: &BuiltTorus, record: &Record) -> Result<Figure, RecordError> {
    let torus = &built.torus;
    let source: Vec<f64> = built.source.on(torus).iter().map(|f| (-f).exp()).collect();
    let mut rows = vec![Vec::new(), Vec::new()];
    for (name, title, law) in SAMPLERS {
        let density = record.values(&format!("{name}_density"))?;
        let shown = vec![
            draw::profile("e^{−f}", &source, Style::Dashed, 4),
            draw::profile(law, density, Style::Line, draw::colour(1)),
            stairs("points", &heights(record, name)?, draw::colour(0)),
        ];
        rows[0].push(draw::profile_panel(title, "density", shown));
        let own = residuals(record, name, name)?;
        let source = residuals(record, name, "source")?;
        let shown = vec![
            at_centres(
                &format!("from {law}"),
                &own,
                Style::Markers,
                draw::colour(0),
            ),
            at_centres("from e^{−f}", &source, Style::HollowMarkers, 4),
        ];
        let label = "(count − Np)/√(Np(1−p))";
        rows[1].push(draw::profile_panel("", label, shown));
    }
    Ok(Figure {
        name: "samples".into(),
        title: None,
        rows,
        caption: caption(
            record,
            "; below, what is left of each bin in standard deviations, from the law of the points (full) and from e^{−f} (hollow)",
        )?,
    })
}

/// A histogram as a stepped line.
fn stairs(label: &str, heights: &[f64], colour: usize) -> Series {
    let edge = |j: usize| j as f64 / heights.len() as f64;
    let step = |(j, &height): (usize, &f64)| [(edge(j), height), (edge(j + 1), height)];
    Series {
        label: label.to_owned(),
        points: heights.iter().enumerate().flat_map(step).collect(),
        style: Style::Line,
        colour,
    }
}

fn at_centres(label: &str, values: &[f64], style: Style, colour: usize) -> Series {
    let bins = values.len() as f64;
    let points = values.iter().enumerate();
    Series {
        label: label.to_owned(),
        points: points.map(|(j, v)| ((j as f64 + 0.5) / bins, *v)).collect(),
        style,
        colour,
    }
}

fn maps(built: &BuiltTorus, record: &Record) -> Result<Figure, RecordError> {
    let torus = &built.torus;
    let source: Vec<f64> = built.source.on(torus).iter().map(|f| (-f).exp()).collect();
    let bins = record.array("source_masses")?.shape().to_vec();
    let mut densities = vec![draw::map(torus, "e^{−f}", &source, Colours::Sequential)];
    let mut left = Vec::new();
    for (name, title, law) in SAMPLERS {
        let counted = heights(record, name)?;
        densities.push(cells(&bins, title, &counted, Colours::Sequential));
        let own = residuals(record, name, name)?;
        let title = format!("{title}, from {law}");
        left.push(cells(&bins, &title, &own, Colours::Diverging));
    }
    let from_source = residuals(record, "one_map", "source")?;
    left.insert(
        0,
        cells(
            &bins,
            "one map, from e^{−f}",
            &from_source,
            Colours::Diverging,
        ),
    );
    let note = "; below, what is left of each bin in standard deviations, from e^{−f} and from the laws of the points";
    Ok(Figure {
        name: "samples".into(),
        title: None,
        rows: vec![densities, left],
        caption: caption(record, &format!("{note}{}", draw::slice_note(torus)))?,
    })
}

/// Nodes of a map along each axis, at least: a bin is drawn as a square.
const FINE: usize = 320;

/// Heat map of a value per bin, of the middle slice in 3-D.
fn cells(bins: &[usize], title: &str, values: &[f64], colours: Colours) -> Panel {
    let (b0, b1, depth) = (bins[0], bins[1], bins.get(2).copied().unwrap_or(1));
    let repeat = FINE.div_ceil(b0.min(b1));
    let cell =
        |(i, j): (usize, usize)| values[((i / repeat) * b1 + j / repeat) * depth + depth / 2];
    Panel::HeatMap(HeatMap {
        title: title.to_owned(),
        x: "x".into(),
        y: "y".into(),
        values: Array2::from_shape_fn((b0 * repeat, b1 * repeat), cell),
        colour_bar: String::new(),
        colours,
    })
}

/// Cost and excess against time, and the parts of the displacement.
fn costs(record: &Record) -> Result<Figure, RecordError> {
    let times = record.values("times")?;
    let series = |label: &str, values: Vec<f64>, style, colour| Series {
        label: label.to_owned(),
        points: times.iter().copied().zip(values).collect(),
        style,
        colour,
    };
    let column = |name: &str| Ok::<_, RecordError>(record.values(name)?.to_vec());
    let (cost, best) = (column("cost")?, column("wasserstein_square")?);
    let excess = cost.iter().zip(&best).map(|(a, b)| (a - b).abs()).collect();
    // Rounding has no order.
    let told = verdicts::has_remainder(record)?;
    let panel = |title: &str, y: &str, series, slope: f64, label: &str, beside| {
        let label = label.to_owned();
        let guide = Some(SlopeGuide {
            slope,
            label,
            beside,
        });
        Panel::Curves(Curves {
            title: title.to_owned(),
            x: draw::axis("t", Scale::Log),
            y: draw::axis(y, Scale::Log),
            series,
            guides: guide.filter(|_| told).into_iter().collect(),
        })
    };
    let of_cost = vec![
        series("cost", cost, Style::Line, draw::colour(0)),
        series("W_{2}²", best, Style::HollowMarkers, 4),
        series(
            "|cost − W_{2}²|",
            excess,
            Style::LineMarkers,
            draw::colour(1),
        ),
        series("its budget", column("excess_budget")?, Style::Dotted, 7),
    ];
    let of_parts = vec![
        series(
            "gradient",
            column("gradient")?,
            Style::Line,
            draw::colour(0),
        ),
        series(
            "mean and rotation",
            column("remainder")?,
            Style::LineMarkers,
            draw::colour(1),
        ),
        series("its budget", column("remainder_budget")?, Style::Dotted, 7),
    ];
    let caption = format!(
        "Fokker–Planck's flow map, the limit of its one-step maps, from e^{{−g}} to ρ_{{t}}. Left: its cost, W_{{2}}²(e^{{−g}}, ρ_{{t}}), and their \
         difference with its budget; the one map ∇ψ_{{K}} costs {:.4e} where W_{{2}}² is {:.4e}. Right: parts of its displacement in L²; what is not the \
         gradient of a periodic function makes it cost more.{}",
        record.number("one_map_cost")?,
        record.number("one_map_wasserstein_square")?,
        if told {
            " Grey: slopes 6 and 3."
        } else {
            " Here nothing but rounding."
        }
    );
    Ok(Figure {
        name: "sample-costs".into(),
        title: None,
        rows: vec![vec![
            panel(
                "cost of the composition",
                "squared length",
                of_cost,
                6.0,
                "t^{6}",
                2,
            ),
            panel("its displacement", "length", of_parts, 3.0, "t^{3}", 1),
        ]],
        caption,
    })
}

/// Relative entropies against time, of the sampled run and of Fokker–Planck.
fn relative_entropies(
    study: &MirrorDescent,
    whole: &Record,
    record: &Record,
) -> Result<Figure, RecordError> {
    let number = record.number("run")? as usize;
    let run = Track::read(study, whole, number)?;
    let diffusion = record.values("fokker_planck_times")?.iter().copied();
    let diffusion = diffusion.zip(record.values("fokker_planck_kl")?.iter().copied());
    let (time, kl) = (record.number("horizon")?, record.number("one_map_kl")?);
    let equal = match relaxation::equal_time(record)? {
        Some(equal) => format!("at t = {}", three_digits(equal)),
        None => "later than is shown".into(),
    };
    let series = |label: &str, points, style, colour| Series {
        label: label.to_owned(),
        points,
        style,
        colour: draw::colour(colour),
    };
    let descent = run
        .times()
        .into_iter()
        .zip(run.kl.iter().copied())
        .collect();
    let curves = vec![
        series("Fokker–Planck", diffusion.collect(), Style::Line, 1),
        series("mirror descent", descent, Style::Line, 0),
        series("", vec![(time, kl)], Style::Markers, 0),
    ];
    Ok(draw::one_panel(
        "sample-relaxation",
        draw::axis("t", Scale::Linear),
        draw::axis("KL(ρ | e^{−f})", Scale::Log),
        curves,
        format!(
            "Relative entropy to e^{{−f}} of mirror descent at t = Ση_{{k}} and of Fokker–Planck from e^{{−g}}. The one map (disc) has \
             KL = {kl:.2e} at t = {}, Fokker–Planck the same {equal}, where its composition would have to end.",
            three_digits(time)
        ),
    ))
}
