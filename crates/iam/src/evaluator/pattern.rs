//! Texts of policies: literal, with wildcards, and with policy variables.

use std::borrow::Cow;

use super::request::Request;

/// What `*` and `?` mean in a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wildcards {
    /// Themselves.
    None,
    /// Any characters.
    Anything,
    /// As in `Resource`: of an ARN's first five sections they stay within theirs, except for a `*` that ends it.
    Resource,
    /// As in `ArnLike`: each section by itself.
    Arn,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token<'a> {
    Text(Cow<'a, str>),
    One { across: bool },
    Many { across: bool },
    Variable { key: Box<str>, default: Option<Box<str>> },
}

/// A text of a policy, read once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pattern {
    tokens: Vec<Token<'static>>,
    has_variables: bool,
    ignores_case: bool,
}

impl Pattern {
    /// `variables`: whether `${...}` is one.
    pub(super) fn new(text: &str, wildcards: Wildcards, variables: bool) -> Self {
        let mut reading = Reading { wildcards, is_arn: text.starts_with("arn:"), colons: 0, tokens: Vec::new() };
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            rest = match variable(rest).filter(|_| variables) {
                Some((inner, behind)) => {
                    reading.variable(inner);
                    behind
                }
                None => {
                    let behind = &rest[next.len_utf8()..];
                    reading.character(next, behind);
                    behind
                }
            };
        }
        let has_variables = reading.tokens.iter().any(|token| matches!(token, Token::Variable { .. }));
        Self { tokens: reading.tokens, has_variables, ignores_case: false }
    }

    pub(super) fn ignoring_case(text: &str, wildcards: Wildcards, variables: bool) -> Self {
        let mut pattern = Self::new(text, wildcards, variables);
        pattern.ignores_case = true;
        for token in &mut pattern.tokens {
            if let Token::Text(text) = token {
                *text = Cow::Owned(text.to_lowercase());
            }
        }
        pattern
    }

    /// Whether `text` is of this pattern. Of one that ignores case, `text` is in lower case. A variable without a value and
    /// default matches nothing.
    pub(super) fn matches(&self, text: &str, request: &Request<'_>) -> bool {
        if !self.has_variables {
            return matches(&self.tokens, text);
        }
        let mut tokens = Vec::with_capacity(self.tokens.len());
        for token in &self.tokens {
            tokens.push(match token {
                Token::Variable { key, default } => {
                    let Some(value) = request.single(key).or(default.as_deref()) else { return false };
                    Token::Text(if self.ignores_case { value.to_lowercase().into() } else { Cow::Borrowed(value) })
                }
                Token::Text(text) => Token::Text(Cow::Borrowed(&**text)),
                other => other.clone(),
            });
        }
        matches(&tokens, text)
    }
}

/// What stands in a variable at the beginning of `text`, and what is behind it.
fn variable(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("${")?.split_once('}')
}

struct Reading {
    wildcards: Wildcards,
    is_arn: bool,
    colons: usize,
    tokens: Vec<Token<'static>>,
}

impl Reading {
    fn character(&mut self, character: char, behind: &str) {
        let across = match self.wildcards {
            Wildcards::None => return self.literal(character),
            Wildcards::Anything => true,
            Wildcards::Resource | Wildcards::Arn if !self.is_arn || self.colons >= 5 => true,
            Wildcards::Resource => character == '*' && (behind.is_empty() || behind.starts_with(':')),
            Wildcards::Arn => false,
        };
        match character {
            '*' => self.tokens.push(Token::Many { across }),
            '?' => self.tokens.push(Token::One { across }),
            other => {
                self.colons += usize::from(other == ':');
                self.literal(other);
            }
        }
    }

    fn literal(&mut self, character: char) {
        match self.tokens.last_mut() {
            Some(Token::Text(text)) => text.to_mut().push(character),
            _ => self.tokens.push(Token::Text(Cow::Owned(character.into()))),
        }
    }

    fn variable(&mut self, inner: &str) {
        if let "*" | "?" | "$" = inner {
            return inner.chars().for_each(|character| self.literal(character));
        }
        let (key, default) = match inner.split_once(',') {
            Some((key, default)) => (key, Some(default.trim().trim_matches('\'').into())),
            None => (inner, None),
        };
        self.tokens.push(Token::Variable { key: key.trim().into(), default });
    }
}

/// Where to go on if what follows a `*` does not fit: the token behind it, and how much of the text it has taken.
type Retry = Option<(usize, usize)>;

/// If nothing fits behind the last `*`, it takes one character more. One that stays in its section cannot take a colon; then the last
/// that can goes on. No earlier one of the same section would help: what is between the two ends at the same colon.
fn matches(tokens: &[Token<'_>], text: &str) -> bool {
    let (mut at, mut read) = (0, 0);
    let (mut within, mut across_sections): (Retry, Retry) = (None, None);
    loop {
        let next = text[read..].chars().next();
        match (tokens.get(at), next) {
            (None, None) => return true,
            (Some(Token::Text(word)), _) if text[read..].starts_with(&**word) => {
                (at, read) = (at + 1, read + word.len());
                continue;
            }
            (Some(Token::One { across }), Some(next)) if *across || next != ':' => {
                (at, read) = (at + 1, read + next.len_utf8());
                continue;
            }
            (Some(Token::Many { across: true }), _) if at + 1 == tokens.len() => return true,
            (Some(Token::Many { across }), _) => {
                at += 1;
                (within, across_sections) =
                    if *across { (None, Some((at, read))) } else { (Some((at, read)), across_sections) };
                continue;
            }
            _ => {}
        }
        let longer = |(at, taken): (usize, usize)| text[taken..].chars().next().map(|next| (at, taken, next));
        let resumed = match within.and_then(longer).filter(|(.., next)| *next != ':') {
            Some((at, taken, next)) => {
                within = Some((at, taken + next.len_utf8()));
                within
            }
            None => {
                within = None;
                across_sections =
                    across_sections.and_then(longer).map(|(at, taken, next)| (at, taken + next.len_utf8()));
                across_sections
            }
        };
        let Some(place) = resumed else { return false };
        (at, read) = place;
    }
}
