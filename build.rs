//! Tells the program the commit that it is built from, for `provenance.json`.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn main() {
    let commit = git(&["rev-parse", "--short=12", "HEAD"]).map_or_else(
        || "unknown".to_owned(),
        |commit| {
            let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
            if changed.is_none_or(|changes| changes.is_empty()) {
                commit
            } else {
                format!("{commit}-dirty")
            }
        },
    );
    println!("cargo::rustc-env=MIRRORFLOW_COMMIT={commit}");
    for watched in [".git/HEAD", ".git/index", "src", "solvers/src"] {
        println!("cargo::rerun-if-changed={watched}");
    }
}
