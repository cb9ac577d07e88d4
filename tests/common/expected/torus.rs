//! What each study leaves on the torus.

use super::{Shapes, joined, named, prefixed};
use crate::common::contract::Arrays;
use mirrorflow::study::{
    ComparatorChoice, ExponentialConvergence, Limit, MirrorDescent, MirrorFlow, Run, Sampling,
    ScalingLimit, Study,
};
use ndarray::{ArrayD, Axis};

/// Names of the figures of a study in `dimension`s.
pub fn figures(study: &Study, dimension: usize) -> Vec<&'static str> {
    match study {
        Study::Flow(_) => vec!["fields", "health"],
        Study::Sinkhorn(_) => vec!["fields", "decay"],
        Study::ScalingLimit(_) => vec!["orders", "fields", "profile"],
        Study::OptimalMap(_) => vec!["map"],
        Study::MirrorFlow(flow) => {
            let orders = (!flow.refinements.is_empty()).then_some("orders");
            let always = ["fields", "maps", "velocity", "identities"];
            always.into_iter().chain(orders).collect()
        }
        Study::ExponentialConvergence(decay) => {
            let objectives = (!decay.others.is_empty()).then_some("objectives");
            let always = ["decay", "rates", "distances", "slowest-mode"];
            always.into_iter().chain(objectives).collect()
        }
        Study::SideBySide(_) if dimension == 1 => vec!["page"],
        Study::SideBySide(_) => vec!["page", "maps"],
        Study::MirrorDescent(descent) => {
            let orders = descent.limit.is_some().then_some("orders");
            let always = ["iterates", "regret", "inequality", "flow", "densities"];
            let samples = descent.sampling.iter();
            let samples = samples.flat_map(|_| ["samples", "sample-costs", "sample-relaxation"]);
            always.into_iter().chain(orders).chain(samples).collect()
        }
    }
}

/// Shapes of the arrays of a study on a grid of these points.
pub fn shapes(study: &Study, points: &[usize]) -> Shapes {
    match study {
        Study::Flow(flow) => {
            let instants = flow.times.len();
            let series = [&[instants], points].concat();
            let curves = named("times kl", &[instants]);
            joined([curves, named("p rho", &series)])
        }
        Study::Sinkhorn(sinkhorn) => joined([
            named("epsilon", &[]),
            named("p q log_rho", points),
            named("kl", &[sinkhorn.iterations]),
        ]),
        Study::ScalingLimit(limit) => of_limit(limit, points),
        Study::OptimalMap(_) => of_map(points),
        Study::MirrorFlow(flow) => of_mirror_flow(flow, points),
        Study::ExponentialConvergence(decay) => of_decay(decay, points),
        Study::SideBySide(page) => {
            let series = [&[page.times.len()], points].concat();
            joined([
                prefixed("limit_", of_limit(&page.scaling_limit(), points)),
                prefixed("decay_", of_decay(&page.convergence(), points)),
                named("times", &[page.times.len()]),
                named("p rho p_epsilon rho_epsilon", &series),
            ])
        }
        Study::MirrorDescent(descent) => of_descent(descent, points),
    }
}

fn of_limit(limit: &ScalingLimit, points: &[usize]) -> Shapes {
    let count = limit.epsilons.len();
    let quantities = "epsilons potential gradient corrected profile wasserstein lot kl";
    let iterates = [&[count], points].concat();
    joined([
        named(quantities, &[count]),
        named("p rho r", points),
        named("p_epsilon", &iterates),
    ])
}

fn of_map(points: &[usize]) -> Shapes {
    let certificates = "push_forward duality_gap inverse";
    let circle = if points.len() == 1 { "circle" } else { "" };
    let compared = [certificates, circle].join(" ");
    let budgets = compared
        .split_whitespace()
        .map(|name| format!("{name}_budget"));
    let vector = [&[points.len()], points].concat();
    joined([
        named("p q", points),
        named("displacement", &vector),
        named(
            "cost wasserstein residual round_off newton_steps krylov",
            &[],
        ),
        named("min_eigenvalue max_eigenvalue spectral_tail", &[]),
        named(&compared, &[]),
        named(&budgets.collect::<Vec<_>>().join(" "), &[]),
    ])
}

