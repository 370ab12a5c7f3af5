//! What shapes are made of.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hearth_types::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub type StringMap = BTreeMap<String, String>;

/// An operation of a service, as a type.
pub trait Operation {
    /// As in the model: `CreateFunction`.
    const NAME: &'static str;
    type Input: DeserializeOwned + Send + 'static;
    type Output: Serialize + Send + 'static;
}

/// Traits by the names that `structure!` is given.
pub(crate) mod derives {
    pub(crate) use std::default::Default;

    pub(crate) use serde::{Deserialize, Serialize};
}

/// A structure with required members before the bar and optional ones behind it. Wire names are the fields' in the case that is
/// given first, unless said otherwise; then come the traits that not every structure has.
macro_rules! structure {
    (
        [$case:literal $($derive:ident)*]
        $name:ident {
            $($(#[$rmeta:meta])* $required:ident: $rtype:ty,)*
            | $($(#[$ometa:meta])* $optional:ident: $otype:ty,)*
        }
    ) => {
        #[derive(Clone, PartialEq, Debug, $($crate::shape::derives::$derive,)*)]
        #[serde(rename_all = $case)]
        pub struct $name {
            $($(#[$rmeta])* #[cfg_attr(feature = "told", deprecated)] pub $required: $rtype,)*
            $(
                $(#[$ometa])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[cfg_attr(feature = "told", deprecated)]
                pub $optional: Option<$otype>,
            )*
        }
    };
}

/// Names and the values that stand for them.
macro_rules! enumeration {
    ($name:ident { $($variant:ident = $value:literal,)* }) => {
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(#[serde(rename = $value)] $variant,)*
        }

        impl $name {
            /// Every value, in the model's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }

            /// As it travels.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $value,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// A type for each operation.
macro_rules! operations {
    ($($name:ident($input:ty) -> $output:ty,)*) => {
        /// The operations, as types that join names, inputs and outputs.
        pub mod operation {
            use super::*;
            $(
                #[derive(Debug)]
                #[cfg_attr(feature = "told", deprecated)]
                pub struct $name;
                impl crate::shape::Operation for $name {
                    const NAME: &'static str = stringify!($name);
                    type Input = $input;
                    type Output = $output;
                }
            )*
        }
    };
}

/// The errors that operations name.
macro_rules! errors {
    ($($name:ident = $code:literal $status:literal,)*) => {
        /// Errors of the model, with their status.
        pub mod error {
            use crate::error::ErrorName;
            $(pub const $name: ErrorName = ErrorName { code: $code, status: $status };)*
        }
    };
}

/// Bytes that travel as base64.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Blob(pub Vec<u8>);

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A point in time: seconds since 1970 and their fraction, as JSON writes it. Protocols that write dates make them of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Time(pub Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_millis() as f64 / 1e3)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Ok(Self(Timestamp::from_millis((seconds * 1e3).round().max(0.0) as u64)))
    }
}

/// The input of operations that take none.
#[derive(Debug, Deserialize)]
pub struct Nothing {}

pub(crate) use {enumeration, errors, operations, structure};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shapes::lambda::{FunctionCode, FunctionConfiguration, Runtime};

    #[test]
    fn writes_names_as_modelled_and_leaves_out_what_is_absent() {
        let configuration = FunctionConfiguration {
            function_name: Some("f".into()),
            code_sha256: Some("x".into()),
            kms_key_arn: Some("k".into()),
            runtime: Some(Runtime::Python3_12),
            ..FunctionConfiguration::default()
        };
        assert_eq!(
            serde_json::to_value(&configuration).unwrap(),
            json!({"FunctionName": "f", "CodeSha256": "x", "KMSKeyArn": "k", "Runtime": "python3.12"})
        );
    }

    #[test]
    fn reads_blobs_from_base64_only() {
        let code: FunctionCode = serde_json::from_value(json!({"ZipFile": "aGk="})).unwrap();
        assert_eq!(code.zip_file, Some(Blob(b"hi".to_vec())));
        assert!(serde_json::from_value::<FunctionCode>(json!({"ZipFile": "a*"})).is_err());
    }

    #[test]
    fn values_are_read_as_they_are_written() {
        assert!(Runtime::ALL.iter().all(|runtime| Runtime::parse(runtime.as_str()) == Some(*runtime)));
        assert_eq!(Runtime::parse("python"), None);
    }
}
