//! The gap as an integral along the displacement: for near potentials.

use super::{FenchelGap, MOST_ITERATIONS, Pair, correct, largest, not_converged, settled};
use crate::error::Result;
use crate::interpolation::Interpolant;
use crate::parallel::{axpy, for_each_block};
use crate::symmetric::{packed_len, pairs, position};
use crate::torus::Torus;

/// Gauss–Legendre nodes and weights on (0, 1), exact for polynomials of degree 11.
const GAUSS: [(f64, f64); 6] = [
    (0.033_765_242_898_423_98, 0.085_662_246_189_585_17),
    (0.169_395_306_766_867_74, 0.180_380_786_524_069_3),
    (0.380_690_406_958_401_55, 0.233_956_967_286_345_52),
    (0.619_309_593_041_598_5, 0.233_956_967_286_345_52),
    (0.830_604_693_233_132_3, 0.180_380_786_524_069_3),
    (0.966_234_757_101_576, 0.085_662_246_189_585_17),
];

/// From `δ = (∇²ψ_ρ)^{-1} ∇(q_π − q_ρ)` by Newton's method with the Hessian near y + δ, on the averaged Hessian's equation.
pub(super) fn near(torus: &Torus, pair: &Pair) -> Result<FenchelGap> {
    let (d, n) = (torus.dimension(), torus.len());
    let mut delta = pair.newton_step();
    let fields: Vec<&[f64]> = pair.rho.hessian.iter().map(Vec::as_slice).collect();
    let interpolant = Interpolant::new(torus, &fields);
    let nodes = torus.nodes();
    let mut along = Along::zeros(d, n);
    let mut residual = vec![vec![0.0; n]; d];
    let mut last = f64::INFINITY;
    for _ in 0..MOST_ITERATIONS {
        along.integrate(&interpolant, &nodes, &delta);
        for axis in 0..d {
            along.residual(axis, &pair.push, &delta, &mut residual[axis]);
        }
        let change = correct(&along.hessian, &residual, &mut delta);
        if settled(change, largest(&delta), last) {
            along.integrate(&interpolant, &nodes, &delta);
            let gap = (0..n).map(|i| along.gap(&delta, i)).collect();
            return Ok(FenchelGap {
                gap,
                displacement: delta,
            });
        }
        last = change;
    }
    Err(not_converged(last))
}

/// Averages of ∇²q_ρ along the segments from y to y + δ, packed.
struct Along {
    /// `∫ ∇²q ds`.
    mean: Vec<Vec<f64>>,
    /// `∫ s ∇²q ds`.
    moment: Vec<Vec<f64>>,
    /// ∇²q at the last Gauss node, next to y + δ.
    hessian: Vec<Vec<f64>>,
    points: Vec<Vec<f64>>,
}

impl Along {
    fn zeros(d: usize, n: usize) -> Self {
        let fields = |count| vec![vec![0.0; n]; count];
        Self {
            mean: fields(packed_len(d)),
            moment: fields(packed_len(d)),
            hessian: fields(packed_len(d)),
            points: fields(d),
        }
    }

    fn integrate(&mut self, hessian: &Interpolant, nodes: &[Vec<f64>], delta: &[Vec<f64>]) {
        for field in self.mean.iter_mut().chain(&mut self.moment) {
            field.fill(0.0);
        }
        for (s, weight) in GAUSS {
            for ((points, node), delta) in self.points.iter_mut().zip(nodes).zip(delta) {
                points.copy_from_slice(node);
                axpy(s, delta, points);
            }
            let mut out: Vec<&mut [f64]> = self.hessian.iter_mut().map(Vec::as_mut_slice).collect();
            hessian.evaluate(&self.points, &mut out);
            for (component, hessian) in self.hessian.iter().enumerate() {
                axpy(weight, hessian, &mut self.mean[component]);
                axpy(weight * s, hessian, &mut self.moment[component]);
            }
        }
    }

    /// `out = push − (I + ∫∇²q ds) δ` along an axis.
    fn residual(&self, axis: usize, push: &[Vec<f64>], delta: &[Vec<f64>], out: &mut [f64]) {
        let d = delta.len();
        for_each_block(out, |start, out| {
            for (k, out) in out.iter_mut().enumerate() {
                let i = start + k;
                let product: f64 = (0..d)
                    .map(|j| self.mean[position(d, axis, j)][i] * delta[j][i])
                    .sum();
                *out = push[axis][i] - delta[axis][i] - product;
            }
        });
    }

    /// `|δ|²/2 + δᵀ(∫ s ∇²q ds)δ` at a node.
    fn gap(&self, delta: &[Vec<f64>], i: usize) -> f64 {
        let d = delta.len();
        pairs(d)
            .enumerate()
            .map(|(component, (a, b))| {
                let (half, times) = if a == b { (0.5, 1.0) } else { (0.0, 2.0) };
                (half + times * self.moment[component][i]) * delta[a][i] * delta[b][i]
            })
            .sum()
    }
}
