//! The node with sandboxes that end when a test says so.
#![expect(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a part of the tests")]

mod agent;
mod floods;
mod host;
mod losses;
mod sandboxes;
