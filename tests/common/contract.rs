//! The contract of a run's folder (docs, "What a run leaves"): which files, which arrays, of which shapes, in which formats.

use super::{Files, expected, files};
use mirrorflow::figure::label_html;
use mirrorflow::record::Record;
use mirrorflow::run::numbered;
use mirrorflow::scenario::{Built, Loaded, load};
use mirrorflow::study::Study;
use mirrorflow::summary;
use mirrorflow::verdict::{Status, Verdict};
use ndarray::{ArrayD, Axis, IxDyn, OwnedRepr};
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
        check_columns(&name, &found[&format!("data/{name}.csv")], &arrays);
        check_csv(
            &found[&format!("data/{name}.csv")],
            expected::rows(&study, &loaded.built, &arrays),
        );
    }
    check_figures(&found);
    check_verdicts(&found["verdicts.json"]);
    let verdicts = judged_again(&found, loaded);
    let file: Value = serde_json::from_slice(&found["verdicts.json"]).unwrap();
    let written: Value = serde_json::from_slice(&serde_json::to_vec(&verdicts).unwrap()).unwrap();
    assert_eq!(file["verdicts"], written);
    check_tables(&found["report.html"], &verdicts);
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

/// The verdicts on the records as they were written. A study with claims has some that apply.
fn judged_again(found: &Files, loaded: &Loaded) -> Vec<Verdict> {
    let mut all = Vec::new();
    for (study, name) in numbered(&loaded.scenario.studies) {
        let npz = Cursor::new(&found[&format!("data/{name}.npz")]);
        let record = Record::read(npz).expect("a whole record");
        let bound = study.on(&loaded.built).expect("a study that fits");
        let verdicts = bound.judge(&name, &record).expect("its own record");
        let claims = !matches!(study, Study::Flow(_) | Study::Sinkhorn(_));
        let applies = verdicts.iter().any(|v| v.status != Status::NotApplicable);
        assert_eq!(applies, claims, "{name}");
        all.extend(verdicts);
    }
    all
}

/// Every verdict has its row, in the report and in the terminal, with what was predicted and observed.
fn check_tables(page: &[u8], verdicts: &[Verdict]) {
    let page = std::str::from_utf8(page).expect("UTF-8");
    let table = page
        .split_once("<table class=\"verdicts\">")
        .map(|(_, rest)| rest);
    let table = table.map_or("", |rest| rest.split_once("</table>").expect("an end").0);
    let rows: Vec<&str> = table.split("<tr><th scope=\"row\">").skip(1).collect();
    assert_eq!(rows.len(), verdicts.len());
    let terminal = summary::terminal(verdicts);
    let mut lines = terminal.lines();
    for (row, verdict) in rows.iter().zip(verdicts) {
        let status = format!(">{}</span>", verdict.status);
        let interval = verdict.interval_text().replace(' ', "\u{a0}");
        let statement = label_html(&verdict.statement);
        for part in [
            label_html(&verdict.claim),
            statement,
            label_html(&verdict.prediction),
            format!("<td>{}", label_html(&verdict.observed_text())),
            label_html(&interval),
            status,
            label_html(verdict.run.as_deref().unwrap_or("")),
        ] {
            assert!(row.contains(&part), "{part} not in {row}");
        }
        for excluded in &verdict.excluded {
            let excluded = label_html(excluded);
            assert!(row.contains(&excluded), "{excluded} not in {row}");
        }
        let start = format!("  {} ", verdict.claim);
        let line = lines.find(|line| line.starts_with(&start)).expect(&start);
        assert!(line.ends_with(&format!(" {}", verdict.status)), "{line}");
        assert!(
            line.contains(&format!(" {} ", verdict.observed_text())),
            "{line}"
        );
    }
    assert!(
        terminal.lines().all(|line| line.chars().count() <= 80),
        "{terminal}"
    );
}

