//! Ctrl-C keeps what was measured; a kill leaves no half-written file.
#![cfg(unix)]

mod common;

use common::{Files, PROGRAM, contract, files, mirrorflow, names, project, run_arguments, working};
use mirrorflow::record::Record;
use mirrorflow::scenario::{Loaded, load};
use mirrorflow::study::{Context, Experiment, Interrupted, Measured, Progress, Study};
use mirrorflow::verdict::Status;
use predicates::prelude::PredicateBooleanExt;
use serde_json::Value;
use std::io::Cursor;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a file may take to appear on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn start(scenario: &str, place: &Path) -> Child {
    Command::new(PROGRAM)
        .args(run_arguments(&project(scenario), place))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

/// Waits until the run into `place` has written a file.
fn wait_for(place: &Path, file: &str) {
    let clock = Instant::now();
    while !working(place).is_some_and(|folder| folder.join(file).exists()) {
        assert!(clock.elapsed() < PATIENCE, "{file} never came");
        sleep(Duration::from_millis(5));
    }
}

/// What Ctrl-C sends.
fn interrupt(child: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
}

/// A run that was interrupted in its second study.
fn interrupted(place: &Path) -> Files {
    let mut child = start("tests/scenarios/endless_2d.ron", place);
    wait_for(place, "data/flow.npz");
    sleep(Duration::from_millis(200));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    files(place)
}

#[test]
fn ctrl_c_keeps_what_was_measured_and_reports_it() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    let found = interrupted(&place);
    assert_eq!(names(scratch.path()), ["a"]);
    found
        .iter()
        .for_each(|(name, content)| assert_whole(name, content));
    let flow = contract::read_npz(&found["data/flow.npz"]);
    assert_eq!(flow["times"].len(), 1);
    let sinkhorn = contract::read_npz(&found["data/sinkhorn.npz"]);
    assert_eq!(sinkhorn["kl"].len(), sinkhorn["iteration"].len());
    assert!(
        !sinkhorn["kl"].is_empty(),
        "the iterations before it are lost"
    );
    assert!(!found.contains_key("data/scaling-limit.npz"));
    let provenance: Value = serde_json::from_slice(&found["provenance.json"]).unwrap();
    assert_eq!(provenance["status"], "interrupted");
    assert!(String::from_utf8_lossy(&found["report.html"]).contains("interrupted"));

    let report = mirrorflow(["report", place.to_str().unwrap()]).assert();
    report.code(130);
    for (name, content) in files(&place) {
        assert!(found[&name] == content, "{name} has changed");
    }
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    // Its steps are long, so that both signals fall into one.
    let mut child = start("scenarios/scaling_limit_3d.ron", &place);
    wait_for(&place, "scenario.ron");
    interrupt(&child);
    sleep(Duration::from_millis(20));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!place.exists());
    let smoke = run_arguments(&project("scenarios/smoke_1d.ron"), &place);
    let next = mirrorflow(smoke).assert().code(0);
    next.stderr(predicates::str::contains("deleted").and(predicates::str::contains("ended")));
    assert_eq!(names(scratch.path()), ["a"]);
}

#[test]
fn a_kill_in_the_midst_leaves_whole_files_beside_the_place() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    let mut child = start("tests/scenarios/endless_2d.ron", &place);
    wait_for(&place, "data/flow.npz");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.exists());
    let partial = files(&working(&place).unwrap());
    assert_eq!(
        contract::read_npz(&partial["data/flow.npz"])["times"].len(),
        1
    );

    let smoke = run_arguments(&project("scenarios/smoke_1d.ron"), &place);
    mirrorflow(smoke).assert().code(0);
    assert_eq!(names(scratch.path()), ["a"]);
}

/// Killed after 0, 20, 40, … ms, in the course of which everything is measured, written and drawn.
#[test]
fn whenever_it_is_killed_every_named_file_is_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let mut complete = 0;
    for delay in (0..25).map(|k| 20 * k) {
        let place = scratch.path().join("a");
        let mut child = start("scenarios/smoke_1d.ron", &place);
        sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        let hidden = |name: &str| name.rsplit('/').next().unwrap().starts_with(".mirrorflow");
        let named = |(name, _): &(&String, &Vec<u8>)| !hidden(name);
        let found = files(scratch.path());
        found
            .iter()
            .filter(named)
            .for_each(|(name, content)| assert_whole(name, content));
        if place.exists() {
            assert!(found.contains_key("a/report.html") && found.contains_key("a/verdicts.json"));
            complete += 1;
            std::fs::remove_dir_all(&place).unwrap();
        }
    }
    assert!(complete < 25, "never killed in time");
}

