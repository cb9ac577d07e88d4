//! The studies' times, ε and iterations.

use super::{Checks, sampling};
use crate::scenario::locate::{Step, way};
use crate::scenario::{Problem, Scenario};
use crate::study::{
    ExponentialConvergence, Limit, MirrorDescent, MirrorFlow, Objective, OptimalMap, Run,
    ScalingLimit, Schedule, SideBySide, Sinkhorn, Study,
};

/// An order needs at least this many ε.
const FEWEST_EPSILONS: usize = 3;

/// How far `time/ε` may be from a whole number, relative.
const WHOLE: f64 = 1e-9;

pub fn check(checks: &mut Checks, scenario: &Scenario) {
    let studies = &scenario.studies;
    if studies.is_empty() {
        checks.refuse(
            way!["studies"],
            "the scenario asks for no study".into(),
            "empty",
            "add one, such as Flow(times: [0.01, 0.05])".into(),
        );
    }
    for (number, study) in studies.iter().enumerate() {
        fits(checks, number, study, &scenario.problem);
        sampling::check(checks, number, study, &scenario.problem);
        match study {
            Study::Flow(flow) => instants(checks, number, &flow.times),
            Study::Sinkhorn(parameters) => sinkhorn(checks, number, parameters),
            Study::ScalingLimit(limit) => scaling_limit(checks, number, limit),
            Study::OptimalMap(map) => optimal_map(checks, number, map),
            Study::MirrorFlow(flow) => mirror_flow(checks, number, flow),
            Study::ExponentialConvergence(decay) => convergence(checks, number, decay),
            Study::SideBySide(page) => side_by_side(checks, number, page),
            Study::MirrorDescent(descent) => mirror_descent(checks, number, descent),
        }
    }
}

/// Refuses a study that is not defined on the problem.
fn fits(checks: &mut Checks, number: usize, study: &Study, problem: &Problem) {
    if study.fits(problem) {
        return;
    }
    checks.refuse(
        way!["studies", number],
        format!(
            "{} is not defined on a {} problem",
            study.name(),
            problem.name()
        ),
        "does not fit the problem",
        format!("use {}", problem.studies()),
    );
}

fn mirror_descent(checks: &mut Checks, study: usize, descent: &MirrorDescent) {
    if descent.steps == 0 {
        checks.refuse(
            way!["studies", study, "steps"],
            "0 steps leave nothing to study".into(),
            "at least 1",
            "Σ η_k is the time of the flow that the steps reach".into(),
        );
    }
    if descent.runs.is_empty() {
        checks.refuse(
            way!["studies", study, "runs"],
            "no runs given".into(),
            "empty",
            "add one, such as runs: [Explicit(Constant(3e-4))]".into(),
        );
    }
    for (i, run) in descent.runs.iter().enumerate() {
        let path = way!["studies", study, "runs", i];
        steps_of_run(checks, path, run, descent.steps);
        if descent.runs[..i].contains(run) {
            twice(checks, path, "this run");
        }
    }
    for (i, comparator) in descent.comparators.iter().enumerate() {
        if descent.comparators[..i].contains(comparator) {
            twice(
                checks,
                way!["studies", study, "comparators", i],
                "this density",
            );
        }
    }
    if let Some(limit) = &descent.limit {
        mirror_descent_limit(checks, study, limit);
    }
}

fn twice(checks: &mut Checks, path: &[Step], what: &str) {
    checks.refuse(
        path,
        format!("{what} is listed twice"),
        "second time",
        "list each once".into(),
    );
}

