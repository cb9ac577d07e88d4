//! The problems, family by family, drawn from fixed seeds.

use crate::poisson;
use crate::problem::{Problem, Truth};
use mirrorflow_solvers::random::XorShift;
use std::f64::consts::TAU;

const COORDINATES: [char; 3] = ['x', 'y', 'z'];
const AMPLITUDES: [f64; 7] = [0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 2.5];

/// All of them.
pub fn all() -> Vec<Problem> {
    [
        random(),
        wells(),
        bumps(),
        one_sided(),
        near_degenerate(),
        instants(),
        long(),
        separable(),
        reported(),
    ]
    .concat()
}

/// Trigonometric polynomials with Gaussian coefficients.
fn random() -> Vec<Problem> {
    let mut problems = Vec::new();
    for amplitude in AMPLITUDES {
        for (d, points, seeds) in [
            (1, &[256][..], 3),
            (2, &[64, 64], 2),
            (3, &[24, 24, 24], u64::from(amplitude <= 1.5)),
        ] {
            for seed in 0..seeds {
                let mut draw = Gaussians::new(1000 * d as u64 + seed);
                let densities = [(); 2].map(|()| match d {
                    1 => formula(&waves_of_one(&mut draw, amplitude, 3, 'x')),
                    _ => formula(&waves_of_several(&mut draw, 0.6 * amplitude, d)),
                });
                problems.push(Problem::new(
                    "random",
                    format!("random_{d}d_{amplitude}_{seed}"),
                    points,
                    densities,
                    &[0.1],
                ));
            }
        }
    }
    problems
}

/// Two minima with a barrier between them.
fn wells() -> Vec<Problem> {
    let circle = |name: &str, n: usize, source: &str, target: &str| {
        let densities = [formula(source), density(target)];
        Problem::new("wells", name, &[n], densities, &[0.05, 0.4])
    };
    let square = |name: &str, barrier: f64| {
        let source = format!("{barrier}*(cos(4*pi*x) + 0.5*cos(2*pi*(x - y))) + 0.2*sin(2*pi*y)");
        let densities = [formula(&source), formula("0.4*cos(2*pi*(x + y))")];
        Problem::new("wells", name, &[64, 64], densities, &[0.05, 0.4])
    };
    vec![
        circle(
            "wells_1d_1.5",
            192,
            "1.5*cos(4*pi*x) + 0.2*sin(2*pi*x)",
            "0.8*cos(2*pi*x)",
        ),
        circle("wells_1d_2", 256, "2*cos(4*pi*x) + 0.2*cos(2*pi*x)", ""),
        circle(
            "wells_1d_4",
            384,
            "4*cos(4*pi*x) + 0.3*sin(2*pi*x)",
            "cos(2*pi*(x - 0.2))",
        ),
        circle(
            "wells_1d_of_wells",
            384,
            "2*cos(4*pi*x) + 0.3*sin(2*pi*x)",
            "2*cos(4*pi*(x - 0.1)) + 0.3*cos(2*pi*x)",
        ),
        square("wells_2d_0.5", 0.5),
        square("wells_2d_1", 1.0),
        square("wells_2d_1.5", 1.5),
    ]
}

/// Gaussian bumps of deviation 0.05 to 0.2.
fn bumps() -> Vec<Problem> {
    let circle = |deviation: f64, n: usize| {
        let bump =
            |weight: f64, mean: f64, factor: f64| gaussian(weight, &[mean], &[factor * deviation]);
        let source = [
            bump(0.5, 0.2, 1.0),
            bump(0.3, 0.55, 1.2),
            bump(0.2, 0.8, 1.5),
        ];
        let densities = [gaussians(&source), von_mises(&[0.5], &[1.5])];
        let name = format!("bumps_1d_{deviation}");
        Problem::new("bumps", name, &[n], densities, &[0.01, 0.1])
    };
    let square = |deviation: f64, n: usize| {
        let bump = |x: f64, y: f64| gaussian(1.0, &[x, y], &[deviation, deviation]);
        let densities = [
            gaussians(&[bump(0.3, 0.35), bump(0.7, 0.65)]),
            "Uniform".into(),
        ];
        let name = format!("bumps_2d_{deviation}");
        Problem::new("bumps", name, &[n, n], densities, &[0.01, 0.1])
    };
    let cube = gaussians(&[
        gaussian(1.0, &[0.3, 0.4, 0.5], &[0.2; 3]),
        gaussian(1.0, &[0.7, 0.6, 0.5], &[0.25; 3]),
    ]);
    vec![
        circle(0.05, 768),
        circle(0.08, 384),
        circle(0.12, 256),
        circle(0.2, 192),
        square(0.08, 96),
        square(0.12, 64),
        square(0.2, 48),
        Problem::new(
            "bumps",
            "bumps_3d_0.2",
            &[24, 24, 24],
            [cube, "Uniform".into()],
            &[0.01, 0.05],
        ),
    ]
}

