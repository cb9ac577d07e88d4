//! What the RON reader refuses, said with the place, the expectation and the nearest right name.

use super::complaint::{Complaint, Source, Wording, nearest, one_of, wording};
use super::vocabulary::{TEMPLATE, kind_of, takes};
use ron::error::{Error, Position, SpannedError};
use std::ops::Range;

/// The reader's refusal as a complaint.
pub fn complaint(source: &Source, error: &SpannedError) -> Complaint {
    let span = place(source, error);
    let wording = words(source, error, &span);
    source.complain(span, wording)
}

/// The text that a refusal is about.
fn place(source: &Source, error: &SpannedError) -> Range<usize> {
    let start = offset(&source.text, error.span.start);
    match &error.code {
        Error::NoSuchStructField { .. }
        | Error::NoSuchEnumVariant { .. }
        | Error::DuplicateStructField { .. }
        | Error::ExpectedDifferentStructName { .. } => start..offset(&source.text, error.span.end),
        Error::MissingStructField { .. } => source.outline.around(start).head.clone(),
        Error::Eof => {
            let text = source.text.trim_end();
            let last = text.char_indices().next_back();
            last.map_or(0, |(at, _)| at)..text.len()
        }
        _ => token(source, start),
    }
}

fn words(source: &Source, error: &SpannedError, span: &Range<usize>) -> Wording {
    match &error.code {
        Error::NoSuchStructField {
            expected,
            found,
            outer,
        } => {
            let text = &source.text[span.end..];
            unknown_field(found, outer.as_deref(), expected, text)
        }
        Error::NoSuchEnumVariant {
            expected,
            found,
            outer,
        } => unknown(outer.as_deref().map_or("name", kind_of), found, expected),
        Error::ExpectedDifferentStructName { expected, found } => {
            unknown("name", found, &[expected])
        }
        Error::MissingStructField { field, outer } => {
            let help = takes(source, field, span.start);
            missing(field, outer.as_deref(), help)
        }
        Error::DuplicateStructField { field, .. } => {
            let message = format!("`{field}` is given twice");
            wording(message, "second time", format!("keep one `{field}`"))
        }
        Error::Eof => wording(
            "the file ends too early",
            "ends here",
            "close every `(`, `[` and `\"`",
        ),
        _ => wrong_type(source, error, span),
    }
}

fn missing(field: &str, outer: Option<&str>, help: String) -> Wording {
    let outer = outer.unwrap_or("this value");
    let message = format!("`{field}` is missing in {outer}");
    wording(message, format!("has no `{field}`"), help)
}

/// An unknown field with `following` text; a bracket there means that it is a value, one level too deep.
fn unknown_field(found: &str, outer: Option<&str>, expected: &[&str], following: &str) -> Wording {
    let mut words = unknown("field", found, expected);
    if let Some(outer) = outer {
        words.message += &format!(" in {outer}");
    }
    if following.trim_start().starts_with('(') {
        words.help += &format!("; or close a bracket before `{found}`");
    }
    words
}

fn unknown(kind: &str, found: &str, expected: &[&str]) -> Wording {
    let known = format!("expected {}", one_of(expected));
    let help = match nearest(found, expected) {
        Some(name) if expected.len() == 1 => format!("did you mean `{name}`?"),
        Some(name) => format!("did you mean `{name}`? {known}"),
        None => known,
    };
    wording(format!("unknown {kind} `{found}`"), "not known here", help)
}

fn wrong_type(source: &Source, error: &SpannedError, span: &Range<usize>) -> Wording {
    let message = expectation(source, error, span);
    match source.outline.field_at(&source.text, span.start) {
        Some(field) => {
            let help = takes(source, field, span.start);
            wording(format!("`{field}`: {message}"), "found here", help)
        }
        None => wording(message, "found here", TEMPLATE),
    }
}

/// What the reader expected, in the words of this page.
fn expectation(source: &Source, error: &SpannedError, span: &Range<usize>) -> String {
    // A number read in part, as 64 of 64.5, was to be whole.
    let in_part = offset(&source.text, error.span.start) > span.start;
    match &error.code {
        Error::ExpectedInteger | Error::IntegerOutOfBounds => "expected a whole number".into(),
        Error::ExpectedComma if in_part => "expected a whole number".into(),
        Error::ExpectedFloat => "expected a number".into(),
        Error::ExpectedString => "expected a text in quotes".into(),
        Error::ExpectedStringEnd => "expected a closing `\"`".into(),
        Error::ExpectedArray => "expected a list `[…]`".into(),
        Error::SuggestRawIdentifier(_) if decimal_comma(&source.text[..span.start]) => {
            "expected a decimal point, not a comma".into()
        }
        Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_) => "expected a name".into(),
        Error::ExpectedComma => "expected a comma before this".into(),
        Error::TrailingCharacters => "text after the closing `)` of the scenario".into(),
        other => lower_first(&other.to_string()),
    }
}

/// Whether a text ends as `0,` does.
fn decimal_comma(text: &str) -> bool {
    let digits = text.strip_suffix(',');
    digits.is_some_and(|digits| digits.ends_with(|c: char| c.is_ascii_digit()))
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_lowercase().collect::<String>());
    first.unwrap_or_default() + letters.as_str()
}

/// Byte offset of a position whose columns count characters from 1.
fn offset(text: &str, position: Position) -> usize {
    let line: usize = text
        .split_inclusive('\n')
        .take(position.line - 1)
        .map(str::len)
        .sum();
    let column = text[line..]
        .chars()
        .take(position.col - 1)
        .map(char::len_utf8);
    line + column.sum::<usize>()
}

/// The number, string or name at or right after a byte offset, as far as its line goes.
fn token(source: &Source, offset: usize) -> Range<usize> {
    let text = &source.text;
    let start = offset + text[offset..].len() - text[offset..].trim_start().len();
    let leaves = source.outline.leaves();
    let Some(leaf) = leaves.into_iter().find(|leaf| leaf.contains(&start)) else {
        return start..start + word(&text[start..]);
    };
    let line = text[leaf.clone()].lines().next().map_or(0, str::len);
    leaf.start..leaf.start + line
}

/// Length of the first word of a text, or of its first character if that starts none.
fn word(text: &str) -> usize {
    let first = text.chars().next().map_or(0, char::len_utf8);
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    word.unwrap_or(text.len()).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_offsets_bytes() {
        let position = Position { line: 2, col: 3 };
        assert_eq!(offset("ε\nεε=\n", position), 7);
    }

    #[test]
    fn a_token_is_the_whole_number_word_or_string() {
        let at = |text: &str, offset: usize| {
            let span = token(&Source::new("test", text), offset);
            text[span].to_owned()
        };
        assert_eq!(at("[128.5, 1]", 4), "128.5");
        assert_eq!(at("(time: soon,", 6), "soon");
        assert_eq!(at("[ \"a b\", 1]", 1), "\"a b\"");
        assert_eq!(at("[\"open)\n 1]", 2), "\"open)");
        assert_eq!(at("(a: ]", 3), "]");
        assert_eq!(at("() more text", 2), "more");
        assert_eq!(at("", 0), "");
    }
}
