//! The text of a scenario, from a file or standard input: UTF-8, of a size that a person may have written.

use super::complaint::nearest;
use super::shown::shown;
use miette::{Report, miette};
use std::fs::File;
use std::io::{Read, Result, stdin};
use std::path::Path;

/// A matrix of 200 rows takes less than a megabyte.
const MOST_BYTES: u64 = 64 << 20;

/// The name and the text of the scenario at `path`, which is standard input for `-`.
///
/// # Errors
/// Says why it cannot be read.
pub fn read(path: &Path) -> std::result::Result<(String, String), Report> {
    if path == Path::new("-") {
        let bytes = bounded(stdin().lock()).map_err(|error| unreadable(path, &error))?;
        return Ok(("stdin".to_owned(), utf8("standard input", bytes)?));
    }
    let Some(name) = path.to_str() else {
        return Err(miette!(
            help = "rename the file",
            "the name of the scenario {} is not UTF-8",
            shown(&path.display().to_string())
        ));
    };
    let bytes = File::open(path).and_then(bounded);
    let bytes = bytes.map_err(|error| unreadable(path, &error))?;
    Ok((name.to_owned(), utf8(name, bytes)?))
}

/// Editors of another system begin a text with a byte-order mark.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn bounded(from: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MOST_BYTES {
        true => Err(std::io::Error::other(format!(
            "it has more than {} MB, which no scenario has",
            MOST_BYTES >> 20
        ))),
        false => Ok(bytes),
    }
}

fn utf8(name: &str, bytes: Vec<u8>) -> std::result::Result<String, Report> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..at]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        miette!(
            help = "save it as UTF-8 text",
            "cannot read the scenario {}: it is not UTF-8, from byte {at} in line {line} on",
            shown(name)
        )
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Report {
    let help = match neighbour(path) {
        Some(name) => format!("did you mean `{}`?", shown(&name)),
        None => {
            "`mirrorflow list` shows the scenarios that ship, `mirrorflow new` writes one".into()
        }
    };
    miette!(
        help = help,
        "cannot read the scenario {}: {error}",
        shown(&path.display().to_string())
    )
}

/// The file beside `path` with the nearest name.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".ron"))
        .collect();
    names.sort();
    let candidates: Vec<&str> = names.iter().map(String::as_str).collect();
    let meant = nearest(path.file_name()?.to_str()?, &candidates)?;
    Some(path.with_file_name(meant).display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str, content: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        read(&path).map_or_else(|report| report.to_string(), |(_, text)| text)
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        assert!(said("a.ron", b"(\n\xff)").contains("from byte 2 in line 2 on"));
        assert!(said("\u{1b}[2J.ron", b"\xff").contains("\\u{1b}[2J.ron"));
        assert_eq!(without_mark("\u{feff}()"), "()");
    }

    #[test]
    fn more_than_a_person_writes_is_refused() {
        let mut endless = std::io::repeat(b'x');
        assert!(
            bounded(&mut endless)
                .unwrap_err()
                .to_string()
                .contains("64 MB")
        );
    }
}
