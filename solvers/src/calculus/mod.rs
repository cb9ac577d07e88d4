//! Gradient and Hessian on the periodic grid, spectral or by finite differences.

mod difference;
mod spectral;

pub use difference::FiniteDifference;
pub use spectral::Spectral;

use crate::symmetric::packed_len;
use crate::torus::Torus;

/// First and second derivatives of a field: d components, and d(d+1)/2 packed as in [`crate::symmetric`].
#[derive(Debug, Clone, PartialEq)]
pub struct Derivatives {
    pub gradient: Vec<Vec<f64>>,
    pub hessian: Vec<Vec<f64>>,
}

impl Derivatives {
    pub fn zeros(torus: &Torus) -> Self {
        let d = torus.dimension();
        Self {
            gradient: vec![vec![0.0; torus.len()]; d],
            hessian: vec![vec![0.0; torus.len()]; packed_len(d)],
        }
    }
}

/// What ∂ and −∂² do to the mode `e^{2πikx}` along one axis, for each stored wavenumber:
/// `∂ → i·first`, `−∂² → second ≥ 0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Symbol {
    pub first: Vec<f64>,
    pub second: Vec<f64>,
}

impl Symbol {
    /// Largest value of −∂²: what limits an explicit step.
    pub fn radius(&self) -> f64 {
        self.second.iter().copied().fold(0.0, f64::max)
    }

    /// Whether ∂ tells each mode from a constant: not so for the Nyquist mode of a spectral calculus.
    pub fn seen(&self) -> Vec<bool> {
        let modes = self.first.iter().zip(&self.second);
        modes
            .map(|(first, second)| *first != 0.0 || *second == 0.0)
            .collect()
    }
}

/// A discretisation of ∇ and ∇² on a [`Torus`]. Both implementations commute with translations by nodes, so a
/// Fourier mode is an eigenvector and [`Calculus::symbol`] says everything about them.
pub trait Calculus: Send {
    fn torus(&self) -> &Torus;

    /// ∇p and ∇²p at the nodes.
    fn derivatives(&mut self, field: &[f64], out: &mut Derivatives);

    /// ∇p at the nodes.
    fn gradient(&mut self, field: &[f64], out: &mut [Vec<f64>]);

    /// `∇·q` at the nodes, minus the adjoint of [`Self::gradient`]: its mean is zero to round-off, whatever the flux q.
    fn divergence(&mut self, flux: &[Vec<f64>], out: &mut [f64]);

    /// Removes the modes that a flux form cannot damp: of a spectral calculus in two or three dimensions, those that are Nyquist
    /// along some axis; none otherwise.
    ///
    /// ∂ vanishes on them along that axis, yet a variable coefficient couples their variation along the others to the next modes, on
    /// which ∂ is largest. No preconditioner diagonal in Fourier space stands that. In one dimension ∂ decouples them.
    fn remove_nyquist(&mut self, _field: &mut [f64]) {}

    /// Eigenvalues along one axis, in the order of [`crate::fourier::Fourier::wavenumbers`].
    fn symbol(&self, axis: usize) -> Symbol;

    /// Formal order in h, `None` when spectral.
    fn order(&self) -> Option<u32>;

    /// Whether derivatives are those of the trigonometric interpolant and right-hand sides are not projected.
    fn is_interpolant(&self) -> bool {
        false
    }

    /// Projects a right-hand side onto the modes that this calculus keeps (the identity unless dealiased).
    fn project(&mut self, _field: &mut [f64]) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fourier::Fourier;
    use crate::parallel::{dot, sup_difference};
    use crate::symmetric::pairs;
    use std::f64::consts::PI;

    /// `sin 2π(x + 2y + z) + cos 2πx`-like field with its derivatives, cut to the dimension.
    fn manufactured(torus: &Torus) -> (Vec<f64>, Derivatives) {
        let d = torus.dimension();
        let k = &[1.0, 2.0, 1.0][..d];
        let mut exact = Derivatives::zeros(torus);
        let mut field = vec![0.0; torus.len()];
        for i in 0..torus.len() {
            let x = torus.node(i);
            let phase: f64 = 2.0 * PI * x.iter().zip(k).map(|(x, k)| x * k).sum::<f64>();
            let first = 2.0 * PI * x[0];
            field[i] = phase.sin() + first.cos();
            for a in 0..d {
                exact.gradient[a][i] = 2.0 * PI * k[a] * phase.cos()
                    - if a == 0 { 2.0 * PI * first.sin() } else { 0.0 };
            }
            for (c, (a, b)) in pairs(d).enumerate() {
                exact.hessian[c][i] = -4.0 * PI * PI * k[a] * k[b] * phase.sin()
                    - if a + b == 0 {
                        4.0 * PI * PI * first.cos()
                    } else {
                        0.0
                    };
            }
        }
        (field, exact)
    }

