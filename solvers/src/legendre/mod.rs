//! The Legendre transform on the torus.
//!
//! For `u = |x|²/2 + p`, p periodic, `u^*(y) = sup_x [x·y − u(x)] = |y|²/2 + q(y)` with the periodic
//! `q(y) = sup_x [−|x−y|²/2 − p(x)]`, the supremum over all of R^d. It exchanges the Brenier potentials of
//! (f → g) and (g → f), and the two forms of PMA (THEORY §2).

mod conjugate;
mod discrete;
mod envelope;

pub use conjugate::{Conjugate, conjugate};
pub use discrete::{Discrete, discrete};

#[cfg(test)]
mod tests;
