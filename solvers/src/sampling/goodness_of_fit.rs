//! Whether counts in bins are those of independent draws with given probabilities.

use crate::error::{Error, Result};
use statrs::function::gamma::{gamma_ur, ln_gamma};

/// Least expected count of a class: below, Pearson's statistic is not yet χ² (Cochran, *Biometrics* 10 (1954)).
const LEAST_EXPECTED: f64 = 5.0;

/// Pearson's test, the likelihood ratio and the total variation distance of N counts from probabilities p.
#[derive(Debug, Clone, PartialEq)]
pub struct GoodnessOfFit {
    /// N.
    pub samples: u64,
    /// Classes compared: the bins, those that expect fewer than five counts taken together.
    pub classes: usize,
    /// Pearson's `X² = Σ(c − Np)²/Np` over the classes.
    pub chi_square: f64,
    /// classes − 1: X² is χ² with so many degrees of freedom if the draws have these probabilities.
    pub degrees_of_freedom: usize,
    /// Probability that χ² is at least X².
    pub p_value: f64,
    /// `2N·KL(c/N|p) = 2Σ c log(c/Np)`, distributed like X² under the hypothesis, about `2N·KL` above if it is false.
    pub likelihood_ratio: f64,
    /// `½Σ|c/N − p|` over all bins.
    pub total_variation: f64,
    /// Its exact expectation under the hypothesis (de Moivre).
    pub expected_total_variation: f64,
    /// 1/(2√N): a bound of its standard deviation, whatever p, since a draw changes it by at most 1/N; it exceeds its expectation
    /// by s times this with probability at most `e^{−s²/2}` (McDiarmid).
    pub total_variation_spread: f64,
}

impl GoodnessOfFit {
    /// Compares `counts` with the probabilities `masses` of the same bins, positive and of sum one.
    ///
    /// # Errors
    /// [`Error::Density`] where fewer than two classes expect five counts, with the number of samples that would do.
    pub fn new(counts: &[u64], masses: &[f64]) -> Result<Self> {
        assert_eq!(counts.len(), masses.len());
        let total: f64 = masses.iter().sum();
        assert!(
            (total - 1.0).abs() < 1e-9 && masses.iter().all(|p| *p >= 0.0),
            "probabilities of sum one, not {total}"
        );
        let samples: u64 = counts.iter().sum();
        let n = samples as f64;
        let classes = classes(counts, masses, n)?;
        let excess = |(c, p): &(u64, f64)| (*c as f64 - n * p).powi(2) / (n * p);
        let ratio = |(c, p): &(u64, f64)| match *c {
            0 => 0.0,
            c => 2.0 * c as f64 * (c as f64 / (n * p)).ln(),
        };
        let chi_square = classes.iter().map(excess).sum();
        let degrees = classes.len() - 1;
        let bins = || counts.iter().zip(masses);
        Ok(Self {
            samples,
            classes: classes.len(),
            chi_square,
            degrees_of_freedom: degrees,
            p_value: p_value(chi_square, degrees),
            likelihood_ratio: classes.iter().map(ratio).sum(),
            total_variation: 0.5 * bins().map(|(c, p)| (*c as f64 / n - p).abs()).sum::<f64>(),
            expected_total_variation: bins()
                .map(|(_, &p)| 0.5 * mean_deviation(samples, p) / n)
                .sum(),
            total_variation_spread: 0.5 / n.sqrt(),
        })
    }

    /// `(value, standard error)` of the relative entropy of the law of the draws to p, seen through the bins:
    /// `(2N·KL(c/N|p) − degrees)/2N`, unbiased to O(1/N²), and the deviation of a χ² with that non-centrality.
    ///
    /// At most KL of the laws themselves, which the bins can only lessen.
    pub fn relative_entropy(&self) -> (f64, f64) {
        let (degrees, n) = (self.degrees_of_freedom as f64, self.samples as f64);
        let noncentrality = self.likelihood_ratio - degrees;
        let variance = 2.0 * degrees + 4.0 * noncentrality.max(0.0);
        (0.5 * noncentrality / n, 0.5 * variance.sqrt() / n)
    }
}

/// `P(χ² ≥ x)`, the regularised upper incomplete gamma function at half the degrees and half of x.
fn p_value(x: f64, degrees: usize) -> f64 {
    if x > 0.0 {
        gamma_ur(0.5 * degrees as f64, 0.5 * x)
    } else {
        1.0
    }
}

