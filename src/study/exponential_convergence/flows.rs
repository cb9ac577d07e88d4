//! The decaying quantities along each flow: the mirror flow (PMA), others beside it, Fokker–Planck, Sinkhorn.

use super::modes::{Left, Modes};
use super::{ExponentialConvergence, Found};
use crate::scenario::Space;
use crate::study::jobs::Tick;
use crate::study::measure::Context;
use crate::study::progress::Pace;
use crate::study::variation::{Variation, alone};
use crate::study::{Kernel, Objective, Sinkhorn, sinkhorn};
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::distance::{relative_entropy, wasserstein};
use mirrorflow_solvers::flows::{Coordinate, FokkerPlanck, GradientFlow, Mirror};
use mirrorflow_solvers::monge_ampere::{Brenier, Diagnosis, solve_elliptic};
use mirrorflow_solvers::objective::RelativeEntropy;
use mirrorflow_solvers::parallel::mean_of;
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::spectrum::{self, Mode};
use mirrorflow_solvers::time::{Stepper, march};
use mirrorflow_solvers::{Result, Torus};

/// PMA at the sampled times, and the worst that happened in between.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub times: Vec<f64>,
    pub p: Vec<Vec<f64>>,
    pub log_rho: Vec<Vec<f64>>,
    /// Largest eigenvalue of ∇²u over all steps, so that `A_t ⪰ 1/largest`, and the smallest.
    pub largest_eigenvalue: f64,
    pub least_eigenvalue: f64,
    /// The largest spectral tail at the instants.
    pub spectral_tail: f64,
    /// Points along each axis that the flow needed.
    pub points: Vec<usize>,
}

/// The flow at `times` on the scenario's grid, as far as it came, and what stopped it.
///
/// # Errors
/// When there is no grid, or not even the start.
pub fn path(
    context: &Context,
    times: &[f64],
    variation: Variation,
    tick: &Tick,
) -> Result<(Path, Result<()>)> {
    let (mut flow, torus) = variation.flow(context, &alone)?;
    let horizon = times.last().copied().unwrap_or(0.0);
    let (mut largest_eigenvalue, mut least_eigenvalue) = (0.0f64, f64::INFINITY);
    let mut take = |diagnosis: &Diagnosis| {
        largest_eigenvalue = largest_eigenvalue.max(diagnosis.max_eigenvalue);
        least_eigenvalue = least_eigenvalue.min(diagnosis.min_eigenvalue);
    };
    let mut snapshots = Vec::new();
    let pace = Pace::to(horizon);
    let outcome = flow.run_into(times, &mut snapshots, &mut |step| {
        take(&step.diagnosis);
        tick(pace.at(step.time))
    });
    snapshots
        .iter()
        .for_each(|snapshot| take(&snapshot.diagnosis));
    if snapshots.is_empty() {
        outcome?;
        unreachable!("a flow that ends well has its snapshots");
    }
    let tails = snapshots.iter().map(|s| s.diagnosis.spectral_tail);
    let spectral_tail = tails.fold(0.0, f64::max);
    let times = snapshots.iter().map(|s| s.time).collect();
    let own = &context.built.torus;
    let onto = |field: &[f64]| match torus == *own {
        true => field.to_vec(),
        false => refine(&torus, field, own),
    };
    let (p, log_rho) = snapshots
        .iter()
        .map(|s| (onto(&s.p), onto(&s.log_marginal)))
        .unzip();
    let path = Path {
        times,
        p,
        log_rho,
        largest_eigenvalue,
        least_eigenvalue,
        spectral_tail,
        points: flow.points(),
    };
    Ok((path, outcome))
}

/// `KL(ρ|e^{-f})` at each time.
pub fn entropies(log_rho: &[Vec<f64>], f: &[f64]) -> Vec<f64> {
    let log_source: Vec<f64> = f.iter().map(|f| -f).collect();
    log_rho
        .iter()
        .map(|log_rho| relative_entropy(log_rho, &log_source))
        .collect()
}

/// Fisher information `∫ρ|∇(log ρ + f)|²` at each time.
pub fn fisher(torus: &Torus, log_rho: &[Vec<f64>], f: &[f64]) -> Vec<f64> {
    let mut spectral = Spectral::new(torus);
    let mut gradient = vec![vec![0.0; torus.len()]; torus.dimension()];
    log_rho
        .iter()
        .map(|log_rho| {
            let h: Vec<f64> = log_rho.iter().zip(f).map(|(l, f)| l + f).collect();
            spectral.gradient(&h, &mut gradient);
            mean_of(f.len(), |i| log_rho[i].exp() * square(&gradient, i))
        })
        .collect()
}

