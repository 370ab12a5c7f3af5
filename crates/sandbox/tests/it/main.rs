//! Sandboxes on the real kernel.

mod bench;
mod host;
mod lifecycle;
