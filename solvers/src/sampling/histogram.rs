//! Bins on the torus: counts of points and exact masses of densities.

use crate::density::{Jet, LogDensity, Order};
use crate::error::{Error, Result};
use crate::parallel::sup_difference;
use crate::watch;

/// Abscissae and weights on [0, 1] of Gauss' rule with five nodes, exact for polynomials of degree nine.
const GAUSS: [(f64, f64); 5] = [
    (0.046_910_077_030_668_004, 0.118_463_442_528_094_54),
    (0.230_765_344_947_158_45, 0.239_314_335_249_683_24),
    (0.5, 0.284_444_444_444_444_44),
    (0.769_234_655_052_841_5, 0.239_314_335_249_683_24),
    (0.953_089_922_969_332, 0.118_463_442_528_094_54),
];
/// Change of a mass, relative to the total, at which the rule is settled, before rounding in f is counted.
const SETTLED: f64 = 1e-13;
/// Most evaluations of f in one rule.
const MOST_NODES: usize = 1 << 22;

/// A grid of `shape[i]` equal bins along axis i, in C order: bin j of axis i is `[j/n, (j+1)/n)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bins {
    shape: Vec<usize>,
}

impl Bins {
    /// # Errors
    /// [`Error::Grid`] unless there are 1 to 3 axes with at least one bin each and two in all.
    pub fn new(shape: &[usize]) -> Result<Self> {
        let possible = (1..=3).contains(&shape.len()) && !shape.contains(&0);
        if !possible || shape.iter().product::<usize>() < 2 {
            return Err(Error::Grid {
                points: shape.to_vec(),
                reason: "bins need 1 to 3 axes and at least two bins".into(),
            });
        }
        Ok(Self {
            shape: shape.to_vec(),
        })
    }

    /// Bins along each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Bins in all.
    #[expect(clippy::len_without_is_empty, reason = "there are at least two")]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many of the points, any reals modulo one, fall into each bin.
    ///
    /// # Panics
    /// If the points have another dimension or are not finite.
    pub fn counts(&self, points: &[Vec<f64>]) -> Vec<u64> {
        assert_eq!(points.len(), self.shape.len(), "dimension of the points");
        let mut counts = vec![0; self.len()];
        for i in 0..points[0].len() {
            let bin = points.iter().zip(&self.shape).fold(0, |bin, (x, &n)| {
                assert!(x[i].is_finite(), "a point is not finite");
                // x − ⌊x⌋ may round to one.
                bin * n + (((x[i] - x[i].floor()) * n as f64) as usize).min(n - 1)
            });
            counts[bin] += 1;
        }
        counts
    }

    /// The mass of e^{-f} in each bin over its total mass, to 1e-13 of the total: Gauss' rule with five nodes per axis on panels that
    /// are halved until no mass changes by more.
    ///
    /// # Errors
    /// [`Error::Density`] where f is not finite, or not settled with 2²² evaluations.
    pub fn masses(&self, f: &dyn LogDensity) -> Result<Vec<f64>> {
        let d = self.shape.len();
        assert_eq!(f.dimension(), d, "dimension of the density");
        let (mut panels, mut last) = (1, None::<Vec<f64>>);
        while self.len() * (panels * GAUSS.len()).pow(d as u32) <= MOST_NODES {
            let masses = self.rule(f, panels)?;
            if let Some(last) = last.filter(|last| sup_difference(last, &masses) < SETTLED) {
                drop(last);
                return Ok(masses);
            }
            last = Some(masses);
            panels *= 2;
        }
        Err(Error::Density {
            reason: format!(
                "the masses in {:?} bins are not settled with {panels} panels per axis and bin",
                self.shape
            ),
            remedy: "use a smoother density, or fewer bins".into(),
        })
    }

    /// Composite Gauss' rule, one bin at a time, normalised.
    fn rule(&self, f: &dyn LogDensity, panels: usize) -> Result<Vec<f64>> {
        let d = self.shape.len();
        let line: Vec<(f64, f64)> = (0..panels)
            .flat_map(|panel| GAUSS.map(|(x, w)| ((panel as f64 + x) / panels as f64, w)))
            .collect();
        let per_bin = line.len().pow(d as u32);
        let mut points = vec![vec![0.0; per_bin]; d];
        let mut jet = Jet::zeros(d, per_bin, Order::Value);
        let mut masses = Vec::with_capacity(self.len());
        for bin in 0..self.len() {
            watch::on()?;
            let mut rest = bin;
            for axis in (0..d).rev() {
                let (n, stride) = (self.shape[axis], line.len().pow((d - 1 - axis) as u32));
                let index = rest % n;
                rest /= n;
                for (i, x) in points[axis].iter_mut().enumerate() {
                    *x = (index as f64 + line[i / stride % line.len()].0) / n as f64;
                }
            }
            f.jet(&points, &mut jet);
            let weight = |i: usize| -> f64 {
                let digit = |axis: usize| i / line.len().pow(axis as u32) % line.len();
                (0..d).map(|axis| line[digit(axis)].1).product()
            };
            let mass = (0..per_bin).map(|i| weight(i) * (-jet.value[i]).exp());
            masses.push(mass.sum::<f64>());
        }
        let total: f64 = masses.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            return Err(Error::Density {
                reason: "e^{-f} has no finite positive mass".into(),
                remedy: "use a finite f, of the size of its normalised one".into(),
            });
        }
        masses.iter_mut().for_each(|mass| *mass /= total);
        Ok(masses)
    }
}
