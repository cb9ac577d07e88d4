use super::reference::{ground_state_eigenvalues, weighted_eigenvalues};
use super::*;
use crate::calculus::Spectral;
use crate::density::{Density, Formula};
use crate::monge_ampere::{MongeAmpere, solve_elliptic};
use crate::symmetric::{determinant, identity_plus, inverse, pairs};
use std::f64::consts::PI;
use std::sync::Arc;

fn sample(torus: &Torus, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    (0..torus.len()).map(|i| f(&torus.node(i))).collect()
}

fn eigenvalues(torus: &Torus, log_density: &[f64], b: Option<&[Vec<f64>]>, k: usize) -> Vec<f64> {
    let modes = smallest_modes(torus, log_density, b, k).unwrap();
    modes.iter().map(|mode| mode.eigenvalue).collect()
}

fn assert_close(found: &[f64], exact: &[f64], relative: f64) {
    for (k, (a, b)) in found.iter().zip(exact).enumerate() {
        assert!((a / b - 1.0).abs() < relative, "{k}: {a} for {b}");
    }
}

/// The case of THEORY §6: log-density −f and A_∞.
fn theory_case(n: usize) -> (Torus, Vec<f64>, Vec<Vec<f64>>) {
    let torus = Torus::new(&[n]).unwrap();
    let density = |text: &str| Density::new(Arc::new(Formula::parse(text, 1).unwrap())).unwrap();
    let f = density("0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)");
    let g = density("0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)");
    let mut operator = MongeAmpere::new(&f, Arc::new(g), Box::new(Spectral::new(&torus)));
    let p = solve_elliptic(&mut operator, &vec![0.0; n], 1e-13)
        .unwrap()
        .p;
    let mut derivatives = crate::calculus::Derivatives::zeros(&torus);
    operator.calculus().derivatives(&p, &mut derivatives);
    let a = (0..n)
        .map(|i| {
            let m = identity_plus(1, &derivatives.hessian, i);
            inverse(1, &m, determinant(1, &m))[0]
        })
        .collect();
    let log_density = f.on(&torus).iter().map(|f| -f).collect();
    (torus, log_density, vec![a])
}

#[test]
fn gap_of_the_theory_case_is_known_and_does_not_depend_on_the_grid() {
    let gaps: Vec<f64> = [64, 128, 256]
        .iter()
        .map(|&n| {
            let (torus, log_density, a) = theory_case(n);
            let mode = smallest_modes(&torus, &log_density, Some(&a), 1)
                .unwrap()
                .remove(0);
            println!(
                "{n}: 2 gap {:.12} residual {:.1e}",
                2.0 * mode.eigenvalue,
                mode.residual
            );
            mode.eigenvalue
        })
        .collect();
    assert!((2.0 * gaps[2] - 76.893_140_645_23).abs() < 1e-10);
    assert!((gaps[0] / gaps[2] - 1.0).abs() < 1e-11);
    assert!((gaps[1] / gaps[2] - 1.0).abs() < 1e-11);
}

#[test]
fn uniform_density_has_the_spectrum_of_the_torus_with_its_multiplicities() {
    let unit = 4.0 * PI * PI;
    let cases: [(&[usize], &[f64]); 4] = [
        (&[64], &[1.0, 1.0, 4.0, 4.0, 9.0]),
        (&[6], &[1.0, 1.0, 4.0, 4.0]),
        (&[16, 24], &[1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 4.0]),
        (&[8, 10, 12], &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0]),
    ];
    for (points, exact) in cases {
        let torus = Torus::new(points).unwrap();
        let exact: Vec<f64> = exact.iter().map(|e| e * unit).collect();
        for count in 1..=exact.len() {
            let found = eigenvalues(&torus, &vec![0.7; torus.len()], None, count);
            assert_eq!(found.len(), count);
            assert_close(&found, &exact, 1e-12);
        }
    }
    let torus = Torus::new(&[6]).unwrap();
    assert!(matches!(
        smallest_modes(&torus, &[0.0; 6], None, 5),
        Err(Error::Grid { .. })
    ));
}

#[test]
fn spectrum_of_a_product_is_the_sums_of_the_spectra() {
    let first = |x: f64| 0.9 * (2.0 * PI * x).cos() + 0.3 * (4.0 * PI * x).sin();
    let second = |y: f64| -0.5 * (2.0 * PI * y).sin() + 0.4 * (4.0 * PI * y).cos();
    let line = |n: usize, f: &dyn Fn(f64) -> f64| {
        let torus = Torus::new(&[n]).unwrap();
        let mut all = vec![0.0];
        all.extend(eigenvalues(&torus, &sample(&torus, |x| f(x[0])), None, 6));
        all
    };
    let (one, two) = (line(48, &first), line(40, &second));
    let mut sums: Vec<f64> = one
        .iter()
        .flat_map(|a| two.iter().map(move |b| a + b))
        .collect();
    sums.sort_by(f64::total_cmp);
    let torus = Torus::new(&[48, 40]).unwrap();
    let product = sample(&torus, |x| first(x[0]) + second(x[1]));
    let found = eigenvalues(&torus, &product, None, 7);
    assert_close(&found, &sums[1..], 1e-11);
}

