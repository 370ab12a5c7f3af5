//! Patterns on events whose fields stand between blanks: `[ip, ..., status = 4* || status = 5*, bytes > 1000]`. A field in
//! quotes or brackets may contain blanks.

use super::compare::Comparison;
use super::lexer::Lexer;
use super::{PatternError, invalid};

const FIELDS_MAX: usize = 128;

#[derive(Clone, PartialEq, Debug)]
pub(super) struct SpacePattern {
    /// Fields from the front; all of them if there is no ellipsis.
    front: Vec<Field>,
    /// Fields from the back, behind `...`.
    back: Option<Vec<Field>>,
}

/// What must hold for a field: any of several conditions, each of which is all of several comparisons.
#[derive(Clone, PartialEq, Debug, Default)]
struct Field(Vec<Vec<Comparison>>);

pub(super) fn parse(text: &str) -> Result<SpacePattern, PatternError> {
    let mut lexer = Lexer::new(text);
    if !lexer.accept("[") {
        return invalid("a bracket is missing");
    }
    let mut front = Vec::new();
    let mut back: Option<Vec<Field>> = None;
    loop {
        if front.len() + back.as_ref().map_or(0, Vec::len) >= FIELDS_MAX {
            return invalid("too many fields");
        }
        if lexer.accept("...") {
            if back.replace(Vec::new()).is_some() {
                return invalid("there can be one ... only");
            }
        } else {
            back.as_mut().unwrap_or(&mut front).push(field(&mut lexer)?);
        }
        if lexer.accept("]") {
            break;
        }
        if !lexer.accept(",") {
            return invalid("a comma is missing");
        }
    }
    if lexer.peek_past_blanks().is_some() {
        return invalid("the closing bracket is not the end");
    }
    Ok(SpacePattern { front, back })
}

/// A name, which says nothing but what follows it, and conditions on it.
fn field(lexer: &mut Lexer<'_>) -> Result<Field, PatternError> {
    let name = field_name(lexer);
    if matches!(lexer.peek_past_blanks(), Some(',' | ']')) {
        return Ok(Field::default());
    }
    let mut any = vec![vec![comparison(lexer)?]];
    loop {
        let is_new = lexer.accept("||");
        if !is_new && !lexer.accept("&&") {
            return Ok(Field(any));
        }
        if field_name(lexer) != name {
            return invalid("the conditions of a field name different fields");
        }
        let comparison = comparison(lexer)?;
        match any.last_mut().filter(|_| !is_new) {
            Some(all) => all.push(comparison),
            None => any.push(vec![comparison]),
        }
    }
}

fn field_name<'a>(lexer: &mut Lexer<'a>) -> &'a str {
    lexer.peek_past_blanks();
    lexer.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$' | '@'))
}

fn comparison(lexer: &mut Lexer<'_>) -> Result<Comparison, PatternError> {
    Comparison::parse(lexer, |c| matches!(c, ',' | ']' | '&' | '|'))
}

impl SpacePattern {
    pub(super) fn matches(&self, text: &str) -> bool {
        let fields: Vec<&str> = Fields(text).take(16 * FIELDS_MAX).collect();
        let Some(behind) = fields.len().checked_sub(self.front.len()) else { return false };
        let back = match &self.back {
            None if behind == 0 => &[][..],
            Some(back) if behind >= back.len() => back,
            _ => return false,
        };
        let last = &fields[fields.len() - back.len()..];
        let holds = |(field, text): (&Field, &&str)| field.holds(text);
        self.front.iter().zip(&fields).all(holds) && back.iter().zip(last).all(holds)
    }
}

impl Field {
    fn holds(&self, text: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|all| all.iter().all(|comparison| comparison.holds_for_text(text)))
    }
}

/// The fields of a line, without their quotes or brackets.
struct Fields<'a>(&'a str);

impl<'a> Iterator for Fields<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start();
        let closing = match text.chars().next()? {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        if let Some(closing) = closing
            && let Some(end) = text[1..].find(closing)
        {
            self.0 = &text[end + 2..];
            return Some(&text[1..=end]);
        }
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        self.0 = &text[end..];
        Some(&text[..end])
    }
}
