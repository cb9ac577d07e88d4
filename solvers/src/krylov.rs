//! GMRES, preconditioned from the right, with its basis allocated once.
//!
//! Saad & Schultz (1986). Right preconditioning keeps the residual that is minimised the true one, so the tolerance means
//! what it says. Modified Gram–Schmidt; Givens rotations give the residual norm at every iteration.

use crate::error::{Error, Result};
use crate::parallel::{axpy, dot, for_each_block};

/// How a solve ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solved {
    pub iterations: usize,
    /// Root-mean-square residual.
    pub residual: f64,
}

/// Workspace of restarted GMRES for systems of a fixed length.
pub struct Gmres {
    basis: Vec<Vec<f64>>,
    residual: Vec<f64>,
    preconditioned: Vec<f64>,
    restart: usize,
    most: usize,
}

/// Upper-triangular least-squares problem of one cycle, updated column by column.
struct Hessenberg {
    columns: Vec<Vec<f64>>,
    rotations: Vec<(f64, f64)>,
    rhs: Vec<f64>,
}

impl Gmres {
    /// For vectors of `len` entries; restarts after `restart` iterations, gives up after `most`.
    pub fn new(len: usize, restart: usize, most: usize) -> Self {
        Self {
            basis: (0..=restart).map(|_| vec![0.0; len]).collect(),
            residual: vec![0.0; len],
            preconditioned: vec![0.0; len],
            restart,
            most,
        }
    }

    /// Solves `A x = b` from x = 0 until the root-mean-square residual is below `tolerance`.
    ///
    /// `apply(v, out)` writes A v; `precondition(v, out)` writes M⁻¹v.
    ///
    /// # Errors
    /// [`Error::NoConvergence`] after the allowed iterations.
    pub fn solve(
        &mut self,
        mut apply: impl FnMut(&[f64], &mut [f64]),
        mut precondition: impl FnMut(&[f64], &mut [f64]),
        b: &[f64],
        x: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        let root_n = (b.len() as f64).sqrt();
        let target = tolerance * root_n;
        x.fill(0.0);
        self.residual.copy_from_slice(b);
        let mut norm = dot(b, b).sqrt();
        let mut iterations = 0;
        while norm > target && norm.is_finite() && iterations < self.most {
            let most = self.restart.min(self.most - iterations);
            let (size, estimate) = self.cycle(&mut apply, &mut precondition, norm, target, most, x);
            iterations += size;
            norm = estimate;
            if norm <= target {
                break;
            }
            // Rounding has separated the estimate from the residual by now: compute it.
            apply(x, &mut self.residual);
            for_each_block(&mut self.residual, |start, r| {
                for (r, b) in r.iter_mut().zip(&b[start..]) {
                    *r = b - *r;
                }
            });
            norm = dot(&self.residual, &self.residual).sqrt();
        }
        let solved = Solved {
            iterations,
            residual: norm / root_n,
        };
        if norm <= target {
            Ok(solved)
        } else {
            Err(Error::NoConvergence {
                what: "GMRES",
                residual: solved.residual,
                iterations,
                tolerance,
                remedy: "the operator may be near degenerate: use more points or a smaller step"
                    .into(),
            })
        }
    }

    /// One cycle: at most `most` iterations from the residual of norm `norm`, whose correction is added to x. Returns the
    /// iterations and the estimated norm of the new residual.
    fn cycle(
        &mut self,
        apply: &mut impl FnMut(&[f64], &mut [f64]),
        precondition: &mut impl FnMut(&[f64], &mut [f64]),
        mut norm: f64,
        target: f64,
        most: usize,
        x: &mut [f64],
    ) -> (usize, f64) {
        let mut least_squares = Hessenberg::new(norm);
        normalise(&self.residual, norm, &mut self.basis[0]);
        let mut size = 0;
        while size < most && norm > target && norm.is_finite() {
            precondition(&self.basis[size], &mut self.preconditioned);
            let (known, next) = self.basis.split_at_mut(size + 1);
            apply(&self.preconditioned, &mut next[0]);
            norm = least_squares.extend(orthogonalise(known, &mut next[0]));
            size += 1;
        }
        self.residual.fill(0.0);
        for (weight, v) in least_squares.solution().iter().zip(&self.basis) {
            axpy(*weight, v, &mut self.residual);
        }
        precondition(&self.residual, &mut self.preconditioned);
        axpy(1.0, &self.preconditioned, x);
        (size, norm)
    }
}