/// Says stop from a given tick on, as Ctrl-C would.
struct StopAfter {
    ticks: usize,
    seen: AtomicUsize,
}

impl Progress for StopAfter {
    fn update(&self, _stage: &str, _fraction: f64) {
        self.seen.fetch_add(1, Ordering::Relaxed);
    }

    fn interrupted(&self) -> bool {
        self.seen.load(Ordering::Relaxed) > self.ticks
    }
}

/// Measures the study of `mirror_studies_1d` with this slug, to be stopped after some ticks; how many there were.
fn stopped(slug: &str, ticks: usize) -> (Option<Measured>, usize) {
    let loaded = mirror_studies();
    let progress = StopAfter {
        ticks,
        seen: AtomicUsize::new(0),
    };
    let context = Context {
        built: loaded.built.on_torus().unwrap(),
        numerics: &loaded.scenario.numerics,
        progress: &progress,
    };
    let measured = study(&loaded, slug).measure(&context).ok();
    (measured, progress.seen.into_inner())
}

fn mirror_studies() -> Loaded {
    load(&project("tests/scenarios/mirror_studies_1d.ron")).unwrap()
}

fn study<'a>(loaded: &'a Loaded, slug: &str) -> &'a dyn Experiment {
    study_of(loaded, slug).on_torus().unwrap()
}

fn study_of<'a>(loaded: &'a Loaded, slug: &str) -> &'a Study {
    let mut studies = loaded.scenario.studies.iter();
    studies.find(|study| study.slug() == slug).expect(slug)
}

/// The record is written, read, judged, tabulated and drawn as by `mirrorflow report`; it refutes nothing.
fn assert_reported(slug: &str, record: &Record, ticks: usize) {
    let loaded = mirror_studies();
    let mut file = Cursor::new(Vec::new());
    record.write(&mut file).unwrap();
    let back = Record::read(file).unwrap();
    let study = study(&loaded, slug);
    let verdicts = study.judge(slug, &back);
    let verdicts = verdicts.unwrap_or_else(|error| panic!("after {ticks} ticks: {error}"));
    for verdict in verdicts {
        assert_ne!(
            verdict.status,
            Status::Inconsistent,
            "{ticks}: {verdict:#?}"
        );
    }
    study.curve(&back).unwrap();
    let figures = study.draw(loaded.built.on_torus().unwrap(), &back).unwrap();
    assert!(!figures.is_empty(), "nothing is drawn after {ticks} ticks");
}

/// Stops the study after these parts of all its ticks; nothing kept is allowed, something kept must be whole.
fn assert_kept_when_stopped(slug: &str, parts: &[f64]) {
    let (_, all) = stopped(slug, usize::MAX);
    for part in parts {
        let ticks = (part * all as f64) as usize;
        let Some(measured) = stopped(slug, ticks).0 else {
            continue;
        };
        assert_eq!(measured.interrupted, Interrupted::Yes, "{ticks} of {all}");
        assert_reported(slug, &measured.record, ticks);
    }
}

#[test]
fn an_interrupted_optimal_map_keeps_what_was_measured() {
    assert_kept_when_stopped("optimal-map", &[0.4, 0.7]);
}

#[test]
fn an_interrupted_mirror_flow_keeps_what_was_measured() {
    assert_kept_when_stopped("mirror-flow", &[0.5, 0.7, 0.9]);
    let (measured, _) = stopped("mirror-flow", stopped("mirror-flow", usize::MAX).1 / 2);
    let record = measured.expect("the mirror coordinate").record;
    assert_eq!(record.values("times").unwrap(), [0.004, 0.01]);
    assert!(record.values("mirror_time_error").is_err());
}

#[test]
fn an_interrupted_convergence_keeps_what_was_measured() {
    let parts = [0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9];
    assert_kept_when_stopped("exponential-convergence", &parts);
}

#[test]
fn an_interrupted_page_keeps_what_was_measured() {
    assert_kept_when_stopped("side-by-side", &[0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]);
}

#[test]
fn an_interrupted_descent_keeps_what_was_measured() {
    assert_kept_when_stopped("mirror-descent", &[0.05, 0.2, 0.4, 0.6, 0.8, 0.95]);
}

/// Before anything is measured.
#[test]
fn the_earliest_interruptions_are_survived() {
    for slug in ["optimal-map", "mirror-flow", "mirror-descent"] {
        assert_kept_when_stopped(slug, &[0.0, 0.01, 0.05, 0.1]);
    }
}

