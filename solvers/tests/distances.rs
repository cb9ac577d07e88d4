//! W₂ on the torus and LOT against closed forms and manufactured maps.

mod common;

use common::*;
use mirrorflow_solvers::density::Density;
use mirrorflow_solvers::distance::{linearised_transport, wasserstein};
use mirrorflow_solvers::monge_ampere::solve_elliptic;
use mirrorflow_solvers::parallel::{mean_of, sup_difference};
use mirrorflow_solvers::{Jet, LogDensity, Order, Torus};

/// Grids that resolve the data below to the tolerances asked.
const GRIDS: [&[usize]; 3] = [&[64], &[48, 48], &[20, 20, 20]];

fn log_density(torus: &Torus, density: &Density) -> Vec<f64> {
    density.on(torus).iter().map(|f| -f).collect()
}

fn distance(torus: &Torus, a: &[f64], b: &[f64]) -> f64 {
    wasserstein(torus, a, b).unwrap().distance
}

fn relative(a: f64, b: f64) -> f64 {
    (a - b).abs() / b.abs()
}

fn target(dimension: usize) -> Waves {
    Waves::new(dimension, &[(0.4, [1, 0, 0], 0.2), (0.2, [1, 1, -1], 0.6)])
}

/// `(log ρ₁, log ρ₂, exact W₂, ∇p)` for the map `x + s∇p` with p the shared potential.
fn manufactured(torus: &Torus, s: f64) -> (Vec<f64>, Vec<f64>, f64, Vec<Vec<f64>>) {
    let (p, g) = (
        potential(torus.dimension()).scaled(s),
        target(torus.dimension()).density(),
    );
    let log_rho1 = pulled_back(torus, &p, &g);
    let displacement = p.jet_on(torus).gradient;
    let exact = weighted_norm(&log_rho1, &displacement);
    (log_rho1, log_density(torus, &g), exact, displacement)
}

/// A map x + ∇p with p periodic and |x|²/2 + p convex is optimal, so W₂² = ∫ρ₁|∇p|². In 2-D and 3-D the Newton iteration
/// stops at a residual 1e-8 of the first; the smallest eigenvalue of −L is above one.
#[test]
fn manufactured_maps_are_found_with_their_distance() {
    for (points, tolerance) in GRIDS.into_iter().zip([1e-11, 1e-8, 1e-8]) {
        let torus = torus(points);
        let (log_rho1, log_rho2, exact, displacement) = manufactured(&torus, 1.0);
        let found = wasserstein(&torus, &log_rho1, &log_rho2).unwrap();
        let error = relative(found.distance, exact);
        assert!(error < tolerance, "{points:?}: {error:e}");
        for (found, expected) in found.displacement.iter().zip(&displacement) {
            let error = sup_difference(found, expected);
            assert!(error < tolerance, "{points:?}: map {error:e}");
        }
    }
}

/// 1e-5 apart: log-densities of size one carry 1e-16, so 1e-11 of their difference; the solve is asked for 1e-8 of it.
#[test]
fn nearby_densities_keep_their_digits() {
    for points in GRIDS {
        let torus = torus(points);
        let (log_rho1, log_rho2, exact, _) = manufactured(&torus, 1e-5);
        let apart = sup_difference(&log_rho1, &log_rho2);
        assert!((1e-6..1e-5).contains(&apart), "{apart}");
        let error = relative(distance(&torus, &log_rho1, &log_rho2), exact);
        assert!(error < 1e-7, "{points:?}: {error:e}");
    }
}

/// `W₂(ρ, ρ(1 + δη)) = δ‖φ'‖_{L²(ρ)} + O(δ²)`, `−(ρφ')' = ρη`: with η := −(ρφ')'/ρ the weighted H^{-1} norm is known.
#[test]
fn linearised_distance_is_the_weighted_dual_norm() {
    let torus = torus(&[64]);
    let g = target(1);
    let log_rho = log_density(&torus, &g.density());
    let (phi, f) = (potential(1).jet_on(&torus), g.jet_on(&torus));
    let norm = weighted_norm(&log_rho, &phi.gradient);
    let relative_error = |delta: f64| {
        let moved: Vec<f64> = (0..torus.len())
            .map(|i| {
                let eta = f.gradient[0][i] * phi.gradient[0][i] - phi.hessian[0][i];
                log_rho[i] + (delta * eta).ln_1p()
            })
            .collect();
        relative(distance(&torus, &log_rho, &moved), delta * norm)
    };
    assert!(relative_error(1e-5) < 1e-4);
    let order = orders(&[relative_error(2e-3), relative_error(1e-3)])[0];
    assert!(order > 0.9, "{order}");
}

