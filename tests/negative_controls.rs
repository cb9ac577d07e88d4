//! Wrong limits are caught: the same Sinkhorn iterates, judged against a limit that is broken in one way, make the claims
//! concerned `Inconsistent`, while the true limit makes every claim `Consistent`.
//!
//! The variations behind the error budget are broken alike, so that the budget stays small and cannot excuse the break.

use mirrorflow::order::Point;
use mirrorflow::record::Record;
use mirrorflow::scenario::{BuiltTorus, Loaded, parse};
use mirrorflow::solvers::calculus::{Calculus, Spectral};
use mirrorflow::solvers::{Jet, LogDensity, Order};
use mirrorflow::study::{Context, Experiment, Reference, ScalingLimit, Silent, Study, Variation};
use mirrorflow::verdict::{Claim, Law, Status, Verdict};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const SCENARIO: &str = include_str!("scenarios/negative_controls_1d.ron");

/// Claims of an exact order, by the quantity that they are about.
const ORDERS: [(&str, f64); 7] = [
    ("potential", 1.0),
    ("gradient", 1.0),
    ("corrected", 2.0),
    ("profile", 1.0),
    ("wasserstein", 1.0),
    ("lot", 1.0),
    ("kl", 2.0),
];

fn load(text: &str) -> (Loaded, ScalingLimit) {
    let loaded = parse("controls.ron", text).unwrap();
    let Study::ScalingLimit(study) = loaded.scenario.studies[0].clone() else {
        panic!("the first study is a scaling limit");
    };
    (loaded, study)
}

fn context(loaded: &Loaded) -> Context<'_> {
    Context {
        built: loaded.built.on_torus().unwrap(),
        numerics: &loaded.scenario.numerics,
        progress: &Silent,
    }
}

/// The limit of `study` for the problem of `loaded` with its variations in space and time.
fn references(loaded: &Loaded, study: &ScalingLimit) -> [Reference; 3] {
    [Variation::None, Variation::Space, Variation::Time].map(|variation| {
        let (context, go_on) = (context(loaded), |_| ControlFlow::Continue(()));
        Reference::compute(&context, study, variation, &go_on).unwrap()
    })
}

/// Sinkhorn of the true problem against the given limit.
fn measure(limit: [Reference; 3]) -> Record {
    let (loaded, study) = load(SCENARIO);
    let [limit, coarser, looser] = limit;
    let measured = study.measure_against(&context(&loaded), &limit, &[coarser, looser]);
    measured.unwrap().record
}

fn verdicts(record: &Record) -> Vec<Verdict> {
    Experiment::<BuiltTorus>::judge(&load(SCENARIO).1, "scaling-limit", record).unwrap()
}

/// Quantities of the claims with this status.
fn quantities(verdicts: &[Verdict], status: Status) -> BTreeSet<&str> {
    let chosen = verdicts.iter().filter(|v| v.status == status);
    chosen.map(|v| v.quantity.as_str()).collect()
}

fn true_limit() -> [Reference; 3] {
    let (loaded, study) = load(SCENARIO);
    references(&loaded, &study)
}

/// A limit that is off by O(1): no claim holds, every exact order is refuted, and what should vanish does not.
fn assert_refuted(limit: [Reference; 3]) {
    assert_true_limit_is_consistent();
    let verdicts = verdicts(&measure(limit));
    assert!(
        quantities(&verdicts, Status::Consistent).is_empty(),
        "{verdicts:#?}"
    );
    let every = ORDERS.map(|(quantity, _)| quantity).into();
    assert_eq!(
        quantities(&verdicts, Status::Inconsistent),
        every,
        "{verdicts:#?}"
    );
    for (quantity, order) in ORDERS {
        let exact = exact_claim(&verdicts, quantity, order);
        assert_eq!(exact.status, Status::Inconsistent, "{exact:#?}");
    }
}

fn exact_claim<'a>(verdicts: &'a [Verdict], quantity: &str, order: f64) -> &'a Verdict {
    let prediction = Law::Equals(order).to_string();
    let matches = |v: &&Verdict| v.quantity == quantity && v.prediction == prediction;
    verdicts.iter().find(matches).expect("such a claim")
}

fn assert_true_limit_is_consistent() {
    let verdicts = verdicts(&measure(true_limit()));
    for verdict in &verdicts {
        assert_eq!(verdict.status, Status::Consistent, "{verdict:#?}");
    }
    assert!(verdicts.len() >= ORDERS.len());
}

#[test]
fn a_flow_without_log_det_is_refuted() {
    assert_refuted(true_limit().map(without_log_det));
}

#[test]
fn the_wrong_sign_of_g_is_refuted() {
    let (target, negated) = ("target: Formula(\"0.25", "target: Formula(\"-0.25");
    assert!(SCENARIO.contains(target));
    let (wrong, study) = load(&SCENARIO.replace(target, negated));
    assert_refuted(references(&wrong, &study));
}

/// The same as an ε that is a tenth too small: k = t/ε iterations do not reach the flow's time.
#[test]
fn a_time_off_by_a_tenth_is_refuted() {
    let (loaded, mut study) = load(SCENARIO);
    study.time *= 1.1;
    assert_refuted(references(&loaded, &study));
}

