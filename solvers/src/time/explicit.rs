//! Explicit Euler and the classical Runge–Kutta method, with their stability limit enforced.

use super::System;
use crate::error::{Error, Result};
use crate::parallel::axpy;

/// Which explicit method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `y + h F(y)`, order 1.
    Euler,
    /// The classical four-stage method, order 4.
    RungeKutta4,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Euler => "explicit Euler",
            Self::RungeKutta4 => "RK4",
        }
    }

    /// Length of the stability interval on the negative real axis.
    pub fn stability_interval(self) -> f64 {
        match self {
            Self::Euler => 2.0,
            Self::RungeKutta4 => 2.785_293_563_405_282,
        }
    }

    pub fn order(self) -> u32 {
        match self {
            Self::Euler => 1,
            Self::RungeKutta4 => 4,
        }
    }
}

/// Fixed-step explicit integrator.
pub struct Explicit {
    method: Method,
    stage: Vec<f64>,
    rate: Vec<f64>,
    increment: Vec<f64>,
}

impl Explicit {
    pub fn new(method: Method, len: usize) -> Self {
        Self {
            method,
            stage: vec![0.0; len],
            rate: vec![0.0; len],
            increment: vec![0.0; len],
        }
    }

    /// Largest stable step at y: `interval / ρ(J)`.
    ///
    /// # Errors
    /// As [`System::linearise`].
    pub fn limit(&mut self, system: &mut dyn System, y: &[f64]) -> Result<f64> {
        system.linearise(y, &mut self.rate)?;
        Ok(self.method.stability_interval() / system.spectral_radius())
    }

    /// Advances y by `step` from `time`.
    ///
    /// # Errors
    /// [`Error::Unstable`] when `step` is past the limit at y; as [`System::rate`] otherwise.
    pub fn step(
        &mut self,
        system: &mut dyn System,
        time: f64,
        step: f64,
        y: &mut [f64],
    ) -> Result<()> {
        let limit = self.limit(system, y)?;
        if step > limit * (1.0 + 1e-12) {
            return Err(Error::Unstable {
                method: self.method.name(),
                step,
                limit,
                time,
            });
        }
        match self.method {
            Method::Euler => axpy(step, &self.rate, y),
            Method::RungeKutta4 => self.runge_kutta(system, step, y)?,
        }
        Ok(())
    }

    /// The three further stages; `rate` holds F(y).
    fn runge_kutta(&mut self, system: &mut dyn System, step: f64, y: &mut [f64]) -> Result<()> {
        self.increment.fill(0.0);
        axpy(step / 6.0, &self.rate, &mut self.increment);
        for (node, weight) in [(0.5, 1.0 / 3.0), (0.5, 1.0 / 3.0), (1.0, 1.0 / 6.0)] {
            self.stage.copy_from_slice(y);
            axpy(node * step, &self.rate, &mut self.stage);
            system.rate(&self.stage, &mut self.rate)?;
            axpy(weight * step, &self.rate, &mut self.increment);
        }
        axpy(1.0, &self.increment, y);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::models::Riccati;
    use super::*;

    fn error(method: Method, steps: usize) -> f64 {
        let mut system = Riccati::new();
        let mut y = system.exact(0.0);
        let mut stepper = Explicit::new(method, y.len());
        for k in 0..steps {
            let h = 1.0 / steps as f64;
            stepper.step(&mut system, k as f64 * h, h, &mut y).unwrap();
        }
        crate::parallel::sup_difference(&y, &system.exact(1.0))
    }

    #[test]
    fn orders() {
        for method in [Method::Euler, Method::RungeKutta4] {
            let observed = (error(method, 400) / error(method, 800)).log2();
            let order = f64::from(method.order());
            assert!((observed - order).abs() < 0.15, "{method:?}: {observed}");
        }
    }

    #[test]
    fn a_step_past_the_limit_is_refused_with_the_limit() {
        let mut system = Riccati::new();
        let mut y = system.exact(0.0);
        for method in [Method::Euler, Method::RungeKutta4] {
            let mut stepper = Explicit::new(method, y.len());
            let limit = stepper.limit(&mut system, &y).unwrap();
            assert!((limit - method.stability_interval() / 10.0).abs() < 1e-15);
            let refused = stepper.step(&mut system, 0.0, 1.01 * limit, &mut y);
            assert!(matches!(refused, Err(Error::Unstable { limit: l, .. }) if l == limit));
        }
    }
}
