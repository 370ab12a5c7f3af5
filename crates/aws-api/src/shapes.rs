//! Inputs and outputs of AWS's operations, enumerations and names of errors, a module per service, made from its model.
//!
//! Members that the model requires are plain fields: [`crate::validate`] has checked that they are there. All others are
//! optional; what is absent is not written.

pub mod apigateway;
pub mod apigatewayv2;
pub mod events;
pub mod iam;
pub mod lambda;
pub mod logs;
pub mod scheduler;
pub mod sns;
pub mod sqs;
pub mod sts;
