//! `provenance.json`: what made these results, where and when.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Everything but the scenario that the results may depend on, and what they cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Name of the scenario, which `--output` need not repeat.
    pub scenario: String,
    pub version: String,
    /// Commit of the source, `-dirty` when it was changed.
    pub commit: String,
    pub platform: String,
    pub threads: usize,
    /// Seeds of random numbers by study and what they are for, such as `mirror-descent: sampling`.
    pub seeds: BTreeMap<String, u64>,
    /// Seconds since 1970, UTC.
    pub started: u64,
    /// Wall time per study in seconds, in the order of the scenario.
    pub seconds: Vec<(String, f64)>,
    /// Peak resident memory in bytes, where the system tells it.
    pub peak_memory: Option<u64>,
    /// `finished`, `interrupted` or `failed`.
    pub status: String,
    /// What ended a run that is not finished.
    pub failure: Option<String>,
}

impl Provenance {
    /// At the start of a run.
    pub fn start(scenario: &str) -> Self {
        let started = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            scenario: scenario.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env!("MIRRORFLOW_COMMIT").to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: rayon::current_num_threads(),
            seeds: BTreeMap::new(),
            started: started.map_or(0, |d| d.as_secs()),
            seconds: Vec::new(),
            peak_memory: None,
            status: "finished".to_owned(),
            failure: None,
        }
    }

    /// A study draws random numbers from these seeds.
    pub fn seeds(&mut self, study: &str, seeds: Vec<(String, u64)>) {
        let named = seeds.into_iter();
        self.seeds
            .extend(named.map(|(what, seed)| (format!("{study}: {what}"), seed)));
    }

    /// A study took this long.
    pub fn study(&mut self, name: &str, wall: Duration) {
        self.seconds.push((name.to_owned(), wall.as_secs_f64()));
    }

    /// The measuring ended, by `failure` or by the user if not by itself.
    pub fn end(&mut self, failure: Option<String>, interrupted: bool) {
        self.peak_memory = peak_memory();
        let (status, failure) = match (failure, interrupted) {
            (Some(failure), _) => ("failed", Some(failure)),
            (None, true) => (
                "interrupted",
                Some("interrupted: this is what had been measured".to_owned()),
            ),
            (None, false) => ("finished", None),
        };
        self.status = status.to_owned();
        self.failure = failure;
    }

    /// As JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("plain numbers and texts")
    }

    /// Keys and values for the report.
    pub fn rows(&self) -> Vec<(String, String)> {
        let mut rows = vec![
            (
                "version".to_owned(),
                format!("{} ({})", self.version, self.commit),
            ),
            ("platform".to_owned(), self.platform.clone()),
            ("threads".to_owned(), self.threads.to_string()),
            ("status".to_owned(), self.status.clone()),
        ];
        for (study, seconds) in &self.seconds {
            rows.push((format!("wall time of {study}"), format!("{seconds:.2} s")));
        }
        for (what, seed) in &self.seeds {
            rows.push((format!("seed of {what}"), seed.to_string()));
        }
        if let Some(bytes) = self.peak_memory {
            let value = crate::quantities::bytes(bytes as f64);
            rows.push(("peak memory".to_owned(), value));
        }
        rows
    }
}

/// `VmHWM` of this process.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(1024 * kilobytes)
}