#[test]
fn a_halved_profile_is_refuted_by_the_claims_about_it_alone() {
    assert_true_limit_is_consistent();
    let halved = true_limit().map(|mut limit| {
        limit.profile.iter_mut().for_each(|r| *r *= 0.5);
        limit
    });
    let verdicts = verdicts(&measure(halved));
    assert_eq!(
        quantities(&verdicts, Status::Inconsistent),
        ["corrected", "profile"].into(),
        "{verdicts:#?}"
    );
    assert!(
        quantities(&verdicts, Status::Inconclusive).is_empty(),
        "{verdicts:#?}"
    );
}

#[test]
fn false_orders_are_refuted() {
    let record = measure(true_limit());
    let status = |quantity: &'static str, law| {
        let claim = Claim {
            name: "control",
            statement: "",
            reference: "",
            quantity,
            law,
        };
        claim
            .judge("scaling-limit", &points(&record, quantity))
            .status
    };
    for (quantity, order) in ORDERS {
        for right in [
            Law::Equals(order),
            Law::AtLeast(order),
            Law::AtLeast(order - 0.5),
        ] {
            assert_eq!(
                status(quantity, right),
                Status::Consistent,
                "{quantity} {right}"
            );
        }
        for off in [0.5, 1.0] {
            for wrong in [
                Law::Equals(order - off),
                Law::Equals(order + off),
                Law::AtLeast(order + off),
            ] {
                assert_eq!(
                    status(quantity, wrong),
                    Status::Inconsistent,
                    "{quantity} {wrong}"
                );
            }
        }
    }
}

/// A budget that swallows the values is an excuse, and must be said to be one.
#[test]
fn a_limit_known_only_roughly_decides_nothing() {
    let mut limit = true_limit();
    let coarser = &mut limit[1];
    coarser.p.iter_mut().for_each(|p| *p += 1e-3);
    let record = measure(limit);
    let verdicts = verdicts(&record);
    let exact = exact_claim(&verdicts, "potential", 1.0);
    assert_eq!(exact.status, Status::Inconclusive, "{exact:#?}");
    assert!(
        exact.reason.contains("budget") && exact.excluded.len() == 4,
        "{exact:#?}"
    );
}

/// Values of a quantity with the sum of their budget's parts.
fn points(record: &Record, quantity: &str) -> Vec<Point> {
    let parts = ["space", "time", "iteration", "round_off"]
        .map(|part| record.values(&format!("{quantity}_{part}")).unwrap());
    let (epsilons, values) = (
        record.values("epsilons").unwrap(),
        record.values(quantity).unwrap(),
    );
    let point = |i: usize| Point {
        epsilon: epsilons[i],
        value: values[i],
        budget: parts.iter().map(|part| part[i]).sum(),
        largest_part: "space",
        symbol: "ε",
    };
    (0..epsilons.len()).map(point).collect()
}

/// The limit replaced by `∂_t p = f − g(x + ∇p)`, with the marginal of that wrong potential.
fn without_log_det(limit: Reference) -> Reference {
    let (loaded, study) = load(SCENARIO);
    let context = context(&loaded);
    let mut flow = HamiltonJacobi::new(&loaded);
    let p = flow.run(study.time, 200);
    let mut operator = context.operator(&loaded.built.on_torus().unwrap().torus);
    let mut log_rho = vec![0.0; p.len()];
    operator
        .log_marginal(&p, &mut log_rho)
        .expect("p is convex");
    Reference {
        p,
        log_rho,
        ..limit
    }
}

/// `∂_t p = f − g(x + p′)` on the circle.
struct HamiltonJacobi<'a> {
    loaded: &'a Loaded,
    source: Vec<f64>,
    calculus: Spectral,
}

impl<'a> HamiltonJacobi<'a> {
    fn new(loaded: &'a Loaded) -> Self {
        let torus = &loaded.built.on_torus().unwrap().torus;
        Self {
            loaded,
            source: loaded.built.on_torus().unwrap().source.on(torus),
            calculus: Spectral::new(torus),
        }
    }

    fn rate(&mut self, p: &[f64]) -> Vec<f64> {
        let mut map = vec![vec![0.0; p.len()]];
        self.calculus.gradient(p, &mut map);
        let nodes = self.loaded.built.on_torus().unwrap().torus.nodes();
        for (map, x) in map[0].iter_mut().zip(&nodes[0]) {
            *map += x;
        }
        let mut g = Jet::zeros(1, p.len(), Order::Value);
        self.loaded
            .built
            .on_torus()
            .unwrap()
            .target
            .jet(&map, &mut g);
        self.source
            .iter()
            .zip(&g.value)
            .map(|(f, g)| f - g)
            .collect()
    }

    /// p at `time` from p = 0 by `steps` of the classical Runge–Kutta method.
    fn run(&mut self, time: f64, steps: usize) -> Vec<f64> {
        let h = time / steps as f64;
        let mut p = vec![0.0; self.source.len()];
        for _ in 0..steps {
            let first = self.rate(&p);
            let second = self.rate(&advanced(&p, 0.5 * h, &first));
            let third = self.rate(&advanced(&p, 0.5 * h, &second));
            let fourth = self.rate(&advanced(&p, h, &third));
            for (rate, weight) in [(first, 1.0), (second, 2.0), (third, 2.0), (fourth, 1.0)] {
                p = advanced(&p, h * weight / 6.0, &rate);
            }
        }
        p
    }
}

/// `p + h · rate`.
fn advanced(p: &[f64], h: f64, rate: &[f64]) -> Vec<f64> {
    p.iter().zip(rate).map(|(p, rate)| p + h * rate).collect()
}
