//! First-order correction of Sinkhorn in ε: `P^ε_{t/ε} = P_t + ε R_t + O(ε²)`.

use super::matrix::product;
use super::parabolic::ParabolicFlow;
use crate::error::Result;
use faer::{Mat, Scale};

/// Where Sinkhorn starts (THEORY §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// `P₀^ε = P₀`.
    Plain,
    /// `P₀^ε = P₀ + ε(½Σ^{-1} − P₀Θ^{-1}P₀)`.
    Prepared,
}

impl ParabolicFlow<'_> {
    /// R_t, the Hessian of r_t (d × d).
    ///
    /// Prepared: `R_t = ½Σ^{-1} − PΘ^{-1}P`. Plain: `R_t + E_t`, `Ė = −(PΘ^{-1}E + EΘ^{-1}P)`, `E₀ = −R₀`: the flow
    /// linearised at P_t, in closed form. Both tend to `−½Σ^{-1}`. Deb (2024), re-derived.
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn correction(&self, t: f64, start: Start) -> Result<Mat<f64>> {
        let mut r = self.at(t)?.prepared_correction_coordinates();
        if start == Start::Plain {
            r -= self.linearised(t, &self.start.prepared_correction_coordinates())?;
        }
        Ok(self.problem().potential_matrix(&r))
    }

    /// S_t, the first-order term of the marginal's precision, `Cov(ρ^ε)^{-1} = Cov(ρ_t)^{-1} − ε S_t + O(ε²)` (d × d).
    ///
    /// From `Cov(ρ_k)^{-1} = Σ^{-1} − (P_k − P_{k−1})/ε`: `S_t = Ṙ_t − ½P̈_t`, which is the linearised flow applied to `½Ṗ_t + E_t`
    /// (E = 0 for the prepared start).
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn marginal_correction(&self, t: f64, start: Start) -> Result<Mat<f64>> {
        let at = self.at(t)?;
        let mut argument = Scale(0.5) * at.rate_coordinates();
        if start == Start::Plain {
            argument -= self.linearised(t, &self.start.prepared_correction_coordinates())?;
        }
        let half = product(at.z.as_ref(), argument.as_ref());
        Ok(self
            .problem()
            .potential_matrix(&-(&half + half.transpose())))
    }

    /// The matrix from which Sinkhorn starts at this ε.
    pub fn start_matrix(&self, epsilon: f64, start: Start) -> Mat<f64> {
        match start {
            Start::Plain => self.start.matrix(),
            Start::Prepared => {
                self.start.matrix() + Scale(epsilon) * self.start.prepared_correction()
            }
        }
    }
}
