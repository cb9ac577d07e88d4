//! The densities and the start of a torus problem.

use crate::scenario::problem::{self, WrappedGaussian};
use crate::scenario::problem::{DensityChoice, StartPotential};
use mirrorflow_solvers::density::{Density, Formula, Gaussian, Mixture, Uniform, VonMises};
use mirrorflow_solvers::symmetric::{extreme_eigenvalues, identity_plus};
use mirrorflow_solvers::{Jet, LogDensity, Order, Result, Torus};
use std::fmt;
use std::sync::Arc;

/// The objects of a torus problem.
#[derive(Debug, Clone)]
pub struct BuiltTorus {
    pub torus: Torus,
    /// f, with the constant that gives e^{-f} unit mass.
    pub source: Density,
    /// g, likewise.
    pub target: Density,
    pub start: Start,
}

/// The start `u_0 = |x|²/2 + p_0`, on any grid.
#[derive(Clone)]
pub struct Start {
    /// p_0; `None` for the identity.
    potential: Option<Arc<dyn LogDensity>>,
}

/// Extreme eigenvalues of ∇²u over the nodes of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curvature {
    pub least: f64,
    pub greatest: f64,
    /// Node at which `least` is attained.
    pub node: usize,
}

/// The density that `choice` describes on `(R/Z)^d`.
///
/// # Errors
/// `Error::Formula` with offsets into the formula's text; `Error::Density` if it is not a smooth positive
/// periodic density.
pub fn density(choice: &DensityChoice, dimension: usize) -> Result<Density> {
    Density::new(shape(choice, dimension)?)
}

fn shape(choice: &DensityChoice, dimension: usize) -> Result<Arc<dyn LogDensity>> {
    Ok(match choice {
        DensityChoice::Formula(text) => Arc::new(Formula::parse(text, dimension)?),
        DensityChoice::Uniform => Arc::new(Uniform { dimension }),
        DensityChoice::WrappedGaussians(components) => {
            let components: Vec<Gaussian> = components.iter().map(Gaussian::from).collect();
            Arc::new(Mixture::wrapped_gaussians(&components)?)
        }
        DensityChoice::VonMises(components) => {
            let components: Vec<VonMises> = components.iter().map(VonMises::from).collect();
            Arc::new(Mixture::von_mises(&components)?)
        }
    })
}

impl From<&WrappedGaussian> for Gaussian {
    fn from(component: &WrappedGaussian) -> Self {
        Self {
            weight: component.weight,
            mean: component.mean.clone(),
            deviation: component.deviation.clone(),
        }
    }
}

impl From<&problem::VonMises> for VonMises {
    fn from(component: &problem::VonMises) -> Self {
        Self {
            weight: component.weight,
            mean: component.mean.clone(),
            concentration: component.concentration.clone(),
        }
    }
}

/// The start that `choice` describes.
///
/// # Errors
/// `Error::Formula` with offsets into the formula's text; `Error::Density` if p_0 is not periodic.
pub fn start(choice: &StartPotential, dimension: usize) -> Result<Start> {
    let potential: Option<Arc<dyn LogDensity>> = match choice {
        StartPotential::Identity => None,
        StartPotential::Formula(text) => Some(Arc::new(Formula::parse(text, dimension)?)),
    };
    // p_0 must be smooth and periodic as the f of a density is.
    if let Some(potential) = &potential {
        Density::new(Arc::clone(potential))?;
    }
    Ok(Start { potential })
}

impl Start {
    /// p_0 on the nodes, C order.
    pub fn on(&self, torus: &Torus) -> Vec<f64> {
        self.jet(torus, Order::Value).value
    }

    /// Extreme eigenvalues of `∇²u_0 = I + ∇²p_0` over the nodes.
    pub fn curvature(&self, torus: &Torus) -> Curvature {
        let jet = self.jet(torus, Order::Hessian);
        let mut curvature = Curvature {
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            node: 0,
        };
        for node in 0..torus.len() {
            let hessian = identity_plus(torus.dimension(), &jet.hessian, node);
            curvature.widen(node, extreme_eigenvalues(torus.dimension(), &hessian));
        }
        curvature
    }

    fn jet(&self, torus: &Torus, order: Order) -> Jet {
        let mut jet = Jet::zeros(torus.dimension(), torus.len(), order);
        if let Some(potential) = &self.potential {
            potential.jet(&torus.nodes(), &mut jet);
        }
        jet
    }
}

impl Curvature {
    fn widen(&mut self, node: usize, (least, greatest): (f64, f64)) {
        if least < self.least {
            self.least = least;
            self.node = node;
        }
        self.greatest = self.greatest.max(greatest);
    }
}

impl fmt::Debug for Start {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let kind = if self.potential.is_some() {
            "Formula"
        } else {
            "Identity"
        };
        formatter.write_str(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use std::f64::consts::PI;

    #[test]
    fn every_kind_of_density_is_built_with_unit_mass() {
        let torus = Torus::new(&[32, 32]).unwrap();
        let pair = || vec![0.3, 0.6];
        for choice in [
            DensityChoice::Formula("cos(2*pi*x)*sin(2*pi*y)".into()),
            DensityChoice::Uniform,
            DensityChoice::WrappedGaussians(vec![WrappedGaussian {
                weight: 2.0,
                mean: pair(),
                deviation: pair(),
            }]),
            DensityChoice::VonMises(vec![problem::VonMises {
                weight: 2.0,
                mean: pair(),
                concentration: pair(),
            }]),
        ] {
            let defect = density(&choice, 2).unwrap().check_resolved(&torus).unwrap();
            assert!(defect < 1e-13, "{choice:?}: {defect}");
        }
    }

    #[test]
    fn the_curvature_of_a_cosine_start_is_known() {
        let torus = Torus::new(&[16, 8]).unwrap();
        let cosine = start(&StartPotential::Formula("0.01*cos(2*pi*x)".into()), 2).unwrap();
        let curvature = cosine.curvature(&torus);
        assert_relative_eq!(curvature.least, 1.0 - 0.04 * PI * PI, epsilon = 1e-13);
        assert_relative_eq!(curvature.greatest, 1.0 + 0.04 * PI * PI, epsilon = 1e-13);
        assert_eq!(torus.node(curvature.node)[0], 0.0);
        assert_relative_eq!(cosine.on(&torus)[0], 0.01);
    }

    #[test]
    fn the_identity_is_flat() {
        let torus = Torus::new(&[8, 8, 8]).unwrap();
        let identity = start(&StartPotential::Identity, 3).unwrap();
        let curvature = identity.curvature(&torus);
        assert_eq!((curvature.least, curvature.greatest), (1.0, 1.0));
        assert!(identity.on(&torus).iter().all(|&p| p == 0.0));
    }
}
