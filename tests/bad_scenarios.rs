//! Every way in which a scenario can be wrong: what the message says, and which text of the file it highlights.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Report};
use mirrorflow::scenario::{load, parse};
use std::path::Path;

const BASE: &str = r#"Scenario(
    title: "τ and ε in a title shift columns against bytes",
    problem: Torus(
        points: [64, 64],
        source: Formula("0.4*cos(2*pi*x)"), // f
        target: WrappedGaussians([(weight: 1.0, mean: [0.5, 0.4], deviation: [0.3, 0.2])]),
        start: Identity,
    ),
    numerics: (space: Spectral, time: Adaptive(tolerance: 1e-9)),
    studies: [
        Flow(times: [0.01, 0.05]),
        Sinkhorn(epsilon: 0.005, iterations: 10, kernel: Heat),
        ScalingLimit(time: 0.05, epsilons: [0.01, 0.005, 0.0025], kernel: Geodesic, start: Plain),
    ],
)
"#;

/// The studies of the mirror flow, on one axis.
const MIRROR: &str = r#"Scenario(
    title: "every study of the mirror flow",
    problem: Torus(
        points: [32],
        source: Formula("0.3*cos(2*pi*x)"),
        target: Uniform,
    ),
    studies: [
        OptimalMap(tolerance: 1e-11),
        MirrorFlow(times: [0.01, 0.02], objective: Entropy, refinements: [8, 16, 32]),
        ExponentialConvergence(time: 0.24, samples: 24, epsilons: [0.01, 0.005], others: [ChiSquare]),
        SideBySide(time: 0.048, epsilons: [0.012, 0.006, 0.004], times: [0.012, 0.024], horizon: 0.96, samples: 40),
    ],
)
"#;

/// A function on the line.
const EUCLIDEAN: &str = r#"Scenario(
    title: "a function on the line",
    problem: Euclidean(
        objective: "x^2/2",
        mirror: Formula("x*log(x)"),
        others: [Quartic, Reciprocal],
        start: [1.0],
    ),
    numerics: (time: Adaptive(tolerance: 1e-9)),
    studies: [
        MirrorFlow(times: [1.0, 2.0], refinements: [8, 16, 32]),
        MirrorDescent(steps: 3, runs: [Explicit(Constant(0.1)), Implicit(List([0.3, 0.2, 0.1]))], limit: (time: 0.5, steps: [4, 8, 16])),
    ],
)
"#;

/// Every study between Gaussians.
const GAUSSIAN: &str = r#"Scenario(
    title: "every study between Gaussians",
    problem: Gaussian(
        source: Variances([1.0, 4.0]),
        target: Matrix([[2.0, 0.5], [0.5, 1.0]]),
        start: Marginal(Random(dimension: 2, least: 0.5, greatest: 2.0, seed: 1)),
    ),
    studies: [
        ScalingLimit(time: 0.5, epsilons: [0.1, 0.05, 0.025], start: Prepared),
        MirrorFlow(times: [0.5, 1.0], objective: RelativeEntropy),
        ExponentialConvergence(time: 8.0, samples: 16, epsilons: [0.25, 0.125]),
    ],
)
"#;

