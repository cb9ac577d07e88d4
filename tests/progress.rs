//! How far a measurement is: told often, and with a time left that is true.
//!
//! `cargo test --release --test progress -- --ignored --nocapture shipped` measures every shipped scenario on one thread and prints, for each study,
//! the longest CPU time between two signs of life and the estimates of the time left when a quarter, half and three quarters are done, over the
//! true ones. `SCENARIOS="a.ron b.ron"` names others.
#![cfg(target_os = "linux")]

mod common;

use common::project;
use mirrorflow::scenario::load;
use mirrorflow::study::Progress;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// CPU seconds of this thread.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().expect("three numbers");
    nanoseconds.parse::<f64>().expect("a number") / 1e9
}

/// Everything that a study told, with the CPU time at which it did.
struct History {
    began: f64,
    heard: Mutex<Heard>,
}

struct Heard {
    stage: String,
    wall: Instant,
    cpu: f64,
    /// CPU seconds without a sign of life, and the stages before and after.
    longest: (f64, String, String),
    /// CPU time and fraction.
    told: Vec<(f64, f64)>,
}

impl History {
    fn new() -> Self {
        let began = cpu();
        Self {
            began,
            heard: Mutex::new(Heard {
                stage: "the start".into(),
                wall: Instant::now(),
                cpu: began,
                longest: (0.0, String::new(), String::new()),
                told: Vec::new(),
            }),
        }
    }

    fn hear(&self, stage: Option<&str>, fraction: Option<f64>) {
        let mut heard = self.heard.lock().unwrap();
        // Reading the clock takes longer than many a step.
        if heard.wall.elapsed() > Duration::from_millis(5) {
            let now = cpu();
            let gap = now - heard.cpu;
            if gap > heard.longest.0 {
                let before = heard.stage.clone();
                heard.longest = (gap, before, stage.unwrap_or("inside").to_owned());
            }
            (heard.wall, heard.cpu) = (Instant::now(), now);
            if let Some(fraction) = fraction {
                heard.told.push((now - self.began, fraction));
            }
        }
        if let Some(stage) = stage {
            stage.clone_into(&mut heard.stage);
        }
    }

    /// The longest silence, the whole time, and the time left as told over the true one at a quarter, half and three quarters.
    fn summary(self) -> Summary {
        self.hear(Some("the end"), None);
        let whole = cpu() - self.began;
        let heard = self.heard.into_inner().unwrap();
        let ratio = |part: f64| {
            let told = heard.told.iter().rev().find(|(at, _)| *at <= part * whole);
            told.filter(|(_, fraction)| *fraction > 0.0)
                .map(|(at, fraction)| at * (1.0 - fraction) / fraction / (whole - at))
        };
        Summary {
            whole,
            longest: heard.longest,
            ratios: [0.25, 0.5, 0.75].map(ratio),
        }
    }
}

impl Progress for History {
    fn update(&self, stage: &str, fraction: f64) {
        self.hear(Some(stage), Some(fraction));
    }

    fn beat(&self) -> ControlFlow<()> {
        self.hear(None, None);
        ControlFlow::Continue(())
    }
}

struct Summary {
    whole: f64,
    longest: (f64, String, String),
    ratios: [Option<f64>; 3],
}

/// Every study of a scenario on one thread.
fn measured(path: &Path) -> Vec<(String, Summary)> {
    let loaded = load(path).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let study = |study: &mirrorflow::study::Study| {
        let history = History::new();
        let bound = study.on(&loaded.built).expect("validated");
        let outcome = bound.measure(&loaded.scenario.numerics, &history);
        outcome.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (study.slug().to_owned(), history.summary())
    };
    let all = || loaded.scenario.studies.iter().map(study).collect();
    pool.unwrap().install(all)
}

/// CPU seconds between two signs of life.
const SILENCE: f64 = 0.5;

#[test]
fn small_scenarios_are_never_silent() {
    for name in [
        "scenarios/smoke_1d.ron",
        "scenarios/euclidean_plane.ron",
        "scenarios/gaussian_mirror_descent.ron",
        "scenarios/optimal_map_1d.ron",
        "scenarios/sampling_1d.ron",
        "tests/scenarios/mirror_studies_1d.ron",
    ] {
        for (study, summary) in measured(&project(name)) {
            let (gap, before, after) = summary.longest;
            assert!(
                gap < SILENCE,
                "{name}, {study}: {gap} s from {before} to {after}"
            );
        }
    }
}

#[test]
#[ignore = "minutes: measures every shipped scenario"]
fn shipped_scenarios_are_never_silent() {
    let all: Vec<PathBuf> = match std::env::var("SCENARIOS") {
        Ok(names) => names.split_whitespace().map(project).collect(),
        Err(_) => {
            let files = std::fs::read_dir(project("scenarios")).unwrap();
            files.map(|file| file.unwrap().path()).collect()
        }
    };
    println!(
        "scenario                        study                       CPU s  silent  left told/true at ¼, ½, ¾"
    );
    let mut worst: f64 = 0.0;
    for path in all {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for (study, summary) in measured(&path) {
            let ratio = |ratio: Option<f64>| ratio.map_or("   –".into(), |r| format!("{r:5.2}"));
            let ratios = summary.ratios.map(ratio).join(" ");
            let (gap, before, after) = &summary.longest;
            println!(
                "{name:<31} {study:<26} {:>6.2}  {gap:>6.2}  {ratios}  ({before} → {after})",
                summary.whole
            );
            worst = worst.max(*gap);
        }
    }
    assert!(worst < 2.0, "{worst} s without a sign of life");
}
