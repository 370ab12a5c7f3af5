//! Deployment packages and layers: zip archives judged as Lambda judges them, kept, and unpacked once for all sandboxes.

pub mod archive;
mod package;

pub use archive::{ArchiveError, PackageLimits};
pub use package::{Package, PackageError, Packages};