#[rustfmt::skip]
const GAUSSIANS: &[Case] = &[
    ("[1.0, 4.0]", "[1.0, -4.0]", &["a variance must be positive, -4 given"], "-4.0"),
    ("[1.0, 4.0]", "[1.0, 0.0]", &["a variance must be positive"], "0.0"),
    ("[1.0, 4.0]", "[]", &["the source covariance Σ is given no dimension", "one variance per axis"], "[]"),
    ("Matrix([[2.0, 0.5], [0.5, 1.0]])", "Variances([1.0])", &["the target covariance Θ has dimension 1", "Σ has 2"], "Variances([1.0])"),
    ("[[2.0, 0.5], [0.5, 1.0]]", "[[2.0, 0.5], [0.5]]", &["Θ is not square: row 2 has 1 entries in 2 rows", "2 rows of 2 numbers"], "[0.5]"),
    ("[[2.0, 0.5], [0.5, 1.0]]", "[[2.0, 0.5], [0.4, 1.0]]", &["Θ is not symmetric: row 2, column 1 is 0.4 and row 1, column 2 is 0.5", "write 0.5 here"], "0.4"),
    ("[[2.0, 0.5], [0.5, 1.0]]", "[[2.0, 1.5], [1.5, 1.0]]", &["Θ is not positive definite", "-8.114e-2", "add more than 8.1e-2"], "Matrix([[2.0, 1.5], [1.5, 1.0]])"),
    ("[1.0, 4.0]", "[1.0, 4e6]", &["a condition number of 4.0e6", "below 1e5"], "Variances([1.0, 4e6])"),
    ("dimension: 2", "dimension: 0", &["the covariance of ρ_0 is given no dimension"], "0"),
    ("dimension: 2", "dimension: 300", &["300 dimensions are more than 200"], "300"),
    ("dimension: 2", "dimension: 3", &["the covariance of ρ_0 has dimension 3"], "Random(dimension: 3, least: 0.5, greatest: 2.0, seed: 1)"),
    ("least: 0.5", "least: 5.0", &["the least eigenvalue 5 is above the greatest 2", "exchange them"], "5.0"),
    ("least: 0.5", "least: 0.0", &["the least eigenvalue must be positive"], "0.0"),
    ("seed: 1", "seed: 1.5", &["`seed`", "expected a whole number"], "1.5"),
    ("Variances([1.0", "Varances([1.0", &["unknown kind of covariance `Varances`", "did you mean `Variances`?"], "Varances"),
    ("Marginal", "Marginl", &["unknown start `Marginl`", "did you mean `Marginal`?"], "Marginl"),
    ("Variances([1.0, 4.0])", "4.0", &["`source`", "Variances("], "4.0"),
    ("RelativeEntropy", "ChiSquare", &["the mirror flow of ½χ² leaves the Gaussians", "RelativeEntropy or Entropy"], "ChiSquare"),
    ("RelativeEntropy", "PotentialEnergy", &["shrinks to a point"], "PotentialEnergy"),
    ("RelativeEntropy", "RelativeEntropy, refinements: [8, 16, 32]", &["no order in the step", "leave `refinements` out"], "[8, 16, 32]"),
    ("samples: 16", "samples: 16, others: [ChiSquare]", &["leaves the Gaussians", "leave `others` out"], "[ChiSquare]"),
    ("start: Prepared", "kernel: Geodesic", &["R^d has one kernel", "leave `kernel` out"], "Geodesic"),
    ("time: 0.5, epsilons: [0.1, 0.05, 0.025]", "time: 5.0, epsilons: [5.0, 0.05, 0.025]", &["the prepared start is not convex at ε = 5", "start: Plain"], "5.0"),
    ("    studies:", "    numerics: (time: Euler(step: 0.1)),\n    studies:", &["neither grid nor time step", "leave `numerics` out"], "(time: Euler(step: 0.1))"),
    ("MirrorFlow(times: [0.5, 1.0], objective: RelativeEntropy)", "Flow(times: [0.5])", &["Flow is not defined on a Gaussian problem", "ExponentialConvergence"], "Flow(times: [0.5])"),
    ("[0.25, 0.125]", "[0.3]", &["time 0.5 is not a whole number of iterations at ε = 0.3"], "0.3"),
];

#[test]
fn impossible_gaussians_are_shown_with_a_remedy() {
    parse("gaussian.ron", GAUSSIAN).unwrap();
    GAUSSIANS.iter().for_each(|case| check(GAUSSIAN, case));
}

/// On R^d no ε is too large for the kernel.
#[test]
fn large_epsilons_are_for_gaussians() {
    let text = GAUSSIAN
        .replace("time: 8.0", "time: 800.0")
        .replace("[0.25, 0.125]", "[25.0]");
    parse("gaussian.ron", &text).unwrap();
}

/// A text of the base, what replaces it, what the message must say, what it must highlight.
type Case = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
);