/// `‖∇p_t − ∇p_∞‖_{L²(e^{-f})}` at each time.
pub fn gradients(torus: &Torus, p: &[Vec<f64>], limit: &[f64], f: &[f64]) -> Vec<f64> {
    let mut spectral = Spectral::new(torus);
    let mut gradient = vec![vec![0.0; torus.len()]; torus.dimension()];
    p.iter()
        .map(|p| {
            let difference: Vec<f64> = p.iter().zip(limit).map(|(p, q)| p - q).collect();
            spectral.gradient(&difference, &mut gradient);
            mean_of(f.len(), |i| (-f[i]).exp() * square(&gradient, i)).sqrt()
        })
        .collect()
}

/// `W₂(ρ_t, e^{-f})` at each time.
///
/// # Errors
/// Those of the elliptic solves.
pub fn distances(torus: &Torus, log_rho: &[Vec<f64>], f: &[f64], tick: &Tick) -> Result<Vec<f64>> {
    let log_source: Vec<f64> = f.iter().map(|f| -f).collect();
    let mut distances = Vec::new();
    for (k, rho) in log_rho.iter().enumerate() {
        distances.push(wasserstein(torus, rho, &log_source)?.distance);
        if tick(k as f64 / log_rho.len() as f64).is_break() {
            return Err(interrupted());
        }
    }
    Ok(distances)
}

/// Residual asked of the elliptic solve for u_∞.
const ELLIPTIC_TOLERANCE: f64 = 1e-12;

/// u_∞, from the last potential of the path.
///
/// # Errors
/// Those of the elliptic solve.
pub fn limit(context: &Context, torus: &Torus, path: &Path) -> Result<Brenier> {
    let start = path.p.last().expect("the times are not empty");
    solve_elliptic(&mut context.operator(torus), start, ELLIPTIC_TOLERANCE)
        .map_err(|error| error.during("the optimal map from e^{-f} to e^{-g}"))
}

/// `KL(ρ_t|e^{-f})` along the mirror flow of another objective, and what is left of it.
///
/// # Errors
/// Those of the flow.
pub fn other(
    context: &Context,
    grid: &Torus,
    objective: Objective,
    times: &[f64],
    variation: Variation,
    modes: &[Mode],
    tick: &Tick,
) -> Result<Found> {
    let torus = variation.grid(grid)?;
    let operator = context.operator(&torus);
    let mut system = Mirror::new(operator, objective.build(), Coordinate::Mirror);
    let mut kept = Kept::new(context, torus.clone(), variation, modes);
    let mut state = context.built.start.on(&torus);
    let pace = Pace::to(times.last().copied().unwrap_or(0.0));
    march(
        &mut system,
        variation.stepper(context),
        &mut state,
        times,
        &mut |system, _, p| {
            let mut log_rho = vec![0.0; p.len()];
            system.operator().log_marginal(p, &mut log_rho)?;
            kept.push(&log_rho);
            Ok(())
        },
        &mut |_, step, _| Ok(tick(pace.at(step.time))),
    )?;
    Ok(kept.finish())
}

/// `KL(ν_t|e^{-f})` along Fokker–Planck from the density of the start, and what is left of it.
///
/// # Errors
/// Those of the flow.
pub fn fokker_planck(
    context: &Context,
    grid: &Torus,
    times: &[f64],
    variation: Variation,
    modes: &[Mode],
    tick: &Tick,
) -> Result<Found> {
    let torus = variation.grid(grid)?;
    let mut start = vec![0.0; torus.len()];
    context
        .operator(&torus)
        .log_marginal(&context.built.start.on(&torus), &mut start)?;
    let start: Vec<f64> = start.iter().map(|l| l.exp()).collect();
    let mut kept = Kept::new(context, torus.clone(), variation, modes);
    let mut take = |nu: &[f64]| {
        let log_rho: Vec<f64> = nu.iter().map(|n| n.ln()).collect();
        kept.push(&log_rho);
        Ok(())
    };
    let horizon = times.last().copied().unwrap_or(0.0);
    let pace = Pace::to(horizon);
    match (context.numerics.space, variation.stepper(context)) {
        (Space::Spectral, Stepper::Adaptive { tolerance }) => {
            let source = &context.built.source;
            let mut flow = FokkerPlanck::new(&torus, source, tolerance);
            if variation == Variation::Time {
                flow = flow.together(REGROUPED);
            }
            flow.run(&start, times, &mut |_, nu| take(nu), &mut |time| {
                tick(time / horizon)
            })?;
        }
        (_, stepper) => {
            let calculus = context.calculus(&torus);
            let objective = Box::new(RelativeEntropy);
            let mut system = GradientFlow::new(objective, &context.built.source, calculus);
            march(
                &mut system,
                stepper,
                &mut start.clone(),
                times,
                &mut |_, _, nu| take(nu),
                &mut |_, step, _| Ok(tick(pace.at(step.time))),
            )?;
        }
    }
    Ok(kept.finish())
}

