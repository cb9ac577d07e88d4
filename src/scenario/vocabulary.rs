//! The words of the format in sentences: what each field takes, what each enumeration is called.

use super::complaint::Source;
use super::locate::way;

/// Help where nothing more precise is known.
pub const TEMPLATE: &str = "`mirrorflow new` writes a scenario that explains every field";

/// What each field of a scenario takes, for the help of a wrong type. Fields that mean different things in different
/// sections stand with their section.
const EXPECTED: &[(&str, &str)] = &[
    (
        "dimension",
        "a whole number from 1 to 200, such as dimension: 20",
    ),
    ("least", "a positive number, such as least: 0.5"),
    (
        "greatest",
        "a number not below `least`, such as greatest: 2.0",
    ),
    (
        "title",
        "a text in quotes, such as title: \"Heat kernel, one dimension\"",
    ),
    (
        "problem",
        "Torus(points: …, source: …, target: …), Gaussian(source: …, target: …) or Euclidean(objective: …, mirror: …, start: …)",
    ),
    (
        "points",
        "a list of even whole numbers, one per axis, such as points: [128, 128], or Auto(dimension: 2)",
    ),
    (
        "source",
        "Formula(\"…\"), Uniform, WrappedGaussians([…]) or VonMises([…]) on the torus, Variances([…]), Matrix([[…], […]]) or Random(…) between Gaussians",
    ),
    (
        "target",
        "Formula(\"…\"), Uniform, WrappedGaussians([…]) or VonMises([…]) on the torus, Variances([…]), Matrix([[…], […]]) or Random(…) between Gaussians",
    ),
    ("weight", "a positive number, such as weight: 1.0"),
    ("mean", "a list of one number per axis, such as mean: [0.5]"),
    (
        "deviation",
        "a list of one positive number per axis, such as deviation: [0.1]",
    ),
    (
        "concentration",
        "a list of one number ≥ 0 per axis, such as concentration: [4.0]",
    ),
    (
        "space",
        "Spectral, Dealiased or FiniteDifference(order: 2) or (order: 4)",
    ),
    ("order", "2 or 4, as in FiniteDifference(order: 4)"),
    ("tolerance", "a number, such as tolerance: 1e-9"),
    ("step", "a positive number, such as step: 1e-5"),
    (
        "studies",
        "a list of Flow(…), Sinkhorn(…), ScalingLimit(…), OptimalMap(…), MirrorFlow(…), ExponentialConvergence(…), SideBySide(…), MirrorDescent(…)",
    ),
    (
        "problem.objective",
        "a formula for F in quotes, such as objective: \"x^2/2\"",
    ),
    (
        "mirror",
        "Quadratic, Quartic, Reciprocal or Formula(\"…\"), such as mirror: Formula(\"x*log(x)\")",
    ),
    (
        "problem.others",
        "a list of mirrors, such as others: [Quartic, Formula(\"x*log(x)\")]",
    ),
    (
        "objective",
        "RelativeEntropy, ReverseRelativeEntropy, ChiSquare, PowerDivergence(exponent: 1.5), Entropy, PowerEntropy(exponent: 2.0) or PotentialEnergy",
    ),
    (
        "others",
        "a list of divergences, such as others: [ReverseRelativeEntropy, ChiSquare]",
    ),
    (
        "samples",
        "a whole number of instants, at least 8, such as samples: 40, or of points, such as samples: 100000",
    ),
    ("horizon", "a positive number, such as horizon: 0.24"),
    ("steps", "a positive whole number, such as steps: 120"),
    (
        "runs",
        "a list of Explicit(…), Implicit(…) and Sinkhorn(ε), with Constant(η), Harmonic(c), LogOverT(c), Adaptive(fraction) or List([…])",
    ),
    (
        "band",
        "a positive whole number, the modes |k_i| ≤ K of ψ, such as band: 8",
    ),
    (
        "comparators",
        "a list of Source, Target, Uniform and Random(seed: 1)",
    ),
    ("limit", "(time: 0.02, steps: [16, 32, 64])"),
    (
        "sampling",
        "(samples: 100000, seed: 1, bins: 16, fokker_planck_steps: 256)",
    ),
    ("seed", "a whole number, such as seed: 1"),
    ("bins", "a whole number of at least 2, such as bins: 16"),
    (
        "fokker_planck_steps",
        "a multiple of 8, such as fokker_planck_steps: 256",
    ),
    (
        "refinements",
        "increasing numbers of steps, such as refinements: [8, 16, 32], or []",
    ),
    (
        "times",
        "a list of increasing positive numbers, such as times: [0.01, 0.05]",
    ),
    ("epsilon", "a positive number, such as epsilon: 0.005"),
    (
        "epsilons",
        "a list of positive numbers, such as epsilons: [0.01, 0.005, 0.0025]",
    ),
    (
        "iterations",
        "a positive whole number, such as iterations: 10",
    ),
    (
        "problem.start",
        "Identity or Formula(\"…\"), the periodic part p_0 of u_0; between Gaussians Identity or Marginal(…), the covariance of ρ_0; on a Euclidean problem a list of coordinates, such as start: [1.0]",
    ),
    ("studies.start", "Plain or Prepared"),
    (
        "numerics.time",
        "Adaptive(tolerance: 1e-9), Rosenbrock(tolerance: 1e-9), ExtrapolatedSinkhorn(tolerance: 1e-9), Euler(step: …) or RungeKutta4(step: …)",
    ),
    ("studies.time", "a positive number, such as time: 0.05"),
];

/// What `field`, at a byte offset of the source, takes.
pub fn takes(source: &Source, field: &str, at: usize) -> String {
    let sections = ["problem", "numerics", "studies"];
    let section = sections
        .into_iter()
        .find(|&section| source.find(way![section]).contains(&at));
    let full = format!("{}.{field}", section.unwrap_or(""));
    let known = EXPECTED
        .iter()
        .find(|(name, _)| *name == full || *name == field);
    known.map_or_else(
        || TEMPLATE.into(),
        |(_, expected)| format!("`{field}` takes {expected}"),
    )
}

/// The word that the file's author would use for one of our enumerations.
pub fn kind_of(name: &str) -> &'static str {
    match name {
        "Study" => "study",
        "Kernel" => "kernel",
        "Objective" => "objective",
        "MirrorChoice" => "mirror",
        "DensityChoice" => "kind of density",
        "Covariance" => "kind of covariance",
        "StartPotential" | "IterationStart" | "GaussianStart" => "start",
        "Space" => "calculus",
        "Time" => "time stepper",
        "Run" => "rule of mirror descent",
        "Schedule" => "schedule",
        "ComparatorChoice" => "density",
        _ => "name",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_explained_for_its_section() {
        let text = "(problem: (start: 1), studies: [(start: 2, time: 3)], numerics: (time: 4))";
        let source = Source::new("test", text);
        let said = |field: &str, value: char| takes(&source, field, text.find(value).unwrap());
        assert!(said("start", '1').contains("Identity"));
        assert!(said("start", '2').contains("Prepared"));
        assert!(said("time", '3').contains("time: 0.05"));
        assert!(said("time", '4').contains("Adaptive"));
        assert_eq!(said("nothing", '4'), TEMPLATE);
    }
}
