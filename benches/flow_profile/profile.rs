//! Performance profiles (Dolan & Moré, Math. Program. 91 (2002)): for each integrator, the share of the problems that it solves in at most
//! τ times the CPU seconds of the fastest, each at the tolerance that suits it best.

use crate::Result;
use crate::integrator::Integrator;
use crate::judge::Measured;
use mirrorflow::figure::{Axis, Curves, Figure, Panel, Scale, Series, Style};
use std::path::Path;

/// Errors of log ρ to be reached.
const TARGETS: [f64; 2] = [1e-6, 1e-8];
/// Shorter runs count as this many CPU seconds: below it the clock decides.
const SHORTEST: f64 = 0.005;
/// Largest τ drawn.
const WIDEST: f64 = 1e3;

/// # Errors
/// If the drawing or a file fails.
pub fn draw(measured: &[Measured]) -> Result<()> {
    let figure = Figure {
        name: "flow_profile".into(),
        title: None,
        rows: vec![TARGETS.map(|target| panel(measured, target)).into()],
        caption: "Share of the problems that an integrator solves in at most τ times the CPU time of the fastest.".into(),
    };
    let rendering = figure.render()?;
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/figures");
    std::fs::write(directory.join("flow_profile.svg"), rendering.svg)?;
    std::fs::write(directory.join("flow_profile.png"), rendering.png)?;
    Ok(())
}

fn panel(measured: &[Measured], target: f64) -> Panel {
    let axis = |label: &str, scale| Axis {
        label: label.into(),
        scale,
    };
    let ran = |integrator: &Integrator| measured.iter().any(|m| m.of(*integrator).count() > 0);
    let integrators = Integrator::ALL.into_iter().filter(ran).enumerate();
    Panel::Curves(Curves {
        title: format!(
            "log ρ to 10^{{{}}}",
            format!("{:.0}", target.log10()).replace('-', "−")
        ),
        x: axis("CPU time over that of the fastest", Scale::Log),
        y: axis("share of problems", Scale::Linear),
        series: integrators
            .map(|(colour, integrator)| Series {
                label: integrator.name().into(),
                points: steps(&ratios(measured, integrator, target)),
                style: Style::Line,
                colour,
            })
            .collect(),
        guides: Vec::new(),
    })
}

/// CPU seconds over those of the fastest for each problem that some integrator solves; infinite where it is not solved.
fn ratios(measured: &[Measured], integrator: Integrator, target: f64) -> Vec<f64> {
    let least = |measured: &Measured, integrator: Integrator| {
        let solving = measured
            .of(integrator)
            .filter(|run| run.final_error().is_some_and(|error| error <= target));
        let seconds = solving.map(|run| run.seconds().max(SHORTEST));
        seconds.fold(f64::INFINITY, f64::min)
    };
    let ratio = |measured: &Measured| {
        let all = Integrator::ALL.map(|other| least(measured, other));
        let fastest = all.into_iter().fold(f64::INFINITY, f64::min);
        fastest
            .is_finite()
            .then(|| least(measured, integrator) / fastest)
    };
    measured.iter().filter_map(ratio).collect()
}

/// The share of `ratios` that is at most τ, as a staircase from τ = 1 to the right edge.
fn steps(ratios: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<f64> = ratios.iter().copied().filter(|r| *r <= WIDEST).collect();
    sorted.sort_by(f64::total_cmp);
    let share = |count: usize| count as f64 / ratios.len().max(1) as f64;
    let mut points = Vec::new();
    for (count, &ratio) in sorted.iter().enumerate() {
        points.extend([(ratio, share(count)), (ratio, share(count + 1))]);
    }
    points.push((WIDEST, share(sorted.len())));
    // What is fastest begins above zero, not with a line along the axis.
    let fastest = sorted.iter().filter(|ratio| **ratio <= 1.0).count();
    points.retain(|(ratio, _)| *ratio > 1.0);
    points.insert(0, (1.0, share(fastest)));
    points
}
