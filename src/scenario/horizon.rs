//! The `time` of an `ExponentialConvergence` that leaves it out: long enough for the slowest mode to be seen, from the spectral gap.

use super::{Built, BuiltTorus, Scenario};
use crate::study::{ExponentialConvergence, Study};
use miette::{Report, miette};
use mirrorflow_solvers::calculus::Spectral;
use mirrorflow_solvers::monge_ampere::{Linearised, MongeAmpere, solve_elliptic};
use mirrorflow_solvers::spectrum::smallest_modes;
use mirrorflow_solvers::{Error, LogDensity, Order};
use std::sync::Arc;

/// What `e^{−2·gap·t}` falls to until the horizon: far enough for the end to be linear, not so far that KL is at its error.
const FALLEN: f64 = 1e-7;
/// Residual of the optimal map whose spectrum is taken.
const ELLIPTIC_TOLERANCE: f64 = 1e-10;

/// A study whose time is open: its place, and the length that its intervals are whole multiples of, if it has any ε.
pub struct Open {
    study: usize,
    unit: Option<f64>,
}

/// Puts a time that passes every check in the place of each that is open.
pub fn hold(scenario: &mut Scenario) -> Vec<Open> {
    let mut all = Vec::new();
    for (study, decay) in decays(scenario).filter(|(_, decay)| decay.time.is_nan()) {
        let largest = decay.epsilons.iter().copied().reduce(f64::max);
        decay.time = largest.unwrap_or(1.0) * decay.samples as f64;
        all.push(Open {
            study,
            unit: largest,
        });
    }
    all
}

/// Puts in the times that the gap asks for; says which they are.
///
/// # Errors
/// Where there is no gap to be had.
pub fn find(scenario: &mut Scenario, open: &[Open], built: &Built) -> Result<Vec<f64>, Report> {
    let mut found = Vec::new();
    for Open { study, unit } in open {
        let gap = gap(built).map_err(|error| {
            miette!(
                help = "give the time, such as time: 0.24",
                "the time of ExponentialConvergence is left out, and the spectral gap that says how long it takes is not to be had: {error}"
            )
        })?;
        let asked = -FALLEN.ln() / (2.0 * gap);
        let (_, decay) = decays(scenario)
            .find(|(k, _)| k == study)
            .expect("it was held");
        let samples = decay.samples as f64;
        decay.time = match unit {
            Some(unit) => (asked / (samples * unit)).round().max(1.0) * unit * samples,
            None => two_digits(asked),
        };
        found.push(decay.time);
    }
    Ok(found)
}

fn decays(scenario: &mut Scenario) -> impl Iterator<Item = (usize, &mut ExponentialConvergence)> {
    let studies = scenario.studies.iter_mut().enumerate();
    studies.filter_map(|(k, study)| match study {
        Study::ExponentialConvergence(decay) => Some((k, decay)),
        _ => None,
    })
}

/// The rate at which h decays: the gap of −L_{u_∞} on the torus, 2m_1 between Gaussians.
fn gap(built: &Built) -> Result<f64, Error> {
    match built {
        Built::Torus(torus) => gap_on_torus(torus),
        Built::Gaussian(gaussian) => Ok(2.0 * gaussian.problem.rates()[0]),
        // No such study is admitted there.
        Built::Euclidean(_) => Ok(1.0),
    }
}

fn gap_on_torus(built: &BuiltTorus) -> Result<f64, Error> {
    let torus = &built.torus;
    let target: Arc<dyn LogDensity> = Arc::new(built.target.clone());
    let mut operator = MongeAmpere::new(&built.source, target, Box::new(Spectral::new(torus)));
    let zero = vec![0.0; torus.len()];
    let p = solve_elliptic(&mut operator, &zero, ELLIPTIC_TOLERANCE)?.p;
    let mut linearised = Linearised::new(&operator, Order::Gradient);
    linearised.freeze(&mut operator, &p, &mut vec![0.0; p.len()])?;
    let log_source: Vec<f64> = operator.source().iter().map(|f| -f).collect();
    let modes = smallest_modes(torus, &log_source, Some(linearised.inverse_hessian()), 1)?;
    Ok(modes[0].eigenvalue)
}

fn two_digits(value: f64) -> f64 {
    let scale = 10f64.powf(1.0 - value.log10().floor());
    (value * scale).ceil() / scale
}

#[cfg(test)]
mod tests {
    use crate::scenario::parse;
    use crate::study::Study;

    fn time(problem: &str, study: &str) -> f64 {
        let text = format!(
            "Scenario(title: \"t\", problem: {problem}, studies: [ExponentialConvergence({study})])"
        );
        let loaded = parse("t.ron", &text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let Study::ExponentialConvergence(decay) = &loaded.scenario.studies[0] else {
            unreachable!()
        };
        assert_eq!(loaded.times.len(), usize::from(!study.contains("time")));
        let again = parse("t.ron", &loaded.scenario.to_ron()).unwrap();
        assert_eq!(again.scenario, loaded.scenario);
        decay.time
    }

    #[test]
    fn a_time_that_is_left_out_follows_the_gap() {
        // 2·gap = 76.893 on this problem, and 8π² for the uniform density.
        let torus = "Torus(points: [64], source: Formula(\"0.5*cos(2*pi*x) + 0.2*sin(2*pi*x)\"), target: Formula(\"0.2*cos(4*pi*x) - 0.3*sin(2*pi*x)\"))";
        assert_eq!(time(torus, ""), 0.21);
        assert_eq!(time(torus, "time: 0.5"), 0.5);
        let slower = "Torus(points: [64], source: Formula(\"2*cos(4*pi*x)\"), target: Uniform)";
        assert!(time(slower, "") > 0.21);
        // Whole iterations at every ε in every interval.
        let held = time(torus, "samples: 10, epsilons: [0.01, 0.005]");
        assert!((held - 0.2).abs() < 1e-12, "{held}");
        let between = time(
            "Gaussian(source: Variances([1.0, 2.0]), target: Variances([1.0, 1.0]))",
            "",
        );
        assert!((5.0..30.0).contains(&between), "{between}");
    }
}
