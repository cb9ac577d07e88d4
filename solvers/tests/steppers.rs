//! Time stepping of PMA: orders, stability limits, error control, dense output, the tangent, refusals, cost.

mod common;

use common::*;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::calculus::{Calculus, FiniteDifference, Spectral};
use mirrorflow_solvers::error::Error;
use mirrorflow_solvers::monge_ampere::{Flow, MongeAmpere, Snapshot};
use mirrorflow_solvers::parallel::{axpy, mean, sup, sup_difference};
use mirrorflow_solvers::sinkhorn::{Kernel, Sinkhorn};
use mirrorflow_solvers::time::Method;
use mirrorflow_solvers::time::Stepper;
use std::f64::consts::PI;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The shared problem from the identity.
fn flow(points: &[usize], stepper: Stepper, times: &[f64]) -> Vec<Snapshot> {
    let torus = torus(points);
    run(operator(&torus), stepper, &vec![0.0; torus.len()], times)
}

fn explicit(method: Method, step: f64) -> Stepper {
    Stepper::Explicit { method, step }
}

/// On 8 nodes PMA is a system of eight equations that steps of 2e-3 resolve; the space error is common to all runs.
#[test]
fn explicit_methods_converge_at_their_order() {
    let end = 0.04;
    let exact = flow(&[8], adaptive(1e-13), &[end]).remove(0).p;
    for method in [Method::Euler, Method::RungeKutta4] {
        let errors = [40, 80, 160].map(|steps| {
            let p = flow(&[8], explicit(method, end / f64::from(steps)), &[end])
                .remove(0)
                .p;
            sup_difference(&p, &exact)
        });
        for observed in orders(&errors) {
            let order = f64::from(method.order());
            assert!((observed - order).abs() < 0.2, "{method:?}: {errors:?}");
        }
        assert!(
            errors[2] > 1e-12,
            "below what the exact solution is good for"
        );
    }
}

