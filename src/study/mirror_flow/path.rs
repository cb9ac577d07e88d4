//! Along the flow: objective and dissipation, speed, length, measured from the mirror coordinate.

use super::Metric;
use super::coordinates::Run;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::distance::linearised_transport;
use mirrorflow_solvers::flows::velocity::{dissipation, norm, velocity};
use mirrorflow_solvers::legendre::conjugate;
use mirrorflow_solvers::monge_ampere::{Linearised, MongeAmpere};
use mirrorflow_solvers::objective::{Objective, variation};
use mirrorflow_solvers::parallel::mean_of;
use mirrorflow_solvers::quadrature::Rule15;
use mirrorflow_solvers::symmetric::{packed_len, position};
use mirrorflow_solvers::{Order, Torus};
use std::f64::consts::PI;

/// Half the distance over which the speed is measured, as a part of the time and at most.
const SPEED_PART: f64 = 0.02;
const SPEED_MOST: f64 = 1e-3;

/// What is measured at the instants t_1 < t_2 < …; intervals end there, the first begins at 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Along {
    /// F at each instant, and its drop over the interval before.
    pub objective: Vec<f64>,
    pub drop: Vec<f64>,
    /// `∫ρ∇φ·A∇φ` at each instant, and its integral over the interval before with the error of the rule.
    pub dissipation: Vec<f64>,
    pub dissipated: Vec<f64>,
    pub quadrature: Vec<f64>,
    /// `‖v‖_{L²(ρ)}`, and `LOT(ρ_{t+δ}, ρ_{t−δ})/2δ` extrapolated to δ → 0.
    pub speed: Vec<f64>,
    pub lot_speed: Vec<f64>,
    /// `∫(∫ρ v·∇²u v)^{1/2} dt` from 0: the length in the metric of the mirror.
    pub length: Vec<f64>,
    /// `∫‖v‖ dt` from 0: the length for LOT.
    pub travelled: Vec<f64>,
    pub p: Vec<Vec<f64>>,
    pub log_rho: Vec<Vec<f64>>,
    pub velocity: Vec<Vec<Vec<f64>>>,
    /// Extreme eigenvalues of ∇²u.
    pub eigenvalues: Vec<(f64, f64)>,
    pub spectral_tail: f64,
    /// LOT of the start and the end.
    pub lot_distance: f64,
}

impl Along {
    /// `|F_{k−1} − F_k − ∫D|/(F_{k−1} − F_k)`.
    pub fn dissipation_defect(&self, k: usize) -> f64 {
        ((self.drop[k] - self.dissipated[k]) / self.drop[k]).abs()
    }

    /// `|LOT speed − ‖v‖|/‖v‖`.
    pub fn speed_defect(&self, k: usize) -> f64 {
        (self.lot_speed[k] / self.speed[k] - 1.0).abs()
    }

    /// What rounding leaves of the dissipation defect: F at both ends is a sum of terms of the size of its square root.
    pub fn dissipation_rounding(&self, k: usize) -> f64 {
        let f = self.objective[k].abs() + self.drop[k].abs();
        ROUNDING * (f + f.sqrt()) / self.drop[k].abs()
    }

    /// What rounding and the steps leave of the speed defect: ∇p is known to `πn·sup|p|` roundings, p to the tolerance of the steps in its
    /// lowest modes, and both are divided by the distance of the instants.
    pub fn speed_rounding(&self, k: usize, time: f64, finest: f64, tolerance: f64) -> f64 {
        let size = self.p[k].iter().fold(0.0f64, |m, p| p.abs().max(m));
        let known = ROUNDING * (1.0 + PI * finest * size) + LOWEST * tolerance;
        known / (offsets(time)[4] * self.speed[k])
    }
}

/// 2πk of the lowest modes.
const LOWEST: f64 = 20.0;

/// A few units of rounding.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// F, D and v at one state.
struct Point {
    objective: f64,
    dissipation: f64,
    speed: f64,
    log_rho: Vec<f64>,
    velocity: Vec<Vec<f64>>,
}

