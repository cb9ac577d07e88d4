//! What is left of a flow in its slowest modes.
//!
//! Near the end `h = log ρ + f` obeys `∂_t h = L h` with the L of the spectrum, so that its amplitude `a_j = ∫h w_j e^{-f}` in mode j decays at the
//! rate λ_j, each by itself, and `KL = ½Σa_j²`; likewise `u_t − u_∞ = −Σ(a_j/λ_j) w_j`.

use crate::record::Record;
use crate::study::measure::Context;
use mirrorflow_solvers::calculus::{Calculus, Spectral};
use mirrorflow_solvers::density::LogDensity;
use mirrorflow_solvers::monge_ampere::{Linearised, MongeAmpere};
use mirrorflow_solvers::parallel::{mean_of, sup};
use mirrorflow_solvers::spectrum::Mode;
use mirrorflow_solvers::{Order, Result, Torus};
use std::sync::Arc;

/// The slowest modes of −L_{u_∞} and of Fokker–Planck.
pub struct Modes {
    pub mirror: Vec<Mode>,
    pub fokker_planck: Vec<Mode>,
    /// `A_∞ = (∇²u_∞)^{-1}`, packed.
    pub inverse_hessian: Vec<Vec<f64>>,
}

/// Below this relative entropy the shape of h is rounding.
const SEEN: f64 = 1e-14;
/// Eigenvalues this near to the smallest one belong to the same mode.
const SAME: f64 = 1.01;

/// What is left in the slowest modes, instant by instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Left {
    /// `a_j(t) = ∫h_t w_j e^{-f}`, h without its mean, for each mode j.
    pub amplitudes: Vec<Vec<f64>>,
    /// `sup|h_t|`, without its mean: how far from linear the flow is.
    pub deviation: Vec<f64>,
    /// `Σa_j²/‖h‖²` over the modes of the smallest eigenvalue, at the last instant that is not yet e^{-f} to rounding.
    pub share: f64,
}

impl Left {
    /// Adds an instant with its relative entropy.
    pub fn push(&mut self, log_rho: &[f64], f: &[f64], kl: f64, modes: &[Mode]) {
        let weight = |i: usize| (-f[i]).exp();
        let mass = mean_of(f.len(), weight);
        let mean = mean_of(f.len(), |i| weight(i) * (log_rho[i] + f[i])) / mass;
        let h: Vec<f64> = log_rho.iter().zip(f).map(|(l, f)| l + f - mean).collect();
        self.amplitudes.resize(modes.len(), Vec::new());
        for (amplitudes, mode) in self.amplitudes.iter_mut().zip(modes) {
            let w = &mode.eigenfunction;
            amplitudes.push(mean_of(h.len(), |i| weight(i) * h[i] * w[i]));
        }
        self.deviation.push(sup(&h));
        if kl > SEEN || self.deviation.len() == 1 {
            let square = mean_of(h.len(), |i| weight(i) * h[i] * h[i]);
            let same = |mode: &&Mode| mode.eigenvalue <= SAME * modes[0].eigenvalue;
            let slowest = modes.iter().filter(same).zip(&self.amplitudes);
            let along = slowest.map(|(_, a)| a[a.len() - 1].powi(2));
            self.share = along.sum::<f64>() / square.max(f64::MIN_POSITIVE);
        }
    }

    /// Into the record, under names with this prefix.
    pub fn record(&self, prefix: &str, share: &str, record: &mut Record) {
        let shape = [self.amplitudes.len(), self.deviation.len()];
        let name = format!("{prefix}amplitudes");
        record.insert(&name, &shape, self.amplitudes.concat());
        record.insert_curve(&format!("{prefix}deviation"), self.deviation.clone());
        record.insert_number(share, self.share);
    }
}

