//! Conditions of policy statements, as far as they ask for what is known here.

use serde_json::Value;

use crate::document::words;

/// What is known of a request: condition keys, and their values where it has them.
pub(crate) type Facts<'a> = [(&'a str, Option<&'a str>)];

/// Whether a statement's conditions hold; `None` where they ask for something that is not known here.
pub(crate) fn holds(statement: &Value, facts: &Facts<'_>) -> Option<bool> {
    let Some(condition) = statement.get("Condition") else { return Some(true) };
    let mut all = true;
    for (operator, keys) in condition.as_object()? {
        for (key, wanted) in keys.as_object()? {
            let (_, fact) = facts.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
            all &= compare(operator, *fact, &words(Some(wanted)))?;
        }
    }
    Some(all)
}

fn compare(operator: &str, fact: Option<&str>, wanted: &[&str]) -> Option<bool> {
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    if operator == "Null" {
        return Some(wanted.iter().any(|word| (*word == "true") == fact.is_none()));
    }
    let (negated, positive) = match operator {
        "StringNotEquals" => (true, "StringEquals"),
        "StringNotEqualsIgnoreCase" => (true, "StringEqualsIgnoreCase"),
        "StringNotLike" => (true, "StringLike"),
        "ArnNotEquals" | "ArnNotLike" => (true, "ArnLike"),
        "ArnEquals" => (false, "ArnLike"),
        other => (false, other),
    };
    let matches: fn(&str, &str) -> bool = match positive {
        "StringEquals" => |wanted, fact| wanted == fact,
        "StringEqualsIgnoreCase" => |wanted, fact| wanted.eq_ignore_ascii_case(fact),
        "StringLike" | "ArnLike" => matches_pattern,
        _ => return None,
    };
    Some(match fact {
        Some(fact) => wanted.iter().any(|wanted| matches(wanted, fact)) != negated,
        None => negated || if_exists,
    })
}

/// Whether `text` is of a pattern in which `*` is anything and `?` one character.
pub(crate) fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut read) = (0, 0);
    // Where to go on if what follows the last `*` does not fit: it takes one character more.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(expected) if *expected == '?' || *expected == text[read] => (at, read) = (at + 1, read + 1),
            _ => match &mut star {
                Some((star_at, taken)) => {
                    *taken += 1;
                    (at, read) = (*star_at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patterns_match_the_whole_text() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abbab", true),
            ("iam:*", "iam:PassRole", true),
            ("arn:aws:iam::*:role/x*", "arn:aws:iam::123456789012:role/xy", true),
        ] {
            assert_eq!(matches_pattern(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn conditions_hold_by_what_is_known_and_nothing_else_is_guessed() {
        let facts: &Facts<'_> = &[("aws:SourceAccount", Some("123456789012")), ("sts:ExternalId", None)];
        for (condition, expected) in [
            (json!({"StringEquals": {"AWS:SourceAccount": "123456789012"}}), Some(true)),
            (json!({"StringEquals": {"aws:SourceAccount": ["1", "123456789012"]}}), Some(true)),
            (json!({"StringEquals": {"aws:SourceAccount": "1"}}), Some(false)),
            (json!({"StringNotEquals": {"aws:SourceAccount": "1"}}), Some(true)),
            (json!({"StringLike": {"aws:SourceAccount": "1234*"}}), Some(true)),
            (json!({"StringEquals": {"sts:ExternalId": "x"}}), Some(false)),
            (json!({"StringEqualsIfExists": {"sts:ExternalId": "x"}}), Some(true)),
            (json!({"Null": {"sts:ExternalId": "true"}}), Some(true)),
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), None),
            (json!({"IpAddress": {"aws:SourceAccount": "10.0.0.0/8"}}), None),
            (json!(["StringEquals"]), None),
        ] {
            assert_eq!(holds(&json!({"Condition": condition}), facts), expected, "{condition}");
        }
        assert_eq!(holds(&json!({}), facts), Some(true));
    }
}
