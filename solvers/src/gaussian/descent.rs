//! Mirror descent on Brenier potentials (THEORY §7) in the Gaussian sector.

use super::iterate::Iterate;
use super::matrix::{
    add_diagonal, cholesky, factor_if_positive, gram, inverse_of_factor, product, scale,
    solve_lower, square_root_difference, symmetric_part,
};
use super::potential::Potential;
use super::problem::Gaussian;
use crate::error::{Error, Result};
use crate::spectrum::dense::symmetric_eigen;
use faer::{Mat, Scale};

/// `ψ_{k+1} = ψ_k − η_k h_k∘∇ψ_k` with `ψ = ½yᵀQy`, `ρ_k = N(0, Q_kΘQ_k)`: `Q_{k+1} = Q_k − η_k (Q_kΣ^{-1}Q_k − Θ^{-1})`.
///
/// In the coordinates of [`Gaussian`], `V = W − m^{-1}` obeys `V ← V − η(mV + Vm + Vm²V)`, which keeps the relative accuracy of
/// the distance to the end. Near the end the iteration contracts iff `η < 1/m_d` ([`Self::stable_step`]); convexity survives
/// one step iff `η < ` [`Self::largest_step`]. The implicit step `Q_{k+1} + η_k (Q_{k+1}Σ^{-1}Q_{k+1} − Θ^{-1}) = Q_k` has no limit.
#[derive(Debug, Clone)]
pub struct MirrorDescent<'a> {
    pub(super) problem: &'a Gaussian,
    /// `W = GᵀQG`.
    pub(super) w: Mat<f64>,
    /// `W − m^{-1}`.
    pub(super) deviation: Mat<f64>,
    iterations: usize,
}

impl<'a> MirrorDescent<'a> {
    /// From the dual of `start`: `Q₀ = P₀^{-1}`.
    pub fn new(start: &Potential<'a>) -> Self {
        let w = inverse_of_factor(start.lower.as_ref());
        let slowness: Vec<f64> = start.problem.rates.iter().map(|m| 1.0 / m).collect();
        let ones = vec![1.0; slowness.len()];
        // W − m^{-1} = −W (Z − m) m^{-1}
        let deviation = product(
            w.as_ref(),
            scale(&ones, start.deviation.as_ref(), &slowness).as_ref(),
        );
        Self {
            problem: start.problem,
            w,
            deviation: symmetric_part(-deviation),
            iterations: 0,
        }
    }

    /// k.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Q_k.
    pub fn dual(&self) -> Mat<f64> {
        self.problem.covariance_matrix(&self.w)
    }

    /// `Q_k − Q_∞`, accurate relative to itself.
    pub fn deviation(&self) -> Mat<f64> {
        self.problem.covariance_matrix(&self.deviation)
    }

