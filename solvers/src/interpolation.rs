//! The trigonometric interpolant of fields, evaluated anywhere (nonuniform FFT of type 2).
//!
//! The spectrum is padded to twice the modes and divided by the transform of the kernel
//! `φ(z) = exp(β(√(1−(2z/w)²) − 1))`, w = 14 fine nodes wide; the value at x is then a sum over the w^d fine nodes around it.
//! Source: Barnett, Magland & af Klinteberg, *A parallel nonuniform fast Fourier transform library based on an "exponential
//! of semicircle" kernel*, SISC 41 (2019). Relative error about 1e-13.

use crate::error::Result;
use crate::fourier::Fourier;
use crate::resample::pad;
use crate::torus::Torus;
use crate::watch;
use multiversion::multiversion;
use rayon::prelude::*;
use std::collections::HashMap;
use std::f64::consts::PI;
use std::sync::{Arc, LazyLock, Mutex};

const WIDTH: usize = 14;
const BETA: f64 = 2.30 * WIDTH as f64;
/// Points per parallel task.
const TASK: usize = 256;

/// Several fields on one grid, ready to be evaluated at the same points.
pub struct Interpolant {
    fine: Torus,
    /// Fields on the fine grid, divided by the transform of the kernel. Each line along the last axis repeats its first
    /// WIDTH − 1 nodes, so that the kernel meets contiguous values.
    fields: Vec<Vec<f64>>,
}

impl Interpolant {
    pub fn new(torus: &Torus, fields: &[&[f64]]) -> Self {
        let fine = torus
            .resized(|n| (2 * n).max(2 * WIDTH))
            .expect("twice an even grid is a grid");
        let (mut from, mut to) = (Fourier::new(torus), Fourier::new(&fine));
        let corrections: Vec<Arc<[f64]>> = fine.points().iter().map(|&m| corrections(m)).collect();
        let last = *fine.points().last().expect("d ≥ 1");
        let mut spectrum = from.spectrum();
        let mut padded = to.spectrum();
        let fields = fields
            .iter()
            .map(|field| {
                from.forward(field, &mut spectrum);
                pad(&from, &spectrum, &to, &mut padded);
                to.for_each_mode(&mut padded, |value, index| {
                    for (correction, &i) in corrections.iter().zip(index) {
                        *value *= correction[i];
                    }
                });
                let mut values = vec![0.0; fine.len()];
                to.inverse(&mut padded, &mut values);
                extended(&values, last)
            })
            .collect();
        Self { fine, fields }
    }

    /// `out[field][i]` = the interpolant of that field at point i, for the first `out.len()` fields; `points` has one vector per
    /// coordinate, any reals. Costs 14^d multiply–adds per field and point.
    pub fn evaluate(&self, points: &[Vec<f64>], out: &mut [&mut [f64]]) {
        self.stretches(points, out, || Ok(()))
            .expect("nothing can fail");
    }

    /// [`Self::evaluate`] for many points, watched.
    ///
    /// # Errors
    /// [`crate::Error::Interrupted`].
    pub fn evaluate_watched(&self, points: &[Vec<f64>], out: &mut [&mut [f64]]) -> Result<()> {
        self.stretches(points, out, watch::on)
    }

    fn stretches(
        &self,
        points: &[Vec<f64>],
        out: &mut [&mut [f64]],
        go_on: impl Fn() -> Result<()> + Sync,
    ) -> Result<()> {
        assert!(out.len() <= self.fields.len());
        let (count, wanted) = (points[0].len(), out.len());
        let tasks: Vec<usize> = (0..count).step_by(TASK).collect();
        let shape = padded_shape(&self.fine);
        let compute = |start: usize| {
            go_on()?;
            let len = TASK.min(count - start);
            let mut values = vec![0.0; len * wanted];
            let stretch: Vec<&[f64]> = points.iter().map(|x| &x[start..start + len]).collect();
            evaluate_stretch(shape, &self.fields[..wanted], &stretch, &mut values);
            Ok(values)
        };
        let computed = watch::shared(|watch| {
            let each = tasks.par_iter().map(|&start| watch.over(|| compute(start)));
            each.collect::<Result<Vec<Vec<f64>>>>()
        })?;
        for (&start, values) in tasks.iter().zip(&computed) {
            let len = TASK.min(count - start);
            for (out, values) in out.iter_mut().zip(values.chunks(len)) {
                out[start..start + len].copy_from_slice(values);
            }
        }
        Ok(())
    }
}

/// Lines of `n` values, each followed by its own first WIDTH − 1.
fn extended(values: &[f64], n: usize) -> Vec<f64> {
    values
        .chunks(n)
        .flat_map(|line| line.iter().chain(&line[..WIDTH - 1]))
        .copied()
        .collect()
}

/// Nodes along the axes, with axes of one node put in front so that there are three.
fn padded_shape(fine: &Torus) -> [usize; 3] {
    let mut shape = [1; 3];
    let missing = 3 - fine.dimension();
    shape[missing..].copy_from_slice(fine.points());
    shape
}

/// The kernel along one axis: the places it meets and φ there; a single place of weight one along an axis of one node.
#[derive(Clone, Copy)]
struct Places {
    index: [usize; WIDTH],
    weight: [f64; WIDTH],
    count: usize,
}

