//! The engine from outside: events in, actions out.

mod harness;
mod rules;