    /// `u_k = ψ_k^*`, with ρ_k and all that is known of it.
    ///
    /// # Errors
    /// [`Error::Gaussian`] at the limit of floating point.
    pub fn potential(&self) -> Result<Potential<'a>> {
        let lower = cholesky("the dual potential", self.w.as_ref())?;
        let z = inverse_of_factor(lower.as_ref());
        let ones = vec![1.0; self.problem.dimension()];
        let right = scale(&ones, self.deviation.as_ref(), &self.problem.rates);
        let deviation = product(z.as_ref(), right.as_ref());
        Potential::new(self.problem, z, symmetric_part(-deviation))
    }

    /// `∇²(h_k∘∇ψ_k) = Q_kΣ^{-1}Q_k − Θ^{-1}`, so that `ξ_k(y)` is this times y.
    pub fn gradient(&self) -> Mat<f64> {
        self.problem.covariance_matrix(&self.gradient_coordinates())
    }

    /// `Wm²W − 1 = mV + Vm + Vm²V`.
    pub(super) fn gradient_coordinates(&self) -> Mat<f64> {
        let ones = vec![1.0; self.problem.dimension()];
        let v = &self.deviation;
        let square = gram(scale(&ones, v.as_ref(), &self.problem.rates).as_ref());
        self.problem.anticommutator(v) + square
    }

    /// The step at which convexity is lost: `Q_{k+1} ≻ 0` iff `η < 1/λ_max(W^{-1/2}(Wm²W − 1)W^{-1/2})`; ∞ where no step is too long.
    ///
    /// # Errors
    /// [`Error::Gaussian`] at the limit of floating point.
    pub fn largest_step(&self) -> Result<f64> {
        let lower = cholesky("the dual potential", self.w.as_ref())?;
        let half = solve_lower(lower.as_ref(), self.gradient_coordinates().as_ref());
        let relative = solve_lower(lower.as_ref(), half.transpose());
        let (values, _) = symmetric_eigen(symmetric_part(relative).as_ref())?;
        let largest = values[values.len() - 1];
        Ok(if largest > 0.0 {
            1.0 / largest
        } else {
            f64::INFINITY
        })
    }

    /// `1/m_d`: a constant step beyond it is repelled by the minimiser (explicit Euler).
    pub fn stable_step(&self) -> f64 {
        1.0 / self.problem.rates[self.problem.dimension() - 1]
    }

    /// The smaller of the two: the limit that a schedule may ask for a fraction of.
    ///
    /// # Errors
    /// As [`Self::largest_step`].
    pub fn limit(&self) -> Result<f64> {
        Ok(self.largest_step()?.min(self.stable_step()))
    }

    /// Everything that the inequality needs of ψ_k.
    ///
    /// # Errors
    /// [`Error::Gaussian`] at the limit of floating point.
    pub fn iterate(&self) -> Result<Iterate<'a>> {
        Iterate::new(self)
    }

    /// One explicit step of size `eta > 0`. On an error the state is unchanged.
    ///
    /// # Errors
    /// [`Error::Gaussian`] where Q_{k+1} would not be positive definite, with the limit, or eta is not positive.
    pub fn step(&mut self, eta: f64) -> Result<()> {
        refuse_unless_positive(eta)?;
        let change = Scale(eta) * self.gradient_coordinates();
        let w = &self.w - &change;
        if factor_if_positive(w.as_ref()).is_none() {
            return Err(self.lost_convexity(eta)?);
        }
        self.w = w;
        self.deviation -= change;
        self.iterations += 1;
        self.agree();
        Ok(())
    }

    /// One implicit step of size `eta > 0`, solved exactly: `X = mW'm` obeys `ηX² + X = m(W + η)m`.
    ///
    /// Hence `(½ + ηX)² = ¼ + η(m + ηm² + mVm)`, whose root at the end is `½ + ηm`: `ηmV'm` is a difference of two roots, found from the
    /// difference `ηmVm` of what they are roots of, so nothing cancels for small η or near the end.
    ///
    /// # Errors
    /// [`Error::Gaussian`] where eta is not positive, or at the limit of floating point.
    pub fn implicit_step(&mut self, eta: f64) -> Result<()> {
        refuse_unless_positive(eta)?;
        let m = &self.problem.rates;
        let difference = Scale(eta) * scale(m, self.deviation.as_ref(), m);
        let square = |i: usize| (0.5 + eta * m[i]).powi(2);
        let end = Mat::from_fn(
            m.len(),
            m.len(),
            |i, j| if i == j { square(i) } else { 0.0 },
        );
        let now = add_diagonal(difference.clone(), square);
        let roots = square_root_difference(now.as_ref(), end.as_ref(), difference.as_ref())?;
        let slowness: Vec<f64> = m.iter().map(|m| 1.0 / m).collect();
        let weights: Vec<f64> = slowness.iter().map(|s| s / eta).collect();
        self.deviation = symmetric_part(scale(&weights, roots.as_ref(), &slowness));
        self.iterations += 1;
        self.agree();
        Ok(())
    }

    /// W again from `m^{-1} + V`, so that the two never drift apart.
    fn agree(&mut self) {
        let m = &self.problem.rates;
        self.w = add_diagonal(self.deviation.clone(), |i| 1.0 / m[i]);
    }

    fn lost_convexity(&self, eta: f64) -> Result<Error> {
        let next = self.dual() - Scale(eta) * self.gradient();
        let (values, _) = symmetric_eigen(next.as_ref())?;
        Ok(Error::Gaussian {
            reason: format!(
                "mirror descent loses convexity at iteration {} with η = {eta:.6e}: the smallest eigenvalue of ∇²ψ would be {:.3e}",
                self.iterations + 1,
                values[0]
            ),
            remedy: format!(
                "use η < {:.6e} in this step, and η < {:.6e} for a constant step that converges",
                self.largest_step()?,
                self.stable_step()
            ),
        })
    }
}

fn refuse_unless_positive(eta: f64) -> Result<()> {
    if eta > 0.0 && eta.is_finite() {
        return Ok(());
    }
    Err(Error::Gaussian {
        reason: format!("mirror descent was given the step η = {eta}"),
        remedy: "give a finite η > 0".into(),
    })
}
