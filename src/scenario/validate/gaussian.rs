//! A Gaussian problem: its covariances, their sizes, what double precision can carry of them, and the studies' ε on it.

use super::Checks;
use crate::scenario::build::gaussian::covariance;
use crate::scenario::locate::{Step, way};
use crate::scenario::{
    BuiltGaussian, Covariance, GaussianProblem, GaussianStart, Numerics, Scenario,
};
use crate::study::{IterationStart, Kernel, MirrorFlow, Objective, Study};
use miette::Report;
use mirrorflow_solvers::gaussian::{Mat, ParabolicFlow, Start, eigen};

/// Largest d: dense matrices of d³ work.
const LARGEST_DIMENSION: usize = 200;

/// Largest condition number of one covariance. Relative errors are about 1e-16 times it, and 1e-10 is asked.
pub const WORST_CONDITION: f64 = 1e5;

/// Largest asymmetry taken for rounding, relative to the largest entry.
const ASYMMETRY: f64 = 1e-12;

/// Checks in stages: numbers and sizes, then the matrices, then what the studies ask of them.
///
/// # Errors
/// The complaints of the first stage that has any.
pub fn check(
    checks: &mut Checks,
    scenario: &Scenario,
    problem: &GaussianProblem,
) -> Result<BuiltGaussian, Report> {
    no_numerics(checks, &scenario.numerics);
    studies(checks, &scenario.studies);
    let sides = sides(problem);
    for (path, name, choice) in &sides {
        numbers(checks, path, name, choice);
    }
    checks.stop_if_any()?;
    same_dimension(checks, &sides);
    checks.stop_if_any()?;
    for (path, name, choice) in &sides {
        positive_definite(checks, path, name, &covariance(choice));
    }
    checks.stop_if_any()?;
    let built = build(checks, problem);
    checks.stop_if_any()?;
    let built = built.expect("a stage without complaints gives its objects");
    prepared(checks, &scenario.studies, &built);
    super::gaussian_descent::check(checks, scenario, &built);
    checks.stop_if_any()?;
    Ok(built)
}

/// A covariance with its place and its name.
type Side<'a> = (&'static [Step<'static>], &'static str, &'a Covariance);

const SOURCE: &[Step] = &[Step::Key("problem"), Step::Key("source")];
const TARGET: &[Step] = &[Step::Key("problem"), Step::Key("target")];
const MARGINAL: &[Step] = &[Step::Key("problem"), Step::Key("start"), Step::Index(0)];

fn sides(problem: &GaussianProblem) -> Vec<Side<'_>> {
    let mut sides = vec![
        (SOURCE, "the source covariance Σ", &problem.source),
        (TARGET, "the target covariance Θ", &problem.target),
    ];
    if let GaussianStart::Marginal(marginal) = &problem.start {
        sides.push((MARGINAL, "the covariance of ρ_0", marginal));
    }
    sides
}

/// There is no grid and no stepper to choose.
fn no_numerics(checks: &mut Checks, numerics: &Numerics) {
    if *numerics != Numerics::default() {
        checks.refuse(
            way!["numerics"],
            "a Gaussian problem has neither grid nor time step".into(),
            "nothing to choose",
            "leave `numerics` out: the flows are evaluated in closed form".into(),
        );
    }
}

