//! Densities `e^{-f}` on the torus, given by f up to a constant.
//!
//! A [`LogDensity`] is what the equations need of one: f with exact first and second derivatives
//! at arbitrary points, because PMA evaluates g at the Brenier map `∇u(x)`, off the grid.
//! [`Formula`], [`Mixture`] and [`Uniform`] are such functions; a [`Density`] is one of them checked and normalised.

mod blocks;
mod components;
mod factor;
mod formula;
mod mass;
mod mixture;
mod normalised;
mod sampled;
mod uniform;
mod validity;

pub use components::{Gaussian, VonMises};
pub use formula::{Formula, PointJet};
pub use mixture::Mixture;
pub use normalised::Density;
pub use sampled::Sampled;
pub use uniform::Uniform;

use crate::torus::Torus;

/// Values and derivatives of a function at N points of R^d, one vector per component.
///
/// `gradient` has d components, `hessian` has d(d+1)/2, ordered (0,0), (0,1), …, (0,d−1), (1,1), …
/// An empty `gradient` or `hessian` is not computed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Jet {
    pub value: Vec<f64>,
    pub gradient: Vec<Vec<f64>>,
    pub hessian: Vec<Vec<f64>>,
}

/// Highest derivative that a [`Jet`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    Value,
    Gradient,
    Hessian,
}

impl Jet {
    /// A zero jet of `order` for `len` points in `dimension` coordinates.
    pub fn zeros(dimension: usize, len: usize, order: Order) -> Self {
        let components = |asked: Order, count: usize| {
            if order >= asked {
                vec![vec![0.0; len]; count]
            } else {
                Vec::new()
            }
        };
        Self {
            value: vec![0.0; len],
            gradient: components(Order::Gradient, dimension),
            hessian: components(Order::Hessian, dimension * (dimension + 1) / 2),
        }
    }

    /// Highest derivative held.
    pub fn order(&self) -> Order {
        match (self.gradient.is_empty(), self.hessian.is_empty()) {
            (true, _) => Order::Value,
            (false, true) => Order::Gradient,
            (false, false) => Order::Hessian,
        }
    }
}

/// A function `f` on the torus (so `e^{-f}` is a density up to mass), smooth and 1-periodic.
pub trait LogDensity: Send + Sync {
    /// Number of coordinates d.
    fn dimension(&self) -> usize;

    /// Writes f and the derivatives that `jet` has room for at `points` (one vector per coordinate, any real
    /// numbers; each vector as long as `jet.value`). Allocates nothing per point and gives the
    /// same bits for any number of threads.
    fn jet(&self, points: &[Vec<f64>], jet: &mut Jet);
}

/// f at the nodes, in C order.
///
/// # Panics
/// If the torus has another dimension than the density.
pub fn at_nodes(density: &dyn LogDensity, torus: &Torus) -> Vec<f64> {
    assert_eq!(
        density.dimension(),
        torus.dimension(),
        "dimension of the torus"
    );
    let mut jet = Jet::zeros(torus.dimension(), torus.len(), Order::Value);
    density.jet(&torus.nodes(), &mut jet);
    jet.value
}
