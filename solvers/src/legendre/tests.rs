use super::*;
use crate::calculus::{Calculus, Derivatives, Spectral};
use crate::density::{Density, Formula};
use crate::error::Error;
use crate::monge_ampere::{MongeAmpere, solve_elliptic};
use crate::parallel::{mean, sup_difference};
use crate::torus::Torus;
use std::f64::consts::PI;
use std::sync::Arc;

/// A convex potential that couples the axes; the sum of |second derivatives| stays below `amplitude`.
fn potential(torus: &Torus, amplitude: f64) -> Vec<f64> {
    let d = torus.dimension() as f64;
    (0..torus.len())
        .map(|i| {
            let x = torus.node(i);
            let sum: f64 = x.iter().sum();
            let first = (2.0 * PI * sum).cos() / d;
            let second = (2.0 * PI * (x[0] - 0.1)).sin() + 0.2 * (4.0 * PI * x[x.len() - 1]).sin();
            amplitude / (4.0 * PI * PI) * (0.5 * first + 0.3 * second)
        })
        .collect()
}

fn rough(torus: &Torus) -> Vec<f64> {
    (0..torus.len())
        .map(|i| ((i * i + 7 * i) as f64 * 0.37).sin() * 0.1)
        .collect()
}

#[test]
fn fast_discrete_transform_is_the_definition() {
    for points in [
        vec![64],
        vec![30],
        vec![6],
        vec![16, 8],
        vec![12, 20],
        vec![8, 16, 8],
        vec![6, 10, 8],
    ] {
        let torus = Torus::new(&points).unwrap();
        let dyadic = points.iter().all(|n| n.is_power_of_two());
        for p in [
            potential(&torus, 0.9),
            potential(&torus, 7.0),
            rough(&torus),
        ] {
            // With powers of two and short values nothing is rounded, and the two agree to the last bit.
            let p: Vec<f64> = p
                .iter()
                .map(|p| {
                    if dyadic {
                        (p * 1e6).round() / 1_048_576.0
                    } else {
                        *p
                    }
                })
                .collect();
            let (fast, slow) = (
                discrete(&torus, &p).unwrap(),
                discrete::reference(&torus, &p),
            );
            let error = sup_difference(&fast.q, &slow);
            assert!(
                error <= if dyadic { 0.0 } else { 1e-16 },
                "{points:?}: {error}"
            );
            // The maximiser attains it.
            for (y, &x) in fast.nodes(&torus).iter().enumerate() {
                let mut square = 0.0;
                for axis in 0..points.len() {
                    let steps = fast.shift[axis][y];
                    assert!(2 * steps.abs() <= points[axis] as i32);
                    square += (f64::from(steps) * torus.spacing(axis)).powi(2);
                }
                assert!((fast.q[y] + 0.5 * square + p[x]).abs() < 1e-16);
            }
        }
    }
}

#[test]
fn discrete_transform_is_below_the_continuous_one_by_order_two() {
    for d in 1..=3 {
        let error = |n: usize| {
            let torus = Torus::new(&vec![n; d]).unwrap();
            let p = potential(&torus, 0.8);
            let (discrete, exact) = (
                discrete(&torus, &p).unwrap(),
                conjugate(&torus, &p).unwrap(),
            );
            let bound = 1.8 * d as f64 / (8.0 * (n * n) as f64);
            let gap: Vec<f64> = exact
                .q
                .iter()
                .zip(&discrete.q)
                .map(|(c, q)| c - q)
                .collect();
            assert!(gap.iter().all(|g| (-1e-13..=bound).contains(g)));
            mean(&gap)
        };
        // Wide apart, since where the maximisers fall between the nodes makes the mean error scatter.
        let (coarse, fine) = [(64, 1024), (24, 192), (20, 40)][d - 1];
        let ratio = fine as f64 / coarse as f64;
        let order = (error(coarse) / error(fine)).ln() / ratio.ln();
        println!("d = {d}: order {order}");
        assert!((order - 2.0).abs() < 0.1, "d = {d}: {order}");
    }
}

#[test]
fn conjugation_is_an_involution() {
    for (points, amplitude) in [
        (vec![96], 0.6),
        (vec![64, 72], 0.6),
        (vec![32, 28, 32], 0.2),
    ] {
        let torus = Torus::new(&points).unwrap();
        let p = potential(&torus, amplitude);
        let start = std::time::Instant::now();
        let once = conjugate(&torus, &p).unwrap();
        let elapsed = start.elapsed();
        let twice = conjugate(&torus, &once.q).unwrap();
        let error = sup_difference(&twice.q, &p);
        println!("{points:?}: {error:.1e}, {elapsed:?}");
        assert!(error < 1e-12, "{points:?}: {error}");
        // The displacement is ∇q, and that of q is ∇p.
        let mut gradient = vec![vec![0.0; torus.len()]; points.len()];
        for (field, displacement) in [(&once.q, &once.displacement), (&p, &twice.displacement)] {
            Spectral::new(&torus).gradient(field, &mut gradient);
            for (a, b) in gradient.iter().zip(displacement) {
                assert!(sup_difference(a, b) < 1e-10, "{}", sup_difference(a, b));
            }
        }
    }
}

