//! Objectives F of the mirror flow and of the Wasserstein gradient flow (THEORY §5).
//!
//! All are local, `F(ρ) = ∫ e(log ρ, f) dx`, with first variation `φ = δF/δρ`. Only ∇φ matters to the flows, so φ is fixed up to a
//! constant, for KL by `φ = f + log ρ`: then `∂_t u = φ` is parabolic Monge–Ampère itself.
//!
//! A new objective is one new file here, and one variant of the scenario format.
//!
//! The divergences (KL, reverse KL, ½χ², power) all have `∂φ/∂log ρ = 1` at `ρ = e^{-f}`, and the entropies at the uniform density:
//! they agree to second order at their minimum, so their flows have the same asymptotic rate and differ on the way.
//! Rényi's divergence is a monotone function of the power divergence of the same exponent: same path, another clock.

mod chi_square;
mod entropy;
mod potential_energy;
mod power_divergence;
mod power_entropy;
mod relative_entropy;
mod reverse_relative_entropy;

pub use chi_square::ChiSquare;
pub use entropy::Entropy;
pub use potential_energy::PotentialEnergy;
pub use power_divergence::PowerDivergence;
pub use power_entropy::PowerEntropy;
pub use relative_entropy::RelativeEntropy;
pub use reverse_relative_entropy::ReverseRelativeEntropy;

/// Where an objective is least, among densities of unit mass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Minimiser {
    /// `e^{-f}`.
    Source,
    /// The uniform density.
    Uniform,
    /// No density: mass concentrates where f is least.
    Concentrated,
}

/// A functional of densities, given at a point by `l = log ρ` and the value of f there.
pub trait Objective: Send + Sync {
    /// F(ρ) from log ρ and f at the nodes, without cancellation near the minimum.
    fn value(&self, log_rho: &[f64], f: &[f64]) -> f64;

    /// `φ = δF/δρ` up to a constant.
    fn variation(&self, l: f64, f: f64) -> f64;

    /// `(∂φ/∂l, ∂φ/∂f)`; the first is ≥ 0 for a convex objective.
    fn slopes(&self, l: f64, f: f64) -> (f64, f64);

    /// Where F is least.
    fn minimiser(&self) -> Minimiser {
        Minimiser::Source
    }
}

/// φ at the nodes.
pub fn variation(objective: &dyn Objective, log_rho: &[f64], f: &[f64], out: &mut [f64]) {
    crate::parallel::for_each_block(out, |start, out| {
        for (k, out) in out.iter_mut().enumerate() {
            *out = objective.variation(log_rho[start + k], f[start + k]);
        }
    });
}

