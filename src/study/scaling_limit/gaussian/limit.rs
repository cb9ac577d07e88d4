//! The limit object between Gaussians: P_t by the closed form of the Riccati flow, and its first-order profiles.

use crate::scenario::BuiltGaussian;
use crate::study::IterationStart;
use crate::study::gaussian::Turned;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{Mat, ParabolicFlow, frobenius, product, square_root};

/// The flow at the horizon.
#[derive(Debug, Clone)]
pub struct GaussianLimit {
    /// P_t.
    pub p: Mat<f64>,
    /// R_t, the Hessian of r_t.
    pub r: Mat<f64>,
    /// Cov ρ_t.
    pub covariance: Mat<f64>,
    /// `‖s_t‖` in L²(ρ_t) up to a constant and a factor √2: `‖C^{1/2}S_tC^{1/2}‖`, S_t the first-order term of the marginal's precision.
    pub marginal_profile: f64,
}

impl GaussianLimit {
    /// # Errors
    /// Those of the numerics, at the limit of floating point.
    pub fn compute(built: &BuiltGaussian, time: f64, start: IterationStart) -> Result<Self> {
        let flow = ParabolicFlow::new(built.start());
        let at = flow.at(time)?;
        let covariance = at.covariance();
        let s = flow.marginal_correction(time, start.into())?;
        let root = square_root(&covariance)?;
        let inside = product(product(root.as_ref(), s.as_ref()).as_ref(), root.as_ref());
        Ok(Self {
            p: at.matrix(),
            r: flow.correction(time, start.into())?,
            marginal_profile: frobenius(&inside),
            covariance,
        })
    }

    /// The limit of the turned problem, in the original coordinates.
    ///
    /// # Errors
    /// As [`Self::compute`].
    pub fn turned(turned: &Turned, time: f64, start: IterationStart) -> Result<Self> {
        let limit = Self::compute(&turned.built, time, start)?;
        Ok(Self {
            p: turned.potential(&limit.p),
            r: turned.potential(&limit.r),
            covariance: turned.covariance(&limit.covariance),
            ..limit
        })
    }
}
