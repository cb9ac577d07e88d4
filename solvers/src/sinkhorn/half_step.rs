//! One half-step, axis by axis: `out(y) = ε log ∫ K_ε(x,y) exp(−p(x)/ε − f(x)) dx`.
//!
//! The kernel is a product over the axes, so the sum is taken one axis at a time, in the log domain. Each pass reads eight lines
//! along the leading axis, a cache line at each node, and writes them as the trailing one: after d passes the axes are
//! in order again. Tasks of a few times eight lines are independent of each other and cut by the grid alone, so the bits do not depend
//! on the number of threads; they may differ between processors, since fused multiply–adds are used where there are any. The exponent −p/ε − f is
//! formed in the first pass and ε(…) in the last, so that a pass reads and writes memory once. Cost per node and pass: one
//! exponential, one logarithm and 40 to 90 multiply–adds where p is flat, on any grid (see [`super::line`]). No field is allocated.

use super::kernel::Kernel;
use super::line::LinePlan;
use super::piece::Target;
use super::rows::{Survey, survey};
use super::source::Source;
use super::strip::Strip;
use super::taps::{LANES, Row};
use crate::parallel::PerThread;
use crate::torus::Torus;
use multiversion::multiversion;
use rayon::prelude::*;
use std::f64::consts::PI;

/// Curvature of the summed potential along each axis, as met by the sums of a half-step: λ in the resolution rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Curvature {
    /// (smallest, largest) per axis.
    pub axes: Vec<(f64, f64)>,
}

/// Plans and buffers for half-steps on one grid at one ε.
pub struct HalfStep {
    torus: Torus,
    kernel: Kernel,
    epsilon: f64,
    plans: Vec<LinePlan>,
    scratch: Vec<PerThread<Scratch>>,
    middle: Vec<f64>,
}

/// Buffers of one thread for one axis.
struct Scratch {
    tiles: Vec<Row>,
    strip: Strip,
}

/// Where the exponents of a pass come from.
#[derive(Clone, Copy)]
enum Exponents<'a> {
    /// `−p/ε − f`.
    Potential {
        p: &'a [f64],
        f: &'a [f64],
        inverse: f64,
    },
    /// The sums of the pass before.
    Sums(&'a [f64]),
}

impl HalfStep {
    pub fn new(torus: &Torus, kernel: Kernel, epsilon: f64) -> Self {
        let plans: Vec<_> = torus
            .points()
            .iter()
            .map(|&n| LinePlan::new(n, kernel, epsilon))
            .collect();
        let one = torus.dimension() == 1;
        let scratch = plans
            .iter()
            .map(|plan| {
                PerThread::new(|| Scratch {
                    tiles: vec![[0.0; LANES]; if one { 0 } else { TOGETHER * plan.points }],
                    strip: Strip::new(plan, plan.points),
                })
            })
            .collect();
        Self {
            torus: torus.clone(),
            kernel,
            epsilon,
            plans,
            scratch,
            middle: vec![0.0; torus.len()],
        }
    }

    pub fn epsilon(&self) -> f64 {
        self.epsilon
    }

    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Multiply–adds for each output along each axis where p = 0.
    pub fn terms(&self) -> Vec<f64> {
        self.plans.iter().map(LinePlan::terms).collect()
    }

    /// Writes `out(y) = ε log ∫ K_ε(x,y) exp(−p(x)/ε − f(x)) dx`; returns the curvatures met.
    ///
    /// The sum is the integral to round-off where the grid resolves the curvature ([`super::RESOLUTION`]); deciding
    /// that is the caller's.
    pub fn apply(&mut self, p: &[f64], f: &[f64], out: &mut [f64]) -> Curvature {
        let inverse = 1.0 / self.epsilon;
        let start = Exponents::Potential { p, f, inverse };
        let finish = [self.epsilon, self.epsilon * self.log_normalisation()];
        let middle = &mut self.middle;
        let run = |axis: usize, from: Exponents, affine: [f64; 2], to: &mut [f64]| {
            pass(&self.plans[axis], &self.scratch[axis], from, affine, to)
        };
        const NONE: [f64; 2] = [1.0, 0.0];
        let axes = match self.plans.len() {
            1 => {
                fill(start, middle);
                vec![line(&self.plans[0], &self.scratch[0], middle, finish, out)]
            }
            2 => vec![
                run(0, start, NONE, middle),
                run(1, Exponents::Sums(middle), finish, out),
            ],
            _ => vec![
                run(0, start, NONE, out),
                run(1, Exponents::Sums(out), NONE, middle),
                run(2, Exponents::Sums(middle), finish, out),
            ],
        };
        Curvature {
            axes: axes.into_iter().map(|[min, max]| (min, max)).collect(),
        }
    }

