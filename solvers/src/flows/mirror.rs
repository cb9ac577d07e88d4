//! The mirror flow of any objective in its mirror and in its dual coordinate.

use crate::density::Order;
use crate::error::Result;
use crate::monge_ampere::{Linearised, MongeAmpere};
use crate::objective::Objective;
use crate::parallel::for_each_block;
use crate::time::System;

/// Which potential is evolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinate {
    /// `∂_t u = φ(log ρ, f)` with `log ρ = −g(∇u) + log det ∇²u`. The operator has source f and target g.
    Mirror,
    /// `∂_t ψ = −φ(log ρ, f)∘∇ψ` with `log ρ∘∇ψ = −g − log det ∇²ψ`. The operator has source g and target f.
    Dual,
}

/// `∂_t u = φ` or `∂_t ψ = −φ∘∇ψ` for `φ = δF/δρ`; state: the periodic part of the potential at the nodes.
///
/// Both are functions of `log det ∇²` and of the other density at the gradient, so their Jacobian is `L_u` with its drift and its
/// diffusion multiplied by slopes of φ. For KL the mirror coordinate is PMA, and the dual one is PMA with f and g exchanged.
pub struct Mirror {
    operator: MongeAmpere,
    linearised: Linearised,
    objective: Box<dyn Objective>,
    coordinate: Coordinate,
    drift: Vec<f64>,
    diffusion: Vec<f64>,
}

impl Mirror {
    /// The flow of `objective` in `coordinate`, whose documentation says which densities `operator` must have.
    pub fn new(
        operator: MongeAmpere,
        objective: Box<dyn Objective>,
        coordinate: Coordinate,
    ) -> Self {
        let zeros = || vec![0.0; operator.torus().len()];
        Self {
            linearised: Linearised::new(&operator, Order::Gradient),
            objective,
            coordinate,
            drift: zeros(),
            diffusion: zeros(),
            operator,
        }
    }

    pub fn operator(&mut self) -> &mut MongeAmpere {
        &mut self.operator
    }

    /// The slopes of φ at the frozen state, from the Monge–Ampère rate there.
    fn freeze_slopes(&mut self, monge_ampere: &[f64]) {
        let (source, target) = (&self.operator.source, &self.linearised.jet.value);
        for i in 0..monge_ampere.len() {
            let (l, f) = marginal(self.coordinate, monge_ampere[i], source[i], target[i]);
            let (in_l, in_f) = self.objective.slopes(l, f);
            self.diffusion[i] = in_l;
            self.drift[i] = match self.coordinate {
                Coordinate::Mirror => in_l,
                Coordinate::Dual => in_f,
            };
        }
    }
}

/// `(log ρ, f)` at the point of X that a node stands for, from `rate = source − target(∇) + log det ∇²` there.
#[inline(always)]
fn marginal(coordinate: Coordinate, rate: f64, source: f64, target: f64) -> (f64, f64) {
    match coordinate {
        Coordinate::Mirror => (rate - source, source),
        Coordinate::Dual => (-(rate + target), target),
    }
}

/// Turns the Monge–Ampère rate into `φ`, or `−φ∘∇ψ`.
fn apply(
    objective: &dyn Objective,
    coordinate: Coordinate,
    source: &[f64],
    target: &[f64],
    rate: &mut [f64],
) {
    for_each_block(rate, |start, rate| {
        for (k, rate) in rate.iter_mut().enumerate() {
            let (l, f) = marginal(coordinate, *rate, source[start + k], target[start + k]);
            let phi = objective.variation(l, f);
            *rate = match coordinate {
                Coordinate::Mirror => phi,
                Coordinate::Dual => -phi,
            };
        }
    });
}

impl System for Mirror {
    fn len(&self) -> usize {
        self.operator.torus().len()
    }

    fn rate(&mut self, y: &[f64], out: &mut [f64]) -> Result<()> {
        let operator = &mut self.operator;
        operator.unprojected(y, out)?;
        let (source, target) = (&operator.source, &operator.jet.value);
        apply(
            self.objective.as_ref(),
            self.coordinate,
            source,
            target,
            out,
        );
        operator.calculus.project(out);
        Ok(())
    }

