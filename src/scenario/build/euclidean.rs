//! The functions of a Euclidean problem.

use crate::scenario::{EuclideanProblem, MirrorChoice};
use mirrorflow_solvers::density::Formula;
use mirrorflow_solvers::euclidean::{Euclidean, Mirror};
use mirrorflow_solvers::{Error, Result};

/// The objects of a Euclidean problem.
#[derive(Debug, Clone)]
pub struct BuiltEuclidean {
    /// With the scenario's mirror first, then with each of the others.
    pub problems: Vec<Euclidean>,
    /// The mirrors for people.
    pub labels: Vec<String>,
    /// F for people.
    pub objective: String,
}

impl BuiltEuclidean {
    /// The problem with the scenario's own mirror.
    pub fn first(&self) -> &Euclidean {
        &self.problems[0]
    }

    pub fn dimension(&self) -> usize {
        self.first().dimension()
    }
}

/// The scenario's mirror, then the others.
pub fn choices(problem: &EuclideanProblem) -> impl Iterator<Item = &MirrorChoice> {
    std::iter::once(&problem.mirror).chain(&problem.others)
}

/// The mirror of a choice in this dimension.
///
/// # Errors
/// [`Error::Formula`]; [`Error::Euclidean`] for a mirror of the line in the plane.
pub fn mirror(choice: &MirrorChoice, dimension: usize) -> Result<Mirror> {
    let on_line = |mirror| {
        if dimension == 1 {
            return Ok(mirror);
        }
        Err(Error::Euclidean {
            reason: format!(
                "{} is a mirror on the line, and the start has {dimension} coordinates",
                label(choice, 1)
            ),
            remedy: format!(
                "use Quadratic or a Formula in x, y, such as {}",
                spread(choice)
            ),
        })
    };
    match choice {
        MirrorChoice::Quadratic => Ok(Mirror::Quadratic(dimension)),
        MirrorChoice::Quartic => on_line(Mirror::Quartic),
        MirrorChoice::Reciprocal => on_line(Mirror::Reciprocal),
        MirrorChoice::Formula(text) => {
            Formula::parse(text, dimension).map(|formula| Mirror::Formula(Box::new(formula)))
        }
    }
}

/// The mirror of the line as one of the plane.
fn spread(choice: &MirrorChoice) -> &'static str {
    match choice {
        MirrorChoice::Quartic => "Formula(\"x^4 + y^4\")",
        _ => "Formula(\"1/x + 1/y\")",
    }
}

/// The mirror for people.
pub fn label(choice: &MirrorChoice, dimension: usize) -> String {
    match choice {
        MirrorChoice::Quadratic if dimension == 1 => "x²/2".into(),
        MirrorChoice::Quadratic => "|x|²/2".into(),
        MirrorChoice::Quartic => "x⁴".into(),
        MirrorChoice::Reciprocal => "1/x".into(),
        MirrorChoice::Formula(text) => typeset(text),
    }
}

/// All mirrors of a problem for people.
pub fn labels(problem: &EuclideanProblem) -> Vec<String> {
    let is_objective = |choice: &MirrorChoice| match choice {
        MirrorChoice::Formula(text) => *text == problem.objective,
        _ => false,
    };
    let of = |choice| match choice {
        own if is_objective(own) => "F".to_owned(),
        other => label(other, problem.start.len()),
    };
    choices(problem).map(of).collect()
}

/// A formula as it would be written by hand: `x*log(x)` is x log(x), `x^2` is x².
pub fn typeset(text: &str) -> String {
    let small = [
        ("^2", "²"),
        ("^3", "³"),
        ("^4", "⁴"),
        ("^5", "⁵"),
        ("^6", "⁶"),
    ];
    let follows_digit = |at: usize| {
        let rest = text[at..].chars().nth(2);
        rest.is_some_and(|c| c.is_ascii_digit() || c == '.')
    };
    let mut written = String::new();
    let mut at = 0;
    while at < text.len() {
        let power = small
            .iter()
            .find(|(plain, _)| text[at..].starts_with(plain));
        let next = text[at..].chars().next().expect("inside the text");
        match power {
            Some((plain, raised)) if !follows_digit(at) => {
                written += raised;
                at += plain.len();
            }
            _ => {
                written.push(match next {
                    '*' => ' ',
                    '-' => '−',
                    other => other,
                });
                at += next.len_utf8();
            }
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_written_as_by_hand() {
        assert_eq!(typeset("x*log(x) - x^2"), "x log(x) − x²");
        assert_eq!(typeset("x^2.5 + x^24 + τ^3"), "x^2.5 + x^24 + τ³");
    }

    #[test]
    fn the_template_is_a_valid_scenario_and_teaches_every_name() {
        let template = include_str!("../template_euclidean.ron");
        let loaded = crate::scenario::parse("template.ron", template).unwrap();
        assert_eq!(loaded.scenario.studies.len(), 2);
        let names = "title problem Euclidean objective mirror Quadratic Quartic Reciprocal Formula others start \
            numerics time Adaptive tolerance Euler RungeKutta4 step MirrorFlow times refinements MirrorDescent steps runs \
            Explicit Implicit Constant Harmonic LogOverT List limit";
        for name in names.split_whitespace() {
            assert!(template.contains(name), "{name}");
        }
    }

    #[test]
    fn mirrors_of_the_line_do_not_fit_the_plane() {
        let refused = mirror(&MirrorChoice::Quartic, 2).unwrap_err().to_string();
        assert!(refused.contains("x^4 + y^4"), "{refused}");
        assert_eq!(mirror(&MirrorChoice::Quadratic, 2).unwrap().dimension(), 2);
    }
}
