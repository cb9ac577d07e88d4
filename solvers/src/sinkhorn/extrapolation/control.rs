//! Macro step and number of columns, from the tableau's own error estimates.

use std::f64::consts::PI;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Control {
    /// H.
    pub step: f64,
    /// k.
    pub columns: usize,
}

/// Error estimates of a macro step with all columns and with one fewer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Errors {
    pub all: f64,
    pub without_last: f64,
}

const FEWEST: usize = 3;
const MOST: usize = 12;
const SAFETY: f64 = 0.9;
const SHRINK: f64 = 0.2;
const GROW: f64 = 4.0;

impl Control {
    /// A part of 1/4π², the time in which the slowest mode decays. A shorter first step would cost more, since it takes a finer grid.
    pub const FIRST: Self = Self {
        step: 0.4 / (4.0 * PI * PI),
        columns: 5,
    };

    /// Cut to the time left; in two equal parts where it would leave a crumb.
    pub fn within(self, left: f64) -> Self {
        let step = if self.step >= left {
            left
        } else {
            self.step.min(0.5 * left)
        };
        Self { step, ..self }
    }

    /// What to try next; `work(columns, step)` is the cost of a macro step.
    ///
    /// Diffusion over a macro step makes the estimate fall like about `H^{k+1}` instead of the `H^{2k−1}` of a problem that is not
    /// stiff, and one more column is expected to gain what the last one did. The number of columns with the least work per
    /// time is chosen.
    pub fn next(self, errors: Errors, tolerance: f64, work: impl Fn(usize, f64) -> f64) -> Self {
        let gain = (errors.all / errors.without_last).min(1.0);
        let with = |columns: usize, error: f64| {
            let power = 1.0 / (columns + 1) as f64;
            let factor = SAFETY * (tolerance / error.max(f64::MIN_POSITIVE)).powf(power);
            Self {
                step: self.step * factor.clamp(SHRINK, GROW),
                columns,
            }
        };
        let rate = |control: &Self| work(control.columns, control.step) / control.step;
        [
            with(self.columns, errors.all),
            with(self.columns - 1, errors.without_last),
            with(self.columns + 1, errors.all * gain),
        ]
        .into_iter()
        .filter(|control| (FEWEST..=MOST).contains(&control.columns))
        .min_by(|a, b| rate(a).total_cmp(&rate(b)))
        .unwrap_or(self)
    }

    /// After a step that was cut short at an end, the longer one that was planned.
    pub fn no_less_than(self, planned: Self, taken: Self) -> Self {
        if taken.step < planned.step && self.step < planned.step {
            planned
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Control = Control {
        step: 0.01,
        columns: 5,
    };

    fn iterations(columns: usize, _: f64) -> f64 {
        (columns * (columns + 1) / 2) as f64
    }

    #[test]
    fn small_errors_lengthen_and_large_ones_shorten_the_step() {
        let errors = |all: f64| Errors {
            all,
            without_last: 2.0 * all,
        };
        assert!(NOW.next(errors(1e-12), 1e-8, iterations).step > 1.5 * NOW.step);
        assert!(NOW.next(errors(1e-5), 1e-8, iterations).step < 0.6 * NOW.step);
        let hopeless = NOW.next(errors(f64::INFINITY), 1e-8, iterations);
        assert!(hopeless.step >= SHRINK * NOW.step && hopeless.step < NOW.step);
    }

    #[test]
    fn columns_that_gain_much_are_added_and_those_that_gain_little_dropped() {
        let columns = |without_last: f64| {
            let errors = Errors {
                all: 1e-8,
                without_last,
            };
            NOW.next(errors, 1e-8, iterations).columns
        };
        assert_eq!(columns(1e-5), 6);
        assert_eq!(columns(1.5e-8), 4);
    }

    #[test]
    fn a_step_never_leaves_a_crumb() {
        assert_eq!(NOW.within(0.005).step, 0.005);
        assert_eq!(NOW.within(0.012).step, 0.006);
        assert_eq!(NOW.within(1.0), NOW);
    }
}
