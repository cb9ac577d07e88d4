//! The order of convergence of measured values, with an interval.
//!
//! `E(ε) ~ C ε^s`. Orders of successive pairs, `log(E_i/E_{i+1}) / log(ε_i/ε_{i+1})`, are signed: a diverging sequence has a
//! negative order. They approach s with an error that shrinks like ε, so the last pair is the best and its drift says
//! how far it still is. The interval is the hull of three things:
//!
//! - the least-squares slope of log E against log ε with its 95 % Student interval (scatter and curvature together),
//! - the last pair ± `1.5 · |drift| · L/(L' − L)`, where `L = (ε_i − ε_{i+1})/log(ε_i/ε_{i+1})` is the ε at which a pair with error linear in ε
//!   has its order, L of the last pair and L' of the one before: half again the rest of that approach; at least 0.02,
//! - what the error budget may have done to the last pair.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A value must exceed its budget by this factor to be used.
pub const BUDGET_MARGIN: f64 = 10.0;
/// Fewest points that say anything of an order: two pairs, so that a drift is seen.
pub const FEWEST: usize = 3;
/// No order is claimed more finely than this.
const FINEST: f64 = 0.02;
/// Half again the rest of the approach.
const DRIFT_SAFETY: f64 = 1.5;

/// A value at ε (or at a step, or a spacing), with the measured size of all other errors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub epsilon: f64,
    pub value: f64,
    pub budget: f64,
    /// The part that the budget owes most to, for people: `space`, `time`, `iteration`, `round-off`.
    pub largest_part: &'static str,
    /// What shrinks, for people: `ε`, `step`, `h`.
    pub symbol: &'static str,
}

