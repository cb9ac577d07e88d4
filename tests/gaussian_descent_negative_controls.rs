//! Mirror descent between Gaussians: the shipped scenario is as the theory says, and something wrong in it comes out `Inconsistent`.

use mirrorflow::record::Record;
use mirrorflow::scenario::{Built, Loaded, load, parse};
use mirrorflow::study::{Bound, Interrupted, Progress, Silent};
use mirrorflow::verdict::{Status, Verdict};
use mirrorflow_solvers::gaussian::{Gaussian, Mat, MirrorDescent, congruence, inverse};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

const PLANE: &str =
    "source: Matrix([[0.9, 0.3], [0.3, 0.6]]), target: Matrix([[1.0, -0.15], [-0.15, 0.8]])";
const LINE: &str = "source: Variances([0.5]), target: Variances([0.8])";
const SPACE: &str = "source: Random(dimension: 3, least: 0.5, greatest: 2.0, seed: 1), target: Random(dimension: 3, least: 0.5, greatest: 2.0, seed: 2)";

fn text(problem: &str, study: &str) -> String {
    format!(
        "Scenario(title: \"controls\", problem: Gaussian({problem}), studies: [MirrorDescent({study})])"
    )
}

fn with(problem: &str, study: &str) -> Loaded {
    parse("controls.ron", &text(problem, study)).unwrap()
}

fn study(loaded: &Loaded) -> Box<dyn Bound + '_> {
    loaded.scenario.studies[0].on(&loaded.built).unwrap()
}

fn problem(loaded: &Loaded) -> &Gaussian {
    let Built::Gaussian(built) = &loaded.built else {
        panic!("a Gaussian problem")
    };
    &built.problem
}

fn measure(loaded: &Loaded) -> Record {
    let numerics = &loaded.scenario.numerics;
    study(loaded).measure(numerics, &Silent).unwrap().record
}

fn judge(loaded: &Loaded, record: &Record) -> Vec<Verdict> {
    study(loaded).judge("control", record).unwrap()
}

fn claims(loaded: &Loaded, record: &Record, status: Status) -> BTreeSet<String> {
    let verdicts = judge(loaded, record);
    let chosen = verdicts.into_iter().filter(|v| v.status == status);
    chosen.map(|v| v.claim).collect()
}

fn names(expected: &[&str]) -> BTreeSet<String> {
    expected.iter().map(|&name| name.to_owned()).collect()
}

/// Everything consistent but `not_applicable`.
fn assert_true(loaded: &Loaded, record: &Record, not_applicable: &[&str]) {
    for (status, expected) in [
        (Status::Inconsistent, &[][..]),
        (Status::Inconclusive, &[]),
        (Status::NotApplicable, not_applicable),
    ] {
        let found = claims(loaded, record, status);
        assert_eq!(found, names(expected), "{:#?}", judge(loaded, record));
    }
}

fn assert_refuted(loaded: &Loaded, record: &Record, refuted: &[&str]) {
    let found = claims(loaded, record, Status::Inconsistent);
    assert_eq!(found, names(refuted), "{:#?}", judge(loaded, record));
}

fn changed(record: &Record, name: &str, change: impl Fn(usize, f64) -> f64) -> Record {
    let array = record.array(name).unwrap();
    let values = array.iter().enumerate().map(|(i, &value)| change(i, value));
    let mut changed = record.clone();
    changed.insert(name, array.shape(), values.collect());
    changed
}

fn reason(loaded: &Loaded, record: &Record, claim: &str) -> (Status, String) {
    let verdicts = judge(loaded, record);
    let found = verdicts.into_iter().find(|v| v.claim == claim);
    let found = found.expect(claim);
    (found.status, found.reason)
}

#[test]
fn the_shipped_scenario_is_as_the_theory_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = root.join("scenarios/gaussian_mirror_descent.ron");
    let loaded = load(&shipped).unwrap();
    let record = measure(&loaded);
    assert_true(&loaded, &record, &[]);
    let figures = study(&loaded).draw(&record).unwrap();
    let drawn: Vec<&str> = figures.iter().map(|figure| figure.name.as_str()).collect();
    let expected = [
        "iterates",
        "regret",
        "inequality",
        "flow",
        "identity",
        "orders",
        "deviations",
    ];
    assert_eq!(drawn, expected);
    let curve = study(&loaded).curve(&record).unwrap();
    assert_eq!(curve.rows(), 6 * 80);
    // The hypotheses are named as they were measured.
    let (_, why) = reason(&loaded, &record, "log-regret");
    for part in ["m = ", "M = ", "λ = ", "c = λ/M = ", "≥ 1/c"] {
        assert!(why.contains(part), "{why}");
    }
    // KL and B_g come from the matrices that are kept.
    let problem = problem(&loaded);
    let last = record.array("run_1_dual").unwrap();
    let q = Mat::from_fn(2, 2, |i, j| last[[i, j]]);
    let end = problem.potential(&inverse(&q).unwrap()).unwrap();
    let kl = record.values("run_1_kl").unwrap();
    let (kept, again) = (kl[80], end.relative_entropy().unwrap());
    assert!((kept - again).abs() < 1e-9 * kept + 1e-28, "{kept} {again}");
}

