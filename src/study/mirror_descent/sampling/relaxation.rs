//! How long Fokker–Planck takes to come as near to e^{-f} as the one map: what a composition of the same quality would have to follow.

use super::{Setting, TOLERANCES};
use crate::record::{Record, RecordError};
use crate::study::jobs::Tick;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::flows::FokkerPlanck;

/// Instants after 0, up to this many times Σ η_k.
const INSTANTS: usize = 64;
const LONGER: f64 = 4.0;

/// Adds `fokker_planck_times` and KL(ρ_t | e^{-f}) there, `fokker_planck_kl`.
pub fn relax(setting: &Setting, tick: &Tick) -> Result<Record> {
    let Setting {
        torus, log_source, ..
    } = setting;
    let end = LONGER * setting.horizon;
    let times: Vec<f64> = (0..=INSTANTS)
        .map(|j| end * j as f64 / INSTANTS as f64)
        .collect();
    let start: Vec<f64> = setting.log_start.iter().map(|l| l.exp()).collect();
    let mut kl = Vec::new();
    FokkerPlanck::new(torus, setting.source.as_ref(), TOLERANCES[1]).run(
        &start,
        &times,
        &mut |_, density| {
            let log_density: Vec<f64> = density.iter().map(|rho| rho.ln()).collect();
            kl.push(relative_entropy(&log_density, log_source));
            Ok(())
        },
        &mut |time| tick(time / end),
    )?;
    let mut record = Record::default();
    record.insert_curve("fokker_planck_times", times);
    record.insert_curve("fokker_planck_kl", kl);
    Ok(record)
}

/// The time at which Fokker–Planck's KL is that of the one map, log-linearly between instants; `None` if it was not followed so far.
///
/// # Errors
/// [`RecordError::Missing`].
pub fn equal_time(record: &Record) -> std::result::Result<Option<f64>, RecordError> {
    let level = record.number("one_map_kl")?.ln();
    let times = record.values("fokker_planck_times")?;
    let kl = record.values("fokker_planck_kl")?;
    let reached = (1..kl.len()).find(|&j| kl[j].ln() <= level && kl[j - 1].ln() >= level);
    Ok(reached.map(|j| {
        let share = (kl[j - 1].ln() - level) / (kl[j - 1] / kl[j]).ln();
        times[j - 1] + share * (times[j] - times[j - 1])
    }))
}