/// Everything along the flow of `run` at its instants.
///
/// # Errors
/// Those of the flow and of LOT.
pub fn along(run: &Run, metric: Metric) -> Result<Along> {
    let instants = run.times;
    let (times, place) = schedule(instants);
    let states = Run {
        times: &times,
        ..*run
    }
    .mirror()?;
    let mut observer = Observer::new(run, metric);
    let mut along = Along::default();
    let mut travelled = 0.0;
    let (mut before, mut length) = (
        observer
            .at(&run.context.built.start.on(run.torus))?
            .objective,
        0.0,
    );
    for (k, &time) in instants.iter().enumerate() {
        let from = if k == 0 { 0.0 } else { instants[k - 1] };
        let state = |slot: usize| &states[place[k][slot]];
        let rule = observer.integrate(from, time, &|node| state(node))?;
        let point = observer.at(state(CENTRE))?;
        length += rule.length;
        travelled += rule.travelled;
        along.travelled.push(travelled);
        along.drop.push(before - point.objective);
        before = point.objective;
        along.objective.push(point.objective);
        along.dissipation.push(point.dissipation);
        along.dissipated.push(rule.dissipated);
        along.quadrature.push(rule.error);
        along.length.push(length);
        along.speed.push(point.speed);
        along
            .lot_speed
            .push(observer.lot_speed(time, &|slot| state(slot))?);
        let diagnosis = observer.operator.diagnose(state(CENTRE), &point.log_rho);
        along
            .eigenvalues
            .push((diagnosis.min_eigenvalue, diagnosis.max_eigenvalue));
        along.spectral_tail = along.spectral_tail.max(diagnosis.spectral_tail);
        along.p.push(state(CENTRE).clone());
        along.log_rho.push(point.log_rho);
        along.velocity.push(point.velocity);
    }
    let start = run.context.built.start.on(run.torus);
    let end = &states[place[instants.len() - 1][CENTRE]];
    along.lot_distance = lot_distance(run, [&start, end])?;
    Ok(along)
}

/// `LOT_{e^{-g}}` of the densities of two potentials that may be far apart: `(∫|∇u_1^* − ∇u_2^*|² e^{-g})^{1/2}`.
fn lot_distance(run: &Run, [p1, p2]: [&[f64]; 2]) -> Result<f64> {
    let (first, second) = (conjugate(run.torus, p1)?, conjugate(run.torus, p2)?);
    let g = run.context.built.target.on(run.torus);
    let square = mean_of(g.len(), |i| {
        let maps = first.displacement.iter().zip(&second.displacement);
        (-g[i]).exp() * maps.map(|(a, b)| (a[i] - b[i]).powi(2)).sum::<f64>()
    });
    Ok(square.sqrt())
}

/// Slots of one instant in the schedule: the 15 nodes of the interval before it, then t−δ, t−δ/2, t, t+δ/2, t+δ.
const RULE: usize = 15;
const CENTRE: usize = RULE + 2;

fn offsets(time: f64) -> [f64; 5] {
    let delta = (SPEED_PART * time).min(SPEED_MOST);
    [-delta, -0.5 * delta, 0.0, 0.5 * delta, delta]
}

/// All instants at which the state is needed, increasing, and where each slot of each instant is among them.
fn schedule(instants: &[f64]) -> (Vec<f64>, Vec<Vec<usize>>) {
    let slots: Vec<Vec<f64>> = instants
        .iter()
        .enumerate()
        .map(|(k, &time)| {
            let from = if k == 0 { 0.0 } else { instants[k - 1] };
            let rule = Rule15::new(from, time).nodes().into_iter();
            rule.chain(offsets(time).map(|offset| time + offset))
                .collect()
        })
        .collect();
    let mut times: Vec<f64> = slots.concat();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let index = |t: &f64| times.partition_point(|other| other < t);
    let place = slots
        .iter()
        .map(|slots| slots.iter().map(index).collect())
        .collect();
    (times, place)
}

struct Rule {
    dissipated: f64,
    error: f64,
    length: f64,
    travelled: f64,
}

/// Workspace for measuring states.
struct Observer {
    torus: Torus,
    operator: MongeAmpere,
    linearised: Linearised,
    objective: Box<dyn Objective>,
    metric: Metric,
}

