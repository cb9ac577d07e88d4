//! The mirror flow of KL or of the entropy between Gaussians, with everything that is measured along it, in closed form.

use crate::scenario::BuiltGaussian;
use crate::study::Objective;
use crate::study::jobs::Tick;
use mirrorflow_solvers::gaussian::{
    Mat, ParabolicFlow, congruence, entropy_covariance, entropy_potential, frobenius, inverse,
    linearised_transport, log_determinant, product, square_root,
};
use mirrorflow_solvers::{Error, Result};
use std::f64::consts::PI;

/// The flow of one objective.
pub struct Path<'a> {
    built: &'a BuiltGaussian,
    objective: Objective,
    flow: ParabolicFlow<'a>,
}

/// What is known at one instant.
pub struct State {
    pub p: Mat<f64>,
    pub covariance: Mat<f64>,
    pub objective: f64,
    /// `∫ρ∇φ·A∇φ`.
    pub dissipation: f64,
    /// `‖v‖` in L²(ρ).
    pub speed: f64,
}

/// Everything at the instants.
#[derive(Debug, Clone, Default)]
pub struct Along {
    pub p: Vec<Mat<f64>>,
    pub covariance: Vec<Mat<f64>>,
    pub objective: Vec<f64>,
    pub drop: Vec<f64>,
    pub dissipation: Vec<f64>,
    pub dissipated: Vec<f64>,
    /// Change of `dissipated` when its panels are halved.
    pub quadrature: Vec<f64>,
    pub speed: Vec<f64>,
    pub lot_speed: Vec<f64>,
    /// Change of `lot_speed` by the last extrapolation.
    pub extrapolation: Vec<f64>,
    pub length: Vec<f64>,
    pub travelled: Vec<f64>,
    pub lot_distance: f64,
}

impl<'a> Path<'a> {
    pub fn new(built: &'a BuiltGaussian, objective: Objective) -> Self {
        let flow = ParabolicFlow::new(built.start());
        Self {
            built,
            objective,
            flow,
        }
    }

    /// The state at `t ≥ 0`.
    ///
    /// # Errors
    /// Those of the numerics, at the limit of floating point.
    pub fn at(&self, t: f64) -> Result<State> {
        if self.objective == Objective::Entropy {
            return self.entropy(t);
        }
        let at = self.flow.at(t)?;
        Ok(State {
            objective: at.relative_entropy()?,
            dissipation: at.dissipation(),
            speed: at.speed(),
            p: at.matrix(),
            covariance: at.covariance(),
        })
    }

    /// The covariance at t alone.
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn covariance(&self, t: f64) -> Result<Mat<f64>> {
        match self.objective {
            Objective::Entropy => {
                entropy_covariance(self.built.problem.theta(), &self.built.start, t)
            }
            _ => Ok(self.flow.at(t)?.covariance()),
        }
    }

    /// `F = −½ log det 2πeC`; with `∇φ = −C^{-1}x` and `v = P^{-1}C^{-1}x`, everything from its definition.
    fn entropy(&self, t: f64) -> Result<State> {
        let theta = self.built.problem.theta();
        let p = entropy_potential(theta, &self.built.start, t)?;
        let covariance = entropy_covariance(theta, &self.built.start, t)?;
        let (precision, dual) = (inverse(&covariance)?, inverse(&p)?);
        let v = product(dual.as_ref(), precision.as_ref());
        let moved = product(v.as_ref(), square_root(&covariance)?.as_ref());
        let d = covariance.nrows() as f64;
        let inside = square_root(&precision)?;
        Ok(State {
            objective: -0.5 * (d * (2.0 * PI).ln() + d + log_determinant(&covariance)?),
            dissipation: trace(&congruence(inside.as_ref(), dual.as_ref())),
            speed: frobenius(&moved),
            p,
            covariance,
        })
    }

