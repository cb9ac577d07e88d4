//! The table of all runs.

use super::MirrorDescent;
use super::bounds;
use super::track::{Rule, Track};
use crate::record::{Record, RecordError};
use crate::study::Curve;

/// One row per step of each run, of the state that the step led to. NaN where a quantity is not defined for the run.
pub fn curve(study: &MirrorDescent, record: &Record) -> Result<Curve, RecordError> {
    let tracks = Track::all(study, record)?;
    let column = |header: &str, of: &dyn Fn(&Track) -> Vec<f64>| {
        let values = tracks.iter().flat_map(of).collect();
        (header.to_owned(), values)
    };
    let next = |values: &[f64]| values[1..].to_vec();
    let descent = |track: &Track, of: &dyn Fn(&Track) -> Vec<f64>| match track.rule {
        Rule::Sinkhorn => vec![f64::NAN; track.steps()],
        _ => of(track),
    };
    Ok(Curve {
        columns: vec![
            column("run", &|t| vec![t.number as f64; t.steps()]),
            column("k", &|t| (1..=t.steps()).map(|k| k as f64).collect()),
            column("eta_{k-1}", &|t| t.eta.clone()),
            column("time sum eta", &|t| next(&t.times())),
            column("KL(rho_k | e^-f) [nats]", &|t| next(&t.kl)),
            column("average KL, weights eta", &Track::average),
            column("KL of the average iterate", &|t| {
                let of = |k: usize| t.average_kl.get(k).copied().unwrap_or(f64::NAN);
                (0..t.steps()).map(of).collect()
            }),
            column("bound of the average", &|t| descent(t, &bounds::average)),
            column("bound of the average, sup G^2/m", &|t| {
                descent(t, &bounds::uniform_average)
            }),
            column("regret sum KL", &Track::regret),
            column("bound of the regret", &|t| descent(t, &bounds::regret)),
            column("B_g(e^-f | rho_k)", &|t| next(&t.bregman[0])),
            column("KL(e^-f | rho)/B_g", &|t| descent(t, &Track::ratios)),
            column("least slack of the EVI", &|t| descent(t, &least_slack)),
        ],
    })
}

/// The least slack over the comparators, at every step.
fn least_slack(track: &Track) -> Vec<f64> {
    let least = |k: usize| {
        let each = (0..track.terms.len()).map(|c| track.slack(c, k).0);
        each.fold(f64::INFINITY, f64::min)
    };
    (0..track.steps()).map(least).collect()
}