/// `2/ρ(L)` and `2.785/ρ(L)` over the states of the run.
fn smallest_limit(torus: &Torus, method: Method, states: &[Snapshot]) -> f64 {
    states
        .iter()
        .map(|state| {
            Flow::new(operator(torus), adaptive(1e-9), &state.p)
                .stability_limit(method)
                .unwrap()
        })
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn steps_below_the_limit_stay_bounded_and_steps_above_are_refused() {
    let times: Vec<f64> = (0..=20).map(|k| f64::from(k) * 0.02).collect();
    let torus = torus(&[24]);
    let exact = flow(&[24], adaptive(1e-9), &times);
    for method in [Method::Euler, Method::RungeKutta4] {
        let limit = smallest_limit(&torus, method, &exact);
        let p = flow(&[24], explicit(method, 0.95 * limit), &[0.4])
            .remove(0)
            .p;
        // By t = 0.4 the flow is stationary, which is a fixed point of every method.
        let error = sup_difference(&centred(&p), &centred(&exact[20].p));
        assert!(error < 1e-6, "{method:?}: {error:e}");
        let mut refused = Flow::new(
            operator(&torus),
            explicit(method, 1.3 * limit),
            &exact[20].p,
        );
        let outcome = refused.run(&[0.4], &mut |_| ControlFlow::Continue(()));
        let Err(Error::Unstable {
            limit: named, step, ..
        }) = &outcome
        else {
            panic!("{method:?}: {outcome:?}")
        };
        assert!(
            step > named && (named / limit - 1.0).abs() < 0.3,
            "{named} {limit}"
        );
        assert!(outcome.unwrap_err().to_string().contains("stability limit"));
    }
}

type MakeCalculus = fn(&Torus) -> Box<dyn Calculus>;

/// Explicit Euler by hand from the end of the flow with `over` times the limit there: the number of steps after which F
/// was no longer defined, if it came to that.
fn steps_until_blow_up(points: &[usize], make: MakeCalculus, over: f64) -> Option<usize> {
    let torus = torus(points);
    let d = torus.dimension();
    let operator = || {
        let (source, target) = (density(SOURCES[d - 1], d), density(TARGETS[d - 1], d));
        MongeAmpere::new(&source, Arc::new(target), make(&torus))
    };
    let mut p = run(operator(), adaptive(1e-9), &vec![0.0; torus.len()], &[0.5])
        .remove(0)
        .p;
    let limit = Flow::new(operator(), adaptive(1e-9), &p)
        .stability_limit(Method::Euler)
        .unwrap();
    let (mut operator, mut rate) = (operator(), vec![0.0; torus.len()]);
    for done in 0..1000 {
        if operator.rate(&p, &mut rate).is_err() {
            return Some(done);
        }
        axpy(over * limit, &rate, &mut p);
    }
    None
}

/// The limit is real, and not much too small: half as much again and rounding grows until u is not convex.
#[test]
fn stepping_past_the_limit_by_hand_blows_up() {
    let spectral: MakeCalculus = |torus| Box::new(Spectral::new(torus));
    let second: MakeCalculus = |torus| Box::new(FiniteDifference::new(torus, 2));
    let fourth: MakeCalculus = |torus| Box::new(FiniteDifference::new(torus, 4));
    for points in [&[24][..], &[16, 16]] {
        for (name, make) in [
            ("spectral", spectral),
            ("order 2", second),
            ("order 4", fourth),
        ] {
            let below = steps_until_blow_up(points, make, 0.95);
            assert_eq!(below, None, "{name}, {points:?}");
            let above = steps_until_blow_up(points, make, 1.5);
            assert!(above.is_some(), "{name}, {points:?}");
        }
    }
}

/// Largest error over the run against a much tighter one.
fn error_over_the_run(tolerance: f64, times: &[f64], exact: &[Snapshot]) -> f64 {
    let found = flow(&[32], adaptive(tolerance), times);
    let errors = found
        .iter()
        .zip(exact)
        .map(|(a, b)| sup_difference(&a.p, &b.p));
    errors.fold(0.0, f64::max)
}

/// The error per step is kept below the tolerance and PMA forgets errors, so the error stays below it too. It falls in
/// proportion: not from one decade to the next, where only seven steps are taken in all, but over any two of them.
#[test]
fn adaptive_error_follows_the_tolerance() {
    let times = [0.001, 0.003, 0.01, 0.02, 0.05];
    let exact = flow(&[32], adaptive(1e-13), &times);
    let tolerances = [1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10];
    let errors = tolerances.map(|tolerance| error_over_the_run(tolerance, &times, &exact));
    assert!(
        errors
            .iter()
            .zip(tolerances)
            .all(|(error, tolerance)| *error < tolerance),
        "{errors:?}"
    );
    assert!(
        errors.windows(3).all(|errors| errors[2] < 0.1 * errors[0]),
        "{errors:?}"
    );
    // The estimate that is kept at the tolerance is of order 4, the error of p of order 5.
    let slope = (errors[0] / errors[5]).log10() / 5.0;
    assert!((slope - 1.25).abs() < 0.2, "slope {slope}: {errors:?}");
}

/// A method of order 5 takes `10^{1/5}` times as many steps for a tenth of the error; the estimate is of order 4.
#[test]
fn a_decade_of_tolerance_costs_at_most_its_fourth_root_in_steps() {
    let counts =
        [1e-7, 1e-8, 1e-9, 1e-10].map(|tolerance| count_steps(&[32], tolerance, 0.05) as f64);
    let growth = (counts[3] / counts[0]).powf(1.0 / 3.0);
    assert!(growth < 10f64.powf(0.25), "{growth}: {counts:?}");
}

/// Accepted and refused steps to `end`.
fn count_steps(points: &[usize], tolerance: f64, end: f64) -> usize {
    let torus = torus(points);
    let start = vec![0.0; torus.len()];
    let flow = Flow::new(operator(&torus), adaptive(tolerance), &start);
    steps_of(flow, end)
}

fn steps_of(mut flow: Flow, end: f64) -> usize {
    let mut steps = 0;
    flow.run(&[end], &mut |step| {
        steps += 1 + step.rejected;
        ControlFlow::Continue(())
    })
    .unwrap();
    steps
}

/// The tangent is as smooth in time as the flow. Were its coupling to p missing from the Jacobian, the method would lose its
/// order and pay in steps.
#[test]
fn carrying_the_tangent_takes_no_more_steps() {
    let torus = torus(&[32]);
    let e0 = Waves::new(1, &[(0.3, [1, 0, 0], 0.2)]).on(&torus);
    let tolerance = 1e-9;
    let flow = Flow::with_tangent(operator(&torus), adaptive(tolerance), &[0.0; 32], &e0);
    let (with, without) = (steps_of(flow, 0.05), count_steps(&[32], tolerance, 0.05));
    assert!(
        with as f64 <= 1.25 * without as f64,
        "{with} steps against {without}"
    );
}

#[test]
fn dense_output_agrees_with_runs_that_end_there() {
    let tolerance = 1e-8;
    let times: Vec<f64> = (0..=40)
        .map(|k| 0.05 * (f64::from(k) / 40.0).powi(2))
        .collect();
    let snapshots = flow(&[32], adaptive(tolerance), &times);
    assert_eq!(snapshots.len(), times.len());
    assert!(sup(&snapshots[0].p) == 0.0);
    for (snapshot, &time) in snapshots.iter().zip(&times).skip(1) {
        assert_eq!(snapshot.time, time);
        let p = flow(&[32], adaptive(tolerance), &[time]).remove(0).p;
        let error = sup_difference(&p, &snapshot.p);
        assert!(error < 20.0 * tolerance, "t = {time}: {error:e}");
    }
}

fn tangent_flow(torus: &Torus, start: &[f64], tangent: &[f64], times: &[f64]) -> Vec<Snapshot> {
    Flow::with_tangent(operator(torus), adaptive(1e-11), start, tangent)
        .run(times, &mut |_| ControlFlow::Continue(()))
        .unwrap()
}

/// `[p_t(p_0 + s e_0) − p_t(p_0 − s e_0)]/2s → e_t` with error O(s²), in 1-D and 2-D.
#[test]
fn tangent_is_the_derivative_of_the_flow_in_its_start() {
    for points in [&[32][..], &[24, 24]] {
        let torus = torus(points);
        let d = torus.dimension();
        let start = potential(d).scaled(0.5).on(&torus);
        let e0 = Waves::new(d, &[(0.01, [1, 1, 0], 0.2), (0.01, [0, 1, 0], 0.6)]).on(&torus);
        let e = tangent_flow(&torus, &start, &e0, &[0.01])
            .remove(0)
            .tangent
            .unwrap();
        let ends = |s: f64| {
            let moved: Vec<f64> = start.iter().zip(&e0).map(|(p, e)| p + s * e).collect();
            run(operator(&torus), adaptive(1e-11), &moved, &[0.01])
                .remove(0)
                .p
        };
        let errors = [0.4, 0.2].map(|s| {
            let (ahead, behind) = (ends(s), ends(-s));
            let central: Vec<f64> = ahead
                .iter()
                .zip(&behind)
                .map(|(a, b)| (a - b) / (2.0 * s))
                .collect();
            sup_difference(&central, &e)
        });
        // Tolerance 1e-11 of p is 1e-9 of e by its weight in the error control; both errors are well above.
        assert!(
            errors[1] > 1e-8 && errors[1] < 0.01 * sup(&e),
            "{points:?}: {errors:?}"
        );
        assert!(
            (orders(&errors)[0] - 2.0).abs() < 0.1,
            "{points:?}: {errors:?}"
        );
    }
}

/// `r_t = ½f + log ρ_t` for the prepared start, plus e_t with `e_0 = −(½f + log ρ_0)` for the plain one (THEORY §4).
fn profiles(torus: &Torus, times: &[f64]) -> Vec<(Snapshot, Vec<f64>)> {
    let zero = vec![0.0; torus.len()];
    let mut operator = operator(torus);
    let f = operator.source().to_vec();
    let mut log_rho0 = zero.clone();
    operator.log_marginal(&zero, &mut log_rho0).unwrap();
    let e0: Vec<f64> = f
        .iter()
        .zip(&log_rho0)
        .map(|(f, l)| -(0.5 * f + l))
        .collect();
    let prepared = |state: &Snapshot| -> Vec<f64> {
        f.iter()
            .zip(&state.log_marginal)
            .map(|(f, l)| 0.5 * f + l)
            .collect()
    };
    tangent_flow(torus, &zero, &e0, times)
        .into_iter()
        .map(|state| {
            let prepared = prepared(&state);
            (state, prepared)
        })
        .collect()
}

/// As t → ∞: `log ρ_t → −f`, so the prepared profile tends to −½f, constant included; e_t tends to a constant,
/// since the constants are the kernel of L, so the plain profile tends to −½f plus that constant. It is not zero.
#[test]
fn profiles_end_at_minus_half_f_up_to_the_constant_of_the_tangent() {
    let torus = torus(&[48]);
    let f = operator(&torus).source().to_vec();
    let mut states = profiles(&torus, &[0.05, 0.1, 1.0]);
    let oscillation = |state: &Snapshot| sup(&centred(state.tangent.as_ref().unwrap()));
    assert!(oscillation(&states[1].0) < 0.3 * oscillation(&states[0].0));
    let (end, prepared) = states.pop().unwrap();
    let minus_half: Vec<f64> = f.iter().map(|f| -0.5 * f).collect();
    // e^{−gap} with gap = 38 (half of THEORY §6's 76.9) is below rounding; the tolerance of p is 1e-11, of e 1e-9.
    assert!(
        sup_difference(&prepared, &minus_half) < 1e-8,
        "{:e}",
        sup_difference(&prepared, &minus_half)
    );
    assert!(oscillation(&end) < 1e-8, "{:e}", oscillation(&end));
    let constant = mean(end.tangent.as_ref().unwrap());
    assert!(constant.abs() > 1e-3, "{constant:e}");
    // Sinkhorn knows the same constant: with `S(ε) = (p^ε − p_t)/ε = r_t + O(ε)`, `2S(ε/2) − S(ε) = r_t + O(ε²)`.
    let scaled = [0.01, 0.005, 0.0025].map(|epsilon| {
        let p = sinkhorn_at(&torus, epsilon, 1.0);
        p.iter()
            .zip(&end.p)
            .map(|(a, b)| (a - b) / epsilon)
            .collect::<Vec<_>>()
    });
    let errors = [0, 1].map(|i| {
        let r = minus_half.iter().map(|r| r + constant);
        let wrong = scaled[i + 1]
            .iter()
            .zip(&scaled[i])
            .zip(r)
            .map(|((half, whole), r)| 2.0 * half - whole - r);
        wrong.fold(0.0, |worst: f64, wrong| worst.max(wrong.abs()))
    });
    assert!((orders(&errors)[0] - 2.0).abs() < 0.2, "{errors:?}");
    assert!(errors[1] < 0.2 * constant.abs(), "{errors:?} {constant}");
}

/// Sinkhorn from the plain start at time t.
fn sinkhorn_at(torus: &Torus, epsilon: f64, time: f64) -> Vec<f64> {
    let g = density(TARGETS[0], 1).on(torus);
    let f = density(SOURCES[0], 1).on(torus);
    let start = vec![0.0; torus.len()];
    let mut sinkhorn = Sinkhorn::new(torus, Kernel::Heat, epsilon, &f, &g, &start).unwrap();
    let iterations = (time / epsilon).round() as usize;
    sinkhorn
        .run(iterations, &mut |_, _| ControlFlow::Continue(()))
        .unwrap();
    sinkhorn.p().to_vec()
}

/// `u'' = 1 − 4π²a cos 2πx` is smallest at x = 0.
#[test]
fn a_start_that_is_not_convex_is_refused_with_place_and_time() {
    let torus = torus(&[32]);
    let start = Waves::new(1, &[(0.05, [1, 0, 0], 0.0)]).on(&torus);
    for stepper in [adaptive(1e-9), explicit(Method::Euler, 1e-5)] {
        let outcome = Flow::new(operator(&torus), stepper, &start)
            .run(&[0.1], &mut |_| ControlFlow::Continue(()));
        let Err(Error::LostConvexity {
            when,
            at,
            eigenvalue,
            ..
        }) = outcome
        else {
            panic!("{outcome:?}")
        };
        assert_eq!(at, [0.0]);
        assert!(when.contains("t = 0"), "{when}");
        assert!(
            (eigenvalue - (1.0 - 0.2 * PI * PI)).abs() < 1e-12,
            "{eigenvalue}"
        );
    }
}

#[test]
fn an_observer_that_breaks_interrupts_the_run() {
    let torus = torus(&[16]);
    let mut steps = 0;
    let outcome = Flow::new(operator(&torus), adaptive(1e-6), &[0.0; 16]).run(&[0.1], &mut |_| {
        steps += 1;
        if steps == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!(steps, 3);
    assert!(
        matches!(outcome, Err(Error::Interrupted { ref when }) if when.contains("t = ")),
        "{outcome:?}"
    );
}

/// A stiff solver: the number of steps is a matter of the solution, not of the grid.
#[test]
fn the_number_of_adaptive_steps_does_not_depend_on_the_grid() {
    let counts = [32, 64, 128].map(|n| count_steps(&[n, n], 1e-7, 0.05));
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(*most as f64 <= 1.2 * *least as f64, "{counts:?}");
}
