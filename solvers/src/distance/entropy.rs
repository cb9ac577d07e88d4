//! Relative entropy.

use crate::parallel::mean_of;

/// `KL(ρ₁‖ρ₂) = ∫ρ₂ (r log r − r + 1)`, `r = ρ₁/ρ₂`, from log-densities at the nodes.
///
/// The integrand is nonnegative, so nothing cancels even where KL is 1e-20; equal to `∫ρ₁ log(ρ₁/ρ₂)` for equal masses.
pub fn relative_entropy(log_rho1: &[f64], log_rho2: &[f64]) -> f64 {
    assert_eq!(log_rho1.len(), log_rho2.len());
    mean_of(log_rho1.len(), |i| {
        log_rho2[i].exp() * entropy_density(log_rho1[i] - log_rho2[i])
    })
}

/// `r log r − r + 1` at `r = e^s`: for small s by its series, where the closed form cancels.
pub(crate) fn entropy_density(s: f64) -> f64 {
    if s.abs() < 1e-2 {
        // Σ_{k≥2} s^k (1/(k−1)! − 1/k!)
        let series = [
            1.0 / 2.0,
            1.0 / 3.0,
            1.0 / 8.0,
            1.0 / 30.0,
            1.0 / 144.0,
            1.0 / 840.0,
        ];
        s * s * series.iter().rev().fold(0.0, |sum, c| sum * s + c)
    } else {
        s * s.exp() - s.exp_m1()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn agrees_with_the_definition_and_keeps_digits_when_tiny() {
        let n = 64;
        let density = |amplitude: f64| {
            let raw: Vec<f64> = (0..n)
                .map(|i| amplitude * (2.0 * PI * i as f64 / n as f64).cos())
                .collect();
            let mass = raw.iter().map(|v| v.exp()).sum::<f64>() / n as f64;
            raw.iter().map(|v| v - mass.ln()).collect::<Vec<_>>()
        };
        let (a, b) = (density(0.8), density(-0.3));
        let definition: f64 = a
            .iter()
            .zip(&b)
            .map(|(a, b)| a.exp() * (a - b))
            .sum::<f64>()
            / n as f64;
        approx::assert_relative_eq!(relative_entropy(&a, &b), definition, max_relative = 1e-13);
        // Near uniform, KL = δ²/4 + O(δ⁴).
        let delta = 1e-8;
        let tiny = relative_entropy(&density(delta), &density(0.0));
        approx::assert_relative_eq!(tiny, delta * delta / 4.0, max_relative = 1e-7);
        assert_eq!(relative_entropy(&a, &a), 0.0);
    }

    #[test]
    fn the_two_branches_meet() {
        let closed = |s: f64| s * s.exp() - s.exp_m1();
        for s in [-9.99e-3, 9.99e-3] {
            approx::assert_relative_eq!(entropy_density(s), closed(s), max_relative = 1e-11);
        }
    }
}