#[rustfmt::skip]
const SYNTAX: &[Case] = &[
    ("points:", "pionts:", &["unknown field `pionts` in Torus", "did you mean `points`?"], "pionts"),
    ("ScalingLimit(", "ScallingLimit(", &["unknown study `ScallingLimit`", "did you mean `ScalingLimit`?"], "ScallingLimit"),
    ("ScalingLimit(", "Barycentre(", &["unknown study `Barycentre`", "expected `Flow`, `Sinkhorn`, `ScalingLimit`, `OptimalMap`, `MirrorFlow`, `ExponentialConvergence`, `SideBySide` or `MirrorDescent`"], "Barycentre"),
    ("kernel: Heat", "kernel: heet", &["unknown kernel `heet`", "did you mean `Heat`?"], "heet"),
    ("Geodesic", "Geodesc", &["unknown kernel `Geodesc`", "did you mean `Geodesic`?"], "Geodesc"),
    ("Identity", "Idenity", &["unknown start `Idenity`", "did you mean `Identity`?"], "Idenity"),
    ("start: Plain", "start: Prepraed", &["unknown start `Prepraed`", "did you mean `Prepared`?"], "Prepraed"),
    ("WrappedGaussians", "WrapedGaussian", &["unknown kind of density", "did you mean `WrappedGaussians`?"], "WrapedGaussian"),
    ("Spectral", "Spectrl", &["unknown calculus `Spectrl`", "did you mean `Spectral`?"], "Spectrl"),
    ("tolerance:", "tol:", &["unknown field `tol` in Adaptive", "expected `tolerance`"], "tol"),
    ("Torus(", "Tours(", &["unknown name `Tours`", "did you mean `Torus`?"], "Tours"),
    ("Scenario(", "Scenari(", &["unknown name `Scenari`", "did you mean `Scenario`?"], "Scenari"),
    ("deviation:", "deviations:", &["unknown field `deviations`", "did you mean `deviation`?"], "deviations"),
    ("0.01, 0.05]),", "0.01, 0.05],", &["unknown field `Sinkhorn` in Flow", "close a bracket before `Sinkhorn`"], "Sinkhorn"),
    ("epsilon: 0.005, ", "", &["`epsilon` is missing in Sinkhorn", "a positive number"], "Sinkhorn"),
    ("start: Identity", "start: Identity, start: Identity", &["`start` is given twice"], "start"),
    ("[64, 64]", "128", &["`points`", "expected a list", "one per axis"], "128"),
    ("[64, 64]", "[64.5, 64]", &["`points`: expected a whole number", "even whole numbers"], "64.5"),
    ("[64, 64]", "[-64, 64]", &["`points`", "even whole numbers"], "-64"),
    ("[64, 64]", "[\"a\", 64]", &["`points`", "expected a whole number"], "\"a\""),
    ("time: 0.05", "time: \"0.05\"", &["`time`", "expected a number", "such as time: 0.05"], "\"0.05\""),
    ("time: 0.05", "time: soon", &["`time`", "expected a number"], "soon"),
    ("0.01, 0.05]", "0.01 0.05]", &["`times`: expected a comma before this"], "0.05"),
    ("Adaptive(tolerance: 1e-9)", "1e-9", &["`time`: expected a name", "takes Adaptive"], "1e-9"),
    ("title: \"τ and ε in a title shift columns against bytes\"", "title: 3", &["`title`: expected a text in quotes"], "3"),
    ("epsilon: 0.005", "epsilon: 0,005", &["expected a decimal point, not a comma"], "005"),
    ("iterations: 10", "iterations: 10.5", &["`iterations`", "whole number"], "10.5"),
    ("Formula(\"0.4*cos(2*pi*x)\")", "\"0.4*cos(2*pi*x)\"", &["`source`", "takes Formula"], "\"0.4*cos(2*pi*x)\""),
    ("mean: [0.5, 0.4]", "mean: 0.5", &["`mean`", "one number per axis"], "0.5"),
    ("    ],\n)\n", "    ],\n", &["ends too early", "close every"], ","),
    ("    ],\n)\n", "    ],\n) more", &["text after the closing"], "more"),
];

