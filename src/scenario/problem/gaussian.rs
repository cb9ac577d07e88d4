//! Centred Gaussians on R^d.

use serde::{Deserialize, Serialize};

/// From `e^{-f} = N(0, Σ)` to `e^{-g} = N(0, Θ)` on R^d, d up to 200.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaussianProblem {
    /// Σ.
    pub source: Covariance,
    /// Θ.
    pub target: Covariance,
    #[serde(default)]
    pub start: GaussianStart,
}

/// A covariance matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Covariance {
    /// Diagonal: one variance per axis.
    Variances(Vec<f64>),
    /// By rows, symmetric positive definite.
    Matrix(Vec<Vec<f64>>),
    /// Eigenvalues spread geometrically from `least` to `greatest`, eigenvectors random by `seed`.
    Random {
        dimension: usize,
        least: f64,
        greatest: f64,
        seed: u64,
    },
}

/// The potential `u_0 = ½xᵀP_0x`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum GaussianStart {
    /// P_0 = 1, so ρ_0 = e^{-g}.
    #[default]
    Identity,
    /// The P_0 that makes ρ_0 = N(0, C).
    Marginal(Covariance),
}
