//! Every count that a scenario can ask for — steps, iterations, samples, bins, repeats — against what can be done at all, and what is
//! recorded of each against the memory there is.

use super::Checks;
use crate::quantities::bytes;
use crate::scenario::locate::{Step, way};
use crate::scenario::{Covariance, Problem, Scenario, Time};
use crate::study::{ExponentialConvergence, MirrorDescent, Run, SideBySide, Study};

/// More of anything than this is a slip of the pen: at a microsecond each it takes a quarter of an hour, at what a step costs days.
const MOST: f64 = 1e9;

/// Bytes of a number.
const BYTES: f64 = 8.0;

/// Something that is done or drawn many times.
struct Count<'a> {
    path: Vec<Step<'a>>,
    /// What is counted: `steps`.
    what: &'static str,
    count: f64,
    /// Numbers that are kept of each.
    kept: f64,
    /// What to do with fewer.
    help: &'static str,
}

/// Refuses counts beyond [`MOST`], and those of which the records alone do not fit into memory.
pub fn check(checks: &mut Checks, scenario: &Scenario) {
    let dimension = dimension(&scenario.problem);
    for (number, study) in scenario.studies.iter().enumerate() {
        for count in of_study(study, number, dimension) {
            one(checks, &count);
        }
    }
    explicit_steps(checks, scenario);
}

fn one(checks: &mut Checks, count: &Count) {
    let n = count.count;
    if n > MOST {
        let message = format!("{} {} are more than can be done", number(n), count.what);
        let label = format!("at most {MOST:e}");
        checks.refuse(&count.path, message, &label, count.help.into());
        return;
    }
    let Some(room) = checks.machine.allowance() else {
        return;
    };
    let needed = BYTES * n * count.kept;
    if needed > room.bytes {
        let message = format!(
            "what is recorded of {} {} needs about {} of memory, {} may be used here ({})",
            number(n),
            count.what,
            bytes(needed),
            bytes(room.bytes),
            room.limit
        );
        let most = room.bytes / (BYTES * count.kept);
        let help = format!("{}: at most {} fit", count.help, number(most.floor()));
        checks.refuse(&count.path, message, "too many for this memory", help);
    }
}

/// A count for people.
fn number(n: f64) -> String {
    if n < 1e7 {
        format!("{n:.0}")
    } else {
        format!("{n:.3e}")
    }
}

fn dimension(problem: &Problem) -> usize {
    match problem {
        Problem::Torus(torus) => torus.points.len(),
        Problem::Euclidean(euclidean) => euclidean.start.len(),
        Problem::Gaussian(gaussian) => match &gaussian.source {
            Covariance::Variances(variances) => variances.len(),
            Covariance::Matrix(rows) => rows.len(),
            Covariance::Random { dimension, .. } => *dimension,
        },
    }
}

fn of_study(study: &Study, number: usize, dimension: usize) -> Vec<Count<'_>> {
    match study {
        Study::Flow(_) | Study::OptimalMap(_) => Vec::new(),
        Study::Sinkhorn(sinkhorn) => vec![Count {
            path: way!["studies", number, "iterations"].to_vec(),
            what: "iterations",
            count: sinkhorn.iterations as f64,
            // Iteration, KL, change, and the same in the table.
            kept: 6.0,
            help: "use fewer iterations, or a larger ε",
        }],
        Study::ScalingLimit(limit) => iterations(number, &limit.epsilons, limit.time),
        Study::MirrorFlow(flow) => {
            let refinements = flow.refinements.iter().enumerate();
            let count = |(i, &steps): (usize, &usize)| Count {
                path: way!["studies", number, "refinements", i].to_vec(),
                what: "steps",
                count: steps as f64,
                kept: 0.0,
                help: "double from one to the next, such as refinements: [600, 1200, 2400]",
            };
            refinements.map(count).collect()
        }
        Study::ExponentialConvergence(decay) => convergence(number, decay),
        Study::SideBySide(page) => side_by_side(number, page),
        Study::MirrorDescent(descent) => mirror_descent(number, descent, dimension),
    }
}

