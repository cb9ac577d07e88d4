//! What is asked for on the command line.

use crate::Result;
use crate::integrator::Integrator;
use crate::problem::Problem;

pub struct Options {
    families: Vec<String>,
    only: Vec<String>,
    dimension: Option<usize>,
    pub integrators: Vec<Integrator>,
    /// From the loosest on.
    pub tolerances: Vec<f64>,
    pub cap: f64,
    pub reference_cap: f64,
    pub list: bool,
    pub scenarios: bool,
    pub draw: bool,
}

impl Options {
    /// # Errors
    /// An argument that is not known, or not a number where one is expected.
    pub fn read(arguments: &[String]) -> Result<Self> {
        let mut options = Self {
            families: vec![],
            only: vec![],
            dimension: None,
            integrators: vec![],
            tolerances: vec![],
            cap: 60.0,
            reference_cap: 600.0,
            list: false,
            scenarios: false,
            draw: false,
        };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} takes a value"));
            match word.as_str() {
                "--bench" => {}
                "--family" => options.families.push(value()?.clone()),
                "--only" => options.only.push(value()?.clone()),
                "--dimension" => options.dimension = Some(value()?.parse()?),
                "--integrator" => options.integrators.push(Integrator::named(value()?)?),
                "--tolerance" => options.tolerances.push(value()?.parse()?),
                "--cap" => options.cap = value()?.parse()?,
                "--reference-cap" => options.reference_cap = value()?.parse()?,
                "--list" => options.list = true,
                "--scenarios" => options.scenarios = true,
                "--draw" => options.draw = true,
                other => return Err(format!("unknown argument `{other}`").into()),
            }
        }
        if options.integrators.is_empty() {
            options.integrators = Integrator::ALL.to_vec();
        }
        if options.tolerances.is_empty() {
            options.tolerances = vec![1e-7, 1e-8, 1e-9, 1e-10];
        }
        options.tolerances.sort_by(|a, b| b.total_cmp(a));
        Ok(options)
    }

    /// Those of the problems that are asked for.
    pub fn problems(&self, all: Vec<Problem>) -> Vec<Problem> {
        let asked = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|start| name.starts_with(start))
        };
        let chosen = |problem: &Problem| {
            asked(&self.families, problem.family)
                && asked(&self.only, &problem.name)
                && self.dimension.is_none_or(|d| d == problem.points.len())
        };
        all.into_iter().filter(chosen).collect()
    }
}
