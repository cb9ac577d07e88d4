//! `b_j = log Σ_i exp(−c (j−i)² + a_i)` along one periodic line, fast and without loss at any ε.
//!
//! Here i runs over all lifts of the nodes to Z and `c = h²/2ε`. The exponent is concave in i (u is convex), so each j has one
//! maximiser. For a block of outputs `j = m + η` around m, let i* be the maximiser for m, `D = m − i*`, `i = i* + ξ`:
//!
//! ```text
//! −c(j−i)² + a_i = [a_{i*} − cD² − cη² − 2cDη] + [a_i − a_{i*} + 2cDξ − cξ²] + 2cηξ.
//! ```
//!
//! The first bracket leaves the sum; the second is one `exp` per *input*, `w_ξ ≤ 1`; the third is a fixed matrix `M = e^{2cηξ}`,
//! the same for every block of every line. So the sum is a small matrix product of positive terms: nothing cancels, and the
//! window is kept where M is finite.
//!
//! *Window.* With s the smallest second difference of the exponent (λ_min h²/ε), every exponent lies below its maximum by at
//! least `s(ξ−ξ*)²/2`, and `|ξ*| ≤ |η|·2c/s + 1`. The window `2c·(B/2)/s + √(2·CUTOFF/s) + 2` therefore leaves out less than
//! `e^{−CUTOFF}` of the sum, a bound and not a hope. Where it does not fit, the line is summed densely.

use super::kernel::Kernel;
use crate::elementary;
use multiversion::multiversion;

/// Outputs per block: lanes of the inner loop.
const BLOCK: usize = 16;
const HALF: usize = BLOCK / 2;

/// Terms below e^{−CUTOFF} ≈ 2e-18 of the largest are left out.
const CUTOFF: f64 = 40.75;

/// Windows are provided down to this curvature λ; below it a line is summed densely.
const SMALLEST_CURVATURE: f64 = 0.02;

/// Exponents of the matrix stay below this.
const LARGEST_EXPONENT: f64 = 600.0;

/// Second differences of a line, as curvatures λ = 1 + p″ of the summed potential.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub min: f64,
    pub max: f64,
}

