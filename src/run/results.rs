//! Judging and drawing: pure functions of scenario and records, written into the folder.

use super::files::data_path;
use super::folder::{Folder, FolderError};
use super::provenance::Provenance;
use super::{Done, numbered};
use crate::figure::Figure;
use crate::record::{Extent, Record, RecordError};
use crate::report::{Report, ReportFigure, Table, VerdictRow, html};
use crate::scenario::{Loaded, load};
use crate::study::{Bound, Curve, Progress};
use crate::verdict::Verdict;
use serde::Serialize;
use std::fmt::Display;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, Instant};

/// Everything that judging, drawing and reporting depend on.
pub struct Results<'a> {
    pub loaded: &'a Loaded,
    pub done: &'a [Done],
    pub provenance: &'a Provenance,
}

/// Counted up when a field changes its meaning or goes.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct VerdictFile<'a> {
    schema: u32,
    scenario: &'a str,
    verdicts: &'a [Verdict],
}

impl Results<'_> {
    /// Writes curves, figures, verdicts and the report; returns the verdicts, and what is wrong with a record.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn write(
        &self,
        folder: &Folder,
        progress: &dyn Progress,
    ) -> Result<(Vec<Verdict>, Option<String>), FolderError> {
        let clock = Instant::now();
        let hurry = || progress.interrupted() && clock.elapsed() > PATIENCE;
        let (mut verdicts, mut figures, mut tables) = (Vec::new(), Vec::new(), Vec::new());
        let mut troubles: Vec<String> = self.provenance.failure.iter().cloned().collect();
        let mut damaged: Option<String> = None;
        for (k, done) in self.done.iter().enumerate() {
            let told =
                |part: f64| progress.update(&done.name, (k as f64 + part) / self.done.len() as f64);
            told(0.0);
            let study = done.study.on(&self.loaded.built);
            let study = study.expect("validation refuses studies that do not fit");
            // A record that was cut short may lack what a figure needs: that is said, and loses nothing else.
            let mut trouble = |what: &dyn Display| troubles.push(format!("{}: {what}", done.name));
            if let Some(damage) = &done.damage {
                trouble(damage);
                damaged.get_or_insert(format!("{}: {damage}", done.name));
                continue;
            }
            folder.write(
                &data_path(&done.name, "json"),
                &described(study.as_ref(), &done.record),
            )?;
            match study.judge(&done.name, &done.record) {
                Ok(judged) => verdicts.extend(judged),
                Err(error) => {
                    trouble(&error);
                    if matches!(
                        error,
                        RecordError::Damaged { .. } | RecordError::Length { .. }
                    ) {
                        damaged.get_or_insert(format!("{}: {error}", done.name));
                    }
                }
            }
            match study.curve(&done.record) {
                Ok(curve) => {
                    folder.write(&data_path(&done.name, "csv"), &csv(&curve))?;
                    tables.push(curve.table(&done.name));
                }
                Err(error) => trouble(&error),
            }
            if hurry() {
                trouble(&NOT_DRAWN);
                continue;
            }
            match study.draw(&done.record) {
                Ok(drawn) => {
                    for (j, figure) in drawn.iter().enumerate() {
                        told(j as f64 / drawn.len() as f64);
                        if hurry() {
                            trouble(&NOT_DRAWN);
                            break;
                        }
                        figures.push(write_figure(folder, &done.name, figure)?);
                    }
                }
                Err(error) => trouble(&error),
            }
        }
        let file = VerdictFile {
            schema: SCHEMA,
            scenario: &self.loaded.name,
            verdicts: &verdicts,
        };
        let json = serde_json::to_vec_pretty(&file).expect("plain numbers and texts");
        folder.write("verdicts.json", &json)?;
        let provenance = self.provenance.after_drawing();
        if provenance.live() {
            folder.write("provenance.json", &provenance.to_json())?;
        }
        let page = html(&self.report(&provenance, troubles, &verdicts, figures, tables));
        folder.write("report.html", page.as_bytes())?;
        Ok((verdicts, damaged))
    }

    fn report(
        &self,
        provenance: &Provenance,
        failures: Vec<String>,
        verdicts: &[Verdict],
        figures: Vec<ReportFigure>,
        tables: Vec<Table>,
    ) -> Report {
        Report {
            title: self.loaded.scenario.title.clone(),
            failures,
            verdicts: verdicts.iter().map(VerdictRow::from).collect(),
            figures,
            tables,
            provenance: provenance.rows(),
            scenario_ron: self.loaded.scenario.to_ron(),
            rerun: "mirrorflow run scenario.ron --output again".to_owned(),
        }
    }
}

