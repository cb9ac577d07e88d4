//! Eigenvalues and eigenvectors of a small symmetric matrix.

use crate::error::{Error, Result};
use crate::watch;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Col, Mat, MatRef, Par, Spec};

/// Eigenvalues in increasing order and the eigenvectors as the columns of an orthogonal matrix, by faer. Of
/// `matrix` only the lower triangle is read. On one core: the same bits on any machine with the same instructions.
///
/// # Errors
/// [`Error::NoConvergence`], which for a finite matrix does not happen.
pub fn symmetric_eigen(matrix: MatRef<'_, f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    watch::on()?;
    let n = matrix.nrows();
    let (mut values, mut vectors) = (Col::zeros(n), Mat::zeros(n, n));
    let parameters = Spec::default();
    let mut memory = MemBuffer::new(self_adjoint_evd_scratch::<f64>(
        n,
        ComputeEigenvectors::Yes,
        Par::Seq,
        parameters,
    ));
    self_adjoint_evd(
        matrix,
        values.as_diagonal_mut(),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut memory),
        parameters,
    )
    .map_err(|_| Error::NoConvergence {
        what: "the eigenvalues of a dense matrix",
        residual: f64::NAN,
        iterations: 0,
        tolerance: f64::EPSILON,
        remedy: "its entries are not finite: check the density and the matrix field".into(),
    })?;
    Ok((values.iter().copied().collect(), vectors))
}
