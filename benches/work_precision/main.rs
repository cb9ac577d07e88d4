//! Work–precision of the integrators of the parabolic Monge–Ampère flow: seconds against the error of p at the end, sup norm, constant
//! included, compared with Rodas5P at a tolerance of 1e-11 on a grid that resolves the data. RK4 from the time of a few steps.
//!
//! `cargo bench --bench work_precision`; with `-- --draw` it also writes the figure of docs/performance.md.

mod exponential;
mod rkc;

use mirrorflow::figure::{Axis, Curves, Figure, Panel, Scale, Series, SlopeGuide, Style};
use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::density::{Density, Formula};
use mirrorflow_solvers::monge_ampere::{ExtrapolatedFlow, Flow, MongeAmpere};
use mirrorflow_solvers::parallel::sup_difference;
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::time::{Method, Stepper};
use mirrorflow_solvers::{LogDensity, Torus};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// Grid, grid of the reference, end of the flow.
const CASES: [(&[usize], &[usize], f64); 4] = [
    (&[64, 64], &[64, 64], 0.3),
    (&[128, 128], &[64, 64], 0.3),
    (&[256, 256], &[64, 64], 0.3),
    (&[64, 64, 64], &[40, 40, 40], 0.05),
];
const SOURCES: [&str; 2] = [
    "0.4*cos(2*pi*x) + 0.3*sin(2*pi*(x + y))",
    "0.3*cos(2*pi*x) + 0.2*sin(2*pi*(y - z))",
];
const TARGETS: [&str; 2] = [
    "0.5*cos(2*pi*y) + 0.2*cos(2*pi*(x - y))",
    "0.3*sin(2*pi*z) + 0.2*cos(2*pi*y)",
];
const REFERENCE: f64 = 1e-11;

/// Steps of RK4 that are timed; the rest is multiplication.
const RK4_STEPS: f64 = 20.0;

/// A run that takes longer than this is the last of its method: smaller tolerances take longer still.
const PATIENCE: f64 = 30.0;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The flow at its end, and the work: right-hand sides, products with the Jacobian, or Sinkhorn iterations.
pub struct End {
    pub p: Vec<f64>,
    pub work: usize,
}

/// An integrator with the tolerances it is run at.
struct Integrator {
    name: &'static str,
    tolerances: &'static [f64],
    run: fn(&Case, f64) -> Result<End>,
}

const INTEGRATORS: [Integrator; 4] = [
    Integrator {
        name: "extrapolated Sinkhorn",
        tolerances: &[1e-6, 1e-7, 1e-8, 1e-9, 1e-10],
        run: Case::extrapolated,
    },
    Integrator {
        name: "Rodas5P",
        tolerances: &[1e-4, 1e-5, 1e-6, 1e-7],
        run: Case::rosenbrock,
    },
    Integrator {
        name: "exponential Rosenbrock",
        tolerances: &[1e-4, 1e-5, 1e-6, 1e-7, 1e-8],
        run: |case, tolerance| {
            exponential::run(case.operator(), &case.start(), case.time, tolerance)
        },
    },
    Integrator {
        name: "RKC",
        tolerances: &[1e-4, 1e-5, 1e-6, 1e-7, 1e-8],
        run: |case, tolerance| rkc::run(case.operator(), &case.start(), case.time, tolerance),
    },
];

struct Case {
    torus: Torus,
    source: Arc<Density>,
    target: Arc<Density>,
    time: f64,
}

impl Case {
    fn new(points: &[usize], time: f64) -> Result<Self> {
        let d = points.len();
        let density = |formula: &str| -> Result<Arc<Density>> {
            Ok(Arc::new(Density::new(Arc::new(Formula::parse(
                formula, d,
            )?))?))
        };
        Ok(Self {
            torus: Torus::new(points)?,
            source: density(SOURCES[d - 2])?,
            target: density(TARGETS[d - 2])?,
            time,
        })
    }

    fn operator(&self) -> MongeAmpere {
        let spectral = Box::new(Spectral::new(&self.torus));
        MongeAmpere::new(&*self.source, self.target.clone(), spectral)
    }

    fn start(&self) -> Vec<f64> {
        vec![0.0; self.torus.len()]
    }

    /// The end of a flow, with the iterations of Krylov's or Sinkhorn's method.
    fn flow(mut flow: Flow, time: f64) -> Result<End> {
        let mut work = 0;
        let end = flow.run(&[time], &mut |step| {
            work += step.krylov + step.sinkhorn;
            ControlFlow::Continue(())
        })?;
        let p = end.into_iter().next().expect("one time").p;
        Ok(End { p, work })
    }

