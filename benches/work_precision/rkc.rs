//! Runge–Kutta–Chebyshev of order 2 (Sommeijer, Shampine & Verwer, J. Comput. Appl. Math. 88 (1998)), with which the flow is compared.
//!
//! With Chebyshev's T_j at `w_0 = 1 + 2/13s²`, `w_1 = T_s′/T_s″`, `b_j = T_j″/T_j′²` and `a_j = 1 − b_j T_j`:
//!
//! ```text
//! Y_1 = y + b_1 w_1 τ F(y)
//! Y_j = (1 − μ − ν) y + μ Y_{j−1} + ν Y_{j−2} + μ̃ τ F(Y_{j−1}) + γ̃ τ F(y)
//! μ = 2 b_j w_0/b_{j−1},  ν = −b_j/b_{j−2},  μ̃ = 2 b_j w_1/b_{j−1},  γ̃ = −a_{j−1} μ̃
//! ```
//!
//! s stages are stable for `τ ρ(J) ≤ 0.65 s²`: their number grows like n.

use super::{End, Result};
use mirrorflow_solvers::Order;
use mirrorflow_solvers::monge_ampere::{Linearised, MongeAmpere};
use mirrorflow_solvers::parallel::{for_each_block, max_of};

/// Steps after which the spectral radius is bounded anew.
const RENEW: usize = 10;

/// A step below this part of the time to go no longer advances.
pub const SMALLEST: f64 = 1e-13;

/// The flow from `start` to `end`; the work is right-hand sides.
pub fn run(mut operator: MongeAmpere, start: &[f64], end: f64, tolerance: f64) -> Result<End> {
    let zeros = || vec![0.0; start.len()];
    let mut stages: [Vec<f64>; 3] = std::array::from_fn(|_| zeros());
    let (mut y, mut rate, mut next_rate) = (start.to_vec(), zeros(), zeros());
    let mut linearised = Linearised::new(&operator, Order::Gradient);
    let (mut time, mut tau, mut work, mut steps) = (0.0, 1e-5, 1, 0);
    let mut radius = 0.0;
    operator.rate(&y, &mut rate)?;
    while time < end {
        if steps % RENEW == 0 {
            linearised.freeze(&mut operator, &y, &mut rate)?;
            radius = 1.1 * linearised.spectral_radius();
        }
        steps += 1;
        tau = f64::min(tau, end - time);
        let chebyshev = Chebyshev::new(1 + (1.54 * tau * radius + 1.0).sqrt() as usize);
        let taken = chebyshev.step(&mut operator, &y, &rate, tau, &mut stages, &mut next_rate);
        work += chebyshev.stages.len() + 1;
        let error = match taken {
            Ok(()) => local_error([&y, &stages[0]], [&rate, &next_rate], tau) / tolerance,
            Err(_) => 1e3,
        };
        if error <= 1.0 {
            time += tau;
            std::mem::swap(&mut y, &mut stages[0]);
            std::mem::swap(&mut rate, &mut next_rate);
        }
        tau *= (0.8 * error.powf(-1.0 / 3.0)).clamp(0.2, 5.0);
        if tau < SMALLEST * end {
            return Err(format!("no step is accepted at t = {time:e}").into());
        }
    }
    Ok(End { p: y, work })
}

/// `sup |0.8 (y_0 − y_1) + 0.4 τ (F_0 + F_1)|`.
fn local_error(y: [&[f64]; 2], rate: [&[f64]; 2], tau: f64) -> f64 {
    max_of(y[0].len(), |i| {
        (0.8 * (y[0][i] - y[1][i]) + 0.4 * tau * (rate[0][i] + rate[1][i])).abs()
    })
}

/// `[μ, ν, μ̃, γ̃]` of the stages from the second on, and `b_1 w_1`.
struct Chebyshev {
    first: f64,
    stages: Vec<[f64; 4]>,
}

impl Chebyshev {
    fn new(s: usize) -> Self {
        let s = s.max(2);
        let w0 = 1.0 + 2.0 / (13.0 * (s * s) as f64);
        // T_j, T_j′, T_j″ at w_0.
        let mut t = vec![[1.0, 0.0, 0.0], [w0, 1.0, 0.0]];
        for j in 2..=s {
            let ([a, da, dda], [b, db, ddb]) = (t[j - 1], t[j - 2]);
            t.push([
                2.0 * w0 * a - b,
                2.0 * a + 2.0 * w0 * da - db,
                4.0 * da + 2.0 * w0 * dda - ddb,
            ]);
        }
        let w1 = t[s][1] / t[s][2];
        let own = |j: usize| t[j][2] / (t[j][1] * t[j][1]);
        let b = |j: usize| own(j.max(2));
        let stage = |j: usize| {
            let wide = 2.0 * b(j) * w1 / b(j - 1);
            let a = 1.0 - b(j - 1) * t[j - 1][0];
            [
                2.0 * b(j) * w0 / b(j - 1),
                -b(j) / b(j - 2),
                wide,
                -a * wide,
            ]
        };
        Self {
            first: b(1) * w1,
            stages: (2..=s).map(stage).collect(),
        }
    }

    /// The step into `work[0]`, with F there.
    fn step(
        &self,
        operator: &mut MongeAmpere,
        y: &[f64],
        rate: &[f64],
        tau: f64,
        work: &mut [Vec<f64>; 3],
        last_rate: &mut [f64],
    ) -> Result<()> {
        let [current, before, next] = work;
        before.copy_from_slice(y);
        for_each_block(current, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = y[start + k] + self.first * tau * rate[start + k];
            }
        });
        for [mu, nu, wide, own] in &self.stages {
            operator.rate(current, last_rate)?;
            let (one, two, slope) = (&*current, &*before, &*last_rate);
            for_each_block(next, |start, out| {
                for (k, out) in out.iter_mut().enumerate() {
                    let i = start + k;
                    let slopes = wide * slope[i] + own * rate[i];
                    *out = (1.0 - mu - nu) * y[i] + mu * one[i] + nu * two[i] + tau * slopes;
                }
            });
            std::mem::swap(before, current);
            std::mem::swap(current, next);
        }
        operator.rate(current, last_rate)?;
        Ok(())
    }
}