    fn linearise(&mut self, y: &[f64], rate: &mut [f64]) -> Result<()> {
        self.linearised
            .freeze_unprojected(&mut self.operator, y, rate)?;
        self.freeze_slopes(rate);
        let (source, target) = (&self.operator.source, &self.linearised.jet.value);
        apply(
            self.objective.as_ref(),
            self.coordinate,
            source,
            target,
            rate,
        );
        self.operator.calculus.project(rate);
        self.linearised.scale(&self.drift, &self.diffusion);
        Ok(())
    }

    fn solve(&mut self, c: f64, r: &[f64], k: &mut [f64], tolerance: f64) -> Result<usize> {
        let solved = self
            .linearised
            .solve_shifted(&mut self.operator, c, r, k, tolerance)?;
        Ok(solved.iterations)
    }

    fn spectral_radius(&self) -> f64 {
        self.linearised.spectral_radius()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calculus::Spectral;
    use crate::density::{Density, Formula};
    use crate::monge_ampere::Flow;
    use crate::objective::{
        ChiSquare, Entropy, PotentialEnergy, PowerDivergence, RelativeEntropy,
        ReverseRelativeEntropy,
    };
    use crate::parallel::{mean, sup, sup_difference};
    use crate::time::{Stepper, march};
    use crate::torus::Torus;
    use std::ops::ControlFlow;
    use std::sync::Arc;

    const F: &str = "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)";
    const G: &str = "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)";

    fn density(formula: &str) -> Density {
        Density::new(Arc::new(Formula::parse(formula, 1).unwrap())).unwrap()
    }

    fn operator(torus: &Torus, source: &str, target: &str) -> MongeAmpere {
        let calculus = Box::new(Spectral::new(torus));
        MongeAmpere::new(&density(source), Arc::new(density(target)), calculus)
    }

    fn mirror(torus: &Torus, objective: Box<dyn Objective>, coordinate: Coordinate) -> Mirror {
        let (source, target) = match coordinate {
            Coordinate::Mirror => (F, G),
            Coordinate::Dual => (G, F),
        };
        Mirror::new(operator(torus, source, target), objective, coordinate)
    }

    fn run(system: &mut Mirror, stepper: Stepper, time: f64) -> Vec<f64> {
        let mut state = vec![0.0; system.len()];
        march(
            system,
            stepper,
            &mut state,
            &[time],
            &mut |_, _, _| Ok(()),
            &mut |_, _, _| Ok(ControlFlow::Continue(())),
        )
        .unwrap();
        state
    }

    type Make = fn() -> Box<dyn Objective>;

    fn all() -> Vec<(&'static str, Make)> {
        vec![
            ("KL", || Box::new(RelativeEntropy)),
            ("reverse KL", || Box::new(ReverseRelativeEntropy)),
            ("χ²", || Box::new(ChiSquare)),
            ("power", || Box::new(PowerDivergence::new(1.5))),
            ("entropy", || Box::new(Entropy)),
            ("potential energy", || Box::new(PotentialEnergy)),
        ]
    }

    const TIGHT: Stepper = Stepper::Adaptive { tolerance: 1e-11 };

    #[test]
    fn for_relative_entropy_it_is_the_parabolic_monge_ampere_flow() {
        let torus = Torus::new(&[64]).unwrap();
        let mut system = mirror(&torus, Box::new(RelativeEntropy), Coordinate::Mirror);
        let mut flow = Flow::new(operator(&torus, F, G), TIGHT, &vec![0.0; 64]);
        let reference = flow
            .run(&[0.02], &mut |_| ControlFlow::Continue(()))
            .unwrap();
        let p = run(&mut system, TIGHT, 0.02);
        assert!(sup_difference(&p, &reference[0].p) < 1e-11);
    }

    #[test]
    fn the_jacobian_is_the_derivative_of_the_rate() {
        let torus = Torus::new(&[32]).unwrap();
        let wave = |k: f64, phase: f64| -> Vec<f64> {
            (0..32)
                .map(|i| (2.0 * std::f64::consts::PI * k * i as f64 / 32.0 + phase).cos())
                .collect()
        };
        let at: Vec<f64> = wave(1.0, 0.3).iter().map(|v| 0.01 * v).collect();
        let direction = wave(2.0, 0.7);
        for coordinate in [Coordinate::Mirror, Coordinate::Dual] {
            for (name, objective) in all() {
                let mut system = mirror(&torus, objective(), coordinate);
                let mut rate = |s: f64| {
                    let y: Vec<f64> = at.iter().zip(&direction).map(|(a, d)| a + s * d).collect();
                    let mut out = vec![0.0; 32];
                    system.rate(&y, &mut out).unwrap();
                    out
                };
                let (up, down) = (rate(1e-6), rate(-1e-6));
                let mut frozen = vec![0.0; 32];
                system.linearise(&at, &mut frozen).unwrap();
                let mut jacobian = vec![0.0; 32];
                system
                    .linearised
                    .apply(&mut system.operator, &direction, &mut jacobian);
                for i in 0..32 {
                    let difference = (up[i] - down[i]) / 2e-6;
                    let gap = (difference - jacobian[i]).abs();
                    assert!(
                        gap < 1e-6 * sup(&jacobian).max(1.0),
                        "{name} {coordinate:?}: {gap}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_dual_flow_is_the_conjugate_of_the_mirror_flow() {
        let torus = Torus::new(&[128]).unwrap();
        for (name, objective) in all() {
            let p = run(
                &mut mirror(&torus, objective(), Coordinate::Mirror),
                TIGHT,
                0.01,
            );
            let q = run(
                &mut mirror(&torus, objective(), Coordinate::Dual),
                TIGHT,
                0.01,
            );
            let conjugate = crate::legendre::conjugate(&torus, &p).unwrap().q;
            assert!(sup(&p) > 1e-3, "{name} moved");
            let gap = sup_difference(&conjugate, &q);
            assert!(gap < 1e-9, "{name}: {gap}");
        }
    }

    #[test]
    fn potential_energy_moves_the_potential_in_a_straight_line() {
        let torus = Torus::new(&[32]).unwrap();
        let mut system = mirror(&torus, Box::new(PotentialEnergy), Coordinate::Mirror);
        let p = run(&mut system, TIGHT, 0.02);
        let f = density(F).on(&torus);
        let exact: Vec<f64> = f.iter().map(|f| 0.02 * f).collect();
        assert!(sup_difference(&p, &exact) < 1e-14);
    }

    /// F = entropy with uniform g, near the identity: `∂_t p = Δp`, so mode k decays as `e^{−4π²k²t}`.
    #[test]
    fn small_perturbations_decay_mode_by_mode() {
        let torus = Torus::new(&[32]).unwrap();
        for (k, objective) in [1.0, 2.0].into_iter().zip([0, 1]) {
            let objective: Box<dyn Objective> = if objective == 0 {
                Box::new(Entropy)
            } else {
                Box::new(RelativeEntropy)
            };
            let mut system = Mirror::new(operator(&torus, "0", "0"), objective, Coordinate::Mirror);
            let amplitude = 1e-6;
            let mode: Vec<f64> = (0..32)
                .map(|i| (2.0 * std::f64::consts::PI * k * i as f64 / 32.0).cos())
                .collect();
            let mut state: Vec<f64> = mode.iter().map(|m| amplitude * m).collect();
            march(
                &mut system,
                Stepper::Adaptive { tolerance: 1e-14 },
                &mut state,
                &[0.01],
                &mut |_, _, _| Ok(()),
                &mut |_, _, _| Ok(ControlFlow::Continue(())),
            )
            .unwrap();
            let found = 2.0
                * mean(
                    &state
                        .iter()
                        .zip(&mode)
                        .map(|(s, m)| s * m)
                        .collect::<Vec<_>>(),
                );
            let exact = amplitude * (-4.0 * std::f64::consts::PI.powi(2) * k * k * 0.01).exp();
            approx::assert_relative_eq!(found, exact, max_relative = 1e-4);
        }
    }
}
