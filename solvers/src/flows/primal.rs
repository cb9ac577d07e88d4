//! The Wasserstein mirror flow in the primal coordinate.

use super::density::{complete, log_density, product};
use super::directions::Directions;
use super::linearised_primal::LinearisedPrimal;
use super::primal_preconditioner::PrimalPreconditioner;
use super::velocity::{self, velocity};
use crate::calculus::Calculus;
use crate::density::{Jet, LogDensity, Order};
use crate::error::Result;
use crate::krylov::Gmres;
use crate::monge_ampere::{Elliptic, MongeAmpere};
use crate::objective::{Objective, variation};
use crate::parallel::for_each_block;
use crate::time::{Size, System};
use crate::torus::Torus;
use std::sync::Arc;

/// Iterations between restarts of GMRES, and the most of them for one solve.
const RESTART: usize = 60;
const MOST_ITERATIONS: usize = 300;
/// Weight of ρ in the error control, that of log ρ in the mirror coordinate and for the same reason: the estimate is the error of a
/// companion of lower order, ten and more times that of the step.
const DENSITY_WEIGHT: f64 = 0.1;

/// `∂_t ρ + ∇·(ρv) = 0`, `v = −A∇φ(ρ)`, `A = (∇²u)^{-1}`, u the Brenier potential from ρ to e^{-g} (THEORY §5).
///
/// The state is ρ at the nodes. Every evaluation solves the elliptic Monge–Ampère equation for u, from the last one, so this is a
/// route to ρ_t that never integrates the equation of u. The rate is a discrete divergence: mass is exact. Linear systems with the
/// Jacobian need no inner solve, see `linearised_primal`. With a spectral calculus in two or three dimensions Nyquist modes of ρ
/// stay as they were at the start, see [`Calculus::remove_nyquist`]. A dealiased calculus is not for this flow, whose potential and
/// density do not have the same modes.
pub struct Primal {
    /// Its source is −log ρ.
    operator: MongeAmpere,
    elliptic: Elliptic,
    tolerance: f64,
    objective: Box<dyn Objective>,
    source: Vec<f64>,
    potential: Vec<f64>,
    log_density: Vec<f64>,
    variation: Vec<f64>,
    gradient: Vec<Vec<f64>>,
    velocity: Vec<Vec<f64>>,
    flux: Vec<Vec<f64>>,
    linearised: LinearisedPrimal,
    preconditioner: PrimalPreconditioner,
    gmres: Gmres,
    /// c of the systems that share a Krylov space.
    shared: Option<f64>,
    directions: Directions,
    /// Newton steps of all elliptic solves.
    newton_steps: usize,
    rhs: Vec<f64>,
    w: Vec<f64>,
}

impl Primal {
    /// The flow of `objective` with source f and mirror target g. Potentials are found to the sup-residual `tolerance` of
    /// [`Elliptic::solve`], of which 1e-12 is typical: it is an error of log ρ, to be far below that asked of the stepper.
    pub fn new(
        objective: Box<dyn Objective>,
        source: &dyn LogDensity,
        target: Arc<dyn LogDensity>,
        calculus: Box<dyn Calculus>,
        tolerance: f64,
    ) -> Self {
        let torus = calculus.torus();
        let mut f = Jet::zeros(torus.dimension(), torus.len(), Order::Value);
        source.jet(&torus.nodes(), &mut f);
        Self::from_values(objective, f.value, target, calculus, tolerance)
    }

    /// The same for a source f known at the nodes only.
    pub fn from_values(
        objective: Box<dyn Objective>,
        source: Vec<f64>,
        target: Arc<dyn LogDensity>,
        calculus: Box<dyn Calculus>,
        tolerance: f64,
    ) -> Self {
        let operator = MongeAmpere::from_values(source.clone(), target, calculus);
        let torus = operator.torus().clone();
        let zeros = || vec![0.0; torus.len()];
        let vectors = || vec![zeros(); torus.dimension()];
        Self {
            elliptic: Elliptic::new(&operator, Order::Gradient),
            tolerance,
            objective,
            source,
            potential: zeros(),
            log_density: zeros(),
            variation: zeros(),
            gradient: vectors(),
            velocity: vectors(),
            flux: vectors(),
            linearised: LinearisedPrimal::new(&torus),
            preconditioner: PrimalPreconditioner::new(operator.calculus.as_ref()),
            gmres: Gmres::new(torus.len(), RESTART, MOST_ITERATIONS),
            shared: None,
            directions: Directions::new(torus.len()),
            newton_steps: 0,
            rhs: zeros(),
            w: zeros(),
            operator,
        }
    }

    pub fn torus(&self) -> &Torus {
        self.operator.torus()
    }

    /// The density whose Brenier potential to e^{-g} has the periodic part p: the start that corresponds to p.
    ///
    /// # Errors
    /// As [`MongeAmpere::log_marginal`].
    pub fn density_of(&mut self, p: &[f64]) -> Result<Vec<f64>> {
        let mut rho = vec![0.0; p.len()];
        self.operator.log_marginal(p, &mut rho)?;
        crate::elementary::exp_slice(&mut rho);
        Ok(rho)
    }

