//! What one iterate of mirror descent says to every comparator, computed once.

use super::descent::MirrorDescent;
use super::matrix::product;
use super::potential::Potential;
use crate::error::Result;
use crate::spectrum::dense::symmetric_eigen;
use faer::Mat;

/// ψ_k = ½yᵀQ_ky, `ρ_k = N(0, Q_kΘQ_k)` and `∇²(h_k∘∇ψ_k)`, in the coordinates of [`super::Gaussian`].
#[derive(Debug, Clone)]
pub struct Iterate<'a> {
    pub(super) potential: Potential<'a>,
    /// `W − m^{-1}`.
    pub(super) deviation: Mat<f64>,
    /// W.
    pub(super) w: Mat<f64>,
    /// `(Wm²W − 1) Z`, `Z = W^{-1}`: the coordinates of `y ↦ ξ_k(∇ψ_k^*)`.
    pub(super) pulled: Mat<f64>,
    /// `KL(ρ_k|e^{-f})`.
    pub relative_entropy: f64,
    /// `KL(e^{-f}|ρ_k)`.
    pub reverse_relative_entropy: f64,
    /// `λ_min(∇²ψ_k)`.
    pub least: f64,
    /// `λ_max(∇²ψ_k)`.
    pub greatest: f64,
}

impl<'a> Iterate<'a> {
    pub(super) fn new(descent: &MirrorDescent<'a>) -> Result<Self> {
        let potential = descent.potential()?;
        let gradient = descent.gradient_coordinates();
        let [relative_entropy, reverse_relative_entropy] = potential.relative_entropies()?;
        let (values, _) = symmetric_eigen(descent.dual().as_ref())?;
        Ok(Self {
            pulled: product(gradient.as_ref(), potential.z.as_ref()),
            deviation: descent.deviation.clone(),
            w: descent.w.clone(),
            relative_entropy,
            reverse_relative_entropy,
            least: values[0],
            greatest: values[values.len() - 1],
            potential,
        })
    }

    /// u_k = ψ_k^*.
    pub fn potential(&self) -> &Potential<'a> {
        &self.potential
    }

    /// Q_k.
    pub fn dual(&self) -> Mat<f64> {
        self.potential.problem.covariance_matrix(&self.w)
    }

    /// `log det Z`.
    pub(super) fn log_determinant(&self) -> f64 {
        let lower = &self.potential.lower;
        let logs = (0..lower.nrows()).map(|i| lower[(i, i)].ln());
        2.0 * logs.sum::<f64>()
    }
}

impl Potential<'_> {
    /// `KL(ρ|e^{-f})` and `KL(e^{-f}|ρ)` from one decomposition.
    ///
    /// # Errors
    /// As [`Potential::relative_entropy`].
    pub fn relative_entropies(&self) -> Result<[f64; 2]> {
        let ratio = self.precision_ratio()?;
        Ok([ratio.backward(), ratio.forward()])
    }
}