fn normalise(v: &[f64], norm: f64, out: &mut [f64]) {
    let scale = 1.0 / norm;
    for_each_block(out, |start, out| {
        for (out, v) in out.iter_mut().zip(&v[start..]) {
            *out = scale * v;
        }
    });
}

/// Makes `w` orthonormal to `basis`; returns the new column of the Hessenberg matrix.
fn orthogonalise(basis: &[Vec<f64>], w: &mut [f64]) -> Vec<f64> {
    let mut column: Vec<f64> = basis
        .iter()
        .map(|v| {
            let projection = dot(v, w);
            axpy(-projection, v, w);
            projection
        })
        .collect();
    let norm = dot(w, w).sqrt();
    column.push(norm);
    if norm > 0.0 {
        for_each_block(w, |_, w| w.iter_mut().for_each(|w| *w /= norm));
    }
    column
}

impl Hessenberg {
    fn new(norm: f64) -> Self {
        Self {
            columns: Vec::new(),
            rotations: Vec::new(),
            rhs: vec![norm],
        }
    }

    /// Rotates a new column into triangular form; returns the residual norm.
    fn extend(&mut self, mut column: Vec<f64>) -> f64 {
        for (i, (c, s)) in self.rotations.iter().enumerate() {
            let (a, b) = (column[i], column[i + 1]);
            column[i] = c * a + s * b;
            column[i + 1] = -s * a + c * b;
        }
        let k = self.columns.len();
        let length = column[k].hypot(column[k + 1]);
        let (c, s) = (column[k] / length, column[k + 1] / length);
        column[k] = length;
        column.truncate(k + 1);
        self.rotations.push((c, s));
        self.columns.push(column);
        let last = self.rhs[k];
        self.rhs[k] = c * last;
        self.rhs.push(-s * last);
        self.rhs[k + 1].abs()
    }

    /// Back substitution.
    fn solution(&self) -> Vec<f64> {
        let size = self.columns.len();
        let mut y = self.rhs[..size].to_vec();
        for k in (0..size).rev() {
            y[k] /= self.columns[k][k];
            for i in 0..k {
                y[i] -= self.columns[k][i] * y[k];
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A nonsymmetric tridiagonal matrix.
    fn apply(x: &[f64], out: &mut [f64]) {
        let n = x.len();
        for i in 0..n {
            let left = if i > 0 { x[i - 1] } else { 0.0 };
            let right = if i + 1 < n { x[i + 1] } else { 0.0 };
            out[i] = (3.0 + i as f64 / n as f64) * x[i] - 1.5 * left - 0.5 * right;
        }
    }

    #[test]
    fn reaches_its_tolerance_across_restarts_and_says_the_true_residual() {
        let n = 200;
        let b: Vec<f64> = (0..n).map(|i| (i as f64).sin()).collect();
        for restart in [8, 60] {
            let mut x = vec![0.0; n];
            let solved = Gmres::new(n, restart, 300)
                .solve(apply, |v, out| out.copy_from_slice(v), &b, &mut x, 1e-12)
                .unwrap();
            let mut ax = vec![0.0; n];
            apply(&x, &mut ax);
            let residual = ax
                .iter()
                .zip(&b)
                .map(|(a, b)| (a - b) * (a - b))
                .sum::<f64>();
            let rms = (residual / n as f64).sqrt();
            assert!(
                rms < 1.1e-12 && (rms - solved.residual).abs() < 1e-13,
                "{rms}"
            );
        }
    }

    #[test]
    fn an_exact_preconditioner_needs_one_iteration_and_a_hopeless_system_is_an_error() {
        let b = vec![1.0; 50];
        let mut x = vec![0.0; 50];
        let double = |v: &[f64], out: &mut [f64]| {
            out.copy_from_slice(&v.iter().map(|v| 2.0 * v).collect::<Vec<_>>())
        };
        let halve = |v: &[f64], out: &mut [f64]| {
            out.copy_from_slice(&v.iter().map(|v| 0.5 * v).collect::<Vec<_>>())
        };
        let solved = Gmres::new(50, 10, 10)
            .solve(double, halve, &b, &mut x, 1e-14)
            .unwrap();
        assert_eq!(solved.iterations, 1);
        let stuck =
            Gmres::new(50, 2, 2).solve(apply, |v, o| o.copy_from_slice(v), &b, &mut x, 1e-14);
        assert!(matches!(
            stuck,
            Err(Error::NoConvergence { iterations: 2, .. })
        ));
        let poisoned = Gmres::new(50, 5, 5).solve(double, halve, &[f64::NAN; 50], &mut x, 1e-14);
        assert!(poisoned.is_err());
    }
}
