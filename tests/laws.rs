//! Every law just inside and just outside of its limit, and the exit codes that follow.

use mirrorflow::order::Point;
use mirrorflow::verdict::Status::{Consistent, Inconclusive, Inconsistent, NotApplicable};
use mirrorflow::verdict::{Claim, Law, Observed, Status, exit_code};

fn claim(law: Law) -> Claim {
    Claim::new("claim", "statement", "reference", "quantity", law)
}

/// The verdict on values that follow ε^order exactly.
fn of_order(law: Law, order: f64) -> Status {
    let point = |epsilon: f64| Point {
        epsilon,
        value: epsilon.powf(order),
        budget: 0.0,
        largest_part: "space",
        symbol: "ε",
    };
    let points = [0.01, 0.005, 0.0025, 0.00125].map(point);
    claim(law).judge("study", &points).status
}

fn of_number(law: Law, value: f64, error: f64) -> Status {
    let observed = Observed::plus_minus(value, error);
    claim(law)
        .judge_number("study", observed, String::new())
        .status
}

fn against(part: f64, predicted: f64, value: f64, error: f64) -> Status {
    let observed = Observed::plus_minus(value, error);
    let law = claim(Law::Within(part));
    law.judge_against("study", observed, ("r", predicted), String::new())
        .status
}

#[test]
fn an_order_equals_the_claimed_one_to_two_hundredths() {
    for claimed in [0.5, 1.0, 1.5, 2.0] {
        for (off, status) in [
            (0.0, Consistent),
            (0.015, Consistent),
            (0.03, Inconclusive),
            (0.05, Inconclusive),
            (0.15, Inconclusive),
            (0.18, Inconsistent),
            (0.5, Inconsistent),
        ] {
            for side in [1.0, -1.0] {
                let found = of_order(Law::Equals(claimed), claimed + side * off);
                assert_eq!(found, status, "{claimed} {side} {off}");
            }
        }
    }
}

#[test]
fn an_order_is_at_least_the_claimed_one_to_two_hundredths() {
    for claimed in [0.5, 1.0, 2.0] {
        for (off, status) in [
            (1.0, Consistent),
            (0.2, Consistent),
            (0.0, Consistent),
            (-0.015, Consistent),
            (-0.03, Inconclusive),
            (-0.08, Inconclusive),
            (-0.15, Inconclusive),
            (-0.18, Inconsistent),
            (-0.5, Inconsistent),
        ] {
            let found = of_order(Law::AtLeast(claimed), claimed + off);
            assert_eq!(found, status, "{claimed} {off}");
        }
    }
}

#[test]
fn what_vanishes_has_an_order_above_a_tenth() {
    for (order, status) in [
        (0.5, Consistent),
        (0.125, Consistent),
        (0.115, Inconclusive),
        (0.085, Inconclusive),
        (0.07, Inconsistent),
        (0.0, Inconsistent),
        (-0.5, Inconsistent),
    ] {
        assert_eq!(of_order(Law::Vanishes, order), status, "{order}");
    }
}

#[test]
fn a_number_is_below_its_limit_with_the_whole_interval() {
    for limit in [1e-12, 1e-5, 1.0] {
        let judged =
            |value: f64, error: f64| of_number(Law::Below(limit), value * limit, error * limit);
        assert_eq!(judged(0.0, 0.0), Consistent);
        assert_eq!(judged(0.999, 0.0005), Consistent);
        assert_eq!(judged(0.999, 0.002), Inconclusive);
        assert_eq!(judged(1.001, 0.002), Inconclusive);
        assert_eq!(judged(1.001, 0.0001), Inconsistent);
        assert_eq!(judged(1.08, 0.001), Inconsistent);
        assert_eq!(judged(f64::NAN, 0.0), Inconclusive);
        assert_eq!(judged(0.5, f64::NAN), Inconclusive);
    }
}

#[test]
fn a_bound_is_kept_with_the_whole_interval() {
    let judged = |value, error| of_number(Law::Bounded, value, error);
    assert_eq!(judged(-3.0, 0.0), Consistent);
    assert_eq!(judged(0.999, 0.0005), Consistent);
    assert_eq!(judged(1.0, 0.0), Consistent);
    assert_eq!(judged(0.999, 0.002), Inconclusive);
    assert_eq!(judged(1.0001, 0.00001), Inconsistent);
    assert_eq!(judged(1.05, 0.001), Inconsistent);
    assert_eq!(judged(f64::NAN, 0.1), Inconclusive);
}

/// Anything that is not finite is undecided.
#[test]
fn an_infinite_ratio_decides_nothing() {
    assert_eq!(of_number(Law::Bounded, f64::INFINITY, 0.0), Inconclusive);
}

