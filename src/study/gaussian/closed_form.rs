//! The three examples of the talk, number by number: what the matrices must be where source, target and start commute (THEORY §9).
//!
//! Nothing here touches the coordinates in which the flows are solved: an orthogonal basis and elementary functions.

use crate::scenario::BuiltGaussian;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{Mat, congruence, eigen};

/// Σ, Θ and P_0 with their common eigenvectors.
#[derive(Debug, Clone)]
pub struct Commuting {
    /// Common eigenvectors, as columns.
    basis: Mat<f64>,
    /// Eigenvalues of Σ, s.
    pub source: Vec<f64>,
    /// Those of Θ, θ, in the same order.
    pub target: Vec<f64>,
    /// Deviations of ρ_0, `σ_0 = √θ/p`, p those of P_0.
    start: Vec<f64>,
}

/// Entries off the diagonal up to this, relative to the largest on it, are rounding.
const OFF: f64 = 1e-11;

impl Commuting {
    /// The common eigenvectors, `None` where there are none. Checked on the matrices, whatever the scenario calls them.
    ///
    /// # Errors
    /// Those of the eigensolver.
    pub fn of(built: &BuiltGaussian) -> Result<Option<Self>> {
        let matrices = [built.problem.sigma(), built.problem.theta(), &built.start];
        // Eigenvectors of a generic combination are those of all three, if any are.
        let weights = [1.0, 2f64.sqrt() - 1.0, 3f64.sqrt() - 1.0];
        let d = built.dimension();
        let combined = Mat::from_fn(d, d, |i, j| {
            let terms = matrices.iter().zip(weights);
            terms.map(|(x, w)| w * x[(i, j)] / x.norm_max()).sum()
        });
        let (_, basis) = eigen(&combined)?;
        let mut diagonals = Vec::new();
        for x in matrices {
            let inside = congruence(basis.transpose(), x.as_ref());
            if off_diagonal(&inside) > OFF * inside.norm_max() {
                return Ok(None);
            }
            diagonals.push((0..d).map(|i| inside[(i, i)]).collect::<Vec<f64>>());
        }
        let [source, target, p] = <[Vec<f64>; 3]>::try_from(diagonals).expect("three matrices");
        let start = target.iter().zip(&p).map(|(t, p)| t.sqrt() / p).collect();
        Ok(Some(Self {
            basis,
            source,
            target,
            start,
        }))
    }

    /// d.
    pub fn dimension(&self) -> usize {
        self.source.len()
    }

    /// The common eigenvectors by increasing eigenvalue of Σ.
    pub fn by_source(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.dimension()).collect();
        order.sort_by(|&a, &b| self.source[a].total_cmp(&self.source[b]));
        order
    }

    /// Those of them that are drawn.
    pub fn drawn(&self) -> Vec<usize> {
        let order = self.by_source();
        super::spread(self.dimension())
            .into_iter()
            .map(|k| order[k])
            .collect()
    }

    /// The k-th common eigenvector.
    pub fn axis(&self, k: usize) -> Vec<f64> {
        (0..self.dimension()).map(|i| self.basis[(i, k)]).collect()
    }

    /// Deviation along axis k under the mirror flow of KL: `σ̇ = θ^{-1/2}(1 − σ²/s)`, so `σ = √s tanh` or `√s coth` of
    /// `t/√(sθ) + artanh(σ_0/√s)` or `arcoth` (examples 2 and 3).
    pub fn mirror(&self, k: usize, t: f64) -> f64 {
        let (s, theta, start) = (self.source[k], self.target[k], self.start[k]);
        let (root, phase) = (s.sqrt(), t / (s * theta).sqrt());
        let x = start / root;
        root * match x.partial_cmp(&1.0) {
            Some(std::cmp::Ordering::Less) => (phase + x.atanh()).tanh(),
            Some(std::cmp::Ordering::Greater) => 1.0 / (phase + (1.0 / x).atanh()).tanh(),
            _ => 1.0,
        }
    }

    /// The same under Fokker–Planck: `σ² = s − (s − σ_0²)e^{−2t/s}`.
    pub fn fokker_planck(&self, k: usize, t: f64) -> f64 {
        let (s, start) = (self.source[k], self.start[k]);
        (s - (s - start * start) * (-2.0 * t / s).exp()).sqrt()
    }

    /// The same under the mirror flow of the entropy: `σ̇ = θ^{-1/2}` (example 1).
    pub fn entropy(&self, k: usize, t: f64) -> f64 {
        self.start[k] + t / self.target[k].sqrt()
    }

    /// The same under the heat flow `∂_tρ = Δρ`: `σ² = σ_0² + 2t` (example 1).
    pub fn heat(&self, k: usize, t: f64) -> f64 {
        (self.start[k] * self.start[k] + 2.0 * t).sqrt()
    }

    /// The covariance with deviation `sigma(k)` along axis k.
    pub fn covariance(&self, sigma: impl Fn(usize) -> f64) -> Mat<f64> {
        let d = self.dimension();
        let squares = Mat::from_fn(d, d, |i, j| if i == j { sigma(i).powi(2) } else { 0.0 });
        congruence(self.basis.as_ref(), squares.as_ref())
    }
}

