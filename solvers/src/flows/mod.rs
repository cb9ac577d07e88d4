//! The Wasserstein mirror flow of an objective F in its coordinates, and the Wasserstein gradient flow beside it (THEORY §5).
//!
//! The mirror is `U(ρ) = ½W₂²(ρ, e^{-g})`, u the Brenier potential from ρ to e^{-g}, `A = (∇²u)^{-1}` and `φ = δF/δρ`:
//!
//! | coordinate | equation | state |
//! |---|---|---|
//! | mirror | `∂_t u = φ` | p of `u = x²/2 + p` |
//! | dual | `∂_t ψ = −φ(∇ψ)`, `ψ = u*` | q of `ψ = y²/2 + q` |
//! | primal | `∂_t ρ + ∇·(ρv) = 0`, `v = −A∇φ` | ρ |
//!
//! For `F = KL(·|e^{-f})` the first is parabolic Monge–Ampère. The primal coordinate and the gradient flow are continuity equations in
//! flux form, so that mass is exact, and undefined where the density is not positive, so that an adaptive stepper shortens its
//! step there.

mod density;
mod directions;
mod fokker_planck;
mod gradient_flow;
mod linearised_primal;
mod mirror;
mod primal;
mod primal_preconditioner;
pub mod velocity;

pub use fokker_planck::FokkerPlanck;
pub use gradient_flow::GradientFlow;
pub use mirror::{Coordinate, Mirror};
pub use primal::Primal;
