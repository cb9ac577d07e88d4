//! The preconditioned operator of a linear system with `L_u` in one go: `v ↦ (identity − c L_u) P^{-1} v`, fast.
//!
//! With a the local size, `⟨·⟩` means and `M = ⟨A/a⟩`, the preconditioner ([`super::Preconditioner`]) solves
//! `identity·⟨1/a⟩ w − c M:∇²w = v/a` for w. So one second derivative need not be computed, since the others and w give it,
//!
//! ```text
//! identity·w − c L_u w = (A_11/M_11) v/a + identity (1 − ⟨1/a⟩ A_11/M_11) w + c ∇g·∇w − c Σ′ (A_ij − M_ij A_11/M_11) ∂_ij w,
//! ```
//!
//! where Σ′ leaves out ∂_11, and w itself is never needed at the nodes but for its own coefficient. All fields are in the order of
//! the tiles of [`Pencils`], in which nothing has to be moved between the transforms and the sums over nodes. In two dimensions one
//! application is a forward transform and little more than two inverse ones where composing the parts takes two and six.

use super::preconditioner::Preconditioner;
use crate::calculus::Calculus;
use crate::fourier::{Order, Packet, Pencils};
use crate::parallel::{dot, for_each_block};
use crate::symmetric::pairs;
use multiversion::multiversion;

/// Below this value of M_11, whose mean over the axes is one, the elimination of ∂_11 would cost digits.
const SMALLEST_SHARE: f64 = 0.05;

/// Orders of ∂_1 that remain.
const ORDERS: [usize; 2] = [0, 1];
const VALUE: [Order; 1] = [[0; 3]];

/// Workspace, and the coefficients of the formula above.
pub struct Composed {
    pencils: Pencils,
    symbol: Vec<f64>,
    /// 1/a.
    inverse_size: Vec<f64>,
    /// A_11/M_11.
    ratio: Vec<f64>,
    /// What a unit of ⟨v/a⟩ adds when there is no identity; empty when there is.
    constant: Vec<f64>,
    /// w and its derivatives, with their coefficients.
    fields: Vec<Order>,
    coefficients: Vec<Vec<f64>>,
    at_nodes: Vec<f64>,
}

/// `identity − c L_u` with its preconditioner.
#[derive(Clone, Copy)]
pub struct System<'a> {
    pub identity: f64,
    pub c: f64,
    pub preconditioner: &'a Preconditioner,
    /// A, packed.
    pub a: &'a [Vec<f64>],
    /// ∇g at the map.
    pub drift: &'a [Vec<f64>],
}

impl Composed {
    /// None unless derivatives are those of the trigonometric interpolant in two or three dimensions.
    pub fn new(calculus: &dyn Calculus) -> Option<Self> {
        let torus = calculus.torus();
        let pencils = Pencils::new(torus).filter(|_| calculus.is_interpolant())?;
        let d = torus.dimension();
        let second = pairs(d).skip(1).map(|(i, j)| pencils.order(&[i, j]));
        let first = (0..d).map(|i| pencils.order(&[i]));
        let fields: Vec<Order> = first.chain(second).chain(VALUE).collect();
        let zeros = || vec![0.0; pencils.tiled_len()];
        Some(Self {
            symbol: Vec::new(),
            inverse_size: zeros(),
            ratio: zeros(),
            constant: Vec::new(),
            coefficients: fields.iter().map(|_| zeros()).collect(),
            fields,
            at_nodes: vec![0.0; torus.len()],
            pencils,
        })
    }

    /// Length of the vectors that [`Self::apply`] takes.
    pub fn len(&self) -> usize {
        self.pencils.tiled_len()
    }

