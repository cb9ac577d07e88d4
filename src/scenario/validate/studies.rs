//! The studies' times, ε and iterations.

use super::Checks;
use crate::scenario::locate::{Step, way};
use crate::study::{Flow, ScalingLimit, Sinkhorn, Study};

/// An order needs at least this many ε.
const FEWEST_EPSILONS: usize = 3;

/// How far `time/ε` may be from a whole number, relative.
const WHOLE: f64 = 1e-9;

pub fn check(checks: &mut Checks, studies: &[Study]) {
    if studies.is_empty() {
        checks.refuse(
            way!["studies"],
            "the scenario asks for no study".into(),
            "empty",
            "add one, such as Flow(times: [0.01, 0.05])".into(),
        );
    }
    for (number, study) in studies.iter().enumerate() {
        match study {
            Study::Flow(flow) => times(checks, number, flow),
            Study::Sinkhorn(parameters) => sinkhorn(checks, number, parameters),
            Study::ScalingLimit(limit) => scaling_limit(checks, number, limit),
        }
    }
}

/// Largest ε that means anything on the unit torus.
const LARGEST_EPSILON: f64 = 1.0;

fn times(checks: &mut Checks, study: usize, flow: &Flow) {
    if flow.times.is_empty() {
        let help = "name the instants to record, such as times: [0.01, 0.05]".into();
        checks.refuse(
            way!["studies", study, "times"],
            "no times given".into(),
            "empty",
            help,
        );
    }
    for (i, &time) in flow.times.iter().enumerate() {
        checks.positive(way!["studies", study, "times", i], "a time", time, "0.01");
    }
    for (i, pair) in flow.times.windows(2).enumerate() {
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
    for (i, &epsilon) in limit.epsilons.iter().enumerate() {
        let path = way!["studies", study, "epsilons", i];
        checks.positive(path, "ε", epsilon, "0.005");
        not_constant(checks, path, epsilon);
        first_time(checks, study, &limit.epsilons, i);
        if limit.time > 0.0 && epsilon > 0.0 {
            whole_iterations(checks, study, i, limit.time, epsilon);
        }
    }
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

/// Refuses an ε that an earlier entry already has.
/// Refuses an ε beyond which the kernel on the unit torus is constant to `2e^{−2π²ε}` = 5e-9: nothing is transported.
fn not_constant(checks: &mut Checks, path: &[Step], epsilon: f64) {
    if epsilon > LARGEST_EPSILON {
        checks.refuse(
            path,
            format!("ε = {epsilon} is more than {LARGEST_EPSILON}: the kernel is constant on the unit torus"),
            "too large",
            "the limit is ε → 0; 0.01 and below are usual".into(),
        );
    }
}

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
