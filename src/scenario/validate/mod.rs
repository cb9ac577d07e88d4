//! Every check that the types cannot make, each pointing to the value in the file.
//!
//! In stages, since a later one needs what an earlier one established: every number is finite; each makes sense by
//! itself; the densities and the start exist; the grid resolves them. A stage reports all its complaints together.

mod counts;
mod euclidean;
mod gaussian;
mod gaussian_descent;
mod numerics;
mod sampling;
mod studies;
mod torus;

use super::complaint::{Complaint, Source, wording};
use super::locate::{Step, way};
use super::{Built, Problem, Scenario};
use crate::machine::Machine;
use miette::Report;

/// Checks a scenario and builds the objects of its problem, on this machine, for one that may be another.
pub fn validate(scenario: &Scenario, source: &Source, machine: &Machine) -> Result<Built, Report> {
    let mut checks = Checks {
        source,
        machine: *machine,
        largest_epsilon: match &scenario.problem {
            Problem::Torus(_) => LARGEST_EPSILON_ON_TORUS,
            _ => f64::INFINITY,
        },
        complaints: Vec::new(),
    };
    checks.finite_numbers();
    checks.stop_if_any()?;
    checks.title(scenario);
    numerics::check(&mut checks, &scenario.numerics);
    studies::check(&mut checks, scenario);
    counts::check(&mut checks, scenario);
    match &scenario.problem {
        Problem::Torus(problem) => torus::check(&mut checks, scenario, problem).map(Built::Torus),
        Problem::Gaussian(problem) => {
            gaussian::check(&mut checks, scenario, problem).map(Built::Gaussian)
        }
        Problem::Euclidean(problem) => {
            euclidean::check(&mut checks, scenario, problem).map(Built::Euclidean)
        }
    }
}

/// Beyond it the kernel on the unit torus is constant to `2e^{−2π²ε}` = 5e-9.
const LARGEST_EPSILON_ON_TORUS: f64 = 1.0;

/// Complaints gathered so far about one source.
struct Checks<'a> {
    source: &'a Source,
    /// Where it is to run.
    machine: Machine,
    /// Largest ε that means anything: on the unit torus, a finite one.
    largest_epsilon: f64,
    complaints: Vec<Complaint>,
}

impl Checks<'_> {
    /// Refuses the value at `path`.
    fn refuse(&mut self, path: &[Step], message: String, label: &str, help: String) {
        let span = self.source.find(path);
        let complaint = self.source.complain(span, wording(message, label, help));
        self.complaints.push(complaint);
    }

    /// Refuses the number at `path` unless it is positive.
    fn positive(&mut self, path: &[Step], name: &str, value: f64, example: &str) {
        if value <= 0.0 || value.is_nan() {
            let help = format!("use a positive number, such as {example}");
            self.refuse(
                path,
                format!("{name} must be positive, {value} given"),
                "not positive",
                help,
            );
        }
    }

    /// Refuses every NaN and infinity of the text: RON reads both, and `1e400` as the latter.
    fn finite_numbers(&mut self) {
        for span in self.source.outline.leaves() {
            let token = &self.source.text[span.clone()];
            let number: Result<f64, _> = token.replace('_', "").parse();
            if number.is_ok_and(|number| !number.is_finite()) {
                let message = format!("`{token}` is not a finite number");
                let help = "numbers go up to about 1.8e308; write a finite one";
                let complaint = wording(message, "not finite", help);
                self.complaints.push(self.source.complain(span, complaint));
            }
        }
    }

    fn title(&mut self, scenario: &Scenario) {
        if scenario.title.trim().is_empty() {
            let help =
                "say in a few words what the scenario shows; the title heads every figure".into();
            self.refuse(way!["title"], "the title is empty".into(), "empty", help);
        }
    }

    fn stop_if_any(&mut self) -> Result<(), Report> {
        let report = self.source.report(std::mem::take(&mut self.complaints));
        report.map_or(Ok(()), Err)
    }
}
