//! The limit η → 0 between Gaussians: equal steps to one time against the Riccati flow, in ψ and in u, by all three rules.

use super::super::{Limit, MirrorDescent};
use crate::record::Record;
use crate::scenario::BuiltGaussian;
use crate::study::jobs::{self, Job, Tick};
use crate::study::progress::Progress;
use mirrorflow_solvers::gaussian::{
    Mat, MirrorDescent as Descent, ParabolicFlow, Sinkhorn, operator_norm,
};
use mirrorflow_solvers::{Error, Result};

/// The rules in the order of the record.
pub const RULES: [&str; 3] = ["explicit", "implicit", "sinkhorn"];

/// Q and P.
type Pair = [Mat<f64>; 2];

/// Adds, prefix `limit_`: `eta`; for each rule `<rule>` and `<rule>_conjugate`, `sup_{|y| ≤ 1}|ψ_k − ψ_t|` and the same of u; `time_error`, the
/// rounding of so many steps, and `band_error` = 0.
///
/// # Errors
/// Those of the steps, and of the closed form.
pub fn measure(
    study: &MirrorDescent,
    built: &BuiltGaussian,
    progress: &dyn Progress,
    record: &mut Record,
) -> Result<()> {
    let Some(limit) = &study.limit else {
        return Ok(());
    };
    let end = ParabolicFlow::new(built.start()).at(limit.time)?;
    let end = [end.dual(), end.matrix()];
    let mut jobs = Vec::new();
    for rule in RULES {
        for &steps in &limit.steps {
            jobs.push(Job::new(
                format!("{rule}, {steps} steps"),
                steps as f64,
                move |tick: &Tick| descend(built, rule, (limit, steps), tick),
            ));
        }
    }
    let found = jobs::run(jobs, progress);
    let (found, outcome) = jobs::first_failure(found);
    outcome?;
    let eta = limit.steps.iter().map(|&n| limit.time / n as f64);
    record.insert_curve("limit_eta", eta.collect());
    for (rule, pairs) in RULES.iter().zip(found.chunks(limit.steps.len())) {
        for (k, ending) in ["", "_conjugate"].iter().enumerate() {
            let distance =
                |pair: &Pair| -> Result<f64> { Ok(0.5 * operator_norm(&(&pair[k] - &end[k]))?) };
            let values = pairs.iter().map(distance).collect::<Result<Vec<_>>>()?;
            record.insert_curve(&format!("limit_{rule}{ending}"), values);
        }
    }
    let size = operator_norm(&end[0])?.max(operator_norm(&end[1])?);
    let most = limit.steps.iter().copied().max().unwrap_or(0) as f64;
    record.insert_number("limit_time_error", f64::EPSILON * most.sqrt() * size);
    record.insert_number("limit_band_error", 0.0);
    Ok(())
}

fn descend(
    built: &BuiltGaussian,
    rule: &str,
    (limit, steps): (&Limit, usize),
    tick: &Tick,
) -> Result<Pair> {
    let eta = limit.time / steps as f64;
    let go = |step: &mut dyn FnMut() -> Result<()>| -> Result<()> {
        for k in 1..=steps {
            step()?;
            if tick(k as f64 / steps as f64).is_break() {
                let when = "on the way to the limit".into();
                return Err(Error::Interrupted { when });
            }
        }
        Ok(())
    };
    if rule == "sinkhorn" {
        let mut iteration = Sinkhorn::new(&built.problem, eta, &built.start)?;
        go(&mut || iteration.iterate())?;
        let covariance = iteration.covariance().expect("after an iteration");
        let marginal = built.problem.potential_of(&covariance)?;
        return Ok([marginal.dual(), iteration.potential()?.matrix()]);
    }
    let start = built.start();
    let mut descent = Descent::new(&start);
    go(&mut || match rule {
        "explicit" => descent.step(eta),
        _ => descent.implicit_step(eta),
    })?;
    Ok([descent.dual(), descent.potential()?.matrix()])
}
