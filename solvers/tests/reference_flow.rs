//! PMA and Sinkhorn against reference solutions made by an independent program (`tests/reference/*.json`, whose `about` says how
//! to read each).

use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::density::{Density, Formula};
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::monge_ampere::{ExtrapolatedFlow, Flow, MongeAmpere, Snapshot};
use mirrorflow_solvers::parallel::sup_difference;
use mirrorflow_solvers::sinkhorn::{Kernel, Sinkhorn};
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{LogDensity, Torus};
use serde_json::Value;
use std::ops::ControlFlow;
use std::sync::Arc;

const SOURCE_1D: &str = "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)";
const TARGET_1D: &str = "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)";
const SOURCE_2D: &str = "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x+y)) - 0.2*sin(2*pi*y)";
const TARGET_2D: &str = "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x-y)) + 0.1*sin(2*pi*(x-y))";

fn reference(name: &str) -> Value {
    let path = format!("{}/tests/reference/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Numbers of a nested JSON array in C order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn density(formula: &str, dimension: usize) -> Density {
    Density::new(Arc::new(Formula::parse(formula, dimension).unwrap())).unwrap()
}

fn flow(points: &[usize], source: &str, target: &str, times: &[f64]) -> Vec<Snapshot> {
    let torus = Torus::new(points).unwrap();
    let d = points.len();
    let operator = MongeAmpere::new(
        &density(source, d),
        Arc::new(density(target, d)),
        Box::new(Spectral::new(&torus)),
    );
    let start = vec![0.0; torus.len()];
    Flow::new(operator, Stepper::Adaptive { tolerance: 1e-9 }, &start)
        .run(times, &mut |_| ControlFlow::Continue(()))
        .unwrap()
}

#[test]
fn flow_1d_agrees_to_1e_8_with_the_default_tolerance() {
    let data = reference("flow_1d.json");
    let snapshots = flow(&[64], SOURCE_1D, TARGET_1D, &numbers(&data["times"]));
    let source = density(SOURCE_1D, 1).on(&Torus::new(&[64]).unwrap());
    for (k, snapshot) in snapshots.iter().enumerate() {
        let error = sup_difference(&snapshot.p, &numbers(&data["p"][k]));
        assert!(error < 1e-8, "t = {}: {error:e}", snapshot.time);
        let log_source: Vec<f64> = source.iter().map(|f| -f).collect();
        let kl = relative_entropy(&snapshot.log_marginal, &log_source);
        let expected = data["kl_rho_t_given_source"][k].as_f64().unwrap();
        assert!(
            (kl - expected).abs() < 1e-8 * expected.max(1e-3),
            "{kl} {expected}"
        );
        assert!(snapshot.diagnosis.mass_defect < 1e-11);
    }
}

#[test]
fn extrapolated_sinkhorn_agrees_to_1e_8_with_the_default_tolerance() {
    for (name, n, [source, target], seen) in [
        ("flow_1d.json", 64, [SOURCE_1D, TARGET_1D], vec![64]),
        ("flow_2d.json", 64, [SOURCE_2D, TARGET_2D], vec![32, 32]),
    ] {
        let data = reference(name);
        let torus = Torus::new(&vec![n; seen.len()]).unwrap();
        let [source, target] =
            [source, target].map(|formula| Arc::new(density(formula, seen.len())));
        let spectral = Box::new(Spectral::new(&torus));
        let operator = MongeAmpere::new(&*source, target, spectral);
        let start = vec![0.0; torus.len()];
        let mut snapshots = Vec::new();
        ExtrapolatedFlow::new(operator, source, 1e-9, &start)
            .unwrap()
            .run_into(&numbers(&data["times"]), &mut snapshots, &mut |_| {
                ControlFlow::Continue(())
            })
            .unwrap();
        let seen = Torus::new(&seen).unwrap();
        let ours: Vec<usize> = (0..seen.len())
            .map(|i| {
                let axes = 0..seen.dimension();
                axes.fold(0, |node, axis| {
                    node * n + seen.index(i, axis) * n / seen.points()[axis]
                })
            })
            .collect();
        for (snapshot, expected) in snapshots.iter().zip(data["p"].as_array().unwrap()) {
            let p: Vec<f64> = ours.iter().map(|&node| snapshot.p[node]).collect();
            let error = sup_difference(&p, &numbers(expected));
            assert!(error < 1e-8, "{name}, t = {}: {error:e}", snapshot.time);
            assert!(snapshot.diagnosis.mass_defect < 1e-9);
        }
        assert_eq!(snapshots.len(), data["times"].as_array().unwrap().len());
    }
}

#[test]
fn flow_2d_agrees_to_1e_8_with_the_default_tolerance() {
    let data = reference("flow_2d.json");
    let snapshots = flow(&[64, 64], SOURCE_2D, TARGET_2D, &numbers(&data["times"]));
    for (k, snapshot) in snapshots.iter().enumerate() {
        let expected = numbers(&data["p"][k]);
        let ours: Vec<f64> = (0..32 * 32)
            .map(|i| snapshot.p[(i / 32) * 2 * 64 + (i % 32) * 2])
            .collect();
        let error = sup_difference(&ours, &expected);
        assert!(error < 1e-8, "t = {}: {error:e}", snapshot.time);
    }
}

#[test]
fn sinkhorn_agrees_to_1e_11() {
    for (name, d, source, target) in [
        ("flow_1d.json", 1, SOURCE_1D, TARGET_1D),
        ("flow_2d.json", 2, SOURCE_2D, TARGET_2D),
    ] {
        for case in reference(name)["sinkhorn"].as_array().unwrap() {
            let n = case["points"].as_u64().unwrap() as usize;
            let torus = Torus::new(&vec![n; d]).unwrap();
            let (f, g) = (density(source, d).on(&torus), density(target, d).on(&torus));
            let epsilon = case["epsilon"].as_f64().unwrap();
            let start = vec![0.0; torus.len()];
            let mut s = Sinkhorn::new(&torus, Kernel::Heat, epsilon, &f, &g, &start).unwrap();
            let iterations = case["iterations"].as_u64().unwrap() as usize;
            s.run(iterations, &mut |_, _| ControlFlow::Continue(()))
                .unwrap();
            let mut log_rho = vec![0.0; torus.len()];
            s.log_marginal(&mut log_rho);
            for (key, ours) in [("p", s.p()), ("q", s.q()), ("log_rho_k", &log_rho)] {
                if case[key].is_null() {
                    continue;
                }
                let error = sup_difference(ours, &numbers(&case[key]));
                assert!(error < 1e-11, "{name} ε = {epsilon} {key}: {error:e}");
            }
        }
    }
}

/// A sum of functions of one coordinate keeps each coordinate to itself.
#[test]
fn separable_3d_data_is_the_sum_of_1d_flows() {
    let one = |axis: &str, formula: &str| formula.replace('x', axis);
    let axes = [
        ("x", SOURCE_1D, TARGET_1D),
        ("y", "0.3*sin(2*pi*x)", "0.4*cos(2*pi*x)"),
        ("z", "0.2*cos(4*pi*x)", "0.3*sin(2*pi*x)"),
    ];
    let source = axes.map(|(axis, f, _)| one(axis, f)).join(" + ");
    let target = axes.map(|(axis, _, g)| one(axis, g)).join(" + ");
    let n = 32;
    let whole = flow(&[n; 3], &source, &target, &[0.02]).remove(0).p;
    let parts: Vec<Vec<f64>> = axes
        .iter()
        .map(|(_, f, g)| flow(&[n], f, g, &[0.02]).remove(0).p)
        .collect();
    let expected: Vec<f64> = (0..n * n * n)
        .map(|i| parts[0][i / (n * n)] + parts[1][i / n % n] + parts[2][i % n])
        .collect();
    let error = sup_difference(&whole, &expected);
    assert!(error < 1e-8, "{error:e}");
}

/// The Density used here is the one of the reference: same constants.
#[test]
fn normalisation_is_that_of_the_reference() {
    let data = reference("flow_1d.json");
    let torus = Torus::new(&[64]).unwrap();
    for (formula, key, at_zero) in [
        (SOURCE_1D, "f_constant", 0.5),
        (TARGET_1D, "g_constant", 0.2),
    ] {
        let density = density(formula, 1);
        assert_eq!(density.dimension(), 1);
        let constant = density.on(&torus)[0] - at_zero;
        assert!((constant - data[key].as_f64().unwrap()).abs() < 1e-14);
    }
}
