//! Study `MirrorFlow`: the Wasserstein mirror flow of an objective in its three coordinates, with its dissipation, speed and length
//! (THEORY §5).
//!
//! `coordinates` runs the three routes, `path` measures along the flow, `orders` refines steps and grids, `claims` holds what the theory says, `verdicts` compares, `figures`
//! draws.

mod claims;
mod columns;
mod coordinates;
mod euclidean;
mod figures;
mod gaussian;
mod orders;
mod path;
mod verdicts;

pub use claims::CLAIMS;
pub use euclidean::CLAIMS as EUCLIDEAN_CLAIMS;
pub use figures::quiver;
pub use gaussian::GAUSSIAN_CLAIMS;

use super::flow_grid::{flow_grid, looked_for};
use super::jobs::{self, Job, Tick};
use super::measure::{Context, MeasureError, Measured};
use super::progress::Stages;
use super::{Curve, Experiment, Objective};
use crate::figure::Figure;
use crate::record::{Record, RecordError, Table};
use crate::scenario::BuiltTorus;
use crate::verdict::Verdict;
use coordinates::Run;
use mirrorflow_solvers::parallel::{mean, sup, sup_difference};
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Error, Torus};
use path::{Along, along};
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// The mirror flow recorded at `times`, in three coordinates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorFlow {
    /// Instants t > 0, increasing.
    pub times: Vec<f64>,
    #[serde(default)]
    pub objective: Objective,
    /// Numbers of equal steps to the last instant, for the order in the step; empty to leave it out.
    #[serde(default)]
    pub refinements: Vec<usize>,
}

/// The geometry of the velocity: the theory's, or one that is wrong on purpose, for negative controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// `v = −A∇φ`.
    Hessian,
    /// `v = −∇φ`: the Wasserstein gradient flow.
    Flat,
}

/// The study runs at this part of the scenario's tolerance, so that what it compares are the routes and not the steps.
const TIGHTER: f64 = 1e-2;
/// The given tolerance as a part of the one that shows what it leaves, in the primal coordinate.
const LOOSER: f64 = 1e-1;
/// The tolerance of scenarios that do not name one.
const USUAL: f64 = 1e-9;
/// No step is asked to be better than this.
const TIGHTEST: f64 = 1e-13;

/// Modelled shares of the work: the routes, and their orders in the step and in h where they are asked.
const SHARES: [f64; 3] = [0.8, 0.6, 0.6];

impl MirrorFlow {
    /// The measurement with the velocity of the given metric: the theory's, or a wrong one that must be caught.
    ///
    /// # Errors
    /// As [`Experiment::measure`].
    pub fn measure_in(&self, context: &Context, metric: Metric) -> Result<Measured, MeasureError> {
        let mut record = Record::default();
        let outcome = self.collect(context, metric, &mut record);
        Measured::after(record, outcome)
    }

