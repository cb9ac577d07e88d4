//! What each study leaves: its figures, the shapes of its arrays, its densities, the rows of its curve.

mod euclidean;
mod gaussian;
mod torus;

use super::contract::Arrays;
use mirrorflow::scenario::Built;
use mirrorflow::study::Study;
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// Shapes by the arrays' names.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Names of the figures.
pub fn figures(study: &Study, built: &Built) -> Vec<&'static str> {
    match built {
        Built::Torus(built) => torus::figures(study, built.torus.dimension()),
        Built::Gaussian(built) => gaussian::figures(study, built),
        Built::Euclidean(_) => euclidean::figures(study),
    }
}

/// Shapes of the arrays that must be there.
pub fn shapes(study: &Study, built: &Built) -> Shapes {
    match built {
        Built::Torus(built) => torus::shapes(study, built.torus.points()),
        Built::Gaussian(built) => gaussian::shapes(study, built),
        Built::Euclidean(built) => euclidean::shapes(study, built),
    }
}

/// The instants or ε that a study was asked for, by the array that must repeat them.
pub fn asked(study: &Study, built: &Built) -> Vec<(&'static str, Vec<f64>)> {
    match built {
        Built::Torus(_) | Built::Gaussian(_) => torus::asked(study),
        Built::Euclidean(_) => euclidean::asked(study),
    }
}

/// Every density on the torus that a study records.
pub fn densities(study: &Study, built: &Built, arrays: &Arrays) -> Vec<ArrayD<f64>> {
    match built {
        Built::Torus(_) => torus::densities(study, arrays),
        Built::Gaussian(_) | Built::Euclidean(_) => Vec::new(),
    }
}

/// Rows of the study's curve.
pub fn rows(study: &Study, built: &Built, arrays: &Arrays) -> usize {
    match built {
        Built::Torus(_) => torus::rows(study, arrays),
        Built::Gaussian(_) => gaussian::rows(study, arrays),
        Built::Euclidean(_) => euclidean::rows(study, arrays),
    }
}

/// Every name of the list with the shape.
fn named(list: &str, shape: &[usize]) -> Shapes {
    let names = list.split_whitespace();
    names.map(|name| (name.into(), shape.to_vec())).collect()
}

fn joined<const N: usize>(parts: [Shapes; N]) -> Shapes {
    parts.into_iter().flatten().collect()
}

fn prefixed(prefix: &str, shapes: Shapes) -> Shapes {
    let longer = |(name, shape)| (format!("{prefix}{name}"), shape);
    shapes.into_iter().map(longer).collect()
}
