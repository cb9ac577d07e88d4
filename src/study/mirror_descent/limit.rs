//! The limit η → 0: constant steps to one time against the flow, in ψ and in its conjugate u.

use super::descent::{IMPLICIT_TOLERANCE, Problem};
use super::flow::system;
use super::{Limit, MirrorDescent};
use crate::record::Record;
use crate::study::jobs::{Job, Tick};
use crate::study::progress::Pace;
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::legendre::conjugate;
use mirrorflow_solvers::mirror_descent::{Descent, Rule, Schedule};
use mirrorflow_solvers::parallel::sup_difference;
use mirrorflow_solvers::time::{Stepper, march};
use mirrorflow_solvers::{Error, Result};
use std::ops::ControlFlow;

/// Tolerance of the reference flow, and a looser one that shows its error.
const TOLERANCES: [f64; 2] = [1e-13, 1e-12];

/// Periodic parts of a potential and of its conjugate.
type Pair = [Vec<f64>; 2];

/// The rules in the order of the record.
pub const RULES: [&str; 2] = ["explicit", "implicit"];

/// The flow on the band, on the band at a looser tolerance, and on all modes; then the steps, by rule.
pub fn jobs<'a>(study: &'a MirrorDescent, problem: &'a Problem) -> Vec<Job<'a, Pair>> {
    let Some(limit) = &study.limit else {
        return Vec::new();
    };
    let band = study.band.expect("validation asks for a band on the torus");
    let flow = move |name: &str, tolerance: f64, band: Option<usize>| {
        Job::new(name, 1.0, move |tick: &Tick| {
            let calculus: Box<dyn Calculus> = match band {
                Some(band) => Box::new(Spectral::band_limited(&problem.torus, band)?),
                None => Box::new(Spectral::new(&problem.torus)),
            };
            flow(problem, calculus, limit.time, tolerance, tick)
        })
    };
    let mut jobs = vec![
        flow("the flow on the band", TOLERANCES[0], Some(band)),
        flow("the flow at a looser tolerance", TOLERANCES[1], Some(band)),
        flow("the flow on all modes", TOLERANCES[0], None),
    ];
    let tolerance = IMPLICIT_TOLERANCE;
    for (name, rule) in RULES
        .iter()
        .zip([Rule::Explicit, Rule::Implicit { tolerance }])
    {
        for &steps in &limit.steps {
            let weight = 0.01 * steps as f64;
            jobs.push(Job::new(
                format!("{name}, {steps} steps"),
                weight,
                move |tick: &Tick| descend(problem, band, rule, (limit.time, steps), tick),
            ));
        }
    }
    jobs
}

fn flow(
    problem: &Problem,
    mut calculus: Box<dyn Calculus>,
    time: f64,
    tolerance: f64,
    tick: &Tick,
) -> Result<Pair> {
    let mut q = problem.start.clone();
    calculus.project(&mut q);
    let pace = Pace::to(time);
    march(
        &mut system(problem, calculus),
        Stepper::Adaptive { tolerance },
        &mut q,
        &[time],
        &mut |_, _, _| Ok(()),
        &mut |_, step, _| Ok(tick(pace.at(step.time))),
    )?;
    with_conjugate(problem, q)
}

fn descend(
    problem: &Problem,
    band: usize,
    rule: Rule,
    (time, steps): (f64, usize),
    tick: &Tick,
) -> Result<Pair> {
    let Problem {
        torus,
        source,
        g,
        start,
        ..
    } = problem;
    let mut descent = Descent::new(torus, source.clone(), g, band, start)?;
    let schedule = Schedule::Constant(time / steps as f64);
    let mut stopped = false;
    descent.run(&schedule, rule, steps, &mut |taken, _, _| {
        let asked = tick((taken.iteration + 1) as f64 / steps as f64);
        stopped = asked == ControlFlow::Break(());
        Ok(asked)
    })?;
    if stopped {
        return Err(Error::Interrupted {
            when: "on the way to the limit".into(),
        });
    }
    with_conjugate(problem, descent.iterate().q.clone())
}

fn with_conjugate(problem: &Problem, q: Vec<f64>) -> Result<Pair> {
    let p = conjugate(&problem.torus, &q)?.q;
    Ok([q, p])
}

/// Adds `steps`, and for each rule sup|ψ_k − ψ_t| on the same modes, `<rule>`, and sup|ψ_k^* − u_t| on all of them, `<rule>_conjugate`; `time_error` and
/// `band_error` are how far the reference moves with its tolerance and with the modes left out (the latter in u).
pub fn record(limit: &Limit, found: &[Pair], record: &mut Record) {
    let [on_band, looser, whole] = &found[..3] else {
        unreachable!("three flows come first");
    };
    record.insert_curve(
        "limit_eta",
        limit.steps.iter().map(|&n| limit.time / n as f64).collect(),
    );
    let apart = |a: &Pair, b: &Pair| [0, 1].map(|k| sup_difference(&a[k], &b[k]));
    let time = apart(on_band, looser);
    record.insert_number("limit_time_error", time[0].max(time[1]));
    record.insert_number("limit_band_error", apart(on_band, whole)[1]);
    for (name, pairs) in RULES.iter().zip(found[3..].chunks(limit.steps.len())) {
        let potentials = pairs
            .iter()
            .map(|pair| sup_difference(&pair[0], &on_band[0]));
        record.insert_curve(&format!("limit_{name}"), potentials.collect());
        let conjugates = pairs.iter().map(|pair| sup_difference(&pair[1], &whole[1]));
        record.insert_curve(&format!("limit_{name}_conjugate"), conjugates.collect());
    }
}
