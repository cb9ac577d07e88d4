//! `b_j = log Σ_i exp(−c (j−i)² + a_i)` along periodic lines, eight at a time, fast and without loss at any ε.
//!
//! Here i runs over all lifts of the nodes to Z and `c = h²/2ε`. The exponent is concave in i (u is convex), so each j has one
//! maximiser `i*(j)`, monotone in j.
//!
//! *Tilt.* For outputs `j = y + η` let D be the drift `j − i*` in their middle and `i = y − D + k`. Then
//!
//! ```text
//! −c(j−i)² + a_i = −c(η−k)² + [a_i + 2cDk] − cD² − 2cDη.
//! ```
//!
//! The bracket less its middle value is the logarithm of a weight: one `exp` per *input*, as long as it stays within ±LIMIT, for
//! which the outputs are cut into pieces where needed. All terms are positive: nothing cancels, overflows or is lost.
//!
//! *Split.* On fine grids a Gaussian is two Gaussians of half the variance in succession, with fewer nodes between, s apart:
//!
//! ```text
//! Σ_z e^{−2c(η−z)²} e^{−2c(z−k)²} = e^{−c(η−k)²} (√(π/4c)/s) (1 + 2 e^{−π²/4cs²} cos(…) + …),    z ∈ sZ.
//! ```
//!
//! With `s h ≤ 0.37 √ε` the bracket is 1 to 5e-16 *for every pair of nodes*, so the split holds for every a, smooth or not;
//! nothing about the data is assumed. Both sums then take about 40 terms per node on every grid, however fine. The nodes
//! between need not be nodes of the grid ([`super::split`]).
//!
//! *Window.* A window ends where the exponents have dropped by CUTOFF from their maximum, by a lower bound from the slopes
//! ([`super::reach`]). How many nodes that takes at most is known beforehand from the smallest curvature λ, measured on the lines: the
//! terms fall as `e^{−cλ(i−i*)²}` at least, so `√(CUTOFF/cλ)` nodes on either side suffice; for the halves of a split the
//! curvatures are `1 + λ` and, after the sum over i, `4λ/(1 + λ)`. What was left out is checked in every sum: its first and
//! last term must be below TAIL of it ([`super::taps::sum`]). What fails is summed around the whole circle, or as the
//! definition reads.

use super::kernel::Kernel;
use super::piece::Target;
use super::rows::Survey;
use super::source::Source;
use super::split::Split;
use super::strip::{Lines, Strip};
use super::taps::{OUTPUTS, Taps};
use crate::elementary;
use multiversion::multiversion;

/// Terms below e^{−CUTOFF} ≈ 8.5e-17 of the largest are left out; all of them together are below 1e-17 of the sum.
pub const CUTOFF: f64 = 37.0;

/// Bound on the end terms of a sum, relative to the sum.
pub const TAIL: f64 = 1e-16;

/// Logarithms of weights stay within ±LIMIT, so that products of a weight and a tap that matter stay above e^{−2·LIMIT−CUTOFF}.
pub const LIMIT: f64 = 320.0;

/// Windows are provided down to this curvature λ.
const SMALLEST_CURVATURE: f64 = 0.02;

/// Cost of a term with its share in finding the window, and of one with an exponential of its own, to that of a term of a circle.
const WINDOWED: f64 = 1.3;
const EXPONENTIAL: f64 = 40.0;

/// Circles longer than this are not tabulated.
const LONGEST_CIRCLE: usize = 2048;

/// Everything about lines of n nodes that does not depend on the data.
pub struct LinePlan {
    pub points: usize,
    kernel: Kernel,
    /// c = h²/2ε.
    pub c: f64,
    pub direct: Taps,
    pub split: Option<Split>,
    /// The kernel around the circle.
    pub circle: Option<Taps>,
    /// log kernel at node distance i, repeated twice so that any rotation is contiguous.
    log_kernel: Vec<f64>,
    /// See [`CUTOFF`]; smaller only in tests of the check.
    cutoff: f64,
}

/// How the sums of some lines are taken, with the largest half-widths of windows in nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Way {
    Direct { reach: f64 },
    Split { reach: [f64; 2] },
    Circle,
    Dense,
}

