//! Sinkhorn iterations (two half-steps each) in one to three dimensions and for several ε, after 20 iterations from zero: time per
//! point and axis, next to what the machine allows; the error against dense log-sum-exp where that takes seconds only.
//!
//! `cargo bench --bench half_step`; with `-- 256x256 1e-4` that case only, as a line of JSON for programs.

mod common;

use common::machine::Machine;
use common::median;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::parallel::{sup, sup_difference};
use mirrorflow_solvers::sinkhorn::{HalfStep, Kernel, points_needed, reference};
use std::f64::consts::TAU;
use std::time::Instant;

const GRIDS: [&[usize]; 10] = [
    &[4096],
    &[65_536],
    &[64, 64],
    &[128, 128],
    &[256, 256],
    &[512, 512],
    &[1024, 1024],
    &[2048, 2048],
    &[64, 64, 64],
    &[128, 128, 128],
];

const EPSILONS: [f64; 3] = [1e-3, 1e-4, 1e-5];

/// Iterations before those that are timed, so that p is curved.
const WARM_UP: usize = 20;

/// Grids up to this size are compared with the dense sums.
const MOST_DENSE: usize = 128 * 128;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    if let [grid, epsilon] = asked[..] {
        let points: Vec<usize> = grid
            .split('x')
            .map(|n| n.parse().expect("a grid such as 256x256"))
            .collect();
        let epsilon = epsilon.parse().expect("ε such as 1e-4");
        println!("{{\"ms\": {}}}", Case::new(&points, epsilon).time(2) * 1e3);
    } else if arguments.iter().any(|argument| argument == "--bench") {
        table();
    }
}

/// The table is measured so many times, and the least of each time kept: other users of the machine only add. Of speed-ups, the middle.
const ROUNDS: usize = 3;

fn table() {
    let resolved = |points: &&[usize], epsilon: f64| {
        let needed = points_needed(epsilon, 1.0);
        points.iter().all(|&n| n >= needed)
    };
    let cases = GRIDS.into_iter().flat_map(|points| {
        let epsilons = EPSILONS.into_iter().filter(move |&e| resolved(&points, e));
        epsilons.map(move |epsilon| (points, epsilon))
    });
    let cases: Vec<_> = cases
        .map(|(points, epsilon)| Case::new(points, epsilon))
        .collect();
    let mut machine = Machine::measure();
    let mut measured = vec![Vec::new(); cases.len()];
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}, about a minute each");
        machine = machine.least(Machine::measure());
        for (case, measured) in cases.iter().zip(&mut measured) {
            measured.push(case.side_by_side());
        }
    }
    machine.print();
    println!(
        "\nOne iteration: ms, ns per point and axis, and how many times what the machine allows"
    );
    for (case, measured) in cases.iter().zip(measured) {
        case.print(&machine, &measured);
    }
}

/// −log densities of the problem on which other programs are timed (benches/peers), up to constants; a third axis of the same kind.
fn problem(torus: &Torus) -> [Vec<f64>; 2] {
    let source = |x: &[f64]| match x {
        [x] => 0.5 * (TAU * x).cos(),
        [x, y] => 0.5 * (TAU * x).cos() + 0.4 * (TAU * y).sin() * (TAU * x).cos(),
        _ => 0.5 * (TAU * x[0]).cos() + 0.4 * (TAU * x[1]).sin() * (TAU * x[2]).cos(),
    };
    let target = |x: &[f64]| match x {
        [x] => 0.8 * (TAU * x).sin() + 0.3 * (2.0 * TAU * x).cos(),
        [x, y] => 0.6 * (TAU * x).sin() - 0.5 * (TAU * y).cos(),
        _ => 0.6 * (TAU * x[0]).sin() - 0.5 * (TAU * x[1]).cos() + 0.3 * (TAU * x[2]).sin(),
    };
    let values = |log: &dyn Fn(&[f64]) -> f64| {
        let mut values: Vec<_> = (0..torus.len()).map(|i| -log(&torus.node(i))).collect();
        let mass = values.iter().map(|f| (-f).exp()).sum::<f64>() / torus.len() as f64;
        values.iter_mut().for_each(|f| *f += mass.ln());
        values
    };
    [values(&source), values(&target)]
}