impl Observer {
    fn new(run: &Run, metric: Metric) -> Self {
        let operator = run.context.operator(run.torus);
        Self {
            torus: run.torus.clone(),
            linearised: Linearised::new(&operator, Order::Gradient),
            operator,
            objective: run.objective.build(),
            metric,
        }
    }

    fn at(&mut self, p: &[f64]) -> Result<Point> {
        let (d, n) = (self.torus.dimension(), p.len());
        let mut log_rho = vec![0.0; n];
        self.linearised
            .freeze(&mut self.operator, p, &mut log_rho)?;
        self.operator.log_marginal(p, &mut log_rho)?;
        let f = self.operator.source().to_vec();
        let mut phi = vec![0.0; n];
        variation(self.objective.as_ref(), &log_rho, &f, &mut phi);
        let mut gradient = vec![vec![0.0; n]; d];
        self.operator.calculus().gradient(&phi, &mut gradient);
        let mut v = gradient.clone();
        match self.metric {
            Metric::Hessian => velocity(self.linearised.inverse_hessian(), &gradient, &mut v),
            Metric::Flat => velocity(&identity(d, n), &gradient, &mut v),
        }
        Ok(Point {
            objective: self.objective.value(&log_rho, &f),
            dissipation: dissipation(&log_rho, &gradient, &v),
            speed: norm(&log_rho, &v),
            log_rho,
            velocity: v,
        })
    }

    /// `∫D dt` and `∫√D dt` over an interval: `v·∇²u v = ∇φ·A∇φ`.
    fn integrate<'s>(
        &mut self,
        from: f64,
        to: f64,
        state: &dyn Fn(usize) -> &'s Vec<f64>,
    ) -> Result<Rule> {
        let (mut dissipation, mut length, mut speed) = ([0.0; RULE], [0.0; RULE], [0.0; RULE]);
        for i in 0..RULE {
            let point = self.at(state(i))?;
            dissipation[i] = point.dissipation;
            length[i] = point.dissipation.max(0.0).sqrt();
            speed[i] = point.speed;
        }
        let rule = Rule15::new(from, to);
        let (fine, coarse) = rule.both(&dissipation);
        // The estimate of QUADPACK: the rule of 15 is far better than its difference to that of 7.
        let difference = (fine - coarse).abs();
        let error = fine.abs() * (200.0 * difference / fine.abs().max(f64::MIN_POSITIVE)).powf(1.5);
        Ok(Rule {
            dissipated: fine,
            error: error.min(difference),
            length: rule.both(&length).0,
            travelled: rule.both(&speed).0,
        })
    }

    /// `LOT(ρ_{t+δ}, ρ_{t−δ})/2δ` at δ and δ/2, extrapolated: an error of fourth order in δ.
    fn lot_speed<'s>(&mut self, time: f64, state: &dyn Fn(usize) -> &'s Vec<f64>) -> Result<f64> {
        let delta = offsets(time)[4];
        let mut secant = |after: usize, before: usize, distance: f64| -> Result<f64> {
            let mut log_rho = vec![0.0; state(before).len()];
            self.operator.log_marginal(state(before), &mut log_rho)?;
            let lot = linearised_transport(&self.torus, state(after), state(before), &log_rho)?;
            Ok(lot / distance)
        };
        let wide = secant(RULE + 4, RULE, 2.0 * delta)?;
        let narrow = secant(RULE + 3, RULE + 1, delta)?;
        Ok((4.0 * narrow - wide) / 3.0)
    }
}

/// I at every node, packed.
fn identity(d: usize, n: usize) -> Vec<Vec<f64>> {
    let mut identity = vec![vec![0.0; n]; packed_len(d)];
    for i in 0..d {
        identity[position(d, i, i)].fill(1.0);
    }
    identity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_finds_its_instant() {
        let instants = [0.01, 0.02, 0.05];
        let (times, place) = schedule(&instants);
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]) && times[0] > 0.0);
        for (k, &time) in instants.iter().enumerate() {
            assert_eq!(place[k].len(), RULE + 5);
            assert_eq!(times[place[k][CENTRE]], time);
            assert_eq!(times[place[k][RULE + 4]], time + offsets(time)[4]);
        }
    }
}
