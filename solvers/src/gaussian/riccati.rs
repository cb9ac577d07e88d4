//! The matrix Riccati equation as a system for the steppers: a truth that shares nothing with the closed form.

use super::matrix::{congruence, product, solve_upper, symmetric_part};
use super::problem::{factored, same_size, validated};
use crate::error::Result;
use crate::spectrum::dense::symmetric_eigen;
use crate::time::{Stepper, System, march};
use faer::Mat;
use std::ops::ControlFlow;

/// `Ẋ = A − X B X` for symmetric A ≥ 0 and B, X > 0 (d × d), as `Ẏ = LᵀAL − Y²` in `Y = LᵀXL`, `B = LLᵀ`.
///
/// PMA is `A = Σ^{-1}, B = Θ^{-1}` for P, and `A = Θ^{-1}, B = Σ^{-1}` for the dual Q = P^{-1}; the mirror flow of the entropy is
/// `A = 0, B = Θ^{-1}`. Source and target are never diagonalised together, and the solution is found by steps in time.
#[derive(Debug, Clone)]
pub struct Riccati {
    lower: Mat<f64>,
    /// LᵀAL.
    constant: Mat<f64>,
    /// Size of Y along the solution, the unit of the stepper's tolerance.
    size: f64,
    /// Y = V μ Vᵀ at the state that was last frozen.
    frozen: (Vec<f64>, Mat<f64>),
}

impl Riccati {
    /// The equation with `constant` A (`None` for zero) and `quadratic` B.
    ///
    /// # Errors
    /// [`crate::Error::Gaussian`] where a matrix is not positive definite or the sizes differ.
    pub fn new(constant: Option<&Mat<f64>>, quadratic: &Mat<f64>) -> Result<Self> {
        let (_, lower) = factored("the quadratic term B", quadratic)?;
        let d = lower.nrows();
        let constant = match constant {
            None => Mat::zeros(d, d),
            Some(a) => {
                same_size("A", a, "B", quadratic)?;
                let a = validated("the constant term A", a)?;
                congruence(lower.transpose(), a.as_ref())
            }
        };
        Ok(Self {
            size: constant.norm_max().sqrt(),
            frozen: (vec![0.0; d], Mat::identity(d, d)),
            constant,
            lower,
        })
    }

    /// X at the increasing `times` > 0 from `start` at 0. Tolerances are relative to the size of Y. `tick` is told the time reached; it may stop the run.
    ///
    /// # Errors
    /// Those of the stepper; [`crate::Error::Gaussian`] where `start` is not positive definite.
    pub fn run(
        mut self,
        start: &Mat<f64>,
        times: &[f64],
        stepper: Stepper,
        tick: &dyn Fn(f64) -> ControlFlow<()>,
    ) -> Result<Vec<Mat<f64>>> {
        let start = validated("the start of the Riccati equation", start)?;
        let inside = congruence(self.lower.transpose(), start.as_ref());
        self.size = self.size.max(inside.norm_max());
        let (mut state, mut found) = (packed(&inside), Vec::new());
        march(
            &mut self,
            stepper,
            &mut state,
            times,
            &mut |system, _, y| {
                found.push(system.outside(y));
                Ok(())
            },
            &mut |_, step, _| Ok(tick(step.time)),
        )?;
        Ok(found)
    }

    /// X of a state.
    fn outside(&self, y: &[f64]) -> Mat<f64> {
        let y = self.unpacked(y);
        let half = solve_upper(self.lower.as_ref(), y.as_ref());
        symmetric_part(solve_upper(self.lower.as_ref(), half.transpose()))
    }

    fn unpacked(&self, y: &[f64]) -> Mat<f64> {
        let d = self.lower.nrows();
        Mat::from_fn(d, d, |i, j| y[i + d * j])
    }
}

fn packed(x: &Mat<f64>) -> Vec<f64> {
    let d = x.nrows();
    (0..d * d).map(|k| x[(k % d, k / d)]).collect()
}

impl System for Riccati {
    fn len(&self) -> usize {
        self.lower.nrows() * self.lower.nrows()
    }

    fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()> {
        let y = self.unpacked(y);
        let square = product(y.as_ref(), y.as_ref());
        out.copy_from_slice(&packed(&symmetric_part(&self.constant - square)));
        Ok(())
    }

    fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()> {
        self.frozen = symmetric_eigen(self.unpacked(y).as_ref())?;
        self.rate(y, rate)
    }

    /// `(1 + c(Y· + ·Y)) k = r`, in the eigenbasis of Y a division.
    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], _tolerance: f64) -> Result<usize> {
        let (mu, v) = &self.frozen;
        let mut inner = congruence(v.transpose(), self.unpacked(r).as_ref());
        for j in 0..mu.len() {
            for i in 0..mu.len() {
                inner[(i, j)] /= 1.0 + c * (mu[i] + mu[j]);
            }
        }
        k.copy_from_slice(&packed(&congruence(v.as_ref(), inner.as_ref())));
        Ok(0)
    }

    fn norm(&self, difference: &[f64]) -> f64 {
        crate::parallel::sup(difference) / self.size
    }

    fn spectral_radius(&self) -> f64 {
        2.0 * self.frozen.0[self.frozen.0.len() - 1].abs()
    }
}

#[cfg(test)]
mod tests {
    use super::super::matrix::inverse;
    use super::super::samples::{distance, scalar, spd};
    use super::super::{Gaussian, ParabolicFlow};
    use super::*;
    use crate::time::Method;

    fn go_on(_: f64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// The closed form against steps in time, for P and for its inverse, without commuting.
    #[test]
    fn steps_in_time_give_the_closed_form_and_its_dual() {
        let (sigma, theta) = (spd(6, 1, 9.0), spd(6, 2, 6.0));
        let problem = Gaussian::new(&sigma, &theta).unwrap();
        let start = spd(6, 3, 4.0);
        let flow = ParabolicFlow::new(problem.potential(&start).unwrap());
        let (f, g) = (inverse(&sigma).unwrap(), inverse(&theta).unwrap());
        let times = [0.3, 2.0];
        let stepper = Stepper::Adaptive { tolerance: 1e-11 };
        let run = |a: &Mat<f64>, b: &Mat<f64>, x: &Mat<f64>| {
            let system = Riccati::new(Some(a), b).unwrap();
            system.run(x, &times, stepper, &go_on).unwrap()
        };
        let p = run(&f, &g, &start);
        let q = run(&g, &f, &inverse(&start).unwrap());
        for (k, &t) in times.iter().enumerate() {
            let exact = flow.at(t).unwrap();
            let apart = (
                distance(&p[k], &exact.matrix()),
                distance(&q[k], &exact.dual()),
            );
            assert!(apart.0 < 1e-9 && apart.1 < 1e-9, "{apart:?}");
        }
    }

    /// Ẋ = −X²: 1/(1 + t), with the order of the method.
    #[test]
    fn the_scalar_equation_has_the_order_of_its_stepper() {
        let error = |step: f64| {
            let system = Riccati::new(None, &scalar(1.0)).unwrap();
            let stepper = Stepper::Explicit {
                method: Method::RungeKutta4,
                step,
            };
            let x = system.run(&scalar(1.0), &[1.0], stepper, &go_on).unwrap();
            (x[0][(0, 0)] - 0.5).abs()
        };
        let order = (error(0.02) / error(0.01)).log2();
        assert!((order - 4.0).abs() < 0.1, "{order}");
    }
}
