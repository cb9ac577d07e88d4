//! Rodas5P: an adaptive, L-stable, stiffly accurate Rosenbrock method of order 5 with dense output of order 4.
//!
//! Eight stages share one Jacobian; each needs one linear solve. The method satisfies the extra conditions that keep its
//! order on semi-discretised parabolic problems. Source of method and coefficients: Steinebach, *Construction of
//! Rosenbrock–Wanner method Rodas5P*, BIT 63 (2023) 27. Form (Hairer & Wanner II, IV.7):
//!
//! ```text
//! (1 − γhJ) k_i = γh [ F(y + Σ_{j<i} a_ij k_j) + Σ_{j<i} (c_ij/h) k_j ],
//! y_new = y + Σ a_8j k_j + k_8,   error estimate k_8,
//! y(θ) = (1−θ) y + θ [ y_new + (1−θ) ( d_1 + θ ( d_2 + θ d_3 ) ) ],   d_m = Σ_j D_mj k_j.
//! ```

use super::{Size, System};
use crate::error::{Error, Result};
use crate::multivector::combine;
use crate::parallel::{BLOCK, in_pool};

const STAGES: usize = 8;
const GAMMA: f64 = 0.211_937_563_194_290_14;

/// Rows i = 2, …, 6; rows 7 and 8 repeat row 6 and append ones.
const A: [&[f64]; 5] = [
    &[3.0],
    &[2.849_394_379_747_939, 0.458_422_422_044_639_23],
    &[
        -6.954_028_509_809_101,
        2.489_845_061_869_568,
        -10.358_996_098_473_584,
    ],
    &[
        2.802_998_627_562_896_4,
        0.507_246_473_622_820_6,
        -0.398_831_254_177_052_4,
        -0.047_211_872_304_046_41,
    ],
    &[
        -7.502_846_399_306_121,
        2.561_846_144_803_919,
        -11.627_539_656_261_098,
        -0.182_687_676_599_422_56,
        0.030_198_172_008_377_946,
    ],
];

/// Rows i = 2, …, 8.
const C: [&[f64]; 7] = [
    &[-14.155_112_264_123_755],
    &[-17.972_960_358_859_52, -2.859_693_295_451_294],
    &[
        147.121_502_757_117_16,
        -1.412_214_027_182_13,
        71.689_402_513_023_58,
    ],
    &[
        165.435_170_248_716_76,
        -0.459_282_345_649_112_6,
        42.909_383_369_586_03,
        -5.961_986_721_573_306,
    ],
    &[
        24.854_864_614_690_072,
        -3.000_922_700_283_218_6,
        47.493_111_002_076_8,
        5.581_419_782_155_812_5,
        -0.661_069_182_524_947_1,
    ],
    &[
        30.912_732_140_285_99,
        -3.120_824_334_993_797_4,
        77.799_546_460_708_92,
        34.286_460_282_947_83,
        -19.097_331_116_725_623,
        -28.087_943_162_872_662,
    ],
    &[
        37.802_771_233_905_63,
        -3.257_196_902_907_227_6,
        112.269_188_494_963_27,
        66.934_723_124_404_7,
        -40.066_189_370_910_02,
        -54.667_802_628_779_68,
        -9.488_616_523_096_27,
    ],
];

const DENSE: [[f64; STAGES]; 3] = [
    [
        25.948_786_856_663_858,
        -2.557_972_484_584_623_5,
        10.433_815_404_888_879,
        -2.367_925_102_268_520_4,
        0.524_948_541_321_073,
        1.124_108_831_045_040_4,
        0.427_287_619_443_187_4,
        -0.172_022_210_701_554_93,
    ],
    [
        -9.915_688_506_951_71,
        -0.968_994_459_411_515_4,
        3.043_803_724_297_845_3,
        -24.495_224_566_215_796,
        20.176_138_334_709_044,
        15.980_663_614_246_51,
        -6.789_040_303_419_874,
        -6.710_236_069_923_372,
    ],
    [
        11.419_903_575_922_262,
        2.887_964_514_613_699_4,
        72.921_379_959_960_29,
        80.125_118_346_226_43,
        -52.072_871_366_152_654,
        -59.789_936_252_667_29,
        -0.155_826_842_827_519_13,
        4.883_087_185_713_722,
    ],
];

/// Coefficient `a_ij` (stages counted from 0).
fn a(i: usize, j: usize) -> f64 {
    match i {
        0 => 0.0,
        1..=5 => A[i - 1][j],
        _ if j < 5 => A[4][j],
        _ => 1.0,
    }
}