fn middle(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Case {
    torus: Torus,
    epsilon: f64,
    f: Vec<f64>,
    g: Vec<f64>,
    p: Vec<f64>,
    q: Vec<f64>,
}

impl Case {
    fn new(points: &[usize], epsilon: f64) -> Self {
        let torus = Torus::new(points).expect("a grid");
        let [f, g] = problem(&torus);
        let (mut p, mut q) = (vec![0.0; torus.len()], vec![0.0; torus.len()]);
        let mut half_step = HalfStep::new(&torus, Kernel::Heat, epsilon);
        for _ in 0..WARM_UP {
            half_step.apply(&p, &f, &mut q);
            half_step.apply(&q, &g, &mut p);
        }
        Self {
            torus,
            epsilon,
            f,
            g,
            p,
            q,
        }
    }

    /// Median seconds of an iteration on a pool of `threads`.
    fn time(&self, threads: usize) -> f64 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let mut half_step = HalfStep::new(&self.torus, Kernel::Heat, self.epsilon);
            let mut out = vec![0.0; self.torus.len()];
            median(1.0, || {
                half_step.apply(&self.p, &self.f, &mut out);
                half_step.apply(&self.q, &self.g, &mut out);
            })
        })
    }

    /// Median seconds of an iteration on one and on two threads by turns, and the median of their ratios.
    fn side_by_side(&self) -> [f64; 3] {
        let pools = [1, 2].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads")
        });
        let mut half_steps = [0, 1].map(|_| HalfStep::new(&self.torus, Kernel::Heat, self.epsilon));
        let mut out = vec![0.0; self.torus.len()];
        let mut turns: Vec<[f64; 3]> = Vec::new();
        let begin = Instant::now();
        while turns.len() < 5 || begin.elapsed().as_secs_f64() < 2.0 {
            let [one, two] = [0, 1].map(|k| {
                let (half_step, begin) = (&mut half_steps[k], Instant::now());
                pools[k].install(|| {
                    half_step.apply(&self.p, &self.f, &mut out);
                    half_step.apply(&self.q, &self.g, &mut out);
                });
                begin.elapsed().as_secs_f64()
            });
            turns.push([one, two, one / two]);
        }
        [0, 1, 2].map(|k| middle(turns.iter().map(|turn| turn[k])))
    }

    fn print(&self, machine: &Machine, rounds: &[[f64; 3]]) {
        let least = |k: usize| rounds.iter().map(|r| r[k]).fold(f64::INFINITY, f64::min);
        let (one, two) = (least(0), least(1));
        let speed_up = middle(rounds.iter().map(|round| round[2]));
        let passes = (2 * self.torus.dimension() * self.torus.len()) as f64;
        let limit = self.limit(machine);
        let each = |seconds: f64| seconds * 1e9 / passes;
        let error = self.error();
        println!(
            "  {:<16} ε = {:<6} 1 thread {:>9.3} ms {:>6.2} ns = {:>4.1} × {limit:>4.1}   2 threads {:>9.3} ms {:>6.2} ns, × {:.2}{}",
            format!("{:?}", self.torus.points()),
            self.epsilon,
            one * 1e3,
            each(one),
            each(one) / limit,
            two * 1e3,
            each(two),
            speed_up,
            error.map_or(String::new(), |e| format!("   error {e:.1e}")),
        );
    }

    /// Nanoseconds per point and axis that arithmetic on one thread takes at least: the multiply–adds, an exponential, a
    /// logarithm; or memory, if that is more.
    fn limit(&self, machine: &Machine) -> f64 {
        let half_step = HalfStep::new(&self.torus, Kernel::Heat, self.epsilon);
        let terms = half_step.terms().iter().sum::<f64>() / self.torus.dimension() as f64;
        let arithmetic = terms * machine.multiply_add + machine.exp + machine.ln;
        arithmetic.max(machine.copy)
    }

    /// Largest difference from the dense sums relative to the largest of these.
    fn error(&self) -> Option<f64> {
        if self.torus.len() > MOST_DENSE {
            return None;
        }
        let mut out = vec![0.0; self.torus.len()];
        HalfStep::new(&self.torus, Kernel::Heat, self.epsilon).apply(&self.p, &self.f, &mut out);
        let exact = reference::half_step(&self.torus, Kernel::Heat, self.epsilon, &self.p, &self.f);
        Some(sup_difference(&out, &exact) / sup(&exact))
    }
}
