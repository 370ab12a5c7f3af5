//! Where packages lie that requests name by bucket and key.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use hearth_types::AccountId;

/// An object as a request names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectName {
    pub bucket: String,
    pub key: String,
    pub version: Option<String>,
}

/// Why there is no object, in S3's words.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ObjectError {
    /// It will be the same next time.
    #[error("{code}: {message}")]
    Refused { code: String, message: String },
    /// It may go better another time.
    #[error("{code}: {message}")]
    Unavailable { code: String, message: String },
}

pub type ObjectStream = Pin<Box<dyn Stream<Item = Result<Bytes, ObjectError>> + Send>>;

/// The operator's buckets.
pub trait Buckets: Send + Sync + std::fmt::Debug {
    /// Reads an object on behalf of an account, within the bucket's time; ends early if there is an error.
    fn read(&self, account: &AccountId, object: ObjectName) -> ObjectStream;
}
