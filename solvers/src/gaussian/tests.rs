//! The claims of THEORY §§4–9 on Gaussians, across the module.

use super::matrix::{congruence, product, sum_of_squares};
use super::samples::{distance, limit_at_zero, scalar, spd};
use super::*;
use approx::assert_relative_eq;
use faer::Scale;

fn problem(d: usize) -> Gaussian {
    Gaussian::new(&spd(d, 11, 9.0), &spd(d, 12, 6.0)).unwrap()
}

fn symmetric(x: &Mat<f64>) -> bool {
    distance(x, &x.transpose().to_owned()) == 0.0
}

fn trace(x: &Mat<f64>) -> f64 {
    (0..x.nrows()).map(|i| x[(i, i)]).sum()
}

/// Central difference of order 4.
fn slope(value: impl Fn(f64) -> f64, h: f64) -> f64 {
    (8.0 * (value(h) - value(-h)) - value(2.0 * h) + value(-2.0 * h)) / (12.0 * h)
}

/// `P' = Σ^{-1} − PΘ^{-1}P` by Gragg's modified midpoint rule, extrapolated over 2, 4, …, 16 substeps of each of `steps` steps:
/// order 16, and nothing in common with the exact solution.
fn integrate(problem: &Gaussian, p0: &Mat<f64>, t: f64, steps: usize) -> Mat<f64> {
    let f = inverse(problem.sigma()).unwrap();
    let g = inverse(problem.theta()).unwrap();
    let rate = |p: &Mat<f64>| &f - congruence(p.as_ref(), g.as_ref());
    let midpoint = |p: &Mat<f64>, big: f64, n: usize| {
        let h = big / n as f64;
        let (mut before, mut now) = (p.clone(), p + Scale(h) * rate(p));
        for _ in 1..n {
            let next = &before + Scale(2.0 * h) * rate(&now);
            (before, now) = (now, next);
        }
        Scale(0.5) * (&now + &before + Scale(h) * rate(&now))
    };
    let counts: Vec<usize> = (1..=8).map(|k| 2 * k).collect();
    let nodes: Vec<f64> = counts.iter().map(|n| (*n as f64).powi(-2)).collect();
    (0..steps).fold(p0.clone(), |p, _| {
        let values: Vec<_> = counts
            .iter()
            .map(|n| midpoint(&p, t / steps as f64, *n))
            .collect();
        limit_at_zero(&nodes, &values)
    })
}

#[test]
fn pma_agrees_with_an_integration_of_order_16() {
    for (d, start) in [
        (1, spd(1, 3, 4.0)),
        (3, spd(3, 3, 20.0)),
        (20, spd(20, 3, 20.0)),
    ] {
        let problem = problem(d);
        let flow = ParabolicFlow::new(problem.potential(&start).unwrap());
        for t in [1e-6, 0.1, 1.5] {
            let exact = flow.at(t).unwrap().matrix();
            let stepped = integrate(&problem, &start, t, 1 + (t * 20.0) as usize);
            let error = distance(&exact, &stepped);
            println!("d = {d}, t = {t}: {error:.1e}");
            assert!(error < 1e-12 && symmetric(&exact));
        }
        // a flow: from s on by t is from 0 on by s + t
        let later = ParabolicFlow::new(flow.at(0.4).unwrap()).at(0.7).unwrap();
        let straight = flow.at(1.1).unwrap();
        assert!(distance(&later.matrix(), &straight.matrix()) < 1e-13);
        assert!(distance(&later.deviation(), &straight.deviation()) < 1e-13);
    }
}