    fn run<'a>(
        &'a self,
        context: &'a Context,
        torus: &'a Torus,
        stepper: Stepper,
        tick: &'a Tick,
    ) -> Run<'a> {
        Run {
            context,
            torus,
            objective: self.objective,
            stepper,
            times: &self.times,
            tick,
        }
    }

    /// Everything, in the order in which it is worth having when the run is cut short.
    fn collect(&self, context: &Context, metric: Metric, record: &mut Record) -> Result<(), Error> {
        let grids = &Grids {
            flow: with_variation(&self.grid(context)?)?,
            own: with_variation(&context.built.torus)?,
        };
        let jobs = self.jobs(context, metric, grids);
        let stages = Stages::new(context.progress, &self.shares(context));
        let found = jobs::run(jobs, &stages.part(0));
        let (found, outcome) = jobs::first_failure(found);
        let mut found = found.into_iter().map(Ok).chain(outcome.err().map(Err));
        self.record_jobs(context, grids, &mut found, record)?;
        self.record_time_order(context, metric, record, &stages.part(1))?;
        self.record_space_order(context, metric, record, &stages.part(2))
    }

    fn shares(&self, context: &Context) -> [f64; 3] {
        let differences = context.calculus(&context.built.torus).order().is_some();
        let asked = [true, !self.refinements.is_empty(), differences];
        [0, 1, 2].map(|k| if asked[k] { SHARES[k] } else { 0.0 })
    }

    /// The coarsest grid that holds the flow of relative entropy at the tight tolerance; for another objective the scenario's.
    fn grid(&self, context: &Context) -> Result<Torus, Error> {
        if self.objective != Objective::RelativeEntropy {
            return Ok(context.built.torus.clone());
        }
        let (Stepper::Adaptive { tolerance }, true) = (context.stepper(), context.follows()) else {
            return Ok(context.built.torus.clone());
        };
        let tight = (TIGHTER * tolerance).max(TIGHTEST);
        let horizon = self.times.last().copied().unwrap_or(0.0);
        flow_grid(context, &looked_for(context, horizon, tight)?, tight)
    }

    /// The flow with its variations, and each other coordinate with its own on a coarser grid, in the order in which
    /// [`Self::record_jobs`] takes the results.
    fn jobs<'a>(
        &'a self,
        context: &'a Context,
        metric: Metric,
        grids: &'a Grids,
    ) -> Vec<Job<'a, Found>> {
        let ([torus, coarse], [own, own_coarse]) = (&grids.flow, &grids.own);
        let (tight, loose) = tight(context.stepper());
        let (given, looser) = given(context.stepper());
        let path = move |name: &str, torus: &'a Torus, stepper| {
            Job::new(name, 1.0, move |tick: &Tick| {
                let flow = along(&self.run(context, torus, stepper, tick), metric)?;
                Ok(Found::Along(Box::new(flow)))
            })
        };
        let route = move |name: &str, weight: f64, torus: &'a Torus, stepper, which: Route| {
            Job::new(name, weight, move |tick: &Tick| {
                let run = self.run(context, torus, stepper, tick);
                let fields = match which {
                    Route::Dual => run.conjugates(&run.dual()?)?,
                    Route::Primal => run.primal(metric)?,
                };
                Ok(Found::Fields(fields))
            })
        };
        // The variation of a route is coarser in space and in time, so that its difference holds both errors.
        vec![
            path("the mirror coordinate", torus, tight),
            path("the mirror coordinate on a coarser grid", coarse, tight),
            path("the mirror coordinate at a looser tolerance", torus, loose),
            route("the dual coordinate", 1.0, own, tight, Route::Dual),
            route(
                "the dual coordinate, coarser",
                0.4,
                own_coarse,
                loose,
                Route::Dual,
            ),
            route("the primal coordinate", 10.0, torus, given, Route::Primal),
            route(
                "the primal coordinate, coarser",
                4.0,
                coarse,
                looser,
                Route::Primal,
            ),
        ]
    }

    /// Takes the results in the order of [`Self::jobs`] until one failed.
    fn record_jobs(
        &self,
        context: &Context,
        grids: &Grids,
        found: &mut dyn Iterator<Item = Result<Found, Error>>,
        record: &mut Record,
    ) -> Result<(), Error> {
        let mut next = || found.next().expect("a result for every job");
        let flow = next()?.along();
        self.record_path(context, &grids.flow[0], &flow, record);
        let varied = [next()?.along(), next()?.along()];
        let steps = tolerance(tight(context.stepper()).0);
        self.record_budget(&grids.flow, &varied, (&flow, steps), record);
        let (conjugates, coarser) = (next()?.fields(), next()?.fields());
        self.record_dual(context, grids, &flow, [conjugates, coarser], record)?;
        let (rho, coarser) = (next()?.fields(), next()?.fields());
        self.record_primal(context, grids, &flow, [rho, coarser], record)
    }

    /// Fields on the scenario's grid.
    fn record_path(&self, context: &Context, grid: &Torus, found: &Along, record: &mut Record) {
        let torus = &context.built.torus;
        let series = [&[self.times.len()], torus.points()].concat();
        record.insert_curve("times", self.times.clone());
        record.insert("p", &series, onto(grid, &found.p, torus).concat());
        let log_rho = onto(grid, &found.log_rho, torus).concat();
        record.insert("rho", &series, exponential(&log_rho));
        let vectors = [&[self.times.len(), torus.dimension()], torus.points()].concat();
        let v = onto(grid, &found.velocity.concat(), torus);
        record.insert("v", &vectors, v.concat());
        for (name, values) in [
            ("objective", &found.objective),
            ("drop", &found.drop),
            ("dissipation", &found.dissipation),
            ("dissipated", &found.dissipated),
            ("quadrature", &found.quadrature),
            ("speed", &found.speed),
            ("lot_speed", &found.lot_speed),
            ("length", &found.length),
            ("travelled", &found.travelled),
        ] {
            record.insert_curve(name, values.clone());
        }
        let least = found
            .eigenvalues
            .iter()
            .map(|e| e.0)
            .fold(f64::INFINITY, f64::min);
        record.insert_number("min_eigenvalue", least);
        record.insert_number("spectral_tail", found.spectral_tail);
        record.insert_number("lot_distance", found.lot_distance);
        if let Some(order) = context.calculus(torus).order() {
            record.insert_number("space_order", f64::from(order));
        }
        if !self.refinements.is_empty() {
            record.insert_number("time_order", f64::from(orders::of(context.stepper())));
        }
    }

    /// How far the identities' ingredients and ρ move on a coarser grid and with a looser tolerance.
    fn record_budget(
        &self,
        [torus, coarse]: &[Torus; 2],
        varied: &[Box<Along>; 2],
        (flow, steps): (&Along, f64),
        record: &mut Record,
    ) {
        let instants = || 0..self.times.len();
        let finest = *torus.points().iter().max().expect("d ≥ 1") as f64;
        type Defect = fn(&Along, usize) -> f64;
        let mut identity = |name: &str, of: Defect, rounding: &dyn Fn(&Along, usize) -> f64| {
            let change = |k: usize| -> f64 {
                varied
                    .iter()
                    .map(|other| (of(other, k) - of(flow, k)).abs())
                    .sum()
            };
            let budget = |k| change(k) + rounding(flow, k) + rounding(&varied[1], k);
            record.insert_curve(
                &format!("{name}_defect"),
                instants().map(|k| of(flow, k)).collect(),
            );
            record.insert_curve(&format!("{name}_budget"), instants().map(budget).collect());
        };
        let onto_own = |flow: &Along| densities(flow, torus, torus);
        let moved = differences(&onto_own(flow), &onto_own(&varied[1]));
        identity("dissipation", Along::dissipation_defect, &|along, k| {
            // F is about half the square of log ρ + f, which is known to what ρ moves by.
            let size = (2.0 * along.objective[k].abs())
                .sqrt()
                .max(f64::MIN_POSITIVE);
            let known = 2.0 * moved[k] / size;
            known + along.dissipation_rounding(k) + (along.quadrature[k] / along.drop[k]).abs()
        });
        identity("speed", Along::speed_defect, &|along, k| {
            along.speed_rounding(k, self.times[k], finest, steps)
        });
        let [coarser, looser] = varied;
        let onto = |log_rho: &Vec<f64>| exponential(&refine(coarse, log_rho, torus));
        let coarser: Vec<Vec<f64>> = coarser.log_rho.iter().map(onto).collect();
        let of = |flow: &Along| densities(flow, torus, torus);
        let rho = of(flow);
        let time = differences(&rho, &of(looser));
        let space = differences(&rho, &coarser);
        let both = space.iter().zip(&time).map(|(space, time)| space + time);
        record.insert_curve("rho_budget", both.collect());
        record.insert_curve("time_budget", time);
    }

    /// `ψ_t^*` against u_t and its density against ρ_t; both against themselves on three quarters of the nodes.
    fn record_dual(
        &self,
        context: &Context,
        grids: &Grids,
        flow: &Along,
        [conjugates, coarser]: [Vec<Vec<f64>>; 2],
        record: &mut Record,
    ) -> Result<(), Error> {
        let (grid, [torus, coarse]) = (&grids.flow[0], &grids.own);
        let (p, of_flow) = (onto(grid, &flow.p, torus), densities(flow, grid, torus));
        let apart = |p: &[Vec<f64>], q: &[Vec<f64>]| -> Vec<f64> {
            p.iter().zip(q).map(|(p, q)| sup_difference(p, q)).collect()
        };
        let density = |torus: &Torus, potentials: &[Vec<f64>]| {
            self.run(context, torus, context.stepper(), &|_| {
                ControlFlow::Continue(())
            })
            .densities(potentials)
        };
        let rho = density(torus, &conjugates)?;
        let coarser_rho = onto(coarse, &density(coarse, &coarser)?, torus);
        let coarser = onto(coarse, &coarser, torus);
        record.insert_curve("conjugate_difference", apart(&p, &conjugates));
        record.insert_curve("conjugate_budget", apart(&conjugates, &coarser));
        record.insert_curve("dual_difference", differences(&of_flow, &rho));
        record.insert_curve("dual_budget", differences(&rho, &coarser_rho));
        Ok(())
    }

    /// ρ of the continuity equation, likewise.
    fn record_primal(
        &self,
        context: &Context,
        grids: &Grids,
        flow: &Along,
        [rho, coarser]: [Vec<Vec<f64>>; 2],
        record: &mut Record,
    ) -> Result<(), Error> {
        let ([grid, coarse], torus) = (&grids.flow, &grids.own[0]);
        let mut start = vec![0.0; grid.len()];
        context
            .operator(grid)
            .log_marginal(&context.built.start.on(grid), &mut start)?;
        let start = exponential(&start);
        let (rho, coarser) = (onto(grid, &rho, torus), onto(coarse, &coarser, torus));
        let of_flow = densities(flow, grid, torus);
        record.insert_curve("primal_difference", differences(&of_flow, &rho));
        record.insert_curve("primal_budget", differences(&rho, &coarser));
        // What the flow does to the mass; that of ρ_0 itself is off by the discretisation of its formula.
        let start = mean(&start);
        let defect = rho.iter().map(|rho| (mean(rho) - start).abs());
        record.insert_curve("mass_defect", defect.collect());
        record.insert_number("start_mass_defect", (start - 1.0).abs());
        let least = |rho: &Vec<f64>| rho.iter().copied().fold(f64::INFINITY, f64::min);
        record.insert_curve("min_density", rho.iter().map(least).collect());
        Ok(())
    }
}

