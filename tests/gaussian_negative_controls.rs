//! Wrong theory of the Gaussian sector is caught: roles of source and target exchanged, a wrong first-order term, wrong rates, the wrong
//! winner make the claims concerned `Inconsistent`, while the right ones make every claim `Consistent`.

use mirrorflow::record::Record;
use mirrorflow::scenario::{Built, BuiltGaussian, Loaded, parse};
use mirrorflow::study::{
    Context, Experiment, GaussianLimit, IterationStart, ScalingLimit, Silent, Study,
};
use mirrorflow::verdict::{Status, Verdict};
use std::collections::BTreeSet;

const PROBLEM: &str =
    "problem: Gaussian(source: Variances([2.0, 1.0]), target: Variances([0.5, 0.3]))";
const EXCHANGED: &str =
    "problem: Gaussian(source: Variances([0.5, 0.3]), target: Variances([2.0, 1.0]))";
const LIMIT: &str = "ScalingLimit(time: 0.5, epsilons: [0.01, 0.005, 0.0025, 0.00125])";
const DECAY: &str =
    "ExponentialConvergence(time: 24.0, samples: 48, epsilons: [0.25, 0.125, 0.0625, 0.03125])";
const FLOW: &str = "MirrorFlow(times: [0.25, 0.5, 1.0, 2.0])";

fn load(problem: &str, study: &str) -> Loaded {
    let text = format!("Scenario(title: \"controls\", {problem}, studies: [{study}])");
    parse("controls.ron", &text).unwrap()
}

fn built(loaded: &Loaded) -> &BuiltGaussian {
    match &loaded.built {
        Built::Gaussian(built) => built,
        _ => panic!("a Gaussian problem"),
    }
}

fn context(loaded: &Loaded) -> Context<'_, BuiltGaussian> {
    Context {
        built: built(loaded),
        numerics: &loaded.scenario.numerics,
        progress: &Silent,
    }
}

fn study(loaded: &Loaded) -> &dyn Experiment<BuiltGaussian> {
    loaded.scenario.studies[0].on_gaussian().unwrap()
}

fn measured(loaded: &Loaded) -> Record {
    study(loaded).measure(&context(loaded)).unwrap().record
}

fn with_status(verdicts: &[Verdict], status: Status) -> BTreeSet<&str> {
    let chosen = verdicts.iter().filter(|v| v.status == status);
    chosen.map(|v| v.claim.as_str()).collect()
}

/// Every claim holds for the record as it is; after the change exactly `refuted` are inconsistent and the others stay.
fn refutes(study_text: &str, change: impl Fn(&mut Record), refuted: &[&str]) {
    let loaded = load(PROBLEM, study_text);
    let mut record = measured(&loaded);
    let judge = |record: &Record| study(&loaded).judge("study", record).unwrap();
    let right = judge(&record);
    assert_eq!(
        with_status(&right, Status::Consistent).len(),
        right.len(),
        "{right:#?}"
    );
    change(&mut record);
    let wrong = judge(&record);
    let expected: BTreeSet<&str> = refuted.iter().copied().collect();
    assert_eq!(
        with_status(&wrong, Status::Inconsistent),
        expected,
        "{wrong:#?}"
    );
    assert_eq!(
        with_status(&wrong, Status::Consistent).len(),
        wrong.len() - expected.len()
    );
}

fn scaled(record: &mut Record, name: &str, factor: f64) {
    let array = record.array(name).unwrap().mapv(|v| factor * v);
    record.insert(
        name,
        array.shape().to_vec().as_slice(),
        array.iter().copied().collect(),
    );
}

fn scaling_limit(loaded: &Loaded) -> &ScalingLimit {
    match &loaded.scenario.studies[0] {
        Study::ScalingLimit(study) => study,
        other => panic!("{}", other.name()),
    }
}

/// Verdicts on the true iterates against a limit.
fn against(limit: &GaussianLimit) -> Vec<Verdict> {
    let loaded = load(PROBLEM, LIMIT);
    // The same limit twice: the budget must not excuse what is wrong.
    let record = scaling_limit(&loaded)
        .measure_gaussian_against(&context(&loaded), [limit, limit])
        .unwrap()
        .record;
    study(&loaded).judge("scaling-limit", &record).unwrap()
}

fn limit_of(problem: &str) -> GaussianLimit {
    let loaded = load(problem, LIMIT);
    GaussianLimit::compute(built(&loaded), 0.5, IterationStart::Plain).unwrap()
}

#[test]
fn the_true_limit_is_consistent_and_the_exchanged_one_refuted() {
    let right = against(&limit_of(PROBLEM));
    assert_eq!(
        with_status(&right, Status::Consistent).len(),
        right.len(),
        "{right:#?}"
    );
    let wrong = against(&limit_of(EXCHANGED));
    assert!(
        with_status(&wrong, Status::Consistent).is_empty(),
        "{wrong:#?}"
    );
    let orders = wrong.iter().filter(|v| v.claim.ends_with("-order"));
    assert!(
        orders.clone().count() == 7 && orders.into_iter().all(|v| v.status == Status::Inconsistent),
        "{wrong:#?}"
    );
}

