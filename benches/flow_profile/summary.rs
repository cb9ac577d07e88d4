//! What the table comes to.

use crate::integrator::Integrator;
use crate::judge::{Judged, LOSS, Measured, Verdict};

/// Tolerance of a scenario that names none.
const TOLERANCE: f64 = 1e-9;
/// Problems that take the default less CPU seconds than this are not held against it.
const LONG: f64 = 0.2;
/// The default may take this many times the CPU seconds of the fastest.
const NEAR: f64 = 1.5;

pub fn print(measured: &[Measured]) {
    println!(
        "\nAt the tolerance nearest to {TOLERANCE:e}: problems with each outcome (solved: errors of p and log ρ ≤ {LOSS} × tolerance)"
    );
    print!("  {:<22}", "integrator");
    Verdict::ALL
        .iter()
        .for_each(|v| print!("  {:>15}", v.name()));
    println!("  {:>23}", "log ρ ≤ 10 × tolerance");
    for integrator in Integrator::ALL {
        let runs: Vec<&Judged> = measured
            .iter()
            .filter_map(|m| usual(m, integrator))
            .collect();
        if runs.is_empty() {
            continue;
        }
        print!("  {:<22}", integrator.name());
        for verdict in Verdict::ALL {
            let count = runs.iter().filter(|run| run.verdict() == verdict).count();
            print!("  {count:>9} {:>3.0} %", percent(count, runs.len()));
        }
        let close = runs.iter().filter(|run| {
            run.final_error()
                .is_some_and(|error| error <= 10.0 * run.tolerance)
        });
        let count = close.count();
        println!("  {count:>17} {:>3.0} %", percent(count, runs.len()));
    }
    against_the_fastest(measured);
}

fn percent(count: usize, all: usize) -> f64 {
    100.0 * count as f64 / all.max(1) as f64
}

/// The run at the tolerance nearest to that of scenarios.
fn usual<'a>(measured: &'a Measured, integrator: Integrator) -> Option<&'a Judged> {
    let off = |run: &&Judged| (run.tolerance / TOLERANCE).ln().abs();
    let runs = measured.of(integrator);
    runs.min_by(|a, b| off(a).total_cmp(&off(b)))
}

/// The default against the fastest run of another integrator whose log ρ is as good.
struct Comparison<'a> {
    name: &'a str,
    /// CPU seconds, and error of log ρ where the default solved it.
    default: Option<(f64, f64)>,
    outcome: &'static str,
    fastest: &'a Judged,
}

impl Comparison<'_> {
    fn ratio(&self) -> f64 {
        self.default.map_or(f64::INFINITY, |(seconds, _)| {
            seconds / self.fastest.seconds()
        })
    }

    fn counts(&self) -> bool {
        self.default.is_none_or(|(seconds, _)| seconds > LONG)
    }
}

fn compare<'a>(measured: &'a Measured) -> Option<Comparison<'a>> {
    let run = usual(measured, Integrator::Default)?;
    let solved = matches!(run.verdict(), Verdict::Solved | Verdict::Refused);
    let default = run
        .final_error()
        .filter(|_| solved)
        .map(|error| (run.seconds(), error));
    let enough = default.map_or(LOSS * run.tolerance, |(_, error)| error.max(run.tolerance));
    let rivals = measured.runs.iter().filter(|rival| {
        rival.integrator != Integrator::Default
            && matches!(rival.verdict(), Verdict::Solved | Verdict::Refused)
            && rival.final_error().is_some_and(|error| error <= enough)
    });
    let fastest = rivals.min_by(|a, b| a.seconds().total_cmp(&b.seconds()))?;
    Some(Comparison {
        name: &measured.problem.name,
        default,
        outcome: run.verdict().name(),
        fastest,
    })
}

fn against_the_fastest(measured: &[Measured]) {
    let mut compared: Vec<Comparison> = measured.iter().filter_map(compare).collect();
    compared.retain(Comparison::counts);
    let near = compared.iter().filter(|c| c.ratio() <= NEAR).count();
    println!(
        "\nThe default within {NEAR} × the fastest other run whose log ρ is as good: {near} of {} problems that take it more than \
         {LONG} CPU s or that it does not solve",
        compared.len()
    );
    compared.retain(|c| c.ratio() > NEAR);
    compared.sort_by(|a, b| b.ratio().total_cmp(&a.ratio()));
    for comparison in &compared {
        let Comparison {
            name,
            default,
            outcome,
            fastest,
        } = comparison;
        print!("  {name:<24}");
        match default {
            Some((seconds, error)) => print!(
                "{:>7.1} ×  {seconds:.2} s ({error:.1e})",
                comparison.ratio()
            ),
            None => print!("  {outcome}"),
        }
        println!(
            "; {} at {:e}: {:.2} s ({:.1e})",
            fastest.integrator.name(),
            fastest.tolerance,
            fastest.seconds(),
            fastest.final_error().expect("a solved one")
        );
    }
}
