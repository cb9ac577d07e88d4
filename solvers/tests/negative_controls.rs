//! What is not PMA is not Sinkhorn's ε → 0 limit: wrong right-hand sides and a wrong profile must be told apart.

mod common;

use common::*;
use mirrorflow_solvers::calculus::{Calculus, Derivatives, Spectral};
use mirrorflow_solvers::density::Density;
use mirrorflow_solvers::monge_ampere::{Flow, Snapshot};
use mirrorflow_solvers::parallel::sup_difference;
use mirrorflow_solvers::sinkhorn::{Kernel, Sinkhorn};
use mirrorflow_solvers::{Jet, LogDensity, Order, Torus};
use std::ops::ControlFlow;

const POINTS: usize = 64;
/// Early enough for the equation without log det, which forms shocks, to have a smooth solution.
const END: f64 = 0.02;
const ITERATIONS: [usize; 3] = [4, 8, 16];

/// `f − sign·g(∇u) + volume·log det ∇²u`: PMA for (1, 1).
#[derive(Clone, Copy)]
struct Equation {
    sign: f64,
    volume: f64,
}

const PMA: Equation = Equation {
    sign: 1.0,
    volume: 1.0,
};
const WITHOUT_LOG_DET: Equation = Equation {
    sign: 1.0,
    volume: 0.0,
};
const WRONG_SIGN: Equation = Equation {
    sign: -1.0,
    volume: 1.0,
};

fn problem() -> (Torus, Density, Density) {
    (
        torus(&[POINTS]),
        density(SOURCES[0], 1),
        density(TARGETS[0], 1),
    )
}

impl Equation {
    fn rate(self, calculus: &mut Spectral, f: &[f64], g: &Density, p: &[f64]) -> Vec<f64> {
        let torus = calculus.torus().clone();
        let mut derivatives = Derivatives::zeros(&torus);
        calculus.derivatives(p, &mut derivatives);
        let map: Vec<f64> = (0..p.len())
            .map(|i| torus.node(i)[0] + derivatives.gradient[0][i])
            .collect();
        let mut at_map = Jet::zeros(1, p.len(), Order::Value);
        g.jet(&[map], &mut at_map);
        (0..p.len())
            .map(|i| {
                f[i] - self.sign * at_map.value[i] + self.volume * derivatives.hessian[0][i].ln_1p()
            })
            .collect()
    }

    /// p at [`END`] from the identity, by the classical Runge–Kutta method well below its stability limit.
    fn solve(self) -> Vec<f64> {
        let (torus, f, g) = problem();
        let (mut calculus, f) = (Spectral::new(&torus), f.on(&torus));
        let steps = 800;
        let h = END / f64::from(steps);
        let mut p = vec![0.0; POINTS];
        for _ in 0..steps {
            let mut rate = |p: &[f64]| self.rate(&mut calculus, &f, &g, p);
            let k1 = rate(&p);
            let k2 = rate(&ahead(&p, 0.5 * h, &k1));
            let k3 = rate(&ahead(&p, 0.5 * h, &k2));
            let k4 = rate(&ahead(&p, h, &k3));
            for i in 0..POINTS {
                p[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]);
            }
        }
        p
    }
}

fn ahead(p: &[f64], h: f64, rate: &[f64]) -> Vec<f64> {
    p.iter().zip(rate).map(|(p, rate)| p + h * rate).collect()
}

/// `(ε, p^ε)` at [`END`] from the identity.
fn sinkhorn(iterations: usize) -> (f64, Vec<f64>) {
    let (torus, f, g) = problem();
    let epsilon = END / iterations as f64;
    let (f, g) = (f.on(&torus), g.on(&torus));
    let mut sinkhorn =
        Sinkhorn::new(&torus, Kernel::Heat, epsilon, &f, &g, &[0.0; POINTS]).unwrap();
    sinkhorn
        .run(iterations, &mut |_, _| ControlFlow::Continue(()))
        .unwrap();
    (epsilon, sinkhorn.p().to_vec())
}

fn distances_to_sinkhorn(p: &[f64]) -> [f64; 3] {
    ITERATIONS.map(|k| sup_difference(&sinkhorn(k).1, p))
}

#[test]
fn sinkhorn_converges_to_pma_and_to_nothing_else() {
    let right = distances_to_sinkhorn(&PMA.solve());
    assert!((orders(&right)[1] - 1.0).abs() < 0.15, "{right:?}");
    for (name, equation) in [
        ("without log det", WITHOUT_LOG_DET),
        ("wrong sign of g", WRONG_SIGN),
    ] {
        let wrong = distances_to_sinkhorn(&equation.solve());
        assert!(
            orders(&wrong).iter().all(|order| *order < 0.5),
            "{name}: {wrong:?}"
        );
        assert!(
            wrong[2] > 5.0 * right[2],
            "{name}: {wrong:?} against {right:?}"
        );
    }
}

/// The equation written here for (1, 1) is the one that the library solves.
#[test]
fn the_control_differs_from_the_library_in_nothing_but_the_terms_named() {
    let torus = torus(&[POINTS]);
    let library = run(operator(&torus), adaptive(1e-10), &[0.0; POINTS], &[END])
        .remove(0)
        .p;
    let error = sup_difference(&PMA.solve(), &library);
    assert!(error < 1e-8, "{error:e}");
}

fn flow_with_tangent() -> (Vec<f64>, Snapshot) {
    let torus = torus(&[POINTS]);
    let mut operator = operator(&torus);
    let (f, mut log_rho0) = (operator.source().to_vec(), vec![0.0; POINTS]);
    operator
        .log_marginal(&[0.0; POINTS], &mut log_rho0)
        .unwrap();
    let e0: Vec<f64> = f
        .iter()
        .zip(&log_rho0)
        .map(|(f, l)| -(0.5 * f + l))
        .collect();
    let end = Flow::with_tangent(operator, adaptive(1e-10), &[0.0; POINTS], &e0)
        .run(&[END], &mut |_| ControlFlow::Continue(()))
        .unwrap()
        .remove(0);
    (f, end)
}

/// `p^ε − p_t − ε r_t` is O(ε²) with r_t = ½f + log ρ_t + e_t and no better than O(ε) with half of it, or without e_t.
#[test]
fn a_wrong_first_order_profile_leaves_a_first_order_error() {
    let (f, end) = flow_with_tangent();
    let e = end.tangent.as_ref().unwrap();
    let prepared: Vec<f64> = f
        .iter()
        .zip(&end.log_marginal)
        .map(|(f, l)| 0.5 * f + l)
        .collect();
    let plain: Vec<f64> = prepared.iter().zip(e).map(|(r, e)| r + e).collect();
    let half: Vec<f64> = plain.iter().map(|r| 0.5 * r).collect();
    let order = |r: &[f64]| {
        let errors = ITERATIONS.map(|k| {
            let (epsilon, p) = sinkhorn(k);
            sup_difference(&p, &ahead(&end.p, epsilon, r))
        });
        orders(&errors)[1]
    };
    assert!((order(&plain) - 2.0).abs() < 0.2, "{}", order(&plain));
    assert!((order(&half) - 1.0).abs() < 0.2, "{}", order(&half));
    assert!((order(&prepared) - 1.0).abs() < 0.2, "{}", order(&prepared));
}
