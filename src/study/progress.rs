//! How far a measurement is, as a fraction of its work.
//!
//! Shares of stages and steps of flows are not known before they are done. [`Stages`] starts from modelled shares and puts what was measured
//! in their place as it comes; [`Pace`] extrapolates the pace of a flow, whose steps grow by orders of magnitude. Time left is then
//! `elapsed·(1 − fraction)/fraction`. No result depends on any of it.

use mirrorflow_solvers::Result;
use mirrorflow_solvers::watch::{unwatched, watched};
use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// Told how far a measurement is; asked whether to go on.
pub trait Progress: Sync {
    /// `stage` is under way; `fraction` of the work of the whole study is done, as far as can be told: a later one may be smaller.
    fn update(&self, stage: &str, fraction: f64);

    /// Whether the user asked to stop.
    fn interrupted(&self) -> bool {
        false
    }

    /// Said from the depth of a computation: it goes on. Asks too.
    fn beat(&self) -> ControlFlow<()> {
        if self.interrupted() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Reports and asks at once, for observers of the solvers.
    fn tick(&self, stage: &str, fraction: f64) -> ControlFlow<()> {
        self.update(stage, fraction);
        self.beat()
    }
}

/// No progress, no interruption.
pub struct Silent;

impl Progress for Silent {
    fn update(&self, _stage: &str, _fraction: f64) {}
}

/// Runs `work`, the whole of `progress`; what the numerics in it say of themselves ([`mirrorflow_solvers::watch`]) is told as `stage`.
pub fn watch<R>(progress: &dyn Progress, stage: &str, work: impl FnOnce() -> R) -> R {
    progress.update(stage, 0.0);
    let alive = Alive::new();
    let told = |fraction: Option<f64>| match fraction {
        Some(fraction) => progress.tick(stage, fraction),
        None => alive.ask(progress),
    };
    let result = watched(&told, work);
    progress.update(stage, 1.0);
    result
}

/// Runs `record`, which keeps what there is when `outcome` is an interruption, and is then not itself ended by it.
pub fn kept<R>(outcome: &Result<()>, record: impl FnOnce() -> R) -> R {
    match outcome {
        Ok(()) => record(),
        Err(_) => unwatched(record),
    }
}

/// Passes signs of life on, a few a second of the thousands that there may be; ended is ended.
pub struct Alive {
    began: Instant,
    /// Milliseconds from then to when one was passed on last.
    last: AtomicU64,
    ended: AtomicBool,
}

/// Milliseconds between two signs of life.
const APART: u64 = 100;

impl Alive {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            last: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// [`Progress::beat`], if it is time.
    pub fn ask(&self, progress: &dyn Progress) -> ControlFlow<()> {
        let now = self.began.elapsed().as_millis() as u64;
        if now >= self.last.load(Ordering::Relaxed) + APART {
            self.last.store(now, Ordering::Relaxed);
            if progress.beat().is_break() {
                self.ended.store(true, Ordering::Relaxed);
            }
        }
        if self.ended.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// Parts of a measurement, one after the other or side by side.
pub struct Stages<'p> {
    whole: &'p dyn Progress,
    parts: Mutex<Vec<Part>>,
}

/// One part as it was last heard of.
#[derive(Debug, Clone)]
struct Part {
    stage: String,
    /// Modelled share of the work, in any unit.
    weight: f64,
    fraction: f64,
    began: Option<Instant>,
    /// Seconds from its beginning to the last that was heard of it.
    spent: f64,
}

/// Below this fraction a part's own projection is not trusted if others have one.
const TELLING: f64 = 0.03;

impl<'p> Stages<'p> {
    /// With modelled shares of the work, in any unit.
    pub fn new(whole: &'p dyn Progress, weights: &[f64]) -> Self {
        let part = |&weight: &f64| Part {
            stage: String::new(),
            weight,
            fraction: 0.0,
            began: None,
            spent: 0.0,
        };
        Self {
            whole,
            parts: Mutex::new(weights.iter().map(part).collect()),
        }
    }

    /// The progress of part `k`.
    pub fn part(&self, k: usize) -> Stage<'_> {
        Stage { stages: self, k }
    }
}

/// One of several stages.
pub struct Stage<'s> {
    stages: &'s Stages<'s>,
    k: usize,
}

impl Progress for Stage<'_> {
    fn update(&self, stage: &str, fraction: f64) {
        let mut parts = self.stages.parts.lock().expect("no stage panicked");
        let part = &mut parts[self.k];
        part.fraction = fraction.clamp(0.0, 1.0);
        stage.clone_into(&mut part.stage);
        self.tell(&mut parts);
    }

    fn interrupted(&self) -> bool {
        self.stages.whole.interrupted()
    }

    /// Time that passes without progress makes the others' part of the work larger.
    fn beat(&self) -> ControlFlow<()> {
        self.tell(&mut self.stages.parts.lock().expect("no stage panicked"));
        self.stages.whole.beat()
    }
}