#[rustfmt::skip]
const NUMBERS: &[Case] = &[
    ("τ and ε in a title shift columns against bytes", " ", &["title is empty"], "\" \""),
    ("[64, 64]", "[64, 0]", &["0 points", "at least 8"], "0"),
    ("[64, 64]", "[6, 64]", &["6 points", "at least 8"], "6"),
    ("[64, 64]", "[64, 63]", &["63 points", "odd", "use 62 or 64"], "63"),
    ("[64, 64]", "[]", &["0 given", "one even number per axis"], "[]"),
    ("[64, 64]", "[8, 8, 8, 8]", &["1, 2 or 3 dimensions", "4 given"], "[8, 8, 8, 8]"),
    ("[64, 64]", "[1000000, 1000000]", &["TB of memory", "may be used here", "points may fit"], "[1000000, 1000000]"),
    ("1e-9", "1e400", &["`1e400` is not a finite number"], "1e400"),
    ("0.01, 0.05]", "0.01, NaN]", &["`NaN` is not a finite number"], "NaN"),
    ("epsilon: 0.005", "epsilon: inf", &["`inf` is not a finite number"], "inf"),
    ("weight: 1.0", "weight: -inf", &["`-inf` is not a finite number"], "-inf"),
    ("1e-9", "1e-14", &["outside 1e-13 to 1e-4"], "1e-14"),
    ("1e-9", "0.5", &["tolerance 5e-1 is outside"], "0.5"),
    ("Adaptive(tolerance: 1e-9)", "Euler(step: 0.0)", &["step must be positive"], "0.0"),
    ("Adaptive(tolerance: 1e-9)", "RungeKutta4(step: -1e-5)", &["step must be positive"], "-1e-5"),
    ("Spectral", "FiniteDifference(order: 3)", &["order 3 are not available", "order: 4"], "3"),
];

#[rustfmt::skip]
const STUDIES: &[Case] = &[
    ("epsilon: 0.005", "epsilon: 0.0", &["ε must be positive"], "0.0"),
    ("0.005, 0.0025]", "0.005, -0.0025]", &["ε must be positive, -0.0025 given"], "-0.0025"),
    ("[0.01, 0.005, 0.0025]", "[]", &["needs 3 or more ε, 0 given"], "[]"),
    ("[0.01, 0.005, 0.0025]", "[0.01, 0.005]", &["needs 3 or more ε, 2 given"], "[0.01, 0.005]"),
    ("[0.01, 0.005, 0.0025]", "[0.01, 0.005, 0.01]", &["ε = 0.01 is listed twice"], "0.01"),
    ("[0.01, 0.005, 0.0025]", "[0.01, 0.005, 0.003]", &["not a whole number of iterations at ε = 0.003", "16.67 iterations", "0.05/17 = 0.00294117647 and 0.05/16 = 0.003125"], "0.003"),
    ("[0.01, 0.005, 0.0025]", "[0.01, 0.005, 0.07]", &["0.71 iterations", "nearest that divides it is 0.05/1 = 0.05"], "0.07"),
    ("time: 0.05", "time: 0.0", &["time must be positive"], "0.0"),
    ("[0.01, 0.05]", "[]", &["no times given"], "[]"),
    ("[0.01, 0.05]", "[0.0, 0.05]", &["a time must be positive"], "0.0"),
    ("[0.01, 0.05]", "[0.05, 0.01]", &["time 0.01 does not come after 0.05"], "0.01"),
    ("[0.01, 0.05]", "[0.05, 0.05]", &["time 0.05 does not come after 0.05"], "0.05"),
    ("iterations: 10", "iterations: 0", &["0 iterations"], "0"),
    ("epsilon: 0.005", "epsilon: 0.0001", &["64 points", "too few for ε = 0.0001", "144 needed", "ε ≥ 0.000499"], "0.0001"),
    ("[0.01, 0.005, 0.0025]", "[0.01, 0.005, 0.00025]", &["92 needed"], "0.00025"),
];

