//! The potential of a density from the linear systems solved at a state near by.
//!
//! Every system `(1 − cJ)k = r` of a step tells which change −w of the potential a change k of the density makes. The stages of a
//! Rosenbrock step are sums of such k, so to first order their potentials are known before an elliptic equation is solved; Newton's
//! method then starts with a residual of second order in the step, one or two of its steps further on.

use crate::parallel::{axpy, dot};

/// A new direction with less than this part outside the span of those before says nothing new.
const NEW: f64 = 1e-9;

/// A state with its potential, and pairs of changes, those of the density orthonormal.
pub(super) struct Directions {
    density: Vec<f64>,
    potential: Vec<f64>,
    /// Memory for more than are known.
    changes: Vec<[Vec<f64>; 2]>,
    known: usize,
    begun: bool,
}

impl Directions {
    pub(super) fn new(len: usize) -> Self {
        Self {
            density: vec![0.0; len],
            potential: vec![0.0; len],
            changes: Vec::new(),
            known: 0,
            begun: false,
        }
    }

    /// Forgets all but a state and its potential.
    pub(super) fn begin(&mut self, density: &[f64], potential: &[f64]) {
        self.density.copy_from_slice(density);
        self.potential.copy_from_slice(potential);
        (self.known, self.begun) = (0, true);
    }

    /// Takes a change k of the density and the −w that it makes of the potential.
    pub(super) fn learn(&mut self, k: &[f64], w: &[f64]) {
        if self.changes.len() == self.known {
            self.changes.push([vec![0.0; k.len()], vec![0.0; k.len()]]);
        }
        let (known, next) = self.changes.split_at_mut(self.known);
        let [density, potential] = &mut next[0];
        density.copy_from_slice(k);
        potential.copy_from_slice(w);
        let size = dot(k, k).sqrt();
        // Twice is enough.
        for _ in 0..2 {
            for [other, of_potential] in known.iter() {
                let part = dot(other, density);
                axpy(-part, other, density);
                axpy(-part, of_potential, potential);
            }
        }
        let norm = dot(density, density).sqrt();
        if norm > NEW * size {
            for field in [density, potential] {
                field.iter_mut().for_each(|value| *value /= norm);
            }
            self.known += 1;
        }
    }

    /// `out` = the potential of `density` to first order in its distance from the state; false before there is one.
    pub(super) fn predict(&self, density: &[f64], out: &mut [f64]) -> bool {
        if !self.begun {
            return false;
        }
        let mut rest = density.to_vec();
        axpy(-1.0, &self.density, &mut rest);
        out.copy_from_slice(&self.potential);
        for [change, potential] in &self.changes[..self.known] {
            let part = dot(change, &rest);
            axpy(-part, change, &mut rest);
            axpy(-part, potential, out);
        }
        true
    }
}
