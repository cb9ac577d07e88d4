//! One Sinkhorn iteration (two half-steps) with the heat kernel in 2-D, at ε = 0.0025, the same on every grid; then half-steps
//! in one to three dimensions and for several ε, next to what the machine can do.

mod common;

use common::{Problem, SIZES, report};
use divan::counter::ItemsCount;
use mirrorflow_solvers::Torus;
use mirrorflow_solvers::elementary::{exp_slice, ln_slice};
use mirrorflow_solvers::sinkhorn::{HalfStep, Kernel, Sinkhorn, points_needed};
use std::f64::consts::TAU;
use std::hint::black_box;
use std::time::Instant;

const EPSILON: f64 = 0.0025;

/// Grids of the table of half-steps.
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

/// Iterations before the half-steps that are timed, so that p is curved.
const WARM_UP: usize = 20;

fn main() {
    divan::main();
    report("Sinkhorn iteration", work);
    if std::env::args().any(|argument| argument == "--bench") {
        machine();
        half_steps();
    }
}

fn work(n: usize) -> impl FnMut() {
    let Problem {
        torus,
        source,
        target,
        p,
    } = Problem::new(n).expect("the problem is valid");
    let (f, g) = (source.on(&torus), target.on(&torus));
    let mut sinkhorn =
        Sinkhorn::new(&torus, Kernel::Heat, EPSILON, &f, &g, &p).expect("the grid resolves ε");
    move || {
        sinkhorn.step().expect("the grid resolves ε");
    }
}

/// Items are grid points.
#[divan::bench(args = SIZES, max_time = 2)]
fn sinkhorn_iteration(bencher: divan::Bencher, n: usize) {
    bencher.counter(ItemsCount::new(n * n)).bench_local(work(n));
}

/// −log densities of the problem on which other programs were timed, up to constants; a third axis of the same kind.
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

/// Two half-steps after the warm-up on a pool of `threads`: median milliseconds.
fn iteration(torus: &Torus, epsilon: f64, threads: usize) -> f64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("threads").install(|| {
        let [f, g] = problem(torus);
        let (mut p, mut q) = (vec![0.0; torus.len()], vec![0.0; torus.len()]);
        let mut half_step = HalfStep::new(torus, Kernel::Heat, epsilon);
        for _ in 0..WARM_UP {
            half_step.apply(&p, &f, &mut q);
            half_step.apply(&q, &g, &mut p);
        }
        let mut out = vec![0.0; torus.len()];
        median(|| {
            half_step.apply(&p, &f, &mut out);
            half_step.apply(&q, &g, &mut out);
        }) * 1e3
    })
}

fn half_steps() {
    println!("\nTwo half-steps after {WARM_UP} iterations: ms, and ns per point and axis");
    for points in GRIDS {
        let torus = Torus::new(points).expect("a grid");
        for epsilon in [1e-3, 1e-4, 1e-5] {
            if points.iter().any(|&n| n < points_needed(epsilon, 1.0)) {
                continue;
            }
            let [one, two] = [1, 2].map(|threads| iteration(&torus, epsilon, threads));
            let passes = (2 * points.len() * torus.len()) as f64;
            println!(
                "  {:<16} ε = {epsilon:<7} 1 thread {one:>9.3} ms {:>6.2} ns   2 threads {two:>9.3} ms {:>6.2} ns   × {:.2}",
                format!("{points:?}"),
                one * 1e6 / passes,
                two * 1e6 / passes,
                one / two
            );
        }
    }
}

/// What a pass is made of, on one thread: about 40 to 110 multiply–adds, an exponential, a logarithm, and 16 bytes in and out.
fn machine() {
    println!("\nThis machine, one thread");
    let mut values = vec![0.3; 4096];
    let exp = median(|| exp_slice(black_box(&mut values)));
    let ln = median(|| ln_slice(black_box(&mut values)));
    println!("  exp            {:>7.3} ns", exp * 1e9 / 4096.0);
    println!("  ln             {:>7.3} ns", ln * 1e9 / 4096.0);
    let from = vec![1.0; 1 << 22];
    let mut to = vec![0.0; 1 << 22];
    let copy = median(|| black_box(&mut to).copy_from_slice(black_box(&from)));
    println!("  copy a double  {:>7.3} ns", copy * 1e9 / (1 << 22) as f64);
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        let rows = vec![[0.5; 8]; 96];
        let time = median(|| {
            for _ in 0..100 {
                // SAFETY: the instructions are there, as was just asked.
                black_box(unsafe { multiply_add_rows(black_box(&rows)) });
            }
        });
        println!(
            "  multiply–add   {:>7.4} ns",
            time * 1e9 / (100.0 * 96.0 * 64.0)
        );
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
fn multiply_add_rows(rows: &[[f64; 8]]) -> [[f64; 8]; 8] {
    let mut sums = [[0.0_f64; 8]; 8];
    for row in rows {
        for r in 0..8 {
            for lane in 0..8 {
                sums[r][lane] = row[lane].mul_add(row[r], sums[r][lane]);
            }
        }
    }
    sums
}

/// Median seconds over a second of calls, at least five.
fn median(mut work: impl FnMut()) -> f64 {
    work();
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 5 || begin.elapsed().as_secs_f64() < 1.0 {
        let call = Instant::now();
        work();
        times.push(call.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