#[rustfmt::skip]
const DENSITIES: &[Case] = &[
    ("mean: [0.5, 0.4]", "mean: [0.5]", &["mean: 1 given", "dimension 2"], "[0.5]"),
    ("deviation: [0.3, 0.2]", "deviation: [0.3, 0.2, 0.1]", &["deviation: 3 given"], "[0.3, 0.2, 0.1]"),
    ("deviation: [0.3, 0.2]", "deviation: [0.3, -0.2]", &["a deviation must be positive"], "-0.2"),
    ("weight: 1.0", "weight: -1.0", &["a weight must be positive"], "-1.0"),
    ("[(weight: 1.0, mean: [0.5, 0.4], deviation: [0.3, 0.2])]", "[]", &["no component"], "[]"),
    ("WrappedGaussians([(weight: 1.0, mean: [0.5, 0.4], deviation: [0.3, 0.2])])", "VonMises([(weight: 1.0, mean: [0.5, 0.4], concentration: [-3.0, 0.2])])", &["must not be negative"], "-3.0"),
    ("2*pi*x", "2*pi*w", &["source", "w"], "w"),
    ("2*pi*x", "2*pi*z", &["source", "z"], "z"),
    ("cos(2*pi*x)", "cosh2(2*pi*x)", &["source", "cosh"], "cosh2"),
    ("2*pi*x", "2 pi x", &["write 2*pi"], "2 pi"),
    ("0.4*cos(2*pi*x)", "x^2", &["source", "period", "cos(2*pi*x)"], "\"x^2\""),
    ("0.4*cos(2*pi*x)", "2000*cos(2*pi*x)", &["source"], "\"2000*cos(2*pi*x)\""),
    ("0.4*cos(2*pi*x)", "log(cos(2*pi*x))", &["source"], "\"log(cos(2*pi*x))\""),
    ("0.4*cos(2*pi*x)", "cos(2*pi*64*x)", &["source", "does not resolve", "use points"], "\"cos(2*pi*64*x)\""),
    ("deviation: [0.3, 0.2]", "deviation: [0.01, 0.2]", &["target", "not positive in floating point"], "WrappedGaussians([(weight: 1.0, mean: [0.5, 0.4], deviation: [0.01, 0.2])])"),
    ("Identity", "Formula(\"0.01*x\")", &["start", "period"], "\"0.01*x\""),
    ("Identity", "Formula(\"cos(2*pi*q)\")", &["start", "q"], "q"),
    ("Identity", "Formula(\"0.5*cos(2*pi*x)\")", &["not convex", "∇²u_0"], "\"0.5*cos(2*pi*x)\""),
    ("Identity", "Formula(\"0.021*cos(2*pi*x)\")", &["too few for ε = 0.0025", "ε ≥"], "0.0025"),
];

