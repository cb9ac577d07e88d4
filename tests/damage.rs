//! Records that something happened to: said with the array's name, neither judged nor drawn, and never a panic.

mod common;

use common::{files, mirrorflow, project, run_arguments};
use mirrorflow::record::{Extent, Record};
use mirrorflow::run::numbered;
use mirrorflow::scenario::load;
use mirrorflow::study::{Bound, Silent};
use mirrorflow::verdict::Status;
use ndarray::{ArrayD, IxDyn};
use ndarray_npy::NpzWriter;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Every study on every kind of problem.
const SCENARIOS: [&str; 10] = [
    "scenarios/smoke_1d.ron",
    "tests/scenarios/mirror_studies_1d.ron",
    "scenarios/side_by_side_1d.ron",
    "scenarios/sampling_1d.ron",
    "scenarios/compare_objectives_1d.ron",
    "scenarios/gaussian_commuting.ron",
    "scenarios/gaussian_scaling_limit_3d.ron",
    "scenarios/gaussian_mirror_descent.ron",
    "scenarios/euclidean_entropy.ron",
    "scenarios/euclidean_three_decays.ron",
];

/// Calls `body` with every study, its name and its record.
fn for_each_record(body: &mut dyn FnMut(&dyn Bound, &str, &Record)) {
    for scenario in SCENARIOS {
        let loaded = load(&project(scenario)).unwrap();
        for (study, name) in numbered(&loaded.scenario.studies) {
            let bound = study.on(&loaded.built).unwrap();
            let measured = bound.measure(&loaded.scenario.numerics, &Silent).unwrap();
            body(
                bound.as_ref(),
                &format!("{scenario} {name}"),
                &measured.record,
            );
        }
    }
}

/// An array under another name and with other content; `None` where that makes no sense.
type Tampering = fn(&ArrayD<f64>) -> Option<ArrayD<f64>>;

fn with_one(array: &ArrayD<f64>, value: f64) -> ArrayD<f64> {
    let mut array = array.clone();
    let middle = array.len() / 2;
    array.as_slice_mut().unwrap()[middle] = value;
    array
}

/// What no table allows.
const BREAKING: [(&str, Tampering); 5] = [
    ("all NaN", |a| Some(a.mapv(|_| f64::NAN))),
    ("one NaN", |a| Some(with_one(a, f64::NAN))),
    ("one infinite", |a| Some(with_one(a, f64::NEG_INFINITY))),
    ("one axis more", |a| {
        Some(a.clone().insert_axis(ndarray::Axis(0)))
    }),
    ("of an empty axis", |a| {
        (a.ndim() > 1).then(|| ArrayD::zeros(IxDyn(&vec![0; a.ndim()])))
    }),
];

/// What a table may not see.
const PASSING: [(&str, Tampering); 7] = [
    ("zero", |a| Some(a.mapv(|_| 0.0))),
    ("a thousandth more", |a| Some(a.mapv(|v| 1.001 * v))),
    ("a thousandth less", |a| Some(a.mapv(|v| 0.999 * v))),
    ("ten times", |a| Some(a.mapv(|v| 10.0 * v))),
    ("of the other sign", |a| Some(a.mapv(|v| -v))),
    ("shorter", |a| {
        let first = a.shape().first().filter(|&&n| n > 1)?;
        let kept = a.slice_axis(ndarray::Axis(0), (0..first - 1).into());
        Some(kept.as_standard_layout().into_owned())
    }),
    ("as large as can be", |a| Some(a.mapv(|_| f64::MAX))),
];

fn tampered(record: &Record, name: &str, array: ArrayD<f64>) -> Record {
    let mut record = record.clone();
    let shape = array.shape().to_vec();
    record.insert(name, &shape, array.into_raw_vec_and_offset().0);
    record
}

/// Whether the array may hold what is not a number.
fn undefined(bound: &dyn Bound, name: &str) -> bool {
    bound.tables().iter().any(|table| {
        let mut columns = table.columns.iter().filter(|column| !column.finite);
        let plain = name.strip_prefix(&table.prefix);
        columns.any(|column| column.names.split(' ').any(|name| plain == Some(name)))
    })
}

/// Judges, tabulates and draws as a report does; the quantities of what came out Consistent.
fn report(bound: &dyn Bound, record: &Record) -> Vec<String> {
    let judged = bound.judge("study", record).unwrap_or_default();
    let _ = bound.curve(record);
    let _ = bound.draw(record);
    let consistent = judged
        .into_iter()
        .filter(|v| v.status == Status::Consistent);
    consistent.map(|verdict| verdict.quantity).collect()
}

#[test]
fn every_record_is_as_its_tables_say() {
    for_each_record(&mut |bound, name, record| {
        bound
            .check(record, Extent::Finished)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let tables = bound.tables();
        let unknown: Vec<&str> = record.unknown(&tables).collect();
        assert!(unknown.is_empty(), "{name}: {unknown:?} are in no table");
    });
}

