//! The grid that a flow is integrated on.
//!
//! Sinkhorn needs points that grow like 1/√ε; the flow that it is compared with does not. Integrated on the coarsest grid that resolves
//! it, it costs a fraction, and its trigonometric interpolant on the scenario's grid is as accurate: the error budget of a study measures
//! its space error on that grid by a coarser one still.

use super::measure::Context;
use crate::scenario::{Space, Time};
use mirrorflow_solvers::fourier::{Complex64, Fourier};
use mirrorflow_solvers::resolution::{fast_length, points_for};
use mirrorflow_solvers::sinkhorn::Extrapolation;
use mirrorflow_solvers::{Error, LogDensity, Result, Torus};
use std::sync::Arc;

/// Part of the tolerance that Fourier coefficients beyond n/3 may add up to. Those beyond n/2 are far smaller still, so that the two
/// derivatives in log ρ do not bring them back.
const LEFT_OUT: f64 = 0.1;

/// The tolerance that is asked for where the scenario's is looser: the tail of a decay shows space errors that the steps' errors do not reach.
const LOOSEST: f64 = 1e-9;

/// Error per step of the flow whose modes are looked at. A looser one would take so few steps that the time with the most modes, early
/// in the flow, could be missed.
const SCOUT: f64 = 1e-9;

/// Fewest points along an axis that is coarsened.
const FEWEST: usize = 32;

/// Lines that are transformed at once: axes are made of whole groups of them.
const LINES: usize = 8;

/// The scenario's grid with as few points along each axis as resolve p_t up to `horizon`, the densities and their logarithms to a
/// tenth of the tolerance, or of 1e-9. Finite differences, dealiasing and explicit steps keep the scenario's grid.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn flow_grid(context: &Context, horizon: f64) -> Result<Torus> {
    let own = &context.built.torus;
    let (Space::Spectral, Time::Adaptive { tolerance } | Time::Rosenbrock { tolerance }) =
        (context.numerics.space, context.numerics.time)
    else {
        return Ok(own.clone());
    };
    let mut needed = Needed::new(own, LEFT_OUT * tolerance.min(LOOSEST));
    for log in [context.densities().0, context.densities().1] {
        needed.by(&log.iter().map(|f| (-f).exp()).collect::<Vec<_>>());
        needed.by(&log);
    }
    match scout(context, horizon, &mut needed) {
        Ok(()) => {}
        Err(interrupted @ Error::Interrupted { .. }) => return Err(interrupted),
        // What a scout cannot do is no reason to refuse the flow.
        Err(_) => return Ok(own.clone()),
    }
    let axes = own.points().iter().zip(needed.points);
    let points: Vec<usize> = axes
        .map(|(&n, needed)| n.min(fast_length(needed, LINES)))
        .collect();
    Torus::new(&points)
}

/// The flow by extrapolated Sinkhorn, which costs next to nothing.
fn scout(context: &Context, horizon: f64, needed: &mut Needed) -> Result<()> {
    let own = &context.built.torus;
    let source: Arc<dyn LogDensity> = Arc::new(context.built.source.clone());
    let target: Arc<dyn LogDensity> = Arc::new(context.built.target.clone());
    let start = context.built.start.on(own);
    needed.by(&start);
    let mut flow = Extrapolation::new(own, source, target, &start, SCOUT)?;
    let mut time = 0.0;
    while time < horizon {
        time = flow.advance(time, horizon)?.time;
        needed.by(&flow.p());
        if context.progress.interrupted() {
            let when = format!("at t = {time:.6e}");
            return Err(Error::Interrupted { when });
        }
    }
    Ok(())
}

/// Points along each axis that resolve all fields so far.
struct Needed {
    fourier: Fourier,
    spectrum: Vec<Complex64>,
    left_out: f64,
    points: Vec<usize>,
}

impl Needed {
    fn new(torus: &Torus, left_out: f64) -> Self {
        let fourier = Fourier::new(torus);
        Self {
            spectrum: fourier.spectrum(),
            fourier,
            left_out,
            points: vec![FEWEST; torus.dimension()],
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

    fn grid(points: usize, numerics: &str) -> Vec<usize> {
        let text = format!(
            "Scenario(title: \"t\", problem: Torus(points: [{points}], source: Formula(\"0.4*cos(2*pi*x)\"), \
             target: Formula(\"0.3*sin(4*pi*x)\")), {numerics} studies: [Flow(times: [0.05])])"
        );
        let loaded = parse("flow_grid.ron", &text).unwrap();
        let context = Context {
            built: loaded.built.on_torus().unwrap(),
            numerics: &loaded.scenario.numerics,
            progress: &Silent,
        };
        flow_grid(&context, 0.05).unwrap().points().to_vec()
    }

    #[test]
    fn the_grid_follows_the_flow_and_not_the_scenario() {
        let fine = grid(1024, "");
        assert_eq!(fine, grid(256, ""));
        assert!(fine[0] < 128, "{fine:?}");
        let strict = grid(1024, "numerics: (time: Rosenbrock(tolerance: 1e-12)),");
        assert!(strict > fine, "{strict:?} {fine:?}");
        assert_eq!(grid(32, ""), [32]);
    }

    #[test]
    fn what_measures_the_scenarios_own_grid_keeps_it() {
        for numerics in [
            "numerics: (space: FiniteDifference(order: 2)),",
            "numerics: (space: Dealiased),",
            "numerics: (time: RungeKutta4(step: 1e-7)),",
        ] {
            assert_eq!(grid(1024, numerics), [1024], "{numerics}");
        }
    }
}
