//! The problem that every benchmark runs on, and the table of times per grid point that each prints at its end.

#![allow(dead_code, reason = "not every benchmark uses all of it")]

pub mod machine;

use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::density::{Density, Formula};
use mirrorflow_solvers::monge_ampere::MongeAmpere;
use mirrorflow_solvers::{Result, Torus};
use std::sync::Arc;
use std::time::Instant;

/// Nodes along each of the two axes.
pub const SIZES: [usize; 3] = [64, 128, 256];

/// Data and grid of the flagship scenario, and the periodic part of a convex potential.
pub struct Problem {
    pub torus: Torus,
    pub source: Density,
    pub target: Density,
    pub p: Vec<f64>,
}

impl Problem {
    pub fn new(n: usize) -> Result<Self> {
        let torus = Torus::new(&[n, n])?;
        let density = |formula| Density::new(Arc::new(Formula::parse(formula, 2)?));
        let wave = |node: usize| {
            let x = torus.node(node);
            0.005 * (std::f64::consts::TAU * (x[0] + x[1])).cos()
        };
        Ok(Self {
            source: density("0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y))")?,
            target: density("0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x - y))")?,
            p: (0..torus.len()).map(wave).collect(),
            torus,
        })
    }

    pub fn operator(&self) -> MongeAmpere {
        MongeAmpere::new(
            &self.source,
            Arc::new(self.target.clone()),
            Box::new(Spectral::new(&self.torus)),
        )
    }
}

/// Prints the median time of `work(n)()` per grid point. Only for `cargo bench`: a listing or a test run of the
/// benchmarks asks for no times.
pub fn report<W: FnMut()>(name: &str, work: impl Fn(usize) -> W) {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("\n{name}, median time per grid point");
    for n in SIZES {
        let seconds = median(1.0, work(n));
        println!(
            "  {:>9}  {:>9.1} ns/point  {:>9.3} ms",
            format!("{n} × {n}"),
            seconds * 1e9 / (n * n) as f64,
            seconds * 1e3
        );
    }
}

/// Median seconds of `work` over `seconds` of calls, at least five.
pub fn median(seconds: f64, mut work: impl FnMut()) -> f64 {
    work();
    let (begin, mut times) = (Instant::now(), Vec::new());
    while times.len() < 5 || begin.elapsed().as_secs_f64() < seconds {
        let call = Instant::now();
        work();
        times.push(call.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
