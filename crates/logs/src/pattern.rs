//! CloudWatch Logs' filter patterns. Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax".
//!
//! ```text
//! ERROR "not found" -health         all of these words, none of those
//! ?ERROR ?WARN                      any of these words
//! %ERR-\d+%                         a regular expression
//! { $.level = "ERROR" && $.ms > 5 } JSON, by selectors
//! [ip, user, ..., status = 4*]      fields between blanks
//! ```
//! Words match anywhere in the text, in their case. The empty pattern matches everything.

mod compare;
mod json;
mod lexer;
mod space;

use fancy_regex::Regex;

use self::json::JsonPattern;
use self::lexer::Lexer;
use self::space::SpacePattern;

/// Longest pattern, bytes. `FilterLogEvents`: 1024 characters.
const PATTERN_BYTES_MAX: usize = 4096;

/// `InvalidParameterException`: the text is no filter pattern.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid filter pattern: {reason}")]
pub struct PatternError {
    pub reason: &'static str,
}

fn invalid<T>(reason: &'static str) -> Result<T, PatternError> {
    Err(PatternError { reason })
}

/// A parsed filter pattern.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FilterPattern(Kind);

#[derive(Clone, PartialEq, Debug, Default)]
enum Kind {
    #[default]
    Everything,
    Words(Words),
    Json(JsonPattern),
    Space(SpacePattern),
}

/// Words of an unstructured pattern.
#[derive(Clone, PartialEq, Debug, Default)]
struct Words {
    all: Vec<Word>,
    none: Vec<Word>,
    /// Asked for only if there is nothing else, as CloudWatch does.
    any: Vec<Word>,
}

#[derive(Clone, Debug)]
enum Word {
    Text(String),
    Expression(Box<Regex>),
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Expression(a), Self::Expression(b)) => a.as_str() == b.as_str(),
            _ => false,
        }
    }
}

impl Word {
    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Text(word) => text.contains(word.as_str()),
            Self::Expression(regex) => regex.is_match(text).unwrap_or(false),
        }
    }
}

/// Only expressions that run in linear time: those of others' making run over everybody's logs.
fn expression(text: &str) -> Result<Word, PatternError> {
    let is_plain = !["(?=", "(?!", "(?<=", "(?<!", "(?>", "\\k", "\\g", "(?("].iter().any(|part| text.contains(part));
    let has_reference = text.as_bytes().windows(2).any(|pair| pair[0] == b'\\' && pair[1].is_ascii_digit());
    if !is_plain || has_reference {
        return invalid("look-around and references are not supported in regular expressions");
    }
    let regex = fancy_regex::RegexBuilder::new(text).delegate_size_limit(1 << 20).backtrack_limit(10_000).build();
    regex.map(|regex| Word::Expression(Box::new(regex))).or_else(|_| invalid("malformed regular expression"))
}

impl FilterPattern {
    /// Parses a pattern as clients write it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.len() > PATTERN_BYTES_MAX {
            return invalid("too long");
        }
        let text = text.trim();
        let kind = match text.as_bytes().first() {
            None => Kind::Everything,
            Some(b'{') => Kind::Json(json::parse(text)?),
            Some(b'[') => Kind::Space(space::parse(text)?),
            Some(_) => Kind::Words(words(text)?),
        };
        Ok(Self(kind))
    }

    /// Whether an event is wanted. A message that is not UTF-8 is read as if it were.
    pub fn matches(&self, message: &[u8]) -> bool {
        match &self.0 {
            Kind::Everything => true,
            Kind::Words(words) => words.match_text(&String::from_utf8_lossy(message)),
            Kind::Json(pattern) => pattern.matches(message),
            Kind::Space(pattern) => pattern.matches(&String::from_utf8_lossy(message)),
        }
    }
}

impl Words {
    fn match_text(&self, text: &str) -> bool {
        let has_any = !self.all.is_empty() || self.any.is_empty() || self.any.iter().any(|word| word.is_in(text));
        has_any && self.all.iter().all(|word| word.is_in(text)) && !self.none.iter().any(|word| word.is_in(text))
    }
}

fn words(text: &str) -> Result<Words, PatternError> {
    let mut lexer = Lexer::new(text);
    let mut words = Words::default();
    while let Some(next) = lexer.peek_past_blanks() {
        let list = match next {
            '?' => &mut words.any,
            '-' => &mut words.none,
            _ => &mut words.all,
        };
        if matches!(next, '?' | '-') {
            lexer.advance();
        }
        let word = match lexer.peek() {
            Some('"') => Word::Text(lexer.quoted()?),
            Some('%') => expression(&lexer.expression()?)?,
            _ => Word::Text(lexer.take_while(|c| !c.is_whitespace()).to_owned()),
        };
        if word == Word::Text(String::new()) {
            return invalid("a term is empty");
        }
        list.push(word);
    }
    Ok(words)
}
