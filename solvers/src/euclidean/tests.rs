//! The numerics against closed forms, against quadrature, and against each other.

use super::*;
use crate::density::Formula;
use crate::time::{Method, Stepper, System};

fn problem(objective: &str, mirror: Mirror, start: &[f64]) -> Euclidean {
    let objective = Formula::parse(objective, start.len()).unwrap();
    Euclidean::new(objective, mirror, start).unwrap()
}

fn formula(text: &str, dimension: usize) -> Mirror {
    Mirror::Formula(Box::new(Formula::parse(text, dimension).unwrap()))
}

const TIGHT: Stepper = Stepper::Adaptive { tolerance: 1e-13 };

const BOTH: [Coordinate; 2] = [Coordinate::Mirror, Coordinate::Primal];

fn named() -> [Mirror; 3] {
    [Mirror::Quadratic(1), Mirror::Quartic, Mirror::Reciprocal]
}

#[test]
fn the_three_closed_forms_are_met_in_both_coordinates_to_1e_10() {
    let times = [0.25, 1.0, 3.0, 5.5, 5.99, 6.5, 9.0];
    let written = [formula("x^2/2", 1), formula("x^4", 1), formula("1/x", 1)];
    for (named, written) in named().into_iter().zip(written) {
        for start in [1.0, 0.8] {
            for mirror in [named.clone(), written.clone()] {
                let problem = problem("x^2/2 + 3", mirror, &[start]);
                let line = Line::of(&problem).unwrap();
                for coordinate in BOTH {
                    let path = flow(&problem, Some(&line), coordinate, TIGHT, &times).unwrap();
                    for (&t, x) in times.iter().zip(&path.x) {
                        let error = (x[0] - named.exact(start, t).unwrap()).abs();
                        assert!(
                            error < 1e-10,
                            "{named:?} {coordinate:?} {start} {t}: {error:e}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_arrival_of_the_quartic_mirror_is_seen_and_the_flow_rests() {
    let problem = problem("x^2/2", Mirror::Quartic, &[-2.0]);
    let line = Line::of(&problem).unwrap();
    let Ending::Finite { power, time } = line.ending() else {
        panic!("{:?}", line.ending());
    };
    assert!(
        (power - 2.0).abs() < 1e-7 && (time - 24.0).abs() < 1e-10,
        "{power} {time}"
    );
    for coordinate in BOTH {
        let path = flow(&problem, Some(&line), coordinate, TIGHT, &[1.0, 23.9, 24.1]).unwrap();
        assert!((path.arrival.unwrap() - 24.0).abs() < 1e-9, "{path:?}");
        assert_eq!(path.x[2], [0.0, 0.0]);
        let early = flow(&problem, Some(&line), coordinate, TIGHT, &[1.0]).unwrap();
        assert_eq!(early.arrival, None);
    }
}

#[test]
fn endings_are_those_of_the_closed_forms_and_of_other_objectives() {
    let ending = |objective: &str, mirror: Mirror, start: f64| {
        let line = Line::of(&problem(objective, mirror, &[start])).unwrap();
        (line.end(), line.ending())
    };
    let exponential = |found: (Option<f64>, Ending), end: f64, expected: f64| {
        let Ending::Exponential { rate } = found.1 else {
            panic!("{found:?}");
        };
        assert!((rate / expected - 1.0).abs() < 1e-6, "{rate} {expected}");
        assert!((found.0.unwrap() - end).abs() < 1e-14, "{found:?}");
    };
    let algebraic = |found: (Option<f64>, Ending), expected: f64| {
        let Ending::Algebraic { exponent } = found.1 else {
            panic!("{found:?}");
        };
        assert!((exponent - expected).abs() < 1e-6, "{exponent}");
        assert_eq!(found.0, Some(0.0));
    };
    exponential(ending("x^2/2", Mirror::Quadratic(1), 1.0), 0.0, 1.0);
    exponential(ending("x^2/2", Mirror::Quadratic(1), -0.7), 0.0, 1.0);
    algebraic(ending("x^2/2", Mirror::Reciprocal, 1.0), -1.0 / 3.0);
    algebraic(ending("x^4/4", Mirror::Quadratic(1), 1.0), -0.5);
    algebraic(ending("x^2/2", formula("x*log(x)", 1), 2.0), -1.0);
    // Burg's entropy and a minimiser that it does not reach.
    algebraic(ending("(x + 1)^2/2", formula("-log(x)", 1), 2.0), -1.0);
    exponential(
        ending("(x - 1/3)^2", formula("x*log(x)", 1), 2.0),
        1.0 / 3.0,
        2.0 / 3.0,
    );
    assert_eq!(
        ending("exp(-x)", Mirror::Quadratic(1), 0.0).1,
        Ending::Unknown
    );
}

#[test]
fn quadrature_agrees_with_the_steppers() {
    for (objective, mirror, start) in [
        ("x^2/2", Mirror::Quartic, 1.0),
        ("x^2/2", Mirror::Reciprocal, 1.0),
        ("x - log(x)", formula("x*log(x)", 1), 4.0),
        ("cosh(x - 0.3)", formula("exp(x) + x^2", 1), -1.0),
        ("exp(-x)", formula("x^2/2 + x^4", 1), 0.1),
    ] {
        let problem = problem(objective, mirror, &[start]);
        let line = Line::of(&problem).unwrap();
        let times = [0.1, 0.7, 2.0];
        let path = flow(&problem, Some(&line), Coordinate::Mirror, TIGHT, &times).unwrap();
        for (&t, x) in times.iter().zip(&path.x) {
            let (found, error) = line.time_to(x[0]);
            assert!(
                (found - t).abs() < 1e-11 && error < 1e-11,
                "{objective}: {found} {t} {error}"
            );
        }
    }
}

/// A separable problem in the plane is two problems on the line; a rotated one is the same path, rotated.
#[test]
fn the_plane_contains_the_line() {
    let u = |s: &str| format!("exp({s}) + ({s})^2");
    let (c, s) = (0.8, 0.6);
    let [a, b] = [format!("({c}*x + {s}*y)"), format!("({c}*y - {s}*x)")];
    let turned = problem(
        &format!("cosh({a}) + ({b} - 1)^2"),
        formula(&format!("{} + {b}^4 + {b}^2", u(&a)), 2),
        &[c - s * 0.5, s + c * 0.5],
    );
    let first = problem("cosh(x)", formula(&u("x"), 1), &[1.0]);
    let second = problem("(x - 1)^2", formula("x^4 + x^2", 1), &[0.5]);
    let times = [0.3, 1.0];
    let on_line = |p: &Euclidean| flow(p, None, Coordinate::Mirror, TIGHT, &times).unwrap().x;
    let (first, second) = (on_line(&first), on_line(&second));
    for coordinate in BOTH {
        let path = flow(&turned, None, coordinate, TIGHT, &times).unwrap();
        for (k, x) in path.x.iter().enumerate() {
            let (a, b) = (first[k][0], second[k][0]);
            let expected = [c * a - s * b, s * a + c * b];
            assert!(distance(*x, expected) < 1e-11, "{x:?} {expected:?}");
        }
    }
}

#[test]
fn orders_of_every_stepper_in_both_coordinates() {
    let problem = problem(
        "x^2/2 + x*y/3 + exp(y)",
        formula("x^4 + x^2 + y^2 + exp(x - y)", 2),
        &[1.0, 1.0],
    );
    for coordinate in BOTH {
        let at = |stepper| flow(&problem, None, coordinate, stepper, &[1.0]).unwrap().x[0];
        let exact = at(TIGHT);
        for (order, counts) in [(1.0, [64, 128]), (4.0, [16, 32]), (5.0, [8, 16])] {
            let [coarse, fine] = counts.map(|count| {
                let step = 1.0 / f64::from(count);
                let explicit = |method| Stepper::Explicit { method, step };
                let stepper = match order {
                    1.0 => explicit(Method::Euler),
                    4.0 => explicit(Method::RungeKutta4),
                    _ => Stepper::Fixed {
                        step,
                        tolerance: 1e-13,
                    },
                };
                distance(at(stepper), exact)
            });
            let found = (coarse / fine).log2();
            assert!(
                (found - order).abs() < 0.4,
                "{coordinate:?} {order}: {found}"
            );
        }
    }
}

#[test]
fn jacobians_are_those_of_the_rates() {
    let problem = problem(
        "x^2/2 + x*y/3 + exp(y)",
        formula("x^4 + x^2 + y^2 + exp(x - y)", 2),
        &[1.0, 0.4],
    );
    let theta = problem.mirror().at(problem.start()).gradient;
    let mut mirror = MirrorFlow::new(&problem);
    let mut primal = PrimalFlow::new(&problem);
    let systems: [(&mut dyn System, [f64; 2]); 2] =
        [(&mut mirror, theta), (&mut primal, problem.start())];
    for (system, y) in systems {
        let mut rate = [0.0; 2];
        system.linearise(&y, &mut rate).unwrap();
        // (1 − cJ)k = r for large c: k ≈ −J^{-1}r/c, so J k = (k − r)/c exactly.
        let (c, r) = (0.7, [0.3, -0.2]);
        let mut k = [0.0; 2];
        system.solve(c, &r, &mut k, 0.0).unwrap();
        let h = 1e-5;
        let mut at = |s: f64| {
            let mut out = [0.0; 2];
            system
                .rate(&[y[0] + s * k[0], y[1] + s * k[1]], &mut out)
                .unwrap();
            out
        };
        let (plus, minus) = (at(h), at(-h));
        for i in 0..2 {
            let difference = (plus[i] - minus[i]) / (2.0 * h);
            assert!(
                (difference - (k[i] - r[i]) / c).abs() < 1e-8,
                "{difference}"
            );
        }
    }
}

#[test]
fn a_mirror_that_degenerates_in_the_plane_stops_the_flow_by_name() {
    let problem = problem("x^2/2 + y^2/2", formula("x^4 + y^2/2", 2), &[1.0, 1.0]);
    for coordinate in BOTH {
        let stopped = flow(&problem, None, coordinate, TIGHT, &[1.0, 8.0]).unwrap_err();
        let said = stopped.to_string();
        assert!(
            said.contains("∇²U degenerates") && said.contains("earlier times"),
            "{said}"
        );
    }
}

#[test]
fn descents_have_order_one_and_keep_the_three_point_identity() {
    let problem = problem(
        "x^2/2 + x*y/3 + exp(y)",
        formula("x^4 + x^2 + y^2 + exp(x - y)", 2),
        &[1.0, 1.0],
    );
    let exact = flow(&problem, None, Coordinate::Mirror, TIGHT, &[1.0])
        .unwrap()
        .x[0];
    for rule in Rule::ALL {
        let error = |count: usize, gradient: f64| {
            let steps = vec![1.0 / count as f64; count];
            let points = descend(&problem, rule, &steps, gradient).unwrap();
            distance(points[count], exact)
        };
        let order = (error(200, 1.0) / error(400, 1.0)).log2();
        assert!((order - 1.0).abs() < 0.05, "{rule:?}: {order}");
        let broken = (error(200, 0.9) / error(400, 0.9)).log2();
        assert!(broken.abs() < 0.2, "{rule:?}: {broken}");
    }
    let steps = [0.3, 0.2, 0.1];
    let points = descend(&problem, Rule::Explicit, &steps, 1.0).unwrap();
    let z = [0.2, -0.4];
    let d = |a, b| divergence(problem.mirror(), a, b).0;
    for (pair, step) in points.windows(2).zip(steps) {
        let [x, next] = [pair[0], pair[1]];
        let gradient = problem.objective(x).gradient;
        let work = step * dot(gradient, [z[0] - x[0], z[1] - x[1]]);
        let defect = d(z, next) - d(z, x) - d(x, next) - work;
        assert!(defect.abs() < 1e-14, "{defect:e}");
    }
}

/// Gradient descent with U = |x|²/2 on a square: every rule in closed form.
#[test]
fn descents_on_the_square_are_powers() {
    let problem = problem("x^2/2", Mirror::Quadratic(1), &[1.0]);
    let last = |rule| descend(&problem, rule, &[0.1; 20], 1.0).unwrap()[20][0];
    for (rule, expected) in [
        (Rule::Explicit, 0.9f64.powi(20)),
        (Rule::Natural, 0.9f64.powi(20)),
        (Rule::Implicit, 1.1f64.powi(-20)),
    ] {
        assert!((last(rule) - expected).abs() < 1e-14, "{rule:?}");
    }
}

#[test]
fn steps_out_of_the_domain_are_refused_with_the_step() {
    let problem = problem("(x + 1)^2/2", formula("x*log(x)", 1), &[1.0]);
    let refused = descend(&problem, Rule::Natural, &[0.1, 5.0], 1.0).unwrap_err();
    let said = refused.to_string();
    assert!(
        said.contains("step 2 of length 5") && said.contains("implicit"),
        "{said}"
    );
    assert!(descend(&problem, Rule::Explicit, &[0.1, 5.0], 1.0).is_ok());
}

#[test]
fn minimisers_and_modes() {
    let problem = problem(
        "(x - 1)^2 + (y + 2)^2/2 + (x - 1)*(y + 2)/5",
        formula("exp(x) + y^2", 2),
        &[0.0, 0.0],
    );
    let z = minimiser(&problem, None, [0.5, -1.5]).unwrap();
    assert!(distance(z, [1.0, -2.0]) < 1e-13, "{z:?}");
    // A flow near its end decays along the slow mode.
    let times = [18.0, 18.5];
    let path = flow(&problem, None, Coordinate::Mirror, TIGHT, &times).unwrap();
    let observed = 2.0 * (distance(path.x[0], z) / distance(path.x[1], z)).ln();
    let ([least, most], share) =
        modes(&problem, z, [path.x[0][0] - z[0], path.x[0][1] - z[1]]).unwrap();
    assert!(
        (observed / least - 1.0).abs() < 1e-2,
        "{observed} {least} {most} {share}"
    );
    assert!(least < most && share > 0.9, "{least} {most} {share}");
    let flat = Euclidean::new(
        Formula::parse("exp(-x) + y^2", 2).unwrap(),
        formula("x^2 + y^2", 2),
        &[0.0, 1.0],
    );
    assert_eq!(minimiser(&flat.unwrap(), None, [1.0, 0.1]), None);
}

#[test]
fn divergences_and_curvatures() {
    let entropy = formula("x*log(x)", 1);
    let (found, rounding) = divergence(&entropy, [2.0, 0.0], [3.0, 0.0]);
    let expected = 2.0 * (2.0f64 / 3.0).ln() + 1.0;
    assert!((found - expected).abs() <= rounding && rounding < 1e-14);
    assert!(divergence(&entropy, [0.0, 0.0], [1.0, 0.0]).0.is_nan());
    let jet = |x: Point| entropy.at(x);
    let segment = [([1.0, 0.0], [4.0, 0.0])];
    assert_eq!(least_curvature(&jet, 1, &segment, true), 0.25);
    let from_border = [([0.0, 0.0], [4.0, 0.0])];
    assert_eq!(
        least_curvature(&jet, 1, &from_border, true),
        f64::NEG_INFINITY
    );
    assert_eq!(least_curvature(&jet, 1, &from_border, false), 0.25);
}

#[test]
fn impossible_problems_are_refused_with_the_part() {
    let refused = |objective: &str, mirror: Mirror, start: &[f64]| {
        let objective = Formula::parse(objective, start.len()).unwrap();
        let (part, error) = Euclidean::checked(objective, mirror, start).unwrap_err();
        (part, error.to_string())
    };
    for (objective, mirror, start, part, says) in [
        (
            "log(x)",
            Mirror::Quadratic(1),
            &[-1.0][..],
            Part::Objective,
            "F or a derivative",
        ),
        (
            "x^2",
            Mirror::Quadratic(1),
            &[0.0],
            Part::Start,
            "∇F is zero",
        ),
        (
            "x^2",
            Mirror::Reciprocal,
            &[-1.0],
            Part::Mirror,
            "not strictly convex",
        ),
        (
            "x^2",
            formula("log(x)", 1),
            &[-1.0],
            Part::Mirror,
            "U or a derivative",
        ),
        (
            "x^2",
            formula("x^2*y", 2),
            &[1.0, 1.0],
            Part::Mirror,
            "not strictly convex",
        ),
        (
            "x^2",
            Mirror::Quartic,
            &[1.0, 1.0],
            Part::Mirror,
            "one dimension",
        ),
    ] {
        let found = refused(objective, mirror, start);
        assert!(found.0 == part && found.1.contains(says), "{found:?}");
    }
}
