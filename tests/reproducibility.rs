//! A run is repeatable to the bit, redrawn from its record, and never replaced unasked.

mod common;

use common::{Files, files, mirrorflow, names, project, run_arguments};
use predicates::prelude::predicate::in_iter;
use predicates::str::contains;
use std::fs;
use std::path::Path;

fn smoke(output: &Path) -> [String; 4] {
    run_arguments(&project("scenarios/smoke_1d.ron"), output)
}

/// All that does not say when, where and how fast.
fn results(folder: &Path) -> Files {
    let mut found = files(folder);
    found.retain(|name, _| name != "provenance.json" && name != "report.html");
    found
}

/// Names of the files that differ; both folders have the same names.
fn differing(a: &Files, b: &Files) -> Vec<String> {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let differ = a.iter().filter(|(name, content)| b[*name] != **content);
    differ.map(|(name, _)| name.clone()).collect()
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    let two = same_bits("parallel_2d");
    for study in ["flow", "sinkhorn", "scaling-limit", "optimal-map"] {
        assert!(two.contains_key(&format!("data/{study}.npz")), "{study}");
    }
}

#[test]
fn one_and_two_threads_give_the_same_bits_of_the_mirror_flow() {
    let two = same_bits("mirror_studies_1d");
    let studies = [
        "optimal-map",
        "mirror-flow",
        "exponential-convergence",
        "side-by-side",
        "mirror-descent",
    ];
    for study in studies {
        assert!(two.contains_key(&format!("data/{study}.npz")), "{study}");
    }
}

/// What one and two threads both give.
fn same_bits(name: &str) -> Files {
    let scratch = tempfile::tempdir().unwrap();
    let with_threads = |threads: &str| {
        let place = scratch.path().join(threads).join(name);
        let scenario = project(&format!("tests/scenarios/{name}.ron"));
        let arguments = run_arguments(&scenario, &place);
        // Measured to the end; at this tolerance the verdicts may be anything.
        let ended = mirrorflow(arguments).args(["--threads", threads]).assert();
        ended.code(in_iter([0, 1, 4])).stderr("");
        results(&place)
    };
    let (one, two) = (with_threads("1"), with_threads("2"));
    assert_eq!(differing(&one, &two), Vec::<String>::new());
    two
}

#[test]
fn a_second_run_gives_the_same_bits() {
    let scratch = tempfile::tempdir().unwrap();
    let again = || {
        mirrorflow(smoke(&scratch.path().join("a")))
            .arg("--force")
            .assert()
            .code(0);
        results(&scratch.path().join("a"))
    };
    assert_eq!(differing(&again(), &again()), Vec::<String>::new());
}

/// In a folder whose name is not the scenario's, where `--output` may well have put it.
#[test]
fn report_rebuilds_everything_from_the_record() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("elsewhere");
    mirrorflow(smoke(&place)).assert().code(0);
    let before = files(&place);
    let derived = |name: &str| !name.ends_with(".npz") && !kept(name);
    for name in before.keys().filter(|name| derived(name)) {
        fs::remove_file(place.join(name)).unwrap();
    }
    mirrorflow(["report", place.to_str().unwrap()])
        .assert()
        .code(0);
    assert_eq!(differing(&before, &files(&place)), Vec::<String>::new());
}

/// What a report starts from, beside the arrays.
fn kept(name: &str) -> bool {
    [".mirrorflow", "scenario.ron", "provenance.json"].contains(&name)
}

#[test]
fn a_report_needs_a_run() {
    let scratch = tempfile::tempdir().unwrap();
    let report = || mirrorflow(["report", scratch.path().to_str().unwrap()]);
    report()
        .assert()
        .code(2)
        .stderr(contains("not the folder of a run"));
    mirrorflow(smoke(&scratch.path().join("a")))
        .assert()
        .code(0);
    let record = scratch.path().join("a/data/flow.npz");
    let whole = fs::read(&record).unwrap();
    fs::write(&record, &whole[..whole.len() / 2]).unwrap();
    let broken = mirrorflow(["report", scratch.path().join("a").to_str().unwrap()]);
    { broken }
        .assert()
        .code(3)
        .stderr(contains("flow: cannot read the record"));
}

