//! The elliptic Monge–Ampère equation `f − g(∇u) + log det ∇²u = c` from the identity, to a sup-residual of 1e-10, spectral. The
//! potential is chosen and f computed from it, so that the error is known.
//!
//! *Waves* are resolved by coarse grids; a *bump* as narrow as the grid can hold leaves every grid something to do. 256², 1024²
//! and 128³; with `--all` also 4096², which takes 2.7 GB for the waves and 7.1 GB for the bump.

use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::density::{Density, Formula};
use mirrorflow_solvers::monge_ampere::{Brenier, MongeAmpere, solve_elliptic};
use mirrorflow_solvers::parallel::{max_of, mean};
use mirrorflow_solvers::symmetric::{determinant, identity_plus};
use mirrorflow_solvers::{Jet, LogDensity, Order, Result, Torus};
use std::sync::Arc;
use std::time::Instant;

const TOLERANCE: f64 = 1e-10;
const TARGETS: [&str; 2] = [
    "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x - y))",
    "0.3*cos(2*pi*y) + 0.2*cos(2*pi*(x - z)) + 0.1*sin(2*pi*(x - y + z))",
];
/// Solves of which the fastest counts, on grids of up to a few million nodes.
const REPETITIONS: usize = 3;
const LARGE: usize = 1 << 23;

fn main() -> Result<()> {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    // A listing or a test run of the benchmarks asks for no times.
    if !given("--bench") {
        return Ok(());
    }
    let mut grids = vec![vec![256, 256], vec![1024, 1024], vec![128, 128, 128]];
    if given("--all") {
        grids.push(vec![4096, 4096]);
    }
    println!(
        "elliptic Monge–Ampère to {TOLERANCE:e}, {} threads",
        rayon::current_num_threads()
    );
    for points in grids {
        let torus = Torus::new(&points)?;
        for (name, potential) in [("waves", waves(&torus)), ("bump", bump(&torus))] {
            measure(name, &torus, &potential)?;
        }
    }
    Ok(())
}

fn waves(torus: &Torus) -> String {
    let last = ["", "", "+z"][torus.dimension() - 1];
    format!(
        "0.006*cos(2*pi*(x-0.1)) + 0.003*cos(2*pi*(x+y{last}-0.3)) + 0.001*cos(2*pi*(2*x+y-0.7))"
    )
}

/// Of width 16/n in units of 1/2π, with ∇²u between 0.6 and 1.2.
fn bump(torus: &Torus) -> String {
    let k = (torus.points()[0] as f64 / 16.0).powi(2);
    let size = 0.4 / (4.0 * std::f64::consts::PI.powi(2) * k);
    let axes = ["x", "y", "z"].iter().take(torus.dimension());
    let terms: Vec<String> = axes.map(|x| format!("cos(2*pi*({x}-0.3))-1")).collect();
    format!("{size}*exp({k}*({}))", terms.join("+"))
}

/// Solves, and prints time, work per grid, residual, error and memory.
fn measure(name: &str, torus: &Torus, potential: &str) -> Result<()> {
    let d = torus.dimension();
    let target = Density::new(Arc::new(Formula::parse(TARGETS[d - 2], d)?))?;
    let (exact, source) = manufactured(torus, &Formula::parse(potential, d)?, &target);
    let start = Instant::now();
    let calculus = Box::new(Spectral::new(torus));
    let mut operator = MongeAmpere::from_values(source, Arc::new(target), calculus);
    let set_up = start.elapsed().as_secs_f64();
    let zero = vec![0.0; torus.len()];
    forget_peak();
    let (mut best, mut seconds) = (None, f64::INFINITY);
    let repetitions = if torus.len() > LARGE { 1 } else { REPETITIONS };
    for _ in 0..repetitions {
        let start = Instant::now();
        best = Some(solve_elliptic(&mut operator, &zero, TOLERANCE)?);
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let found = best.expect("solved");
    let middle = mean(&exact);
    let error = max_of(exact.len(), |i| (found.p[i] - exact[i] + middle).abs());
    println!(
        "{:?} {name}: {seconds:.3} s, set up in {set_up:.3} s",
        torus.points()
    );
    println!(
        "    Newton steps/Krylov iterations: {}",
        work(torus, &found)
    );
    println!(
        "    residual {:.1e}, rounding of the values {:.1e}, error of p {error:.1e}{}",
        found.residual,
        found.round_off,
        peak()
    );
    Ok(())
}

fn work(torus: &Torus, found: &Brenier) -> String {
    let one = |points: &[usize], newton: usize, krylov: usize| {
        let length = points.iter().map(usize::to_string).collect::<Vec<_>>();
        format!("{}: {newton}/{krylov}", length.join("×"))
    };
    let coarser = found.coarser.iter();
    let mut all: Vec<String> = coarser
        .map(|l| one(&l.points, l.newton_steps, l.krylov))
        .collect();
    all.push(one(torus.points(), found.newton_steps, found.krylov));
    all.join(", ")
}

/// p at the nodes, and `f = g(∇u) − log det ∇²u`.
fn manufactured(torus: &Torus, p: &Formula, target: &Density) -> (Vec<f64>, Vec<f64>) {
    let d = torus.dimension();
    let mut map = torus.nodes();
    let mut jet = Jet::zeros(d, torus.len(), Order::Hessian);
    p.jet(&map, &mut jet);
    for (x, step) in map.iter_mut().zip(&jet.gradient) {
        x.iter_mut().zip(step).for_each(|(x, step)| *x += step);
    }
    let mut g = Jet::zeros(d, torus.len(), Order::Value);
    target.jet(&map, &mut g);
    let log_det = |i: usize| determinant(d, &identity_plus(d, &jet.hessian, i)).ln();
    let source = (0..torus.len()).map(|i| g.value[i] - log_det(i)).collect();
    (jet.value, source)
}

/// Lets the peak of memory begin anew, where the system can.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Peak memory of the process, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.map_or(String::new(), |kb| {
        format!(", peak memory {:.2} GB", kb * 1024e-9)
    })
}
