//! What is measured along the runs.

use super::{prefix, rule_and_steps, tightest};
use crate::record::Record;
use crate::scenario::BuiltEuclidean;
use crate::study::measure::Context;
use crate::study::mirror_descent::MirrorDescent;
use mirrorflow_solvers::euclidean::{
    Coordinate, Euclidean, Line, Point, Rule, descend, distance, divergence, dot, flow,
    least_curvature, minimiser,
};
use mirrorflow_solvers::{Error, Result};
use std::ops::ControlFlow;

pub fn record(
    study: &MirrorDescent,
    context: &Context<BuiltEuclidean>,
    gradient: f64,
    record: &mut Record,
) -> Result<()> {
    let problem = context.built.first();
    record.insert_number("runs", study.runs.len() as f64);
    for (k, run) in study.runs.iter().enumerate() {
        let (rule, steps) = rule_and_steps(run, study.steps);
        let stage = format!("run {}", k + 1);
        let done = k as f64 / (study.runs.len() + 1) as f64;
        if context.progress.tick(&stage, done) == ControlFlow::Break(()) {
            let when = format!("before {stage}");
            return Err(Error::Interrupted { when });
        }
        let points = descend(problem, rule, &steps, gradient);
        let points = points.map_err(|error| error.during(stage))?;
        let measured = Measured {
            problem,
            rule,
            steps,
            points,
        };
        record.extend(&prefix(k), measured.record()?);
    }
    Ok(())
}

/// An eigenvalue of ∇²U that is this part of the largest one is not told from zero by a few looks.
const FLAT: f64 = 1e-4;

/// A run.
struct Measured<'a> {
    problem: &'a Euclidean,
    rule: Rule,
    steps: Vec<f64>,
    points: Vec<Point>,
}

impl Measured<'_> {
    fn record(&self) -> Result<Record> {
        let mut record = Record::default();
        let d = self.problem.dimension();
        let flat = self.points.iter().flat_map(|x| x[..d].to_vec());
        record.insert("x", &[self.points.len(), d], flat.collect());
        record.insert_curve("step", self.steps.clone());
        let mut times = vec![0.0];
        times.extend(self.steps.iter().scan(0.0, |t, eta| {
            *t += eta;
            Some(*t)
        }));
        let line = Line::of(self.problem);
        let path = flow(
            self.problem,
            line.as_ref(),
            Coordinate::Mirror,
            tightest(),
            &times,
        )?;
        let value = |x: &Point| self.problem.objective(*x).value;
        record.insert_curve("objective", self.points.iter().map(value).collect());
        record.insert_curve("flow_objective", path.x.iter().map(value).collect());
        let apart = self
            .points
            .iter()
            .zip(&path.x)
            .map(|(a, b)| distance(*a, *b));
        record.insert_curve("flow_distance", apart.collect());
        record.insert_curve("time", times);
        let far = path.x[path.x.len() - 1];
        if let Some(end) = minimiser(self.problem, line.as_ref(), far) {
            self.record_minimiser(end, &mut record);
        }
        Ok(record)
    }

    /// All that is about `x_∞`.
    fn record_minimiser(&self, end: Point, record: &mut Record) {
        let (problem, d) = (self.problem, self.problem.dimension());
        let f = |x: Point| problem.objective(x);
        let u = |x: Point| problem.mirror().at(x);
        let least = f(end).value;
        if !least.is_finite() {
            return;
        }
        record.insert_curve("end", end[..d].to_vec());
        record.insert_number("minimum", least);
        let gap = self.points.iter().map(|&x| f(x).value - least);
        record.insert_curve("gap", gap.collect());
        let ways: Vec<(Point, Point)> = self.points.iter().map(|&x| (end, x)).collect();
        let finite = |value: f64| value.max(-f64::MAX);
        let convexity = least_curvature(&f, d, &ways, true);
        record.insert_number("convexity", finite(convexity));
        let ways: Vec<(Point, Point)> = self.points.windows(2).map(|w| (w[0], w[1])).collect();
        let strong = least_curvature(&u, d, &ways, true);
        let opposite = |x: Point| {
            let mut local = u(x);
            local.hessian = local.hessian.map(|row| row.map(|h| -h));
            local
        };
        let most = -least_curvature(&opposite, d, &ways, true);
        record.insert_number("strong_convexity", finite(strong));
        if u(end).value.is_finite() {
            // Between two points of a segment U may be flatter than at either: what is nearly flat counts as flat.
            let strong = if strong > FLAT * most { strong } else { 0.0 };
            self.record_divergence(end, least, strong, record);
        }
    }

    /// `D_U(x_∞, x_k)`, the three-point identity, the regret and its bound.
    fn record_divergence(&self, end: Point, least: f64, strong: f64, record: &mut Record) {
        let (mirror, f) = (self.problem.mirror(), |x| self.problem.objective(x));
        let to_end: Vec<(f64, f64)> = self
            .points
            .iter()
            .map(|&x| divergence(mirror, end, x))
            .collect();
        let (mut defects, mut budgets) = (Vec::new(), Vec::new());
        let (mut regret, mut bound) = (Vec::new(), Vec::new());
        let (mut lost, mut allowed) = (0.0, to_end[0].0);
        for (k, (pair, &eta)) in self.points.windows(2).zip(&self.steps).enumerate() {
            // The point at which the gradient was taken, and the other one.
            let [here, other, sign] = match self.rule {
                Rule::Implicit => [pair[1], pair[0], [-1.0; 2]],
                _ => [pair[0], pair[1], [1.0; 2]],
            };
            let gradient = f(here).gradient;
            let work = eta * dot(gradient, [end[0] - here[0], end[1] - here[1]]);
            let between = divergence(mirror, here, other);
            let (before, after) = (to_end[k], to_end[k + 1]);
            let defect = after.0 - before.0 - sign[0] * between.0 - work;
            let drop = (work.abs()).max(between.0.abs());
            defects.push(defect.abs() / drop);
            let rounding = before.1 + after.1 + between.1 + f64::EPSILON * work.abs();
            budgets.push(rounding / drop);
            lost += eta * (f(here).value - least);
            if self.rule == Rule::Explicit {
                allowed += eta * eta * dot(gradient, gradient) / (2.0 * strong);
            }
            regret.push(lost);
            bound.push(allowed);
        }
        record.insert_curve("divergence", to_end.iter().map(|d| d.0).collect());
        record.insert_curve("three_point_defect", defects);
        record.insert_curve("three_point_budget", budgets);
        record.insert_curve("regret", regret);
        if strong > 0.0 || self.rule == Rule::Implicit {
            record.insert_curve("bound", bound);
        }
    }
}