impl Places {
    const SINGLE: Self = Self {
        index: [0; WIDTH],
        weight: [1.0; WIDTH],
        count: 1,
    };

    #[inline(always)]
    fn around(x: f64, nodes: usize) -> Self {
        let position = (x - x.floor()) * nodes as f64;
        let first = (position - WIDTH as f64 / 2.0).ceil();
        let mut places = Self {
            count: WIDTH,
            ..Self::SINGLE
        };
        for k in 0..WIDTH {
            let node = first + k as f64;
            places.weight[k] = kernel(position - node);
            places.index[k] = (node as i64).rem_euclid(nodes as i64) as usize;
        }
        places
    }
}

/// `values[field · len + i]` for a stretch of points, with the vector instructions that the machine has.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn evaluate_stretch(shape: [usize; 3], fields: &[Vec<f64>], points: &[&[f64]], values: &mut [f64]) {
    let len = points[0].len();
    let missing = 3 - points.len();
    for i in 0..len {
        let mut places = [Places::SINGLE; 3];
        for (axis, x) in points.iter().enumerate() {
            places[missing + axis] = Places::around(x[i], shape[missing + axis]);
        }
        for (k, field) in fields.iter().enumerate() {
            values[k * len + i] = kernel_sum(shape, field, &places);
        }
    }
}

/// Sum over the planes and rows under the kernel into the stretch of the last axis, then along it.
#[inline(always)]
fn kernel_sum(shape: [usize; 3], field: &[f64], [planes, rows, last]: &[Places; 3]) -> f64 {
    let line_length = shape[2] + WIDTH - 1;
    let mut line = [0.0; WIDTH];
    for a in 0..planes.count {
        for b in 0..rows.count {
            let factor = planes.weight[a] * rows.weight[b];
            let row = planes.index[a] * shape[1] + rows.index[b];
            let start = row * line_length + last.index[0];
            for (sum, value) in line.iter_mut().zip(&field[start..start + WIDTH]) {
                *sum += factor * value;
            }
        }
    }
    line.iter().zip(&last.weight).map(|(v, w)| v * w).sum()
}

/// φ at a distance of z fine nodes.
#[inline(always)]
fn kernel(z: f64) -> f64 {
    let s = 1.0 - (2.0 * z / WIDTH as f64).powi(2);
    if s > 0.0 {
        (BETA * (s.sqrt() - 1.0)).exp()
    } else {
        0.0
    }
}

/// One over the transform of the kernel at the wavenumbers of an axis of m nodes, as an unhalved axis stores them; tabulated once for
/// each m and kept, as a table takes longer than most of its uses.
fn corrections(m: usize) -> Arc<[f64]> {
    static TABLES: LazyLock<Mutex<HashMap<usize, Arc<[f64]>>>> = LazyLock::new(Mutex::default);
    let mut tables = TABLES.lock().expect("no table panicked");
    let table = tables.entry(m).or_insert_with(|| {
        let reciprocal = |k: usize| 1.0 / kernel_transform(k.min(m - k) as f64 / m as f64);
        (0..m).map(reciprocal).collect()
    });
    Arc::clone(table)
}

/// `∫ φ(z) cos(2πκz) dz`. With `z = (w/2) sin θ` the integrand is smooth and negligible at the ends, so the trapezoid rule in
/// θ converges geometrically.
fn kernel_transform(kappa: f64) -> f64 {
    const NODES: usize = 200;
    let half = WIDTH as f64 / 2.0;
    let step = PI / NODES as f64;
    (1..NODES)
        .map(|i| {
            let theta = -PI / 2.0 + i as f64 * step;
            let value = (BETA * (theta.cos() - 1.0)).exp() * theta.cos();
            value * (2.0 * PI * kappa * half * theta.sin()).cos()
        })
        .sum::<f64>()
        * half
        * step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trigonometric_polynomials_are_evaluated_to_1e_12_anywhere() {
        for points in [vec![32], vec![16, 24], vec![8, 12, 10]] {
            let torus = Torus::new(&points).unwrap();
            let value = |x: &[f64]| {
                let sum: f64 = x
                    .iter()
                    .enumerate()
                    .map(|(i, x)| (i as f64 + 1.0) * x)
                    .sum();
                (2.0 * PI * sum).sin() + (6.0 * PI * x[0]).cos()
            };
            let field: Vec<f64> = (0..torus.len()).map(|i| value(&torus.node(i))).collect();
            let doubled: Vec<f64> = field.iter().map(|v| 2.0 * v).collect();
            let interpolant = Interpolant::new(&torus, &[&field, &doubled]);
            let scattered: Vec<Vec<f64>> = (0..points.len())
                .map(|axis| {
                    (0..700)
                        .map(|i| ((i * (7 + axis)) as f64 * 0.618_034).fract() * 3.0 - 1.0)
                        .collect()
                })
                .collect();
            let (mut once, mut twice) = (vec![0.0; 700], vec![0.0; 700]);
            interpolant.evaluate(&scattered, &mut [&mut once, &mut twice]);
            for i in 0..700 {
                let x: Vec<f64> = scattered.iter().map(|c| c[i]).collect();
                assert!(
                    (once[i] - value(&x)).abs() < 2e-12,
                    "{points:?} {}",
                    once[i] - value(&x)
                );
                assert!((twice[i] - 2.0 * once[i]).abs() < 1e-15);
            }
        }
    }
}
