//! What the maps cost against W₂², and which part of a displacement is to blame.

use super::{Setting, minus};
use crate::record::Record;
use crate::study::jobs::Tick;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::distance::wasserstein;
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::sampling::{
    BrenierMap, Composition, Instant, Scheme, helmholtz, law, transport_cost,
};
use std::sync::Arc;

/// Error of W₂², relative: the elliptic solve in 2-D and 3-D has a relative residual of 1e-8 and the square twice that; on the circle the
/// map is found by integration.
fn solve_error(dimension: usize) -> f64 {
    if dimension == 1 { 1e-12 } else { 2e-8 }
}

/// What rounding leaves of a displacement that is a gradient, relative.
const ROUNDING: f64 = 1e-12;

/// Adds `one_map_cost`, `one_map_wasserstein_square`, and `one_map_cost_budget`, relative: the change on half again as many nodes, and
/// the elliptic solve.
pub fn one_map(given: &Setting, finer: &Setting, q: &[f64]) -> Result<Record> {
    let both = |setting: &Setting, q: &[f64]| -> Result<(f64, f64)> {
        let Setting {
            torus, log_start, ..
        } = setting;
        let displacement = BrenierMap::new(torus, q).displacement(&torus.nodes());
        let log_law = law(torus, Arc::clone(&setting.target), q)?;
        let best = wasserstein(torus, log_start, &log_law)?.distance.powi(2);
        Ok((transport_cost(log_start, &displacement), best))
    };
    let (cost, best) = both(given, q)?;
    let (finer_cost, finer_best) = both(finer, &refine(&given.torus, q, &finer.torus))?;
    let change = ((cost - best) / best - (finer_cost - finer_best) / finer_best).abs();
    let mut record = Record::default();
    record.insert_number("one_map_cost", cost);
    record.insert_number("one_map_wasserstein_square", best);
    let budget = change + solve_error(given.torus.dimension());
    record.insert_number("one_map_cost_budget", budget);
    Ok(record)
}

/// Fokker–Planck's flow map S, the limit of its one-step maps, by the Runge–Kutta method: `times`, `cost`, `wasserstein_square`, and of
/// `S(y) − y` the sizes `gradient` of its gradient part and `remainder` of mean and rotation together, after the kept steps; `steps` may
/// be half of those asked for.
pub fn flow_map(setting: &Setting, steps: usize, tolerance: f64, tick: &Tick) -> Result<Record> {
    let kept = setting.asked.kept();
    let every = setting.asked.fokker_planck_steps / steps;
    let mut columns: [Vec<f64>; 5] = Default::default();
    let composition = Composition {
        horizon: setting.horizon,
        steps,
        scheme: Scheme::RungeKutta,
        tolerance,
    };
    composition.run(
        &setting.torus,
        setting.source.as_ref(),
        &setting.log_start,
        &vec![Vec::new(); setting.torus.dimension()],
        &mut |instant| {
            if kept.contains(&(every * instant.step)) {
                for (column, value) in columns.iter_mut().zip(row(setting, instant)?) {
                    column.push(value);
                }
            }
            Ok(tick(instant.step as f64 / steps as f64))
        },
    )?;
    let mut record = Record::default();
    let names = [
        "times",
        "cost",
        "wasserstein_square",
        "gradient",
        "remainder",
    ];
    for (name, column) in names.iter().zip(columns) {
        record.insert_curve(name, column);
    }
    Ok(record)
}

fn row(setting: &Setting, instant: &Instant) -> Result<[f64; 5]> {
    let Setting {
        torus, log_start, ..
    } = setting;
    let best = wasserstein(torus, log_start, instant.log_density)?;
    let parts = helmholtz(torus, instant.displacement);
    let mean: f64 = parts.mean.iter().map(|m| m * m).sum();
    Ok([
        instant.time,
        transport_cost(log_start, instant.displacement),
        best.distance.powi(2),
        parts.gradient,
        (mean + parts.rotation.powi(2)).sqrt(),
    ])
}

/// The first of the records with the changes of the others: `excess_budget` of cost − W₂², with the elliptic solve, and
/// `remainder_budget`, with rounding.
pub fn with_budgets(maps: &[Record], dimension: usize) -> Record {
    let [given, varied @ ..] = maps else {
        unreachable!("the map and its variations");
    };
    let column = |record: &Record, name: &str| record.values(name).expect("recorded").to_vec();
    let excess = |record: &Record| -> Vec<f64> {
        let both = column(record, "cost").into_iter();
        both.zip(minus(&column(record, "wasserstein_square")))
            .map(|(cost, minus_best)| cost + minus_best)
            .collect()
    };
    let changes = |of: &dyn Fn(&Record) -> Vec<f64>| -> Vec<f64> {
        let (here, others) = (of(given), varied.iter().map(of).collect::<Vec<_>>());
        let change = |k: usize| others.iter().map(|other| (other[k] - here[k]).abs()).sum();
        (0..here.len()).map(change).collect()
    };
    let plus = |changes: Vec<f64>, part: f64, of: &str| -> Vec<f64> {
        let size = column(given, of).into_iter();
        let both = changes.into_iter().zip(size);
        both.map(|(change, size)| change + part * size).collect()
    };
    let remainder = changes(&|record| column(record, "remainder"));
    let mut record = given.clone();
    let excess = plus(
        changes(&excess),
        solve_error(dimension),
        "wasserstein_square",
    );
    record.insert_curve("excess_budget", excess);
    record.insert_curve("remainder_budget", plus(remainder, ROUNDING, "gradient"));
    record
}
