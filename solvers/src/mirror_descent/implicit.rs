//! The implicit step: `ψ_{k+1} + η P_K[h(ψ_{k+1})] = ψ_k` with `h = f(∇ψ) − g − log det ∇²ψ`.

use super::descent::{Descent, Taken};
use crate::density::Order;
use crate::error::{Error, Result};
use crate::monge_ampere::{Linearised, MongeAmpere};
use crate::parallel::{axpy, for_each_block, max_of, mean_of, sup};

const MOST_NEWTON_STEPS: usize = 40;
/// Shortest fraction of a Newton step that is tried.
const SHORTEST_FRACTION: f64 = 1e-4;
/// A search that stalls this close to the estimate of rounding has arrived.
const ROUND_OFF_MARGIN: f64 = 50.0;

/// What Newton's method needs.
pub(super) struct Workspace {
    linearised: Linearised,
    /// `F = −P_K h` at the current potential.
    rate: Vec<f64>,
    /// `q_k + ηF(q) − q`.
    residual: Vec<f64>,
    q: Vec<f64>,
    step: Vec<f64>,
    trial: Vec<f64>,
}

impl Workspace {
    fn new(operator: &MongeAmpere) -> Self {
        let zeros = || vec![0.0; operator.torus().len()];
        Self {
            linearised: Linearised::new(operator, Order::Gradient),
            rate: zeros(),
            residual: zeros(),
            q: zeros(),
            step: zeros(),
            trial: zeros(),
        }
    }

    /// Newton–Krylov from q_k; the solution is left in `q`. Returns Newton steps and Krylov iterations.
    fn solve(
        &mut self,
        operator: &mut MongeAmpere,
        start: &[f64],
        eta: f64,
        tolerance: f64,
    ) -> Result<(usize, usize)> {
        self.q.copy_from_slice(start);
        let mut krylov = 0;
        for newton_steps in 0..=MOST_NEWTON_STEPS {
            self.linearised.freeze(operator, &self.q, &mut self.rate)?;
            let defect = defect(start, &self.q, &self.rate, eta, &mut self.residual);
            let floor = round_off(operator, &self.q, eta);
            if defect <= tolerance.max(floor) {
                return Ok((newton_steps, krylov));
            }
            let fraction = defect.min(1e-2).max(0.1 * tolerance / defect);
            let size = mean_of(self.residual.len(), |i| self.residual[i].powi(2)).sqrt();
            let solved = self.linearised.solve_shifted(
                operator,
                eta,
                &self.residual,
                &mut self.step,
                fraction * size,
            )?;
            // The preconditioner leaves the band; only rounding of the linear solve is lost here.
            operator.calculus.project(&mut self.step);
            krylov += solved.iterations;
            if !self.shorten(operator, start, eta, defect) {
                if defect <= ROUND_OFF_MARGIN * floor {
                    return Ok((newton_steps, krylov));
                }
                return Err(not_converged(defect, newton_steps, tolerance));
            }
            std::mem::swap(&mut self.q, &mut self.trial);
        }
        Err(not_converged(f64::NAN, MOST_NEWTON_STEPS, tolerance))
    }

    /// Halves the Newton step until the trial is convex and its defect smaller; false when no fraction will do.
    fn shorten(
        &mut self,
        operator: &mut MongeAmpere,
        start: &[f64],
        eta: f64,
        before: f64,
    ) -> bool {
        let mut fraction = 1.0;
        while fraction >= SHORTEST_FRACTION {
            self.trial.copy_from_slice(&self.q);
            axpy(fraction, &self.step, &mut self.trial);
            if operator.rate(&self.trial, &mut self.rate).is_ok() {
                let found = defect(start, &self.trial, &self.rate, eta, &mut self.residual);
                if found < (1.0 - 0.1 * fraction) * before {
                    return true;
                }
            }
            fraction *= 0.5;
        }
        false
    }
}

/// `residual = q_k + ηF(q) − q`; returns its supremum over η, which has the unit of log-densities.
fn defect(start: &[f64], q: &[f64], rate: &[f64], eta: f64, residual: &mut [f64]) -> f64 {
    for_each_block(residual, |at, out| {
        for (k, out) in out.iter_mut().enumerate() {
            let i = at + k;
            *out = (start[i] - q[i]) + eta * rate[i];
        }
    });
    max_of(residual.len(), |i| residual[i].abs()) / eta
}

/// What rounding leaves of the defect: of second derivatives on this grid, and of the difference of potentials over η.
fn round_off(operator: &MongeAmpere, q: &[f64], eta: f64) -> f64 {
    let points = operator.torus().points().iter();
    let modes: f64 = points
        .map(|&n| (std::f64::consts::PI * n as f64).powi(2))
        .sum();
    4.0 * f64::EPSILON * ((modes + 1.0 / eta) * sup(q) + 1.0)
}

fn not_converged(residual: f64, iterations: usize, tolerance: f64) -> Error {
    Error::NoConvergence {
        what: "the implicit step of mirror descent",
        residual,
        iterations,
        tolerance,
        remedy: "use a smaller step, or more points: the densities may not be resolved".into(),
    }
}

impl Descent {
    /// The implicit step of size η > 0, with no stability limit; `tolerance` bounds the supremum of `h + (ψ_{k+1} − ψ_k)/η` in the
    /// unit of log-densities (1e-10 is a good start), or what rounding allows where that is more.
    ///
    /// Newton–Krylov on `q − ηF(q) = q_k` from q_k, linear systems `w − ηLw = r`, with a line search among convex potentials.
    /// It satisfies the inequality of [`super::Evi::implicit`], so that KL falls at every step whatever η.
    ///
    /// # Errors
    /// [`Error::DescentStep`] unless η is positive and finite; [`Error::NoConvergence`]. ψ_k is then kept.
    pub fn implicit_step(&mut self, eta: f64, tolerance: f64) -> Result<Taken> {
        self.refuse_unless(eta > 0.0 && eta.is_finite(), eta)?;
        let limit = self.limit();
        let mut workspace = self
            .workspace
            .take()
            .unwrap_or_else(|| Box::new(Workspace::new(&self.operator)));
        let solved = workspace.solve(&mut self.operator, &self.here.q, eta, tolerance);
        self.other.q.copy_from_slice(&workspace.q);
        self.workspace = Some(workspace);
        let place = || format!("mirror descent, iteration {}", self.iteration());
        let spent = solved.map_err(|error| error.during(place()))?;
        self.adopt(eta, limit, spent)
    }
}