#[test]
fn pma_is_accurate_for_small_and_for_large_times() {
    let problem = problem(20);
    let start = problem.identity().unwrap();
    let flow = ParabolicFlow::new(start.clone());
    assert!(distance(&flow.at(0.0).unwrap().matrix(), &Mat::identity(20, 20)) < 1e-13);
    let (zero, rate) = (flow.at(0.0).unwrap().matrix(), start.rate());
    for t in [1e-12, 1e-9, 1e-6] {
        let linear = &zero + Scale(t) * &rate;
        let error = distance(&flow.at(t).unwrap().matrix(), &linear);
        assert!(error < 1e-14 + 100.0 * t * t, "{t}: {error}");
    }
    let end = problem.brenier();
    for t in [100.0, 1e6, 1e300] {
        assert!(distance(&flow.at(t).unwrap().matrix(), &end) < 1e-13);
    }
    // The end of KL, about 1e-200, at the rate 4 m_1. (The gap is m_1, of linear w, which centred Gaussians do not excite.)
    let kl = |t: f64| flow.at(t).unwrap().relative_entropy().unwrap();
    let m = problem.rates()[0];
    let t = 460.0 / (4.0 * m);
    assert!(kl(t) < 1e-190 && kl(t) > 0.0, "{}", kl(t));
    assert_relative_eq!((kl(t) / kl(t + 1.0)).ln(), 4.0 * m, max_relative = 1e-9);
    assert!(flow.at(-1.0).unwrap_err().to_string().contains("t = -1"));
    assert!(flow.at(f64::INFINITY).is_err());
}

#[test]
fn invariants_hold_without_commuting_in_3_20_and_200_dimensions() {
    for d in [3, 20, 200] {
        let clock = std::time::Instant::now();
        let problem = problem(d);
        let set_up = clock.elapsed();
        let flow = ParabolicFlow::new(problem.identity().unwrap());
        let clock = std::time::Instant::now();
        let now = flow.at(0.5).unwrap();
        let at = clock.elapsed();
        let clock = std::time::Instant::now();
        let mut sinkhorn = Sinkhorn::new(&problem, 0.5, &Mat::identity(d, d)).unwrap();
        sinkhorn.run(1).unwrap();
        println!(
            "d = {d}: set-up {set_up:.1?}, flow to a time {at:.1?}, Sinkhorn start and iteration {:.1?}",
            clock.elapsed()
        );
        let commutator = product(problem.sigma().as_ref(), problem.theta().as_ref());
        assert!(
            !symmetric(&commutator)
                && distance(&commutator, &commutator.transpose().to_owned()) > 0.01
        );
        // (∇u)#ρ = e^{-g}; the three ways to Cov ρ; Brenier at the end
        let (p, c) = (now.matrix(), now.covariance());
        assert!(symmetric(&p) && symmetric(&c));
        assert!(distance(&congruence(p.as_ref(), c.as_ref()), problem.theta()) < 1e-12);
        let one = product(c.as_ref(), now.precision().as_ref());
        assert!(distance(&one, &Mat::identity(d, d)) < 1e-11);
        assert!(distance(&(problem.source_precision() - now.precision()), &now.rate()) < 1e-11);
        assert!(distance(&brenier(&c, problem.theta()).unwrap(), &p) < 1e-12);
        let end = flow.at(200.0).unwrap();
        let pushed = congruence(end.matrix().as_ref(), problem.sigma().as_ref());
        assert!(distance(&pushed, problem.theta()) < 1e-12);
        assert!(distance(&end.covariance(), problem.sigma()) < 1e-12);
        let from = problem.potential_of(&c).unwrap();
        assert!(distance(&from.matrix(), &p) < 1e-12);
    }
}

