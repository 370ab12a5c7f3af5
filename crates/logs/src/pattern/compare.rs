//! Comparisons of values with what a pattern says: `= "text*"`, `>= 5`, `!= %regex%`.

use super::lexer::Lexer;
use super::{PatternError, Word, expression, invalid};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Comparison {
    operator: Operator,
    operand: Operand,
}

#[derive(Clone, PartialEq, Debug)]
enum Operand {
    Number(f64),
    /// Text as parts between wildcards: `a*b` is `["a", "b"]`.
    Text(Vec<String>),
    Expression(Word),
}

impl Comparison {
    /// An operator and what follows it. `is_end` tells what a bare word cannot contain.
    pub(super) fn parse(lexer: &mut Lexer<'_>, is_end: impl Fn(char) -> bool) -> Result<Self, PatternError> {
        let operator = parse_operator(lexer)?;
        let operand = match lexer.peek_past_blanks() {
            Some('"') => Operand::Text(split_wildcards(&lexer.quoted()?)),
            Some('\'') => Operand::Text(split_wildcards(&lexer.delimited('\'')?)),
            Some('%') => Operand::Expression(expression(&lexer.expression()?)?),
            _ => bare(lexer.take_while(|c| !c.is_whitespace() && !is_end(c)))?,
        };
        let is_ordering = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if is_ordering && !matches!(operand, Operand::Number(_)) {
            return invalid("only numbers can be greater or less");
        }
        Ok(Self { operator, operand })
    }

    pub(super) fn holds_for_text(&self, text: &str) -> bool {
        match &self.operand {
            Operand::Number(number) => match text.trim().parse() {
                Ok(value) => self.holds_for_number(value),
                Err(_) => self.operator == Operator::NotEqual && !number.is_nan(),
            },
            Operand::Text(parts) => matches_wildcards(parts, text) == (self.operator == Operator::Equal),
            Operand::Expression(word) => word.is_in(text) == (self.operator == Operator::Equal),
        }
    }

    pub(super) fn holds_for_number(&self, value: f64) -> bool {
        let Operand::Number(number) = self.operand else { return self.holds_for_text(&value.to_string()) };
        match self.operator {
            Operator::Equal => value == number,
            Operator::NotEqual => value != number,
            Operator::Greater => value > number,
            Operator::Less => value < number,
            Operator::GreaterOrEqual => value >= number,
            Operator::LessOrEqual => value <= number,
        }
    }
}

fn parse_operator(lexer: &mut Lexer<'_>) -> Result<Operator, PatternError> {
    let operators = [
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("=", Operator::Equal),
        (">", Operator::Greater),
        ("<", Operator::Less),
    ];
    let found = operators.into_iter().find(|(text, _)| lexer.accept(text));
    found.map(|(_, operator)| operator).ok_or(PatternError { reason: "an operator is missing" })
}

fn bare(word: &str) -> Result<Operand, PatternError> {
    if word.is_empty() {
        return invalid("a value is missing");
    }
    let looks_numeric = word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'));
    match word.parse::<f64>() {
        Ok(number) if looks_numeric && number.is_finite() => Ok(Operand::Number(number)),
        _ => Ok(Operand::Text(split_wildcards(word))),
    }
}

fn split_wildcards(text: &str) -> Vec<String> {
    text.split('*').map(str::to_owned).collect()
}

/// Greedy from the left, which is enough as `*` is the only wildcard.
fn matches_wildcards(parts: &[String], text: &str) -> bool {
    let [first, middle @ .., last] = parts else { return parts.first().is_some_and(|whole| whole == text) };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        let Some(at) = rest.find(part.as_str()) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_text() {
        let matches = |pattern: &str, text: &str| matches_wildcards(&split_wildcards(pattern), text);
        assert!(matches("abc", "abc") && matches("a*c", "abbbc") && matches("*", "") && matches("*b*", "abc"));
        assert!(matches("a*a", "aa") && matches("*.com", "a.com.com") && matches("a**c", "ac"));
        assert!(!matches("a*a", "a") && !matches("abc", "abcd") && !matches("a*b*c", "acb"));
    }
}
