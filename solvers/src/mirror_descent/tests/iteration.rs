//! The iteration against the flow, and what it refuses.

use super::*;

/// sup |log ρ − log ρ_t| of `steps` steps to a fixed time, and their orders.
fn orders(case: &Case, rule: Rule, steps: [usize; 3]) -> [f64; 2] {
    let time = 0.01;
    let exact = case.log_density(&case.flow(&[time])[0]);
    let error = |steps: usize| {
        let mut descent = case.descent();
        let schedule = Schedule::Constant(time / steps as f64);
        descent
            .run(&schedule, rule, steps, &mut |_, _, _| {
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        sup_difference(&case.log_density(&descent.iterate().q), &exact)
    };
    let errors = steps.map(error);
    println!("{rule:?}: errors {errors:?}");
    [
        (errors[0] / errors[1]).log2(),
        (errors[1] / errors[2]).log2(),
    ]
}

#[test]
fn both_rules_converge_to_the_flow_at_order_one() {
    let case = Case::line();
    let implicit = Rule::Implicit { tolerance: 1e-11 };
    for (rule, steps) in [(Rule::Explicit, [40, 80, 160]), (implicit, [40, 80, 160])] {
        let found = orders(&case, rule, steps);
        println!("{rule:?}: orders {found:?}");
        assert!(
            (found[1] - 1.0).abs() < 0.05 && (found[0] - 1.0).abs() < 0.1,
            "{found:?}"
        );
    }
}

#[test]
fn implicit_steps_are_stable_far_past_the_limit_and_arrive_at_the_optimal_map() {
    for case in [Case::line(), Case::plane()] {
        let calculus = Box::new(Spectral::new(&case.torus));
        let mut elliptic = MongeAmpere::from_values(case.g.clone(), case.f.clone(), calculus);
        let exact = solve_elliptic(&mut elliptic, &vec![0.0; case.torus.len()], 1e-11).unwrap();
        for (factor, steps) in [(30.0, 60), (1e4, 8)] {
            let mut descent = case.descent();
            let eta = factor * descent.limit();
            for _ in 0..steps {
                let taken = descent.implicit_step(eta, 1e-11).unwrap();
                assert!(taken.newton_steps <= 12, "{taken:?}");
            }
            let Iterate { q, direction, .. } = descent.iterate();
            let spread = |v: &[f64]| -> f64 {
                let mean = crate::parallel::mean(v);
                crate::parallel::max_of(v.len(), |i| (v[i] - mean).abs())
            };
            let apart: Vec<f64> = q.iter().zip(&exact.p).map(|(q, p)| q - p).collect();
            println!(
                "η = {factor} limits: P_K h to {:.1e}, map to {:.1e}",
                spread(direction),
                spread(&apart)
            );
            assert!(spread(direction) < 1e-9, "stationary on the band");
            assert!(
                spread(&apart) < 2e-5,
                "the optimal map but for the modes left out"
            );
        }
    }
}

#[test]
fn a_step_past_the_limit_is_refused_with_the_limit_named_and_the_iterate_kept() {
    let case = Case::line();
    let mut descent = case.descent();
    let limit = 2.0 / (4.0 * PI * PI * 64.0);
    approx::assert_relative_eq!(descent.limit(), limit, max_relative = 1e-12);
    let before = descent.iterate().clone();
    for step in [1.01 * limit, 0.0, -1e-4, f64::NAN] {
        let refused = descent.step(step).unwrap_err();
        assert!(
            matches!(refused, Error::DescentStep { iteration: 0, band: 8, limit: named, .. } if named == descent.limit())
        );
        assert!(
            refused.to_string().contains(&format!("{limit:.3e}")),
            "{refused}"
        );
    }
    assert_eq!(*descent.iterate(), before);
    assert!(matches!(
        descent.implicit_step(-1.0, 1e-10),
        Err(Error::DescentStep { .. })
    ));
    let schedule = Schedule::List(vec![2e-4, 3e-4, 5.0]);
    let stopped = descent.run(&schedule, Rule::Explicit, 9, &mut |_, _, _| {
        Ok(ControlFlow::Continue(()))
    });
    assert!(matches!(
        stopped,
        Err(Error::DescentStep {
            iteration: 2,
            step: 5.0,
            ..
        })
    ));
    assert_eq!(descent.iteration(), 2);
    descent.step(1e-4).unwrap();
}

/// Steep densities: a step within the linear limit still leaves the convex potentials.
#[test]
fn where_convexity_is_lost_the_last_good_iterate_is_kept() {
    let case = Case::new(&[64], 1, "30*cos(2*pi*x)", "0");
    let mut descent = case.descent();
    let before = descent.iterate().clone();
    let lost = descent.step(0.9 * descent.limit()).unwrap_err();
    assert!(
        matches!(&lost, Error::During { error, .. } if matches!(**error, Error::LostConvexity { .. })),
        "{lost}"
    );
    assert_eq!(*descent.iterate(), before);
    assert_eq!(descent.iteration(), 0);
    descent.step(1e-3 * descent.limit()).unwrap();
    assert!(descent.iterate().convexity > 0.5);
}

#[test]
fn iterates_stay_in_the_band() {
    let case = Case::plane();
    let mut descent = case.descent();
    descent.step(0.9 * descent.limit()).unwrap();
    descent.implicit_step(0.1, 1e-10).unwrap();
    let mut projected = descent.iterate().q.clone();
    let mut band = Spectral::band_limited(&case.torus, case.band).unwrap();
    band.project(&mut projected);
    assert!(sup_difference(&projected, &descent.iterate().q) < 1e-15);
    assert!(sup(&projected) > 1e-3);
}

/// `dB/dt = −[KL(ρ_t|e^{-f}) + KL(e^{-f}|ρ_t)]` and `(1/T)∫KL ≤ B_0/T` for π = e^{-f} along the flow.
#[test]
fn the_bregman_divergence_falls_along_the_flow_by_both_relative_entropies() {
    let mut case = Case::line();
    case.band = 24;
    let h = 1e-4;
    let mut times = vec![];
    for t in [0.004, 0.012, 0.03] {
        times.extend([-2.0, -1.0, 0.0, 1.0, 2.0].map(|k| t + k * h));
    }
    let flow = case.flow(&times);
    let mut descent = case.descent();
    let pi = case.comparators(&mut descent).swap_remove(0);
    let minus_g: Vec<f64> = case.g.iter().map(|g| -g).collect();
    for around in flow.chunks(5) {
        let b: Vec<f64> = around
            .iter()
            .map(|q| bregman_divergence(&case.torus, &minus_g, &pi.q, q).unwrap())
            .collect();
        let slope = (b[0] - 8.0 * b[1] + 8.0 * b[3] - b[4]) / (12.0 * h);
        let log_rho = case.log_density(&around[2]);
        let exact = -relative_entropy(&log_rho, &pi.log_density)
            - relative_entropy(&pi.log_density, &log_rho);
        println!("B {:.3e}: dB/dt {slope:.9} against {exact:.9}", b[2]);
        assert!(
            (slope - exact).abs() < 1e-6 * exact.abs(),
            "{slope} {exact}"
        );
    }
    // Average: Simpson's rule over [0, 0.04].
    let n = 40;
    let times: Vec<f64> = (1..=n).map(|k| 0.04 * k as f64 / n as f64).collect();
    let mut entropies = vec![relative_entropy(
        &case.log_density(&vec![0.0; case.torus.len()]),
        &pi.log_density,
    )];
    entropies.extend(
        case.flow(&times)
            .iter()
            .map(|q| relative_entropy(&case.log_density(q), &pi.log_density)),
    );
    let start =
        bregman_divergence(&case.torus, &minus_g, &pi.q, &vec![0.0; case.torus.len()]).unwrap();
    for last in (2..=n).step_by(2) {
        let weight = |k: usize| {
            if k == 0 || k == last {
                1.0
            } else if k % 2 == 1 {
                4.0
            } else {
                2.0
            }
        };
        let total: f64 = (0..=last).map(|k| weight(k) * entropies[k]).sum();
        let integral = total * 0.04 / n as f64 / 3.0;
        assert!(integral < start, "{integral} {start}");
        assert!(entropies[last] <= entropies[last - 2]);
        if last == n {
            println!("∫KL {integral:.6e} of B_0 {start:.6e}");
            assert!(integral > 0.3 * start, "the bound says something");
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let case = Case::plane();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let mut descent = case.descent();
            let comparators = vec![case.comparators(&mut descent).swap_remove(3)];
            let mut evi = Evi::new(&case.torus, &case.g, comparators, descent.iterate()).unwrap();
            let before = descent.iterate().clone();
            let taken = descent.step(3e-4).unwrap();
            let explicit = evi.explicit(&before, taken.step, descent.iterate());
            descent.implicit_step(1e-2, 1e-10).unwrap();
            let implicit = evi.implicit(1e-2, descent.iterate()).unwrap();
            (explicit.unwrap(), implicit, descent.iterate().clone())
        })
    };
    let once = on(1);
    assert!(once.0[0].slack() > 0.0);
    assert_eq!(once, on(2));
    assert_eq!(once, on(3));
}
