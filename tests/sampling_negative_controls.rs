//! Samples of another law, maps that are not optimal, and compositions that are too coarse come out as such, while the true record makes
//! every claim about samples consistent; impossible samplings are refused with place and remedy.

use mirrorflow::record::Record;
use mirrorflow::scenario::{Loaded, parse};
use mirrorflow::study::{Context, Silent};
use mirrorflow::verdict::{Status, Verdict};
use mirrorflow_solvers::sampling::{Bins, BrenierMap, Sampler, transport_cost};
use std::collections::BTreeSet;
use std::f64::consts::PI;
use std::sync::Arc;

const F: &str = "0.5*cos(2*pi*x) + 0.3*cos(2*pi*(x + y))";
const G: &str = "0.4*cos(2*pi*(x - y)) - 0.3*cos(2*pi*y)";
const SAMPLES: usize = 60_000;
const SEED: u64 = 3;
const BINS: usize = 12;

/// Two dimensions and a composition of this many steps.
fn text(steps: usize) -> String {
    format!(
        "Scenario(title: \"controls\", problem: Torus(points: [32, 32], source: Formula(\"{F}\"), \
         target: Formula(\"{G}\")), studies: [MirrorDescent(steps: 16, band: 3, runs: [Explicit(Adaptive(0.9))], \
         sampling: (samples: {SAMPLES}, seed: {SEED}, bins: {BINS}, fokker_planck_steps: {steps}))])"
    )
}

struct Control {
    loaded: Loaded,
    record: Record,
}

impl Control {
    fn new(text: &str) -> Self {
        let loaded = parse("controls.ron", text).unwrap();
        let context = Context {
            built: loaded.built.on_torus().unwrap(),
            numerics: &loaded.scenario.numerics,
            progress: &Silent,
        };
        let study = loaded.scenario.studies[0].on_torus().unwrap();
        let record = study.measure(&context).unwrap().record;
        Self { loaded, record }
    }

    fn judge(&self, record: &Record) -> Vec<Verdict> {
        let study = self.loaded.scenario.studies[0].on_torus().unwrap();
        study.judge("control", record).unwrap()
    }

    fn claims(&self, record: &Record, status: Status) -> BTreeSet<String> {
        let verdicts = self.judge(record);
        let chosen = verdicts.into_iter().filter(|v| v.status == status);
        chosen.map(|v| v.claim).collect()
    }

    /// Exactly these claims become inconsistent when the array is replaced.
    fn refutes(&self, name: &str, values: Vec<f64>, refuted: &[&str]) {
        let shape = self.record.array(name).unwrap().shape().to_vec();
        let mut changed = self.record.clone();
        changed.insert(name, &shape, values);
        let found = self.claims(&changed, Status::Inconsistent);
        let expected = refuted.iter().map(|&claim| claim.to_owned()).collect();
        assert_eq!(found, expected, "{name}: {:#?}", self.judge(&changed));
    }

    fn number(&self, name: &str) -> f64 {
        self.record.number(name).unwrap()
    }

    /// Counts of the same points carried by `y + part·∇q_K`.
    fn counts(&self, part: f64) -> Vec<f64> {
        let built = self.loaded.built.on_torus().unwrap();
        let sampler = Sampler::new(Arc::new(built.target.clone())).unwrap();
        let z = sampler.draw(SAMPLES, SEED).unwrap();
        let q = self.record.values("run_1_q").unwrap();
        let q: Vec<f64> = q.iter().map(|q| part * q).collect();
        let images = BrenierMap::new(&built.torus, &q).push(&z);
        let counts = Bins::new(&[BINS, BINS]).unwrap().counts(&images);
        counts.into_iter().map(|count| count as f64).collect()
    }

    /// Cost of `y + ∇q_K + size·R`, R a rotation, from e^{-g}.
    fn cost_with_rotation(&self, size: f64) -> f64 {
        let built = self.loaded.built.on_torus().unwrap();
        let torus = &built.torus;
        let q = self.record.values("run_1_q").unwrap();
        let nodes = torus.nodes();
        let mut displacement = BrenierMap::new(torus, q).displacement(&nodes);
        for (i, x) in nodes[0].iter().enumerate() {
            displacement[1][i] += size * (2.0 * PI * x).sin();
        }
        let log_start: Vec<f64> = built.target.on(torus).iter().map(|g| -g).collect();
        transport_cost(&log_start, &displacement)
    }
}

