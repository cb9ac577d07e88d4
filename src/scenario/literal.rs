//! String literals of RON: where a byte of the decoded text stands in the source.

use std::ops::Range;

/// For a text that opens a string or character: lengths of its `r` and of its hashes.
pub fn opening(text: &str) -> Option<(usize, usize)> {
    if text.starts_with(['"', '\'']) {
        return Some((0, 0));
    }
    let after = text.strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].starts_with('"').then_some((1, hashes))
}

/// Byte offset in the source of byte `inside` of the decoded text of a string literal that starts at `literal.start`.
pub fn string_offset(text: &str, literal: &Range<usize>, inside: usize) -> usize {
    let source = &text[literal.clone()];
    let Some((prefix, hashes)) = opening(source) else {
        return literal.start;
    };
    let mut at = prefix + hashes + 1;
    let mut decoded = 0;
    while decoded < inside && at < source.len() {
        let (read, written) = unit(&source[at..], prefix == 0);
        at += read;
        decoded += written;
    }
    (literal.start + at).min(literal.end)
}

/// Source bytes and decoded bytes of the first character of a literal's inside.
fn unit(text: &str, escapes: bool) -> (usize, usize) {
    let width = text.chars().next().map_or(1, char::len_utf8);
    if !escapes || !text.starts_with('\\') {
        return (width, width);
    }
    match text[1..].chars().next() {
        Some('u') => {
            let length = text.find('}').map_or(text.len(), |end| end + 1);
            let code = text.get(3..length - 1).unwrap_or("");
            let decoded = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
            (length, decoded.map_or(1, char::len_utf8))
        }
        Some('x') => (4, 1),
        _ => (2, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_inside_strings_count_escapes() {
        let plain = r#""aé+b""#;
        assert_eq!(string_offset(plain, &(0..plain.len()), 3), 4);
        let escaped = r#""\u{3c0}\n+b""#;
        assert_eq!(
            &escaped[string_offset(escaped, &(0..escaped.len()), 3)..][..1],
            "+"
        );
        let raw = r###"r##"a+b"##"###;
        assert_eq!(&raw[string_offset(raw, &(0..raw.len()), 1)..][..1], "+");
    }
}
