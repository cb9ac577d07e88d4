//! Whole files or none: written beside their place under a temporary name, then renamed.

use std::io::{BufWriter, Result, Write};
use std::path::Path;
use tempfile::NamedTempFile;

/// `data/<study>.<ending>`.
pub fn data_path(study: &str, ending: &str) -> String {
    format!("data/{study}.{ending}")
}

/// The folder that `path` is in. A bare file name has the empty path as its parent.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Writes `path` whole through `write`, or leaves it as it was.
pub fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&mut NamedTempFile>) -> Result<()>,
) -> Result<()> {
    let parent = parent(path);
    std::fs::create_dir_all(parent)?;
    let mut file = tempfile::Builder::new()
        .prefix(".mirrorflow-tmp-")
        .tempfile_in(parent)?;
    {
        let mut buffered = BufWriter::new(&mut file);
        write(&mut buffered)?;
        buffered.flush()?;
    }
    file.as_file().sync_all()?;
    make_readable(&file)?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

/// Temporary files are private; results are not.
#[cfg(unix)]
fn make_readable(file: &NamedTempFile) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file()
        .set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &NamedTempFile) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Error;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/a.csv");
        write_whole(&path, |file| file.write_all(b"old")).unwrap();
        let failed = write_whole(&path, |file| {
            file.write_all(b"half of the ne")?;
            Err(Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let entries = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(entries, 1);
    }
}
