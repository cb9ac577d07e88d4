//! Fokker–Planck at any times, without time steps.
//!
//! `∂_t ν = ∇·(∇ν + ν∇f)` is linear, and `v = e^{f/2}ν` obeys `∂_t v = −Sv` with S of [`GroundState`], symmetric with its spectrum in
//! `[0, R]`. With `Y = 1 − 2S/R` and `z = tR/2`, T_k the Chebyshev polynomials and I_k the modified Bessel functions,
//!
//! ```text
//! e^{−tS} = e^{−z} [ I_0(z) + 2 Σ_k I_k(z) T_k(Y) ],
//! ```
//!
//! whose weights are positive, add up to one and fall below rounding beyond `k ≈ (80z)^{1/2}`: about `9n√t` products with S for n nodes
//! along an axis, whatever the contrast of f, and the same ones for all times (Tal-Ezer, SIAM J. Numer. Anal. 26 (1989)). Rodas5P
//! takes thousands, each with a preconditioner.

use super::gradient_flow::GradientFlow;
use crate::calculus::Spectral;
use crate::density::LogDensity;
use crate::error::{Error, Result};
use crate::objective::RelativeEntropy;
use crate::parallel::{axpy, dot, for_each_block, max_of};
use crate::spectrum::GroundState;
use crate::time::{Stepper, march};
use crate::torus::Torus;
use std::ops::ControlFlow;

/// Weights are kept down to e^{-40}, a hundredth of rounding.
const LOGARITHM: f64 = 40.0;
/// Rounding of v, relative to its largest value: one from every product.
const ROUNDING: f64 = 64.0 * f64::EPSILON;
/// A density is believed down to this many roundings.
const BELIEVED: f64 = 16.0;

/// `∂_t ν = ∇·(∇ν + ν∇f)` from a density at the nodes, spectral in space; exact in time as far as rounding allows.
///
/// The equation is that of the modes below Nyquist, and its stationary state e^{-f} without the others. Errors of ν are a few
/// `1e-15 e^{-f/2} sup e^{f/2}ν_0`: where a density would drown in that, it is stepped by [`GradientFlow`] instead.
pub struct FokkerPlanck<'a> {
    torus: Torus,
    source: &'a dyn LogDensity,
    /// f/2 at the nodes.
    half: Vec<f64>,
    operator: GroundState,
    /// Largest eigenvalue of S, or more.
    radius: f64,
    /// Instants that share their products: each is a field in memory.
    together: usize,
    /// Error per step where it is stepped.
    tolerance: f64,
}

/// Given an instant and ν there.
pub type Density<'a> = &'a mut dyn FnMut(f64, &[f64]) -> Result<()>;

/// Given the time reached; says whether to go on.
pub type Reach<'a> = &'a mut dyn FnMut(f64) -> ControlFlow<()>;

impl<'a> FokkerPlanck<'a> {
    /// `tolerance` is the error per step where steps are needed.
    pub fn new(torus: &Torus, source: &'a dyn LogDensity, tolerance: f64) -> Self {
        let f = crate::density::at_nodes(source, torus);
        let log_source: Vec<f64> = f.iter().map(|f| -f).collect();
        let operator = GroundState::new(torus, &log_source, None);
        Self {
            torus: torus.clone(),
            source,
            half: f.iter().map(|f| 0.5 * f).collect(),
            radius: operator.radius(),
            operator,
            together: 48,
            tolerance,
        }
    }

    /// With other groups of instants: the same but for rounding.
    #[must_use]
    pub fn together(mut self, instants: usize) -> Self {
        self.together = instants.max(1);
        self
    }

    /// ν at each of the increasing `times` ≥ 0, from `start` at time 0.
    ///
    /// # Errors
    /// Those of `density` and, where it has to step, of [`GradientFlow`]; [`Error::Interrupted`].
    pub fn run(
        &mut self,
        start: &[f64],
        times: &[f64],
        density: Density,
        reach: Reach,
    ) -> Result<()> {
        let mut state = self.symmetrised(start);
        if self.drowns(start, &state) {
            return self.stepped(start, times, density, reach);
        }
        let ground = self.operator.ground().to_vec();
        self.operator.project(&mut state);
        let mass = dot(&ground, &state);
        axpy(-mass, &ground, &mut state);
        let mut nu = vec![0.0; start.len()];
        let mut from = 0.0;
        for group in times.chunks(self.together) {
            let later: Vec<f64> = group.iter().map(|time| time - from).collect();
            let states = self.semigroup(&state, &later, &mut |part| {
                reach(from + part * later[later.len() - 1])
            })?;
            for (&time, state) in group.iter().zip(&states) {
                let half = &self.half;
                for_each_block(&mut nu, |at, nu| {
                    for (k, nu) in nu.iter_mut().enumerate() {
                        let v = state[at + k] + mass * ground[at + k];
                        *nu = v * (-half[at + k]).exp();
                    }
                });
                density(time, &nu)?;
            }
            state.clone_from(states.last().expect("a group is not empty"));
            from = group[group.len() - 1];
        }
        Ok(())
    }

