//! The output folder of a run. It is filled beside its place under a name of its own and gets its name when complete, so that a folder with
//! the final name is always whole and an earlier run is only ever replaced by a complete one.
//!
//! One process at a time writes to a place (`lock`). A run is known by its `marker`, which lists its files. Nothing is ever deleted but
//! what this process set aside, or a dead one did (`leftovers`).

use super::files::{parent, write_whole};
use super::leftovers;
use super::lock::{Lock, Refused};
use super::marker::{Marker, NAME};
use super::operations::{create_folder, delete_folder, exchange, rename, settle};
use std::cell::RefCell;
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use thiserror::Error;

/// Why the output folder cannot be used.
#[derive(Debug, Error)]
pub enum FolderError {
    #[error(
        "{0} exists already and is not overwritten unasked; use --force to replace it, or --output DIR to write elsewhere"
    )]
    Exists(PathBuf),
    #[error(
        "{0} exists and is not the folder of a run (it has no file {NAME}, by which one is known), so it is not replaced, \
         by --force neither; move it, or use --output DIR"
    )]
    Foreign(PathBuf),
    #[error(
        "{0} holds {1}, which its run did not write, so it is not replaced, by --force neither; move that away, or use --output DIR"
    )]
    ForeignFile(PathBuf, String),
    #[error(
        "{0} holds the scenario {1}, so it is not replaced, by --force neither; use --output DIR"
    )]
    HoldsScenario(PathBuf, PathBuf),
    #[error(
        "a run is filled beside its place, and {0} has no name to be filled beside; name a new folder with --output DIR"
    )]
    Unnamed(PathBuf),
    #[error("{0} is {1}; wait for it, or use --output DIR")]
    Held(PathBuf, String),
    #[error(
        "{place} was changed while the run went on, and is left as it is; the results are in {kept}"
    )]
    Appeared { place: PathBuf, kept: PathBuf },
    #[error("{0} is not the folder of a run: {1}")]
    NotARun(PathBuf, String),
    #[error("cannot use {0}: {1}")]
    Record(PathBuf, crate::record::RecordError),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, std::io::Error),
    #[error("cannot write {path}: {error}{}", still_whole(.working, .whole))]
    Unfinished {
        path: PathBuf,
        error: std::io::Error,
        working: PathBuf,
        whole: Vec<String>,
    },
    #[error("cannot draw {0}: {1}")]
    Draw(String, crate::figure::FigureError),
}

impl FolderError {
    /// 5 where something cannot be written or another run holds the folder, 3 for what is damaged, else 2.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Held(..) | Self::Appeared { .. } | Self::Write(..) | Self::Unfinished { .. } => 5,
            Self::Record(..) | Self::Draw(..) => 3,
            _ => 2,
        }
    }
}

fn still_whole(working: &Path, whole: &[String]) -> String {
    match whole {
        [] => String::new(),
        _ => format!(
            "; {} had been written whole to {}, which the next run into this place clears away",
            whole.join(", "),
            working.display()
        ),
    }
}

/// A folder being filled.
#[derive(Debug)]
pub struct Folder {
    /// Where files go now.
    working: PathBuf,
    /// The final place, when that is elsewhere.
    place: Option<Place>,
    /// What was written.
    files: RefCell<Marker>,
    /// `None` where nothing can be written beside a folder that is written in place.
    _lock: Option<Lock>,
}

/// The final place, and which folder was there at the start.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    force: bool,
    earlier: Option<Identity>,
}

impl Folder {
    /// A new folder for `place`.
    ///
    /// # Errors
    /// Those of [`Self::check`], [`FolderError::Write`].
    pub fn create(place: &Path, force: bool) -> Result<Self, FolderError> {
        let place = resolved(place)?;
        let failed = |error| FolderError::Write(place.clone(), error);
        std::fs::create_dir_all(parent(&place)).map_err(failed)?;
        let lock = take(&place)?;
        may_replace(&place, force)?;
        let working = leftovers::create(&place).map_err(failed)?;
        let earlier = identity(&place);
        Ok(Self {
            working,
            place: Some(Place {
                path: place,
                force,
                earlier,
            }),
            files: RefCell::default(),
            _lock: Some(lock),
        })
    }

    /// Whether a run may be written to `place`, found out before anything is computed. What dead runs left there is cleaned up.
    ///
    /// # Errors
    /// [`FolderError::Unnamed`] for `.` and `..`; [`FolderError::Held`] where another run writes; [`FolderError::Exists`] for a finished
    /// run without `force`; [`FolderError::Foreign`], [`FolderError::ForeignFile`] for what is not a run's;
    /// [`FolderError::HoldsScenario`] where one of the scenarios is in what would be replaced.
    pub fn check(place: &Path, force: bool, scenarios: &[PathBuf]) -> Result<(), FolderError> {
        let place = resolved(place)?;
        if !parent(&place).is_dir() {
            return Ok(());
        }
        let _lock = take(&place)?;
        may_replace(&place, force)?;
        let inside = |scenario: &&PathBuf| {
            let (place, scenario) = (place.canonicalize(), scenario.canonicalize());
            matches!((place, scenario), (Ok(place), Ok(scenario)) if scenario.starts_with(&place))
        };
        match scenarios.iter().find(inside) {
            Some(scenario) => Err(FolderError::HoldsScenario(place, scenario.clone())),
            None => Ok(()),
        }
    }

