//! Mirror descent with something wrong in it comes out `Inconsistent`, while the true record makes every claim consistent; runs that
//! cannot go on keep their steps.

use mirrorflow::record::Record;
use mirrorflow::scenario::{Loaded, parse};
use mirrorflow::study::{
    Context, Interrupted, MirrorDescent, Progress, Run, Schedule, Silent, Study,
};
use mirrorflow::verdict::{Status, Verdict};
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::distance::bregman_divergence;
use mirrorflow_solvers::mirror_descent::{Comparator, Descent, random_log_density};
use mirrorflow_solvers::monge_ampere::MongeAmpere;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const F: &str = "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)";
const G: &str = "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)";

fn scenario(f: &str, g: &str, start: &str, study: &str) -> String {
    format!(
        "Scenario(title: \"controls\", problem: Torus(points: [64], source: Formula(\"{f}\"), \
         target: Formula(\"{g}\"), start: {start}), studies: [MirrorDescent({study})])"
    )
}

fn with(f: &str, g: &str, start: &str, study: &str) -> Loaded {
    parse("controls.ron", &scenario(f, g, start, study)).unwrap()
}

fn context<'a>(loaded: &'a Loaded, progress: &'a dyn Progress) -> Context<'a> {
    Context {
        built: loaded.built.on_torus().unwrap(),
        numerics: &loaded.scenario.numerics,
        progress,
    }
}

fn measure(loaded: &Loaded) -> Record {
    let study = loaded.scenario.studies[0].on_torus().unwrap();
    study.measure(&context(loaded, &Silent)).unwrap().record
}

fn judge(loaded: &Loaded, record: &Record) -> Vec<Verdict> {
    let study = loaded.scenario.studies[0].on_torus().unwrap();
    study.judge("control", record).unwrap()
}

fn claims(loaded: &Loaded, record: &Record, status: Status) -> BTreeSet<String> {
    let verdicts = judge(loaded, record);
    let chosen = verdicts.into_iter().filter(|v| v.status == status);
    chosen.map(|v| v.claim).collect()
}

fn assert_true(loaded: &Loaded, record: &Record) {
    for status in [Status::Inconsistent, Status::Inconclusive] {
        let found = claims(loaded, record, status);
        assert!(found.is_empty(), "{found:?}: {:#?}", judge(loaded, record));
    }
}

fn assert_refuted(loaded: &Loaded, record: &Record, refuted: &[&str]) {
    let expected: BTreeSet<String> = refuted.iter().map(|&name| name.to_owned()).collect();
    let found = claims(loaded, record, Status::Inconsistent);
    assert_eq!(found, expected, "{:#?}", judge(loaded, record));
}

fn changed(record: &Record, name: &str, change: impl Fn(usize, f64) -> f64) -> Record {
    let array = record.array(name).unwrap();
    let values = array.iter().enumerate().map(|(i, &value)| change(i, value));
    let mut changed = record.clone();
    changed.insert(name, array.shape(), values.collect());
    changed
}

/// Near constant curvature the inequality is nearly an equality, so that a factor of 0.9 in ξ shows.
#[test]
fn a_broken_xi_is_refuted_where_the_slack_is_small() {
    let study = "steps: 10, band: 4, runs: [Explicit(Adaptive(0.9))], comparators: [Source, Uniform, Target, Random(seed: 1)]";
    let loaded = with("0.03*cos(2*pi*x)", "0.03*sin(2*pi*x)", "Identity", study);
    let record = measure(&loaded);
    assert_true(&loaded, &record);
    let broken = changed(&record, "run_1_xi_square", |_, square| 0.81 * square);
    assert_refuted(&loaded, &broken, &["evi", "regret-bound"]);
}

#[test]
fn bounds_without_the_term_of_the_step_are_refuted() {
    let study = "steps: 12, band: 4, runs: [Explicit(Adaptive(0.9)), Explicit(Constant(1.2e-3))]";
    let loaded = with(F, G, "Identity", study);
    let record = measure(&loaded);
    assert_true(&loaded, &record);
    for run in ["run_1_xi_square", "run_2_xi_square"] {
        let without = changed(&record, run, |_, _| 0.0);
        assert_refuted(&loaded, &without, &["evi", "regret-bound"]);
    }
    let average = changed(&record, "run_2_average_kl", |_, kl| 1.05 * kl);
    assert_refuted(&loaded, &average, &["average-iterate"]);
    // Twice the relative entropies are more than B_0 admits.
    let more = changed(&record, "run_1_kl", |_, kl| 3.0 * kl);
    let refuted = claims(&loaded, &more, Status::Inconsistent);
    assert!(
        refuted.contains("evi") && refuted.contains("regret-bound"),
        "{refuted:?}"
    );
}

