//! Reads the outline of a RON text: brackets, names, strings and comments, nothing else.
//!
//! It never fails: a broken text gives the outline of what can be told.

use super::literal::opening;
use super::locate::{Child, Outline};
use std::ops::Range;

/// Deeper nesting than the deserialiser accepts is not followed.
const DEEPEST: usize = 128;

/// The outline of the first value in `text`.
pub fn read(text: &str) -> Outline {
    let mut walker = Walker { text, at: 0 };
    walker.attributes();
    walker.value(0)
}

struct Walker<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Walker<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        while self.peek().is_some_and(&keep) {
            self.bump();
        }
        start..self.at
    }

    /// Skips white space, line comments and nested block comments.
    fn blank(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if self.rest().starts_with("/*") {
                self.block_comment();
            } else {
                return;
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while self.peek().is_some() {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.bump();
            }
        }
    }

    /// Skips `#![enable(…)]` lines.
    fn attributes(&mut self) {
        self.blank();
        while self.rest().starts_with("#!") {
            self.take_while(|c| c != ']');
            self.bump();
            self.blank();
        }
    }

    fn value(&mut self, depth: usize) -> Outline {
        self.blank();
        let start = self.at;
        if self.string() {
            return self.leaf(start);
        }
        let name = self.take_while(|c| c.is_alphanumeric() || "_+-.#".contains(c));
        if !name.is_empty() {
            self.blank();
        }
        match self.peek() {
            Some('(' | '[' | '{') if depth < DEEPEST => self.bracketed(start, name, depth),
            _ => {
                self.at = name.end;
                self.leaf(start)
            }
        }
    }

    fn leaf(&self, start: usize) -> Outline {
        Outline {
            span: start..self.at,
            head: start..self.at,
            ..Outline::default()
        }
    }

    fn bracketed(&mut self, start: usize, name: Range<usize>, depth: usize) -> Outline {
        let bracket = self.at..self.at + 1;
        self.bump();
        let children = self.children(depth + 1);
        Outline {
            span: start..self.at,
            head: if name.is_empty() { bracket } else { name },
            children,
            bracketed: true,
        }
    }

    fn children(&mut self, depth: usize) -> Vec<Child> {
        let mut children = Vec::new();
        loop {
            self.blank();
            match self.peek() {
                None => return children,
                Some(')' | ']' | '}') => {
                    self.bump();
                    return children;
                }
                Some(',') => self.bump(),
                Some(_) => {
                    let start = self.at;
                    let key = self.key();
                    let value = self.value(depth);
                    children.push(Child { key, value });
                    if self.at == start {
                        self.bump(); // a character that starts no value
                    }
                }
            }
        }
    }

    /// Reads `name:` if that is what comes next.
    fn key(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let name = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '#');
        self.blank();
        if !name.is_empty() && self.peek() == Some(':') {
            self.bump();
            return Some(name);
        }
        self.at = start;
        None
    }

    /// Reads a string, raw string or character literal if that is what comes next.
    fn string(&mut self) -> bool {
        let opening = opening(self.rest());
        let Some(&(prefix, hashes)) = opening.as_ref() else {
            return false;
        };
        let raw = prefix > 0;
        let end = if raw {
            format!("\"{}", "#".repeat(hashes))
        } else {
            self.rest()[..1].to_owned()
        };
        self.at += prefix + hashes + 1;
        while self.peek().is_some() && !self.rest().starts_with(&end) {
            if !raw && self.peek() == Some('\\') {
                self.bump();
            }
            self.bump();
        }
        self.at = (self.at + end.len()).min(self.text.len());
        true
    }
}
