//! hearth-aws-api
