//! From what was tried to what the whole study takes.

use super::growth::{self, Ratio};
use super::rehearse::{self, Seen, Spent};
use super::trace::Stage;
use crate::record::Record;
use crate::scenario::{Built, BuiltTorus, Loaded};
use crate::study::{Growth, Rehearsal, Sinkhorn, Study};
use mirrorflow_solvers::Torus;

/// What a study will take.
pub struct Prediction {
    pub stages: Vec<Stage>,
    /// Bytes that its record keeps.
    pub recorded: f64,
    /// It was measured to its end.
    pub whole: bool,
    pub failure: Option<String>,
    /// A record like that of the study, and the study and the scenario that it belongs to.
    pub record: Option<Record>,
    pub study: Study,
    pub tried: Loaded,
}

/// Tries one study: itself for the first part of the budget, and if it does not end, a rehearsal for the second.
pub fn study(loaded: &Loaded, study: &Study, (budget, rehearsal): (f64, f64)) -> Prediction {
    let numerics = &loaded.scenario.numerics;
    let seen = rehearse::measure(study, &loaded.built, numerics, budget);
    if seen.whole || seen.failure.is_some() {
        return Prediction {
            recorded: bytes_of(seen.record.as_ref()),
            whole: seen.whole,
            failure: seen.failure,
            record: seen.record,
            study: study.clone(),
            stages: seen.stages,
            tried: loaded.clone(),
        };
    }
    by_rehearsal(loaded, study, seen, rehearsal)
}

/// Only the beginning is known: the rest takes what progress says it does.
fn by_fraction(loaded: &Loaded, study: &Study, mut seen: Seen) -> Prediction {
    let mut stages = seen.stages.iter().rev();
    let reached = stages.find_map(|stage| stage.course.last());
    let fraction = reached.map_or(0.0, |point| point.0).clamp(1e-4, 1.0);
    for stage in &mut seen.stages {
        stage.seconds /= fraction;
    }
    Prediction {
        recorded: bytes_of(seen.record.as_ref()) / fraction,
        whole: false,
        failure: None,
        record: seen.record,
        study: study.clone(),
        stages: seen.stages,
        tried: loaded.clone(),
    }
}

fn bytes_of(record: Option<&Record>) -> f64 {
    record.map_or(0.0, Record::bytes)
}

/// A smaller problem with a part of the study.
struct Candidate {
    built: Built,
    plan: Rehearsal,
    /// Work relative to that of the study, roughly.
    size: f64,
}

/// A candidate that was tried to its end.
struct Rehearsed {
    candidate: Candidate,
    seen: Vec<Seen>,
}

fn by_rehearsal(loaded: &Loaded, study: &Study, real: Seen, budget: f64) -> Prediction {
    let Some(Rehearsed { candidate, seen }) = best_rehearsal(loaded, study, budget) else {
        return by_fraction(loaded, study, real);
    };
    let numerics = &loaded.scenario.numerics;
    let size = growth::of_size(&loaded.built, &candidate.built, numerics);
    let flow = flow_ratio(&real, &candidate.plan, &seen, size);
    let all = seen.iter().flat_map(|seen| &seen.stages);
    let mut stages: Vec<Stage> = all
        .map(|stage| scaled(stage, &real, &candidate.plan, [size, flow]))
        .collect();
    if let Built::Torus(built) = &loaded.built {
        let each = 0.3 * budget / candidate.plan.iterations.len() as f64;
        for sinkhorn in &candidate.plan.iterations {
            let spent = rehearse::iteration(sinkhorn, built, numerics, each);
            stages.push(iterations(sinkhorn, spent.unwrap_or_default()));
        }
    }
    let records = seen.iter().map(|seen| bytes_of(seen.record.as_ref()));
    let recorded: f64 = records.sum();
    let mut tried = loaded.clone();
    tried.built = candidate.built;
    Prediction {
        stages,
        recorded: recorded * size.bytes,
        whole: false,
        failure: None,
        study: candidate.plan.studies[0].clone(),
        record: seen.into_iter().next().and_then(|seen| seen.record),
        tried,
    }
}

fn iterations(sinkhorn: &Sinkhorn, spent: Spent) -> Stage {
    Stage {
        name: format!("ε = {}", sinkhorn.epsilon),
        seconds: spent.seconds,
        peak: spent.bytes,
        ..Stage::default()
    }
}

/// Parts of the scenario's points along an axis, or of its dimension, that are tried, in eighths.
const EIGHTHS: [usize; 5] = [2, 3, 4, 6, 8];

/// Fewest points along an axis of a rehearsal, in one, two and three dimensions.
const FEWEST: [usize; 3] = [32, 16, 12];

/// How many times fewer repeats are tried: on half the points, then on all of them.
const FEWER: [(usize, usize); 4] = [(4, 8), (8, 8), (8, 4), (8, 2)];

/// A first rehearsal may take this long, in seconds of processor time.
const PATIENCE: f64 = 2.5;

/// The candidates from small to large.
fn candidates(study: &Study, built: &Built) -> Vec<Candidate> {
    match built {
        Built::Torus(built) => on_torus(study, built),
        Built::Gaussian(built) => {
            let smaller = EIGHTHS[..4].iter().filter_map(|eighths| {
                let dimension = (eighths * built.dimension() / 8).max(2);
                let size = dimension as f64 / built.dimension() as f64;
                Some(Candidate {
                    built: Built::Gaussian(built.leading(dimension)?),
                    plan: study.whole(),
                    size: size.powi(3),
                })
            });
            smaller.collect()
        }
        Built::Euclidean(_) => Vec::new(),
    }
}