/// On the circle a rotation by a is not optimal (its mean displacement is a, not 0): mass also goes the other way round.
/// The optimal velocity is the gradient part of the unit field, `1 − c/ρ` with `c = 1/∫ρ^{-1}`, so that
/// `W₂(ρ, ρ(· − a)) = a √(1 − c) + O(a³)`. For a von Mises density `∫ρ^{-1} = I₀(κ)²`.
#[test]
fn rotating_a_density_costs_less_than_the_rotation() {
    let torus = torus(&[96]);
    let kappa = 2.0;
    let f = Waves::new(1, &[(-kappa, [1, 0, 0], 0.0)]);
    let log_rho = log_density(&torus, &f.density());
    let bessel = mean_of(96, |i| (-f.on(&torus)[i]).exp());
    let slope = (1.0 - 1.0 / (bessel * bessel)).sqrt();
    assert!((bessel - 2.279_585_302_336_067).abs() < 1e-14, "I₀(2)");
    let error = |a: f64| {
        let rotated = log_density(&torus, &f.translated(&[a]).density());
        let distance = distance(&torus, &log_rho, &rotated);
        assert!(distance < a, "{distance} {a}");
        relative(distance, a * slope)
    };
    let order = orders(&[error(0.02), error(0.01)])[0];
    assert!((order - 2.0).abs() < 0.1, "order {order}");
    assert!(error(1e-4) < 1e-6);
}

/// The narrower the density, the less goes the other way round: W₂ rises to the rotation. The shift of the cumulative functions is
/// then found on a staircase, and the map where the density is as low as 1e-17 of its maximum.
#[test]
fn rotating_a_narrow_density_costs_the_rotation() {
    let torus = torus(&[256]);
    let defects = [4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0].map(|kappa| {
        let f = Waves::new(1, &[(-kappa, [1, 0, 0], 0.0)]);
        let rotated = log_density(&torus, &f.translated(&[0.1]).density());
        0.1 - distance(&torus, &log_density(&torus, &f.density()), &rotated)
    });
    // Falls like the density opposite to its maximum, e^{−2κ}, until the maps' own error of about 1e-12.
    assert!(
        defects.windows(2).all(|pair| pair[1] < 0.5 * pair[0]),
        "{defects:?}"
    );
    assert!(defects[6].abs() < 1e-11, "{defects:?}");
}

/// Two algorithms that share nothing: cumulative functions, and Newton's method for the elliptic equation in 1-D.
#[test]
fn the_map_on_the_circle_solves_the_elliptic_equation() {
    let torus = torus(&[96]);
    let (f, g) = (density(SOURCES[0], 1), density(TARGETS[0], 1));
    let map = wasserstein(&torus, &log_density(&torus, &f), &log_density(&torus, &g)).unwrap();
    let mut operator = operator(&torus);
    let brenier = solve_elliptic(&mut operator, &[0.0; 96], 1e-12).unwrap();
    let mut gradient = vec![vec![0.0; 96]];
    operator.calculus().gradient(&brenier.p, &mut gradient);
    let error = sup_difference(&gradient[0], &map.displacement[0]);
    assert!(error < 1e-11, "{error:e}");
}

/// W₂ sees neither a common translation, by any amount, nor the order of its arguments.
#[test]
fn translation_and_exchange_leave_the_distance() {
    for (points, tolerance) in GRIDS.into_iter().zip([1e-11, 1e-8]) {
        let torus = torus(points);
        let d = torus.dimension();
        let source = Waves::new(
            d,
            &[
                (0.3, [1, 1, 0], 0.1),
                (0.2, [0, 1, 1], 0.4),
                (0.2, [1, 0, 0], 0.9),
            ],
        );
        let a = [0.137, 0.291, 0.413];
        let log = |waves: Waves| log_density(&torus, &waves.density());
        let plain = distance(&torus, &log(source.clone()), &log(target(d)));
        let moved_one = distance(&torus, &log(source.translated(&a)), &log(target(d)));
        let moved = distance(
            &torus,
            &log(source.translated(&a)),
            &log(target(d).translated(&a)),
        );
        let swapped = distance(&torus, &log(target(d)), &log(source.clone()));
        assert!(
            relative(moved, plain) < tolerance,
            "{points:?}: {moved} {plain}"
        );
        assert!(
            relative(swapped, plain) < tolerance,
            "{points:?}: {swapped} {plain}"
        );
        assert!(relative(moved_one, plain) > 1e-3);
    }
}

