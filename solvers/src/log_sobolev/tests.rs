use super::*;
use crate::parallel::mean;
use crate::spectrum::smallest_modes;

type Line = fn(f64) -> f64;

const CASES: [(&str, Line); 7] = [
    ("uniform", |_| 0.0),
    ("THEORY §6", |x| {
        0.5 * (2.0 * PI * x).cos() + 0.2 * (2.0 * PI * x).sin()
    }),
    ("cos", |x| (2.0 * PI * x).cos()),
    ("3 cos", |x| 3.0 * (2.0 * PI * x).cos()),
    ("6 cos", |x| 6.0 * (2.0 * PI * x).cos()),
    ("two wells", |x| {
        2.0 * (4.0 * PI * x).cos() + 0.5 * (2.0 * PI * x).sin()
    }),
    ("thin barrier", |x| {
        (4.0 * (2.0 * PI * x).cos()).exp() / 20.0
    }),
];

fn sample(torus: &Torus, f: impl Fn(f64) -> f64) -> Vec<f64> {
    (0..torus.len()).map(|i| f(torus.node(i)[0])).collect()
}

fn kappa(all: &[LogSobolev], method: Method) -> f64 {
    all.iter().find(|b| b.method == method).unwrap().kappa
}

#[test]
fn uniform_density_has_four_pi_squared() {
    for points in [vec![16], vec![8, 10], vec![6, 8, 8]] {
        let torus = Torus::new(&points).unwrap();
        let all = bounds(&torus, &vec![0.3; torus.len()]).unwrap();
        for bound in all.iter().filter(|b| b.method != Method::BobkovGoetze) {
            assert!((bound.kappa / UNIFORM - 1.0).abs() < 1e-13, "{bound:?}");
        }
        assert!(
            (best(&torus, &vec![0.3; torus.len()]).unwrap().kappa / UNIFORM - 1.0).abs() < 1e-13
        );
    }
    // On the uniform interval B₊ is the supremum of t ln(1 + e²/t) (½ − t), here from a search of its own.
    let b = (1..100_000)
        .map(|k| 0.5 * f64::from(k) / 1e5)
        .map(|t| t * (1.0 + 1f64.exp().powi(2) / t).ln() * (0.5 - t))
        .fold(0.0, f64::max);
    let all = bounds(&Torus::new(&[16]).unwrap(), &[0.0; 16]).unwrap();
    let found = kappa(&all, Method::BobkovGoetze);
    assert!(
        found < 0.5 / b && found > 0.998 * 0.5 / b,
        "{found} {}",
        0.5 / b
    );
}

#[test]
fn no_bound_exceeds_the_spectral_gap() {
    let torus = Torus::new(&[128]).unwrap();
    for (name, f) in CASES {
        let f = sample(&torus, f);
        let log_density: Vec<f64> = f.iter().map(|f| -f).collect();
        let gap = smallest_modes(&torus, &log_density, None, 1).unwrap()[0].eigenvalue;
        println!("{name}: gap {gap:.4}");
        for bound in bounds(&torus, &f).unwrap() {
            println!("    {:.4e}  {}", bound.kappa, bound.method);
            assert!(
                bound.kappa > 0.0 && bound.kappa <= gap * (1.0 + 1e-12),
                "{name} {bound:?}"
            );
        }
    }
}

#[test]
fn the_criterion_wins_widely_where_the_density_is_peaked_and_stretching_never_loses() {
    let torus = Torus::new(&[128]).unwrap();
    for (name, f) in CASES {
        let all = bounds(&torus, &sample(&torus, f)).unwrap();
        let (plain, stretched) = (
            kappa(&all, Method::HolleyStroock),
            kappa(&all, Method::Stretched),
        );
        assert!(
            stretched >= plain * (1.0 - 1e-12),
            "{name}: {stretched} {plain}"
        );
        let criterion = kappa(&all, Method::BobkovGoetze) / plain;
        match name {
            "3 cos" => assert!(criterion > 10.0, "{criterion}"),
            "6 cos" => assert!(criterion > 1000.0, "{criterion}"),
            _ => {}
        }
    }
}

