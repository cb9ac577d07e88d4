//! The command line: what is said, on which stream, and the exit codes that scripts rely on.

mod common;

use common::{PROGRAM, mirrorflow, names, project, run_arguments};
use mirrorflow::record::Record;
use predicates::prelude::*;
use predicates::str::contains;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A scenario in one dimension with these parts.
fn scenario(folder: &Path, points: usize, target: &str, numerics: &str, studies: &str) -> PathBuf {
    let path = folder.join("case.ron");
    let text = format!(
        "Scenario(title: \"case\", problem: Torus(points: [{points}], \
         source: Formula(\"0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)\"), target: {target}), \
         numerics: ({numerics}), studies: [{studies}])"
    );
    fs::write(&path, text).unwrap();
    path
}

/// Runs a scenario in `folder` into `folder/run`.
fn run(folder: &Path, path: &Path) -> assert_cmd::assert::Assert {
    mirrorflow(run_arguments(path, &folder.join("run"))).assert()
}

const MILD: &str = "Formula(\"0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)\")";

#[test]
fn success_is_0_with_a_table_and_nothing_on_standard_error() {
    let scratch = tempfile::tempdir().unwrap();
    run(scratch.path(), &project("scenarios/smoke_1d.ron"))
        .code(0)
        .stderr("")
        .stdout(contains("Smoke test"))
        .stdout(
            contains("\nscaling-limit\n")
                .and(contains("\n  potential-order "))
                .and(contains("consistent")),
        )
        .stdout(contains("report.html"))
        .stdout(contains('\u{1b}').not());
}

#[test]
fn no_claim_asked_is_0() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scenario(scratch.path(), 32, MILD, "", "Flow(times: [0.01])");
    run(scratch.path(), &path).code(0).stderr("");
}

/// A record in which Sinkhorn does not converge: the verdict is of the data, not of the program's hopes.
#[test]
fn an_inconsistent_claim_is_1() {
    let scratch = tempfile::tempdir().unwrap();
    run(scratch.path(), &project("scenarios/smoke_1d.ron")).code(0);
    let path = scratch.path().join("run/data/scaling-limit.npz");
    let mut record = Record::read(File::open(&path).unwrap()).unwrap();
    let stagnating = vec![1e-3; record.values("potential").unwrap().len()];
    record.insert_curve("potential", stagnating);
    record.write(File::create(&path).unwrap()).unwrap();
    mirrorflow(["report", scratch.path().join("run").to_str().unwrap()])
        .assert()
        .code(1)
        .stdout(
            contains("inconsistent")
                .and(contains("scaling-limit/potential-order: orders of pairs")),
        );
}

#[test]
fn a_wrong_scenario_or_command_line_is_2_and_leaves_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scenario(scratch.path(), 63, MILD, "", "Flow(times: [0.01])");
    run(scratch.path(), &path)
        .code(2)
        .stdout("")
        .stderr(contains("odd").and(contains("case.ron:1")));
    run(scratch.path(), Path::new("absent.ron"))
        .code(2)
        .stderr(contains("absent.ron"));
    mirrorflow(["reprt"])
        .assert()
        .code(2)
        .stderr(contains("report"));
    mirrorflow(["run"])
        .assert()
        .code(2)
        .stderr(contains("<SCENARIO>"));
    mirrorflow([""; 0])
        .assert()
        .code(2)
        .stderr(contains("Usage"));
    mirrorflow(["list", "--directory", "absent"])
        .assert()
        .code(2)
        .stderr(contains("--directory"));
    // All scenarios are validated before the first is run.
    let [run, smoke, output, place] =
        run_arguments(&project("scenarios/smoke_1d.ron"), scratch.path());
    let both = [&run, &smoke, path.to_str().unwrap(), &output, &place];
    mirrorflow(both).assert().code(2).stdout("");
    assert_eq!(names(scratch.path()), ["case.ron"]);
}