/// Example 2: `σ = tanh(t/η + artanh η)` for η < 1, `coth(t/η + arcoth η)` for η > 1; Fokker–Planck `σ² = 1 − (1−η²)e^{−2t}`.
#[test]
fn example_2() {
    for eta in [0.2f64, 0.9, 1.1, 5.0] {
        let variance = scalar(eta * eta);
        let problem = Gaussian::new(&scalar(1.0), &variance).unwrap();
        let flow = ParabolicFlow::new(problem.identity().unwrap());
        let diffusion = FokkerPlanck::new(&scalar(1.0), &variance).unwrap();
        for t in [0.0, 1e-8, 0.1, 1.0, 3.0, 30.0] {
            let sigma = flow.at(t).unwrap().covariance()[(0, 0)].sqrt();
            let exact = if eta < 1.0 {
                (t / eta + eta.atanh()).tanh()
            } else {
                1.0 / (t / eta + (1.0 / eta).atanh()).tanh()
            };
            assert_relative_eq!(sigma, exact, max_relative = 1e-13);
            let exact = 1.0 - (1.0 - eta * eta) * (-2.0 * t).exp();
            assert_relative_eq!(diffusion.covariance(t)[(0, 0)], exact, max_relative = 1e-13);
        }
        assert_relative_eq!(2.0 * problem.rates()[0], 2.0 / eta, max_relative = 1e-14);
    }
}

/// Example 3, commuting, ρ₀ = N(0, I): `σ̇ = θ^{-1/2}(1 − σ²/s)`, so `σ = √s tanh(t/√(sθ) + artanh 1/√s)` (coth for s < 1).
#[test]
fn example_3_with_its_rates_and_who_wins() {
    let (s, theta): (Vec<f64>, Vec<f64>) = (vec![0.5, 2.0, 3.0, 0.7], vec![2.0, 0.3, 3.0, 0.4]);
    let diagonal = |v: &[f64]| Mat::from_fn(4, 4, |i, j| if i == j { v[i] } else { 0.0 });
    let problem = Gaussian::new(&diagonal(&s), &diagonal(&theta)).unwrap();
    let identity = Mat::identity(4, 4);
    let flow = ParabolicFlow::new(problem.potential_of(&identity).unwrap());
    let diffusion = FokkerPlanck::new(problem.sigma(), &identity).unwrap();
    for t in [0.0, 0.3, 1.0, 4.0] {
        let c = flow.at(t).unwrap().covariance();
        for i in 0..4 {
            let root = s[i].sqrt();
            let clock = t / (s[i] * theta[i]).sqrt();
            let exact = if s[i] > 1.0 {
                root * (clock + (1.0 / root).atanh()).tanh()
            } else {
                root / (clock + root.atanh()).tanh()
            };
            assert!((c[(i, i)].sqrt() - exact).abs() < 1e-13, "{i} {t}");
        }
    }
    for i in 0..4 {
        let mirror = |t: f64| flow.at(t).unwrap().deviation()[(i, i)].abs();
        let heat = |t: f64| diffusion.deviation(t)[(i, i)].abs();
        let (fast, slow) = (
            (mirror(40.0) / mirror(41.0)).ln(),
            (heat(40.0) / heat(41.0)).ln(),
        );
        assert_relative_eq!(fast, 2.0 / (s[i] * theta[i]).sqrt(), max_relative = 1e-9);
        assert_relative_eq!(slow, 2.0 / s[i], max_relative = 1e-9);
        println!("s = {}, θ = {}: rates {fast:.9}, {slow:.9}", s[i], theta[i]);
        if theta[i] == s[i] {
            assert_relative_eq!(fast, slow, max_relative = 1e-9);
        } else {
            assert_eq!(fast > slow, theta[i] < s[i]);
        }
    }
}

