//! How much more work a problem of the scenario's size is than a smaller one, by what both do all the time: a right-hand side of the flow on
//! a grid, a product and an eigendecomposition of dense matrices.

use super::rehearse::spent;
use crate::scenario::{Built, BuiltTorus, Numerics};
use crate::study::{Context, Silent};
use mirrorflow_solvers::gaussian::{Mat, congruence, eigen};

/// How many times as much time and memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    pub seconds: f64,
    pub bytes: f64,
}

/// Of `large` to `small`, which are of one kind.
pub fn of_size(large: &Built, small: &Built, numerics: &Numerics) -> Ratio {
    let (bytes, times) = match (large, small) {
        (Built::Torus(large), Built::Torus(small)) => (
            large.torus.len() as f64 / small.torus.len() as f64,
            [large, small].map(|built| right_hand_side(built, numerics)),
        ),
        (Built::Gaussian(large), Built::Gaussian(small)) => (
            (large.dimension() as f64 / small.dimension() as f64).powi(2),
            [large, small].map(|built| dense(built.problem.sigma())),
        ),
        _ => (1.0, [None, None]),
    };
    let seconds = match times {
        [Some(large), Some(small)] if small > 0.0 => large / small,
        _ => bytes,
    };
    Ratio { seconds, bytes }
}

/// Measured again and again for this many seconds; the least counts.
const PATIENCE: f64 = 0.01;

/// Seconds of a piece of work, the first time left out; `None` where it cannot be done.
fn least(mut work: impl FnMut() -> bool) -> Option<f64> {
    let (mut least, mut total) = (f64::INFINITY, 0.0);
    if !work() {
        return None;
    }
    while total < PATIENCE {
        let (_, spent) = spent(&mut work);
        least = least.min(spent.seconds);
        total += spent.seconds;
    }
    Some(least)
}

/// Seconds of log ρ at the start.
fn right_hand_side(built: &BuiltTorus, numerics: &Numerics) -> Option<f64> {
    let context = Context {
        built,
        numerics,
        progress: &Silent,
    };
    let mut operator = context.operator(&built.torus);
    let start = built.start.on(&built.torus);
    let mut log_rho = vec![0.0; built.torus.len()];
    least(|| operator.log_marginal(&start, &mut log_rho).is_ok())
}

fn dense(matrix: &Mat<f64>) -> Option<f64> {
    least(|| eigen(&congruence(matrix.as_ref(), matrix.as_ref())).is_ok())
}