/// Where the routes run, each grid with three quarters of its nodes: the mirror and the primal coordinate on the one that holds the flow,
/// the dual one, which has other modes, on the scenario's.
struct Grids {
    flow: [Torus; 2],
    own: [Torus; 2],
}

fn with_variation(torus: &Torus) -> Result<[Torus; 2], Error> {
    Ok([torus.clone(), torus.resized(|n| 3 * n / 4)?])
}

/// The stepper that is accurate enough to compare routes, and the looser one that shows how accurate it is. An explicit scenario's
/// own steps come in at the refinements only.
fn tight(stepper: Stepper) -> (Stepper, Stepper) {
    let tight = (TIGHTER * tolerance(stepper)).max(TIGHTEST);
    (adaptive(tight), adaptive(tight / TIGHTER))
}

/// The same for the primal coordinate, each of whose steps solves eight elliptic equations: the scenario's own tolerance, which agreement
/// can be judged with, and a looser one.
fn given(stepper: Stepper) -> (Stepper, Stepper) {
    let given = tolerance(stepper);
    (adaptive(given), adaptive(given / LOOSER))
}

fn adaptive(tolerance: f64) -> Stepper {
    Stepper::Adaptive { tolerance }
}

fn tolerance(stepper: Stepper) -> f64 {
    match stepper {
        Stepper::Adaptive { tolerance } | Stepper::Fixed { tolerance, .. } => tolerance,
        Stepper::Explicit { .. } => USUAL,
    }
}

