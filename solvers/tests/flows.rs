//! Flows of densities: the mirror flow in the primal coordinate against PMA and closed forms, the Wasserstein gradient flow, orders,
//! Jacobians, mass and refusals.

mod common;

use common::*;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::calculus::{Calculus, FiniteDifference, Spectral};
use mirrorflow_solvers::error::Error;
use mirrorflow_solvers::flows::{GradientFlow, Primal, velocity};
use mirrorflow_solvers::objective::{
    ChiSquare, Entropy, Objective, PotentialEnergy, PowerEntropy, RelativeEntropy,
    ReverseRelativeEntropy,
};
use mirrorflow_solvers::parallel::{dot, mean, sup, sup_difference};
use mirrorflow_solvers::time::{Method, Stepper, System, march};
use std::f64::consts::PI;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Smooth enough for 64 nodes to resolve the flow to 1e-8, and 40² to 1e-7.
const F: [&str; 2] = [
    "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)",
    "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x+y))",
];
const G: [&str; 2] = [
    "0.2*cos(4*pi*x) - 0.3*sin(4*pi*x)",
    "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x-y))",
];

fn calculus(torus: &Torus, order: Option<u32>) -> Box<dyn Calculus> {
    match order {
        None => Box::new(Spectral::new(torus)),
        Some(order) => Box::new(FiniteDifference::new(torus, order)),
    }
}

fn primal_of(torus: &Torus, order: Option<u32>, objective: Box<dyn Objective>) -> Primal {
    let d = torus.dimension();
    let (f, g) = (density(F[d - 1], d), density(G[d - 1], d));
    Primal::new(objective, &f, Arc::new(g), calculus(torus, order), 1e-13)
}

fn primal(torus: &Torus, order: Option<u32>) -> Primal {
    primal_of(torus, order, Box::new(RelativeEntropy))
}

fn gradient_flow(torus: &Torus, order: Option<u32>) -> GradientFlow {
    let f = density(F[torus.dimension() - 1], torus.dimension());
    GradientFlow::new(Box::new(RelativeEntropy), &f, calculus(torus, order))
}

/// The states at `times` and the worst mass defect and smallest value seen on the way.
fn states<S: System>(
    system: &mut S,
    stepper: Stepper,
    start: &[f64],
    times: &[f64],
) -> Vec<Vec<f64>> {
    let (mut state, mut found) = (start.to_vec(), Vec::new());
    let mass = mean(start);
    march(
        system,
        stepper,
        &mut state,
        times,
        &mut |_, _, state| {
            found.push(state.to_vec());
            Ok(())
        },
        &mut |_, _, state| {
            assert!((mean(state) - mass).abs() < 1e-14, "mass {}", mean(state));
            assert!(state.iter().all(|rho| *rho > 0.0));
            Ok(ControlFlow::Continue(()))
        },
    )
    .unwrap();
    found
}

fn end<S: System>(system: &mut S, stepper: Stepper, start: &[f64], time: f64) -> Vec<f64> {
    states(system, stepper, start, &[time]).remove(0)
}

fn exp(field: &[f64]) -> Vec<f64> {
    field.iter().map(|v| v.exp()).collect()
}

/// ρ_t by PMA, with time error far below what is compared.
fn pma(torus: &Torus, f: &str, g: &str, times: &[f64]) -> Vec<Vec<f64>> {
    let d = torus.dimension();
    let operator = spectral_operator(torus, &density(f, d), density(g, d));
    let start = vec![0.0; torus.len()];
    run(operator, adaptive(1e-12), &start, times)
        .iter()
        .map(|snapshot| exp(&snapshot.log_marginal))
        .collect()
}

fn errors_against_pma(torus: &Torus, f: &str, g: &str, tolerance: f64, times: &[f64]) -> Vec<f64> {
    let d = torus.dimension();
    let mut system = Primal::new(
        Box::new(RelativeEntropy),
        &density(f, d),
        Arc::new(density(g, d)),
        calculus(torus, None),
        1e-12,
    );
    let start = system.density_of(&vec![0.0; torus.len()]).unwrap();
    let found = states(&mut system, adaptive(tolerance), &start, times);
    let pairs = found.iter().zip(pma(torus, f, g, times));
    pairs.map(|(a, b)| sup_difference(a, &b)).collect()
}