    /// Finds potential, first variation and velocity of ρ, for the functions below to return. A stepper ends at stages of its
    /// own: call this with the state first.
    ///
    /// # Errors
    /// [`crate::Error::Density`] where ρ ≤ 0; [`crate::Error::NoConvergence`] when u cannot be found.
    pub fn evaluate(&mut self, rho: &[f64]) -> Result<()> {
        log_density(self.operator.torus(), rho, &mut self.log_density)?;
        let log_rho = &self.log_density;
        for_each_block(&mut self.operator.source, |start, source| {
            for (source, log_rho) in source.iter_mut().zip(&log_rho[start..]) {
                *source = -log_rho;
            }
        });
        self.find_potential(rho)?;
        let log_rho = &self.log_density;
        variation(
            self.objective.as_ref(),
            log_rho,
            &self.source,
            &mut self.variation,
        );
        self.operator
            .calculus
            .gradient(&self.variation, &mut self.gradient);
        velocity(
            &self.elliptic.linearised.a,
            &self.gradient,
            &mut self.velocity,
        );
        Ok(())
    }

    /// u from what is known of it near by, or else from the last one.
    fn find_potential(&mut self, rho: &[f64]) -> Result<()> {
        let (elliptic, operator) = (&mut self.elliptic, &mut self.operator);
        let last = &self.potential;
        let found = if self.directions.predict(rho, &mut self.w) {
            let near = elliptic.solve(operator, &self.w, self.tolerance);
            near.or_else(|_| elliptic.solve(operator, last, self.tolerance))
        } else {
            elliptic.solve(operator, last, self.tolerance)
        };
        let found = found.map_err(|error| error.during("the Brenier potential of ρ"))?;
        self.newton_steps += found.newton_steps;
        self.potential = found.p;
        Ok(())
    }

    /// Newton steps of all elliptic solves so far.
    pub fn newton_steps(&self) -> usize {
        self.newton_steps
    }

    /// Periodic part of u, mean zero.
    pub fn potential(&self) -> &[f64] {
        &self.potential
    }

    /// log ρ.
    pub fn log_density(&self) -> &[f64] {
        &self.log_density
    }

    /// `φ = δF/δρ`, up to the constant of [`Objective::variation`].
    pub fn variation(&self) -> &[f64] {
        &self.variation
    }

    /// `v = −A∇φ`, one vector per axis.
    pub fn velocity(&self) -> &[Vec<f64>] {
        &self.velocity
    }

    /// `ρv`, one vector per axis.
    pub fn flux(&self) -> Vec<Vec<f64>> {
        let weighted = |v: &Vec<f64>| {
            let terms = v.iter().zip(&self.log_density);
            terms.map(|(v, l)| v * l.exp()).collect()
        };
        self.velocity.iter().map(weighted).collect()
    }

    /// F(ρ).
    pub fn value(&self) -> f64 {
        self.objective.value(&self.log_density, &self.source)
    }

    /// `‖v‖_{L²(ρ)}`.
    pub fn speed(&self) -> f64 {
        velocity::norm(&self.log_density, &self.velocity)
    }

    /// `−dF/dt = ∫ρ∇φ·A∇φ`.
    pub fn dissipation(&self) -> f64 {
        velocity::dissipation(&self.log_density, &self.gradient, &self.velocity)
    }
}

impl System for Primal {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn rate(&mut self, rho: &[f64], out: &mut [f64]) -> Result<()> {
        self.evaluate(rho)?;
        for (flux, v) in self.flux.iter_mut().zip(&self.velocity) {
            product(-1.0, rho, v, flux);
        }
        self.operator.calculus.divergence(&self.flux, out);
        self.operator.calculus.remove_nyquist(out);
        Ok(())
    }

    fn linearise(&mut self, rho: &[f64], rate: &mut [f64]) -> Result<()> {
        self.rate(rho, rate)?;
        let (u, linearised) = (&self.elliptic.linearised, &mut self.linearised);
        linearised.freeze(rho, &self.velocity, &u.a, &u.jet);
        let (objective, log_rho, f) = (&self.objective, &self.log_density, &self.source);
        for_each_block(&mut linearised.slope, |start, slope| {
            for (k, slope) in slope.iter_mut().enumerate() {
                *slope = objective.slopes(log_rho[start + k], f[start + k]).0;
            }
        });
        self.preconditioner
            .adopt(rho, &linearised.a, &linearised.slope);
        self.shared = None;
        self.directions.begin(rho, &self.potential);
        Ok(())
    }

    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], tolerance: f64) -> Result<usize> {
        if self.shared.replace(c) != Some(c) {
            self.gmres.recycle();
        }
        let Self {
            operator,
            linearised,
            preconditioner,
            directions,
            ..
        } = self;
        let calculus = operator.calculus.as_mut();
        self.rhs.copy_from_slice(r);
        calculus.remove_nyquist(&mut self.rhs);
        let solved = self.gmres.solve(
            |w, out| linearised.apply(calculus, c, w, out),
            |v, out| preconditioner.solve(c, v, out),
            &self.rhs,
            &mut self.w,
            tolerance,
        )?;
        linearised.density_change(calculus, &self.w, k);
        complete(r, &self.rhs, k);
        directions.learn(k, &self.w);
        Ok(solved.iterations)
    }

    fn error(&self, e: &[f64], _image: &[f64], tolerance: f64) -> Size {
        Size {
            value: DENSITY_WEIGHT * self.norm(e) / tolerance,
            of: "ρ",
        }
    }

    fn spectral_radius(&self) -> f64 {
        self.linearised
            .spectral_radius(self.preconditioner.symbols())
    }
}
