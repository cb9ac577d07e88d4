//! What a record says of its problem, so that it can be read without the scenario.

use crate::record::{Axes, Column, Record, some};
use crate::scenario::{BuiltEuclidean, BuiltGaussian, BuiltTorus};

/// A problem that describes itself in records.
pub trait Described {
    /// What [`Self::describe`] adds. Runs of earlier versions do not have it.
    const COLUMNS: &'static [Column];

    fn axes(&self) -> Axes<'_>;

    /// Adds what the problem is, unless the record is empty.
    fn describe(&self, record: &mut Record);
}

impl Described for BuiltTorus {
    const COLUMNS: &'static [Column] = &[
        some("f g", "n", "−log of the densities, normalised"),
        some("source_density target_density", "n", "e^{-f} and e^{-g}"),
        some("x y z", "_", "coordinates of the nodes along each axis"),
    ];

    fn axes(&self) -> Axes<'_> {
        Axes {
            dimension: self.torus.dimension(),
            points: self.torus.points(),
        }
    }

    fn describe(&self, record: &mut Record) {
        if record.is_empty() {
            return;
        }
        let points = self.torus.points();
        let named = [
            ("f", "source_density", self.source.on(&self.torus)),
            ("g", "target_density", self.target.on(&self.torus)),
        ];
        for (log, density, values) in named {
            let exponential = values.iter().map(|v| (-v).exp()).collect();
            record.insert(density, points, exponential);
            record.insert(log, points, values);
        }
        for (name, &n) in ["x", "y", "z"].iter().zip(points) {
            let nodes = (0..n).map(|i| i as f64 / n as f64);
            record.insert_curve(name, nodes.collect());
        }
    }
}

impl Described for BuiltGaussian {
    const COLUMNS: &'static [Column] = &[];

    fn axes(&self) -> Axes<'_> {
        Axes {
            dimension: self.dimension(),
            points: &[],
        }
    }

    fn describe(&self, _record: &mut Record) {}
}

impl Described for BuiltEuclidean {
    const COLUMNS: &'static [Column] = &[];

    fn axes(&self) -> Axes<'_> {
        Axes {
            dimension: self.dimension(),
            points: &[],
        }
    }

    fn describe(&self, _record: &mut Record) {}
}