    /// `log [ N^{-1} (2πε)^{-d/2} ]`.
    fn log_normalisation(&self) -> f64 {
        let d = self.torus.dimension() as f64;
        -0.5 * d * (2.0 * PI * self.epsilon).ln() - (self.torus.len() as f64).ln()
    }
}

/// Groups of eight lines read together: on large grids every row is on a page of its own.
const TOGETHER: usize = 8;

/// Lines along the leading axis of `[n][rest]` to lines along the trailing one of `[rest][n]`, as `scale·b + shift`; the curvatures.
fn pass(
    plan: &LinePlan,
    scratch: &PerThread<Scratch>,
    from: Exponents,
    [scale, shift]: [f64; 2],
    to: &mut [f64],
) -> [f64; 2] {
    let n = plan.points;
    let rest = to.len() / n;
    // At least eight tasks, where there are lines enough.
    let together = (rest / (8 * LANES)).clamp(1, TOGETHER);
    let lines = together * LANES;
    to.par_chunks_mut(lines * n)
        .enumerate()
        .map(|(task, values)| {
            scratch.with(|Scratch { tiles, strip }| {
                strip.forget();
                let groups = values.chunks_mut(LANES * n);
                from.gather(task * lines, rest, n, &mut tiles[..groups.len() * n]);
                let tiles = tiles.chunks_exact(n);
                let surveys = groups.zip(tiles).map(|(values, tile)| {
                    let survey = survey(tile, plan.c);
                    let mut target = Target {
                        values,
                        lane: n,
                        scale,
                        shift,
                    };
                    plan.convolve(&Source::Tile(tile), &survey, strip, &mut target);
                    survey
                });
                surveys.fold(Survey::EMPTY, Survey::union)
            })
        })
        .reduce(|| Survey::EMPTY, Survey::union)
        .curvature
}

/// The same for a single line, whose segments take the place of lines.
fn line(
    plan: &LinePlan,
    scratch: &PerThread<Scratch>,
    from: &[f64],
    [scale, shift]: [f64; 2],
    to: &mut [f64],
) -> [f64; 2] {
    let survey = Survey::of_line(from, plan.c);
    let lane = from.len().div_ceil(LANES).min(plan.piece());
    to.par_chunks_mut(LANES * lane)
        .enumerate()
        .for_each(|(group, values)| {
            scratch.with(|Scratch { strip, .. }| {
                let base = std::array::from_fn(|l| (group * LANES + l) * lane);
                let mut target = Target {
                    values,
                    lane,
                    scale,
                    shift,
                };
                let source = Source::Segments { line: from, base };
                plan.convolve(&source, &survey, strip, &mut target);
            });
        });
    survey.curvature
}

/// All exponents in order.
fn fill(from: Exponents, to: &mut [f64]) {
    crate::parallel::for_each_block(to, |start, block| from.read(start, block));
}

impl Exponents<'_> {
    /// Exponents of consecutive nodes from `start` on.
    fn read(&self, start: usize, out: &mut [f64]) {
        let nodes = start..start + out.len();
        match self {
            Self::Potential { p, f, inverse } => {
                for ((out, p), f) in out.iter_mut().zip(&p[nodes.clone()]).zip(&f[nodes]) {
                    *out = -p * inverse - f;
                }
            }
            Self::Sums(sums) => out.copy_from_slice(&sums[nodes]),
        }
    }

    /// Lines along the leading axis from the line `first` on into tiles of n rows; lanes beyond the last line repeat it.
    fn gather(&self, first: usize, rest: usize, n: usize, tiles: &mut [Row]) {
        if first + tiles.len() / n * LANES <= rest {
            return gather_whole(*self, first, rest, n, tiles);
        }
        for i in 0..n {
            for (group, tile) in tiles.chunks_exact_mut(n).enumerate() {
                let (row, first) = (&mut tile[i], first + group * LANES);
                let width = LANES.min(rest - first);
                self.read(i * rest + first, &mut row[..width]);
                let last = row[width - 1];
                row[width..].fill(last);
            }
        }
    }

    /// Eight exponents.
    #[inline(always)]
    fn read_row(&self, start: usize, out: &mut Row) {
        fn row(values: &[f64], start: usize) -> &Row {
            values[start..].first_chunk().expect("a whole row")
        }
        match self {
            Self::Potential { p, f, inverse } => {
                let (p, f) = (row(p, start), row(f, start));
                *out = std::array::from_fn(|l| -p[l] * inverse - f[l]);
            }
            Self::Sums(sums) => *out = *row(sums, start),
        }
    }
}

