//! Policies by name, as in configuration files and on command lines.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Policy;
use super::fixed::Fixed;
use super::greedy_dual::GreedyDual;
use super::hazard::Hazard;
use super::hybrid::Hybrid;

/// A policy and its parameter; a string where it is serialised.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Choice {
    /// `fixed:SECONDS`
    Fixed { seconds: u64 },
    /// `never`: nothing is ended unless memory is short.
    Never,
    /// `hybrid`: a histogram of each version's idle times, as in *Serverless in the Wild* (ATC 2020).
    Hybrid,
    /// `greedy-dual` or `greedy-dual:MIB`: a cache, as in *FaasCache* (ASPLOS 2021), of that size or of all memory there is.
    GreedyDual { idle_mib_max: Option<u64> },
    /// `hearth` or `hearth:THRESHOLD`: cold starts that a GiB minute of idle memory is worth, in millionths here.
    Hearth { price: u32 },
}

/// Not a policy's name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "{0:?} is no keep-alive policy; there are hearth, hearth:THRESHOLD, fixed:SECONDS, never, hybrid, greedy-dual and greedy-dual:MIB"
)]
pub struct UnknownPolicy(pub String);

impl Choice {
    /// Hearth's own policy at its default.
    pub const HEARTH: Self = Self::Hearth { price: 100_000 };

    /// The policy, with nothing learned yet.
    pub fn policy(self) -> Box<dyn Policy> {
        match self {
            Self::Fixed { seconds } => Box::new(Fixed(Duration::from_secs(seconds))),
            Self::Never => Box::new(Fixed(Duration::MAX)),
            Self::Hybrid => Box::new(Hybrid::default()),
            Self::Hearth { price } => Box::new(Hazard::new(f64::from(price) / 1e6)),
            Self::GreedyDual { idle_mib_max } => Box::new(GreedyDual::new(idle_mib_max)),
        }
    }
}

impl FromStr for Choice {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        let unknown = || UnknownPolicy(text.chars().take(100).collect());
        let (name, parameter) = match text.split_once(':') {
            Some((name, parameter)) => (name, Some(parameter)),
            None => (text, None),
        };
        let number = |text: &str| text.parse::<u64>().ok();
        match (name, parameter) {
            ("fixed", Some(seconds)) => Ok(Self::Fixed { seconds: number(seconds).ok_or_else(unknown)? }),
            ("never", None) => Ok(Self::Never),
            ("hybrid", None) => Ok(Self::Hybrid),
            ("hearth", None) => Ok(Self::HEARTH),
            ("hearth", Some(price)) => Ok(Self::Hearth { price: millionths(price).ok_or_else(unknown)? }),
            ("greedy-dual", None) => Ok(Self::GreedyDual { idle_mib_max: None }),
            ("greedy-dual", Some(mib)) => Ok(Self::GreedyDual { idle_mib_max: Some(number(mib).ok_or_else(unknown)?) }),
            _ => Err(unknown()),
        }
    }
}

/// A decimal number from a millionth to a thousand.
fn millionths(text: &str) -> Option<u32> {
    let value = text.parse::<f64>().ok().filter(|value| (0.000_001..=1000.0).contains(value))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and within bounds")]
    let millionths = (value * 1e6).round() as u32;
    Some(millionths)
}

impl TryFrom<String> for Choice {
    type Error = UnknownPolicy;

    fn try_from(text: String) -> Result<Self, UnknownPolicy> {
        text.parse()
    }
}

impl From<Choice> for String {
    fn from(choice: Choice) -> Self {
        choice.to_string()
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed { seconds } => write!(f, "fixed:{seconds}"),
            Self::Never => f.write_str("never"),
            Self::Hybrid => f.write_str("hybrid"),
            Self::Hearth { .. } if *self == Self::HEARTH => f.write_str("hearth"),
            Self::Hearth { price } => write!(f, "hearth:{}", f64::from(*price) / 1e6),
            Self::GreedyDual { idle_mib_max: None } => f.write_str("greedy-dual"),
            Self::GreedyDual { idle_mib_max: Some(mib) } => write!(f, "greedy-dual:{mib}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in
            ["fixed:0", "fixed:600", "never", "hybrid", "greedy-dual", "greedy-dual:4096", "hearth", "hearth:0.02"]
        {
            let choice: Choice = name.parse().expect(name);
            assert_eq!(choice.to_string(), name);
        }
    }

    #[test]
    fn others_are_refused() {
        for name in ["", "fixed", "fixed:", "fixed:-1", "fixed:1.5", "hybrid:1", "greedy-dual:x", "lru", "never:1"] {
            assert!(name.parse::<Choice>().is_err(), "{name}");
        }
    }
}
