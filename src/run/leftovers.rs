//! Folders that runs fill or set aside beside their place, and what is done with those of dead ones.

use super::marker::{Marker, NAME};
use super::operations::{create_folder, delete_folder, rename};
use std::io::{ErrorKind, Result};
use std::path::{Path, PathBuf};

/// Letters and digits that make a name one of its own.
const RANDOM: usize = 12;

/// A new marked folder `.mirrorflow-<name>-<random>` beside `place`.
///
/// # Errors
/// Where it cannot be made.
pub fn create(place: &Path) -> Result<PathBuf> {
    loop {
        let path = place.with_file_name(format!("{}{}", prefix(place), random()));
        match create_folder(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => {
                Marker::begin(&path)?;
                return Ok(path);
            }
        }
    }
}

/// A name that nothing has, for a folder that is set aside.
pub fn aside(place: &Path) -> PathBuf {
    place.with_file_name(format!("{}{}", prefix(place), random()))
}

/// Puts back a whole run whose place is empty, and deletes the other leftovers of dead runs into `place`, whose lock must be held.
/// What was done, a line each.
///
/// # Errors
/// Where the folder cannot be read, or a run cannot be put back. What cannot be deleted stays.
pub fn clean_up(place: &Path) -> Result<Vec<String>> {
    let mut said = Vec::new();
    let mut leftovers = of(place)?;
    // The newest whole run is put back.
    leftovers
        .sort_by_key(|path| std::cmp::Reverse(path.metadata().and_then(|m| m.modified()).ok()));
    for path in leftovers {
        let whole = Marker::of(&path).is_some_and(|marker| marker.is_whole(&path));
        if whole && place.symlink_metadata().is_err() {
            rename(&path, place)?;
            said.push(format!(
                "{} was put back: a process was ended before it had its name",
                place.display()
            ));
        } else if delete_folder(&path).is_ok() {
            said.push(format!(
                "deleted {}, which a run left that was ended",
                path.display()
            ));
        }
    }
    Ok(said)
}

/// Folders of ours beside `place` that belong to it.
fn of(place: &Path) -> Result<Vec<PathBuf>> {
    let parent = super::files::parent(place);
    let prefix = prefix(place);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(parent)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let random = name.strip_prefix(&prefix).unwrap_or_default();
        let named = random.len() == RANDOM && random.chars().all(|c| c.is_ascii_alphanumeric());
        if named && entry.file_type()?.is_dir() && is_marked(&entry.path()) {
            found.push(place.with_file_name(name));
        }
    }
    Ok(found)
}

/// Whether a folder has our marker, whole or not, or nothing at all since it was made.
fn is_marked(folder: &Path) -> bool {
    let empty = || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    folder.join(NAME).is_file() || empty()
}

fn prefix(place: &Path) -> String {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    format!("{NAME}-{name}-")
}

/// From the random keys that the standard library has for its maps.
fn random() -> String {
    use std::hash::{BuildHasher, RandomState};
    let number = RandomState::new().hash_one(std::process::id());
    format!("{number:016x}")[16 - RANDOM..].to_owned()
}