fn of_mirror_flow(flow: &MirrorFlow, points: &[usize]) -> Shapes {
    let instants = flow.times.len();
    let series = [&[instants], points].concat();
    let vectors = [&[instants, points.len()], points].concat();
    let along = "times objective drop dissipation dissipated quadrature speed lot_speed length";
    let routes = "primal_difference dual_difference conjugate_difference mass_defect min_density";
    let budgets = "rho_budget time_budget primal_budget dual_budget conjugate_budget \
                   dissipation_budget speed_budget";
    let mut shapes = joined([
        named(along, &[instants]),
        named(routes, &[instants]),
        named(budgets, &[instants]),
        named("p rho", &series),
        named("v", &vectors),
        named("lot_distance min_eigenvalue spectral_tail", &[]),
    ]);
    if !flow.refinements.is_empty() {
        let errors = "steps mirror_time_error dual_time_error primal_time_error";
        shapes.extend(named(errors, &[flow.refinements.len()]));
        let floors = "time_order mirror_time_floor dual_time_floor primal_time_floor";
        shapes.extend(named(floors, &[]));
    }
    shapes
}

fn of_decay(decay: &ExponentialConvergence, points: &[usize]) -> Shapes {
    let instants = decay.samples + 1;
    let curves = "times kl fisher gradient wasserstein bound fokker_planck_kl kl_budget \
                  gradient_budget fokker_planck_kl_budget";
    let mut shapes = joined([
        named(curves, &[instants]),
        named("lambda kappa gap fokker_planck_gap", &[]),
        named("min_eigenvalue spectral_tail", &[]),
        named(
            "eigenvalues fokker_planck_eigenvalues residuals fokker_planck_residuals",
            &[4],
        ),
        named("amplitudes fokker_planck_amplitudes", &[4, instants]),
        named("deviation fokker_planck_deviation", &[instants]),
        named("gradient_form wasserstein_form", &[4, 4]),
        named("p rho h p_infinity eigenfunction", points),
    ]);
    let epsilons = decay.epsilons.len();
    if epsilons > 0 {
        let rates = "epsilons sinkhorn_rates sinkhorn_rates_budget";
        shapes.extend(named(rates, &[epsilons]));
        let family = "sinkhorn_kl sinkhorn_kl_budget";
        shapes.extend(named(family, &[epsilons, instants]));
    }
    if !decay.others.is_empty() {
        let family = [decay.others.len(), instants];
        shapes.extend(named(
            "others_kl others_kl_budget others_deviation",
            &family,
        ));
        let along = [decay.others.len(), 4, instants];
        shapes.extend(named("others_amplitudes", &along));
    }
    shapes
}

fn of_descent(descent: &MirrorDescent, points: &[usize]) -> Shapes {
    let steps = descent.steps;
    let mut kept = vec![0, steps.div_ceil(16), steps.div_ceil(4), steps];
    kept.dedup();
    let densities = 1 + descent
        .comparators
        .iter()
        .filter(|c| **c != ComparatorChoice::Source)
        .count();
    let mut shapes = joined([
        named("strong_convexity", &[]),
        named(
            "flow_times flow_kl flow_reverse_kl flow_bregman flow_spent flow_fallen",
            &[33],
        ),
        named(
            "flow_quadrature flow_spent_change flow_fallen_change flow_bregman_change",
            &[33],
        ),
    ]);
    for (k, run) in descent.runs.iter().enumerate() {
        let sinkhorn = matches!(run, Run::Sinkhorn(_));
        let against = if sinkhorn { 1 } else { densities };
        let mut of_run = joined([
            named("eta average_kl average_kl_budget", &[steps]),
            named("kl", &[steps + 1]),
            named("bregman", &[against, steps + 1]),
            named("snapshots", &[kept.len()]),
            named("rho", &[&[kept.len()], points].concat()),
        ]);
        if !sinkhorn {
            of_run.extend(joined([
                named("limit convexity newton_steps", &[steps]),
                named(
                    "largest_curvature left_out bregman_legendre bregman_budget",
                    &[steps + 1],
                ),
                named("comparator_kl comparator_mass_defect", &[against]),
                named(
                    "xi_square divergence band_defect mass_defect noise",
                    &[against, steps],
                ),
                named("q", points),
            ]));
        }
        shapes.extend(prefixed(&format!("run_{}_", k + 1), of_run));
    }
    if let Some(limit) = &descent.limit {
        let curves = "limit_eta limit_explicit limit_implicit limit_explicit_conjugate limit_implicit_conjugate";
        shapes.extend(named(curves, &[limit.steps.len()]));
        shapes.extend(named("limit_time_error limit_band_error", &[]));
    }
    if let Some(sampling) = &descent.sampling {
        shapes.extend(prefixed("sampling_", of_sampling(sampling, points)));
    }
    shapes
}