#[test]
fn sampled_measures_respect_every_bound() {
    let torus = Torus::new(&[256]).unwrap();
    for (name, f) in CASES {
        let f = sample(&torus, f);
        let best = best(&torus, &f).unwrap();
        for k in 0..60 {
            let (size, at) = (0.1 * 1.15f64.powi(k % 30), 0.137 * f64::from(k));
            let wave = |x: f64| 2.0 * PI * (x - at);
            let tilt = sample(&torus, |x| {
                size * (wave(x).cos() + 0.3 * (2.0 * wave(x)).sin())
            });
            let slope = sample(&torus, |x| {
                2.0 * PI * size * (-wave(x).sin() + 0.6 * (2.0 * wave(x)).cos())
            });
            let ratio = quotient(&f, &tilt, &slope);
            assert!(ratio >= best.kappa, "{name}: {ratio} < {best:?}");
        }
    }
}

/// `I/(2 KL)` of `μ = e^{tilt − f}`.
fn quotient(f: &[f64], tilt: &[f64], slope: &[f64]) -> f64 {
    let field = |value: &dyn Fn(usize) -> f64| mean(&(0..f.len()).map(value).collect::<Vec<_>>());
    let reference = field(&|i| (-f[i]).exp());
    let mass = field(&|i| (tilt[i] - f[i]).exp());
    let mu = |i: usize| (tilt[i] - f[i]).exp() / mass;
    let divergence = field(&|i| mu(i) * (tilt[i] + (reference / mass).ln()));
    field(&|i| mu(i) * slope[i].powi(2)) / (2.0 * divergence)
}

#[test]
fn bounds_do_not_depend_on_the_origin_or_the_grid() {
    for (name, f) in CASES {
        let of = |n: usize, shift: f64| {
            let torus = Torus::new(&[n]).unwrap();
            bounds(&torus, &sample(&torus, |x| f(x - shift))).unwrap()
        };
        let reference = of(64, 0.0);
        for (other, tolerance) in [
            (of(64, 0.25), 1e-11),
            (of(64, 0.123), 3e-3),
            (of(96, 0.0), 3e-3),
        ] {
            for (a, b) in reference.iter().zip(&other) {
                let tolerance = if a.method == Method::BobkovGoetze {
                    tolerance
                } else {
                    1e-8
                };
                assert!(
                    (a.kappa / b.kappa - 1.0).abs() < tolerance,
                    "{name}: {a:?} {b:?}"
                );
            }
        }
    }
}

#[test]
fn products_are_as_good_as_their_worst_factor_and_coupled_densities_stay_below_the_gap() {
    let line = Torus::new(&[64]).unwrap();
    let peaked = best(&line, &sample(&line, CASES[4].1)).unwrap();
    let torus = Torus::new(&[64, 40]).unwrap();
    let field = |coupling: f64| -> Vec<f64> {
        let at = |i: usize| {
            let x = torus.node(i);
            (CASES[4].1)(x[0])
                + 0.2 * (2.0 * PI * x[1]).sin()
                + coupling * (2.0 * PI * (x[0] + x[1])).cos()
        };
        (0..torus.len()).map(at).collect()
    };
    let product = best(&torus, &field(0.0)).unwrap();
    assert_eq!(product.method, Method::NearProduct);
    let other = best(
        &Torus::new(&[40]).unwrap(),
        &sample(&Torus::new(&[40]).unwrap(), |y| 0.2 * (2.0 * PI * y).sin()),
    )
    .unwrap();
    assert!((product.kappa / peaked.kappa.min(other.kappa) - 1.0).abs() < 1e-9);
    let f = field(0.3);
    let coupled = best(&torus, &f).unwrap();
    assert!((coupled.kappa / product.kappa / (-0.6f64).exp() - 1.0).abs() < 1e-6);
    let log_density: Vec<f64> = f.iter().map(|f| -f).collect();
    let gap = smallest_modes(&torus, &log_density, None, 1).unwrap()[0].eigenvalue;
    assert!(coupled.kappa < gap, "{coupled:?} {gap}");
}

#[test]
fn nan_is_refused_and_methods_have_names() {
    let torus = Torus::new(&[8]).unwrap();
    assert!(matches!(
        bounds(&torus, &[f64::NAN; 8]),
        Err(Error::NonFinite { .. })
    ));
    assert_eq!(Method::HolleyStroock.to_string(), "Holley–Stroock");
}