#[test]
fn conjugate_of_a_brenier_potential_is_the_one_of_the_way_back() {
    let density =
        |text: &str, d: usize| Density::new(Arc::new(Formula::parse(text, d).unwrap())).unwrap();
    for (points, f, g) in [
        (
            vec![96],
            "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)",
            "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)",
        ),
        (
            vec![48, 48],
            "0.4*cos(2*pi*(x+y)) + 0.2*sin(2*pi*x)",
            "0.3*cos(2*pi*y)*sin(2*pi*x)",
        ),
    ] {
        let torus = Torus::new(&points).unwrap();
        let (f, g) = (density(f, points.len()), density(g, points.len()));
        let brenier = |from: &Density, to: &Density| {
            let mut operator =
                MongeAmpere::new(from, Arc::new(to.clone()), Box::new(Spectral::new(&torus)));
            solve_elliptic(&mut operator, &vec![0.0; torus.len()], 1e-13)
                .unwrap()
                .p
        };
        let (there, back) = (brenier(&f, &g), brenier(&g, &f));
        let mut q = conjugate(&torus, &there).unwrap().q;
        let centre = mean(&q);
        q.iter_mut().for_each(|q| *q -= centre);
        let error = sup_difference(&q, &back);
        println!("{points:?}: {error:.1e}");
        assert!(error < 1e-10, "{points:?}: {error}");
    }
}

#[test]
fn constants_change_sign_and_order_is_reversed() {
    let torus = Torus::new(&[24, 32]).unwrap();
    let p = potential(&torus, 0.6);
    let raised: Vec<f64> = p.iter().map(|p| p + 0.375).collect();
    let (q, lowered) = (
        conjugate(&torus, &p).unwrap().q,
        conjugate(&torus, &raised).unwrap().q,
    );
    let expected: Vec<f64> = q.iter().map(|q| q - 0.375).collect();
    assert!(sup_difference(&lowered, &expected) < 1e-13);
    let above: Vec<f64> = (0..torus.len())
        .map(|i| p[i] + 0.002 * (1.0 + (2.0 * PI * torus.node(i)[1]).sin()))
        .collect();
    let below = conjugate(&torus, &above).unwrap().q;
    assert!(below.iter().zip(&q).all(|(b, q)| *b <= q + 1e-14));
    assert!(sup_difference(&below, &q) > 1e-3);
}

#[test]
fn youngs_inequality_holds_with_equality_at_the_map() {
    let torus = Torus::new(&[32, 24]).unwrap();
    let p = potential(&torus, 0.7);
    let Conjugate { q, displacement } = conjugate(&torus, &p).unwrap();
    for x in (0..torus.len()).step_by(7) {
        for y in (0..torus.len()).step_by(5) {
            let (a, b) = (torus.node(x), torus.node(y));
            let square: f64 = (0..2)
                .map(|i| {
                    let s = a[i] - b[i];
                    (s - s.round()).powi(2)
                })
                .sum();
            assert!(p[x] + q[y] + 0.5 * square >= -1e-14);
        }
    }
    // Equality where y = ∇u(x): p and q interpolated at the image of a node under ∇u^*.
    let nodes = torus.nodes();
    let x: Vec<Vec<f64>> = (0..2)
        .map(|a| {
            (0..torus.len())
                .map(|i| nodes[a][i] + displacement[a][i])
                .collect()
        })
        .collect();
    let mut derivatives = Derivatives::zeros(&torus);
    Spectral::new(&torus).derivatives(&p, &mut derivatives);
    let fields: Vec<&[f64]> = derivatives.gradient.iter().map(Vec::as_slice).collect();
    let slopes = crate::interpolation::Interpolant::new(&torus, &fields);
    let mut gradient = vec![vec![0.0; torus.len()]; 2];
    let mut out: Vec<&mut [f64]> = gradient.iter_mut().map(Vec::as_mut_slice).collect();
    slopes.evaluate(&x, &mut out);
    for axis in 0..2 {
        for i in 0..torus.len() {
            assert!((x[axis][i] + gradient[axis][i] - nodes[axis][i]).abs() < 1e-12);
        }
    }
}

#[test]
fn what_is_not_convex_is_refused_and_bits_do_not_depend_on_threads() {
    let torus = Torus::new(&[32, 32]).unwrap();
    let error = conjugate(&torus, &potential(&torus, 2.5)).unwrap_err();
    assert!(matches!(error, Error::LostConvexity { eigenvalue, .. } if eigenvalue < 0.0));
    let mut poisoned = potential(&torus, 0.5);
    poisoned[9] = f64::NAN;
    assert!(matches!(
        conjugate(&torus, &poisoned),
        Err(Error::NonFinite { .. })
    ));
    let torus = Torus::new(&[96, 90]).unwrap();
    let p = potential(&torus, 0.6);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            (
                conjugate(&torus, &p).unwrap(),
                discrete(&torus, &p).unwrap(),
            )
        })
    };
    assert_eq!(on(1), on(3));
}

#[test]
#[ignore = "a timing, not a check"]
fn timing() {
    for points in [vec![256, 256], vec![64, 64, 64]] {
        let torus = Torus::new(&points).unwrap();
        let p = potential(&torus, 0.35);
        let start = std::time::Instant::now();
        discrete(&torus, &p).unwrap();
        let nodes = start.elapsed();
        conjugate(&torus, &p).unwrap();
        println!("{points:?}: discrete {nodes:?}, both {:?}", start.elapsed());
    }
}
