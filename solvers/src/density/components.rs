//! The components of mixtures: what a user gives, checked, and what is evaluated.

use super::factor::Factor;
use crate::error::{Error, Result};

/// One component of a wrapped Gaussian mixture: axes independent, `N(mean_i, deviation_i²)` wrapped around the circle.
#[derive(Debug, Clone, PartialEq)]
pub struct Gaussian {
    /// Positive; the weights of a mixture need not sum to one.
    pub weight: f64,
    pub mean: Vec<f64>,
    /// Standard deviation along each axis, from 10⁻⁶ to 10⁶ in units of the period.
    pub deviation: Vec<f64>,
}

/// One component of a von Mises mixture: `Π_i exp(κ_i cos 2π(x_i − mean_i))/I₀(κ_i)`.
#[derive(Debug, Clone, PartialEq)]
pub struct VonMises {
    /// Positive; the weights of a mixture need not sum to one.
    pub weight: f64,
    pub mean: Vec<f64>,
    /// κ_i ≥ 0 along each axis, up to 10⁶.
    pub concentration: Vec<f64>,
}

/// A weight and a product of densities on the circle, one per axis.
#[derive(Debug, Clone)]
pub(super) struct Component {
    /// Logarithm of the weight, all weights of a mixture summing to one.
    pub log_weight: f64,
    pub factors: Vec<Factor>,
}

/// The components of a wrapped Gaussian mixture: at least one, all of one dimension.
pub(super) fn wrapped_gaussians(components: &[Gaussian]) -> Result<Vec<Component>> {
    let parts = components.iter().map(|gaussian| Part {
        weight: gaussian.weight,
        mean: &gaussian.mean,
        width: &gaussian.deviation,
    });
    WRAPPED_NORMAL.components(&parts.collect::<Vec<_>>())
}

/// The components of a von Mises mixture: at least one, all of one dimension.
pub(super) fn von_mises(components: &[VonMises]) -> Result<Vec<Component>> {
    let parts = components.iter().map(|von_mises| Part {
        weight: von_mises.weight,
        mean: &von_mises.mean,
        width: &von_mises.concentration,
    });
    VON_MISES.components(&parts.collect::<Vec<_>>())
}

/// A component of either family, before it is checked.
struct Part<'a> {
    weight: f64,
    mean: &'a [f64],
    width: &'a [f64],
}

/// What the two families differ in.
struct Family {
    width: &'static str,
    least: f64,
    factor: fn(f64, f64) -> Factor,
}

const WRAPPED_NORMAL: Family = Family {
    width: "deviation",
    least: 1e-6,
    factor: Factor::wrapped_normal,
};
const VON_MISES: Family = Family {
    width: "concentration",
    least: 0.0,
    factor: Factor::von_mises,
};
/// Largest deviation or concentration, and largest absolute mean.
const MOST: f64 = 1e6;

impl Family {
    fn components(&self, parts: &[Part]) -> Result<Vec<Component>> {
        let Some(first) = parts.first() else {
            return Err(Error::Density {
                reason: "a mixture without components".into(),
                remedy: "give at least one component".into(),
            });
        };
        for (index, part) in parts.iter().enumerate() {
            part.check(index, first.mean.len(), self)?;
        }
        let total: f64 = parts.iter().map(|part| part.weight).sum();
        let component = |part: &Part| Component {
            log_weight: (part.weight / total).ln(),
            factors: std::iter::zip(part.mean, part.width)
                .map(|(&mean, &width)| (self.factor)(mean, width))
                .collect(),
        };
        Ok(parts.iter().map(component).collect())
    }
}

impl Part<'_> {
    fn check(&self, index: usize, dimension: usize, family: &Family) -> Result<()> {
        let refuse = |field: &str, found: String, remedy: String| {
            Err(Error::Density {
                reason: format!("component {} of the mixture: {field} is {found}", index + 1),
                remedy,
            })
        };
        if !(self.weight > 0.0 && self.weight.is_finite()) {
            let remedy = "weights are positive numbers".into();
            return refuse("weight", self.weight.to_string(), remedy);
        }
        if !(1..=3).contains(&dimension) {
            let remedy = "give 1 to 3 coordinates".into();
            return refuse("mean", format!("of dimension {dimension}"), remedy);
        }
        for (field, values) in [("mean", self.mean), (family.width, self.width)] {
            if values.len() != dimension {
                let remedy = format!("give {dimension}, one per axis");
                return refuse(field, format!("of length {}", values.len()), remedy);
            }
        }
        if let Some(mean) = self
            .mean
            .iter()
            .find(|mean| !(-MOST..=MOST).contains(*mean))
        {
            let remedy = "means are numbers, best between 0 and 1".into();
            return refuse("mean", mean.to_string(), remedy);
        }
        let possible = family.least..=MOST;
        if let Some(width) = self.width.iter().find(|width| !possible.contains(width)) {
            let remedy = format!("use a number from {:e} to {MOST:e}", family.least);
            return refuse(family.width, width.to_string(), remedy);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_components_are_named() {
        let good = Gaussian {
            weight: 1.0,
            mean: vec![0.5, 0.5],
            deviation: vec![0.1, 0.1],
        };
        let refused = |bad: Gaussian| {
            let error = wrapped_gaussians(&[good.clone(), bad]).unwrap_err();
            error.to_string()
        };
        let message = refused(Gaussian {
            weight: -1.0,
            ..good.clone()
        });
        assert!(
            message.contains("component 2") && message.contains("weight is -1"),
            "{message}"
        );
        let message = refused(Gaussian {
            deviation: vec![0.1, 0.0],
            ..good.clone()
        });
        assert!(message.contains("deviation is 0"), "{message}");
        let message = refused(Gaussian {
            deviation: vec![0.1],
            ..good.clone()
        });
        assert!(message.contains("deviation is of length 1"), "{message}");
        let message = refused(Gaussian {
            mean: vec![f64::NAN, 0.0],
            ..good.clone()
        });
        assert!(message.contains("mean is NaN"), "{message}");
        assert!(wrapped_gaussians(&[]).is_err());
        let negative = VonMises {
            weight: 1.0,
            mean: vec![0.5],
            concentration: vec![-1.0],
        };
        let message = von_mises(&[negative]).unwrap_err().to_string();
        assert!(message.contains("concentration is -1"), "{message}");
    }
}
