//! The orders of the three coordinates: errors at the last instant against the step, and against h.

use super::coordinates::Run;
use super::{Metric, MirrorFlow, TIGHTEST, tight};
use crate::record::Record;
use crate::scenario::{Numerics, Space};
use crate::study::jobs::Tick;
use crate::study::measure::Context;
use mirrorflow_solvers::Error;
use mirrorflow_solvers::parallel::{sup, sup_difference};
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::time::{Rosenbrock, Stepper};

/// Names of the coordinates in the record.
const COORDINATES: [&str; 3] = ["mirror", "dual", "primal"];

/// Nodes of the grids for the order in h, relative to the scenario's.
const GRIDS: [(usize, usize); 3] = [(1, 2), (3, 4), (1, 1)];

impl MirrorFlow {
    /// Errors at the last instant with fixed steps, each coordinate against itself at the tightest tolerance on the same grid, so that
    /// the error in space does not enter.
    pub(super) fn record_time_order(
        &self,
        context: &Context,
        metric: Metric,
        record: &mut Record,
        tick: &Tick,
    ) -> Result<(), Error> {
        if self.refinements.is_empty() {
            return Ok(());
        }
        let horizon = [*self.times.last().expect("the times are not empty")];
        let at_horizon = |stepper, part: &Tick| {
            let mut run = self.run(context, &context.built.torus, stepper, part);
            run.times = &horizon;
            routes(&run, metric)
        };
        let adaptive = |tolerance| Stepper::Adaptive { tolerance };
        let reference = at_horizon(adaptive(TIGHTEST), &|_| tick(0.0))?;
        let looser = at_horizon(adaptive(10.0 * TIGHTEST), &|_| tick(0.1))?;
        let apart = |rho: &[Vec<f64>; 3]| -> [f64; 3] {
            [0, 1, 2].map(|k| sup_difference(&rho[k], &reference[k]) / sup(&reference[k]))
        };
        let total = self.refinements.iter().sum::<usize>() as f64;
        let (mut errors, mut before) = (Vec::new(), 0.2);
        for &count in &self.refinements {
            let share = 0.8 * count as f64 / total;
            let stepper = refined(context.stepper(), horizon[0] / count as f64);
            errors.push(apart(&at_horizon(stepper, &|x| tick(before + share * x))?));
            before += share;
        }
        let steps = self
            .refinements
            .iter()
            .map(|&count| horizon[0] / count as f64);
        record.insert_curve("steps", steps.collect());
        for (k, (name, floor)) in COORDINATES.iter().zip(apart(&looser)).enumerate() {
            let errors = errors.iter().map(|errors| errors[k]);
            record.insert_curve(&format!("{name}_time_error"), errors.collect());
            record.insert_number(&format!("{name}_time_floor"), floor);
        }
        Ok(())
    }

    /// Errors at the last instant on coarser grids of a difference calculus, against a spectral mirror coordinate on the finest.
    pub(super) fn record_space_order(
        &self,
        context: &Context,
        metric: Metric,
        record: &mut Record,
        tick: &Tick,
    ) -> Result<(), Error> {
        let torus = &context.built.torus;
        if context.calculus(torus).order().is_none() {
            return Ok(());
        }
        let spectral = Numerics {
            space: Space::Spectral,
            ..context.numerics.clone()
        };
        let exact = Context {
            numerics: &spectral,
            ..*context
        };
        let horizon = [*self.times.last().expect("the times are not empty")];
        let (stepper, _) = tight(context.stepper());
        let mut run = self.run(&exact, torus, stepper, tick);
        run.times = &horizon;
        let reference = run.densities(&run.mirror()?)?.remove(0);
        let (mut spacings, mut errors) = (Vec::new(), [const { Vec::new() }; 3]);
        for (part, whole) in GRIDS {
            let coarse = torus.resized(|n| n * part / whole)?;
            let mut run = self.run(context, &coarse, stepper, tick);
            run.times = &horizon;
            spacings.push(1.0 / coarse.points()[0] as f64);
            for (errors, rho) in errors.iter_mut().zip(routes(&run, metric)?) {
                let fine = refine(&coarse, &rho, torus);
                errors.push(sup_difference(&fine, &reference) / sup(&reference));
            }
        }
        record.insert_curve("spacings", spacings);
        for (name, errors) in COORDINATES.iter().zip(errors) {
            record.insert_curve(&format!("{name}_space_error"), errors);
        }
        Ok(())
    }
}

/// ρ at the one instant of `run` by each of [`COORDINATES`].
fn routes(run: &Run, metric: Metric) -> Result<[Vec<f64>; 3], Error> {
    let mirror = run.densities(&run.mirror()?)?.remove(0);
    let conjugates = run.conjugates(&run.dual()?)?;
    let dual = run.densities(&conjugates)?.remove(0);
    Ok([mirror, dual, run.primal(metric)?.remove(0)])
}

/// Order of the scenario's method.
pub fn of(stepper: Stepper) -> u32 {
    match stepper {
        Stepper::Adaptive { .. } | Stepper::Fixed { .. } => Rosenbrock::ORDER,
        Stepper::Explicit { method, .. } => method.order(),
    }
}

/// The scenario's method with fixed steps.
pub fn refined(stepper: Stepper, step: f64) -> Stepper {
    match stepper {
        Stepper::Adaptive { .. } | Stepper::Fixed { .. } => Stepper::Fixed {
            step,
            tolerance: TIGHTEST,
        },
        Stepper::Explicit { method, .. } => Stepper::Explicit { method, step },
    }
}
