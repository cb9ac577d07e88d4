//! What each study leaves on a Gaussian problem.

use super::{Shapes, joined, named, prefixed};
use crate::common::contract::Arrays;
use mirrorflow::scenario::BuiltGaussian;
use mirrorflow::study::{
    ExponentialConvergence, MirrorDescent, MirrorFlow, Run, ScalingLimit, Study,
};

/// Names of the figures.
pub fn figures(study: &Study, built: &BuiltGaussian) -> Vec<&'static str> {
    match study {
        Study::ScalingLimit(_) => vec!["orders", "profile"],
        Study::MirrorFlow(_) if built.dimension() == 1 => vec!["deviations", "identities"],
        Study::MirrorFlow(_) => vec!["deviations", "ellipses", "identities"],
        Study::ExponentialConvergence(_) => vec!["decay", "rates", "distances"],
        Study::MirrorDescent(descent) => {
            let orders = descent.limit.is_some().then_some("orders");
            let always = [
                "iterates",
                "regret",
                "identity",
                "inequality",
                "flow",
                "deviations",
            ];
            always.into_iter().chain(orders).collect()
        }
        other => panic!("{} is not defined here", other.name()),
    }
}

/// Shapes of the arrays.
pub fn shapes(study: &Study, built: &BuiltGaussian) -> Shapes {
    let d = built.dimension();
    match study {
        Study::ScalingLimit(limit) => of_limit(limit, d),
        Study::MirrorFlow(flow) => of_flow(flow, d),
        Study::ExponentialConvergence(decay) => of_decay(decay, d),
        Study::MirrorDescent(descent) => of_descent(descent, d),
        other => panic!("{} is not defined here", other.name()),
    }
}

fn of_limit(limit: &ScalingLimit, d: usize) -> Shapes {
    let count = limit.epsilons.len();
    let quantities = "potential gradient corrected profile wasserstein lot kl";
    let budgets = quantities
        .split(' ')
        .map(|name| format!("{name}_round_off"));
    joined([
        named("epsilons", &[count]),
        named(quantities, &[count]),
        named(&budgets.collect::<Vec<_>>().join(" "), &[count]),
        named("p r covariance", &[d, d]),
        named("p_epsilon", &[count, d, d]),
        named(
            "time marginal_profile marginal_square min_eigenvalue max_eigenvalue",
            &[],
        ),
    ])
}

fn of_flow(flow: &MirrorFlow, d: usize) -> Shapes {
    let instants = flow.times.len();
    let along =
        "times objective drop dissipation dissipated quadrature speed lot_speed length travelled";
    let defects =
        "dissipation_defect speed_defect riccati_difference conjugate_difference dual_difference";
    let budgets = "dissipation_budget speed_budget riccati_budget conjugate_budget dual_budget";
    let axes = d.min(4);
    joined([
        named(along, &[instants]),
        named(defects, &[instants]),
        named(budgets, &[instants]),
        named("p covariance", &[instants, d, d]),
        named("axes", &[axes, d]),
        named("deviations gradient_flow_deviations", &[axes, 121]),
        named("lot_distance", &[]),
    ])
}

fn of_decay(decay: &ExponentialConvergence, d: usize) -> Shapes {
    let instants = decay.samples + 1;
    let curves = "times kl fisher gradient wasserstein bound fokker_planck_kl kl_budget \
                  gradient_budget fokker_planck_kl_budget";
    let numbers = "lambda kappa gap linear_gap fokker_planck_gap slowest_share slowest_excess \
                   fokker_planck_share fokker_planck_excess rounding fokker_planck_rounding";
    let mut shapes = joined([
        named(curves, &[instants]),
        named(numbers, &[]),
        named("rates fokker_planck_rates", &[d]),
        named("modes fokker_planck_modes", &[d, instants]),
    ]);
    let epsilons = decay.epsilons.len();
    if epsilons > 0 {
        let family = "sinkhorn_kl sinkhorn_kl_budget sinkhorn_modes sinkhorn_modes_budget";
        shapes.extend(named("epsilons sinkhorn_rates", &[epsilons]));
        shapes.extend(named(family, &[epsilons, instants]));
    }
    shapes
}

fn of_descent(descent: &MirrorDescent, d: usize) -> Shapes {
    let (steps, densities) = (descent.steps, descent.all_comparators().len());
    let mut shapes = named("strong_convexity", &[]);
    for (k, run) in descent.runs.iter().enumerate() {
        let sinkhorn = matches!(run, Run::Sinkhorn(_));
        let against = if sinkhorn { 1 } else { densities };
        let mut of_run = joined([
            named("eta", &[steps]),
            named("kl wasserstein", &[steps + 1]),
            named("bregman", &[against, steps + 1]),
        ]);
        if !sinkhorn {
            of_run.extend(joined([
                named("limit convexity", &[steps]),
                named(
                    "largest_curvature bregman_legendre bregman_budget",
                    &[steps + 1],
                ),
                named("comparator_kl", &[against]),
                named("xi_square divergence noise", &[against, steps]),
                named("dual", &[d, d]),
            ]));
        }
        shapes.extend(prefixed(&format!("run_{}_", k + 1), of_run));
    }
    if let Some(limit) = &descent.limit {
        let curves = "limit_eta limit_explicit limit_implicit limit_explicit_conjugate limit_implicit_conjugate";
        shapes.extend(named(curves, &[limit.steps.len()]));
    }
    shapes
}

/// Rows of the study's curve: an ε or an instant.
pub fn rows(study: &Study, _arrays: &Arrays) -> usize {
    match study {
        Study::ScalingLimit(limit) => limit.epsilons.len(),
        Study::MirrorFlow(flow) => flow.times.len(),
        Study::ExponentialConvergence(decay) => decay.samples + 1,
        Study::MirrorDescent(descent) => descent.runs.len() * descent.steps,
        other => panic!("{} is not defined here", other.name()),
    }
}
