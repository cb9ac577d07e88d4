//! The rate of a decay as its slowest mode shows it.
//!
//! Local rates of KL approach 2λ_1 only when the other modes are gone, which takes `1/2(λ_2 − λ_1)`: with eigenvalues close to each other, far
//! beyond the last instant at which KL is above its error. The amplitude a_1 decays at λ_1 from the first instant at which the flow is
//! linear, whatever the other modes do. So the rate is that of a_1 between two instants, and what is measured must be made of its modes
//! there: by as much as it departs from the quadratic form of the amplitudes between the two, the rate is uncertain.

use super::Decay;
use crate::order::BUDGET_MARGIN;
use crate::verdict::Observed;

/// A decaying quantity `√(Σ M_ij a_i a_j)` (or its square) with the amplitudes along the same flow.
pub struct Slowest<'a> {
    pub decay: &'a Decay,
    /// KL along the same flow, whose budget is that of the amplitudes.
    pub kl: &'a Decay,
    /// `a_j` at the instants, of each mode.
    pub amplitudes: &'a [&'a [f64]],
    /// `sup|h|` at the instants.
    pub deviation: &'a [f64],
    /// M in C order; the identity where absent.
    pub form: Option<&'a [f64]>,
    /// Of a quantity like KL 2, like its root 1.
    pub power: f64,
}

/// The flow counts as linear from this `sup|h|` on, its quadratic terms as an uncertainty.
const LINEAR: f64 = 0.1;