#[rustfmt::skip]
const MIRROR_STUDIES: &[Case] = &[
    ("OptimalMap", "OptimlMap", &["unknown study `OptimlMap`", "did you mean `OptimalMap`?"], "OptimlMap"),
    ("Entropy", "Entrpy", &["unknown objective `Entrpy`", "did you mean `Entropy`?"], "Entrpy"),
    ("Entropy", "PowerEntropy(2.0)", &["`objective`", "PowerEntropy(exponent: 2.0)"], "2.0"),
    ("[ChiSquare]", "[ChiSqare]", &["unknown objective `ChiSqare`", "did you mean `ChiSquare`?"], "ChiSqare"),
    ("[ChiSquare]", "ChiSquare", &["`others`: expected a list", "a list of divergences"], "ChiSquare"),
    ("samples: 24", "samples: 8.5", &["`samples`: expected a whole number", "at least 8"], "8.5"),
    ("[8, 16, 32]", "8", &["`refinements`: expected a list", "[8, 16, 32]"], "8"),
    ("1e-11", "0.1", &["a residual of 0.1 is no solution", "at most 0.001"], "0.1"),
    ("1e-11", "0.0", &["the tolerance must be positive"], "0.0"),
    ("[0.01, 0.02]", "[]", &["no times given"], "[]"),
    ("[0.01, 0.02]", "[0.02, 0.01]", &["time 0.01 does not come after 0.02"], "0.01"),
    ("[8, 16, 32]", "[8]", &["an order needs three numbers of steps, 1 given", "[8, 16, 32]"], "[8]"),
    ("[8, 16, 32]", "[8, 16]", &["three numbers of steps, 2 given"], "[8, 16]"),
    ("[8, 16, 32]", "[8, 32, 16]", &["16 steps do not come after 32"], "16"),
    ("[8, 16, 32]", "[8, 16, 16]", &["16 steps do not come after 16"], "16"),
    ("[8, 16, 32]", "[0, 16, 32]", &["0 steps do not come after 0", "positive numbers of steps"], "0"),
    ("Entropy", "PowerEntropy(exponent: 1.0)", &["m = 1 is a limit of the family", "m = 1 is Entropy"], "PowerEntropy(exponent: 1.0)"),
    ("Entropy", "PowerDivergence(exponent: 0.0)", &["m = 0 is a limit of the family", "ReverseRelativeEntropy"], "PowerDivergence(exponent: 0.0)"),
    ("ChiSquare", "PowerDivergence(exponent: 1)", &["m = 1 is a limit of the family"], "PowerDivergence(exponent: 1)"),
    ("[ChiSquare]", "[ChiSquare, Entropy]", &["the flow of the entropy does not converge to e^{-f}", "ReverseRelativeEntropy"], "Entropy"),
    ("ChiSquare", "PotentialEnergy", &["the flow of the potential energy does not converge"], "PotentialEnergy"),
    ("ChiSquare", "PowerEntropy(exponent: 2.0)", &["the flow of the power entropy, m = 2 does not converge"], "PowerEntropy(exponent: 2.0)"),
    ("samples: 24", "samples: 4", &["need 8 or more samples, 4 given"], "4"),
    ("samples: 40", "samples: 0", &["need 8 or more samples, 0 given"], "0"),
    ("time: 0.24", "time: 0.0", &["time must be positive"], "0.0"),
    ("[0.01, 0.005]", "[0.01, 0.004]", &["time 0.01 is not a whole number of iterations at ε = 0.004", "2.50 iterations", "0.01/2 = 0.005"], "0.004"),
    ("[0.01, 0.005]", "[0.01, 0.0001]", &["32 points along an axis are too few for ε = 0.0001"], "0.0001"),
    ("[0.01, 0.005]", "[0.01, 0.01]", &["ε = 0.01 is listed twice"], "0.01"),
    ("time: 0.048, epsilons: [0.012, 0.006, 0.004]", "time: 0.036, epsilons: [0.012, 0.006, 0.008]", &["time 0.036 is not a whole number of iterations at ε = 0.008", "4.50 iterations"], "0.008"),
    ("0.004]", "0.0096]", &["time 0.024 is not a whole number of iterations at ε = 0.0096"], "0.0096"),
    ("[0.012, 0.024]", "[0.012, 0.02]", &["time 0.02 is not a whole number of iterations at the largest ε = 0.012", "use multiples of 0.012"], "0.02"),
    ("[0.012, 0.006, 0.004]", "[0.012, 0.006]", &["needs 3 or more ε, 2 given"], "[0.012, 0.006]"),
    ("horizon: 0.96", "horizon: -1.0", &["the horizon must be positive"], "-1.0"),
];

