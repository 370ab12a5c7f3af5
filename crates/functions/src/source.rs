//! Where a package's bytes come from: the request itself or a bucket.
//!
//! They are on disk before anything is asked of them, and are not a package yet: a bucket may be slow, and nobody else
//! waits for it.

use futures_util::StreamExt as _;
use hearth_aws_api::ApiError;
use hearth_aws_api::shape::Blob;
use hearth_aws_api::shapes::lambda::S3ObjectStorageMode;
use hearth_engine::port::{Buckets, ObjectError, ObjectName};
use hearth_store::{Incoming, Received};
use hearth_tasks::Shares;
use hearth_types::limits::{S3_ZIP_BYTES_MAX, UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX};

use crate::account::Account;
use crate::code::{blocking, internal};
use crate::functions::Shared;
use crate::refuse::not_supported;

/// What an archive begins with that has no entries: the end of its directory (APPNOTE.TXT 4.3.16).
const END_OF_DIRECTORY: &[u8] = b"PK\x05\x06";
/// What a longer answer of a store is cut to.
const MESSAGE_CHARACTERS_MAX: usize = 1000;

/// Where a request says that code is.
pub(crate) struct Source {
    pub(crate) zip: Option<Blob>,
    pub(crate) s3: S3Members,
}

/// The members of a request that mean an object in S3.
#[derive(Default)]
pub(crate) struct S3Members {
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) storage_mode: Option<S3ObjectStorageMode>,
}

impl S3Members {
    fn is_given(&self) -> bool {
        [&self.bucket, &self.key, &self.version].into_iter().any(Option::is_some) || self.storage_mode.is_some()
    }

    fn into_object(self) -> Result<ObjectName, ApiError> {
        // What Hearth does is to copy.
        if self.storage_mode.is_some_and(|mode| mode != S3ObjectStorageMode::Copy) {
            return Err(not_supported("S3ObjectStorageMode REFERENCE"));
        }
        match (self.bucket, self.key) {
            (Some(bucket), Some(key)) => Ok(ObjectName { bucket, key, version: self.version }),
            _ => Err(no_source()),
        }
    }
}

/// Packages of one account that are read from buckets at once: each may take the disk of the largest for as long as its bucket
/// may take. Others wait.
static TRANSFERS: Shares = Shares::new(4);

fn no_source() -> ApiError {
    ApiError::invalid_parameter("Please provide a source for function code.")
}

impl Shared {
    /// Takes in the bytes that the source names; `packages` is not held yet.
    pub(crate) async fn receive(&self, account: &Account, source: Source) -> Result<Received, ApiError> {
        if !source.s3.is_given() {
            let Blob(zip) = source.zip.ok_or_else(no_source)?;
            return self.receive_upload(account, zip).await;
        }
        if source.zip.is_some() {
            let message = "Please do not provide other FunctionCode parameters when providing a ZipFile.";
            return Err(ApiError::invalid_parameter(message));
        }
        let object = source.s3.into_object()?;
        let without = "Code from S3Bucket and S3Key without [code.buckets] in the configuration";
        let buckets = self.config.buckets.as_ref().ok_or_else(|| not_supported(without))?;
        self.receive_object(account, &**buckets, object).await
    }

    async fn receive_upload(&self, account: &Account, zip: Vec<u8>) -> Result<Received, ApiError> {
        check_start(&zip)?;
        if zip.len() > ZIP_BYTES_MAX {
            let message = format!("Zipped size must be smaller than {ZIP_BYTES_MAX} bytes");
            return Err(ApiError::new(413, "RequestEntityTooLargeException", message));
        }
        let incoming = self.incoming(account).await?;
        Ok(append(account, incoming, zip).await?.finish())
    }

    async fn receive_object(
        &self,
        account: &Account,
        buckets: &dyn Buckets,
        object: ObjectName,
    ) -> Result<Received, ApiError> {
        let _place = TRANSFERS.turn(account.home.account.as_str()).await;
        let mut pieces = buckets.read(&account.home.account, object.clone());
        let mut incoming = self.incoming(account).await?;
        let mut start = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|error| refusal(&object, error))?;
            if incoming.bytes() + piece.len() as u64 > S3_ZIP_BYTES_MAX {
                // Recorded of packages that are too large, zipped or not.
                let message = format!("Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes");
                return Err(ApiError::invalid_parameter(message));
            }
            let missing = END_OF_DIRECTORY.len() - start.len();
            start.extend_from_slice(&piece[..piece.len().min(missing)]);
            incoming = append(account, incoming, piece).await?;
        }
        check_start(&start)?;
        Ok(incoming.finish())
    }

    async fn incoming(&self, account: &Account) -> Result<Incoming, ApiError> {
        let packages = std::sync::Arc::clone(&self.packages);
        blocking(account, move || packages.receive()).await?.map_err(cannot_store)
    }
}

async fn append(
    account: &Account,
    mut incoming: Incoming,
    piece: impl AsRef<[u8]> + Send + 'static,
) -> Result<Incoming, ApiError> {
    blocking(account, move || incoming.write(piece.as_ref()).map(|()| incoming)).await?.map_err(cannot_store)
}

fn cannot_store(error: impl std::error::Error + 'static) -> ApiError {
    tracing::error!(error = &error as &dyn std::error::Error, "cannot store a package");
    internal()
}

/// `start`: the first bytes, or all.
fn check_start(start: &[u8]) -> Result<(), ApiError> {
    if start.is_empty() || start.starts_with(END_OF_DIRECTORY) {
        return Err(ApiError::invalid_parameter("Uploaded file must be a non-empty zip"));
    }
    Ok(())
}

/// Recorded from the service, for each of the codes that S3 gives.
fn refusal(object: &ObjectName, error: ObjectError) -> ApiError {
    let said = |code: &str, message: &str| {
        let message: String = message.chars().take(MESSAGE_CHARACTERS_MAX).collect();
        format!("S3 Error Code: {code}. S3 Error Message: {message}")
    };
    match error {
        ObjectError::Refused { code, message } if code == "AccessDenied" => {
            let ObjectName { bucket, key, .. } = object;
            let advice = "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for";
            let message = format!("{advice} {bucket}/{key}. {}", said(&code, &message));
            ApiError::new(403, "AccessDeniedException", message)
        }
        ObjectError::Refused { code, message } => {
            ApiError::invalid_parameter(format!("Error occurred while GetObject. {}", said(&code, &message)))
        }
        ObjectError::Unavailable { code, message } => {
            tracing::warn!(bucket = object.bucket, %code, %message, "a bucket cannot be read");
            ApiError::service(format!("Error occurred while GetObject. {}", said(&code, &message)))
        }
    }
}