#[test]
fn the_primal_flow_of_kl_is_pma() {
    let times = [0.01, 0.05];
    let errors = errors_against_pma(&torus(&[64]), F[0], G[0], 1e-10, &times);
    assert!(errors.iter().all(|error| *error < 1e-8), "1-D: {errors:?}");
    let errors = errors_against_pma(&torus(&[40, 40]), F[1], G[1], 1e-9, &times);
    assert!(errors.iter().all(|error| *error < 1e-7), "2-D: {errors:?}");
}

/// The data of `reference/flow_1d.json`, whose potentials an independent program found: they give ρ_t by a formula.
#[test]
fn the_primal_flow_agrees_with_the_reference() {
    let path = format!(
        "{}/tests/reference/flow_1d.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let data: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_f64().unwrap())
            .collect()
    };
    let torus = torus(&[64]);
    let (f, g) = (density(SOURCES[0], 1), density(TARGETS[0], 1));
    let mut system = Primal::new(
        Box::new(RelativeEntropy),
        &f,
        Arc::new(g),
        calculus(&torus, None),
        1e-12,
    );
    let start = system.density_of(&[0.0; 64]).unwrap();
    let times = numbers(&data["times"]);
    let found = states(&mut system, adaptive(1e-10), &start, &times);
    for (k, rho) in found.iter().enumerate() {
        let expected = system.density_of(&numbers(&data["p"][k])).unwrap();
        let error = sup_difference(rho, &expected);
        // Two derivatives of potentials known to 1e-12 on 64 nodes.
        assert!(error < 2e-8, "t = {}: {error:e}", times[k]);
        system.evaluate(rho).unwrap();
        let kl = data["kl_rho_t_given_source"][k].as_f64().unwrap();
        assert!(
            (system.value() - kl).abs() < 1e-9,
            "{} {kl}",
            system.value()
        );
    }
}

/// The same flow without A is another one.
#[test]
fn without_the_mirror_it_is_not_pma() {
    let torus = torus(&[64]);
    let start = primal(&torus, None).density_of(&[0.0; 64]).unwrap();
    let wrong = end(
        &mut gradient_flow(&torus, None),
        adaptive(1e-8),
        &start,
        0.01,
    );
    let right = pma(&torus, F[0], G[0], &[0.01]).remove(0);
    let error = sup_difference(&wrong, &right);
    assert!(error > 1e-2, "{error:e}");
}

/// The solution of `(1 − cJ)k = r` for the r that central differences of order 4 give for a chosen k.
fn jacobian_error(system: &mut dyn System, state: &[f64], k: &[f64]) -> f64 {
    let (c, h) = (1e-2, 4e-3);
    let mut at = |s: f64| {
        let moved: Vec<f64> = state.iter().zip(k).map(|(y, k)| y + s * k).collect();
        let mut rate = vec![0.0; k.len()];
        system.rate(&moved, &mut rate).unwrap();
        rate
    };
    let rates = [at(h), at(-h), at(2.0 * h), at(-2.0 * h)];
    let product =
        |i: usize| (8.0 * (rates[0][i] - rates[1][i]) - rates[2][i] + rates[3][i]) / (12.0 * h);
    let r: Vec<f64> = (0..k.len()).map(|i| k[i] - c * product(i)).collect();
    let mut found = vec![0.0; k.len()];
    system.linearise(state, &mut vec![0.0; k.len()]).unwrap();
    system.solve(c, &r, &mut found, 1e-11).unwrap();
    sup_difference(&found, k) / sup(k)
}

