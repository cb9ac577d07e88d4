//! Figures against the arrays they show: every curve under its label, guides, maps.

mod common;

use common::project;
use mirrorflow::figure::{Curves, Figure, HeatMap, Panel, Scale};
use mirrorflow::record::Record;
use mirrorflow::run::numbered;
use mirrorflow::scenario::load;
use mirrorflow::study::Silent;
use std::collections::BTreeSet;

/// Figures and records of a scenario by the names of its studies.
fn drawn(scenario: &str) -> Vec<(String, Record, Vec<Figure>)> {
    let loaded = load(&project(scenario)).unwrap();
    let studies = numbered(&loaded.scenario.studies).into_iter();
    studies
        .map(|(study, name)| {
            let bound = study.on(&loaded.built).unwrap();
            let record = bound
                .measure(&loaded.scenario.numerics, &Silent)
                .unwrap()
                .record;
            let figures = bound.draw(&record).unwrap();
            (name, record, figures)
        })
        .collect()
}

fn curves<'a>(figures: &'a [Figure], name: &str) -> &'a Curves {
    let figure = figures.iter().find(|figure| figure.name == name);
    match &figure.unwrap_or_else(|| panic!("no figure {name}")).rows[0][0] {
        Panel::Curves(curves) => curves,
        _ => panic!("{name} has no curves"),
    }
}

/// The curve under `label` goes through all of `values` against `x`, or through a choice of them.
fn assert_shows(curves: &Curves, label: &str, x: &[f64], values: &[f64]) {
    let series = curves.series.iter().find(|series| series.label == label);
    let series = series.unwrap_or_else(|| {
        panic!(
            "no curve {label:?} among {:?}",
            curves.series.iter().map(|s| &s.label).collect::<Vec<_>>()
        )
    });
    assert!(series.points.len() >= 3, "{label}");
    for point in &series.points {
        let at = x
            .iter()
            .position(|x| *x == point.0)
            .unwrap_or_else(|| panic!("{label}: nothing at {}", point.0));
        assert!(
            (point.1 - values[at]).abs() <= 1e-12 * values[at].abs(),
            "{label} at {}",
            point.0
        );
    }
}

/// The exponent that the label of a guide names: ε, √ε, ε^{2}, h^{4}, slope 5, ….
fn exponent(label: &str) -> f64 {
    if label.starts_with('√') {
        return 0.5;
    }
    if let Some(slope) = label.strip_prefix("slope ") {
        return slope.replace('−', "-").parse().unwrap();
    }
    match label.split_once("^{") {
        None => 1.0,
        Some((_, power)) => power
            .trim_end_matches('}')
            .replace('−', "-")
            .parse()
            .unwrap_or_else(|_| panic!("{label}")),
    }
}

/// Of any figure: curves told apart, guides as their labels say, and beside a curve that there is.
fn assert_well_made(place: &str, figure: &Figure) {
    for panel in figure.rows.iter().flatten() {
        let Panel::Curves(curves) = panel else {
            continue;
        };
        let told: BTreeSet<(usize, String, &str)> = curves
            .series
            .iter()
            .map(|s| (s.colour, format!("{:?}", s.style), s.label.as_str()))
            .collect();
        assert_eq!(
            told.len(),
            curves.series.len(),
            "{place} {}: two curves of one look and label",
            figure.name
        );
        let looks: BTreeSet<(usize, String)> = curves
            .series
            .iter()
            .map(|s| (s.colour, format!("{:?}", s.style)))
            .collect();
        let labelled = curves.series.iter().filter(|s| !s.label.is_empty()).count();
        assert!(
            looks.len() >= labelled,
            "{place} {}: {labelled} labels, {} looks",
            figure.name,
            looks.len()
        );
        for guide in &curves.guides {
            let both_log = (curves.x.scale, curves.y.scale) == (Scale::Log, Scale::Log);
            assert!(
                both_log && guide.beside < curves.series.len(),
                "{place} {}",
                figure.name
            );
            assert_eq!(
                guide.slope,
                exponent(&guide.label),
                "{place} {}: {}",
                figure.name,
                guide.label
            );
        }
    }
}

const SCENARIOS: [&str; 7] = [
    "scenarios/side_by_side_1d.ron",
    "tests/scenarios/mirror_studies_1d.ron",
    "scenarios/compare_objectives_1d.ron",
    "scenarios/gaussian_commuting.ron",
    "scenarios/gaussian_mirror_descent.ron",
    "scenarios/euclidean_three_decays.ron",
    "scenarios/euclidean_entropy.ron",
];

#[test]
fn curves_are_told_apart_and_guides_are_what_they_say() {
    let mut guides = 0;
    for scenario in SCENARIOS {
        for (name, _, figures) in drawn(scenario) {
            for figure in &figures {
                assert_well_made(&format!("{scenario} {name}"), figure);
                let panels = figure.rows.iter().flatten();
                guides += panels
                    .filter_map(|p| match p {
                        Panel::Curves(c) => Some(c.guides.len()),
                        _ => None,
                    })
                    .sum::<usize>();
            }
        }
    }
    assert!(guides >= 6, "{guides}");
}