#[test]
fn a_step_without_the_log_determinant_is_refuted() {
    let eta = 1e-3;
    let study = format!(
        "steps: 1, band: 4, runs: [Explicit(Constant({eta}))], comparators: [Source, Uniform, Target, Random(seed: 1)]"
    );
    let loaded = with(F, G, "Formula(\"0.01*cos(2*pi*x)\")", &study);
    let record = measure(&loaded);
    let evi = |record: &Record| {
        let verdicts = judge(&loaded, record);
        verdicts
            .into_iter()
            .find(|v| v.claim == "evi")
            .unwrap()
            .status
    };
    assert_eq!(evi(&record), Status::Consistent);
    let wrong = changed(&record, "run_1_bregman", |i, b| {
        if i % 2 == 0 {
            b
        } else {
            without_log_det(&loaded, eta)[i / 2]
        }
    });
    assert_eq!(evi(&wrong), Status::Inconsistent);
}

/// B_g(π | ρ_1) for π = e^{-f}, uniform, e^{-g} and random, after a step along `f(∇ψ) − g`.
fn without_log_det(loaded: &Loaded, eta: f64) -> Vec<f64> {
    let built = loaded.built.on_torus().unwrap();
    let torus = &built.torus;
    let (f, g) = (built.source.on(torus), built.target.on(torus));
    let start = mirrorflow_solvers::legendre::conjugate(torus, &built.start.on(torus)).unwrap();
    let descent = Descent::new(torus, Arc::new(built.source.clone()), &g, 4, &start.q).unwrap();
    let here = descent.iterate();
    let mut second = vec![vec![0.0; torus.len()]; 1];
    let mut first = vec![vec![0.0; torus.len()]; 1];
    let mut spectral = Spectral::new(torus);
    spectral.gradient(&here.q, &mut first);
    let slope = first[0].clone();
    spectral.gradient(&slope, &mut second);
    let both = here.log_ratio.iter().zip(&second[0]);
    let mut direction: Vec<f64> = both.map(|(w, q)| w + (1.0 + q).ln()).collect();
    Spectral::band_limited(torus, 4)
        .unwrap()
        .project(&mut direction);
    let next: Vec<f64> = here
        .q
        .iter()
        .zip(&direction)
        .map(|(q, v)| q - eta * v)
        .collect();
    let mut operator = MongeAmpere::from_values(
        g.clone(),
        Arc::new(built.source.clone()),
        Box::new(Spectral::new(torus)),
    );
    let minus = |v: &[f64]| v.iter().map(|v| -v).collect::<Vec<_>>();
    let densities = [
        minus(&f),
        vec![0.0; f.len()],
        minus(&g),
        random_log_density(torus, 1, 2, 0.4),
    ];
    let against = densities.iter().map(|log_density| {
        let zeros = vec![0.0; f.len()];
        let pi = Comparator::new("π", &mut operator, log_density, &zeros).unwrap();
        bregman_divergence(torus, &minus(&g), &pi.q, &next).unwrap()
    });
    against.collect()
}

/// With KL(e^{-f}|ρ) on the wrong side the inequality would only be weaker; the flow's identity does not forgive it.
#[test]
fn a_wrong_sign_or_size_along_the_flow_is_refuted() {
    let loaded = with(
        F,
        G,
        "Identity",
        "steps: 8, band: 4, runs: [Explicit(Constant(1e-3))]",
    );
    let record = measure(&loaded);
    assert_true(&loaded, &record);
    let spent = record.values("flow_spent").unwrap().to_vec();
    let sign = changed(&record, "flow_fallen", |j, fallen| 2.0 * spent[j] - fallen);
    assert_refuted(&loaded, &sign, &["flow-identity"]);
    let start = record.values("flow_bregman").unwrap()[0];
    let more = changed(&record, "flow_spent", |_, spent| spent + 1.01 * start);
    assert_refuted(&loaded, &more, &["flow-bound"]);
    let shifted = changed(&record, "run_1_bregman_legendre", |_, b| b + 1e-3 * start);
    assert_refuted(&loaded, &shifted, &["bregman"]);
}

