//! The Wasserstein gradient flow: Fokker–Planck for KL, the heat and porous medium equations for the entropies.

use super::density::{complete, log_density, product};
use super::velocity;
use crate::calculus::Calculus;
use crate::density::{Jet, LogDensity, Order};
use crate::error::Result;
use crate::krylov::Gmres;
use crate::monge_ampere::Preconditioner;
use crate::objective::{Objective, variation};
use crate::parallel::{for_each_block, max_of};
use crate::symmetric::{packed_len, position};
use crate::time::System;
use crate::torus::Torus;

/// Iterations between restarts of GMRES, and the most of them for one solve.
const RESTART: usize = 60;
const MOST_ITERATIONS: usize = 300;

/// `∂_t ν = ∇·(ν∇φ(ν))`, `φ = δF/δν` (THEORY §5); the state is ν at the nodes.
///
/// A discrete divergence, so mass is exact. Where φ is the same at all nodes the rate vanishes to round-off on any grid: for KL the
/// discrete stationary state is e^{-f} itself. With a spectral calculus in two or three dimensions Nyquist modes of ν stay as they were
/// at the start, see [`Calculus::remove_nyquist`].
pub struct GradientFlow {
    calculus: Box<dyn Calculus>,
    objective: Box<dyn Objective>,
    source: Vec<f64>,
    log_density: Vec<f64>,
    variation: Vec<f64>,
    gradient: Vec<Vec<f64>>,
    flux: Vec<Vec<f64>>,
    frozen: Frozen,
    preconditioner: Preconditioner,
    gmres: Gmres,
    /// c of the systems that share a Krylov space.
    shared: Option<f64>,
    rhs: Vec<f64>,
}

/// What the Jacobian `k ↦ ∇·(k∇φ + ν∇(Sk/ν))` needs of the state, `S = ∂φ/∂log ν`.
struct Frozen {
    nu: Vec<f64>,
    slope: Vec<f64>,
    gradient: Vec<Vec<f64>>,
    /// S times the identity, packed.
    diffusion: Vec<Vec<f64>>,
    /// Workspace: `Sk/ν` and the change of the flux.
    variation: Vec<f64>,
    flux: Vec<Vec<f64>>,
}

impl GradientFlow {
    /// The flow of `objective` with source f.
    pub fn new(
        objective: Box<dyn Objective>,
        source: &dyn LogDensity,
        calculus: Box<dyn Calculus>,
    ) -> Self {
        let torus = calculus.torus();
        let mut f = Jet::zeros(torus.dimension(), torus.len(), Order::Value);
        source.jet(&torus.nodes(), &mut f);
        Self::from_values(objective, f.value, calculus)
    }

    /// The same for a source f known at the nodes only.
    pub fn from_values(
        objective: Box<dyn Objective>,
        source: Vec<f64>,
        calculus: Box<dyn Calculus>,
    ) -> Self {
        let (d, nodes) = (calculus.torus().dimension(), calculus.torus().len());
        assert_eq!(source.len(), nodes);
        let zeros = || vec![0.0; nodes];
        Self {
            log_density: zeros(),
            variation: zeros(),
            gradient: vec![zeros(); d],
            flux: vec![zeros(); d],
            frozen: Frozen {
                nu: zeros(),
                slope: zeros(),
                gradient: vec![zeros(); d],
                diffusion: vec![zeros(); packed_len(d)],
                variation: zeros(),
                flux: vec![zeros(); d],
            },
            preconditioner: Preconditioner::of_divergence_form(calculus.as_ref()),
            gmres: Gmres::new(nodes, RESTART, MOST_ITERATIONS),
            shared: None,
            rhs: zeros(),
            calculus,
            objective,
            source,
        }
    }

    pub fn torus(&self) -> &Torus {
        self.calculus.torus()
    }

    /// Finds first variation and velocity of ν, for the functions below to return.
    ///
    /// # Errors
    /// [`crate::Error::Density`] where ν ≤ 0.
    pub fn evaluate(&mut self, nu: &[f64]) -> Result<()> {
        log_density(self.calculus.torus(), nu, &mut self.log_density)?;
        variation(
            self.objective.as_ref(),
            &self.log_density,
            &self.source,
            &mut self.variation,
        );
        self.calculus.gradient(&self.variation, &mut self.gradient);
        Ok(())
    }

    /// log ν.
    pub fn log_density(&self) -> &[f64] {
        &self.log_density
    }

    /// `φ = δF/δν`, up to the constant of [`Objective::variation`].
    pub fn variation(&self) -> &[f64] {
        &self.variation
    }

