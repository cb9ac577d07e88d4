//! The problem of a scenario as written in the file: where the equations live, what they transport, from where they start.

mod euclidean;
mod gaussian;
mod torus;

pub use euclidean::{EuclideanProblem, MirrorChoice};
pub use gaussian::{Covariance, GaussianProblem, GaussianStart};
pub use torus::{DensityChoice, StartPotential, TorusProblem, VonMises, WrappedGaussian};

use serde::{Deserialize, Serialize};

/// Where the equations live and what they transport.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Problem {
    Torus(TorusProblem),
    Gaussian(GaussianProblem),
    Euclidean(EuclideanProblem),
}

impl Problem {
    /// Name in the scenario file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Torus(_) => "Torus",
            Self::Gaussian(_) => "Gaussian",
            Self::Euclidean(_) => "Euclidean",
        }
    }

    /// The studies that are defined on it, in words.
    pub fn studies(&self) -> &'static str {
        match self {
            Self::Torus(_) => "any study",
            Self::Gaussian(_) => {
                "ScalingLimit, MirrorFlow, ExponentialConvergence or MirrorDescent"
            }
            Self::Euclidean(_) => "MirrorFlow or MirrorDescent",
        }
    }
}