/// What a job gives.
enum Found {
    Along(Box<Along>),
    /// One field per instant.
    Fields(Vec<Vec<f64>>),
}

/// The coordinates beside the mirror one.
#[derive(Clone, Copy)]
enum Route {
    Dual,
    Primal,
}

impl Found {
    fn along(self) -> Box<Along> {
        match self {
            Self::Along(along) => along,
            Self::Fields(_) => unreachable!("results come in the order of the jobs"),
        }
    }

    fn fields(self) -> Vec<Vec<f64>> {
        match self {
            Self::Fields(fields) => fields,
            Self::Along(_) => unreachable!("results come in the order of the jobs"),
        }
    }
}

/// Fields of one grid on another.
fn onto(from: &Torus, fields: &[Vec<f64>], torus: &Torus) -> Vec<Vec<f64>> {
    if from == torus {
        return fields.to_vec();
    }
    let onto = |field: &Vec<f64>| refine(from, field, torus);
    fields.iter().map(onto).collect()
}

/// `sup|a − b|/sup a` at each instant.
fn differences(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<f64> {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| sup_difference(a, b) / sup(a)).collect()
}

/// ρ of a flow on `grid`, at the nodes of another.
fn densities(found: &Along, grid: &Torus, torus: &Torus) -> Vec<Vec<f64>> {
    let log_rho = onto(grid, &found.log_rho, torus);
    log_rho.iter().map(|log| exponential(log)).collect()
}

