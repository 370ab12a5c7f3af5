//! Lambda's runtime identifiers, as far as Hearth can prepare them.

use std::fmt;
use std::str::FromStr;

/// A runtime by what it takes to make it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuntimeName {
    /// `provided.al2023`, `provided.al2`: the package brings its own `bootstrap`.
    Provided { al2: bool },
    /// `python3.MINOR`.
    Python { minor: u32 },
    /// `nodejsMAJOR.x`.
    Node { major: u32 },
}

impl RuntimeName {
    /// The locales of AWS's image. `LANG` says `en_US.UTF-8` in all of them, but Amazon Linux 2023 has none of that name: there Python
    /// sets `LC_CTYPE`.
    pub(crate) fn locales(self) -> &'static [&'static str] {
        if self.is_amazon_linux_2() { &["C.utf8", "en_US.utf8"] } else { &["C.utf8"] }
    }

    /// Source: AWS Lambda Developer Guide, "Supported runtimes". The others have Amazon Linux 2023.
    pub(crate) fn is_amazon_linux_2(self) -> bool {
        matches!(self, Self::Provided { al2: true } | Self::Python { minor: ..=11 } | Self::Node { major: ..=18 })
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{name} is not a runtime that hearth can prepare: use python3.N, nodejsN.x, provided.al2023 or provided.al2")]
pub struct UnknownRuntime {
    pub name: String,
}

impl FromStr for RuntimeName {
    type Err = UnknownRuntime;

    fn from_str(name: &str) -> Result<Self, UnknownRuntime> {
        let parsed = match name {
            "provided.al2023" => Some(Self::Provided { al2: false }),
            "provided.al2" => Some(Self::Provided { al2: true }),
            _ => {
                let python = name.strip_prefix("python3.").and_then(number).map(|minor| Self::Python { minor });
                let node = name.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x"));
                python.or_else(|| node.and_then(number).map(|major| Self::Node { major }))
            }
        };
        parsed.ok_or_else(|| UnknownRuntime { name: name.to_owned() })
    }
}

impl fmt::Display for RuntimeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provided { al2: false } => write!(f, "provided.al2023"),
            Self::Provided { al2: true } => write!(f, "provided.al2"),
            Self::Python { minor } => write!(f, "python3.{minor}"),
            Self::Node { major } => write!(f, "nodejs{major}.x"),
        }
    }
}

/// One or two digits without a leading zero.
fn number(digits: &str) -> Option<u32> {
    let plain =
        (1..=2).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in ["provided.al2023", "provided.al2", "python3.8", "python3.13", "nodejs20.x", "nodejs8.x"] {
            assert_eq!(name.parse::<RuntimeName>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "python", "python3.", "python3.011", "python3.1/..", "nodejs20", "nodejs.x", "java21", "../x"]
        {
            assert!(name.parse::<RuntimeName>().is_err(), "{name}");
        }
    }
}
