//! hearth-runtimes
