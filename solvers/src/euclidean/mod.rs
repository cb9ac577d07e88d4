//! Mirror flows of functions on R and R², `d/dt ∇U(x_t) = −∇F(x_t)` (THEORY §10): the model of everything else here, with closed forms.
//!
//! `mirror` holds U, `problem` F and U with a start, `systems` the flow in the mirror coordinate θ = ∇U(x) and in the primal one x, `flow` its path,
//! `line` what quadrature alone says in one dimension (time to a point, where and how the flow ends), `bregman` divergences and the
//! minimiser, `descent` the flow in steps.

mod bregman;
mod descent;
mod flow;
mod line;
mod mirror;
mod newton;
mod plane;
mod problem;
mod systems;

#[cfg(test)]
mod tests;

pub use bregman::{divergence, least_curvature, minimiser, modes};
pub use descent::{Rule, descend};
pub use flow::{Coordinate, Path, STOP, flow};
pub use line::{Ending, Line};
pub use mirror::Mirror;
pub use plane::{Local, Point, distance, dot, least_eigenvalue};
pub use problem::{Euclidean, Part};
pub use systems::{MirrorFlow, PrimalFlow};
