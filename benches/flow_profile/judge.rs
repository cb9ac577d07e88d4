//! What a run is worth: solved, refused with a grid that works, or not.

use crate::integrator::Integrator;
use crate::problem::Problem;
use crate::trial::{Outcome, Trial};
use std::fmt;

/// Errors of p and of log ρ at the end count as solved up to this many times the tolerance, which is meant for one step of many.
pub const LOSS: f64 = 1e3;
/// What stands for the tolerance of integrators that have none.
const TOLERANCE: f64 = 1e-9;
/// Grids with more nodes are not followed.
pub const MOST_NODES: usize = 1 << 20;

/// All runs of a problem.
pub struct Measured<'a> {
    pub problem: &'a Problem,
    pub runs: Vec<Judged>,
}

impl<'a> Measured<'a> {
    pub fn new(problem: &'a Problem) -> Self {
        Self {
            problem,
            runs: Vec::new(),
        }
    }

    pub fn of(&self, integrator: Integrator) -> impl Iterator<Item = &Judged> {
        self.runs
            .iter()
            .filter(move |run| run.integrator == integrator)
    }
}

pub struct Judged {
    pub integrator: Integrator,
    pub tolerance: f64,
    pub trial: Trial,
    /// On the grid that was named, where one was.
    pub followed: Option<Trial>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Solved,
    /// Ended without a word, with p or log ρ wrong.
    Wrong,
    /// The truth is not known.
    Unjudged,
    /// Named a grid on which it is then solved.
    Refused,
    /// Named a grid on which it is not.
    RefusedInVain,
    Failed,
    OverTime,
}

impl Verdict {
    pub const ALL: [Self; 7] = [
        Self::Solved,
        Self::Refused,
        Self::Wrong,
        Self::RefusedInVain,
        Self::Failed,
        Self::OverTime,
        Self::Unjudged,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Solved => "solved",
            Self::Wrong => "WRONG",
            Self::Unjudged => "ended",
            Self::Refused => "refused",
            Self::RefusedInVain => "refused in vain",
            Self::Failed => "failed",
            Self::OverTime => "over the cap",
        }
    }

    fn of(trial: &Trial, solved: f64) -> Self {
        match (&trial.outcome, trial.errors) {
            (Outcome::Failed(_), _) => Self::Failed,
            (Outcome::OverTime, _) => Self::OverTime,
            (Outcome::Refused(_), _) => Self::RefusedInVain,
            (Outcome::Ended, None) => Self::Unjudged,
            (Outcome::Ended, Some(errors))
                if errors.p <= solved && errors.log_density <= solved =>
            {
                Self::Solved
            }
            (Outcome::Ended, Some(_)) => Self::Wrong,
        }
    }
}

impl Judged {
    pub fn verdict(&self) -> Verdict {
        let there = self.followed.as_ref().map(|there| self.judge(there));
        match (self.judge(&self.trial), there) {
            (Verdict::RefusedInVain, Some(Verdict::Solved)) => Verdict::Refused,
            (Verdict::RefusedInVain, Some(Verdict::Unjudged)) => Verdict::Unjudged,
            (verdict, _) => verdict,
        }
    }

    fn judge(&self, trial: &Trial) -> Verdict {
        let tolerance = match self.integrator.has_tolerance() {
            true => self.tolerance,
            false => TOLERANCE,
        };
        Verdict::of(trial, LOSS * tolerance)
    }

    /// Error of log ρ in the end, on the grid asked for or on the one named, if the truth is known.
    pub fn final_error(&self) -> Option<f64> {
        let last = self.followed.as_ref().unwrap_or(&self.trial);
        last.errors.map(|errors| errors.log_density)
    }

    /// CPU seconds, those of a refusal and of the run that follows it together.
    pub fn seconds(&self) -> f64 {
        self.trial.seconds + self.followed.as_ref().map_or(0.0, |there| there.seconds)
    }
}

pub const HEADING: &str = "  integrator             tolerance  outcome            CPU s  steps (rejected)  Krylov  Sinkhorn  \
                           error of p   log ρ       KL   min λ(∇²u)  |∫ρ − 1|";

impl fmt::Display for Judged {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        let name = self.integrator.name();
        match self.integrator.has_tolerance() {
            true => write!(to, "  {name:<22} {:>9e}", self.tolerance)?,
            false => write!(to, "  {name:<22} {:>9}", "–")?,
        }
        write!(to, "  {:<15}", self.verdict().name())?;
        row(to, &self.trial)?;
        match &self.trial.outcome {
            Outcome::Failed(said) => write!(to, "  {said}")?,
            Outcome::Refused(points) => write!(to, "  needs {points:?}")?,
            Outcome::Ended | Outcome::OverTime => {}
        }
        if let Some(there) = &self.followed {
            write!(to, "\n    there {:<33}{:<15}", "", self.judge(there).name())?;
            row(to, there)?;
            if let Outcome::Failed(said) = &there.outcome {
                write!(to, "  {said}")?;
            }
            if let Outcome::Refused(points) = &there.outcome {
                write!(to, "  needs {points:?}")?;
            }
        }
        Ok(())
    }
}

fn row(to: &mut fmt::Formatter, trial: &Trial) -> fmt::Result {
    let work = trial.work;
    let steps = format!("{} ({})", work.steps, work.rejected);
    write!(
        to,
        "{:>9.3}  {steps:>16}  {:>6}  {:>8}",
        trial.seconds, work.krylov, work.sinkhorn
    )?;
    if let Some(errors) = trial.errors {
        write!(
            to,
            "  {:>10.1e}  {:>6.1e}  {:>7.1e}",
            errors.p, errors.log_density, errors.entropy
        )?;
    } else if trial.outcome == Outcome::Ended {
        write!(to, "  {:>10}  {:>6}  {:>7}", "?", "?", "?")?;
    }
    if trial.outcome == Outcome::Ended {
        write!(
            to,
            "  {:>11.1e}  {:>8.0e}",
            trial.min_eigenvalue, trial.mass_defect
        )?;
    }
    Ok(())
}