impl Way {
    /// The same kind, with windows of nearly the same half-widths.
    pub fn resembles(self, other: Self) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() <= 0.1 * b;
        match (self, other) {
            (Self::Direct { reach: a }, Self::Direct { reach: b }) => near(a, b),
            (Self::Split { reach: a }, Self::Split { reach: b }) => {
                near(a[0], b[0]) && near(a[1], b[1])
            }
            _ => false,
        }
    }
}

impl LinePlan {
    pub fn new(points: usize, kernel: Kernel, epsilon: f64) -> Self {
        let h = 1.0 / points as f64;
        let c = h * h / (2.0 * epsilon);
        let once: Vec<f64> = (0..points)
            .map(|r| kernel.log_value(epsilon, r as f64 * h))
            .collect();
        let around = |r: i64| r.rem_euclid(points as i64) as usize;
        let circle = || {
            let kernel: Vec<f64> = once.iter().map(|log| log.exp()).collect();
            Taps::new(points, [1, 1], |taps| {
                taps.iter_mut().for_each(|r| *r = kernel[around(*r as i64)]);
            })
        };
        Self {
            points,
            kernel,
            c,
            direct: gaussian(c, [1, 1], 1.0),
            split: Split::new(points, c, WINDOWED),
            circle: (points <= LONGEST_CIRCLE).then(circle),
            log_kernel: [&once[..], &once[..]].concat(),
            cutoff: CUTOFF,
        }
    }

    /// Outputs of a piece that is tried first where the circle is too long for one: 32 √ε.
    pub fn piece(&self) -> usize {
        let length = 32.0 / (2.0 * self.c).sqrt();
        (length as usize).next_multiple_of(OUTPUTS).max(OUTPUTS)
    }

    /// Inputs on either side of a piece that a strip holds at most: 40 √ε.
    pub fn margin(&self) -> usize {
        (40.0 / (2.0 * self.c).sqrt()).ceil() as usize + 2 * OUTPUTS
    }

    /// Distance of the nodes between the halves of a split in nodes; 1 where there is none.
    pub fn apart(&self) -> f64 {
        self.split
            .as_ref()
            .map_or(1.0, |split| split.spacing.nodes())
    }

    /// Drop of the exponents at the end of a window, over 2c.
    pub fn drop(&self) -> f64 {
        self.cutoff / (2.0 * self.c)
    }

    /// Writes `scale·b + shift` for the outputs of every lane.
    pub fn convolve(
        &self,
        source: &Source,
        survey: &Survey,
        strip: &mut Strip,
        target: &mut Target,
    ) {
        if survey.nan {
            target.values.fill(f64::NAN);
            return;
        }
        let way = self.way(survey);
        let around = self.circle.is_some() && survey.range() <= 2.0 * LIMIT;
        let lines = |way| Lines {
            plan: self,
            way,
            source,
            survey,
        };
        let done = way != Way::Dense && strip.run(lines(way), target)
            || around && strip.run(lines(Way::Circle), target);
        if !done {
            self.dense(source, target);
        }
    }

    /// Multiply–adds per output where p = 0.
    pub fn terms(&self) -> f64 {
        let flat = Survey {
            curvature: [1.0, 1.0],
            exponent: [0.0, 0.0],
            ..Survey::EMPTY
        };
        self.terms_of(self.way(&flat))
    }

    /// The cheapest way that these lines allow.
    pub fn way(&self, survey: &Survey) -> Way {
        let round = match survey.range() <= 2.0 * LIMIT && self.circle.is_some() {
            true => Way::Circle,
            false => Way::Dense,
        };
        let lambda = survey.curvature[0];
        if lambda < SMALLEST_CURVATURE {
            return round;
        }
        let reach = |curvature: f64| (self.cutoff / (self.c * curvature)).sqrt() + 3.0;
        // The geodesic kernel ends at the antipode.
        let farthest = reach(lambda) + survey.drift + 2.0 * OUTPUTS as f64;
        if self.kernel == Kernel::Geodesic && farthest >= 0.5 * self.points as f64 {
            return round;
        }
        let direct = Way::Direct {
            reach: reach(lambda),
        };
        let split = Way::Split {
            reach: [reach(1.0 + lambda), reach(4.0 * lambda / (1.0 + lambda))],
        };
        let windowed = if self.split.is_some() { split } else { direct };
        [direct, windowed, round]
            .into_iter()
            .min_by(|a, b| self.cost_of(*a).total_cmp(&self.cost_of(*b)))
            .expect("three ways")
    }

