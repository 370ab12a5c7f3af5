//! What is asked, by whom, and what is known of it.

use super::principal::Principal;

/// Values of a condition key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Values<'a> {
    One(&'a str),
    Many(&'a [&'a str]),
}

impl<'a> Values<'a> {
    pub(super) fn as_slice(&self) -> &[&'a str] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }
}

/// A condition key and its values. A key that is not there has none.
pub type Fact<'a> = (&'a str, Values<'a>);

/// Keys that AWS knows of every request. Where a caller of the evaluator does not know them, conditions on them are not
/// understood, rather than taken for absent.
const ALWAYS_KNOWN: &[&str] = &[
    "aws:currenttime",
    "aws:epochtime",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:sourceip",
    "aws:useragent",
    "aws:userid",
];

#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub(super) principal: &'a Principal,
    /// In lower case: actions differ by more than case.
    pub(super) action: String,
    pub(super) resource: &'a str,
    facts: &'a [Fact<'a>],
}

impl<'a> Request<'a> {
    /// `action` such as `lambda:InvokeFunction`. Of the facts, those about the principal come from the principal.
    pub fn new(principal: &'a Principal, action: &str, resource: &'a str, facts: &'a [Fact<'a>]) -> Self {
        Self { principal, action: action.to_ascii_lowercase(), resource, facts }
    }

    pub(super) fn values(&self, key: &str) -> Option<Values<'a>> {
        let given = self.facts.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, values)| *values);
        given.or_else(|| self.principal.fact(key).map(Values::One))
    }

    /// Of a key with one value, that.
    pub(super) fn single(&self, key: &str) -> Option<&'a str> {
        match self.values(key)? {
            Values::One(value) => Some(value),
            Values::Many([value]) => Some(*value),
            Values::Many(_) => None,
        }
    }

    /// Whether the key has values that are not known here. `key` is in lower case.
    pub(super) fn is_unknown(&self, key: &str) -> bool {
        ALWAYS_KNOWN.contains(&key) || (key.starts_with("aws:principaltag/") && self.principal.has_unknown_tags())
    }
}