    /// The folder of a finished run, to be written in place.
    ///
    /// # Errors
    /// [`FolderError::NotARun`], [`FolderError::Held`].
    pub fn open(place: &Path) -> Result<Self, FolderError> {
        if !place.join("scenario.ron").is_file() {
            let reason = "it has no scenario.ron".to_owned();
            return Err(FolderError::NotARun(place.to_owned(), reason));
        }
        let real = place
            .canonicalize()
            .map_err(|error| FolderError::Write(place.to_owned(), error))?;
        let lock = match Lock::take(&real) {
            Ok(lock) => Some(lock),
            Err(Refused::Held(by)) => return Err(FolderError::Held(place.to_owned(), by)),
            Err(Refused::Failed(_)) => None,
        };
        Ok(Self {
            files: RefCell::new(Marker::of(place).unwrap_or_default()),
            working: place.to_owned(),
            place: None,
            _lock: lock,
        })
    }

    /// Writes a file whole.
    ///
    /// # Errors
    /// [`FolderError::Unfinished`].
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), FolderError> {
        self.write_with(name, |file| file.write_all(content))
    }

    /// Writes a file whole through `write`.
    ///
    /// # Errors
    /// [`FolderError::Unfinished`].
    pub fn write_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> std::io::Result<()>,
    ) -> Result<(), FolderError> {
        let path = self.working.join(name);
        write_whole(&path, write).map_err(|error| self.unfinished(&path, error))?;
        self.files.borrow_mut().files.insert(name.to_owned());
        Ok(())
    }

    fn unfinished(&self, path: &Path, error: std::io::Error) -> FolderError {
        let mut whole = Vec::new();
        if self.place.is_some() {
            let files = self.files.borrow();
            whole.extend(
                files
                    .files
                    .iter()
                    .filter(|name| name.ends_with(".npz"))
                    .cloned(),
            );
        }
        FolderError::Unfinished {
            path: path.to_owned(),
            error,
            working: self.working.clone(),
            whole,
        }
    }

    /// Checks that every file is there, and gives the folder its final name. An earlier run exchanges its name with it and is deleted last.
    ///
    /// # Errors
    /// [`FolderError::Unfinished`]; [`FolderError::Appeared`] where the place is not what it was, and the results got another name.
    pub fn finish(self) -> Result<(), FolderError> {
        let failed = |error| self.unfinished(&self.working, error);
        let Some(place) = &self.place else {
            return self.mark_in_place();
        };
        let mut marker = self.files.borrow().clone();
        marker.check(&self.working).map_err(failed)?;
        marker.complete = true;
        self.mark(&marker)?;
        settle(&self.working).map_err(failed)?;
        match place.give_to(&self.working) {
            Ok(()) => settle(parent(&place.path)).map_err(failed),
            Err(error) => self.keep_elsewhere(place, error),
        }
    }

    fn mark(&self, marker: &Marker) -> Result<(), FolderError> {
        let json = marker.to_json();
        let path = self.working.join(NAME);
        write_whole(&path, |file| file.write_all(&json))
            .map_err(|error| self.unfinished(&path, error))
    }

    /// After a report. It does not make a folder of an older version, which has no marker, a run that may be replaced.
    fn mark_in_place(&self) -> Result<(), FolderError> {
        match Marker::of(&self.working) {
            Some(_) => self.mark(&self.files.borrow()),
            None => Ok(()),
        }
    }

    /// Another name for whole results that cannot have theirs.
    fn keep_elsewhere(&self, place: &Place, why: std::io::Error) -> Result<(), FolderError> {
        if why.kind() != ErrorKind::AlreadyExists {
            return Err(self.unfinished(&place.path, why));
        }
        let kept = free_name(&place.path).and_then(|kept| {
            rename(&self.working, &kept)?;
            Ok(kept)
        });
        let kept = kept.map_err(|error| self.unfinished(&self.working, error))?;
        Err(FolderError::Appeared {
            place: place.path.clone(),
            kept,
        })
    }
}