/// One of the densities uniform.
fn one_sided() -> Vec<Problem> {
    let mut problems = Vec::new();
    for (k, amplitude) in [1.0, 2.0].into_iter().enumerate() {
        for (d, points) in [(1, &[256][..]), (2, &[64, 64])] {
            let mut draw = Gaussians::new(5000 + 10 * d as u64 + k as u64);
            let shape = match d {
                1 => formula(&waves_of_one(&mut draw, amplitude, 2, 'x')),
                _ => formula(&waves_of_several(&mut draw, 0.6 * amplitude, d)),
            };
            let uniform = String::from("Uniform");
            for (way, densities) in [
                ("from", [uniform.clone(), shape.clone()]),
                ("to", [shape, uniform]),
            ] {
                let name = format!("{way}_uniform_{d}d_{amplitude}");
                problems.push(Problem::new("one-sided", name, points, densities, &[0.1]));
            }
        }
    }
    problems
}

/// Starts whose ∇²u is nearly singular somewhere.
fn near_degenerate() -> Vec<Problem> {
    let circle = |r: f64, n: usize| Problem {
        start: formula(&poisson::start(r, 'x')),
        truth: Truth::PoissonKernel(r),
        ..uniform("near-degenerate", format!("poisson_1d_{r}"), &[n])
    };
    let square = |r: [f64; 2], n: usize| {
        let starts = [0, 1].map(|k| poisson::start(r[k], COORDINATES[k]));
        Problem {
            start: formula(&starts.join(" + ")),
            truth: Truth::Product(r.map(|r| circle(r, n)).into()),
            ..uniform(
                "near-degenerate",
                format!("poisson_2d_{}_{}", r[0], r[1]),
                &[n, n],
            )
        }
    };
    // The smallest eigenvalue of ∇²u is `least`.
    let cosine = |least: f64| Problem {
        start: formula(&format!("{:e}*cos(2*pi*x)", (1.0 - least) / (TAU * TAU))),
        ..Problem::new(
            "near-degenerate",
            format!("cosine_1d_{least}"),
            &[256],
            ["0.5*cos(2*pi*x)", "0.4*sin(2*pi*x)"].map(formula),
            &[0.001, 0.1],
        )
    };
    let diagonal = |least: f64| Problem {
        start: formula(&format!(
            "{:e}*cos(2*pi*(x + y))",
            (1.0 - least) / (2.0 * TAU * TAU)
        )),
        ..Problem::new(
            "near-degenerate",
            format!("cosine_2d_{least}"),
            &[64, 64],
            ["0.5*cos(2*pi*x)", "0.4*sin(2*pi*(x - y))"].map(formula),
            &[0.001, 0.1],
        )
    };
    vec![
        circle(0.5, 96),
        circle(0.8, 256),
        circle(0.9, 512),
        square([0.5, 0.4], 80),
        square([0.8, 0.5], 192),
        cosine(0.1),
        cosine(0.01),
        diagonal(0.1),
        diagonal(0.01),
    ]
}

fn uniform(family: &'static str, name: String, points: &[usize]) -> Problem {
    let densities = ["Uniform", "Uniform"].map(String::from);
    Problem::new(family, name, points, densities, &[1e-4, 0.01, 0.1])
}