/// Linear solves are this much tighter than the step's tolerance. A residual of one stage moves the result of the step by at most
/// 6.3 times as much and the error estimate by 2.1 times (the largest over hλ ≤ 0); those of all stages together make 0.24 % and
/// 0.09 % of the tolerance, in the root mean square. Ten times as much would be enough for p, but not for log ρ late in a decay,
/// where steps err far less than they may and two derivatives magnify what the solves leave.
const LINEAR_TOLERANCE: f64 = 1e-4;
const SAFETY: f64 = 0.9;
const SHRINK: f64 = 0.2;
const GROW: f64 = 6.0;
/// A step this much smaller than the time it starts at, or than the horizon, no longer advances.
const SMALLEST_STEP: f64 = 1e-13;
/// As many accepted steps in a row as short as this part of the time left say that something degenerates: a start that asks for
/// short steps lets them grow sixfold each.
const CRAWLING: usize = 200;
const SHORT: f64 = 1e-9;

/// One accepted step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Start of the step.
    pub time: f64,
    pub step: f64,
    /// Error estimate divided by the tolerance, ≤ 1 unless steps are fixed.
    pub error: f64,
    /// Steps refused since the last accepted one.
    pub rejected: usize,
    /// Krylov iterations spent, refused steps included.
    pub krylov: usize,
}

/// Adaptive integrator with its stages allocated once.
pub struct Rosenbrock {
    tolerance: f64,
    /// Whether every step is accepted as it is.
    fixed: bool,
    stages: Vec<Vec<f64>>,
    state: Vec<f64>,
    old: Vec<f64>,
    old_rate: Vec<f64>,
    rhs: Vec<f64>,
    step: Option<f64>,
    previous_error: f64,
    /// Short steps in a row.
    crawling: usize,
}

impl Rosenbrock {
    /// Order of the method.
    pub const ORDER: u32 = 5;

    /// Error per step below `tolerance` in the norm of the system.
    pub fn new(tolerance: f64, len: usize) -> Self {
        Self {
            tolerance,
            fixed: false,
            stages: vec![vec![0.0; len]; STAGES],
            state: vec![0.0; len],
            old: vec![0.0; len],
            old_rate: vec![0.0; len],
            rhs: vec![0.0; len],
            step: None,
            previous_error: 1.0,
            crawling: 0,
        }
    }

    /// The same with steps of length `step` and no error control; linear systems as for `tolerance`.
    pub fn fixed(step: f64, tolerance: f64, len: usize) -> Self {
        Self {
            fixed: true,
            step: Some(step),
            ..Self::new(tolerance, len)
        }
    }

    /// The length of the next step, once one was taken.
    pub fn planned(&self) -> Option<f64> {
        self.step
    }

    /// The same for states of another length, with `step` to be tried next.
    pub fn resized(&self, len: usize, step: Option<f64>) -> Self {
        Self {
            fixed: self.fixed,
            step,
            previous_error: self.previous_error,
            crawling: self.crawling,
            ..Self::new(self.tolerance, len)
        }
    }

    /// Advances y from `time` by one accepted step, never past `end`.
    ///
    /// # Errors
    /// [`Error::StepTooSmall`] when no step above 1e-13 of the time is acceptable, or when steps stay below a billionth of the time left; those
    /// of the system where they are why steps are refused.
    pub fn advance(
        &mut self,
        system: &mut dyn System,
        time: f64,
        end: f64,
        y: &mut [f64],
    ) -> Result<StepReport> {
        // Hundreds of short parallel loops follow: they begin faster on a thread of the pool.
        if y.len() > BLOCK {
            in_pool(|| self.accepted_step(system, time, end, y))
        } else {
            self.accepted_step(system, time, end, y)
        }
    }

