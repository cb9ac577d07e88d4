//! The densities and the start: their numbers, their formulas, their periodicity.

use super::super::Checks;
use crate::scenario::build::torus::{self as build, BuiltTorus, Start};
use crate::scenario::complaint::{Wording, wording};
use crate::scenario::literal::string_offset;
use crate::scenario::locate::{Step, way};
use crate::scenario::problem::{VonMises, WrappedGaussian};
use crate::scenario::{DensityChoice, StartPotential, TorusProblem};
use mirrorflow_solvers::density::Density;
use mirrorflow_solvers::{Error, Torus};
use std::ops::Range;

/// What both kinds of mixture have.
struct Component<'a> {
    weight: f64,
    mean: &'a [f64],
    /// Name and values of the width per axis.
    width: (&'static str, &'a [f64]),
}

/// Checks the numbers of both mixtures.
pub fn check_numbers(checks: &mut Checks, problem: &TorusProblem) {
    let dimension = problem.points.len();
    for (side, choice) in [("source", &problem.source), ("target", &problem.target)] {
        let Some(components) = components(choice) else {
            continue;
        };
        not_empty(checks, side, components.len());
        for (i, component) in components.iter().enumerate() {
            check_component(checks, side, i, component, dimension);
        }
    }
}

/// The components of a mixture, `None` if the density is not one.
fn components<'a>(choice: &'a DensityChoice) -> Option<Vec<Component<'a>>> {
    match choice {
        DensityChoice::Formula(_) | DensityChoice::Uniform => None,
        DensityChoice::WrappedGaussians(components) => {
            let common = |c: &'a WrappedGaussian| Component {
                weight: c.weight,
                mean: &c.mean,
                width: ("deviation", &c.deviation),
            };
            Some(components.iter().map(common).collect())
        }
        DensityChoice::VonMises(components) => {
            let common = |c: &'a VonMises| Component {
                weight: c.weight,
                mean: &c.mean,
                width: ("concentration", &c.concentration),
            };
            Some(components.iter().map(common).collect())
        }
    }
}

fn not_empty(checks: &mut Checks, side: &str, components: usize) {
    if components == 0 {
        checks.refuse(
            way!["problem", side, 0],
            format!("the {side} mixture has no component"),
            "empty",
            "give at least one component, or write Uniform".into(),
        );
    }
}

fn check_component(checks: &mut Checks, side: &str, i: usize, c: &Component, dimension: usize) {
    let (name, widths) = c.width;
    checks.positive(
        way!["problem", side, 0, i, "weight"],
        "a weight",
        c.weight,
        "1.0",
    );
    vector(
        checks,
        way!["problem", side, 0, i, "mean"],
        "mean",
        c.mean,
        dimension,
    );
    vector(
        checks,
        way!["problem", side, 0, i, name],
        name,
        widths,
        dimension,
    );
    for (axis, &width) in widths.iter().enumerate() {
        let path = way!["problem", side, 0, i, name, axis];
        if name == "deviation" {
            checks.positive(path, "a deviation", width, "0.1");
        } else {
            not_negative(checks, path, width);
        }
    }
}

fn vector(checks: &mut Checks, path: &[Step], name: &str, values: &[f64], dimension: usize) {
    let given = values.len();
    if given != dimension {
        let message = format!("{name}: {given} given on a torus of dimension {dimension}");
        let help = format!("write {dimension}, one per axis, as in `points`");
        checks.refuse(path, message, "one number per axis", help);
    }
}

fn not_negative(checks: &mut Checks, path: &[Step], concentration: f64) {
    if concentration < 0.0 {
        checks.refuse(
            path,
            format!("a concentration must not be negative, {concentration} given"),
            "negative",
            "move the mean by 0.5 along this axis and write it positive".into(),
        );
    }
}

/// Builds the objects of the problem, `None` after a complaint.
pub fn build(checks: &mut Checks, problem: &TorusProblem, torus: Torus) -> Option<BuiltTorus> {
    let source = density(checks, "source", &problem.source, &torus);
    let target = density(checks, "target", &problem.target, &torus);
    let start = start(checks, &problem.start, torus.dimension());
    Some(BuiltTorus {
        source: source?,
        target: target?,
        start: start?,
        torus,
    })
}

fn density(
    checks: &mut Checks,
    side: &str,
    choice: &DensityChoice,
    torus: &Torus,
) -> Option<Density> {
    let literal = matches!(choice, DensityChoice::Formula(_));
    let built = build::density(choice, torus.dimension()).and_then(|density| {
        density.check_resolved(torus)?;
        Ok(density)
    });
    keep(checks, side, literal, built)
}

fn start(checks: &mut Checks, choice: &StartPotential, dimension: usize) -> Option<Start> {
    let literal = matches!(choice, StartPotential::Formula(_));
    keep(checks, "start", literal, build::start(choice, dimension))
}

/// The value, or a complaint at the field `name`: inside its formula where the error says so.
fn keep<T>(
    checks: &mut Checks,
    name: &str,
    literal: bool,
    built: mirrorflow_solvers::Result<T>,
) -> Option<T> {
    let error = match built {
        Ok(value) => return Some(value),
        Err(error) => error,
    };
    let path: &[Step] = if literal {
        way!["problem", name, 0]
    } else {
        way!["problem", name]
    };
    let value = checks.source.find(path);
    let (span, wording) = place(&checks.source.text, value, name, error);
    let complaint = checks.source.complain(span, wording);
    checks.complaints.push(complaint);
    None
}

fn place(text: &str, value: Range<usize>, name: &str, error: Error) -> (Range<usize>, Wording) {
    match error {
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
        Error::Density { reason, remedy } => (
            value,
            wording(format!("{name}: {reason}"), "refused", remedy),
        ),
        other => (value, wording(format!("{name}: {other}"), "refused", "")),
    }
}
