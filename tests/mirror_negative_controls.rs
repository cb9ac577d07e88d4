//! Wrong velocities, gaps, bounds, maps and orders are caught: the claims concerned come out `Inconsistent`, while the true record
//! makes every claim consistent.

use mirrorflow::record::Record;
use mirrorflow::scenario::{Loaded, load, parse};
use mirrorflow::study::{Context, Metric, Silent, Study};
use mirrorflow::verdict::{Status, Verdict};
use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::path::Path;

/// One study on the data of the theory page.
fn with(study: &str) -> Loaded {
    let text = format!(
        "Scenario(title: \"controls\", problem: Torus(points: [96], \
         source: Formula(\"0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)\"), \
         target: Formula(\"0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)\")), studies: [{study}])"
    );
    parse("controls.ron", &text).unwrap()
}

fn context(loaded: &Loaded) -> Context<'_> {
    Context {
        built: loaded.built.on_torus().unwrap(),
        numerics: &loaded.scenario.numerics,
        progress: &Silent,
    }
}

/// The only study of `loaded`.
fn study(loaded: &Loaded) -> &Study {
    &loaded.scenario.studies[0]
}

fn measure(loaded: &Loaded) -> Record {
    let measured = study(loaded).on_torus().unwrap().measure(&context(loaded));
    measured.unwrap().record
}

fn judge(loaded: &Loaded, record: &Record) -> Vec<Verdict> {
    study(loaded)
        .on_torus()
        .unwrap()
        .judge("control", record)
        .unwrap()
}

/// Claims with this status.
fn claims(verdicts: &[Verdict], status: Status) -> BTreeSet<&str> {
    let chosen = verdicts.iter().filter(|v| v.status == status);
    chosen.map(|v| v.claim.as_str()).collect()
}

/// The true record refutes nothing, leaves nothing open, and confirms `confirmed`.
fn assert_true(loaded: &Loaded, record: &Record, confirmed: &[&str]) {
    let verdicts = judge(loaded, record);
    for status in [Status::Inconsistent, Status::Inconclusive] {
        assert!(claims(&verdicts, status).is_empty(), "{verdicts:#?}");
    }
    let consistent = claims(&verdicts, Status::Consistent);
    for claim in confirmed {
        assert!(consistent.contains(claim), "{claim}: {verdicts:#?}");
    }
}

/// The changed record refutes exactly `refuted`.
fn assert_refuted(loaded: &Loaded, record: &Record, refuted: &[&str]) {
    let verdicts = judge(loaded, record);
    let expected = refuted.iter().copied().collect();
    assert_eq!(
        claims(&verdicts, Status::Inconsistent),
        expected,
        "{verdicts:#?}"
    );
}

#[test]
fn a_density_that_is_not_positive_refutes_the_mass() {
    let loaded = with("MirrorFlow(times: [0.005, 0.01])");
    let record = measure(&loaded);
    assert_true(&loaded, &record, &["mass"]);
    let negative = changed(&record, "min_density", |_| -1e-3);
    assert_refuted(&loaded, &negative, &["mass"]);
}

/// Where a budget covers the limit an instant says nothing; more than half of them decide nothing, fewer are listed.
#[test]
fn instants_that_say_nothing_must_not_be_the_majority() {
    let loaded = with("MirrorFlow(times: [0.002, 0.004, 0.006, 0.008, 0.01])");
    let record = measure(&loaded);
    let judged = |silent: usize| {
        let values = record.values("dissipation_defect").unwrap().to_vec();
        let hidden = |(k, v): (usize, &f64)| if k < silent { 1.0 } else { *v };
        let mut changed = record.clone();
        let defects: Vec<f64> = values.iter().enumerate().map(hidden).collect();
        let count = defects.len();
        changed.insert_curve("dissipation_defect", defects);
        let budgets = (0..count).map(|k| if k < silent { 10.0 } else { 0.0 });
        changed.insert_curve("dissipation_budget", budgets.collect());
        let verdicts = judge(&loaded, &changed);
        let verdict = verdicts.iter().find(|v| v.claim == "dissipation").unwrap();
        (verdict.status, verdict.excluded.len())
    };
    assert_eq!(judged(0), (Status::Consistent, 0));
    assert_eq!(judged(2), (Status::Consistent, 2));
    assert_eq!(judged(3).0, Status::Inconclusive);
}

/// `record` with the curve or number `name` replaced value by value.
fn changed(record: &Record, name: &str, change: impl Fn(f64) -> f64) -> Record {
    let array = record.array(name).unwrap();
    let values = array.iter().map(|&value| change(value)).collect();
    let mut changed = record.clone();
    changed.insert(name, array.shape(), values);
    changed
}

#[test]
fn a_velocity_without_the_inverse_hessian_is_refuted() {
    let loaded = with("MirrorFlow(times: [0.005, 0.02])");
    let identities = ["primal-mirror", "dissipation", "lot-speed"];
    assert_true(&loaded, &measure(&loaded), &identities);
    let Study::MirrorFlow(flow) = study(&loaded) else {
        panic!("a mirror flow");
    };
    let flat = flow.measure_in(&context(&loaded), Metric::Flat).unwrap();
    assert_refuted(&loaded, &flat.record, &identities);
}