#[test]
fn what_is_damaged_is_said_and_what_is_not_does_not_panic() {
    let (mut said, mut judged, mut wrong) = (0, 0, Vec::new());
    std::panic::set_hook(Box::new(|_| {}));
    for_each_record(&mut |bound, study, record| {
        let names: Vec<String> = record.names().map(str::to_owned).collect();
        for name in &names {
            let array = record.array(name).unwrap().clone();
            let may_be_undefined = undefined(bound, name);
            let mut attempt = |how: &str, changed: Record, must_break: bool| {
                let place = || format!("{study}, {name} {how}");
                match bound.check(&changed, Extent::Finished) {
                    Err(error) if error.to_string().contains('`') => said += 1,
                    Err(error) => wrong.push(format!("{}: {error}", place())),
                    Ok(()) if must_break => wrong.push(format!("{}: not said", place())),
                    Ok(()) => {
                        judged += 1;
                        let outcome = catch_unwind(AssertUnwindSafe(|| report(bound, &changed)));
                        let Ok(consistent) = outcome else {
                            wrong.push(format!("{}: panics", place()));
                            return;
                        };
                        if how == "all NaN" && consistent.iter().any(|quantity| quantity == name) {
                            wrong.push(format!("{}: Consistent", place()));
                        }
                    }
                }
            };
            for (how, change) in BREAKING {
                if let Some(changed) = change(&array) {
                    let numbers = how.contains("NaN") || how.contains("infinite");
                    let must_break = !(numbers && may_be_undefined);
                    attempt(how, tampered(record, name, changed), must_break);
                }
            }
            for (how, change) in PASSING {
                if let Some(changed) = change(&array) {
                    attempt(how, tampered(record, name, changed), false);
                }
            }
            attempt("is gone", record.without(name), false);
        }
    });
    let _ = std::panic::take_hook();
    println!(
        "{said} damages said, {judged} records judged, {} wrong",
        wrong.len()
    );
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        said + judged,
        wrong.join("\n")
    );
    assert!(said > 1000 && judged > 1000, "{said} {judged}");
}

/// Writes the npz again with one array changed.
fn rewrite(path: &Path, name: &str, change: impl Fn(&ArrayD<f64>) -> ArrayD<f64>) {
    let record = Record::read(File::open(path).unwrap()).unwrap();
    let changed = tampered(&record, name, change(record.array(name).unwrap()));
    changed.write(File::create(path).unwrap()).unwrap();
}

#[test]
fn a_report_of_damaged_data_ends_with_3_and_the_arrays_name() {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("a");
    let arguments = run_arguments(&project("scenarios/smoke_1d.ron"), &place);
    mirrorflow(arguments).assert().code(0);
    let npz = place.join("data/scaling-limit.npz");
    let whole = files(&place);
    let report = || mirrorflow(["report", place.to_str().unwrap()]).assert();
    let restore = || std::fs::write(&npz, &whole["data/scaling-limit.npz"]).unwrap();

    rewrite(&npz, "kl", |kl| with_one(kl, f64::NAN));
    let said = report().code(3);
    let text = String::from_utf8_lossy(&said.get_output().stderr).into_owned();
    assert!(
        text.contains("scaling-limit") && text.contains("`kl`"),
        "{text}"
    );
    // Nothing is concluded from it.
    let verdicts = std::fs::read_to_string(place.join("verdicts.json")).unwrap();
    assert!(!verdicts.contains("Consistent"), "{verdicts}");

    // A shape that no file could hold, numbers of another kind, half a file, and none.
    std::fs::write(&npz, of_shape("(4611686018427387904,)", "<f8")).unwrap();
    report().code(3);
    std::fs::write(&npz, of_shape("(99999999, 99999999, 99999999)", "<f8")).unwrap();
    report().code(3);
    std::fs::write(&npz, of_shape("(2,)", "<i8")).unwrap();
    report().code(3);
    std::fs::write(&npz, &whole["data/scaling-limit.npz"][..2000]).unwrap();
    report().code(3);
    std::fs::remove_file(&npz).unwrap();
    report().code(3);

    // Whole again, all is as it was.
    restore();
    report().code(0);
    for (name, content) in files(&place) {
        assert!(whole[&name] == content, "{name} has changed");
    }
}

/// An npz with one array `kl` of two numbers that says it has another shape or kind.
fn of_shape(shape: &str, kind: &str) -> Vec<u8> {
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    while (header.len() + 11) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    let array = [
        b"\x93NUMPY\x01\x00",
        &length[..],
        header.as_bytes(),
        &[0; 16],
    ]
    .concat();
    let mut npz = NpzWriter::new(std::io::Cursor::new(Vec::new()));
    npz.add_array("kl", &ndarray::arr1(&[0.0, 0.0])).unwrap();
    let plain = npz.finish().unwrap().into_inner();
    let at = plain.windows(6).position(|w| w == b"\x93NUMPY").unwrap();
    let honest = plain[at..].windows(2).position(|w| w == b"PK").unwrap();
    // Stored, not compressed: the array can be exchanged for one of the same length.
    assert_eq!(
        honest,
        array.len(),
        "the header of two numbers fills one block"
    );
    [&plain[..at], &array, &plain[at + honest..]].concat()
}
