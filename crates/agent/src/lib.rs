//! The agent: the first process of every sandbox.
//!
//! It starts the function's runtime and reaps what dies, serves the Runtime API on the sandbox's loopback, carries logs and
//! the function's own AWS calls to the daemon, and keeps what it has to say while no daemon is connected.
//!
//! It is linked statically, because it is executed inside of any root file system, and because a dynamic loader would take longer
//! than everything else it does at its start (`make agent`; the daemon carries the result).
//!
//! One thread, one level-triggered epoll, few allocations: a warm invocation is a frame in, an answer to the runtime's long
//! poll, a post in, a frame out. The function is the enemy: it may connect to every listener, and send anything.
//!
//! ```text
//!   daemon ══ link ══╗                       ╔══ connection ══ runtime (HTTP on 9001)
//!                    ╠══ agent: turn, events ╣
//!   logs  ◄── link ──╝                       ╚══ tunnel ══ function's AWS calls (9002)
//! ```

mod agent;
mod buffer;
mod confine;
mod connection;
pub mod http;
mod io;
mod link;
mod logs;
mod parked;
mod poller;
pub mod records;
mod reply;
mod route;
mod runtime_api;
mod runtime_process;
mod slots;
mod tunnel;
mod turn;

pub use agent::{Agent, Options};