/// For product densities W₂² is the sum over the axes: the elliptic solver against the map on the circle.
#[test]
fn distances_of_product_densities_add_up() {
    let pairs = [
        ("0.4*cos(2*pi*x) + 0.2*sin(4*pi*x)", "0.3*sin(2*pi*x)"),
        ("0.3*sin(2*pi*x)", "0.5*cos(2*pi*x)"),
        ("0.1*cos(4*pi*x)", "0.3*cos(2*pi*x) - 0.1*sin(4*pi*x)"),
    ];
    for (d, n) in [(2, 48), (3, 24)] {
        let line = torus(&[n]);
        let square: f64 = pairs[..d]
            .iter()
            .map(|(a, b)| {
                let on = |formula| log_density(&line, &density(formula, 1));
                distance(&line, &on(a), &on(b)).powi(2)
            })
            .sum();
        let product = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
            let terms: Vec<String> = pairs[..d]
                .iter()
                .zip(["x)", "y)", "z)"])
                .map(|(pair, axis)| pick(pair).replace("x)", axis))
                .collect();
            let torus = torus(&vec![n; d]);
            log_density(&torus, &density(&terms.join(" + "), d))
        };
        let whole = distance(&torus(&vec![n; d]), &product(|p| p.0), &product(|p| p.1));
        let error = relative(whole, square.sqrt());
        assert!(error < 1e-8, "d = {d}: {error:e}");
    }
}

/// Errors fall faster than any power: each doubling gains a factor above 2⁸ until the floor.
#[test]
fn distances_converge_spectrally() {
    for (d, floor) in [(1, 1e-12), (2, 1e-8)] {
        let errors = [8, 16, 32].map(|n| {
            let torus = torus(&vec![n; d]);
            let (log_rho1, log_rho2, ..) = manufactured(&torus, 1.0);
            let fine = self::torus(&vec![64; d]);
            let exact = manufactured(&fine, 1.0).2;
            relative(distance(&torus, &log_rho1, &log_rho2), exact)
        });
        for pair in errors.windows(2) {
            assert!(
                pair[1] < floor || pair[0] / pair[1] > 256.0,
                "d = {d}: {errors:?}"
            );
        }
        assert!(errors[2] < floor, "d = {d}: {errors:?}");
    }
}

/// `(∇u)^{-1}(y)` at the nodes by the contraction `x ← y − ∇p(x)`.
fn inverse_map(torus: &Torus, p: &Waves) -> Vec<Vec<f64>> {
    let nodes = torus.nodes();
    let mut x = nodes.clone();
    let mut jet = Jet::zeros(torus.dimension(), torus.len(), Order::Gradient);
    // |∇²p| ≤ 0.83, and 0.83²⁰⁰ < 1e-16.
    for _ in 0..200 {
        p.jet(&x, &mut jet);
        for ((x, y), dp) in x.iter_mut().zip(&nodes).zip(&jet.gradient) {
            for i in 0..x.len() {
                x[i] = y[i] - dp[i];
            }
        }
    }
    x
}

/// `‖T₁ − T₂‖_{L²(ν)}` as the definition reads, with ν on the nodes.
fn transport_by_definition(torus: &Torus, p1: &Waves, p2: &Waves, log_nu: &[f64]) -> f64 {
    let (first, second) = (inverse_map(torus, p1), inverse_map(torus, p2));
    let difference: Vec<Vec<f64>> = first
        .iter()
        .zip(&second)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect())
        .collect();
    weighted_norm(log_nu, &difference)
}

/// LOT between the pull-backs of the target by two potentials.
fn transport(torus: &Torus, p1: &Waves, p2: &Waves, g: &Density) -> f64 {
    let log_mu2 = pulled_back(torus, p2, g);
    linearised_transport(torus, &p1.on(torus), &p2.on(torus), &log_mu2).unwrap()
}

fn two_potentials(d: usize, s: f64) -> (Waves, Waves) {
    let p1 = potential(d).scaled(0.8);
    let mut p2 = p1.clone();
    p2.0.extend(potential(d).translated(&[0.35, 0.2, 0.1]).scaled(0.2 * s).0);
    (p1, p2)
}

