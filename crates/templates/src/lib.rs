//! Images of saved sandboxes: kept on disk, encrypted, and ready in memory while they are used.
//!
//! An image is a directory of files under a key that says what it was made from. At rest it is a *manifest* (names, sizes and
//! digests of its files, and of which chunks they consist) and *chunks* of 64 KiB, each compressed and sealed by itself. Chunks
//! are named after their content under a key of the account, so that what two images of an account have in common is there
//! once, and nobody can tell from names what another account has.
//!
//! ```text
//!  DIR/master.key              wraps the accounts' keys
//!  DIR/ACCOUNT/key             wrapped: one key to seal with, one to name chunks with
//!  DIR/ACCOUNT/images/KEY      manifest, sealed; an image is there when this is
//!  DIR/ACCOUNT/chunks/ab/abc.. sealed
//!  HOT/KEY-N/                  the files themselves, in a file system in memory
//! ```
//!
//! A manifest appears last and at once, after all that it names is on disk. Whatever does not check is removed and counts as
//! never made: an image is only ever a faster way to something that can be made again.

mod account;
mod hot;
mod images;
mod seal;

pub use hot::Hot;
pub use images::{Draft, ImageKey, Images, ImagesConfig, ImagesError};