    /// Terms per output.
    fn terms_of(&self, way: Way) -> f64 {
        let (n, block) = (self.points as f64, OUTPUTS as f64);
        match way {
            Way::Direct { reach } => 2.0 * reach + block,
            Way::Split { reach } => match &self.split {
                Some(split) => split.spacing.terms_within(reach, self.points),
                None => f64::INFINITY,
            },
            Way::Circle | Way::Dense => n,
        }
    }

    /// In terms of a circle, whose rows need no window.
    fn cost_of(&self, way: Way) -> f64 {
        let each = match way {
            Way::Direct { .. } | Way::Split { .. } => WINDOWED,
            Way::Circle => 1.0,
            Way::Dense => EXPONENTIAL,
        };
        each * self.terms_of(way)
    }

    /// The sum over all nodes as the definition reads, an exponential for each.
    fn dense(&self, source: &Source, target: &mut Target) {
        let n = self.points;
        let (mut line, mut work) = (vec![0.0; n], vec![0.0; n]);
        for (lane, out) in target.values.chunks_mut(target.lane).enumerate() {
            source.line(lane, &mut line);
            for (j, out) in out.iter_mut().enumerate() {
                let b = log_sum_exp(&line, &self.log_kernel[n - j..2 * n - j], &mut work);
                *out = target.scale * b + target.shift;
            }
        }
    }
}

