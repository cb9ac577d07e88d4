//! Mirror descent between Gaussians: its recursions, its limits, its inequality and its bounds.

use super::matrix::congruence;
use super::problem::diagonal;
use super::samples::{distance, scalar, spd};
use super::*;
use crate::mirror_descent::Schedule;
use faer::Scale;

fn problem(d: usize) -> Gaussian {
    Gaussian::new(&spd(d, 11, 9.0), &spd(d, 12, 6.0)).unwrap()
}

fn comparators(problem: &Gaussian) -> Vec<Comparator> {
    let d = problem.dimension();
    let others = [spd(d, 31, 5.0), Scale(2.0) * spd(d, 32, 9.0)];
    let others = others.map(|pi| Comparator::new(problem, &pi).unwrap());
    std::iter::once(Comparator::source(problem))
        .chain(others)
        .collect()
}

#[test]
fn explicit_steps_are_their_recursion_and_name_the_step_that_breaks_it() {
    let problem = problem(4);
    let start = problem.potential(&spd(4, 3, 3.0)).unwrap();
    let mut descent = MirrorDescent::new(&start);
    let (f, g) = (
        inverse(problem.sigma()).unwrap(),
        inverse(problem.theta()).unwrap(),
    );
    let mut q = start.dual();
    let schedule = Schedule::Harmonic(0.4);
    for k in 0..30 {
        let gradient = congruence(q.as_ref(), f.as_ref()) - &g;
        assert!(distance(&descent.gradient(), &gradient) < 1e-12);
        let eta = schedule.step(k, 30, f64::NAN);
        q -= Scale(eta) * gradient;
        descent.step(eta).unwrap();
        assert!(distance(&descent.dual(), &q) < 1e-13);
        assert!(distance(&descent.potential().unwrap().dual(), &q) < 1e-12);
    }
    // Q₀ too large: the first step is limited, sharply.
    let wide = problem.potential(&(Scale(0.2) * spd(4, 3, 3.0))).unwrap();
    let limit = MirrorDescent::new(&wide).largest_step().unwrap();
    MirrorDescent::new(&wide).step(limit * 0.999_999).unwrap();
    let mut broken = MirrorDescent::new(&wide);
    let text = broken.step(limit * 1.000_001).unwrap_err().to_string();
    assert!(
        text.contains(&format!("use η < {limit:.6e}")) && text.contains("iteration 1"),
        "{text}"
    );
    assert_eq!(broken.iterations(), 0);
    // Q₀ small: no step is too long, yet η must not be negative.
    let narrow = problem.potential(&(Scale(20.0) * spd(4, 3, 3.0))).unwrap();
    let narrow = MirrorDescent::new(&narrow);
    assert_eq!(narrow.largest_step().unwrap(), f64::INFINITY);
    assert_eq!(narrow.limit().unwrap(), narrow.stable_step());
    for error in [broken.step(-1.0), broken.implicit_step(0.0)] {
        assert!(error.unwrap_err().to_string().contains("η > 0"));
    }
}

/// `Q' + η(Q'Σ^{-1}Q' − Θ^{-1}) = Q` to rounding, for any η, and the deviation is relative to itself.
#[test]
fn implicit_steps_solve_their_equation_whatever_the_step() {
    let problem = problem(4);
    let (f, g) = (
        inverse(problem.sigma()).unwrap(),
        inverse(problem.theta()).unwrap(),
    );
    for eta in [1e-9, 1e-3, 0.3, 40.0, 1e6] {
        let start = problem.potential(&spd(4, 3, 3.0)).unwrap();
        let mut descent = MirrorDescent::new(&start);
        for _ in 0..5 {
            let before = descent.dual();
            descent.implicit_step(eta).unwrap();
            let q = descent.dual();
            let gradient = congruence(q.as_ref(), f.as_ref()) - &g;
            let back = &q + Scale(eta) * gradient;
            assert!(
                distance(&back, &before) < 1e-13 * (1.0 + eta),
                "η = {eta}: {:.1e}",
                distance(&back, &before)
            );
        }
    }
    // Far along, where Q_k is Q_∞ to rounding, V still contracts by 1/(1 + η(m_i + m_j)) entry by entry.
    let m = problem.rates().to_vec();
    let start = problem.potential(&spd(4, 3, 3.0)).unwrap();
    let mut descent = MirrorDescent::new(&start);
    (0..200).for_each(|_| descent.implicit_step(0.3).unwrap());
    let before = descent.deviation.clone();
    assert!(before.norm_max() < 1e-20);
    descent.implicit_step(0.3).unwrap();
    let expected = Mat::from_fn(4, 4, |i, j| before[(i, j)] / (1.0 + 0.3 * (m[i] + m[j])));
    let error = distance(&descent.deviation, &expected) / expected.norm_max();
    assert!(error < 1e-12, "{error:.1e}");
}