#[test]
fn a_halved_correction_is_refuted_by_the_claims_about_it_alone() {
    let mut limit = limit_of(PROBLEM);
    for i in 0..2 {
        limit.r[(i, i)] *= 0.5;
    }
    let verdicts = against(&limit);
    let refuted = [
        "first-order-potential",
        "first-order-gradient",
        "first-order-potential-order",
        "first-order-gradient-order",
    ];
    assert_eq!(with_status(&verdicts, Status::Inconsistent), refuted.into());
    assert_eq!(
        with_status(&verdicts, Status::Consistent).len(),
        verdicts.len() - 4
    );
}

/// Five digits are not six: 1e-5 off is seen.
#[test]
fn a_rate_that_is_off_in_the_sixth_digit_is_refuted() {
    let off = 1.0 + 1e-5;
    let of_gap = [
        "sharp-rate",
        "potential-rate",
        "wasserstein-rate",
        "rate-ratio",
    ];
    refutes(DECAY, |r| scaled(r, "gap", off), &of_gap);
    let of_plain = ["fokker-planck-rate", "rate-ratio"];
    refutes(DECAY, |r| scaled(r, "fokker_planck_gap", off), &of_plain);
    refutes(DECAY, |r| scaled(r, "rates", off), &["mode-rate"]);
    refutes(
        DECAY,
        |r| scaled(r, "fokker_planck_rates", off),
        &["fokker-planck-mode-rate"],
    );
}

/// KL decays at 4m₁, not at the rate 2m₁ of the deviations.
#[test]
fn the_rate_of_deviations_is_not_that_of_kl() {
    let of_gap = [
        "sharp-rate",
        "potential-rate",
        "wasserstein-rate",
        "rate-ratio",
    ];
    refutes(DECAY, |r| scaled(r, "gap", 0.5), &of_gap);
}

/// The flow's rate in place of Sinkhorn's own.
#[test]
fn the_rate_of_the_flow_is_not_that_of_sinkhorn() {
    let flow = |record: &mut Record| {
        let rates = vec![record.number("gap").unwrap(); 4];
        record.insert_curve("sinkhorn_rates", rates);
    };
    refutes(DECAY, flow, &["sinkhorn-exact-rate"]);
}

#[test]
fn the_wrong_winner_is_refuted() {
    let exchange = |record: &mut Record| {
        let s = record.values("source_variances").unwrap().to_vec();
        let theta = record.values("target_variances").unwrap().to_vec();
        record.insert_curve("source_variances", theta);
        record.insert_curve("target_variances", s);
    };
    refutes(DECAY, exchange, &["faster-than-fokker-planck"]);
}

/// With 2κλ beyond the sharp rate the bound is no bound.
#[test]
fn a_bound_that_is_too_good_is_refuted() {
    let steep = |record: &mut Record| {
        let (times, kl) = (
            record.values("times").unwrap(),
            record.values("kl").unwrap()[0],
        );
        let rate = 2.2 * record.number("gap").unwrap();
        let bound = times.iter().map(|t| kl * (-rate * t).exp()).collect();
        record.insert_curve("bound", bound);
    };
    refutes(DECAY, steep, &["exponential-bound"]);
    refutes(DECAY, |r| scaled(r, "kappa", 8.0), &["log-sobolev"]);
}

/// The closed form of the exchanged problem, the Riccati equation with Σ and Θ exchanged, and a dissipation without A.
#[test]
fn a_wrong_flow_is_refuted() {
    let (right, wrong) = (load(PROBLEM, FLOW), load(EXCHANGED, FLOW));
    let defects = |name: &str| -> Vec<f64> {
        let (ours, theirs) = (measured(&right), measured(&wrong));
        let (ours, theirs) = (ours.array(name).unwrap(), theirs.array(name).unwrap());
        let rows = ours.outer_iter().zip(theirs.outer_iter());
        rows.map(|(a, b)| {
            let square = |x: f64| x * x;
            let difference: f64 = a.iter().zip(&b).map(|(a, b)| square(a - b)).sum();
            (difference / b.iter().copied().map(square).sum::<f64>()).sqrt()
        })
        .collect()
    };
    let exchanged = |record: &mut Record| {
        record.insert_curve("closed_form_difference", defects("covariance"));
        record.insert_curve("riccati_difference", defects("p"));
    };
    refutes(FLOW, exchanged, &["closed-form", "riccati"]);
    let flat = |record: &mut Record| {
        let drops = record.values("drop").unwrap().to_vec();
        let dissipated = record.values("dissipated").unwrap();
        let without = dissipated
            .iter()
            .zip(&drops)
            .map(|(d, drop)| (1.3 * d / drop - 1.0).abs());
        record.insert_curve("dissipation_defect", without.collect());
    };
    refutes(FLOW, flat, &["dissipation"]);
}
