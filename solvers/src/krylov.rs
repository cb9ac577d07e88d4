//! GMRES with its basis allocated once, and with memory for several systems of one matrix.
//!
//! Saad & Schultz (1986). Preconditioning is from the right, which keeps the residual that is minimised the true one, so the
//! tolerance means what it says. Modified Gram–Schmidt; Givens rotations give the residual norm at every iteration.
//!
//! *One sweep for all projections.* Modified Gram–Schmidt `(1 − v_k v_kᵀ) ⋯ (1 − v_1 v_1ᵀ) w` is `w − V (1 + L)^{-1} Vᵀw` with L the
//! strictly lower part of VᵀV (Świrydowicz et al., *Low synchronization Gram–Schmidt and generalized minimal residual
//! algorithms*, Numer. Linear Algebra Appl. 28 (2021)): the same vectors up to rounding, all products at once.
//!
//! *Several right-hand sides.* `A V_m = V_{m+1} H` holds whatever the right-hand side. After [`Gmres::recycle`], the space of the
//! first solve is kept, and the next ones start from the best approximation in it, at the price of two sweeps over V.

use crate::error::{Error, Result};
use crate::multivector::{Products, combine};
use crate::parallel::{dot, for_each_block};
use crate::watch;

/// How a solve ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solved {
    pub iterations: usize,
    /// Root-mean-square residual.
    pub residual: f64,
}

/// Workspace of restarted GMRES for systems of a fixed length.
pub struct Gmres {
    space: Space,
    /// The space of the first solve since [`Self::recycle`].
    kept: Space,
    keeping: bool,
    residual: Vec<f64>,
    products: Products,
    preconditioned: Vec<f64>,
    restart: usize,
    most: usize,
    /// What one cycle may leave of the residual.
    demanded: f64,
}

/// A Krylov space: `A V_m = V_{m+1} H`, the basis orthogonal but not normalised.
struct Space {
    /// `‖v_j‖ v_j`; memory for more than are in use.
    vectors: Vec<Vec<f64>>,
    norms: Vec<f64>,
    /// Rows of L.
    gram: Vec<Vec<f64>>,
    /// Columns of H.
    hessenberg: Vec<Vec<f64>>,
    least_squares: LeastSquares,
}

/// `min ‖‖r‖e_1 − Hy‖` of one cycle, updated column by column.
struct LeastSquares {
    columns: Vec<Vec<f64>>,
    rotations: Vec<(f64, f64)>,
    rhs: Vec<f64>,
}

impl Gmres {
    /// For vectors of `len` entries; restarts after `restart` iterations, gives up after `most`.
    pub fn new(len: usize, restart: usize, most: usize) -> Self {
        Self {
            space: Space::new(),
            kept: Space::new(),
            keeping: false,
            residual: vec![0.0; len],
            products: Products::new(len, restart + 1),
            preconditioned: vec![0.0; len],
            restart,
            most,
            demanded: f64::INFINITY,
        }
    }

    /// The solves that follow, until the next call, are with one and the same operator and preconditioner.
    pub fn recycle(&mut self) {
        self.keeping = true;
        self.kept.clear();
    }

    /// From now on, a cycle before a restart that leaves more than `share` of the residual is the last.
    pub fn demand(&mut self, share: f64) {
        self.demanded = share;
    }

    /// Solves `A x = b` from x = 0 until the root-mean-square residual is below `tolerance`.
    ///
    /// `apply(v, out)` writes A v; `precondition(v, out)` writes M⁻¹v.
    ///
    /// # Errors
    /// [`Error::NoConvergence`] after the allowed iterations, or when the residual no longer falls; x is the best then found.
    /// [`Error::Interrupted`].
    pub fn solve(
        &mut self,
        mut apply: impl FnMut(&[f64], &mut [f64]),
        mut precondition: impl FnMut(&[f64], &mut [f64]),
        b: &[f64],
        x: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        let mut preconditioned = std::mem::take(&mut self.preconditioned);
        let composed = |v: &[f64], out: &mut [f64]| {
            precondition(v, &mut preconditioned);
            apply(&preconditioned, out);
        };
        let solved = self.solve_composed(composed, b, x, tolerance);
        precondition(x, &mut preconditioned);
        x.copy_from_slice(&preconditioned);
        self.preconditioned = preconditioned;
        solved
    }