fn of_sampling(sampling: &Sampling, points: &[usize]) -> Shapes {
    let bins = vec![sampling.bins; points.len()];
    let halves = sampling.fokker_planck_steps.trailing_zeros() as usize;
    let counted =
        "source_masses one_map_masses one_map_counts composition_masses composition_counts";
    let seen = "times cost wasserstein_square gradient remainder excess_budget remainder_budget";
    let one_map = "one_map_kl one_map_evaluations one_map_cost one_map_wasserstein_square one_map_cost_budget";
    let composition = "composition_kl composition_evaluations one_step_bias one_step_kl one_step_convexity one_step_cost";
    joined([
        named("run horizon", &[]),
        named(counted, &bins),
        named("one_map_density composition_density", points),
        named(one_map, &[]),
        named(composition, &[]),
        named(seen, &[halves]),
        named("fokker_planck_times fokker_planck_kl", &[65]),
    ])
}

/// The instants or ε that a study was asked for, by the array that must repeat them.
pub fn asked(study: &Study) -> Vec<(&'static str, Vec<f64>)> {
    match study {
        Study::Flow(flow) => vec![("times", flow.times.clone())],
        Study::Sinkhorn(sinkhorn) => vec![("epsilon", vec![sinkhorn.epsilon])],
        Study::ScalingLimit(limit) => vec![("epsilons", limit.epsilons.clone())],
        Study::OptimalMap(_) => Vec::new(),
        Study::MirrorFlow(flow) => vec![("times", flow.times.clone())],
        Study::ExponentialConvergence(decay) if decay.epsilons.is_empty() => Vec::new(),
        Study::ExponentialConvergence(decay) => vec![("epsilons", decay.epsilons.clone())],
        Study::SideBySide(page) => vec![
            ("times", page.times.clone()),
            ("limit_epsilons", page.epsilons.clone()),
            ("decay_epsilons", page.epsilons.clone()),
        ],
        Study::MirrorDescent(descent) => {
            let eta = |limit: &Limit| limit.steps.iter().map(|&n| limit.time / n as f64).collect();
            let limit = descent.limit.iter().map(|limit| ("limit_eta", eta(limit)));
            limit.collect()
        }
    }
}

/// Every density that a study records.
pub fn densities(study: &Study, arrays: &Arrays) -> Vec<ArrayD<f64>> {
    let each = |name: &str| arrays[name].axis_iter(Axis(0)).map(|rho| rho.to_owned());
    match study {
        Study::Flow(_) | Study::MirrorFlow(_) => each("rho").collect(),
        Study::Sinkhorn(_) => vec![arrays["log_rho"].mapv(f64::exp)],
        Study::ScalingLimit(_) | Study::ExponentialConvergence(_) => vec![arrays["rho"].clone()],
        Study::OptimalMap(_) => Vec::new(),
        Study::MirrorDescent(descent) => (1..=descent.runs.len())
            .flat_map(|run| each(&format!("run_{run}_rho")).collect::<Vec<_>>())
            .collect(),
        Study::SideBySide(_) => {
            let ends = ["limit_rho", "decay_rho"].map(|name| arrays[name].clone());
            each("rho").chain(each("rho_epsilon")).chain(ends).collect()
        }
    }
}

/// Rows of the study's curve: a step, an iteration, an ε, an instant.
pub fn rows(study: &Study, arrays: &Arrays) -> usize {
    match study {
        Study::Flow(_) => arrays["step_time"].len(),
        Study::Sinkhorn(sinkhorn) => sinkhorn.iterations,
        Study::ScalingLimit(limit) => limit.epsilons.len(),
        Study::OptimalMap(_) => 1,
        Study::MirrorFlow(flow) => flow.times.len(),
        Study::ExponentialConvergence(decay) => decay.samples + 1,
        Study::SideBySide(page) => page.samples + 1,
        Study::MirrorDescent(descent) => descent.steps * descent.runs.len(),
    }
}
