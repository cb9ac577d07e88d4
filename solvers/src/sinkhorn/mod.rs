//! Sinkhorn's iteration (IPFP) on the torus grid, in the log domain (THEORY §3).
//!
//! With periodic parts p, q and kernel `K_ε`,
//!
//! ```text
//! q_k(y) = ε log ∫ K_ε(x,y) exp(−p_{k−1}(x)/ε − f(x)) dx
//! p_k(x) = ε log ∫ K_ε(x,y) exp(−q_k(y)/ε − g(y)) dy
//! ```
//!
//! One iteration is one step of length ε of the parabolic Monge–Ampère flow.
//!
//! A half-step ([`HalfStep`]) sums along one axis after the other; how lines are summed is told in `line.rs`. What the
//! definition says, to compare with, is [`reference::half_step`].

mod extrapolation;
mod half_step;
mod iteration;
mod kernel;
mod line;
mod piece;
mod reach;
pub mod reference;
mod rows;
mod source;
mod split;
mod strip;
mod taps;
mod window;

pub use extrapolation::{Extrapolation, MacroStep};
pub use half_step::{Curvature, HalfStep};
pub use iteration::{IterationReport, Sinkhorn};
pub use kernel::{Kernel, RESOLUTION, points_needed};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::parallel::sup_difference;
    use crate::torus::Torus;
    use std::f64::consts::PI;

    fn field(torus: &Torus, amplitude: f64, k: &[f64]) -> Vec<f64> {
        (0..torus.len())
            .map(|i| {
                let x = torus.node(i);
                let phase: f64 = x.iter().zip(k).map(|(x, k)| x * k).sum();
                amplitude * ((2.0 * PI * phase).cos() + 0.3 * (2.0 * PI * x[0]).sin())
            })
            .collect()
    }

    /// Largest difference between fast and dense half-steps, in units of p.
    fn disagreement(points: &[usize], kernel: Kernel, epsilon: f64, amplitude: f64) -> f64 {
        let torus = Torus::new(points).unwrap();
        let p = field(&torus, amplitude, &[1.0, 1.0, -1.0]);
        let f = field(&torus, 0.5, &[-1.0, 2.0, 1.0]);
        let mut fast = vec![0.0; torus.len()];
        HalfStep::new(&torus, kernel, epsilon).apply(&p, &f, &mut fast);
        sup_difference(
            &fast,
            &reference::half_step(&torus, kernel, epsilon, &p, &f),
        )
    }

    #[test]
    fn agrees_with_dense_log_sum_exp() {
        for kernel in [Kernel::Heat, Kernel::Geodesic] {
            for (points, epsilon) in [
                (&[64][..], 0.3),
                (&[64], 0.01),
                (&[100], 1e-3),
                (&[1000], 4e-6),
                (&[2048], 1e-6),
                (&[24, 40], 0.02),
                (&[40, 64], 3e-3),
                (&[12, 16, 10], 0.05),
                (&[16, 18, 20], 0.01),
            ] {
                // Curvatures from about 0.4 to 1.6.
                let error = disagreement(points, kernel, epsilon, 0.012);
                assert!(
                    error < 1e-15,
                    "{kernel:?} {points:?} ε = {epsilon}: {error:e}"
                );
            }
        }
    }

    #[test]
    fn strongly_curved_and_flat_potentials_keep_full_accuracy() {
        // λ down to 0.05: long windows; a non-convex p: the dense fallback.
        for amplitude in [0.02, 0.05] {
            let error = disagreement(&[400], Kernel::Heat, 3e-5, amplitude);
            assert!(error < 1e-15, "{amplitude}: {error:e}");
        }
    }

    #[test]
    fn a_plain_fft_kernel_would_lose_everything_here() {
        let (torus, epsilon) = (Torus::new(&[1000]).unwrap(), 4e-6);
        let p = field(&torus, 0.012, &[1.0]);
        let range = p.iter().copied().fold(0.0, f64::max) - p.iter().copied().fold(0.0, f64::min);
        assert!(range / epsilon > 36.0 * 100.0, "no longer a hard case");
    }

    #[test]
    fn coarse_grids_are_refused_with_the_smallest_adequate_one() {
        let build = |n: usize, epsilon| {
            let torus = Torus::new(&[n]).unwrap();
            let zero = vec![0.0; n];
            Sinkhorn::new(&torus, Kernel::Heat, epsilon, &zero, &zero, &zero)
        };
        let Err(Error::TooCoarse { needed, .. }) = build(64, 2e-4) else {
            panic!("64 points do not resolve 2e-4")
        };
        assert!(build(needed, 2e-4).is_ok() && build(needed - 2, 2e-4).is_err());
    }

    #[test]
    fn a_potential_that_becomes_too_curved_is_refused_later() {
        // Enough for the identity, not for the map to a narrow target.
        let torus = Torus::new(&[64]).unwrap();
        let zero = vec![0.0; 64];
        let g: Vec<f64> = (0..64)
            .map(|i| -2.5 * (2.0 * PI * i as f64 / 64.0).cos())
            .collect();
        let epsilon = 6e-4;
        let mut sinkhorn = Sinkhorn::new(&torus, Kernel::Heat, epsilon, &zero, &g, &zero).unwrap();
        let mut last = Vec::new();
        let outcome = sinkhorn.run(400, &mut |s, _| {
            last = s.q().to_vec();
            std::ops::ControlFlow::Continue(())
        });
        assert!(last == sinkhorn.q(), "not the last good iterate");
        match outcome {
            Err(Error::TooCoarse { when, needed, .. }) => {
                assert!(when.contains("at iteration") && needed > 64);
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn same_bits_for_any_number_of_threads() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            pool.install(|| {
                let torus = Torus::new(&[48, 64]).unwrap();
                let (f, g) = (
                    field(&torus, 0.5, &[1.0, 0.0]),
                    field(&torus, 0.3, &[1.0, 1.0]),
                );
                let zero = vec![0.0; torus.len()];
                let mut s = Sinkhorn::new(&torus, Kernel::Heat, 3e-3, &f, &g, &zero).unwrap();
                s.run(3, &mut |_, _| std::ops::ControlFlow::Continue(()))
                    .unwrap();
                s.p().iter().map(|p| p.to_bits()).collect::<Vec<_>>()
            })
        };
        assert_eq!(run(1), run(2));
    }

    /// The X-marginal is a probability density because the coupling has mass one (its Y-marginal is exact).
    #[test]
    fn marginal_has_unit_mass() {
        let torus = Torus::new(&[64]).unwrap();
        let normalised = |mut f: Vec<f64>| {
            let mass = f.iter().map(|f| (-f).exp()).sum::<f64>() / 64.0;
            f.iter_mut().for_each(|f| *f += mass.ln());
            f
        };
        let (f, g) = (
            normalised(field(&torus, 0.5, &[1.0])),
            normalised(field(&torus, 0.3, &[2.0])),
        );
        let mut s = Sinkhorn::new(&torus, Kernel::Heat, 5e-3, &f, &g, &[0.0; 64]).unwrap();
        s.run(5, &mut |_, _| std::ops::ControlFlow::Continue(()))
            .unwrap();
        let mut log_rho = vec![0.0; 64];
        s.log_marginal(&mut log_rho);
        let mass = log_rho.iter().map(|l| l.exp()).sum::<f64>() / 64.0;
        assert!((mass - 1.0).abs() < 1e-13, "{mass}");
    }
}