#[test]
fn wrong_orders_and_a_rising_implicit_run_are_refuted() {
    let study = "steps: 8, band: 6, runs: [Implicit(Constant(5e-3))], limit: (time: 0.01, steps: [16, 32, 64])";
    let loaded = with(F, G, "Identity", study);
    let record = measure(&loaded);
    assert_true(&loaded, &record);
    let eta = record.values("limit_eta").unwrap().to_vec();
    for rule in ["explicit", "implicit"] {
        for ending in ["", "_conjugate"] {
            let quantity = format!("limit_{rule}{ending}");
            let claim = format!("{rule}{}-order", ending.replace('_', "-"));
            for power in [-0.5, 1.0] {
                let wrong = changed(&record, &quantity, |i, value| {
                    value * (eta[i] / eta[0]).powf(power)
                });
                assert_refuted(&loaded, &wrong, &[&claim]);
            }
        }
    }
    let kl = record.values("run_1_kl").unwrap().to_vec();
    let rising = changed(&record, "run_1_kl", |k, value| {
        if k == 5 { 1.01 * kl[4] } else { value }
    });
    assert!(claims(&loaded, &rising, Status::Inconsistent).contains("implicit-decreasing"));
    let smaller = changed(
        &record,
        "run_1_bregman",
        |i, b| if i == 0 { 0.9 * b } else { b },
    );
    assert!(claims(&loaded, &smaller, Status::Inconsistent).contains("implicit-bound"));
}

/// Between N(0, s) and N(0, θ) on R everything has a closed form, and the claims that need a strongly convex g apply.
mod strongly_convex {
    use super::*;

    /// The record of `Q_{k+1} = Q_k − η_k(Q_k²/s − 1/θ)` from Q_0 = 1, as the study on a torus would leave it.
    fn record(s: f64, theta: f64, eta: &dyn Fn(usize) -> f64, steps: usize) -> Record {
        let kl = |a: f64, b: f64| 0.5 * (a / b - 1.0 - (a / b).ln());
        let rho = |q: f64| q * q * theta;
        let bregman = |q: f64| 0.5 * s / q + 0.5 * q * theta - (s * theta).sqrt();
        let mut q = vec![1.0];
        for k in 0..steps {
            let last: f64 = q[k];
            q.push(last - eta(k) * (last * last / s - 1.0 / theta));
        }
        let of_steps = |value: &dyn Fn(usize) -> f64| (0..steps).map(value).collect::<Vec<_>>();
        let mut record = Record::default();
        record.insert_number("strong_convexity", 1.0 / theta);
        let mut curve = |name: &str, values: Vec<f64>| {
            record.insert_curve(&format!("run_1_{name}"), values);
        };
        curve("eta", of_steps(eta));
        curve("kl", q.iter().map(|&q| kl(rho(q), s)).collect());
        curve("average_kl", of_steps(&|_| 0.0));
        curve("average_kl_budget", of_steps(&|_| 0.0));
        curve("convexity", of_steps(&|k| q[k + 1]));
        curve("largest_curvature", q.clone());
        curve("left_out", vec![0.0; steps + 1]);
        curve("comparator_kl", vec![0.0]);
        let mut row = |name: &str, values: Vec<f64>| {
            record.insert(&format!("run_1_{name}"), &[1, values.len()], values);
        };
        row("bregman", q.iter().map(|&q| bregman(q)).collect());
        let square = |k: usize| (q[k] * q[k] / s - 1.0 / theta).powi(2) * s / (q[k] * q[k]);
        row("xi_square", of_steps(&square));
        row("divergence", of_steps(&|k| kl(s, rho(q[k]))));
        row("band_defect", of_steps(&|_| 0.0));
        row("mass_defect", of_steps(&|_| 0.0));
        row("noise", of_steps(&|_| 1e-13));
        record
    }

    fn judged(schedule: Schedule, record: &Record) -> Vec<Verdict> {
        let study = Study::MirrorDescent(MirrorDescent {
            steps: 200,
            runs: vec![Run::Explicit(schedule)],
            band: None,
            comparators: Vec::new(),
            limit: None,
            sampling: None,
        });
        study.on_torus().unwrap().judge("control", record).unwrap()
    }

    fn status(verdicts: &[Verdict], claim: &str) -> Status {
        verdicts
            .iter()
            .find(|v| v.claim == claim)
            .expect(claim)
            .status
    }

    const S: f64 = 0.5;
    const THETA: f64 = 0.8;

