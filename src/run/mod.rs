//! A run: scenario → measure → record → judge, draw → output folder.

mod files;
mod folder;
mod leftovers;
mod lock;
mod marker;
mod operations;
mod progress;
mod provenance;
mod results;

pub use folder::{Folder, FolderError};
pub use progress::{Bar, handle_signals, keep_when_interrupted, tell};
pub use provenance::Provenance;
pub use results::{Results, read};

use crate::record::{Extent, Record, RecordError};
use crate::scenario::Loaded;
use crate::study::{Interrupted, Measured, Study};
use crate::verdict::{Verdict, exit_code};
use files::data_path;
pub use files::write_whole;
use mirrorflow_solvers::Error;
use std::path::Path;
use std::time::Instant;

/// A study that was measured, at least in part.
#[derive(Debug)]
pub struct Done {
    pub study: Study,
    /// Slug with its number: `flow`, `flow-2`.
    pub name: String,
    pub record: Record,
    /// What is wrong with the record, which is then neither judged nor drawn.
    pub damage: Option<RecordError>,
}

impl Done {
    /// With the record checked against the study's tables.
    pub fn checked(
        loaded: &Loaded,
        study: Study,
        name: String,
        record: Record,
        extent: Extent,
    ) -> Self {
        let bound = study.on(&loaded.built).expect(FITS);
        let damage = bound.check(&record, extent).err();
        drop(bound);
        Self {
            study,
            name,
            record,
            damage,
        }
    }
}

const FITS: &str = "validation refuses studies that do not fit";

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub verdicts: Vec<Verdict>,
    /// The numerical failure that ended it: study and reason.
    pub failure: Option<String>,
    pub interrupted: bool,
}

impl Ended {
    /// Exit code by the contract of `docs/`: 3 for a numerical failure, else by the verdicts; 130 when interrupted.
    pub fn exit_code(&self) -> u8 {
        match (&self.failure, self.interrupted) {
            (Some(_), _) => 3,
            (None, true) => 130,
            (None, false) => exit_code(&self.verdicts),
        }
    }
}

/// Measures every study of `loaded`, then judges and draws, leaving everything in `directory`.
///
/// Each study's data is written as soon as it is measured; the folder gets its final name at the end. A failure or an
/// interruption ends the measuring, and what there is is judged, drawn and kept.
///
/// # Errors
/// [`FolderError`] when the folder exists already or cannot be written.
pub fn run(loaded: &Loaded, directory: &Path, force: bool) -> Result<Ended, FolderError> {
    let folder = Folder::create(directory, force)?;
    folder.write("scenario.ron", loaded.scenario.to_ron().as_bytes())?;
    let mut provenance = Provenance::start(&loaded.name);
    let (mut done, mut failure, mut interrupted) = (Vec::new(), None, false);
    let studies = numbered(&loaded.scenario.studies);
    let count = studies.len();
    for (k, (study, name)) in studies.into_iter().enumerate() {
        provenance.seeds(&name, study.seeds());
        let clock = Instant::now();
        let bar = Bar::new(&of_several(&name, k, count));
        let (record, error, stopped) = measure(loaded, &study, &bar);
        drop(bar);
        provenance.study(&name, clock.elapsed());
        if let Some(record) = record {
            folder.write_with(&data_path(&name, "npz"), |file| {
                record.write(file).map_err(std::io::Error::other)
            })?;
            let extent = match error.is_some() || stopped {
                true => Extent::CutShort,
                false => Extent::Finished,
            };
            done.push(Done::checked(loaded, study, name.clone(), record, extent));
        }
        failure = error.map(|error| format!("{name}: {error}"));
        // What follows is not measured on top of it.
        failure = failure.or_else(|| done.last().and_then(damage));
        interrupted = stopped;
        if failure.is_some() || interrupted {
            break;
        }
    }
    provenance.end(failure.clone(), interrupted);
    folder.write("provenance.json", &provenance.to_json())?;
    let results = Results {
        loaded,
        done: &done,
        provenance: &provenance,
    };
    let (verdicts, damaged) = results.write(&folder, &Bar::new("figures"))?;
    folder.finish()?;
    Ok(Ended {
        verdicts,
        failure: failure.or(damaged),
        // Also by a signal that came when all was measured.
        interrupted: interrupted || progress::interrupted(),
    })
}

/// Judges and draws again what a folder holds, measuring nothing.
///
/// # Errors
/// [`FolderError`] when it is not a run's folder or cannot be written.
pub fn report(directory: &Path) -> Result<Ended, FolderError> {
    let folder = Folder::open(directory)?;
    let (loaded, done, provenance) = read(directory)?;
    let results = Results {
        loaded: &loaded,
        done: &done,
        provenance: &provenance,
    };
    let (verdicts, damaged) = results.write(&folder, &Bar::new("figures"))?;
    folder.finish()?;
    let interrupted = provenance.status == "interrupted";
    Ok(Ended {
        verdicts,
        failure: damaged.or(provenance.failure.filter(|_| !interrupted)),
        interrupted,
    })
}

/// What is wrong with a record, and which.
fn damage(done: &Done) -> Option<String> {
    let damage = done.damage.as_ref()?;
    Some(format!("{}: {damage}", done.name))
}

/// The record of one study, the error that ended it, and whether the user did.
fn measure(loaded: &Loaded, study: &Study, bar: &Bar) -> (Option<Record>, Option<Error>, bool) {
    let bound = study.on(&loaded.built).expect(FITS);
    match bound.measure(&loaded.scenario.numerics, bar) {
        Ok(Measured {
            record,
            interrupted,
        }) => (Some(record), None, interrupted == Interrupted::Yes),
        // The limit of a study was interrupted before anything could be kept.
        Err(failed) if matches!(failed.error, Error::Interrupted { .. }) => {
            (failed.partial, None, true)
        }
        Err(failed) => (failed.partial, Some(failed.error), false),
    }
}

/// A study's name in a progress line.
fn of_several(name: &str, k: usize, count: usize) -> String {
    match count {
        1 => name.to_owned(),
        _ => format!("{}/{count} {name}", k + 1),
    }
}

/// Studies with their names in paths: the second of a kind is `<slug>-2`.
pub fn numbered(studies: &[Study]) -> Vec<(Study, String)> {
    studies
        .iter()
        .enumerate()
        .map(|(k, study)| {
            let slug = study.slug();
            let earlier = studies[..k].iter().filter(|s| s.slug() == slug).count();
            let name = match earlier {
                0 => slug.to_owned(),
                _ => format!("{slug}-{}", earlier + 1),
            };
            (study.clone(), name)
        })
        .collect()
}
