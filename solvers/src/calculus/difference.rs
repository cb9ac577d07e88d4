//! Centred finite differences of order 2 and 4 on the periodic grid.
//!
//! Pure second derivatives use the compact stencil; `∂_ij` is the first difference along j of the one along i.

use super::{Calculus, Derivatives, Symbol};
use crate::fourier::{Fourier, angular};
use crate::parallel::{axpy, for_each_chunk};
use crate::symmetric::pairs;
use crate::torus::Torus;

/// A centred stencil: weight of the node itself and of its neighbours at distance 1 and 2.
/// `odd` stencils subtract the left neighbour.
#[derive(Clone, Copy)]
struct Stencil {
    centre: f64,
    near: f64,
    far: f64,
    left_sign: f64,
}

/// Finite differences with error O(h²) or O(h⁴).
pub struct FiniteDifference {
    torus: Torus,
    order: u32,
    /// One term of a divergence.
    term: Vec<f64>,
}

impl FiniteDifference {
    /// # Panics
    /// If `order` is neither 2 nor 4.
    pub fn new(torus: &Torus, order: u32) -> Self {
        assert!(matches!(order, 2 | 4), "orders 2 and 4 exist");
        Self {
            torus: torus.clone(),
            order,
            term: vec![0.0; torus.len()],
        }
    }

    fn first(&self, h: f64) -> Stencil {
        let (near, far) = if self.order == 2 {
            (0.5, 0.0)
        } else {
            (2.0 / 3.0, -1.0 / 12.0)
        };
        Stencil {
            centre: 0.0,
            near: near / h,
            far: far / h,
            left_sign: -1.0,
        }
    }

    fn second(&self, h: f64) -> Stencil {
        let (centre, near, far) = if self.order == 2 {
            (-2.0, 1.0, 0.0)
        } else {
            (-2.5, 4.0 / 3.0, -1.0 / 12.0)
        };
        Stencil {
            centre: centre / (h * h),
            near: near / (h * h),
            far: far / (h * h),
            left_sign: 1.0,
        }
    }

    /// Applies a stencil along an axis.
    fn apply(&self, stencil: Stencil, axis: usize, field: &[f64], out: &mut [f64]) {
        let (n, stride) = (self.torus.points()[axis], self.torus.stride(axis));
        if stride == 1 {
            for_each_chunk(out, n, |line, out| {
                let line = &field[line * n..(line + 1) * n];
                let neighbour = |i: usize, offset: usize| line[(i + offset) % n];
                for (i, out) in out.iter_mut().enumerate() {
                    *out = stencil.combine([n - 2, n - 1, 0, 1, 2].map(|o| neighbour(i, o)));
                }
            });
        } else {
            // Rows of `stride` nodes share their neighbours' offsets.
            for_each_chunk(out, stride, |row, out| {
                let (block, i) = (row / n * n, row % n);
                let rows = [n - 2, n - 1, 0, 1, 2].map(|offset| {
                    let start = (block + (i + offset) % n) * stride;
                    &field[start..start + stride]
                });
                for (k, out) in out.iter_mut().enumerate() {
                    *out = stencil.combine(rows.map(|row| row[k]));
                }
            });
        }
    }
}

impl Stencil {
    /// The derivative from the values at −2, …, 2 spacings.
    #[inline(always)]
    fn combine(&self, [left2, left, here, right, right2]: [f64; 5]) -> f64 {
        self.centre * here
            + self.near * (right + self.left_sign * left)
            + self.far * (right2 + self.left_sign * left2)
    }
}

impl Calculus for FiniteDifference {
    fn torus(&self) -> &Torus {
        &self.torus
    }

    fn derivatives(&mut self, field: &[f64], out: &mut Derivatives) {
        self.gradient(field, &mut out.gradient);
        for (component, (i, j)) in pairs(self.torus.dimension()).enumerate() {
            let h = self.torus.spacing(j);
            let hessian = &mut out.hessian[component];
            if i == j {
                self.apply(self.second(h), i, field, hessian);
            } else {
                self.apply(self.first(h), j, &out.gradient[i], hessian);
            }
        }
    }

    fn gradient(&mut self, field: &[f64], out: &mut [Vec<f64>]) {
        for (axis, out) in out.iter_mut().enumerate() {
            self.apply(self.first(self.torus.spacing(axis)), axis, field, out);
        }
    }

    fn divergence(&mut self, flux: &[Vec<f64>], out: &mut [f64]) {
        let mut term = std::mem::take(&mut self.term);
        out.fill(0.0);
        for (axis, component) in flux.iter().enumerate() {
            self.apply(
                self.first(self.torus.spacing(axis)),
                axis,
                component,
                &mut term,
            );
            axpy(1.0, &term, out);
        }
        self.term = term;
    }

    fn symbol(&self, axis: usize) -> Symbol {
        let h = self.torus.spacing(axis);
        let (first, second) = (self.first(h), self.second(h));
        let angles: Vec<f64> = Fourier::new(&self.torus)
            .wavenumbers(axis)
            .iter()
            .map(|&k| angular(k) * h)
            .collect();
        Symbol {
            first: angles
                .iter()
                .map(|t| 2.0 * (first.near * t.sin() + first.far * (2.0 * t).sin()))
                .collect(),
            second: angles
                .iter()
                .map(|t| {
                    -second.centre - 2.0 * (second.near * t.cos() + second.far * (2.0 * t).cos())
                })
                .collect(),
        }
    }

    fn order(&self) -> Option<u32> {
        Some(self.order)
    }
}
