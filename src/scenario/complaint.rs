//! Messages that point into the scenario file.

use super::locate::{Outline, Step};
use super::shown::{bounded, excerpt, shown};
use miette::{Diagnostic, NamedSource, Report, SourceSpan};
use std::ops::Range;
use std::sync::Arc;
use thiserror::Error;

/// A scenario text with its name and outline.
#[derive(Debug, Clone)]
pub struct Source {
    pub name: String,
    pub text: Arc<String>,
    pub outline: Outline,
}

/// One thing wrong in a scenario: what, where, and what to write instead.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
pub struct Complaint {
    message: String,
    #[source_code]
    source_code: NamedSource<Arc<String>>,
    #[label("{label}")]
    span: SourceSpan,
    label: String,
    #[help]
    help: String,
}

/// Characters of a message.
const MOST_WORDING: usize = 2000;

/// Complaints that are shown at once.
const MOST_SHOWN: usize = 50;

/// Several things wrong in one scenario.
#[derive(Debug, Error, Diagnostic)]
#[error("{count} things to change in {name}")]
struct Complaints {
    name: String,
    count: usize,
    #[related]
    complaints: Vec<Complaint>,
}

/// What a complaint says.
#[derive(Debug, Clone, Default)]
pub struct Wording {
    /// What is wrong, in one line.
    pub message: String,
    /// A few words under the highlighted text.
    pub label: String,
    /// What to write instead.
    pub help: String,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: Arc::new(text.to_owned()),
            outline: Outline::of(text),
        }
    }

    /// Byte range of the value at `path`.
    pub fn find(&self, path: &[Step]) -> Range<usize> {
        self.outline.find(&self.text, path)
    }

    /// A complaint about the text at `span`.
    pub fn complain(&self, span: Range<usize>, wording: Wording) -> Complaint {
        let (text, span) = match excerpt(&self.text, &span) {
            Some((text, span)) => (Arc::new(text), span),
            None => (Arc::clone(&self.text), span),
        };
        Complaint {
            message: bounded(&wording.message, MOST_WORDING),
            source_code: NamedSource::new(shown(&self.name), text),
            span: span.into(),
            label: bounded(&wording.label, MOST_WORDING),
            help: bounded(&wording.help, MOST_WORDING),
        }
    }

    /// One report of all complaints in the order of the file, `None` if there are none.
    pub fn report(&self, mut complaints: Vec<Complaint>) -> Option<Report> {
        complaints.sort_by_key(|complaint| complaint.span.offset());
        match complaints.len() {
            0 => None,
            1 => complaints.pop().map(Report::new),
            count => {
                complaints.truncate(MOST_SHOWN);
                Some(Report::new(Complaints {
                    name: shown(&self.name),
                    count,
                    complaints,
                }))
            }
        }
    }
}

/// Shorthand for the three texts of a complaint.
pub fn wording(
    message: impl Into<String>,
    label: impl Into<String>,
    help: impl Into<String>,
) -> Wording {
    Wording {
        message: message.into(),
        label: label.into(),
        help: help.into(),
    }
}

/// Longer words are no misspelt names, and comparing takes their length squared.
const LONGEST_NAME: usize = 200;

/// The candidate nearest to `found`, if one is near enough to be meant.
pub fn nearest<'a>(found: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if found.len() > LONGEST_NAME {
        return None;
    }
    let distance = |candidate: &str| {
        strsim::damerau_levenshtein(&found.to_lowercase(), &candidate.to_lowercase())
    };
    candidates
        .iter()
        .map(|candidate| (distance(candidate), *candidate))
        .filter(|&(distance, candidate)| distance <= 1 + candidate.len() / 4)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Names as a sentence: `` `a`, `b` or `c` ``.
pub fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["Flow", "Sinkhorn", "ScalingLimit"];
        assert_eq!(nearest("ScallingLimit", &names), Some("ScalingLimit"));
        assert_eq!(nearest("sinkhorn", &names), Some("Sinkhorn"));
        assert_eq!(nearest("Wasserstein", &names), None);
    }

    #[test]
    fn names_make_a_sentence() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
