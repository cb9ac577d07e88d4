//! Distances between densities on the torus: KL, W₂, LOT and the Bregman divergence of ½W₂² with respect to a reference.

mod bregman;
mod characteristic;
mod circle;
mod entropy;
mod fenchel_gap;
mod linearised_transport;
mod wasserstein;

pub use bregman::bregman_divergence;
pub use characteristic::characteristic;
pub use circle::circle_map;
pub(crate) use entropy::entropy_density;
pub use entropy::relative_entropy;
pub use fenchel_gap::{FenchelGap, fenchel_gap};
pub use linearised_transport::linearised_transport;
pub use wasserstein::{Transport, wasserstein};