/// Exact for the discrete rate, in any direction, changes of mass included. Only a spectral calculus in 2-D, where Nyquist modes are
/// not evolved, is exact up to aliasing: 1e-7 on this coarse grid.
#[test]
fn jacobians_are_those_of_the_rates() {
    for points in [&[32][..], &[16, 24]] {
        let (torus, d) = (torus(points), points.len());
        let k = Waves::new(
            d,
            &[
                (0.1, [1, 1, 0], 0.2),
                (0.05, [2, -1, 0], 0.1),
                (0.03, [0, 0, 0], 0.0),
            ],
        )
        .on(&torus);
        for order in [None, Some(2), Some(4)] {
            let objectives: [Box<dyn Objective>; 4] = [
                Box::new(RelativeEntropy),
                Box::new(ChiSquare),
                Box::new(ReverseRelativeEntropy),
                Box::new(PotentialEnergy),
            ];
            let bound = if d == 2 && order.is_none() {
                1e-5
            } else {
                2e-9
            };
            for (number, objective) in objectives.into_iter().enumerate() {
                let mut system = primal_of(&torus, order, objective);
                let p = potential(d).scaled(0.5).on(&torus);
                let rho = system.density_of(&p).unwrap();
                let error = jacobian_error(&mut system, &rho, &k);
                assert!(error < bound, "{points:?} {order:?} {number}: {error:e}");
            }
            let rho = exp(&potential(d).scaled(40.0).on(&torus));
            let error = jacobian_error(&mut gradient_flow(&torus, order), &rho, &k);
            assert!(error < bound, "{points:?} {order:?}: {error:e}");
        }
    }
}

fn fixed(step: f64) -> Stepper {
    Stepper::Fixed {
        step,
        tolerance: 1e-9,
    }
}

/// On 16 nodes, where the space error is common to all runs.
#[test]
fn orders_in_time() {
    let (torus, time) = (torus(&[16]), 0.02);
    let start = exp(&potential(1).scaled(60.0).on(&torus));
    let mass = mean(&start);
    let start: Vec<f64> = start.iter().map(|rho| rho / mass).collect();
    let explicit = |step| Stepper::Explicit {
        method: Method::RungeKutta4,
        step,
    };
    let mirror = |stepper| end(&mut primal(&torus, None), stepper, &start, time);
    let gradient = |stepper| end(&mut gradient_flow(&torus, None), stepper, &start, time);
    type Run<'a> = &'a dyn Fn(Stepper) -> Vec<f64>;
    let systems: [(&str, Run, f64); 2] = [("primal", &mirror, 10.0), ("gradient", &gradient, 2.0)];
    for (name, run, steps) in systems {
        let exact = run(adaptive(1e-12));
        let error = |stepper| sup_difference(&run(stepper), &exact);
        let errors = [1.0, 2.0, 4.0].map(|finer| error(fixed(time / (finer * steps))));
        let observed = orders(&errors)[1];
        assert!((observed - 5.0).abs() < 0.5, "{name}: {errors:?}");
        let errors = [15.0, 30.0, 60.0].map(|finer| error(explicit(time / (finer * steps))));
        let observed = orders(&errors)[1];
        assert!((observed - 4.0).abs() < 0.3, "{name}: {errors:?}");
    }
}

#[test]
fn orders_in_space() {
    let time = 0.01;
    let start = |torus: &Torus| {
        primal(torus, None)
            .density_of(&vec![0.0; torus.len()])
            .unwrap()
    };
    let run = |n: usize, order: Option<u32>, mirror: bool| {
        let torus = torus(&[n]);
        let start = start(&torus);
        if mirror {
            end(&mut primal(&torus, order), adaptive(1e-10), &start, time)
        } else {
            end(
                &mut gradient_flow(&torus, order),
                adaptive(1e-10),
                &start,
                time,
            )
        }
    };
    for mirror in [true, false] {
        let exact = run(128, None, mirror);
        for order in [2, 4] {
            let errors = [32, 64, 128].map(|n| {
                let found = run(n, Some(order), mirror);
                let wrong = found.iter().enumerate();
                wrong
                    .map(|(i, rho)| (rho - exact[i * 128 / n]).abs())
                    .fold(0.0, f64::max)
            });
            let observed = orders(&errors)[1];
            assert!(
                (observed - f64::from(order)).abs() < 0.3 && errors[2] > 1e-9,
                "mirror {mirror}: {errors:?}"
            );
        }
    }
}

fn wave(torus: &Torus, amplitude: f64, k: usize) -> Vec<f64> {
    let value = |i| 1.0 + amplitude * (2.0 * PI * k as f64 * torus.node(i)[0]).cos();
    (0..torus.len()).map(value).collect()
}

