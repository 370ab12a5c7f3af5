//! The engine from outside: events in, actions out.

mod async_queue;
mod harness;
mod rules;
mod simulator;
