//! One run of one integrator, in a process of its own: a run that hangs can be ended, and none warms the next one's caches.
//!
//! Linux: CPU seconds are those that the scheduler counts, read from `/proc`.

use crate::Result;
use crate::integrator::{Integrator, Run, Work};
use crate::problem::Problem;
use crate::truth::{self, Reference};
use mirrorflow_solvers::Error;
use mirrorflow_solvers::distance::relative_entropy;
use mirrorflow_solvers::parallel::sup_difference;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Runs shorter than this are repeated, and the least time counts.
const SHORT: f64 = 0.3;
const REPEATS: usize = 3;

/// Largest errors over all instants and nodes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Errors {
    pub p: f64,
    pub log_density: f64,
    /// Of KL(ρ_t | e^{-f}), relative.
    pub entropy: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It gave the flow at every instant, right or wrong.
    Ended,
    /// It named the grid that it needs.
    Refused(Vec<usize>),
    Failed(String),
    OverTime,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trial {
    pub outcome: Outcome,
    /// CPU seconds of one thread.
    pub seconds: f64,
    pub work: Work,
    /// None where the truth is not known or the run did not end.
    pub errors: Option<Errors>,
    pub min_eigenvalue: f64,
    pub mass_defect: f64,
}

impl Trial {
    fn without_end(outcome: Outcome, seconds: f64) -> Self {
        Self {
            outcome,
            seconds,
            work: Work::default(),
            errors: None,
            min_eigenvalue: f64::NAN,
            mass_defect: f64::NAN,
        }
    }
}

/// What a process of its own is asked to do.
pub struct Task<'a> {
    pub problem: &'a Problem,
    pub integrator: Integrator,
    pub tolerance: f64,
    pub points: &'a [usize],
}

impl Task<'_> {
    /// In this process.
    ///
    /// # Errors
    /// If the problem is not a valid scenario on this grid, or the file of its truth is damaged.
    pub fn perform(&self) -> Result<Trial> {
        let problem = self.problem;
        let built = problem.on(self.points)?;
        let (mut seconds, mut repeats) = (f64::INFINITY, 0);
        let (run, outcome) = loop {
            let (mut run, begin) = (Run::default(), cpu_seconds()?);
            let ended = self
                .integrator
                .run(&built, &problem.times, self.tolerance, &mut run);
            seconds = f64::min(seconds, cpu_seconds()? - begin);
            repeats += 1;
            if repeats == REPEATS || seconds > SHORT || ended.is_err() {
                break (run, ended);
            }
        };
        let mut trial = Trial {
            work: run.work,
            ..Trial::without_end(Outcome::Ended, seconds)
        };
        if let Err(error) = outcome {
            trial.outcome = refusal(&*error, self.points);
            return Ok(trial);
        }
        let worst = |value: fn(&mirrorflow_solvers::monge_ampere::Diagnosis) -> f64| {
            let values = run.snapshots.iter().map(|s| value(&s.diagnosis));
            values.fold(f64::NEG_INFINITY, f64::max)
        };
        trial.min_eigenvalue = -worst(|d| -d.min_eigenvalue);
        trial.mass_defect = worst(|d| d.mass_defect);
        if let Some(truth) = Reference::of(problem)? {
            let log_source: Vec<f64> = built.source.on(&built.torus).iter().map(|f| -f).collect();
            let errors = run.snapshots.iter().enumerate().map(|(k, snapshot)| {
                let [p, log_density] = truth.fields(k, &built.torus);
                let (own, right) = (
                    relative_entropy(&snapshot.log_marginal, &log_source),
                    truth.entropy(k),
                );
                Errors {
                    p: sup_difference(&snapshot.p, &p),
                    log_density: sup_difference(&snapshot.log_marginal, &log_density),
                    entropy: (own - right).abs() / (right + LEAST_ENTROPY),
                }
            });
            trial.errors = errors.reduce(Errors::larger);
        }
        Ok(trial)
    }

    /// What is asked, in one line; whether the truth is known is part of it, since errors are.
    pub fn describe(&self, cap: f64) -> String {
        let Self {
            problem,
            integrator,
            tolerance,
            points,
        } = self;
        let parts = truth::to_converge(problem);
        let known = parts.into_iter().all(|part| truth::kept(part).exists());
        let name = integrator.name();
        format!(
            "{} {name} {tolerance:e} {points:?} {:?} {cap} {known}",
            problem.name, problem.times
        )
    }

    /// In a process of its own, ended after `cap` CPU seconds.
    ///
    /// # Errors
    /// If no process can be started.
    pub fn delegate(&self, cap: f64) -> Result<Trial> {
        let points: Vec<String> = self.points.iter().map(usize::to_string).collect();
        let arguments = [
            "trial",
            &self.problem.name,
            self.integrator.name(),
            &self.tolerance.to_string(),
            &points.join(","),
        ];
        Ok(match delegate(&arguments, cap)? {
            Ended::Said(said) => ron::from_str(&said)?,
            Ended::Failed(said) => Trial::without_end(Outcome::Failed(said), f64::NAN),
            Ended::OverTime => Trial::without_end(Outcome::OverTime, cap),
        })
    }
}

