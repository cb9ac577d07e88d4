//! The points: drawn, carried by one map and by the composition, counted.

use super::{Setting, TOLERANCES, minus};
use crate::record::Record;
use crate::study::jobs::Tick;
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::density::Sampled;
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::interpolation::Interpolant;
use mirrorflow_solvers::parallel::mean_of;
use mirrorflow_solvers::sampling::{
    Bins, BrenierMap, Carried, Composition, GoodnessOfFit, Sampler, Scheme, law, transport_cost,
};
use mirrorflow_solvers::{Jet, Order, Result, Torus};
use std::sync::Arc;

/// Draws Z, carries it both ways, and counts the images.
pub fn carry(setting: &Setting, q: &[f64], tick: &Tick) -> Result<Record> {
    let Setting { torus, asked, .. } = setting;
    let z = Sampler::new(Arc::clone(&setting.target))?.draw(asked.samples, asked.seed)?;
    let shape = vec![asked.bins; torus.dimension()];
    let bins = Bins::new(&shape)?;
    let one_map = BrenierMap::new(torus, q).push(&z);
    let log_law = law(torus, Arc::clone(&setting.target), q)?;
    let composition = one_steps(setting, &z, tick)?;
    let mut record = Record::default();
    record.insert(
        "source_masses",
        &shape,
        bins.masses(setting.source.as_ref())?,
    );
    let steps = asked.fokker_planck_steps as f64;
    let one = ("one_map", 1.0, &one_map, &log_law);
    let composed = (&composition.points, &composition.log_density);
    for (name, evaluations, points, log_density) in
        [one, ("composition", steps, composed.0, composed.1)]
    {
        let density = Sampled::new(torus, &minus(log_density), Order::Value);
        let (counts, masses) = (bins.counts(points), bins.masses(&density)?);
        // Refused here, not when it is judged.
        GoodnessOfFit::new(&counts, &masses)?;
        let counts = counts.into_iter().map(|count| count as f64);
        let rho = log_density.iter().map(|l| l.exp()).collect();
        let mut insert = |ending: &str, shape: &[usize], values| {
            record.insert(&format!("{name}_{ending}"), shape, values);
        };
        insert("counts", &shape, counts.collect());
        insert("masses", &shape, masses);
        insert("density", torus.points(), rho);
        insert("evaluations", &[], vec![evaluations]);
        insert(
            "kl",
            &[],
            vec![relative_entropy(log_density, &setting.log_source)],
        );
    }
    let [bias, kl] = divergences(setting, &composition);
    record.insert_number("one_step_bias", bias);
    record.insert_number("one_step_kl", kl);
    record.insert_number("one_step_convexity", composition.convexity);
    let cost = transport_cost(&setting.log_start, &composition.displacement);
    record.insert_number("one_step_cost", cost);
    Ok(record)
}

fn one_steps(setting: &Setting, z: &[Vec<f64>], tick: &Tick) -> Result<Carried> {
    let steps = setting.asked.fokker_planck_steps;
    let composition = Composition {
        horizon: setting.horizon,
        steps,
        scheme: Scheme::OneStepMaps,
        tolerance: TOLERANCES[0],
    };
    composition.run(
        &setting.torus,
        setting.source.as_ref(),
        &setting.log_start,
        z,
        &mut |instant| Ok(tick(instant.step as f64 / steps as f64)),
    )
}

/// `KL(S#e^{-g} | π) = ∫ e^{-g} [−g − log det ∇S − log π(S)]` of the composition S of finitely many one-step maps, for π = ρ_T, which
/// is O(τ²), and for π = e^{-f}.
fn divergences(setting: &Setting, carried: &Carried) -> [f64; 2] {
    let Setting {
        torus, log_start, ..
    } = setting;
    let nodes = torus.nodes().into_iter().zip(&carried.displacement);
    let images: Vec<Vec<f64>> = nodes
        .map(|(y, d)| y.iter().zip(d).map(|(y, d)| y + d).collect())
        .collect();
    let mut log_end = vec![0.0; torus.len()];
    Interpolant::new(torus, &[&carried.log_density]).evaluate(&images, &mut [&mut log_end]);
    let mut f = Jet::zeros(torus.dimension(), torus.len(), Order::Value);
    setting.source.jet(&images, &mut f);
    let log_det = log_determinants(torus, &carried.displacement);
    let mass = mean_of(torus.len(), |i| log_start[i].exp());
    [log_end, minus(&f.value)].map(|log_pi| {
        let gap = |i: usize| log_start[i] - log_det[i] - log_pi[i];
        mean_of(torus.len(), |i| log_start[i].exp() * gap(i)) / mass
    })
}

/// `log det(I + ∇D)` at the nodes; ∇D need not be symmetric.
fn log_determinants(torus: &Torus, displacement: &[Vec<f64>]) -> Vec<f64> {
    let d = torus.dimension();
    let mut calculus = Spectral::new(torus);
    let rows: Vec<Vec<Vec<f64>>> = displacement
        .iter()
        .map(|component| {
            let mut row = vec![vec![0.0; torus.len()]; d];
            calculus.gradient(component, &mut row);
            row
        })
        .collect();
    let entry = |i: usize, r: usize, c: usize| match (r < d, r == c) {
        (true, same) if c < d => rows[r][c][i] + f64::from(u8::from(same)),
        (_, same) => f64::from(u8::from(same)),
    };
    let determinant = |i: usize| {
        let minor =
            |a: usize, b: usize| entry(i, 1, a) * entry(i, 2, b) - entry(i, 1, b) * entry(i, 2, a);
        entry(i, 0, 0) * minor(1, 2) - entry(i, 0, 1) * minor(0, 2) + entry(i, 0, 2) * minor(0, 1)
    };
    (0..torus.len()).map(|i| determinant(i).ln()).collect()
}
