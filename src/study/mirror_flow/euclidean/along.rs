//! What is measured along the flow of one mirror.

use crate::record::Record;
use mirrorflow_solvers::Result;
use mirrorflow_solvers::euclidean::{
    Coordinate, Ending, Euclidean, Line, Path, Point, distance, divergence, flow, least_curvature,
    minimiser, modes,
};
use mirrorflow_solvers::time::Stepper;

use super::{SAMPLES, identities};
use crate::study::mirror_flow::tight;

/// An algebraic decay is followed this many times as far as the horizon, at so many instants to each doubling: it is a power of t only there.
const TAIL_DOUBLINGS: usize = 10;
const TAIL_PER_DOUBLING: usize = 3;

/// Everything of one mirror: `x`, `theta`, `objective`, differences, defects and budgets at `times`; the path at the samples.
pub fn measure(problem: &Euclidean, times: &[f64], stepper: Stepper) -> Result<Record> {
    let line = Line::of(problem);
    let (tight, loose) = tight(stepper);
    let along = Along {
        problem,
        line: line.as_ref(),
        times,
        tight,
        loose,
    };
    let mut record = Record::default();
    let samples = along.samples();
    let path = along.both(Coordinate::Mirror, &samples)?;
    let found = along.both(Coordinate::Mirror, times)?;
    let end = minimiser(problem, along.line, path.x[SAMPLES]);
    let whole = end.map_or(1.0, |end| distance(problem.start(), end));
    along.record_states(&found, &path, whole, &mut record);
    along.record_coordinates(&found, whole, &mut record)?;
    along.record_truth(&found, whole, &mut record);
    if let Some(end) = end {
        along.record_end(&path, end, &mut record)?;
    }
    let moving = found.x.iter().take_while(|x| Some(**x) != end).count();
    identities::record(&along, &times[..moving], end, &mut record)?;
    Ok(record)
}

/// One mirror's flow with the steppers that it is measured by.
pub struct Along<'a> {
    pub problem: &'a Euclidean,
    line: Option<&'a Line>,
    times: &'a [f64],
    pub tight: Stepper,
    pub loose: Stepper,
}

/// A path at the tight tolerance and how far each of its points moves at the looser one.
struct Both {
    x: Vec<Point>,
    moved: Vec<f64>,
    arrival: Option<(f64, f64)>,
}

impl Both {
    fn of(tight: Path, loose: &Path) -> Self {
        let pairs = tight.x.iter().zip(&loose.x);
        let moved = pairs.map(|(a, b)| distance(*a, *b)).collect();
        let arrivals = tight.arrival.zip(loose.arrival);
        Self {
            moved,
            arrival: arrivals.map(|(a, b)| (a, (a - b).abs() + 4.0 * f64::EPSILON * a)),
            x: tight.x,
        }
    }

    /// What tolerance and rounding may have done to `|x − end|`.
    fn uncertain(&self, end: Point) -> Vec<f64> {
        let origin = [0.0; 2];
        let rounding = |x: Point| f64::EPSILON * (distance(x, origin) + distance(end, origin));
        let pairs = self.x.iter().zip(&self.moved);
        pairs.map(|(&x, moved)| moved + 2.0 * rounding(x)).collect()
    }
}

