//! What the whole-program tests share: the program, the shipped scenarios and the files of a folder.
#![allow(dead_code)] // Each test file uses its own part.

pub mod contract;
mod expected;
pub mod random;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_mirrorflow");

/// Files of a folder by their path in it, with their content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `mirrorflow` with these arguments, ready to be asserted.
pub fn mirrorflow<A: AsRef<std::ffi::OsStr>>(
    arguments: impl IntoIterator<Item = A>,
) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(PROGRAM);
    command.args(arguments);
    command
}

/// The command line that runs `scenario` into `output`.
pub fn run_arguments(scenario: &Path, output: &Path) -> [String; 4] {
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    [
        "run".into(),
        text(scenario),
        "--output".into(),
        text(output),
    ]
}

/// Every file below `folder`.
pub fn files(folder: &Path) -> Files {
    let mut found = Files::new();
    collect(folder, folder, &mut found);
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Files) {
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).expect("below the root");
            let content = std::fs::read(&path).expect("a readable file");
            found.insert(name.to_string_lossy().replace('\\', "/"), content);
        }
    }
}

/// Where a run into `place` is filled, if one has begun.
pub fn working(place: &Path) -> Option<PathBuf> {
    let name = place.file_name().expect("a name").to_string_lossy();
    let prefix = format!(".mirrorflow-{name}-");
    let entries = place
        .parent()
        .expect("a folder")
        .read_dir()
        .expect("a folder");
    let mut paths = entries.map(|entry| entry.expect("an entry").path());
    paths.find(|path| {
        path.is_dir()
            && path
                .file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with(&prefix))
    })
}

/// Names in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
