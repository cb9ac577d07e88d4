//! The inverse of the weighted Laplacian, approximately: constant coefficients in Fourier space between two scalings.

use crate::fourier::angular;
use crate::parallel::{for_each_block, mean, mean_of};
use crate::symmetric::{packed_len, pairs, position};
use crate::torus::Torus;

/// `s^{-1/2} (−⟨B/s⟩:∇² + c)^{-1} s^{-1/2}`, s = tr B/d, c = 4π² + ⟨∇f·B∇f/4s⟩: S up to the variation of V and the shape of B.
pub struct Preconditioner {
    /// `s^{-1/2}`, absent where it is one.
    scale: Option<Vec<f64>>,
    /// ⟨B/s⟩, packed.
    pub shape: Vec<f64>,
    /// c.
    pub shift: f64,
}

impl Preconditioner {
    /// For B = I and no ∇f.
    pub fn identity(d: usize) -> Self {
        Self {
            scale: None,
            shape: pairs(d).map(|(i, j)| f64::from(i == j)).collect(),
            shift: angular(1.0).powi(2),
        }
    }

    /// For ½∇f and B, the identity when absent.
    pub fn new(torus: &Torus, half: &[Vec<f64>], b: Option<&[Vec<f64>]>) -> Self {
        let (d, n) = (torus.dimension(), torus.len());
        let mut this = Self::identity(d);
        let Some(b) = b else {
            this.shift += mean_of(n, |node| half.iter().map(|h| h[node].powi(2)).sum());
            return this;
        };
        let size: Vec<f64> = (0..n)
            .map(|node| (0..d).map(|i| b[position(d, i, i)][node]).sum::<f64>() / d as f64)
            .collect();
        this.shape = (0..packed_len(d))
            .map(|component| mean_of(n, |node| b[component][node] / size[node]))
            .collect();
        let potential = |node: usize| -> f64 {
            let pair =
                |i: usize, j: usize| b[position(d, i, j)][node] * half[i][node] * half[j][node];
            let all: f64 = (0..d)
                .map(|i| (0..d).map(|j| pair(i, j)).sum::<f64>())
                .sum();
            all / size[node]
        };
        this.shift += mean(&(0..n).map(potential).collect::<Vec<_>>());
        this.scale = Some(size.iter().map(|s| s.sqrt().recip()).collect());
        this
    }

    /// `v ← s^{-1/2} v`; false when s is one.
    pub fn rescale(&self, v: &mut [f64]) -> bool {
        let Some(scale) = &self.scale else {
            return false;
        };
        for_each_block(v, |start, v| {
            for (v, scale) in v.iter_mut().zip(&scale[start..]) {
                *v *= scale;
            }
        });
        true
    }
}