impl Point {
    /// Values at decreasing x (named `symbol`) that share one budget, most of it `largest_part`.
    pub fn series(
        (symbol, x): (&'static str, &[f64]),
        values: &[f64],
        (budget, largest_part): (f64, &'static str),
    ) -> Vec<Self> {
        let point = |(&epsilon, &value)| Self {
            epsilon,
            value,
            budget,
            largest_part,
            symbol,
        };
        x.iter().zip(values).map(point).collect()
    }
}

/// A point that was not used.
#[derive(Debug, Clone, PartialEq)]
pub struct Excluded {
    pub epsilon: f64,
    pub symbol: &'static str,
    pub reason: String,
}

/// The order and what it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Order of the last pair.
    pub order: f64,
    /// Where the orders of pairs go if they approach it with an error linear in ε, as those of `ε^s(1 + cε)` do.
    pub limit: f64,
    pub interval: (f64, f64),
    /// Least-squares slope.
    pub fit: f64,
    /// Orders of successive pairs, from the largest ε down.
    pub pairs: Vec<f64>,
}

/// Splits the points, which descend in ε, into those used and those excluded with the reason.
pub fn split(points: &[Point]) -> (Vec<Point>, Vec<Excluded>) {
    let (mut used, mut excluded) = (Vec::new(), Vec::new());
    for point in points {
        let reason = if !point.value.is_finite() {
            "not finite".to_owned()
        } else if point.value > BUDGET_MARGIN * point.budget {
            used.push(*point);
            continue;
        } else {
            format!(
                "{:.1e} is not {BUDGET_MARGIN} times its error budget {:.1e}, most of it {}",
                point.value, point.budget, point.largest_part
            )
        };
        excluded.push(Excluded {
            epsilon: point.epsilon,
            symbol: point.symbol,
            reason,
        });
    }
    (used, excluded)
}

/// The order of usable points in descending ε; `None` with fewer than [`FEWEST`].
pub fn estimate(used: &[Point]) -> Option<Estimate> {
    if used.len() < FEWEST {
        return None;
    }
    let pairs: Vec<f64> = used.windows(2).map(pair_order).collect();
    let [.., before, last] = pairs[..] else {
        return None;
    };
    let [.., a, b] = used else { return None };
    let [.., earlier, _] = used[..used.len() - 1] else {
        return None;
    };
    let (late_mean, early_mean) = (log_mean(a, b), log_mean(&earlier, a));
    let rest = (last - before) * late_mean / (early_mean - late_mean);
    let drift = DRIFT_SAFETY * rest.abs();
    let noise = (a.budget / a.value + b.budget / b.value) / (a.epsilon / b.epsilon).ln();
    let (fit, fit_half_width) = least_squares(used);
    let late = (drift + noise).max(FINEST);
    Some(Estimate {
        order: last,
        limit: last + rest,
        interval: (
            (last - late).min(fit - fit_half_width),
            (last + late).max(fit + fit_half_width),
        ),
        fit,
        pairs,
    })
}

/// Logarithmic mean of two ε.
fn log_mean(a: &Point, b: &Point) -> f64 {
    (a.epsilon - b.epsilon) / (a.epsilon / b.epsilon).ln()
}

fn pair_order(pair: &[Point]) -> f64 {
    (pair[0].value / pair[1].value).ln() / (pair[0].epsilon / pair[1].epsilon).ln()
}

/// Slope of log E against log ε and the half-width of its 95 % interval.
fn least_squares(points: &[Point]) -> (f64, f64) {
    let n = points.len() as f64;
    let x: Vec<f64> = points.iter().map(|p| p.epsilon.ln()).collect();
    let y: Vec<f64> = points.iter().map(|p| p.value.ln()).collect();
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let spread: f64 = x.iter().map(|x| (x - mean_x).powi(2)).sum();
    let covariance: f64 = x
        .iter()
        .zip(&y)
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let slope = covariance / spread;
    let residual: f64 = x
        .iter()
        .zip(&y)
        .map(|(x, y)| (y - mean_y - slope * (x - mean_x)).powi(2))
        .sum();
    let student = StudentsT::new(0.0, 1.0, n - 2.0).expect("three points or more");
    let error = (residual / (n - 2.0) / spread).sqrt();
    (slope, student.inverse_cdf(0.975) * error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(law: impl Fn(f64) -> f64) -> Vec<Point> {
        [0.01, 0.005, 0.0025, 0.00125]
            .map(|epsilon| Point {
                epsilon,
                value: law(epsilon),
                budget: 0.0,
                largest_part: "space",
                symbol: "ε",
            })
            .to_vec()
    }

    fn contains(estimate: &Estimate, order: f64) -> bool {
        estimate.interval.0 <= order && order <= estimate.interval.1
    }

    /// The slope of four scattered points by hand: ±0.1 alternating in log E on equal steps of log ε, t(2) = 4.3027 at 95 %.
    #[test]
    fn the_fit_has_its_interval_of_students_t() {
        let mut scattered = points(|e| e);
        for (k, point) in scattered.iter_mut().enumerate() {
            point.value *= (0.1 * if k % 2 == 0 { 1.0 } else { -1.0f64 }).exp();
        }
        let step = 2f64.ln();
        // Abscissas are ±½ and ±1½ steps from their mean, the sum of their squares is 5 steps².
        let y = [0.1, -0.1, 0.1, -0.1f64];
        let x = [1.5, 0.5, -0.5, -1.5].map(|x: f64| x * step);
        let b: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>() / (5.0 * step * step);
        let rest: f64 = x.iter().zip(&y).map(|(x, y)| (y - b * x).powi(2)).sum();
        let half = 4.302_652_73 * (rest / 2.0 / (5.0 * step * step)).sqrt();
        let found = least_squares(&scattered);
        assert!((found.0 - (1.0 + b)).abs() < 1e-12, "{found:?}");
        assert!((found.1 / half - 1.0).abs() < 1e-7, "{found:?} {half}");
    }

    #[test]
    fn a_point_is_used_from_ten_budgets_on() {
        let mut all = points(|e| e);
        all[1].budget = all[1].value / 9.9;
        all[2].budget = all[2].value / 10.1;
        let (used, excluded) = split(&all);
        assert_eq!((used.len(), excluded.len()), (3, 1));
        assert_eq!(excluded[0].epsilon, all[1].epsilon);
    }

    #[test]
    fn an_exact_power_is_found_with_a_narrow_interval() {
        for order in [-1.0, 0.5, 1.0, 2.0] {
            let found = estimate(&points(|e| 3.0 * e.powf(order))).unwrap();
            assert!((found.order - order).abs() < 1e-12 && contains(&found, order));
            assert!(!contains(&found, order + 0.1) && !contains(&found, order - 0.1));
        }
    }

    #[test]
    fn an_uneven_list_of_epsilons_is_allowed_for() {
        let uneven = [0.01, 0.009, 0.001].map(|epsilon| Point {
            epsilon,
            value: epsilon * (1.0 + 30.0 * epsilon),
            budget: 0.0,
            largest_part: "space",
            symbol: "ε",
        });
        assert!(contains(&estimate(&uneven).unwrap(), 1.0));
    }

    #[test]
    fn a_slow_approach_keeps_the_true_order_inside() {
        for curvature in [-30.0, -5.0, 5.0, 40.0] {
            let found = estimate(&points(|e| e * (1.0 + curvature * e))).unwrap();
            assert!(contains(&found, 1.0), "{curvature}: {found:?}");
            assert!(
                !contains(&found, 1.5) && !contains(&found, 0.5),
                "{found:?}"
            );
        }
    }

    #[test]
    fn divergence_and_stagnation_are_not_convergence() {
        let diverging = estimate(&points(|e| 1.0 / e)).unwrap();
        assert!(diverging.interval.1 < 0.0);
        let stagnating = estimate(&points(|e| 1.0 + e)).unwrap();
        assert!(stagnating.interval.1 < 0.1);
    }

    #[test]
    fn points_near_their_budget_are_excluded_with_the_reason() {
        let mut measured = points(|e| e * e);
        measured[3].budget = measured[3].value / 5.0;
        measured[0].value = f64::NAN;
        let (used, excluded) = split(&measured);
        assert_eq!((used.len(), excluded.len()), (2, 2));
        assert!(excluded[1].reason.contains("error budget"));
        measured[1].budget = f64::NAN;
        assert_eq!(split(&measured).1.len(), 3);
        assert!(estimate(&used).is_none());
    }

    #[test]
    fn the_budget_widens_the_interval() {
        let mut measured = points(|e| e);
        let narrow = estimate(&measured).unwrap().interval;
        measured[3].budget = measured[3].value / 20.0;
        let wide = estimate(&measured).unwrap().interval;
        assert!(wide.1 - wide.0 > narrow.1 - narrow.0);
    }
}