#[test]
fn a_constant_step_converges_up_to_the_stable_one() {
    let problem = problem(3);
    let deviation = |factor: f64| {
        let near = problem.brenier() + Scale(1e-6) * spd(3, 3, 3.0);
        let mut descent = MirrorDescent::new(&problem.potential(&near).unwrap());
        let before = descent.deviation().norm_l2();
        for _ in 0..200 {
            descent.step(factor * descent.stable_step()).unwrap();
        }
        descent.deviation().norm_l2() / before
    };
    assert!(deviation(0.97) < 0.1 && deviation(1.03) > 10.0);
}

/// Against the general formulas for KL and for B_g, which share nothing with the closed forms of a comparator.
#[test]
fn a_comparator_agrees_with_the_general_formulas() {
    for d in [1, 3, 20] {
        let problem = problem(d);
        let mut descent = MirrorDescent::new(&problem.potential(&spd(d, 3, 4.0)).unwrap());
        descent.step(0.1).unwrap();
        let (iterate, potential) = (descent.iterate().unwrap(), descent.potential().unwrap());
        for pi in comparators(&problem) {
            let covariance = pi.covariance();
            let close = |a: f64, b: f64| approx::assert_relative_eq!(a, b, max_relative = 1e-11);
            close(pi.bregman(&iterate), potential.bregman(covariance).unwrap());
            let separation = relative_entropy(covariance, &potential.covariance()).unwrap();
            close(pi.separation(&iterate), separation);
            let (definition, size) = pi.bregman_by_definition(&iterate, problem.theta());
            assert!((definition - pi.bregman(&iterate)).abs() < 1e-14 * size * d as f64);
        }
        let (values, _) = eigen(&descent.dual()).unwrap();
        assert_eq!(
            (iterate.least, iterate.greatest),
            (values[0], values[d - 1])
        );
    }
}

fn evi(rule: &str, descent: &mut MirrorDescent<'_>, pis: &[Comparator], eta: f64) -> Vec<Evi> {
    let before = descent.iterate().unwrap();
    if rule == "explicit" {
        descent.step(eta).unwrap();
    } else {
        descent.implicit_step(eta).unwrap();
    }
    let after = descent.iterate().unwrap();
    let terms = match rule {
        "explicit" => Evi::explicit,
        _ => Evi::implicit,
    };
    pis.iter()
        .map(|pi| terms(&before, &after, pi, eta))
        .collect()
}

/// The identity holds for every Π, η and k; the explicit inequality is strict unless its curvature term is sharp.
#[test]
fn evi_is_an_identity_in_the_metric_of_a_potential() {
    for (d, rule) in [1, 3, 20]
        .into_iter()
        .flat_map(|d| [(d, "explicit"), (d, "implicit")])
    {
        let problem = problem(d);
        let pis = comparators(&problem);
        let start = Scale(1.5) * spd(d, 3, 4.0);
        let mut descent = MirrorDescent::new(&problem.potential(&start).unwrap());
        let mut worst: f64 = 0.0;
        for k in 0..20 {
            let eta = 0.2 / (1.0 + k as f64);
            for terms in evi(rule, &mut descent, &pis, eta) {
                let scale = (terms.bregman + terms.next_bregman) / eta
                    + terms.iterate
                    + terms.comparator
                    + terms.separation;
                worst = worst.max(terms.defect().abs() / scale);
                let slack = terms.slack();
                if rule == "explicit" {
                    let bound = terms.gradient / terms.convexity;
                    assert!(terms.metric_gradient <= bound * (1.0 + 1e-12));
                    assert!(if d == 1 {
                        slack.abs() < 1e-12 * scale
                    } else {
                        slack > -1e-12 * scale
                    });
                    assert!(d == 1 || k > 0 || slack > 1e-3, "{slack}");
                } else {
                    assert!(k > 0 || slack > 1e-3, "{slack}");
                }
                // ξ times 0.9
                let broken = Evi {
                    metric_gradient: 0.81 * terms.metric_gradient,
                    ..terms
                };
                assert!(broken.defect().abs() > 1e-6 * scale || k > 0);
            }
        }
        println!("d = {d}, {rule}: largest defect {worst:.1e}");
        assert!(worst < 1e-14 * (d as f64).sqrt(), "{d} {rule}: {worst:.1e}");
    }
    // isotropic problem, any comparator: equality
    let isotropic = |v: f64| diagonal(&[v; 3]);
    let problem = Gaussian::new(&isotropic(2.0), &isotropic(0.5)).unwrap();
    let mut descent = MirrorDescent::new(&problem.identity().unwrap());
    let pi = Comparator::new(&problem, &spd(3, 31, 5.0)).unwrap();
    let terms = evi("explicit", &mut descent, &[pi], 0.2);
    assert!(terms[0].slack().abs() < 1e-13, "{terms:?}");
}

