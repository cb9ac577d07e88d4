//! The output folder of a run. It is filled beside its place as `<name>.partial` and renamed when complete, so that a folder with
//! the final name is always whole and an earlier run is only ever replaced by a complete one.

use super::files::write_whole;
use std::io::{BufWriter, Write};
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
        "{0} exists and is not the folder of a run (it has no scenario.ron), so --force does not replace it; use --output DIR"
    )]
    Foreign(PathBuf),
    #[error(
        "a run is filled beside its place, and {0} has no name to be filled beside; name a new folder with --output DIR"
    )]
    Unnamed(PathBuf),
    #[error(
        "{0} is in the way: a run is filled there, and what it holds is not one (no scenario.ron); move it, or use --output DIR"
    )]
    InTheWay(PathBuf),
    #[error("{0} is not the folder of a run: {1}")]
    NotARun(PathBuf, String),
    #[error("cannot use {0}: {1}")]
    Record(PathBuf, crate::record::RecordError),
    #[error("cannot write {0}: {1}")]
    Write(PathBuf, std::io::Error),
    #[error("cannot draw {0}: {1}")]
    Draw(String, crate::figure::FigureError),
}

/// A folder being filled.
#[derive(Debug)]
pub struct Folder {
    /// Where files go now.
    working: PathBuf,
    /// The final place, when that is elsewhere.
    place: Option<PathBuf>,
}

impl Folder {
    /// A new folder for `place`.
    ///
    /// # Errors
    /// [`FolderError::Exists`] without `force`, [`FolderError::Foreign`] where `force` would delete something else than a
    /// run, the others of [`Self::check`], [`FolderError::Write`].
    pub fn create(place: &Path, force: bool) -> Result<Self, FolderError> {
        Self::check(place, force)?;
        let working = beside(place, "partial");
        let failed = |error| FolderError::Write(place.to_owned(), error);
        if working.exists() {
            std::fs::remove_dir_all(&working).map_err(failed)?;
        }
        std::fs::create_dir_all(&working).map_err(failed)?;
        Ok(Self {
            working,
            place: Some(place.to_owned()),
        })
    }

    /// Whether a run may be written to `place`, found out before anything is computed.
    ///
    /// # Errors
    /// [`FolderError::Unnamed`] for `.` and `..`; [`FolderError::Exists`], [`FolderError::Foreign`] as for [`Self::create`];
    /// [`FolderError::InTheWay`] where something else than a run would be cleared away on the way.
    pub fn check(place: &Path, force: bool) -> Result<(), FolderError> {
        if place.file_name().is_none() {
            return Err(FolderError::Unnamed(place.to_owned()));
        }
        let aside = ["partial", "old"].map(|suffix| beside(place, suffix));
        if let Some(foreign) = aside.into_iter().find(|path| !is_ours(path)) {
            return Err(FolderError::InTheWay(foreign));
        }
        let occupied = place.symlink_metadata().is_ok() && !is_empty_folder(place);
        match (occupied, force) {
            (false, _) => Ok(()),
            (true, false) => Err(FolderError::Exists(place.to_owned())),
            (true, true) if place.join("scenario.ron").is_file() => Ok(()),
            (true, true) => Err(FolderError::Foreign(place.to_owned())),
        }
    }

    /// The folder of a finished run, to be written in place.
    ///
    /// # Errors
    /// [`FolderError::NotARun`].
    pub fn open(place: &Path) -> Result<Self, FolderError> {
        if !place.join("scenario.ron").is_file() {
            let reason = "it has no scenario.ron".to_owned();
            return Err(FolderError::NotARun(place.to_owned(), reason));
        }
        Ok(Self {
            working: place.to_owned(),
            place: None,
        })
    }

    /// Writes a file whole.
    ///
    /// # Errors
    /// [`FolderError::Write`].
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), FolderError> {
        self.write_with(name, |file| file.write_all(content))
    }

    /// Writes a file whole through `write`.
    ///
    /// # Errors
    /// [`FolderError::Write`].
    pub fn write_with(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> std::io::Result<()>,
    ) -> Result<(), FolderError> {
        let path = self.working.join(name);
        write_whole(&path, write).map_err(|error| FolderError::Write(path, error))
    }

    /// Gives the folder its final name. An earlier run is set aside first and deleted last.
    ///
    /// # Errors
    /// [`FolderError::Write`].
    pub fn finish(self) -> Result<(), FolderError> {
        let Some(place) = self.place else {
            return Ok(());
        };
        let failed = |error| FolderError::Write(place.clone(), error);
        let old = beside(&place, "old");
        if place.exists() {
            if old.exists() {
                std::fs::remove_dir_all(&old).map_err(failed)?;
            }
            std::fs::rename(&place, &old).map_err(failed)?;
        }
        std::fs::rename(&self.working, &place).map_err(failed)?;
        if old.exists() {
            std::fs::remove_dir_all(&old).map_err(failed)?;
        }
        Ok(())
    }
}

/// `<name>.<suffix>` in the same folder.
fn beside(place: &Path, suffix: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    place.with_file_name(name)
}

/// Whether nothing is at `path`, or what a run left there: its scenario, or at most a temporary file when it was killed early.
fn is_ours(path: &Path) -> bool {
    if path.symlink_metadata().is_err() || path.join("scenario.ron").is_file() {
        return true;
    }
    let temporary = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with(".tmp"))
    };
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.all(temporary))
}

fn is_empty_folder(place: &Path) -> bool {
    std::fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_run_is_kept_until_a_complete_one_replaces_it() {
        let temporary = tempfile::tempdir().unwrap();
        let place = temporary.path().join("a");
        let fill = |force, text: &str| {
            let folder = Folder::create(&place, force)?;
            folder.write("scenario.ron", text.as_bytes())?;
            Ok::<_, FolderError>(folder)
        };
        fill(false, "first").unwrap().finish().unwrap();
        assert!(matches!(fill(false, "second"), Err(FolderError::Exists(_))));
        let unfinished = fill(true, "second").unwrap();
        let read = || std::fs::read_to_string(place.join("scenario.ron")).unwrap();
        assert_eq!(read(), "first");
        unfinished.finish().unwrap();
        assert_eq!(read(), "second");
        assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1);
    }

    #[test]
    fn force_does_not_delete_what_is_not_a_run() {
        let temporary = tempfile::tempdir().unwrap();
        std::fs::write(temporary.path().join("thesis.tex"), "years of work").unwrap();
        let refused = Folder::create(temporary.path(), true);
        assert!(matches!(refused, Err(FolderError::Foreign(_))));
        assert!(temporary.path().join("thesis.tex").exists());
    }
}
