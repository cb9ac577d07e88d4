//! Sinkhorn with ε = η between Gaussians: its marginals on the same axes.

use super::super::MirrorDescent;
use super::super::descent::{Part, snapshots};
use super::insert_average;
use super::steps::Seen;
use crate::record::Record;
use crate::scenario::BuiltGaussian;
use crate::study::jobs::Tick;
use crate::study::progress::kept;
use mirrorflow_solvers::gaussian::{Mat, Potential, Sinkhorn};
use mirrorflow_solvers::{Error, Result};

/// `study.steps` iterations at ε, as far as they go.
///
/// # Errors
/// Those of the iteration before its first step.
pub fn run(
    study: &MirrorDescent,
    built: &BuiltGaussian,
    axes: &[Vec<f64>],
    epsilon: f64,
    tick: &Tick,
) -> Result<Part> {
    let mut iteration = Sinkhorn::new(&built.problem, epsilon, &built.start)?;
    let (mut seen, mut bregman) = (Seen::new(), Vec::new());
    let start = built.start();
    let mut visit = |kl: f64, covariance: Mat<f64>, brenier: &Potential<'_>| -> Result<()> {
        seen.kl.push(kl);
        seen.wasserstein.push(brenier.wasserstein()?);
        seen.covariances.push(covariance);
        bregman.push(brenier.bregman_to_source());
        Ok(())
    };
    visit(start.relative_entropy()?, start.covariance(), &start)?;
    let mut go = |k: usize| -> Result<()> {
        iteration.iterate()?;
        let covariance = iteration.covariance().expect("after an iteration");
        let kl = iteration.relative_entropy()?.expect("after an iteration");
        let brenier = built.problem.potential_of(&covariance)?;
        visit(kl, covariance, &brenier)?;
        if tick(k as f64 / study.steps as f64).is_break() {
            return Err(Error::Interrupted {
                when: format!("after iteration {k}"),
            });
        }
        Ok(())
    };
    let outcome = (1..=study.steps).try_for_each(&mut go);
    let steps = bregman.len() - 1;
    match outcome {
        Err(error) if steps == 0 => Err(error),
        outcome => {
            let mut record = Record::default();
            let eta = vec![epsilon; steps];
            let shown = snapshots(study.steps);
            seen.insert(&mut record, axes, (steps + 1, &shown));
            record.insert("bregman", &[1, steps + 1], bregman);
            let counted = &seen.covariances[1..=steps];
            kept(&outcome, || {
                insert_average(&mut record, built.problem.sigma(), (counted, &eta))
            })?;
            record.insert_curve("eta", eta);
            Ok(Part { record, outcome })
        }
    }
}
