//! The limit object: p_t, ρ_t and the first-order profile r_t, by a PDE stepper.
//!
//! Prepared start: `r_t = ½f + log ρ_t`. Plain start: `r_t = ½f + log ρ_t + e_t` with `∂_t e = L_{u_t} e`,
//! `e_0 = −(½f + log ρ_0)`, integrated together with p (THEORY §4).

use super::ScalingLimit;
use crate::scenario::Time;
use crate::study::IterationStart;
use crate::study::jobs::Tick;
use crate::study::measure::{Context, stepper};
use mirrorflow_solvers::monge_ampere::{Diagnosis, Flow, Linearised, MongeAmpere, Snapshot};
use mirrorflow_solvers::parallel::sup;
use mirrorflow_solvers::resample::refine;
use mirrorflow_solvers::time::Stepper;
use mirrorflow_solvers::{Order, Result, Torus};

/// The flow at the horizon on the scenario's grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// p_t, constant included.
    pub p: Vec<f64>,
    pub log_rho: Vec<f64>,
    /// r_t.
    pub profile: Vec<f64>,
    /// `sup |s_t|` of the first-order profile of the marginal, `log ρ^ε = log ρ_t + ε s_t + …` with `s_t = ∂_t r_t − ½ ∂_t log ρ_t`.
    pub marginal_profile: f64,
    pub diagnosis: Diagnosis,
    /// How much of the difference to the unvaried reference is the error of the latter.
    pub weight: f64,
}

/// How a reference differs from the scenario's own, to measure an error by changing its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variation {
    None,
    /// Three quarters of the nodes along each axis.
    Space,
    /// Ten times the tolerance, or half the explicit step.
    Time,
}

impl Variation {
    /// For progress and errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "the limit",
            Self::Space => "the limit on three quarters of the nodes, for the error budget",
            Self::Time => "the limit with coarser time stepping, for the error budget",
        }
    }
}

impl Reference {
    /// Integrates the flow to the study's horizon, on `own` or the variation of it.
    ///
    /// # Errors
    /// Those of the flow.
    pub fn compute(
        context: &Context,
        study: &ScalingLimit,
        own: &Torus,
        variation: Variation,
        tick: &Tick,
    ) -> Result<Self> {
        let torus = grid(own, variation)?;
        let (stepper, weight) = varied(context, variation, (own, &torus));
        let mut operator = context.operator(&torus);
        let start = context.built.start.on(&torus);
        let f = operator.source().to_vec();
        let mut flow = match study.start {
            IterationStart::Prepared => Flow::new(operator, stepper, &start),
            IterationStart::Plain => {
                let mut log_rho = vec![0.0; torus.len()];
                operator.log_marginal(&start, &mut log_rho)?;
                let tangent: Vec<f64> = profile(&f, &log_rho).map(|r| -r).collect();
                Flow::with_tangent(operator, stepper, &start, &tangent)
            }
        };
        let snapshot = flow
            .run(&[study.time], &mut |step| tick(step.time / study.time))?
            .remove(0);
        let marginal_profile = marginal_profile(context.operator(&torus), &snapshot)?;
        let mut r: Vec<f64> = profile(&f, &snapshot.log_marginal).collect();
        if let Some(tangent) = &snapshot.tangent {
            for (r, e) in r.iter_mut().zip(tangent) {
                *r += e;
            }
        }
        let onto = |field: Vec<f64>| refine(&torus, &field, &context.built.torus);
        Ok(Self {
            p: onto(snapshot.p),
            log_rho: onto(snapshot.log_marginal),
            profile: onto(r),
            marginal_profile,
            diagnosis: snapshot.diagnosis,
            weight,
        })
    }
}

/// `sup |s_t|`. Since `∂_t log ρ = L_u F` and `∂_t e = L_u e`, `s_t = L_u(½F + e_t)`, without e for the prepared start.
fn marginal_profile(mut operator: MongeAmpere, snapshot: &Snapshot) -> Result<f64> {
    let mut linearised = Linearised::new(&operator, Order::Gradient);
    let mut rate = vec![0.0; snapshot.p.len()];
    linearised.freeze(&mut operator, &snapshot.p, &mut rate)?;
    let mut argument: Vec<f64> = rate.iter().map(|rate| 0.5 * rate).collect();
    if let Some(tangent) = &snapshot.tangent {
        for (argument, e) in argument.iter_mut().zip(tangent) {
            *argument += e;
        }
    }
    let mut s = rate;
    linearised.apply(&mut operator, &argument, &mut s);
    Ok(sup(&s))
}

/// `½f + log ρ`.
fn profile(f: &[f64], log_rho: &[f64]) -> impl Iterator<Item = f64> {
    f.iter().zip(log_rho).map(|(f, log_rho)| 0.5 * f + log_rho)
}

fn grid(own: &Torus, variation: Variation) -> Result<Torus> {
    match variation {
        Variation::Space => own.resized(|n| 3 * n / 4),
        _ => Ok(own.clone()),
    }
}

/// The stepper of a variation, and the share of the change that is the error of the unvaried computation.
///
/// With error `C h^q` the change to a grid coarser by κ (about 4/3) is `κ^q − 1` errors, so it is divided by that; a spectral error is
/// smaller than the change. Ten times the tolerance changes the result by more than its error at the given one. Half an explicit step of
/// order q changes it by `1 − 2^{-q}` errors.
fn varied(
    context: &Context,
    variation: Variation,
    (own, coarse): (&Torus, &Torus),
) -> (Stepper, f64) {
    let given = context.stepper();
    match variation {
        Variation::None => (given, 1.0),
        Variation::Space => {
            let order = context.calculus(own).order();
            let weight = order.map_or(1.0, |q| {
                1.0 / (coarsening(own, coarse).powi(q.cast_signed()) - 1.0)
            });
            (given, weight)
        }
        Variation::Time => match context.numerics.time {
            Time::Adaptive { tolerance } | Time::Rosenbrock { tolerance } => {
                let tolerance = 10.0 * tolerance;
                (Stepper::Adaptive { tolerance }, 1.0)
            }
            explicit => {
                let Stepper::Explicit { method, step } = stepper(explicit) else {
                    unreachable!("the other steppers are explicit")
                };
                let step = 0.5 * step;
                let weight = 1.0 / (1.0 - 0.5f64.powi(method.order().cast_signed()));
                (Stepper::Explicit { method, step }, weight)
            }
        },
    }
}

/// Smallest ratio of the spacings of `coarse` and of the grid that it varies: 4/3 up to the rounding to even numbers.
fn coarsening(own: &Torus, coarse: &Torus) -> f64 {
    let points = own.points().iter().zip(coarse.points());
    points
        .map(|(&n, &m)| n as f64 / m as f64)
        .fold(f64::INFINITY, f64::min)
}