/// Headers of csv files with the arrays that they stand for.
const COLUMNS: [(&str, &str); 39] = [
    ("t", "times"),
    ("KL(rho_t | e^-f) [nats]", "kl"),
    ("budget of KL", "kl_budget"),
    ("bound e^{-2 kappa lambda t} KL_0", "bound"),
    ("Fisher information", "fisher"),
    ("|grad u_t - grad u_inf| in L2(e^-f)", "gradient"),
    ("W2(rho_t, e^-f)", "wasserstein"),
    ("KL along Fokker-Planck", "fokker_planck_kl"),
    ("epsilon", "epsilons"),
    ("sup|p^eps - p_t|", "potential"),
    ("sup|grad(p^eps - p_t)|", "gradient"),
    ("sup|p^eps - p_t - eps r_t|", "corrected"),
    ("sup|grad((p^eps - p_t)/eps - r_t)|", "profile"),
    ("sup|u^eps - u_t| on the unit ball", "potential"),
    ("|grad(u^eps - u_t)| in L2(e^-f)", "gradient"),
    ("sup|u^eps - u_t - eps r_t| on the unit ball", "corrected"),
    ("|grad((u^eps - u_t)/eps - r_t)| in L2(e^-f)", "profile"),
    ("W2(rho^eps, rho_t)", "wasserstein"),
    ("LOT(rho^eps, rho_t)", "lot"),
    ("KL(rho^eps | rho_t) [nats]", "kl"),
    ("F", "objective"),
    ("dissipation", "dissipation"),
    ("drop of F since the instant before", "drop"),
    ("integral of the dissipation", "dissipated"),
    ("|v| in L2(rho)", "speed"),
    ("LOT speed", "lot_speed"),
    ("length in the Hessian metric", "length"),
    ("sup|rho_primal - rho_mirror|/sup rho", "primal_difference"),
    ("sup|rho_dual - rho_mirror|/sup rho", "dual_difference"),
    ("sup|u - psi*|", "conjugate_difference"),
    ("|mass - mass at 0|, primal", "mass_defect"),
    ("half W2^2", "cost"),
    ("W2", "wasserstein"),
    ("push-forward defect", "push_forward"),
    ("relative duality gap", "duality_gap"),
    ("sup|u* - inverse potential|", "inverse"),
    ("sup residual", "residual"),
    ("min eigenvalue of Hess u", "min_eigenvalue"),
    ("max eigenvalue of Hess u", "max_eigenvalue"),
];

/// Headers of families of curves begin so, and stand for the rows of an array.
const FAMILIES: [(&str, &str); 2] = [
    ("KL along Sinkhorn, eps = ", "sinkhorn_kl"),
    ("KL along the flow of ", "others_kl"),
];

/// Every known column is, number by number, the array it stands for; budgets are the sums of their parts.
fn check_columns(study: &str, csv: &[u8], arrays: &Arrays) {
    let prefix = if study.starts_with("side-by-side") {
        "decay_"
    } else {
        ""
    };
    let array = |name: &str| arrays.get(&format!("{prefix}{name}"));
    let mut reader = csv::Reader::from_reader(csv);
    let headers: Vec<String> = reader
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    let rows: Vec<Vec<f64>> = reader
        .records()
        .map(|row| {
            row.unwrap()
                .iter()
                .map(|cell| cell.parse().unwrap())
                .collect()
        })
        .collect();
    let (mut checked, mut families) = (0, BTreeMap::new());
    for (k, header) in headers.iter().enumerate() {
        let column: Vec<f64> = rows.iter().map(|row| row[k]).collect();
        let known = |text: &str| COLUMNS.iter().find(|(header, _)| *header == text);
        let family = FAMILIES.iter().find(|(start, _)| header.starts_with(start));
        let expected = if let Some((_, name)) = family {
            let row = families.entry(name).or_insert(0);
            let all = array(name).expect("a family");
            *row += 1;
            Some(all.index_axis(Axis(0), *row - 1).iter().copied().collect())
        } else if let Some((_, name)) = known(header) {
            array(name).map(|a| a.iter().copied().collect::<Vec<f64>>())
        } else if let Some((_, name)) = header.strip_prefix("budget of ").and_then(known) {
            let parts = ["space", "time", "iteration", "round_off"];
            let parts = parts
                .iter()
                .filter_map(|part| array(&format!("{name}_{part}")));
            let sum = parts.map(|a| a.iter().copied().collect::<Vec<f64>>());
            sum.reduce(|a, b| a.iter().zip(&b).map(|(a, b)| a + b).collect())
        } else {
            None
        };
        // Instants of steps and of samples are not those of `times`.
        let other = |found: &Vec<f64>| header != "t" || found.len() == column.len();
        let Some(expected) = expected.filter(other) else {
            continue;
        };
        checked += 1;
        assert_eq!(column, expected, "{study}: {header}");
    }
    let judged = [
        "scaling-limit",
        "optimal-map",
        "exponential-convergence",
        "side-by-side",
    ];
    if judged.iter().any(|name| study.starts_with(name)) {
        assert!(
            checked + 3 >= headers.len(),
            "{study}: {checked} of {headers:?}"
        );
    }
}

fn check_verdicts(json: &[u8]) {
    let file: Value = serde_json::from_slice(json).expect("JSON");
    assert!(file["scenario"].is_string());
    assert_eq!(file["schema"], 1);
    for verdict in file["verdicts"].as_array().expect("a list") {
        let entry = verdict.as_object().expect("an object");
        let keys: BTreeSet<&str> = entry.keys().map(String::as_str).collect();
        let named = "study claim statement reference run quantity prediction law observed interval status reason excluded";
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