/// Relative errors of KL are relative to at least this.
const LEAST_ENTROPY: f64 = 1e-16;

impl Errors {
    fn larger(self, other: Self) -> Self {
        // NaN is worse than anything.
        let larger = |a: f64, b: f64| if a >= b || a.is_nan() { a } else { b };
        Self {
            p: larger(self.p, other.p),
            log_density: larger(self.log_density, other.log_density),
            entropy: larger(self.entropy, other.entropy),
        }
    }
}

/// What an error means: a grid that is named, or a failure.
fn refusal(error: &(dyn std::error::Error + 'static), points: &[usize]) -> Outcome {
    let named = error
        .downcast_ref::<Error>()
        .and_then(|e| needed(e, points));
    named.map_or_else(|| Outcome::Failed(error.to_string()), Outcome::Refused)
}

/// The grid that an error asks for.
fn needed(error: &Error, points: &[usize]) -> Option<Vec<usize>> {
    match error {
        Error::During { error, .. } => needed(error, points),
        Error::TooCoarse { axis, needed, .. } => {
            let mut points = points.to_vec();
            points[*axis] = needed.next_multiple_of(2);
            Some(points)
        }
        Error::Unresolved(unresolved) => unresolved.needed.clone(),
        _ => None,
    }
}

/// How a process ended.
pub enum Ended {
    /// Well, with this on its standard output.
    Said(String),
    /// With this as the last line of its standard error.
    Failed(String),
    OverTime,
}

/// This program again with other arguments, ended after `cap` CPU seconds.
///
/// # Errors
/// If it cannot be started.
pub fn delegate(arguments: &[&str], cap: f64) -> Result<Ended> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("--delegated")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut pause = Duration::from_millis(2);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if spent(&child) > cap {
            child.kill()?;
            child.wait()?;
            return Ok(Ended::OverTime);
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(100));
    };
    let (mut said, mut complaint) = (String::new(), String::new());
    child
        .stdout
        .take()
        .expect("piped")
        .read_to_string(&mut said)?;
    child
        .stderr
        .take()
        .expect("piped")
        .read_to_string(&mut complaint)?;
    if status.success() {
        return Ok(Ended::Said(said));
    }
    let last = complaint.lines().last().unwrap_or("no word");
    Ok(Ended::Failed(last.to_owned()))
}

/// CPU seconds of a process so far, in hundredths.
fn spent(child: &Child) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    // After the name, which may hold anything but ends with the last parenthesis: utime and stime are fields 14 and 15 of all.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// CPU seconds of this thread so far.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = stat.split_whitespace().next().unwrap_or_default();
    Ok(nanoseconds.parse::<f64>()? * 1e-9)
}
