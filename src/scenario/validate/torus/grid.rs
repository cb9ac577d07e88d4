//! The grid: its axes, its parity, and whether it fits this machine's memory.

use super::super::Checks;
use crate::machine::Room;
use crate::quantities::bytes;
use crate::scenario::locate::way;
use crate::scenario::{Scenario, TorusProblem};
use crate::study::Study;
use mirrorflow_solvers::Torus;

/// Fewest nodes along an axis of a scenario: three quarters of them, the coarser grid of an error budget, is a grid still.
const FEWEST_POINTS: usize = 8;

/// The torus of a scenario, `None` after a complaint.
pub fn check(checks: &mut Checks, scenario: &Scenario, problem: &TorusProblem) -> Option<Torus> {
    let points = &problem.points;
    let before = checks.complaints.len();
    axes(checks, points.len());
    for (axis, &n) in points.iter().enumerate() {
        axis_points(checks, axis, n);
    }
    if checks.complaints.len() == before {
        let needed = least(points, &scenario.studies);
        if let Some(room) = checks.machine.allowance() {
            memory(checks, points, needed, room);
        }
    }
    if checks.complaints.len() > before {
        return None;
    }
    Torus::new(points).ok()
}

fn axes(checks: &mut Checks, dimension: usize) {
    if !(1..=3).contains(&dimension) {
        checks.refuse(
            way!["problem", "points"],
            format!("a torus of 1, 2 or 3 dimensions is supported, {dimension} given"),
            "one number per axis",
            "write one even number per axis, such as [64], [128, 128] or [32, 32, 32]".into(),
        );
    }
}

fn axis_points(checks: &mut Checks, axis: usize, n: usize) {
    let path = way!["problem", "points", axis];
    if n < FEWEST_POINTS {
        let message = format!("{n} points along an axis, at least {FEWEST_POINTS} needed");
        let help = format!("use an even number ≥ {FEWEST_POINTS}, such as 64");
        checks.refuse(path, message, "too few", help);
    } else if n % 2 == 1 {
        let message =
            format!("{n} points along an axis is odd; grids are even so that they can be halved");
        checks.refuse(
            path,
            message,
            "odd",
            format!("use {} or {}", n - 1, n.saturating_add(1)),
        );
    }
}

/// Fields that any study on a torus holds at once: densities, potentials, derivatives.
const WORKING: usize = 20;

/// Bytes without which no study can be made: what is recorded, and a few fields to work with. A measured estimate is made once the scenario
/// is known to be valid; this refuses grids on which not even that could be measured.
fn least(points: &[usize], studies: &[Study]) -> f64 {
    let dimension = points.len();
    let most = studies.iter().map(|study| study.recorded_fields(dimension));
    let fields = WORKING + most.max().unwrap_or(0);
    let nodes: f64 = points.iter().map(|&n| n as f64).product();
    8.0 * nodes * fields as f64
}

/// Refuses a grid that needs more than there is room for.
fn memory(checks: &mut Checks, points: &[usize], needed: f64, room: Room) {
    if needed <= room.bytes {
        return;
    }
    let message = format!(
        "this grid needs {} of memory or more, {} may be used here ({})",
        bytes(needed),
        bytes(room.bytes),
        room.limit,
    );
    let fitting = fitting(points, room.bytes / needed);
    let help = format!("about {fitting:?} points may fit");
    let path = way!["problem", "points"];
    checks.refuse(path, message, "too large for this memory", help);
}

/// The same proportions with `share` of the nodes, even.
pub fn fitting(points: &[usize], share: f64) -> Vec<usize> {
    let factor = share.powf(1.0 / points.len() as f64);
    let shrink = |&n: &usize| ((n as f64 * factor / 2.0).floor() as usize * 2).max(FEWEST_POINTS);
    points.iter().map(shrink).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suggested_grid_keeps_proportions_and_fits() {
        assert_eq!(fitting(&[1000, 500], 0.01), vec![100, 50]);
        assert_eq!(fitting(&[1_000_000], 1e-3), vec![1000]);
    }
}
