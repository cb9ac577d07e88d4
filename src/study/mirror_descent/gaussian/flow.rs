//! The flow that the steps approximate, in closed form: the matrix Riccati equation.

use super::super::flow::{SLOTS, record as arrays, schedule};
use crate::record::Record;
use crate::scenario::BuiltGaussian;
use crate::study::jobs::{self, Job, Tick};
use crate::study::progress::Progress;
use mirrorflow_solvers::gaussian::ParabolicFlow;
use mirrorflow_solvers::{Error, Result};

/// Instants to a job.
const CHUNK: usize = 24;

/// Relative rounding of closed forms.
const ROUNDING: f64 = 1e-13;

/// KL, reverse KL and B_g(e^{-f}|ρ_t).
type Instant = [f64; 3];

/// Adds the arrays of the flow until `horizon`, prefix `flow_`, with what rounding and quadrature leave in them.
///
/// # Errors
/// Those of the closed form, at the limit of floating point.
pub fn measure(
    built: &BuiltGaussian,
    horizon: f64,
    progress: &dyn Progress,
    record: &mut Record,
) -> Result<()> {
    let (order, times) = schedule(horizon);
    let parts = times.chunks(CHUNK).map(|times| {
        Job::new("the flow", times.len() as f64, move |tick: &Tick| {
            let flow = ParabolicFlow::new(built.start());
            let each = times.iter().enumerate().map(|(k, &t)| {
                if tick(k as f64 / times.len() as f64).is_break() {
                    let when = "along the flow".into();
                    return Err(Error::Interrupted { when });
                }
                instant(&flow, t)
            });
            each.collect::<Result<Vec<_>>>()
        })
    });
    let found = jobs::run(parts.collect(), progress);
    let (found, outcome) = jobs::first_failure(found);
    outcome?;
    let mut entropies = vec![[0.0; 2]; times.len()];
    let mut bregman = Vec::new();
    for (&slot, [kl, reverse, b]) in order.iter().zip(found.into_iter().flatten()) {
        entropies[slot] = [kl, reverse];
        // Slot 0 is the start, then SLOTS of each interval, the end last.
        if slot % SLOTS == 0 {
            bregman.push(b);
        }
    }
    let found = arrays(horizon, &entropies, bregman);
    insert_changes(record, &found)?;
    record.extend("flow_", found);
    Ok(())
}

fn instant(flow: &ParabolicFlow<'_>, t: f64) -> Result<Instant> {
    let potential = flow.at(t)?;
    let [kl, reverse] = potential.relative_entropies()?;
    Ok([kl, reverse, potential.bregman_to_source()])
}

/// A closed form moves by its rounding only; `quadrature` is counted by itself.
fn insert_changes(record: &mut Record, found: &Record) -> Result<()> {
    for name in ["spent", "fallen", "bregman"] {
        let values = found.values(name).expect("recorded");
        let quadrature = found.values("quadrature").expect("recorded");
        let change = values.iter().zip(quadrature).map(|(v, q)| match name {
            "spent" => ROUNDING * v + q,
            _ => ROUNDING * v,
        });
        record.insert_curve(&format!("flow_{name}_change"), change.collect());
    }
    Ok(())
}