/// Instants that share their products where the flow is exact in time and a variation shows its rounding.
const REGROUPED: usize = 16;

/// What is kept of a flow, instant by instant: its relative entropy, and what is left of it in the slowest modes of the scenario's grid.
struct Kept<'a> {
    torus: Torus,
    log_source: Vec<f64>,
    kl: Vec<f64>,
    /// The scenario's grid with f and the modes on it; none of a varied flow.
    along: Option<(&'a Torus, Vec<f64>, &'a [Mode])>,
    left: Left,
}

impl<'a> Kept<'a> {
    fn new(context: &'a Context, torus: Torus, variation: Variation, modes: &'a [Mode]) -> Self {
        let log_source = context.built.source.on(&torus).iter().map(|f| -f).collect();
        let given = variation == Variation::None;
        Self {
            log_source,
            kl: Vec::new(),
            torus,
            along: given.then(|| (&context.built.torus, context.source(), modes)),
            left: Left::default(),
        }
    }

    fn push(&mut self, log_rho: &[f64]) {
        let kl = relative_entropy(log_rho, &self.log_source);
        self.kl.push(kl);
        if let Some((own, f, modes)) = &self.along {
            let on_own = refine(&self.torus, log_rho, own);
            self.left.push(&on_own, f, kl, modes);
        }
    }

    fn finish(self) -> Found {
        Found {
            values: self.kl,
            beside: Vec::new(),
            left: self.left,
        }
    }
}

/// `KL(ρ_k^ε|e^{-f})` at the sampled times `k = t/ε`, with its rounding budget. At t = 0 it is that of ρ_0.
///
/// # Errors
/// Those of the iteration.
pub fn iterates(
    context: &Context,
    study: &ExponentialConvergence,
    epsilon: f64,
    start: f64,
    tick: &Tick,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let count = sinkhorn::iterations(study.time, epsilon);
    let every = sinkhorn::iterations(study.time / study.samples as f64, epsilon);
    let iteration = Sinkhorn {
        epsilon,
        iterations: count,
        kernel: study.kernel,
        start: study.start,
    };
    let mut iteration = iteration.iteration(context)?;
    let log_source: Vec<f64> = iteration.source().iter().map(|f| -f).collect();
    let mut log_rho = log_source.clone();
    let (mut kl, mut budget) = (vec![start], vec![0.0]);
    iteration.run(count, &mut |sinkhorn, report| {
        if report.iteration % every == 0 {
            sinkhorn.log_marginal(&mut log_rho);
            let value = relative_entropy(&log_rho, &log_source);
            let noise = 2.0 * sinkhorn.error_estimate() / epsilon;
            kl.push(value);
            // A change δ of log ρ changes KL ≈ ½‖h‖² by at most ‖h‖δ + δ².
            budget.push((2.0 * value).sqrt() * noise + noise * noise);
        }
        tick(report.iteration as f64 / count as f64)
    })?;
    Ok((kl, budget))
}

/// The asymptotic rate of Sinkhorn at ε with its error, from the fixed point near the `limit` of the flow.
///
/// # Errors
/// Those of the iteration.
pub fn sinkhorn_rate(
    context: &Context,
    kernel: Kernel,
    epsilon: f64,
    limit: &[f64],
    modes: &Modes,
    tick: &Tick,
) -> Result<Found> {
    let (f, g) = context.densities();
    let known = (&modes.inverse_hessian[..], &modes.mirror[..]);
    let fields = [&f[..], &g, limit];
    let torus = &context.built.torus;
    let found = spectrum::sinkhorn_rate(torus, kernel.into(), epsilon, fields, known, tick)?;
    Ok(Found {
        values: vec![found.rate],
        beside: vec![found.error],
        left: Left::default(),
    })
}

fn square(gradient: &[Vec<f64>], i: usize) -> f64 {
    gradient.iter().map(|g| g[i] * g[i]).sum()
}

fn interrupted() -> mirrorflow_solvers::Error {
    mirrorflow_solvers::Error::Interrupted {
        when: "during the distances".into(),
    }
}
