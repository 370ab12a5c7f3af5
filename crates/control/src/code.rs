//! Packages as they come in: judged, unpacked and on disk before anything refers to them.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_aws_api::lambda::Blob;
use hearth_store::ArtifactError;
use hearth_store::archive::ArchiveError;
use hearth_tasks::Shares;
use hearth_types::limits::{CODE_STORAGE_BYTES_MAX, UNZIPPED_BYTES_MAX, ZIP_BYTES_MAX};

use crate::account::Account;
use crate::control::Shared;
use crate::record::{LayerUse, Package};
use crate::refuse::not_supported;

/// What an archive begins with that has no entries: the end of its directory (APPNOTE.TXT 4.3.16).
const END_OF_DIRECTORY: &[u8] = b"PK\x05\x06";

/// Where a request says that code is.
pub(crate) struct Source {
    pub(crate) zip: Option<Blob>,
    pub(crate) from_s3: bool,
    pub(crate) image: bool,
}

/// Whether any of the members that mean an object in S3 is there.
pub(crate) fn is_given(members: [&Option<String>; 4]) -> bool {
    members.into_iter().any(Option::is_some)
}

impl Shared {
    /// The caller holds `packages` for reading until something refers to the package.
    pub(crate) async fn ingest(&self, account: &Account, source: Source) -> Result<Package, ApiError> {
        if source.image {
            return Err(not_supported("PackageType Image"));
        }
        if source.from_s3 {
            return Err(not_supported("Code from S3Bucket and S3Key: give the archive in ZipFile, which"));
        }
        let Blob(zip) =
            source.zip.ok_or_else(|| ApiError::invalid_parameter("Please provide a source for function code."))?;
        if zip.is_empty() || zip.starts_with(END_OF_DIRECTORY) {
            return Err(ApiError::invalid_parameter("Uploaded file must be a non-empty zip"));
        }
        if zip.len() > ZIP_BYTES_MAX {
            let message = format!("Zipped size must be smaller than {ZIP_BYTES_MAX} bytes");
            return Err(ApiError::new(413, "RequestEntityTooLargeException", message));
        }
        let (zip, code) = blocking(account, move || {
            let code = hearth_store::blob::digest(&zip);
            (zip, code)
        })
        .await?;
        self.announce(account, code).await?;
        let artifacts = Arc::clone(&self.artifacts);
        let result = blocking(account, move || artifacts.ingest_zip(&zip)).await?;
        let artifact = result.map_err(refusal)?;
        Ok(Package { code: artifact.code, zip_bytes: artifact.zip_bytes, unpacked_bytes: artifact.unpacked_bytes })
    }
}

/// Packages of one account that are worked on at once.
static THREADS: Shares = Shares::new(8);

async fn blocking<T: Send + 'static>(
    account: &Account,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    THREADS.blocking(account.id.as_str(), "work on a package", work).await.map_err(|error| {
        tracing::error!(%error, "work on a package ended abnormally");
        internal()
    })
}

fn internal() -> ApiError {
    ApiError::service("An error occurred and the request cannot be processed.")
}

fn refusal(error: ArtifactError) -> ApiError {
    match error {
        ArtifactError::Archive(ArchiveError::Io { .. }) | ArtifactError::Blob(_) | ArtifactError::Io { .. } => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot store a package");
            internal()
        }
        ArtifactError::Archive(ArchiveError::UnpackedTooLarge { limit }) => {
            ApiError::invalid_parameter(format!("Unzipped size must be smaller than {limit} bytes"))
        }
        ArtifactError::Archive(error) => {
            tracing::info!(%error, "a package was refused");
            // Lambda says this alone, and no more of what is no archive can be said.
            let said = "Could not unzip uploaded file. Please check your file, then try to upload again.";
            ApiError::invalid_parameter(match error {
                ArchiveError::NotAZip { .. } => said.to_owned(),
                error => format!("{said} ({error})"),
            })
        }
        ArtifactError::Missing { .. } => internal(),
    }
}

/// A package and its layers may not be larger together than either may be alone.
pub(crate) fn check_sizes(package: &Package, layers: &[LayerUse]) -> Result<(), ApiError> {
    let layers: u64 = layers.iter().map(|layer| layer.package.unpacked_bytes).sum();
    if package.unpacked_bytes + layers <= UNZIPPED_BYTES_MAX {
        return Ok(());
    }
    // Recorded from the service.
    Err(ApiError::invalid_parameter(format!(
        "Function code combined with layers exceeds the maximum allowed size of {UNZIPPED_BYTES_MAX} bytes. The actual size is {} bytes.",
        package.unpacked_bytes + layers
    )))
}

/// Bytes of all packages and layers of the account, each version counted.
pub(crate) fn stored_bytes(account: &Account) -> u64 {
    let functions: u64 = account
        .functions()
        .values()
        .map(|function| {
            let versions: u64 = function.records.versions.values().map(|v| v.settings.package.zip_bytes).sum();
            versions + function.records.function.latest.settings.package.zip_bytes
        })
        .sum();
    let layers: u64 =
        account.layers().values().flat_map(|versions| versions.values()).map(|l| l.package.zip_bytes).sum();
    functions + layers
}

pub(crate) fn check_storage(account: &Account, package: &Package) -> Result<(), ApiError> {
    if stored_bytes(account) + package.zip_bytes > CODE_STORAGE_BYTES_MAX {
        return Err(ApiError::new(400, "CodeStorageExceededException", "Code storage limit exceeded."));
    }
    Ok(())
}