/// Every η_k positive, and enough of them.
fn steps_of_run(checks: &mut Checks, path: &[Step], run: &Run, steps: usize) {
    let positive = |checks: &mut Checks, name: &str, value: f64| {
        checks.positive(path, name, value, "3e-4");
    };
    let schedule = match run {
        Run::Explicit(schedule) | Run::Implicit(schedule) => schedule,
        Run::Sinkhorn(epsilon) => {
            positive(checks, "ε", *epsilon);
            return not_constant(checks, path, *epsilon);
        }
    };
    match schedule {
        Schedule::Constant(eta) => positive(checks, "η", *eta),
        Schedule::Harmonic(c) => positive(checks, "c", *c),
        Schedule::LogOverT(c) => {
            positive(checks, "c", *c);
            if steps == 1 {
                let help = "use two steps or more, or Constant(…)".into();
                let message = "c log T/T is 0 for one step".into();
                checks.refuse(path, message, "T ≥ 2 needed", help);
            }
        }
        Schedule::Adaptive(fraction) => {
            positive(checks, "the fraction", *fraction);
            if *fraction > 1.0 && matches!(run, Run::Explicit(_)) {
                checks.refuse(
                    path,
                    format!("{fraction} times the stability limit is past it"),
                    "more than 1",
                    "use at most 1, such as Adaptive(0.8), or an implicit step".into(),
                );
            }
        }
        Schedule::List(list) => {
            let least = list.iter().copied().fold(f64::INFINITY, f64::min);
            if list.len() < steps {
                checks.refuse(
                    path,
                    format!("{} steps are listed, {steps} asked for", list.len()),
                    "too few",
                    format!("list {steps} steps, or use steps: {}", list.len()),
                );
            } else if least <= 0.0 {
                positive(checks, "a step", least);
            }
        }
    }
}

fn mirror_descent_limit(checks: &mut Checks, study: usize, limit: &Limit) {
    let path = way!["studies", study, "limit", "time"];
    checks.positive(path, "time", limit.time, "0.02");
    let path = way!["studies", study, "limit", "steps"];
    if limit.steps.len() < FEWEST_EPSILONS {
        checks.refuse(
            path,
            format!(
                "an order needs {FEWEST_EPSILONS} numbers of steps, {} given",
                limit.steps.len()
            ),
            "too few",
            "double from one to the next, such as steps: [16, 32, 64]".into(),
        );
    }
    for (i, &count) in limit.steps.iter().enumerate() {
        let before = if i == 0 { 0 } else { limit.steps[i - 1] };
        if count <= before {
            checks.refuse(
                way!["studies", study, "limit", "steps", i],
                format!("{count} steps do not come after {before}"),
                "not increasing",
                "list positive numbers of steps in increasing order".into(),
            );
        }
    }
}

fn instants(checks: &mut Checks, study: usize, times: &[f64]) {
    if times.is_empty() {
        let help = "name the instants to record, such as times: [0.01, 0.05]".into();
        checks.refuse(
            way!["studies", study, "times"],
            "no times given".into(),
            "empty",
            help,
        );
    }
    for (i, &time) in times.iter().enumerate() {
        checks.positive(way!["studies", study, "times", i], "a time", time, "0.01");
    }
    for (i, pair) in times.windows(2).enumerate() {
        if pair[1] <= pair[0] {
            checks.refuse(
                way!["studies", study, "times", i + 1],
                format!("time {} does not come after {}", pair[1], pair[0]),
                "not increasing",
                "list each instant once, in increasing order".into(),
            );
        }
    }
}

fn sinkhorn(checks: &mut Checks, study: usize, parameters: &Sinkhorn) {
    let path = way!["studies", study, "epsilon"];
    checks.positive(path, "ε", parameters.epsilon, "0.005");
    not_constant(checks, path, parameters.epsilon);
    if parameters.iterations == 0 {
        checks.refuse(
            way!["studies", study, "iterations"],
            "0 iterations leave nothing to study".into(),
            "at least 1",
            "iterations = time/ε reaches that time of the flow".into(),
        );
    }
}

fn scaling_limit(checks: &mut Checks, study: usize, limit: &ScalingLimit) {
    checks.positive(way!["studies", study, "time"], "time", limit.time, "0.05");
    count(checks, study, limit);
    epsilons(checks, study, &limit.epsilons, &[limit.time]);
}

/// Every ε by itself, each once, each a divisor of every one of `times`.
fn epsilons(checks: &mut Checks, study: usize, epsilons: &[f64], times: &[f64]) {
    list(checks, study, epsilons);
    divide(checks, study, epsilons, times);
}

fn list(checks: &mut Checks, study: usize, epsilons: &[f64]) {
    for (i, &epsilon) in epsilons.iter().enumerate() {
        let path = way!["studies", study, "epsilons", i];
        checks.positive(path, "ε", epsilon, "0.005");
        not_constant(checks, path, epsilon);
        first_time(checks, study, epsilons, i);
    }
}

