//! The same problem in other coordinates of R^d: what changes is rounding.
//!
//! With `x' = cRx`, R orthogonal, `y' = Ry/c`, the pairing x·y, the potentials, ε, t and KL stay, covariances of x become `c²RCRᵀ` and
//! lengths of x become c times as long. Fokker–Planck, whose diffusion is one in the units of x, needs c² times as long. c is no power of two, so that the entries are rounded anew also for d = 1.

use crate::scenario::BuiltGaussian;
use crate::scenario::build::gaussian::random;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{Gaussian, Mat, congruence, eigen};

/// c.
const STRETCH: f64 = 1.1;
/// Of the rotation.
const SEED: u64 = 20;

/// A problem in turned coordinates, and the way back.
pub struct Turned {
    pub built: BuiltGaussian,
    /// R.
    rotation: Mat<f64>,
}

impl Turned {
    /// The turned problem.
    ///
    /// # Errors
    /// Those of the numerics, at the limit of floating point.
    pub fn new(built: &BuiltGaussian) -> Result<Self> {
        let d = built.dimension();
        let (_, vectors) = eigen(&random(d, (1.0, 2.0), SEED))?;
        let rotation = vectors;
        let turn =
            |x: &Mat<f64>, factor: f64| times(factor, &congruence(rotation.as_ref(), x.as_ref()));
        let square = STRETCH * STRETCH;
        let sigma = turn(built.problem.sigma(), square);
        let theta = turn(built.problem.theta(), 1.0 / square);
        let start = turn(&built.start, 1.0 / square);
        Ok(Self {
            built: BuiltGaussian {
                problem: Gaussian::new(&sigma, &theta)?,
                start,
            },
            rotation,
        })
    }

    /// Times of Fokker–Planck, whose diffusion is measured in x² while that of the mirror flow is not.
    pub fn diffusion_times(times: &[f64]) -> Vec<f64> {
        times.iter().map(|t| STRETCH * STRETCH * t).collect()
    }

    /// A speed or a length of x in the original coordinates.
    pub fn length(length: f64) -> f64 {
        length / STRETCH
    }

    /// A covariance on the X side, or a dual potential, in the original coordinates.
    pub fn covariance(&self, x: &Mat<f64>) -> Mat<f64> {
        let back = congruence(self.rotation.transpose(), x.as_ref());
        times(1.0 / (STRETCH * STRETCH), &back)
    }

    /// A potential in the original coordinates.
    pub fn potential(&self, p: &Mat<f64>) -> Mat<f64> {
        let back = congruence(self.rotation.transpose(), p.as_ref());
        times(STRETCH * STRETCH, &back)
    }
}

/// `factor · x`.
fn times(factor: f64, x: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(x.nrows(), x.ncols(), |i, j| factor * x[(i, j)])
}

/// Relative change of a curve between two computations that differ by rounding alone: the largest at any instant, but four units of
/// rounding at least.
pub fn relative_change(values: &[f64], turned: &[f64]) -> f64 {
    let seen = |v: &f64| *v > f64::MIN_POSITIVE;
    let pairs = values
        .iter()
        .zip(turned)
        .filter(|(a, b)| seen(a) && seen(b));
    let changes = pairs.map(|(a, b)| (a - b).abs() / a);
    changes.fold(4.0 * f64::EPSILON, f64::max)
}