impl Slowest<'_> {
    /// The rate between those two instants that say most of it, with their times; `None` where the flow is never linear or no two instants
    /// know a_1.
    pub fn rate(&self) -> Option<(Observed, [f64; 2])> {
        self.within(0.0)
    }

    /// Why there is none.
    pub fn lacking(&self) -> &'static str {
        let linear = (0..self.decay.usable()).any(|i| self.deviation[i] <= LINEAR);
        match linear {
            true => {
                "the slowest mode is at its error where the flow is linear: use a tighter tolerance, more points, or more samples"
            }
            false => {
                "the flow is not yet linear where its values are above their error: go on to a later time, or use a tighter tolerance or more points"
            }
        }
    }

    /// The same without the first half of what is linear.
    pub fn later(&self) -> Option<(Observed, [f64; 2])> {
        self.within(0.5)
    }

    fn within(&self, skipped: f64) -> Option<(Observed, [f64; 2])> {
        let instants: Vec<usize> = (0..self.decay.usable())
            .filter(|&i| self.knows(i))
            .collect();
        let instants = &instants[(skipped * instants.len() as f64) as usize..];
        let pairs = instants
            .iter()
            .enumerate()
            .flat_map(|(k, &s)| instants[k + 1..].iter().map(move |&e| (s, e)));
        let part = |&(s, e): &(usize, usize)| self.uncertainty(s, e) / self.between(s, e).abs();
        let known = pairs
            .map(|pair| (part(&pair), pair))
            .filter(|(part, _)| part.is_finite());
        let (_, (s, e)) = known.min_by(|a, b| a.0.total_cmp(&b.0))?;
        let observed = Observed::plus_minus(self.between(s, e), self.uncertainty(s, e));
        Some((observed, [s, e].map(|i| self.decay.times[i])))
    }

    /// Whether the flow is linear at an instant and a_1 is above its error.
    fn knows(&self, i: usize) -> bool {
        self.deviation[i] <= LINEAR && self.amplitudes[0][i].abs() > BUDGET_MARGIN * self.error(i)
    }

    /// The error δ of an amplitude: a budget `‖h‖δ` of KL = ½‖h‖².
    fn error(&self, i: usize) -> f64 {
        self.kl.budgets[i] / (2.0 * self.kl.values[i]).sqrt()
    }

    fn between(&self, s: usize, e: usize) -> f64 {
        let a = self.amplitudes[0];
        self.power * (a[s] / a[e]).abs().ln() / self.span(s, e)
    }

    fn span(&self, s: usize, e: usize) -> f64 {
        self.decay.times[e] - self.decay.times[s]
    }

    /// From the errors of a_1, from the quadratic terms of the flow that feed it, and from what the modes do not explain of the quantity.
    fn uncertainty(&self, s: usize, e: usize) -> f64 {
        let slow = |i: usize| self.amplitudes[0][i].abs();
        let noise = self.error(s) / slow(s) + self.error(e) / slow(e);
        let bent = self.deviation[s] * (2.0 * self.kl.values[s]).sqrt() / slow(s);
        let known = |i: usize| self.of_modes(i) / self.decay.values[i];
        let unexplained = (known(e) / known(s)).ln().abs();
        (self.power * (noise + bent) + unexplained) / self.span(s, e)
    }

    /// The quantity up to a factor, as its modes make it.
    fn of_modes(&self, i: usize) -> f64 {
        let a: Vec<f64> = self.amplitudes.iter().map(|a| a[i]).collect();
        let square = match self.form {
            None => a.iter().map(|a| a * a).sum::<f64>(),
            Some(form) => form
                .chunks(a.len())
                .zip(&a)
                .map(|(row, a_i)| a_i * row.iter().zip(&a).map(|(m, a_j)| m * a_j).sum::<f64>())
                .sum(),
        };
        square.powf(0.5 * self.power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: [f64; 3] = [35.0, 36.5, 44.0];

    /// KL of three modes of these amplitudes until `end`, with its error.
    fn course(first: [f64; 3], end: f64, error: f64) -> (Decay, Vec<Vec<f64>>, Vec<f64>) {
        let times: Vec<f64> = (0..=40).map(|j| end * f64::from(j) / 40.0).collect();
        let mode = |(a, rate): (&f64, &f64)| times.iter().map(|t| a * (-rate * t).exp()).collect();
        let amplitudes: Vec<Vec<f64>> = first.iter().zip(&RATES).map(mode).collect();
        let square = |j: usize| amplitudes.iter().map(|a| a[j] * a[j]).sum::<f64>();
        let values: Vec<f64> = (0..times.len()).map(|j| 0.5 * square(j)).collect();
        let budgets = values.iter().map(|kl| (2.0 * kl).sqrt() * error).collect();
        let deviation = values.iter().map(|kl| (2.0 * kl).sqrt()).collect();
        (
            Decay {
                times,
                values,
                budgets,
            },
            amplitudes,
            deviation,
        )
    }

    fn seen(kl: &Decay, amplitudes: &[Vec<f64>], deviation: &[f64]) -> Option<Observed> {
        let amplitudes: Vec<&[f64]> = amplitudes.iter().map(Vec::as_slice).collect();
        Slowest {
            decay: kl,
            kl,
            amplitudes: &amplitudes,
            deviation,
            form: None,
            power: 2.0,
        }
        .rate()
        .map(|(observed, _)| observed)
    }

    #[test]
    fn a_slowest_mode_with_a_fiftieth_of_what_is_left_shows_its_rate() {
        let (kl, amplitudes, deviation) = course([0.01, 0.1, 0.05], 0.24, 1e-10);
        let share = amplitudes[0][40].powi(2) / (2.0 * kl.values[40]);
        assert!(share < 0.03, "{share}");
        let found = seen(&kl, &amplitudes, &deviation).unwrap();
        assert!((found.value - 70.0).abs() < 1e-9);
        assert!(
            found.interval.1 - found.interval.0 < 0.02 * 70.0,
            "{found:?}"
        );
        // The three rates of KL itself say something else.
        let limit = kl.asymptotic().unwrap();
        assert!(limit.interval.0 > 71.0, "{limit:?}");
    }

    /// Two instants, so that there is no other pair to choose.
    #[test]
    fn the_quadratic_terms_of_the_flow_are_in_the_interval() {
        let kl = Decay {
            times: vec![0.0, 0.01],
            values: vec![0.5, 0.5 * (-0.8f64).exp()],
            budgets: vec![0.0; 2],
        };
        let a = [1.0, (-0.4f64).exp()];
        let rate = |deviation: f64| {
            let slowest = Slowest {
                decay: &kl,
                kl: &kl,
                amplitudes: &[&a],
                deviation: &[deviation, 0.0],
                form: None,
                power: 2.0,
            };
            slowest.rate().unwrap().0
        };
        let (plain, bent) = (rate(0.0), rate(0.09));
        assert!((plain.value - 80.0).abs() < 1e-9 && plain.interval.1 - plain.interval.0 < 1e-9);
        // 2·0.09·‖h‖/|a_1| over 0.01, on either side.
        assert!(
            (bent.interval.1 - bent.interval.0 - 36.0).abs() < 1e-9,
            "{bent:?}"
        );
    }

    #[test]
    fn what_the_modes_do_not_explain_is_uncertain() {
        let (mut kl, amplitudes, deviation) = course([0.05, 0.05, 0.05], 0.24, 1e-10);
        let plain = seen(&kl, &amplitudes, &deviation).unwrap();
        let times = kl.times.clone();
        kl.values
            .iter_mut()
            .zip(&times)
            .for_each(|(kl, t)| *kl *= (-5.0 * t).exp());
        let found = seen(&kl, &amplitudes, &deviation).unwrap();
        assert!(
            found.interval.0 <= 65.0 && found.interval.1 >= 75.0,
            "{found:?}"
        );
        assert!(plain.interval.1 - plain.interval.0 < 1.0);
        kl.values[7] = f64::NAN;
        assert!(kl.usable() <= 7);
    }

    #[test]
    fn a_mode_below_its_error_and_a_flow_that_is_not_linear_say_nothing() {
        let (kl, amplitudes, deviation) = course([1e-9, 0.1, 0.05], 0.24, 1e-9);
        assert_eq!(seen(&kl, &amplitudes, &deviation), None);
        let (kl, amplitudes, _) = course([0.1, 0.1, 0.1], 0.24, 1e-9);
        assert_eq!(seen(&kl, &amplitudes, &[1.0; 41]), None);
    }
}