#[test]
fn an_earlier_run_is_replaced_only_when_asked() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    mirrorflow(smoke(&place)).assert().code(0);
    // A mark that only the first run has.
    fs::write(place.join("notes.txt"), "mine").unwrap();
    let before = files(&place);
    mirrorflow(smoke(&place))
        .assert()
        .code(2)
        .stdout("")
        .stderr(contains("exists already"))
        .stderr(contains("--force"));
    assert_eq!(differing(&before, &files(&place)), Vec::<String>::new());
    // Which is not the run's, so that asking is not enough.
    mirrorflow(smoke(&place))
        .arg("--force")
        .assert()
        .code(2)
        .stderr(contains("notes.txt"));
    assert_eq!(differing(&before, &files(&place)), Vec::<String>::new());
    fs::remove_file(place.join("notes.txt")).unwrap();
    mirrorflow(smoke(&place))
        .arg("--force")
        .assert()
        .code(0)
        .stderr("");
    assert_eq!(names(scratch.path()), ["a"]);
}

#[test]
fn force_does_not_replace_what_is_not_a_run() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("thesis");
    fs::create_dir(&place).unwrap();
    fs::write(place.join("chapter.tex"), "years of work").unwrap();
    mirrorflow(smoke(&place))
        .arg("--force")
        .assert()
        .code(2)
        .stderr(contains("not the folder of a run"));
    assert_eq!(names(&place), ["chapter.tex"]);
    assert_eq!(names(scratch.path()), ["thesis"]);
}

/// Names that a person may have given.
#[test]
fn a_persons_old_and_partial_folders_stay() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    for name in ["a.partial", "a.old"] {
        fs::create_dir(scratch.path().join(name)).unwrap();
        fs::write(scratch.path().join(name).join("scenario.ron"), "mine").unwrap();
    }
    for _ in 0..2 {
        mirrorflow(smoke(&place)).arg("--force").assert().code(0);
    }
    assert_eq!(names(scratch.path()), ["a", "a.old", "a.partial"]);
    for name in ["a.partial", "a.old"] {
        assert_eq!(names(&scratch.path().join(name)), ["scenario.ron"]);
    }
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_anything_is_computed() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("file");
    fs::write(&file, "in the way").unwrap();
    for force in [&[][..], &["--force"]] {
        let refused = mirrorflow(smoke(&file)).args(force).assert().code(2);
        refused.stdout("").stderr(contains("file"));
    }
    let below = file.join("a");
    let refused = mirrorflow(smoke(&below)).assert().code(5).stdout("");
    refused.stderr(contains("cannot write"));
    assert_eq!(fs::read(&file).unwrap(), b"in the way");
    assert_eq!(names(scratch.path()), ["file"]);
}

/// A folder cannot be renamed to `.`: said before anything is computed, not after.
#[test]
fn a_place_without_a_name_is_refused_before_anything_is_computed() {
    let scratch = tempfile::tempdir().unwrap();
    for place in [".", "..", "/"] {
        let refused = mirrorflow(smoke(Path::new(place)))
            .current_dir(&scratch)
            .assert();
        refused.code(2).stdout("").stderr(contains("--output DIR"));
    }
    assert!(names(scratch.path()).is_empty());
}

#[test]
fn several_scenarios_share_an_output_folder_by_name() {
    let scratch = tempfile::tempdir().unwrap();
    let other = project("scenarios/prepared_start_1d.ron");
    let [run, smoke, output, place] = smoke(scratch.path());
    let both = [&run, &smoke, other.to_str().unwrap(), &output, &place];
    mirrorflow(both).assert().code(0);
    assert_eq!(names(scratch.path()), ["prepared_start_1d", "smoke_1d"]);
    let twice = [&run, &smoke, &smoke, &output, &place];
    let refused = mirrorflow(twice).assert().code(2);
    refused.stderr(contains("two scenarios would write to"));
}