#[test]
fn other_laws_and_other_maps_are_refuted() {
    let control = Control::new(&text(64));
    for status in [Status::Inconsistent, Status::Inconclusive] {
        let found = control.claims(&control.record, status);
        assert!(found.is_empty(), "{:#?}", control.judge(&control.record));
    }
    // The same points give the same counts, and nine tenths of the way another law.
    let counts = "sampling_one_map_counts";
    assert_eq!(control.counts(1.0), control.record.values(counts).unwrap());
    control.refutes(counts, control.counts(0.9), &["sampler-law", "sampler-kl"]);
    let all = ["sampler-law", "sampler-variation", "sampler-kl"];
    control.refutes(counts, control.counts(0.5), &all);
    // Points that Fokker–Planck did not carry.
    let composed = ["composition-law", "composition-kl"];
    let unmoved = control.counts(0.0);
    control.refutes("sampling_composition_counts", unmoved, &composed);
    // A rotation of one in a hundred: the image is nearly the same, the cost is not.
    let cost = "sampling_one_map_cost";
    assert!((control.cost_with_rotation(0.0) / control.number(cost) - 1.0).abs() < 1e-12);
    let size = 0.01 * control.number(cost).sqrt();
    control.refutes(
        cost,
        vec![control.cost_with_rotation(size)],
        &["one-map-cost"],
    );
}

#[test]
fn a_composition_that_would_be_optimal_is_refuted() {
    let control = Control::new(&text(64));
    let best = control
        .record
        .values("sampling_wasserstein_square")
        .unwrap();
    let below = best.iter().map(|best| 0.999 * best).collect();
    control.refutes("sampling_cost", below, &["composition-cost"]);
    let times = control.record.values("sampling_times").unwrap();
    let square = times.iter().map(|t| t * t).collect();
    control.refutes("sampling_remainder", square, &["composition-remainder"]);
}

/// Few steps end elsewhere: their law is not judged against ρ_t, and the reason names how many would do.
#[test]
fn one_step_maps_that_are_too_long_are_not_judged() {
    let control = Control::new(&text(8));
    let left_out = control.claims(&control.record, Status::NotApplicable);
    assert!(left_out.contains("composition-law"), "{left_out:?}");
    let verdicts = control.judge(&control.record);
    let law = verdicts.iter().find(|v| v.claim == "composition-law");
    assert!(law.unwrap().reason.contains("steps or more"), "{law:?}");
}

/// A text of the scenario, what replaces it, what the message must say.
#[rustfmt::skip]
const REFUSED: [(&str, &str, [&str; 2]); 9] = [
    ("samples: 60000", "samples: 0", ["0 samples leave nothing to count", "samples: 100000"]),
    ("samples: 60000", "samples: 200", ["too few for a test", "samples or more"]),
    ("samples: 60000, ", "", ["`samples` is missing", "100000"]),
    ("bins: 12", "bins: 1", ["1 bins along an axis", "use bins: 16"]),
    ("bins: 12", "bins: 900", ["too many", "use fewer bins"]),
    ("bins: 12", "bins: 150", ["a bin expects", "samples or more"]),
    ("fokker_planck_steps: 64", "fokker_planck_steps: 100", ["cannot be halved three times", "multiple of 8"]),
    ("seed: 3", "sead: 3", ["unknown field `sead`", "`seed`"]),
    ("Explicit(Adaptive(0.9))", "Sinkhorn(4e-3)", ["no run has a ψ", "Explicit(Adaptive(0.9))"]),
];

#[test]
fn impossible_samplings_are_refused_with_a_remedy() {
    let base = text(64);
    for (find, replace, says) in REFUSED {
        let wrong = base.replacen(find, replace, 1);
        assert_ne!(wrong, base, "{find} changes nothing");
        let report = parse("bad.ron", &wrong).unwrap_err();
        let message = format!("{report:?}");
        for said in says {
            assert!(message.contains(said), "{replace}: {said} in\n{message}");
        }
    }
}