/// The interpolant is good to 1e-13; LOT is about 1e-2. Symmetric because the definition is.
#[test]
fn linearised_transport_is_its_definition() {
    for points in [&[96][..], &[64, 64], &[24, 24, 24]] {
        let torus = torus(points);
        let d = torus.dimension();
        let (p1, p2) = two_potentials(d, 1.0);
        let g = target(d).density();
        let exact = transport_by_definition(&torus, &p1, &p2, &log_density(&torus, &g));
        for found in [
            transport(&torus, &p1, &p2, &g),
            transport(&torus, &p2, &p1, &g),
        ] {
            let error = relative(found, exact);
            assert!(error < 1e-9, "{points:?}: {error:e}");
        }
        assert_eq!(transport(&torus, &p1, &p1, &g), 0.0);
    }
}

/// `LOT(ρ_s, ρ_0)/s → ‖A∇ṗ‖_{L²(ρ)}`: the speed of THEORY §5, and no digits lost at 1e-6.
#[test]
fn nearby_linearised_transport_is_the_mirror_speed() {
    let torus = torus(&[96]);
    let g = target(1).density();
    let (p1, p2) = two_potentials(1, 1.0);
    let (jet1, jet2) = (p1.jet_on(&torus), p2.jet_on(&torus));
    let velocity = (0..torus.len())
        .map(|i| (jet2.gradient[0][i] - jet1.gradient[0][i]) / (1.0 + jet1.hessian[0][i]))
        .collect();
    let speed = weighted_norm(&pulled_back(&torus, &p1, &g), &[velocity]);
    let error = |s: f64| {
        let (p1, p2) = two_potentials(1, s);
        relative(transport(&torus, &p1, &p2, &g), s * speed)
    };
    let order = orders(&[error(2e-2), error(1e-2)])[0];
    assert!((order - 1.0).abs() < 0.1, "order {order}");
    assert!(error(1e-6) < 1e-5, "{:e}", error(1e-6));
}

/// `(T₁, T₂)_# ν` couples μ₁ and μ₂, so LOT ≥ W₂. On the circle `T₂∘T₁^{-1}` is monotone, hence optimal among maps of its rotation
/// number; it is optimal outright exactly when its mean displacement vanishes, as it must when everything is even.
#[test]
fn linearised_transport_bounds_the_distance_and_meets_it_on_even_data() {
    let torus = torus(&[128]);
    let compare = |p1: &Waves, p2: &Waves, g: &Density| {
        let (log_mu1, log_mu2) = (pulled_back(&torus, p1, g), pulled_back(&torus, p2, g));
        (
            transport(&torus, p1, p2, g),
            distance(&torus, &log_mu1, &log_mu2),
        )
    };
    let even = |a: f64, b: f64| Waves::new(1, &[(a, [1, 0, 0], 0.0), (b, [2, 0, 0], 0.5)]);
    let (lot, w2) = compare(
        &even(0.008, 0.001),
        &even(-0.004, 0.002),
        &even(0.5, 0.2).density(),
    );
    assert!(relative(lot, w2) < 1e-10, "{lot} {w2}");
    let (p1, p2) = two_potentials(1, 1.0);
    let (lot, w2) = compare(&p1, &p2, &target(1).density());
    assert!(lot > w2 * (1.0 + 1e-3), "{lot} {w2}");
}

/// W₂ is between the normalised densities: a constant in log ρ changes nothing.
#[test]
fn a_constant_in_the_log_density_changes_no_distance() {
    for points in [&[96][..], &[24, 24]] {
        let torus = Torus::new(points).unwrap();
        let wave =
            |i: usize, shift: f64| 0.4 * (std::f64::consts::TAU * (torus.node(i)[0] - shift)).cos();
        let [a, b] = [0.0, 0.1].map(|shift| {
            (0..torus.len())
                .map(|i| wave(i, shift))
                .collect::<Vec<f64>>()
        });
        let normal = |f: &[f64]| {
            let mass = f.iter().map(|f| f.exp()).sum::<f64>() / f.len() as f64;
            f.iter().map(|f| f - mass.ln()).collect::<Vec<f64>>()
        };
        let (a, b) = (normal(&a), normal(&b));
        let raised: Vec<f64> = a.iter().map(|a| a + 1e-3).collect();
        let [plain, other] = [&a, &raised].map(|a| wasserstein(&torus, a, &b).unwrap().distance);
        assert!(
            (other / plain - 1.0).abs() < 1e-8,
            "{points:?}: {plain} {other}"
        );
    }
}
