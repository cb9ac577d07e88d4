//! A measurement made under a watch, on one thread: the real one as far as its budget reaches, or one on a coarser grid.

use super::trace::{Stage, Watch, allocated, forget_peak, peak};
use crate::record::Record;
use crate::run::{Done, Folder, Provenance, Results};
use crate::scenario::{Built, BuiltTorus, Loaded, Numerics};
use crate::study::{Context, Silent, Sinkhorn, Study};
use cpu_time::ThreadTime;
use mirrorflow_solvers::Torus;
use std::path::Path;

/// What was seen of a measurement.
pub struct Seen {
    pub stages: Vec<Stage>,
    /// It ended by itself.
    pub whole: bool,
    /// It failed, which the run may do too.
    pub failure: Option<String>,
    pub record: Option<Record>,
}

impl Seen {
    pub fn seconds(&self) -> f64 {
        self.stages.iter().map(|stage| stage.seconds).sum()
    }
}

/// Measures for `budget` seconds of processor time.
pub fn measure(study: &Study, built: &Built, numerics: &Numerics, budget: f64) -> Seen {
    let watch = Watch::new(budget);
    let bound = study.on(built).expect("a validated study fits its problem");
    let outcome = bound.measure(numerics, &watch);
    let (stages, stopped) = watch.end();
    let (record, failure) = match outcome {
        Ok(measured) => (Some(measured.record), None),
        Err(failed) => (failed.partial, Some(failed.error.to_string())),
    };
    let failure = failure.filter(|_| !stopped);
    Seen {
        stages,
        whole: !stopped && failure.is_none(),
        failure,
        record,
    }
}

/// The problem on another grid.
pub fn on_grid(built: &BuiltTorus, torus: &Torus) -> Built {
    Built::Torus(BuiltTorus {
        torus: torus.clone(),
        ..built.clone()
    })
}

/// Seconds and bytes of something.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    pub seconds: f64,
    pub bytes: f64,
}

/// What a piece of work on this thread takes.
pub fn spent<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    forget_peak();
    let (clock, before) = (ThreadTime::now(), allocated());
    let value = work();
    let spent = Spent {
        seconds: clock.elapsed().as_secs_f64(),
        bytes: (peak() - before).max(0.0),
    };
    (value, spent)
}

/// One iteration on the scenario's grid, and the bytes of an iteration under way; `None` where it cannot begin.
pub fn iteration(
    sinkhorn: &Sinkhorn,
    built: &BuiltTorus,
    numerics: &Numerics,
    budget: f64,
) -> Option<Spent> {
    let context = Context {
        built,
        numerics,
        progress: &Silent,
    };
    let (iteration, begin) = spent(|| sinkhorn.iteration(&context));
    let mut iteration = iteration.ok()?;
    let clock = ThreadTime::now();
    let (mut times, mut done) = (vec![0.0], 0);
    // The first finds where to look, the later ones look there.
    while done < 2 || (times[done] < budget && done < sinkhorn.iterations.min(200)) {
        let (outcome, _) = spent(|| iteration.step());
        outcome.ok()?;
        done += 1;
        times.push(clock.elapsed().as_secs_f64());
        if times[done] > 4.0 * budget {
            break;
        }
    }
    let later = times.len() / 2;
    let each = (times[done] - times[later]) / (done - later).max(1) as f64;
    let first = times[later] - later as f64 * each;
    let count = sinkhorn.iterations as f64;
    Some(Spent {
        seconds: begin.seconds + first.max(0.0) + each * count,
        bytes: begin.bytes,
    })
}

/// Judging, drawing and writing the records into a folder that is thrown away, and the bytes of the page.
pub fn write(loaded: &Loaded, done: &[Done]) -> Option<(Spent, f64)> {
    let place = tempfile::tempdir().ok()?;
    let folder = place.path().join("run");
    let (page, spent) = spent(|| write_into(loaded, done, &folder));
    Some((spent, page.unwrap_or(0.0)))
}

fn write_into(loaded: &Loaded, done: &[Done], place: &Path) -> Option<f64> {
    let folder = Folder::create(place, false).ok()?;
    for done in done {
        let name = format!("data/{}.npz", done.name);
        let written = folder.write_with(&name, |file| {
            done.record.write(file).map_err(std::io::Error::other)
        });
        written.ok()?;
    }
    let provenance = &Provenance::start(&loaded.name);
    let results = Results {
        loaded,
        done,
        provenance,
    };
    results.write(&folder, &Silent).ok()?;
    folder.finish().ok()?;
    let page = std::fs::metadata(place.join("report.html")).ok()?;
    Some(page.len() as f64)
}