/// Each failure names where, when and what to change; what was measured before it is kept and reported.
#[test]
fn a_numerical_failure_is_3_and_keeps_what_was_measured() {
    let cases = [
        (
            "Uniform",
            "time: Euler(step: 1e-3)",
            "Flow(times: [0.01])",
            "stability limit",
        ),
        (
            "Formula(\"-2.5*cos(2*pi*x)\")",
            "",
            "Flow(times: [0.0005]), Sinkhorn(epsilon: 0.0006, iterations: 400)",
            "at iteration",
        ),
    ];
    for (target, numerics, studies, said) in cases {
        let scratch = tempfile::tempdir().unwrap();
        let path = scenario(scratch.path(), 64, target, numerics, studies);
        run(scratch.path(), &path)
            .code(3)
            .stderr(contains(said).and(contains("use")));
        let page = fs::read_to_string(scratch.path().join("run/report.html")).unwrap();
        assert!(page.contains(said), "the report does not say why");
        assert!(scratch.path().join("run/data/flow.npz").is_file());
        let again = mirrorflow(["report", scratch.path().join("run").to_str().unwrap()]);
        { again }.assert().code(3).stderr(contains(said));
        let redrawn = fs::read_to_string(scratch.path().join("run/report.html")).unwrap();
        assert!(page == redrawn, "the report has changed");
    }
}

/// Steep data with three waves: one explicit step within the linear stability limit bends the potential out of convexity.
#[test]
fn lost_convexity_is_3_with_place_and_time() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("case.ron");
    let text = "Scenario(title: \"steep\", problem: Torus(points: [48], source: Formula(\"15*cos(6*pi*x)\"), \
                target: Uniform), numerics: (space: FiniteDifference(order: 2), time: Euler(step: 2.1e-4)), \
                studies: [Flow(times: [0.01])])";
    fs::write(&path, text).unwrap();
    let failed = run(scratch.path(), &path).code(3);
    failed.stderr(
        contains("lost convexity at t = 2.1")
            .and(contains("x = [0.0]"))
            .and(contains("smaller step")),
    );
}

#[test]
fn an_inconclusive_claim_is_4() {
    let scratch = tempfile::tempdir().unwrap();
    let limit = "ScalingLimit(time: 0.05, epsilons: [0.005, 0.0025, 0.00125])";
    let path = scenario(
        scratch.path(),
        64,
        MILD,
        "time: Adaptive(tolerance: 1e-4)",
        limit,
    );
    run(scratch.path(), &path).code(4).stderr("").stdout(
        contains("inconclusive")
            .and(contains("too few points"))
            .and(contains("error budget")),
    );
}

/// Few and large ε: the orders are near the laws but not on them, which refutes nothing.
#[test]
fn a_pre_asymptotic_list_is_4_not_1() {
    let scratch = tempfile::tempdir().unwrap();
    let limit = "ScalingLimit(time: 0.05, epsilons: [0.025, 0.0125, 0.00625])";
    let path = scenario(scratch.path(), 64, MILD, "", limit);
    run(scratch.path(), &path)
        .code(4)
        .stdout(contains("pre-asymptotic").and(contains("use smaller values")));
}

#[test]
fn check_says_what_a_scenario_costs_and_runs_nothing() {
    let scratch = tempfile::tempdir().unwrap();
    let flagship = project("scenarios/scaling_limit_2d.ron");
    mirrorflow(["check".as_ref(), flagship.as_os_str()])
        .current_dir(&scratch)
        .assert()
        .code(0)
        .stderr("")
        .stdout(
            predicates::str::is_match(r"valid\. About [\d.]+ MB of memory and [\d.]+ (s|min) ")
                .unwrap(),
        );
    assert!(names(scratch.path()).is_empty());
    let path = scenario(
        scratch.path(),
        64,
        "Formula(\"x^2\")",
        "",
        "Flow(times: [0.01])",
    );
    mirrorflow(["check".as_ref(), path.as_os_str()])
        .assert()
        .code(2)
        .stderr(contains("period"));
}

