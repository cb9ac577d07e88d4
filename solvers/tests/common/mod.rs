//! What these tests share: sums of waves as data and as manufactured potentials, and short ways to build problems.

#![allow(dead_code, reason = "each test file uses its own part")]

use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::density::{Density, Formula};
use mirrorflow_solvers::monge_ampere::{Flow, MongeAmpere, Snapshot};
use mirrorflow_solvers::parallel::{mean, mean_of};
use mirrorflow_solvers::symmetric::{determinant, pairs};
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Jet, LogDensity, Order, Torus};
use std::f64::consts::PI;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Sources and targets in one, two and three dimensions; those in 1-D and 2-D are the reference problems.
pub const SOURCES: [&str; 3] = [
    "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)",
    "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x+y)) - 0.2*sin(2*pi*y)",
    "0.3*cos(2*pi*x) + 0.2*sin(2*pi*(x+y)) - 0.2*sin(2*pi*(y-z))",
];
pub const TARGETS: [&str; 3] = [
    "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)",
    "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x-y)) + 0.1*sin(2*pi*(x-y))",
    "0.3*cos(2*pi*y) + 0.2*cos(2*pi*(x-z)) + 0.1*sin(2*pi*(x-y+z))",
];

/// `a cos(2π(k·x − turns))`.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    pub amplitude: f64,
    pub k: Vec<f64>,
    pub turns: f64,
}

/// A sum of waves, with exact derivatives anywhere: f, g or a periodic part p.
#[derive(Debug, Clone, PartialEq)]
pub struct Waves(pub Vec<Wave>);

impl Waves {
    /// From `(amplitude, k, turns)`; each k is cut to `dimension` entries.
    pub fn new(dimension: usize, waves: &[(f64, [i32; 3], f64)]) -> Self {
        let wave = |&(amplitude, k, turns): &(f64, [i32; 3], f64)| Wave {
            amplitude,
            k: k[..dimension].iter().map(|&k| f64::from(k)).collect(),
            turns,
        };
        Self(waves.iter().map(wave).collect())
    }

    fn map(&self, change: impl Fn(&mut Wave)) -> Self {
        let mut waves = self.clone();
        waves.0.iter_mut().for_each(change);
        waves
    }

    /// `x ↦ w(x − a)`.
    pub fn translated(&self, a: &[f64]) -> Self {
        self.map(|wave| wave.turns += wave.k.iter().zip(a).map(|(k, a)| k * a).sum::<f64>())
    }

    /// `x ↦ w(−x)`.
    pub fn reflected(&self) -> Self {
        self.map(|wave| wave.k.iter_mut().for_each(|k| *k = -*k))
    }

    /// Axis i of the result is axis `axes[i]` of this.
    pub fn permuted(&self, axes: &[usize]) -> Self {
        self.map(|wave| wave.k = axes.iter().map(|&axis| wave.k[axis]).collect())
    }

    pub fn scaled(&self, factor: f64) -> Self {
        self.map(|wave| wave.amplitude *= factor)
    }

    /// Values and derivatives at the nodes.
    pub fn jet_on(&self, torus: &Torus) -> Jet {
        let mut jet = Jet::zeros(torus.dimension(), torus.len(), Order::Hessian);
        self.jet(&torus.nodes(), &mut jet);
        jet
    }

    /// Values at the nodes.
    pub fn on(&self, torus: &Torus) -> Vec<f64> {
        self.jet_on(torus).value
    }

    /// The density `e^{-w}` with its mass made one.
    pub fn density(&self) -> Density {
        Density::new(Arc::new(self.clone())).unwrap()
    }
}

impl LogDensity for Waves {
    fn dimension(&self) -> usize {
        self.0[0].k.len()
    }

    fn jet(&self, points: &[Vec<f64>], jet: &mut Jet) {
        let fields = jet.gradient.iter_mut().chain(&mut jet.hessian);
        fields
            .chain([&mut jet.value])
            .for_each(|field| field.fill(0.0));
        for Wave {
            amplitude,
            k,
            turns,
        } in &self.0
        {
            for i in 0..jet.value.len() {
                let phase: f64 = k.iter().zip(points).map(|(k, x)| k * x[i]).sum();
                let (sin, cos) = (2.0 * PI * (phase - turns)).sin_cos();
                jet.value[i] += amplitude * cos;
                for (gradient, k) in jet.gradient.iter_mut().zip(k) {
                    gradient[i] -= amplitude * 2.0 * PI * k * sin;
                }
                for (hessian, (a, b)) in jet.hessian.iter_mut().zip(pairs(k.len())) {
                    hessian[i] -= amplitude * 4.0 * PI * PI * k[a] * k[b] * cos;
                }
            }
        }
    }
}