#[test]
fn a_prediction_is_met_with_the_whole_interval() {
    for predicted in [50.0, 1e-3, -2.0] {
        let judged = |value: f64, error: f64| {
            against(0.02, predicted, value * predicted, error * predicted.abs())
        };
        for side in [1.0, -1.0] {
            assert_eq!(judged(1.0 + side * 0.0195, 0.0002), Consistent);
            assert_eq!(judged(1.0 + side * 0.0195, 0.001), Inconclusive);
            assert_eq!(judged(1.0 + side * 0.0205, 0.001), Inconclusive);
            assert_eq!(judged(1.0 + side * 0.0205, 0.0001), Inconsistent);
            assert_eq!(judged(1.0 + side * 0.1, 0.0001), Inconsistent);
        }
        assert_eq!(judged(1.0, f64::INFINITY), Inconclusive);
        assert_eq!(judged(f64::NAN, 0.0), Inconclusive);
    }
}

#[test]
fn a_verdict_repeats_its_claim_and_what_was_observed() {
    let law = claim(Law::Within(0.02));
    let observed = Observed::plus_minus(50.5, 0.25);
    let verdict = law.judge_against("study", observed, ("2γ", 50.0), "why".into());
    assert_eq!(verdict.prediction, "2γ = 50.000 ± 2 %");
    assert_eq!(verdict.observed, Some(50.5));
    assert_eq!(verdict.interval, Some((50.25, 50.75)));
    assert_eq!(
        (verdict.study.as_str(), verdict.claim.as_str()),
        ("study", "claim")
    );
    assert_eq!(
        (verdict.reference.as_str(), verdict.quantity.as_str()),
        ("reference", "quantity")
    );
    assert_eq!(verdict.observed_text(), "50.500");
    assert_eq!(verdict.interval_text(), "[50.250, 50.750]");
}

#[test]
fn of_one_run_inconsistency_goes_before_indecision() {
    let code = |statuses: &[Status]| {
        let verdict = |&status: &Status| {
            let mut verdict = claim(Law::Vanishes).undecided("study", "");
            verdict.status = status;
            verdict
        };
        exit_code(&statuses.iter().map(verdict).collect::<Vec<_>>())
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&[Consistent]), 0);
    assert_eq!(code(&[NotApplicable]), 0);
    assert_eq!(code(&[Inconclusive]), 4);
    assert_eq!(code(&[Inconsistent]), 1);
    assert_eq!(code(&[Inconclusive, Inconsistent, Inconclusive]), 1);
    assert_eq!(code(&[Consistent, NotApplicable, Inconclusive]), 4);
}

/// The verdict on values at halved ε whose orders of pairs are these.
fn of_pairs(law: Law, orders: &[f64]) -> Status {
    let mut points = vec![(0.01f64, 1.0f64)];
    for order in orders {
        let (epsilon, value) = points[points.len() - 1];
        points.push((0.5 * epsilon, value * 0.5f64.powf(*order)));
    }
    let point = |(epsilon, value)| Point {
        epsilon,
        value,
        budget: 0.0,
        largest_part: "space",
        symbol: "ε",
    };
    let points: Vec<Point> = points.into_iter().map(point).collect();
    claim(law).judge("study", &points).status
}

#[test]
fn orders_that_go_elsewhere_do_not_confirm() {
    // They go to 0.88 and to 0.92; the interval has 1 in it both times.
    assert_eq!(
        of_pairs(Law::AtLeast(1.0), &[1.03, 0.98, 0.93]),
        Inconclusive
    );
    assert_eq!(of_pairs(Law::AtLeast(1.0), &[1.01, 0.98, 0.95]), Consistent);
    assert_eq!(
        of_pairs(Law::Equals(1.0), &[1.03, 0.98, 0.93]),
        Inconclusive
    );
    assert_eq!(
        of_pairs(Law::Equals(1.0), &[0.97, 1.02, 1.07]),
        Inconclusive
    );
    assert_eq!(of_pairs(Law::Equals(1.0), &[0.99, 1.02, 1.05]), Consistent);
}

#[test]
fn orders_that_still_move_towards_the_claimed_one_do_not_refute() {
    // Differences 0.3, 0.2: what a geometric sequence adds, twice over, reaches 2.2.
    assert_eq!(of_pairs(Law::AtLeast(2.2), &[1.0, 1.3, 1.5]), Inconclusive);
    // 0.3, 0.06: it does not.
    assert_eq!(of_pairs(Law::AtLeast(2.2), &[1.0, 1.3, 1.36]), Inconsistent);
}

#[test]
fn orders_that_converge_decide_though_the_largest_were_far_off() {
    assert_eq!(
        of_pairs(Law::Equals(2.0), &[2.76, 2.32, 2.1, 2.03]),
        Consistent
    );
    // Not where the last differences grow.
    assert_eq!(
        of_pairs(Law::Equals(2.0), &[2.76, 2.62, 2.33, 2.03]),
        Inconclusive
    );
}
