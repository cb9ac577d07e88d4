//! What a measurement does while it is watched: its stages, with the processor time and the memory of each.

use crate::study::Progress;
use cpu_time::ThreadTime;
use peak_alloc::PeakAlloc;
use std::sync::Mutex;
use std::time::Duration;

/// Counts the bytes of the program; see [`allocated`].
#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// Bytes that the program has now.
pub fn allocated() -> f64 {
    ALLOCATED.current_usage() as f64
}

/// The most that it had since [`forget_peak`].
pub fn peak() -> f64 {
    ALLOCATED.peak_usage() as f64
}

/// Begins a new count of the most.
pub fn forget_peak() {
    ALLOCATED.reset_peak_usage();
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    ThreadTime::now().as_duration()
}

/// A stretch of a measurement under one name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stage {
    /// As the progress bar says it; empty between two of them.
    pub name: String,
    /// Processor time.
    pub seconds: f64,
    /// Bytes at its most above what there was when the measurement began.
    pub peak: f64,
    /// Bytes at its beginning, likewise.
    pub before: f64,
    /// Fraction of the whole measurement against seconds of this stage, thinned.
    pub course: Vec<(f64, f64)>,
}

/// Watches a measurement that runs on one thread, and asks it to stop when `budget` is spent.
pub struct Watch {
    budget: f64,
    state: Mutex<State>,
}

struct State {
    /// Processor time of the thread when the watch began.
    start: Duration,
    /// Bytes when the watch began.
    level: f64,
    /// Seconds at the last event, and at the beginning of the present stage.
    last: f64,
    began: f64,
    stages: Vec<Stage>,
    stopped: bool,
}

/// Two points of a course are at least this far apart, in seconds.
const FINEST: f64 = 1e-3;

impl Watch {
    /// Begins now, on this thread.
    pub fn new(budget: f64) -> Self {
        forget_peak();
        let state = State {
            start: processor_time(),
            level: allocated(),
            last: 0.0,
            began: 0.0,
            stages: vec![Stage::default()],
            stopped: false,
        };
        Self {
            budget,
            state: Mutex::new(state),
        }
    }

    /// The stages, and whether the measurement was stopped.
    pub fn end(self) -> (Vec<Stage>, bool) {
        let mut state = self.state.into_inner().expect("no holder panicked");
        let now = state.now();
        state.close(now);
        (state.stages, state.stopped)
    }
}

impl State {
    fn now(&self) -> f64 {
        (processor_time() - self.start).as_secs_f64()
    }

    fn present(&mut self) -> &mut Stage {
        self.stages.last_mut().expect("there is always one")
    }

    /// Ends the present stage at `to`.
    fn close(&mut self, to: f64) {
        let (seconds, most) = (to - self.began, peak() - self.level);
        let stage = self.present();
        stage.seconds = seconds;
        stage.peak = stage.peak.max(most);
        forget_peak();
    }

    fn open(&mut self, name: &str, at: f64) {
        let before = allocated() - self.level;
        self.began = at;
        self.stages.push(Stage {
            name: name.to_owned(),
            before,
            peak: before,
            ..Stage::default()
        });
    }

    fn event(&mut self, name: &str, fraction: f64) {
        let now = self.now();
        if self.present().name != name {
            let last = self.last;
            self.close(last);
            // What happened since then belongs to neither.
            self.open("", last);
            self.close(now);
            self.open(name, now);
        }
        let spent = now - self.began;
        let course = &mut self.present().course;
        if course.last().is_none_or(|point| spent > point.1 + FINEST) {
            course.push((fraction, spent));
        }
        self.last = now;
    }
}

impl Progress for Watch {
    fn update(&self, stage: &str, fraction: f64) {
        let mut state = self.state.lock().expect("no holder panicked");
        state.event(same_stage(stage), fraction);
    }

    fn interrupted(&self) -> bool {
        let mut state = self.state.lock().expect("no holder panicked");
        let spent = state.now() > self.budget;
        state.stopped |= spent;
        spent
    }
}

/// A name without the number that counts on while the stage lasts.
fn same_stage(name: &str) -> &str {
    let counting = [", iteration", ", t ="];
    let cut = counting.iter().find_map(|c| name.split_once(c));
    cut.map_or(name, |(stage, _)| stage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_have_their_time_and_their_memory() {
        let watch = Watch::new(1e9);
        watch.update("first", 0.1);
        // So much that what other tests free meanwhile does not hide it.
        let held: Vec<f64> = (0..12_500_000).map(|i| (i as f64).sqrt()).collect();
        watch.update("first", 0.5);
        watch.update("second, iteration 1", 0.6);
        drop(held);
        watch.update("second, iteration 2", 0.9);
        assert!(!watch.interrupted());
        let (stages, stopped) = watch.end();
        assert!(!stopped);
        let named: Vec<_> = stages.iter().filter(|s| !s.name.is_empty()).collect();
        assert_eq!(named[0].name, "first");
        assert_eq!(named[1].name, "second");
        assert!(named[0].peak - named[0].before >= 5e7);
        assert!(named[0].seconds > 0.0);
    }

    #[test]
    fn a_spent_budget_stops_the_measurement() {
        let watch = Watch::new(0.0);
        while !watch.interrupted() {
            watch.update("stage", 0.0);
        }
        assert!(watch.end().1);
    }
}
