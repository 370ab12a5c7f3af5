//! hearth-sys