/// Against e^{-f} every term keeps its digits where KL is 1e-60.
#[test]
fn the_identity_keeps_its_digits_to_the_end() {
    let problem = problem(3);
    let source = [Comparator::source(&problem)];
    for rule in ["explicit", "implicit"] {
        let mut descent = MirrorDescent::new(&problem.identity().unwrap());
        let eta = 0.4 * descent.limit().unwrap();
        let mut last = f64::INFINITY;
        for _ in 0..400 {
            let terms = evi(rule, &mut descent, &source, eta).remove(0);
            let scale = terms.bregman / eta + terms.iterate + terms.separation;
            assert!(terms.defect().abs() < 1e-13 * scale, "{rule}: {terms:?}");
            last = terms.iterate;
        }
        println!("{rule}: last KL {last:.1e}");
        assert!(last < 1e-60, "{rule}: {last:.1e}");
    }
}

/// The average over T steps of size η is at most `B₀/ηT + ηG²/2m`, and section 7's schedules all reach the end.
#[test]
fn regret_is_within_the_bound_for_every_schedule() {
    let problem = problem(3);
    let start = problem.identity().unwrap();
    let source = [Comparator::source(&problem)];
    let steps = 400;
    let schedules = [
        Schedule::Constant(0.1),
        Schedule::Harmonic(0.5),
        Schedule::LogOverT(1.0),
        Schedule::Adaptive { safety: 0.5 },
    ];
    for schedule in schedules {
        let mut descent = MirrorDescent::new(&start);
        let (mut weighted, mut bound) = (0.0, start.bregman_to_source());
        for k in 0..steps {
            let eta = schedule.step(k, steps, descent.limit().unwrap());
            let terms = evi("explicit", &mut descent, &source, eta).remove(0);
            weighted += eta * (terms.iterate + terms.separation);
            bound += 0.5 * eta * eta * terms.gradient / terms.convexity;
        }
        let last = descent.potential().unwrap();
        println!(
            "{schedule:?}: Σ η(KL + KL') {weighted:.4e} ≤ {bound:.4e}, last KL {:.1e}",
            last.relative_entropy().unwrap()
        );
        assert!(weighted <= bound * (1.0 + 1e-12));
        assert!(last.relative_entropy().unwrap() < start.relative_entropy().unwrap() / 10.0);
    }
}

/// `Q_T → Q_t` at order 1 in η = t/T from opposite sides: their mean is of order 2.
#[test]
fn both_rules_approach_the_riccati_flow_from_opposite_sides() {
    let problem = problem(3);
    let start = problem.identity().unwrap();
    let t = 0.5;
    let exact = ParabolicFlow::new(start.clone()).at(t).unwrap().dual();
    let run = |steps: usize| {
        let (mut one, mut other) = (MirrorDescent::new(&start), MirrorDescent::new(&start));
        for _ in 0..steps {
            one.step(t / steps as f64).unwrap();
            other.implicit_step(t / steps as f64).unwrap();
        }
        let (one, other) = (one.dual() - &exact, other.dual() - &exact);
        let mean = Scale(0.5) * (&one + &other);
        [one, other, mean].map(|x| x.norm_max())
    };
    let (coarse, fine) = (run(512), run(1024));
    let order = |i: usize| (coarse[i] / fine[i]).log2();
    println!("orders {:.4} {:.4} {:.4}", order(0), order(1), order(2));
    for (i, expected) in [1.0, 1.0, 2.0].into_iter().enumerate() {
        assert!((order(i) - expected).abs() < 0.02);
    }
}

/// On R the explicit step is the number recursion, and the implicit one the root of a quadratic.
#[test]
fn one_dimension_is_elementary() {
    let (s, theta, eta) = (0.7, 1.9, 0.25);
    let problem = Gaussian::new(&scalar(s), &scalar(theta)).unwrap();
    let mut explicit = MirrorDescent::new(&problem.identity().unwrap());
    let mut implicit = explicit.clone();
    explicit.step(eta).unwrap();
    implicit.implicit_step(eta).unwrap();
    let plain = 1.0 - eta * (1.0 / s - 1.0 / theta);
    let c = 1.0 + eta / theta;
    let root = ((1.0 + 4.0 * eta / s * c).sqrt() - 1.0) * s / (2.0 * eta);
    approx::assert_relative_eq!(explicit.dual()[(0, 0)], plain, max_relative = 1e-14);
    approx::assert_relative_eq!(implicit.dual()[(0, 0)], root, max_relative = 1e-14);
}
