//! The numerics of mirrorflow, one concept per file, each named as in the field.
//!
//! No files, no clock, no printing and no scenario format in here.

#![forbid(unsafe_code)]

pub mod calculus;
pub mod density;
pub mod distance;
pub mod elementary;
pub mod error;
pub mod euclidean;
pub mod flows;
pub mod fourier;
pub mod gaussian;
pub mod interpolation;
pub mod krylov;
pub mod legendre;
pub mod log_sobolev;
pub mod mirror_descent;
pub mod monge_ampere;
pub mod multigrid;
pub mod multivector;
pub mod objective;
pub mod parallel;
pub mod quadrature;
pub mod random;
pub mod resample;
pub mod resolution;
pub mod sampling;
pub mod sinkhorn;
pub mod spectrum;
pub mod supremum;
pub mod symmetric;
pub mod time;
pub mod torus;
pub mod watch;

pub use density::{Jet, LogDensity, Order};
pub use error::{Error, Result, Unresolved};
pub use torus::Torus;
