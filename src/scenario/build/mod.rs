//! From the words of a scenario to the objects of the numerics.

pub mod euclidean;
pub mod gaussian;
pub mod torus;

pub use euclidean::BuiltEuclidean;
pub use gaussian::BuiltGaussian;
pub use torus::BuiltTorus;

/// The objects of a scenario's problem.
#[derive(Debug, Clone)]
pub enum Built {
    Torus(BuiltTorus),
    Gaussian(BuiltGaussian),
    Euclidean(BuiltEuclidean),
}

impl Built {
    /// The objects, if the problem lives on the torus.
    pub fn on_torus(&self) -> Option<&BuiltTorus> {
        match self {
            Self::Torus(built) => Some(built),
            _ => None,
        }
    }
}