#[rustfmt::skip]
const EUCLIDEAN_CASES: &[Case] = &[
    ("[1.0],\n    ),", "[],\n    ),", &["1 or 2 coordinates, 0 given"], "[]"),
    ("[1.0],\n    ),", "[1.0, 1.0, 1.0],\n    ),", &["3 given", "start: [1.0, 0.5] in the plane"], "[1.0, 1.0, 1.0]"),
    ("mirror: Formula(\"x*log(x)\"),\n        others: [Quartic, Reciprocal],\n        start: [1.0]", "mirror: Quadratic, others: [Quartic], start: [1.0, 2.0]", &["mirror: x⁴ is a mirror on the line", "x^4 + y^4"], "Quartic"),
    ("mirror: Formula(\"x*log(x)\"),\n        others: [Quartic, Reciprocal],\n        start: [1.0]", "mirror: Quadratic, others: [Reciprocal], start: [1.0, 2.0]", &["1/x is a mirror on the line", "1/x + 1/y"], "Reciprocal"),
    ("x^2/2", "x^2/2 + q", &["objective", "q"], "q"),
    ("x^2/2", "x^2/2 + y", &["objective", "y"], "y"),
    ("x^2/2", "abs(x)", &["objective", "abs"], "abs"),
    ("x*log(x)", "x*lg(x)", &["mirror", "lg"], "lg"),
    ("x^2/2", "log(x - 3)", &["F or a derivative of it is not finite at the start [1.0]", "inside the domain of F"], "\"log(x - 3)\""),
    ("x^2/2", "(x - 1)^2", &["∇F is zero at the start [1.0]", "start elsewhere"], "[1.0]"),
    ("x*log(x)", "log(x - 3)", &["U or a derivative of it is not finite at the start", "inside the domain of U"], "\"log(x - 3)\""),
    ("x*log(x)", "-x^2", &["U is not strictly convex at the start [1.0]", "smallest eigenvalue -2.000"], "\"-x^2\""),
    ("Quartic, Reciprocal", "Quartic, Formula(\"log(x)\")", &["not strictly convex"], "\"log(x)\""),
    ("Quartic, ", "Quartik, ", &["unknown mirror `Quartik`", "did you mean `Quartic`?"], "Quartik"),
    ("[Quartic, Reciprocal]", "Quartic", &["`others`: expected a list", "a list of mirrors"], "Quartic"),
    ("\"x^2/2\"", "3", &["`objective`", "a formula for F in quotes"], "3"),
    ("(time: Adaptive", "(space: Dealiased, time: Adaptive", &["no grid", "leave `space` out"], "Dealiased"),
    ("[1.0, 2.0], ", "[1.0, 2.0], objective: Entropy, ", &["objectives of densities", "leave `objective` of the study out"], "Entropy"),
    ("[1.0, 2.0]", "[2.0, 1.0]", &["time 1 does not come after 2"], "1.0"),
    ("[1.0, 2.0]", "[1.0, 6.0]", &["with U = x⁴ the flow reaches its end at t = 6.000000", "5.940 or 6.060"], "6.0"),
    ("Formula(\"x*log(x)\")", "Quartic", &["steps have no order at t = 5.9", "at most 5.400"], "[8, 16, 32]"),
    ("steps: 3", "steps: 0", &["0 steps leave nothing"], "0"),
    ("[Explicit(Constant(0.1)), Implicit(List([0.3, 0.2, 0.1]))]", "[]", &["no runs given", "Explicit(Constant("], "[]"),
    ("Explicit(Constant(0.1))", "Sinkhorn(0.1)", &["Sinkhorn's iteration couples densities"], "Sinkhorn(0.1)"),
    ("Explicit(Constant(0.1))", "Explicit(Adaptive(0.5))", &["stability limit of densities", "Harmonic"], "Explicit(Adaptive(0.5))"),
    ("Constant(0.1)", "Harmonic(-0.1)", &["c must be positive, -0.1 given"], "Explicit(Harmonic(-0.1))"),
    ("[0.3, 0.2, 0.1]", "[0.3, 0.2]", &["2 steps are listed, 3 asked for"], "Implicit(List([0.3, 0.2]))"),
    ("steps: 3, ", "steps: 3, band: 4, ", &["a band limits the modes of densities"], "4"),
    ("steps: 3, ", "steps: 3, sampling: (samples: 4), ", &["points are drawn and transported on a torus only"], "(samples: 4)"),
    ("steps: 3, ", "steps: 3, comparators: [Target], ", &["the minimiser of F", "leave `comparators` out"], "[Target]"),
    ("time: 0.5", "time: 0.0", &["time must be positive"], "0.0"),
    ("[4, 8, 16]", "[4, 8]", &["an order needs 3 numbers of steps, 2 given"], "[4, 8]"),
    ("[4, 8, 16]", "[4, 16, 8]", &["8 steps do not come after 16"], "8"),
    ("MirrorFlow(times: [1.0, 2.0], refinements: [8, 16, 32])", "Flow(times: [1.0])", &["Flow is not defined on a Euclidean problem", "use MirrorFlow or MirrorDescent"], "Flow(times: [1.0])"),
];

#[test]
fn impossible_functions_and_mirrors_are_shown_inside_their_formulas() {
    for case in EUCLIDEAN_CASES {
        if case.1 == "Quartic" && case.0.starts_with("Formula") {
            // The order is asked for just before the flow is at its end.
            let later = EUCLIDEAN.replace("[1.0, 2.0]", "[1.0, 5.9]");
            check(&later, case);
        } else {
            check(EUCLIDEAN, case);
        }
    }
}

#[test]
fn impossible_studies_of_the_mirror_flow_are_shown_with_a_remedy() {
    MIRROR_STUDIES.iter().for_each(|case| check(MIRROR, case));
}

