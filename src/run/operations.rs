//! The few operations by which a run's folder gets, changes and loses its name, each of which a kill may precede.

use std::io::Result;
use std::path::Path;

/// A new folder; fails where anything has the name.
pub fn create_folder(path: &Path) -> Result<()> {
    before("create")?;
    std::fs::create_dir(path)
}

/// Gives a folder another name. What is there already is never lost: only an empty folder is replaced.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    before("rename")?;
    std::fs::rename(from, to)
}

/// Two folders exchange their names in one step.
///
/// # Errors
/// Also where the system or its file system cannot do it.
#[cfg(target_os = "linux")]
pub fn exchange(a: &Path, b: &Path) -> Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    before("exchange")?;
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(target_os = "linux"))]
pub fn exchange(_a: &Path, _b: &Path) -> Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Deletes a folder of ours. Its marker goes last, so that it is known as ours until then.
pub fn delete_folder(path: &Path) -> Result<()> {
    let marker = path.join(super::marker::NAME);
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        if entry.path() == marker {
            continue;
        }
        before("delete")?;
        match entry.file_type()?.is_dir() {
            true => std::fs::remove_dir_all(entry.path())?,
            false => std::fs::remove_file(entry.path())?,
        }
    }
    if marker.symlink_metadata().is_ok() {
        delete_file(&marker)?;
    }
    before("delete")?;
    std::fs::remove_dir(path)
}

pub fn delete_file(path: &Path) -> Result<()> {
    before("delete")?;
    std::fs::remove_file(path)
}

/// Makes the names in a folder survive a loss of power, where folders can be synchronised.
pub fn settle(folder: &Path) -> Result<()> {
    before("sync")?;
    if cfg!(unix) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(not(test))]
fn before(_operation: &str) -> Result<()> {
    Ok(())
}

#[cfg(test)]
use faults::before;

/// A kill before any of the operations, for tests: from then on none of this thread does anything.
#[cfg(test)]
pub mod faults {
    use std::cell::Cell;

    thread_local! {
        static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
        static EXCHANGES: Cell<bool> = const { Cell::new(true) };
    }

    /// Lets so many operations pass.
    pub fn kill_after(operations: usize) {
        LEFT.set(operations);
    }

    /// No more kills; whether there was one.
    pub fn revive() -> bool {
        LEFT.replace(usize::MAX) == 0
    }

    /// Whether the file system can exchange names.
    pub fn exchanges(can: bool) {
        EXCHANGES.set(can);
    }

    pub fn before(operation: &str) -> std::io::Result<()> {
        if operation == "exchange" && !EXCHANGES.get() {
            return Err(std::io::ErrorKind::Unsupported.into());
        }
        match LEFT.get() {
            0 => Err(std::io::Error::other("killed")),
            usize::MAX => Ok(()),
            left => {
                LEFT.set(left - 1);
                Ok(())
            }
        }
    }
}
