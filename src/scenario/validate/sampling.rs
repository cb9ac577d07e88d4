//! The samples of mirror descent: how many, in how many bins, beside how many steps of Fokker–Planck.

use super::Checks;
use crate::scenario::locate::{Step, way};
use crate::scenario::{BuiltTorus, Problem, Scenario};
use crate::study::{MirrorDescent, Run, Sampling, Study};
use mirrorflow_solvers::sampling::Bins;

/// Least expected count of a bin, below which Pearson's statistic is not χ² (Cochran, *Biometrics* 10 (1954)).
const LEAST_EXPECTED: f64 = 5.0;
/// The steps are a multiple of this, so that the flow map is seen at three times in half of them too.
const MULTIPLE: usize = 8;

fn asked(study: &Study) -> Option<(&MirrorDescent, &Sampling)> {
    let Study::MirrorDescent(descent) = study else {
        return None;
    };
    descent.sampling.as_ref().map(|asked| (descent, asked))
}

/// What needs no grid.
pub fn check(checks: &mut Checks, number: usize, study: &Study, problem: &Problem) {
    let Some((descent, sampling)) = asked(study) else {
        return;
    };
    let place = way!["studies", number, "sampling"];
    let mut refuse = |field: Option<&'static str>, message: String, label: &str, help: &str| {
        let path = [&place[..], field.map(Step::from).as_slice()].concat();
        checks.refuse(&path, message, label, help.into());
    };
    if !matches!(problem, Problem::Torus(_)) {
        let message = "points are drawn and transported on a torus only".into();
        refuse(None, message, "not on a torus", "leave sampling out");
    }
    if descent
        .runs
        .iter()
        .all(|run| matches!(run, Run::Sinkhorn(_)))
    {
        let message = "no run has a ψ to transport points: Sinkhorn's is not kept".into();
        let help = "add a run, such as Explicit(Adaptive(0.9))";
        refuse(None, message, "no map", help);
    }
    if sampling.samples == 0 {
        let message = "0 samples leave nothing to count".into();
        let help = "draw at least 5 points a bin, such as samples: 100000, or leave sampling out";
        refuse(Some("samples"), message, "at least 1", help);
    }
    if sampling.bins < 2 {
        let message = format!("{} bins along an axis tell nothing", sampling.bins);
        refuse(Some("bins"), message, "at least 2", "use bins: 16");
    }
    let steps = sampling.fokker_planck_steps;
    if steps == 0 || !steps.is_multiple_of(MULTIPLE) {
        let message = format!("{steps} steps cannot be halved three times");
        let help = "use a multiple of 8, best a power of two such as fokker_planck_steps: 256";
        refuse(
            Some("fokker_planck_steps"),
            message,
            "not a multiple of 8",
            help,
        );
    }
}

/// Refuses bins in which too few points are expected.
pub fn expects_enough(checks: &mut Checks, scenario: &Scenario, built: &BuiltTorus) {
    for (number, study) in scenario.studies.iter().enumerate() {
        let Some((_, sampling)) = asked(study) else {
            continue;
        };
        let shape = vec![sampling.bins; built.torus.dimension()];
        let path = way!["studies", number, "sampling", "bins"];
        let masses = Bins::new(&shape).and_then(|bins| bins.masses(&built.source));
        let least = match masses {
            Ok(masses) => masses.into_iter().fold(f64::INFINITY, f64::min),
            Err(error) => {
                let help = "use fewer bins".into();
                checks.refuse(path, error.to_string(), "too many", help);
                continue;
            }
        };
        let expected = least * sampling.samples as f64;
        if expected < LEAST_EXPECTED {
            let message = format!(
                "a bin expects {expected:.2} of {} points of e^{{-f}}, too few for a test of its law",
                sampling.samples
            );
            let help = format!(
                "use fewer bins, or {:.0} samples or more",
                (LEAST_EXPECTED / least).ceil()
            );
            checks.refuse(path, message, "too fine", help);
        }
    }
}