impl Along<'_> {
    fn samples(&self) -> Vec<f64> {
        let horizon = *self.times.last().expect("the times are not empty");
        (0..=SAMPLES)
            .map(|j| horizon * j as f64 / SAMPLES as f64)
            .collect()
    }

    pub fn path(&self, coordinate: Coordinate, stepper: Stepper, times: &[f64]) -> Result<Path> {
        flow(self.problem, self.line, coordinate, stepper, times)
    }

    fn both(&self, coordinate: Coordinate, times: &[f64]) -> Result<Both> {
        let tight = self.path(coordinate, self.tight, times)?;
        Ok(Both::of(tight, &self.path(coordinate, self.loose, times)?))
    }

    fn record_states(&self, found: &Both, path: &Both, whole: f64, record: &mut Record) {
        let d = self.problem.dimension();
        let flat = |points: &[Point]| points.iter().flat_map(|x| x[..d].to_vec()).collect();
        let theta: Vec<Point> = found
            .x
            .iter()
            .map(|&x| self.problem.mirror().at(x).gradient)
            .collect();
        record.insert("x", &[found.x.len(), d], flat(&found.x));
        record.insert("theta", &[found.x.len(), d], flat(&theta));
        record.insert("path", &[path.x.len(), d], flat(&path.x));
        let value = |x: &Point| self.problem.objective(*x).value;
        record.insert_curve("objective", found.x.iter().map(value).collect());
        record.insert_curve("path_objective", path.x.iter().map(value).collect());
        record.insert_curve("x_budget", scaled(&found.moved, whole));
        if let Some((arrival, budget)) = path.arrival.or(found.arrival) {
            record.insert_number("arrival", arrival);
            record.insert_number("arrival_budget", budget);
        }
    }

    /// `|x_primal − x_mirror|/|x_0 − x_∞|`.
    fn record_coordinates(&self, found: &Both, whole: f64, record: &mut Record) -> Result<()> {
        let primal = self.both(Coordinate::Primal, self.times)?;
        let pairs = found.x.iter().zip(&primal.x);
        let apart: Vec<f64> = pairs.map(|(a, b)| distance(*a, *b)).collect();
        let moved = found.moved.iter().zip(&primal.moved);
        let moved: Vec<f64> = moved.map(|(a, b)| a + b).collect();
        record.insert_curve("coordinate_difference", scaled(&apart, whole));
        record.insert_curve("coordinate_budget", scaled(&moved, whole));
        Ok(())
    }

    /// What does not come from a stepper: closed forms, and on the line the time that quadrature gives for every point.
    fn record_truth(&self, found: &Both, whole: f64, record: &mut Record) {
        let exact: Option<Vec<f64>> = self.times.iter().map(|&t| self.problem.exact(t)).collect();
        if let Some(exact) = exact {
            let pairs = found.x.iter().zip(&exact);
            let apart: Vec<f64> = pairs.map(|(x, exact)| (x[0] - exact).abs()).collect();
            record.insert_curve("closed_form", scaled(&apart, whole));
            record.insert_curve("exact", exact);
        }
        let Some(line) = self.line else { return };
        let (mut defects, mut budgets) = (Vec::new(), Vec::new());
        for (k, (&t, &x)) in self.times.iter().zip(&found.x).enumerate() {
            let (defect, error) = if Some(x[0]) == line.end() {
                (rests(line, t), 0.0)
            } else {
                let (time, error) = line.time_to(x[0]);
                let speed = self.problem.velocity(x)[0].abs();
                ((time - t).abs() * speed, error * speed)
            };
            defects.push(defect);
            budgets.push(error + found.moved[k]);
        }
        record.insert_curve("time_defect", scaled(&defects, whole));
        record.insert_curve("time_budget", scaled(&budgets, whole));
    }

    /// The end: how near, how convex on the way, how fast.
    fn record_end(&self, path: &Both, end: Point, record: &mut Record) -> Result<()> {
        let d = self.problem.dimension();
        let f = |x: Point| self.problem.objective(x);
        record.insert_curve("end", end[..d].to_vec());
        let near = path.x.iter().map(|&x| distance(x, end));
        record.insert_curve("distance", near.collect());
        record.insert_curve("distance_budget", path.uncertain(end));
        let least = f(end).value;
        if least.is_finite() {
            record.insert_number("minimum", least);
            let gap = path.x.iter().map(|&x| f(x).value - least);
            record.insert_curve("gap", gap.collect());
            let ways: Vec<(Point, Point)> = path.x.iter().map(|&x| (end, x)).collect();
            record.insert_number("convexity", bounded(least_curvature(&f, d, &ways, true)));
        }
        self.record_divergence(path, end, record);
        self.record_ending(path, end, record)
    }

    /// `D_U(x_∞, x_t)`, where U is finite at x_∞.
    fn record_divergence(&self, path: &Both, end: Point, record: &mut Record) {
        let mirror = self.problem.mirror();
        let found = path.x.iter().map(|&x| divergence(mirror, end, x));
        let (values, rounding): (Vec<f64>, Vec<f64>) = found.unzip();
        if values.iter().any(|value| !value.is_finite()) {
            return;
        }
        // D has the gradient ∇²U(x)(x − x_∞) in x.
        let moved = path.x.iter().zip(&path.moved).map(|(&x, moved)| {
            let hessian = mirror.at(x).hessian;
            let largest = hessian.iter().flatten().fold(0.0f64, |m, h| h.abs().max(m));
            2.0 * largest * distance(x, end) * moved
        });
        let budget = moved.zip(rounding).map(|(a, b)| a + b);
        record.insert_curve("divergence_budget", budget.collect());
        record.insert_curve("divergence", values);
    }

    /// What F and U say of the approach to the end, and an algebraic approach itself.
    fn record_ending(&self, path: &Both, end: Point, record: &mut Record) -> Result<()> {
        let last = path.x[SAMPLES];
        let displacement = [last[0] - end[0], last[1] - end[1]];
        match self.line.map(Line::ending) {
            None => {
                if let Some(([rate, _], share)) = modes(self.problem, end, displacement) {
                    record.insert_number("rate", rate);
                    record.insert_number("slow_share", share);
                }
            }
            Some(Ending::Exponential { rate }) => {
                record.insert_number("rate", rate);
                record.insert_number("slow_share", 1.0);
            }
            Some(Ending::Finite { power, time }) => {
                record.insert_number("power", power);
                record.insert_number("arrival_time", time);
            }
            Some(Ending::Algebraic { exponent }) => {
                record.insert_number("exponent", exponent);
                self.record_tail(end, record)?;
            }
            Some(Ending::Unknown) => {}
        }
        Ok(())
    }

    fn record_tail(&self, end: Point, record: &mut Record) -> Result<()> {
        let horizon = *self.times.last().expect("the times are not empty");
        let instants = 0..=TAIL_DOUBLINGS * TAIL_PER_DOUBLING;
        let doublings = |k: usize| k as f64 / TAIL_PER_DOUBLING as f64;
        let times: Vec<f64> = instants.map(|k| horizon * doublings(k).exp2()).collect();
        let tail = self.both(Coordinate::Mirror, &times)?;
        let near = tail.x.iter().map(|&x| distance(x, end));
        record.insert_curve("tail_distance", near.collect());
        record.insert_curve("tail_distance_budget", tail.uncertain(end));
        record.insert_curve("tail_times", times);
        Ok(())
    }
}

/// 0 if the flow is at its end by then, as quadrature says, 1 if it should not be.
fn rests(line: &Line, t: f64) -> f64 {
    match line.ending() {
        Ending::Finite { time, .. } if t >= time => 0.0,
        _ => 1.0,
    }
}

fn scaled(values: &[f64], whole: f64) -> Vec<f64> {
    values.iter().map(|value| value / whole).collect()
}

/// Records hold finite numbers.
fn bounded(value: f64) -> f64 {
    value.max(-f64::MAX)
}
