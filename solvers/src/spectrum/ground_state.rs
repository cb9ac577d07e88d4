//! The weighted Laplacian in ground-state form: exactly symmetric on the grid, and tame where the density is tiny.

use super::preconditioner::Preconditioner;
use crate::fourier::{Complex64, Fourier, angular};
use crate::parallel::{dot, for_each_block, max_of};
use crate::symmetric::{pairs, position};
use crate::torus::Torus;

/// `S v = e^{-f/2} L e^{f/2} v` for `L w = −e^f ∇·(e^{-f} B ∇w)`, an isometry of L²(e^{-f}) with L²(dx) away from L.
///
/// With `v = e^{-f/2} w` one has `e^{-f/2} ∇w = ∇v + ½v∇f =: D_f v`, hence `S = D_fᵀ B D_f` with `D_fᵀ = −∇· + ½∇f·`. The spectral
/// ∇ is antisymmetric at the nodes, so S is symmetric and ≥ 0 to round-off, and nothing in it is
/// ever multiplied by `e^{f}`: the rounding is that of a Schrödinger operator `−∇·B∇ + V`, whatever the
/// oscillation of f. The constants w are the ground state `v₀ = e^{-f/2}`.
///
/// *Nyquist.* The spectral ∂ annihilates `cos(πn x)`, so such modes would appear as spurious small eigenvalues. S acts on
/// the trigonometric polynomials without any Nyquist mode, which is the Galerkin method there: `S = P D_fᵀ B D_f P`.
pub struct GroundState {
    fourier: Fourier,
    /// 2πk along each axis, zero for Nyquist; and one, zero for Nyquist.
    first: Vec<Vec<f64>>,
    kept: Vec<Vec<f64>>,
    ones: Vec<Vec<f64>>,
    half_gradient: Vec<Vec<f64>>,
    b: Option<Vec<Vec<f64>>>,
    ground: Vec<f64>,
    preconditioner: Preconditioner,
    gradient: Vec<Vec<f64>>,
    flux: Vec<f64>,
    spectrum: Vec<Complex64>,
    work: Vec<Complex64>,
    /// Where a result is summed.
    total: Vec<Complex64>,
}

/// Modes along the axes that a derivative is not along.
#[derive(Clone, Copy)]
enum Others {
    All,
    Kept,
}

/// `total += sign · term`.
fn add(sign: f64, term: &[Complex64], total: &mut [Complex64]) {
    for_each_block(total, |start, total| {
        for (total, term) in total.iter_mut().zip(&term[start..]) {
            *total += sign * term;
        }
    });
}

impl GroundState {
    /// For the density `e^{log_density}` of any mass; B packed as in [`crate::symmetric`], the identity when absent.
    pub fn new(torus: &Torus, log_density: &[f64], b: Option<&[Vec<f64>]>) -> Self {
        let (d, n) = (torus.dimension(), torus.len());
        let fourier = Fourier::new(torus);
        let along = |value: &dyn Fn(f64) -> f64| -> Vec<Vec<f64>> {
            let line = |axis: usize| {
                let nyquist = torus.points()[axis] as f64 / 2.0;
                let k = fourier.wavenumbers(axis);
                k.iter()
                    .map(|&k| if k == nyquist { 0.0 } else { value(k) })
                    .collect()
            };
            (0..d).map(line).collect()
        };
        let (first, kept) = (along(&angular), along(&|_| 1.0));
        let mut this = Self {
            ones: kept.iter().map(|k| vec![1.0; k.len()]).collect(),
            first,
            kept,
            half_gradient: vec![vec![0.0; n]; d],
            b: b.map(<[Vec<f64>]>::to_vec),
            ground: Vec::new(),
            preconditioner: Preconditioner::identity(d),
            gradient: vec![vec![0.0; n]; d],
            flux: vec![0.0; n],
            spectrum: fourier.spectrum(),
            work: fourier.spectrum(),
            total: fourier.spectrum(),
            fourier,
        };
        this.differentiate(log_density);
        for (half, gradient) in this.half_gradient.iter_mut().zip(&this.gradient) {
            for (half, gradient) in half.iter_mut().zip(gradient) {
                *half = -0.5 * gradient;
            }
        }
        this.preconditioner = Preconditioner::new(torus, &this.half_gradient, b);
        this.ground = this.normalised_ground(log_density);
        this
    }

    /// `e^{-f/2}` without its Nyquist modes, of unit Euclidean norm.
    fn normalised_ground(&mut self, log_density: &[f64]) -> Vec<f64> {
        let top = max_of(log_density.len(), |i| log_density[i]);
        let mut ground: Vec<f64> = log_density
            .iter()
            .map(|l| (0.5 * (l - top)).exp())
            .collect();
        self.project(&mut ground);
        let norm = dot(&ground, &ground).sqrt();
        ground.iter_mut().for_each(|g| *g /= norm);
        ground
    }

    /// The kernel of S: `e^{-f/2}`, of unit Euclidean norm.
    pub fn ground(&self) -> &[f64] {
        &self.ground
    }

    pub fn torus(&self) -> &Torus {
        self.fourier.torus()
    }

    /// Bound on the spectral radius: `sup λ(B) Σ(πn_i + ½ sup|∂_i f|)²`, λ(B) bounded by the trace.
    pub fn radius(&self) -> f64 {
        let d = self.torus().dimension();
        let trace = self.b.as_ref().map_or(1.0, |b| {
            max_of(self.torus().len(), |node| {
                (0..d).map(|i| b[position(d, i, i)][node].abs()).sum()
            })
        });
        let slopes: f64 = (0..d)
            .map(|axis| {
                let nyquist = angular(self.torus().points()[axis] as f64 / 2.0);
                let half = &self.half_gradient[axis];
                (nyquist + max_of(half.len(), |i| half[i].abs())).powi(2)
            })
            .sum();
        trace * slopes
    }