    /// `v = −∇φ`, one vector per axis.
    pub fn velocity(&self) -> Vec<Vec<f64>> {
        let negated = |g: &Vec<f64>| g.iter().map(|g| -g).collect();
        self.gradient.iter().map(negated).collect()
    }

    /// F(ν).
    pub fn value(&self) -> f64 {
        self.objective.value(&self.log_density, &self.source)
    }

    /// `‖v‖_{L²(ν)}`: the metric derivative in W₂.
    pub fn speed(&self) -> f64 {
        velocity::norm(&self.log_density, &self.gradient)
    }

    /// `−dF/dt = ∫ν|∇φ|²`.
    pub fn dissipation(&self) -> f64 {
        self.speed().powi(2)
    }
}

impl System for GradientFlow {
    fn len(&self) -> usize {
        self.source.len()
    }

    fn rate(&mut self, nu: &[f64], out: &mut [f64]) -> Result<()> {
        self.evaluate(nu)?;
        for (flux, gradient) in self.flux.iter_mut().zip(&self.gradient) {
            product(1.0, nu, gradient, flux);
        }
        self.calculus.divergence(&self.flux, out);
        self.calculus.project(out);
        self.calculus.remove_nyquist(out);
        Ok(())
    }

    fn linearise(&mut self, nu: &[f64], rate: &mut [f64]) -> Result<()> {
        self.rate(nu, rate)?;
        let frozen = &mut self.frozen;
        frozen.nu.copy_from_slice(nu);
        for (frozen, gradient) in frozen.gradient.iter_mut().zip(&self.gradient) {
            frozen.copy_from_slice(gradient);
        }
        let (objective, log_nu, f) = (&self.objective, &self.log_density, &self.source);
        for_each_block(&mut frozen.slope, |start, slope| {
            for (k, slope) in slope.iter_mut().enumerate() {
                *slope = objective.slopes(log_nu[start + k], f[start + k]).0;
            }
        });
        let d = frozen.gradient.len();
        for axis in 0..d {
            frozen.diffusion[position(d, axis, axis)].copy_from_slice(&frozen.slope);
        }
        self.preconditioner.adopt(&frozen.diffusion);
        self.shared = None;
        Ok(())
    }

    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], tolerance: f64) -> Result<usize> {
        if self.shared.replace(c) != Some(c) {
            self.gmres.recycle();
        }
        let Self {
            calculus,
            frozen,
            preconditioner,
            ..
        } = self;
        self.rhs.copy_from_slice(r);
        calculus.remove_nyquist(&mut self.rhs);
        let solved = self.gmres.solve(
            |k, out| frozen.apply(calculus.as_mut(), c, k, out),
            |v, out| preconditioner.solve(1.0, c, v, out),
            &self.rhs,
            k,
            tolerance,
        )?;
        complete(r, &self.rhs, k);
        Ok(solved.iterations)
    }

    fn spectral_radius(&self) -> f64 {
        let symbols = self.preconditioner.symbols();
        let square: f64 = symbols.iter().map(|s| s.radius()).sum();
        let frozen = &self.frozen;
        max_of(frozen.nu.len(), |node| {
            let axes = symbols.iter().zip(&frozen.gradient);
            let transport: f64 = axes.map(|(s, g)| s.radius().sqrt() * g[node].abs()).sum();
            frozen.slope[node] * square + transport
        })
    }
}

impl Frozen {
    /// `out = k − c∇·(k∇φ + ν∇(Sk/ν))`.
    fn apply(&mut self, calculus: &mut dyn Calculus, c: f64, k: &[f64], out: &mut [f64]) {
        let (nu, slope) = (&self.nu, &self.slope);
        for_each_block(&mut self.variation, |start, variation| {
            for (i, variation) in variation.iter_mut().enumerate() {
                let node = start + i;
                *variation = slope[node] * k[node] / nu[node];
            }
        });
        calculus.gradient(&self.variation, &mut self.flux);
        for (flux, gradient) in self.flux.iter_mut().zip(&self.gradient) {
            for_each_block(flux, |start, flux| {
                for (i, flux) in flux.iter_mut().enumerate() {
                    let node = start + i;
                    *flux = nu[node] * *flux + k[node] * gradient[node];
                }
            });
        }
        calculus.divergence(&self.flux, out);
        calculus.project(out);
        for_each_block(out, |start, out| {
            for (out, k) in out.iter_mut().zip(&k[start..]) {
                *out = k - c * *out;
            }
        });
        calculus.remove_nyquist(out);
    }
}
