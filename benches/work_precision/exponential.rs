//! The exponential Rosenbrock method exprb43 (Hochbruck, Ostermann & Schweitzer, SIAM J. Numer. Anal. 47 (2009)), with which the flow
//! is compared. With `D_i = (F − J)(U_i) − (F − J)(y)`:
//!
//! ```text
//! U_2 = y + ½τ φ_1(½τJ) F
//! U_3 = y + τ φ_1(τJ) (F + D_2)
//! y′  = y + τ φ_1(τJ) F + τ φ_3(τJ) (16 D_2 − 2 D_3) + τ φ_4(τJ) (12 D_3 − 48 D_2)
//! ```
//!
//! of order 4; without φ_4 of order 3. Functions of J by Arnoldi's method with Saad's estimate (SIAM J. Numer. Anal. 29 (1992)):
//! `φ_k(τJ) b ≈ |b| V φ_k(τH) e_1`, without a preconditioner.

use super::rkc::SMALLEST;
use super::{End, Result};
use faer::Mat;
use mirrorflow_solvers::Order;
use mirrorflow_solvers::monge_ampere::{Linearised, MongeAmpere};
use mirrorflow_solvers::parallel::{axpy, dot, sup};

/// Vectors of a subspace at most.
const MOST: usize = 150;

/// The flow from `start` to `end`; the work is right-hand sides and products with J.
pub fn run(operator: MongeAmpere, start: &[f64], end: f64, tolerance: f64) -> Result<End> {
    let mut flow = Exponential::new(operator);
    let (mut y, mut time, mut tau) = (start.to_vec(), 0.0, 1e-4);
    while time < end {
        tau = f64::min(tau, end - time);
        let (error, taken) = match flow.step(&y, tau, 0.1 * tolerance) {
            Ok((next, error)) => (error / tolerance, Some(next)),
            Err(_) => (1e3, None),
        };
        if let (true, Some(next)) = (error <= 1.0, taken) {
            time += tau;
            y = next;
        }
        tau *= (0.9 * error.powf(-0.25)).clamp(0.2, 5.0);
        if tau < SMALLEST * end {
            return Err(format!("no step is accepted at t = {time:e}").into());
        }
    }
    Ok(End {
        p: y,
        work: flow.work,
    })
}

struct Exponential {
    operator: MongeAmpere,
    linearised: Linearised,
    work: usize,
}

impl Exponential {
    fn new(operator: MongeAmpere) -> Self {
        Self {
            linearised: Linearised::new(&operator, Order::Gradient),
            operator,
            work: 0,
        }
    }

    /// The state after the step, and the estimate of its error.
    fn step(&mut self, y: &[f64], tau: f64, tolerance: f64) -> Result<(Vec<f64>, f64)> {
        let mut rate = vec![0.0; y.len()];
        self.linearised.freeze(&mut self.operator, y, &mut rate)?;
        self.work += 1;
        let of_rate = self.arnoldi(1, tau, &rate, tolerance)?;
        let [half, whole] = [0.5, 1.0].map(|part| of_rate.function(1, part * tau));

        let second = self.remainder(y, &rate, &sum(y, 0.5 * tau, &half))?;
        let bent = self.arnoldi(1, tau, &second, tolerance)?.function(1, tau);
        let stage = sum(&sum(y, tau, &whole), tau, &bent);
        let third = self.remainder(y, &rate, &stage)?;

        let mut phi = |k: usize, a: f64, b: f64| -> Result<Vec<f64>> {
            let both = sum(&scaled(a, &second), b, &third);
            Ok(self.arnoldi(k, tau, &both, tolerance)?.function(k, tau))
        };
        let (cubic, quartic) = (phi(3, 16.0, -2.0)?, phi(4, -48.0, 12.0)?);
        let change = sum(&sum(&whole, 1.0, &cubic), 1.0, &quartic);
        Ok((sum(y, tau, &change), tau * sup(&quartic)))
    }

    /// `F(stage) − F(y) − J (stage − y)`.
    fn remainder(&mut self, y: &[f64], rate: &[f64], stage: &[f64]) -> Result<Vec<f64>> {
        let mut out = vec![0.0; y.len()];
        let linear = self.product(&sum(stage, -1.0, y));
        self.operator.rate(stage, &mut out)?;
        self.work += 1;
        Ok(sum(&sum(&out, -1.0, rate), -1.0, &linear))
    }

