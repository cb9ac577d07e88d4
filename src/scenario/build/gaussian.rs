//! The matrices of a Gaussian problem.

use crate::scenario::Covariance;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::gaussian::{Gaussian, Mat, Potential, congruence};

/// The objects of a Gaussian problem.
#[derive(Debug, Clone)]
pub struct BuiltGaussian {
    /// Σ and Θ.
    pub problem: Gaussian,
    /// P_0, which `problem` accepts.
    pub start: Mat<f64>,
}

impl BuiltGaussian {
    /// From Σ, Θ and the covariance of ρ_0; `None` for P_0 = 1.
    ///
    /// # Errors
    /// `Error::Gaussian` where a matrix is not a covariance, or the sizes differ.
    pub fn new(sigma: &Mat<f64>, theta: &Mat<f64>, marginal: Option<&Mat<f64>>) -> Result<Self> {
        let problem = Gaussian::new(sigma, theta)?;
        let start = match marginal {
            Some(covariance) => problem.potential_of(covariance)?,
            None => problem.identity()?,
        };
        let start = start.matrix();
        // The identity exactly, not up to the rounding of a change of coordinates.
        let start = match marginal {
            Some(_) => start,
            None => Mat::identity(problem.dimension(), problem.dimension()),
        };
        Ok(Self { problem, start })
    }

    /// The same between the marginals of the first `dimension` coordinates; `None` where rounding leaves them no covariances.
    pub fn leading(&self, dimension: usize) -> Option<Self> {
        let block = |matrix: &Mat<f64>| Mat::from_fn(dimension, dimension, |i, j| matrix[(i, j)]);
        let (sigma, theta) = (self.problem.sigma(), self.problem.theta());
        Some(Self {
            problem: Gaussian::new(&block(sigma), &block(theta)).ok()?,
            start: block(&self.start),
        })
    }

    /// u_0.
    pub fn start(&self) -> Potential<'_> {
        let start = self.problem.potential(&self.start);
        start.expect("a validated start is positive definite")
    }

    /// d.
    pub fn dimension(&self) -> usize {
        self.problem.dimension()
    }
}

/// The matrix that `choice` describes, by rows where it is given so; symmetric and positive where `choice` is.
pub fn covariance(choice: &Covariance) -> Mat<f64> {
    match choice {
        Covariance::Variances(variances) => diagonal(variances),
        Covariance::Matrix(rows) => {
            let columns = rows.first().map_or(0, Vec::len);
            Mat::from_fn(rows.len(), columns, |i, j| rows[i][j])
        }
        Covariance::Random {
            dimension,
            least,
            greatest,
            seed,
        } => random(*dimension, (*least, *greatest), *seed),
    }
}

fn diagonal(values: &[f64]) -> Mat<f64> {
    let entry = |i: usize, j: usize| if i == j { values[i] } else { 0.0 };
    Mat::from_fn(values.len(), values.len(), entry)
}

/// `V diag(λ) Vᵀ`, λ geometrically from `least` to `greatest` (their geometric mean for d = 1), V a product of d reflections with
/// random normals, by `seed`.
pub fn random(dimension: usize, (least, greatest): (f64, f64), seed: u64) -> Mat<f64> {
    let place = |i: usize| match dimension {
        1 => 0.5,
        _ => i as f64 / (dimension - 1) as f64,
    };
    let values: Vec<f64> = (0..dimension)
        .map(|i| least.powf(1.0 - place(i)) * greatest.powf(place(i)))
        .collect();
    let mut state = seed;
    let mut vectors = Mat::<f64>::identity(dimension, dimension);
    for _ in 0..dimension {
        let normal: Vec<f64> = (0..dimension).map(|_| bell(&mut state)).collect();
        reflect(&mut vectors, &normal);
    }
    congruence(vectors.as_ref(), diagonal(&values).as_ref())
}

/// Multiplies from the right by `1 − 2vvᵀ/|v|²`.
fn reflect(matrix: &mut Mat<f64>, v: &[f64]) {
    let square: f64 = v.iter().map(|v| v * v).sum();
    for i in 0..matrix.nrows() {
        let along: f64 = (0..v.len()).map(|j| matrix[(i, j)] * v[j]).sum();
        for j in 0..v.len() {
            matrix[(i, j)] -= 2.0 * along / square * v[j];
        }
    }
}

/// Nearly normal: twelve uniform numbers less six. No elementary function, so the same bits on every machine.
fn bell(state: &mut u64) -> f64 {
    (0..12).map(|_| uniform(state)).sum::<f64>() - 6.0
}

/// Uniform on [0, 1): splitmix64 (Steele, Lea, Flood 2014).
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(53)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use mirrorflow_solvers::gaussian::eigen;

    #[test]
    fn a_random_covariance_has_the_asked_spectrum_and_depends_on_the_seed() {
        let choice = |seed| Covariance::Random {
            dimension: 5,
            least: 0.25,
            greatest: 4.0,
            seed,
        };
        let (values, _) = eigen(&covariance(&choice(1))).unwrap();
        for (found, asked) in values.iter().zip([0.25, 0.5, 1.0, 2.0, 4.0]) {
            assert_relative_eq!(*found, asked, max_relative = 1e-13);
        }
        let apart = (covariance(&choice(1)) - covariance(&choice(2))).norm_max();
        assert!(apart > 0.1 && covariance(&choice(1)) == covariance(&choice(1)));
        let single = random(1, (0.5, 2.0), 7);
        assert_relative_eq!(single[(0, 0)], 1.0, max_relative = 1e-14);
    }

    #[test]
    fn the_start_is_the_identity_or_the_brenier_potential_of_the_marginal() {
        let (sigma, theta) = (diagonal(&[1.0, 4.0]), random(2, (0.5, 2.0), 3));
        let identity = BuiltGaussian::new(&sigma, &theta, None).unwrap();
        assert_eq!(identity.start, Mat::<f64>::identity(2, 2));
        let marginal = random(2, (0.2, 5.0), 4);
        let built = BuiltGaussian::new(&sigma, &theta, Some(&marginal)).unwrap();
        assert!((built.start().covariance() - marginal).norm_max() < 1e-13);
    }
}
