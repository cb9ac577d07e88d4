//! What a scenario will cost, before anything is computed.

mod gaussian;
mod torus;

use super::{Problem, Scenario};
use std::fs;

/// Part of the machine's memory that a run may take.
pub const MEMORY_SHARE: f64 = 0.8;

/// Peak memory of a scenario in bytes, as a float since absurd grids overflow integers.
pub fn memory(scenario: &Scenario) -> f64 {
    match &scenario.problem {
        Problem::Torus(problem) => torus::memory(problem, &scenario.studies),
        Problem::Gaussian(problem) => gaussian::memory(problem, &scenario.studies),
        Problem::Euclidean(_) => SMALL_MEMORY,
    }
}

/// Wall time of a scenario in seconds, to a factor of a few.
pub fn seconds(scenario: &Scenario) -> f64 {
    match &scenario.problem {
        Problem::Torus(problem) => torus::seconds(problem, &scenario.numerics, &scenario.studies),
        Problem::Gaussian(problem) => gaussian::seconds(problem, &scenario.studies),
        Problem::Euclidean(_) => SMALL_SECONDS,
    }
}

const SMALL_MEMORY: f64 = 5e7;
const SMALL_SECONDS: f64 = 0.5;

/// Memory of this machine in bytes, where `/proc/meminfo` tells it.
pub fn physical_memory() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// A number of bytes for people: `2.9 TB`.
pub fn bytes(bytes: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let power = (bytes.max(1.0).log10() / 3.0)
        .floor()
        .min(units.len() as f64 - 1.0);
    let digits = usize::from(power > 0.0);
    format!(
        "{:.digits$} {}",
        bytes / 1000f64.powf(power),
        units[power as usize]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_said_in_the_nearest_unit() {
        assert_eq!(bytes(512.0), "512 B");
        assert_eq!(bytes(2.94e12), "2.9 TB");
        assert_eq!(bytes(1e30), "1000000000000.0 EB");
    }
}
