//! Language runtimes: for each a prepared root directory that becomes the read-only `/` of a sandbox.
//!
//! Roots are *copies* of what the host has (C library, shell, interpreter) plus the official runtime clients from their
//! registries, so that nothing of the host is ever visible inside. They are made once, by [`Runtimes::add`], and found by
//! [`Runtimes::get`] on every cold start.
//!
//! ```text
//! DIR/python3.11.toml                      RuntimeDefinition, names the root
//! DIR/roots/python3.11-1f0c.../            /usr /etc /dev ...     copied base system
//!                                          /var/lang              interpreter
//!                                          /var/runtime           runtime client and AWS SDK
//!                                          /var/task /opt /tmp    mount points
//! ```

mod add;
mod base;
mod definition;
mod elf;
mod host;
mod libraries;
mod name;
mod node;
mod parking;
mod pip;
mod provided;
mod python;
mod registry;
mod root;
mod system;

pub use add::{AddError, Progress};
pub use definition::RuntimeDefinition;
pub use name::{RuntimeName, UnknownRuntime};
pub use parking::Parking;
pub use pip::Pip;
pub use provided::BOOTSTRAPS;
pub use registry::{OpenError, RemoveError, Runtimes};