impl Stage<'_> {
    /// The parts stay locked, so that reports arrive in their order.
    fn tell(&self, parts: &mut [Part]) {
        let part = &mut parts[self.k];
        let began = *part.began.get_or_insert_with(Instant::now);
        part.spent = began.elapsed().as_secs_f64();
        self.stages.whole.update(&parts[self.k].stage, done(parts));
    }
}

/// The fraction of the whole: time spent over the time that all will have taken, where each part takes what its own progress projects,
/// or, before that can be told, its modelled share at the pace of the others.
fn done(parts: &[Part]) -> f64 {
    let projected =
        |part: &Part, least: f64| (part.fraction > least).then(|| part.spent / part.fraction);
    let pace = |least: f64| {
        let known = parts.iter().filter(|part| part.fraction > least);
        let (took, weight) = known.fold((0.0, 0.0), |(took, weight), part| {
            (took + part.spent / part.fraction, weight + part.weight)
        });
        (weight > 0.0 && took > 0.0).then(|| (took / weight, least))
    };
    let Some((pace, least)) = pace(TELLING).or_else(|| pace(0.0)) else {
        // Nothing took any time that could be measured: by the model.
        let total: f64 = parts.iter().map(|part| part.weight).sum();
        return parts.iter().map(|p| p.weight * p.fraction).sum::<f64>() / total;
    };
    let whole =
        |part: &Part| projected(part, least).unwrap_or_else(|| part.spent.max(pace * part.weight));
    let spent: f64 = parts.iter().map(|part| part.spent).sum();
    let all: f64 = parts.iter().map(whole).sum();
    spent / all
}

/// The work of a flow to a horizon, told by the times that its steps reach.
///
/// Steps are tiny in the initial layer and grow with the time, `h ∝ t` at first, until accuracy bounds them: the time t reached says
/// little about the work done. So the pace dt/ds per second s of work is fitted by a power `t^a`, 0 ≤ a ≤ 1, of its last two quarters and
/// integrated to the horizon: logarithmic in t in the layer, linear behind it.
pub struct Pace {
    horizon: f64,
    began: Instant,
    /// Seconds spent and time reached.
    steps: RefCell<Vec<(f64, f64)>>,
}

impl Pace {
    /// Of a flow that begins now.
    pub fn to(horizon: f64) -> Self {
        Self {
            horizon,
            began: Instant::now(),
            steps: RefCell::new(vec![(0.0, 0.0)]),
        }
    }

    /// The fraction of the work that is done when a step reaches `time`.
    pub fn at(&self, time: f64) -> f64 {
        let mut steps = self.steps.borrow_mut();
        steps.push((self.began.elapsed().as_secs_f64(), time));
        worked(&steps, self.horizon)
    }
}

/// Fewest steps of which the power is fitted.
const FITTED: usize = 8;

fn worked(steps: &[(f64, f64)], horizon: f64) -> f64 {
    let (spent, time) = steps[steps.len() - 1];
    if time >= horizon {
        return 1.0;
    }
    if !(spent > 0.0 && time > 0.0) {
        return 0.0;
    }
    let (power, pace) = fit(steps);
    let left = integral(power, time, horizon) / pace;
    spent / (spent + left)
}

/// `∫ t^{-a} dt`.
fn integral(power: f64, from: f64, to: f64) -> f64 {
    if power > 0.999 {
        (to / from).ln()
    } else {
        (to.powf(1.0 - power) - from.powf(1.0 - power)) / (1.0 - power)
    }
}

