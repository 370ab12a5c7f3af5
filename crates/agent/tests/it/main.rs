//! The real binary between a daemon made by hand and runtime clients made by hand.

mod errors;
mod hostile;
mod invocations;
mod lifecycle;
mod logs;
mod sandbox;
mod streams;
mod testbed;
mod tunnels;