/// Amplitude of `cos 2πkx`.
fn amplitude(torus: &Torus, rho: &[f64], k: usize) -> f64 {
    2.0 * dot(rho, &wave(torus, 1.0, k)) / rho.len() as f64 - 2.0 * mean(rho)
}

fn heat(k: usize, time: f64) -> f64 {
    (-(2.0 * PI * k as f64).powi(2) * time).exp()
}

#[test]
fn the_gradient_flow_of_the_entropy_is_the_heat_equation() {
    for (points, k) in [(&[64][..], 1), (&[64], 2), (&[48, 8], 1)] {
        let (torus, time, a) = (torus(points), 0.01, 0.5);
        let mut system = GradientFlow::from_values(
            Box::new(Entropy),
            vec![0.0; torus.len()],
            calculus(&torus, None),
        );
        let found = end(&mut system, adaptive(1e-11), &wave(&torus, a, k), time);
        let exact = wave(&torus, a * heat(k, time), k);
        let error = sup_difference(&found, &exact);
        assert!(error < 1e-9, "{points:?}, k = {k}: {error:e}");
    }
}

/// At `f = g = 0` each mode of a small perturbation decays at 4π²k², whatever the divergence; what is left is of third order in its
/// size, for the second harmonic is of second order.
#[test]
fn small_perturbations_decay_by_the_linear_theory() {
    let (torus, time) = (torus(&[32]), 0.005);
    let zero = || vec![0.0; 32];
    let uniform = || Arc::new(mirrorflow_solvers::density::Uniform { dimension: 1 });
    for k in [1, 2] {
        let left = |system: &mut dyn FnMut(&[f64]) -> Vec<f64>, a: f64| {
            let found = system(&wave(&torus, a, k));
            (amplitude(&torus, &found, k) - a * heat(k, time)).abs()
        };
        let mut mirror = |start: &[f64]| {
            let objective = Box::new(RelativeEntropy);
            let mut system =
                Primal::from_values(objective, zero(), uniform(), calculus(&torus, None), 1e-13);
            end(&mut system, adaptive(1e-11), start, time)
        };
        let mut gradient = |start: &[f64]| {
            let mut system =
                GradientFlow::from_values(Box::new(ChiSquare), zero(), calculus(&torus, None));
            end(&mut system, adaptive(1e-11), start, time)
        };
        type Rate<'a> = &'a mut dyn FnMut(&[f64]) -> Vec<f64>;
        let flows: [(&str, Rate); 2] = [("mirror", &mut mirror), ("gradient", &mut gradient)];
        for (name, flow) in flows {
            let errors = [0.1, 0.05, 0.025].map(|a| left(flow, a));
            assert!(
                (orders(&errors)[1] - 3.0).abs() < 0.2 && errors[2] > 1e-9,
                "{name}, k = {k}: {errors:?}"
            );
        }
    }
}

#[test]
fn products_stay_products() {
    let (line, plane, time) = (torus(&[32]), torus(&[32, 24]), 0.01);
    let parts = [
        ("0.4*cos(2*pi*x)", "0.3*sin(2*pi*x)", 32),
        ("0.3*sin(2*pi*x)", "0.2*cos(2*pi*x)", 24),
    ];
    let run = |torus: &Torus, f: &str, g: &str| {
        let d = torus.dimension();
        let (f, g) = (density(f, d), density(g, d));
        let objective = Box::new(RelativeEntropy);
        let calculus = || calculus(torus, None);
        let mut mirror = Primal::new(objective.clone(), &f, Arc::new(g), calculus(), 1e-13);
        let start = mirror.density_of(&vec![0.0; torus.len()]).unwrap();
        let mut gradient = GradientFlow::new(objective, &f, calculus());
        [
            end(&mut mirror, adaptive(1e-10), &start, time),
            end(&mut gradient, adaptive(1e-10), &start, time),
        ]
    };
    let [first, second] = parts.map(|(f, g, n)| run(&torus(&[n]), f, g));
    let both = run(
        &plane,
        "0.4*cos(2*pi*x) + 0.3*sin(2*pi*y)",
        "0.3*sin(2*pi*x) + 0.2*cos(2*pi*y)",
    );
    assert_eq!(first[0].len(), line.len());
    for flow in 0..2 {
        let product: Vec<f64> = (0..plane.len())
            .map(|i| first[flow][i / 24] * second[flow][i % 24])
            .collect();
        let error = sup_difference(&product, &both[flow]);
        assert!(error < 1e-8, "{flow}: {error:e}");
    }
}

