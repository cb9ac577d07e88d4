//! The Legendre transform over the nodes only: exact for the samples, O(h²) from the continuous one.

use super::envelope::{Candidate, Envelope};
use crate::error::{Error, Result};
use crate::parallel::{PerThread, for_each_chunk, sup};
use crate::torus::Torus;

/// A discrete transform with its maximisers.
#[derive(Debug, Clone, PartialEq)]
pub struct Discrete {
    /// `q(y) = max_x [−|x−y|²/2 − p(x)]` over the nodes x, periodically continued.
    pub q: Vec<f64>,
    /// `x − y` for the maximiser, in nodes along each axis (one vector per axis), at most n/2 in size. Of equal ones any.
    pub shift: Vec<Vec<i32>>,
}

impl Discrete {
    /// Flat index of the maximiser of every node.
    pub fn nodes(&self, torus: &Torus) -> Vec<usize> {
        let along = |y: usize, axis: usize| {
            let n = torus.points()[axis] as i64;
            let x = torus.index(y, axis) as i64 + i64::from(self.shift[axis][y]);
            x.rem_euclid(n) as usize * torus.stride(axis)
        };
        (0..torus.len())
            .map(|y| (0..torus.dimension()).map(|axis| along(y, axis)).sum())
            .collect()
    }
}

/// The periodic part q of the transform of `u = |x|²/2 + p` over the nodes, in O(N): the square is a sum over axes, so the maximum is
/// taken axis by axis, along each line as an envelope of parabolas.
///
/// The node nearest to the continuous maximiser is within h/2 of it along each axis, so `0 ≤ q_continuous − q ≤ λ_max(∇²u) d h²/8`.
///
/// # Errors
/// [`Error::NonFinite`].
///
/// # Panics
/// If p has another length than the torus.
pub fn discrete(torus: &Torus, p: &[f64]) -> Result<Discrete> {
    check_finite(torus, p)?;
    let mut field: Vec<Candidate> = p
        .iter()
        .map(|p| Candidate {
            value: -p,
            shift: [0; 3],
        })
        .collect();
    for axis in (0..torus.dimension()).rev() {
        field = along(torus, axis, &field);
    }
    Ok(Discrete {
        q: field.iter().map(|c| c.value).collect(),
        shift: (0..torus.dimension())
            .map(|axis| field.iter().map(|c| c.shift[axis]).collect())
            .collect(),
    })
}

fn check_finite(torus: &Torus, p: &[f64]) -> Result<()> {
    assert_eq!(p.len(), torus.len());
    if sup(p).is_finite() {
        return Ok(());
    }
    Err(Error::NonFinite {
        quantity: "the potential",
        when: "at a node".into(),
        remedy: "a Legendre transform needs finite values".into(),
    })
}

/// The one-dimensional transform of every line along an axis.
fn along(torus: &Torus, axis: usize, field: &[Candidate]) -> Vec<Candidate> {
    let (n, stride) = (torus.points()[axis], torus.stride(axis));
    let start = |line: usize| line / stride * n * stride + line % stride;
    let blank = field[0];
    let scratch = PerThread::new(|| (vec![blank; n], Envelope::default()));
    let mut lines = vec![blank; field.len()];
    for_each_chunk(&mut lines, n, |line, out| {
        scratch.with(|(values, envelope)| {
            let from = field[start(line)..].iter().step_by(stride);
            values.iter_mut().zip(from).for_each(|(v, f)| *v = *f);
            envelope.transform(values, axis, out);
        });
    });
    if stride == 1 {
        return lines;
    }
    let mut out = vec![blank; field.len()];
    for_each_chunk(&mut out, n * stride, |slab, out| {
        for (i, out) in out.iter_mut().enumerate() {
            *out = lines[(slab * stride + i % stride) * n + i / stride];
        }
    });
    out
}

/// The definition, O(N²): every node against every node, at its nearest copy.
#[cfg(test)]
pub fn reference(torus: &Torus, p: &[f64]) -> Vec<f64> {
    let d = torus.dimension();
    let value = |x: usize, y: usize| {
        // Axis by axis from the last, so that the rounding is that of the fast path.
        (0..d).rev().fold(-p[x], |value, axis| {
            let n = torus.points()[axis] as i64;
            let steps = (torus.index(x, axis) as i64 - torus.index(y, axis) as i64).rem_euclid(n);
            let steps = steps.min(n - steps);
            value - 0.5 / (n * n) as f64 * (steps * steps) as f64
        })
    };
    (0..torus.len())
        .map(|y| {
            let values = (0..torus.len()).map(|x| value(x, y));
            values.fold(f64::NEG_INFINITY, f64::max)
        })
        .collect()
}