    /// Solves `A M⁻¹ t = b` likewise: `apply(v, out)` writes A M⁻¹v.
    ///
    /// # Errors
    /// As [`Self::solve`].
    pub fn solve_composed(
        &mut self,
        mut apply: impl FnMut(&[f64], &mut [f64]),
        b: &[f64],
        t: &mut [f64],
        tolerance: f64,
    ) -> Result<Solved> {
        let root_n = (b.len() as f64).sqrt();
        let target = tolerance * root_n;
        t.fill(0.0);
        self.residual.copy_from_slice(b);
        let mut norm = dot(b, b).sqrt();
        if self.kept.size() > 0 && norm > target && norm.is_finite() {
            norm = self
                .kept
                .approximate(&mut self.residual, t, &mut self.products);
        }
        let mut iterations = 0;
        while norm > target && norm.is_finite() && iterations < self.most {
            let most = self.restart.min(self.most - iterations);
            let before = norm;
            norm = self.cycle(&mut apply, norm, target, most, t)?;
            iterations += self.space.size();
            if self.keeping && self.kept.size() == 0 {
                std::mem::swap(&mut self.space, &mut self.kept);
            }
            if norm <= target {
                break;
            }
            // Rounding has separated the estimate from the residual by now: compute it.
            apply(t, &mut self.residual);
            for_each_block(&mut self.residual, |start, r| {
                for (r, b) in r.iter_mut().zip(&b[start..]) {
                    *r = b - *r;
                }
            });
            norm = dot(&self.residual, &self.residual).sqrt();
            if norm > self.demanded * before {
                break;
            }
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

    /// One cycle: at most `most` iterations from the residual of norm `norm`, whose correction is added to t. Returns the
    /// estimated norm of the new residual.
    fn cycle(
        &mut self,
        apply: &mut impl FnMut(&[f64], &mut [f64]),
        mut norm: f64,
        target: f64,
        most: usize,
        t: &mut [f64],
    ) -> Result<f64> {
        self.space.begin(&self.residual, norm);
        while self.space.size() < most && norm > target && norm.is_finite() {
            watch::on()?;
            norm = self.space.extend(apply, &mut self.products);
        }
        let y = self.space.least_squares.solution();
        combine(1.0, t, &self.space.weights(&y), &self.space.vectors);
        Ok(norm)
    }
}

impl Space {
    fn new() -> Self {
        Self {
            vectors: Vec::new(),
            norms: Vec::new(),
            gram: Vec::new(),
            hessenberg: Vec::new(),
            least_squares: LeastSquares::new(0.0),
        }
    }

    /// Columns of H.
    fn size(&self) -> usize {
        self.hessenberg.len()
    }

    fn clear(&mut self) {
        self.norms.clear();
        self.gram.clear();
        self.hessenberg.clear();
    }

    /// The next free vector.
    fn room(&mut self, len: usize) {
        if self.vectors.len() == self.norms.len() {
            self.vectors.push(vec![0.0; len]);
        }
    }

    /// The space spanned by a residual of the given norm.
    fn begin(&mut self, residual: &[f64], norm: f64) {
        self.clear();
        self.least_squares = LeastSquares::new(norm);
        self.room(residual.len());
        self.vectors[0].copy_from_slice(residual);
        self.norms.push(norm);
    }

    /// Adds A times the last vector; returns the norm of the residual.
    fn extend(
        &mut self,
        apply: &mut impl FnMut(&[f64], &mut [f64]),
        products: &mut Products,
    ) -> f64 {
        let k = self.size();
        self.room(self.vectors[0].len());
        let (known, next) = self.vectors.split_at_mut(k + 1);
        let (last, next) = (&known[k], &mut next[0]);
        apply(last, next);
        products.compute(known, last, next);
        let scale = 1.0 / self.norms[k];
        // The last row of L, and then (1 + L)^{-1} Vᵀw.
        let row = products.with_y()[..k].iter().zip(&self.norms);
        self.gram
            .push(row.map(|(product, norm)| product * scale / norm).collect());
        let mut column: Vec<f64> = Vec::with_capacity(k + 2);
        for (i, row) in self.gram.iter().enumerate() {
            let product = products.with_z()[i] * scale / self.norms[i];
            let known: f64 = row.iter().zip(&column).map(|(l, h)| l * h).sum();
            column.push(product - known);
        }
        let weights: Vec<f64> = column
            .iter()
            .zip(&self.norms)
            .map(|(h, norm)| -h / norm)
            .collect();
        combine(scale, next, &weights, known);
        let norm = dot(next, next).sqrt();
        column.push(norm);
        self.norms.push(norm);
        self.hessenberg.push(column.clone());
        self.least_squares.extend(column)
    }

    /// Coefficients with respect to the stored vectors of `Σ y_j v_j`.
    fn weights(&self, y: &[f64]) -> Vec<f64> {
        y.iter()
            .zip(&self.norms)
            .map(|(y, norm)| y / norm)
            .collect()
    }

    /// Subtracts the best approximation `A V y` from `residual` and adds `V y` to t; returns the norm of the new residual.
    fn approximate(&self, residual: &mut [f64], t: &mut [f64], products: &mut Products) -> f64 {
        let used = &self.vectors[..self.size() + 1];
        products.compute(used, residual, residual);
        let projection = products.with_y().iter().zip(&self.norms);
        let projection: Vec<f64> = projection.map(|(p, norm)| p / norm).collect();
        let y = self.least_squares.solution_for(&projection);
        let mut image = vec![0.0; used.len()];
        for (column, y) in self.hessenberg.iter().zip(&y) {
            for (image, h) in image.iter_mut().zip(column) {
                *image -= y * h;
            }
        }
        combine(1.0, residual, &self.weights(&image), used);
        combine(1.0, t, &self.weights(&y), used);
        dot(residual, residual).sqrt()
    }
}

impl LeastSquares {
    fn new(norm: f64) -> Self {
        Self {
            columns: Vec::new(),
            rotations: Vec::new(),
            rhs: vec![norm],
        }
    }

    /// Rotates a new column into triangular form; returns the residual norm.
    fn extend(&mut self, mut column: Vec<f64>) -> f64 {
        rotate(&self.rotations, &mut column);
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

    fn solution(&self) -> Vec<f64> {
        self.substitute(self.rhs[..self.columns.len()].to_vec())
    }

    /// The minimiser for another right-hand side, given in the basis V.
    fn solution_for(&self, rhs: &[f64]) -> Vec<f64> {
        let mut rhs = rhs.to_vec();
        rotate(&self.rotations, &mut rhs);
        rhs.truncate(self.columns.len());
        self.substitute(rhs)
    }

    /// Back substitution.
    fn substitute(&self, mut y: Vec<f64>) -> Vec<f64> {
        for k in (0..y.len()).rev() {
            y[k] /= self.columns[k][k];
            for i in 0..k {
                y[i] -= self.columns[k][i] * y[k];
            }
        }
        y
    }
}

/// Applies Givens rotations of neighbours one after the other.
fn rotate(rotations: &[(f64, f64)], v: &mut [f64]) {
    for (i, (c, s)) in rotations.iter().enumerate() {
        let (a, b) = (v[i], v[i + 1]);
        v[i] = c * a + s * b;
        v[i + 1] = -s * a + c * b;
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
    fn later_systems_start_from_the_space_of_the_first() {
        let n = 200;
        let first: Vec<f64> = (0..n).map(|i| (0.05 * i as f64).sin()).collect();
        // Nearly in the first space.
        let mut second = vec![0.0; n];
        apply(&first, &mut second);
        for (i, b) in second.iter_mut().enumerate() {
            *b += 1e-6 * (i as f64).cos();
        }
        let solve = |gmres: &mut Gmres, b: &[f64]| {
            let mut x = vec![0.0; n];
            let identity = |v: &[f64], out: &mut [f64]| out.copy_from_slice(v);
            let solved = gmres.solve(apply, identity, b, &mut x, 1e-11).unwrap();
            let mut ax = vec![0.0; n];
            apply(&x, &mut ax);
            let residual: f64 = ax.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
            assert!((residual / n as f64).sqrt() < 1.1e-11);
            solved.iterations
        };
        let mut gmres = Gmres::new(n, 60, 300);
        let alone = solve(&mut gmres, &second);
        gmres.recycle();
        assert!(solve(&mut gmres, &first) > 20);
        assert_eq!(solve(&mut gmres, &first), 0);
        let helped = solve(&mut gmres, &second);
        assert!(2 * helped < alone + 10, "{helped} {alone}");
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
