//! Traces in, figures out.

#![cfg(test)]

mod golden;
mod hostile;
mod plots;
mod shipped;
