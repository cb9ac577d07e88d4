//! The integral of `e^{-f}` over the torus by trapezoid rules.

use super::validity::{finite, place};
use super::{Jet, LogDensity, Order};
use crate::elementary::exp_slice;
use crate::error::{Error, Result};

/// Largest `max f − min f`: beyond, `e^{-f}` times a few factors is zero as a double somewhere.
pub(super) const MOST_RANGE: f64 = 600.0;
/// Points per axis of the first rule.
const COARSEST: usize = 32;
/// Points per axis of the last rule, by dimension.
const FINEST: [usize; 3] = [1 << 20, 1 << 10, 1 << 7];
/// Relative difference of two rules at which the mass is settled, before rounding in f is counted.
const SETTLED: f64 = 1e-14;
/// Nodes evaluated at a time.
const CHUNK: usize = 1 << 15;
/// Part of a spacing by which the second rule is shifted, irrational so that no frequency looks alike on both.
const SHIFT: f64 = 0.618_033_988_749_894_9;

/// The logarithm of a mass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LogMass {
    pub log: f64,
    /// Relative difference between the two rules.
    pub uncertainty: f64,
    /// Points per axis of the rules.
    pub points: usize,
}

/// `ln ∫ e^{-f}`: the mean of the trapezoid rule on n nodes per axis and of the same rule shifted,
/// with n doubled until the two agree to rounding or n is the largest allowed.
///
/// # Errors
/// [`Error::Density`] if f is not finite at a node or ranges over more than [`MOST_RANGE`].
pub(super) fn log_mass(f: &dyn LogDensity) -> Result<LogMass> {
    let mut extremes = Extremes::default();
    let mut origin = Jet::zeros(f.dimension(), 1, Order::Value);
    f.jet(&vec![vec![0.0]; f.dimension()], &mut origin);
    let reference = origin.value[0];
    let mut points = COARSEST;
    loop {
        let plain = mean(f, points, 0.0, reference, &mut extremes)?;
        let shifted = mean(f, points, SHIFT, reference, &mut extremes)?;
        let mass = 0.5 * (plain + shifted);
        let uncertainty = (plain - shifted).abs() / mass;
        let rounding = SETTLED + f64::EPSILON * extremes.range();
        if uncertainty <= rounding || points == FINEST[f.dimension() - 1] {
            return Ok(LogMass {
                log: mass.ln() - reference,
                uncertainty,
                points,
            });
        }
        points *= 2;
    }
}

/// Mean of `e^{-f}` over all values.
pub(super) fn mean_density(f: &[f64]) -> f64 {
    let mut terms: Vec<f64> = f.iter().map(|f| -f).collect();
    exp_slice(&mut terms);
    pairwise_sum(&terms) / f.len() as f64
}

/// The sum by halves, in an order that depends on the length alone; error grows with the logarithm of the length.
fn pairwise_sum(terms: &[f64]) -> f64 {
    if terms.len() <= 64 {
        return terms.iter().sum();
    }
    let (left, right) = terms.split_at(terms.len() / 2);
    pairwise_sum(left) + pairwise_sum(right)
}

/// Mean of `exp(reference − f)` over the nodes `(i + shift)/points`.
///
/// With the range of f bounded by [`MOST_RANGE`], no value of f as reference lets the sum overflow.
fn mean(
    f: &dyn LogDensity,
    points: usize,
    shift: f64,
    reference: f64,
    extremes: &mut Extremes,
) -> Result<f64> {
    let total = points.pow(f.dimension() as u32);
    let mut sums = Vec::new();
    for start in (0..total).step_by(CHUNK) {
        let range = start..total.min(start + CHUNK);
        let nodes = shifted_nodes(f.dimension(), points, shift, range);
        let mut jet = Jet::zeros(f.dimension(), nodes[0].len(), Order::Value);
        f.jet(&nodes, &mut jet);
        finite("f", &nodes, &jet.value)?;
        extremes.include(&nodes, &jet.value)?;
        jet.value.iter_mut().for_each(|f| *f = reference - *f);
        exp_slice(&mut jet.value);
        sums.push(pairwise_sum(&jet.value));
    }
    Ok(pairwise_sum(&sums) / total as f64)
}

