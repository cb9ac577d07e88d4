//! Sinkhorn's recursion in the Gaussian sector, exact at any ε.

use super::divergence::Ratio;
use super::matrix::{
    add_diagonal, cholesky, gram, inverse_of_factor, product, scale, symmetric_part,
};
use super::potential::Potential;
use super::problem::{Gaussian, diagonal};
use crate::error::{Error, Result};
use faer::{Mat, Scale};

/// `Q_k = (P_{k−1} + εΣ^{-1})^{-1}`, `P_k = (Q_k + εΘ^{-1})^{-1}` (THEORY §9), at time `t = kε`.
///
/// The X marginal of the coupling is `ρ_k = N(0, Q_kΘQ_k + εQ_k)`: given y, x has mean `Q_k y` and covariance `εQ_k`.
/// That equals section 9's `(Σ^{-1} − (P_k − P_{k−1})/ε)^{-1}`, and does not divide a rounding error by ε.
#[derive(Debug, Clone)]
pub struct Sinkhorn<'a> {
    problem: &'a Gaussian,
    epsilon: f64,
    z: Mat<f64>,
    /// z of the fixed point, and `Z` less it.
    end: Vec<f64>,
    deviation: Mat<f64>,
    /// `Gᵀ Q_k G`, after the first iteration, and what it differs from its fixed point by.
    w: Option<Mat<f64>>,
    dual_deviation: Mat<f64>,
    iterations: usize,
}

