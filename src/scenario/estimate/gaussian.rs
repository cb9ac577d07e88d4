//! The cost of a Gaussian scenario: dense matrices, `d³ × seconds` per operation on one core, shared by two.

use crate::scenario::{Covariance, GaussianProblem};
use crate::study::{ExponentialConvergence, MirrorFlow, ScalingLimit, Study};

/// Seconds per d³ of one Sinkhorn iteration.
const ITERATION: f64 = 2e-9;
/// The same of one instant of a decay, distances included, and of one evaluation along the mirror flow.
const INSTANT: f64 = 2e-8;
const EVALUATION: f64 = 1e-8;
/// The same of one Riccati equation by steps.
const RICCATI: f64 = 1e-6;
/// Seconds of any operation on the smallest matrices.
const LEAST: f64 = 1e-5;
/// Every quantity is computed twice, the second time in turned coordinates; two cores share the work.
const TWICE_ON_TWO_CORES: f64 = 1.0;
/// Seconds to draw the figures of a study.
const FIGURES: f64 = 0.1;
/// Evaluations per interval of the quadrature, and of the drawn curves.
const QUADRATURE: f64 = 60.0;
const DRAWN: f64 = 130.0;
/// Bytes of the program and its figures, and matrices alive at once.
const PROGRAM: f64 = 3e7;
const MATRICES: f64 = 100.0;

/// d.
fn dimension(problem: &GaussianProblem) -> f64 {
    match &problem.source {
        Covariance::Variances(variances) => variances.len() as f64,
        Covariance::Matrix(rows) => rows.len() as f64,
        Covariance::Random { dimension, .. } => *dimension as f64,
    }
}

/// Peak memory in bytes.
pub fn memory(problem: &GaussianProblem, studies: &[Study]) -> f64 {
    let matrix = 8.0 * dimension(problem).powi(2);
    let recorded = |study: &Study| match study {
        Study::ScalingLimit(limit) => 3.0 * limit.epsilons.len() as f64,
        Study::MirrorFlow(flow) => 12.0 * flow.times.len() as f64,
        _ => 0.0,
    };
    let most = studies.iter().map(recorded).fold(0.0, f64::max);
    PROGRAM + matrix * (MATRICES + most)
}

/// Wall time in seconds, to a factor of a few.
pub fn seconds(problem: &GaussianProblem, studies: &[Study]) -> f64 {
    let cube = dimension(problem).powi(3);
    let each = |constant: f64| LEAST + constant * cube;
    let of_study = |study: &Study| match study {
        Study::ScalingLimit(limit) => each(ITERATION) * iterations(limit),
        Study::ExponentialConvergence(decay) => {
            each(ITERATION) * all_iterations(decay) + each(INSTANT) * (decay.samples + 1) as f64
        }
        Study::MirrorFlow(flow) => each(EVALUATION) * evaluations(flow) + 2.0 * each(RICCATI),
        _ => 0.0,
    };
    let costs = studies
        .iter()
        .map(|study| FIGURES + TWICE_ON_TWO_CORES * of_study(study));
    costs.sum()
}

fn iterations(limit: &ScalingLimit) -> f64 {
    limit
        .epsilons
        .iter()
        .map(|epsilon| limit.time / epsilon)
        .sum()
}

fn all_iterations(decay: &ExponentialConvergence) -> f64 {
    decay
        .epsilons
        .iter()
        .map(|epsilon| decay.time / epsilon)
        .sum()
}

fn evaluations(flow: &MirrorFlow) -> f64 {
    QUADRATURE * flow.times.len() as f64 + DRAWN
}
