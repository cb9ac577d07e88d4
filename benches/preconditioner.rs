//! Linear solves `w − c L_u w = r` and `⟨w⟩ − L_u w = r` to 1e-8 of r, preconditioned in Fourier space and by differences.
//!
//! Potentials are sums of a few waves, made so large that `λ_max(A)/λ_min(A)` over the nodes is the contrast asked for; r is white
//! noise, the hardest. CPU seconds are those of all threads, for one solve and for making a new u ready. `--large` adds the largest
//! grids.

use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::density::{Density, Formula};
use mirrorflow_solvers::monge_ampere::{Linearised, MongeAmpere, Preconditioning};
use mirrorflow_solvers::parallel::{dot, max_of};
use mirrorflow_solvers::random::XorShift;
use mirrorflow_solvers::symmetric::{extreme_eigenvalues, identity_plus};
use mirrorflow_solvers::{Jet, LogDensity, Order, Result, Torus};
use std::sync::Arc;

const TOLERANCE: f64 = 1e-8;
/// Waves of the potential.
const POTENTIALS: [&str; 3] = [
    "cos(2*pi*x) + 0.2*sin(4*pi*x) + 0.05*cos(6*pi*x)",
    "cos(2*pi*(x-0.1)) + 0.7*cos(2*pi*(y-0.3)) + 0.5*cos(2*pi*(x+y)) - 0.4*sin(2*pi*(x-y)) + 0.15*cos(2*pi*(2*x+y))",
    "cos(2*pi*(x-0.1)) + 0.7*cos(2*pi*(y-0.3)) + 0.8*sin(2*pi*z) + 0.3*cos(2*pi*(x+y-z)) - 0.4*sin(2*pi*(x-y)) + 0.3*cos(2*pi*(y+z))",
];
const TARGETS: [&str; 3] = [
    "0.8*cos(2*pi*x) + 0.4*sin(4*pi*x)",
    "0.8*cos(2*pi*y) + 0.5*sin(2*pi*(x+y)) - 0.4*cos(2*pi*(2*x-y))",
    "0.6*cos(2*pi*y) + 0.4*sin(2*pi*(x+z)) - 0.4*cos(2*pi*(x-y))",
];

fn main() -> Result<()> {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    // A listing or a test run of the benchmarks asks for no times.
    if !given("--bench") {
        return Ok(());
    }
    let mut grids = vec![
        (vec![256], 1e3),
        (vec![1024], 1e3),
        (vec![64, 64], 1e3),
        (vec![128, 128], 1e3),
        (vec![16, 16, 16], 1e2),
        (vec![32, 32, 32], 1e2),
    ];
    if given("--large") {
        grids.push((vec![256, 256], 1e3));
        grids.push((vec![64, 64, 64], 1e2));
    }
    println!(
        "grid          contrast  c        Fourier: iterations  solve s   set-up s   differences: iterations  solve s   set-up s"
    );
    for (points, most) in grids {
        for contrast in [2.0, 10.0, 100.0, 1000.0] {
            if contrast <= most {
                measure(&points, contrast)?;
            }
        }
    }
    Ok(())
}

fn measure(points: &[usize], contrast: f64) -> Result<()> {
    let torus = Torus::new(points)?;
    let d = torus.dimension();
    let target = Density::new(Arc::new(Formula::parse(TARGETS[d - 1], d)?))?;
    let p = potential(&torus, contrast)?;
    let calculus = Box::new(Spectral::new(&torus));
    let source = vec![0.0; torus.len()];
    let mut operator = MongeAmpere::from_values(source.clone(), Arc::new(target), calculus);
    let mut linearised = Linearised::new(&operator, Order::Gradient);
    let mut rate = source;
    let mut random = XorShift::new(1);
    let mut noise = || -> Vec<f64> { (0..torus.len()).map(|_| random.symmetric()).collect() };
    let (r, mut w) = (noise(), vec![0.0; torus.len()]);
    let tolerance = TOLERANCE * (dot(&r, &r) / r.len() as f64).sqrt();
    for c in [1e-6, 1e-4, 1e-2, 1.0, f64::INFINITY] {
        let mut line = format!("{:13} {contrast:<9} {c:<9e}", format!("{points:?}"));
        for way in [Preconditioning::Fourier, Preconditioning::Differences] {
            linearised.precondition_by(way);
            linearised.freeze(&mut operator, &p, &mut rate)?;
            let mut solve = |tolerance: f64, fresh: bool| {
                if fresh {
                    linearised.precondition_by(way);
                }
                if c.is_finite() {
                    linearised.solve_shifted(&mut operator, c, &r, &mut w, tolerance)
                } else {
                    linearised.solve_poisson(&mut operator, &r, &mut w, tolerance)
                }
            };
            // A solve that is content with 0 makes ready and does nothing else.
            let set_up = seconds(|| solve(f64::INFINITY, true).map(|_| ()));
            let (mut iterations, mut ended) = (0, "");
            let all = seconds(|| {
                match solve(tolerance, true) {
                    Ok(solved) => iterations = solved.iterations,
                    Err(_) => ended = "no",
                }
                Ok(())
            });
            line += &format!(
                "{:>16} {:>10.5} {:>10.5}",
                format!("{iterations}{ended}"),
                (all? - set_up.as_ref().unwrap_or(&0.0)).max(0.0),
                set_up?
            );
        }
        println!("{line}");
    }
    Ok(())
}

/// CPU seconds of `body`, the least of a few runs.
fn seconds(mut body: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let start = processor_time();
        body()?;
        least = least.min(processor_time() - start);
    }
    Ok(least)
}

/// CPU seconds of all threads so far, where the system tells.
fn processor_time() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    let one = |task: std::io::Result<std::fs::DirEntry>| -> Option<f64> {
        let text = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    tasks.filter_map(one).sum::<f64>() * 1e-9
}

/// The waves, times what gives the contrast.
fn potential(torus: &Torus, contrast: f64) -> Result<Vec<f64>> {
    let d = torus.dimension();
    let waves = Formula::parse(POTENTIALS[d - 1], d)?;
    let mut jet = Jet::zeros(d, torus.len(), Order::Hessian);
    waves.jet(&torus.nodes(), &mut jet);
    let of = |size: f64| {
        let hessian: Vec<Vec<f64>> = jet
            .hessian
            .iter()
            .map(|h| h.iter().map(|h| size * h).collect())
            .collect();
        let eigenvalues = |i| extreme_eigenvalues(d, &identity_plus(d, &hessian, i));
        let least = -max_of(torus.len(), |i| -eigenvalues(i).0);
        let most = max_of(torus.len(), |i| eigenvalues(i).1);
        if least > 0.0 {
            most / least
        } else {
            f64::INFINITY
        }
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if of(middle) < contrast {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(jet.value.iter().map(|p| low * p).collect())
}
