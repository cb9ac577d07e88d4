//! The flow that the steps approximate, in the dual coordinate: `dB/dt = −[KL(ρ_t|e^{-f}) + KL(e^{-f}|ρ_t)]`, hence `∫KL ≤ B_0`.

use super::descent::{Part, Problem};
use crate::record::Record;
use crate::study::jobs::Tick;
use crate::study::progress::Pace;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::distance::bregman_divergence;
use mirrorflow_solvers::flows::{Coordinate, Mirror};
use mirrorflow_solvers::mirror_descent::{Comparator, relative_entropies};
use mirrorflow_solvers::monge_ampere::MongeAmpere;
use mirrorflow_solvers::objective::RelativeEntropy;
use mirrorflow_solvers::time::{Stepper, march};

/// Intervals up to the horizon, quadratically graded towards 0, where the flow is fast.
const INTERVALS: usize = 32;

/// Gauss–Legendre nodes and weights on [−1, 1] of orders 10 and 6: the second shows the error of the first.
const FIVE: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];
const THREE: [(f64, f64); 3] = [
    (-0.774_596_669_241_483_4, 0.555_555_555_555_555_6),
    (0.0, 0.888_888_888_888_889),
    (0.774_596_669_241_483_4, 0.555_555_555_555_555_6),
];
/// Instants of an interval: its quadrature nodes in order, then its end.
pub const SLOTS: usize = FIVE.len() + THREE.len() + 1;

/// The flow from the problem's start until `horizon` at a tolerance: `times`, `kl`, `reverse_kl`, `bregman`, the integrals `spent` of KL and `fallen` of
/// both, and the error `quadrature` of the latter.
///
/// # Errors
/// Those of the flow and of the Bregman divergence.
pub fn run(
    problem: &Problem,
    of_source: &Comparator,
    horizon: f64,
    tolerance: f64,
    tick: &Tick,
) -> Result<Part> {
    let (order, asked) = schedule(horizon);
    let mut system = system(problem, Box::new(Spectral::new(&problem.torus)));
    let mut observer = Observer {
        operator: problem.dual_operator(),
        log_ratio: vec![0.0; problem.g.len()],
        g: &problem.g,
    };
    let log_reference: Vec<f64> = problem.g.iter().map(|g| -g).collect();
    let (mut values, mut bregman) = (Vec::new(), Vec::new());
    let pace = Pace::to(horizon);
    march(
        &mut system,
        Stepper::Adaptive { tolerance },
        &mut problem.start.clone(),
        &asked,
        &mut |_, _, q| {
            // Slot 0 is the start, then SLOTS of each interval, the end last.
            if order[values.len()] % SLOTS == 0 {
                let (torus, pi) = (&problem.torus, &of_source.q);
                bregman.push(bregman_divergence(torus, &log_reference, pi, q)?);
            }
            values.push(observer.entropies(q)?);
            Ok(())
        },
        &mut |_, step, _| Ok(tick(pace.at(step.time))),
    )?;
    let mut slots = vec![[0.0; 2]; values.len()];
    order
        .iter()
        .zip(values)
        .for_each(|(&slot, value)| slots[slot] = value);
    Ok(Part {
        record: record(horizon, &slots, bregman),
        outcome: Ok(()),
    })
}

/// The flow of relative entropy in ψ on the modes that `calculus` keeps.
pub fn system(problem: &Problem, calculus: Box<dyn Calculus>) -> Mirror {
    let operator = MongeAmpere::from_values(problem.g.clone(), problem.source.clone(), calculus);
    Mirror::new(operator, Box::new(RelativeEntropy), Coordinate::Dual)
}

struct Observer<'a> {
    operator: MongeAmpere,
    log_ratio: Vec<f64>,
    g: &'a [f64],
}

