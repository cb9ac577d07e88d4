//! The linearisation `L_u w = −∇g(∇u)·∇w + tr(A ∇²w)`, `A = (∇²u)^{-1}`, and linear systems with it.

use super::operator::MongeAmpere;
use crate::calculus::{Derivatives, Symbol};
use crate::density::{Jet, Order};
use crate::error::Result;
use crate::fourier::{Complex64, Fourier};
use crate::krylov::{Gmres, Solved};
use crate::parallel::{for_each_block, max_of, mean, mean_of};
use crate::symmetric::{Packed, determinant, identity_plus, inverse, packed_len, pairs, position};
use crate::torus::Torus;

/// Iterations between restarts of GMRES, and the most of them for one solve.
const RESTART: usize = 30;
const MOST_ITERATIONS: usize = 300;

/// `L_u` frozen at a potential, with an FFT-preconditioned GMRES for `w − c L_u w = r` and for `−L_u w = r`.
///
/// In divergence form `L_u w = ρ^{-1} ∇·(ρ A ∇w)`: spectrum ≤ 0, kernel the constants.
///
/// The preconditioner divides the equation by the local size `a = tr(A)/d` and replaces what is left by its
/// mean: `c⁻¹-scaled (⟨1/a⟩ − c⟨A/a⟩:∇²)^{-1} (r/a)`, diagonal in Fourier space. Dividing first makes it exact to leading
/// order wherever A is a multiple of one matrix, so in one dimension always.
pub struct Linearised {
    torus: Torus,
    /// ∇g at the map, and ∇²g when asked for.
    pub(super) jet: Jet,
    /// A at the nodes, packed.
    pub(super) a: Vec<Vec<f64>>,
    pub(super) derivatives: Derivatives,
    fourier: Fourier,
    symbols: Vec<Symbol>,
    spectrum: Vec<Complex64>,
    local_size: Vec<f64>,
    mean_inverse_size: f64,
    mean_shape: Packed,
    gmres: Gmres,
}

impl Linearised {
    /// Workspace for `operator`; `order` is [`Order::Gradient`], or [`Order::Hessian`] when ∇²g is wanted too.
    pub fn new(operator: &MongeAmpere, order: Order) -> Self {
        let torus = operator.torus().clone();
        let fourier = Fourier::new(&torus);
        let d = torus.dimension();
        Self {
            jet: Jet::zeros(d, torus.len(), order),
            a: vec![vec![0.0; torus.len()]; packed_len(d)],
            derivatives: Derivatives::zeros(&torus),
            spectrum: fourier.spectrum(),
            symbols: (0..d).map(|axis| operator.calculus.symbol(axis)).collect(),
            fourier,
            local_size: vec![1.0; torus.len()],
            mean_inverse_size: 1.0,
            mean_shape: [0.0; 6],
            gmres: Gmres::new(torus.len(), RESTART, MOST_ITERATIONS),
            torus,
        }
    }

    /// Freezes the coefficients at p and writes `rate = F(p)`.
    ///
    /// # Errors
    /// As [`MongeAmpere::rate`].
    pub fn freeze(
        &mut self,
        operator: &mut MongeAmpere,
        p: &[f64],
        rate: &mut [f64],
    ) -> Result<()> {
        operator.differentiate(p);
        operator.target.jet(&operator.map, &mut self.jet);
        operator.assemble_with(&self.jet.value, rate)?;
        operator.calculus.project(rate);
        let (d, hessian) = (self.torus.dimension(), &operator.derivatives.hessian);
        let a_at = |i: usize| {
            let m = identity_plus(d, hessian, i);
            inverse(d, &m, determinant(d, &m))
        };
        for (component, a) in self.a.iter_mut().enumerate() {
            for_each_block(a, |start, a| {
                for (k, a) in a.iter_mut().enumerate() {
                    *a = a_at(start + k)[component];
                }
            });
        }
        self.average();
        Ok(())
    }

    /// Means for the preconditioner.
    fn average(&mut self) {
        let d = self.torus.dimension();
        let a = &self.a;
        for_each_block(&mut self.local_size, |start, size| {
            for (k, size) in size.iter_mut().enumerate() {
                let trace: f64 = (0..d).map(|i| a[position(d, i, i)][start + k]).sum();
                *size = trace / d as f64;
            }
        });
        let size = &self.local_size;
        self.mean_inverse_size = mean_of(size.len(), |i| 1.0 / size[i]);
        for (component, a) in a.iter().enumerate() {
            self.mean_shape[component] = mean_of(size.len(), |i| a[i] / size[i]);
        }
    }

