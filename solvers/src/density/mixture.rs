//! Mixtures of wrapped Gaussians and of von Mises densities.
//!
//! `e^{-f(x)} = Σ_c w_c Π_i k_{ci}(x_i)` with `Σ w_c = 1` and k of unit mass. The sum over components is taken in
//! logarithms relative to its largest term, so tails do not underflow.

use super::blocks::{BLOCK, JetBlock, for_each_block};
use super::components::{self, Component, Gaussian, VonMises};
use super::factor::LogJet;
use super::{Jet, LogDensity};
use crate::elementary::{exp_slice, ln_slice};
use crate::error::Result;

/// `f = −ln Σ_c w_c Π_i k_{ci}(x_i)`, of unit mass, with exact derivatives.
#[derive(Debug, Clone)]
pub struct Mixture {
    dimension: usize,
    components: Vec<Component>,
}

impl Mixture {
    /// A mixture of wrapped Gaussians.
    ///
    /// # Errors
    /// [`Error::Density`](crate::Error::Density) naming the component and the field that cannot be used.
    pub fn wrapped_gaussians(components: &[Gaussian]) -> Result<Self> {
        components::wrapped_gaussians(components).map(Self::new)
    }

    /// A mixture of von Mises densities.
    ///
    /// # Errors
    /// [`Error::Density`](crate::Error::Density) naming the component and the field that cannot be used.
    pub fn von_mises(components: &[VonMises]) -> Result<Self> {
        components::von_mises(components).map(Self::new)
    }

    fn new(components: Vec<Component>) -> Self {
        Self {
            dimension: components[0].factors.len(),
            components,
        }
    }
}

impl LogDensity for Mixture {
    fn dimension(&self) -> usize {
        self.dimension
    }

    fn jet(&self, points: &[Vec<f64>], jet: &mut Jet) {
        let scratch = || Scratch::new(self.components.len(), self.dimension);
        for_each_block(points, jet, scratch, |scratch, block| {
            self.evaluate_factors(scratch, &block);
            scratch.normalise_weights(block.value);
            self.write_derivatives(scratch, block);
        });
    }
}

/// One thread's arrays, each a block long.
struct Scratch {
    /// `ln(w_c Π k_ci)`, then the share of component c in the sum.
    weights: Vec<[f64; BLOCK]>,
    /// Component by component, axis by axis.
    factors: Vec<LogJet>,
    /// Averages over the components of (ln k)' along each axis.
    averages: Vec<[f64; BLOCK]>,
}

impl Scratch {
    fn new(components: usize, dimension: usize) -> Self {
        Self {
            weights: vec![[0.0; BLOCK]; components],
            factors: (0..components * dimension).map(|_| LogJet::ZERO).collect(),
            averages: vec![[0.0; BLOCK]; dimension],
        }
    }

    /// From logarithms to shares of the sum; writes f, minus the logarithm of the sum.
    fn normalise_weights(&mut self, f: &mut [f64]) {
        let len = f.len();
        let mut peak = [f64::NEG_INFINITY; BLOCK];
        for weight in &self.weights {
            peak.iter_mut()
                .zip(weight)
                .for_each(|(p, w)| *p = p.max(*w));
        }
        let mut sum = [0.0; BLOCK];
        for weight in &mut self.weights {
            weight.iter_mut().zip(&peak).for_each(|(w, p)| *w -= p);
            exp_slice(&mut weight[..len]);
            sum.iter_mut().zip(&*weight).for_each(|(s, w)| *s += w);
        }
        for weight in &mut self.weights {
            weight.iter_mut().zip(&sum).for_each(|(w, s)| *w /= s);
        }
        ln_slice(&mut sum[..len]);
        for (f, (peak, sum)) in f.iter_mut().zip(peak.iter().zip(&sum)) {
            *f = -(peak + sum);
        }
    }
}

impl Mixture {
    fn evaluate_factors(&self, scratch: &mut Scratch, block: &JetBlock) {
        let len = block.len();
        let jets = scratch.factors.chunks_mut(self.dimension);
        for ((component, weight), jets) in
            self.components.iter().zip(&mut scratch.weights).zip(jets)
        {
            weight.fill(component.log_weight);
            for ((factor, jet), x) in component.factors.iter().zip(jets).zip(block.points) {
                factor.log_jet(x, jet);
                weight[..len]
                    .iter_mut()
                    .zip(&jet.value)
                    .for_each(|(w, l)| *w += l);
            }
        }
    }

