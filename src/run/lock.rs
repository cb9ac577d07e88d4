//! Who writes to a place: a locked file beside it, which the system unlocks when the process ends, however it ends.

use super::marker::NAME;
use super::operations::delete_file;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};

/// First words of the file.
const HELD_BY: &str = "held by process ";

/// The right to write to a place, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

/// Why there is none.
#[derive(Debug)]
pub enum Refused {
    /// By whom and since when, as far as can be told.
    Held(String),
    Failed(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Lock {
    /// Takes the lock of `place`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn take(place: &Path) -> std::result::Result<Self, Refused> {
        let path = beside(place);
        loop {
            let mut file = open(&path)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(Refused::Held(holder(&path))),
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Ok(()) => {}
            }
            // Whoever held it may have deleted the file between opening and locking.
            if !is_at(&file, &path)? {
                continue;
            }
            check_ours(&mut file, &path)?;
            sign(&mut file)?;
            return Ok(Self { path, _file: file });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is locked: nobody else can have it. What stays is found free by the next run.
        let _ = delete_file(&self.path);
    }
}

fn beside(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!("{NAME}-{name}.lock"))
}

fn open(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

/// Whether the open file is still the one that has the name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata()?;
    match path.symlink_metadata() {
        Ok(named) => Ok((own.dev(), own.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> Result<bool> {
    Ok(path.exists())
}

/// A file of this name that somebody else wrote is left alone.
fn check_ours(file: &mut File, path: &Path) -> Result<()> {
    let mut text = Vec::new();
    file.take(4096).read_to_end(&mut text)?;
    match text.is_empty() || text.starts_with(HELD_BY.as_bytes()) {
        true => Ok(()),
        false => Err(Error::other(format!(
            "{} is in the way: it is not a lock of this program",
            path.display()
        ))),
    }
}

fn sign(file: &mut File) -> Result<()> {
    use std::io::Seek;
    file.set_len(0)?;
    file.rewind()?;
    let now = super::provenance::now();
    file.write_all(format!("{HELD_BY}{} since {now}\n", std::process::id()).as_bytes())
}

/// What the file says of who holds it.
fn holder(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().next().filter(|line| line.starts_with(HELD_BY));
    line.unwrap_or("held by another process").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_holder_who_is_named_and_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a");
        let lock = Lock::take(&place).unwrap();
        let Err(Refused::Held(by)) = Lock::take(&place) else {
            panic!("taken twice");
        };
        assert!(
            by.contains(&format!("process {} since 20", std::process::id())),
            "{by}"
        );
        drop(Lock::take(&folder.path().join("b")).unwrap());
        drop(lock);
        drop(Lock::take(&place).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_of_somebody_else_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a");
        std::fs::write(beside(&place), "a poem").unwrap();
        assert!(matches!(Lock::take(&place), Err(Refused::Failed(_))));
        assert_eq!(std::fs::read(beside(&place)).unwrap(), b"a poem");
    }
}
