//! Wrong closed forms, mirrors, gradients and laws of flows of functions are caught: the claims concerned come out `Inconsistent`, while
//! the true record makes every claim consistent. Hypotheses that fail are seen.

use mirrorflow::record::Record;
use mirrorflow::scenario::{Built, BuiltEuclidean, Loaded, parse};
use mirrorflow::study::{Context, Silent, Study};
use mirrorflow::verdict::{Status, Verdict};
use std::collections::BTreeSet;

const DECAYS: &str =
    "objective: \"x^2/2\", mirror: Quadratic, others: [Quartic, Reciprocal], start: [1.0]";
const FLOW: &str = "MirrorFlow(times: [0.5, 1.0, 2.0, 4.0, 5.5, 6.5, 8.0])";
const DESCENT: &str = "MirrorDescent(steps: 20, runs: [Explicit(Constant(0.1)), Implicit(Constant(0.1))], \
                       limit: (time: 1.0, steps: [32, 64, 128, 256]))";

fn with(problem: &str, study: &str) -> Loaded {
    let text = format!(
        "Scenario(title: \"controls\", problem: Euclidean({problem}), \
         numerics: (time: Adaptive(tolerance: 1e-11)), studies: [{study}])"
    );
    parse("controls.ron", &text).unwrap()
}

fn built(loaded: &Loaded) -> &BuiltEuclidean {
    match &loaded.built {
        Built::Euclidean(built) => built,
        _ => panic!("a Euclidean problem"),
    }
}

fn context(loaded: &Loaded) -> Context<'_, BuiltEuclidean> {
    Context {
        built: built(loaded),
        numerics: &loaded.scenario.numerics,
        progress: &Silent,
    }
}

fn measure(loaded: &Loaded) -> Record {
    let study = loaded.scenario.studies[0].on_euclidean().unwrap();
    study.measure(&context(loaded)).unwrap().record
}

fn judge(loaded: &Loaded, record: &Record) -> Vec<Verdict> {
    let study = loaded.scenario.studies[0].on_euclidean().unwrap();
    study.judge("control", record).unwrap()
}

fn claims(verdicts: &[Verdict], status: Status) -> BTreeSet<&str> {
    let chosen = verdicts.iter().filter(|v| v.status == status);
    chosen.map(|v| v.claim.as_str()).collect()
}

/// The true record makes every claim consistent.
fn assert_true(loaded: &Loaded, record: &Record) {
    let verdicts = judge(loaded, record);
    let other = verdicts.iter().find(|v| v.status != Status::Consistent);
    assert!(other.is_none() && !verdicts.is_empty(), "{other:#?}");
}

fn assert_refuted(loaded: &Loaded, record: &Record, refuted: &[&str]) {
    let verdicts = judge(loaded, record);
    let found = claims(&verdicts, Status::Inconsistent);
    assert_eq!(found, refuted.iter().copied().collect(), "{verdicts:#?}");
}

fn changed(record: &Record, name: &str, change: impl Fn(f64) -> f64) -> Record {
    let array = record.array(name).unwrap();
    let values = array.iter().map(|&value| change(value)).collect();
    let mut changed = record.clone();
    changed.insert(name, array.shape(), values);
    changed
}

type Law = fn(f64) -> f64;

#[test]
fn wrong_exponents_rates_and_arrivals_of_closed_forms_are_refuted() {
    let loaded = with(DECAYS, FLOW);
    let record = measure(&loaded);
    assert_true(&loaded, &record);
    let wrong: [(usize, Law); 4] = [
        (1, |t| (-1.001 * t).exp()),
        (2, |t| (1.0 - t / 6.0).max(0.0).cbrt()),
        (3, |t| (1.0 + 1.5 * t).powf(-0.5)),
        (3, |t| (1.0 + 1.4 * t).cbrt().recip()),
    ];
    for (mirror, law) in wrong {
        let times = record.values("times").unwrap().iter();
        let x = record.values(&format!("u{mirror}_x")).unwrap();
        let apart = times.zip(x).map(|(&t, x)| (x - law(t)).abs());
        let mut off = record.clone();
        off.insert_curve(&format!("u{mirror}_closed_form"), apart.collect());
        assert_refuted(&loaded, &off, &["closed-form"]);
    }
}

