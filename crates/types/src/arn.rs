//! Function references as clients write them, and function ARNs as Lambda writes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, FunctionName, ParseIdError, Region, VersionLabel};

/// What stands behind the function's name: `$LATEST`, a version number or an alias.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Qualifier {
    Latest,
    Version(u64),
    /// 1 to 128 of `[A-Za-z0-9-_]`, not all digits.
    Alias(String),
}

impl FromStr for Qualifier {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = || ParseIdError { kind: "qualifier", text: text.chars().take(200).collect() };
        if text == "$LATEST" {
            return Ok(Self::Latest);
        }
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if text.is_empty() || text.len() > 128 || !text.bytes().all(word) {
            return Err(error());
        }
        if text.bytes().all(|b| b.is_ascii_digit()) {
            return text.parse().map(Self::Version).ok().ok_or_else(error);
        }
        Ok(Self::Alias(text.to_owned()))
    }
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("$LATEST"),
            Self::Version(number) => number.fmt(f),
            Self::Alias(name) => f.write_str(name),
        }
    }
}

impl From<VersionLabel> for Qualifier {
    fn from(label: VersionLabel) -> Self {
        match label {
            VersionLabel::Latest => Self::Latest,
            VersionLabel::Number(number) => Self::Version(number),
        }
    }
}

/// A function as a request names it: `name`, `name:qualifier`, `account:function:name[:qualifier]` or a full ARN.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionRef {
    pub region: Option<Region>,
    pub account: Option<AccountId>,
    pub name: FunctionName,
    pub qualifier: Option<Qualifier>,
}

impl FromStr for FunctionRef {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let error = || ParseIdError { kind: "function reference", text: text.chars().take(200).collect() };
        let mut parts: Vec<&str> = text.splitn(9, ':').collect();
        let mut region = None;
        let mut account = None;
        if parts[0] == "arn" {
            if parts.len() < 7 || !parts[1].starts_with("aws") || parts[2] != "lambda" {
                return Err(error());
            }
            region = Some(parts[3].parse().ok().ok_or_else(error)?);
            parts.drain(..4);
        }
        if parts.len() >= 3 && parts[1] == "function" {
            account = Some(parts[0].parse().ok().ok_or_else(error)?);
            parts.drain(..2);
        } else if region.is_some() {
            return Err(error());
        }
        let (name, qualifier) = match parts.as_slice() {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(qualifier.parse().ok().ok_or_else(error)?)),
            _ => return Err(error()),
        };
        Ok(Self { region, account, name: name.parse().ok().ok_or_else(error)?, qualifier })
    }
}

/// `arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FunctionArn {
    pub region: Region,
    pub account: AccountId,
    pub name: FunctionName,
    pub qualifier: Option<Qualifier>,
}

impl fmt::Display for FunctionArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:aws:lambda:{}:{}:function:{}", self.region, self.account, self.name)?;
        match &self.qualifier {
            Some(qualifier) => write!(f, ":{qualifier}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts_the_four_forms() {
        for text in [
            "hello",
            "hello:prod",
            "123456789012:function:hello",
            "123456789012:function:hello:7",
            "arn:aws:lambda:eu-west-1:123456789012:function:hello",
            "arn:aws:lambda:eu-west-1:123456789012:function:hello:$LATEST",
        ] {
            let parsed: FunctionRef = text.parse().expect(text);
            assert_eq!(parsed.name.as_str(), "hello", "{text}");
        }
    }

    #[test]
    fn refuses_what_is_none_of_them() {
        for text in [
            "",
            ":",
            "a:b:c",
            "he llo",
            "hello:",
            "hello:a b",
            "arn:aws:lambda:eu-west-1:123:function:hello",
            "arn:aws:s3:eu-west-1:123456789012:function:hello",
            "arn:aws:lambda:eu-west-1:123456789012:layer:hello",
            "arn:aws:lambda:eu-west-1:123456789012:function:hello:1:2",
            "hello:99999999999999999999999",
        ] {
            assert!(text.parse::<FunctionRef>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,200}") {
            let _parsed = text.parse::<FunctionRef>();
        }

        #[test]
        fn an_arn_parses_to_what_it_was_written_from(name in "[A-Za-z0-9_-]{1,64}", version in proptest::option::of(1u64..)) {
            let arn = FunctionArn {
                region: "eu-west-1".parse().expect("valid"),
                account: "123456789012".parse().expect("valid"),
                name: name.parse().expect("valid"),
                qualifier: version.map(Qualifier::Version),
            };
            let parsed: FunctionRef = arn.to_string().parse().expect("own output");
            prop_assert_eq!(parsed.name, arn.name);
            prop_assert_eq!(parsed.qualifier, arn.qualifier);
        }
    }
}
