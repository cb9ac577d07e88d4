//! The FFT preconditioner of `identity·w − c A:∇²w`.

use crate::calculus::{Calculus, Symbol};
use crate::fourier::Filter;
use crate::parallel::{for_each_block, max_of, mean_of};
use crate::symmetric::{Packed, pairs, position};
use crate::torus::Torus;

/// A local size below this part of the largest is raised to it: dividing by less would amplify more than it preconditions.
const SMALLEST_SIZE: f64 = 1e-6;

/// Divides the equation by the local size `a = tr(A)/d` and replaces what is left by its mean,
/// `(identity·⟨1/a⟩ − c⟨A/a⟩:∇²)^{-1} (r/a)`, diagonal in Fourier space.
///
/// Dividing first makes it exact to leading order wherever A is a multiple of one matrix, so in one dimension always.
pub struct Preconditioner {
    torus: Torus,
    symbols: Vec<Symbol>,
    /// What inverts, once something was solved: for the identity and c that it was made for since the last [`Self::adopt`].
    filter: Option<(Filter, Option<(f64, f64)>)>,
    local_size: Vec<f64>,
    mean_inverse_size: f64,
    mean_shape: Packed,
    /// Whether each mode along each axis is in the range.
    seen: Vec<Vec<bool>>,
}

impl Preconditioner {
    /// For A = 0, the identity, until [`Self::adopt`].
    pub fn new(calculus: &dyn Calculus) -> Self {
        let torus = calculus.torus();
        let symbols: Vec<Symbol> = (0..torus.dimension())
            .map(|axis| calculus.symbol(axis))
            .collect();
        Self {
            seen: symbols.iter().map(|s| vec![true; s.first.len()]).collect(),
            symbols,
            filter: None,
            torus: torus.clone(),
            local_size: vec![1.0; torus.len()],
            mean_inverse_size: 1.0,
            mean_shape: [0.0; 6],
        }
    }

    /// The same for `−c ∇·(A∇w)` in place of `−c A:∇²w`: first derivatives twice, which on a grid are not the second ones. Modes
    /// that [`Calculus::remove_nyquist`] removes are not in its range.
    pub fn of_divergence_form(calculus: &dyn Calculus) -> Self {
        let mut this = Self::new(calculus);
        let several = this.symbols.len() > 1;
        for (symbol, seen) in this.symbols.iter_mut().zip(&mut this.seen) {
            if several {
                *seen = symbol.seen();
            }
            symbol.second = symbol.first.iter().map(|first| first * first).collect();
        }
        this
    }

    /// Eigenvalues of ∂ and −∂² along each axis.
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// Takes the means of A, packed, at the nodes. A = 0 leaves the identity.
    pub fn adopt(&mut self, a: &[Vec<f64>]) {
        let d = self.symbols.len();
        let trace = |i: usize| (0..d).map(|k| a[position(d, k, k)][i]).sum::<f64>() / d as f64;
        let largest = max_of(self.local_size.len(), trace);
        let (floor, scale) = if largest > 0.0 {
            (SMALLEST_SIZE * largest, 1.0)
        } else {
            (1.0, 0.0)
        };
        for_each_block(&mut self.local_size, |start, size| {
            for (k, size) in size.iter_mut().enumerate() {
                *size = (scale * trace(start + k)).max(floor);
            }
        });
        let size = &self.local_size;
        self.mean_inverse_size = mean_of(size.len(), |i| 1.0 / size[i]);
        for (component, a) in a.iter().enumerate() {
            self.mean_shape[component] = mean_of(size.len(), |i| a[i] / size[i]);
        }
        if let Some((_, made_for)) = &mut self.filter {
            *made_for = None;
        }
    }

    /// `out = (identity·⟨1/a⟩ − c⟨A/a⟩:∇²)^{-1} (v/a)`; the constant mode of a pure Laplacian is kept as it is.
    pub fn solve(&mut self, identity: f64, c: f64, v: &[f64], out: &mut [f64]) {
        let size = &self.local_size;
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                *out = v[start + k] / size[start + k];
            }
        });
        let (mut filter, made_for) = self
            .filter
            .take()
            .unwrap_or_else(|| (Filter::new(&self.torus), None));
        if made_for != Some((identity, c)) {
            filter.adopt(|index| self.inverse_symbol(identity, c, index));
        }
        filter.apply(out);
        self.filter = Some((filter, Some((identity, c))));
    }

    /// What [`Self::solve`] does to one mode of `v/a`.
    pub(super) fn inverse_symbol(&self, identity: f64, c: f64, index: &[usize]) -> f64 {
        let kept = self.seen.iter().zip(index).all(|(seen, &k)| seen[k]);
        if !kept {
            return 0.0;
        }
        let laplacian = laplacian(&self.symbols, &self.mean_shape, index);
        let eigenvalue = identity * self.mean_inverse_size + c * laplacian;
        1.0 / if eigenvalue > 0.0 {
            eigenvalue
        } else {
            self.mean_inverse_size
        }
    }

    /// a at the nodes.
    pub(super) fn local_size(&self) -> &[f64] {
        &self.local_size
    }

    /// ⟨1/a⟩.
    pub(super) fn mean_inverse_size(&self) -> f64 {
        self.mean_inverse_size
    }

    /// ⟨A/a⟩, packed.
    pub(super) fn mean_shape(&self) -> &Packed {
        &self.mean_shape
    }
}

/// Eigenvalue of `−M:∇²` on one mode.
#[inline(always)]
fn laplacian(symbols: &[Symbol], m: &Packed, index: &[usize]) -> f64 {
    let entry = |(component, (i, j)): (usize, (usize, usize))| {
        m[component]
            * if i == j {
                symbols[i].second[index[i]]
            } else {
                2.0 * symbols[i].first[index[i]] * symbols[j].first[index[j]]
            }
    };
    pairs(symbols.len()).enumerate().map(entry).sum()
}