/// Periodic part of a convex potential that couples the axes: `1 − |∇²p| ≥ 0.17` everywhere.
pub fn potential(dimension: usize) -> Waves {
    Waves::new(
        dimension,
        &[
            (0.006, [1, 0, 0], 0.1),
            (0.003, [1, 1, 1], 0.3),
            (0.001, [2, 1, -1], 0.7),
        ],
    )
}

/// `log ρ = −g(∇u) + log det ∇²u` at the nodes, exactly: ∇u carries ρ to e^{-g}.
pub fn pulled_back(torus: &Torus, p: &Waves, g: &dyn LogDensity) -> Vec<f64> {
    let (d, jet) = (torus.dimension(), p.jet_on(torus));
    let mut at_map = Jet::zeros(d, torus.len(), Order::Value);
    g.jet(&map_of(torus, &jet), &mut at_map);
    (0..torus.len())
        .map(|node| {
            let mut m = [0.0; 6];
            for (component, (i, j)) in pairs(d).enumerate() {
                m[component] = jet.hessian[component][node] + if i == j { 1.0 } else { 0.0 };
            }
            determinant(d, &m).ln() - at_map.value[node]
        })
        .collect()
}

/// `∇u = x + ∇p` at the nodes.
pub fn map_of(torus: &Torus, p: &Jet) -> Vec<Vec<f64>> {
    let add = |(x, dp): (Vec<f64>, &Vec<f64>)| x.iter().zip(dp).map(|(x, dp)| x + dp).collect();
    torus
        .nodes()
        .into_iter()
        .zip(&p.gradient)
        .map(add)
        .collect()
}

/// `(∫ρ |v|²)^{1/2}` for a vector field at the nodes.
pub fn weighted_norm(log_rho: &[f64], v: &[Vec<f64>]) -> f64 {
    let square = |i: usize| log_rho[i].exp() * v.iter().map(|v| v[i] * v[i]).sum::<f64>();
    mean_of(log_rho.len(), square).sqrt()
}

pub fn torus(points: &[usize]) -> Torus {
    Torus::new(points).unwrap()
}

pub fn density(formula: &str, dimension: usize) -> Density {
    Density::new(Arc::new(Formula::parse(formula, dimension).unwrap())).unwrap()
}

/// The spectral operator of the shared problem in the dimension of the grid.
pub fn operator(torus: &Torus) -> MongeAmpere {
    let d = torus.dimension();
    spectral_operator(
        torus,
        &density(SOURCES[d - 1], d),
        density(TARGETS[d - 1], d),
    )
}

pub fn spectral_operator(torus: &Torus, source: &Density, target: Density) -> MongeAmpere {
    MongeAmpere::new(source, Arc::new(target), Box::new(Spectral::new(torus)))
}

/// The flow at `times`, unobserved.
pub fn run(operator: MongeAmpere, stepper: Stepper, start: &[f64], times: &[f64]) -> Vec<Snapshot> {
    Flow::new(operator, stepper, start)
        .run(times, &mut |_| ControlFlow::Continue(()))
        .unwrap()
}

pub fn adaptive(tolerance: f64) -> Stepper {
    Stepper::Adaptive { tolerance }
}

pub fn centred(p: &[f64]) -> Vec<f64> {
    let mean = mean(p);
    p.iter().map(|p| p - mean).collect()
}

/// Orders observed between successive errors, each at half the step of the one before.
pub fn orders(errors: &[f64]) -> Vec<f64> {
    errors
        .windows(2)
        .map(|pair| (pair[0] / pair[1]).log2())
        .collect()
}

/// What rounding leaves of second derivatives of `size`-sized fields: `ε Σ(πn_i)² size`, and ten times that for the
/// few operations on them.
pub fn round_off(torus: &Torus, size: f64) -> f64 {
    let modes: f64 = torus
        .points()
        .iter()
        .map(|&n| (PI * n as f64).powi(2))
        .sum();
    10.0 * f64::EPSILON * (1.0 + modes * size)
}
