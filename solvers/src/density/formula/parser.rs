//! Precedence climbing (Pratt): text to expression tree.
//!
//! From loose to tight: `+ -`, `* /`, unary `+ -`, `^`. Powers group to the right, so `-x^2` is
//! `-(x^2)` and `2^-1` is one half.

use super::expression::{Expression, Operator};
use super::lexer::{Kind, Token, tokens};
use super::names::{self, Meaning};
use super::refusal;
use crate::error::{Error, Result};

/// How tightly unary signs bind: tighter than `*`, looser than `^`.
const UNARY: u8 = 5;
/// Deepest nesting of brackets, signs and powers.
const DEEPEST: usize = 200;

/// Reads a formula in the coordinates of a torus of `dimension` axes.
pub(super) fn parse(text: &str, dimension: usize) -> Result<Expression> {
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
        depth: 0,
        dimension,
    };
    let expression = parser.expression(0)?;
    match parser.peek() {
        Kind::End => Ok(expression),
        _ => Err(parser.stray_token()),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
    dimension: usize,
}

/// The operator and its left and right binding powers.
fn infix(symbol: char) -> Option<(Operator, u8, u8)> {
    match symbol {
        '+' => Some((Operator::Add, 1, 2)),
        '-' => Some((Operator::Subtract, 1, 2)),
        '*' => Some((Operator::Multiply, 3, 4)),
        '/' => Some((Operator::Divide, 3, 4)),
        '^' => Some((Operator::Power, 8, 7)),
        _ => None,
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Kind<'a> {
        self.tokens[self.next].kind
    }

    fn token(&self) -> &Token<'a> {
        &self.tokens[self.next]
    }

    fn written(&self, token: &Token) -> &'a str {
        &self.text[token.span.clone()]
    }

    /// The longest expression from here whose operators all bind at least as tightly as `least`.
    fn expression(&mut self, least: u8) -> Result<Expression> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let message = format!("nested more than {DEEPEST} deep");
            return Err(refusal(self.token().span.clone(), message, None));
        }
        let mut left = self.operand()?;
        while let Kind::Symbol(symbol) = self.peek()
            && let Some((operator, left_power, right_power)) = infix(symbol)
            && left_power >= least
        {
            self.next += 1;
            let right = self.expression(right_power)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth -= 1;
        Ok(left)
    }

    /// A number, a name, a call, a bracket or a signed operand.
    fn operand(&mut self) -> Result<Expression> {
        match self.peek() {
            Kind::Number(value) => {
                self.next += 1;
                Ok(Expression::Constant(value))
            }
            Kind::Name(name) => self.name(name),
            Kind::Symbol('(') => self.bracket(),
            Kind::Symbol('+') => {
                self.next += 1;
                self.expression(UNARY)
            }
            Kind::Symbol('-') => {
                self.next += 1;
                Ok(Expression::Negate(Box::new(self.expression(UNARY)?)))
            }
            _ => Err(self.missing_operand()),
        }
    }

    fn name(&mut self, name: &'a str) -> Result<Expression> {
        let Some(meaning) = names::meaning(name, self.dimension) else {
            return Err(self.unknown_name(name));
        };
        self.next += 1;
        Ok(match meaning {
            Meaning::Constant(value) => Expression::Constant(value),
            Meaning::Coordinate(axis) => Expression::Coordinate(axis),
            Meaning::Function(function) => {
                if self.peek() != Kind::Symbol('(') {
                    return Err(refusal(
                        self.tokens[self.next - 1].span.clone(),
                        format!("the function {name} has no argument"),
                        Some(format!("write its argument in brackets: {name}(…)")),
                    ));
                }
                Expression::Apply(function, Box::new(self.bracket()?))
            }
        })
    }

    /// `( expression )`, the opening bracket being next.
    fn bracket(&mut self) -> Result<Expression> {
        let opening = self.token().span.clone();
        self.next += 1;
        let inside = self.expression(0)?;
        match self.peek() {
            Kind::Symbol(')') => {
                self.next += 1;
                Ok(inside)
            }
            Kind::End => Err(refusal(
                opening,
                "this bracket is never closed".into(),
                Some("add the missing )".into()),
            )),
            _ => Err(self.stray_token()),
        }
    }

    /// Refusal of a token that cannot follow a finished operand.
    fn stray_token(&self) -> Error {
        let token = self.token();
        if token.kind == Kind::Symbol(')') {
            return refusal(
                token.span.clone(),
                "this bracket was never opened".into(),
                Some("remove it or add the missing (".into()),
            );
        }
        let before = &self.tokens[self.next - 1];
        refusal(
            before.span.start..token.span.end,
            format!(
                "an operator is missing between {:?} and {:?}",
                self.written(before),
                self.written(token)
            ),
            Some(format!("write {}", self.explicit_product())),
        )
    }

    /// The run of operands around the next token, with the signs of multiplication put in: `2*pi*x`.
    fn explicit_product(&self) -> String {
        let mut factors = Vec::new();
        for token in &self.tokens[self.next - 1..] {
            let factor = match token.kind {
                Kind::Number(_) => self.written(token).into(),
                Kind::Name(name) => match names::meaning(name, self.dimension) {
                    Some(Meaning::Function(_)) => format!("{name}(…)"),
                    _ => name.into(),
                },
                Kind::Symbol('(') => "(…)".into(),
                Kind::Symbol(')') if factors.is_empty() => "(…)".into(),
                _ => break,
            };
            let bracket_follows = factor.ends_with("(…)") && !factors.is_empty();
            factors.push(factor);
            if bracket_follows {
                break;
            }
        }
        factors.join("*")
    }

    fn missing_operand(&self) -> Error {
        let token = self.token();
        let doubled = |symbol| {
            self.next > 0
                && token.kind == Kind::Symbol(symbol)
                && self.tokens[self.next - 1].kind == token.kind
        };
        let help = if doubled('*') {
            "write powers with ^"
        } else {
            "expected a number, a coordinate, a function or an opening bracket"
        };
        let message = match token.kind {
            Kind::End if self.next == 0 => "the formula is empty".into(),
            Kind::End => "the formula ends where a value is expected".into(),
            _ => format!("{:?} stands where a value is expected", self.written(token)),
        };
        refusal(token.span.clone(), message, Some(help.into()))
    }

    fn unknown_name(&self, name: &str) -> Error {
        let span = self.token().span.clone();
        let known = names::coordinates(self.dimension);
        if names::axis(name).is_some() {
            let message = format!("{name} is not a coordinate in dimension {}", self.dimension);
            return refusal(span, message, Some(format!("the coordinates are {known}")));
        }
        if names::is_rough(name) {
            return refusal(
                span,
                format!("{name} is not smooth, and a density must be"),
                Some("use smooth periodic functions such as cos(2*pi*x)".into()),
            );
        }
        let help = names::nearest(name, self.dimension).map_or_else(
            || format!("known are {known}, pi, e and {}", names::functions()),
            |near| format!("did you mean {near}?"),
        );
        refusal(span, format!("unknown name {name:?}"), Some(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> f64 {
        parse(text, 2).unwrap().jet(&[3.0, 5.0]).value
    }

    #[test]
    fn precedence_and_association() {
        for (text, expected) in [
            ("-x^2", -9.0),
            ("2^-1", 0.5),
            ("2^3^2", 512.0),
            ("2^-x^2*512", 1.0),
            ("x - y - 1", -3.0),
            ("x/y/2", 0.3),
            ("1 + 2*x", 7.0),
            ("--x", 3.0),
            ("-x*y", -15.0),
            ("2*-x", -6.0),
            ("+x", 3.0),
            ("1e-3*x", 3e-3),
            (".5*(x1 + x2)", 4.0),
            ("ln(e) + log(e)", 2.0),
            ("cos(π) + cos(pi)", -2.0),
        ] {
            assert!(
                (value(text) - expected).abs() < 1e-14,
                "{text}: {}",
                value(text)
            );
        }
    }

    #[test]
    fn refusals_point_at_the_place_and_say_what_to_write() {
        for (text, place, said, helped) in [
            ("2pi x", "2pi", "operator is missing", "write 2*pi*x"),
            (
                "0.4cos(x)",
                "0.4cos",
                "operator is missing",
                "write 0.4*cos(…)",
            ),
            ("2(x + y)", "2(", "operator is missing", "write 2*(…)"),
            ("(x)(y)", ")(", "operator is missing", "write (…)*(…)"),
            ("coz(x)", "coz", "unknown name", "did you mean cos?"),
            ("qqq", "qqq", "unknown name", "sqrt"),
            ("sin(z)", "z", "not a coordinate", "x, y"),
            ("abs(x)", "abs", "not smooth", "cos(2*pi*x)"),
            ("cos x", "cos", "no argument", "cos(…)"),
            ("cos(x", "(", "never closed", "missing )"),
            ("x)", ")", "never opened", "missing ("),
            ("x**2", "*", "value is expected", "^"),
            ("x +", "", "ends where", "expected a number"),
            ("", "", "empty", "expected a number"),
        ] {
            let Err(Error::Formula {
                start,
                end,
                message,
                help,
            }) = parse(text, 2)
            else {
                panic!("{text} should be refused");
            };
            assert_eq!(&text[start..end], place, "{text}");
            assert!(message.contains(said), "{text}: {message}");
            assert!(
                help.as_ref().is_some_and(|h| h.contains(helped)),
                "{text}: {help:?}"
            );
        }
    }

    #[test]
    fn endless_nesting_is_refused() {
        for text in ["(".repeat(3000), "-".repeat(3000), "x^".repeat(1900)] {
            let message = parse(&text, 1).unwrap_err().to_string();
            assert!(message.contains("deep"), "{message}");
        }
    }
}
