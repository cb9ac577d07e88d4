//! A claim with the rule that judges it: one row of a study's table.
//!
//! The claim states a law. The rule says which columns of the record are judged, with which budget and by which test, when a scenario asks
//! for it, and what else must hold. A new claim is one row and what it measures.

use crate::record::{Record, RecordError};
use crate::verdict::{Claim, Verdict};

/// What a rule judges by.
pub struct Evidence<'a, S> {
    pub study: &'a S,
    /// The study's numbered name.
    pub slug: &'a str,
    pub record: &'a Record,
    /// Of a claim about runs: which, counted from 1.
    pub run: usize,
}

impl<'a, S> Evidence<'a, S> {
    pub fn new(study: &'a S, slug: &'a str, record: &'a Record) -> Self {
        Self {
            study,
            slug,
            record,
            run: 0,
        }
    }
}

pub type Judged = Result<Verdict, RecordError>;
/// The reason why a claim is not made here, if there is one.
pub type Reason = Result<Option<String>, RecordError>;

/// A row: a claim, when it is asked for, what it needs, and how it is judged.
pub struct Rule<S: 'static> {
    pub claim: Claim,
    when: fn(&Evidence<S>) -> bool,
    unless: fn(&Evidence<S>) -> Reason,
    judge: fn(&Evidence<S>, &Claim) -> Judged,
    /// Whether the claim is about each run by itself.
    of_runs: bool,
}

impl Claim {
    /// The claim with what judges it, asked for always and of no further hypothesis.
    pub const fn by<S>(self, judge: fn(&Evidence<S>, &Claim) -> Judged) -> Rule<S> {
        Rule {
            claim: self,
            when: |_| true,
            unless: |_| Ok(None),
            judge,
            of_runs: false,
        }
    }
}

impl<S> Rule<S> {
    /// Asked for only by some scenarios, or of some runs.
    pub const fn when(self, when: fn(&Evidence<S>) -> bool) -> Self {
        Self { when, ..self }
    }

    /// Not made where `unless` has a reason.
    pub const fn unless(self, unless: fn(&Evidence<S>) -> Reason) -> Self {
        Self { unless, ..self }
    }

    /// Made of each run.
    pub const fn of_runs(self) -> Self {
        Self {
            of_runs: true,
            ..self
        }
    }

    /// The verdict; what is missing, because the run was cut short, decides nothing.
    fn verdict(&self, evidence: &Evidence<S>) -> Judged {
        let judged = match (self.unless)(evidence) {
            Ok(Some(why)) => Ok(self.claim.not_applicable(evidence.slug, &why)),
            Ok(None) => (self.judge)(evidence, &self.claim),
            Err(error) => Err(error),
        };
        match judged {
            Err(RecordError::Missing(name)) => {
                let why = format!("`{name}` was not measured before the run was cut short");
                Ok(self.claim.undecided(evidence.slug, &why))
            }
            judged => judged,
        }
    }
}

/// Verdicts on all claims that are asked for, on claims about runs one for each that they concern; `runs` are their names.
///
/// # Errors
/// [`RecordError`] when the record is not one of this study.
pub fn judge<S>(
    rules: &[Rule<S>],
    evidence: &Evidence<S>,
    runs: &[String],
) -> Result<Vec<Verdict>, RecordError> {
    let mut verdicts = Vec::new();
    for rule in rules {
        if !rule.of_runs {
            if (rule.when)(evidence) {
                verdicts.push(rule.verdict(evidence)?);
            }
            continue;
        }
        for (k, run) in runs.iter().enumerate() {
            let one = Evidence {
                run: k + 1,
                ..*evidence
            };
            if (rule.when)(&one) {
                let mut verdict = rule.verdict(&one)?;
                verdict.quantity = format!("{}, {run}", verdict.quantity);
                verdict.run = Some(run.clone());
                verdicts.push(verdict);
            }
        }
    }
    Ok(verdicts)
}

/// The claims of a table.
pub fn claims<S>(rules: &'static [Rule<S>]) -> impl Iterator<Item = &'static Claim> {
    rules.iter().map(|rule| &rule.claim)
}
