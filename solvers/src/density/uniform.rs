//! The uniform density.

use super::{Jet, LogDensity};

/// f = 0 on the torus of `dimension` axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uniform {
    pub dimension: usize,
}

impl LogDensity for Uniform {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn jet(&self, _points: &[Vec<f64>], jet: &mut Jet) {
        let derivatives = jet.gradient.iter_mut().chain(&mut jet.hessian);
        for component in derivatives.chain([&mut jet.value]) {
            component.fill(0.0);
        }
    }
}
