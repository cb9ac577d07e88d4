//! Time steppers for `y' = F(y)`. Steppers only step; schedules, stopping and output belong to the driver.

mod explicit;
mod march;
mod rosenbrock;

pub use explicit::{Explicit, Method};
pub use march::{Observe, Reached, Step, Stepper, march};
pub(crate) use march::{Traveller, landed, travel};
pub use rosenbrock::{Rosenbrock, StepReport};

use crate::error::Result;

/// An autonomous stiff system `y' = F(y)` with matrix-free linear solves.
pub trait System: Send {
    /// Length of the state.
    fn len(&self) -> usize;

    /// Whether the state is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `out = F(y)`.
    ///
    /// # Errors
    /// Where F is not defined, for PMA where u is not convex.
    fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()>;

    /// Freezes the Jacobian J at y and writes `rate = F(y)`.
    ///
    /// # Errors
    /// As [`Self::rate`].
    fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()>;

    /// Solves `(1 − c J) k = r` to residual `tolerance` (root mean square); returns the Krylov iterations spent.
    ///
    /// # Errors
    /// [`crate::Error::NoConvergence`].
    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], tolerance: f64) -> Result<usize>;

    /// Bound on the spectral radius of the Jacobian last frozen.
    fn spectral_radius(&self) -> f64;

    /// Size of a difference of states, in the units of the tolerance.
    fn norm(&self, difference: &[f64]) -> f64 {
        crate::parallel::sup(difference)
    }

    /// The error e of a step over `tolerance`; `image` is `J e`, by which it moves the rate.
    fn error(&self, e: &[f64], image: &[f64], tolerance: f64) -> Size {
        let _ = image;
        Size {
            value: self.norm(e) / tolerance,
            of: "the state",
        }
    }
}

/// How large an error is in units of what is allowed, and the quantity in which it is largest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub value: f64,
    pub of: &'static str,
}

/// Scalar and small model problems with closed forms, for the orders of the steppers.
#[cfg(test)]
pub(crate) mod models {
    use super::*;

    /// `y' = −y²·s` component by component, `y(t) = y0/(1 + s y0 t)`; nonlinear with an exact Jacobian.
    pub struct Riccati(pub Vec<f64>, pub Vec<f64>);

    impl Riccati {
        pub fn new() -> Self {
            Self(vec![1.0, 2.0, 5.0], vec![0.0; 3])
        }

        pub fn exact(&self, t: f64) -> Vec<f64> {
            self.0.iter().map(|s| 1.0 / (1.0 + s * t)).collect()
        }
    }

    impl System for Riccati {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()> {
            for ((out, y), s) in out.iter_mut().zip(y).zip(&self.0) {
                *out = -s * y * y;
            }
            Ok(())
        }

        fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()> {
            for ((j, y), s) in self.1.iter_mut().zip(y).zip(&self.0) {
                *j = -2.0 * s * y;
            }
            self.rate(y, rate)
        }

        fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], _: f64) -> Result<usize> {
            for ((k, r), j) in k.iter_mut().zip(r).zip(&self.1) {
                *k = r / (1.0 - c * j);
            }
            Ok(0)
        }

        fn spectral_radius(&self) -> f64 {
            self.1.iter().fold(0.0, |m, j| j.abs().max(m))
        }
    }
}
