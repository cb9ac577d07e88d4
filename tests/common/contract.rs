//! The contract of a run's folder (docs, "What a run leaves"): which files, which arrays, of which shapes, in which formats.

use super::{Files, expected, files};
use mirrorflow::run::numbered;
use mirrorflow::scenario::{Built, Loaded, load};
use mirrorflow::study::Study;
use ndarray::{ArrayD, IxDyn, OwnedRepr};
use ndarray_npy::NpzReader;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;

/// Arrays of one npz by name.
pub type Arrays = BTreeMap<String, ArrayD<f64>>;

/// Largest defect of ∫ρ_t = 1: zero but for the space discretisation, which is of order four at worst here.
const MASS_DEFECT: f64 = 1e-5;

/// Checks the folder of a finished run of `loaded`.
pub fn check(folder: &Path, loaded: &Loaded) {
    let found = files(folder);
    let names: BTreeSet<String> = found.keys().cloned().collect();
    assert_eq!(names, expected_files(loaded));
    for (study, name) in numbered(&loaded.scenario.studies) {
        let arrays = read_npz(&found[&format!("data/{name}.npz")]);
        check_arrays(&study, &loaded.built, &arrays);
        check_csv(
            &found[&format!("data/{name}.csv")],
            expected::rows(&study, &loaded.built, &arrays),
        );
    }
    check_figures(&found);
    check_verdicts(&found["verdicts.json"]);
    check_provenance(&found["provenance.json"], &loaded.scenario.studies);
    check_report(&found);
    let resolved = load(&folder.join("scenario.ron")).expect("the resolved scenario is valid");
    assert_eq!(resolved.scenario, loaded.scenario);
}

fn expected_files(loaded: &Loaded) -> BTreeSet<String> {
    let top = [
        ".mirrorflow",
        "scenario.ron",
        "provenance.json",
        "verdicts.json",
        "report.html",
    ];
    let mut expected: BTreeSet<String> = top.map(str::to_owned).into();
    for (study, name) in numbered(&loaded.scenario.studies) {
        expected.extend(["npz", "csv", "json"].map(|ending| format!("data/{name}.{ending}")));
        for figure in expected::figures(&study, &loaded.built) {
            expected.extend(["svg", "png"].map(|end| format!("figures/{name}-{figure}.{end}")));
        }
    }
    expected
}

/// The arrays of an npz; panics unless all are float64 in C order.
pub fn read_npz(bytes: &[u8]) -> Arrays {
    let mut npz = NpzReader::new(Cursor::new(bytes)).expect("a whole npz");
    let names = npz.names().expect("names");
    let mut read = |name: &String| {
        let array = npz.by_name::<OwnedRepr<f64>, IxDyn>(name);
        let array = array.unwrap_or_else(|error| panic!("{name} is not float64: {error}"));
        assert!(array.is_standard_layout(), "{name} is not in C order");
        (name.trim_end_matches(".npy").to_owned(), array)
    };
    names.iter().map(&mut read).collect()
}

fn check_arrays(study: &Study, built: &Built, arrays: &Arrays) {
    for (name, shape) in expected::shapes(study, built) {
        let array = arrays
            .get(&name)
            .unwrap_or_else(|| panic!("no array {name}"));
        assert_eq!(array.shape(), shape, "{name}");
    }
    for (name, array) in arrays {
        assert!(array.iter().all(|v| v.is_finite()), "{name} is not finite");
    }
    for rho in expected::densities(study, built, arrays) {
        let mass = rho.iter().sum::<f64>() / rho.len() as f64;
        assert!((mass - 1.0).abs() < MASS_DEFECT, "∫ρ = {mass}");
        assert!(
            rho.iter().all(|&rho| rho > 0.0),
            "a density is not positive"
        );
    }
    for (name, asked) in expected::asked(study, built) {
        assert_eq!(arrays[name].as_slice().unwrap(), asked, "{name}");
    }
}