/// Short and close instants.
fn instants() -> Vec<Problem> {
    let mild = [
        "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)",
        "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)",
    ]
    .map(formula);
    let square = [
        "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y))",
        "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x - y))",
    ]
    .map(formula);
    let mut draw = Gaussians::new(7000);
    let strong = [(); 2].map(|()| formula(&waves_of_one(&mut draw, 1.0, 3, 'x')));
    let close: Vec<f64> = (0..20).map(|k| 0.02 + 1e-5 * f64::from(k)).collect();
    let many: Vec<f64> = (1..=40).map(|k| 0.0025 * f64::from(k)).collect();
    let problem = |name: &str, points: &[usize], densities: &[String; 2], times: &[f64]| {
        Problem::new("instants", name, points, densities.clone(), times)
    };
    vec![
        problem("short_1d", &[64], &mild, &[1e-5, 0.1]),
        problem(
            "very_short_1d",
            &[64],
            &mild,
            &[1e-12, 1e-9, 1e-6, 0.1, 0.300_000_000_000_000_04],
        ),
        problem("only_short_1d", &[64], &mild, &[1e-8]),
        problem("close_1d", &[64], &mild, &close),
        problem("many_1d", &[256], &strong, &many),
        problem("short_2d", &[64, 64], &square, &[1e-6, 0.01]),
        problem("many_2d", &[64, 64], &square, &many),
    ]
}

/// Long after the flow has come to rest.
fn long() -> Vec<Problem> {
    let problem = |name: &str, points: &[usize], densities: [&str; 2], times: &[f64]| {
        Problem::new("long", name, points, densities.map(formula), times)
    };
    vec![
        problem(
            "long_1d",
            &[128],
            [
                "0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)",
                "0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)",
            ],
            &[0.3, 3.0],
        ),
        problem(
            "long_1d_wells",
            &[256],
            ["1.5*cos(4*pi*x) + 0.2*sin(2*pi*x)", "0.8*cos(2*pi*x)"],
            &[0.5, 5.0],
        ),
        problem(
            "long_2d",
            &[64, 64],
            [
                "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y))",
                "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x - y))",
            ],
            &[0.3, 3.0],
        ),
        problem(
            "long_3d",
            &[24, 24, 24],
            [
                "0.3*cos(2*pi*x) + 0.2*sin(2*pi*(y - z))",
                "0.3*sin(2*pi*z) + 0.2*cos(2*pi*y)",
            ],
            &[0.05, 0.5],
        ),
    ]
}

/// Sums over the coordinates, at any contrast.
fn separable() -> Vec<Problem> {
    let mut problems = Vec::new();
    for (d, n, amplitude) in [
        (2, 64, 0.5),
        (2, 96, 1.0),
        (2, 128, 1.5),
        (2, 128, 2.0),
        (3, 32, 0.3),
        (3, 48, 0.6),
        (3, 64, 1.0),
    ] {
        let mut draw = Gaussians::new(9000 + 100 * d as u64 + (10.0 * amplitude) as u64);
        let name = format!("separable_{d}d_{amplitude}");
        let shapes: Vec<[Vec<Wave>; 2]> = (0..d)
            .map(|_| [(); 2].map(|()| draw_waves(&mut draw, amplitude, 2)))
            .collect();
        let on_axis = |k: usize, coordinate: char| {
            let [f, g] = &shapes[k];
            [f, g].map(|waves| written(waves, coordinate))
        };
        let axis = |k: usize| {
            let densities = on_axis(k, 'x').map(|text| formula(&text));
            Problem::new(
                "separable",
                format!("{name}_{}", COORDINATES[k]),
                &[n],
                densities,
                &[0.1],
            )
        };
        let sums = [0, 1].map(|side| {
            let parts: Vec<String> = (0..d)
                .map(|k| on_axis(k, COORDINATES[k])[side].clone())
                .collect();
            formula(&parts.join(" + "))
        });
        problems.push(Problem {
            truth: Truth::Product((0..d).map(axis).collect()),
            ..Problem::new("separable", name.clone(), &vec![n; d], sums, &[0.1])
        });
    }
    problems
}

