//! Characters of a pattern, one after the other.

use super::{PatternError, invalid};

#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn peek_past_blanks(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.peek()
    }

    pub(super) fn advance(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    /// Takes `text` if it comes next, blanks aside.
    pub(super) fn accept(&mut self, text: &str) -> bool {
        match self.rest.trim_start().strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes `word` if it comes next in any case and as a whole word.
    pub(super) fn accept_word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some((head, tail)) = rest.split_at_checked(word.len()) else { return false };
        let is_whole = !tail.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if head.eq_ignore_ascii_case(word) && is_whole {
            self.rest = tail;
            return true;
        }
        false
    }

    pub(super) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Text in double quotes; `\"` and `\\` stand for themselves.
    pub(super) fn quoted(&mut self) -> Result<String, PatternError> {
        self.delimited('"')
    }

    /// Text between percent signs; `\%` is one of its own.
    pub(super) fn expression(&mut self) -> Result<String, PatternError> {
        self.advance();
        let mut text = String::new();
        while let Some(c) = self.advance() {
            match c {
                '%' => return Ok(text),
                '\\' => match self.advance() {
                    Some('%') => text.push('%'),
                    Some(other) => text.extend(['\\', other]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        invalid("a regular expression does not end")
    }

    /// Text in quotes of one kind.
    pub(super) fn delimited(&mut self, quote: char) -> Result<String, PatternError> {
        self.advance();
        let mut text = String::new();
        while let Some(c) = self.advance() {
            match c {
                c if c == quote => return Ok(text),
                '\\' => match self.advance() {
                    Some(other) if other == quote || other == '\\' => text.push(other),
                    Some(other) => text.extend(['\\', other]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        invalid("a quoted text does not end")
    }
}
