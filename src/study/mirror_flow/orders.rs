//! The orders of the three coordinates: errors at the last instant against the step, and against h.

use super::coordinates::Run;
use super::{Metric, MirrorFlow, TIGHTEST, tight};
use crate::record::Record;
use crate::scenario::{Numerics, Space};
use crate::study::measure::Context;
use crate::study::progress::{Progress, Stages};
use mirrorflow_solvers::parallel::{sup, sup_difference};
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::time::{Rosenbrock, Stepper};
use mirrorflow_solvers::{Error, Torus};

/// Names of the coordinates in the record.
const COORDINATES: [&str; 3] = ["mirror", "dual", "primal"];

/// Modelled shares of their work.
const ROUTES: [f64; 3] = [1.0, 1.0, 10.0];

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
        progress: &dyn Progress,
    ) -> Result<(), Error> {
        if self.refinements.is_empty() {
            return Ok(());
        }
        let horizon = [*self.times.last().expect("the times are not empty")];
        let at_horizon = |stepper, part: &dyn Progress| {
            self.routes(
                context,
                &context.built.torus,
                (stepper, &horizon),
                metric,
                part,
            )
        };
        let adaptive = |tolerance| Stepper::Adaptive { tolerance };
        let most = *self.refinements.iter().max().expect("not empty") as f64;
        let shares = self.refinements.iter().map(|&count| count as f64 / most);
        let stages = Stages::new(
            progress,
            &[1.0, 0.7].into_iter().chain(shares).collect::<Vec<_>>(),
        );
        let reference = at_horizon(adaptive(TIGHTEST), &stages.part(0))?;
        let looser = at_horizon(adaptive(10.0 * TIGHTEST), &stages.part(1))?;
        let apart = |rho: &[Vec<f64>; 3]| -> [f64; 3] {
            [0, 1, 2].map(|k| sup_difference(&rho[k], &reference[k]) / sup(&reference[k]))
        };
        let mut errors = Vec::new();
        for (k, &count) in self.refinements.iter().enumerate() {
            let stepper = refined(context.stepper(), horizon[0] / count as f64);
            errors.push(apart(&at_horizon(stepper, &stages.part(2 + k))?));
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
        progress: &dyn Progress,
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
        let sizes =
            GRIDS.map(|(part, whole)| (part as f64 / whole as f64).powi(torus.dimension() as i32));
        let stages = Stages::new(progress, &[0.5, sizes[0], sizes[1], sizes[2]]);
        let part = stages.part(0);
        let tick = |x: f64| part.tick("orders", x);
        let mut run = self.run(&exact, torus, stepper, &tick);
        run.times = &horizon;
        let reference = run.densities(&run.mirror()?)?.remove(0);
        let (mut spacings, mut errors) = (Vec::new(), [const { Vec::new() }; 3]);
        for (k, (part, whole)) in GRIDS.into_iter().enumerate() {
            let coarse = torus.resized(|n| n * part / whole)?;
            spacings.push(1.0 / coarse.points()[0] as f64);
            let found = self.routes(
                context,
                &coarse,
                (stepper, &horizon),
                metric,
                &stages.part(1 + k),
            )?;
            for (errors, rho) in errors.iter_mut().zip(found) {
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

    /// ρ at the one instant by each of [`COORDINATES`].
    fn routes(
        &self,
        context: &Context,
        torus: &Torus,
        (stepper, times): (Stepper, &[f64]),
        metric: Metric,
        progress: &dyn Progress,
    ) -> Result<[Vec<f64>; 3], Error> {
        let stages = Stages::new(progress, &ROUTES);
        let route = |k: usize| {
            let part = stages.part(k);
            move |x: f64| part.tick("orders", x)
        };
        let ticks = [route(0), route(1), route(2)];
        let [mirror, dual, primal] = [0, 1, 2].map(|k| Run {
            times,
            ..self.run(context, torus, stepper, &ticks[k])
        });
        let rho = mirror.densities(&mirror.mirror()?)?.remove(0);
        let conjugates = dual.conjugates(&dual.dual()?)?;
        let of_dual = dual.densities(&conjugates)?.remove(0);
        Ok([rho, of_dual, primal.primal(metric)?.remove(0)])
    }
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