/// The quadratic forms of `‖∇(u_t − u_∞)‖²` in L²(e^{-f}) and of `W₂²(ρ_t, e^{-f})` in the amplitudes, as they are near the end, in C order:
/// `∫∇w_i·∇w_j e^{-f}/(λ_iλ_j)`, and `∫∇φ_i·∇φ_j e^{-f}` with `−e^f ∇·(e^{-f}∇φ_i) = w_i`.
///
/// # Errors
/// Those of the equations for φ.
pub fn forms(context: &Context, modes: &[Mode]) -> Result<[Vec<f64>; 2]> {
    let (torus, f) = (&context.built.torus, context.source());
    let potentials = modes.iter().map(|mode| {
        let w = &mode.eigenfunction;
        w.iter().map(|w| w / mode.eigenvalue).collect()
    });
    let gradient = gram(torus, &f, &potentials.collect::<Vec<_>>());
    // −e^f ∇·(e^{-f}∇φ) = −L_u φ of the map that leaves e^{-f} where it is.
    let target: Arc<dyn LogDensity> = Arc::new(context.built.source.clone());
    let mut operator = MongeAmpere::new(
        &context.built.source,
        target,
        Box::new(Spectral::new(torus)),
    );
    let mut linearised = Linearised::new(&operator, Order::Gradient);
    let mut scratch = vec![0.0; f.len()];
    linearised.freeze(&mut operator, &vec![0.0; f.len()], &mut scratch)?;
    let mut transported = Vec::new();
    for mode in modes {
        let mut potential = vec![0.0; f.len()];
        linearised.solve_poisson(&mut operator, &mode.eigenfunction, &mut potential, POISSON)?;
        transported.push(potential);
    }
    Ok([gradient, gram(torus, &f, &transported)])
}

/// Residual of the equations for φ: far below what rates are compared with.
const POISSON: f64 = 1e-8;

/// `∫∇φ_i·∇φ_j e^{-f}`.
fn gram(torus: &Torus, f: &[f64], potentials: &[Vec<f64>]) -> Vec<f64> {
    let mut spectral = Spectral::new(torus);
    let gradient = |potential: &Vec<f64>| {
        let mut gradient = vec![vec![0.0; f.len()]; torus.dimension()];
        spectral.gradient(potential, &mut gradient);
        gradient
    };
    let gradients: Vec<Vec<Vec<f64>>> = potentials.iter().map(gradient).collect();
    let product = |a: &[Vec<f64>], b: &[Vec<f64>]| {
        mean_of(f.len(), |i| {
            let along = a.iter().zip(b).map(|(a, b)| a[i] * b[i]);
            (-f[i]).exp() * along.sum::<f64>()
        })
    };
    let rows = gradients.iter();
    rows.flat_map(|a| gradients.iter().map(move |b| product(a, b)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Modes of the uniform density on eight nodes.
    fn modes(eigenvalues: [f64; 3]) -> Vec<Mode> {
        let wave = |k: usize| {
            let at = move |i: usize| std::f64::consts::TAU * i as f64 / 8.0;
            let value = move |i: usize| match k {
                0 => 2f64.sqrt() * at(i).cos(),
                1 => 2f64.sqrt() * at(i).sin(),
                _ => 2f64.sqrt() * (2.0 * at(i)).cos(),
            };
            (0..8).map(value).collect::<Vec<f64>>()
        };
        let mode = |k: usize| Mode {
            eigenvalue: eigenvalues[k],
            eigenfunction: wave(k),
            residual: 0.0,
        };
        (0..3).map(mode).collect()
    }

    #[test]
    fn amplitudes_deviation_and_share_are_those_of_the_parts() {
        let left = |eigenvalues| {
            let modes = modes(eigenvalues);
            let parts = [0.03, 0.04, 0.12];
            let h = |i: usize| {
                (0..3)
                    .map(|k| parts[k] * modes[k].eigenfunction[i])
                    .sum::<f64>()
            };
            let h: Vec<f64> = (0..8).map(h).collect();
            let mut left = Left::default();
            left.push(&h, &[0.0; 8], 0.5, &modes);
            for (found, part) in left.amplitudes.iter().zip(parts) {
                assert!((found[0] - part).abs() < 1e-15);
            }
            let sup = h.iter().fold(0.0, |sup: f64, h| sup.max(h.abs()));
            assert!((left.deviation[0] - sup).abs() < 1e-15);
            left.share
        };
        // 9 + 16 of 169 where the first two are one eigenvalue, 9 where they are not.
        assert!((left([1.0, 1.000_001, 4.0]) - 25.0 / 169.0).abs() < 1e-12);
        assert!((left([1.0, 1.1, 4.0]) - 9.0 / 169.0).abs() < 1e-12);
    }
}
