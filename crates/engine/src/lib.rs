//! Every decision that Hearth takes, as state machines without I/O, clocks or randomness of their own.
//!
//! [`Engine`] decides where each attempt runs: the node reports what happened as [`Event`]s, and performs the [`Action`]s
//! it gets back. `admission` counts concurrency, `fleet` holds sandboxes, pools and capacity. [`async_queue`] decides what
//! becomes of asynchronous invocations. [`port`] is what others implement.
//!
//! Non-goals: time-outs of functions and of initialisation (the node kills the sandbox and reports it), payloads, placement on
//! other machines.

mod admission;
pub mod async_queue;
pub mod capacity;
mod event;
mod fleet;
pub mod keep_alive;
mod keys;
pub mod lineage;
pub mod port;
mod templates;
mod timers;
pub mod view;

pub use event::{
    Action, ColdReason, Demand, DestroyReason, Event, FailReason, Purpose, RootId, Start, Ticket, Version,
};
pub use fleet::{Engine, EngineConfig, Room};
pub use templates::TemplateHistory;
