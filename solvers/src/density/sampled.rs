//! A log-density known at the nodes only, evaluated elsewhere through its trigonometric interpolant.

use super::{Jet, LogDensity, Order};
use crate::calculus::{Calculus, Derivatives, Spectral};
use crate::interpolation::Interpolant;
use crate::torus::Torus;

/// f given by its values at the nodes. Value and derivatives are those of the interpolant, to about 1e-13 relative.
pub struct Sampled {
    dimension: usize,
    highest: Order,
    interpolant: Interpolant,
}

impl Sampled {
    /// Prepares derivatives up to `highest`.
    pub fn new(torus: &Torus, f: &[f64], highest: Order) -> Self {
        let mut derivatives = Derivatives::zeros(torus);
        Spectral::new(torus).derivatives(f, &mut derivatives);
        let mut fields: Vec<&[f64]> = vec![f];
        if highest >= Order::Gradient {
            fields.extend(derivatives.gradient.iter().map(Vec::as_slice));
        }
        if highest >= Order::Hessian {
            fields.extend(derivatives.hessian.iter().map(Vec::as_slice));
        }
        Self {
            dimension: torus.dimension(),
            highest,
            interpolant: Interpolant::new(torus, &fields),
        }
    }
}

impl LogDensity for Sampled {
    fn dimension(&self) -> usize {
        self.dimension
    }

    /// # Panics
    /// If `jet` asks for a derivative that was not prepared.
    fn jet(&self, points: &[Vec<f64>], jet: &mut Jet) {
        assert!(jet.order() <= self.highest, "derivative was not prepared");
        let Jet {
            value,
            gradient,
            hessian,
        } = jet;
        let mut out: Vec<&mut [f64]> = vec![value];
        out.extend(gradient.iter_mut().map(Vec::as_mut_slice));
        out.extend(hessian.iter_mut().map(Vec::as_mut_slice));
        self.interpolant.evaluate(points, &mut out);
    }
}