/// How long an interrupted run goes on drawing.
const PATIENCE: Duration = Duration::from_millis(1500);

const NOT_DRAWN: &str =
    "interrupted before all was drawn; `mirrorflow report` on this folder draws it";

fn write_figure(
    folder: &Folder,
    study: &str,
    figure: &Figure,
) -> Result<ReportFigure, FolderError> {
    let name = format!("{study}-{}", figure.name);
    let named = Figure {
        name: name.clone(),
        ..figure.clone()
    };
    let rendering = named
        .render()
        .map_err(|error| FolderError::Draw(name.clone(), error))?;
    folder.write(&format!("figures/{name}.svg"), rendering.svg.as_bytes())?;
    folder.write(&format!("figures/{name}.png"), &rendering.png)?;
    Ok(ReportFigure {
        name,
        svg: rendering.svg,
        caption: figure.caption.clone(),
    })
}

/// Names, dimensions, units and meanings of the arrays of a record.
fn described(study: &dyn Bound, record: &Record) -> Vec<u8> {
    let arrays = record.describe(&study.tables(), study.axes());
    serde_json::to_vec_pretty(&arrays).expect("plain numbers and texts")
}

/// Shortest decimals that read back as the same numbers.
fn csv(curve: &Curve) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let headers = curve.columns.iter().map(|(header, _)| header);
    writer.write_record(headers).expect("writing to memory");
    for row in 0..curve.rows() {
        let cells = curve.columns.iter().map(|(_, c)| format!("{:e}", c[row]));
        writer.write_record(cells).expect("writing to memory");
    }
    writer.into_inner().expect("writing to memory")
}

impl From<&Verdict> for VerdictRow {
    fn from(verdict: &Verdict) -> Self {
        Self {
            study: verdict.study.clone(),
            claim: verdict.claim.clone(),
            reference: verdict.reference.clone(),
            statement: verdict.statement.clone(),
            run: verdict.run.clone().unwrap_or_default(),
            prediction: verdict.prediction.clone(),
            observed: verdict.observed_text(),
            interval: verdict.interval_text(),
            status: verdict.status,
            reason: verdict.reason.clone(),
            excluded: verdict.excluded.clone(),
        }
    }
}

/// Reads back scenario, records and provenance of a run.
///
/// # Errors
/// [`FolderError::NotARun`] with what is missing or broken.
pub fn read(directory: &Path) -> Result<(Loaded, Vec<Done>, Provenance), FolderError> {
    let broken = |reason: String| FolderError::NotARun(directory.to_owned(), reason);
    let mut loaded = load(&directory.join("scenario.ron")).map_err(|e| broken(format!("{e:?}")))?;
    let json = std::fs::read(directory.join("provenance.json"))
        .map_err(|e| broken(format!("provenance.json: {e}")))?;
    let provenance: Provenance =
        serde_json::from_slice(&json).map_err(|e| broken(format!("provenance.json: {e}")))?;
    loaded.name.clone_from(&provenance.scenario);
    let mut done = Vec::new();
    let finished = provenance.status == "finished";
    let studies = numbered(&loaded.scenario.studies);
    let place = |name: &str| directory.join(data_path(name, "npz"));
    let last = studies.iter().rposition(|(_, name)| place(name).exists());
    for (k, (study, name)) in studies.into_iter().enumerate() {
        let path = place(&name);
        // An interrupted run has only its first studies, the last of them in part.
        let extent = match finished || last.is_some_and(|last| k < last) {
            true => Extent::Finished,
            false => Extent::CutShort,
        };
        if !path.exists() {
            if finished {
                done.push(Done {
                    damage: Some(RecordError::NoFile(data_path(&name, "npz"))),
                    record: Record::default(),
                    study,
                    name,
                });
            }
            continue;
        }
        let file = File::open(&path).map_err(|e| broken(format!("{}: {e}", path.display())))?;
        let bound = study.on(&loaded.built).expect(super::FITS);
        let record = Record::read_within(BufReader::new(file), &bound.tables(), bound.axes());
        drop(bound);
        done.push(match record {
            Ok(record) => Done::checked(&loaded, study, name, record, extent),
            Err(error) => Done {
                study,
                name,
                record: Record::default(),
                damage: Some(error),
            },
        });
    }
    Ok((loaded, done, provenance))
}
