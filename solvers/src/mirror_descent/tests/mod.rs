//! What the tests of mirror descent share.

mod inequality;
mod iteration;

use super::*;
use crate::calculus::{Calculus, Spectral};
use crate::density::{Density, Formula, LogDensity, Order, Sampled};
use crate::distance::{bregman_divergence, relative_entropy};
use crate::error::Error;
use crate::flows::{Coordinate, Mirror};
use crate::interpolation::Interpolant;
use crate::legendre::conjugate;
use crate::monge_ampere::{MongeAmpere, solve_elliptic};
use crate::objective::RelativeEntropy;
use crate::parallel::{mean_of, sup, sup_difference};
use crate::time::{Stepper, march};
use crate::torus::Torus;
use std::f64::consts::PI;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A problem: grid, band limit, f and g.
struct Case {
    torus: Torus,
    band: usize,
    f: Arc<Density>,
    g: Vec<f64>,
}

fn density(formula: &str, d: usize) -> Arc<Density> {
    Arc::new(Density::new(Arc::new(Formula::parse(formula, d).unwrap())).unwrap())
}

impl Case {
    fn new(points: &[usize], band: usize, f: &str, g: &str) -> Self {
        let torus = Torus::new(points).unwrap();
        let d = points.len();
        Self {
            f: density(f, d),
            g: density(g, d).on(&torus),
            torus,
            band,
        }
    }

    fn line() -> Self {
        let f = "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)";
        Self::new(&[96], 8, f, "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)")
    }

    fn plane() -> Self {
        let f = "0.4*cos(2*pi*x) + 0.2*sin(2*pi*(x + y))";
        Self::new(&[32, 32], 4, f, "0.2*cos(2*pi*y) - 0.2*sin(2*pi*(x - y))")
    }

    fn descent(&self) -> Descent {
        self.descent_from(&vec![0.0; self.torus.len()])
    }

    fn descent_from(&self, start: &[f64]) -> Descent {
        Descent::new(&self.torus, self.f.clone(), &self.g, self.band, start).unwrap()
    }

    /// e^{-f}, uniform, e^{-g} and two random densities.
    fn comparators(&self, descent: &mut Descent) -> Vec<Comparator> {
        let n = self.torus.len();
        let minus = |v: &[f64]| v.iter().map(|v| -v).collect::<Vec<_>>();
        let list = vec![
            ("e^{-f}", minus(&self.f.on(&self.torus))),
            ("uniform", vec![0.0; n]),
            ("e^{-g}", minus(&self.g)),
            ("random 1", random_log_density(&self.torus, 1, 2, 0.4)),
            ("random 2", random_log_density(&self.torus, 2, 1, 0.5)),
        ];
        let zeros = vec![0.0; n];
        list.into_iter()
            .map(|(name, log)| Comparator::new(name, descent.operator(), &log, &zeros).unwrap())
            .collect()
    }

    /// log ρ at the nodes x of the density that `(∇ψ)#e^{-g}` is.
    fn log_density(&self, q: &[f64]) -> Vec<f64> {
        let p = conjugate(&self.torus, q).unwrap().q;
        let target = Arc::new(Sampled::new(&self.torus, &self.g, Order::Value));
        let calculus = Box::new(Spectral::new(&self.torus));
        let source = vec![0.0; p.len()];
        let mut out = vec![0.0; p.len()];
        MongeAmpere::from_values(source, target, calculus)
            .log_marginal(&p, &mut out)
            .unwrap();
        out
    }

    /// ψ of the flow in its dual coordinate, on the same modes, at the asked times.
    fn flow(&self, times: &[f64]) -> Vec<Vec<f64>> {
        let calculus = Box::new(Spectral::band_limited(&self.torus, self.band).unwrap());
        let operator = MongeAmpere::from_values(self.g.clone(), self.f.clone(), calculus);
        let mut system = Mirror::new(operator, Box::new(RelativeEntropy), Coordinate::Dual);
        let mut found = Vec::new();
        march(
            &mut system,
            Stepper::Adaptive { tolerance: 1e-12 },
            &mut vec![0.0; self.torus.len()],
            times,
            &mut |_, _, q| {
                found.push(q.to_vec());
                Ok(())
            },
            &mut |_, _, _| Ok(ControlFlow::Continue(())),
        )
        .unwrap();
        found
    }
}