#[test]
fn list_shows_every_shipped_scenario_with_its_title() {
    let listed = mirrorflow(["list"])
        .current_dir(project(""))
        .assert()
        .code(0);
    let text = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
    assert_eq!(text.lines().count(), names(&project("scenarios")).len());
    for name in names(&project("scenarios")) {
        let source = fs::read_to_string(project("scenarios").join(&name)).unwrap();
        let title = source
            .split("title: \"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let path = format!("/{name}");
        let line = text.lines().find(|line| line.contains(&path)).expect(&name);
        assert!(line.ends_with(title), "{line}");
    }
}

#[test]
fn claims_are_stated_with_source_and_prediction() {
    let listed = mirrorflow(["claims"]).assert().code(0).stderr("");
    let text = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
    let of_study = |study: &str| {
        let heading = format!("{study}/");
        let claims = text.lines().filter(|line| line.starts_with(&heading));
        claims.count()
    };
    let studies = [
        ("ScalingLimit", 16),
        ("OptimalMap", 4),
        ("MirrorFlow", 12),
        ("ExponentialConvergence", 10),
        ("MirrorDescent", 17),
    ];
    for (study, fewest) in studies {
        assert!(of_study(study) >= fewest, "{study} in\n{text}");
    }
    let claims: usize = studies.iter().map(|(study, _)| of_study(study)).sum();
    let predictions = text.matches("prediction: ").count();
    assert_eq!(
        (predictions, text.matches("source: ").count()),
        (claims, claims)
    );
}

#[test]
fn new_writes_a_valid_scenario_once() {
    let scratch = tempfile::tempdir().unwrap();
    let new = || {
        let mut command = mirrorflow(["new", "mine.ron"]);
        command.current_dir(&scratch);
        command
    };
    new().assert().code(0).stdout(contains("mine.ron"));
    mirrorflow(["check", "mine.ron"])
        .current_dir(&scratch)
        .assert()
        .code(0);
    fs::write(scratch.path().join("mine.ron"), "changed").unwrap();
    new().assert().code(2).stderr(contains("--force"));
    assert_eq!(
        fs::read(scratch.path().join("mine.ron")).unwrap(),
        b"changed"
    );
    new().arg("--force").assert().code(0);
    assert_ne!(
        fs::read(scratch.path().join("mine.ron")).unwrap(),
        b"changed"
    );
}

#[test]
fn new_writes_a_valid_scenario_between_gaussians() {
    let scratch = tempfile::tempdir().unwrap();
    let new = |problem: &str| {
        let mut command = mirrorflow(["new", "mine.ron", "--problem", problem]);
        command.current_dir(&scratch);
        command
    };
    new("gaussian").assert().code(0);
    mirrorflow(["check", "mine.ron"])
        .current_dir(&scratch)
        .assert()
        .code(0)
        .stdout(contains("valid"));
    new("sphere")
        .assert()
        .code(2)
        .stderr(contains("torus").and(contains("gaussian")));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = mirrorflow(["completions", shell])
            .assert()
            .code(0)
            .stderr("");
        script.stdout(
            contains("mirrorflow")
                .and(contains("claims"))
                .and(contains("threads")),
        );
    }
}

#[test]
fn help_teaches_the_exit_codes() {
    for flag in ["--help", "-h"] {
        let help = mirrorflow([flag]).assert().code(0).stderr("");
        help.stdout(
            contains("Exit codes")
                .and(contains("  3  a numerical failure"))
                .and(contains("130")),
        );
    }
}

/// As in `mirrorflow claims | head -1`: a reader that has seen enough is no error.
#[test]
fn a_closed_pipe_is_success() {
    for arguments in [
        &["claims"][..],
        &["completions", "zsh"],
        &["list"],
        &["--help"],
    ] {
        let mut child = Command::new(PROGRAM)
            .args(arguments)
            .current_dir(project(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(
            output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// A scenario that fails before one that does not: the code is that of the failure.
#[test]
fn the_code_of_several_scenarios_is_the_gravest() {
    let scratch = tempfile::tempdir().unwrap();
    let write = |name: &str, epsilon: &str| {
        let text = format!(
            "Scenario(title: \"t\", problem: Torus(points: [64], source: Formula(\"1.2*cos(2*pi*x)\"), target: Uniform), \
             studies: [Sinkhorn(epsilon: {epsilon}, iterations: 20)])"
        );
        let path = scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (fails, ends) = (write("a.ron", "0.0006"), write("b.ron", "0.01"));
    let run = |first: &std::path::Path, second: &std::path::Path, into: &str| {
        let arguments = [
            "run",
            first.to_str().unwrap(),
            second.to_str().unwrap(),
            "-o",
            scratch.path().join(into).to_str().unwrap(),
        ]
        .map(str::to_owned);
        mirrorflow(arguments).assert().get_output().status.code()
    };
    assert_eq!(run(&fails, &ends, "one"), Some(3));
    assert_eq!(run(&ends, &fails, "two"), Some(3));
}