/// The flow by one mirror is not that by another: neither its closed form nor its travel time.
#[test]
fn exchanged_mirrors_are_refuted() {
    let loaded = with(DECAYS, FLOW);
    let record = measure(&loaded);
    let exact = record.values("u3_exact").unwrap();
    let apart = record.values("u2_x").unwrap().iter().zip(exact);
    let mut exchanged = record.clone();
    exchanged.insert_curve(
        "u2_closed_form",
        apart.map(|(x, e)| (x - e).abs()).collect(),
    );
    assert_refuted(&loaded, &exchanged, &["closed-form"]);
}

/// U(y, x) in the place of U(x, y).
#[test]
fn a_transposed_mirror_is_refuted() {
    let flow = "MirrorFlow(times: [0.2, 0.5, 1.0])";
    let problem = |u: &str| {
        format!(
            "objective: \"x^2/2 + x*y/3 + exp(y)\", mirror: Formula(\"{u}\"), start: [1.0, 0.8]"
        )
    };
    let loaded = with(&problem("x^4 + x^2 + y^2 + exp(x - y)"), flow);
    let transposed = with(&problem("y^4 + y^2 + x^2 + exp(y - x)"), flow);
    let (record, other) = (measure(&loaded), measure(&transposed));
    assert!(claims(&judge(&loaded, &record), Status::Consistent).contains("coordinates"));
    let (a, b) = (
        record.values("u1_x").unwrap(),
        other.values("u1_x").unwrap(),
    );
    let apart = a
        .chunks(2)
        .zip(b.chunks(2))
        .map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1]));
    let mut wrong = record.clone();
    wrong.insert_curve("u1_coordinate_difference", apart.collect());
    assert_refuted(&loaded, &wrong, &["coordinates"]);
}

#[test]
fn wrong_laws_of_the_end_are_refuted() {
    let loaded = with(DECAYS, FLOW);
    let record = measure(&loaded);
    for (claim, name, factor) in [
        ("exponential-decay", "u1_rate", 1.05),
        ("exponential-decay", "u1_rate", 0.95),
        ("arrival-time", "u2_arrival_time", 1.0001),
        ("algebraic-decay", "u3_exponent", 1.5),
        ("algebraic-decay", "u3_exponent", 0.95),
    ] {
        assert_refuted(&loaded, &changed(&record, name, |v| factor * v), &[claim]);
    }
}

#[test]
fn broken_identities_and_bounds_are_refuted() {
    let loaded = with(DECAYS, FLOW);
    let record = measure(&loaded);
    for (claim, name, shift) in [
        ("function-dissipation", "u2_dissipation_defect", 1e-6),
        ("bregman-identity", "u1_bregman_defect", 1e-6),
        ("travel-time", "u3_time_defect", 1e-8),
        ("coordinates", "u1_coordinate_difference", 1e-8),
    ] {
        assert_refuted(&loaded, &changed(&record, name, |v| v + shift), &[claim]);
    }
    assert_refuted(
        &loaded,
        &changed(&record, "u1_gap", |v| 10.0 * v),
        &["one-over-t"],
    );
    let mut values = record.values("u1_divergence").unwrap().to_vec();
    values[7] = 1.001 * values[6];
    let mut growing = record.clone();
    growing.insert_curve("u1_divergence", values);
    assert_refuted(&loaded, &growing, &["bregman-decrease"]);
}

#[test]
fn a_descent_with_nine_tenths_of_the_gradient_is_refuted() {
    let problem = "objective: \"(x - 2)^2/2\", mirror: Formula(\"x*log(x)\"), start: [0.5]";
    let loaded = with(problem, DESCENT);
    assert_true(&loaded, &measure(&loaded));
    let Study::MirrorDescent(descent) = &loaded.scenario.studies[0] else {
        panic!("a descent");
    };
    let wrong = descent.measure_with(&context(&loaded), 0.9).unwrap().record;
    let refuted = [
        "three-point",
        "explicit-step-order",
        "implicit-step-order",
        "natural-step-order",
    ];
    assert_refuted(&loaded, &wrong, &refuted);
}

