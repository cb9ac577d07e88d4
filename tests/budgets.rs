//! Budgets and leading terms by value, part by part.

mod common;

use common::project;
use mirrorflow::record::Record;
use mirrorflow::run::numbered;
use mirrorflow::scenario::{load, parse};
use mirrorflow::study::{Context, Reference, Silent, Study, Variation};
use std::ops::ControlFlow;

const QUANTITIES: [&str; 7] = [
    "potential",
    "gradient",
    "corrected",
    "profile",
    "wasserstein",
    "lot",
    "kl",
];

fn measured(scenario: &str, name: &str) -> Record {
    let loaded = load(&project(scenario)).unwrap();
    let studies = numbered(&loaded.scenario.studies);
    let (study, _) = studies.iter().find(|(_, found)| found == name).unwrap();
    let bound = study.on(&loaded.built).unwrap();
    bound
        .measure(&loaded.scenario.numerics, &Silent)
        .unwrap()
        .record
}

/// A limit on the coarser grid that is off by a constant, and one at the looser tolerance that is off by another, are budgets of p by just
/// that much; of W₂ and KL by what they make of the marginal.
#[test]
fn each_part_of_the_budget_is_the_change_that_it_stands_for() {
    let loaded = parse(
        "controls.ron",
        include_str!("scenarios/negative_controls_1d.ron"),
    )
    .unwrap();
    let Study::ScalingLimit(study) = loaded.scenario.studies[0].clone() else {
        panic!("the first study is a scaling limit");
    };
    let context = Context {
        built: loaded.built.on_torus().unwrap(),
        numerics: &loaded.scenario.numerics,
        progress: &Silent,
    };
    let limit = Reference::compute(&context, &study, Variation::None, &|_| {
        ControlFlow::Continue(())
    })
    .unwrap();
    let off = |p: f64, tilt: f64| {
        let mut wrong = limit.clone();
        wrong.p.iter_mut().for_each(|v| *v += p);
        let n = wrong.log_rho.len() as f64;
        wrong
            .log_rho
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v += tilt * (std::f64::consts::TAU * i as f64 / n).cos());
        wrong
    };
    let variations = [off(1e-3, 1e-2), off(2e-5, 1e-4)];
    let record = study
        .measure_against(&context, &limit, &variations)
        .unwrap()
        .record;
    let part = |name: &str| record.values(name).unwrap().to_vec();
    for (space, time) in part("potential_space").iter().zip(part("potential_time")) {
        assert!(
            (space - 1e-3).abs() < 1e-12 && (time - 2e-5).abs() < 1e-12,
            "{space} {time}"
        );
    }
    let (space, time) = (part("wasserstein_space"), part("wasserstein_time"));
    for (space, time) in space.iter().zip(&time) {
        // The tilt is a hundred times larger in one: so is the distance of the marginals.
        assert!((90.0..110.0).contains(&(space / time)), "{space} {time}");
    }
    // ½·½·tilt² is the KL of the two limits, and KL changes by 2√(KL·κ) + κ.
    let kl = part("kl");
    for (kl, space) in kl.iter().zip(part("kl_space")) {
        let least = 0.25e-4 * 0.8;
        assert!(
            space >= least && space <= 2.0 * (kl * 0.3e-4).sqrt() + 0.3e-4,
            "{kl} {space}"
        );
    }
}

/// `δ` in p, at most `πnδ` in ∇p, and something in each.
#[test]
fn rounding_is_in_every_budget() {
    let record = measured("scenarios/smoke_1d.ron", "scaling-limit");
    for quantity in QUANTITIES {
        let part = record.values(&format!("{quantity}_round_off")).unwrap();
        assert!(part.iter().all(|part| *part > 0.0), "{quantity}: {part:?}");
    }
    let n = record.values("p").unwrap().len() as f64;
    let parts = |name: &str| record.values(&format!("{name}_round_off")).unwrap();
    for (p, gradient) in parts("potential").iter().zip(parts("gradient")) {
        assert!((gradient / (std::f64::consts::PI * n * p) - 1.0).abs() < 1e-12);
    }
    let gaussian = measured("scenarios/gaussian_scaling_limit_3d.ron", "scaling-limit");
    let [w, lot] =
        ["wasserstein", "lot"].map(|name| gaussian.values(&format!("{name}_round_off")).unwrap());
    assert!(
        w.iter().all(|part| *part > 0.0) && w == lot,
        "{w:?} {lot:?}"
    );
}

/// `KL(ρ^ε | ρ_t) → ½ε² Var s_t`, with the ½ in `s_t = ∂_t r_t − ½ ∂_t log ρ_t` and the one before ε².
#[test]
fn kl_tends_to_half_the_variance_of_the_profile_of_the_marginal() {
    for (scenario, name) in [
        ("scenarios/smoke_1d.ron", "scaling-limit"),
        ("scenarios/prepared_start_1d.ron", "scaling-limit"),
    ] {
        let record = measured(scenario, name);
        let (epsilons, kl) = (
            record.values("epsilons").unwrap(),
            record.values("kl").unwrap(),
        );
        let square = record.number("marginal_square").unwrap();
        let ratio = |k: usize| kl[k] / (0.5 * epsilons[k] * epsilons[k] * square);
        let last = epsilons.len() - 1;
        // Linear in ε what is left of it: without that part, by the last two.
        let (a, b) = (epsilons[last - 1], epsilons[last]);
        let limit = (a * ratio(last) - b * ratio(last - 1)) / (a - b);
        assert!((limit - 1.0).abs() < 0.01, "{scenario}: {limit}");
        let size = record.number("marginal_profile").unwrap();
        assert!(size * size >= square, "{size} {square}");
    }
}

/// Along Sinkhorn log ρ is known to rounding over ε at best.
#[test]
fn entropies_of_sinkhorn_are_uncertain_by_rounding_over_epsilon() {
    let record = measured(
        "scenarios/exponential_convergence_1d.ron",
        "exponential-convergence",
    );
    for (k, epsilon) in record.values("epsilons").unwrap().iter().enumerate() {
        let (kl, budget) = (
            record.item("sinkhorn_kl", k).unwrap(),
            record.item("sinkhorn_kl_budget", k).unwrap(),
        );
        for j in 1..kl.len() {
            let least = (2.0 * kl[j].max(0.0)).sqrt() * f64::EPSILON / epsilon;
            assert!(budget[j] >= least, "{epsilon} {j}: {} {least}", budget[j]);
        }
    }
}
