//! One test per rule.

mod admission;
mod blanks;
mod capacity;
mod cold;
mod defer;
mod failures;
mod finishing;
mod frequency;
mod keep_alive;
mod leases;
mod pace;
mod provision;
mod retire;
mod spread;
pub(crate) mod sub_pools;
mod warm;
