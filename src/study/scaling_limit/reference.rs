//! The limit object: p_t, ρ_t and the first-order profile r_t, by a PDE stepper.
//!
//! Prepared start: `r_t = ½f + log ρ_t`. Plain start: `r_t = ½f + log ρ_t + e_t` with `∂_t e = L_{u_t} e`,
//! `e_0 = −(½f + log ρ_0)`, integrated together with p (THEORY §4).

use super::ScalingLimit;
use crate::study::IterationStart;
use crate::study::jobs::Tick;
use crate::study::measure::Context;
use crate::study::progress::Pace;
use crate::study::variation::{Variation, alone};
use mirrorflow_solvers::monge_ampere::{Diagnosis, Linearised, MongeAmpere, Snapshot};
use mirrorflow_solvers::parallel::{mean_of, sup};
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
    /// `∫s_t²ρ_t − (∫s_tρ_t)²`: `KL(ρ^ε | ρ_t) = ½ε²` of it and higher orders.
    pub marginal_square: f64,
    pub diagnosis: Diagnosis,
    /// How much of the difference to the unvaried reference is the error of the latter.
    pub weight: f64,
}

impl Reference {
    /// Integrates the flow to the study's horizon, with the variation.
    ///
    /// # Errors
    /// Those of the flow.
    pub fn compute(
        context: &Context,
        study: &ScalingLimit,
        variation: Variation,
        tick: &Tick,
    ) -> Result<Self> {
        let own = &context.built.torus;
        let (mut flow, torus) = match study.start {
            IterationStart::Prepared => variation.flow_to_one_time(context, &alone)?,
            IterationStart::Plain => variation.flow_to_one_time(context, &of_plain_start)?,
        };
        let pace = Pace::to(study.time);
        let snapshot = flow
            .run(&[study.time], &mut |step| tick(pace.at(step.time)))?
            .remove(0);
        let operator = context.operator(&torus);
        let mut r: Vec<f64> = profile(operator.source(), &snapshot.log_marginal).collect();
        let s = marginal_profile(operator, &snapshot)?;
        let (marginal_profile, marginal_square) = (sup(&s), variance(&s, &snapshot.log_marginal));
        if let Some(tangent) = &snapshot.tangent {
            for (r, e) in r.iter_mut().zip(tangent) {
                *r += e;
            }
        }
        let onto = |field: Vec<f64>| match torus == *own {
            true => field,
            false => refine(&torus, &field, own),
        };
        Ok(Self {
            p: onto(snapshot.p),
            log_rho: onto(snapshot.log_marginal),
            profile: onto(r),
            marginal_profile,
            marginal_square,
            diagnosis: snapshot.diagnosis,
            weight: weight(context, variation, (own, &torus)),
        })
    }
}

/// `e_0 = −(½f + log ρ_0)`.
fn of_plain_start(operator: &mut MongeAmpere, start: &[f64]) -> Result<Vec<f64>> {
    let mut log_rho = vec![0.0; start.len()];
    operator.log_marginal(start, &mut log_rho)?;
    Ok(profile(operator.source(), &log_rho).map(|r| -r).collect())
}

/// `s_t`. Since `∂_t log ρ = L_u F` and `∂_t e = L_u e`, `s_t = L_u(½F + e_t)`, without e for the prepared start.
fn marginal_profile(mut operator: MongeAmpere, snapshot: &Snapshot) -> Result<Vec<f64>> {
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
    Ok(s)
}

/// Of s under ρ.
fn variance(s: &[f64], log_rho: &[f64]) -> f64 {
    let middle = mean_of(s.len(), |i| log_rho[i].exp() * s[i]);
    mean_of(s.len(), |i| log_rho[i].exp() * (s[i] - middle).powi(2))
}

/// `½f + log ρ`.
fn profile(f: &[f64], log_rho: &[f64]) -> impl Iterator<Item = f64> {
    f.iter().zip(log_rho).map(|(f, log_rho)| 0.5 * f + log_rho)
}

/// The share of the change by a variation that is the error of the unvaried computation.
///
/// With error `C h^q` the change to a grid coarser by κ (about 4/3) is `κ^q − 1` errors, so it is divided by that; a spectral error is
/// smaller than the change. Ten times the tolerance changes the result by more than its error at the given one. Half an explicit step of
/// order q changes it by `1 − 2^{-q}` errors.
fn weight(context: &Context, variation: Variation, (own, coarse): (&Torus, &Torus)) -> f64 {
    match (variation, context.stepper()) {
        (Variation::Space, _) => context.calculus(own).order().map_or(1.0, |q| {
            1.0 / (coarsening(own, coarse).powi(q.cast_signed()) - 1.0)
        }),
        (Variation::Time, Stepper::Explicit { method, .. }) => {
            1.0 / (1.0 - 0.5f64.powi(method.order().cast_signed()))
        }
        _ => 1.0,
    }
}

/// Smallest ratio of the spacings of `coarse` and of the grid that it varies: 4/3 up to the rounding to even numbers.
fn coarsening(own: &Torus, coarse: &Torus) -> f64 {
    let points = own.points().iter().zip(coarse.points());
    points
        .map(|(&n, &m)| n as f64 / m as f64)
        .fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;
    use crate::study::Silent;

    #[test]
    fn a_change_counts_for_the_error_that_is_behind_it() {
        let weighed = |numerics: &str, variation| {
            let text = format!(
                "Scenario(title: \"t\", problem: Torus(points: [64], source: Uniform, target: Uniform), numerics: {numerics}, \
                 studies: [Flow(times: [0.01])])"
            );
            let loaded = parse("t.ron", &text).unwrap();
            let context = Context {
                built: loaded.built.on_torus().unwrap(),
                numerics: &loaded.scenario.numerics,
                progress: &Silent,
            };
            let grids = [64, 48].map(|n| Torus::new(&[n]).unwrap());
            weight(&context, variation, (&grids[0], &grids[1]))
        };
        let differences = "(space: FiniteDifference(order: 2), time: RungeKutta4(step: 1e-5))";
        assert_eq!(weighed("()", Variation::Space), 1.0);
        assert_eq!(weighed("()", Variation::Time), 1.0);
        // 1/(κ² − 1) with κ = 4/3, and 1/(1 − 2^{-4}).
        assert!((weighed(differences, Variation::Space) - 9.0 / 7.0).abs() < 1e-12);
        assert!((weighed(differences, Variation::Time) - 16.0 / 15.0).abs() < 1e-12);
    }
}
