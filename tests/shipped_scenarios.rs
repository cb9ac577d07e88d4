//! Every shipped scenario is a test: it runs, every claim is consistent, the orders are those of the theory, and the folder
//! keeps the contract.

mod common;

use common::{contract, project};
use mirrorflow::run;
use mirrorflow::scenario::parse;
use mirrorflow::verdict::{Status, Verdict};

/// Orders of the expansion in ε (theory page of the scaling limit) by measured quantity.
const ORDERS: [(&str, f64); 5] = [
    ("potential", 1.0),
    ("corrected", 2.0),
    ("gradient", 1.0),
    ("wasserstein", 1.0),
    ("kl", 2.0),
];

#[test]
fn smoke_1d() {
    holds("scenarios/smoke_1d.ron", 1, &[]);
}

#[test]
fn prepared_start_1d() {
    holds("scenarios/prepared_start_1d.ron", 1, &[]);
}

#[test]
fn scaling_limit_1d() {
    holds("scenarios/scaling_limit_1d.ron", 4, &[]);
}

#[test]
fn finite_difference_2d() {
    holds("scenarios/finite_difference_2d.ron", 1, &[]);
}

/// The flagship on a quarter of its nodes; the whole of it is the main job of `.ci/run`.
#[test]
fn scaling_limit_2d_on_64_points() {
    holds(
        "scenarios/scaling_limit_2d.ron",
        1,
        &[("[128, 128]", "[64, 64]")],
    );
}

/// Three dimensions on 28³ nodes, which resolve ε ≥ 0.0036; the whole of it runs in `.ci/run`.
#[test]
fn scaling_limit_3d_on_28_points() {
    let smaller = [
        ("[32, 32, 32]", "[28, 28, 28]"),
        (
            "[0.008, 0.006, 0.004, 0.003]",
            "[0.008, 0.006, 0.0048, 0.004]",
        ),
    ];
    holds("scenarios/scaling_limit_3d.ron", 1, &smaller);
}

#[test]
fn both_kernels_and_both_starts_in_two_dimensions() {
    holds("tests/scenarios/kernels_and_starts_2d.ron", 4, &[]);
}

#[test]
fn no_shipped_scenario_is_left_out() {
    let source = include_str!("shipped_scenarios.rs");
    for name in common::names(&project("scenarios")) {
        assert!(source.contains(&format!("\"scenarios/{name}\"")), "{name}");
    }
}

/// Runs the scenario with the texts replaced; it has `limits` scaling limits.
fn holds(path: &str, limits: usize, replaced: &[(&str, &str)]) {
    let mut text = std::fs::read_to_string(project(path)).unwrap();
    for (old, new) in replaced {
        assert!(text.contains(old), "{old} is not in {path}");
        text = text.replace(old, new);
    }
    let loaded = parse(path, &text).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join(&loaded.name);
    let ended = run::run(&loaded, &place, false).unwrap();
    assert!(ended.failure.is_none(), "{:?}", ended.failure);
    let doubtful: Vec<&Verdict> = ended.verdicts.iter().filter(|v| doubtful(v)).collect();
    assert!(
        doubtful.is_empty() && ended.exit_code() == 0,
        "{doubtful:#?}"
    );
    orders_are_those_of_the_theory(&ended.verdicts, limits);
    contract::check(&place, &loaded);
    assert_eq!(common::names(scratch.path()), [loaded.name]);
}

fn doubtful(verdict: &Verdict) -> bool {
    matches!(verdict.status, Status::Inconsistent | Status::Inconclusive)
}

fn orders_are_those_of_the_theory(verdicts: &[Verdict], limits: usize) {
    for (quantity, order) in ORDERS {
        let prediction = format!("order = {order}");
        let of_quantity = |v: &&Verdict| v.quantity == quantity && v.prediction == prediction;
        let judged: Vec<&Verdict> = verdicts.iter().filter(of_quantity).collect();
        assert_eq!(judged.len(), limits, "{quantity}");
        for verdict in judged {
            let (low, high) = verdict.interval.expect("an order was observed");
            assert!((low..=high).contains(&order), "{verdict:#?}");
        }
    }
}
