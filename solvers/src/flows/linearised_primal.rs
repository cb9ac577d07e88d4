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
            change.fill(0.0);
            for (b, gradient) in drift.iter().zip(gradient) {
                add_product(1.0, &b[start..], &gradient[start..], change);
            }
            for (component, (i, j)) in pairs(d).enumerate() {
                let twice = if i == j { -1.0 } else { -2.0 };
                let (a, hessian) = (&a[component][start..], &hessian[component][start..]);
                add_product(twice, a, hessian, change);
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
                force.iter_mut().for_each(|force| *force = -*force);
                for (j, v) in v.iter().enumerate() {
                    let hessian = &hessian[position(d, i, j)][start..];
                    add_product(1.0, hessian, &v[start..], force);
                }
            });
        }
        let (rho, change, force) = (&self.rho, &self.change, &self.force);
        for (i, flux) in self.flux.iter_mut().enumerate() {
            for_each_block(flux, |start, flux| {
                flux.fill(0.0);
                add_product(1.0, &change[start..], &v[i][start..], flux);
                for (j, force) in force.iter().enumerate() {
                    let a = &a[position(d, i, j)][start..];
                    add_product(1.0, a, &force[start..], flux);
                }
                for (flux, rho) in flux.iter_mut().zip(&rho[start..]) {
                    *flux *= rho;
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

/// `sum += c a b`, as far as `sum` goes.
#[inline(always)]
fn add_product(c: f64, a: &[f64], b: &[f64], sum: &mut [f64]) {
    for (sum, (a, b)) in sum.iter_mut().zip(a.iter().zip(b)) {
        *sum += c * a * b;
    }
}

fn shift(field: &mut [f64], constant: f64) {
    for_each_block(field, |_, field| {
        field.iter_mut().for_each(|v| *v += constant)
    });
}
