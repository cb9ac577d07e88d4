//! Sinkhorn's iteration made symmetric in time.
//!
//! With `a = e^{−p/ε}` and K the heat semigroup at time ε/2, an iteration Φ_ε is `1/a' = K(e^{−g}/K(a e^{−f}))`. Solved for a it is
//! the same expression with K^{-1}, the semigroup at −ε/2, but for a factor e^f. In terms of p:
//!
//! ```text
//! Φ_ε^{-1} = C_ε^{-2} Φ_{−ε} C_ε²,   C_ε p = p + ½ ε f.
//! ```
//!
//! As `C_{−ε} = C_ε^{-1}`, the conjugate `C_ε Φ_ε C_ε^{-1}` is its own adjoint. A one-step method that is consistent with PMA and its own
//! adjoint has order 2 and an error with an expansion in *even* powers of ε (Hairer, Lubich & Wanner, *Geometric Numerical
//! Integration*, II.3 and IX.2). The conjugations between iterations cancel: n symmetric steps are n plain iterations
//! between C^{-1} and C. The first term of C is that of THEORY §4: at rest Sinkhorn's potential is off by −½εf.

use super::rung::Rung;
use crate::error::Result;
use crate::sinkhorn::half_step::HalfStep;
use crate::sinkhorn::kernel::Kernel;
use crate::watch;

/// Iterations at one ε on one grid.
pub struct Symmetric {
    half_step: HalfStep,
}

impl Symmetric {
    pub fn new(rung: &Rung, epsilon: f64) -> Self {
        Self {
            half_step: HalfStep::new(&rung.torus, Kernel::Heat, epsilon),
        }
    }

    /// `count` steps from `start`: the result, and the largest curvature met along each axis.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn run(mut self, rung: &Rung, start: &[f64], count: usize) -> Result<(Vec<f64>, Vec<f64>)> {
        let (f, g) = (&rung.f, &rung.g);
        let mut p = start.to_vec();
        let mut q = vec![0.0; p.len()];
        let mut curvature = vec![0.0; rung.torus.dimension()];
        self.conjugate(-1.0, f, &mut p);
        for _ in 0..count {
            watch::on()?;
            raise(&mut curvature, &self.half_step.apply(&p, f, &mut q).axes);
            raise(&mut curvature, &self.half_step.apply(&q, g, &mut p).axes);
        }
        self.conjugate(1.0, f, &mut p);
        Ok((p, curvature))
    }

    /// C_ε, or its inverse with sign −1.
    fn conjugate(&self, sign: f64, f: &[f64], p: &mut [f64]) {
        let half = 0.5 * sign * self.half_step.epsilon();
        for (p, f) in p.iter_mut().zip(f) {
            *p += half * f;
        }
    }
}

fn raise(largest: &mut [f64], met: &[(f64, f64)]) {
    for (largest, (_, most)) in largest.iter_mut().zip(met) {
        *largest = largest.max(*most);
    }
}