#[test]
fn the_limits_curves_are_its_arrays() {
    let [(_, record, figures), ..] = &drawn("scenarios/smoke_1d.ron")
        .into_iter()
        .filter(|(name, ..)| name == "scaling-limit")
        .collect::<Vec<_>>()[..]
    else {
        panic!("no scaling limit");
    };
    let orders = curves(figures, "orders");
    let epsilons = record.values("epsilons").unwrap();
    for (label, array) in [
        ("sup|p^{ε} − p_{t}|", "potential"),
        ("sup|∇p^{ε} − ∇p_{t}|", "gradient"),
        ("sup|p^{ε} − p_{t} − εr_{t}|", "corrected"),
        ("sup|∇(p^{ε} − p_{t})/ε − ∇r_{t}|", "profile"),
        ("W_{2}(ρ^{ε}, ρ_{t})", "wasserstein"),
        ("LOT(ρ^{ε}, ρ_{t})", "lot"),
        ("KL(ρ^{ε} | ρ_{t})", "kl"),
    ] {
        assert_shows(orders, label, epsilons, record.values(array).unwrap());
    }
    assert_eq!(orders.series.len(), 7);
}

#[test]
fn the_decays_curves_are_its_arrays() {
    let all = drawn("scenarios/compare_objectives_1d.ron");
    let (_, record, figures) = all
        .iter()
        .find(|(name, ..)| name == "exponential-convergence")
        .unwrap();
    let array = |name: &str| record.values(name).unwrap();
    let times = array("times");
    let decay = curves(figures, "decay");
    assert_shows(decay, "mirror flow", times, array("kl"));
    assert_shows(decay, "Fokker–Planck", times, array("fokker_planck_kl"));
    let loaded = load(&project("scenarios/compare_objectives_1d.ron")).unwrap();
    let mirrorflow::study::Study::ExponentialConvergence(study) = loaded
        .scenario
        .studies
        .iter()
        .find(|s| matches!(s, mirrorflow::study::Study::ExponentialConvergence(_)))
        .unwrap()
    else {
        unreachable!()
    };
    for (k, objective) in study.others.iter().enumerate() {
        let values = record.item("others_kl", k).unwrap();
        assert_shows(decay, &objective.label(), times, values);
        let ratio: Vec<f64> = values.iter().zip(array("kl")).map(|(a, b)| a / b).collect();
        assert_shows(
            curves(figures, "objectives"),
            &objective.label(),
            times,
            &ratio,
        );
    }
    // Straight on the logarithmic axis, with the rates they name.
    for (label, rate) in [
        (
            "bound, rate 2κλ",
            2.0 * record.number("kappa").unwrap() * record.number("lambda").unwrap(),
        ),
        ("sharp rate 2·gap", 2.0 * record.number("gap").unwrap()),
    ] {
        let points = &decay
            .series
            .iter()
            .find(|s| s.label == label)
            .unwrap()
            .points;
        let (a, b) = (points[0], points[points.len() - 1]);
        assert!(
            ((a.1 / b.1).ln() / (b.0 - a.0) / rate - 1.0).abs() < 1e-9,
            "{label}"
        );
    }
    let distances = curves(figures, "distances");
    let root = |name: &str| array(name).iter().map(|v| v.sqrt()).collect::<Vec<f64>>();
    assert_shows(distances, "√KL", times, &root("kl"));
    assert_shows(distances, "√I", times, &root("fisher"));
    assert_shows(
        distances,
        "W_{2}(ρ_{t}, e^{−f})",
        times,
        array("wasserstein"),
    );
    assert_shows(distances, "|∇u_{t} − ∇u_{∞}|", times, array("gradient"));
    let rates = curves(figures, "rates");
    let middles: Vec<f64> = times.windows(2).map(|t| 0.5 * (t[0] + t[1])).collect();
    let kl = array("kl");
    let local: Vec<f64> = (1..kl.len())
        .map(|j| (kl[j - 1] / kl[j]).ln() / (times[j] - times[j - 1]))
        .collect();
    let shown = rates
        .series
        .iter()
        .find(|s| s.label == "mirror flow")
        .unwrap();
    for point in &shown.points {
        let at = middles.iter().position(|m| *m == point.0).unwrap();
        assert!((point.1 / local[at] - 1.0).abs() < 1e-12);
    }
    for (label, value) in [
        ("2·gap of −L_{u}", 2.0 * record.number("gap").unwrap()),
        (
            "2·gap, Fokker–Planck",
            2.0 * record.number("fokker_planck_gap").unwrap(),
        ),
        (
            "2κλ",
            2.0 * record.number("kappa").unwrap() * record.number("lambda").unwrap(),
        ),
    ] {
        let series = rates.series.iter().find(|s| s.label == label).unwrap();
        assert!(
            series.points.iter().all(|point| point.1 == value),
            "{label}"
        );
    }
}

/// A map shows the field with the first coordinate first.
#[test]
fn maps_are_their_fields() {
    let text = "Scenario(title: \"t\", problem: Torus(points: [12, 18], source: Formula(\"0.1*cos(2*pi*x)\"), target: \
                Formula(\"0.2*sin(2*pi*y)\")), studies: [Flow(times: [0.01])])";
    let loaded = mirrorflow::scenario::parse("maps.ron", text).unwrap();
    let bound = loaded.scenario.studies[0].on(&loaded.built).unwrap();
    let record = bound
        .measure(&loaded.scenario.numerics, &Silent)
        .unwrap()
        .record;
    let figures = bound.draw(&record).unwrap();
    let maps: Vec<&HeatMap> = figures
        .iter()
        .flat_map(|f| f.rows.iter().flatten())
        .filter_map(|p| match p {
            Panel::HeatMap(map) => Some(map),
            _ => None,
        })
        .collect();
    let shows = |values: &[f64]| {
        maps.iter()
            .filter(|map| {
                (0..12).all(|i| (0..18).all(|j| map.values[[i, j]] == values[i * 18 + j]))
            })
            .count()
    };
    let last = |name: &str| {
        let values = record.values(name).unwrap();
        values[values.len() - 12 * 18..].to_vec()
    };
    assert_eq!(shows(&last("rho")), 1);
    assert_eq!(shows(&last("p")), 1);
}
