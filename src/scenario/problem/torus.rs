//! Two densities on the torus and a start.

use serde::{Deserialize, Serialize};

/// From e^{-f} to e^{-g} on `(R/Z)^d`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TorusProblem {
    /// Nodes along each axis; the length is the dimension, 1 to 3. `Auto(dimension: d)` in the file finds them.
    #[serde(deserialize_with = "crate::scenario::auto::points")]
    pub points: Vec<usize>,
    /// The density e^{-f}.
    pub source: DensityChoice,
    /// The density e^{-g}.
    pub target: DensityChoice,
    /// The potential at t = 0.
    #[serde(default)]
    pub start: StartPotential,
}

/// A density, each kind up to the constant that gives it unit mass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum DensityChoice {
    /// Minus the logarithm of the density, a smooth 1-periodic formula in x, y, z.
    Formula(String),
    Uniform,
    WrappedGaussians(Vec<WrappedGaussian>),
    VonMises(Vec<VonMises>),
}

/// One component of a mixture of wrapped Gaussians.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedGaussian {
    pub weight: f64,
    /// One coordinate per axis.
    pub mean: Vec<f64>,
    /// One standard deviation per axis, before wrapping.
    pub deviation: Vec<f64>,
}

/// One component of a mixture of products `Π_i exp(κ_i cos 2π(x_i − m_i))`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VonMises {
    pub weight: f64,
    /// One coordinate per axis.
    pub mean: Vec<f64>,
    /// One κ_i ≥ 0 per axis.
    pub concentration: Vec<f64>,
}

/// The potential `u_0 = |x|²/2 + p_0`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum StartPotential {
    /// p_0 = 0, so ρ_0 = e^{-g}.
    #[default]
    Identity,
    /// The periodic part p_0; `I + ∇²p_0` must be positive definite.
    Formula(String),
}