#[test]
fn closed_forms_along_the_flow_are_what_they_are_called() {
    let problem = problem(5);
    let flow = ParabolicFlow::new(problem.potential(&spd(5, 3, 5.0)).unwrap());
    let at = |t: f64| flow.at(t).unwrap();
    let (t, h) = (0.3, 2e-3);
    let now = at(t);
    let c = now.covariance();
    let kl = now.relative_entropy().unwrap();
    assert_relative_eq!(
        kl,
        relative_entropy(&c, problem.sigma()).unwrap(),
        max_relative = 1e-12
    );
    let reverse = now.reverse_relative_entropy().unwrap();
    assert_relative_eq!(
        reverse,
        relative_entropy(problem.sigma(), &c).unwrap(),
        max_relative = 1e-12
    );
    let fisher = fisher_information(&c, problem.sigma()).unwrap();
    assert_relative_eq!(now.fisher_information(), fisher, max_relative = 1e-11);
    let falling = slope(|s| at(t + s).relative_entropy().unwrap(), h);
    assert_relative_eq!(now.dissipation(), -falling, max_relative = 1e-8);
    let lot =
        |s: f64| linearised_transport(problem.theta(), &at(t + s).covariance(), &c).unwrap() / s;
    let limit = (4.0 * (lot(h) + lot(-h).abs()) - (lot(2.0 * h) + lot(-2.0 * h).abs())) / 6.0;
    assert_relative_eq!(now.speed(), limit, max_relative = 1e-8);
    // B_g against its definition, its closed form for the source, and dB/dt = −[KL(ρ) − KL(π) + KL(π|ρ)]
    let pi = spd(5, 21, 7.0);
    let q_pi = brenier(problem.theta(), &pi).unwrap();
    let cost = |q: &Mat<f64>| {
        trace(&product(inverse(q).unwrap().as_ref(), pi.as_ref()))
            + trace(&product(q.as_ref(), problem.theta().as_ref()))
    };
    let definition = 0.5 * (cost(&now.dual()) - cost(&q_pi));
    assert_relative_eq!(now.bregman(&pi).unwrap(), definition, max_relative = 1e-11);
    assert_relative_eq!(
        now.bregman_to_source(),
        now.bregman(problem.sigma()).unwrap(),
        max_relative = 1e-12
    );
    let falling = slope(|s| at(t + s).bregman(&pi).unwrap(), h);
    let gap =
        kl - relative_entropy(&pi, problem.sigma()).unwrap() + relative_entropy(&pi, &c).unwrap();
    assert_relative_eq!(falling, -gap, max_relative = 1e-8);
    let falling = slope(|s| at(t + s).bregman_to_source(), h);
    assert_relative_eq!(falling, -(kl + reverse), max_relative = 1e-8);
}

/// Orders 1 and 2 of `P^ε_{t/ε} − P_t` and `… − εR_t`, and the Aitken–Neville limit of the first over ε, which is R_t to rounding.
#[test]
fn sinkhorn_has_the_first_order_correction_of_section_4() {
    for d in [1, 3, 20] {
        let problem = problem(d);
        let flow = ParabolicFlow::new(problem.potential(&spd(d, 3, 3.0)).unwrap());
        let t = 0.6;
        let exact = flow.at(t).unwrap().matrix();
        for start in [Start::Plain, Start::Prepared] {
            let correction = flow.correction(t, start).unwrap();
            let error = |k: usize| {
                let epsilon = t / k as f64;
                let from = flow.start_matrix(epsilon, start);
                let mut sinkhorn = Sinkhorn::new(&problem, epsilon, &from).unwrap();
                sinkhorn.run(k).unwrap();
                (epsilon, sinkhorn.potential().unwrap().matrix() - &exact)
            };
            let (nodes, quotients): (Vec<f64>, Vec<Mat<f64>>) = (0..7)
                .map(|j| error(4 << j))
                .map(|(epsilon, e)| (epsilon, Scale(1.0 / epsilon) * e))
                .unzip();
            // Beyond 256 iterations a level adds only the rounding of P over ε.
            let limit = distance(&limit_at_zero(&nodes, &quotients), &correction);
            let norms = |k: usize| {
                let (epsilon, e) = error(k);
                (e.norm_l2(), (&e - Scale(epsilon) * &correction).norm_l2())
            };
            let (coarse, fine) = (norms(2000), norms(4000));
            let orders = ((coarse.0 / fine.0).log2(), (coarse.1 / fine.1).log2());
            println!(
                "d = {d}, {start:?}: orders {:.5}, {:.5}; limit {limit:.1e}",
                orders.0, orders.1
            );
            assert!((orders.0 - 1.0).abs() < 2e-3 && (orders.1 - 2.0).abs() < 5e-3);
            assert!(limit < 1e-10, "{limit}");
        }
        // Both corrections end at −½Σ^{-1}, as the fixed points of Sinkhorn do.
        let end = Scale(-0.5) * problem.source_precision();
        for start in [Start::Plain, Start::Prepared] {
            assert!(distance(&flow.correction(100.0, start).unwrap(), &end) < 1e-12);
        }
        assert!(flow.correction(0.0, Start::Plain).unwrap().norm_max() < 1e-12);
    }
}