/// `time/ε` at each ε.
fn iterations<'a>(number: usize, epsilons: &[f64], time: f64) -> Vec<Count<'a>> {
    let count = |(i, &epsilon): (usize, &f64)| Count {
        path: way!["studies", number, "epsilons", i].to_vec(),
        what: "iterations",
        count: time / epsilon,
        kept: 0.0,
        help: "use a larger ε, or an earlier time",
    };
    epsilons.iter().enumerate().map(count).collect()
}

fn samples<'a>(number: usize, samples: usize, rows: usize) -> Count<'a> {
    Count {
        path: way!["studies", number, "samples"].to_vec(),
        what: "samples",
        count: samples as f64,
        // KL with its budget along each flow, and some ten other quantities.
        kept: 2.0 * rows as f64 + 10.0,
        help: "40 samples are usual",
    }
}

fn convergence(number: usize, decay: &ExponentialConvergence) -> Vec<Count<'_>> {
    let mut counts = iterations(number, &decay.epsilons, decay.time);
    let rows = decay.epsilons.len() + decay.others.len();
    counts.push(samples(number, decay.samples, rows));
    counts
}

fn side_by_side(number: usize, page: &SideBySide) -> Vec<Count<'_>> {
    let mut counts = iterations(number, &page.epsilons, page.time.max(page.horizon));
    counts.push(samples(number, page.samples, page.epsilons.len()));
    counts
}

fn mirror_descent(number: usize, descent: &MirrorDescent, dimension: usize) -> Vec<Count<'_>> {
    let of_run = |run: &Run| match run {
        Run::Sinkhorn(_) => 4.0,
        // Step, limit, KL and its like, and the terms of the inequality against each density.
        _ => 12.0 + 8.0 * descent.comparators.len() as f64,
    };
    let mut counts = vec![Count {
        path: way!["studies", number, "steps"].to_vec(),
        what: "steps",
        count: descent.steps as f64,
        kept: descent.runs.iter().map(of_run).sum(),
        help: "use fewer and larger steps",
    }];
    if let Some(limit) = &descent.limit {
        counts.extend(limit.steps.iter().enumerate().map(|(i, &steps)| Count {
            path: way!["studies", number, "limit", "steps", i].to_vec(),
            what: "steps",
            count: steps as f64,
            kept: 0.0,
            help: "double from one to the next, such as steps: [16, 32, 64]",
        }));
    }
    if let Some(sampling) = &descent.sampling {
        let axes = dimension.clamp(1, 3);
        let field = |name: &'static str| way!["studies", number, "sampling", name].to_vec();
        counts.push(Count {
            path: field("samples"),
            what: "samples",
            count: sampling.samples as f64,
            // Z and its images along both ways.
            kept: 4.0 * axes as f64,
            help: "100000 samples are usual",
        });
        counts.push(Count {
            path: field("bins"),
            what: "bins in all",
            count: (sampling.bins as f64).powi(axes as i32),
            kept: 6.0,
            help: "16 bins along an axis are usual",
        });
        counts.push(Count {
            path: field("fokker_planck_steps"),
            what: "steps",
            count: sampling.fokker_planck_steps as f64,
            kept: 1.0,
            help: "256 steps are usual",
        });
    }
    counts
}

/// Steps of an explicit stepper to the last instant that a study asks for.
fn explicit_steps(checks: &mut Checks, scenario: &Scenario) {
    let (Time::Euler { step } | Time::RungeKutta4 { step }) = scenario.numerics.time else {
        return;
    };
    let horizon = |study: &Study| match study {
        Study::Flow(flow) => flow.times.last().copied().unwrap_or(0.0),
        Study::ScalingLimit(limit) => limit.time,
        Study::ExponentialConvergence(decay) => decay.time,
        Study::SideBySide(page) => page.time.max(page.horizon),
        // Has its own steppers.
        _ => 0.0,
    };
    let longest = scenario.studies.iter().map(horizon).fold(0.0, f64::max);
    one(
        checks,
        &Count {
            path: way!["numerics", "time", "step"].to_vec(),
            what: "time steps",
            count: if step > 0.0 { longest / step } else { 0.0 },
            kept: 0.0,
            help: "use a larger step, or Adaptive(tolerance: 1e-9)",
        },
    );
}
