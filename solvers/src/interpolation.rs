//! The trigonometric interpolant of fields, evaluated anywhere (nonuniform FFT of type 2).
//!
//! The spectrum is padded to twice the modes and divided by the transform of the kernel
//! `φ(z) = exp(β(√(1−(2z/w)²) − 1))`, w = 14 fine nodes wide; the value at x is then a sum over the w^d fine nodes around it.
//! Source: Barnett, Magland & af Klinteberg, *A parallel nonuniform fast Fourier transform library based on an "exponential
//! of semicircle" kernel*, SISC 41 (2019). Relative error about 1e-13.

use crate::elementary::{exp_moderate, multiply_add};
use crate::error::Result;
use crate::resample::Refinement;
use crate::torus::Torus;
use crate::watch;
use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use rayon::prelude::*;
use std::collections::HashMap;
use std::f64::consts::PI;
use std::sync::{Arc, LazyLock, Mutex};

const WIDTH: usize = 14;
const BETA: f64 = 2.30 * WIDTH as f64;
/// Values that are added up at once: the width of the kernel in whole vectors.
const LANES: usize = 16;
/// Points per parallel task.
const TASK: usize = 256;
/// Points whose sums are under way together, so that the compiler keeps them in whole vectors.
const GROUP: usize = 16;
/// Fine nodes along an axis of a tile of points that are evaluated one after the other.
const TILE: usize = 8;

/// Several fields on one grid, ready to be evaluated at the same points.
pub struct Interpolant {
    fine: Torus,
    /// Fields on the fine grid, divided by the transform of the kernel. Each line along the last axis repeats its first
    /// LANES − 1 nodes, so that the kernel meets contiguous values.
    fields: Vec<Vec<f64>>,
}

impl Interpolant {
    pub fn new(torus: &Torus, fields: &[&[f64]]) -> Self {
        let fine = torus
            .resized(|n| (2 * n).max(2 * WIDTH))
            .expect("twice an even grid is a grid");
        let corrections: Vec<Arc<[f64]>> = fine.points().iter().map(|&m| corrections(m)).collect();
        let mut refinement = Refinement::weighted(torus, &fine, |axis, k| corrections[axis][k]);
        let last = *fine.points().last().expect("d ≥ 1");
        let mut values = vec![0.0; fine.len()];
        let mut refined = |field: &&[f64]| {
            refinement.apply(field, &mut values);
            extended(&values, last)
        };
        let fields = fields.iter().map(&mut refined).collect();
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
        let wanted = out.len();
        let order = self.neighbours_together(points);
        let tasks: Vec<&[u32]> = order.chunks(TASK).collect();
        let shape = padded_shape(&self.fine);
        let compute = |task: &[u32]| {
            go_on()?;
            let mut values = vec![0.0; task.len() * wanted];
            let stretch = |x: &Vec<f64>| task.iter().map(|&i| x[i as usize]).collect();
            let stretch: Vec<Vec<f64>> = points.iter().map(stretch).collect();
            evaluate_stretch(shape, &self.fields[..wanted], &stretch, &mut values);
            Ok(values)
        };
        let computed = watch::shared(|watch| {
            let each = tasks.par_iter().map(|task| watch.over(|| compute(task)));
            each.collect::<Result<Vec<Vec<f64>>>>()
        })?;
        for (task, values) in tasks.iter().zip(&computed) {
            for (out, values) in out.iter_mut().zip(values.chunks(task.len())) {
                for (&i, value) in task.iter().zip(values) {
                    out[i as usize] = *value;
                }
            }
        }
        Ok(())
    }

    /// The points in the order of the tiles of TILE^d fine nodes that they are in, so that the values under the kernel are at hand.
    fn neighbours_together(&self, points: &[Vec<f64>]) -> Vec<u32> {
        let tiles: Vec<usize> = self
            .fine
            .points()
            .iter()
            .map(|m| m.div_ceil(TILE))
            .collect();
        let tile = |i: usize| {
            let axes = points.iter().zip(self.fine.points()).zip(&tiles);
            axes.fold(0, |tile, ((x, &m), &tiles)| {
                let node = (x[i] - x[i].floor()) * m as f64;
                tile * tiles + (node as usize / TILE).min(tiles - 1)
            })
        };
        let of: Vec<u32> = (0..points[0].len()).map(|i| tile(i) as u32).collect();
        let mut next = vec![0; tiles.iter().product::<usize>() + 1];
        of.iter().for_each(|&tile| next[tile as usize + 1] += 1);
        (1..next.len()).for_each(|tile| next[tile] += next[tile - 1]);
        let mut order = vec![0; of.len()];
        for (i, &tile) in of.iter().enumerate() {
            order[next[tile as usize]] = i as u32;
            next[tile as usize] += 1;
        }
        order
    }
}