/// `E' = −(PΘ^{-1}E + EΘ^{-1}P)` for the plain start's transient, by differences.
#[test]
fn the_transient_solves_the_linearised_equation() {
    let problem = problem(4);
    let flow = ParabolicFlow::new(problem.potential(&spd(4, 3, 3.0)).unwrap());
    let e = |t: f64| {
        flow.correction(t, Start::Plain).unwrap() - flow.correction(t, Start::Prepared).unwrap()
    };
    let (t, h) = (0.4, 1e-3);
    let difference = Scale(1.0 / (12.0 * h))
        * (Scale(8.0) * (e(t + h) - e(t - h)) - (e(t + 2.0 * h) - e(t - 2.0 * h)));
    let p = flow.at(t).unwrap().matrix();
    let half = product(
        product(p.as_ref(), inverse(problem.theta()).unwrap().as_ref()).as_ref(),
        e(t).as_ref(),
    );
    assert!(distance(&difference, &-(&half + half.transpose())) < 1e-9);
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap().install(|| {
            let problem = problem(150);
            let flow = ParabolicFlow::new(problem.identity().unwrap());
            let p = flow.at(0.7).unwrap();
            (
                sum_of_squares(p.matrix().as_ref()).to_bits(),
                p.relative_entropy().unwrap().to_bits(),
            )
        })
    };
    assert_eq!(on(1), on(2));
    assert_eq!(on(1), on(3));
}

/// The bound on P_t holds at all times, for data that do not commute, and is attained where they do.
#[test]
fn no_curvature_exceeds_the_bound() {
    let top = |p: &Mat<f64>| super::operator_norm(p).unwrap();
    for seed in 1..6 {
        let gaussian = Gaussian::new(&spd(4, seed, 30.0), &spd(4, seed + 10, 20.0)).unwrap();
        let start = spd(4, seed + 20, 5.0);
        let bound = gaussian.largest_curvature(&start).unwrap();
        let flow = ParabolicFlow::new(gaussian.potential(&start).unwrap());
        for k in 0..60 {
            let p = flow.at(0.1 * f64::from(k)).unwrap().matrix();
            assert!(top(&p) <= bound * (1.0 + 1e-13), "{} > {bound}", top(&p));
        }
    }
    let (sigma, theta) = (
        super::problem::diagonal(&[0.25, 4.0]),
        super::problem::diagonal(&[1.0, 1.0]),
    );
    let gaussian = Gaussian::new(&sigma, &theta).unwrap();
    let bound = gaussian.largest_curvature(&Mat::identity(2, 2)).unwrap();
    approx::assert_relative_eq!(bound, top(&gaussian.brenier()), max_relative = 1e-14);
}

/// KL of Sinkhorn keeps its digits, and is that of its covariance where this has them.
#[test]
fn the_entropy_of_sinkhorn_is_accurate_relative_to_itself() {
    let gaussian = Gaussian::new(&spd(4, 1, 9.0), &spd(4, 2, 6.0)).unwrap();
    let mut sinkhorn = Sinkhorn::new(&gaussian, 0.1, &spd(4, 3, 4.0)).unwrap();
    assert_eq!(sinkhorn.relative_entropy().unwrap(), None);
    for _ in 0..8 {
        sinkhorn.iterate().unwrap();
        let direct = relative_entropy(&sinkhorn.covariance().unwrap(), gaussian.sigma()).unwrap();
        let exact = sinkhorn.relative_entropy().unwrap().unwrap();
        approx::assert_relative_eq!(exact, direct, max_relative = 1e-10);
    }
    sinkhorn.run(2000).unwrap();
    let before = (
        sinkhorn.relative_entropy().unwrap().unwrap(),
        sinkhorn.mode(0),
    );
    sinkhorn.iterate().unwrap();
    let after = (
        sinkhorn.relative_entropy().unwrap().unwrap(),
        sinkhorn.mode(0),
    );
    let rates = (
        (before.0 / after.0).ln() / 0.1,
        (before.1 / after.1).ln() / 0.1,
    );
    approx::assert_relative_eq!(rates.0, 2.0 * sinkhorn.rate(), max_relative = 1e-9);
    approx::assert_relative_eq!(rates.1, sinkhorn.rate(), max_relative = 1e-9);
}

