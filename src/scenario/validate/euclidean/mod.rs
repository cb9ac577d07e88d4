//! A Euclidean problem: its start, its formulas, U and F at the start, and what its studies may ask for.

mod studies;

use super::Checks;
use crate::scenario::build::euclidean::{self as build, BuiltEuclidean};
use crate::scenario::complaint::wording;
use crate::scenario::literal::string_offset;
use crate::scenario::locate::{Step, way};
use crate::scenario::{EuclideanProblem, MirrorChoice, Numerics, Scenario, Space};
use miette::Report;
use mirrorflow_solvers::Error;
use mirrorflow_solvers::density::Formula;
use mirrorflow_solvers::euclidean::{Euclidean, Mirror, Part};

/// Checks in stages, since a later one needs what an earlier one established.
///
/// # Errors
/// The complaints of the first stage that has any.
pub fn check(
    checks: &mut Checks,
    scenario: &Scenario,
    problem: &EuclideanProblem,
) -> Result<BuiltEuclidean, Report> {
    dimension(checks, problem.start.len());
    no_space(checks, &scenario.numerics);
    studies::check(checks, &scenario.studies);
    checks.stop_if_any()?;
    let built = build_problem(checks, problem);
    checks.stop_if_any()?;
    let built = built.expect("a stage without complaints gives its objects");
    studies::arrivals(checks, &scenario.studies, &built);
    checks.stop_if_any()?;
    Ok(built)
}

fn dimension(checks: &mut Checks, given: usize) {
    if !(1..=2).contains(&given) {
        checks.refuse(
            way!["problem", "start"],
            format!("a start has 1 or 2 coordinates, {given} given"),
            "one number per coordinate",
            "write start: [1.0] on the line, start: [1.0, 0.5] in the plane".into(),
        );
    }
}

fn no_space(checks: &mut Checks, numerics: &Numerics) {
    if numerics.space != Space::Spectral {
        checks.refuse(
            way!["numerics", "space"],
            "a Euclidean problem has no grid: derivatives of F and U are exact".into(),
            "has no meaning here",
            "leave `space` out".into(),
        );
    }
}

/// Builds F with every mirror, `None` after a complaint.
fn build_problem(checks: &mut Checks, problem: &EuclideanProblem) -> Option<BuiltEuclidean> {
    let d = problem.start.len();
    let way_to_f: &[Step] = way!["problem", "objective"];
    let objective = Formula::parse(&problem.objective, d);
    let objective = keep(checks, "objective", way_to_f, objective);
    let mut problems = Vec::new();
    for (number, choice) in build::choices(problem).enumerate() {
        let mirror = in_mirror(number, choice, |path| {
            keep(checks, "mirror", path, build::mirror(choice, d))
        });
        if let (Some(mirror), Some(objective)) = (mirror, &objective) {
            problems.push(at_start(
                checks,
                problem,
                (number, choice),
                objective,
                mirror,
            ));
        }
    }
    let expected = 1 + problem.others.len();
    let problems: Vec<Euclidean> = problems.into_iter().flatten().collect();
    (problems.len() == expected).then(|| BuiltEuclidean {
        problems,
        labels: build::labels(problem),
        objective: build::typeset(&problem.objective),
    })
}

/// Calls `with` the way to a mirror's formula, or to its name.
fn in_mirror<T>(number: usize, choice: &MirrorChoice, with: impl FnOnce(&[Step]) -> T) -> T {
    let formula = matches!(choice, MirrorChoice::Formula(_));
    match (number.checked_sub(1), formula) {
        (None, true) => with(way!["problem", "mirror", 0]),
        (None, false) => with(way!["problem", "mirror"]),
        (Some(other), true) => with(way!["problem", "others", other, 0]),
        (Some(other), false) => with(way!["problem", "others", other]),
    }
}

/// F and U at the start.
fn at_start(
    checks: &mut Checks,
    problem: &EuclideanProblem,
    (number, choice): (usize, &MirrorChoice),
    objective: &Formula,
    mirror: Mirror,
) -> Option<Euclidean> {
    let (part, error) = match Euclidean::checked(objective.clone(), mirror, &problem.start) {
        Ok(built) => return Some(built),
        Err(refused) => refused,
    };
    // What is wrong with F is said once, not for every mirror.
    match part {
        Part::Mirror => in_mirror(number, choice, |path| {
            keep::<()>(checks, "mirror", path, Err(error))
        }),
        _ if number > 0 => None,
        Part::Objective => keep::<()>(
            checks,
            "objective",
            way!["problem", "objective"],
            Err(error),
        ),
        Part::Start => keep::<()>(checks, "start", way!["problem", "start"], Err(error)),
    };
    None
}

/// The value, or a complaint at `path`: inside its formula where the error says so.
fn keep<T>(
    checks: &mut Checks,
    name: &str,
    path: &[Step],
    built: mirrorflow_solvers::Result<T>,
) -> Option<T> {
    let error = match built {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let text = &checks.source.text;
    let value = checks.source.find(path);
    let (span, words) = match error {
        Error::Formula {
            start,
            end,
            message,
            help,
        } => {
            let span = string_offset(text, &value, start)..string_offset(text, &value, end);
            let help = help.unwrap_or_else(|| "`mirrorflow new` lists what formulas know".into());
            (span, wording(format!("{name}: {message}"), "here", help))
        }
        Error::Euclidean { reason, remedy } => (
            value,
            wording(format!("{name}: {reason}"), "refused", remedy),
        ),
        other => (value, wording(format!("{name}: {other}"), "refused", "")),
    };
    let complaint = checks.source.complain(span, words);
    checks.complaints.push(complaint);
    None
}
