//! Fokker–Planck between Gaussians as a composition of one-step maps, and its limit, the flow map.

use super::diffusion::FokkerPlanck;
use super::matrix::{
    add_diagonal, congruence, factor_if_positive, inverse, product, solve_lower, solve_upper,
};
use super::problem::Gaussian;
use super::transport::wasserstein;
use crate::error::{Error, Result};
use crate::spectrum::dense::symmetric_eigen;
use faer::{Mat, Scale};

/// Change of the extrapolated flow map, relative to its largest entry, at which it is settled.
const SETTLED: f64 = 1e-13;
/// Levels of the extrapolation, each with twice the steps of the one before.
const MOST_LEVELS: usize = 12;

/// `M = T_{K−1}⋯T_0`, `T_k = I + τ(C_k^{-1} − Σ^{-1})`, along Fokker–Planck `Ċ = 2 − Σ^{-1}C − CΣ^{-1}` from `C_0 = Θ`.
///
/// `T_k x = x − τ∇log(ρ_k/e^{-f})` is symmetric, so optimal while positive definite, from ρ_k = N(0, C_k) to its image, ρ_{k+1} up to
/// O(τ²). As τ → 0 the product tends to the flow map, `Ṁ = (C^{-1} − Σ^{-1})M`, with `MΘMᵀ = C(t)` exactly. Its cost
/// `tr (M − I)Θ(M − I)ᵀ` is `W₂²(N(0,Θ), N(0,C))` where Σ and Θ commute, in one dimension always, and more where they do not:
/// M is then not symmetric, from the order t³ on, and the excess begins at t⁶ (tested). Source: Tanana, Commun. Contemp. Math. 23 (2021); Lavenant & Santambrogio, Appl. Math. Lett. 133 (2022).
#[derive(Debug, Clone)]
pub struct Composition {
    flow: FokkerPlanck,
    theta: Mat<f64>,
    source_precision: Mat<f64>,
}

impl Composition {
    /// Source N(0, Σ) and start e^{-g} = N(0, Θ).
    ///
    /// # Errors
    /// [`Error::Gaussian`] at the limit of floating point.
    pub fn new(problem: &Gaussian) -> Result<Self> {
        Ok(Self {
            flow: FokkerPlanck::new(problem.sigma(), problem.theta())?,
            theta: problem.theta().clone(),
            source_precision: inverse(problem.sigma())?,
        })
    }

    /// `C(t)`, the covariance of ρ_t, `t ≥ 0`.
    pub fn covariance(&self, t: f64) -> Mat<f64> {
        self.flow.covariance(t)
    }

    /// `C(t)^{-1} − Σ^{-1}`, the matrix of the velocity.
    fn velocity(&self, t: f64) -> Result<Mat<f64>> {
        Ok(inverse(&self.covariance(t))? - &self.source_precision)
    }

    /// The product of K = `steps` one-step maps of length `τ = t/steps` (d × d).
    ///
    /// # Errors
    /// [`Error::Gaussian`] where a one-step map is not optimal, with the step that would do, or t is not a finite positive number.
    pub fn map(&self, t: f64, steps: usize) -> Result<Mat<f64>> {
        let tau = step(t, steps)?;
        let mut m = identity(&self.theta);
        for k in 0..steps {
            let velocity = self.velocity(tau * k as f64)?;
            let one = add_diagonal(Scale(tau) * &velocity, |_| 1.0);
            if factor_if_positive(one.as_ref()).is_none() {
                return Err(not_optimal(&velocity, tau, k)?);
            }
            m = product(one.as_ref(), m.as_ref());
        }
        Ok(m)
    }

    /// The flow map M(t), the limit τ → 0, to about 1e-12.
    ///
    /// Aitken–Neville extrapolation over τ², τ²/4, … of the products of `(1 − ½τA)^{-1}(1 + ½τA)`, A the velocity half-way: the
    /// implicit midpoint rule, which is symmetric, so that its error is a series in even powers of τ.
    ///
    /// # Errors
    /// [`Error::NoConvergence`] when the levels are used up: t is many relaxation times of a nearly degenerate Σ.
    pub fn flow_map(&self, t: f64) -> Result<Mat<f64>> {
        let mut steps = first_steps(t, &self.velocity(0.0)?)?;
        let mut row = vec![self.midpoint_map(t, steps)?];
        let mut change = f64::INFINITY;
        for _ in 1..MOST_LEVELS {
            steps *= 2;
            let mut next = vec![self.midpoint_map(t, steps)?];
            for (k, coarse) in row.iter().enumerate() {
                let gain = 4f64.powi(k as i32 + 1) - 1.0;
                next.push(&next[k] + Scale(1.0 / gain) * (&next[k] - coarse));
            }
            let (best, before) = (&next[row.len()], &row[row.len() - 1]);
            change = (best - before).norm_max() / best.norm_max();
            if change < SETTLED {
                return Ok(best.clone());
            }
            row = next;
        }
        Err(Error::NoConvergence {
            what: "the flow map of Fokker–Planck",
            residual: change,
            iterations: steps,
            tolerance: SETTLED,
            remedy: "use a shorter time or covariances that are better conditioned".into(),
        })
    }