impl Observer<'_> {
    /// KL(ρ|e^{-f}) and KL(e^{-f}|ρ).
    fn entropies(&mut self, q: &[f64]) -> Result<[f64; 2]> {
        self.operator.rate(q, &mut self.log_ratio)?;
        self.log_ratio.iter_mut().for_each(|w| *w = -*w);
        Ok(relative_entropies(&self.log_ratio, self.g))
    }
}

fn end(horizon: f64, interval: usize) -> f64 {
    horizon * (interval as f64 / INTERVALS as f64).powi(2)
}

/// All instants in increasing order, with the slot of each.
pub fn schedule(horizon: f64) -> (Vec<usize>, Vec<f64>) {
    let mut all = vec![(0.0, 0)];
    for j in 0..INTERVALS {
        let (from, to) = (end(horizon, j), end(horizon, j + 1));
        let nodes = FIVE
            .iter()
            .chain(&THREE)
            .map(|(x, _)| 0.5 * (from + to) + 0.5 * (to - from) * x);
        let slots = nodes.chain([to]).enumerate();
        all.extend(slots.map(|(i, time)| (time, j * SLOTS + i + 1)));
    }
    // The middle of an interval is a node of both rules: the sort is stable and each slot gets its value.
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all.into_iter().map(|(time, slot)| (slot, time)).unzip()
}

/// `times`, `kl`, `reverse_kl`, `bregman`, `spent`, `fallen` and `quadrature` from both entropies by slot and B at the ends of the intervals.
pub fn record(horizon: f64, slots: &[[f64; 2]], bregman: Vec<f64>) -> Record {
    let (mut spent, mut fallen, mut quadrature) = (vec![0.0], vec![0.0], vec![0.0]);
    for j in 0..INTERVALS {
        let half = 0.5 * (end(horizon, j + 1) - end(horizon, j));
        let integral = |rule: &[(f64, f64)], from: usize, of: &dyn Fn([f64; 2]) -> f64| -> f64 {
            let at = |(i, (_, weight)): (usize, &(f64, f64))| {
                half * weight * of(slots[j * SLOTS + 1 + from + i])
            };
            rule.iter().enumerate().map(at).sum()
        };
        let both = |v: [f64; 2]| v[0] + v[1];
        let fine = integral(&FIVE, 0, &both);
        let coarse = integral(&THREE, FIVE.len(), &both);
        spent.push(spent[j] + integral(&FIVE, 0, &|v| v[0]));
        fallen.push(fallen[j] + fine);
        quadrature.push(quadrature[j] + (fine - coarse).abs());
    }
    let ends = || (0..=INTERVALS).map(|j| slots[j * SLOTS]);
    let mut record = Record::default();
    let times = (0..=INTERVALS).map(|j| end(horizon, j));
    record.insert_curve("times", times.collect());
    record.insert_curve("kl", ends().map(|v| v[0]).collect());
    record.insert_curve("reverse_kl", ends().map(|v| v[1]).collect());
    record.insert_curve("bregman", bregman);
    record.insert_curve("spent", spent);
    record.insert_curve("fallen", fallen);
    record.insert_curve("quadrature", quadrature);
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_its_instant_and_the_rules_are_exact_to_their_degrees() {
        let (order, times) = schedule(0.3);
        assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
        let mut slots = vec![[0.0; 2]; times.len()];
        // KL = t⁹ and reverse KL = 0: the first rule is exact for it, the second is not.
        order
            .iter()
            .zip(&times)
            .for_each(|(&slot, t)| slots[slot] = [t.powi(9), 0.0]);
        let found = record(0.3, &slots, vec![0.0; INTERVALS + 1]);
        let exact = 0.3f64.powi(10) / 10.0;
        let spent = found.values("spent").unwrap()[INTERVALS];
        assert!((spent / exact - 1.0).abs() < 1e-13, "{spent} {exact}");
        let error = found.values("quadrature").unwrap()[INTERVALS];
        assert!(error > 1e-12 * exact && error < 1e-5 * exact, "{error}");
        assert_eq!(found.values("times").unwrap()[INTERVALS], 0.3);
    }
}
