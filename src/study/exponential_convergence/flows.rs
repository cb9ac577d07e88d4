//! The decaying quantities along each flow: the mirror flow (PMA), others beside it, Fokker–Planck, Sinkhorn.

use super::ExponentialConvergence;
use crate::study::jobs::Tick;
use crate::study::measure::Context;
use crate::study::{Objective, Sinkhorn, sinkhorn};
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::distance::{relative_entropy, wasserstein};
use mirrorflow_solvers::flows::{Coordinate, GradientFlow, Mirror};
use mirrorflow_solvers::monge_ampere::{Brenier, Diagnosis, Flow, solve_elliptic};
use mirrorflow_solvers::objective::RelativeEntropy;
use mirrorflow_solvers::parallel::mean_of;
use mirrorflow_solvers::time::{Stepper, march};
use mirrorflow_solvers::{Result, Torus};

/// PMA at the sampled times, and the worst that happened in between.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub times: Vec<f64>,
    pub p: Vec<Vec<f64>>,
    pub log_rho: Vec<Vec<f64>>,
    /// Largest eigenvalue of ∇²u over all steps, so that `A_t ⪰ 1/largest`.
    pub largest_eigenvalue: f64,
    pub last: Diagnosis,
}

/// How the path differs from the scenario's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variation {
    None,
    /// Three quarters of the nodes along each axis.
    Space,
    /// Ten times the tolerance.
    Time,
}

impl Variation {
    pub fn torus(self, context: &Context) -> Result<Torus> {
        match self {
            Self::Space => context.built.torus.resized(|n| 3 * n / 4),
            _ => Ok(context.built.torus.clone()),
        }
    }

    fn stepper(self, context: &Context) -> Stepper {
        match (self, context.stepper()) {
            (Self::Time, Stepper::Adaptive { tolerance }) => Stepper::Adaptive {
                tolerance: 10.0 * tolerance,
            },
            (Self::Time, Stepper::Explicit { method, step }) => Stepper::Explicit {
                method,
                step: 0.5 * step,
            },
            (_, given) => given,
        }
    }
}

/// The flow at `times`, on the grid of the variation, as far as it came, and what stopped it.
///
/// # Errors
/// When there is no grid, or not even the start.
pub fn path(
    context: &Context,
    times: &[f64],
    variation: Variation,
    tick: &Tick,
) -> Result<(Path, Result<()>)> {
    let torus = variation.torus(context)?;
    let start = context.built.start.on(&torus);
    let mut flow = Flow::new(context.operator(&torus), variation.stepper(context), &start);
    let horizon = times.last().copied().unwrap_or(0.0);
    let mut largest_eigenvalue: f64 = 0.0;
    let mut snapshots = Vec::new();
    let outcome = flow.run_into(times, &mut snapshots, &mut |step| {
        largest_eigenvalue = largest_eigenvalue.max(step.diagnosis.max_eigenvalue);
        tick(step.time / horizon)
    });
    for snapshot in &snapshots {
        largest_eigenvalue = largest_eigenvalue.max(snapshot.diagnosis.max_eigenvalue);
    }
    let Some(last) = snapshots.last().map(|s| s.diagnosis) else {
        outcome?;
        unreachable!("a flow that ends well has its snapshots");
    };
    let times = snapshots.iter().map(|s| s.time).collect();
    let (p, log_rho) = snapshots.into_iter().map(|s| (s.p, s.log_marginal)).unzip();
    let path = Path {
        times,
        p,
        log_rho,
        largest_eigenvalue,
        last,
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

/// `KL(ρ_t|e^{-f})` along the mirror flow of another objective.
///
/// # Errors
/// Those of the flow.
pub fn other(
    context: &Context,
    objective: Objective,
    times: &[f64],
    variation: Variation,
    tick: &Tick,
) -> Result<Vec<f64>> {
    let torus = &context.built.torus;
    let mut system = Mirror::new(
        context.operator(torus),
        objective.build(),
        Coordinate::Mirror,
    );
    let f = context.densities().0;
    let mut state = context.built.start.on(torus);
    let mut log_rho = Vec::new();
    let horizon = times.last().copied().unwrap_or(0.0);
    march(
        &mut system,
        variation.stepper(context),
        &mut state,
        times,
        &mut |system, _, p| {
            let mut l = vec![0.0; p.len()];
            system.operator().log_marginal(p, &mut l)?;
            log_rho.push(l);
            Ok(())
        },
        &mut |_, step, _| Ok(tick(step.time / horizon)),
    )?;
    Ok(entropies(&log_rho, &f))
}

/// `KL(ν_t|e^{-f})` along Fokker–Planck from the same density.
///
/// # Errors
/// Those of the flow.
pub fn fokker_planck(
    context: &Context,
    log_start: &[f64],
    times: &[f64],
    variation: Variation,
    tick: &Tick,
) -> Result<Vec<f64>> {
    let torus = &context.built.torus;
    let f = context.densities().0;
    let calculus = context.calculus(torus);
    let mut system = GradientFlow::new(Box::new(RelativeEntropy), &context.built.source, calculus);
    let mut state: Vec<f64> = log_start.iter().map(|l| l.exp()).collect();
    let mut log_nu: Vec<Vec<f64>> = Vec::new();
    let horizon = times.last().copied().unwrap_or(0.0);
    march(
        &mut system,
        variation.stepper(context),
        &mut state,
        times,
        &mut |_, _, nu| {
            log_nu.push(nu.iter().map(|n| n.ln()).collect());
            Ok(())
        },
        &mut |_, step, _| Ok(tick(step.time / horizon)),
    )
    .map_err(|error| error.during("Fokker–Planck"))?;
    Ok(entropies(&log_nu, &f))
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
        start: Default::default(),
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

fn square(gradient: &[Vec<f64>], i: usize) -> f64 {
    gradient.iter().map(|g| g[i] * g[i]).sum()
}

fn interrupted() -> mirrorflow_solvers::Error {
    mirrorflow_solvers::Error::Interrupted {
        when: "during the distances".into(),
    }
}
