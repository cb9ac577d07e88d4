//! Distances between densities on the torus: KL, W₂, and LOT with respect to a reference.

mod circle;
mod entropy;
mod linearised_transport;
mod wasserstein;

pub use circle::circle_map;
pub use entropy::relative_entropy;
pub use linearised_transport::linearised_transport;
pub use wasserstein::{Transport, wasserstein};
