//! The integrated identities of dissipation and divergence along a flow.

use super::along::Along;
use crate::record::Record;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::euclidean::{Coordinate, Point, divergence, dot};
use mirrorflow_solvers::quadrature::Rule15;
use mirrorflow_solvers::time::Stepper;

/// Records `F(x_{k−1}) − F(x_k) = ∫∇F·(∇²U)^{-1}∇F dt` and, where U is finite at `end` = x_∞, `D_{k−1} − D_k = ∫⟨∇F, x − x_∞⟩dt` between the
/// instants, which are before an arrival: relative defects and their budgets.
pub fn record(along: &Along, times: &[f64], end: Option<Point>, record: &mut Record) -> Result<()> {
    let end = end.filter(|&end| along.problem.mirror().at(end).value.is_finite());
    let tight = Balance::of(along, along.tight, times, end)?;
    let loose = Balance::of(along, along.loose, times, end)?;
    let mut identity = |name: &str, tight: &[Part], loose: &[Part]| {
        let budget = |(a, b): (&Part, &Part)| (a.defect - b.defect).abs() + a.error;
        let budgets = tight.iter().zip(loose).map(budget);
        record.insert_curve(&format!("{name}_budget"), budgets.collect());
        let defects = tight.iter().map(|part| part.defect);
        record.insert_curve(&format!("{name}_defect"), defects.collect());
    };
    identity("dissipation", &tight.objective, &loose.objective);
    if end.is_some() {
        identity("bregman", &tight.divergence, &loose.divergence);
    }
    Ok(())
}

/// One interval of an integrated identity: its defect relative to the drop, and what quadrature and rounding may have done to it.
struct Part {
    defect: f64,
    error: f64,
}

/// Both identities over all intervals.
struct Balance {
    objective: Vec<Part>,
    divergence: Vec<Part>,
}

impl Balance {
    /// The first interval begins at 0.
    fn of(along: &Along, stepper: Stepper, times: &[f64], end: Option<Point>) -> Result<Self> {
        let (problem, mirror) = (along.problem, along.problem.mirror());
        let begins = std::iter::once(0.0).chain(times.iter().copied());
        let rules: Vec<Rule15> = begins.zip(times).map(|(a, &b)| Rule15::new(a, b)).collect();
        let nodes: Vec<f64> = rules.iter().flat_map(|rule| rule.nodes()).collect();
        let at_nodes = along.path(Coordinate::Mirror, stepper, &nodes)?.x;
        let mut ends = vec![problem.start()];
        ends.extend(along.path(Coordinate::Mirror, stepper, times)?.x);
        let mut balance = Self {
            objective: Vec::new(),
            divergence: Vec::new(),
        };
        for (k, rule) in rules.iter().enumerate() {
            let here: &[Point; 15] = at_nodes[15 * k..][..15].try_into().expect("15 nodes");
            let values = [ends[k], ends[k + 1]].map(|x| {
                let value = problem.objective(x).value;
                (value, 4.0 * f64::EPSILON * value.abs())
            });
            let dissipation = here.map(|x| problem.dissipation(x));
            balance
                .objective
                .push(part(values, rule.integral(&dissipation)));
            let Some(end) = end else { continue };
            let values = [ends[k], ends[k + 1]].map(|x| divergence(mirror, end, x));
            let work = |x: Point| {
                let away = [x[0] - end[0], x[1] - end[1]];
                dot(problem.objective(x).gradient, away)
            };
            let work = here.map(work);
            balance.divergence.push(part(values, rule.integral(&work)));
        }
        Ok(balance)
    }
}

/// The drop between two values, each with its rounding, against an integral with its error.
fn part([before, after]: [(f64, f64); 2], (integral, error): (f64, f64)) -> Part {
    let drop = before.0 - after.0;
    if drop == 0.0 {
        // Both ends are the same number: nothing is left to compare but whether something was dissipated.
        let defect = f64::from(u8::from(integral.abs() > before.1 + after.1 + error));
        return Part { defect, error: 1.0 };
    }
    Part {
        defect: (drop - integral).abs() / drop.abs(),
        error: (before.1 + after.1 + error) / drop.abs(),
    }
}
