//! The real binary between a daemon made by hand and runtime clients made by hand.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "the test bed fails the test that uses it"
)]

mod errors;
mod hostile;
mod invocations;
mod lifecycle;
mod logs;
mod parked;
mod sandbox;
mod streams;
mod testbed;
mod tunnels;