/// Taps `factor·exp(−c δ²)` at distances δ of outputs p/q inputs apart, as far as they can matter: to e^{−2·LIMIT−CUTOFF}.
pub fn gaussian(c: f64, ratio: [usize; 2], factor: f64) -> Taps {
    let reach = ((2.0 * LIMIT + CUTOFF) / c).sqrt().ceil() as usize;
    Taps::new(reach, ratio, |taps| {
        taps.iter_mut().for_each(|tap| *tap = -c * (*tap * *tap));
        elementary::exp_slice(taps);
        taps.iter_mut().for_each(|tap| *tap *= factor);
    })
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn log_sum_exp(a: &[f64], kernel: &[f64], work: &mut [f64]) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for ((work, a), kernel) in work.iter_mut().zip(a).zip(kernel) {
        *work = a + kernel;
        largest = if *work > largest { *work } else { largest };
    }
    let mut lanes = [0.0; 8];
    let (whole, rest) = work.as_chunks::<8>();
    for chunk in whole {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += elementary::exp(value - largest);
        }
    }
    let rest: f64 = rest.iter().map(|v| elementary::exp(v - largest)).sum();
    largest + (lanes.iter().sum::<f64>() + rest).ln()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rows::survey;
    use super::super::taps::{LANES, Row};
    use super::*;
    use std::f64::consts::PI;

    /// Lines `−p/ε − f` of smooth p, with curvature between 1 ∓ `bend` at ε, and noise of alternating sign on top.
    pub fn tile(n: usize, epsilon: f64, bend: f64, noise: f64) -> Vec<Row> {
        let exponent = |i: usize, lane: usize| {
            let phase = 2.0 * PI * (i as f64 / n as f64 + 0.01 * lane as f64);
            let p = bend / (4.0 * PI * PI) * phase.cos();
            let alternating = if (i + lane).is_multiple_of(2) {
                noise
            } else {
                -noise
            };
            -p / epsilon - 0.5 * (2.0 * phase).sin() + alternating
        };
        (0..n)
            .map(|i| std::array::from_fn(|lane| exponent(i, lane)))
            .collect()
    }

    /// Which way was taken, whether it held, and the difference from the dense sums relative to the largest of these.
    fn compare(plan: &LinePlan, tile: &[Row]) -> (Way, bool, f64) {
        let n = plan.points;
        let (source, survey) = (Source::Tile(tile), survey(tile, plan.c));
        let mut strip = Strip::new(plan, n);
        let (mut fast, mut slow) = (vec![0.0; LANES * n], vec![0.0; LANES * n]);
        fn target(values: &mut [f64], lane: usize) -> Target<'_> {
            Target {
                values,
                lane,
                scale: 1.0,
                shift: 0.0,
            }
        }
        let way = plan.way(&survey);
        let lines = Lines {
            plan,
            way,
            source: &source,
            survey: &survey,
        };
        let held = strip.run(lines, &mut target(&mut fast, n));
        plan.convolve(&source, &survey, &mut strip, &mut target(&mut fast, n));
        plan.dense(&source, &mut target(&mut slow, n));
        let size = slow.iter().fold(0.0, |m: f64, b| m.max(b.abs()));
        let worst = fast
            .iter()
            .zip(&slow)
            .fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        (way, held, worst / size)
    }

    #[test]
    fn every_way_agrees_with_the_dense_sum() {
        let direct = |way: Way| matches!(way, Way::Direct { .. });
        let split = |way: Way| matches!(way, Way::Split { .. });
        let circle = |way: Way| way == Way::Circle;
        type Check = fn(Way) -> bool;
        for (n, epsilon, bend, is) in [
            (64, 1e-3, 0.4, circle as Check),
            (64, 3e-4, 0.4, direct),
            (128, 3e-4, 0.4, direct),
            (1000, 4e-6, 0.8, direct),
            (512, 1e-3, 0.6, split),
            (500, 1e-3, 0.6, split),
            (2048, 1e-4, 0.9, split),
            (2048, 1e-5, -0.8, split),
            (40, 0.1, 0.3, circle),
            (256, 1e-3, 1.5, circle),
        ] {
            let plan = LinePlan::new(n, Kernel::Heat, epsilon);
            let (way, held, error) = compare(&plan, &tile(n, epsilon, bend, 0.0));
            assert!(is(way) && held, "{n}, ε = {epsilon}: {way:?} {held}");
            assert!(error < 1e-14, "{n}, ε = {epsilon}, {way:?}: {error:e}");
        }
    }

    #[test]
    fn a_split_is_exact_for_data_that_are_rough_at_the_scale_of_the_nodes() {
        let (n, epsilon, noise) = (512, 1e-3, 3e-4);
        let plan = LinePlan::new(n, Kernel::Heat, epsilon);
        let rough = tile(n, epsilon, 0.3, noise);
        let (way, held, error) = compare(&plan, &rough);
        assert!(matches!(way, Way::Split { .. }) && held && plan.apart() > 2.0);
        assert!(error < 1e-14, "{error:e}");
        // To skip nodes instead would be wrong by the noise.
        let skipped: f64 = rough.iter().step_by(2).map(|row| row[0].exp()).sum();
        let all: f64 = rough.iter().map(|row| row[0].exp()).sum();
        assert!((2.0 * skipped / all - 1.0).abs() > 0.5 * noise);
    }

    #[test]
    fn a_window_that_is_too_narrow_is_caught_and_replaced() {
        for (n, epsilon) in [(64, 1e-3), (512, 1e-3), (2048, 1e-5)] {
            let mut plan = LinePlan::new(n, Kernel::Heat, epsilon);
            plan.cutoff = 12.0;
            let (way, held, error) = compare(&plan, &tile(n, epsilon, 0.0, 0.0));
            assert!(!held && way != Way::Circle && way != Way::Dense, "{n}");
            assert!(error < 1e-14, "{n}: {error:e}");
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        let plan = LinePlan::new(64, Kernel::Heat, 1e-3);
        let mut tile = tile(64, 1e-3, 0.3, 0.0);
        tile[17][3] = f64::NAN;
        let mut values = vec![0.0; LANES * 64];
        let mut target = Target {
            values: &mut values,
            lane: 64,
            scale: 1.0,
            shift: 0.0,
        };
        let survey = survey(&tile, plan.c);
        let mut strip = Strip::new(&plan, 64);
        plan.convolve(&Source::Tile(&tile), &survey, &mut strip, &mut target);
        assert!(values[3 * 64..4 * 64].iter().all(|b| b.is_nan()));
    }
}