/// Refuses an ε that does not divide every one of `times`.
fn divide(checks: &mut Checks, study: usize, epsilons: &[f64], times: &[f64]) {
    for (i, &epsilon) in epsilons.iter().enumerate() {
        for &time in times.iter().filter(|&&time| time > 0.0 && epsilon > 0.0) {
            whole_iterations(checks, study, i, time, epsilon);
        }
    }
}

fn optimal_map(checks: &mut Checks, study: usize, map: &OptimalMap) {
    let path = way!["studies", study, "tolerance"];
    checks.positive(path, "the tolerance", map.tolerance, "1e-11");
    if map.tolerance > LOOSEST {
        checks.refuse(
            path,
            format!("a residual of {} is no solution", map.tolerance),
            "too loose",
            format!("use at most {LOOSEST}; 1e-11 is usual"),
        );
    }
}

/// Loosest residual of an elliptic solve that is worth the name.
const LOOSEST: f64 = 1e-3;

fn mirror_flow(checks: &mut Checks, study: usize, flow: &MirrorFlow) {
    instants(checks, study, &flow.times);
    exponent(checks, way!["studies", study, "objective"], flow.objective);
    if flow.refinements.len() == 1 || flow.refinements.len() == 2 {
        checks.refuse(
            way!["studies", study, "refinements"],
            format!(
                "an order needs three numbers of steps, {} given",
                flow.refinements.len()
            ),
            "too few",
            "double from one to the next, such as refinements: [8, 16, 32]; or leave it empty"
                .into(),
        );
    }
    for (i, &count) in flow.refinements.iter().enumerate() {
        let before = if i == 0 { 0 } else { flow.refinements[i - 1] };
        if count <= before {
            checks.refuse(
                way!["studies", study, "refinements", i],
                format!("{count} steps do not come after {before}"),
                "not increasing",
                "list positive numbers of steps in increasing order".into(),
            );
        }
    }
}

fn exponent(checks: &mut Checks, path: &[Step], objective: Objective) {
    if let Some(m) = objective.exponent()
        && (m == 0.0 || m == 1.0)
    {
        checks.refuse(
            path,
            format!("the power m = {m} is a limit of the family"),
            "0 and 1 are excluded",
            if objective.is_divergence() {
                "m = 1 is RelativeEntropy, m = 0 ReverseRelativeEntropy".into()
            } else {
                "m = 1 is Entropy; of others 2.0 is usual".into()
            },
        );
    }
}

fn convergence(checks: &mut Checks, study: usize, decay: &ExponentialConvergence) {
    checks.positive(way!["studies", study, "time"], "time", decay.time, "0.24");
    samples(checks, study, decay.samples);
    let interval = decay.time / decay.samples.max(1) as f64;
    epsilons(checks, study, &decay.epsilons, &[interval]);
    for (i, &objective) in decay.others.iter().enumerate() {
        let path = way!["studies", study, "others", i];
        exponent(checks, path, objective);
        if !objective.is_divergence() {
            checks.refuse(
                path,
                format!(
                    "the flow of the {} does not converge to e^{{-f}}",
                    objective.label()
                ),
                "no divergence from e^{-f}",
                "use ReverseRelativeEntropy, ChiSquare or PowerDivergence(exponent: …)".into(),
            );
        }
    }
}

/// Fewest intervals from which a rate and its limit are estimated.
const FEWEST_SAMPLES: usize = 8;

fn samples(checks: &mut Checks, study: usize, samples: usize) {
    if samples < FEWEST_SAMPLES {
        checks.refuse(
            way!["studies", study, "samples"],
            format!("a rate and its limit need {FEWEST_SAMPLES} or more samples, {samples} given"),
            "too few",
            "40 are usual".into(),
        );
    }
}