impl Place {
    /// Gives the name to `working`, and deletes the run that had it.
    ///
    /// # Errors
    /// `AlreadyExists` where something is there that is not to be replaced, which is left as it is.
    fn give_to(&self, working: &Path) -> std::io::Result<()> {
        let now = identity(&self.path);
        let replaceable = may_replace(&self.path, self.force).is_ok() && now == self.earlier;
        match now {
            None => rename(working, &self.path).map_err(as_taken),
            Some(_) if !replaceable => Err(ErrorKind::AlreadyExists.into()),
            Some(_) if is_empty_folder(&self.path) => rename(working, &self.path).map_err(as_taken),
            Some(_) => self.replace(working),
        }
    }

    fn replace(&self, working: &Path) -> std::io::Result<()> {
        let old = match exchange(working, &self.path) {
            Ok(()) => working.to_owned(),
            Err(error) if cannot_exchange(&error) => self.set_aside(working)?,
            Err(error) => return Err(error),
        };
        // The new run has its name: an old one that cannot be deleted now is cleaned up by the next run.
        let _ = delete_folder(&old);
        Ok(())
    }

    /// Two renames where names cannot be exchanged. Killed between them, the old run is put back by the next one.
    fn set_aside(&self, working: &Path) -> std::io::Result<PathBuf> {
        let old = leftovers::aside(&self.path);
        rename(&self.path, &old)?;
        match rename(working, &self.path) {
            Ok(()) => Ok(old),
            Err(error) => {
                let _ = rename(&old, &self.path);
                Err(error)
            }
        }
    }
}

fn cannot_exchange(error: &std::io::Error) -> bool {
    let kinds = [ErrorKind::Unsupported, ErrorKind::InvalidInput];
    kinds.contains(&error.kind())
}

/// A rename onto something that is not an empty folder.
fn as_taken(error: std::io::Error) -> std::io::Error {
    match error.kind() {
        ErrorKind::DirectoryNotEmpty | ErrorKind::NotADirectory => ErrorKind::AlreadyExists.into(),
        _ => error,
    }
}

/// `<name>-2` or so, taken by an empty folder that a rename replaces.
fn free_name(place: &Path) -> std::io::Result<PathBuf> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let mut number = 2;
    loop {
        let path = place.with_file_name(format!("{name}-{number}"));
        match create_folder(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The lock of a place, where what dead runs left has been cleaned up, which is said.
fn take(place: &Path) -> Result<Lock, FolderError> {
    let failed = |error| FolderError::Write(place.to_owned(), error);
    let lock = Lock::take(place).map_err(|refused| match refused {
        Refused::Held(by) => FolderError::Held(place.to_owned(), by),
        Refused::Failed(error) => failed(error),
    })?;
    let said = leftovers::clean_up(place).map_err(failed)?;
    said.iter().for_each(|line| super::progress::tell(line));
    Ok(lock)
}

/// Whether what is at `place` may be replaced: nothing, an empty folder, a run that did not finish, any run with `force`.
fn may_replace(place: &Path, force: bool) -> Result<(), FolderError> {
    if place.symlink_metadata().is_err() || is_empty_folder(place) {
        return Ok(());
    }
    let Some(marker) = Marker::of(place) else {
        return Err(FolderError::Foreign(place.to_owned()));
    };
    if !force && is_finished(place) {
        return Err(FolderError::Exists(place.to_owned()));
    }
    match marker.foreign(place) {
        Ok(None) => Ok(()),
        Ok(Some(name)) => Err(FolderError::ForeignFile(place.to_owned(), name)),
        Err(error) => Err(FolderError::Write(place.to_owned(), error)),
    }
}

/// Unless its provenance says that it failed or was interrupted.
fn is_finished(run: &Path) -> bool {
    let json = std::fs::read(run.join("provenance.json")).unwrap_or_default();
    let provenance: Result<serde_json::Value, _> = serde_json::from_slice(&json);
    let status = provenance
        .ok()
        .map(|provenance| provenance["status"].clone());
    !status.is_some_and(|status| status == "failed" || status == "interrupted")
}

/// The place with links followed, which need not lead to anything yet.
fn resolved(place: &Path) -> Result<PathBuf, FolderError> {
    let mut path = place.to_owned();
    // As many as a system follows.
    for _ in 0..40 {
        if path.file_name().is_none() {
            return Err(FolderError::Unnamed(place.to_owned()));
        }
        match std::fs::read_link(&path) {
            Ok(link) => path = parent(&path).join(link),
            Err(_) => return Ok(path),
        }
    }
    let error = std::io::Error::other("too many links");
    Err(FolderError::Write(place.to_owned(), error))
}

fn is_empty_folder(place: &Path) -> bool {
    std::fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_none())
}

/// Which folder or file has a name.
#[derive(Debug, PartialEq, Eq)]
struct Identity(u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let found = path.symlink_metadata().ok()?;
    Some(Identity(found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<Identity> {
    let found = path.symlink_metadata().ok()?;
    let created = found.created().ok()?;
    let since = created.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Identity(since.as_secs(), since.subsec_nanos().into()))
}

#[cfg(test)]
mod tests;
