//! hearth-control

pub mod iam;
