//! The grids that columns run on: for each ε the coarsest that resolves √ε, the densities and the potential.

use super::rung::Rung;
use crate::density::LogDensity;
use crate::error::{Error, Result};
use crate::resolution::fast_length;
use crate::sinkhorn::kernel::points_needed;
use crate::sinkhorn::taps::LANES;
use crate::torus::Torus;
use std::sync::Arc;

/// Grids may be this much finer than asked for, along each axis, to resolve a small ε.
pub const MOST_REFINED: usize = 4;

/// Fewest points along an axis.
const COARSEST: usize = 16;

/// Part of the tolerance that modes left out may add up to when a grid is chosen; a step whose result has more than the whole of it
/// beyond some grid is taken again.
const LEFT_OUT: f64 = 0.1;

/// Curvature that is allowed for beyond the largest met.
const CURVATURE_MARGIN: f64 = 1.02;

/// Rungs, made when first needed; rung 0 is the grid asked for.
pub struct Ladder {
    source: Arc<dyn LogDensity>,
    target: Arc<dyn LogDensity>,
    rungs: Vec<Rung>,
    tolerance: f64,
    /// Points along each axis that resolve f and g, and p.
    densities: Vec<usize>,
    potential: Vec<usize>,
    /// Largest curvature along each axis of late.
    curvature: Vec<f64>,
}

impl Ladder {
    pub fn new(
        torus: &Torus,
        source: Arc<dyn LogDensity>,
        target: Arc<dyn LogDensity>,
        curvature: f64,
        tolerance: f64,
    ) -> Self {
        let mut asked = Rung::new(torus.clone(), &*source, &*target);
        let (f, g) = (asked.f.clone(), asked.g.clone());
        let [f, g] = [f, g].map(|field| asked.points_for(&field, tolerance));
        Self {
            source,
            target,
            rungs: vec![asked],
            tolerance,
            densities: f.into_iter().zip(g).map(|(f, g)| f.max(g)).collect(),
            potential: vec![0; torus.dimension()],
            curvature: vec![curvature; torus.dimension()],
        }
    }

    /// The rung for ε.
    ///
    /// # Errors
    /// [`Error::TooCoarse`] where it would be more than [`MOST_REFINED`] times as fine as the grid asked for.
    pub fn rung(&mut self, epsilon: f64) -> Result<usize> {
        let wanted = self.wanted(epsilon);
        for (axis, (&points, &own)) in wanted.iter().zip(self.points(0)).enumerate() {
            if points > MOST_REFINED * own.max(COARSEST) {
                return Err(Error::TooCoarse {
                    epsilon,
                    axis,
                    points: own,
                    needed: points.div_ceil(MOST_REFINED).next_multiple_of(2),
                    curvature: self.curvature[axis],
                    when: ", for the macro steps that the tolerance takes".into(),
                });
            }
        }
        if let Some(found) = self.rungs.iter().position(|r| r.torus.points() == wanted) {
            return Ok(found);
        }
        let torus = Torus::new(&wanted)?;
        self.rungs
            .push(Rung::new(torus, &*self.source, &*self.target));
        Ok(self.rungs.len() - 1)
    }

    pub fn at(&self, rung: usize) -> &Rung {
        &self.rungs[rung]
    }

    pub fn points(&self, rung: usize) -> &[usize] {
        self.rungs[rung].torus.points()
    }

    /// A field of one rung on another.
    pub fn carry(&mut self, field: &[f64], from: usize, to: usize) -> Vec<f64> {
        if from == to {
            return field.to_vec();
        }
        let pair = self.rungs.get_disjoint_mut([from, to]);
        let [from, to] = pair.expect("two rungs of the ladder");
        from.transfer(field, to)
    }

    /// Node iterations of a macro step.
    pub fn work(&self, columns: usize, step: f64) -> f64 {
        let column = |j: usize| {
            let nodes: usize = self.wanted(step / j as f64).iter().product();
            (j * nodes) as f64
        };
        (1..=columns).map(column).sum()
    }

    /// Sets the points that the potential `p` of a rung needs from now on.
    pub fn resolve(&mut self, rung: usize, p: &[f64]) {
        self.potential = self.rungs[rung].points_for(p, LEFT_OUT * self.tolerance);
    }

    /// Points along each axis that resolve p of late, and f and g.
    fn resolving(&self) -> Vec<usize> {
        let both = self.densities.iter().zip(&self.potential);
        both.map(|(a, b)| *a.max(b)).collect()
    }

    /// Whether all of `used` hold `p`, as far as the grid asked for would; sets what it needs from now on.
    pub fn keeps(&mut self, rung: usize, p: &[f64], used: &[usize]) -> bool {
        self.resolve(rung, p);
        let needed = self.rungs[rung].points_for(p, self.tolerance);
        let holds = |&used: &usize| {
            let points = self.points(used).iter().zip(self.points(0)).zip(&needed);
            points
                .into_iter()
                .all(|((used, asked), needed)| used >= needed.min(asked))
        };
        used.iter().all(holds)
    }

    /// Whether a rung resolves ε at these curvatures.
    pub fn resolves(&self, rung: usize, epsilon: f64, curvature: &[f64]) -> bool {
        let mut points = self.points(rung).iter().zip(curvature);
        points.all(|(&points, &curvature)| points >= points_needed(epsilon, curvature))
    }

    /// The curvatures that the columns of a step met.
    pub fn remember(&mut self, met: &[Vec<f64>]) {
        for (axis, largest) in self.curvature.iter_mut().enumerate() {
            let along = met.iter().map(|curvature| curvature[axis]);
            *largest = CURVATURE_MARGIN * along.fold(0.0, f64::max);
        }
    }

    fn wanted(&self, epsilon: f64) -> Vec<usize> {
        let fields = self.resolving().into_iter().zip(self.points(0));
        let kernels = self.curvature.iter().map(|&c| points_needed(epsilon, c));
        fields
            .zip(kernels)
            .map(|((fields, &own), kernel)| {
                fast_length(kernel.max(fields.min(own)).max(COARSEST), LANES)
            })
            .collect()
    }
}
