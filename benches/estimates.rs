//! What `check` says of every shipped scenario, and of others that are named, against what a run takes: time on one thread, in seconds of
//! processor time, and peak resident memory.
//!
//! `cargo bench --bench estimates` takes some minutes; `cargo bench --bench estimates -- smoke_1d my/other.ron` those named only. A ratio
//! outside 1/2 to 2 for time, or 1/1.3 to 1.3 for memory, is marked.

use mirrorflow::estimate::estimate;
use mirrorflow::machine::Machine;
use mirrorflow::scenario::load;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TIME: f64 = 2.0;
const MEMORY: f64 = 1.3;

fn main() -> Result<()> {
    println!(
        "{:<32} {:>8} {:>8} {:>6}   {:>8} {:>8} {:>6}",
        "scenario", "said, s", "took, s", "ratio", "said, MB", "had, MB", "ratio"
    );
    for path in scenarios()? {
        if let Err(error) = compare(&path) {
            println!("{:<32} {error}", name(&path));
        }
    }
    Ok(())
}

/// Those named on the command line, else all that ship.
fn scenarios() -> Result<Vec<PathBuf>> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let named = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"));
    let found: Vec<PathBuf> = named
        .map(|word| match word.ends_with(".ron") {
            true => word.into(),
            false => shipped.join(word + ".ron"),
        })
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let entries = shipped.read_dir()?.collect::<std::io::Result<Vec<_>>>()?;
    let mut all: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
    all.retain(|path| path.extension().is_some_and(|e| e == "ron"));
    all.sort();
    Ok(all)
}

fn name(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn compare(path: &Path) -> Result<()> {
    let loaded = load(path).map_err(|report| format!("{report}"))?;
    let said = estimate(&loaded, &Machine::this().with(None, Some(1)));
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("run");
    let mut child = Command::new(env!("CARGO_BIN_EXE_mirrorflow"))
        .args([Path::new("run"), path, Path::new("--output"), &output])
        .args(["--threads", "1"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let took = processor_time(&mut child)?;
    let provenance = std::fs::read(output.join("provenance.json"))?;
    let provenance: serde_json::Value = serde_json::from_slice(&provenance)?;
    let had = provenance["peak_memory"].as_f64().unwrap_or(f64::NAN);
    let (time, memory) = (said.seconds / took, said.bytes / had);
    println!(
        "{:<32} {:>8.2} {took:>8.2} {time:>6.2}{} {:>9.1} {:>8.1} {memory:>6.2}{}{}",
        name(path),
        said.seconds,
        mark(time, TIME),
        said.bytes / 1e6,
        had / 1e6,
        mark(memory, MEMORY),
        if said.whole { "" } else { "  extrapolated" },
    );
    Ok(())
}

fn mark(ratio: f64, within: f64) -> &'static str {
    if (1.0 / within..=within).contains(&ratio) {
        " "
    } else {
        "!"
    }
}

/// Processor time of a child until it ends, from `/proc`, a little less than all of it; wall time where there is none.
fn processor_time(child: &mut std::process::Child) -> Result<f64> {
    let clock = std::time::Instant::now();
    let path = format!("/proc/{}/schedstat", child.id());
    let mut last = None;
    while child.try_wait()?.is_none() {
        // Of the main thread, on which all is done when there is one.
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let nanoseconds = text
            .split_whitespace()
            .next()
            .and_then(|n| n.parse::<f64>().ok());
        last = nanoseconds.or(last);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    Ok(last.map_or_else(|| clock.elapsed().as_secs_f64(), |ns| 1e-9 * ns))
}