impl<'a> Sinkhorn<'a> {
    /// Sinkhorn at regularisation `epsilon > 0` (units of x·y) from the potential matrix `start`.
    ///
    /// # Errors
    /// [`Error::Gaussian`] where epsilon is not positive and finite or `start` (d × d) is not positive definite.
    pub fn new(problem: &'a Gaussian, epsilon: f64, start: &Mat<f64>) -> Result<Self> {
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            return Err(Error::Gaussian {
                reason: format!("Sinkhorn was asked at ε = {epsilon}"),
                remedy: "give a finite ε > 0; ε = 0 is the parabolic flow".into(),
            });
        }
        let start = problem.validated("the starting potential P₀", start)?;
        let end: Vec<f64> = problem
            .rates
            .iter()
            .map(|m| m * (-(epsilon * m / 2.0).asinh()).exp())
            .collect();
        let from_end = &start - problem.potential_matrix(&diagonal(&end));
        Ok(Self {
            z: problem.potential_coordinates(&start),
            deviation: problem.potential_coordinates(&from_end),
            dual_deviation: Mat::zeros(end.len(), end.len()),
            end,
            problem,
            epsilon,
            w: None,
            iterations: 0,
        })
    }

    /// One iteration: both half-steps.
    ///
    /// # Errors
    /// [`Error::Gaussian`] at the limit of floating point.
    pub fn iterate(&mut self) -> Result<()> {
        let (epsilon, m) = (self.epsilon, &self.problem.rates);
        let inverse = |x: Mat<f64>| -> Result<Mat<f64>> {
            Ok(inverse_of_factor(
                cholesky("a Sinkhorn potential", x.as_ref())?.as_ref(),
            ))
        };
        let w = inverse(add_diagonal(self.z.clone(), |i| epsilon * m[i] * m[i]))?;
        self.z = inverse(add_diagonal(w.clone(), |_| epsilon))?;
        // Z' − z = Z'W (Z − z) w z at a fixed point (z, w), where wz = 1 − εz = e^{−2 asinh(εm/2)}
        let left = product(self.z.as_ref(), w.as_ref());
        let contraction: Vec<f64> = m
            .iter()
            .map(|m| (-2.0 * (epsilon * m / 2.0).asinh()).exp())
            .collect();
        let ones = vec![1.0; contraction.len()];
        // W − w = −W (Z − z) w
        let fixed: Vec<f64> = contraction
            .iter()
            .zip(&self.end)
            .map(|(c, z)| c / z)
            .collect();
        let pulled = scale(&ones, self.deviation.as_ref(), &fixed);
        self.dual_deviation = symmetric_part(-product(w.as_ref(), pulled.as_ref()));
        let right = scale(&ones, self.deviation.as_ref(), &contraction);
        self.deviation = symmetric_part(product(left.as_ref(), right.as_ref()));
        self.w = Some(w);
        self.iterations += 1;
        Ok(())
    }

    /// Iterates until k.
    ///
    /// # Errors
    /// As [`Self::iterate`].
    pub fn run(&mut self, iterations: usize) -> Result<()> {
        while self.iterations < iterations {
            self.iterate()?;
        }
        Ok(())
    }

    /// k.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// `t = kε`.
    pub fn time(&self) -> f64 {
        self.iterations as f64 * self.epsilon
    }

    /// P_k. (Its [`Potential::covariance`] is that of PMA for P_k, not the marginal of Sinkhorn.)
    ///
    /// # Errors
    /// As [`Self::iterate`].
    pub fn potential(&self) -> Result<Potential<'a>> {
        let deviation = &self.z - diagonal(&self.problem.rates);
        Potential::new(self.problem, self.z.clone(), deviation)
    }

    /// Q_k, from the first iteration on.
    pub fn dual(&self) -> Option<Mat<f64>> {
        Some(self.problem.covariance_matrix(self.w.as_ref()?))
    }

    /// `Cov ρ_k`, from the first iteration on.
    pub fn covariance(&self) -> Option<Mat<f64>> {
        let w = self.w.as_ref()?;
        let x = gram(w.as_ref()) + Scale(self.epsilon) * w;
        Some(self.problem.covariance_matrix(&x))
    }

    /// `P^ε_∞`, the fixed point: `z = m e^{−asinh(εm/2)}`, whence `P^ε_∞ = P_∞ − ½εΣ^{-1} + O(ε²)`.
    pub fn fixed_point(&self) -> Mat<f64> {
        self.problem.potential_matrix(&diagonal(&self.end))
    }

    /// `P_k − P^ε_∞`, accurate relative to itself.
    pub fn deviation(&self) -> Mat<f64> {
        self.problem.potential_matrix(&self.deviation)
    }

    /// The coefficient of mode (i, i) in `P_k − P^ε_∞`, counted as in [`Potential::mode`].
    pub fn mode(&self, i: usize) -> f64 {
        self.deviation[(i, i)]
    }

    /// `KL(ρ_k|e^{-f})` from the first iteration on, accurate relative to itself.
    ///
    /// In the coordinates of [`Gaussian`] Cov ρ_k is `W² + εW` and Σ is `w² + εw = m^{-2}`, so their difference is
    /// `VW + wV + εV`, `V = W − w`.
    ///
    /// # Errors
    /// [`Error::Gaussian`] at the limit of floating point.
    pub fn relative_entropy(&self) -> Result<Option<f64>> {
        let Some(w) = &self.w else { return Ok(None) };
        let (v, m) = (&self.dual_deviation, &self.problem.rates);
        let fixed: Vec<f64> = self.end.iter().map(|z| 1.0 / z - self.epsilon).collect();
        let ones = vec![1.0; m.len()];
        let difference = product(v.as_ref(), w.as_ref())
            + scale(&fixed, v.as_ref(), &ones)
            + Scale(self.epsilon) * v;
        let less_one = scale(m, symmetric_part(difference).as_ref(), m);
        let whole = gram(w.as_ref()) + Scale(self.epsilon) * w;
        let root = cholesky("the covariance of ρ_k", whole.as_ref())?;
        let ratio = Ratio::new(less_one.as_ref(), scale(m, root.as_ref(), &ones).as_ref())?;
        Ok(Some(ratio.forward()))
    }

    /// Rate per unit of t at which P_k approaches its fixed point, `4 asinh(εm₁/2)/ε`, commuting or not; PMA's `2m₁` as ε → 0.
    ///
    /// The derivative of an iteration at the fixed point multiplies entry (i, j) by `e^{−2asinh(εm_i/2) − 2asinh(εm_j/2)}`.
    pub fn rate(&self) -> f64 {
        4.0 * (self.epsilon * self.problem.rates[0] / 2.0).asinh() / self.epsilon
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::inverse;
    use super::super::samples::{distance, spd};
    use super::*;

    /// The recursion of THEORY §9 as it is printed there.
    #[test]
    fn is_the_printed_recursion() {
        let (sigma, theta) = (spd(4, 1, 9.0), spd(4, 2, 6.0));
        let problem = Gaussian::new(&sigma, &theta).unwrap();
        let (epsilon, mut p) = (0.3, spd(4, 3, 4.0));
        let (f, g) = (inverse(&sigma).unwrap(), inverse(&theta).unwrap());
        let mut sinkhorn = Sinkhorn::new(&problem, epsilon, &p).unwrap();
        assert!(sinkhorn.covariance().is_none() && sinkhorn.dual().is_none());
        for _ in 0..7 {
            let before = p.clone();
            let q = inverse(&(&p + Scale(epsilon) * &f)).unwrap();
            p = inverse(&(&q + Scale(epsilon) * &g)).unwrap();
            let precision = &f - Scale(1.0 / epsilon) * (&p - &before);
            sinkhorn.iterate().unwrap();
            assert!(distance(&sinkhorn.potential().unwrap().matrix(), &p) < 1e-13);
            assert!(distance(&sinkhorn.dual().unwrap(), &q) < 1e-13);
            let marginal = inverse(&sinkhorn.covariance().unwrap()).unwrap();
            assert!(distance(&marginal, &precision) < 1e-12);
        }
        approx::assert_relative_eq!(sinkhorn.time(), 2.1, max_relative = 1e-15);
    }

    #[test]
    fn ends_at_its_fixed_point_at_its_rate() {
        for epsilon in [0.02, 0.5, 20.0] {
            let problem = Gaussian::new(&spd(3, 1, 9.0), &spd(3, 2, 6.0)).unwrap();
            let identity = Mat::identity(3, 3);
            let mut sinkhorn = Sinkhorn::new(&problem, epsilon, &identity).unwrap();
            let end = sinkhorn.fixed_point();
            sinkhorn.run(5).unwrap();
            let plain = sinkhorn.potential().unwrap().matrix() - &end;
            assert!(distance(&plain, &sinkhorn.deviation()) < 1e-14);
            let k = (200.0 / (epsilon * sinkhorn.rate())).ceil() as usize;
            sinkhorn.run(k).unwrap();
            let before = sinkhorn.deviation().norm_l2();
            sinkhorn.run(k + 1).unwrap();
            let observed = (before / sinkhorn.deviation().norm_l2()).ln() / epsilon;
            println!("ε = {epsilon}: rate {observed:.8}, {:.8}", sinkhorn.rate());
            approx::assert_relative_eq!(observed, sinkhorn.rate(), max_relative = 1e-7);
            assert!(distance(&sinkhorn.potential().unwrap().matrix(), &end) < 1e-13);
            assert!(distance(&sinkhorn.covariance().unwrap(), problem.sigma()) < 1e-12);
        }
    }

    #[test]
    fn a_regularisation_that_is_none_is_refused() {
        let problem = Gaussian::new(&spd(2, 1, 9.0), &spd(2, 2, 6.0)).unwrap();
        for epsilon in [0.0, -1.0, f64::NAN] {
            let error = Sinkhorn::new(&problem, epsilon, &Mat::identity(2, 2)).unwrap_err();
            assert!(error.to_string().contains("ε > 0"), "{error}");
        }
    }
}
