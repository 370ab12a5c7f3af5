//! One test per rule.

mod warm;
