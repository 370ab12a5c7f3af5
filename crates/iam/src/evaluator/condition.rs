//! Conditions of statements: operators, and what they mean of keys that are absent or have several values.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value;

use super::operand::{Network, bytes, date, number, texts, truth};
use super::pattern::{Pattern, Wildcards};
use super::request::Request;

/// An operator with one key and the values that the policy gives.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    /// In lower case.
    key: String,
    test: Test,
    negated: bool,
    if_exists: bool,
    set: Option<Set>,
}

/// How an operator treats several values of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Set {
    ForAll,
    ForAny,
}

#[derive(Clone, Debug)]
enum Test {
    Text(Vec<Pattern>),
    TextIgnoringCase(Vec<Pattern>),
    Number(Comparison, Vec<f64>),
    Date(Comparison, Vec<f64>),
    Truth(Vec<bool>),
    Bytes(Vec<Vec<u8>>),
    Address(Vec<Network>),
    /// Whether the key is to be absent.
    Absent(Vec<bool>),
}

type Comparison = fn(Ordering) -> bool;

/// All conditions of a `Condition` element, which all have to hold. `None`: something in it is not understood.
pub(super) fn read(value: &Value, variables: bool) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (operator, keys) in value.as_object()? {
        for (key, wanted) in keys.as_object()? {
            conditions.push(Condition::new(operator, key, &texts(wanted)?, variables)?);
        }
    }
    Some(conditions)
}

impl Condition {
    fn new(operator: &str, key: &str, wanted: &[String], variables: bool) -> Option<Self> {
        let (set, operator) = match operator.split_once(':') {
            Some(("ForAllValues", operator)) => (Some(Set::ForAll), operator),
            Some(("ForAnyValue", operator)) => (Some(Set::ForAny), operator),
            Some(_) => return None,
            None => (None, operator),
        };
        let (operator, if_exists) = match operator.strip_suffix("IfExists") {
            Some("Null") => return None,
            Some(operator) => (operator, true),
            None => (operator, false),
        };
        let (test, negated) = Test::new(operator, wanted, variables)?;
        Some(Self { key: key.to_ascii_lowercase(), test, negated, if_exists, set })
    }

    /// Whether it holds; `None` where that depends on something that is not known here.
    pub(super) fn holds(&self, request: &Request<'_>) -> Option<bool> {
        let values = request.values(&self.key);
        let values = values.as_ref().map(|values| values.as_slice()).unwrap_or_default();
        if values.is_empty() && request.is_unknown(&self.key) {
            return None;
        }
        if let Test::Absent(wanted) = &self.test {
            return Some(wanted.contains(&values.is_empty()));
        }
        if values.is_empty() {
            return Some(self.if_exists || self.set.map_or(self.negated, |set| set == Set::ForAll));
        }
        let one = |value: &&str| self.test.matches(value, request);
        Some(match self.set {
            Some(Set::ForAll) => values.iter().all(|value| one(value) != self.negated),
            Some(Set::ForAny) => values.iter().any(|value| one(value) != self.negated),
            None => values.iter().any(one) != self.negated,
        })
    }
}

impl Test {
    /// The test of an operator, and whether the operator holds where the test does not.
    fn new(operator: &str, wanted: &[String], variables: bool) -> Option<(Self, bool)> {
        let text = |wildcards| wanted.iter().map(|text| Pattern::new(text, wildcards, variables)).collect();
        let any_case = || {
            wanted.iter().map(|text| Pattern::ignoring_case(text, Wildcards::None, variables)).collect::<Vec<Pattern>>()
        };
        Some(match operator {
            "StringEquals" => (Self::Text(text(Wildcards::None)), false),
            "StringNotEquals" => (Self::Text(text(Wildcards::None)), true),
            "StringEqualsIgnoreCase" => (Self::TextIgnoringCase(any_case()), false),
            "StringNotEqualsIgnoreCase" => (Self::TextIgnoringCase(any_case()), true),
            "StringLike" => (Self::Text(text(Wildcards::Anything)), false),
            "StringNotLike" => (Self::Text(text(Wildcards::Anything)), true),
            "ArnEquals" | "ArnLike" => (Self::Text(text(Wildcards::Arn)), false),
            "ArnNotEquals" | "ArnNotLike" => (Self::Text(text(Wildcards::Arn)), true),
            "Bool" => (Self::Truth(each(wanted, truth)?), false),
            "Null" => (Self::Absent(each(wanted, truth)?), false),
            "BinaryEquals" => (Self::Bytes(each(wanted, bytes)?), false),
            "IpAddress" => (Self::Address(each(wanted, Network::read)?), false),
            "NotIpAddress" => (Self::Address(each(wanted, Network::read)?), true),
            _ => return Self::ordered(operator, wanted),
        })
    }

    fn ordered(operator: &str, wanted: &[String]) -> Option<(Self, bool)> {
        let (numeric, comparison) = match (operator.strip_prefix("Numeric"), operator.strip_prefix("Date")) {
            (Some(comparison), _) => (true, comparison),
            (_, Some(comparison)) => (false, comparison),
            _ => return None,
        };
        let (comparison, negated): (Comparison, bool) = match comparison {
            "Equals" => (Ordering::is_eq, false),
            "NotEquals" => (Ordering::is_eq, true),
            "LessThan" => (Ordering::is_lt, false),
            "LessThanEquals" => (Ordering::is_le, false),
            "GreaterThan" => (Ordering::is_gt, false),
            "GreaterThanEquals" => (Ordering::is_ge, false),
            _ => return None,
        };
        let test = if numeric {
            Self::Number(comparison, each(wanted, number)?)
        } else {
            Self::Date(comparison, each(wanted, date)?)
        };
        Some((test, negated))
    }

    /// Whether a value of the request is as one of the policy's. One that is not of the operator's kind is not.
    fn matches(&self, value: &str, request: &Request<'_>) -> bool {
        let ordered = |value: Option<f64>, comparison: &Comparison, wanted: &[f64]| {
            value.is_some_and(|value| wanted.iter().any(|wanted| comparison(value.total_cmp(wanted))))
        };
        match self {
            Self::Text(wanted) => wanted.iter().any(|pattern| pattern.matches(value, request)),
            Self::TextIgnoringCase(wanted) => {
                let value = value.to_lowercase();
                wanted.iter().any(|pattern| pattern.matches(&value, request))
            }
            Self::Number(comparison, wanted) => ordered(number(value), comparison, wanted),
            Self::Date(comparison, wanted) => ordered(date(value), comparison, wanted),
            Self::Truth(wanted) => truth(value).is_some_and(|value| wanted.contains(&value)),
            Self::Bytes(wanted) => bytes(value).is_some_and(|value| wanted.contains(&value)),
            Self::Address(wanted) => {
                let address = value.parse::<IpAddr>().ok().map(|address| address.to_canonical());
                address.is_some_and(|address| wanted.iter().any(|network| network.contains(address)))
            }
            Self::Absent(_) => false,
        }
    }
}

fn each<T>(wanted: &[String], read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    wanted.iter().map(|text| read(text)).collect()
}