    fn worst_error(calculus: &mut dyn Calculus) -> f64 {
        let torus = calculus.torus().clone();
        let (field, exact) = manufactured(&torus);
        let mut computed = Derivatives::zeros(&torus);
        calculus.derivatives(&field, &mut computed);
        let all = |d: &Derivatives| [d.gradient.clone(), d.hessian.clone()].concat();
        all(&computed)
            .iter()
            .zip(&all(&exact))
            .map(|(a, b)| sup_difference(a, b))
            .fold(0.0, f64::max)
    }

    #[test]
    fn spectral_derivatives_are_exact_to_round_off() {
        for points in [vec![16], vec![12, 16], vec![8, 16, 8]] {
            let torus = Torus::new(&points).unwrap();
            assert!(
                worst_error(&mut Spectral::new(&torus)) < 1e-11,
                "{points:?}"
            );
        }
    }

    #[test]
    fn finite_differences_converge_at_their_order() {
        for dimension in 1..=3 {
            for order in [2, 4] {
                let error = |n: usize| {
                    let torus = Torus::new(&vec![n; dimension]).unwrap();
                    worst_error(&mut FiniteDifference::new(&torus, order))
                };
                let observed = (error(32) / error(64)).log2();
                assert!(
                    (observed - f64::from(order)).abs() < 0.1,
                    "d = {dimension}, order {order}: observed {observed}"
                );
            }
        }
    }

    #[test]
    fn divergence_has_mean_zero_and_is_minus_the_adjoint_of_the_gradient() {
        for points in [vec![16], vec![12, 16], vec![8, 16, 8]] {
            let torus = Torus::new(&points).unwrap();
            let rough = |seed: usize| -> Vec<f64> {
                let value = |i: usize| (1.7 * (i * i + seed) as f64).sin();
                (0..torus.len()).map(value).collect()
            };
            let flux: Vec<Vec<f64>> = (0..points.len()).map(|axis| rough(7 * axis)).collect();
            let field = rough(3);
            let mut list: Vec<Box<dyn Calculus>> = vec![Box::new(Spectral::new(&torus))];
            list.extend([2, 4].map(|o| Box::new(FiniteDifference::new(&torus, o)) as Box<_>));
            for calculus in &mut list {
                let mut gradient = vec![vec![0.0; torus.len()]; points.len()];
                let mut divergence = vec![0.0; torus.len()];
                calculus.gradient(&field, &mut gradient);
                calculus.divergence(&flux, &mut divergence);
                assert!(crate::parallel::mean(&divergence).abs() < 1e-13);
                let by_parts: f64 = flux.iter().zip(&gradient).map(|(q, g)| dot(q, g)).sum();
                let scale = torus.len() as f64;
                assert!((dot(&divergence, &field) + by_parts).abs() < 1e-12 * scale);
            }
        }
    }

    /// `cos 8πx · cos 2πy` on 8 nodes along x is a Nyquist mode there; the other term is not.
    #[test]
    fn only_a_spectral_calculus_in_several_dimensions_removes_nyquist_modes() {
        let torus = Torus::new(&[8, 16]).unwrap();
        let field = |nyquist: f64| -> Vec<f64> {
            let value = |i: usize| {
                let (x, y) = (torus.node(i)[0], (2.0 * PI * torus.node(i)[1]).cos());
                nyquist * (8.0 * PI * x).cos() * y + (6.0 * PI * x).cos() * y
            };
            (0..torus.len()).map(value).collect()
        };
        let mut found = field(0.7);
        Spectral::new(&torus).remove_nyquist(&mut found);
        assert!(sup_difference(&found, &field(0.0)) < 1e-14);
        let mut found = field(0.7);
        FiniteDifference::new(&torus, 2).remove_nyquist(&mut found);
        assert_eq!(found, field(0.7));
        let alternating: Vec<f64> = (0..8).map(|i| f64::from(i % 2)).collect();
        let mut found = alternating.clone();
        Spectral::new(&Torus::new(&[8]).unwrap()).remove_nyquist(&mut found);
        assert_eq!(found, alternating);
    }

    #[test]
    fn symbols_are_the_eigenvalues() {
        let torus = Torus::new(&[16, 12]).unwrap();
        let mut list: Vec<Box<dyn Calculus>> = vec![Box::new(Spectral::new(&torus))];
        for order in [2, 4] {
            list.push(Box::new(FiniteDifference::new(&torus, order)));
        }
        for calculus in &mut list {
            let wavenumbers = Fourier::new(&torus).wavenumbers(0);
            for (index, k) in wavenumbers.iter().enumerate().filter(|(_, k)| **k != 8.0) {
                let mode: Vec<f64> = (0..torus.len())
                    .map(|i| (2.0 * PI * k * torus.node(i)[0]).sin())
                    .collect();
                let mut out = Derivatives::zeros(&torus);
                calculus.derivatives(&mode, &mut out);
                let symbol = calculus.symbol(0);
                for i in 0..torus.len() {
                    let cosine = (2.0 * PI * k * torus.node(i)[0]).cos();
                    assert!((out.gradient[0][i] - symbol.first[index] * cosine).abs() < 1e-10);
                    assert!((out.hessian[0][i] + symbol.second[index] * mode[i]).abs() < 1e-9);
                }
            }
        }
    }
}