#[test]
fn a_broken_xi_is_refuted() {
    let runs = "steps: 12, runs: [Explicit(Constant(0.3)), Implicit(Constant(0.3))]";
    let loaded = with(PLANE, runs);
    let record = measure(&loaded);
    assert_true(&loaded, &record, &[]);
    let broken = changed(&record, "run_1_metric_square", |_, square| 0.81 * square);
    assert_refuted(&loaded, &broken, &["evi-equality"]);
    let broken = changed(&record, "run_2_metric_square", |_, square| 0.81 * square);
    assert_refuted(&loaded, &broken, &["implicit-evi-equality"]);
    // On R the inequality is an equality too.
    let loaded = with(LINE, "steps: 12, runs: [Explicit(Constant(0.2))]");
    let record = measure(&loaded);
    assert_true(&loaded, &record, &[]);
    let broken = changed(&record, "run_1_xi_square", |_, square| 0.81 * square);
    let refuted = claims(&loaded, &broken, Status::Inconsistent);
    assert!(
        refuted.contains("evi") && refuted.contains("regret-bound"),
        "{refuted:?}"
    );
}

/// `Q_1 = Q_0 − ηQ_0Σ^{-1}Q_0`: Θ^{-1} is what log det and g leave.
#[test]
fn a_step_without_the_log_determinant_is_refuted() {
    let eta = 0.2;
    let study = format!(
        "steps: 1, runs: [Explicit(Constant({eta}))], comparators: [Target, Random(seed: 1)]"
    );
    let loaded = with(PLANE, &study);
    let record = measure(&loaded);
    assert_true(&loaded, &record, &[]);
    let problem = problem(&loaded);
    let q = Mat::<f64>::identity(2, 2);
    let shrink = congruence(q.as_ref(), inverse(problem.sigma()).unwrap().as_ref());
    let q = Mat::from_fn(2, 2, |i, j| q[(i, j)] - eta * shrink[(i, j)]);
    let wrong = problem.potential(&inverse(&q).unwrap()).unwrap();
    let pis = [problem.sigma().clone(), problem.theta().clone()];
    let without = pis.map(|pi| wrong.bregman(&pi).unwrap());
    let broken = changed(&record, "run_1_bregman", |i, b| match i {
        1 => without[0],
        3 => without[1],
        _ => b,
    });
    let refuted = claims(&loaded, &broken, Status::Inconsistent);
    assert!(
        refuted.contains("evi-equality") && refuted.contains("evi"),
        "{refuted:?}"
    );
    // The right step gives what was recorded.
    let start = problem.identity().unwrap();
    let mut descent = MirrorDescent::new(&start);
    descent.step(eta).unwrap();
    let right = descent
        .potential()
        .unwrap()
        .bregman(problem.theta())
        .unwrap();
    let kept = record.values("run_1_bregman").unwrap()[3];
    assert!((right / kept - 1.0).abs() < 1e-12, "{right} {kept}");
}

#[test]
fn bounds_without_the_term_of_the_step_are_refuted() {
    // 0.8 of the limit 1/m = √0.4.
    let loaded = with(LINE, "steps: 10, runs: [Explicit(Constant(0.5))]");
    let record = measure(&loaded);
    assert_true(&loaded, &record, &[]);
    let without = changed(&record, "run_1_xi_square", |_, _| 0.0);
    assert_refuted(&loaded, &without, &["evi", "regret-bound", "average-bound"]);
}

#[test]
fn logarithmic_bounds_apply_only_where_c_is_large_enough() {
    for (c, applies) in [(0.5, false), (1.0, true)] {
        let study = format!("steps: 60, runs: [Explicit(Harmonic({c})), Explicit(LogOverT({c}))]");
        let study = format!("{study}, comparators: []");
        let start = "start: Marginal(Variances([0.6]))";
        let loaded = with(&format!("{LINE}, {start}"), &study);
        let record = measure(&loaded);
        let logarithmic = ["log-last-iterate", "log-over-t", "log-regret"];
        if applies {
            assert_true(&loaded, &record, &[]);
            // A bound that is a hundredth of what it should be.
            let smaller = changed(&record, "run_1_xi_square", |_, square| 0.01 * square);
            let refuted = claims(&loaded, &smaller, Status::Inconsistent);
            assert!(refuted.contains("log-regret"), "{refuted:?}");
        } else {
            assert_true(&loaded, &record, &logarithmic);
            let (status, why) = reason(&loaded, &record, "log-regret");
            assert_eq!(status, Status::NotApplicable);
            assert!(
                why.contains("C = 0.5 is less than 1/c") && why.contains("would do"),
                "{why}"
            );
        }
        let stronger = changed(&record, "strong_convexity", |_, lambda| 10.0 * lambda);
        let refuted = claims(&loaded, &stronger, Status::Inconsistent);
        assert!(refuted.contains("relative-strong-convexity"), "{refuted:?}");
    }
}

