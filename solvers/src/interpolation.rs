//! The trigonometric interpolant of fields, evaluated anywhere (nonuniform FFT of type 2).
//!
//! The spectrum is padded to twice the modes and divided by the transform of the kernel
//! `φ(z) = exp(β(√(1−(2z/w)²) − 1))`, w = 14 fine nodes wide; the value at x is then a sum over the w^d fine nodes around it.
//! Source: Barnett, Magland & af Klinteberg, *A parallel nonuniform fast Fourier transform library based on an "exponential
//! of semicircle" kernel*, SISC 41 (2019). Relative error about 1e-13.

use crate::fourier::Fourier;
use crate::resample::pad;
use crate::torus::Torus;
use rayon::prelude::*;
use std::f64::consts::PI;

const WIDTH: usize = 14;
const BETA: f64 = 2.30 * WIDTH as f64;
/// Points per parallel task.
const TASK: usize = 256;

/// Several fields on one grid, ready to be evaluated at the same points.
pub struct Interpolant {
    fine: Torus,
    /// Fields on the fine grid, divided by the transform of the kernel.
    fields: Vec<Vec<f64>>,
}

impl Interpolant {
    pub fn new(torus: &Torus, fields: &[&[f64]]) -> Self {
        let fine = torus
            .resized(|n| (2 * n).max(2 * WIDTH))
            .expect("twice an even grid is a grid");
        let (mut from, mut to) = (Fourier::new(torus), Fourier::new(&fine));
        let corrections: Vec<Vec<f64>> = (0..fine.dimension())
            .map(|axis| {
                let m = fine.points()[axis] as f64;
                to.wavenumbers(axis)
                    .iter()
                    .map(|k| 1.0 / kernel_transform(k / m))
                    .collect()
            })
            .collect();
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
                values
            })
            .collect();
        Self { fine, fields }
    }

    /// `out[field][i]` = the interpolant of that field at point i; `points` has one vector per coordinate, any reals.
    pub fn evaluate(&self, points: &[Vec<f64>], out: &mut [&mut [f64]]) {
        assert_eq!(out.len(), self.fields.len());
        let count = points[0].len();
        let tasks: Vec<usize> = (0..count).step_by(TASK).collect();
        let computed: Vec<Vec<f64>> = tasks
            .par_iter()
            .map(|&start| {
                let len = TASK.min(count - start);
                let mut values = vec![0.0; len * self.fields.len()];
                for i in 0..len {
                    let at: Vec<f64> = points.iter().map(|x| x[start + i]).collect();
                    let stencil = Stencil::at(&self.fine, &at);
                    for (field, values) in self.fields.iter().zip(values.chunks_mut(len)) {
                        values[i] = stencil.apply(&self.fine, field);
                    }
                }
                values
            })
            .collect();
        for (&start, values) in tasks.iter().zip(&computed) {
            let len = TASK.min(count - start);
            for (out, values) in out.iter_mut().zip(values.chunks(len)) {
                out[start..start + len].copy_from_slice(values);
            }
        }
    }
}

/// Kernel weights around one point: per axis the node indices and φ there.
struct Stencil {
    index: [[usize; WIDTH]; 3],
    weight: [[f64; WIDTH]; 3],
}

impl Stencil {
    fn at(fine: &Torus, x: &[f64]) -> Self {
        let mut stencil = Self {
            index: [[0; WIDTH]; 3],
            weight: [[0.0; WIDTH]; 3],
        };
        for (axis, x) in x.iter().enumerate() {
            let m = fine.points()[axis];
            let position = (x - x.floor()) * m as f64;
            let first = (position - WIDTH as f64 / 2.0).ceil();
            for k in 0..WIDTH {
                let node = first + k as f64;
                stencil.weight[axis][k] = kernel(position - node);
                stencil.index[axis][k] = (node as i64).rem_euclid(m as i64) as usize;
            }
        }
        stencil
    }

    fn apply(&self, fine: &Torus, field: &[f64]) -> f64 {
        self.sum(fine, field, 0, 0)
    }

    /// Sum over axes `axis…` of the sub-array that starts at `offset`.
    fn sum(&self, fine: &Torus, field: &[f64], axis: usize, offset: usize) -> f64 {
        let stride = fine.stride(axis);
        let places = self.index[axis].iter().zip(&self.weight[axis]);
        if axis + 1 == fine.dimension() {
            places.map(|(i, w)| w * field[offset + i]).sum()
        } else {
            places
                .map(|(i, w)| w * self.sum(fine, field, axis + 1, offset + i * stride))
                .sum()
        }
    }
}

/// φ at a distance of z fine nodes.
fn kernel(z: f64) -> f64 {
    let s = 1.0 - (2.0 * z / WIDTH as f64).powi(2);
    if s > 0.0 {
        (BETA * (s.sqrt() - 1.0)).exp()
    } else {
        0.0
    }
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