/// Whole groups of eight lines.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn gather_whole(from: Exponents, first: usize, rest: usize, n: usize, tiles: &mut [Row]) {
    for i in 0..n {
        for (group, tile) in tiles.chunks_exact_mut(n).enumerate() {
            from.read_row(i * rest + first + group * LANES, &mut tile[i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::*;
    use crate::parallel::{sup, sup_difference};

    /// p with curvature between about `1 − bend` and `1 + bend` along each axis.
    fn potential(torus: &Torus, bend: f64) -> Vec<f64> {
        let wave = |node: usize| {
            let x = torus.node(node);
            let sum: f64 = x.iter().sum();
            let own: f64 = x.iter().map(|x| (2.0 * PI * x).cos()).sum();
            bend / (4.0 * PI * PI) * (0.8 * own + 0.2 * (2.0 * PI * sum).sin())
        };
        (0..torus.len()).map(wave).collect()
    }

    fn log_density(torus: &Torus) -> Vec<f64> {
        let wave = |node: usize| {
            let x = torus.node(node);
            0.5 * (2.0 * PI * x[0]).cos() + 0.3 * (4.0 * PI * x[x.len() - 1]).sin()
        };
        (0..torus.len()).map(wave).collect()
    }

    #[test]
    fn agrees_with_dense_log_sum_exp_to_1e_13_at_any_size_curvature_and_epsilon() {
        for (points, epsilons) in [
            (&[64][..], &[1e-2, 1e-3][..]),
            (&[1024], &[0.1, 1e-3, 1e-4, 1e-5, 2e-6]),
            (&[48, 40], &[1e-2, 1e-3]),
            (&[6, 256], &[1e-3, 1e-4]),
            (&[256, 6], &[1e-2, 1e-3]),
            (&[8, 12, 10], &[0.1, 0.02]),
            (&[6, 64, 6], &[1e-2, 1e-3]),
        ] {
            let torus = Torus::new(points).unwrap();
            let f = log_density(&torus);
            for &epsilon in epsilons {
                for (kernel, bend) in [
                    (Kernel::Heat, 0.95),
                    (Kernel::Geodesic, 0.5),
                    (Kernel::Heat, -3.0),
                ] {
                    let p = potential(&torus, bend);
                    let mut out = vec![0.0; torus.len()];
                    HalfStep::new(&torus, kernel, epsilon).apply(&p, &f, &mut out);
                    let exact = reference::half_step(&torus, kernel, epsilon, &p, &f);
                    let error = sup_difference(&out, &exact) / sup(&exact);
                    assert!(
                        error < 1e-13,
                        "{kernel:?} {points:?} ε = {epsilon}, bend {bend}: {error:e}"
                    );
                }
            }
        }
    }

    #[test]
    fn same_bits_on_one_and_two_threads_in_every_dimension() {
        for (points, epsilon) in [
            (&[4096][..], 1e-5),
            (&[1000], 4e-6),
            (&[144, 328], 1e-3),
            (&[34, 36, 40], 5e-3),
        ] {
            let torus = Torus::new(points).unwrap();
            let (p, f) = (potential(&torus, 0.8), log_density(&torus));
            let on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
                pool.build().unwrap().install(|| {
                    let mut out = vec![0.0; torus.len()];
                    HalfStep::new(&torus, Kernel::Heat, epsilon).apply(&p, &f, &mut out);
                    out.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
                })
            };
            assert!(on(1) == on(2), "{points:?}");
        }
    }
}
