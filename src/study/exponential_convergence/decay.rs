//! The rate at which a measured quantity decays.
//!
//! With `K(t) = a e^{−rt}(1 + b e^{−δt} + …)` the local rate `log(K_j/K_{j+1})/(t_{j+1} − t_j)` approaches r geometrically, so three of them at
//! equal distances give r by Aitken's process. The interval is the hull of the last of the three, of the extrapolated rate and of half as
//! far beyond it, for the rates as they are and for each moved by what its error budget may have done. The latest
//! triple is taken whose noise is small: later ones are nearer to the limit, earlier ones further above their budget.

use crate::order::BUDGET_MARGIN;
use crate::verdict::Observed;

/// Values at increasing instants, each with the measured size of all other errors.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decay {
    pub times: Vec<f64>,
    pub values: Vec<f64>,
    pub budgets: Vec<f64>,
}

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

    /// The asymptotic rate with the interval that contains it; `None` where no three local rates approach a limit.
    pub fn asymptotic(&self) -> Option<Observed> {
        self.by_three((self.rates().len() / 4).max(1))
    }

    /// The same by rates of another distance, where there are as many: what both refute is refuted.
    pub fn otherwise(&self) -> Option<Observed> {
        let apart = (self.rates().len() / 4).max(1);
        self.by_three(if apart > 1 { apart / 2 } else { 2 })
    }

    /// By rates so many instants apart.
    fn by_three(&self, apart: usize) -> Option<Observed> {
        let rates = self.rates();
        let mut triples = (2 * apart..rates.len()).map(|last| {
            let three = [last - 2 * apart, last - apart, last];
            let noise = three.map(|j| self.uncertainty_between(j, j + 1));
            (three.map(|j| rates[j]), noise)
        });
        let quiet = |(rates, noise): &([f64; 3], [f64; 3])| {
            noise.iter().all(|noise| *noise <= QUIET * rates[2].abs())
        };
        let (rates, noise) = triples.rfind(quiet)?;
        extrapolated(rates, noise)
    }
}

/// Rates are extrapolated where what their budgets may have done is at most this part of them.
const QUIET: f64 = 5e-4;
/// Differences this much smaller than the rate itself are no approach but its rounding.
const STILL: f64 = 1e-9;
/// Successive differences must shrink at least this much for the extrapolation to mean anything.
const SHRINK: f64 = 0.8;

/// Aitken's limit of three rates, each uncertain by its noise.
fn extrapolated(rates: [f64; 3], noise: [f64; 3]) -> Option<Observed> {
    let limit = |[a, b, c]: [f64; 3]| -> Option<f64> {
        let (early, late) = (b - a, c - b);
        if late.abs() <= STILL * c.abs() {
            return Some(c);
        }
        let ratio = late / early;
        (ratio.abs() < SHRINK).then(|| c + late * ratio / (1.0 - ratio))
    };
    let [a, b, c] = rates;
    let total: f64 = noise.iter().sum();
    if (c - b).abs().max((b - a).abs()) <= 2.0 * total {
        // They differ by no more than their noise: arrived.
        return Some(Observed::plus_minus(
            c,
            (c - a).abs() + total + STILL * c.abs(),
        ));
    }
    let value = limit(rates)?;
    let (mut low, mut high) = (value, value);
    for signs in [
        [1.0, 1.0, 1.0],
        [1.0, -1.0, 1.0],
        [1.0, 1.0, -1.0],
        [1.0, -1.0, -1.0],
    ] {
        for side in [0.0, 1.0, -1.0] {
            let moved = [0, 1, 2].map(|k| rates[k] + side * signs[k] * noise[k]);
            // Where noise alone destroys the approach, the three say nothing.
            let limit = limit(moved)?;
            let beyond = limit + 0.5 * (limit - moved[2]);
            low = low.min(beyond).min(moved[2]);
            high = high.max(beyond).max(moved[2]);
        }
    }
    let rounding = STILL * value.abs();
    Some(Observed {
        value,
        interval: (low - rounding, high + rounding),
    })
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
        assert!(found.interval.1 - found.interval.0 < 1e-5);
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
        if let Some(found) = floored.asymptotic() {
            assert!(contains(found, 77.0), "{found:?}");
        }
        floored.budgets = vec![1.0; floored.times.len()];
        assert!(floored.asymptotic().is_none());
    }
}
