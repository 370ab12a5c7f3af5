//! One test per rule.

mod admission;
mod blanks;
mod capacity;
mod failures;
mod finishing;
mod keep_alive;
mod provision;
mod retire;
mod warm;
