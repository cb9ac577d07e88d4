//! What a scenario says of each study: one struct per study, named as in the file.

use serde::{Deserialize, Serialize};

/// One study of a scenario, with its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Study {
    Flow(Flow),
    Sinkhorn(Sinkhorn),
    ScalingLimit(ScalingLimit),
}

/// The parabolic Monge–Ampère flow, recorded at `times` (THEORY §2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Instants t > 0 at which p_t and ρ_t are recorded, increasing.
    pub times: Vec<f64>,
}

/// Sinkhorn's iteration at one ε (THEORY §3), from `p_0` of the scenario's start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sinkhorn {
    /// Regularisation ε > 0, in squared lengths of the unit torus.
    pub epsilon: f64,
    /// Number of iterations, each two half-steps.
    pub iterations: usize,
    #[serde(default)]
    pub kernel: Kernel,
    #[serde(default)]
    pub start: IterationStart,
}

/// Sinkhorn after `time/ε` iterations against the flow at `time`, as ε → 0 (THEORY §4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingLimit {
    /// Horizon t > 0, a whole number of iterations at every ε.
    pub time: f64,
    /// Regularisations, three or more; descending once loaded.
    pub epsilons: Vec<f64>,
    #[serde(default)]
    pub kernel: Kernel,
    #[serde(default)]
    pub start: IterationStart,
}

/// The Gibbs kernel `K_ε` on the torus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kernel {
    /// `(2πε)^{-d/2} Σ_m exp(−|x−y+m|²/2ε)`, the heat kernel at time ε/2.
    #[default]
    Heat,
    /// `(2πε)^{-d/2} exp(−d_T(x,y)²/2ε)`, the geodesic distance alone.
    Geodesic,
}

/// How the iteration starts from the scenario's `p_0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum IterationStart {
    /// `p_0^ε = p_0`.
    #[default]
    Plain,
    /// `p_0^ε = p_0 + ε(½f + log ρ_0)`, which removes the initial layer of the first-order profile.
    Prepared,
}

impl Study {
    /// Name in the scenario file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Flow(_) => "Flow",
            Self::Sinkhorn(_) => "Sinkhorn",
            Self::ScalingLimit(_) => "ScalingLimit",
        }
    }
}
