//! The Monge–Ampère operator, its parabolic flow and its elliptic equation.
//!
//! Convex potentials are `u = |x|²/2 + p` with p periodic; p is what is computed with, constant included.

mod composed;
mod differences;
mod elliptic;
mod extrapolated;
mod flow;
mod following;
mod linearised;
mod operator;
mod parabolic;
mod preconditioner;
pub mod reference;
pub mod resolution;

pub use differences::Differences;
pub use elliptic::{Brenier, Elliptic, solve_elliptic};
pub use extrapolated::ExtrapolatedFlow;
pub use flow::{Flow, FlowStep, Snapshot};
pub use following::{Accuracy, Resolved, what_resolves};
pub use linearised::{Linearised, Preconditioning};
pub use operator::{Diagnosis, MongeAmpere};
pub use parabolic::Parabolic;
pub use preconditioner::Preconditioner;