/// The power a and the constant of the pace, `dt/ds = C t^a`, of the last quarter of the work.
fn fit(steps: &[(f64, f64)]) -> (f64, f64) {
    let last = steps.len() - 1;
    let (spent, time) = steps[last];
    let before = |fraction: f64| {
        steps
            .partition_point(|step| step.0 < fraction * spent)
            .min(last - 1)
    };
    let middle = before(0.75);
    let pace = |from: usize, to: usize| {
        (steps[to].1 - steps[from].1) / (steps[to].0 - steps[from].0).max(1e-9)
    };
    let centre = |from: usize, to: usize| 0.5 * (steps[to].1 + steps[from].1);
    let recent = pace(middle, last);
    let first = before(0.5).min(middle.saturating_sub(1));
    let power = if last < FITTED || middle <= first {
        1.0
    } else {
        let growth = (recent / pace(first, middle)).ln();
        (growth / (centre(middle, last) / centre(first, middle)).ln()).clamp(0.0, 1.0)
    };
    let power = if power.is_nan() { 1.0 } else { power };
    let from = steps[middle].1;
    // Where the last quarter begins at 0 no power above 0 can be integrated from there.
    let power = if from > 0.0 { power } else { 0.0 };
    let work = (spent - steps[middle].0).max(1e-9);
    (power, integral(power, from, time) / work)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Histories of flows whose step is h(t), each costing `cost(t)` seconds: what is told when a part of the work is done.
    fn told(step: impl Fn(f64) -> f64, cost: impl Fn(f64) -> f64, horizon: f64) -> Vec<(f64, f64)> {
        let mut steps = vec![(0.0, 0.0)];
        let (mut spent, mut time) = (0.0, 0.0);
        let mut found = Vec::new();
        while time < horizon {
            let h = step(time).min(horizon - time);
            spent += cost(time);
            time += h;
            steps.push((spent, time));
            found.push((spent, worked(&steps, horizon)));
        }
        found.iter().map(|(at, told)| (at / spent, *told)).collect()
    }

    /// The told fraction when half and three quarters are done.
    fn at(history: &[(f64, f64)], part: f64) -> f64 {
        history.iter().find(|(done, _)| *done >= part).unwrap().1
    }

    #[test]
    fn the_work_of_a_flow_is_told_from_its_pace_and_not_from_its_time() {
        let layer = |t: f64| (0.2 * t).clamp(1e-8, 1e-3);
        let steady = told(|_| 1e-3, |_| 0.01, 1.0);
        let layered = told(layer, |_| 0.01, 0.1);
        let geometric = told(|t| (0.2 * t).max(1e-8), |_| 0.01, 1.0);
        let dearer = told(layer, |t| 0.01 + 10.0 * t, 0.1);
        for (history, name) in [
            (&steady, "steady"),
            (&layered, "layer"),
            (&geometric, "geometric"),
            (&dearer, "dearer"),
        ] {
            for part in [0.25, 0.5, 0.75, 0.9] {
                let told = at(history, part);
                // The time left, elapsed·(1 − f)/f, against the true one.
                let ratio = (1.0 / told - 1.0) / (1.0 / part - 1.0);
                // Half of the layered history is a few steps behind the knee, which no earlier step announces.
                let within = if part <= 0.5 { 6.0 } else { 1.6 };
                assert!(
                    (1.0 / within..within).contains(&ratio),
                    "{name} at {part}: {ratio}"
                );
            }
            assert_eq!(history.last().unwrap().1, 1.0);
        }
    }

    fn part(weight: f64, fraction: f64, spent: f64) -> Part {
        Part {
            stage: String::new(),
            weight,
            fraction,
            began: None,
            spent,
        }
    }

    #[test]
    fn what_was_measured_takes_the_place_of_the_model() {
        // As modelled.
        assert!((done(&[part(1.0, 1.0, 2.0), part(3.0, 0.0, 0.0)]) - 0.25).abs() < 1e-12);
        // The second part takes 20 s instead of 6 s: half of it is 12 of 22 s.
        assert!((done(&[part(1.0, 1.0, 2.0), part(3.0, 0.5, 10.0)]) - 12.0 / 22.0).abs() < 1e-12);
        // A part that says nothing of itself never ends before the others' pace lets it.
        let silent = done(&[
            part(1.0, 1.0, 2.0),
            part(1.0, 0.0, 1.5),
            part(1.0, 0.0, 0.0),
        ]);
        assert!((silent - 3.5 / 6.0).abs() < 1e-12);
        assert_eq!(done(&[part(1.0, 1.0, 1.0), part(5.0, 1.0, 3.0)]), 1.0);
        assert_eq!(done(&[part(1.0, 0.0, 0.0)]), 0.0);
    }

    #[test]
    fn stages_within_stages_reach_one() {
        struct Last(Mutex<(String, f64)>);
        impl Progress for Last {
            fn update(&self, stage: &str, fraction: f64) {
                *self.0.lock().unwrap() = (stage.to_owned(), fraction);
            }
        }
        let last = Last(Mutex::default());
        let stages = Stages::new(&last, &[1.0, 1.0]);
        stages.part(0).update("first", 1.0);
        let second = stages.part(1);
        let inner = Stages::new(&second, &[2.0, 1.0]);
        inner.part(1).update("inner", 1.0);
        inner.part(0).update("inner", 0.5);
        let (name, fraction) = last.0.lock().unwrap().clone();
        assert!(
            name == "inner" && fraction > 0.5 && fraction < 1.0,
            "{fraction}"
        );
        inner.part(0).update("inner", 1.0);
        assert!((last.0.lock().unwrap().1 - 1.0).abs() < 1e-9);
    }
}