    /// A subspace for `φ_k(τJ) b`, with `τ × error ≤ tolerance`, root mean square.
    fn arnoldi(&mut self, k: usize, tau: f64, b: &[f64], tolerance: f64) -> Result<Subspace> {
        let norm = dot(b, b).sqrt();
        let mut space = Subspace {
            norm,
            basis: vec![scaled(1.0 / norm.max(f64::MIN_POSITIVE), b)],
            columns: Vec::new(),
        };
        let size = norm / (b.len() as f64).sqrt();
        let mut check = 8;
        while space.columns.len() < MOST {
            let next = self.product(&space.basis[space.columns.len()]);
            let beta = space.extend(next);
            if norm == 0.0 || beta == 0.0 {
                return Ok(space);
            }
            if space.columns.len() == check {
                let [_, above] = functions(k, tau, &space.columns);
                let error = tau * tau * size * beta * above[check - 1].abs();
                if error <= tolerance {
                    return Ok(space);
                }
                check += check / 3;
            }
        }
        Err(format!("{MOST} vectors are not enough").into())
    }

    fn product(&mut self, v: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; v.len()];
        self.linearised.apply(&mut self.operator, v, &mut out);
        self.work += 1;
        out
    }
}

/// `x + a y`.
fn sum(x: &[f64], a: f64, y: &[f64]) -> Vec<f64> {
    let mut sum = x.to_vec();
    axpy(a, y, &mut sum);
    sum
}

fn scaled(a: f64, x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| a * x).collect()
}

/// Orthonormal V and the columns of H, `J V = V H + …`, from b on.
struct Subspace {
    norm: f64,
    basis: Vec<Vec<f64>>,
    columns: Vec<Vec<f64>>,
}

impl Subspace {
    /// With J times the last vector; the length of what is new in it.
    fn extend(&mut self, mut next: Vec<f64>) -> f64 {
        let mut column = Vec::new();
        for vector in &self.basis {
            let part = dot(&next, vector);
            axpy(-part, vector, &mut next);
            column.push(part);
        }
        let beta = dot(&next, &next).sqrt();
        column.push(beta);
        self.columns.push(column);
        self.basis
            .push(scaled(1.0 / beta.max(f64::MIN_POSITIVE), &next));
        beta
    }

    /// `φ_k(τJ) b`.
    fn function(&self, k: usize, tau: f64) -> Vec<f64> {
        let [weights, _] = functions(k, tau, &self.columns);
        let mut out = vec![0.0; self.basis[0].len()];
        for (weight, vector) in weights.iter().zip(&self.basis) {
            axpy(self.norm * weight, vector, &mut out);
        }
        out
    }
}

/// `φ_k(τH) e_1` and `φ_{k+1}(τH) e_1` as columns of the exponential of τH bordered by e_1 and a shift.
fn functions(k: usize, tau: f64, columns: &[Vec<f64>]) -> [Vec<f64>; 2] {
    let m = columns.len();
    let bordered = Mat::from_fn(m + k + 1, m + k + 1, |i, j| match j {
        _ if j < m => tau * columns[j].get(i).filter(|_| i < m).copied().unwrap_or(0.0),
        _ if j == m => f64::from(i == 0),
        _ => f64::from(i + 1 == j),
    });
    let exponential = exponential(bordered);
    [k, k + 1].map(|k| (0..m).map(|i| exponential[(i, m + k - 1)]).collect())
}

/// By Taylor's polynomial of a scaled matrix, squared as often.
fn exponential(mut a: Mat<f64>) -> Mat<f64> {
    let norm = (0..a.ncols())
        .map(|j| (0..a.nrows()).map(|i| a[(i, j)].abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let squarings = (2.0 * norm).log2().ceil().max(0.0) as i32;
    a *= faer::Scale(0.5_f64.powi(squarings));
    let identity = Mat::<f64>::identity(a.nrows(), a.ncols());
    let taylor = (1..=16).rev().fold(identity.clone(), |sum, j| {
        &identity + &a * sum * faer::Scale(1.0 / f64::from(j))
    });
    (0..squarings).fold(taylor, |power, _| &power * &power)
}