    /// `out = L_u w`.
    pub fn apply(&mut self, operator: &mut MongeAmpere, w: &[f64], out: &mut [f64]) {
        operator.calculus.derivatives(w, &mut self.derivatives);
        let (gradient, hessian) = (&self.derivatives.gradient, &self.derivatives.hessian);
        let (b, a) = (&self.jet.gradient, &self.a);
        let d = self.torus.dimension();
        for_each_block(out, |start, out| {
            let range = start..start + out.len();
            out.fill(0.0);
            for (b, gradient) in b.iter().zip(gradient) {
                let terms = b[range.clone()].iter().zip(&gradient[range.clone()]);
                for (out, (b, gradient)) in out.iter_mut().zip(terms) {
                    *out -= b * gradient;
                }
            }
            for (component, (i, j)) in pairs(d).enumerate() {
                let twice = if i == j { 1.0 } else { 2.0 };
                let terms = a[component][range.clone()]
                    .iter()
                    .zip(&hessian[component][range.clone()]);
                for (out, (a, hessian)) in out.iter_mut().zip(terms) {
                    *out += twice * a * hessian;
                }
            }
        });
        operator.calculus.project(out);
    }

    /// Solves `w − c L_u w = r` to root-mean-square residual `tolerance`.
    ///
    /// # Errors
    /// [`crate::Error::NoConvergence`].
    pub fn solve_shifted(
        &mut self,
        operator: &mut MongeAmpere,
        c: f64,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        self.solve(operator, 1.0, c, r, w, tolerance)
    }

    /// Solves `⟨w⟩ − L_u w = r`: `−L_u w = r − ⟨w⟩` with the constant `⟨w⟩` (the mean of w) that makes it solvable.
    ///
    /// # Errors
    /// [`crate::Error::NoConvergence`].
    pub fn solve_poisson(
        &mut self,
        operator: &mut MongeAmpere,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        self.solve(operator, 0.0, 1.0, r, w, tolerance)
    }

    /// `identity·w − c L_u w = r`, plus the mean of w where `identity` is zero.
    fn solve(
        &mut self,
        operator: &mut MongeAmpere,
        identity: f64,
        c: f64,
        r: &[f64],
        w: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        let mut gmres = std::mem::replace(&mut self.gmres, Gmres::new(0, 0, 0));
        let this = std::cell::RefCell::new(&mut *self);
        let outcome = gmres.solve(
            |v, out| {
                this.borrow_mut().apply(operator, v, out);
                let constant = if identity == 0.0 { mean(v) } else { 0.0 };
                for_each_block(out, |start, out| {
                    for (out, v) in out.iter_mut().zip(&v[start..]) {
                        *out = identity * v - c * *out + constant;
                    }
                });
            },
            |v, out| this.borrow_mut().precondition(identity, c, v, out),
            r,
            w,
            tolerance,
        );
        self.gmres = gmres;
        outcome
    }

    /// `out = (identity·⟨1/a⟩ − c⟨A/a⟩:∇²)^{-1} (v/a)`; the constant mode of a pure Laplacian is kept as it is.
    fn precondition(&mut self, identity: f64, c: f64, v: &[f64], out: &mut [f64]) {
        let size = &self.local_size;
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = v[start + k] / size[start + k];
            }
        });
        self.fourier.forward(out, &mut self.spectrum);
        let d = self.torus.dimension();
        let (symbols, shape) = (&self.symbols, &self.mean_shape);
        let constant = identity * self.mean_inverse_size;
        let scale = 1.0 / self.torus.len() as f64;
        let kernel = self.mean_inverse_size;
        self.fourier
            .for_each_mode(&mut self.spectrum, |value, index| {
                let mut laplacian = 0.0;
                for (component, (i, j)) in pairs(d).enumerate() {
                    laplacian += shape[component]
                        * if i == j {
                            symbols[i].second[index[i]]
                        } else {
                            2.0 * symbols[i].first[index[i]] * symbols[j].first[index[j]]
                        };
                }
                let eigenvalue = constant + c * laplacian;
                *value *= scale / if eigenvalue > 0.0 { eigenvalue } else { kernel };
            });
        self.fourier.inverse(&mut self.spectrum, out);
    }

    /// Bound on the spectral radius of `L_u`: `max_x Σ_ij |A_ij| (r_i r_j)^{1/2}`, r_i the largest eigenvalue of −∂_ii on the
    /// grid; `d (πn)² λ_max(A)` is attained by a mode along the diagonal (THEORY §2).
    pub fn spectral_radius(&self) -> f64 {
        let d = self.torus.dimension();
        let root: Vec<f64> = self.symbols.iter().map(|s| s.radius().sqrt()).collect();
        max_of(self.torus.len(), |node| {
            pairs(d)
                .enumerate()
                .map(|(component, (i, j))| {
                    let twice = if i == j { 1.0 } else { 2.0 };
                    twice * self.a[component][node].abs() * root[i] * root[j]
                })
                .sum()
        })
    }
}
