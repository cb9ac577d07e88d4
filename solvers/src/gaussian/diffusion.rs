//! The Wasserstein gradient flows of KL and of the entropy, and the mirror flow of the entropy.

use super::divergence::{Left, Ratio};
use super::matrix::{
    add_diagonal, cholesky, congruence, gram, inverse_of_factor, scale, solve_lower,
};
use super::problem::{factored, same_size, validated};
use crate::error::Result;
use crate::spectrum::dense::symmetric_eigen;
use faer::{Mat, Scale};

/// Fokker–Planck `∂_t ν = ∇·(ν∇f) + Δν` to `e^{-f} = N(0, Σ)`: `Ċ = 2 − Σ^{-1}C − CΣ^{-1}`, exactly.
///
/// `C(t) = Σ(1 − e^{−2tΣ^{-1}}) + e^{−tΣ^{-1}} C₀ e^{−tΣ^{-1}}`, a sum of two positive matrices, in the eigenbasis of Σ.
#[derive(Debug, Clone)]
pub struct FokkerPlanck {
    /// Eigenvalues of Σ, increasing.
    variances: Vec<f64>,
    vectors: Mat<f64>,
    /// C₀ and C₀ − Σ in the eigenbasis.
    start: Mat<f64>,
    deviation: Mat<f64>,
}

impl FokkerPlanck {
    /// From `ν₀ = N(0, start)`; both matrices are d × d.
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] where a matrix is not a covariance or the sizes differ.
    pub fn new(sigma: &Mat<f64>, start: &Mat<f64>) -> Result<Self> {
        same_size("Σ", sigma, "C₀", start)?;
        let sigma = validated("the source covariance Σ", sigma)?;
        let start = validated("the starting covariance C₀", start)?;
        let (variances, vectors) = symmetric_eigen(sigma.as_ref())?;
        let inside = |x: Mat<f64>| congruence(vectors.transpose(), x.as_ref());
        Ok(Self {
            deviation: inside(&start - &sigma),
            start: inside(start),
            variances,
            vectors,
        })
    }

    /// `C(t)`, `t ≥ 0`.
    pub fn covariance(&self, t: f64) -> Mat<f64> {
        let decay = self.decay(t);
        let c = add_diagonal(scale(&decay, self.start.as_ref(), &decay), |i| {
            -self.variances[i] * (-2.0 * t / self.variances[i]).exp_m1()
        });
        congruence(self.vectors.as_ref(), c.as_ref())
    }

    /// `C(t) − Σ`, accurate relative to itself.
    pub fn deviation(&self, t: f64) -> Mat<f64> {
        let decay = self.decay(t);
        let d = scale(&decay, self.deviation.as_ref(), &decay);
        congruence(self.vectors.as_ref(), d.as_ref())
    }

    /// `KL(ν_t|e^{-f})`, accurate relative to itself.
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] at the limit of floating point.
    pub fn relative_entropy(&self, t: f64) -> Result<f64> {
        let weights: Vec<f64> = self
            .decay(t)
            .iter()
            .zip(&self.variances)
            .map(|(e, s)| e / s.sqrt())
            .collect();
        let less_one = scale(&weights, self.deviation.as_ref(), &weights);
        let whole = congruence(self.vectors.transpose(), self.covariance(t).as_ref());
        let lower = cholesky("the covariance", whole.as_ref())?;
        let (ones, slowness) = (
            vec![1.0; weights.len()],
            self.variances
                .iter()
                .map(|s| s.sqrt().recip())
                .collect::<Vec<_>>(),
        );
        let root = scale(&slowness, lower.as_ref(), &ones);
        Ok(Ratio::new(less_one.as_ref(), root.as_ref())?.forward())
    }

    /// The coefficient of mode (i, i) in C(t) − Σ, in the eigenbasis of Σ and in the order of its increasing eigenvalues: it decays
    /// like `e^{−2t/s_i}`, exactly.
    pub fn mode(&self, i: usize, t: f64) -> f64 {
        self.deviation[(i, i)] * (-2.0 * t / self.variances[i]).exp()
    }

    /// Eigenvalues s_i of Σ, increasing.
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// What is left at t, `log ν + f` up to a constant and to first order, by modes in L²(e^{-f}).
    pub fn left(&self, t: f64) -> Left {
        let s = &self.variances;
        let weights: Vec<f64> = self
            .decay(t)
            .iter()
            .zip(s)
            .map(|(e, s)| e / s.sqrt())
            .collect();
        let slowest = 2.0 / s[s.len() - 1];
        Left::new(
            &scale(&weights, self.deviation.as_ref(), &weights),
            |i, j| (1.0 / s[i] + 1.0 / s[j]) / slowest,
        )
    }

    /// Rate at which C approaches Σ: `2/s_max`; KL at twice that.
    pub fn rate(&self) -> f64 {
        2.0 / self.variances[self.variances.len() - 1]
    }

    fn decay(&self, t: f64) -> Vec<f64> {
        self.variances.iter().map(|s| (-t / s).exp()).collect()
    }
}

