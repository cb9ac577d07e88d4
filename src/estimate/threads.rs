//! From stages on one thread to a run on several.

use super::trace::Stage;
use crate::machine::Machine;
use crate::scenario::{Built, Loaded};
use crate::study::Study;

/// Threads, and what they bring to a stage that has them all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    pub threads: usize,
    /// Part of the work that is shared (Amdahl).
    pub parallel: f64,
}

/// Grids below this are not split, and how much of the work on larger ones is.
const SPLIT: usize = 16_384;
const SHARED: f64 = 0.8;

impl Speed {
    pub fn measure(loaded: &Loaded, machine: &Machine) -> Self {
        let parallel = match &loaded.built {
            Built::Torus(built) if built.torus.len() >= SPLIT => SHARED,
            _ => 0.0,
        };
        Self {
            threads: machine.threads,
            parallel,
        }
    }

    /// How many times as fast a stage is that has all threads.
    fn up(self) -> f64 {
        1.0 / (1.0 - self.parallel + self.parallel / self.threads as f64)
    }
}

/// Wall time: stages that run beside others share the threads, the others have them all.
pub fn wall(study: &Study, stages: &[Stage], speed: Speed) -> f64 {
    let beside = |stage: &&Stage| !stage.name.is_empty() && study.beside_others(&stage.name);
    let alone = stages.iter().filter(|stage| !beside(stage));
    let alone: f64 = alone.map(|stage| stage.seconds).sum();
    let shared: Vec<f64> = stages.iter().filter(beside).map(|s| s.seconds).collect();
    let (sum, longest) = (
        shared.iter().sum::<f64>(),
        shared.iter().copied().fold(0.0, f64::max),
    );
    let threads = speed.threads as f64;
    // The longest may have all threads, if it is most of the work.
    let split = (sum / threads).max(longest).min(sum / speed.up());
    alone / speed.up() + split
}

/// Bytes at their most, above those of the program: as many stages at once as there are threads.
pub fn memory(study: &Study, stages: &[Stage], threads: usize) -> f64 {
    let beside = |stage: &&Stage| !stage.name.is_empty() && study.beside_others(&stage.name);
    let alone = stages.iter().filter(|stage| !beside(stage)).map(|s| s.peak);
    let alone = alone.fold(0.0, f64::max);
    let mut extra: Vec<f64> = stages
        .iter()
        .filter(beside)
        .map(|s| s.peak - s.before)
        .collect();
    extra.sort_by(|a, b| b.total_cmp(a));
    let before = stages
        .iter()
        .filter(beside)
        .map(|s| s.before)
        .fold(0.0, f64::max);
    alone.max(before + extra.iter().take(threads).sum::<f64>())
}