    /// `out = P D_fᵀ B D_f v` for v without Nyquist modes: 2d + 3 transforms.
    pub fn apply(&mut self, v: &[f64], out: &mut [f64]) {
        self.covariant_gradient(v);
        out.fill(0.0);
        self.total.fill(Complex64::ZERO);
        for axis in 0..self.half_gradient.len() {
            self.multiply(axis);
            self.add_half_flux(axis, out);
            self.fourier.forward(&self.flux, &mut self.spectrum);
            self.derivative(axis, Others::Kept);
            add(-1.0, &self.work, &mut self.total);
        }
        self.fourier.forward(out, &mut self.spectrum);
        self.keep();
        add(1.0, &self.work, &mut self.total);
        self.fourier.inverse(&mut self.total, out);
    }

    /// `out = D_fᵀ B D_f v`, Nyquist modes included: what the continuous operator gives at the nodes.
    pub fn apply_at_nodes(&mut self, v: &[f64], out: &mut [f64]) {
        self.covariant_gradient(v);
        out.fill(0.0);
        for axis in 0..self.half_gradient.len() {
            self.multiply(axis);
            self.add_half_flux(axis, out);
            self.fourier.forward(&self.flux, &mut self.spectrum);
            self.derivative(axis, Others::All);
            self.fourier.inverse(&mut self.work, &mut self.flux);
            let divergence = &self.flux;
            for_each_block(out, |start, out| {
                for (k, out) in out.iter_mut().enumerate() {
                    *out -= divergence[start + k];
                }
            });
        }
    }

    /// `gradient = D_f v`.
    fn covariant_gradient(&mut self, v: &[f64]) {
        self.differentiate(v);
        for (gradient, half) in self.gradient.iter_mut().zip(&self.half_gradient) {
            for_each_block(gradient, |start, gradient| {
                for (k, gradient) in gradient.iter_mut().enumerate() {
                    *gradient += half[start + k] * v[start + k];
                }
            });
        }
    }

    /// `out += ½∂_axis f · flux`.
    fn add_half_flux(&self, axis: usize, out: &mut [f64]) {
        let (flux, half) = (&self.flux, &self.half_gradient[axis]);
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out += half[start + k] * flux[start + k];
            }
        });
    }

    /// `flux = (B · gradient)_axis`.
    fn multiply(&mut self, axis: usize) {
        let Some(b) = &self.b else {
            self.flux.copy_from_slice(&self.gradient[axis]);
            return;
        };
        let (d, gradient) = (self.gradient.len(), &self.gradient);
        for_each_block(&mut self.flux, |start, flux| {
            for (k, flux) in flux.iter_mut().enumerate() {
                let terms =
                    (0..d).map(|j| b[position(d, axis, j)][start + k] * gradient[j][start + k]);
                *flux = terms.sum();
            }
        });
    }

    /// `gradient = ∇v`.
    fn differentiate(&mut self, v: &[f64]) {
        self.fourier.forward(v, &mut self.spectrum);
        for axis in 0..self.gradient.len() {
            self.derivative(axis, Others::All);
            self.fourier
                .inverse(&mut self.work, &mut self.gradient[axis]);
        }
    }

    /// `work = ∂_axis spectrum`, normalised, with all modes along the other axes or those that are not Nyquist.
    fn derivative(&mut self, axis: usize, others: Others) {
        let unit = Complex64::new(0.0, 1.0 / self.torus().len() as f64);
        let others = match others {
            Others::All => &self.ones,
            Others::Kept => &self.kept,
        };
        let mut factors: Vec<&[f64]> = others.iter().map(Vec::as_slice).collect();
        factors[axis] = &self.first[axis];
        self.fourier
            .multiply(&self.spectrum, &factors, unit, &mut self.work);
    }

    /// Removes every Nyquist mode.
    pub fn project(&mut self, v: &mut [f64]) {
        self.fourier.forward(v, &mut self.spectrum);
        self.keep();
        self.fourier.inverse(&mut self.work, v);
    }

    /// `work = spectrum` without its Nyquist modes, normalised.
    fn keep(&mut self) {
        let unit = Complex64::new(1.0 / self.torus().len() as f64, 0.0);
        let factors: Vec<&[f64]> = self.kept.iter().map(Vec::as_slice).collect();
        self.fourier
            .multiply(&self.spectrum, &factors, unit, &mut self.work);
    }

    /// `out ≈ S^{-1} v`, symmetric and positive on the fields without Nyquist modes.
    pub fn precondition(&mut self, v: &[f64], out: &mut [f64]) {
        out.copy_from_slice(v);
        self.preconditioner.rescale(out);
        self.fourier.forward(out, &mut self.spectrum);
        let (d, first, kept) = (self.first.len(), &self.first, &self.kept);
        let Preconditioner { shape, shift, .. } = &self.preconditioner;
        let scale = 1.0 / self.fourier.torus().len() as f64;
        self.fourier
            .for_each_mode(&mut self.spectrum, |value, index| {
                let mut symbol = *shift;
                for (component, (i, j)) in pairs(d).enumerate() {
                    let twice = if i == j { 1.0 } else { 2.0 };
                    symbol += twice * shape[component] * first[i][index[i]] * first[j][index[j]];
                }
                let keep: f64 = (0..d).map(|i| kept[i][index[i]]).product();
                *value *= scale * keep / symbol;
            });
        self.fourier.inverse(&mut self.spectrum, out);
        if self.preconditioner.rescale(out) {
            self.project(out);
        }
    }
}