/// Coordinates of the nodes with flat C-order indices in `range`, one vector per axis.
fn shifted_nodes(
    dimension: usize,
    points: usize,
    shift: f64,
    range: std::ops::Range<usize>,
) -> Vec<Vec<f64>> {
    (0..dimension)
        .map(|axis| {
            let stride = points.pow((dimension - 1 - axis) as u32);
            range
                .clone()
                .map(|node| ((node / stride % points) as f64 + shift) / points as f64)
                .collect()
        })
        .collect()
}

/// The least and the largest value met so far, with their places.
#[derive(Debug, Default)]
struct Extremes {
    least: Option<(f64, String)>,
    largest: Option<(f64, String)>,
}

impl Extremes {
    fn range(&self) -> f64 {
        match (&self.least, &self.largest) {
            (Some(least), Some(largest)) => largest.0 - least.0,
            _ => 0.0,
        }
    }

    fn include(&mut self, points: &[Vec<f64>], values: &[f64]) -> Result<()> {
        let indexed = || values.iter().copied().enumerate();
        let low = indexed().min_by(|a, b| a.1.total_cmp(&b.1));
        let high = indexed().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, value)) = low
            && self.least.as_ref().is_none_or(|least| value < least.0)
        {
            self.least = Some((value, place(points, i)));
        }
        if let Some((i, value)) = high
            && self
                .largest
                .as_ref()
                .is_none_or(|largest| value > largest.0)
        {
            self.largest = Some((value, place(points, i)));
        }
        self.check()
    }

    fn check(&self) -> Result<()> {
        let (Some(least), Some(largest)) = (&self.least, &self.largest) else {
            return Ok(());
        };
        if self.range() <= MOST_RANGE {
            return Ok(());
        }
        Err(Error::Density {
            reason: format!(
                "f ranges over {:.1e}, from {:.3e} at {} to {:.3e} at {}, so that e^{{-f}} is not positive in \
                 floating point",
                self.range(),
                least.0,
                least.1,
                largest.0,
                largest.1
            ),
            remedy: format!(
                "keep max f − min f below {MOST_RANGE}, for instance by a smaller factor"
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::Formula;

    fn mass(text: &str, dimension: usize) -> LogMass {
        log_mass(&Formula::parse(text, dimension).unwrap()).unwrap()
    }

    #[test]
    fn smooth_masses_settle_on_coarse_rules_and_steep_ones_on_finer() {
        let (smooth, steep) = (mass("cos(2*pi*x)", 1), mass("5*tanh(20*cos(2*pi*x))", 1));
        assert_eq!(smooth.points, 32);
        assert!(steep.points > 128 && steep.uncertainty < 1e-14, "{steep:?}");
    }

    #[test]
    fn large_values_neither_overflow_nor_underflow() {
        let small = mass("cos(2*pi*x)*sin(2*pi*y)", 2).log;
        for offset in [-1e4, 1e4] {
            let shifted = mass(&format!("cos(2*pi*x)*sin(2*pi*y) + {offset}"), 2).log;
            assert!((shifted - (small - offset)).abs() < 1e-11, "{shifted}");
        }
    }

    #[test]
    fn pairwise_sums_lose_fewer_digits_than_plain_ones() {
        let terms = vec![0.1; 1 << 20];
        let exact = 0.1 * (1 << 20) as f64;
        let plain: f64 = terms.iter().sum();
        let error = (pairwise_sum(&terms) - exact).abs();
        assert!(error < 0.01 * (plain - exact).abs());
    }

    #[test]
    fn nodes_follow_c_order() {
        let nodes = shifted_nodes(2, 4, 0.5, 5..7);
        assert_eq!(nodes, [[0.375, 0.375], [0.375, 0.625]]);
    }
}