/// Largest entry off the diagonal.
fn off_diagonal(x: &Mat<f64>) -> f64 {
    let d = x.nrows();
    let pairs = (0..d).flat_map(|i| (0..i).map(move |j| (i, j)));
    pairs.fold(0.0, |m, (i, j)| m.max(x[(i, j)].abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::build::gaussian::random;
    use approx::assert_relative_eq;

    fn scalar(value: f64) -> Mat<f64> {
        Mat::from_fn(1, 1, |_, _| value)
    }

    /// The formulas as the talk prints them.
    #[test]
    fn the_examples_of_the_talk() {
        for eta in [0.4, 2.5] {
            let built = BuiltGaussian::new(&scalar(1.0), &scalar(eta * eta), None).unwrap();
            let form = Commuting::of(&built).unwrap().unwrap();
            for t in [0.0, 0.3, 2.0] {
                let sigma: f64 = if eta < 1.0 {
                    (t / eta + eta.atanh()).tanh()
                } else {
                    1.0 / (t / eta + (1.0 / eta).atanh()).tanh()
                };
                assert_relative_eq!(form.mirror(0, t), sigma, max_relative = 1e-14);
                let plain = 1.0 - (1.0 - eta * eta) * (-2.0 * t).exp();
                assert_relative_eq!(
                    form.fokker_planck(0, t).powi(2),
                    plain,
                    max_relative = 1e-14
                );
            }
        }
        let built = BuiltGaussian::new(&scalar(1.0), &scalar(1.0), None).unwrap();
        let form = Commuting::of(&built).unwrap().unwrap();
        assert_relative_eq!(form.entropy(0, 0.7), 1.7, max_relative = 1e-15);
        assert_relative_eq!(form.heat(0, 0.7).powi(2), 2.4, max_relative = 1e-15);
        assert_eq!(form.mirror(0, 3.0), 1.0);
    }

    #[test]
    fn commuting_is_seen_on_the_matrices() {
        let (sigma, theta) = (random(4, (0.5, 3.0), 1), random(4, (0.2, 2.0), 1));
        let built = BuiltGaussian::new(&sigma, &theta, None).unwrap();
        let form = Commuting::of(&built).unwrap().unwrap();
        assert!((form.covariance(|k| form.source[k].sqrt()) - &sigma).norm_max() < 1e-13);
        let other = random(4, (0.2, 2.0), 2);
        let built = BuiltGaussian::new(&sigma, &other, None).unwrap();
        assert!(Commuting::of(&built).unwrap().is_none());
        let built = BuiltGaussian::new(&sigma, &theta, Some(&other)).unwrap();
        assert!(Commuting::of(&built).unwrap().is_none());
    }
}
