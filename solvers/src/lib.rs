//! The numerics of mirrorflow, one concept per file, each named as in the field.
//!
//! No files, no clock, no printing and no scenario format in here.

pub mod density;
pub mod error;
pub mod torus;

pub use density::{Jet, LogDensity, Order};
pub use error::{Error, Result};
pub use torus::{Field, Torus};