    fn midpoint_map(&self, t: f64, steps: usize) -> Result<Mat<f64>> {
        let tau = step(t, steps)?;
        let mut m = identity(&self.theta);
        for k in 0..steps {
            let half = Scale(0.5 * tau) * self.velocity(tau * (k as f64 + 0.5))?;
            let ahead = add_diagonal(half.clone(), |_| 1.0);
            let back = add_diagonal(-half, |_| 1.0);
            let lower = super::matrix::cholesky("1 − ½τA", back.as_ref())?;
            let right = product(ahead.as_ref(), m.as_ref());
            m = solve_upper(
                lower.as_ref(),
                solve_lower(lower.as_ref(), right.as_ref()).as_ref(),
            );
        }
        Ok(m)
    }

    /// `∫|Mx − x|² dN(0,Θ) = tr (M − I)Θ(M − I)ᵀ`.
    pub fn cost(&self, m: &Mat<f64>) -> f64 {
        let less_one = add_diagonal(m.clone(), |_| -1.0);
        let image = congruence(less_one.as_ref(), self.theta.as_ref());
        (0..image.nrows()).map(|i| image[(i, i)]).sum()
    }

    /// `W₂²(N(0,Θ), N(0,C(t)))` (Bures).
    ///
    /// # Errors
    /// [`Error::Gaussian`] at the limit of floating point.
    pub fn optimal_cost(&self, t: f64) -> Result<f64> {
        Ok(wasserstein(&self.theta, &self.covariance(t))?.powi(2))
    }
}

fn identity(like: &Mat<f64>) -> Mat<f64> {
    Mat::identity(like.nrows(), like.nrows())
}

fn step(t: f64, steps: usize) -> Result<f64> {
    let tau = t / steps as f64;
    if tau > 0.0 && tau.is_finite() {
        return Ok(tau);
    }
    Err(Error::Gaussian {
        reason: format!("a composition of {steps} maps up to t = {t}"),
        remedy: "give a finite t > 0 and at least one step".into(),
    })
}

/// Steps with `½τ‖A‖ ≤ ¼` at the start, where A, which decays, is largest in most problems.
fn first_steps(t: f64, velocity: &Mat<f64>) -> Result<usize> {
    step(t, 1)?;
    Ok(((2.0 * t * velocity.norm_l2()).ceil() as usize).max(4))
}

fn not_optimal(velocity: &Mat<f64>, tau: f64, k: usize) -> Result<Error> {
    let (values, _) = symmetric_eigen(velocity.as_ref())?;
    Ok(Error::Gaussian {
        reason: format!(
            "the one-step map T_{k} of length {tau:.3e} is not optimal: its smallest eigenvalue is {:.3e}",
            1.0 + tau * values[0]
        ),
        remedy: format!("use steps shorter than {:.3e}", -1.0 / values[0]),
    })
}

#[cfg(test)]
mod tests {
    use super::super::problem::diagonal;
    use super::super::samples::{distance, spd};
    use super::*;

    fn problem(commuting: bool, d: usize) -> Gaussian {
        let theta = spd(d, 11, 6.0);
        let sigma = if commuting {
            // A polynomial in Θ.
            add_diagonal(product(theta.as_ref(), theta.as_ref()), |_| 0.3)
        } else {
            spd(d, 12, 9.0)
        };
        Gaussian::new(&sigma, &theta).unwrap()
    }