/// Lines of `n` values, each followed by its own first LANES − 1.
fn extended(values: &[f64], n: usize) -> Vec<f64> {
    values
        .chunks(n)
        .flat_map(|line| line.iter().chain(&line[..LANES - 1]))
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

/// The kernel along one axis: the places it meets and φ there, zero in the lanes that fill up; a single place of weight one along an
/// axis of one node.
#[derive(Clone, Copy)]
struct Places {
    index: [usize; LANES],
    weight: [f64; LANES],
    count: usize,
}

impl Places {
    const SINGLE: Self = Self {
        index: [0; LANES],
        weight: [1.0; LANES],
        count: 1,
    };

    #[inline(always)]
    fn around<const FUSED: bool>(x: f64, nodes: usize) -> Self {
        let position = (x - x.floor()) * nodes as f64;
        let first = (position - WIDTH as f64 / 2.0).ceil();
        let mut places = Self {
            count: WIDTH,
            ..Self::SINGLE
        };
        let mut node = (first as i64).rem_euclid(nodes as i64) as usize;
        for index in &mut places.index {
            *index = node;
            node = if node + 1 == nodes { 0 } else { node + 1 };
        }
        for (k, weight) in places.weight.iter_mut().enumerate() {
            *weight = kernel::<FUSED>(position - (first + k as f64));
        }
        places
    }
}

/// `values[field · len + i]` for a stretch of points, with the vector instructions that the machine has.
#[multiversion(targets(
    "x86_64+avx512f+avx512dq+avx512vl+fma",
    "x86_64+avx2+fma",
    "x86_64+avx2"
))]
fn evaluate_stretch(
    shape: [usize; 3],
    fields: &[Vec<f64>],
    points: &[Vec<f64>],
    values: &mut [f64],
) {
    const FUSED: bool = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    let len = points[0].len();
    let missing = 3 - points.len();
    let mut places = [[Places::SINGLE; 3]; GROUP];
    let mut lines = [[0.0; LANES]; GROUP];
    for first in (0..len).step_by(GROUP) {
        let group = GROUP.min(len - first);
        for (i, places) in places[..group].iter_mut().enumerate() {
            for (axis, x) in points.iter().enumerate() {
                let axis_of_three = missing + axis;
                places[axis_of_three] = Places::around::<FUSED>(x[first + i], shape[axis_of_three]);
            }
        }
        for (field, values) in fields.iter().zip(values.chunks_mut(len)) {
            for (line, places) in lines.iter_mut().zip(&places[..group]) {
                add_rows::<FUSED>(shape, field, places, line);
            }
            let along = lines.iter().zip(&places[..group]);
            for (value, (line, [.., last])) in values[first..].iter_mut().zip(along) {
                *value = dot_by_halves(line, &last.weight);
            }
        }
    }
}

/// Sum over the planes and rows under the kernel into the stretch of the last axis.
#[inline(always)]
fn add_rows<const FUSED: bool>(
    shape: [usize; 3],
    field: &[f64],
    [planes, rows, last]: &[Places; 3],
    line: &mut [f64; LANES],
) {
    let line_length = shape[2] + LANES - 1;
    let mut sums = [0.0; LANES];
    for a in 0..planes.count {
        for b in 0..rows.count {
            let factor = planes.weight[a] * rows.weight[b];
            let row = planes.index[a] * shape[1] + rows.index[b];
            let start = row * line_length + last.index[0];
            let stretch: &[f64; LANES] = field[start..start + LANES].try_into().expect("as long");
            for lane in 0..LANES {
                sums[lane] = multiply_add::<FUSED>(factor, stretch[lane], sums[lane]);
            }
        }
    }
    *line = sums;
}

/// Added up one after the other, each product would wait for the last.
#[inline(always)]
fn dot_by_halves(a: &[f64; LANES], b: &[f64; LANES]) -> f64 {
    let mut sums: [f64; LANES] = std::array::from_fn(|k| a[k] * b[k]);
    let mut half = LANES / 2;
    while half > 0 {
        for k in 0..half {
            sums[k] += sums[k + half];
        }
        half /= 2;
    }
    sums[0]
}

/// φ at a distance of z fine nodes, NaN for NaN.
#[inline(always)]
fn kernel<const FUSED: bool>(z: f64) -> f64 {
    let half = 2.0 / WIDTH as f64 * z;
    let s = 1.0 - half * half;
    let inside = if s < 0.0 { 0.0 } else { s };
    let value = exp_moderate::<FUSED>(BETA * (inside.sqrt() - 1.0));
    if s <= 0.0 { 0.0 } else { value }
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
    fn at_a_point_that_is_not_a_number_there_is_no_value() {
        let torus = Torus::new(&[16, 16]).unwrap();
        let field = vec![1.0; torus.len()];
        let interpolant = Interpolant::new(&torus, &[&field]);
        for at in [[f64::NAN, 0.2], [0.2, f64::NAN], [f64::INFINITY, 0.2]] {
            let mut value = [0.0];
            interpolant.evaluate(&at.map(|x| vec![x]), &mut [&mut value]);
            assert!(value[0].is_nan(), "{at:?}: {value:?}");
        }
    }

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