impl Range {
    /// Neutral element of [`Range::union`].
    pub const EMPTY: Self = Self {
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    pub fn union(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// Everything about lines of n nodes that does not depend on the data.
pub struct LinePlan {
    points: usize,
    kernel: Kernel,
    /// c = h²/2ε.
    c: f64,
    /// `e^{2cηξ}`, row ξ + widest, η = −HALF … HALF−1.
    matrix: Vec<[f64; BLOCK]>,
    widest: usize,
    /// log kernel at node distance i, repeated twice so that any rotation is contiguous.
    log_kernel: Vec<f64>,
}

/// Scratch for one line.
pub struct LineScratch {
    /// Three periods of a.
    lifted: Vec<f64>,
    weights: Vec<f64>,
}

impl LinePlan {
    pub fn new(points: usize, kernel: Kernel, epsilon: f64) -> Self {
        let h = 1.0 / points as f64;
        let c = h * h / (2.0 * epsilon);
        // Beyond this e^{2cηξ} would overflow; a longer window is summed densely.
        let finite = (LARGEST_EXPONENT / (2.0 * c * HALF as f64)) as usize;
        let widest = window(c, SMALLEST_CURVATURE).min(points).min(finite);
        let reach = widest as i64;
        let matrix = (-reach..=reach)
            .map(|xi| {
                std::array::from_fn(|lane| {
                    let eta = lane as f64 - HALF as f64;
                    (2.0 * c * eta * xi as f64).exp()
                })
            })
            .collect();
        let log_kernel = (0..2 * points)
            .map(|i| kernel.log_value(epsilon, (i % points) as f64 * h))
            .collect();
        Self {
            points,
            kernel,
            c,
            matrix,
            widest,
            log_kernel,
        }
    }

    /// Nodes on a line.
    pub fn points(&self) -> usize {
        self.points
    }

    pub fn scratch(&self) -> LineScratch {
        LineScratch {
            lifted: vec![0.0; 3 * self.points],
            weights: vec![0.0; (2 * self.widest + 1).max(self.points)],
        }
    }

    /// Writes b for the line a; returns the range of curvature of the exponent.
    pub fn convolve(&self, a: &[f64], b: &mut [f64], scratch: &mut LineScratch) -> Range {
        let range = curvature(a, self.c);
        let fast = range.min >= SMALLEST_CURVATURE
            && window(self.c, range.min) <= self.widest
            && self.tilted(a, b, window(self.c, range.min), scratch);
        if !fast {
            dense(&self.log_kernel, a, b, &mut scratch.weights);
        }
        range
    }

    /// The blocked sum; false, with b unfinished, where a window leaves what the kernel or the lift covers.
    fn tilted(&self, a: &[f64], b: &mut [f64], reach: usize, scratch: &mut LineScratch) -> bool {
        let n = self.points;
        for period in 0..3 {
            scratch.lifted[period * n..(period + 1) * n].copy_from_slice(a);
        }
        let rows = &self.matrix[self.widest - reach..=self.widest + reach];
        let weights = &mut scratch.weights[..rows.len()];
        // Lifted index: node i is at n + i. The maximiser of the first block is searched from the node itself.
        let mut best = n + HALF;
        for (k, block) in b.chunks_mut(BLOCK).enumerate() {
            let middle = n + k * BLOCK + HALF;
            best = self.climb(&scratch.lifted, middle, best);
            let distance = middle.abs_diff(best) + reach + HALF;
            let covered = self.kernel == Kernel::Heat || 2 * distance < n;
            if !covered || best < reach || best + reach >= 3 * n {
                return false;
            }
            let drift = middle as f64 - best as f64;
            let inputs = &scratch.lifted[best - reach..=best + reach];
            sum_block(inputs, rows, self.c, drift, weights, block);
            best = (best + BLOCK).min(3 * n - 2);
        }
        true
    }

    /// The maximiser over i of `−c (m−i)² + a_i` by climbing from a guess: the exponent is concave.
    fn climb(&self, lifted: &[f64], middle: usize, guess: usize) -> usize {
        let exponent = |i: usize| {
            let r = middle as f64 - i as f64;
            lifted[i] - self.c * r * r
        };
        let mut best = guess;
        while best + 1 < lifted.len() && exponent(best + 1) > exponent(best) {
            best += 1;
        }
        while best > 0 && exponent(best - 1) > exponent(best) {
            best -= 1;
        }
        best
    }
}

/// Half-width in nodes that leaves out less than e^{−CUTOFF} where the curvature is at least λ.
fn window(c: f64, lambda: f64) -> usize {
    let second_difference = 2.0 * c * lambda;
    let reach = HALF as f64 / lambda + (2.0 * CUTOFF / second_difference).sqrt() + 2.0;
    reach.ceil().min(1e9) as usize
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn curvature(a: &[f64], c: f64) -> Range {
    let n = a.len();
    let lambda = |left: f64, here: f64, right: f64| 1.0 - (right - 2.0 * here + left) / (2.0 * c);
    let ends = [
        lambda(a[n - 1], a[0], a[1]),
        lambda(a[n - 2], a[n - 1], a[0]),
    ];
    let (mut min, mut max) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    for i in 1..n - 1 {
        let here = lambda(a[i - 1], a[i], a[i + 1]);
        min = if here < min { here } else { min };
        max = if here > max { here } else { max };
    }
    Range { min, max }
}

/// One block: weights of the inputs, their product with the matrix, logarithm, and the bracket that left the sum.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn sum_block(
    inputs: &[f64],
    rows: &[[f64; BLOCK]],
    c: f64,
    drift: f64,
    weights: &mut [f64],
    out: &mut [f64],
) {
    let reach = (inputs.len() / 2) as f64;
    let top = inputs[inputs.len() / 2];
    for (k, (weight, input)) in weights.iter_mut().zip(inputs).enumerate() {
        let xi = k as f64 - reach;
        *weight = elementary::exp(input - top + c * xi * (2.0 * drift - xi));
    }
    // Two independent chains of additions hide their latency.
    let (mut even, mut odd) = ([0.0; BLOCK], [0.0; BLOCK]);
    let pairs = weights.len() / 2;
    for k in 0..pairs {
        let (w0, w1) = (weights[2 * k], weights[2 * k + 1]);
        let (m0, m1) = (&rows[2 * k], &rows[2 * k + 1]);
        for lane in 0..BLOCK {
            even[lane] += w0 * m0[lane];
            odd[lane] += w1 * m1[lane];
        }
    }
    let (w, m) = (weights[2 * pairs], &rows[2 * pairs]);
    let mut log_sum = [0.0; BLOCK];
    for lane in 0..BLOCK {
        log_sum[lane] = elementary::ln(even[lane] + odd[lane] + w * m[lane]);
    }
    for (lane, out) in out.iter_mut().enumerate() {
        let eta = lane as f64 - HALF as f64;
        *out = log_sum[lane] + top - c * (drift + eta) * (drift + eta);
    }
}

/// The sum over all nodes, for kernels wider than a window.
fn dense(log_kernel: &[f64], a: &[f64], b: &mut [f64], work: &mut [f64]) {
    let n = a.len();
    let work = &mut work[..n];
    for (j, b) in b.iter_mut().enumerate() {
        let kernel = &log_kernel[n - j..2 * n - j];
        *b = log_sum_exp(a, kernel, work);
    }
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
