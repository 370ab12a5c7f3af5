//! The engine from outside: events in, actions out.

#![cfg(test)]

mod async_queue;
mod event_queues;
mod harness;
mod keep_alive;
mod model;
mod policies;
mod rules;
mod simulator;
