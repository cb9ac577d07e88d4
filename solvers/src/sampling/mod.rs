//! Samples of e^{-f} by transport: `∇ψ_k(Z)`, Z ~ e^{-g}, one map (THEORY §7), beside the composition of the one-step maps of
//! Fokker–Planck, and what is needed to judge either.
//!
//! | concept | item |
//! |---|---|
//! | independent points Z ~ e^{-g} | [`Sampler`] |
//! | `∇ψ(Z)` and its law `(∇ψ)#e^{-g}` | [`BrenierMap`], [`law`] |
//! | histogram and exact cell masses | [`Bins`] |
//! | goodness of fit with a known distribution | [`GoodnessOfFit`] |
//! | `T_{K−1}∘…∘T_0`, `T_k = id − τ∇log(ρ_k/e^{-f})`, and the flow map, its limit τ → 0 | [`Composition`] |
//! | why a map of the torus is not optimal | [`helmholtz`] |
//!
//! Points are one vector per coordinate, any reals; displacements are unwrapped, so that `|displacement|²` is a cost.

mod composition;
mod goodness_of_fit;
mod helmholtz;
mod histogram;
mod push_forward;
mod sampler;

pub use composition::{Carried, Composition, Instant, Observe, Scheme, transport_cost};
pub use goodness_of_fit::GoodnessOfFit;
pub use helmholtz::{Helmholtz, helmholtz};
pub use histogram::Bins;
pub use push_forward::{BrenierMap, law};
pub use sampler::Sampler;

/// `x + δ`, coordinate by coordinate.
fn displaced(x: &[Vec<f64>], delta: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let add =
        |(x, delta): (&Vec<f64>, &Vec<f64>)| x.iter().zip(delta).map(|(x, d)| x + d).collect();
    x.iter().zip(delta).map(add).collect()
}
