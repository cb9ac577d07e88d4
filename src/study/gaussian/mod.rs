//! What the studies of Gaussian problems share: the closed forms of the talk's examples, and the problem in turned coordinates, which
//! shows how large rounding is.

mod closed_form;
mod turned;

pub use closed_form::Commuting;
pub use turned::{Turned, relative_change};

use crate::record::Record;
use crate::scenario::BuiltGaussian;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{Mat, eigen, frobenius};

/// Why a claim about single eigenvalues is not made.
pub const NOT_COMMUTING: &str =
    "source, target and start do not commute: there is no closed form eigenvalue by eigenvalue";

/// Axes along which deviations are recorded and drawn, at most.
const AXES: usize = 4;

/// Unit vectors along which deviations are seen: common eigenvectors, or those of Σ; a few of them, from the least variance of e^{-f}
/// to the greatest.
///
/// # Errors
/// Those of the eigensolver.
pub fn axes(built: &BuiltGaussian, commuting: Option<&Commuting>) -> Result<Vec<Vec<f64>>> {
    if let Some(form) = commuting {
        return Ok(form.drawn().iter().map(|&k| form.axis(k)).collect());
    }
    let d = built.dimension();
    let (_, vectors) = eigen(built.problem.sigma())?;
    let axis = |k: usize| (0..d).map(|i| vectors[(i, k)]).collect();
    Ok(spread(d).into_iter().map(axis).collect())
}

/// Up to [`AXES`] of d places, the first and the last among them.
fn spread(d: usize) -> Vec<usize> {
    let count = d.min(AXES);
    let gaps = count.max(2) - 1;
    (0..count).map(|k| k * (d - 1) / gaps).collect()
}

/// `√(aᵀCa)` along a unit vector.
pub fn deviation(covariance: &Mat<f64>, axis: &[f64]) -> f64 {
    let d = axis.len();
    let pairs = (0..d).flat_map(|i| (0..d).map(move |j| (i, j)));
    let square: f64 = pairs
        .map(|(i, j)| axis[i] * covariance[(i, j)] * axis[j])
        .sum();
    square.sqrt()
}

/// `‖a − b‖/‖b‖`, square norms of the entries.
pub fn apart(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    frobenius(&(a - b)) / frobenius(b)
}

/// The entries by rows.
pub fn by_rows(x: &Mat<f64>) -> Vec<f64> {
    (0..x.nrows())
        .flat_map(|i| (0..x.ncols()).map(move |j| x[(i, j)]))
        .collect()
}

/// Records one matrix per instant as an array `[T, d, d]`.
pub fn insert_matrices(record: &mut Record, name: &str, matrices: &[Mat<f64>]) {
    let d = matrices.first().map_or(0, Mat::nrows);
    let values = matrices.iter().flat_map(by_rows).collect();
    record.insert(name, &[matrices.len(), d, d], values);
}

/// Records rows of equal length as an array `[rows, length]`.
pub fn insert_rows(record: &mut Record, name: &str, rows: &[Vec<f64>]) {
    let length = rows.first().map_or(0, Vec::len);
    record.insert(name, &[rows.len(), length], rows.concat());
}
