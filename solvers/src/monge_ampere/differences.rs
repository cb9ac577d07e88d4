//! The preconditioner for high contrast: the same equation in finite differences, with its variable coefficients.
//!
//! Second-order differences are solved by one cycle of [`Multigrid`] instead of exactly. They err most for the shortest waves, where
//! −∂² is π²/4 of what they make of it; on a constant-coefficient operator that is known and undone in Fourier space,
//!
//! ```text
//! P^{-1} = P_F^{-1} a (identity·⟨1/a⟩ − c⟨A/a⟩:∇_h²) (identity − c L_h)^{-1},
//! ```
//!
//! with P_F that of [`super::Preconditioner`] and h for differences. Since `P_F^{-1}` stands last, whatever is made for systems that it
//! preconditions, as [`super::composed`], takes this one as a step before it. Preconditioning spectral collocation by differences
//! goes back to Orszag, *Spectral methods for problems in complex geometries*, J. Comput. Phys. 37 (1980) 70.

use super::preconditioner::Preconditioner;
use crate::multigrid::{Coefficients, Multigrid};
use crate::parallel::{for_each_block, sum};
use crate::symmetric::packed_len;
use std::f64::consts::PI;

/// Part of the smallest eigenvalue of `−c∇·a∇`, nearly, that is added where there is no identity, to make the differences invertible.
const SMALLEST_SHIFT: f64 = 0.01;
/// An entry of a vector that belongs to no node.
const NOWHERE: usize = 0;

/// All but the last step, `P_F^{-1}`.
pub struct Differences {
    multigrid: Multigrid,
    /// Where the node of each entry of a vector is on the finest grid of [`Multigrid`].
    places: Vec<usize>,
    /// `identity·⟨1/a⟩ − c⟨A/a⟩:∇_h²`.
    terms: Vec<(isize, f64)>,
    /// ⟨1/a⟩ where there is no identity, else 0: what is made of the mean.
    of_mean: f64,
    /// a, entry by entry.
    size: Vec<f64>,
    nodes: usize,
}

impl Differences {
    /// For fields on a grid of so many points along each axis.
    pub fn new(points: &[usize]) -> Self {
        Self {
            multigrid: Multigrid::new(points),
            places: Vec::new(),
            terms: Vec::new(),
            of_mean: 0.0,
            size: Vec::new(),
            nodes: points.iter().product(),
        }
    }

    /// Takes the coefficients and the preconditioner that comes after. `tiled(field, out)` puts a field in the order of the vectors
    /// to come, of `len` entries; those that belong to no node become 0.
    pub fn adopt(
        &mut self,
        coefficients: Coefficients,
        after: &Preconditioner,
        len: usize,
        tiled: impl Fn(&[f64], &mut [f64]),
    ) {
        let Coefficients { identity, c, .. } = coefficients;
        let mean_inverse = after.mean_inverse_size();
        let shift = if identity == 0.0 {
            SMALLEST_SHIFT * c * 4.0 * PI * PI / mean_inverse
        } else {
            identity
        };
        self.multigrid.adopt(Coefficients {
            identity: shift,
            ..coefficients
        });
        let shape = &after.mean_shape()[..packed_len(coefficients.drift.len())];
        self.terms = self
            .multigrid
            .constant_coefficients(identity * mean_inverse, c, shape);
        self.of_mean = if identity == 0.0 { mean_inverse } else { 0.0 };
        self.size.resize(len, 0.0);
        tiled(after.local_size(), &mut self.size);
        let places = self.multigrid.places();
        let named: Vec<f64> = places.iter().map(|&place| place as f64).collect();
        let mut order = vec![0.0; len];
        tiled(&named, &mut order);
        self.places.clear();
        self.places
            .extend(order.iter().map(|&place| place as usize));
    }

    /// `out = a (identity·⟨1/a⟩ − c⟨A/a⟩:∇_h²) (identity − c L_h)^{-1} v`, nearly.
    pub fn apply(&mut self, v: &[f64], out: &mut [f64]) {
        let right_side = self.multigrid.right_side();
        for (&place, v) in self.places.iter().zip(v) {
            right_side[place] = *v;
        }
        self.multigrid.cycle();
        let (x, places, terms, size) = (
            self.multigrid.solution(),
            &self.places,
            &self.terms,
            &self.size,
        );
        let constant = if self.of_mean == 0.0 {
            0.0
        } else {
            let total = sum(places.len(), |range| {
                let present = places[range].iter().filter(|&&place| place != NOWHERE);
                present.map(|&place| x[place]).sum()
            });
            self.of_mean * total / self.nodes as f64
        };
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                let place = places[start + k];
                let value =
                    |&(away, weight): &(isize, f64)| weight * x[place.wrapping_add_signed(away)];
                *out = if place == NOWHERE {
                    0.0
                } else {
                    size[start + k] * (terms.iter().map(value).sum::<f64>() + constant)
                };
            }
        });
    }
}