    /// Everything at the instants.
    ///
    /// # Errors
    /// As [`Self::at`], and interruption.
    pub fn along(&self, times: &[f64], tick: &Tick) -> Result<Along> {
        let mut along = Along::default();
        let start = self.at(0.0)?;
        let (mut before, mut objective) = (0.0, start.objective);
        let (mut length, mut travelled) = (0.0, 0.0);
        for (k, &t) in times.iter().enumerate() {
            if tick(k as f64 / times.len() as f64).is_break() {
                return Err(Error::Interrupted {
                    when: format!("at t = {t}"),
                });
            }
            let at = self.at(t)?;
            let (fine, change) = self.integrals(before, t)?;
            length += fine[1];
            travelled += fine[2];
            let (speed, rest) = self.lot_speed(t)?;
            along.drop.push(objective - at.objective);
            along.objective.push(at.objective);
            along.dissipation.push(at.dissipation);
            along.dissipated.push(fine[0]);
            along.quadrature.push(change);
            along.speed.push(at.speed);
            along.lot_speed.push(speed);
            along.extrapolation.push(rest);
            along.length.push(length);
            along.travelled.push(travelled);
            (before, objective) = (t, at.objective);
            along.p.push(at.p);
            along.covariance.push(at.covariance);
        }
        let end = along.covariance.last().expect("the times are not empty");
        let theta = self.built.problem.theta();
        along.lot_distance = linearised_transport(theta, &start.covariance, end)?;
        Ok(along)
    }

    /// Integrals from a to b of the dissipation, of its root (the speed in the Hessian metric) and of ‖v‖, by Gauss's rule; the change of
    /// the first when the panels are halved.
    fn integrals(&self, a: f64, b: f64) -> Result<([f64; 3], f64)> {
        let fastest = *self.built.problem.rates().last().expect("d ≥ 1");
        let panels = ((2.0 * fastest * (b - a)).ceil()).clamp(1.0, MOST_PANELS) as usize;
        let coarse = self.rule(a, b, panels)?;
        let fine = self.rule(a, b, 2 * panels)?;
        Ok((fine, (fine[0] - coarse[0]).abs()))
    }

    fn rule(&self, a: f64, b: f64, panels: usize) -> Result<[f64; 3]> {
        let half = 0.5 * (b - a) / panels as f64;
        let mut sums = [0.0; 3];
        for panel in 0..panels {
            let middle = a + (2.0 * panel as f64 + 1.0) * half;
            for (node, weight) in GAUSS {
                for x in [middle - half * node, middle + half * node] {
                    let at = self.at(x)?;
                    sums[0] += half * weight * at.dissipation;
                    sums[1] += half * weight * at.dissipation.sqrt();
                    sums[2] += half * weight * at.speed;
                }
            }
        }
        Ok(sums)
    }

    /// `LOT(ρ_{t+h}, ρ_{t−h})/2h` extrapolated to h = 0, and what the last extrapolation changed.
    fn lot_speed(&self, t: f64) -> Result<(f64, f64)> {
        let fastest = *self.built.problem.rates().last().expect("d ≥ 1");
        let longest = LONGEST * t.min(1.0 / fastest);
        let quotient = |level: i32| -> Result<f64> {
            let h = longest * 0.5f64.powi(level);
            let (after, before) = (self.covariance(t + h)?, self.covariance(t - h)?);
            Ok(linearised_transport(self.built.problem.theta(), &after, &before)? / (2.0 * h))
        };
        let [a, b, c] = [quotient(0)?, quotient(1)?, quotient(2)?];
        let (first, second) = (b + (b - a) / 3.0, c + (c - b) / 3.0);
        let value = second + (second - first) / 15.0;
        Ok((value, (value - second).abs()))
    }
}

/// Panels of one interval at most.
const MOST_PANELS: f64 = 40.0;

/// The largest h of a difference quotient, in units of t and of the fastest mode's time.
const LONGEST: f64 = 0.05;

/// Gauss's rule of eight nodes on [−1, 1]: nodes and weights of one half.
const GAUSS: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_27),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_48),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

fn trace(x: &Mat<f64>) -> f64 {
    (0..x.nrows()).map(|i| x[(i, i)]).sum()
}