    /// M = 1 and λ = 1/0.8, so C ≥ 0.8 is needed.
    #[test]
    fn harmonic_steps_have_logarithmic_regret() {
        for (c, applies) in [(0.85, true), (0.7, false)] {
            let found = record(S, THETA, &|k| c / (k as f64 + 1.0), 200);
            let verdicts = judged(Schedule::Harmonic(c), &found);
            for claim in ["evi", "regret-bound", "average-bound"] {
                assert_eq!(
                    status(&verdicts, claim),
                    Status::Consistent,
                    "{verdicts:#?}"
                );
            }
            let smaller = changed(&found, "run_1_xi_square", |_, square| 0.1 * square);
            let wrong = judged(Schedule::Harmonic(c), &smaller);
            for claim in ["log-regret", "log-last-iterate"] {
                let expected = if applies {
                    Status::Consistent
                } else {
                    Status::NotApplicable
                };
                assert_eq!(status(&verdicts, claim), expected, "{verdicts:#?}");
                let expected = if applies {
                    Status::Inconsistent
                } else {
                    Status::NotApplicable
                };
                assert_eq!(status(&wrong, claim), expected, "{wrong:#?}");
            }
        }
    }

    #[test]
    fn a_constant_step_of_log_t_over_t_has_its_bound() {
        let c = 0.85;
        let found = record(S, THETA, &|_| c * 200f64.ln() / 200.0, 200);
        let claim =
            |record: &Record, c| status(&judged(Schedule::LogOverT(c), record), "log-over-t");
        assert_eq!(claim(&found, c), Status::Consistent);
        assert_eq!(claim(&found, 0.7), Status::NotApplicable);
        let last = found.values("run_1_bregman").unwrap()[0];
        let stuck = changed(
            &found,
            "run_1_bregman",
            |k, b| if k == 200 { last } else { b },
        );
        assert_eq!(claim(&stuck, c), Status::Inconsistent);
        let flat = changed(&found, "strong_convexity", |_, _| -1.0);
        assert_eq!(claim(&flat, c), Status::NotApplicable);
    }
}

/// The stability limit falls with λ_min(∇²ψ): a step that was allowed at the start is refused on the way.
#[test]
fn a_run_that_becomes_unstable_keeps_its_steps_and_names_the_limit() {
    let study = "steps: 120, band: 8, runs: [Explicit(Constant(7e-4)), Implicit(Constant(7e-4))]";
    let loaded = with(F, G, "Identity", study);
    let study = loaded.scenario.studies[0].on_torus().unwrap();
    let failed = study.measure(&context(&loaded, &Silent)).unwrap_err();
    let message = failed.error.to_string();
    assert!(message.starts_with("explicit, η = 0.0007: "), "{message}");
    assert!(
        message.contains("its stability limit with modes |k_i| ≤ 8"),
        "{message}"
    );
    let record = failed.partial.expect("the steps before it");
    let steps = record.values("run_1_eta").unwrap().len();
    assert!((1..120).contains(&steps), "{steps}");
    assert_eq!(record.values("run_1_kl").unwrap().len(), steps + 1);
    let limits = record.values("run_1_limit").unwrap();
    assert!(limits.iter().all(|limit| *limit >= 7e-4));
    // The other run went on.
    assert_eq!(record.values("run_2_eta").unwrap().len(), 120);
    assert_reported(&loaded, &record);
}

/// Judged, tabulated and drawn as by `mirrorflow report`; nothing is refuted.
fn assert_reported(loaded: &Loaded, record: &Record) {
    let refuted = claims(loaded, record, Status::Inconsistent);
    assert!(refuted.is_empty(), "{refuted:?}");
    let study = loaded.scenario.studies[0].on_torus().unwrap();
    study.curve(record).unwrap();
    let figures = study
        .draw(loaded.built.on_torus().unwrap(), record)
        .unwrap();
    assert!(figures.iter().all(|figure| figure.svg().is_ok()) && !figures.is_empty());
}

/// Says stop from a given tick on, as Ctrl-C would.
struct StopAfter {
    ticks: usize,
    seen: AtomicUsize,
}

impl Progress for StopAfter {
    fn update(&self, _stage: &str, _fraction: f64) {
        self.seen.fetch_add(1, Ordering::Relaxed);
    }

    fn interrupted(&self) -> bool {
        self.seen.load(Ordering::Relaxed) > self.ticks
    }
}

