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
        // Above ten budgets up to t = 0.09.
        assert_eq!(floored.usable(), 10);
        assert_eq!(floored.asymptotic(), None);
        floored.budgets = vec![1.0; floored.times.len()];
        assert_eq!(floored.usable(), 0);
        assert!(floored.asymptotic().is_none());
    }

    /// xorshift64*, between −1 and 1.
    fn noise(state: &mut u64) -> f64 {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// Two modes with noise that is `part` of every value, and a budget that says so.
    fn noisy(part: f64, second: f64, seed: u64) -> Decay {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut noisy = decay(|t| (-40.0 * t).exp() + 0.3 * (-second * t).exp());
        noisy.budgets = noisy.values.iter().map(|value| part * value).collect();
        for value in &mut noisy.values {
            *value *= 1.0 + part * noise(&mut state);
        }
        noisy
    }

    #[test]
    fn noise_within_the_budget_leaves_the_rate_inside_a_narrow_interval() {
        let mut decided = 0;
        for seed in 1..=100 {
            for second in [90.0, 150.0, 400.0] {
                for part in [1e-9, 1e-6, 1e-5, 5e-5] {
                    let Some(found) = noisy(part, second, seed).asymptotic() else {
                        continue;
                    };
                    decided += 1;
                    let (low, high) = found.interval;
                    let case = format!("{seed} {second} {part:e}: {found:?}");
                    assert!(contains(found, 40.0), "{case}");
                    assert!(high - low < 2.0, "{case}");
                    // What is left of the second mode and the noise are in it.
                    assert!(high - low >= part / 0.01, "{case}");
                }
            }
        }
        assert!(decided > 600, "{decided} of 1200");
    }

    #[test]
    fn the_interval_shrinks_with_the_noise() {
        let width = |part| {
            let (low, high) = noisy(part, 400.0, 7).asymptotic().unwrap().interval;
            high - low
        };
        let widths = [5e-5, 5e-6, 5e-7, 5e-8].map(width);
        assert!(
            widths.windows(2).all(|pair| pair[1] < 0.5 * pair[0]),
            "{widths:?}"
        );
    }

    /// Local rates 51, 50.5, 50.25 go on to 50, and half as far beyond.
    #[test]
    fn the_interval_reaches_half_as_far_beyond_the_extrapolated_rate() {
        let found = extrapolated([51.0, 50.5, 50.25], [0.0; 3]).unwrap();
        assert!((found.value - 50.0).abs() < 1e-12);
        assert!((found.interval.0 - 49.875).abs() < 1e-6, "{found:?}");
        assert!((found.interval.1 - 50.25).abs() < 1e-6, "{found:?}");
        let uncertain = extrapolated([51.0, 50.5, 50.25], [0.01; 3]).unwrap();
        assert!(uncertain.interval.0 < 49.85 && uncertain.interval.1 > 50.259);
        // Rates that do not approach anything.
        assert_eq!(extrapolated([51.0, 50.5, 49.9], [0.0; 3]), None);
        // Rates that differ by less than their noise have arrived.
        let still = extrapolated([50.0, 50.01, 50.0], [0.01; 3]).unwrap();
        assert_eq!(still.value, 50.0);
        assert!(still.interval.0 <= 49.97 && still.interval.1 >= 50.03);
    }
}