/// `Cov(ρ^ε)^{-1} = Cov(ρ_t)^{-1} − ε S_t + O(ε²)`, both starts.
#[test]
fn the_marginal_has_its_first_order_correction() {
    let gaussian = Gaussian::new(&spd(3, 1, 9.0), &spd(3, 2, 6.0)).unwrap();
    let flow = ParabolicFlow::new(gaussian.potential(&spd(3, 3, 4.0)).unwrap());
    let t = 0.4;
    for start in [Start::Plain, Start::Prepared] {
        let s = flow.marginal_correction(t, start).unwrap();
        let left = |count: usize| {
            let epsilon = t / count as f64;
            let from = flow.start_matrix(epsilon, start);
            let mut sinkhorn = Sinkhorn::new(&gaussian, epsilon, &from).unwrap();
            sinkhorn.run(count).unwrap();
            let precision = super::inverse(&sinkhorn.covariance().unwrap()).unwrap();
            let change = flow.at(t).unwrap().precision() - precision;
            distance(&change, &(faer::Scale(epsilon) * &s))
        };
        let order = (left(200) / left(400)).log2();
        assert!((order - 2.0).abs() < 0.05, "{start:?}: {order}");
    }
}

/// The covariance's distance to Σ, and W₂, keep their digits where the difference of the matrices has none.
#[test]
fn distances_to_the_end_are_accurate_relative_to_themselves() {
    let gaussian = problem(4);
    let flow = ParabolicFlow::new(gaussian.identity().unwrap());
    let early = flow.at(0.2).unwrap();
    let difference = early.covariance() - gaussian.sigma();
    assert!(distance(&difference, &early.covariance_deviation()) < 1e-14);
    let direct = wasserstein(&early.covariance(), gaussian.sigma()).unwrap();
    assert_relative_eq!(early.wasserstein().unwrap(), direct, max_relative = 1e-12);
    // Rates 1/2, 1 and √2: the slowest mode is soon alone.
    let diagonal =
        |values: [f64; 3]| Mat::from_fn(3, 3, |i, j| if i == j { values[i] } else { 0.0 });
    let gaussian = Gaussian::new(&diagonal([4.0, 1.0, 0.5]), &diagonal([1.0; 3])).unwrap();
    let flow = ParabolicFlow::new(gaussian.identity().unwrap());
    let rate = 2.0 * gaussian.rates()[0];
    let (a, b) = (60.0 / rate, 61.0 / rate);
    let (first, second) = (flow.at(a).unwrap(), flow.at(b).unwrap());
    let observed = [
        (first.wasserstein().unwrap() / second.wasserstein().unwrap()).ln(),
        (first.mode(0) / second.mode(0)).ln(),
        (operator_norm(&first.covariance_deviation()).unwrap()
            / operator_norm(&second.covariance_deviation()).unwrap())
        .ln(),
    ];
    let left = first.left();
    assert!(left.slowest > 0.999 && left.excess < 1e-3, "{left:?}");
    assert_relative_eq!(observed[1], 1.0, max_relative = 1e-12);
    for rate in observed {
        assert_relative_eq!(rate, 1.0, max_relative = 1e-3);
    }
}
