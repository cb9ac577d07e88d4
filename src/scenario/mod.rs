//! The scenario format: what a person writes, read once into validated objects.
//!
//! [`load`] reads a file, [`parse`] a text. Both give a [`Loaded`]: the resolved [`Scenario`] with every default
//! written out, and the torus, densities and start built from it, which nothing downstream checks again.

mod auto;
pub mod build;
mod complaint;
mod horizon;
mod literal;
mod locate;
pub mod numerics;
pub mod problem;
mod shown;
mod syntax;
pub mod template;
mod text;
mod validate;
mod vocabulary;
mod walker;

pub use build::{Built, BuiltEuclidean, BuiltGaussian, BuiltTorus};
pub use shown::shown;

pub use numerics::{Numerics, Space, Time};
pub use problem::{
    Covariance, DensityChoice, EuclideanProblem, GaussianProblem, GaussianStart, MirrorChoice,
    Problem, StartPotential, TorusProblem,
};

use crate::machine::Machine;
use crate::study::Study;
use complaint::Source;
use miette::Report;
use ron::extensions::Extensions;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One RON scenario: a problem, how to discretise it, what to study.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub title: String,
    pub problem: Problem,
    #[serde(default)]
    pub numerics: Numerics,
    pub studies: Vec<Study>,
}

/// A scenario that passed every check.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The file's name without folder and ending; names the output folder.
    pub name: String,
    /// The resolved scenario.
    pub scenario: Scenario,
    /// The objects of its problem.
    pub built: Built,
    /// The points along each axis, where the file left them to be found.
    pub found: Option<Vec<usize>>,
    /// The times of the `ExponentialConvergence`s that leave theirs out.
    pub times: Vec<f64>,
}

/// Reads and validates the scenario file at `path`, or standard input for `-`.
///
/// # Errors
/// A diagnostic that points into the file, or says why the file cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Report> {
    load_for(path, &Machine::this())
}

/// The same for another machine, whose memory decides what is refused.
///
/// # Errors
/// As [`load`].
pub fn load_for(path: &Path, machine: &Machine) -> Result<Loaded, Report> {
    let (name, text) = text::read(path)?;
    parse_for(&name, &text, machine)
}

/// Reads and validates a scenario `text` that came from the file called `name`.
///
/// # Errors
/// A diagnostic that points into the text and says what was expected there.
pub fn parse(name: &str, text: &str) -> Result<Loaded, Report> {
    parse_for(name, text, &Machine::this())
}

fn parse_for(name: &str, text: &str, machine: &Machine) -> Result<Loaded, Report> {
    let text = text::without_mark(text);
    let source = Source::new(name, text);
    let mut scenario: Scenario = options()
        .from_str(text)
        .map_err(|error| Report::new(syntax::complaint(&source, &error)))?;
    let found = auto::find(&mut scenario)?;
    let open = horizon::hold(&mut scenario);
    let mut built = validate::validate(&scenario, &source, machine)?;
    let mut times = Vec::new();
    if !open.is_empty() {
        times = horizon::find(&mut scenario, &open, &built)?;
        built = validate::validate(&scenario, &source, machine)?;
    }
    Ok(Loaded {
        name: stem(name),
        scenario: scenario.resolved(),
        built,
        found,
        times,
    })
}

impl Scenario {
    /// The scenario as RON, every default written out. Reading it back gives the same scenario.
    pub fn to_ron(&self) -> String {
        let layout = ron::ser::PrettyConfig::new().depth_limit(2);
        let text = options().to_string_pretty(self, layout);
        let text = text.expect("a scenario holds only numbers, texts and lists");
        format!("Scenario{text}\n")
    }

    /// The same scenario in its one canonical form: every list of ε descends.
    fn resolved(mut self) -> Self {
        for study in &mut self.studies {
            let epsilons = match study {
                Study::ScalingLimit(limit) => &mut limit.epsilons,
                Study::ExponentialConvergence(decay) => &mut decay.epsilons,
                Study::SideBySide(page) => &mut page.epsilons,
                _ => continue,
            };
            epsilons.sort_by(|a, b| b.total_cmp(a));
        }
        self
    }
}

fn options() -> ron::Options {
    ron::Options::default().with_default_extension(
        Extensions::IMPLICIT_SOME
            | Extensions::UNWRAP_NEWTYPES
            | Extensions::UNWRAP_VARIANT_NEWTYPES,
    )
}

fn stem(name: &str) -> String {
    let stem = Path::new(name).file_stem();
    stem.map_or_else(
        || name.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"(
        title: "defaults \"and\" τ",
        problem: Torus(points: [64], source: Formula("cos(2*pi*x)"), target: Uniform),
        numerics: (space: FiniteDifference(order: 4)),
        studies: [ScalingLimit(time: 0.04, epsilons: [0.005, 0.02, 0.01])],
    )"#;

    #[test]
    fn the_resolved_copy_holds_every_default_and_reads_back_the_same() {
        let scenario = parse("a/defaults.ron", TEXT).unwrap().scenario;
        let copy = scenario.to_ron();
        for written in [
            "start: Identity",
            "tolerance: 1e-9",
            "kernel: Heat",
            "start: Plain",
            "Scenario(",
            "[0.02, 0.01, 0.005]",
        ] {
            assert!(copy.contains(written), "{written} in\n{copy}");
        }
        assert_eq!(parse("copy.ron", &copy).unwrap().scenario, scenario);
    }

    #[test]
    fn a_missing_file_names_its_neighbour() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("smoke_1d.ron"), TEXT).unwrap();
        let report = load(&folder.path().join("smok_1d.ron")).unwrap_err();
        assert!(report.help().unwrap().to_string().contains("smoke_1d.ron"));
    }
}
