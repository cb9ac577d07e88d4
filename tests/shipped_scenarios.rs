//! Every shipped scenario is a test: it runs, every claim is consistent, the orders are those of the theory, and the folder
//! keeps the contract.

mod common;

use common::contract::{self, Arrays};
use common::project;
use mirrorflow::run::{self, numbered};
use mirrorflow::scenario::parse;
use mirrorflow::study::Study;
use mirrorflow::verdict::{Status, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Orders of the expansion in ε (theory page of the scaling limit) by measured quantity.
const ORDERS: [(&str, f64); 5] = [
    ("potential", 1.0),
    ("corrected", 2.0),
    ("gradient", 1.0),
    ("wasserstein", 1.0),
    ("kl", 2.0),
];

#[test]
fn smoke_1d() {
    holds("scenarios/smoke_1d.ron", &[]);
}

#[test]
fn prepared_start_1d() {
    holds("scenarios/prepared_start_1d.ron", &[]);
}

#[test]
fn scaling_limit_1d() {
    holds("scenarios/scaling_limit_1d.ron", &[]);
}

#[test]
fn finite_difference_2d() {
    holds("scenarios/finite_difference_2d.ron", &[]);
}

/// The flagship on a quarter of its nodes; the whole of it is the main job of `.ci/run`.
#[test]
fn scaling_limit_2d_on_64_points() {
    holds(
        "scenarios/scaling_limit_2d.ron",
        &[("[128, 128]", "[64, 64]")],
    );
}

/// A sixteenth of its nodes, which resolve ε ≥ 2e-4; the whole of it takes minutes.
#[test]
fn small_epsilon_2d_on_160_points() {
    let smaller = [
        ("[640, 640]", "[160, 160]"),
        ("[1e-3, 2e-4, 5e-5, 1e-5]", "[2e-3, 1e-3, 5e-4, 2e-4]"),
    ];
    holds("scenarios/small_epsilon_2d.ron", &smaller);
}

/// Three dimensions on 28³ nodes, which resolve ε ≥ 0.0036; the whole of it runs in `.ci/run`.
#[test]
fn scaling_limit_3d_on_28_points() {
    let smaller = [
        ("[32, 32, 32]", "[28, 28, 28]"),
        (
            "[0.008, 0.006, 0.004, 0.003]",
            "[0.008, 0.006, 0.0048, 0.004]",
        ),
    ];
    holds("scenarios/scaling_limit_3d.ron", &smaller);
}

/// Claims of the mirror flow that need refinements, and those that need differences in space.
const TIME_ORDERS: [&str; 3] = ["mirror-time-order", "dual-time-order", "primal-time-order"];
const SPACE_ORDERS: [&str; 3] = [
    "mirror-space-order",
    "dual-space-order",
    "primal-space-order",
];

#[test]
fn optimal_map_1d() {
    let held = holds("scenarios/optimal_map_1d.ron", &[]);
    held.leaves_out(&[]);
    for certificate in ["push_forward", "duality_gap", "inverse", "circle"] {
        let defect = held.number("optimal-map", certificate);
        assert!(defect < 1e-10, "{certificate}: {defect}");
    }
}

#[test]
fn optimal_map_2d() {
    let held = holds("scenarios/optimal_map_2d.ron", &[]);
    held.leaves_out(&[]);
}

#[test]
fn mirror_flow_1d() {
    let held = holds("scenarios/mirror_flow_1d.ron", &[]);
    held.leaves_out(&[]);
    routes_agree(&held, "mirror-flow", 1e-7);
}

/// A quarter of its nodes and its first instants, at a looser tolerance; the whole of it takes minutes.
#[test]
fn mirror_flow_2d_on_32_points() {
    let smaller = [
        ("[64, 64]", "[32, 32]"),
        ("[0.005, 0.02, 0.05]", "[0.005, 0.02]"),
        (
            "studies:",
            "numerics: (time: Adaptive(tolerance: 1e-7)), studies:",
        ),
    ];
    let held = holds("scenarios/mirror_flow_2d.ron", &smaller);
    held.leaves_out(&[]);
    routes_agree(&held, "mirror-flow", 1e-5);
}

/// All coordinates give one flow, and it dissipates and moves as the theory says.
fn routes_agree(held: &Held, study: &str, agreement: f64) {
    for route in [
        "primal_difference",
        "dual_difference",
        "conjugate_difference",
    ] {
        let apart = held.largest(study, route);
        assert!(apart < agreement, "{route}: {apart}");
    }
    for (measured, exact) in [("dissipated", "drop"), ("lot_speed", "speed")] {
        let pairs = held
            .curve(study, measured)
            .iter()
            .zip(held.curve(study, exact));
        for (measured, exact) in pairs {
            assert!((measured / exact - 1.0).abs() < 1e-5, "{measured} {exact}");
        }
    }
}

#[test]
fn mirror_flow_orders_1d() {
    let held = holds("scenarios/mirror_flow_orders_1d.ron", &[]);
    for (claims, order) in [(TIME_ORDERS, 1.0), (SPACE_ORDERS, 4.0)] {
        for claim in claims {
            let observed = held.observed("mirror-flow", claim);
            assert!((observed - order).abs() < 0.1, "{claim}: {observed}");
        }
    }
}

/// The numbers of the theory page, found there by an independent program.
#[test]
fn exponential_convergence_1d() {
    let held = holds("scenarios/exponential_convergence_1d.ron", &[]);
    held.leaves_out(&[]);
    let number = |name: &str| held.number("exponential-convergence", name);
    let sharp = 2.0 * number("gap");
    assert!((sharp - 76.893_140_65).abs() < 1e-5, "2·gap = {sharp}");
    let observed = held.observed("exponential-convergence", "sharp-rate");
    assert!((observed / sharp - 1.0).abs() < 0.02, "{observed}");
    let holley_stroock = 2.0 * number("kappa_holley_stroock") * number("lambda");
    assert!((12.6..12.8).contains(&holley_stroock), "{holley_stroock}");
    assert!(number("kappa") >= number("kappa_holley_stroock"));
    assert!(ratio_of_gaps(&held, "exponential-convergence") < 1.0);
}

#[test]
fn double_well_1d() {
    let held = holds("scenarios/double_well_1d.ron", &[]);
    held.leaves_out(&[]);
    assert!(ratio_of_gaps(&held, "exponential-convergence") > 3.0);
}

/// Above 1 the mirror flow is faster than Fokker–Planck in the end.
fn ratio_of_gaps(held: &Held, study: &str) -> f64 {
    held.number(study, "gap") / held.number(study, "fokker_planck_gap")
}

/// On half of its nodes, down to the ε that they resolve.
#[test]
fn exponential_convergence_2d_on_44_points() {
    let smaller = [
        ("[64, 64]", "[44, 44]"),
        ("1e-10", "1e-9"),
        ("samples: 36", "samples: 18"),
        ("[0.01, 0.005, 0.0025, 0.00125]", "[0.02, 0.01, 0.005]"),
    ];
    let held = holds("scenarios/exponential_convergence_2d.ron", &smaller);
    held.leaves_out(&[]);
}

#[test]
fn compare_objectives_1d() {
    let held = holds("scenarios/compare_objectives_1d.ron", &[]);
    held.leaves_out(&[]);
    for study in ["mirror-flow", "mirror-flow-2", "mirror-flow-3"] {
        routes_agree(&held, study, 1e-7);
    }
    let others = held.verdicts.iter().filter(|v| v.claim == "objective-rate");
    assert_eq!(others.count(), 4);
}

#[test]
fn side_by_side_1d() {
    let held = holds("scenarios/side_by_side_1d.ron", &[]);
    held.leaves_out(&[]);
}

/// The ε that 56 points resolve, with horizon and samples to fit.
#[test]
fn side_by_side_2d_on_56_points() {
    let smaller = [
        ("[128, 128]", "[56, 56]"),
        (
            "[0.008, 0.004, 0.002, 0.001]",
            "[0.006, 0.004, 0.003, 0.002]",
        ),
        ("[0.008, 0.016, 0.048]", "[0.012, 0.048]"),
        ("horizon: 0.32", "horizon: 0.288"),
        ("samples: 40", "samples: 12"),
        (
            "studies:",
            "numerics: (time: Adaptive(tolerance: 1e-7)), studies:",
        ),
    ];
    let held = holds("scenarios/side_by_side_2d.ron", &smaller);
    held.leaves_out(&[]);
}

/// What needs a strongly convex g, which no torus has.
const ON_R: [&str; 2] = ["log-regret", "log-last-iterate"];

#[test]
fn mirror_descent_1d() {
    let held = holds("scenarios/mirror_descent_1d.ron", &[]);
    held.leaves_out(&["log-last-iterate", "log-over-t", "log-regret"]);
    for rule in ["explicit", "implicit"] {
        for ending in ["", "-conjugate"] {
            let order = held.observed("mirror-descent", &format!("{rule}{ending}-order"));
            assert!((order - 1.0).abs() < 0.03, "{rule}{ending}: {order}");
        }
    }
    let strong_convexity = held.number("mirror-descent", "strong_convexity");
    assert!(strong_convexity < 0.0, "{strong_convexity}");
    bound_says_something(&held, 5);
}

#[test]
fn mirror_descent_2d() {
    let held = holds("scenarios/mirror_descent_2d.ron", &[]);
    held.leaves_out(&ON_R);
    bound_says_something(&held, 3);
}

/// Which claims about Fokker–Planck's map apply depends on the data; the torus has no strongly convex g either way.
#[test]
fn sampling_1d() {
    let held = holds("scenarios/sampling_1d.ron", &[]);
    held.leaves_out(&["composition-cost", "composition-remainder"]);
    let remainder = held.largest("mirror-descent", "sampling_remainder");
    let gradient = held.largest("mirror-descent", "sampling_gradient");
    assert!(remainder < 1e-9 * gradient, "{remainder} {gradient}");
}

#[test]
fn sampling_2d() {
    let held = holds("scenarios/sampling_2d.ron", &[]);
    held.leaves_out(&["composition-optimal"]);
    let order = held.observed("mirror-descent", "composition-remainder");
    assert!((order - 3.0).abs() < 0.15, "{order}");
    let ratio = held.observed("mirror-descent", "composition-cost");
    assert!(ratio < 0.9999, "W_2²/cost = {ratio}");
}

/// Three modes: no part of the inequality asks for log-concavity.
#[test]
fn multimodal_1d() {
    let held = holds("scenarios/multimodal_1d.ron", &[]);
    held.leaves_out(&[]);
    let kl = held.curve("mirror-descent", "run_2_kl");
    assert!(kl[0] > 0.2 && kl[kl.len() - 1] < 1e-4, "{kl:?}");
}

/// The sum of η KL is a sizeable part of B_0 for the run with this number.
fn bound_says_something(held: &Held, run: usize) {
    let curve = |name: &str| held.curve("mirror-descent", &format!("run_{run}_{name}"));
    let spent: f64 = curve("eta")
        .iter()
        .zip(&curve("kl")[1..])
        .map(|(eta, kl)| eta * kl)
        .sum();
    let start = curve("bregman")[0];
    assert!(spent > 0.3 * start && spent < start, "{spent} {start}");
}

#[test]
fn both_kernels_and_both_starts_in_two_dimensions() {
    holds("tests/scenarios/kernels_and_starts_2d.ron", &[]);
}

/// Where source, target and start do not commute, the claims about single eigenvalues are left out.
const NOT_COMMUTING: [&str; 4] = [
    "closed-form",
    "gradient-flow-closed-form",
    "fokker-planck-closed-form",
    "faster-than-fokker-planck",
];

/// Example 1 of the talk.
#[test]
fn gaussian_entropy_1d() {
    let held = holds("scenarios/gaussian_entropy_1d.ron", &[]);
    held.leaves_out(&[]);
    let times = held.curve("mirror-flow", "times").to_vec();
    let variances = held.curve("mirror-flow", "covariance");
    for (t, variance) in times.iter().zip(variances) {
        assert!((variance / (1.0 + t).powi(2) - 1.0).abs() < 1e-14);
    }
    let heat = held.curve("mirror-flow", "gradient_flow_deviations");
    assert!((heat[120] / 9f64.sqrt() - 1.0).abs() < 1e-14);
}

/// Example 2: rates 2/η and 2 of the deviation, twice that of KL, to six digits; the mirror flow is faster iff η < 1.
#[test]
fn gaussian_narrow_and_wide_1d() {
    for (path, eta) in [
        ("scenarios/gaussian_narrow_1d.ron", 0.5),
        ("scenarios/gaussian_wide_1d.ron", 2.0),
    ] {
        let held = holds(path, &[]);
        held.leaves_out(&[]);
        let observed = |claim| held.observed("exponential-convergence", claim);
        for (claim, rate) in [
            ("sharp-rate", 4.0 / eta),
            ("wasserstein-rate", 2.0 / eta),
            ("potential-rate", 2.0 / eta),
            ("fokker-planck-rate", 4.0),
            ("rate-ratio", 1.0 / eta),
        ] {
            let found = observed(claim);
            assert!((found / rate - 1.0).abs() < 1e-6, "{claim}: {found}");
        }
        let times = held.curve("mirror-flow", "times").to_vec();
        let variances = held.curve("mirror-flow", "covariance");
        for (t, variance) in times.iter().zip(variances) {
            let sigma = if eta < 1.0 {
                (t / eta + eta.atanh()).tanh()
            } else {
                1.0 / (t / eta + (1.0 / eta).atanh()).tanh()
            };
            assert!((variance / (sigma * sigma) - 1.0).abs() < 1e-10);
        }
    }
}

/// Example 3: the slowest modes decide, 2/√3 against 2/4.
#[test]
fn gaussian_commuting() {
    let held = holds("scenarios/gaussian_commuting.ron", &[]);
    held.leaves_out(&[]);
    let number = |name: &str| held.number("exponential-convergence", name);
    assert!((number("gap") * 3f64.sqrt() / 2.0 - 1.0).abs() < 1e-14);
    assert!((number("fokker_planck_gap") / 0.5 - 1.0).abs() < 1e-14);
    let sharp = held.observed("exponential-convergence", "sharp-rate");
    assert!((sharp * 3f64.sqrt() / 4.0 - 1.0).abs() < 1e-6, "{sharp}");
}

#[test]
fn gaussian_non_commuting_3d() {
    let held = holds("scenarios/gaussian_non_commuting_3d.ron", &[]);
    held.leaves_out(&NOT_COMMUTING);
    assert!(held.largest("mirror-flow", "riccati_difference") < 1e-10);
    assert!(held.largest("mirror-flow", "conjugate_difference") < 1e-10);
}

#[test]
fn gaussian_scaling_limit_3d() {
    let held = holds("scenarios/gaussian_scaling_limit_3d.ron", &[]);
    held.leaves_out(&[]);
    for study in ["scaling-limit", "scaling-limit-2"] {
        for (claim, order) in [
            ("potential-order", 1.0),
            ("first-order-potential-order", 2.0),
            ("first-order-gradient-order", 1.0),
        ] {
            let observed = held.observed(study, claim);
            assert!(
                (observed - order).abs() < 2e-3,
                "{study}/{claim}: {observed}"
            );
        }
    }
}

/// The largest dimension, whole.
#[test]
fn gaussian_200d() {
    let held = holds("scenarios/gaussian_200d.ron", &[]);
    let of_decay = NOT_COMMUTING.iter().copied();
    let of_decay: Vec<&str> = of_decay
        .filter(|c| *c != "gradient-flow-closed-form")
        .collect();
    held.leaves_out(&of_decay);
    assert_eq!(held.data["scaling-limit"]["p"].shape(), [200, 200]);
}

/// Where g is strongly convex, the logarithmic bounds are judged; and for quadratic potentials the inequality is an equality.
#[test]
fn gaussian_mirror_descent() {
    let held = holds("scenarios/gaussian_mirror_descent.ron", &[]);
    held.leaves_out(&[]);
    for rule in ["explicit", "implicit", "sinkhorn"] {
        let order = held.observed("mirror-descent", &format!("{rule}-order"));
        assert!((order - 1.0).abs() < 0.01, "{rule}: {order}");
    }
}

#[test]
fn gaussian_mirror_descent_200d() {
    let held = holds("scenarios/gaussian_mirror_descent_200d.ron", &[]);
    held.leaves_out(&["average-iterate"]);
}

#[test]
fn euclidean_three_decays() {
    let held = holds("scenarios/euclidean_three_decays.ron", &[]);
    held.leaves_out(&[]);
    for mirror in ["u1", "u2", "u3"] {
        let error = held.largest("mirror-flow", &format!("{mirror}_closed_form"));
        assert!(error < 1e-10, "{mirror}: {error:e}");
    }
    let arrival = held.number("mirror-flow", "u2_arrival");
    assert!((arrival - 6.0).abs() < 1e-9, "{arrival}");
    let exponent = held.observed("mirror-flow", "algebraic-decay");
    assert!((exponent + 1.0 / 3.0).abs() < 1e-4, "{exponent}");
    descents_are_of_order_one(&held);
}

/// The logistic equation, 2/(1 + 19e^{−2t}).
#[test]
fn euclidean_entropy() {
    let held = holds("scenarios/euclidean_entropy.ron", &[]);
    held.leaves_out(&[]);
    let times = held.curve("mirror-flow", "times");
    for (t, x) in times.iter().zip(held.curve("mirror-flow", "u1_x")) {
        let exact = 2.0 / (1.0 + 19.0 * (-2.0 * t).exp());
        assert!((x - exact).abs() < 1e-10, "{t}: {x} {exact}");
    }
    for (mirror, rate) in [("u1", 2.0), ("u2", 4.0), ("u3", 1.0)] {
        let found = held.number("mirror-flow", &format!("{mirror}_rate"));
        assert!((found - rate).abs() < 1e-6, "{mirror}: {found}");
    }
    descents_are_of_order_one(&held);
}

/// Newton's flow, U = F, goes straight to the minimiser: x_t − x_∞ = e^{−t}(x_0 − x_∞).
#[test]
fn euclidean_plane() {
    let held = holds("scenarios/euclidean_plane.ron", &[]);
    held.leaves_out(&[]);
    let times = held.curve("mirror-flow", "times");
    for (t, x) in times
        .iter()
        .zip(held.curve("mirror-flow", "u3_x").chunks(2))
    {
        let left = (-t).exp();
        let error = (x[0] - 1.0 - 1.5 * left).hypot(x[1] - 1.0 + 0.85 * left);
        assert!(error < 1e-10, "{t}: {error:e}");
    }
    descents_are_of_order_one(&held);
}

#[test]
fn euclidean_orders() {
    let held = holds("scenarios/euclidean_orders.ron", &[]);
    held.leaves_out(&[]);
    for claim in ["theta-step-order", "x-step-order"] {
        let order = held.observed("mirror-flow", claim);
        assert!((order - 4.0).abs() < 0.1, "{claim}: {order}");
    }
}

fn descents_are_of_order_one(held: &Held) {
    for rule in ["explicit", "implicit", "natural"] {
        let order = held.observed("mirror-descent", &format!("{rule}-step-order"));
        assert!((order - 1.0).abs() < 0.02, "{rule}: {order}");
    }
}

#[test]
fn no_shipped_scenario_is_left_out() {
    let source = include_str!("shipped_scenarios.rs");
    for name in common::names(&project("scenarios")) {
        assert!(source.contains(&format!("\"scenarios/{name}\"")), "{name}");
    }
}

/// A run that kept its contract, and what it found.
struct Held {
    verdicts: Vec<Verdict>,
    /// Arrays by study.
    data: BTreeMap<String, Arrays>,
}

impl Held {
    fn curve(&self, study: &str, name: &str) -> &[f64] {
        self.data[study][name].as_slice().expect("C order")
    }

    fn number(&self, study: &str, name: &str) -> f64 {
        self.data[study][name][[]]
    }

    fn largest(&self, study: &str, name: &str) -> f64 {
        let values = self.curve(study, name).iter().copied();
        values.fold(0.0, f64::max)
    }

    /// The number that the claim was judged by.
    fn observed(&self, study: &str, claim: &str) -> f64 {
        let judged = |v: &&Verdict| v.study == study && v.claim == claim;
        let verdict = self.verdicts.iter().find(judged).expect(claim);
        verdict.observed.expect("a number")
    }

    /// Exactly these claims were found not applicable.
    fn leaves_out(&self, claims: &[&str]) {
        let left_out = |v: &&Verdict| v.status == Status::NotApplicable;
        let found = self.verdicts.iter().filter(left_out);
        let found: BTreeSet<&str> = found.map(|v| v.claim.as_str()).collect();
        assert_eq!(found, claims.iter().copied().collect());
    }
}

/// Runs the scenario with the texts replaced.
fn holds(path: &str, replaced: &[(&str, &str)]) -> Held {
    let mut text = std::fs::read_to_string(project(path)).unwrap();
    for (old, new) in replaced {
        assert!(text.contains(old), "{old} is not in {path}");
        text = text.replace(old, new);
    }
    let loaded = parse(path, &text).unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join(&loaded.name);
    let ended = run::run(&loaded, &place, false).unwrap();
    assert!(ended.failure.is_none(), "{:?}", ended.failure);
    let doubtful: Vec<&Verdict> = ended.verdicts.iter().filter(|v| doubtful(v)).collect();
    assert!(
        doubtful.is_empty() && ended.exit_code() == 0,
        "{doubtful:#?}"
    );
    orders_are_those_of_the_theory(&ended.verdicts, limits(&loaded.scenario.studies));
    contract::check(&place, &loaded);
    assert_eq!(common::names(scratch.path()), [loaded.name]);
    let of_study = |(_, name): (Study, String)| {
        let npz = std::fs::read(place.join(format!("data/{name}.npz"))).unwrap();
        (name, contract::read_npz(&npz))
    };
    let data = numbered(&loaded.scenario.studies).into_iter().map(of_study);
    Held {
        verdicts: ended.verdicts,
        data: data.collect(),
    }
}

/// How many studies take the limit ε → 0.
fn limits(studies: &[Study]) -> usize {
    let is_limit = |s: &&Study| matches!(s, Study::ScalingLimit(_) | Study::SideBySide(_));
    studies.iter().filter(is_limit).count()
}

fn doubtful(verdict: &Verdict) -> bool {
    matches!(verdict.status, Status::Inconsistent | Status::Inconclusive)
}

fn orders_are_those_of_the_theory(verdicts: &[Verdict], limits: usize) {
    for (quantity, order) in ORDERS {
        let prediction = format!("order = {order}");
        let of_quantity = |v: &&Verdict| v.quantity == quantity && v.prediction == prediction;
        let judged: Vec<&Verdict> = verdicts.iter().filter(of_quantity).collect();
        assert_eq!(judged.len(), limits, "{quantity}");
        for verdict in judged {
            let (low, high) = verdict.interval.expect("an order was observed");
            assert!((low..=high).contains(&order), "{verdict:#?}");
        }
    }
}
