//! Every decision that Hearth takes, as state machines without I/O, clocks or randomness of their own.

pub mod port;
