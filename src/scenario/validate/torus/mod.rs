//! A torus problem: its grid, its densities, its start, and whether the grid resolves every ε on it.

mod curvature;
mod densities;
mod descent;
mod grid;

use super::{Checks, sampling};
use crate::scenario::{BuiltTorus, Scenario, TorusProblem};
use miette::Report;

/// Checks in stages, since a later one needs what an earlier one established.
///
/// # Errors
/// The complaints of the first stage that has any.
pub fn check(
    checks: &mut Checks,
    scenario: &Scenario,
    problem: &TorusProblem,
) -> Result<BuiltTorus, Report> {
    let torus = grid::check(checks, scenario, problem);
    if torus.is_some() {
        densities::check_numbers(checks, problem);
    }
    checks.stop_if_any()?;
    let built = torus.and_then(|torus| densities::build(checks, problem, torus));
    checks.stop_if_any()?;
    descent::spectral(checks, scenario);
    let built = built.expect("a stage without complaints gives its objects");
    curvature::check(checks, scenario, &built);
    checks.stop_if_any()?;
    sampling::expects_enough(checks, scenario, &built);
    checks.stop_if_any()?;
    Ok(built)
}
