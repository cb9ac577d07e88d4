//! The rate at which a measured quantity decays.
//!
//! With `K(t) = a e^{−rt}(1 + b e^{−δt} + …)` the local rate `log(K_j/K_{j+1})/(t_{j+1} − t_j)` approaches r geometrically, so three of them at
//! equal distances give r by Aitken's process. The interval is the hull of the last local rate and of the extrapolated one, half
//! as far beyond it, and of what the error budget may have done.

use crate::order::BUDGET_MARGIN;
use crate::verdict::Observed;

/// Values at increasing instants, each with the measured size of all other errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decay {
    pub times: Vec<f64>,
    pub values: Vec<f64>,
    pub budgets: Vec<f64>,
}

/// Fewest local rates from which a limit is extrapolated.
const FEWEST: usize = 3;

impl Decay {
    /// The leading part whose values are well above their budget.
    pub fn usable(&self) -> usize {
        self.clear_of(BUDGET_MARGIN)
    }

    /// The leading part whose values are `margin` times their budget.
    pub fn clear_of(&self, margin: f64) -> usize {
        let clear = |(value, budget): &(&f64, &f64)| {
            **value > margin * **budget && **value > f64::MIN_POSITIVE
        };
        let pairs = self.values.iter().zip(&self.budgets);
        pairs.take_while(clear).count()
    }

    /// Local rates between successive usable instants.
    pub fn rates(&self) -> Vec<f64> {
        (1..self.usable())
            .map(|j| self.rate_between(j - 1, j))
            .collect()
    }

    /// `log(K_a/K_b)/(t_b − t_a)`.
    pub fn rate_between(&self, a: usize, b: usize) -> f64 {
        (self.values[a] / self.values[b]).ln() / (self.times[b] - self.times[a])
    }

    /// What the budget may have done to it.
    pub fn uncertainty_between(&self, a: usize, b: usize) -> f64 {
        let part = |i: usize| self.budgets[i] / self.values[i];
        (part(a) + part(b)) / (self.times[b] - self.times[a])
    }

    /// The asymptotic rate: the last local rate, with the interval that contains its limit. `None` with too few usable values.
    pub fn asymptotic(&self) -> Option<Observed> {
        let rates = self.rates();
        let last = rates
            .len()
            .checked_sub(1)
            .filter(|&last| last + 1 >= FEWEST)?;
        let apart = (rates.len() / 4).max(1);
        let [a, b, c] = [last - 2 * apart, last - apart, last].map(|i| rates[i]);
        let noise = self.uncertainty_between(last, last + 1);
        let limit = aitken(a, b, c);
        let beyond = limit + 0.5 * (limit - c);
        Some(Observed {
            value: c,
            interval: (c.min(beyond) - noise, c.max(beyond) + noise),
        })
    }
}

/// The limit of a geometric approach through a, b, c; where the differences do not shrink, as far on again as the last one.
fn aitken(a: f64, b: f64, c: f64) -> f64 {
    let (early, late) = (b - a, c - b);
    let ratio = late / early;
    if ratio.abs() < 0.8 {
        c + late * ratio / (1.0 - ratio)
    } else {
        c + 4.0 * late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decay(law: impl Fn(f64) -> f64) -> Decay {
        let times: Vec<f64> = (0..=24).map(|j| 0.01 * f64::from(j)).collect();
        Decay {
            values: times.iter().map(|&t| law(t)).collect(),
            budgets: vec![0.0; times.len()],
            times,
        }
    }

    fn contains(found: Observed, rate: f64) -> bool {
        found.interval.0 <= rate && rate <= found.interval.1
    }

    #[test]
    fn an_exponential_has_its_rate_exactly() {
        let found = decay(|t| 3.0 * (-77.0 * t).exp()).asymptotic().unwrap();
        assert!((found.value - 77.0).abs() < 1e-9);
        assert!(found.interval.1 - found.interval.0 < 1e-6);
    }

    #[test]
    fn a_second_mode_leaves_the_rate_inside_the_interval() {
        for second in [90.0, 120.0, 300.0] {
            let law = |t: f64| (-77.0 * t).exp() + 0.5 * (-second * t).exp();
            let found = decay(law).asymptotic().unwrap();
            assert!(contains(found, 77.0), "{second}: {found:?}");
            assert!(
                !contains(found, 60.0) && !contains(found, 100.0),
                "{found:?}"
            );
        }
    }

    #[test]
    fn values_at_their_budget_are_not_used() {
        let mut floored = decay(|t| (-77.0 * t).exp() + 1e-4);
        floored.budgets = vec![1e-4; floored.times.len()];
        assert!(floored.usable() < 15);
        assert!(
            contains(floored.asymptotic().unwrap(), 77.0)
                || floored.asymptotic().unwrap().value > 60.0
        );
        floored.budgets = vec![1.0; floored.times.len()];
        assert!(floored.asymptotic().is_none());
    }
}