fn side_by_side(checks: &mut Checks, study: usize, page: &SideBySide) {
    scaling_limit(checks, study, &page.scaling_limit());
    instants(checks, study, &page.times);
    let largest = page.epsilons.iter().copied().fold(0.0, f64::max);
    for (i, &time) in page.times.iter().enumerate() {
        let iterations = time / largest;
        let whole = (iterations - iterations.round()).abs() <= WHOLE * iterations;
        if time > 0.0 && largest > 0.0 && !(whole && iterations.round() >= 1.0) {
            checks.refuse(
                way!["studies", study, "times", i],
                format!(
                    "time {time} is not a whole number of iterations at the largest ε = {largest}"
                ),
                &format!("{iterations:.2} iterations"),
                format!("use multiples of {largest}"),
            );
        }
    }
    let horizon = way!["studies", study, "horizon"];
    checks.positive(horizon, "the horizon", page.horizon, "0.24");
    samples(checks, study, page.samples);
    let interval = page.horizon / page.samples.max(1) as f64;
    divide(checks, study, &page.epsilons, &[interval]);
}

fn count(checks: &mut Checks, study: usize, limit: &ScalingLimit) {
    let given = limit.epsilons.len();
    if given < FEWEST_EPSILONS {
        checks.refuse(
            way!["studies", study, "epsilons"],
            format!("an order of convergence needs {FEWEST_EPSILONS} or more ε, {given} given"),
            "too few",
            "halve ε from one to the next, such as epsilons: [0.01, 0.005, 0.0025]".into(),
        );
    }
}

/// Refuses an ε beyond which the kernel on the unit torus is constant: nothing is transported.
fn not_constant(checks: &mut Checks, path: &[Step], epsilon: f64) {
    let largest = checks.largest_epsilon;
    if epsilon > largest {
        checks.refuse(
            path,
            format!(
                "ε = {epsilon} is more than {largest}: the kernel is constant on the unit torus"
            ),
            "too large",
            "the limit is ε → 0; 0.01 and below are usual".into(),
        );
    }
}

/// Refuses an ε that an earlier entry already has.
fn first_time(checks: &mut Checks, study: usize, epsilons: &[f64], i: usize) {
    let epsilon = epsilons[i];
    if epsilons[..i]
        .iter()
        .any(|&earlier| (earlier - epsilon).abs() <= WHOLE * epsilon.abs())
    {
        checks.refuse(
            way!["studies", study, "epsilons", i],
            format!("ε = {epsilon} is listed twice"),
            "second time",
            "list each ε once".into(),
        );
    }
}

fn whole_iterations(checks: &mut Checks, study: usize, i: usize, time: f64, epsilon: f64) {
    let iterations = time / epsilon;
    let nearest = iterations.round();
    if nearest >= 1.0 && (iterations - nearest).abs() <= WHOLE * nearest {
        return;
    }
    checks.refuse(
        way!["studies", study, "epsilons", i],
        format!("time {time} is not a whole number of iterations at ε = {epsilon}"),
        &format!("{iterations:.2} iterations"),
        divisors(time, iterations.floor()),
    );
}

/// The ε that divide `time` into `fewer` and `fewer + 1` iterations, in words.
fn divisors(time: f64, fewer: f64) -> String {
    let divisor = |count: f64| format!("{time}/{count} = {}", brief(time / count));
    if fewer < 1.0 {
        return format!("the nearest that divides it is {}", divisor(1.0));
    }
    format!(
        "the nearest that divide it are {} and {}",
        divisor(fewer + 1.0),
        divisor(fewer)
    )
}

/// A number in as few digits as keep it within half of [`WHOLE`].
fn brief(value: f64) -> String {
    (0..17)
        .filter_map(|digits| format!("{value:.digits$e}").parse::<f64>().ok())
        .find(|short| (short - value).abs() <= 0.5 * WHOLE * value.abs())
        .unwrap_or(value)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggested_epsilons_are_accepted() {
        for (time, epsilon) in [(0.05, 0.003), (0.1, 0.07), (1.0 / 3.0, 0.0123)] {
            let fewer = f64::floor(time / epsilon);
            for count in [fewer, fewer + 1.0] {
                let suggested: f64 = brief(time / count).parse().unwrap();
                let iterations = time / suggested;
                assert!((iterations - count).abs() <= WHOLE * count);
            }
        }
    }

    #[test]
    fn both_neighbours_are_named() {
        let expected =
            "the nearest that divide it are 0.05/17 = 0.00294117647 and 0.05/16 = 0.003125";
        assert_eq!(divisors(0.05, 16.0), expected);
        assert_eq!(
            divisors(0.05, 0.0),
            "the nearest that divides it is 0.05/1 = 0.05"
        );
    }
}
