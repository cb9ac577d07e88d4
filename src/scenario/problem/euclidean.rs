//! Mirror flows of functions on R or R².

use serde::{Deserialize, Serialize};

/// `d/dt ∇U(x) = −∇F(x)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EuclideanProblem {
    /// F, a formula in x or in x, y.
    pub objective: String,
    /// U.
    pub mirror: MirrorChoice,
    /// Further mirrors for the same F, drawn beside it.
    #[serde(default)]
    pub others: Vec<MirrorChoice>,
    /// x(0); the length is the dimension, 1 or 2.
    pub start: Vec<f64>,
}

/// A strictly convex mirror U.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum MirrorChoice {
    /// `|x|²/2`: gradient flow.
    Quadratic,
    /// `x⁴`: flat at zero, which is reached in finite time.
    Quartic,
    /// `1/x` on x > 0: steep at zero, which is approached algebraically.
    Reciprocal,
    /// Any other, a formula in x or in x, y.
    Formula(String),
}