/// Condition numbers of 5·10⁴: what rounding hides is said to be hidden, and nothing true is refuted.
#[test]
fn rounding_of_ill_conditioned_problems_is_not_taken_for_a_defect() {
    let wide = "source: Random(dimension: 2, least: 0.001, greatest: 50, seed: 1), target: Random(dimension: 2, least: 0.02, greatest: 30, seed: 2)";
    let loaded = with(
        wide,
        "steps: 40, runs: [Explicit(Adaptive(0.5)), Implicit(Constant(0.5))]",
    );
    let record = measure(&loaded);
    assert!(
        claims(&loaded, &record, Status::Inconsistent).is_empty(),
        "{:#?}",
        judge(&loaded, &record)
    );
    let verdicts = judge(&loaded, &record);
    let found = verdicts.iter().find(|v| v.claim == "evi-equality").unwrap();
    assert!(
        found
            .excluded
            .iter()
            .any(|steps| steps.contains("rounding")),
        "{found:?}"
    );
    for (run, claim) in [(1, "evi-equality"), (2, "implicit-evi-equality")] {
        let name = format!("run_{run}_metric_square");
        let broken = changed(&record, &name, |_, square| 0.81 * square);
        let refuted = claims(&loaded, &broken, Status::Inconsistent);
        assert!(refuted.contains(claim), "{refuted:?}");
    }
}

#[test]
fn wrong_orders_and_a_wrong_divergence_are_refuted() {
    let study =
        "steps: 8, runs: [Implicit(Constant(0.5))], limit: (time: 1.0, steps: [32, 64, 128, 256])";
    let loaded = with(SPACE, study);
    let record = measure(&loaded);
    assert_true(&loaded, &record, &["average-iterate"]);
    let (_, why) = reason(&loaded, &record, "average-iterate");
    assert!(why.contains("quadrature") && record.values("run_1_average_kl").is_err());
    let eta = record.values("limit_eta").unwrap().to_vec();
    for rule in ["explicit", "implicit", "sinkhorn"] {
        for ending in ["", "_conjugate"] {
            let claim = format!("{rule}{}-order", ending.replace('_', "-"));
            for power in [-0.5, 1.0] {
                let quantity = format!("limit_{rule}{ending}");
                let wrong = changed(&record, &quantity, |i, v| v * (eta[i] / eta[0]).powf(power));
                assert_refuted(&loaded, &wrong, &[&claim]);
            }
        }
    }
    let start = record.values("run_1_bregman").unwrap()[0];
    let shifted = changed(&record, "run_1_bregman_legendre", |_, b| b + 1e-8 * start);
    assert_refuted(&loaded, &shifted, &["bregman"]);
}

#[test]
fn what_has_no_meaning_between_gaussians_is_refused() {
    let refused = |study: &str| {
        let error = parse("bad.ron", &text(LINE, study)).unwrap_err();
        format!("{error:?}")
    };
    let runs = "steps: 3, runs: [Explicit(Constant(0.1))]";
    let uniform = refused(&format!("{runs}, comparators: [Source, Uniform]"));
    assert!(uniform.contains("no uniform density on R^d"), "{uniform}");
    assert!(refused(&format!("{runs}, band: 4")).contains("no modes to limit"));
    assert!(refused(&format!("{runs}, sampling: (samples: 4)")).contains("torus only"));
    let long = refused("steps: 3, runs: [Explicit(Constant(9.0))]");
    assert!(long.contains("leaves the convex potentials"), "{long}");
    let unstable = refused("steps: 3, runs: [Explicit(Constant(0.7))]");
    assert!(unstable.contains("η < 1/m_d = 6.3246e-1"), "{unstable}");
    let coarse = refused(&format!("{runs}, limit: (time: 9.0, steps: [2, 4, 8])"));
    assert!(coarse.contains("leaves the convex potentials"), "{coarse}");
}

/// Says stop after so many questions.
struct Impatient(AtomicUsize);

impl Progress for Impatient {
    fn update(&self, _stage: &str, _fraction: f64) {}

    fn interrupted(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) > 5
    }
}

#[test]
fn an_interrupted_run_keeps_its_steps() {
    let loaded = with(PLANE, "steps: 50, runs: [Explicit(Constant(0.1))]");
    let impatient = Impatient(AtomicUsize::new(0));
    let numerics = &loaded.scenario.numerics;
    let measured = study(&loaded).measure(numerics, &impatient).unwrap();
    assert_eq!(measured.interrupted, Interrupted::Yes);
    let record = measured.record;
    let steps = record.values("run_1_eta").unwrap().len();
    assert!(steps > 0 && steps < 50);
    let undecided = claims(&loaded, &record, Status::Inconclusive);
    assert_eq!(undecided, names(&["flow-bound", "flow-identity"]));
    assert!(claims(&loaded, &record, Status::Inconsistent).is_empty());
    assert!(study(&loaded).draw(&record).is_ok());
    assert_eq!(study(&loaded).curve(&record).unwrap().rows(), steps);
}