#[test]
fn an_eigenvalue_is_uncertain_by_its_residual_or_by_its_square_over_the_distance() {
    assert_eq!(super::uncertainty(1.0, 1.5), 1.0);
    assert_eq!(super::uncertainty(1.0, 0.0), 1.0);
    assert!((super::uncertainty(1.0, 4.0) - 1.0 / 3.0).abs() < 1e-15);
    assert!((super::uncertainty(0.01, 5.0) - 1e-4 / 4.99).abs() < 1e-15);
}

/// A density and a full matrix field that couple all axes.
fn coupled(torus: &Torus) -> (Vec<f64>, Vec<Vec<f64>>) {
    let d = torus.dimension();
    let phase = |x: &[f64]| 2.0 * PI * x.iter().sum::<f64>();
    let log_density = sample(torus, |x| {
        0.3 * phase(x).cos() - 0.4 * (2.0 * PI * x[0]).sin()
    });
    let b = pairs(d)
        .map(|(i, j)| {
            sample(torus, |x| {
                let wave = 0.15 * (phase(x) + i as f64).sin();
                if i == j {
                    1.0 + 0.3 * i as f64 + wave
                } else {
                    0.2 + wave
                }
            })
        })
        .collect();
    (log_density, b)
}

#[test]
fn agrees_with_the_dense_reference() {
    for points in [vec![24], vec![10, 8], vec![6, 6, 6]] {
        let torus = Torus::new(&points).unwrap();
        let (log_density, b) = coupled(&torus);
        let exact = ground_state_eigenvalues(&torus, &log_density, &b);
        let (modes, _) = unjudged_modes(&torus, &log_density, Some(&b), 6).unwrap();
        for (mode, exact) in modes.iter().zip(&exact) {
            // The Rayleigh quotient is of the ground-state form without projection, which v does not feel.
            assert!((mode.eigenvalue / exact - 1.0).abs() < 1e-10, "{points:?}");
        }
    }
}

#[test]
fn agrees_with_another_discretisation() {
    let torus = Torus::new(&[64]).unwrap();
    let (log_density, b) = coupled(&torus);
    let exact = weighted_eigenvalues(&torus, &log_density, &b[0]);
    let found = eigenvalues(&torus, &log_density, Some(&b), 6);
    assert_close(&found, &exact, 1e-11);
}

#[test]
fn converges_spectrally_and_refuses_what_is_not_resolved() {
    let gap = |n: usize| {
        let torus = Torus::new(&[n]).unwrap();
        let peaked = sample(&torus, |x| -6.0 * (2.0 * PI * (x[0] - 0.013)).cos());
        let (modes, _) = unjudged_modes(&torus, &peaked, None, 1).unwrap();
        (
            modes[0].eigenvalue,
            smallest_modes(&torus, &peaked, None, 1),
        )
    };
    let exact = gap(96).0;
    let points = [12.0, 16.0, 20.0, 24.0f64];
    let error = |n: f64| (gap(n as usize).0 - exact).abs();
    let orders: Vec<f64> = points
        .windows(2)
        .map(|n| (error(n[0]) / error(n[1])).ln() / (n[1] / n[0]).ln())
        .collect();
    // The order itself grows: faster than any power of h.
    assert!(orders[0] > 15.0 && orders.is_sorted(), "{orders:?}");
    assert!(matches!(gap(12).1, Err(Error::NoConvergence { .. })));
    assert!(gap(64).1.is_ok());
}

#[test]
fn eigenfunctions_are_normalised_and_satisfy_the_equation() {
    let torus = Torus::new(&[32, 36]).unwrap();
    let (log_density, b) = coupled(&torus);
    let modes = smallest_modes(&torus, &log_density, Some(&b), 5).unwrap();
    let mass = mean_of(torus.len(), |i| log_density[i].exp());
    let inner =
        |a: &[f64], b: &[f64]| mean_of(torus.len(), |i| a[i] * b[i] * log_density[i].exp()) / mass;
    let ones = vec![1.0; torus.len()];
    for (i, mode) in modes.iter().enumerate() {
        assert!(mode.residual < 1e-9 * mode.eigenvalue, "{}", mode.residual);
        assert!(inner(&mode.eigenfunction, &ones).abs() < 1e-13);
        for (j, other) in modes.iter().enumerate() {
            let product = inner(&mode.eigenfunction, &other.eigenfunction);
            assert!((product - f64::from(i == j)).abs() < 1e-9);
        }
        let v = |i: usize| mode.eigenfunction[i] * (0.5 * log_density[i]).exp();
        let largest = (0..torus.len()).max_by(|&a, &b| v(a).abs().total_cmp(&v(b).abs()));
        assert!(v(largest.unwrap()) > 0.0);
        // Weak form ∫ ∇φ·B∇w e^{-f} = λ ∫ φ w e^{-f} with spectral derivatives of w itself.
        let quotient = weak_form(&torus, &log_density, &b, &mode.eigenfunction) / mass;
        assert!((quotient / mode.eigenvalue - 1.0).abs() < 1e-9);
    }
}