#[test]
fn a_regret_above_its_bound_and_an_increase_are_refuted() {
    let loaded = with(DECAYS, DESCENT);
    let record = measure(&loaded);
    assert_true(&loaded, &record);
    let large = changed(&record, "run_1_regret", |v| 4.0 * v);
    assert_refuted(&loaded, &large, &["function-regret"]);
    let mut gap = record.values("run_2_gap").unwrap().to_vec();
    gap[3] = 1.01 * gap[2];
    let mut growing = record.clone();
    growing.insert_curve("run_2_gap", gap);
    assert_refuted(&loaded, &growing, &["implicit-decrease"]);
}

/// A double well is not convex between the start and its minimum: the inequalities of convex functions are not judged.
#[test]
fn convexity_is_checked() {
    let well = "objective: \"x^4/4 - x^2/2\", mirror: Quadratic, start: [0.1]";
    let loaded = with(well, "MirrorFlow(times: [1.0, 4.0, 8.0])");
    let verdicts = judge(&loaded, &measure(&loaded));
    let left_out = claims(&verdicts, Status::NotApplicable);
    assert_eq!(
        left_out,
        ["bregman-decrease", "one-over-t"].into(),
        "{verdicts:#?}"
    );
    assert!(claims(&verdicts, Status::Consistent).contains("exponential-decay"));
    let loaded = with(well, DESCENT);
    let verdicts = judge(&loaded, &measure(&loaded));
    let left_out = claims(&verdicts, Status::NotApplicable);
    assert_eq!(left_out, ["function-regret", "implicit-decrease"].into());
}

/// x⁴ is flat at zero, where explicit descent passes: no bound is known. 1/x is not finite there: there is no divergence at all.
#[test]
fn strong_convexity_and_the_domain_of_the_mirror_are_checked() {
    let only = "MirrorDescent(steps: 40, runs: [Explicit(Constant(0.3))])";
    let loaded = with("objective: \"x^2/2\", mirror: Quartic, start: [1.0]", only);
    let verdicts = judge(&loaded, &measure(&loaded));
    assert_eq!(
        claims(&verdicts, Status::NotApplicable),
        ["function-regret"].into(),
        "{verdicts:#?}"
    );
    let reason = &verdicts
        .iter()
        .find(|v| v.claim == "function-regret")
        .unwrap()
        .reason;
    assert!(reason.contains("not strongly convex"), "{reason}");
    let reciprocal = "objective: \"x^2/2\", mirror: Reciprocal, start: [1.0]";
    for (study, expected) in [
        (only, vec!["function-regret", "three-point"]),
        (
            "MirrorFlow(times: [1.0, 8.0])",
            vec!["bregman-decrease", "bregman-identity", "one-over-t"],
        ),
    ] {
        let loaded = with(reciprocal, study);
        let verdicts = judge(&loaded, &measure(&loaded));
        let left_out = claims(&verdicts, Status::NotApplicable);
        assert_eq!(left_out, expected.into_iter().collect(), "{verdicts:#?}");
        let open = [Status::Inconclusive, Status::Inconsistent];
        assert!(
            open.iter().all(|&s| claims(&verdicts, s).is_empty()),
            "{verdicts:#?}"
        );
    }
}

/// A record that was cut short after the first mirror decides nothing and refutes nothing.
#[test]
fn what_was_not_measured_decides_nothing() {
    let loaded = with(DECAYS, FLOW);
    let whole = measure(&loaded);
    let mut cut = Record::default();
    for name in ["times", "samples", "mirrors"] {
        let array = whole.array(name).unwrap();
        cut.insert(name, array.shape(), array.iter().copied().collect());
    }
    cut.extend("u1_", whole.part("u1_"));
    let verdicts = judge(&loaded, &cut);
    assert!(
        verdicts.iter().all(|v| v.status == Status::Inconclusive),
        "{verdicts:#?}"
    );
    assert!(verdicts.iter().all(|v| v.reason.contains("cut short")));
}
