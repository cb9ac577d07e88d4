//! Whatever ends a run, and however many go at once: nothing that was whole is lost, and no folder with its name is incomplete.
#![cfg(unix)]

mod common;

use common::{Files, PROGRAM, files, mirrorflow, names, project, run_arguments};
use mirrorflow::scenario::parse;
use mirrorflow::solvers::random::XorShift;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SMOKE: &str = "scenarios/smoke_1d.ron";

fn start(place: &Path, force: bool) -> Child {
    Command::new(PROGRAM)
        .args(run_arguments(&project(SMOKE), place))
        .args(force.then_some("--force"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn run(place: &Path) -> assert_cmd::Command {
    mirrorflow(run_arguments(&project(SMOKE), place))
}

/// What its marker lists, and nothing else; no file is empty.
fn assert_whole(place: &Path) -> Files {
    let mut found = files(place);
    let marker = found.remove(".mirrorflow").expect("a marker");
    let marker: serde_json::Value = serde_json::from_slice(&marker).expect("JSON");
    assert_eq!(marker["complete"], true);
    let listed: Vec<String> = serde_json::from_value(marker["files"].clone()).unwrap();
    assert_eq!(listed, found.keys().cloned().collect::<Vec<_>>());
    assert!(listed.len() > 15 && found.values().all(|content| !content.is_empty()));
    found
}

/// Kills runs over an earlier one at random moments; how many still had the old one and how many the new.
fn kill(times: usize, seed: u64) -> (usize, usize) {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    let clock = Instant::now();
    run(&place).assert().code(0);
    let whole = clock.elapsed().as_secs_f64();
    let mut random = XorShift::new(seed);
    let (mut old, mut new) = (0, 0);
    for _ in 0..times {
        let before = assert_whole(&place);
        let mut child = start(&place, true);
        sleep(Duration::from_secs_f64(1.3 * whole * random.uniform()));
        child.kill().unwrap();
        child.wait().unwrap();
        match assert_whole(&place) == before {
            true => old += 1,
            false => new += 1,
        }
    }
    run(&place).arg("--force").assert().code(0);
    assert_eq!(names(scratch.path()), ["a"]);
    (old, new)
}

#[test]
fn killed_at_random_moments_the_old_or_the_new_run_is_whole() {
    let (old, _) = kill(12, 1);
    assert!(old > 0, "never killed in time");
}

/// `cargo test --release --test nothing_lost -- --ignored --nocapture` is the long form of this file's tests.
#[test]
#[ignore = "a minute: two hundred kills"]
fn killed_at_two_hundred_random_moments() {
    let (old, new) = kill(200, 2);
    println!("200 kills: the old run was whole {old} times, the new one {new} times");
    assert!(old > 20 && new > 5, "{old} {new}");
}

/// So many runs into one place at once, some with `--force`: which exit codes there were.
fn at_once(runs: usize, place: &Path) -> Vec<i32> {
    let started: Vec<Child> = (0..runs).map(|k| start(place, k % 2 == 1)).collect();
    let ended = started.into_iter().map(|child| {
        let output = child.wait_with_output().unwrap();
        let code = output.status.code().expect("not killed");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match code {
            0 => assert_eq!(said, ""),
            5 => assert!(said.contains("held by"), "{said}"),
            2 => assert!(said.contains("--force"), "{said}"),
            other => panic!("{other}: {said}"),
        }
        code
    });
    ended.collect()
}

fn rounds(count: usize) -> usize {
    let mut refused = 0;
    for round in 0..count {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("a");
        let codes = at_once(2 + round % 3, &place);
        assert!(codes.contains(&0), "{codes:?}");
        refused += codes.iter().filter(|&&code| code == 5).count();
        assert_whole(&place);
        assert_eq!(names(scratch.path()), ["a"]);
    }
    refused
}

#[test]
fn of_runs_into_one_place_one_wins_and_the_others_are_told() {
    assert!(rounds(3) > 0);
}

#[test]
#[ignore = "a minute: fifty rounds of two to four runs"]
fn fifty_rounds_of_runs_into_one_place() {
    println!("50 rounds: {} runs were refused", rounds(50));
}

#[test]
fn a_scenario_in_the_folder_to_be_replaced_is_not_lost() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    run(&place).assert().code(0);
    let own = place.join("scenario.ron");
    mirrorflow(run_arguments(&own, &place))
        .arg("--force")
        .assert()
        .code(2)
        .stderr(contains("holds the scenario"));
    assert_whole(&place);
}

#[test]
fn a_folder_that_cannot_be_written_is_5() {
    let scratch = tempfile::tempdir().unwrap();
    fs::write(scratch.path().join("file"), "").unwrap();
    run(&scratch.path().join("file/a"))
        .assert()
        .code(5)
        .stderr(contains("cannot write"));
    mirrorflow(["claims"]).assert().code(0);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let written = Command::new(PROGRAM)
        .arg("claims")
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(written.status.code(), Some(5));
}

/// A run whose standard error and output nobody reads any more.
fn unheard(arguments: &[&str]) -> Child {
    let mut child = Command::new(PROGRAM)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    child
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn with_nobody_listening_errors_and_signals_end_a_run_as_ever() {
    assert_eq!(
        unheard(&["run", "absent.ron"]).wait().unwrap().code(),
        Some(2)
    );
    for name in ["-INT", "-TERM"] {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("a");
        let [run, scenario, output, folder] =
            run_arguments(&project("tests/scenarios/endless_2d.ron"), &place);
        let mut child = unheard(&[&run, &scenario, &output, &folder]);
        while !common::working(&place).is_some_and(|at| at.join("data/flow.npz").exists()) {
            sleep(Duration::from_millis(5));
        }
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(place.join("report.html").exists());
    }
}

/// As `nohup` starts it.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_stays_ignored() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    let line = format!(
        "trap '' HUP; exec {PROGRAM} run {} -o {}",
        project("tests/scenarios/endless_2d.ron").display(),
        place.display()
    );
    let mut child = Command::new("sh")
        .args(["-c", &line])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !common::working(&place).is_some_and(|at| at.join("data/flow.npz").exists()) {
        sleep(Duration::from_millis(5));
    }
    signal(&child, "-HUP");
    sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it ended");
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn standard_input_and_a_byte_order_mark_are_read() {
    let scratch = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(project(SMOKE)).unwrap();
    let marked = format!("\u{feff}{text}");
    mirrorflow(["run", "-"])
        .current_dir(&scratch)
        .write_stdin(marked)
        .assert()
        .code(0);
    assert_whole(&scratch.path().join("output/stdin"));
}

#[test]
fn what_is_no_scenario_is_refused_in_few_words() {
    use std::os::unix::ffi::OsStrExt;
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("case.ron");
    let refused = |content: &[u8]| {
        fs::File::create(&path).unwrap().write_all(content).unwrap();
        let refused = mirrorflow(["check".as_ref(), path.as_os_str()])
            .assert()
            .code(2);
        let said = refused.get_output().stderr.clone();
        assert!(said.len() < 20_000, "{} bytes", said.len());
        String::from_utf8(said).unwrap()
    };
    assert!(refused(b"\xff\xfe(\0").contains("not UTF-8"));
    assert!(refused(&vec![b'x'; 104_000_000]).contains("64 MB"));
    assert!(refused(&vec![b'x'; 10_000_000]).contains('…'));
    assert!(
        refused(&[b"Scenario(title: \"", "\u{1b}[2J".as_bytes(), b"\", pro"].concat())
            .contains("\\u{1b}")
    );
    assert!(!refused(b"Scenario(\x1b[31m: 3)").contains('\u{1b}'));
    let unnamed = scratch
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xff.ron"));
    fs::write(&unnamed, "").unwrap();
    mirrorflow(["check".as_ref(), unnamed.as_os_str()])
        .assert()
        .code(2)
        .stderr(contains("is not UTF-8").and(contains("did you mean").not()));
}

/// Small scenarios of every kind, so that a mutant that is valid is built quickly.
fn texts() -> Vec<String> {
    let names = [
        "smoke_1d",
        "gaussian_commuting",
        "euclidean_entropy",
        "optimal_map_1d",
    ];
    let read = |name: &&str| fs::read_to_string(project(&format!("scenarios/{name}.ron"))).unwrap();
    names.iter().map(read).collect()
}

/// A whole number from 0 on.
fn below(random: &mut XorShift, bound: usize) -> usize {
    (random.uniform() * bound as f64) as usize
}

/// A few letters deleted, doubled, exchanged, or replaced by what breaks readers.
fn mutant(text: &str, random: &mut XorShift) -> String {
    const BREAKING: [&str; 14] = [
        "(", ")", "[", "]", "\"", "1e308", "-1", "NaN", "0", ",", "\u{0}", "ε", "/*", "9999999",
    ];
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..(1 + below(random, 3)) {
        let at = below(random, letters.len());
        let end = (at + (1 + below(random, 11))).min(letters.len());
        let breaking = BREAKING[below(random, BREAKING.len())];
        match below(random, 4) {
            0 => drop(letters.drain(at..end)),
            1 => drop(letters.splice(at..at, letters[at..end].to_vec())),
            2 => letters[at..end].reverse(),
            _ => drop(letters.splice(at..end, breaking.chars())),
        }
    }
    letters.into_iter().collect()
}

/// Longest time that reading one may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads mutated scenarios; how many were valid.
fn fuzz(count: usize, seed: u64) -> usize {
    let texts = texts();
    let mut random = XorShift::new(seed);
    let mut valid = 0;
    for k in 0..count {
        let text = mutant(&texts[k % texts.len()], &mut random);
        let clock = Instant::now();
        let read = parse("mutant.ron", &text);
        assert!(
            clock.elapsed() < PATIENCE,
            "{:?} for\n{text}",
            clock.elapsed()
        );
        match read {
            Ok(_) => valid += 1,
            Err(report) => assert!(format!("{report:?}").len() < 100_000),
        }
    }
    valid
}

#[test]
fn mutated_scenarios_are_read_or_refused() {
    let valid = fuzz(400, 3);
    assert!(valid > 0 && valid < 400, "{valid}");
}

#[test]
#[ignore = "minutes: a hundred thousand mutated scenarios"]
fn a_hundred_thousand_mutated_scenarios_are_read_or_refused() {
    let valid = fuzz(100_000, 4);
    println!("100000 mutants, {valid} of them valid");
}
