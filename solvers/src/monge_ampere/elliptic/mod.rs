//! The elliptic Monge–Ampère equation `f − g(∇u) + log det ∇²u = c`: ∇u is the optimal map from e^{-f} to e^{-g}.
//!
//! The constant c is zero in the continuum; on the grid it absorbs the difference of the two discrete masses and comes out of
//! the linear solves.
//!
//! [`Elliptic::solve`] is Newton's method on one grid, the readable reference and the way to go from a near start. [`solve_elliptic`]
//! begins on coarse grids: what they resolve costs next to nothing there, and the grid itself has the rest to find.

mod hierarchy;
mod nested;
mod newton;
mod resolution;
mod rounding;

pub use nested::solve_elliptic;
pub use newton::Elliptic;

/// A Brenier potential and how it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Brenier {
    /// Periodic part of u, mean zero.
    pub p: Vec<f64>,
    /// The constant c: discretisation error of the masses.
    pub constant: f64,
    /// `sup |f − g(∇u) + log det ∇²u − c|` over the nodes.
    pub residual: f64,
    /// Size of what rounding the values of p alone adds to the residual when ∇²p is computed from them:
    /// `2^{-50} (1 + Σ(πn_i)² sup|p|) sup tr(A)/d`. Not in `residual` as far as derivatives were carried over from coarser grids.
    pub round_off: f64,
    /// Newton steps on the grid itself.
    pub newton_steps: usize,
    /// GMRES iterations on the grid itself.
    pub krylov: usize,
    /// Coarser grids whose solutions were used, coarsest first.
    pub coarser: Vec<Level>,
}

/// What was done on one of the coarser grids.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    pub points: Vec<usize>,
    pub newton_steps: usize,
    pub krylov: usize,
    /// Sup-residual on that grid.
    pub residual: f64,
}
