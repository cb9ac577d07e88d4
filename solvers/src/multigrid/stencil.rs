//! Operators that couple a node with its neighbours, diagonal ones included.

use super::grid::Grid;
use crate::parallel::for_each_chunk;
use crate::symmetric::{packed_len, pairs};
use multiversion::multiversion;

/// Nodes that are computed at a time.
pub(super) const TILE: usize = 16;

/// Second differences along one axis are averaged over the neighbours along the others with weights w/4, 1 − w/2, w/4, w this: 0 are
/// the plain ones, 2/3 those of bilinear elements. With oblique anisotropy it saves a fifth of the iterations of plain ones.
const AVERAGING: f64 = 0.75;

/// `identity·w + c (b·∇w − A:∇²w)` at the nodes of a torus.
#[derive(Clone, Copy)]
pub struct Coefficients<'a> {
    pub identity: f64,
    pub c: f64,
    /// A, packed.
    pub a: &'a [Vec<f64>],
    /// b.
    pub drift: &'a [Vec<f64>],
}

/// 3^d coefficients a node, in C order of the offsets −1, 0, 1.
#[derive(Debug, Clone)]
pub(super) struct Stencil {
    /// One field a coefficient; nothing is in the margins.
    pub(super) planes: Vec<Vec<f64>>,
    /// Places of the neighbours relative to a node's.
    pub(super) away: Vec<isize>,
}

/// Offset −1, 0 or 1 along an axis of the coefficient numbered k.
fn step(d: usize, k: usize, axis: usize) -> isize {
    (k / 3usize.pow((d - 1 - axis) as u32) % 3) as isize - 1
}

impl Stencil {
    pub(super) fn zeros(grid: &Grid) -> Self {
        let d = grid.dimension();
        let width = 3usize.pow(d as u32);
        let away = |k: usize| {
            let along = |axis: usize| step(d, k, axis) * grid.stride(axis) as isize;
            (0..d).map(along).sum()
        };
        Self {
            planes: vec![vec![0.0; grid.len()]; width],
            away: (0..width).map(away).collect(),
        }
    }

    /// Number of the coefficient of the neighbour `step` away along `axis`.
    pub(super) fn neighbour(&self, axis: usize, step: isize) -> usize {
        let mut stride = self.planes.len() / 3;
        for _ in 0..axis {
            stride /= 3;
        }
        (self.planes.len() / 2).wrapping_add_signed(step * stride as isize)
    }

    /// `b − stencil·x` from a place on; x has its margin.
    #[inline(always)]
    pub(super) fn residual(&self, b: &[f64], x: &[f64], place: usize) -> [f64; TILE] {
        let mut sum: [f64; TILE] = std::array::from_fn(|k| b[place + k]);
        for (plane, away) in self.planes.iter().zip(&self.away) {
            let coefficients = &plane[place..place + TILE];
            let neighbours = &x[place.wrapping_add_signed(*away)..][..TILE];
            for k in 0..TILE {
                sum[k] -= coefficients[k] * neighbours[k];
            }
        }
        sum
    }

    /// Central differences of second order. Where the drift across a spacing outweighs the diffusion, as much diffusion is added as
    /// makes the differences along the axis upwind ones.
    pub(super) fn assemble(&mut self, grid: &Grid, coefficients: Coefficients) {
        let (d, points, row) = (grid.dimension(), grid.points(), grid.row());
        let nodes_of_slab = points[1..].iter().product::<usize>();
        let second: Vec<Vec<f64>> = (0..d).map(|axis| second_difference(d, axis)).collect();
        for (k, plane) in self.planes.iter_mut().enumerate() {
            for_each_chunk(&mut plane[grid.slabs()], grid.slab(), |slab, plane| {
                for (j, place) in grid.rows_of_slab(slab) {
                    let start = place - grid.slab_start(slab);
                    let node = slab * nodes_of_slab + j * row;
                    let out = &mut plane[start..start + row];
                    coefficient(coefficients, points, k, &second, node..node + row, out);
                }
            });
        }
    }
}

/// The coefficient numbered k at some nodes.
fn coefficient(
    coefficients: Coefficients,
    points: &[usize],
    k: usize,
    second: &[Vec<f64>],
    nodes: std::ops::Range<usize>,
    out: &mut [f64],
) {
    let Coefficients {
        identity,
        c,
        a,
        drift,
    } = coefficients;
    let d = points.len();
    let steps: Vec<isize> = (0..d).map(|axis| step(d, k, axis)).collect();
    let moved = steps.iter().filter(|step| **step != 0).count();
    out.fill(if moved == 0 { identity } else { 0.0 });
    for (component, (i, j)) in pairs(d).enumerate() {
        let (n, m) = (points[i] as f64, points[j] as f64);
        let entries = a[component][nodes.clone()].iter();
        if i == j {
            let weight = second[i][k];
            let side = if moved == 1 { steps[i] as f64 } else { 0.0 };
            let terms = entries.zip(&drift[i][nodes.clone()]);
            for (out, (a, b)) in out.iter_mut().zip(terms) {
                let transport = 0.5 * c * b * n;
                let diffusion = (c * a * n * n).max(transport.abs());
                *out += weight * diffusion + side * transport;
            }
        } else if moved == 2 && steps[i] * steps[j] != 0 {
            let factor = -0.5 * c * n * m * (steps[i] * steps[j]) as f64;
            for (out, a) in out.iter_mut().zip(entries) {
                *out += factor * a;
            }
        }
    }
}

/// Weights of −∂² along an axis for spacing one.
fn second_difference(d: usize, axis: usize) -> Vec<f64> {
    let weight = |k: usize| {
        let along = |other: usize| {
            let near = step(d, k, other) == 0;
            match (other == axis, near) {
                (true, true) => 2.0,
                (true, false) => -1.0,
                (false, true) => 1.0 - 0.5 * AVERAGING,
                (false, false) => 0.25 * AVERAGING,
            }
        };
        (0..d).map(along).product()
    };
    (0..3usize.pow(d as u32)).map(weight).collect()
}

/// `identity·w − c M:∇²w` with the same differences and constant coefficients: offsets of places and weights.
pub(super) fn constant(grid: &Grid, identity: f64, c: f64, m: &[f64]) -> Vec<(isize, f64)> {
    let d = grid.dimension();
    let fields: Vec<Vec<f64>> = m[..packed_len(d)].iter().map(|m| vec![*m]).collect();
    let coefficients = Coefficients {
        identity,
        c,
        a: &fields,
        drift: &vec![vec![0.0]; d],
    };
    let second: Vec<Vec<f64>> = (0..d).map(|axis| second_difference(d, axis)).collect();
    let away = Stencil::zeros(&Grid::new(grid.points())).away;
    let weight = |k: usize| {
        let mut out = [0.0];
        coefficient(coefficients, grid.points(), k, &second, 0..1, &mut out);
        out[0]
    };
    (0..away.len()).map(|k| (away[k], weight(k))).collect()
}

/// `b − stencil·x` on a row from a place on.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
pub(super) fn residual_row(stencil: &Stencil, b: &[f64], x: &[f64], place: usize, out: &mut [f64]) {
    for (tile, out) in out.chunks_mut(TILE).enumerate() {
        let values = stencil.residual(b, x, place + tile * TILE);
        out.copy_from_slice(&values[..out.len()]);
    }
}
