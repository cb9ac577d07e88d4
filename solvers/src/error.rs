//! Everything that the numerics refuse, each with the reason and the remedy.

use thiserror::Error;

/// A refusal or a numerical failure. Every message says where, what was found and what to change.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The grid itself is impossible.
    #[error("impossible grid {points:?}: {reason}")]
    Grid { points: Vec<usize>, reason: String },

    /// A density cannot be evaluated, normalised or resolved.
    #[error("density: {reason}; {remedy}")]
    Density { reason: String, remedy: String },

    /// A formula could not be read. `start..end` are byte offsets into the formula.
    #[error("{message}")]
    Formula {
        start: usize,
        end: usize,
        message: String,
        /// What to write instead, when there is a near match.
        help: Option<String>,
    },

    /// The node sum of a Sinkhorn half-step would not be exact on this grid (THEORY §3).
    #[error(
        "grid too coarse for ε = {epsilon}: {points} points along axis {axis}, {needed} needed \
         (curvature {curvature:.3}{when}); use points ≥ {needed} there or a larger ε"
    )]
    TooCoarse {
        epsilon: f64,
        axis: usize,
        points: usize,
        needed: usize,
        curvature: f64,
        /// `""` at the start, else `", at iteration k"`.
        when: String,
    },

    /// An explicit step is past the stability limit of the parabolic operator.
    #[error(
        "step {step:.3e} at t = {time:.6e} is past the stability limit {limit:.3e} of {method}; \
         use step ≤ {limit:.3e}, a coarser grid, or the adaptive stiff integrator"
    )]
    Unstable {
        method: &'static str,
        step: f64,
        limit: f64,
        time: f64,
    },

    /// A step of mirror descent outside `(0, limit]` (THEORY §7).
    #[error(
        "step η = {step:.3e} at iteration {iteration} of mirror descent is outside (0, {limit:.3e}], its stability limit with \
         modes |k_i| ≤ {band}; use a step ≤ {limit:.3e}, the adaptive schedule, a lower band limit, or the implicit step"
    )]
    DescentStep {
        iteration: usize,
        step: f64,
        limit: f64,
        band: usize,
    },

    /// ∇²u is no longer positive definite.
    #[error(
        "lost convexity{when}: smallest eigenvalue of ∇²u is {eigenvalue:.3e} at x = {at:?}; {remedy}"
    )]
    LostConvexity {
        /// `""`, or `" at …"`.
        when: String,
        at: Vec<f64>,
        eigenvalue: f64,
        remedy: String,
    },

    /// NaN or infinity appeared.
    #[error("non-finite value of {quantity} {when}; {remedy}")]
    NonFinite {
        quantity: &'static str,
        when: String,
        remedy: String,
    },

    /// An iteration ended without reaching its tolerance.
    #[error(
        "{what} did not converge: residual {residual:.3e} after {iterations} iterations, \
         {tolerance:.3e} asked; {remedy}"
    )]
    NoConvergence {
        what: &'static str,
        residual: f64,
        iterations: usize,
        tolerance: f64,
        remedy: String,
    },

    /// Steps in time became too small to get anywhere.
    #[error(
        "steps of {step:.1e}{when} no longer advance: the error of {quantity} asks for them; something degenerates there (a density nearly \
         vanishes, or ∇²u does), so end the flow earlier, use smoother data, or loosen the tolerance"
    )]
    StepTooSmall {
        step: f64,
        /// In which the error of a step is largest.
        quantity: &'static str,
        /// `""`, or `" at …"`.
        when: String,
    },

    /// A flow has more modes than its grid.
    #[error("{0}")]
    Unresolved(Box<Unresolved>),

    /// A matrix of the Gaussian sector is not what it must be.
    #[error("Gaussian sector: {reason}; {remedy}")]
    Gaussian { reason: String, remedy: String },

    /// A mirror flow on R or R² is not defined, or not to working accuracy.
    #[error("Euclidean mirror flow: {reason}; {remedy}")]
    Euclidean { reason: String, remedy: String },

    /// An error inside a larger computation, with the place.
    #[error("{place}: {error}")]
    During { place: String, error: Box<Error> },

    /// The caller's observer asked to stop.
    #[error("interrupted {when}")]
    Interrupted { when: String },
}

/// What a grid left out of a flow.
#[derive(Debug, Clone, PartialEq, Error)]
#[error(
    "the grid {points:?} does not resolve the flow: at t = {time:.3e} the modes of log ρ that it cannot hold add up to {left_out:.1e} (at most \
     {most:.0e} is allowed) and the mass of ρ is off by {mass_defect:.1e}; {remedy}"
)]
pub struct Unresolved {
    pub points: Vec<usize>,
    pub time: f64,
    /// Sum of the moduli of the Fourier coefficients near and beyond the grid's limit.
    pub left_out: f64,
    pub most: f64,
    pub mass_defect: f64,
    /// Points along each axis that resolve it, where such a grid was found.
    pub needed: Option<Vec<usize>>,
    /// What to do, for people.
    pub remedy: String,
}

impl Error {
    /// The same error with the place in front; an interruption stays what it is.
    pub fn during(self, place: impl Into<String>) -> Self {
        match self {
            Self::Interrupted { .. } => self,
            error => Self::During {
                place: place.into(),
                error: Box::new(error),
            },
        }
    }
}

/// Result of a numerical routine.
pub type Result<T> = std::result::Result<T, Error>;
