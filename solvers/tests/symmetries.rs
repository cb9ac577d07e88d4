//! What leaves the problem as it is leaves the solution as it is: translation, exchange of axes, reflection, exchange of source and
//! target, constants. With mass, the one integral that PMA keeps.
//!
//! Explicit steps repeat the same operations on moved data, so those identities hold to rounding; the adaptive stepper chooses its own
//! steps, so there they hold to its tolerance.

mod common;

use common::*;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::interpolation::Interpolant;
use mirrorflow_solvers::parallel::sup_difference;
use mirrorflow_solvers::sinkhorn::{Kernel, Sinkhorn};
use mirrorflow_solvers::time::Method;
use mirrorflow_solvers::time::Stepper;
use proptest::prelude::*;
use std::ops::ControlFlow;

/// Few cases, always the same.
fn few() -> ProptestConfig {
    ProptestConfig {
        cases: 8,
        rng_seed: proptest::test_runner::RngSeed::Fixed(2),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// f, g and the start of a problem.
#[derive(Debug, Clone)]
struct Problem {
    source: Waves,
    target: Waves,
    start: Waves,
}

/// Three waves of size at most `amplitude` that couple the axes.
fn waves(dimension: usize, amplitude: f64) -> impl Strategy<Value = Waves> {
    prop::collection::vec((-1.0..1.0, -1..=1, -1..=1, -1..=1, 0.0..1.0), 3).prop_map(move |list| {
        let wave = |(a, i, j, k, turns): (f64, i32, i32, i32, f64)| {
            let k = if dimension == 1 {
                [1 + (i + j).abs() % 2, 0, 0]
            } else {
                [i, j, k]
            };
            (amplitude * a, k, turns)
        };
        Waves::new(dimension, &list.into_iter().map(wave).collect::<Vec<_>>())
    })
}

/// Sums of |a|(2π|k|)² over the three waves of the start stay below ½, so u_0 is convex.
fn problem(dimension: usize) -> impl Strategy<Value = Problem> {
    (
        waves(dimension, 0.2),
        waves(dimension, 0.2),
        waves(dimension, 1e-3),
    )
        .prop_map(|(source, target, start)| Problem {
            source,
            target,
            start,
        })
}

impl Problem {
    fn map(&self, change: impl Fn(&Waves) -> Waves) -> Self {
        Self {
            source: change(&self.source),
            target: change(&self.target),
            start: change(&self.start),
        }
    }

    /// p of the flow, the start raised by `constant`.
    fn flow(&self, torus: &Torus, stepper: Stepper, time: f64, constant: f64) -> Vec<f64> {
        let operator = spectral_operator(torus, &self.source.density(), self.target.density());
        let start: Vec<f64> = self.start.on(torus).iter().map(|p| p + constant).collect();
        run(operator, stepper, &start, &[time]).remove(0).p
    }

    /// Five explicit steps, below the limit `2.785/(Σ(πn)² λ_max(A))` for λ_max(A) up to 2.
    fn few_steps(&self, torus: &Torus, constant: f64) -> Vec<f64> {
        let step = 1.3 / laplacian_radius(torus);
        let method = Method::RungeKutta4;
        self.flow(
            torus,
            Stepper::Explicit { method, step },
            5.0 * step,
            constant,
        )
    }

    /// `[p_3, q_3]` of Sinkhorn from the start raised by `constant`.
    fn sinkhorn(&self, torus: &Torus, epsilon: f64, constant: f64) -> [Vec<f64>; 2] {
        let (f, g) = (
            self.source.density().on(torus),
            self.target.density().on(torus),
        );
        let start: Vec<f64> = self.start.on(torus).iter().map(|p| p + constant).collect();
        let mut sinkhorn = Sinkhorn::new(torus, Kernel::Heat, epsilon, &f, &g, &start).unwrap();
        sinkhorn
            .run(3, &mut |_, _| ControlFlow::Continue(()))
            .unwrap();
        [sinkhorn.p().to_vec(), sinkhorn.q().to_vec()]
    }
}

/// `Σ(πn_i)²`.
fn laplacian_radius(torus: &Torus) -> f64 {
    torus
        .points()
        .iter()
        .map(|&n| (std::f64::consts::PI * n as f64).powi(2))
        .sum()
}

/// `out[i] = values[from(index of node i)]`, the indices taken modulo the grid.
fn pulled(
    torus: &Torus,
    to: &Torus,
    values: &[f64],
    from: impl Fn(&[usize]) -> Vec<i64>,
) -> Vec<f64> {
    (0..to.len())
        .map(|node| {
            let index: Vec<usize> = (0..to.dimension())
                .map(|axis| to.index(node, axis))
                .collect();
            let flat = from(&index).into_iter().enumerate().map(|(axis, i)| {
                i.rem_euclid(torus.points()[axis] as i64) as usize * torus.stride(axis)
            });
            values[flat.sum::<usize>()]
        })
        .collect()
}

/// Rounding of a potential of size below one: the flow feels it through second derivatives, a step at a time, damped; Sinkhorn not at all.
const ROUNDING: f64 = 1e-13;

/// Flow and Sinkhorn of `moved` on `to` are those of `problem` on `torus`, pulled back by `from`.
fn same_solutions(
    problem: &Problem,
    moved: &Problem,
    [torus, to]: [&Torus; 2],
    from: impl Fn(&[usize]) -> Vec<i64> + Copy,
) -> Result<(), TestCaseError> {
    let epsilon = if torus.dimension() == 1 { 0.01 } else { 0.05 };
    let [p, q] = problem.sinkhorn(torus, epsilon, 0.0);
    let [p_moved, q_moved] = moved.sinkhorn(to, epsilon, 0.0);
    let flow = (problem.few_steps(torus, 0.0), moved.few_steps(to, 0.0));
    for (name, plain, moved) in [
        ("p^ε", &p, &p_moved),
        ("q^ε", &q, &q_moved),
        ("p_t", &flow.0, &flow.1),
    ] {
        let error = sup_difference(moved, &pulled(torus, to, plain, from));
        prop_assert!(error < ROUNDING, "{name}: {error:e}");
    }
    // Something moved at all.
    prop_assert!(sup_difference(&flow.0, &problem.start.on(torus)) > 1e-6);
    Ok(())
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn translating_the_data_by_nodes_translates_the_solution(
        dimension in 1..=3usize,
        shift in prop::array::uniform3(0..12i64),
        (one, two, three) in (problem(1), problem(2), problem(3)),
    ) {
        let (torus, problem) = match dimension {
            1 => (torus(&[24]), one),
            2 => (torus(&[16, 12]), two),
            _ => (torus(&[12, 16, 10]), three),
        };
        let a: Vec<f64> = (0..dimension).map(|axis| shift[axis] as f64 * torus.spacing(axis)).collect();
        let moved = problem.map(|waves| waves.translated(&a));
        let from = |index: &[usize]| index.iter().zip(&shift).map(|(&i, s)| i as i64 - s).collect();
        same_solutions(&problem, &moved, [&torus, &torus], from)?;
    }

    #[test]
    fn reflecting_the_data_reflects_the_solution(two in problem(2)) {
        let torus = torus(&[16, 12]);
        let from = |index: &[usize]| index.iter().map(|&i| -(i as i64)).collect();
        same_solutions(&two, &two.map(Waves::reflected), [&torus, &torus], from)?;
    }

    #[test]
    fn exchanging_the_axes_exchanges_those_of_the_solution(two in problem(2), three in problem(3)) {
        let exchanged = two.map(|waves| waves.permuted(&[1, 0]));
        let from = |index: &[usize]| vec![index[1] as i64, index[0] as i64];
        same_solutions(&two, &exchanged, [&torus(&[16, 12]), &torus(&[12, 16])], from)?;
        // Axis i of the result is axis i + 1 of the original.
        let cycled = three.map(|waves| waves.permuted(&[1, 2, 0]));
        let from = |index: &[usize]| vec![index[2] as i64, index[0] as i64, index[1] as i64];
        same_solutions(&three, &cycled, [&torus(&[12, 16, 10]), &torus(&[16, 10, 12])], from)?;
    }

    /// Sinkhorn of the exchanged problem from q_1 does the same half-steps: its `q_k` is p_k and its `p_k` is q_{k+1}, bit for bit.
    #[test]
    fn exchanging_source_and_target_exchanges_the_sinkhorn_potentials(two in problem(2)) {
        let torus = torus(&[16, 12]);
        let (f, g) = (two.source.density().on(&torus), two.target.density().on(&torus));
        let new = |f: &[f64], g: &[f64], start: &[f64]| Sinkhorn::new(&torus, Kernel::Heat, 0.05, f, g, start).unwrap();
        let mut plain = new(&f, &g, &two.start.on(&torus));
        plain.step().unwrap();
        let mut exchanged = new(&g, &f, plain.q());
        for _ in 0..4 {
            exchanged.step().unwrap();
            prop_assert_eq!(exchanged.q(), plain.p());
            plain.step().unwrap();
            prop_assert_eq!(exchanged.p(), plain.q());
        }
    }

    /// For PMA the exchange is the Legendre transform: `ψ_t = u_t^*` solves PMA with f and g exchanged (THEORY §2), and
    /// `u(x) + ψ(∇u(x)) = x·∇u(x)` reads `q(∇u) = −p − |∇p|²/2` for the periodic parts.
    #[test]
    fn exchanging_source_and_target_conjugates_the_flow(one in problem(1), two in problem(2)) {
        for (torus, problem) in [(torus(&[48]), one), (torus(&[32, 32]), two)] {
            let identity = Problem { start: problem.start.scaled(0.0), ..problem };
            let exchanged = Problem {
                source: identity.target.clone(),
                target: identity.source.clone(),
                start: identity.start.clone(),
            };
            let tolerance = 1e-9;
            let p = identity.flow(&torus, adaptive(tolerance), 0.02, 0.0);
            let q = exchanged.flow(&torus, adaptive(tolerance), 0.02, 0.0);
            let error = sup_difference(&conjugate_defect(&torus, &p, &q), &vec![0.0; torus.len()]);
            prop_assert!(error < 10.0 * tolerance, "{torus:?}: {error:e}");
            prop_assert!(sup_difference(&p, &q) > 1e-6);
        }
    }

    /// Only derivatives of p enter PMA; a half-step of Sinkhorn turns p + c into q − c.
    #[test]
    fn a_constant_added_to_the_start_is_added_to_the_solution(two in problem(2), constant in -0.5..0.5f64) {
        let torus = torus(&[16, 12]);
        let raised = two.few_steps(&torus, constant);
        let expected: Vec<f64> = two.few_steps(&torus, 0.0).iter().map(|p| p + constant).collect();
        // The constant's own rounding, through second derivatives, over a time of five steps.
        prop_assert!(sup_difference(&raised, &expected) < ROUNDING);
        let ([p, q], [p_raised, q_raised]) = (two.sinkhorn(&torus, 0.05, 0.0), two.sinkhorn(&torus, 0.05, constant));
        for i in 0..torus.len() {
            prop_assert!((p_raised[i] - p[i] - constant).abs() < ROUNDING);
            prop_assert!((q_raised[i] - q[i] + constant).abs() < ROUNDING);
        }
    }

    /// `(∇u_t)#ρ_t = e^{-g}`: mass one at all times but for the space error, which here is at rounding.
    #[test]
    fn the_marginal_has_unit_mass_at_all_times(one in problem(1), two in problem(2)) {
        for (torus, problem) in [(torus(&[64]), one), (torus(&[40, 40]), two)] {
            let operator = spectral_operator(&torus, &problem.source.density(), problem.target.density());
            for state in run(operator, adaptive(1e-6), &problem.start.on(&torus), &[0.0, 0.003, 0.03, 0.3]) {
                let defect = state.diagnosis.mass_defect;
                prop_assert!(defect < 1e-10, "t = {}: {defect:e}", state.time);
            }
        }
    }

    /// f = g: the identity is the optimal map and the rate there is `f − f + log 1`, an exact zero.
    #[test]
    fn equal_densities_are_stationary_at_the_identity(two in problem(2)) {
        let torus = torus(&[16, 12]);
        let still = Problem { target: two.source.clone(), start: two.start.scaled(0.0), source: two.source };
        let p = still.flow(&torus, adaptive(1e-9), 0.1, 0.0);
        prop_assert!(p.iter().all(|p| *p == 0.0));
    }
}

/// `q(∇u) + p + |∇p|²/2` at the nodes: zero when q belongs to the conjugate of u.
fn conjugate_defect(torus: &Torus, p: &[f64], q: &[f64]) -> Vec<f64> {
    use mirrorflow_solvers::calculus::{Calculus, Spectral};
    let mut gradient = vec![vec![0.0; torus.len()]; torus.dimension()];
    Spectral::new(torus).gradient(p, &mut gradient);
    let map: Vec<Vec<f64>> = torus
        .nodes()
        .iter()
        .zip(&gradient)
        .map(|(x, dp)| x.iter().zip(dp).map(|(x, dp)| x + dp).collect())
        .collect();
    let mut at_map = vec![0.0; torus.len()];
    Interpolant::new(torus, &[q]).evaluate(&map, &mut [&mut at_map]);
    (0..torus.len())
        .map(|i| at_map[i] + p[i] + 0.5 * gradient.iter().map(|dp| dp[i] * dp[i]).sum::<f64>())
        .collect()
}
