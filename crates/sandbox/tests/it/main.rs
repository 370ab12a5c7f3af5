//! Sandboxes on the real kernel.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a part of the tests")]

mod bench;
mod chroot;
mod egress;
mod escape;
mod failpoints;
mod host;
mod lifecycle;
mod limits;
mod rootless;
mod saving;
mod standing;
mod zygote;
