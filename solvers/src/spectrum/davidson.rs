//! The smallest eigenvalues of a symmetric operator by block Davidson iteration, matrix-free.
//!
//! Davidson (1975); the block form and the restart that keeps the previous Ritz vectors too, which makes it locally
//! optimal like conjugate gradients, are of Knyazev (2001) and Stathopoulos & Saad (1998). It needs no inner solves, and a block at least
//! as wide as the wanted eigenvalues finds multiple ones with their multiplicity, which a single Krylov sequence cannot.
//!
//! faer 0.24 has a matrix-free Lanczos method (`partial_self_adjoint_eigen`); it was not taken because it builds one sequence of at
//! least 64 vectors (more than a small grid has), each by an inner solve, and meets multiple eigenvalues by rounding only.

use super::dense::symmetric_eigen;
use crate::error::Result;
use crate::parallel::{BLOCK, axpy, dot, for_each_block};
use crate::watch;
use faer::Mat;

/// Width of the search space in blocks before a restart.
const BLOCKS: usize = 4;
/// A direction whose part outside the search space is smaller than this is already in it.
const DEPENDENT: f64 = 1e-12;

/// Which eigenpairs are wanted, and how well.
pub struct Search {
    /// Eigenpairs wanted; those after it in a block only help.
    pub count: usize,
    /// Euclidean residual of unit vectors, relative to the eigenvalue.
    pub relative: f64,
    /// The same, absolute: what rounding allows.
    pub absolute: f64,
    pub most_iterations: usize,
}

/// Unit Ritz vectors in the order of their values, and the iterations spent.
pub struct Found {
    pub vectors: Vec<Vec<f64>>,
    pub iterations: usize,
}

/// An orthonormal basis with its image under the operator, and the operator's matrix in it.
struct Subspace {
    basis: Vec<Vec<f64>>,
    image: Vec<Vec<f64>>,
    matrix: Vec<Vec<f64>>,
}

impl Search {
    /// The smallest eigenvalues of `apply` orthogonal to the unit vector `kernel`, from the block `start`; `precondition` ≈ the inverse.
    /// Ends when the wanted pairs converge, when the residuals lie in the search space, or after the allowed iterations: the
    /// caller judges the residuals.
    ///
    /// # Errors
    /// Of the dense eigenproblem, when `apply` gives non-finite values; [`crate::Error::Interrupted`].
    pub fn smallest(
        &self,
        mut apply: impl FnMut(&[f64], &mut [f64]),
        mut precondition: impl FnMut(&[f64], &mut [f64]),
        kernel: &[f64],
        start: Vec<Vec<f64>>,
    ) -> Result<Found> {
        let width = start.len();
        let mut space = Subspace::empty();
        let mut block = start;
        let mut previous: Option<Mat<f64>> = None;
        let mut first = None;
        for iterations in 1.. {
            let mut grown = 0;
            for direction in block {
                watch::on()?;
                grown += usize::from(space.extend(kernel, direction, &mut apply));
            }
            let (values, coefficients) = symmetric_eigen(space.dense().as_ref())?;
            let kept = width.min(values.len());
            let residuals: Vec<Vec<f64>> = (0..kept)
                .map(|j| space.residual(values[j], &coefficients, j))
                .collect();
            let open = self.unconverged(&values, &residuals);
            watch::reached(self.reached(&values, &residuals, &mut first))?;
            let done = !open.iter().any(|&j| j < self.count);
            if done || grown == 0 || iterations == self.most_iterations {
                return Ok(Found {
                    vectors: combine(&space.basis, &coefficients, kept),
                    iterations,
                });
            }
            block = open
                .iter()
                .map(|&j| {
                    let mut direction = vec![0.0; kernel.len()];
                    precondition(&residuals[j], &mut direction);
                    direction
                })
                .collect();
            previous = if space.basis.len() + block.len() > BLOCKS * width {
                space.restart(&coefficients, previous.as_ref(), kept);
                Some(Mat::identity(space.basis.len(), kept))
            } else {
                Some(coefficients.subcols(0, kept).to_owned())
            };
        }
        unreachable!("the loop returns")
    }

    /// The fraction of the decades between the `first` residual and the one asked for, of the slowest wanted pair.
    fn reached(&self, values: &[f64], residuals: &[Vec<f64>], first: &mut Option<f64>) -> f64 {
        let wanted = values.iter().zip(residuals).take(self.count);
        let over = wanted.map(|(value, residual)| {
            let asked = self.absolute.max(self.relative * value.abs());
            (dot(residual, residual).sqrt() / asked).max(1.0)
        });
        let worst = over.fold(1.0, f64::max).ln();
        let first = *first.get_or_insert(worst);
        if first > 0.0 {
            1.0 - worst / first
        } else {
            1.0
        }
    }

    /// Indices of the Ritz pairs that have not converged.
    fn unconverged(&self, values: &[f64], residuals: &[Vec<f64>]) -> Vec<usize> {
        let small = |j: &usize| {
            let norm = dot(&residuals[*j], &residuals[*j]).sqrt();
            norm <= self.absolute.max(self.relative * values[*j].abs())
        };
        (0..residuals.len()).filter(|j| !small(j)).collect()
    }
}

impl Subspace {
    fn empty() -> Self {
        Self {
            basis: Vec::new(),
            image: Vec::new(),
            matrix: Vec::new(),
        }
    }