    /// With averages over components by share: `∂_i f = −E ℓ_i'` and
    /// `∂_ij f = −Cov(ℓ_i', ℓ_j') − δ_ij E ℓ_i''`, ℓ_i the log of the factor along axis i.
    fn write_derivatives(&self, scratch: &mut Scratch, block: JetBlock) {
        let Scratch {
            weights,
            factors,
            averages,
        } = scratch;
        let shares = || weights.iter().zip(factors.chunks(self.dimension));
        for (axis, average) in averages.iter_mut().enumerate() {
            average.fill(0.0);
            for (share, jets) in shares() {
                let slopes = share.iter().zip(&jets[axis].first);
                average
                    .iter_mut()
                    .zip(slopes)
                    .for_each(|(a, (w, slope))| *a += w * slope);
            }
        }
        for (gradient, average) in block.gradient.into_iter().zip(&*averages) {
            gradient.iter_mut().zip(average).for_each(|(g, a)| *g = -a);
        }
        let pairs = (0..self.dimension).flat_map(|i| (i..self.dimension).map(move |j| (i, j)));
        for (hessian, (i, j)) in block.hessian.into_iter().zip(pairs) {
            hessian.fill(0.0);
            for (share, jets) in shares() {
                for (n, h) in hessian.iter_mut().enumerate() {
                    let spread_i = jets[i].first[n] - averages[i][n];
                    let spread_j = jets[j].first[n] - averages[j][n];
                    let bend = if i == j { jets[i].second[n] } else { 0.0 };
                    *h -= share[n] * (spread_i * spread_j + bend);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::Order;

    fn gaussians() -> Mixture {
        let component = |weight, mean: [f64; 2], deviation: [f64; 2]| Gaussian {
            weight,
            mean: mean.to_vec(),
            deviation: deviation.to_vec(),
        };
        Mixture::wrapped_gaussians(&[
            component(1.0, [0.2, 0.3], [0.1, 0.2]),
            component(2.0, [0.7, -0.4], [0.15, 0.4]),
            component(0.5, [0.5, 0.9], [0.3, 0.08]),
        ])
        .unwrap()
    }

    fn von_mises() -> Mixture {
        let component = |weight, mean: [f64; 2], concentration: [f64; 2]| VonMises {
            weight,
            mean: mean.to_vec(),
            concentration: concentration.to_vec(),
        };
        Mixture::von_mises(&[
            component(1.0, [0.1, 0.6], [2.0, 5.0]),
            component(3.0, [0.4, 0.2], [0.0, 20.0]),
        ])
        .unwrap()
    }

    fn evaluated(mixture: &Mixture, points: &[Vec<f64>], order: Order) -> Jet {
        let mut jet = Jet::zeros(mixture.dimension(), points[0].len(), order);
        mixture.jet(points, &mut jet);
        jet
    }

    fn points() -> Vec<Vec<f64>> {
        let along = |step: f64| (0..200).map(|i| f64::from(i) * step % 1.0).collect();
        vec![along(0.754_877_666), along(0.569_840_290)]
    }

    /// `exp(−(x − mean + m)²/2σ²)/√(2π)σ` summed over many images, term by term.
    fn plain_wrapped_normal(x: f64, mean: f64, deviation: f64) -> f64 {
        let image = |m: i32| (-0.5 * ((x - mean + f64::from(m)) / deviation).powi(2)).exp();
        (-30..=30).map(image).sum::<f64>() / (deviation * std::f64::consts::TAU.sqrt())
    }

    #[test]
    fn values_agree_with_the_definition() {
        let points = points();
        let jet = evaluated(&gaussians(), &points, Order::Value);
        for (i, (&x, &y)) in points[0].iter().zip(&points[1]).enumerate() {
            let term = |weight, mean: [f64; 2], deviation: [f64; 2]| {
                weight / 3.5
                    * plain_wrapped_normal(x, mean[0], deviation[0])
                    * plain_wrapped_normal(y, mean[1], deviation[1])
            };
            let density: f64 = term(1.0, [0.2, 0.3], [0.1, 0.2])
                + term(2.0, [0.7, -0.4], [0.15, 0.4])
                + term(0.5, [0.5, 0.9], [0.3, 0.08]);
            assert!((jet.value[i] + density.ln()).abs() < 1e-13);
        }
    }

    #[test]
    fn derivatives_agree_with_central_differences() {
        let (points, h) = (points(), 1e-5);
        for mixture in [gaussians(), von_mises()] {
            let jet = evaluated(&mixture, &points, Order::Hessian);
            for axis in 0..2 {
                let shifted = |by: f64| {
                    let mut moved = points.clone();
                    moved[axis].iter_mut().for_each(|x| *x += by);
                    evaluated(&mixture, &moved, Order::Gradient)
                };
                let (plus, minus) = (shifted(h), shifted(-h));
                let slope = |up: f64, down: f64| (up - down) / (2.0 * h);
                for i in 0..200 {
                    let exact = jet.gradient[axis][i];
                    let error = slope(plus.value[i], minus.value[i]) - exact;
                    assert!(error.abs() < 1e-5, "gradient {exact}: {error}");
                    for (other, component) in [[0, 1], [1, 2]][axis].into_iter().enumerate() {
                        let exact = jet.hessian[component][i];
                        let error =
                            slope(plus.gradient[other][i], minus.gradient[other][i]) - exact;
                        assert!(
                            error.abs() < 1e-4 * (1.0 + exact.abs()),
                            "Hessian {exact}: {error}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn tails_do_not_underflow() {
        let needle = Gaussian {
            weight: 1.0,
            mean: vec![0.0],
            deviation: vec![0.01],
        };
        let jet = evaluated(
            &Mixture::wrapped_gaussians(&[needle]).unwrap(),
            &[vec![0.5, 0.49]],
            Order::Gradient,
        );
        // At ½ two images weigh the same; e^{−1250} is zero as a double.
        let expected = 1250.0 + 0.5 * std::f64::consts::TAU.ln() + 0.01_f64.ln() - 2.0_f64.ln();
        assert!((jet.value[0] - expected).abs() < 1e-10);
        assert!((jet.gradient[0][1] - 4900.0).abs() < 1e-8);
    }

    #[test]
    fn a_lone_component_has_its_own_hessian_exactly() {
        let lone = VonMises {
            weight: 7.0,
            mean: vec![0.25, 0.5],
            concentration: vec![100.0, 3.0],
        };
        let mixture = Mixture::von_mises(&[lone]).unwrap();
        let jet = evaluated(&mixture, &points(), Order::Hessian);
        assert!(jet.hessian[1].iter().all(|&mixed| mixed == 0.0));
    }
}
