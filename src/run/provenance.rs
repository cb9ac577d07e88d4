//! `provenance.json`: what made these results, where and when.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

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
    /// When, RFC 3339, UTC.
    #[serde(deserialize_with = "text_or_seconds")]
    pub started: String,
    /// Wall time per study in seconds, in the order of the scenario.
    pub seconds: Vec<(String, f64)>,
    /// Peak resident memory in bytes, where the system tells it.
    pub peak_memory: Option<u64>,
    /// `finished`, `interrupted` or `failed`.
    pub status: String,
    /// What ended a run that is not finished.
    pub failure: Option<String>,
    /// Whether this process measures, and its memory counts.
    #[serde(skip)]
    live: bool,
}

impl Provenance {
    /// At the start of a run.
    pub fn start(scenario: &str) -> Self {
        Self {
            scenario: scenario.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: env!("MIRRORFLOW_COMMIT").to_owned(),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            threads: rayon::current_num_threads(),
            seeds: BTreeMap::new(),
            started: now(),
            seconds: Vec::new(),
            peak_memory: None,
            status: "finished".to_owned(),
            failure: None,
            live: true,
        }
    }

    /// After drawing, which may take the most memory: with the peak until now, where this process measured.
    #[must_use]
    pub fn after_drawing(&self) -> Self {
        Self {
            peak_memory: if self.live {
                peak_memory()
            } else {
                self.peak_memory
            },
            ..self.clone()
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

    /// Whether it is of a run that this process makes.
    pub fn live(&self) -> bool {
        self.live
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

/// This second, RFC 3339.
pub fn now() -> String {
    to_text(jiff::Timestamp::now().as_second())
}

fn to_text(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// Older versions wrote seconds since 1970.
fn text_or_seconds<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Seconds(i64),
    }
    Ok(match Either::deserialize(from)? {
        Either::Text(text) => text,
        Either::Seconds(seconds) => to_text(seconds),
    })
}

/// `VmHWM` of this process.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(1024 * kilobytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_and_older_ones_are_read() {
        let provenance = Provenance::start("a");
        let json = String::from_utf8(provenance.to_json()).unwrap();
        let written = format!("\"started\": \"{}\"", provenance.started);
        assert!(
            written.ends_with("Z\"") && json.contains(&written),
            "{json}"
        );
        let older = json.replace(&written, "\"started\": 1700000000");
        let read: Provenance = serde_json::from_str(&older).unwrap();
        assert_eq!(read.started, "2023-11-14T22:13:20Z");
    }
}
