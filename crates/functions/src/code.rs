//! Packages as they come in: judged, unpacked and on disk before anything refers to them.

use std::sync::Arc;

use hearth_aws_api::ApiError;
use hearth_packages::{ArchiveError, Package, PackageError};
use hearth_store::Received;
use hearth_tasks::Shares;
use hearth_types::limits::{CODE_STORAGE_BYTES_MAX, UNZIPPED_BYTES_MAX};

use crate::account::Account;
use crate::functions::Shared;
use crate::record::LayerUse;

impl Shared {
    /// The caller holds `collection` for reading until something refers to the package.
    pub(crate) async fn ingest(&self, account: &Account, zip: Received) -> Result<Package, ApiError> {
        self.announce(account, zip.name()).await?;
        let packages = Arc::clone(&self.packages);
        let result = blocking(account, move || packages.ingest(zip)).await?;
        result.map_err(refusal)
    }
}

/// Packages of one account that are worked on at once.
static THREADS: Shares = Shares::new(8);

pub(crate) async fn blocking<T: Send + 'static>(
    account: &Account,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    THREADS.blocking(account.home.account.as_str(), "work on a package", work).await.map_err(|error| {
        tracing::error!(%error, "work on a package ended abnormally");
        internal()
    })
}

pub(crate) fn internal() -> ApiError {
    ApiError::service("An error occurred and the request cannot be processed.")
}

fn refusal(error: PackageError) -> ApiError {
    match error {
        PackageError::Archive(ArchiveError::Io { .. }) | PackageError::Blob(_) | PackageError::Io { .. } => {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot store a package");
            internal()
        }
        PackageError::Archive(ArchiveError::UnpackedTooLarge { limit }) => {
            ApiError::invalid_parameter(format!("Unzipped size must be smaller than {limit} bytes"))
        }
        PackageError::Archive(error) => {
            tracing::info!(%error, "a package was refused");
            // Lambda says this alone, and no more of what is no archive can be said.
            let said = "Could not unzip uploaded file. Please check your file, then try to upload again.";
            ApiError::invalid_parameter(match error {
                ArchiveError::NotAZip { .. } => said.to_owned(),
                error => format!("{said} ({error})"),
            })
        }
        PackageError::Missing { .. } => internal(),
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
