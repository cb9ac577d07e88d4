//! Densities π against which the inequality of mirror descent is written out.

use crate::calculus::Spectral;
use crate::density::{Order, Sampled};
use crate::error::Result;
use crate::monge_ampere::{MongeAmpere, solve_elliptic};
use crate::parallel::{for_each_block, mean_of, sup};
use crate::random::XorShift;
use crate::torus::Torus;
use std::f64::consts::PI;
use std::sync::Arc;

/// Residual asked of the elliptic solve.
const TOLERANCE: f64 = 1e-12;

/// A density π with its Brenier potential from e^{-g}.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparator {
    pub name: String,
    /// log π at the nodes, of unit mass.
    pub log_density: Vec<f64>,
    /// Periodic part of ψ_π, `(∇ψ_π)#e^{-g} = π`, mean zero.
    pub q: Vec<f64>,
    /// `log(π/e^{-f})∘∇ψ_π = f(∇ψ_π) − g − log det ∇²ψ_π` at the nodes.
    pub log_ratio: Vec<f64>,
    /// `|∫e^{-f}(∇ψ_π) det ∇²ψ_π − 1|`: how far the grid is from resolving ψ_π.
    pub mass_defect: f64,
}

impl Comparator {
    /// Normalises `log_density` (log π up to a constant, at the nodes) and solves for ψ_π from the periodic part `start`.
    ///
    /// `operator` has source g and target f, like [`super::Descent::operator`]. The solve is on all modes, to a residual of 1e-12
    /// in log π; π off the nodes is its trigonometric interpolant.
    ///
    /// # Errors
    /// As [`solve_elliptic`].
    pub fn new(
        name: impl Into<String>,
        operator: &mut MongeAmpere,
        log_density: &[f64],
        start: &[f64],
    ) -> Result<Self> {
        let name = name.into();
        let torus = operator.torus().clone();
        let mut log_density = log_density.to_vec();
        normalise(&mut log_density);
        let shape: Vec<f64> = log_density.iter().map(|v| -v).collect();
        let mut elliptic = MongeAmpere::from_values(
            operator.source().to_vec(),
            Arc::new(Sampled::new(&torus, &shape, Order::Gradient)),
            Box::new(Spectral::new(&torus)),
        );
        let q = solve_elliptic(&mut elliptic, start, TOLERANCE)
            .map_err(|error| error.during(format!("comparator {name}")))?
            .p;
        let mut log_ratio = vec![0.0; torus.len()];
        operator.unprojected(&q, &mut log_ratio)?;
        for_each_block(&mut log_ratio, |_, w| w.iter_mut().for_each(|w| *w = -*w));
        let g = operator.source();
        let mass = mean_of(q.len(), |i| (-g[i] - log_ratio[i]).exp());
        Ok(Self {
            name,
            log_density,
            q,
            log_ratio,
            mass_defect: (mass - 1.0).abs(),
        })
    }
}

/// Subtracts the constant that makes the mean of the exponential one.
fn normalise(log_density: &mut [f64]) {
    let mass = mean_of(log_density.len(), |i| log_density[i].exp());
    for_each_block(log_density, |_, v| {
        v.iter_mut().for_each(|v| *v -= mass.ln())
    });
}

/// A smooth random log-density of unit mass: modes `0 < |k_i| ≤ modes` with coefficients uniform in ±1/|k|², the sum scaled to
/// supremum `amplitude` at the nodes before it is normalised. The same seed gives the same density.
pub fn random_log_density(torus: &Torus, seed: u64, modes: usize, amplitude: f64) -> Vec<f64> {
    let mut random = XorShift::new(seed);
    let nodes = torus.nodes();
    let mut field = vec![0.0; torus.len()];
    for k in half_of_modes(torus.dimension(), modes as i64) {
        let size = 1.0 / k.iter().map(|k| k * k).sum::<i64>() as f64;
        let (cosine, sine) = (size * random.symmetric(), size * random.symmetric());
        for (i, value) in field.iter_mut().enumerate() {
            let turns: f64 = k.iter().zip(&nodes).map(|(&k, x)| k as f64 * x[i]).sum();
            let (s, c) = (2.0 * PI * turns).sin_cos();
            *value += cosine * c + sine * s;
        }
    }
    let scale = amplitude / sup(&field).max(f64::MIN_POSITIVE);
    field.iter_mut().for_each(|v| *v *= scale);
    normalise(&mut field);
    field
}

/// Wavenumbers with |k_i| ≤ `modes`, one of each pair ±k, without zero: those whose first nonzero entry is positive.
fn half_of_modes(dimension: usize, modes: i64) -> Vec<Vec<i64>> {
    let mut all: Vec<Vec<i64>> = vec![Vec::new()];
    for _ in 0..dimension {
        let extend = |k: &Vec<i64>| -> Vec<Vec<i64>> {
            (-modes..=modes)
                .map(|next| [k.clone(), vec![next]].concat())
                .collect()
        };
        all = all.iter().flat_map(extend).collect();
    }
    all.retain(|k| k.iter().find(|k| **k != 0).is_some_and(|k| *k > 0));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parallel::sup_difference;

    #[test]
    fn random_densities_have_unit_mass_and_are_repeatable() {
        for points in [&[32][..], &[16, 12][..], &[8, 8, 8][..]] {
            let torus = Torus::new(points).unwrap();
            let (a, b) = (
                random_log_density(&torus, 1, 2, 0.7),
                random_log_density(&torus, 2, 2, 0.7),
            );
            assert_eq!(a, random_log_density(&torus, 1, 2, 0.7));
            assert!(sup_difference(&a, &b) > 0.1);
            let mass = mean_of(a.len(), |i| a[i].exp());
            assert!((mass - 1.0).abs() < 1e-14, "{mass}");
            let spread = a.iter().fold(f64::MIN, |m, v| m.max(*v))
                - a.iter().fold(f64::MAX, |m, v| m.min(*v));
            assert!(spread > 0.7 && spread <= 1.4, "{spread}");
        }
    }

    #[test]
    fn half_of_the_modes_and_the_other_half_are_all_but_zero() {
        for d in 1..=3 {
            let half = half_of_modes(d, 2);
            assert_eq!(2 * half.len() + 1, 5usize.pow(d as u32));
            let negative = |k: &Vec<i64>| k.iter().map(|k| -k).collect::<Vec<_>>();
            assert!(half.iter().all(|k| !half.contains(&negative(k))));
        }
    }
}