/// Counts and probabilities of the bins that expect enough, and of all others together; which bins these are depends on the
/// probabilities and N alone, not on the counts.
fn classes(counts: &[u64], masses: &[f64], n: f64) -> Result<Vec<(u64, f64)>> {
    let enough = |p: f64| n * p >= LEAST_EXPECTED;
    let bins = || counts.iter().copied().zip(masses.iter().copied());
    let mut classes: Vec<(u64, f64)> = bins().filter(|bin| enough(bin.1)).collect();
    let few: Vec<(u64, f64)> = bins().filter(|bin| !enough(bin.1)).collect();
    let pooled = few.iter().fold((0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    if enough(pooled.1) {
        classes.push(pooled);
    } else if let Some(least) = classes.iter_mut().min_by(|a, b| a.1.total_cmp(&b.1)) {
        *least = (least.0 + pooled.0, least.1 + pooled.1);
    }
    if classes.len() >= 2 {
        return Ok(classes);
    }
    let mut sorted = masses.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    Err(Error::Density {
        reason: format!(
            "{n} samples leave fewer than two classes that expect {LEAST_EXPECTED} counts"
        ),
        remedy: format!(
            "draw at least {:.0} samples",
            LEAST_EXPECTED / sorted[1].max(f64::MIN_POSITIVE)
        ),
    })
}

/// `E|X − np|` for X binomial: `2m C(n,m) p^m (1−p)^{n−m+1}` with `m = ⌊np⌋ + 1` (de Moivre, 1730).
fn mean_deviation(n: u64, p: f64) -> f64 {
    let count = n as f64;
    let m = (count * p).floor() + 1.0;
    if p <= 0.0 || m > count {
        return 0.0;
    }
    let log_choose = ln_gamma(count + 1.0) - ln_gamma(m + 1.0) - ln_gamma(count - m + 1.0);
    2.0 * m * (log_choose + m * p.ln() + (count - m + 1.0) * (-p).ln_1p()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn de_moivres_deviation_is_the_sum_over_the_binomial_law() {
        for (n, p) in [(1, 0.3_f64), (7, 0.5), (20, 0.05), (40, 0.9), (100, 0.37)] {
            // P(X = k) by the recursion of the binomial law.
            let (mut probability, mut sum) = ((1.0 - p).powi(n), 0.0);
            for k in 0..=n {
                sum += probability * (f64::from(k) - f64::from(n) * p).abs();
                probability *= f64::from(n - k) / f64::from(k + 1) * p / (1.0 - p);
            }
            let found = mean_deviation(n as u64, p);
            assert!((found - sum).abs() < 1e-12 * sum, "{n} {p}: {found} {sum}");
        }
        // Gaussian limit √(2np(1−p)/π).
        let (n, p) = (1_000_000, 0.2);
        let limit = (2.0 * 1e6 * p * (1.0 - p) / std::f64::consts::PI).sqrt();
        assert!((mean_deviation(n, p) / limit - 1.0).abs() < 1e-5);
        assert_eq!(mean_deviation(10, 0.0), 0.0);
    }

    /// 110 heads and 90 tails: X² = 2, and P(χ²₁ ≥ 2) = erfc(1); with two degrees P(χ² ≥ x) = e^{−x/2}.
    #[test]
    fn p_values_are_those_of_the_tables() {
        let fit = GoodnessOfFit::new(&[110, 90], &[0.5, 0.5]).unwrap();
        assert!((fit.chi_square - 2.0).abs() < 1e-14 && fit.degrees_of_freedom == 1);
        assert!(
            (fit.p_value - 0.157_299_207_050_285_13).abs() < 1e-10,
            "{}",
            fit.p_value
        );
        assert!((fit.total_variation - 0.05).abs() < 1e-15);
        let three = GoodnessOfFit::new(&[40, 30, 20], &[1.0 / 3.0; 3]).unwrap();
        assert!((three.p_value - (-0.5 * three.chi_square).exp()).abs() < 1e-10);
        let kl = (40f64 * (40.0 / 30.0f64).ln() + 20.0 * (20.0 / 30.0f64).ln()) * 2.0;
        assert!((three.likelihood_ratio - kl).abs() < 1e-12);
    }

    #[test]
    fn bins_that_expect_too_little_are_pooled_and_too_few_are_refused() {
        let masses = [0.5, 0.46, 0.03, 0.01];
        let fit = GoodnessOfFit::new(&[50, 46, 3, 1], &masses).unwrap();
        // 3 + 1 < 5 joins the smaller of the two others.
        assert_eq!((fit.classes, fit.degrees_of_freedom), (2, 1));
        assert!(fit.chi_square < 1e-20 && fit.p_value == 1.0);
        let pooled = GoodnessOfFit::new(&[75, 69, 4, 2], &masses).unwrap();
        assert_eq!(pooled.classes, 3);
        let text = GoodnessOfFit::new(&[2, 1, 0, 0], &masses)
            .unwrap_err()
            .to_string();
        assert!(text.contains("at least 11 samples"), "{text}");
    }
}