/// φ = log ν + f is the same at all nodes there: not a matter of resolution.
#[test]
fn fokker_planck_is_stationary_at_the_source_on_any_grid() {
    for points in [&[8][..], &[64], &[8, 10]] {
        let torus = torus(points);
        let source = density(F[points.len() - 1], points.len()).on(&torus);
        let nu: Vec<f64> = source.iter().map(|f| (-f).exp()).collect();
        for order in [None, Some(2), Some(4)] {
            let mut system = gradient_flow(&torus, order);
            let mut rate = vec![0.0; nu.len()];
            system.rate(&nu, &mut rate).unwrap();
            assert!(
                sup(&rate) < round_off(&torus, 1.0),
                "{points:?}: {:e}",
                sup(&rate)
            );
            let later = end(&mut system, adaptive(1e-9), &nu, 0.1);
            assert!(sup_difference(&later, &nu) < 1e-12);
        }
    }
}

/// `u_t = u_0 + t f`: transport alone, S = 0.
#[test]
fn the_mirror_flow_of_the_potential_energy_is_known() {
    let (torus, time) = (torus(&[64]), 0.02);
    let mut system = primal_of(&torus, None, Box::new(PotentialEnergy));
    let f = density(F[0], 1).on(&torus);
    let p: Vec<f64> = f.iter().map(|f| time * f).collect();
    let start = system.density_of(&[0.0; 64]).unwrap();
    let found = end(&mut system, adaptive(1e-10), &start, time);
    let error = sup_difference(&found, &system.density_of(&p).unwrap());
    assert!(error < 1e-8, "{error:e}");
}

/// `dF/dt = −∫ρ∇φ·A∇φ`, and the velocity that the mirror coordinate computes.
#[test]
fn velocity_and_dissipation() {
    let torus = torus(&[32, 32]);
    let mut system = primal_of(&torus, None, Box::new(ChiSquare));
    let p = potential(2).scaled(0.4).on(&torus);
    let rho = system.density_of(&p).unwrap();
    let mut rate = vec![0.0; rho.len()];
    system.rate(&rho, &mut rate).unwrap();
    assert!(sup_difference(&centred(&p), system.potential()) < 1e-9);
    let (dissipation, speed) = (system.dissipation(), system.speed());
    let falls = -dot(system.variation(), &rate) / rho.len() as f64;
    assert!(
        (dissipation / falls - 1.0).abs() < 1e-9,
        "{dissipation} {falls}"
    );
    let mut operator = spectral_operator(&torus, &density(F[1], 2), density(G[1], 2));
    let phi = system.variation().to_vec();
    let v = velocity::mirror_velocity(&mut operator, &p, &phi).unwrap();
    for (v, ours) in v.iter().zip(system.velocity()) {
        assert!(sup_difference(v, ours) < 1e-8 * sup(v));
    }
    let log_rho: Vec<f64> = rho.iter().map(|rho| rho.ln()).collect();
    assert!((velocity::norm(&log_rho, &v) - speed).abs() < 1e-8 * speed);
    assert!((weighted_norm(&log_rho, &v) - speed).abs() < 1e-8 * speed);
    let flux = system.flux();
    assert!((flux[1][5] - rho[5] * system.velocity()[1][5]).abs() < 1e-12);
}

