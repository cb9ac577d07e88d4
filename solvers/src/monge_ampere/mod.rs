//! The Monge–Ampère operator, its parabolic flow and its elliptic equation.
//!
//! Convex potentials are `u = |x|²/2 + p` with p periodic; p is what is computed with, constant included.

mod elliptic;
mod flow;
mod linearised;
mod operator;
mod parabolic;
pub mod reference;

pub use elliptic::{Brenier, solve_elliptic};
pub use flow::{Flow, FlowStep, Snapshot, Stepper};
pub use linearised::Linearised;
pub use operator::{Diagnosis, MongeAmpere};
pub use parabolic::Parabolic;