fn on_torus(study: &Study, built: &BuiltTorus) -> Vec<Candidate> {
    let candidate = |eighths: usize, plan: &dyn Fn(&Torus) -> Option<Rehearsal>| {
        let coarse = coarser(&built.torus, eighths)?;
        let plan = plan(&coarse)?;
        let nodes = coarse.len() as f64 / built.torus.len() as f64;
        Some(Candidate {
            built: rehearse::on_grid(built, &coarse),
            size: nodes / plan.repeats[0],
            plan,
        })
    };
    let by_repeats = FEWER
        .iter()
        .filter_map(|&(eighths, fewer)| candidate(eighths, &|_| study.with_fewer_repeats(fewer)));
    let by_repeats: Vec<Candidate> = by_repeats.collect();
    if !by_repeats.is_empty() {
        return by_repeats;
    }
    let by_grid = EIGHTHS.iter();
    by_grid
        .filter_map(|&eighths| candidate(eighths, &|coarse| Some(study.rehearsal(coarse))))
        .collect()
}

fn coarser(torus: &Torus, eighths: usize) -> Option<Torus> {
    let fewest = FEWEST[torus.dimension() - 1];
    let shrink = |n: usize| (eighths * n / 8 / 4 * 4).max(fewest.min(n));
    torus.resized(shrink).ok()
}

/// The largest candidate that ends within the budget, the next one only where it may be expected to end too.
fn best_rehearsal(loaded: &Loaded, study: &Study, budget: f64) -> Option<Rehearsed> {
    let mut best: Option<Rehearsed> = None;
    let (mut left, mut patience) = (budget, PATIENCE);
    for candidate in candidates(study, &loaded.built) {
        if let Some(before) = &best {
            let growth = candidate.size / before.candidate.size;
            let spent: f64 = before.seen.iter().map(Seen::seconds).sum();
            if growth <= 1.0 || growth * spent > left {
                break;
            }
        }
        let allowed = if best.is_some() { left } else { patience };
        let seen = try_all(loaded, &candidate, allowed);
        let spent: f64 = seen.iter().map(Seen::seconds).sum();
        (left, patience) = (left - spent, patience - spent);
        if seen.iter().all(|seen| seen.whole) {
            best = Some(Rehearsed { candidate, seen });
        }
        if left < 0.0 && best.is_some() || patience < 0.0 {
            break;
        }
    }
    best
}

/// The studies of a candidate, up to the first that does not end.
fn try_all(loaded: &Loaded, candidate: &Candidate, mut allowed: f64) -> Vec<Seen> {
    let mut all = Vec::new();
    for study in &candidate.plan.studies {
        let numerics = &loaded.scenario.numerics;
        let seen = rehearse::measure(study, &candidate.built, numerics, allowed.max(0.05));
        allowed -= seen.seconds();
        let whole = seen.whole;
        all.push(seen);
        if !whole {
            break;
        }
    }
    all
}

/// How much more a flow takes on the scenario's grid: from the first one, as far as the real beginning reached.
fn flow_ratio(real: &Seen, plan: &Rehearsal, seen: &[Seen], size: Ratio) -> Ratio {
    let is_flow =
        |stage: &&Stage| !stage.name.is_empty() && Study::growth(&stage.name) == Growth::Flow;
    let Some(stage) = real.stages.iter().find(is_flow) else {
        return size;
    };
    let mut all = seen.iter().flat_map(|seen| &seen.stages);
    let Some(same) = all.find(|other| other.name == stage.name) else {
        return size;
    };
    let under_way = real
        .stages
        .last()
        .is_some_and(|last| last.name == stage.name);
    let reached = if under_way {
        at_same_fraction(stage, same, plan.share)
    } else {
        same.seconds
    };
    let of = |a: f64, b: f64| if b > 0.0 { a / b } else { 1.0 };
    let bytes = of(stage.peak - stage.before, same.peak - same.before);
    Ratio {
        seconds: of(stage.seconds, reached).clamp(0.2, 4.0 * size.seconds),
        bytes: bytes.clamp(0.2, 2.0 * size.bytes),
    }
}

/// Seconds of `other` when it was as far as `stage` is; `share` is the part of the progress of `stage` that `other` has for itself.
fn at_same_fraction(stage: &Stage, other: &Stage, share: f64) -> f64 {
    let Some(&(fraction, _)) = stage.course.last() else {
        return other.seconds;
    };
    let mut course = other.course.iter();
    let point = course.find(|point| share * point.0 >= fraction);
    point.map_or(other.seconds, |point| point.1)
}

/// A stage of the rehearsal as it is in the study: as it was seen there, where the beginning got so far.
fn scaled(stage: &Stage, real: &Seen, plan: &Rehearsal, [size, flow]: [Ratio; 2]) -> Stage {
    let reached = real.stages.len().saturating_sub(1);
    let mut done = real.stages[..reached].iter();
    if let Some(same) = done.find(|other| !other.name.is_empty() && other.name == stage.name) {
        return same.clone();
    }
    let ratio = match Study::growth(&stage.name) {
        Growth::Flow if !stage.name.is_empty() => flow,
        _ => size,
    };
    Stage {
        name: stage.name.clone(),
        seconds: plan.repeats(&stage.name) * ratio.seconds * stage.seconds,
        peak: size.bytes * stage.before + ratio.bytes * (stage.peak - stage.before),
        before: size.bytes * stage.before,
        course: Vec::new(),
    }
}