fn exponential(log: &[f64]) -> Vec<f64> {
    log.iter().map(|l| l.exp()).collect()
}

impl Experiment for MirrorFlow {
    /// Records per instant `times[T]`, `p`, `rho[T, n…]`, `v[T, d, n…]`, `objective`, `drop`, `dissipation`, `dissipated`, `quadrature`,
    /// `speed`, `lot_speed`, `length`, `travelled`, the differences `primal_difference`, `dual_difference`, `conjugate_difference`, `mass_defect`,
    /// `min_density`, the budgets `rho_budget`, `time_budget`, `primal_budget`, `dual_budget`, `conjugate_budget`, `dissipation_defect`, `speed_defect` with `dissipation_budget`, `speed_budget`; per refinement `steps` and
    /// `…_time_error`, `…_time_floor`; with differences in space `spacings`, `…_space_error`, `space_order`; the numbers `time_order`, `lot_distance`, `start_mass_defect`,
    /// `min_eigenvalue`, `spectral_tail`.
    fn measure(&self, context: &Context) -> Result<Measured, MeasureError> {
        self.measure_in(context, Metric::Hessian)
    }

    fn tables(&self, _built: &BuiltTorus) -> Vec<Table> {
        let refined = !self.refinements.is_empty();
        vec![Table::new("", columns::COLUMNS).and(refined, columns::REFINED)]
    }

    fn judge(&self, study: &str, record: &Record) -> Result<Vec<Verdict>, RecordError> {
        verdicts::judge(self, study, record)
    }

    fn draw(&self, built: &BuiltTorus, record: &Record) -> Result<Vec<Figure>, RecordError> {
        figures::draw(self, built, record)
    }

    /// One row per instant.
    fn curve(&self, record: &Record) -> Result<Curve, RecordError> {
        let columns = [
            ("t", "times"),
            ("F", "objective"),
            ("dissipation", "dissipation"),
            ("drop of F since the instant before", "drop"),
            ("integral of the dissipation", "dissipated"),
            ("|v| in L2(rho)", "speed"),
            ("LOT speed", "lot_speed"),
            ("length in the Hessian metric", "length"),
            ("sup|rho_primal - rho_mirror|/sup rho", "primal_difference"),
            ("sup|rho_dual - rho_mirror|/sup rho", "dual_difference"),
            ("sup|u - psi*|", "conjugate_difference"),
            ("|mass - mass at 0|, primal", "mass_defect"),
        ];
        let measured = columns
            .iter()
            .filter(|(_, name)| record.values(name).is_ok());
        measured
            .copied()
            .try_fold(Curve::default(), |curve, (header, name)| {
                curve.column(header, record, name)
            })
    }
}
