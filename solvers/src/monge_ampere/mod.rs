//! The Monge–Ampère operator, its parabolic flow and its elliptic equation.
//!
//! Convex potentials are `u = |x|²/2 + p` with p periodic; p is what is computed with, constant included.

mod composed;
mod elliptic;
mod flow;
mod linearised;
mod operator;
mod parabolic;
mod preconditioner;
pub mod reference;

pub use elliptic::{Brenier, Elliptic, solve_elliptic};
pub use flow::{Flow, FlowStep, Snapshot};
pub use linearised::Linearised;
pub use operator::{Diagnosis, MongeAmpere};
pub use parabolic::Parabolic;
pub use preconditioner::Preconditioner;
