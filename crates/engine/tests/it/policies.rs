//! Policies of capacity against naive models of them, with a node that does everything at once and never fails.
//!
//! Each attempt is of a function of its own, so that what is idle plays no part.

mod leases;
mod node;
mod refill;
mod shortage;
mod spread;
mod tenancy;
