//! Linear combinations of several vectors and products with them, each in one sweep over memory.

use crate::parallel::{BLOCK, for_each_piece};
use multiversion::multiversion;

/// `y ← s·y + Σ_j w_j x_j` over as many vectors as there are weights.
pub fn combine(s: f64, y: &mut [f64], weights: &[f64], x: &[Vec<f64>]) {
    let work = y.len() * weights.len();
    for_each_piece([y], BLOCK, work, &|block, [y]| {
        combine_block(s, y, weights, x, block * BLOCK);
    });
}

/// Products `x_j·y` and `x_j·z`, summed in a fixed tree over blocks.
pub struct Products {
    /// For every block, those with y and then those with z.
    partial: Vec<f64>,
    count: usize,
}

impl Products {
    /// Workspace for at most `most` vectors of `len` entries.
    pub fn new(len: usize, most: usize) -> Self {
        Self {
            partial: Vec::with_capacity(2 * most * len.div_ceil(BLOCK).max(1)),
            count: 0,
        }
    }

    /// Computes the products of the vectors x with y and z.
    pub fn compute(&mut self, x: &[Vec<f64>], y: &[f64], z: &[f64]) {
        let blocks = y.len().div_ceil(BLOCK).max(1);
        self.count = x.len();
        self.partial.clear();
        self.partial.resize(2 * x.len() * blocks, 0.0);
        if x.is_empty() {
            return;
        }
        let work = y.len() * x.len();
        for_each_piece(
            [&mut self.partial[..]],
            2 * x.len(),
            work,
            &|block, [out]| {
                let start = block * BLOCK;
                let range = start..(start + BLOCK).min(y.len());
                let (with_y, with_z) = out.split_at_mut(x.len());
                products_block(x, start, &y[range.clone()], &z[range], with_y, with_z);
            },
        );
        self.add_up(blocks);
    }

    /// Neighbours are added until one block is left.
    fn add_up(&mut self, blocks: usize) {
        let width = 2 * self.count;
        let mut reach = 1;
        while reach < blocks {
            for first in (0..blocks - reach).step_by(2 * reach) {
                for k in 0..width {
                    self.partial[first * width + k] += self.partial[(first + reach) * width + k];
                }
            }
            reach *= 2;
        }
    }

    /// `x_j·y`.
    pub fn with_y(&self) -> &[f64] {
        &self.partial[..self.count]
    }

    /// `x_j·z`.
    pub fn with_z(&self) -> &[f64] {
        &self.partial[self.count..2 * self.count]
    }
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn combine_block(s: f64, y: &mut [f64], weights: &[f64], x: &[Vec<f64>], start: usize) {
    if s != 1.0 {
        y.iter_mut().for_each(|y| *y *= s);
    }
    for (w, x) in weights.iter().zip(x) {
        for (y, x) in y.iter_mut().zip(&x[start..]) {
            *y += w * x;
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn products_block(
    x: &[Vec<f64>],
    start: usize,
    y: &[f64],
    z: &[f64],
    with_y: &mut [f64],
    with_z: &mut [f64],
) {
    for ((x, with_y), with_z) in x.iter().zip(with_y).zip(with_z) {
        [*with_y, *with_z] = two_products(&x[start..start + y.len()], y, z);
    }
}

/// x·y and x·z in interleaved lanes.
#[inline(always)]
fn two_products(x: &[f64], y: &[f64], z: &[f64]) -> [f64; 2] {
    const LANES: usize = 16;
    let (mut a, mut b) = ([0.0; LANES], [0.0; LANES]);
    let (x, x_rest) = x.as_chunks::<LANES>();
    let (y, y_rest) = y.as_chunks::<LANES>();
    let (z, z_rest) = z.as_chunks::<LANES>();
    for ((x, y), z) in x.iter().zip(y).zip(z) {
        for l in 0..LANES {
            a[l] += x[l] * y[l];
        }
        for l in 0..LANES {
            b[l] += x[l] * z[l];
        }
    }
    let rest = |y: &[f64]| x_rest.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    [
        a.iter().sum::<f64>() + rest(y_rest),
        b.iter().sum::<f64>() + rest(z_rest),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::{axpy, dot, sup_difference};

    fn vectors(len: usize) -> Vec<Vec<f64>> {
        let value = |k: usize, i: usize| ((i * i + 7 * k) as f64 * 0.61).sin();
        (0..5)
            .map(|k| (0..len).map(|i| value(k, i)).collect())
            .collect()
    }

    #[test]
    fn agree_with_one_vector_at_a_time() {
        for len in [3, 4096, 30_011] {
            let mut x = vectors(len);
            let (z, y) = (x.pop().unwrap(), x.pop().unwrap());
            let mut products = Products::new(len, 3);
            products.compute(&x, &y, &z);
            for (j, x) in x.iter().enumerate() {
                assert!((products.with_y()[j] - dot(x, &y)).abs() < 1e-12 * len as f64);
                assert!((products.with_z()[j] - dot(x, &z)).abs() < 1e-12 * len as f64);
            }
            let weights = [0.3, -1.7, 0.9];
            let (mut fast, mut slow) = (y.clone(), y.iter().map(|y| 0.4 * y).collect::<Vec<_>>());
            combine(0.4, &mut fast, &weights, &x);
            for (w, x) in weights.iter().zip(&x) {
                axpy(*w, x, &mut slow);
            }
            assert!(sup_difference(&fast, &slow) < 1e-14);
        }
    }

    #[test]
    fn products_have_the_same_bits_for_any_number_of_threads() {
        let x = vectors(100_003);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let mut products = Products::new(x[0].len(), 3);
                products.compute(&x[..3], &x[3], &x[4]);
                (products.with_y().to_vec(), products.with_z().to_vec())
            })
        };
        assert_eq!(on(1), on(2));
        assert_eq!(on(1), on(3));
    }
}