    /// Takes in what `v` has outside the space and the kernel; false if that is nothing.
    fn extend(
        &mut self,
        kernel: &[f64],
        mut v: Vec<f64>,
        apply: &mut impl FnMut(&[f64], &mut [f64]),
    ) -> bool {
        // Classical Gram–Schmidt twice is orthogonal to round-off (Giraud et al. 2005); a third time where the first cancels nearly all.
        let before = dot(&v, &v).sqrt();
        for pass in 0..3 {
            let known: Vec<&[f64]> = std::iter::once(kernel)
                .chain(self.basis.iter().map(Vec::as_slice))
                .collect();
            let projections: Vec<f64> = known.iter().map(|known| -dot(known, &v)).collect();
            accumulate(&known, &projections, &mut v);
            let norm = dot(&v, &v).sqrt();
            let dependent = norm <= DEPENDENT * if pass == 0 { before } else { 1.0 };
            if dependent || norm.is_nan() {
                return false;
            }
            for_each_block(&mut v, |_, v| v.iter_mut().for_each(|v| *v /= norm));
        }
        let mut image = vec![0.0; v.len()];
        apply(&v, &mut image);
        // The operator of the problem is P S P with P off the kernel, which on a grid is one to discretisation error only.
        axpy(-dot(kernel, &image), kernel, &mut image);
        let mut row: Vec<f64> = self.basis.iter().map(|known| dot(known, &image)).collect();
        row.push(dot(&v, &image));
        self.matrix.push(row);
        self.basis.push(v);
        self.image.push(image);
        true
    }

    /// The lower triangle of the operator's matrix.
    fn dense(&self) -> Mat<f64> {
        let n = self.basis.len();
        Mat::from_fn(n, n, |i, j| self.matrix[i.max(j)][i.min(j)])
    }

    /// `Σ_i c_ij (S b_i − θ b_i)`.
    fn residual(&self, theta: f64, coefficients: &Mat<f64>, j: usize) -> Vec<f64> {
        let mut residual = vec![0.0; self.basis[0].len()];
        let vectors: Vec<&[f64]> = self
            .image
            .iter()
            .chain(&self.basis)
            .map(Vec::as_slice)
            .collect();
        let c = |i: usize| coefficients[(i, j)];
        let weights: Vec<f64> = (0..self.basis.len())
            .map(c)
            .chain((0..self.basis.len()).map(|i| -theta * c(i)))
            .collect();
        accumulate(&vectors, &weights, &mut residual);
        residual
    }

    /// Shrinks the space to the current Ritz vectors and the previous ones.
    fn restart(&mut self, current: &Mat<f64>, previous: Option<&Mat<f64>>, kept: usize) {
        let n = self.basis.len();
        let mut columns: Vec<Vec<f64>> = (0..kept)
            .map(|j| (0..n).map(|i| current[(i, j)]).collect())
            .collect();
        if let Some(previous) = previous {
            for j in 0..previous.ncols() {
                let mut column: Vec<f64> =
                    (0..previous.nrows()).map(|i| previous[(i, j)]).collect();
                column.resize(n, 0.0);
                if orthonormalise(&columns, &mut column) {
                    columns.push(column);
                }
            }
        }
        let rotation = Mat::from_fn(n, columns.len(), |i, j| columns[j][i]);
        let matrix = self.projected(&columns);
        self.basis = combine(&self.basis, &rotation, columns.len());
        self.image = combine(&self.image, &rotation, columns.len());
        self.matrix = matrix;
    }

    /// Lower triangle of the operator's matrix in the space of `columns`.
    fn projected(&self, columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let n = self.basis.len();
        let image = |column: &[f64], i: usize| -> f64 {
            (0..n)
                .map(|k| self.matrix[i.max(k)][i.min(k)] * column[k])
                .sum()
        };
        let pair = |i: usize, j: usize| (0..n).map(|k| columns[i][k] * image(&columns[j], k)).sum();
        (0..columns.len())
            .map(|i| (0..=i).map(|j| pair(i, j)).collect())
            .collect()
    }
}

/// The first `count` columns of `vectors · coefficients`.
fn combine(vectors: &[Vec<f64>], coefficients: &Mat<f64>, count: usize) -> Vec<Vec<f64>> {
    (0..count)
        .map(|j| {
            let mut sum = vec![0.0; vectors[0].len()];
            let weights: Vec<f64> = (0..vectors.len()).map(|i| coefficients[(i, j)]).collect();
            let vectors: Vec<&[f64]> = vectors.iter().map(Vec::as_slice).collect();
            accumulate(&vectors, &weights, &mut sum);
            sum
        })
        .collect()
}

/// `sum ← sum + Σ weights_i vectors_i`, block by block so that the sum stays in the cache.
fn accumulate(vectors: &[&[f64]], weights: &[f64], sum: &mut [f64]) {
    for_each_block(sum, |start, sum| {
        for stretch in (0..sum.len()).step_by(BLOCK) {
            let end = sum.len().min(stretch + BLOCK);
            let sum = &mut sum[stretch..end];
            for (v, weight) in vectors.iter().zip(weights) {
                for (sum, v) in sum.iter_mut().zip(&v[start + stretch..]) {
                    *sum += weight * v;
                }
            }
        }
    });
}

/// Makes a small vector orthonormal to others; false if it depends on them.
fn orthonormalise(others: &[Vec<f64>], v: &mut [f64]) -> bool {
    for _ in 0..2 {
        for other in others {
            let projection: f64 = other.iter().zip(&*v).map(|(a, b)| a * b).sum();
            v.iter_mut()
                .zip(other)
                .for_each(|(v, o)| *v -= projection * o);
        }
        let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm < 1e-8 {
            return false;
        }
        v.iter_mut().for_each(|v| *v /= norm);
    }
    true
}