/// Says stop at a given sign of life from within a computation, of those that are passed on.
struct StopInside {
    after: Duration,
    began: Instant,
}

impl Progress for StopInside {
    fn update(&self, _stage: &str, _fraction: f64) {}

    fn interrupted(&self) -> bool {
        self.began.elapsed() > self.after
    }
}

/// Wherever the wish falls, what is kept can be judged, tabulated and drawn.
#[test]
fn whenever_a_study_is_stopped_what_it_keeps_is_whole() {
    let loaded = mirror_studies();
    for slug in [
        "optimal-map",
        "mirror-flow",
        "exponential-convergence",
        "mirror-descent",
    ] {
        for part in 1..8 {
            let progress = StopInside {
                after: Duration::from_millis(110 * part),
                began: Instant::now(),
            };
            let bound = study_of(&loaded, slug).on(&loaded.built).unwrap();
            let kept = bound.measure(&loaded.scenario.numerics, &progress);
            let Ok(measured) = kept else { continue };
            assert_reported(slug, &measured.record, part as usize);
        }
    }
}

/// CPU seconds that a process has used, of the children it waited for too.
#[cfg(target_os = "linux")]
fn cpu(child: &Child) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    // utime and stime, in hundredths.
    let ticks = |k: usize| fields[k].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

#[cfg(target_os = "linux")]
/// The longest CPU time from the first signal to the end.
const ANSWER: f64 = 2.0;

/// One thread, a signal after `at` CPU seconds: the CPU seconds that it ran on, or nothing if it was done before.
#[cfg(target_os = "linux")]
fn answered(scenario: &Path, at: f64) -> Option<f64> {
    let scratch = tempfile::tempdir().unwrap();
    let mut child = Command::new(PROGRAM)
        .args(run_arguments(scenario, &scratch.path().join("a")))
        .args(["--threads", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while cpu(&child) < at {
        sleep(Duration::from_millis(10));
        child.try_wait().unwrap().map_or(Some(()), |_| None)?;
    }
    let before = cpu(&child);
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    let mut last = before;
    loop {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", child.id()));
        // A process that ended but was not waited for still has its times.
        last = last.max(cpu(&child));
        if state.is_ok_and(|text| {
            text.rsplit(')')
                .next()
                .unwrap()
                .trim_start()
                .starts_with('Z')
        }) {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    assert_eq!(
        child.wait().unwrap().code(),
        Some(130),
        "{}",
        scenario.display()
    );
    Some(last - before)
}

/// `cargo test --release --test interruption -- --ignored --nocapture sigterm` interrupts representative scenarios of every study and kind of
/// problem at moments spread over their first seconds; `SCENARIOS="a.ron b.ron"` names others.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "minutes: interrupts scenarios at many moments"]
fn sigterm_is_answered_in_every_stage() {
    let usual = "tests/scenarios/optimal_map_3d.ron scenarios/gaussian_200d.ron scenarios/gaussian_mirror_descent_200d.ron \
                 scenarios/euclidean_plane.ron scenarios/mirror_descent_2d.ron scenarios/sampling_2d.ron \
                 scenarios/exponential_convergence_2d.ron scenarios/scaling_limit_3d.ron scenarios/mirror_flow_2d.ron";
    let names = std::env::var("SCENARIOS").unwrap_or_else(|_| usual.into());
    let mut late = Vec::new();
    for name in names.split_whitespace() {
        for at in [0.05, 0.3, 1.1, 2.7, 5.3, 9.1] {
            let Some(took) = answered(&project(name), at) else {
                break;
            };
            println!("{name}: signal at {at} CPU s, answered in {took:.2}");
            if took > ANSWER {
                late.push(format!("{name} at {at}: {took:.2} s"));
            }
        }
    }
    assert!(late.is_empty(), "{late:#?}");
}

fn assert_whole(name: &str, content: &[u8]) {
    let text = || std::str::from_utf8(content).expect(name).trim_end();
    match name.rsplit('.').next().expect("an ending") {
        "npz" => drop(contract::read_npz(content)),
        "png" => drop(contract::png_size(content)),
        "csv" => assert!(text().lines().all(|line| !line.ends_with(','))),
        "json" => drop(serde_json::from_str::<Value>(text()).expect(name)),
        "svg" => assert!(text().ends_with("</svg>"), "{name}"),
        "html" => assert!(text().ends_with("</html>"), "{name}"),
        "ron" => drop(mirrorflow::scenario::parse(name, text()).expect(name)),
        "mirrorflow" => drop(serde_json::from_str::<Value>(text()).expect(name)),
        other => panic!("{name} has the unknown ending {other}"),
    }
}
