//! The Bregman divergence of `U = ½W₂²(·, e^{-g})`.

use super::fenchel_gap::fenchel_gap;
use crate::error::Result;
use crate::parallel::mean_of;
use crate::torus::Torus;

/// `B_g(π|ρ) = ∫ψ_ρ^* dπ + ∫ψ_ρ e^{-g} − ∫ψ_π^* dπ − ∫ψ_π e^{-g}` (THEORY §7), ψ the Brenier potential from e^{-g}.
///
/// The last two terms are `∫ y·∇ψ_π(y) e^{-g}`, so B is the mean of the [`fenchel_gap`] of ψ_ρ along ∇ψ_π: nonnegative node by
/// node, zero iff the maps agree, and with digits left where it is tiny (`λ/2·LOT²` near equality). `log_reference` is −g at the
/// nodes, `q_pi`, `q_rho` the periodic parts of ψ_π, ψ_ρ, whose constants do not matter. Accuracy as for [`fenchel_gap`]; source: Deb and Liang (arXiv 2504.09279).
///
/// # Errors
/// As [`fenchel_gap`].
pub fn bregman_divergence(
    torus: &Torus,
    log_reference: &[f64],
    q_pi: &[f64],
    q_rho: &[f64],
) -> Result<f64> {
    let coupled = fenchel_gap(torus, q_rho, q_pi)?;
    Ok(mean_of(torus.len(), |i| {
        log_reference[i].exp() * coupled.gap[i]
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::legendre::conjugate;
    use crate::mirror_descent::random_log_density;
    use crate::parallel::mean;

    /// A smooth periodic part with curvatures within about `strength` of one.
    fn potential(torus: &Torus, seed: u64, strength: f64) -> Vec<f64> {
        let raw = random_log_density(torus, seed, 2, 1.0);
        let mean = mean(&raw);
        raw.iter().map(|v| strength / 80.0 * (v - mean)).collect()
    }

    fn grids() -> [Torus; 2] {
        [&[128][..], &[64, 64][..]].map(|points| Torus::new(points).unwrap())
    }

    /// `∫(p_ρ − p_π)dπ + ∫(q_ρ − q_π)e^{-g}`, p the conjugates' periodic parts; π is the density that ∇u_π carries to e^{-g}.
    fn by_definition(torus: &Torus, log_reference: &[f64], q_pi: &[f64], q_rho: &[f64]) -> f64 {
        use crate::density::{Order, Sampled};
        let g: Vec<f64> = log_reference.iter().map(|v| -v).collect();
        let calculus = Box::new(crate::calculus::Spectral::new(torus));
        let target = std::sync::Arc::new(Sampled::new(torus, &g, Order::Value));
        let mut operator =
            crate::monge_ampere::MongeAmpere::from_values(vec![0.0; torus.len()], target, calculus);
        let (p_pi, p_rho) = (
            conjugate(torus, q_pi).unwrap().q,
            conjugate(torus, q_rho).unwrap().q,
        );
        let mut log_pi = vec![0.0; torus.len()];
        operator.log_marginal(&p_pi, &mut log_pi).unwrap();
        mean_of(torus.len(), |i| {
            log_pi[i].exp() * (p_rho[i] - p_pi[i]) + log_reference[i].exp() * (q_rho[i] - q_pi[i])
        })
    }

    #[test]
    fn agrees_with_the_definition_near_and_far() {
        for torus in grids() {
            let reference = random_log_density(&torus, 5, 2, 0.4);
            for strength in [0.6, 0.02] {
                let pi = potential(&torus, 1, 0.6);
                let rho: Vec<f64> = potential(&torus, 2, strength)
                    .iter()
                    .zip(&pi)
                    .map(|(v, pi)| if strength > 0.1 { *v } else { v + pi })
                    .collect();
                let found = bregman_divergence(&torus, &reference, &pi, &rho).unwrap();
                let exact = by_definition(&torus, &reference, &pi, &rho);
                println!(
                    "{:?} {strength}: {found:e} {:e}",
                    torus.points(),
                    found - exact
                );
                assert!(found > 1e-9);
                assert!((found - exact).abs() < 1e-14, "{found:e} {exact:e}");
            }
        }
    }

    #[test]
    fn nonnegative_zero_for_equal_densities_and_quadratic_near_them() {
        for torus in grids() {
            let reference = random_log_density(&torus, 5, 2, 0.4);
            let (pi, direction) = (potential(&torus, 1, 0.5), potential(&torus, 2, 0.5));
            assert_eq!(
                bregman_divergence(&torus, &reference, &pi, &pi).unwrap(),
                0.0
            );
            let at = |s: f64| {
                let rho: Vec<f64> = pi.iter().zip(&direction).map(|(p, v)| p + s * v).collect();
                let coupled = fenchel_gap(&torus, &rho, &pi).unwrap();
                assert!(
                    coupled.gap.iter().all(|gap| *gap >= 0.0),
                    "a negative gap at {s}"
                );
                bregman_divergence(&torus, &reference, &pi, &rho).unwrap()
            };
            for s in [1e-2, 1e-4, 1e-6, 1e-8] {
                let order = (at(s) / at(0.5 * s)).log2();
                println!("{:?} at {s:e}: order {order}", torus.points());
                assert!(
                    (order - 2.0).abs() < 2.0 * s + 1e-6,
                    "order {order} at {s:e}"
                );
            }
        }
    }

    #[test]
    fn a_potential_that_is_not_convex_is_refused() {
        let torus = &grids()[0];
        let wild = potential(torus, 3, 40.0);
        let refused = bregman_divergence(torus, &[0.0; 128], &[0.0; 128], &wild);
        assert!(matches!(refused, Err(Error::LostConvexity { .. })));
    }
}
