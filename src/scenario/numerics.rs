//! How the equations are discretised, as written in the file.

use serde::{Deserialize, Serialize};

/// Calculus in space and stepper in time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Numerics {
    pub space: Space,
    pub time: Time,
}

/// The calculus: how gradients and Hessians of p are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Space {
    /// Fourier differentiation.
    #[default]
    Spectral,
    /// Fourier differentiation with the upper third of the modes removed from nonlinear terms.
    Dealiased,
    /// Central differences of order 2 or 4.
    FiniteDifference { order: u8 },
}

/// The stepper of the parabolic Monge–Ampère flow.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Time {
    /// Rodas5P, with spectral space on grids that follow the flow: p and log ρ are right to `tolerance`, in time and in space.
    Adaptive { tolerance: f64 },
    /// Rodas5P on the scenario's own grid: `tolerance` bounds the errors of p and log ρ that the steps make.
    Rosenbrock { tolerance: f64 },
    /// Extrapolated Sinkhorn iterations for the study `Flow`, with spectral space: `tolerance` is the sup-error of p per macro step. Flows
    /// that Sinkhorn is compared with are `Adaptive` ones.
    ExtrapolatedSinkhorn { tolerance: f64 },
    /// Explicit Euler, refused past its stability limit.
    Euler { step: f64 },
    /// Classical explicit Runge–Kutta of order 4, refused past its stability limit.
    RungeKutta4 { step: f64 },
}

impl Default for Time {
    fn default() -> Self {
        Self::Adaptive { tolerance: 1e-9 }
    }
}