/// `(e^{ms} − 1 − m(e^s − 1)) / (m(m−1))`, convex in s and zero with its slope at s = 0: what the power family integrates.
///
/// Near s = 0 by its series `Σ_{k≥2} s^k (m^{k−1} − 1)/((m−1) k!)`, where the closed form cancels.
fn power_excess(exponent: f64, s: f64) -> f64 {
    let m = exponent;
    if s.abs() * m.abs().max(1.0) < 1e-2 {
        let (mut sum, mut term) = (0.0, s);
        for k in 2..9 {
            term *= s / f64::from(k);
            // (m^{k−1} − 1)/(m − 1) as a geometric sum, which does not cancel.
            let geometric: f64 = (0..k - 1).map(|j| m.powi(j)).sum();
            sum += term * geometric;
        }
        return sum;
    }
    ((m * s).exp_m1() - m * s.exp_m1()) / (m * (m - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torus::Torus;
    use std::f64::consts::PI;

    fn all() -> Vec<Box<dyn Objective>> {
        vec![
            Box::new(RelativeEntropy),
            Box::new(ReverseRelativeEntropy),
            Box::new(ChiSquare),
            Box::new(PowerDivergence::new(1.5)),
            Box::new(PowerDivergence::new(-0.5)),
            Box::new(Entropy),
            Box::new(PowerEntropy::new(3.0)),
            Box::new(PotentialEnergy),
        ]
    }

    fn field(torus: &Torus, value: impl Fn(f64) -> f64) -> Vec<f64> {
        (0..torus.len()).map(|i| value(torus.node(i)[0])).collect()
    }

    fn normalised(mut log_rho: Vec<f64>) -> Vec<f64> {
        let mass = log_rho.iter().map(|l| l.exp()).sum::<f64>() / log_rho.len() as f64;
        log_rho.iter_mut().for_each(|l| *l -= mass.ln());
        log_rho
    }

    /// `d/ds F(ρ + sη)` at 0 is `∫ φ η` for every η of mass zero, by central differences of order 4.
    #[test]
    fn the_first_variation_is_the_derivative_of_the_value() {
        let torus = Torus::new(&[64]).unwrap();
        let f = field(&torus, |x| 0.7 * (2.0 * PI * x).cos() + 0.2);
        let rho: Vec<f64> = normalised(field(&torus, |x| 0.5 * (2.0 * PI * x).sin()))
            .iter()
            .map(|l| l.exp())
            .collect();
        let eta = field(&torus, |x| 0.3 * (4.0 * PI * x + 0.4).cos());
        for (number, objective) in all().iter().enumerate() {
            let value = |s: f64| {
                let moved: Vec<f64> = rho
                    .iter()
                    .zip(&eta)
                    .map(|(r, e)| (r + s * e).ln())
                    .collect();
                objective.value(&moved, &f)
            };
            let h = 1e-3;
            let difference =
                (8.0 * (value(h) - value(-h)) - value(2.0 * h) + value(-2.0 * h)) / (12.0 * h);
            let mut phi = vec![0.0; rho.len()];
            let log_rho: Vec<f64> = rho.iter().map(|r| r.ln()).collect();
            variation(objective.as_ref(), &log_rho, &f, &mut phi);
            let exact = phi.iter().zip(&eta).map(|(p, e)| p * e).sum::<f64>() / 64.0;
            assert!(
                (difference - exact).abs() < 1e-9,
                "{number}: {difference} {exact}"
            );
        }
    }

    #[test]
    fn the_slopes_are_the_derivatives_of_the_variation() {
        for (number, objective) in all().iter().enumerate() {
            let (l, f, h) = (0.3, -0.4, 1e-4);
            let (in_l, in_f) = objective.slopes(l, f);
            let d_l = (objective.variation(l + h, f) - objective.variation(l - h, f)) / (2.0 * h);
            let d_f = (objective.variation(l, f + h) - objective.variation(l, f - h)) / (2.0 * h);
            assert!((in_l - d_l).abs() < 1e-7, "{number}: {in_l} {d_l}");
            assert!((in_f - d_f).abs() < 1e-7, "{number}: {in_f} {d_f}");
            assert!(in_l >= 0.0);
        }
    }

    #[test]
    fn each_is_least_where_it_says_with_unit_slope_there() {
        let torus = Torus::new(&[64]).unwrap();
        let log_source = normalised(field(&torus, |x| -0.7 * (2.0 * PI * x).cos()));
        let f: Vec<f64> = log_source.iter().map(|l| -l).collect();
        let uniform = vec![0.0; 64];
        for (number, objective) in all().iter().enumerate() {
            let at = match objective.minimiser() {
                Minimiser::Source => &log_source,
                Minimiser::Uniform => &uniform,
                Minimiser::Concentrated => continue,
            };
            let (other, least) = (
                normalised(
                    at.iter()
                        .enumerate()
                        .map(|(i, l)| l + 0.1 * (i as f64).sin())
                        .collect(),
                ),
                objective.value(at, &f),
            );
            assert!(
                least.abs() < 1e-14 && objective.value(&other, &f) > 1e-4,
                "{number}: {least}"
            );
            assert!(
                (objective.slopes(at[3], f[3]).0 - 1.0).abs() < 1e-12,
                "{number}"
            );
        }
    }

    #[test]
    fn the_power_family_joins_its_named_members() {
        let torus = Torus::new(&[64]).unwrap();
        let f = field(&torus, |x| 0.7 * (2.0 * PI * x).cos());
        let rho = normalised(field(&torus, |x| 0.5 * (2.0 * PI * x).sin()));
        let f = normalised(f.iter().map(|f| -f).collect::<Vec<_>>())
            .iter()
            .map(|l| -l)
            .collect::<Vec<_>>();
        let value = |o: &dyn Objective| o.value(&rho, &f);
        approx::assert_relative_eq!(
            value(&PowerDivergence::new(2.0)),
            value(&ChiSquare),
            max_relative = 1e-12
        );
        approx::assert_relative_eq!(
            value(&PowerDivergence::new(1.0 + 1e-7)),
            value(&RelativeEntropy),
            max_relative = 1e-6
        );
        approx::assert_relative_eq!(
            value(&PowerDivergence::new(1e-7)),
            value(&ReverseRelativeEntropy),
            max_relative = 1e-6
        );
        // The two branches of the excess meet.
        for m in [-0.5, 1.5, 3.0] {
            let s = 0.999e-2 / f64::max(1.0, f64::abs(m));
            let closed = ((m * s).exp_m1() - m * s.exp_m1()) / (m * (m - 1.0));
            approx::assert_relative_eq!(power_excess(m, s), closed, max_relative = 1e-9);
        }
    }
}