#[test]
fn a_density_that_is_not_positive_is_refused_by_name() {
    let torus = torus(&[32]);
    for (a, refused) in [(1.0, true), (1.2, true), (0.999, false)] {
        let start = wave(&torus, a, 1);
        let mut mirror = primal_of(&torus, None, Box::new(Entropy));
        let mut gradient = gradient_flow(&torus, None);
        let systems: [&mut dyn System; 2] = [&mut mirror, &mut gradient];
        for system in systems {
            let outcome = system.rate(&start, &mut vec![0.0; 32]);
            if !refused {
                outcome.unwrap();
                continue;
            }
            let Err(error @ Error::Density { .. }) = outcome else {
                panic!("{a}: {outcome:?}")
            };
            let message = error.to_string();
            assert!(
                message.contains("x = [0.5]") && message.contains("smaller step"),
                "{message}"
            );
        }
    }
    let outcome = march(
        &mut gradient_flow(&torus, None),
        adaptive(1e-8),
        &mut wave(&torus, 1.2, 1),
        &[0.1],
        &mut |_, _, _| Ok(()),
        &mut |_, _, _| Ok(ControlFlow::Continue(())),
    );
    assert!(outcome.unwrap_err().to_string().contains("at t = 0"));
}

/// A thousandth of the mean, and slow diffusion where it is small: positive all the way, mass exact (asserted at every step).
#[test]
fn densities_that_nearly_vanish_are_handled() {
    let torus = torus(&[64]);
    let start = wave(&torus, 0.999, 1);
    let zero = || vec![0.0; 64];
    let mut porous = GradientFlow::from_values(
        Box::new(PowerEntropy::new(2.0)),
        zero(),
        calculus(&torus, None),
    );
    let mut mirror = primal_of(&torus, None, Box::new(Entropy));
    for end in [
        end(&mut porous, adaptive(1e-8), &start, 0.2),
        end(&mut mirror, adaptive(1e-8), &start, 0.2),
    ] {
        assert!(sup_difference(&end, &[1.0; 64]) < 0.01);
    }
}

/// Work does not grow with the grid: Krylov iterations per solve on twice as many nodes along each axis.
#[test]
fn krylov_iterations_do_not_depend_on_the_grid() {
    for d in [1, 2] {
        let counts = [32, 64, 128].map(|n| {
            let torus = torus(&vec![n; d]);
            let mut system = primal(&torus, None);
            let f = density(F[d - 1], d).on(&torus);
            let rho: Vec<f64> = f.iter().map(|f| (-f).exp()).collect();
            let r = Waves::new(d, &[(0.1, [1, 1, 0], 0.2), (0.05, [2, -1, 0], 0.1)]).on(&torus);
            let mut k = vec![0.0; torus.len()];
            system.linearise(&rho, &mut k).unwrap();
            [1e-4, 1e-2].map(|c| system.solve(c, &r, &mut k, 1e-9).unwrap())
        });
        for c in 0..2 {
            let (least, most) = (counts[0][c], counts[2][c]);
            assert!(
                most as f64 <= 1.25 * least as f64 && most <= 40,
                "{counts:?}"
            );
        }
    }
}

/// The work of a whole run, so that a slowdown is seen: steps, Krylov iterations of their systems, Newton steps behind the rates.
#[test]
fn the_work_of_a_primal_run_is_pinned() {
    let torus = torus(&[32, 32]);
    let mut system = primal(&torus, None);
    let mut state = system.density_of(&vec![0.0; torus.len()]).unwrap();
    let (mut steps, mut krylov) = (0, 0);
    march(
        &mut system,
        adaptive(1e-8),
        &mut state,
        &[0.02],
        &mut |_, _, _| Ok(()),
        &mut |_, step, _| {
            steps += 1 + step.rejected;
            krylov += step.krylov;
            Ok(ControlFlow::Continue(()))
        },
    )
    .unwrap();
    let work = (steps, krylov / (8 * steps), system.newton_steps());
    println!("steps, iterations a system, Newton steps: {work:?}");
    assert!(
        work.0 <= 63 && work.1 <= 10 && work.2 <= 17 * steps,
        "{work:?}"
    );
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    let on = |threads| {
        let work = || {
            let torus = torus(&[160, 128]);
            let mut system = primal(&torus, None);
            let rho = system
                .density_of(&potential(2).scaled(0.3).on(&torus))
                .unwrap();
            let (mut rate, mut k) = (rho.clone(), rho.clone());
            system.linearise(&rho, &mut rate).unwrap();
            system.solve(1e-3, &rate, &mut k, 1e-8).unwrap();
            k.iter().map(|k| k.to_bits()).collect::<Vec<_>>()
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(work)
    };
    assert!(on(1) == on(2));
}