fn check_csv(bytes: &[u8], rows: usize) {
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers().expect("headers").clone();
    let distinct: BTreeSet<&str> = headers.iter().filter(|h| !h.trim().is_empty()).collect();
    assert_eq!(distinct.len(), headers.len(), "{headers:?}");
    assert!(headers[0].parse::<f64>().is_err(), "no header: {headers:?}");
    let numbers = |row: csv::StringRecord| row.iter().all(|cell| cell.parse::<f64>().is_ok());
    let read: Vec<bool> = reader
        .records()
        .map(|row| numbers(row.expect("a row")))
        .collect();
    assert_eq!(read, vec![true; rows]);
}

/// Each SVG has a PNG of the same proportions, and loads nothing.
fn check_figures(found: &Files) {
    for (name, content) in found.iter().filter(|(name, _)| name.ends_with(".svg")) {
        let svg = std::str::from_utf8(content).expect("UTF-8");
        assert!(svg.trim_end().ends_with("</svg>"), "{name} is cut short");
        assert!(!svg.contains("href=\"http"), "{name} loads something");
        let png = &found[&name.replace(".svg", ".png")];
        let (width, height) = png_size(png);
        let of_svg = attribute(svg, "width") / attribute(svg, "height");
        let difference = width / height / of_svg - 1.0;
        assert!(
            difference.abs() < 0.01,
            "{name}: {width} × {height} against {of_svg}"
        );
    }
}

/// Width and height in the header of a whole PNG.
pub fn png_size(png: &[u8]) -> (f64, f64) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "not a PNG");
    assert_eq!(&png[png.len() - 8..][..4], b"IEND", "cut short");
    let number = |at: usize| f64::from(u32::from_be_bytes(png[at..at + 4].try_into().unwrap()));
    (number(16), number(20))
}

/// A numerical attribute of the root element.
fn attribute(svg: &str, name: &str) -> f64 {
    let rest = svg.split_once(&format!(" {name}=\"")).expect(name).1;
    let value = rest.split('"').next().expect("a closing quote");
    value.trim_end_matches("px").parse().expect("a number")
}

fn check_verdicts(json: &[u8]) {
    let file: Value = serde_json::from_slice(json).expect("JSON");
    assert!(file["scenario"].is_string());
    for verdict in file["verdicts"].as_array().expect("a list") {
        let entry = verdict.as_object().expect("an object");
        let keys: BTreeSet<&str> = entry.keys().map(String::as_str).collect();
        let named =
            "study claim reference quantity prediction observed interval status reason excluded";
        assert_eq!(keys, named.split(' ').collect());
        let statuses = [
            "Consistent",
            "Inconsistent",
            "Inconclusive",
            "NotApplicable",
        ];
        assert!(statuses.contains(&entry["status"].as_str().expect("a text")));
        assert!(entry["excluded"].is_array() && entry["reason"].is_string());
        if let Some(observed) = entry["observed"].as_f64() {
            let interval: [f64; 2] = serde_json::from_value(entry["interval"].clone()).unwrap();
            assert!((interval[0]..=interval[1]).contains(&observed), "{verdict}");
        }
    }
}

fn check_provenance(json: &[u8], studies: &[Study]) {
    let file: Value = serde_json::from_slice(json).expect("JSON");
    for name in ["scenario", "version", "commit", "platform"] {
        assert!(
            file[name].as_str().is_some_and(|text| !text.is_empty()),
            "{name}"
        );
    }
    assert!(file["threads"].as_u64().is_some_and(|threads| threads > 0));
    assert!(file["seeds"].is_object());
    assert_eq!(file["status"], "finished");
    let timed: Vec<(String, f64)> = serde_json::from_value(file["seconds"].clone()).unwrap();
    let names: Vec<String> = numbered(studies)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(
        timed
            .iter()
            .map(|(name, _)| name)
            .cloned()
            .collect::<Vec<_>>(),
        names
    );
}

/// One page with every figure in it, which loads nothing.
fn check_report(found: &Files) {
    let page = std::str::from_utf8(&found["report.html"]).expect("UTF-8");
    assert!(page.trim_end().ends_with("</html>"), "cut short");
    let drawn = found.keys().filter(|name| name.ends_with(".svg")).count();
    let embedded = page.matches("src=\"data:image/svg+xml;base64,").count();
    assert_eq!((embedded, page.matches("src=").count()), (drawn, drawn));
    for loading in ["<script", "<link", "@import", "url(", "href=\"http"] {
        assert!(!page.contains(loading), "the page has {loading}");
    }
}
