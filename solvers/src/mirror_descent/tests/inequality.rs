//! The evolution variational inequality, step by step.

use super::*;

/// Runs a schedule with its inequality checked at every step; returns the terms, by step and comparator.
fn checked_run(case: &Case, schedule: &Schedule, rule: Rule, steps: usize) -> Vec<Vec<Terms>> {
    let mut descent = case.descent();
    let comparators = case.comparators(&mut descent);
    let mut evi = Evi::new(&case.torus, &case.g, comparators, descent.iterate()).unwrap();
    let mut all = Vec::new();
    let mut observe = |taken: &Taken, before: &Iterate, after: &Iterate| {
        let terms = match rule {
            Rule::Explicit => evi.explicit(before, taken.step, after)?,
            Rule::Implicit { .. } => evi.implicit(taken.step, after)?,
        };
        for (terms, comparator) in terms.iter().zip(evi.comparators()) {
            let slack = terms.slack();
            // Rounding, and the residual of an implicit step against e^{-g} and against π_k.
            let residual = match rule {
                Rule::Explicit => 0.0,
                Rule::Implicit { tolerance } => 2.0 * tolerance,
            };
            assert!(
                terms.mass_defect.abs() < 1e-8,
                "{}: {terms:?}",
                comparator.name
            );
            let noise = 1e-12 + 1e-14 / taken.step + residual;
            assert!(
                slack > -noise,
                "{} at {taken:?}: {slack:e}, {terms:?}",
                comparator.name
            );
        }
        all.push(terms);
        Ok(ControlFlow::Continue(()))
    };
    assert_eq!(
        descent.run(schedule, rule, steps, &mut observe).unwrap(),
        steps
    );
    all
}

fn least_slack(all: &[Vec<Terms>]) -> f64 {
    all.iter()
        .flatten()
        .map(Terms::slack)
        .fold(f64::INFINITY, f64::min)
}

fn schedules() -> [Schedule; 4] {
    [
        Schedule::Constant(3e-4),
        Schedule::Harmonic(5e-4),
        Schedule::LogOverT(2e-3),
        Schedule::Adaptive { safety: 0.8 },
    ]
}

#[test]
fn the_inequality_holds_at_every_step_for_every_comparator() {
    for (case, steps) in [(Case::line(), 60), (Case::plane(), 25)] {
        for schedule in schedules() {
            let all = checked_run(&case, &schedule, Rule::Explicit, steps);
            let largest = all
                .iter()
                .flatten()
                .map(|t| t.band_defect.abs())
                .fold(0.0, f64::max);
            println!(
                "d = {} {schedule:?}: least slack {:.2e}, band defect {largest:.1e}, KL {:.3e} → {:.3e}",
                case.torus.dimension(),
                least_slack(&all),
                all[0][0].relative_entropy,
                all[steps - 1][0].relative_entropy
            );
            assert!(all[steps - 1][0].relative_entropy < all[0][0].relative_entropy);
        }
    }
}

#[test]
fn the_inequality_of_implicit_steps_needs_no_curvature_and_no_limit() {
    // No limit on the step, so none on the band either: little is left out.
    for (mut case, band) in [(Case::line(), 24), (Case::plane(), 12)] {
        case.band = band;
        for eta in [1e-3, 1.0] {
            let rule = Rule::Implicit { tolerance: 1e-11 };
            let all = checked_run(&case, &Schedule::Constant(eta), rule, 5);
            println!("η = {eta}: least slack {:.2e}", least_slack(&all));
            let entropies: Vec<f64> = all.iter().map(|t| t[0].relative_entropy).collect();
            assert!(
                entropies.windows(2).all(|w| w[1] <= w[0] + 2e-11),
                "{entropies:?}"
            );
            // Last iterate: KL_T ≤ B_0/(ηT), up to what the band limit leaves out.
            let defect: f64 = all.iter().map(|t| t[0].band_defect.abs()).sum();
            assert!(entropies[4] <= all[0][0].bregman / (5.0 * eta) + defect);
        }
    }
}

/// A start from which one step leads to the identity, where ∇²ψ = 1 and the inequality is an equality: f is what makes `h∘∇ψ_0 = q_0/η + c`.
fn tight(points: &[usize], eta: f64) -> (Case, Arc<Sampled>, Vec<f64>) {
    let g = if points.len() == 1 {
        "0.3*sin(2*pi*x)"
    } else {
        "0.3*sin(2*pi*(x - y))"
    };
    let mut case = Case::new(points, 1, "0", g);
    let (torus, d) = (case.torus.clone(), points.len());
    let target = density(g, d);
    let wave = |x: f64| 0.004 * (2.0 * PI * x).cos();
    let q: Vec<f64> = (0..torus.len())
        .map(|i| torus.node(i).into_iter().map(wave).sum())
        .collect();
    let inverse = conjugate(&torus, &q).unwrap().displacement;
    let mut y = torus.nodes();
    for (y, shift) in y.iter_mut().zip(&inverse) {
        y.iter_mut().zip(shift).for_each(|(y, shift)| *y += shift);
    }
    let mut jet = crate::density::Jet::zeros(d, torus.len(), Order::Value);
    target.jet(&y, &mut jet);
    let mut f: Vec<f64> = (0..torus.len())
        .map(|i| {
            let along = |y: &Vec<f64>| wave(y[i]) / eta + (1.0 - 4.0 * PI * PI * wave(y[i])).ln();
            jet.value[i] + y.iter().map(along).sum::<f64>()
        })
        .collect();
    let mass = mean_of(f.len(), |i| (-f[i]).exp());
    f.iter_mut().for_each(|f| *f += mass.ln());
    case.g = target.on(&torus);
    (case, Arc::new(Sampled::new(&torus, &f, Order::Gradient)), q)
}