/// Flow and iteration are drawn at the largest ε, wherever it stands in the list.
#[test]
fn instants_are_checked_against_the_largest_epsilon() {
    let unsorted: Case = (
        "[0.012, 0.006, 0.004], times: [0.012",
        "[0.004, 0.012, 0.006], times: [0.004",
        &["time 0.004 is not a whole number of iterations at the largest ε = 0.012"],
        "0.004",
    );
    check(MIRROR, &unsorted);
}

#[test]
fn one_wrong_epsilon_is_one_complaint() {
    let negative: Case = ("0.004]", "-0.004]", &["ε must be positive"], "-0.004");
    check(MIRROR, &negative);
}

#[test]
fn unreadable_text_is_shown_with_the_nearest_right_name() {
    SYNTAX.iter().for_each(|case| check(BASE, case));
}

#[test]
fn impossible_numbers_are_shown_where_they_stand() {
    NUMBERS.iter().for_each(|case| check(BASE, case));
}

#[test]
fn impossible_studies_are_shown_with_a_remedy() {
    STUDIES.iter().for_each(|case| check(BASE, case));
}

#[test]
fn impossible_densities_are_shown_inside_their_formulas() {
    DENSITIES.iter().for_each(|case| check(BASE, case));
}

#[test]
fn no_study_is_refused() {
    let start = BASE.find("[\n        Flow").unwrap();
    let end = BASE.rfind(']').unwrap();
    let text = [&BASE[..start], "[", &BASE[end..]].concat();
    let report = parse("bad.ron", &text).unwrap_err();
    assert_eq!(highlighted(&*report, &text), "[]");
    assert!(rendered(&report).contains("asks for no study"));
}

#[test]
fn all_wrong_numbers_are_reported_together() {
    let text = BASE
        .replace("iterations: 10", "iterations: 0")
        .replace("1e-9", "3.0");
    let message = rendered(&parse("bad.ron", &text).unwrap_err());
    for said in ["2 things to change", "tolerance 3e0", "0 iterations"] {
        assert!(message.contains(said), "{said} in\n{message}");
    }
}

#[test]
fn the_base_is_valid_and_so_is_every_shipped_scenario() {
    parse("base.ron", BASE).unwrap();
    parse("mirror.ron", MIRROR).unwrap();
    parse("euclidean.ron", EUCLIDEAN).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut shipped = 0;
    for entry in folder.read_dir().unwrap() {
        let loaded = load(&entry.unwrap().path()).unwrap();
        assert!(!loaded.scenario.studies.is_empty());
        shipped += 1;
    }
    assert!(shipped >= 17, "{shipped} scenarios");
}

/// Every text with one character lost or one bracket too many is accepted or refused with a message, never a panic.
#[test]
fn slips_of_the_hand_are_survived() {
    let mut refused = 0;
    for (at, lost) in BASE.char_indices() {
        let after = &BASE[at + lost.len_utf8()..];
        for put in ["", "(", "]", "\""] {
            let text = [&BASE[..at], put, after].concat();
            if let Err(report) = parse("slip.ron", &text) {
                assert!(rendered(&report).contains("slip.ron"), "{text}");
                refused += 1;
            }
        }
    }
    assert!(refused > BASE.len(), "{refused}");
}

fn check(base: &str, &(find, replace, says, highlights): &Case) {
    let text = base.replacen(find, replace, 1);
    assert_ne!(text, base, "{} changes nothing", find);
    let Err(report) = parse("scenarios/bad.ron", &text) else {
        panic!("{} is accepted", replace);
    };
    let message = rendered(&report);
    for said in says {
        assert!(
            message.contains(said),
            "{:?}: expected {said:?} in\n{message}",
            replace
        );
    }
    assert!(
        message.contains("scenarios/bad.ron:"),
        "no place in\n{message}"
    );
    assert!(message.contains("help:"), "no help in\n{message}");
    let shown = highlighted(&*report, &text);
    assert_eq!(shown, highlights, "{:?}:\n{message}", replace);
}

/// The text under the last complaint's label.
fn highlighted<'a>(report: &dyn Diagnostic, text: &'a str) -> &'a str {
    let label = report.labels().and_then(|mut labels| labels.next());
    let label = label.expect("one complaint, with a label");
    let start = label.offset();
    &text[start..start + label.len()]
}

fn rendered(report: &Report) -> String {
    let mut message = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(400)
        .render_report(&mut message, report.as_ref())
        .unwrap();
    message
}
