//! The symbols of a formula, with their places in the text.

use super::refusal;
use crate::error::Result;
use std::ops::Range;

/// Most symbols in a formula; bounds the depth of the expression, which is walked recursively.
const MOST_TOKENS: usize = 4000;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind<'a> {
    Number(f64),
    Name(&'a str),
    /// One of `+ - * / ^ ( )`.
    Symbol(char),
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub kind: Kind<'a>,
    /// Bytes of the formula.
    pub span: Range<usize>,
}

/// Cuts `text` into tokens; the last one is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let token = token(text, at)?;
        at = token.span.end;
        let end = token.kind == Kind::End;
        if tokens.len() == MOST_TOKENS && !end {
            return Err(refusal(
                token.span,
                format!("the formula has more than {MOST_TOKENS} symbols"),
                Some("write a shorter formula, or a mixture".into()),
            ));
        }
        tokens.push(token);
        if end {
            return Ok(tokens);
        }
    }
}

/// The token that begins at byte `at`, which is not white space.
fn token(text: &str, at: usize) -> Result<Token<'_>> {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else {
        return Ok(Token {
            kind: Kind::End,
            span: at..at,
        });
    };
    let (kind, len) = match first {
        '0'..='9' | '.' => {
            let len = number_length(rest);
            (Kind::Number(number(text, at..at + len)?), len)
        }
        '+' | '-' | '*' | '/' | '^' | '(' | ')' => (Kind::Symbol(first), 1),
        letter if letter.is_alphabetic() || letter == '_' => {
            let len = leading(rest, |c| {
                c.is_alphabetic() || c.is_ascii_digit() || c == '_'
            });
            (Kind::Name(&rest[..len]), len)
        }
        other => return Err(unknown_symbol(other, at)),
    };
    Ok(Token {
        kind,
        span: at..at + len,
    })
}

/// Length of the number that `rest` begins with. An `e` counts only if digits follow: `2e` is 2 and then e.
fn number_length(rest: &str) -> usize {
    let mantissa = leading(rest, |c| c.is_ascii_digit() || c == '.');
    let Some(exponent) = rest[mantissa..].strip_prefix(['e', 'E']) else {
        return mantissa;
    };
    let sign = usize::from(exponent.starts_with(['+', '-']));
    match leading(&exponent[sign..], |c| c.is_ascii_digit()) {
        0 => mantissa,
        digits => mantissa + 1 + sign + digits,
    }
}

fn leading(text: &str, accept: impl Fn(char) -> bool) -> usize {
    text.find(|c| !accept(c)).unwrap_or(text.len())
}

fn number(text: &str, span: Range<usize>) -> Result<f64> {
    let written = &text[span.clone()];
    match written.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(refusal(
            span,
            format!("{written} is too large for a double"),
            None,
        )),
        Err(_) => Err(refusal(
            span,
            format!("{written:?} is not a number"),
            Some("numbers look like 2, 0.5 or 1e-3".into()),
        )),
    }
}

fn unknown_symbol(symbol: char, at: usize) -> crate::Error {
    let help = match symbol {
        '²' | '³' => Some("write powers with ^, as in x^2"),
        '·' | '×' | '⋅' => Some("write products with *"),
        '−' | '–' => Some("write the minus sign as -"),
        '[' | ']' | '{' | '}' => Some("group with round brackets"),
        ',' => Some("every function takes one argument, and decimals are written with a point"),
        '|' => Some("the absolute value is not smooth; a density must be"),
        _ => None,
    };
    refusal(
        at..at + symbol.len_utf8(),
        format!("{symbol:?} means nothing in a formula"),
        help.map(String::from),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_names_and_places() {
        let tokens = tokens(" 1e-3*π +x1").unwrap();
        let kinds: Vec<Kind> = tokens.iter().map(|token| token.kind).collect();
        assert_eq!(
            kinds,
            [
                Kind::Number(1e-3),
                Kind::Symbol('*'),
                Kind::Name("π"),
                Kind::Symbol('+'),
                Kind::Name("x1"),
                Kind::End
            ]
        );
        assert_eq!(tokens[2].span, 6..8);
        assert_eq!(tokens[5].span, 12..12);
    }

    #[test]
    fn an_exponent_needs_digits() {
        let kinds = |text| tokens(text).unwrap().len();
        assert_eq!(kinds("2e5"), 2);
        assert_eq!(kinds("2e"), 3);
        assert_eq!(kinds("2e-x"), 5);
    }

    #[test]
    fn what_is_not_a_symbol_is_named_with_a_remedy() {
        for (text, said) in [
            ("1.2.3", "not a number"),
            ("1e999", "too large"),
            ("x²", "'²'"),
            ("x; y", "';'"),
        ] {
            let message = tokens(text).unwrap_err().to_string();
            assert!(message.contains(said), "{message}");
        }
        assert!(tokens(&"x+".repeat(3000)).is_err());
    }
}
