//! What a scenario will cost, found out by trying.
//!
//! Each study is begun as it is, on one thread, for a part of a second of processor time. Most end within it: then its cost is known. Of a
//! longer one the parts are known that were reached; the others are tried on a coarser grid (`rehearse`) and scaled by the measured cost
//! of a right-hand side on both grids, and Sinkhorn's iterations are counted and timed on the grid itself (`predict`). Memory is counted
//! by the allocator meanwhile. Nothing is assumed of how fast this machine or the present code is.

mod growth;
mod predict;
mod rehearse;
mod threads;
mod trace;

use crate::machine::Machine;
use crate::run::{Done, numbered};
use crate::scenario::{Built, Loaded};
use mirrorflow_solvers::gaussian::{Mat, congruence};
use predict::Prediction;
use threads::Speed;

/// What a scenario will cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Wall time on the machine's threads.
    pub seconds: f64,
    /// Peak resident memory, the program itself included.
    pub bytes: f64,
    /// Processor time that was spent to find out.
    pub tried: f64,
    /// Every study was measured to its end.
    pub whole: bool,
    /// Part of the work of one stage that all threads share.
    pub parallel: f64,
    /// What a study that was tried failed with: the run may do so too.
    pub failure: Option<String>,
    /// The studies taken apart.
    pub parts: Vec<Part>,
}

/// One stage of a study, on one thread.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub study: String,
    /// As the progress bar says it.
    pub stage: String,
    pub seconds: f64,
    /// Bytes above those of the program.
    pub bytes: f64,
}

/// Processor time for the beginning of each study as it is, and for each rehearsal, in seconds; a scenario of several studies has less for each.
const BUDGET: f64 = 0.7;
const REHEARSAL: f64 = 0.7;

/// Bytes of the program before it does anything, code and libraries included, where the system does not tell.
const PROGRAM: f64 = 1.5e7;

/// Tries the studies on one thread and says what a run on `machine` takes.
pub fn estimate(loaded: &Loaded, machine: &Machine) -> Estimate {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let speed = Speed::measure(loaded, machine);
    match pool {
        Ok(pool) => pool.install(|| on_one_thread(loaded, machine, speed)),
        Err(_) => on_one_thread(loaded, machine, speed),
    }
}

fn on_one_thread(loaded: &Loaded, machine: &Machine, speed: Speed) -> Estimate {
    warm_up();
    let program = resident();
    let clock = cpu_time::ThreadTime::now();
    let studies = numbered(&loaded.scenario.studies);
    let share = 1.0 / (studies.len() as f64).sqrt();
    let mut estimate = Estimate {
        seconds: 0.0,
        bytes: 0.0,
        tried: 0.0,
        whole: true,
        parallel: speed.parallel,
        failure: None,
        parts: Vec::new(),
    };
    let (mut kept, mut most) = (0.0, 0.0f64);
    let (mut largest, mut pages) = (0.0f64, 0.0);
    for (study, name) in studies {
        let found = predict::study(loaded, &study, (BUDGET * share, REHEARSAL * share));
        estimate.whole &= found.whole;
        estimate.failure = estimate.failure.or(found.failure.clone());
        estimate.seconds += threads::wall(&study, &found.stages, speed);
        most = most.max(kept + threads::memory(&study, &found.stages, machine.threads));
        kept += found.recorded;
        estimate.parts.extend(found.stages.iter().map(|stage| Part {
            study: name.clone(),
            stage: stage.name.clone(),
            seconds: stage.seconds,
            bytes: stage.peak,
        }));
        if let Some((written, page)) = writing(found, &name) {
            estimate.seconds += written.seconds;
            largest = largest.max(written.bytes);
            pages += page;
            estimate.parts.push(Part {
                study: name,
                stage: "judging, drawing, writing".into(),
                seconds: written.seconds,
                bytes: written.bytes,
            });
        }
    }
    // Records and figures of all studies are there when the last one is drawn.
    most = most.max(kept + pages + largest);
    estimate.bytes = program.max(PROGRAM) + most;
    estimate.tried = clock.elapsed().as_secs_f64();
    estimate
}

/// What judging, drawing and writing take, tried with the record that a study left, and the bytes of its page.
fn writing(found: Prediction, name: &str) -> Option<(rehearse::Spent, f64)> {
    let done = Done {
        study: found.study,
        name: name.to_owned(),
        record: found.record?,
        damage: None,
    };
    rehearse::write(&found.tried, &[done])
}

/// Dense linear algebra reserves, once for each thread, hundreds of megabytes of addresses that it does not use: before anything is counted.
fn warm_up() {
    let ones = Mat::from_fn(64, 64, |i, j| f64::from(u8::from(i == j)));
    std::hint::black_box(congruence(ones.as_ref(), ones.as_ref()));
}

/// Resident memory of this process.
fn resident() -> f64 {
    crate::machine::resident()
}

/// Whether it is worth trying before a run: below this part of the allowance nothing on a grid of this size comes near to it.
pub fn may_not_fit(loaded: &Loaded, machine: &Machine) -> bool {
    let (Some(room), Built::Torus(built)) = (machine.allowance(), &loaded.built) else {
        return false;
    };
    let dimension = built.torus.dimension();
    let recorded = loaded.scenario.studies.iter();
    let recorded: usize = recorded.map(|study| study.recorded_fields(dimension)).sum();
    let generous = (AT_MOST * machine.threads.max(2) + 3 * recorded) as f64;
    8.0 * built.torus.len() as f64 * generous > room.bytes
}

/// What to do about a run that needs more than `room` bytes.
pub fn remedy(loaded: &Loaded, estimate: &Estimate, room: f64) -> String {
    let fewer =
        "run it where there is more memory, or on fewer threads, which have less under way at once";
    let Built::Torus(built) = &loaded.built else {
        return fewer.into();
    };
    let points = built.torus.points();
    let factor = (room / estimate.bytes).powf(1.0 / points.len() as f64);
    let shrink = |&n: &usize| ((n as f64 * factor / 2.0).floor() as usize * 2).max(8);
    let fitting: Vec<usize> = points.iter().map(shrink).collect();
    format!("about points: {fitting:?} fit; or {fewer}")
}

/// More fields than any study works with on one thread.
const AT_MOST: usize = 2000;