    /// Takes another system; false if it does not lend itself to the elimination.
    pub fn adopt(&mut self, system: System) -> bool {
        let System {
            identity,
            c,
            preconditioner,
            a,
            drift,
        } = system;
        let (shape, mean_inverse) = (
            preconditioner.mean_shape(),
            preconditioner.mean_inverse_size(),
        );
        if shape[0].is_nan() || shape[0] < SMALLEST_SHARE {
            return false;
        }
        let (d, size) = (drift.len(), preconditioner.local_size());
        let ratio = |node: usize| a[0][node] / shape[0];
        self.symbol = self
            .pencils
            .symbol(|index| preconditioner.inverse_symbol(identity, c, index));
        let mut put = |out: &mut [f64], value: &(dyn Fn(usize) -> f64 + Sync)| {
            for_each_block(&mut self.at_nodes, |start, block| {
                for (k, block) in block.iter_mut().enumerate() {
                    *block = value(start + k);
                }
            });
            self.pencils.tiled(&self.at_nodes, out);
        };
        put(&mut self.inverse_size, &|node| 1.0 / size[node]);
        put(&mut self.ratio, &ratio);
        let mut coefficients = self.coefficients.iter_mut();
        for (b, out) in drift.iter().zip(&mut coefficients) {
            put(out, &|node| c * b[node]);
        }
        for ((component, (i, j)), out) in pairs(d).enumerate().skip(1).zip(&mut coefficients) {
            let twice = if i == j { 1.0 } else { 2.0 };
            let (a, mean) = (&a[component], shape[component]);
            put(out, &|node| -c * twice * (a[node] - ratio(node) * mean));
        }
        if identity == 0.0 {
            self.constant.resize(self.ratio.len(), 0.0);
            put(&mut self.constant, &|node| 1.0 / mean_inverse - ratio(node));
        } else {
            self.constant.clear();
            let value = coefficients.next().expect("one for w");
            put(value, &|node| identity * (1.0 - mean_inverse * ratio(node)));
        }
        true
    }

    /// `out = (identity − c L_u) P^{-1} v`, plus the mean of `P^{-1}v` where the identity is zero.
    pub fn apply(&mut self, v: &[f64], out: &mut [f64]) {
        self.transform(v, &ORDERS);
        let Self {
            pencils,
            inverse_size,
            ratio,
            constant,
            ..
        } = &*self;
        // w comes last and is not needed without the identity.
        let fields = &self.fields[..self.fields.len() - usize::from(!constant.is_empty())];
        let mean = if constant.is_empty() {
            0.0
        } else {
            dot(v, inverse_size) / self.at_nodes.len() as f64
        };
        let size = pencils.tiled_sheet();
        let begin = |sheet: usize, pieces: &mut [&mut [f64]; 1]| {
            let range = sheet * size..(sheet + 1) * size;
            let [out] = pieces;
            product(
                &v[range.clone()],
                &inverse_size[range.clone()],
                &ratio[range.clone()],
                out,
            );
            if mean != 0.0 {
                for (out, constant) in out.iter_mut().zip(&constant[range]) {
                    *out += mean * constant;
                }
            }
        };
        pencils.inverse(
            &ORDERS,
            fields,
            [out],
            size,
            begin,
            |at, field, values, [out]| {
                let coefficient = pencils.tile_of(&self.coefficients[field], at);
                let start = at.tile * pencils.tile_len();
                accumulate(
                    coefficient,
                    Packet::numbers(values),
                    &mut out[start..start + coefficient.len()],
                );
            },
        );
    }

    /// `w = P^{-1} v` at the nodes in their usual order.
    pub fn recover(&mut self, v: &[f64], w: &mut [f64]) {
        self.transform(v, &[0]);
        let (pencils, size) = (&self.pencils, self.pencils.sheet_len());
        pencils.inverse(
            &[0],
            &VALUE,
            [w],
            size,
            |_, _| {},
            |at, _, values, [w]| {
                pencils.write_rows(values, at, w);
            },
        );
    }

    /// Puts a field at the nodes in the order of the tiles.
    pub fn tiled(&self, field: &[f64], out: &mut [f64]) {
        self.pencils.tiled(field, out);
    }

    /// `P^{-1} v`, transformed back as far as the orders of ∂_1.
    fn transform(&mut self, v: &[f64], orders: &[usize]) {
        let inverse_size = &self.inverse_size;
        self.pencils.forward_from(|pencils, at, packets| {
            multiply(
                pencils.tile_of(v, at),
                pencils.tile_of(inverse_size, at),
                Packet::numbers_mut(packets),
            );
        });
        self.pencils.columns(Some(&self.symbol), orders);
    }
}

/// `out = v·s`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn multiply(v: &[f64], s: &[f64], out: &mut [f64]) {
    for ((out, v), s) in out.iter_mut().zip(v).zip(s) {
        *out = v * s;
    }
}

/// `out = v·s·t`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn product(v: &[f64], s: &[f64], t: &[f64], out: &mut [f64]) {
    for (((out, v), s), t) in out.iter_mut().zip(v).zip(s).zip(t) {
        *out = v * s * t;
    }
}

/// `out += coefficient·values`.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn accumulate(coefficient: &[f64], values: &[f64], out: &mut [f64]) {
    for ((out, coefficient), value) in out.iter_mut().zip(coefficient).zip(values) {
        *out += coefficient * value;
    }
}
