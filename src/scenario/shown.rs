//! Text from outside as it is shown on a terminal: control characters as text, and no more than can be read.

use std::ops::Range;

/// Characters of a text, and on each side of what is highlighted in a long line.
const MOST: usize = 400;

/// The text with control characters as escapes, cut to what can be read.
pub fn shown(text: &str) -> String {
    bounded(text, MOST)
}

/// The same for a longer text.
pub fn bounded(text: &str, most: usize) -> String {
    let kept: String = text.chars().take(most).collect();
    let dots = if kept.len() < text.len() { "…" } else { "" };
    escaped(&kept) + dots
}

fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match is_control(c) {
            true => shown.extend(c.escape_default()),
            false => shown.push(c),
        }
    }
    shown
}

/// What moves the cursor, changes a terminal or turns the direction of writing; lines and tabs are text.
fn is_control(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r')) || turns
}

/// The part of `text` to be shown around `span`, and where `span` is in it; `None` where that is all of it as it is.
pub fn excerpt(text: &str, span: &Range<usize>) -> Option<(String, Range<usize>)> {
    let long = text.lines().any(|line| line.len() > 2 * MOST);
    if !long && !text.contains(is_control) {
        return None;
    }
    let (start, end) = match long {
        true => around(text, span),
        false => (0, text.len()),
    };
    let inside = span.start..span.end.min(end);
    let before = escaped(&text[start..inside.start]);
    let highlighted = escaped(&text[inside.clone()]);
    let place = before.len()..before.len() + highlighted.len();
    Some((
        before + &highlighted + &escaped(&text[inside.end..end]),
        place,
    ))
}

/// So many characters on each side of the start of `span`.
fn around(text: &str, span: &Range<usize>) -> (usize, usize) {
    let back = text[..span.start].char_indices().rev().take(MOST).last();
    let ahead = text[span.start..].char_indices().nth(MOST);
    (
        back.map_or(span.start, |(at, _)| at),
        ahead.map_or(text.len(), |(at, _)| span.start + at),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_are_text_and_the_highlight_stays_on_its_word() {
        let text = "title: \"\u{1b}[31mτ\u{202e}\",\n word: 3";
        let at = text.find("word").unwrap();
        let (shown, place) = excerpt(text, &(at..at + 4)).unwrap();
        assert_eq!(&shown[place], "word");
        assert!(shown.contains("\\u{1b}[31mτ\\u{202e}"), "{shown}");
        assert!(excerpt("a\tb\r\nc", &(0..1)).is_none());
    }

    #[test]
    fn a_long_line_is_cut_around_the_highlight() {
        let text = format!("{}word{}", "ε".repeat(100_000), "x".repeat(100_000));
        let at = text.find("word").unwrap();
        let (shown, place) = excerpt(&text, &(at..text.len())).unwrap();
        assert!(shown[place.clone()].starts_with("word"));
        assert!(place.len() <= MOST && shown.len() < 4 * MOST);
        assert!(bounded(&text, 10).chars().count() == 11);
    }
}