    fn rosenbrock(&self, tolerance: f64) -> Result<End> {
        let stepper = Stepper::Adaptive { tolerance };
        Self::flow(
            Flow::new(self.operator(), stepper, &self.start()),
            self.time,
        )
    }

    fn extrapolated(&self, tolerance: f64) -> Result<End> {
        let source: Arc<dyn LogDensity> = self.source.clone();
        let mut flow = ExtrapolatedFlow::new(self.operator(), source, tolerance, &self.start())?;
        let (mut snapshots, mut work) = (Vec::new(), 0);
        flow.run_into(&[self.time], &mut snapshots, &mut |step| {
            work += step.sinkhorn;
            ControlFlow::Continue(())
        })?;
        let p = snapshots.remove(0).p;
        Ok(End { p, work })
    }

    /// Seconds of RK4 with nine tenths of the step that is stable at the start, from a few steps.
    fn rk4(&self) -> Result<f64> {
        let method = Method::RungeKutta4;
        let stepper = |step| Stepper::Explicit { method, step };
        let limit =
            Flow::new(self.operator(), stepper(1.0), &self.start()).stability_limit(method)?;
        let (step, some) = (0.9 * limit, 0.9 * limit * RK4_STEPS);
        let run = || {
            Self::flow(
                Flow::new(self.operator(), stepper(step), &self.start()),
                some,
            )
        };
        Ok(timed(&run)?.0 * self.time / some)
    }
}

/// Seconds and result; the least of several runs where these are short.
fn timed(run: &dyn Fn() -> Result<End>) -> Result<(f64, End)> {
    let mut best = f64::INFINITY;
    loop {
        let begin = Instant::now();
        let end = run()?;
        let seconds = begin.elapsed().as_secs_f64();
        let again = seconds < 1.0 && seconds < 0.95 * best;
        best = best.min(seconds);
        if !again {
            return Ok((best, end));
        }
    }
}

fn main() -> Result<()> {
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    if !given("--bench") {
        return Ok(());
    }
    let mut panels = Vec::new();
    for (points, resolving, time) in CASES {
        let case = Case::new(points, time)?;
        let coarse = Case::new(resolving, time)?;
        let exact = refine(&coarse.torus, &coarse.rosenbrock(REFERENCE)?.p, &case.torus);
        println!("{points:?}, t = {time}");
        let mut series = Vec::new();
        for Integrator {
            name,
            tolerances,
            run,
        } in INTEGRATORS
        {
            let mut measured = Vec::new();
            for &tolerance in tolerances {
                let (seconds, End { p, work }) = timed(&|| run(&case, tolerance))?;
                let error = sup_difference(&p, &exact);
                println!(
                    "  {name:<22} tolerance {tolerance:e}  {seconds:>8.3} s  error {error:.1e}  work {work:>7}"
                );
                measured.push((error, seconds));
                if seconds > PATIENCE {
                    break;
                }
            }
            series.push((name, measured));
        }
        println!(
            "  {:<22} {:>24.1} s  (from {RK4_STEPS} steps)",
            "RK4, 0.9 of its limit",
            case.rk4()?
        );
        panels.push((points, series));
    }
    if given("--draw") {
        draw(panels)?;
    }
    Ok(())
}

type Measured<'a> = Vec<(&'a str, Vec<(f64, f64)>)>;

fn draw(panels: Vec<(&[usize], Measured)>) -> Result<()> {
    let panel = |(points, measured): (&[usize], Measured)| {
        let axis = |label: &str| Axis {
            label: label.into(),
            scale: Scale::Log,
        };
        let series = measured.into_iter().enumerate();
        Panel::Curves(Curves {
            title: points
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(" × "),
            x: axis("sup error of p"),
            y: axis("seconds"),
            series: series
                .map(|(colour, (name, points))| Series {
                    label: name.into(),
                    points,
                    style: Style::LineMarkers,
                    colour,
                })
                .collect(),
            guides: Vec::<SlopeGuide>::new(),
        })
    };
    let mut panels: Vec<Panel> = panels.into_iter().map(panel).collect();
    let last = panels.split_off(2);
    let figure = Figure {
        name: "work_precision".into(),
        title: None,
        rows: vec![panels, last],
        caption: "Seconds against the error of p at the end of the flow, for integrators of the parabolic Monge–Ampère flow.".into(),
    };
    let rendering = figure.render()?;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/figures");
    std::fs::write(directory.join("work_precision.svg"), rendering.svg)?;
    std::fs::write(directory.join("work_precision.png"), rendering.png)?;
    Ok(())
}