#[test]
fn the_inequality_is_an_equality_where_the_step_ends_at_constant_curvature_and_a_broken_xi_is_caught_there()
 {
    for points in [&[96][..], &[40, 40][..]] {
        let eta = 0.015;
        let (case, f, q) = tight(points, eta);
        let mut descent = Descent::new(&case.torus, f, &case.g, 1, &q).unwrap();
        let comparators = case.comparators(&mut descent);
        let mut evi = Evi::new(&case.torus, &case.g, comparators, descent.iterate()).unwrap();
        let before = descent.iterate().clone();
        descent.step(eta).unwrap();
        let terms = evi.explicit(&before, eta, descent.iterate()).unwrap();
        for (terms, comparator) in terms.iter().zip(evi.comparators()) {
            println!(
                "{}: slack {:.2e} of {:.3e}, left {:.3e}",
                comparator.name,
                terms.slack(),
                terms.curvature(),
                terms.left()
            );
            assert!(
                terms.slack().abs() < 1e-11,
                "{}: {:e}",
                comparator.name,
                terms.slack()
            );
            let broken = Terms {
                xi_square: 0.81 * terms.xi_square,
                ..*terms
            };
            assert!(
                broken.slack() < -1e-4,
                "{}: {:e}",
                comparator.name,
                broken.slack()
            );
        }
    }
}

#[test]
fn a_broken_xi_is_also_caught_along_an_ordinary_run_between_nearly_uniform_densities() {
    let case = Case::new(&[32], 4, "0.03*cos(2*pi*x)", "0.03*sin(2*pi*x)");
    let all = checked_run(
        &case,
        &Schedule::Adaptive { safety: 0.9 },
        Rule::Explicit,
        10,
    );
    for comparator in 0..all[0].len() {
        let broken = all.iter().map(|t| Terms {
            xi_square: 0.81 * t[comparator].xi_square,
            ..t[comparator]
        });
        let worst = broken.map(|t| t.slack()).fold(f64::INFINITY, f64::min);
        assert!(worst < -1e-8, "comparator {comparator}: {worst:e}");
    }
}

/// The terms again from densities at the nodes x, with maps from Legendre transforms.
#[test]
fn terms_agree_with_their_definitions_on_the_other_side() {
    for case in [Case::line(), Case::plane()] {
        let (torus, n) = (&case.torus, case.torus.len());
        let mut descent = case.descent();
        let comparators = case.comparators(&mut descent);
        for _ in 0..5 {
            descent.step(0.5 * descent.limit()).unwrap();
        }
        let mut evi = Evi::new(torus, &case.g, comparators, descent.iterate()).unwrap();
        let before = descent.iterate().clone();
        let eta = 0.5 * descent.limit();
        descent.step(eta).unwrap();
        let terms = evi.explicit(&before, eta, descent.iterate()).unwrap();
        let minus_f: Vec<f64> = case.f.on(torus).iter().map(|f| -f).collect();
        let log_rho = case.log_density(&before.q);
        let mut xi = vec![vec![0.0; n]; torus.dimension()];
        Spectral::new(torus).gradient(&before.direction, &mut xi);
        let fields: Vec<&[f64]> = xi.iter().map(Vec::as_slice).collect();
        let mut points = torus.nodes();
        for (x, shift) in points
            .iter_mut()
            .zip(&conjugate(torus, &before.q).unwrap().displacement)
        {
            x.iter_mut().zip(shift).for_each(|(x, shift)| *x += shift);
        }
        let mut at = xi.clone();
        Interpolant::new(torus, &fields).evaluate(
            &points,
            &mut at.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>(),
        );
        for (terms, comparator) in terms.iter().zip(evi.comparators()) {
            let log_pi = &comparator.log_density;
            let square = mean_of(n, |i| {
                log_pi[i].exp() * at.iter().map(|v| v[i] * v[i]).sum::<f64>()
            });
            let minus_g: Vec<f64> = case.g.iter().map(|g| -g).collect();
            let bregman =
                |q: &[f64]| bregman_divergence(torus, &minus_g, &comparator.q, q).unwrap();
            for (name, found, exact) in [
                (
                    "KL(ρ|f)",
                    terms.relative_entropy,
                    relative_entropy(&log_rho, &minus_f),
                ),
                (
                    "KL(π|f)",
                    terms.comparator_entropy,
                    relative_entropy(log_pi, &minus_f),
                ),
                (
                    "KL(π|ρ)",
                    terms.divergence,
                    relative_entropy(log_pi, &log_rho),
                ),
                ("∫|ξ|²dπ_k", terms.xi_square, square),
                ("B_k", terms.bregman, bregman(&before.q)),
                ("B_{k+1}", terms.bregman_next, bregman(&descent.iterate().q)),
            ] {
                let gap = (found - exact).abs() / (1e-3 + exact.abs());
                println!("d = {} {name}: {gap:.1e}", torus.dimension());
                assert!(gap < 1e-8, "{} {name}: {found} {exact}", comparator.name);
            }
        }
    }
}
