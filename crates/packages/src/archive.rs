//! Zip archives from people nobody knows: read, judged whole, then unpacked.
//!
//! Two passes over the same bytes. [`plan`] walks the central directory and refuses the archive if any entry is unsafe;
//! [`unpack`] then writes directories, files and, last of all, symbolic links, so that nothing is ever written through one.
//! Links may lead anywhere: who reads an unpacked tree from the host must not follow them (`RESOLVE_NO_SYMLINKS`).
//! Sizes in headers are promises that the second pass holds the archive to: a byte more or less is an error.

mod plan;
mod reader;
mod write;

pub use plan::{Plan, plan};
pub use reader::FileReader;
pub use write::unpack;

/// What an archive may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackageLimits {
    /// All files together after unpacking.
    pub unpacked_bytes_max: u64,
    /// Files, links and directories, those that only paths imply included.
    pub entries_max: usize,
}

impl Default for PackageLimits {
    fn default() -> Self {
        Self { unpacked_bytes_max: hearth_types::limits::UNZIPPED_BYTES_MAX, entries_max: 100_000 }
    }
}

/// Why an archive is refused. Names in it are the archive's own words, shortened.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Lambda: `Could not unzip uploaded file. Please check your file, then try to upload again.`
    #[error("not a zip archive: {reason}")]
    NotAZip { reason: String },
    /// Lambda: `Unzipped size must be smaller than 262144000 bytes`.
    #[error("unzipped size must be smaller than {limit} bytes")]
    UnpackedTooLarge { limit: u64 },
    #[error("more than {limit} files and directories")]
    TooManyEntries { limit: usize },
    #[error("entry {name:?}: {why}")]
    Unsafe { name: String, why: &'static str },
    #[error("corrupt archive: {reason}")]
    Corrupt { reason: String },
    /// Not the archive's fault.
    #[error("cannot {step}")]
    Io {
        step: &'static str,
        #[source]
        source: std::io::Error,
    },
}

impl ArchiveError {
    fn refuse(name: &str, why: &'static str) -> Self {
        Self::Unsafe { name: name.chars().take(200).collect(), why }
    }

    fn corrupt(reason: impl Into<String>) -> Self {
        Self::Corrupt { reason: reason.into() }
    }

    pub(crate) fn io(step: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { step, source }
    }
}
