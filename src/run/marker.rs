//! `.mirrorflow`, the file by which a folder is known as that of a run: whether the run is whole, and its files.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io::{Error, Result, Write};
use std::path::Path;

/// Name of the marker; everything of ours that is not a result begins with it.
pub const NAME: &str = ".mirrorflow";

/// What a folder of a run holds by its own account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// Whether all files had been written.
    pub complete: bool,
    /// Paths in the folder, with `/`.
    pub files: BTreeSet<String>,
}

impl Marker {
    /// The marker of `folder`, if it has one that can be read.
    pub fn of(folder: &Path) -> Option<Self> {
        let json = std::fs::read(folder.join(NAME)).ok()?;
        serde_json::from_slice(&json).ok()
    }

    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("plain texts")
    }

    /// Marks a folder that nothing is in yet.
    ///
    /// # Errors
    /// Where it cannot be written, or there is one already.
    pub fn begin(folder: &Path) -> Result<()> {
        let mut file = std::fs::File::create_new(folder.join(NAME))?;
        file.write_all(&Self::default().to_json())
    }

    /// Whether the run is whole, and every file of its list is there.
    pub fn is_whole(&self, folder: &Path) -> bool {
        self.complete && self.missing(folder).is_none()
    }

    /// The first file of the list that is not in the folder.
    pub fn missing(&self, folder: &Path) -> Option<&String> {
        let mut files = self.files.iter();
        files.find(|name| !folder.join(name).is_file())
    }

    /// Something in the folder that the run did not write.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn foreign(&self, folder: &Path) -> Result<Option<String>> {
        self.foreign_below(folder, "")
    }

    fn foreign_below(&self, folder: &Path, above: &str) -> Result<Option<String>> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{above}{name}");
            if entry.file_type()?.is_dir() && self.has_folder(&path) {
                let found = self.foreign_below(&entry.path(), &format!("{path}/"))?;
                if found.is_some() {
                    return Ok(found);
                }
            } else if !self.files.contains(&path) && !name.starts_with(NAME) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    fn has_folder(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        self.files.iter().any(|file| file.starts_with(&inside))
    }

    /// Fails with the first file that is missing.
    ///
    /// # Errors
    /// Names it.
    pub fn check(&self, folder: &Path) -> Result<()> {
        match self.missing(folder) {
            None => Ok(()),
            Some(name) => Err(Error::other(format!(
                "{name} was written and is gone; something else works in this folder"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_the_run_did_not_write_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("data")).unwrap();
        for name in [
            "data/flow.npz",
            "report.html",
            ".mirrorflow",
            ".mirrorflow-tmp",
        ] {
            fs::write(at(name), "").unwrap();
        }
        let marker = Marker {
            complete: true,
            files: ["data/flow.npz", "report.html"].map(str::to_owned).into(),
        };
        assert_eq!(marker.foreign(folder.path()).unwrap(), None);
        assert!(marker.is_whole(folder.path()));
        for name in ["data/mine.txt", "data/sub", "notes", "figures"] {
            fs::create_dir(at(name)).unwrap();
            let found = marker.foreign(folder.path()).unwrap();
            assert_eq!(found.as_deref(), Some(name));
            fs::remove_dir(at(name)).unwrap();
        }
        fs::remove_file(at("data/flow.npz")).unwrap();
        assert!(!marker.is_whole(folder.path()));
        assert!(marker.check(folder.path()).is_err());
    }
}
