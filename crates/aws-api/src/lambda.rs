//! Requests and responses of the Lambda API, as its clients write and read them.
//!
//! Members that the model requires are plain fields: [`crate::validate`] has checked that they are there. All others are
//! optional; what is absent is not written.

mod alias;
mod function;
mod layer;
mod policy;
mod settings;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use alias::*;
pub use function::*;
pub use layer::*;
pub use policy::*;
pub use settings::*;

/// A structure with required members before the bar and optional ones behind it. Wire names are the fields' in PascalCase
/// unless said otherwise.
macro_rules! shape {
    (
        $(#[$meta:meta])*
        $name:ident {
            $($(#[$rmeta:meta])* $required:ident: $rtype:ty,)*
            $(| $($(#[$ometa:meta])* $optional:ident: $otype:ty,)*)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Debug, Default, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $($(#[$rmeta])* pub $required: $rtype,)*
            $($(
                $(#[$ometa])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$otype>,
            )*)?
        }
    };
}
use shape;

pub type StringMap = BTreeMap<String, String>;

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_names_as_modelled_and_leaves_out_what_is_absent() {
        let configuration = FunctionConfiguration {
            function_name: Some("f".into()),
            code_sha256: Some("x".into()),
            kms_key_arn: Some("k".into()),
            ..FunctionConfiguration::default()
        };
        assert_eq!(
            serde_json::to_value(&configuration).unwrap(),
            json!({"FunctionName": "f", "CodeSha256": "x", "KMSKeyArn": "k"})
        );
    }

    #[test]
    fn reads_blobs_from_base64_only() {
        let code: FunctionCode = serde_json::from_value(json!({"ZipFile": "aGk="})).unwrap();
        assert_eq!(code.zip_file, Some(Blob(b"hi".to_vec())));
        assert!(serde_json::from_value::<FunctionCode>(json!({"ZipFile": "a*"})).is_err());
    }
}
