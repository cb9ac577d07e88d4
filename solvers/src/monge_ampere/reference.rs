//! PMA's right-hand side and linearisation as the paper writes them, one node at a time.
//!
//! What [`super::MongeAmpere`] and [`super::Linearised`] must agree with. Derivatives are trigonometric sums over all modes, so the cost is
//! O(N²); nothing here is shared with the fast path but the packing of symmetric matrices.

use crate::density::{Jet, LogDensity, Order};
use crate::symmetric::{determinant, inverse, packed_len, pairs};
use crate::torus::Torus;
use std::f64::consts::PI;

/// Gradient and packed Hessian of the trigonometric interpolant of `field` at the node `at`.
fn derivatives(torus: &Torus, field: &[f64], at: usize) -> (Vec<f64>, [f64; 6]) {
    let d = torus.dimension();
    let mut gradient = vec![0.0; d];
    let mut hessian = [0.0; 6];
    for other in 0..torus.len() {
        // Along each axis: the interpolation kernel and its first two derivatives at this offset.
        let kernels: Vec<[f64; 3]> = (0..d)
            .map(|axis| {
                let n = torus.points()[axis];
                let offset = (torus.index(at, axis) + n - torus.index(other, axis)) % n;
                periodic_sinc(n, offset as f64 / n as f64)
            })
            .collect();
        let product = |orders: &dyn Fn(usize) -> usize| -> f64 {
            (0..d).map(|axis| kernels[axis][orders(axis)]).product()
        };
        for (i, gradient) in gradient.iter_mut().enumerate() {
            *gradient += field[other] * product(&|axis| usize::from(axis == i));
        }
        for (component, (i, j)) in pairs(d).enumerate() {
            let order = |axis| usize::from(axis == i) + usize::from(axis == j);
            hessian[component] += field[other] * product(&order);
        }
    }
    (gradient, hessian)
}

/// `S(x) = (1/n)[1 + 2 Σ_{0<k<n/2} cos 2πkx + cos πnx]` with S′ (Nyquist dropped) and S″.
fn periodic_sinc(n: usize, x: f64) -> [f64; 3] {
    let mut sums = [1.0, 0.0, 0.0];
    for k in 1..=n / 2 {
        let (w, nyquist) = (2.0 * PI * k as f64, 2 * k == n);
        let weight = if nyquist { 1.0 } else { 2.0 };
        sums[0] += weight * (w * x).cos();
        sums[1] -= if nyquist {
            0.0
        } else {
            weight * w * (w * x).sin()
        };
        sums[2] -= weight * w * w * (w * x).cos();
    }
    sums.map(|s| s / n as f64)
}

/// Gradient of u, Hessian of u, and the jet of g at `∇u(x)` for one node.
fn at_node(torus: &Torus, target: &dyn LogDensity, p: &[f64], node: usize) -> ([f64; 6], Jet) {
    let d = torus.dimension();
    let (gradient, mut hessian) = derivatives(torus, p, node);
    for (component, (i, j)) in pairs(d).enumerate() {
        hessian[component] += f64::from(u8::from(i == j));
    }
    let map: Vec<Vec<f64>> = torus
        .node(node)
        .iter()
        .zip(gradient)
        .map(|(x, dp)| vec![x + dp])
        .collect();
    let mut g = Jet::zeros(d, 1, Order::Gradient);
    target.jet(&map, &mut g);
    (hessian, g)
}

/// `f − g(∇u) + log det ∇²u` at every node.
pub fn rate(torus: &Torus, source: &[f64], target: &dyn LogDensity, p: &[f64]) -> Vec<f64> {
    (0..torus.len())
        .map(|node| {
            let (hessian, g) = at_node(torus, target, p, node);
            source[node] - g.value[0] + determinant(torus.dimension(), &hessian).ln()
        })
        .collect()
}

/// `L_u w = −∇g(∇u)·∇w + tr(A ∇²w)` at every node.
pub fn linearised(torus: &Torus, target: &dyn LogDensity, p: &[f64], w: &[f64]) -> Vec<f64> {
    let d = torus.dimension();
    (0..torus.len())
        .map(|node| {
            let (hessian, g) = at_node(torus, target, p, node);
            let a = inverse(d, &hessian, determinant(d, &hessian));
            let (dw, ddw) = derivatives(torus, w, node);
            let drift: f64 = (0..d).map(|i| g.gradient[i][0] * dw[i]).sum();
            let diffusion: f64 = pairs(d)
                .zip(a.iter().zip(ddw).take(packed_len(d)))
                .map(|((i, j), (a, ddw))| if i == j { a * ddw } else { 2.0 * a * ddw })
                .sum();
            diffusion - drift
        })
        .collect()
}