/// Flows that went wrong once.
fn reported() -> Vec<Problem> {
    let narrow = || {
        [
            "Uniform".into(),
            gaussians(&[gaussian(1.0, &[0.3], &[0.05])]),
        ]
    };
    let problem = |name: &str, n: usize, densities: [String; 2], times: &[f64]| {
        Problem::new("reported", name, &[n], densities, times)
    };
    let bumps = [
        gaussians(&[
            gaussian(0.5, &[0.2], &[0.08]),
            gaussian(0.3, &[0.55], &[0.06]),
            gaussian(0.2, &[0.8], &[0.1]),
        ]),
        von_mises(&[0.5], &[1.5]),
    ];
    vec![
        problem("three_bumps", 256, bumps, &[0.01, 0.05, 0.2]),
        problem(
            "amplitude_thirty",
            512,
            [formula("30*cos(2*pi*x)"), "Uniform".into()],
            &[1e-4, 0.001],
        ),
        problem("narrow_target", 1024, narrow(), &[0.01]),
        problem("narrow_target_short", 1024, narrow(), &[1e-4, 0.01]),
        problem(
            "noise_in_density",
            256,
            [
                formula("0.87*sin(2*pi*x)"),
                formula("-2*cos(2*pi*x) - 0.3*cos(4*pi*x)"),
            ],
            &[0.07],
        ),
    ]
}

/// `a cos 2πk·x + b sin 2πk·x`.
struct Wave {
    k: i32,
    a: f64,
    b: f64,
}

fn draw_waves(draw: &mut Gaussians, amplitude: f64, modes: i32) -> Vec<Wave> {
    let mut wave = |k: i32| Wave {
        k,
        a: draw.next() * amplitude / f64::from(k),
        b: draw.next() * amplitude / f64::from(k),
    };
    (1..=modes).map(&mut wave).collect()
}

fn written(waves: &[Wave], coordinate: char) -> String {
    let wave = |Wave { k, a, b }: &Wave| {
        format!("{a:.4}*cos(2*pi*{k}*{coordinate}) + {b:.4}*sin(2*pi*{k}*{coordinate})")
    };
    sum(waves.iter().map(wave))
}

fn waves_of_one(draw: &mut Gaussians, amplitude: f64, modes: i32, coordinate: char) -> String {
    written(&draw_waves(draw, amplitude, modes), coordinate)
}

/// Waves along the axes, twice as short ones, and those along the diagonals of each pair of axes.
fn waves_of_several(draw: &mut Gaussians, amplitude: f64, d: usize) -> String {
    let unit = |i: usize, length: i32| -> Vec<i32> {
        (0..d).map(|j| if i == j { length } else { 0 }).collect()
    };
    let mut vectors: Vec<Vec<i32>> = (0..d).map(|i| unit(i, 1)).collect();
    for i in 0..d {
        for j in i + 1..d {
            for sign in [1, -1] {
                let diagonal = unit(i, 1).into_iter().zip(unit(j, sign));
                vectors.push(diagonal.map(|(a, b)| a + b).collect());
            }
        }
    }
    vectors.extend((0..d).map(|i| unit(i, 2)));
    let mut wave = |k: &Vec<i32>| {
        let length = f64::from(k.iter().map(|k| k.abs()).sum::<i32>());
        let [a, b] = [(); 2].map(|()| draw.next() * amplitude / length);
        let phases = k.iter().zip(COORDINATES).filter(|(k, _)| **k != 0);
        let phase = sum(phases.map(|(k, coordinate)| format!("{k}*{coordinate}")));
        format!("{a:.4}*cos(2*pi*({phase})) + {b:.4}*sin(2*pi*({phase}))")
    };
    sum(vectors.iter().map(&mut wave))
}

fn sum(terms: impl Iterator<Item = String>) -> String {
    terms.collect::<Vec<_>>().join(" + ").replace("+ -", "- ")
}

fn formula(text: &str) -> String {
    format!("Formula(\"{text}\")")
}

/// A formula, or the uniform density for none.
fn density(text: &str) -> String {
    if text.is_empty() {
        "Uniform".into()
    } else {
        formula(text)
    }
}

fn gaussian(weight: f64, mean: &[f64], deviation: &[f64]) -> String {
    format!("(weight: {weight:?}, mean: {mean:?}, deviation: {deviation:?})")
}

fn gaussians(components: &[String]) -> String {
    format!("WrappedGaussians([{}])", components.join(", "))
}

fn von_mises(mean: &[f64], concentration: &[f64]) -> String {
    format!("VonMises([(weight: 1.0, mean: {mean:?}, concentration: {concentration:?})])")
}

/// Standard normal numbers by Box and Muller's transform.
struct Gaussians(XorShift);

impl Gaussians {
    fn new(seed: u64) -> Self {
        Self(XorShift::new(seed))
    }

    fn next(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.uniform()).ln()).sqrt();
        radius * (TAU * self.0.uniform()).cos()
    }
}