#[test]
fn shifted_coordinates_are_refuted() {
    let loaded = with("MirrorFlow(times: [0.005, 0.02])");
    let record = measure(&loaded);
    assert_true(&loaded, &record, &["conjugacy", "dual-mirror", "mass"]);
    for (claim, quantity, shift) in [
        ("conjugacy", "conjugate_difference", 1e-6),
        ("dual-mirror", "dual_difference", 1e-6),
        ("primal-mirror", "primal_difference", 1e-6),
        ("mass", "mass_defect", 1e-11),
    ] {
        let shifted = changed(&record, quantity, |value| value + shift);
        assert_refuted(&loaded, &shifted, &[claim]);
    }
}

#[test]
fn a_dissipation_or_a_speed_off_by_a_thousandth_is_refuted() {
    let loaded = with("MirrorFlow(times: [0.005, 0.02])");
    let record = measure(&loaded);
    assert_true(&loaded, &record, &["dissipation", "lot-speed"]);
    for (claim, quantity) in [
        ("dissipation", "dissipation_defect"),
        ("lot-speed", "speed_defect"),
    ] {
        let off = changed(&record, quantity, |value| value + 1e-3);
        assert_refuted(&loaded, &off, &[claim]);
    }
}

/// The rates that are measured along the mirror flow are those of its own gap, to a tenth.
#[test]
fn a_wrong_gap_is_refuted() {
    let loaded = with("ExponentialConvergence(time: 0.24, samples: 48)");
    let record = measure(&loaded);
    let rates = [
        "sharp-rate",
        "potential-rate",
        "wasserstein-rate",
        "rate-ratio",
    ];
    assert_true(&loaded, &record, &rates);
    for factor in [0.9, 1.1] {
        let wrong = changed(&record, "gap", |gap| factor * gap);
        assert_refuted(&loaded, &wrong, &rates);
        let wrong = changed(&record, "fokker_planck_gap", |gap| factor * gap);
        assert_refuted(&loaded, &wrong, &["fokker-planck-rate", "rate-ratio"]);
    }
}

#[test]
fn too_large_a_constant_of_the_logarithmic_sobolev_inequality_is_refuted() {
    let loaded = with("ExponentialConvergence(time: 0.24, samples: 48)");
    let record = measure(&loaded);
    let bounds = ["exponential-bound", "log-sobolev"];
    assert_true(&loaded, &record, &bounds);
    let factor = 16.0;
    let start = record.values("bound").unwrap()[0];
    let steeper = changed(&record, "bound", |bound| {
        start * (bound / start).powf(factor)
    });
    let wrong = changed(&steeper, "kappa", |kappa| factor * kappa);
    assert_refuted(&loaded, &wrong, &bounds);
}

#[test]
fn a_relative_entropy_that_grows_is_refuted() {
    let loaded = with("ExponentialConvergence(time: 0.24, samples: 48)");
    let record = measure(&loaded);
    assert_true(&loaded, &record, &["decreasing"]);
    let mut values = record.values("kl").unwrap().to_vec();
    values[3] = 1.01 * values[2];
    let mut growing = record.clone();
    growing.insert_curve("kl", values);
    let verdicts = judge(&loaded, &growing);
    assert!(claims(&verdicts, Status::Inconsistent).contains("decreasing"));
}

#[test]
fn a_wrong_map_is_refuted() {
    let loaded = with("OptimalMap()");
    let record = measure(&loaded);
    assert_true(
        &loaded,
        &record,
        &["push-forward", "duality", "inverse-map"],
    );
    let defect = |stretch: f64| push_forward_defect(&loaded, &record, stretch);
    assert!(defect(1.0) < 1e-10, "{}", defect(1.0));
    let wrong = changed(&record, "push_forward", |_| defect(1.01));
    assert_refuted(&loaded, &wrong, &["push-forward"]);
    for (claim, quantity) in [
        ("duality", "duality_gap"),
        ("inverse-map", "inverse"),
        ("circle-map", "circle"),
    ] {
        let wrong = changed(&record, quantity, |_| 1e-4);
        assert_refuted(&loaded, &wrong, &[claim]);
    }
}

/// `|∫cos 2π(x + s∇p) e^{-f} − ∫cos 2πy e^{-g}|`: zero for the optimal map, s = 1.
fn push_forward_defect(loaded: &Loaded, record: &Record, stretch: f64) -> f64 {
    let torus = &loaded.built.on_torus().unwrap().torus;
    let (f, g) = (
        loaded.built.on_torus().unwrap().source.on(torus),
        loaded.built.on_torus().unwrap().target.on(torus),
    );
    let (nodes, moved) = (torus.nodes(), record.values("displacement").unwrap());
    let difference = |i: usize| {
        let image = nodes[0][i] + stretch * moved[i];
        (TAU * image).cos() * (-f[i]).exp() - (TAU * nodes[0][i]).cos() * (-g[i]).exp()
    };
    (0..f.len()).map(difference).sum::<f64>().abs() / f.len() as f64
}

/// Explicit Euler is not of second order, nor are fourth-order differences of third.
#[test]
fn a_wrong_order_is_refuted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/mirror_flow_orders_1d.ron");
    let loaded = load(&path).unwrap();
    let record = measure(&loaded);
    let in_time = ["mirror-time-order", "dual-time-order", "primal-time-order"];
    let in_space = [
        "mirror-space-order",
        "dual-space-order",
        "primal-space-order",
    ];
    assert_true(&loaded, &record, &[in_time, in_space].concat());
    for order in [0.5, 2.0] {
        let wrong = changed(&record, "time_order", |_| order);
        assert_refuted(&loaded, &wrong, &in_time);
    }
    for order in [2.0, 3.0, 5.0] {
        let wrong = changed(&record, "space_order", |_| order);
        assert_refuted(&loaded, &wrong, &in_space);
    }
}
