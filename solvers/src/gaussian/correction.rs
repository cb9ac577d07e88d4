//! First-order correction of Sinkhorn in ε: `P^ε_{t/ε} = P_t + ε R_t + O(ε²)`.

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
