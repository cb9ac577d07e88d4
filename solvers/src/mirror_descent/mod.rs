//! Mirror descent on Brenier potentials (THEORY §7): parabolic Monge–Ampère in its conjugate form, one step of size η at a time.
//!
//! ```text
//! explicit:  ψ_{k+1} = ψ_k − η_k P_K[h_k∘∇ψ_k],          h_k = log(ρ_k/e^{-f}),  ρ_k = (∇ψ_k)#e^{-g}
//! implicit:  ψ_{k+1} = ψ_k − η_k P_K[h_{k+1}∘∇ψ_{k+1}]
//! ```
//!
//! `ψ = |y|²/2 + q` with q in the modes `|k_i| ≤ K`, P_K the projection on them. The explicit step is explicit Euler for a second-order
//! equation and has a stability limit; the implicit one is the proximal step in the same geometry and has none. [`Evi`] writes
//! out the evolution variational inequality that each step satisfies against any density.

mod comparator;
mod descent;
mod evi;
mod implicit;
mod schedule;

pub use comparator::{Comparator, random_log_density};
pub use descent::{Descent, Iterate, Observe, Rule, Taken, stability_limit};
pub use evi::{Evi, Terms, relative_entropies};
pub use schedule::Schedule;

#[cfg(test)]
mod tests;
