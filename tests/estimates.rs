//! `check` says what a scenario costs, and refuses what cannot be done: counts, memory, for this machine or another.

mod common;

use common::{mirrorflow, project};
use mirrorflow::estimate::estimate;
use mirrorflow::machine::Machine;
use mirrorflow::run;
use mirrorflow::scenario::{load, parse};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use std::time::Instant;

const TORUS: &str =
    "problem: Torus(points: [64], source: Formula(\"0.3*cos(2*pi*x)\"), target: Uniform)";
const LINE: &str = "problem: Euclidean(objective: \"x^2\", mirror: Quadratic, start: [1.0])";
const NORMAL: &str = "problem: Gaussian(source: Variances([1.0]), target: Variances([0.25]))";

/// What `check` says of a scenario with these parts, with ` N ` for the count 10¹².
fn refusal(problem: &str, rest: &str) -> String {
    let rest = rest.replace('N', "1000000000000");
    let text = format!("Scenario(title: \"t\", {problem}, {rest})");
    format!("{:?}", parse("counts.ron", &text).unwrap_err())
}

#[test]
fn absurd_counts_are_refused_wherever_they_stand() {
    let sampling = |field: &str| {
        let fields = ["samples: 10000", "bins: 8", "fokker_planck_steps: 64"];
        let (name, _) = field.split_once(':').unwrap();
        let others = fields.iter().filter(|other| !other.starts_with(name));
        let all: Vec<&str> = others.copied().chain([field]).collect();
        let all = all.join(", ");
        format!(
            "studies: [MirrorDescent(steps: 4, band: 4, runs: [Explicit(Adaptive(0.5))], sampling: ({all}))]"
        )
    };
    let cases = [
        (TORUS, "studies: [Sinkhorn(epsilon: 0.01, iterations: N)]".into(), "iterations"),
        (TORUS, "studies: [ScalingLimit(time: 1e10, epsilons: [0.01, 0.02, 0.04])]".into(), "iterations"),
        (TORUS, "studies: [ExponentialConvergence(time: 0.1, samples: N)]".into(), "samples"),
        (
            TORUS,
            "studies: [SideBySide(time: 0.04, epsilons: [0.04, 0.02, 0.01], times: [0.04], horizon: 1.6, samples: N)]".into(),
            "samples",
        ),
        (TORUS, "studies: [MirrorFlow(times: [0.01], refinements: [100, 200, N])]".into(), "steps"),
        (TORUS, "studies: [MirrorDescent(steps: N, band: 4, runs: [Explicit(Adaptive(0.5))])]".into(), "steps"),
        (TORUS, sampling("samples: N"), "samples"),
        (TORUS, sampling("bins: N"), "bins"),
        (TORUS, sampling("fokker_planck_steps: N"), "steps"),
        (TORUS, "numerics: (time: Euler(step: 1e-14)), studies: [Flow(times: [0.1])]".into(), "time steps"),
        (LINE, "studies: [MirrorDescent(steps: N, runs: [Explicit(Constant(0.001))])]".into(), "steps"),
        (
            LINE,
            "studies: [MirrorDescent(steps: 9, runs: [Explicit(Constant(0.001))], limit: (time: 0.1, steps: [8, 16, N]))]".into(),
            "steps",
        ),
        (NORMAL, "studies: [ExponentialConvergence(time: 12.0, samples: N)]".into(), "samples"),
    ];
    for (problem, rest, what) in cases {
        let said = refusal(problem, &rest);
        assert!(said.contains("more than can be done"), "{rest}: {said}");
        assert!(
            said.contains(what) && said.contains("at most 1e9"),
            "{rest}: {said}"
        );
        assert!(
            said.contains("counts.ron") && said.contains("help"),
            "{rest}: {said}"
        );
    }
}

#[test]
fn a_million_iterations_are_allowed() {
    let text = format!(
        "Scenario(title: \"t\", {TORUS}, studies: [Sinkhorn(epsilon: 0.03, iterations: 1000000)])"
    );
    assert!(parse("million.ron", &text).is_ok());
}

#[test]
fn another_machine_is_judged_by_its_memory() {
    let small = project("scenarios/smoke_1d.ron");
    let small = small.to_str().unwrap();
    mirrorflow(["check", small, "--memory", "2MB"])
        .assert()
        .code(2)
        .stderr(contains("--memory").and(contains("may be used")));
    mirrorflow(["check", small, "--memory", "256GB", "--threads", "64"])
        .assert()
        .success()
        .stdout(contains("64 threads").and(contains("measured on this machine")));
    mirrorflow(["check", small, "--memory", "lots"])
        .assert()
        .code(2)
        .stderr(contains("16GB"));
}

/// Loosely: other programs share the processor with the tests.
#[test]
fn small_scenarios_take_about_what_was_said() {
    for name in ["smoke_1d", "euclidean_three_decays"] {
        let loaded = load(&project(&format!("scenarios/{name}.ron"))).unwrap();
        let machine = Machine::this().with(None, Some(1));
        let said = estimate(&loaded, &machine);
        assert!(said.whole && said.failure.is_none(), "{said:?}");
        let folder = tempfile::tempdir().unwrap();
        let clock = Instant::now();
        run::run(&loaded, &folder.path().join("run"), false).unwrap();
        let took = clock.elapsed().as_secs_f64();
        assert!(
            said.seconds < 10.0 * took && said.seconds > 0.02 * took,
            "{name}: {} {took}",
            said.seconds
        );
        assert!((1e7..3e8).contains(&said.bytes), "{name}: {}", said.bytes);
    }
}
