//! The linearisation of the mirror flow in its primal coordinate, without solving for the potential.
//!
//! A change of the density is named by the change −w of its potential, `δ log ρ = λ(w) = ⟨w⟩ + ⟨ρ L_u w⟩ − L_u w`, the mean
//! of w standing for a change of mass. With `δφ = Sλ`, `S = ∂φ/∂log ρ`, and `δA = A∇²wA`,
//!
//! ```text
//! δ(ρv) = ρ ( λv + A(∇²w v − ∇(Sλ)) ),   v = −A∇φ,
//! ```
//!
//! so that the Jacobian of `−∇·(ρv)` at ρλ costs derivatives alone, and is exact for the discrete equation as it is for the
//! continuous one: L_u here is the derivative of the discrete `−g(∇u) + log det ∇²u`.

use super::density::product;
use crate::calculus::{Calculus, Derivatives, Symbol};
use crate::density::Jet;
use crate::parallel::{dot, for_each_block, max_of, mean};
use crate::symmetric::{packed_len, pairs, position};
use crate::torus::Torus;

/// Coefficients frozen at a state, and workspace.
pub(super) struct LinearisedPrimal {
    pub(super) rho: Vec<f64>,
    /// S.
    pub(super) slope: Vec<f64>,
    pub(super) velocity: Vec<Vec<f64>>,
    /// A, packed, and ∇g at the map.
    pub(super) a: Vec<Vec<f64>>,
    drift: Vec<Vec<f64>>,
    mass: f64,
    derivatives: Derivatives,
    /// λ, Sλ and the change of the flux.
    change: Vec<f64>,
    variation: Vec<f64>,
    force: Vec<Vec<f64>>,
    flux: Vec<Vec<f64>>,
}

impl LinearisedPrimal {
    pub(super) fn new(torus: &Torus) -> Self {
        let (d, zeros) = (torus.dimension(), vec![0.0; torus.len()]);
        Self {
            rho: zeros.clone(),
            slope: zeros.clone(),
            velocity: vec![zeros.clone(); d],
            a: vec![zeros.clone(); packed_len(d)],
            drift: vec![zeros.clone(); d],
            mass: 1.0,
            derivatives: Derivatives::zeros(torus),
            change: zeros.clone(),
            variation: zeros.clone(),
            force: vec![zeros.clone(); d],
            flux: vec![zeros; d],
        }
    }

    /// Freezes everything but S.
    pub(super) fn freeze(
        &mut self,
        rho: &[f64],
        velocity: &[Vec<f64>],
        a: &[Vec<f64>],
        target: &Jet,
    ) {
        self.rho.copy_from_slice(rho);
        self.mass = mean(rho);
        let fields = velocity.iter().chain(a).chain(&target.gradient);
        let frozen = self.velocity.iter_mut().chain(&mut self.a);
        for (frozen, field) in frozen.chain(&mut self.drift).zip(fields) {
            frozen.copy_from_slice(field);
        }
    }

    /// `λ(w)`, in `change`; leaves the derivatives of w.
    fn log_density_change(&mut self, calculus: &mut dyn Calculus, w: &[f64]) {
        calculus.derivatives(w, &mut self.derivatives);
        let (gradient, hessian) = (&self.derivatives.gradient, &self.derivatives.hessian);
        let (a, drift, d) = (&self.a, &self.drift, self.drift.len());
        for_each_block(&mut self.change, |start, change| {
            for (k, change) in change.iter_mut().enumerate() {
                let node = start + k;
                let mut sum = 0.0;
                for i in 0..d {
                    sum += drift[i][node] * gradient[i][node];
                }
                for (component, (i, j)) in pairs(d).enumerate() {
                    let twice = if i == j { 1.0 } else { 2.0 };
                    sum -= twice * a[component][node] * hessian[component][node];
                }
                *change = sum;
            }
        });
        let nodes = w.len() as f64;
        let constant = mean(w) - dot(&self.rho, &self.change) / (nodes * self.mass);
        shift(&mut self.change, constant);
    }

    /// The change of `ρv`, from λ and the derivatives of w.
    fn flux_change(&mut self, calculus: &mut dyn Calculus) {
        product(1.0, &self.slope, &self.change, &mut self.variation);
        calculus.gradient(&self.variation, &mut self.force);
        let (hessian, v, a) = (&self.derivatives.hessian, &self.velocity, &self.a);
        let d = v.len();
        for (i, force) in self.force.iter_mut().enumerate() {
            for_each_block(force, |start, force| {
                for (k, force) in force.iter_mut().enumerate() {
                    let node = start + k;
                    let entry = |j: usize| hessian[position(d, i, j)][node] * v[j][node];
                    *force = (0..d).map(entry).sum::<f64>() - *force;
                }
            });
        }
        let (rho, change, force) = (&self.rho, &self.change, &self.force);
        for (i, flux) in self.flux.iter_mut().enumerate() {
            for_each_block(flux, |start, flux| {
                for (k, flux) in flux.iter_mut().enumerate() {
                    let node = start + k;
                    let entry = |j: usize| a[position(d, i, j)][node] * force[j][node];
                    let pushed = (0..d).map(entry).sum::<f64>();
                    *flux = rho[node] * (change[node] * v[i][node] + pushed);
                }
            });
        }
    }

    /// `out = (1 − cJ)(ρ λ(w))`.
    pub(super) fn apply(
        &mut self,
        calculus: &mut dyn Calculus,
        c: f64,
        w: &[f64],
        out: &mut [f64],
    ) {
        self.log_density_change(calculus, w);
        self.flux_change(calculus);
        calculus.divergence(&self.flux, out);
        let (rho, change) = (&self.rho, &self.change);
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = rho[start + k] * change[start + k] + c * *out;
            }
        });
        calculus.remove_nyquist(out);
    }

    /// `out = ρ λ(w)`.
    pub(super) fn density_change(
        &mut self,
        calculus: &mut dyn Calculus,
        w: &[f64],
        out: &mut [f64],
    ) {
        self.log_density_change(calculus, w);
        product(1.0, &self.rho, &self.change, out);
        calculus.remove_nyquist(out);
    }

    /// Bound on the spectral radius: that of `S L_u`, and of transport by v, which is all that is left where S = 0.
    pub(super) fn spectral_radius(&self, symbols: &[Symbol]) -> f64 {
        let root: Vec<f64> = symbols.iter().map(|s| s.radius().sqrt()).collect();
        let d = root.len();
        max_of(self.rho.len(), |node| {
            let entry = |(component, (i, j)): (usize, (usize, usize))| {
                let twice = if i == j { 1.0 } else { 2.0 };
                twice * self.a[component][node].abs() * root[i] * root[j]
            };
            let diffusion: f64 = pairs(d).enumerate().map(entry).sum();
            let transport: f64 = (0..d).map(|i| self.velocity[i][node].abs() * root[i]).sum();
            self.slope[node] * diffusion + transport
        })
    }
}

fn shift(field: &mut [f64], constant: f64) {
    for_each_block(field, |_, field| {
        field.iter_mut().for_each(|v| *v += constant)
    });
}