    /// `e^{f/2}ν`.
    fn symmetrised(&self, nu: &[f64]) -> Vec<f64> {
        let both = nu.iter().zip(&self.half);
        both.map(|(nu, half)| nu * half.exp()).collect()
    }

    /// Whether v may come near its rounding: `e^f ν` stays above its least value at the start, so v above that times `e^{-f/2}`.
    fn drowns(&self, start: &[f64], state: &[f64]) -> bool {
        let (half, len) = (&self.half, state.len());
        let least = -max_of(len, |i| -start[i] * (2.0 * half[i]).exp());
        let lowest = least * (-max_of(len, |i| half[i])).exp();
        let rounding = ROUNDING * max_of(len, |i| state[i].abs());
        // False for what is not finite, too.
        lowest.is_nan() || lowest <= BELIEVED * rounding
    }

    /// `e^{−tS}` of a state at each of the increasing times ≥ 0.
    fn semigroup(
        &mut self,
        state: &[f64],
        times: &[f64],
        reach: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<f64>>> {
        let half = |&time: &f64| weights(0.5 * self.radius * time);
        let weights: Vec<Vec<f64>> = times.iter().map(half).collect();
        let most = weights.iter().map(Vec::len).max().unwrap_or(0);
        let mut sums = vec![vec![0.0; state.len()]; times.len()];
        // T_{k−1}, T_k and a workspace for T_{k+1}.
        let mut before = vec![0.0; state.len()];
        let mut this = state.to_vec();
        let mut next = vec![0.0; state.len()];
        for k in 0..most {
            for (sum, weights) in sums.iter_mut().zip(&weights) {
                if let Some(&weight) = weights.get(k) {
                    axpy(weight, &this, sum);
                }
            }
            if k + 1 == most {
                break;
            }
            self.operator.apply(&this, &mut next);
            // T_1 = Y, then T_{k+1} = 2Y T_k − T_{k−1}.
            let twice = if k == 0 { 1.0 } else { 2.0 };
            let scale = twice * 2.0 / self.radius;
            for_each_block(&mut next, |at, next| {
                for (i, next) in next.iter_mut().enumerate() {
                    *next = twice * this[at + i] - scale * *next - before[at + i];
                }
            });
            std::mem::swap(&mut before, &mut this);
            std::mem::swap(&mut this, &mut next);
            if reach((k as f64 / most as f64).powi(2)).is_break() {
                return Err(interrupted());
            }
        }
        Ok(sums)
    }

    /// By Rodas5P, from ν itself.
    fn stepped(&self, start: &[f64], times: &[f64], density: Density, reach: Reach) -> Result<()> {
        let calculus = Box::new(Spectral::new(&self.torus));
        let mut flow = GradientFlow::new(Box::new(RelativeEntropy), self.source, calculus);
        let mut state = start.to_vec();
        let stepper = Stepper::Adaptive {
            tolerance: self.tolerance,
        };
        march(
            &mut flow,
            stepper,
            &mut state,
            times,
            &mut |_, time, nu| density(time, nu),
            &mut |_, step, _| Ok(reach(step.time)),
        )
    }
}

/// `e^{−z} I_0(z)` and `2 e^{−z} I_k(z)`, as many as matter, by Miller's backward recurrence `I_{k−1} = I_{k+1} + (2k/z) I_k`; they add up
/// to one.
fn weights(z: f64) -> Vec<f64> {
    // The second weight is z.
    if z < 1e-18 {
        return vec![1.0];
    }
    const HUGE: f64 = 1e150;
    let count = ((2.0 * z * LOGARITHM).sqrt() + LOGARITHM).ceil() as usize;
    let mut values = vec![0.0; count + 1];
    let (mut above, mut here) = (0.0, 1e-300);
    for k in (0..=count).rev() {
        values[k] = if k == 0 { here } else { 2.0 * here };
        if k > 0 {
            (above, here) = (here, above + 2.0 * k as f64 / z * here);
        }
        if here > HUGE {
            values[k..].iter_mut().for_each(|value| *value /= HUGE);
            (above, here) = (above / HUGE, here / HUGE);
        }
    }
    let total: f64 = values.iter().rev().sum();
    values.iter_mut().for_each(|value| *value /= total);
    let kept = values.iter().rposition(|value| *value > (-LOGARITHM).exp());
    values.truncate(kept.map_or(1, |last| last + 1));
    values
}

fn interrupted() -> Error {
    Error::Interrupted {
        when: "during Fokker–Planck".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::{Density, Formula};
    use crate::parallel::{mean, sup, sup_difference};
    use std::sync::Arc;

    fn density(formula: &str, d: usize) -> Density {
        Density::new(Arc::new(Formula::parse(formula, d).unwrap())).unwrap()
    }

    fn exponential(log: &Density, torus: &Torus) -> Vec<f64> {
        log.on(torus).iter().map(|l| (-l).exp()).collect()
    }

    fn run(flow: &mut FokkerPlanck, start: &[f64], times: &[f64]) -> Vec<Vec<f64>> {
        let mut found = Vec::new();
        flow.run(
            start,
            times,
            &mut |_, nu| {
                found.push(nu.to_vec());
                Ok(())
            },
            &mut |_| ControlFlow::Continue(()),
        )
        .unwrap();
        found
    }

    #[test]
    fn it_is_the_gradient_flow_of_relative_entropy() {
        let cases = [
            ("0.8*cos(2*pi*x) + 0.3*sin(4*pi*x)", vec![48]),
            ("0.5*cos(2*pi*x) + 0.4*sin(2*pi*(x + y))", vec![24, 32]),
            ("0.3*cos(2*pi*x) + 0.2*sin(2*pi*(y + z))", vec![24, 24, 24]),
        ];
        for (formula, points) in cases {
            let torus = Torus::new(&points).unwrap();
            let f = density(formula, points.len());
            let start = exponential(&density("0.4*sin(2*pi*x)", points.len()), &torus);
            let times = [0.0, 0.003, 0.01, 0.08];
            let mut flow = FokkerPlanck::new(&torus, &f, 1e-12);
            let found = run(&mut flow, &start, &times);
            let mut steps = Vec::new();
            flow.stepped(
                &start,
                &times,
                &mut |_, nu| {
                    steps.push(nu.to_vec());
                    Ok(())
                },
                &mut |_| ControlFlow::Continue(()),
            )
            .unwrap();
            for (exact, stepped) in found.iter().zip(&steps) {
                let gap = sup_difference(exact, stepped);
                assert!(gap < 3e-11, "{points:?}: {gap:e}");
                assert!((mean(exact) - mean(&start)).abs() < 1e-13);
            }
            let grouped = run(
                &mut FokkerPlanck::new(&torus, &f, 1e-12).together(2),
                &start,
                &times,
            );
            for (one, other) in found.iter().zip(&grouped) {
                assert!(sup_difference(one, other) < 1e-13);
            }
        }
    }

    /// e^{-f} of contrast e^{90}, v over forty orders.
    #[test]
    fn what_would_drown_in_rounding_is_stepped() {
        let torus = Torus::new(&[96]).unwrap();
        let drowns = |formula: &str| {
            let f = density(formula, 1);
            let flow = FokkerPlanck::new(&torus, &f, 1e-9);
            let start = vec![1.0; 96];
            flow.drowns(&start, &flow.symmetrised(&start))
        };
        assert!(drowns("45*cos(2*pi*x)") && !drowns("5*cos(2*pi*x)"));
    }

    #[test]
    fn weights_are_those_of_bessel_functions() {
        // e^{-z} I_k(z) from Abramowitz & Stegun, table 9.8.
        for (z, exact) in [
            (1.0, [0.465_759_607_6, 0.207_910_415_4, 0.049_938_776_8]),
            (5.0, [0.183_540_812_6, 0.163_972_266_9, 0.117_951_906]),
        ] {
            let found = weights(z);
            let half = [found[0], 0.5 * found[1], 0.5 * found[2]];
            assert!(sup_difference(&half, &exact) < 1e-8, "{half:?}");
        }
        assert_eq!(weights(1e-300), [1.0]);
        for z in [1e-12, 1e-3, 30.0, 1e4, 1e7] {
            let found = weights(z);
            assert!(found.iter().all(|w| (0.0..=1.0).contains(w)), "{z}");
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-13);
            // ⟨Y⟩-moment: Σ w_k T_k'(1) = z, since Σ k² w_k = z.
            let moment: f64 = (0..)
                .zip(&found)
                .map(|(k, w)| f64::from(k).powi(2) * w)
                .sum();
            assert!((moment / z - 1.0).abs() < 1e-9, "{z}: {moment}");
        }
    }

    /// The number of products grows as n√t and does not see the contrast.
    #[test]
    fn the_work_is_known_beforehand() {
        let torus = Torus::new(&[64]).unwrap();
        let count = |formula: &str| {
            let f = density(formula, 1);
            let flow = FokkerPlanck::new(&torus, &f, 1e-9);
            weights(0.5 * flow.radius * 0.3).len()
        };
        assert!(count("0") < 1000, "{}", count("0"));
        assert!(count("10*cos(2*pi*x)") < 1200);
        assert!(sup(&weights(1.0)) < 0.5);
    }
}
