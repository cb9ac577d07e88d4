//! Labels with raised and lowered parts: `p^{ε}`, `W_{2}`, `10^{−3}`.

use super::fonts::{Weight, advance};

/// Where a piece of a label stands against the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Base,
    Raised,
    Lowered,
}

impl Level {
    /// Size against the text about it.
    pub(super) fn size(self) -> f64 {
        match self {
            Level::Base => 1.0,
            Level::Raised | Level::Lowered => 0.7,
        }
    }

    /// Height of its baseline above that of the text about it, in em of that text.
    pub(super) fn rise(self) -> f64 {
        match self {
            Level::Base => 0.0,
            Level::Raised => 0.38,
            Level::Lowered => -0.18,
        }
    }
}

/// A piece of a label on one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run<'a> {
    pub(super) text: &'a str,
    pub(super) level: Level,
}

/// Splits a label at its markup. A brace that is never closed is taken as it stands.
pub(super) fn runs(label: &str) -> Vec<Run<'_>> {
    let mut found = Vec::new();
    let mut rest = label;
    while let Some((before, script, after)) = next_script(rest) {
        found.extend(base(before));
        found.push(script);
        rest = after;
    }
    found.extend(base(rest));
    found
}

fn base(text: &str) -> Option<Run<'_>> {
    let level = Level::Base;
    (!text.is_empty()).then_some(Run { text, level })
}

/// The text before the first `^{…}` or `_{…}`, that piece, and the text after it.
fn next_script(label: &str) -> Option<(&str, Run<'_>, &str)> {
    let open = [label.find("^{"), label.find("_{")];
    let start = open.into_iter().flatten().min()?;
    let level = if label[start..].starts_with('^') {
        Level::Raised
    } else {
        Level::Lowered
    };
    let (text, after) = label[start + 2..].split_once('}')?;
    Some((&label[..start], Run { text, level }, after))
}

/// Each run of a label with the place where it starts, and the width of the whole, both in em.
/// A raised and a lowered run that follow each other stand one above the other.
pub(super) fn set(label: &str, weight: Weight) -> (Vec<(f64, Run<'_>)>, f64) {
    let (mut start, mut end) = (0.0, 0.0_f64);
    let mut previous = Level::Base;
    let mut placed = Vec::new();
    for run in runs(label) {
        let stacked = previous != Level::Base && run.level != Level::Base && run.level != previous;
        if !stacked {
            start = end;
        }
        previous = if stacked { Level::Base } else { run.level };
        end = end.max(start + advance(run.text, weight) * run.level.size());
        placed.push((start, run));
    }
    (placed, end)
}

/// Width of a label in em.
pub(super) fn width(label: &str, weight: Weight) -> f64 {
    set(label, weight).1
}

/// Breaks a label at spaces into lines of at most `room` em; a single longer word stays whole.
pub(super) fn wrap(label: &str, weight: Weight, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    // Ordinary spaces only: a no-break space holds `ε = 0.01` together.
    for word in label.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), weight) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A label without its markup, for places that show plain text: `p^{ε}` becomes `p^ε`.
pub fn plain(label: &str) -> String {
    let mark = |level| match level {
        Level::Base => "",
        Level::Raised => "^",
        Level::Lowered => "_",
    };
    runs(label)
        .iter()
        .map(|run| format!("{}{}", mark(run.level), run.text))
        .collect()
}

/// A label as HTML, escaped, with `<sup>` and `<sub>` for the markup.
pub fn html(label: &str) -> String {
    let element = |run: &Run<'_>| {
        let text = escape(run.text);
        match run.level {
            Level::Base => text,
            Level::Raised => format!("<sup>{text}</sup>"),
            Level::Lowered => format!("<sub>{text}</sub>"),
        }
    };
    runs(label).iter().map(element).collect()
}

/// Escapes what HTML and XML read as markup.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_split_into_runs() {
        let found = runs("sup|p^{ε} − p_{t}|");
        let texts: Vec<_> = found.iter().map(|run| run.text).collect();
        assert_eq!(texts, ["sup|p", "ε", " − p", "t", "|"]);
        assert_eq!(found[1].level, Level::Raised);
        assert_eq!(found[3].level, Level::Lowered);
    }

    #[test]
    fn what_is_not_markup_stays_as_it_is() {
        for label in ["a^b", "10_000", "p^{ε", "x{y}", ""] {
            assert_eq!(plain(label), label);
        }
    }

    #[test]
    fn scripts_on_one_letter_are_stacked() {
        let apart = width("p_{t}", Weight::Regular) + width("^{ε}", Weight::Regular);
        let (placed, together) = set("p_{t}^{ε}", Weight::Regular);
        assert_eq!(placed[1].0, placed[2].0);
        assert!(together < apart);
        assert!(together > width("p", Weight::Regular));
    }

    #[test]
    fn lines_are_broken_at_spaces_and_keep_every_word() {
        let label = "the scaled error (p^{ε} − p)/ε against its limit";
        let lines = wrap(label, Weight::Regular, 10.0);
        assert!(lines.len() > 1);
        assert_eq!(lines.join(" "), label);
        assert!(
            lines
                .iter()
                .all(|line| width(line, Weight::Regular) <= 10.0)
        );
    }

    #[test]
    fn html_is_escaped_inside_and_outside_the_markup() {
        assert_eq!(html("a<b^{x&y}"), "a&lt;b<sup>x&amp;y</sup>");
    }
}