/// Heat flow `∂_t ρ = Δρ`, the Wasserstein gradient flow of the entropy: `C₀ + 2t`.
pub fn heat_covariance(start: &Mat<f64>, t: f64) -> Mat<f64> {
    add_diagonal(start.clone(), |_| 2.0 * t)
}

/// Mirror flow of the entropy `∫ρ log ρ` with target N(0, Θ): `Ṗ = −PΘ^{-1}P`, `P = (P₀^{-1} + tΘ^{-1})^{-1}`.
///
/// # Errors
/// [`crate::Error::Gaussian`] where a matrix is not positive definite or the sizes differ.
pub fn entropy_potential(theta: &Mat<f64>, p0: &Mat<f64>, t: f64) -> Result<Mat<f64>> {
    same_size("Θ", theta, "P₀", p0)?;
    let (_, b) = factored("the target covariance Θ", theta)?;
    let (_, f) = factored("the starting potential P₀", p0)?;
    let x = solve_lower(b.as_ref(), f.as_ref());
    let sum = add_diagonal(Scale(t) * gram(x.transpose()), |_| 1.0);
    let factor = cholesky("1 + tFᵀΘ^{-1}F", sum.as_ref())?;
    Ok(gram(
        solve_lower(factor.as_ref(), f.transpose()).transpose(),
    ))
}

/// The covariance along [`entropy_potential`]: `P₀^{-1}ΘP₀^{-1} + 2tP₀^{-1} + t²Θ^{-1}`.
///
/// # Errors
/// As [`entropy_potential`].
pub fn entropy_covariance(theta: &Mat<f64>, p0: &Mat<f64>, t: f64) -> Result<Mat<f64>> {
    same_size("Θ", theta, "P₀", p0)?;
    let (theta, b) = factored("the target covariance Θ", theta)?;
    let (_, f) = factored("the starting potential P₀", p0)?;
    let q = inverse_of_factor(f.as_ref());
    let constant = congruence(q.as_ref(), theta.as_ref());
    Ok(constant + Scale(2.0 * t) * &q + Scale(t * t) * inverse_of_factor(b.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::super::matrix::{inverse, product};
    use super::super::relative_entropy;
    use super::super::samples::{distance, scalar, spd};
    use super::*;

    #[test]
    fn fokker_planck_solves_its_equation() {
        let (sigma, start) = (spd(4, 1, 9.0), spd(4, 2, 6.0));
        let flow = FokkerPlanck::new(&sigma, &start).unwrap();
        assert!(distance(&flow.covariance(0.0), &start) < 1e-14);
        let (t, h) = (0.4, 1e-3);
        let c = |s: f64| flow.covariance(t + s);
        let slope =
            Scale(1.0 / (12.0 * h)) * (Scale(8.0) * (c(h) - c(-h)) - (c(2.0 * h) - c(-2.0 * h)));
        let back = product(inverse(&sigma).unwrap().as_ref(), c(0.0).as_ref());
        let rate = add_diagonal(-(&back + back.transpose()), |_| 2.0);
        assert!(distance(&slope, &rate) < 1e-9);
        assert!(distance(&(flow.covariance(t) - &sigma), &flow.deviation(t)) < 1e-14);
        let kl = relative_entropy(&flow.covariance(t), &sigma).unwrap();
        approx::assert_relative_eq!(flow.relative_entropy(t).unwrap(), kl, max_relative = 1e-12);
        let slope =
            (flow.relative_entropy(60.0).unwrap() / flow.relative_entropy(61.0).unwrap()).ln();
        approx::assert_relative_eq!(slope, 2.0 * flow.rate(), max_relative = 1e-8);
    }

    /// Example 1: ρ_t = N(0, (1+t)²), and N(0, 1+2t) under ∂ρ = Δρ.
    #[test]
    fn example_1() {
        let one = scalar(1.0);
        for t in [0.0, 1e-9, 0.3, 7.0] {
            let c = entropy_covariance(&one, &one, t).unwrap()[(0, 0)];
            approx::assert_relative_eq!(c, (1.0 + t).powi(2), max_relative = 1e-14);
            let p = entropy_potential(&one, &one, t).unwrap()[(0, 0)];
            approx::assert_relative_eq!(p, 1.0 / (1.0 + t), max_relative = 1e-14);
            assert_eq!(heat_covariance(&one, t)[(0, 0)], 1.0 + 2.0 * t);
        }
    }

    #[test]
    fn the_mirror_flow_of_the_entropy_solves_its_equation() {
        let (theta, p0, t, h) = (spd(4, 1, 9.0), spd(4, 2, 6.0), 0.4, 1e-3);
        let p = |s: f64| entropy_potential(&theta, &p0, t + s).unwrap();
        let slope =
            Scale(1.0 / (12.0 * h)) * (Scale(8.0) * (p(h) - p(-h)) - (p(2.0 * h) - p(-2.0 * h)));
        let precision = congruence(p(0.0).as_ref(), inverse(&theta).unwrap().as_ref());
        assert!(distance(&slope, &-&precision) < 1e-9);
        let covariance = entropy_covariance(&theta, &p0, t).unwrap();
        assert!(distance(&inverse(&covariance).unwrap(), &precision) < 1e-12);
    }
}
