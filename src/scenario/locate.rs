//! Where each value of a RON text stands, as byte ranges.
//!
//! The deserialiser forgets positions, and a refused value must be shown in the file. This walker reads only
//! brackets, names, strings and comments, never fails, and keeps the outline as a tree.

use super::walker;
use std::ops::Range;

/// One step from a value to one inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The field with this name.
    Key(&'a str),
    /// The element, or unnamed field, with this number.
    Index(usize),
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(name: &'a str) -> Self {
        Self::Key(name)
    }
}

impl From<usize> for Step<'_> {
    fn from(number: usize) -> Self {
        Self::Index(number)
    }
}

/// `way!["studies", 1, "epsilons", 2]`: the way to a value.
macro_rules! way {
    ($($step:expr),* $(,)?) => { &[$($crate::scenario::locate::Step::from($step)),*] };
}
pub(crate) use way;

/// A value and the values inside it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// The whole value, its name included.
    pub span: Range<usize>,
    /// The name before the bracket, or the bracket itself.
    pub head: Range<usize>,
    pub(super) children: Vec<Child>,
    pub(super) bracketed: bool,
}

/// A value inside another, with the range of its name if it is a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) key: Option<Range<usize>>,
    pub(super) value: Outline,
}

impl Outline {
    /// The outline of the first value in `text`.
    pub fn of(text: &str) -> Self {
        walker::read(text)
    }

    /// Range of the value at the end of `path`, or of the deepest value on the way that is in the text.
    pub fn find(&self, text: &str, path: &[Step]) -> Range<usize> {
        let Some((step, rest)) = path.split_first() else {
            return self.span.clone();
        };
        let child = match *step {
            Step::Index(number) => self.children.get(number),
            Step::Key(name) => self
                .children
                .iter()
                .find(|child| child.key.clone().is_some_and(|key| &text[key] == name)),
        };
        child.map_or_else(|| self.span.clone(), |child| child.value.find(text, rest))
    }

    /// The deepest bracketed value around a byte offset.
    pub fn around(&self, offset: usize) -> &Self {
        self.children
            .iter()
            .map(|child| &child.value)
            .find(|value| value.bracketed && value.span.contains(&offset))
            .map_or(self, |value| value.around(offset))
    }

    /// Name of the innermost field whose value holds a byte offset.
    pub fn field_at<'a>(&self, text: &'a str, offset: usize) -> Option<&'a str> {
        let child = self.children.iter().find(|child| {
            let start = child.key.as_ref().unwrap_or(&child.value.span).start;
            (start..child.value.span.end).contains(&offset)
        })?;
        let own = child.key.clone().map(|key| &text[key]);
        child.value.field_at(text, offset).or(own)
    }

    /// Ranges of all values without brackets: numbers, strings, bare names.
    pub fn leaves(&self) -> Vec<Range<usize>> {
        if !self.bracketed {
            return vec![self.span.clone()];
        }
        let inside = self.children.iter();
        inside.flat_map(|child| child.value.leaves()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r##"#![enable(implicit_some)]
        // (a comment, with "brackets"
        Scenario(
            title: "τ, \"quoted)\"", /* [ /* nested */ */
            problem: Torus(source: Formula(r#"a"b("#), points: [64, 1_28]),
            studies: [Flow(times: [0.01, 5e-2]), (a: 'x')],
        )"##;

    fn at(path: &[Step]) -> &'static str {
        &TEXT[Outline::of(TEXT).find(TEXT, path)]
    }

    #[test]
    fn paths_lead_through_comments_strings_and_brackets() {
        assert_eq!(at(way!["title"]), r#""τ, \"quoted)\"""#);
        assert_eq!(at(way!["problem", "points", 1]), "1_28");
        assert_eq!(at(way!["problem", "source", 0]), r##"r#"a"b("#"##);
        assert_eq!(at(way!["studies", 0, "times", 1]), "5e-2");
        assert_eq!(at(way!["studies", 1, "a"]), "'x'");
    }

    #[test]
    fn a_missing_value_leads_to_the_one_around_it() {
        assert_eq!(
            at(way!["studies", 0, "epsilons", 3]),
            "Flow(times: [0.01, 5e-2])"
        );
    }

    #[test]
    fn an_offset_leads_to_its_field_and_bracket() {
        let outline = Outline::of(TEXT);
        let offset = TEXT.find("5e-2").unwrap();
        assert_eq!(outline.field_at(TEXT, offset), Some("times"));
        assert_eq!(&TEXT[outline.around(offset).span.clone()], "[0.01, 5e-2]");
        let offset = TEXT.find("times").unwrap();
        assert_eq!(&TEXT[outline.around(offset).head.clone()], "Flow");
    }

    #[test]
    fn broken_text_is_walked_to_its_end() {
        for text in [
            "",
            "(((",
            "Scenario(a: ]",
            "\"open",
            "r#\"open",
            "(a: /* open",
            "é(",
            "\\",
            "(\"\\",
        ] {
            assert!(Outline::of(text).span.end <= text.len(), "{text}");
        }
        assert!(Outline::of(&"(".repeat(100_000)).span.end <= 100_000);
    }
}
