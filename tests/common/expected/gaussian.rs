//! What each study leaves on a Gaussian problem.

use super::{Shapes, joined, named};
use crate::common::contract::Arrays;
use mirrorflow::scenario::BuiltGaussian;
use mirrorflow::study::{ExponentialConvergence, MirrorFlow, ScalingLimit, Study};

/// Names of the figures.
pub fn figures(study: &Study, built: &BuiltGaussian) -> Vec<&'static str> {
    match study {
        Study::ScalingLimit(_) => vec!["orders", "profile"],
        Study::MirrorFlow(_) if built.dimension() == 1 => vec!["deviations", "identities"],
        Study::MirrorFlow(_) => vec!["deviations", "ellipses", "identities"],
        Study::ExponentialConvergence(_) => vec!["decay", "rates", "distances"],
        other => todo!("{}", other.name()),
    }
}

/// Shapes of the arrays.
pub fn shapes(study: &Study, built: &BuiltGaussian) -> Shapes {
    let d = built.dimension();
    match study {
        Study::ScalingLimit(limit) => of_limit(limit, d),
        Study::MirrorFlow(flow) => of_flow(flow, d),
        Study::ExponentialConvergence(decay) => of_decay(decay, d),
        other => todo!("{}", other.name()),
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
        named("time marginal_profile min_eigenvalue max_eigenvalue", &[]),
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

/// Rows of the study's curve: an ε or an instant.
pub fn rows(study: &Study, _arrays: &Arrays) -> usize {
    match study {
        Study::ScalingLimit(limit) => limit.epsilons.len(),
        Study::MirrorFlow(flow) => flow.times.len(),
        Study::ExponentialConvergence(decay) => decay.samples + 1,
        other => todo!("{}", other.name()),
    }
}