#[test]
fn an_interrupted_descent_keeps_what_was_measured() {
    let study = "steps: 12, band: 6, runs: [Explicit(Constant(3e-4)), Implicit(Constant(2e-3)), Sinkhorn(2e-3)], \
                 limit: (time: 0.005, steps: [8, 16, 32])";
    let loaded = with(F, G, "Identity", study);
    let study = loaded.scenario.studies[0].on_torus().unwrap();
    let stopped = |ticks| {
        let seen = AtomicUsize::new(0);
        let progress = StopAfter { ticks, seen };
        let measured = study.measure(&context(&loaded, &progress)).ok();
        (measured, progress.seen.into_inner())
    };
    let (whole, all) = stopped(usize::MAX);
    assert_eq!(whole.unwrap().interrupted, Interrupted::No);
    for part in [0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95] {
        let Some(measured) = stopped((part * all as f64) as usize).0 else {
            continue;
        };
        assert_eq!(measured.interrupted, Interrupted::Yes, "{part}");
        assert_reported(&loaded, &measured.record);
    }
}

#[test]
fn impossible_runs_are_refused_with_the_remedy() {
    for (study, says) in [
        (
            "steps: 0, band: 4, runs: [Explicit(Constant(1e-3))]",
            "0 steps leave nothing",
        ),
        ("steps: 4, band: 4, runs: []", "no runs given"),
        (
            "steps: 4, runs: [Explicit(Constant(1e-3))]",
            "needs a band limit K",
        ),
        (
            "steps: 4, band: 0, runs: [Explicit(Constant(1e-3))]",
            "use 1 to 31",
        ),
        (
            "steps: 4, band: 32, runs: [Explicit(Constant(1e-3))]",
            "use 1 to 31",
        ),
        (
            "steps: 4, band: 4, runs: [Explicit(Constant(0.0))]",
            "η must be positive",
        ),
        (
            "steps: 4, band: 4, runs: [Implicit(Harmonic(-1.0))]",
            "c must be positive",
        ),
        (
            "steps: 1, band: 4, runs: [Implicit(LogOverT(1.0))]",
            "c log T/T is 0",
        ),
        (
            "steps: 4, band: 4, runs: [Explicit(Adaptive(1.5))]",
            "1.5 times the stability limit",
        ),
        (
            "steps: 4, band: 4, runs: [Explicit(List([1e-4, 1e-4]))]",
            "2 steps are listed, 4 asked for",
        ),
        (
            "steps: 2, band: 4, runs: [Explicit(List([1e-4, -1e-4]))]",
            "a step must be positive",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(1e-5)]",
            "64 points along an axis are too few for ε = 0.00001",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(2.0)]",
            "the kernel is constant",
        ),
        (
            "steps: 4, band: 4, runs: [Explicit(Constant(4e-3))]",
            "past its stability limit 3.166e-3",
        ),
        (
            "steps: 4, band: 4, runs: [Explicit(Harmonic(4e-3))]",
            "use a smaller step or band",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(0.01), Sinkhorn(0.01)]",
            "this run is listed twice",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(0.01)], comparators: [Target, Target]",
            "this density is listed twice",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(0.01)], limit: (time: 0.01, steps: [8, 16])",
            "needs 3 numbers of steps, 2 given",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(0.01)], limit: (time: 0.01, steps: [8, 16, 16])",
            "16 steps do not come after 16",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(0.01)], limit: (time: 0.0, steps: [8, 16, 32])",
            "time must be positive",
        ),
        (
            "steps: 4, band: 4, runs: [Sinkhorn(0.01)], limit: (time: 0.01, steps: [2, 16, 32])",
            "η_0 = 5.000e-3 is past",
        ),
    ] {
        let refused = parse(
            "controls.ron",
            &scenario("0.1*cos(2*pi*x)", "0", "Identity", study),
        );
        let message = format!(
            "{:?}",
            refused
                .err()
                .unwrap_or_else(|| panic!("{study} is accepted"))
        );
        // The message may be broken into lines.
        let plain: String = message
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>()
            .join(" ");
        assert!(
            plain.contains(says),
            "{study}: expected {says:?} in\n{message}"
        );
        assert!(plain.contains("help:"), "no help in {message}");
    }
    let differences = scenario(
        F,
        G,
        "Identity",
        "steps: 4, band: 4, runs: [Sinkhorn(0.01)]",
    )
    .replace(
        "studies:",
        "numerics: (space: FiniteDifference(order: 4)), studies:",
    );
    let message = format!(
        "{:?}",
        parse("controls.ron", &differences)
            .err()
            .unwrap_or_else(|| panic!("differences are accepted"))
    );
    assert!(message.contains("not spectral"), "{message}");
}