/// `∫ ∇w·B∇w e^{-f}`.
fn weak_form(torus: &Torus, log_density: &[f64], b: &[Vec<f64>], w: &[f64]) -> f64 {
    use crate::calculus::Calculus;
    let d = torus.dimension();
    let mut gradient = vec![vec![0.0; torus.len()]; d];
    Spectral::new(torus).gradient(w, &mut gradient);
    mean_of(torus.len(), |i| {
        let energy = pairs(d).enumerate().map(|(c, (j, k))| {
            let twice = if j == k { 1.0 } else { 2.0 };
            twice * b[c][i] * gradient[j][i] * gradient[k][i]
        });
        energy.sum::<f64>() * log_density[i].exp()
    })
}

#[test]
fn bits_do_not_depend_on_threads_and_bad_input_is_refused() {
    let torus = Torus::new(&[128, 130]).unwrap();
    let (log_density, mut b) = coupled(&torus);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| smallest_modes(&torus, &log_density, Some(&b), 2).unwrap())
    };
    assert_eq!(on(1), on(3));
    b[0][77] = -1.0;
    let error = smallest_modes(&torus, &log_density, Some(&b), 1).unwrap_err();
    assert!(error.to_string().contains("positive definite"));
    let mut nan = log_density.clone();
    nan[3] = f64::NAN;
    assert!(smallest_modes(&torus, &nan, None, 1).is_err());
}

#[test]
fn very_peaked_densities_are_within_reach() {
    // f = 200 cos 2πx oscillates by 400; around its minimum the gap is f″ = 200·4π² up to the anharmonic correction.
    let torus = Torus::new(&[256]).unwrap();
    let peaked = sample(&torus, |x| -200.0 * (2.0 * PI * x[0]).cos());
    let gap = eigenvalues(&torus, &peaked, None, 1)[0];
    assert!((gap / (200.0 * 4.0 * PI * PI) - 1.0).abs() < 0.01, "{gap}");
}

#[test]
fn iterations_stay_few_where_density_and_matrix_vary_widely() {
    // e^{-f} over a factor e^12, B over a factor e^4 and anisotropic.
    let torus = Torus::new(&[64, 64]).unwrap();
    let wave = |t: f64| (2.0 * PI * t).sin();
    let log_density = sample(&torus, |x| 3.0 * wave(x[0]) + 3.0 * wave(x[1] + 0.2));
    let b = [
        sample(&torus, |x| (2.0 * wave(x[0] + x[1])).exp()),
        sample(&torus, |x| 0.3 * (2.0 * wave(x[0] + x[1])).exp()),
        sample(&torus, |x| 2.0 * (2.0 * wave(x[0] + x[1])).exp()),
    ];
    let (modes, iterations) = unjudged_modes(&torus, &log_density, Some(&b), 2).unwrap();
    println!(
        "{iterations} iterations, {:?}",
        modes
            .iter()
            .map(|m| (m.eigenvalue, m.residual))
            .collect::<Vec<_>>()
    );
    assert!(iterations <= 60, "{iterations}");
    assert!(modes.iter().all(|m| m.residual < 1e-8 * m.eigenvalue));
}

#[test]
#[ignore = "a timing, not a check"]
fn timing() {
    for points in [vec![256], vec![64, 64], vec![256, 256], vec![64, 64, 64]] {
        let torus = Torus::new(&points).unwrap();
        let (log_density, b) = coupled(&torus);
        let start = std::time::Instant::now();
        let (modes, iterations) = unjudged_modes(&torus, &log_density, Some(&b), 1).unwrap();
        println!(
            "{points:?}: {:?}, {iterations} iterations, gap {:.10}, residual {:.1e}",
            start.elapsed(),
            modes[0].eigenvalue,
            modes[0].residual
        );
    }
}

/// The operator in few transforms is its definition, projected.
#[test]
fn the_fast_product_is_the_projected_one() {
    for points in [&[18][..], &[12, 16], &[8, 10, 12]] {
        let torus = Torus::new(points).unwrap();
        let d = points.len();
        let log_density = sample(&torus, |x| 0.7 * (2.0 * PI * x.iter().sum::<f64>()).cos());
        let field = |(i, j): (usize, usize)| {
            sample(&torus, |x| {
                f64::from(u8::from(i == j)) + 0.2 * (2.0 * PI * (x[i] - x[j] + x[d - 1])).sin()
            })
        };
        let b: Vec<Vec<f64>> = pairs(d).map(field).collect();
        for b in [None, Some(&b[..])] {
            let mut operator = GroundState::new(&torus, &log_density, b);
            let mut v: Vec<f64> = (0..torus.len() as u64).map(hash).collect();
            operator.project(&mut v);
            let (mut fast, mut slow) = (v.clone(), v.clone());
            operator.apply(&v, &mut fast);
            operator.apply_at_nodes(&v, &mut slow);
            operator.project(&mut slow);
            let gap = crate::parallel::sup_difference(&fast, &slow);
            assert!(gap < 1e-12 * sup(&slow), "{points:?}: {gap:e}");
        }
    }
}