    fn accepted_step(
        &mut self,
        system: &mut dyn System,
        time: f64,
        end: f64,
        y: &mut [f64],
    ) -> Result<StepReport> {
        let mut krylov = 0;
        self.old.copy_from_slice(y);
        system.linearise(&self.old, &mut self.old_rate)?;
        let wanted = match self.step {
            Some(step) => step,
            None => self.first_step(system),
        };
        let mut step = wanted.min(end - time);
        if self.fixed {
            let error = self.attempt(system, step, &mut krylov)?;
            y.copy_from_slice(&self.state);
            return Ok(StepReport {
                time,
                step,
                error: error.value,
                rejected: 0,
                krylov,
            });
        }
        for rejected in 0.. {
            let attempt = self.attempt(system, step, &mut krylov);
            let (factor, reason) = match attempt {
                Ok(Size { value: error, of }) if error <= 1.0 => {
                    let clipped = rejected == 0 && step < wanted;
                    let next = step * self.growth(error);
                    // A step cut short by `end` says nothing against the longer one; a refusal does.
                    self.step = Some(if clipped { next.max(wanted) } else { next });
                    self.previous_error = error.max(1e-4);
                    y.copy_from_slice(&self.state);
                    self.watch(step, end - time, of)?;
                    return Ok(StepReport {
                        time,
                        step,
                        error,
                        rejected,
                        krylov,
                    });
                }
                Ok(Size { value: error, of }) if error.is_finite() => {
                    let factor = (SAFETY * error.powf(-0.2)).clamp(SHRINK, SAFETY);
                    (factor, too_small(step, of))
                }
                Ok(Size { of, .. }) => (SHRINK, too_small(step, of)),
                Err(reason @ Error::Interrupted { .. }) => return Err(reason),
                Err(reason) => (SHRINK, reason),
            };
            step *= factor;
            if step < SMALLEST_STEP * end.abs().max(time.abs()) {
                return Err(reason);
            }
        }
        unreachable!("the loop returns")
    }

    /// Refuses to crawl: `step` was accepted with `left` to go.
    fn watch(&mut self, step: f64, left: f64, of: &'static str) -> Result<()> {
        self.crawling = if step < SHORT * left {
            self.crawling + 1
        } else {
            0
        };
        if self.crawling > CRAWLING {
            return Err(too_small(step, of));
        }
        Ok(())
    }

    /// Whatever step makes the first-order change about the square root of the tolerance.
    fn first_step(&self, system: &dyn System) -> f64 {
        self.tolerance.sqrt() / system.norm(&self.old_rate).max(1e-8)
    }

    /// Proportional–integral control of an estimate of order 4.
    fn growth(&self, error: f64) -> f64 {
        let error = error.max(1e-10);
        (SAFETY * error.powf(-0.14) * self.previous_error.powf(0.08)).clamp(SHRINK, GROW)
    }

    /// Tries one step from `old`, with F there and the Jacobian known; leaves the result in `state`.
    /// Returns the error over the tolerance.
    fn attempt(&mut self, system: &mut dyn System, step: f64, krylov: &mut usize) -> Result<Size> {
        let shift = GAMMA * step;
        for i in 0..STAGES {
            // γh [ F + Σ (c_ij/h) k_j ].
            if i == 0 {
                self.rhs.copy_from_slice(&self.old_rate);
                combine(shift, &mut self.rhs, &[], &[]);
            } else {
                let weights: [f64; STAGES] =
                    std::array::from_fn(|j| if j < i { a(i, j) } else { 0.0 });
                self.state.copy_from_slice(&self.old);
                combine(1.0, &mut self.state, &weights[..i], &self.stages);
                system.rate(&self.state, &mut self.rhs)?;
                let weights = C[i - 1].iter().map(|c| GAMMA * c);
                combine(
                    shift,
                    &mut self.rhs,
                    &weights.collect::<Vec<_>>(),
                    &self.stages,
                );
            }
            let tolerance = LINEAR_TOLERANCE * self.tolerance;
            *krylov += system.solve(shift, &self.rhs, &mut self.stages[i], tolerance)?;
        }
        combine(1.0, &mut self.state, &[1.0], &self.stages[STAGES - 1..]);
        // The last stage k is the estimate of the error, and (1 − γhJ) k = rhs gives J k.
        let estimate = &self.stages[STAGES - 1..];
        combine(-1.0 / shift, &mut self.rhs, &[1.0 / shift], estimate);
        Ok(system.error(&estimate[0], &self.rhs, self.tolerance))
    }

    /// Dense output: the state at fraction θ ∈ [0, 1] of the step just accepted.
    pub fn interpolate(&self, theta: f64, out: &mut [f64]) {
        out.copy_from_slice(&self.old);
        combine(
            1.0 - theta,
            out,
            &[theta],
            std::slice::from_ref(&self.state),
        );
        let weights: [f64; STAGES] = std::array::from_fn(|j| {
            let [d1, d2, d3] = [DENSE[0][j], DENSE[1][j], DENSE[2][j]];
            theta * (1.0 - theta) * (d1 + theta * (d2 + theta * d3))
        });
        combine(1.0, out, &weights, &self.stages);
    }
}