/// The place below `path`.
fn below<'a>(path: &[Step<'a>], further: &[Step<'a>]) -> Vec<Step<'a>> {
    [path, further].concat()
}

fn numbers(checks: &mut Checks, path: &[Step], name: &str, choice: &Covariance) {
    match choice {
        Covariance::Variances(variances) => {
            some_axes(checks, &below(path, way![0]), name, variances.len());
            for (axis, &variance) in variances.iter().enumerate() {
                let place = below(path, way![0, axis]);
                checks.positive(&place, "a variance", variance, "1.0");
            }
        }
        Covariance::Matrix(rows) => matrix(checks, path, name, rows),
        Covariance::Random {
            dimension,
            least,
            greatest,
            ..
        } => {
            some_axes(checks, &below(path, way!["dimension"]), name, *dimension);
            let place = below(path, way!["least"]);
            checks.positive(&place, "the least eigenvalue", *least, "0.5");
            if least > greatest {
                checks.refuse(
                    &place,
                    format!("the least eigenvalue {least} is above the greatest {greatest}"),
                    "not the least",
                    format!("exchange them: least: {greatest}, greatest: {least}"),
                );
            }
        }
    }
}

fn some_axes(checks: &mut Checks, path: &[Step], name: &str, dimension: usize) {
    if dimension == 0 {
        checks.refuse(
            path,
            format!("{name} is given no dimension"),
            "empty",
            "give one variance per axis, such as Variances([1.0, 4.0])".into(),
        );
    } else if dimension > LARGEST_DIMENSION {
        checks.refuse(
            path,
            format!("{dimension} dimensions are more than {LARGEST_DIMENSION}"),
            "too many",
            format!(
                "use at most {LARGEST_DIMENSION}: every step of the dense linear algebra costs d³"
            ),
        );
    }
}

fn matrix(checks: &mut Checks, path: &[Step], name: &str, rows: &[Vec<f64>]) {
    let d = rows.len();
    some_axes(checks, &below(path, way![0]), name, d);
    for (i, row) in rows.iter().enumerate() {
        if row.len() != d {
            checks.refuse(
                &below(path, way![0, i]),
                format!(
                    "{name} is not square: row {} has {} entries in {d} rows",
                    i + 1,
                    row.len()
                ),
                "not square",
                format!("give {d} rows of {d} numbers"),
            );
            return;
        }
    }
    let largest = rows.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    for i in 0..d {
        for j in 0..i {
            if (rows[i][j] - rows[j][i]).abs() > ASYMMETRY * largest {
                let (row, column) = (i + 1, j + 1);
                checks.refuse(
                    &below(path, way![0, i, j]),
                    format!(
                        "{name} is not symmetric: row {row}, column {column} is {} and row {column}, column {row} is {}",
                        rows[i][j], rows[j][i]
                    ),
                    "not symmetric",
                    format!("write {} here, or change the other one", rows[j][i]),
                );
                return;
            }
        }
    }
}

fn dimension(choice: &Covariance) -> usize {
    match choice {
        Covariance::Variances(variances) => variances.len(),
        Covariance::Matrix(rows) => rows.len(),
        Covariance::Random { dimension, .. } => *dimension,
    }
}

/// Source, target and start live in one space.
fn same_dimension(checks: &mut Checks, sides: &[Side]) {
    let first = dimension(sides[0].2);
    for (path, name, choice) in &sides[1..] {
        let found = dimension(choice);
        if found != first {
            checks.refuse(
                path,
                format!("{name} has dimension {found}, the source covariance Σ has {first}"),
                "another dimension",
                format!("give all of them in dimension {first}, or in {found}"),
            );
        }
    }
}

/// Positive definite, and so well conditioned that 1e-10 is in reach.
fn positive_definite(checks: &mut Checks, path: &[Step], name: &str, x: &Mat<f64>) {
    let Ok((values, _)) = eigen(x) else {
        return checks.refuse(
            path,
            format!("the eigenvalues of {name} were not found"),
            "overflows",
            "rescale its entries".into(),
        );
    };
    let (least, greatest) = (values[0], values[values.len() - 1]);
    if least <= 1e-15 * greatest {
        checks.refuse(
            path,
            format!(
                "{name} is not positive definite: its eigenvalues go from {least:.3e} to {greatest:.3e}"
            ),
            "not a covariance",
            format!(
                "add more than {:.1e} to each entry of its diagonal, or leave out the directions without variance",
                (-least).max(0.0)
            ),
        );
    } else if greatest > WORST_CONDITION * least {
        checks.refuse(
            path,
            format!(
                "{name} has eigenvalues from {least:.3e} to {greatest:.3e}, a condition number of {:.1e}",
                greatest / least
            ),
            "too ill-conditioned",
            format!(
                "keep it below {WORST_CONDITION:e}: beyond, double precision does not carry the closed forms to 1e-10"
            ),
        );
    }
}

fn build(checks: &mut Checks, problem: &GaussianProblem) -> Option<BuiltGaussian> {
    let (sigma, theta) = (covariance(&problem.source), covariance(&problem.target));
    let marginal = match &problem.start {
        GaussianStart::Identity => None,
        GaussianStart::Marginal(choice) => Some(covariance(choice)),
    };
    match BuiltGaussian::new(&sigma, &theta, marginal.as_ref()) {
        Ok(built) => Some(built),
        Err(error) => {
            let help = "bring the scales of source, target and start nearer to each other";
            checks.refuse(way!["problem"], error.to_string(), "refused", help.into());
            None
        }
    }
}

/// What the studies may ask of Gaussians.
fn studies(checks: &mut Checks, studies: &[Study]) {
    for (number, study) in studies.iter().enumerate() {
        match study {
            Study::ScalingLimit(limit) => heat(checks, number, limit.kernel),
            Study::ExponentialConvergence(decay) => {
                heat(checks, number, decay.kernel);
                if let Some(other) = decay.others.first() {
                    let path = way!["studies", number, "others"];
                    not_gaussian(checks, path, *other, "leave `others` out");
                }
            }
            Study::MirrorFlow(flow) => mirror_flow(checks, number, flow),
            _ => {}
        }
    }
}

fn heat(checks: &mut Checks, number: usize, kernel: Kernel) {
    if kernel != Kernel::Heat {
        checks.refuse(
            way!["studies", number, "kernel"],
            "R^d has one kernel, exp(−|x − y|²/2ε)".into(),
            "not on R^d",
            "leave `kernel` out: the geodesic kernel differs from it on the torus only".into(),
        );
    }
}

fn mirror_flow(checks: &mut Checks, number: usize, flow: &MirrorFlow) {
    if !matches!(
        flow.objective,
        Objective::RelativeEntropy | Objective::Entropy
    ) {
        let path = way!["studies", number, "objective"];
        let help = "use RelativeEntropy or Entropy";
        not_gaussian(checks, path, flow.objective, help);
    }
    if !flow.refinements.is_empty() {
        checks.refuse(
            way!["studies", number, "refinements"],
            "a Gaussian problem is solved without steps, so there is no order in the step".into(),
            "no steps",
            "leave `refinements` out".into(),
        );
    }
}

fn not_gaussian(checks: &mut Checks, path: &[Step], objective: Objective, help: &str) {
    let (message, label) = match objective {
        Objective::PotentialEnergy => (
            "the mirror flow of the potential energy is P_t = P_0 + tΣ^{-1}: ρ_t shrinks to a point, which leaves nothing to judge"
                .to_owned(),
            "no end",
        ),
        _ => (
            format!(
                "the mirror flow of {} leaves the Gaussians: its δF/δρ is not quadratic",
                objective.label()
            ),
            "not quadratic",
        ),
    };
    checks.refuse(path, message, label, help.into());
}

/// A prepared start `P_0 + ε(½Σ^{-1} − P_0Θ^{-1}P_0)` must be positive definite at every ε.
fn prepared(checks: &mut Checks, studies: &[Study], built: &BuiltGaussian) {
    for (number, study) in studies.iter().enumerate() {
        let (epsilons, start) = match study {
            Study::ScalingLimit(limit) => (&limit.epsilons, limit.start),
            Study::ExponentialConvergence(decay) => (&decay.epsilons, decay.start),
            _ => continue,
        };
        if start != IterationStart::Prepared {
            continue;
        }
        let flow = ParabolicFlow::new(built.start());
        for (i, &epsilon) in epsilons.iter().enumerate() {
            let matrix = flow.start_matrix(epsilon, Start::Prepared);
            let least = eigen(&matrix).map_or(f64::NAN, |(values, _)| values[0]);
            if least.is_nan() || least <= 0.0 {
                checks.refuse(
                    way!["studies", number, "epsilons", i],
                    format!(
                        "the prepared start is not convex at ε = {epsilon}: smallest eigenvalue {least:.3e}"
                    ),
                    "too large",
                    "use a smaller ε, or start: Plain".into(),
                );
            }
        }
    }
}
