//! The frontend over real sockets, with a real control plane and store and an invoker that answers by itself.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "the test bed fails the test that uses it"
)]

mod botocore;
mod drain;
mod invoke;
mod limits;
mod regions;
mod services;
mod world;