fn too_small(step: f64, of: &'static str) -> Error {
    Error::StepTooSmall {
        step,
        quantity: of,
        when: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::Riccati;
    use super::*;
    use crate::parallel::sup_difference;

    /// Fixed steps to t = 1: errors at the end and in the middle of the last step.
    fn fixed(steps: usize) -> (f64, f64) {
        let mut system = Riccati::new();
        let mut y = system.exact(0.0);
        let h = 1.0 / steps as f64;
        let mut stepper = Rosenbrock::fixed(h, 1e-9, y.len());
        let mut dense = y.clone();
        let mut worst_dense: f64 = 0.0;
        for k in 0..steps {
            let time = k as f64 * h;
            stepper
                .advance(&mut system, time, time + h, &mut y)
                .unwrap();
            stepper.interpolate(0.4, &mut dense);
            worst_dense = worst_dense.max(sup_difference(&dense, &system.exact(time + 0.4 * h)));
        }
        (sup_difference(&y, &system.exact(1.0)), worst_dense)
    }

    #[test]
    fn order_five_and_dense_output_of_order_four() {
        let ((coarse, coarse_dense), (fine, fine_dense)) = (fixed(80), fixed(160));
        let (order, dense_order) = ((coarse / fine).log2(), (coarse_dense / fine_dense).log2());
        assert!((order - 5.0).abs() < 0.3, "order {order}");
        // Local error of the interpolant: one more than its order.
        assert!(dense_order > 4.4, "dense order {dense_order}");
    }

    /// The largest effect of a unit residual of each stage on the result and on the estimate, for `y' = λy`.
    #[test]
    fn residuals_of_the_linear_solves_stay_far_below_the_tolerance() {
        let (mut result, mut estimate) = ([0.0f64; STAGES], [0.0f64; STAGES]);
        let grid = (0..=900).map(|k| -(10f64.powf(-3.0 + f64::from(k) / 100.0)));
        for z in grid.chain([0.0]) {
            for source in 0..STAGES {
                let mut k = [0.0; STAGES];
                for i in 0..STAGES {
                    let residual = f64::from(u8::from(i == source));
                    let rhs = |j: usize| GAMMA * (z * a(i, j) + C[i - 1][j]) * k[j];
                    k[i] = (residual + (0..i).map(rhs).sum::<f64>()) / (1.0 - GAMMA * z);
                }
                let last = k[STAGES - 1];
                let moved = last
                    + (0..STAGES - 1)
                        .map(|j| a(STAGES - 1, j) * k[j])
                        .sum::<f64>();
                result[source] = result[source].max(moved.abs());
                estimate[source] = estimate[source].max(last.abs());
            }
        }
        let worst = |all: [f64; STAGES]| all.into_iter().fold(0.0, f64::max);
        let sum = |all: [f64; STAGES]| LINEAR_TOLERANCE * all.iter().sum::<f64>();
        assert!(worst(result) < 6.3 && worst(estimate) < 2.1);
        assert!(sum(result) < 0.024 && sum(estimate) < 0.009);
    }

    /// A step cut short by the end of the run is planned again as it was, a refused one is not.
    #[test]
    fn a_refused_step_is_not_tried_again_and_one_cut_short_is() {
        let next = |tolerance: f64, end: f64| {
            let mut system = Riccati::new();
            let mut y = system.exact(0.0);
            let mut stepper = Rosenbrock::new(tolerance, y.len());
            stepper.step = Some(1.0);
            let report = stepper.advance(&mut system, 0.0, end, &mut y).unwrap();
            (report.rejected, stepper.step.unwrap())
        };
        let (rejected, refused) = next(1e-10, 1.0);
        assert!(rejected > 0 && refused < 1.0, "{rejected} {refused}");
        assert_eq!(next(1e-3, 1e-3), (0, 1.0));
    }

    #[test]
    fn adaptive_error_follows_the_tolerance() {
        let error = |tolerance: f64| {
            let mut system = Riccati::new();
            let mut y = system.exact(0.0);
            let mut stepper = Rosenbrock::new(tolerance, y.len());
            let (mut time, mut steps) = (0.0, 0);
            while time < 1.0 {
                let report = stepper.advance(&mut system, time, 1.0, &mut y).unwrap();
                time += report.step;
                steps += 1;
            }
            (sup_difference(&y, &system.exact(1.0)), steps)
        };
        let ((loose, few), (tight, many)) = (error(1e-6), error(1e-10));
        assert!(loose < 1e-5 && tight < 1e-9, "{loose} {tight}");
        assert!(few < many && many < 200, "{few} {many}");
    }
}
