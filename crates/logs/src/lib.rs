//! hearth-logs
