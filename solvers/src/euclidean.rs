//! Euclidean mirror flows on the line, `d/dt U'(x) = −F'(x)` (THEORY §10): the model of everything else here, with closed forms.

use crate::error::Result;
use crate::time::System;

/// A mirror U on the line, strictly convex where it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirror {
    /// `x²/2`: gradient flow.
    Quadratic,
    /// `x⁴`: flat at zero, which is reached in finite time.
    Quartic,
    /// `1/x` on x > 0: steep at zero, which is approached algebraically.
    Reciprocal,
}

impl Mirror {
    /// The mirror coordinate `θ = U'(x)`.
    pub fn slope(self, x: f64) -> f64 {
        match self {
            Self::Quadratic => x,
            Self::Quartic => 4.0 * x.powi(3),
            Self::Reciprocal => -x.powi(-2),
        }
    }

    /// `x = (U')^{-1}(θ) = U^*'(θ)`; NaN where θ is no slope of U.
    pub fn inverse(self, theta: f64) -> f64 {
        match self {
            Self::Quadratic => theta,
            Self::Quartic => (0.25 * theta).cbrt(),
            Self::Reciprocal => (-theta).powf(-0.5),
        }
    }

    /// `U''(x)`.
    pub fn curvature(self, x: f64) -> f64 {
        match self {
            Self::Quadratic => 1.0,
            Self::Quartic => 12.0 * x * x,
            Self::Reciprocal => 2.0 * x.powi(-3),
        }
    }

    /// x(t) for `F = x²/2` from x(0) = 1: `e^{−t}`, `√(1−t/6)₊`, `(1+3t/2)^{-1/3}`.
    pub fn exact(self, t: f64) -> f64 {
        match self {
            Self::Quadratic => (-t).exp(),
            Self::Quartic => (1.0 - t / 6.0).max(0.0).sqrt(),
            Self::Reciprocal => (1.0 + 1.5 * t).cbrt().recip(),
        }
    }
}

/// `θ' = −F'((U')^{-1}(θ))` for `F = x²/2`, i.e. `θ' = −x`; state: θ = U'(x) of any number of independent starts.
pub struct MirrorFlow {
    mirror: Mirror,
    /// `dx/dθ = 1/U''(x)` where frozen.
    sensitivity: Vec<f64>,
}

impl MirrorFlow {
    /// For `len` starts.
    pub fn new(mirror: Mirror, len: usize) -> Self {
        Self {
            mirror,
            sensitivity: vec![0.0; len],
        }
    }
}

impl System for MirrorFlow {
    fn len(&self) -> usize {
        self.sensitivity.len()
    }

    fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()> {
        for (out, &theta) in out.iter_mut().zip(y) {
            let x = self.mirror.inverse(theta);
            if !x.is_finite() {
                return Err(crate::Error::NonFinite {
                    quantity: "x = (U')^{-1}(θ)",
                    when: format!("at θ = {theta:e}, which is no slope of {:?}", self.mirror),
                    remedy: "use a smaller step or another start".into(),
                });
            }
            *out = -x;
        }
        Ok(())
    }

    fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()> {
        self.rate(y, rate)?;
        for (sensitivity, rate) in self.sensitivity.iter_mut().zip(rate) {
            *sensitivity = 1.0 / self.mirror.curvature(-*rate);
        }
        Ok(())
    }

    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], _: f64) -> Result<usize> {
        for ((k, r), sensitivity) in k.iter_mut().zip(r).zip(&self.sensitivity) {
            *k = r / (1.0 + c * sensitivity);
        }
        Ok(0)
    }

    fn spectral_radius(&self) -> f64 {
        self.sensitivity.iter().copied().fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Method, Stepper, march};
    use std::ops::ControlFlow;

    const ALL: [Mirror; 3] = [Mirror::Quadratic, Mirror::Quartic, Mirror::Reciprocal];

    fn run(mirror: Mirror, stepper: Stepper, time: f64) -> f64 {
        let mut state = vec![mirror.slope(1.0)];
        march(
            &mut MirrorFlow::new(mirror, 1),
            stepper,
            &mut state,
            &[time],
            &mut |_, _, _| Ok(()),
            &mut |_, _, _| Ok(ControlFlow::Continue(())),
        )
        .unwrap();
        mirror.inverse(state[0])
    }

    #[test]
    fn the_three_closed_forms_are_met_by_every_stepper_at_its_order() {
        for mirror in ALL {
            let tight = run(mirror, Stepper::Adaptive { tolerance: 1e-12 }, 2.0);
            assert!((tight - mirror.exact(2.0)).abs() < 1e-10, "{mirror:?}");
            for method in [Method::Euler, Method::RungeKutta4] {
                let error = |step: f64| {
                    let found = run(mirror, Stepper::Explicit { method, step }, 2.0);
                    (found - mirror.exact(2.0)).abs()
                };
                let order = (error(0.05) / error(0.025)).log2();
                println!("{mirror:?} {method:?}: order {order}");
                assert!(
                    (order - f64::from(method.order())).abs() < 0.2,
                    "{mirror:?} {method:?}: {order}"
                );
            }
        }
    }

    #[test]
    fn the_quartic_mirror_arrives_at_its_minimum_in_finite_time() {
        let early = run(Mirror::Quartic, Stepper::Adaptive { tolerance: 1e-10 }, 5.9);
        assert!((early - Mirror::Quartic.exact(5.9)).abs() < 1e-6, "{early}");
        assert!(Mirror::Quartic.exact(6.0) == 0.0 && Mirror::Quartic.exact(7.0) == 0.0);
        assert!(Mirror::Reciprocal.exact(6.0) > 0.4);
    }

    #[test]
    fn slopes_inverses_and_curvatures_agree() {
        for mirror in ALL {
            for x in [0.3, 1.0, 2.5] {
                approx::assert_relative_eq!(
                    mirror.inverse(mirror.slope(x)),
                    x,
                    max_relative = 1e-14
                );
                let h = 1e-5;
                let difference = (mirror.slope(x + h) - mirror.slope(x - h)) / (2.0 * h);
                approx::assert_relative_eq!(difference, mirror.curvature(x), max_relative = 1e-7);
            }
        }
        let mut out = [0.0];
        let refused = MirrorFlow::new(Mirror::Reciprocal, 1).rate(&[0.5], &mut out);
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("no slope of Reciprocal")
        );
    }
}
