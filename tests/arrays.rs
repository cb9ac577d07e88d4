//! docs/arrays.md is the schema of the records, written out: every array of every study with its axes and meaning.

mod common;

use common::project;
use mirrorflow::record::{Column, Table};
use mirrorflow::scenario::load;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Tables by problem, study and prefix, from all shipped scenarios.
type Tables = BTreeMap<(String, String), BTreeMap<String, Vec<Column>>>;

fn tables() -> Tables {
    let mut all = Tables::new();
    for entry in project("scenarios").read_dir().unwrap() {
        let loaded = load(&entry.unwrap().path()).unwrap();
        for study in &loaded.scenario.studies {
            let bound = study.on(&loaded.built).unwrap();
            let place = (
                loaded.scenario.problem.name().to_owned(),
                study.name().to_owned(),
            );
            for Table { prefix, columns } in bound.tables() {
                let of_place = all.entry(place.clone()).or_default();
                let known = of_place.entry(numbered(&prefix)).or_default();
                let new = columns
                    .into_iter()
                    .filter(|column| !column.names.is_empty());
                let new: Vec<Column> = new.filter(|column| !known.contains(column)).collect();
                known.extend(new);
            }
        }
    }
    all
}

/// `run_2_` is one of `run_r_`.
fn numbered(prefix: &str) -> String {
    let letter = if prefix.starts_with('u') { "m" } else { "r" };
    prefix.replace(|c: char| c.is_ascii_digit(), letter)
}

fn row(prefix: &str, column: &Column) -> String {
    let names = column.names.split_whitespace();
    let names: Vec<String> = names.map(|name| format!("`{prefix}{name}`")).collect();
    let axes: Vec<&str> = column
        .axes
        .split_whitespace()
        .map(|axis| if axis == "n" { "n…" } else { axis })
        .collect();
    let mut meaning = column.meaning.replace('|', "∣");
    if !column.always {
        meaning.push_str("; where it applies");
    }
    if !column.finite {
        meaning.push_str("; NaN where it is relative to zero");
    }
    format!(
        "| {} | [{}] | {meaning} |\n",
        names.join(", "),
        axes.join(", ")
    )
}

fn written() -> String {
    let mut page = "# Arrays in `data/<study>.npz`\n\nWritten from the tables that check every record \
                    (`src/study/*/columns.rs`) by `UPDATE=1 cargo test --release --test arrays`; how to read it: \
                    [conventions.md](conventions.md#arrays-in-datastudynpz).\n".to_owned();
    for ((problem, study), tables) in tables() {
        write!(
            page,
            "\n## `{study}` on `{problem}`\n\n| array | shape | meaning |\n|---|---|---|\n"
        )
        .unwrap();
        for (prefix, columns) in &tables {
            columns
                .iter()
                .for_each(|column| page.push_str(&row(prefix, column)));
        }
    }
    page
}

#[test]
fn the_page_of_arrays_is_the_schema() {
    let (page, path) = (written(), project("docs/arrays.md"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/arrays.md is not the schema: UPDATE=1 cargo test --release --test arrays writes it"
    );
    assert!(page.lines().count() > 150);
}