    /// `MΘMᵀ = C(t)`, which no step of the integration knows, and `Ṁ = (C^{-1} − Σ^{-1})M` by differences of order 4.
    #[test]
    fn the_flow_map_carries_the_start_to_the_marginal_and_solves_its_equation() {
        for (d, t) in [(2, 0.05), (3, 0.7), (8, 3.0)] {
            let composition = Composition::new(&problem(false, d)).unwrap();
            let m = composition.flow_map(t).unwrap();
            let image = congruence(m.as_ref(), composition.theta.as_ref());
            let error = distance(&image, &composition.covariance(t));
            assert!(error < 1e-11, "d = {d}: {error:e}");
            let h = 2e-3 * t;
            let at = |s: f64| composition.flow_map(t + s).unwrap();
            let slope = Scale(1.0 / (12.0 * h))
                * (Scale(8.0) * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h)));
            let rate = product(composition.velocity(t).unwrap().as_ref(), m.as_ref());
            let error = distance(&slope, &rate) / rate.norm_max();
            assert!(error < 1e-7, "d = {d}: {error:e}");
        }
    }

    /// Commuting: M is symmetric and its cost Bures'. Not commuting: strictly more, by far more than the rounding of either.
    #[test]
    fn the_composition_is_optimal_iff_the_covariances_commute() {
        for (d, t) in [(2, 0.3), (3, 1.0), (6, 4.0)] {
            for commuting in [true, false] {
                let composition = Composition::new(&problem(commuting, d)).unwrap();
                let m = composition.flow_map(t).unwrap();
                let (cost, optimal) = (composition.cost(&m), composition.optimal_cost(t).unwrap());
                let excess = (cost - optimal) / optimal;
                let asymmetry = distance(&m, &m.transpose().to_owned());
                println!(
                    "d = {d}, t = {t}, commuting {commuting}: excess {excess:.3e}, asymmetry {asymmetry:.3e}"
                );
                if commuting {
                    assert!(excess.abs() < 1e-11 && asymmetry < 1e-11);
                } else {
                    assert!(excess > 1e-7 && asymmetry > 1e-4);
                }
            }
        }
        let one = Composition::new(&Gaussian::new(&diagonal(&[2.5]), &diagonal(&[0.4])).unwrap())
            .unwrap();
        let m = one.flow_map(0.8).unwrap();
        let exact = (one.covariance(0.8)[(0, 0)] / 0.4).sqrt();
        assert!((m[(0, 0)] - exact).abs() < 1e-12);
    }

    /// `M''' = Ä + 2ȦA + AȦ + A³` is the first derivative at t = 0 that is not symmetric: asymmetry of order 3. The cost has its
    /// minimum Bures among the maps with this image, so its excess has twice that order.
    #[test]
    fn asymmetry_begins_at_order_three_and_excess_at_order_six() {
        let composition = Composition::new(&problem(false, 3)).unwrap();
        let at = |t: f64| {
            let m = composition.flow_map(t).unwrap();
            let excess = composition.cost(&m) - composition.optimal_cost(t).unwrap();
            (distance(&m, &m.transpose().to_owned()), excess)
        };
        let order = |a: f64, b: f64| (a / b).log2();
        let (coarse, fine) = (at(4e-3), at(2e-3));
        let asymmetry = order(coarse.0, fine.0);
        let (coarse, fine) = (at(0.04), at(0.02));
        let excess = order(coarse.1, fine.1);
        println!("orders: asymmetry {asymmetry:.3}, excess {excess:.3}");
        assert!((asymmetry - 3.0).abs() < 0.1 && (excess - 6.0).abs() < 0.3);
    }

    #[test]
    fn the_product_of_one_step_maps_tends_to_the_flow_map_at_order_one() {
        for commuting in [true, false] {
            let composition = Composition::new(&problem(commuting, 3)).unwrap();
            let (t, limit) = (0.9, composition.flow_map(0.9).unwrap());
            let error = |steps: usize| {
                let m = composition.map(t, steps).unwrap();
                let cost = composition.cost(&m) - composition.cost(&limit);
                (distance(&m, &limit), cost.abs())
            };
            let (coarse, fine) = (error(400), error(800));
            let orders = ((coarse.0 / fine.0).log2(), (coarse.1 / fine.1).log2());
            println!("commuting {commuting}: orders {orders:?}");
            assert!((orders.0 - 1.0).abs() < 0.02 && (orders.1 - 1.0).abs() < 0.02);
        }
    }

    /// In the direction that shrinks most `T_0` degenerates at a known τ.
    #[test]
    fn steps_that_are_not_optimal_are_refused_with_the_limit() {
        let problem = Gaussian::new(&diagonal(&[0.5, 2.0]), &diagonal(&[1.0, 1.0])).unwrap();
        let composition = Composition::new(&problem).unwrap();
        // C^{-1} − Σ^{-1} = diag(−1, ½) at the start.
        assert!(composition.map(0.999, 1).is_ok());
        let text = composition.map(1.001, 1).unwrap_err().to_string();
        assert!(
            text.contains("shorter than 1.000e0") && text.contains("T_0"),
            "{text}"
        );
        assert!(composition.map(-1.0, 3).is_err() && composition.flow_map(f64::NAN).is_err());
        assert!(composition.map(1.0, 0).is_err());
    }
}
