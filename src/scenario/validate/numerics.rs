//! The discretisation's numbers.

use super::Checks;
use crate::scenario::locate::way;
use crate::scenario::{Numerics, Space, Time};

/// Below, round-off; above, ten times the tolerance no longer shows the error at the given one, so the error budget would be void.
const TOLERANCES: std::ops::RangeInclusive<f64> = 1e-13..=1e-4;

pub fn check(checks: &mut Checks, numerics: &Numerics) {
    space(checks, numerics.space);
    time(checks, numerics.time);
}

fn space(checks: &mut Checks, space: Space) {
    if let Space::FiniteDifference { order } = space
        && ![2, 4].contains(&order)
    {
        checks.refuse(
            way!["numerics", "space", "order"],
            format!("finite differences of order {order} are not available"),
            "2 or 4",
            "use order: 2, order: 4, or space: Spectral".into(),
        );
    }
}

fn time(checks: &mut Checks, time: Time) {
    match time {
        Time::Adaptive { tolerance }
        | Time::Rosenbrock { tolerance }
        | Time::ExtrapolatedSinkhorn { tolerance }
            if !TOLERANCES.contains(&tolerance) =>
        {
            checks.refuse(
                way!["numerics", "time", "tolerance"],
                format!("tolerance {tolerance:e} is outside 1e-13 to 1e-4"),
                "out of range",
                "the default is 1e-9".into(),
            );
        }
        Time::Adaptive { .. } | Time::Rosenbrock { .. } | Time::ExtrapolatedSinkhorn { .. } => {}
        Time::Euler { step } | Time::RungeKutta4 { step } => {
            checks.positive(way!["numerics", "time", "step"], "step", step, "1e-5");
        }
    }
}
