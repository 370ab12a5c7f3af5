//! Patterns on JSON events: `{ $.a.b[0] = "x*" && ($.n > 3 || $.gone NOT EXISTS) }`.

use serde_json::Value;

use super::compare::Comparison;
use super::lexer::Lexer;
use super::{PatternError, invalid};

/// Parentheses within each other.
const DEPTH_MAX: usize = 32;

#[derive(Clone, PartialEq, Debug)]
pub(super) struct JsonPattern(Condition);

#[derive(Clone, PartialEq, Debug)]
enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Test(Vec<Step>, Test),
}

#[derive(Clone, PartialEq, Debug)]
enum Step {
    Key(String),
    Index(usize),
    /// `[*]`: any element.
    Each,
}

#[derive(Clone, PartialEq, Debug)]
enum Test {
    Compare(Comparison),
    IsNull,
    IsTrue,
    IsFalse,
    NotExists,
    Exists,
}

pub(super) fn parse(text: &str) -> Result<JsonPattern, PatternError> {
    let mut lexer = Lexer::new(text);
    if !lexer.accept("{") {
        return invalid("a brace is missing");
    }
    let condition = any(&mut lexer, 0)?;
    if !lexer.accept("}") || lexer.peek_past_blanks().is_some() {
        return invalid("the closing brace is missing or not the end");
    }
    Ok(JsonPattern(condition))
}

fn any(lexer: &mut Lexer<'_>, depth: usize) -> Result<Condition, PatternError> {
    let mut conditions = vec![all(lexer, depth)?];
    while lexer.accept("||") {
        conditions.push(all(lexer, depth)?);
    }
    Ok(single(conditions, Condition::Any))
}

fn all(lexer: &mut Lexer<'_>, depth: usize) -> Result<Condition, PatternError> {
    let mut conditions = vec![one(lexer, depth)?];
    while lexer.accept("&&") {
        conditions.push(one(lexer, depth)?);
    }
    Ok(single(conditions, Condition::All))
}

fn single(mut conditions: Vec<Condition>, several: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    if conditions.len() == 1 { conditions.remove(0) } else { several(conditions) }
}

fn one(lexer: &mut Lexer<'_>, depth: usize) -> Result<Condition, PatternError> {
    if !lexer.accept("(") {
        let selector = selector(lexer)?;
        return Ok(Condition::Test(selector, test(lexer)?));
    }
    if depth >= DEPTH_MAX {
        return invalid("too many parentheses");
    }
    let condition = any(lexer, depth + 1)?;
    if !lexer.accept(")") {
        return invalid("a parenthesis is missing");
    }
    Ok(condition)
}

fn selector(lexer: &mut Lexer<'_>) -> Result<Vec<Step>, PatternError> {
    if !lexer.accept("$") {
        return invalid("a selector starts with $");
    }
    let mut steps = Vec::new();
    loop {
        match lexer.peek() {
            Some('.') => {
                lexer.advance();
                steps.push(key(lexer)?);
            }
            Some('[') => {
                lexer.advance();
                steps.push(element(lexer)?);
            }
            _ => return Ok(steps),
        }
    }
}

fn key(lexer: &mut Lexer<'_>) -> Result<Step, PatternError> {
    let key = match lexer.peek() {
        Some('"') => lexer.quoted()?,
        _ => lexer.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | ':' | '/' | '#')).to_owned(),
    };
    if key.is_empty() {
        return invalid("a selector has an empty key");
    }
    Ok(Step::Key(key))
}

fn element(lexer: &mut Lexer<'_>) -> Result<Step, PatternError> {
    let step = match lexer.peek() {
        Some(quote @ ('"' | '\'')) => Step::Key(lexer.delimited(quote)?),
        Some('*') => {
            lexer.advance();
            Step::Each
        }
        _ => match lexer.take_while(|c| c.is_ascii_digit()).parse() {
            Ok(index) => Step::Index(index),
            Err(_) => return invalid("an index is no number"),
        },
    };
    if lexer.advance() == Some(']') { Ok(step) } else { invalid("a bracket is missing") }
}

fn test(lexer: &mut Lexer<'_>) -> Result<Test, PatternError> {
    if lexer.accept_word("IS") {
        let tests = [("NULL", Test::IsNull), ("TRUE", Test::IsTrue), ("FALSE", Test::IsFalse)];
        let found = tests.into_iter().find(|(word, _)| lexer.accept_word(word));
        return found.map(|(_, test)| test).ok_or(PatternError { reason: "IS what?" });
    }
    if lexer.accept_word("NOT") {
        return if lexer.accept_word("EXISTS") { Ok(Test::NotExists) } else { invalid("NOT what?") };
    }
    if lexer.accept_word("EXISTS") {
        return Ok(Test::Exists);
    }
    let is_end = |c| matches!(c, ')' | '}' | '&' | '|');
    Comparison::parse(lexer, is_end).map(Test::Compare)
}

impl JsonPattern {
    /// A message that is not JSON does not match.
    pub(super) fn matches(&self, message: &[u8]) -> bool {
        let is_structure =
            message.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte));
        is_structure && serde_json::from_slice(message).is_ok_and(|value| self.0.holds(&value))
    }
}

impl Condition {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(value)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(value)),
            Self::Test(steps, Test::NotExists) => !is_any(value, steps, &|_| true),
            Self::Test(steps, test) => is_any(value, steps, &|value| test.holds(value)),
        }
    }
}

/// Whether a value that the steps lead to passes.
fn is_any(value: &Value, steps: &[Step], passes: &dyn Fn(&Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return passes(value) };
    match (step, value) {
        (Step::Key(key), Value::Object(map)) => map.get(key).is_some_and(|value| is_any(value, rest, passes)),
        (Step::Index(index), Value::Array(list)) => list.get(*index).is_some_and(|value| is_any(value, rest, passes)),
        (Step::Each, Value::Array(list)) => list.iter().any(|value| is_any(value, rest, passes)),
        _ => false,
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Exists, _) | (Self::IsNull, Value::Null) => true,
            (Self::IsTrue, Value::Bool(value)) => *value,
            (Self::IsFalse, Value::Bool(value)) => !*value,
            (Self::Compare(comparison), Value::String(text)) => comparison.holds_for_text(text),
            (Self::Compare(comparison), Value::Number(number)) => {
                number.as_f64().is_some_and(|number| comparison.holds_for_number(number))
            }
            (Self::Compare(comparison), Value::Bool(value)) => comparison.holds_for_text(&value.to_string()),
            _ => false,
        }
    }
}
