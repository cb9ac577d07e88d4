//! The exact Gaussian sector on R^d (THEORY §9): matrices only, d up to a few hundred, no grid and no time step.
//!
//! Source `e^{-f} = N(0, Σ)`, target `e^{-g} = N(0, Θ)`, potential `u = ½xᵀPx`, marginal `ρ = N(0, P^{-1}ΘP^{-1})`.
//!
//! Everything is computed in the coordinates of [`Gaussian`], in which Θ is the identity and Σ is diagonal although Σ and Θ need
//! not commute: PMA, Sinkhorn, mirror descent, KL and the Bregman divergence are the same in them. Distances to the stationary state
//! are carried beside the state, so that rates can be read off where KL is 1e-100. All on one core: the same bits
//! for any number of threads.

mod comparator;
mod composition;
mod correction;
mod descent;
mod diffusion;
mod divergence;
mod evi;
mod iterate;
mod matrix;
mod mixture;
mod parabolic;
mod potential;
mod problem;
mod riccati;
mod sinkhorn;
mod transport;

#[cfg(test)]
mod descent_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use comparator::Comparator;
pub use composition::Composition;
pub use correction::Start;
pub use descent::MirrorDescent;
pub use diffusion::{FokkerPlanck, entropy_covariance, entropy_potential, heat_covariance};
pub use divergence::{Left, fisher_information, relative_entropy};
pub use evi::Evi;
/// Dense column-major matrix of faer.
pub use faer::Mat;
pub use iterate::Iterate;
pub use matrix::{
    congruence, eigen, frobenius, inverse, log_determinant, operator_norm, product, square_root,
};
pub use mixture::mixture_entropies;
pub use parabolic::ParabolicFlow;
pub use potential::Potential;
pub use problem::Gaussian;
pub use riccati::Riccati;
pub use sinkhorn::Sinkhorn;
pub use transport::{brenier, linearised_transport, wasserstein};
