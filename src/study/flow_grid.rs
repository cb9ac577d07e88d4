//! The grid that flows beside the mirror flow are integrated on: the coarsest that resolves it and the densities.

use super::measure::Context;
use mirrorflow_solvers::fourier::{Complex64, Fourier};
use mirrorflow_solvers::monge_ampere::{Accuracy, Flow};
use mirrorflow_solvers::resolution::{fast_length, points_for};
use mirrorflow_solvers::{LogDensity, Result, Torus};
use std::sync::Arc;

/// Part of the tolerance that Fourier coefficients beyond n/3 may add up to. Those beyond n/2 are far smaller still, so that the two
/// derivatives in log ρ do not bring them back.
const LEFT_OUT: f64 = 0.1;

/// The tolerance that is asked for where the scenario's is looser: the tail of a decay shows space errors that the steps' errors do not reach.
const LOOSEST: f64 = 1e-9;

/// Lines that are transformed at once: axes are made of whole groups of them.
const LINES: usize = 8;

/// The scenario's grid with as few points along each axis as resolve a flow that takes `points`, and the densities and their logarithms to a
/// tenth of the tolerance, or of 1e-9.
///
/// # Errors
/// None in fact: the grid is made of whole groups of lines.
pub fn flow_grid(context: &Context, points: &[usize], tolerance: f64) -> Result<Torus> {
    let own = &context.built.torus;
    let mut needed = Needed::new(own, LEFT_OUT * tolerance.min(LOOSEST), points);
    for log in [context.densities().0, context.densities().1] {
        needed.by(&log.iter().map(|f| (-f).exp()).collect::<Vec<_>>());
        needed.by(&log);
    }
    let axes = own.points().iter().zip(needed.points);
    let points: Vec<usize> = axes
        .map(|(&n, needed)| n.min(fast_length(needed, LINES)))
        .collect();
    Torus::new(&points)
}

/// Error of the steps in time with which a flow's modes are looked at.
const LOOK: f64 = 1e-6;

/// Points along each axis that the mirror flow of relative entropy takes up to `horizon` for space errors below `tolerance` in log ρ, by
/// a run with longer steps; no more than the scenario's.
///
/// # Errors
/// Those of the flow.
pub fn looked_for(context: &Context, horizon: f64, tolerance: f64) -> Result<Vec<usize>> {
    let own = &context.built.torus;
    let accuracy = Accuracy {
        tolerance: LOOK,
        finest: own.points().to_vec(),
        ..Accuracy::within(tolerance, own)
    };
    let source: Arc<dyn LogDensity> = Arc::new(context.built.source.clone());
    let target: Arc<dyn LogDensity> = Arc::new(context.built.target.clone());
    let start = context.built.start.on(own);
    let mut flow = Flow::following([source, target], own, accuracy, &start, &[])?;
    flow.run(&[horizon], &mut |_| context.progress.beat())?;
    Ok(flow.points())
}

/// Points along each axis that resolve all fields so far.
struct Needed {
    fourier: Fourier,
    spectrum: Vec<Complex64>,
    left_out: f64,
    points: Vec<usize>,
}

impl Needed {
    fn new(torus: &Torus, left_out: f64, points: &[usize]) -> Self {
        let fourier = Fourier::new(torus);
        Self {
            spectrum: fourier.spectrum(),
            fourier,
            left_out,
            points: points.to_vec(),
        }
    }

    fn by(&mut self, field: &[f64]) {
        let points = points_for(&mut self.fourier, &mut self.spectrum, field, self.left_out);
        for (most, points) in self.points.iter_mut().zip(points) {
            *most = (*most).max(points);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;
    use crate::study::Silent;

    fn with<T>(points: usize, measure: impl Fn(&Context) -> T) -> T {
        let text = format!(
            "Scenario(title: \"t\", problem: Torus(points: [{points}], source: Formula(\"0.4*cos(2*pi*x)\"), \
             target: Formula(\"0.3*sin(4*pi*x)\")), studies: [Flow(times: [0.05])])"
        );
        let loaded = parse("flow_grid.ron", &text).unwrap();
        measure(&Context {
            built: loaded.built.on_torus().unwrap(),
            numerics: &loaded.scenario.numerics,
            progress: &Silent,
        })
    }

    #[test]
    fn the_grid_follows_the_flow_and_the_densities_and_not_the_scenario() {
        let grid = |points: usize, needed: usize, tolerance: f64| {
            let grid = with(points, |context| flow_grid(context, &[needed], tolerance));
            grid.unwrap().points()[0]
        };
        assert_eq!([grid(1024, 100, 1e-9), grid(256, 100, 1e-9)], [120, 120]);
        let of_densities = grid(1024, 16, 1e-9);
        assert!((24..120).contains(&of_densities), "{of_densities}");
        assert!(grid(1024, 16, 1e-12) > of_densities);
        assert_eq!(grid(32, 100, 1e-9), 32);
    }

    #[test]
    fn a_look_finds_what_the_flow_takes_and_not_more_than_the_scenario_has() {
        let look = |points, tolerance| with(points, |c| looked_for(c, 0.05, tolerance)).unwrap()[0];
        let loose = look(1024, 1e-6);
        assert!((16..100).contains(&loose), "{loose}");
        assert!(look(1024, 1e-11) > loose);
        assert!(look(32, 1e-11) <= 100);
    }
}
