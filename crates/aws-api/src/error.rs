//! What a client is told when an operation fails.

/// An error of a service's model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorName {
    /// As it travels.
    pub code: &'static str,
    /// HTTP status.
    pub status: u16,
}

/// AWS's error: its status, its name as in the model and a message for people. Internal detail belongs in the log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{name}: {message}")]
pub struct ApiError {
    pub status: u16,
    /// Such as `ResourceNotFoundException`.
    pub name: &'static str,
    pub message: String,
    /// `Reason` of a 429.
    pub reason: Option<&'static str>,
    /// Whether the answer names the side at fault in `Type`, as most of Lambda's exceptions do.
    pub has_type: bool,
}

impl ApiError {
    pub fn new(status: u16, name: &'static str, message: impl Into<String>) -> Self {
        Self { status, name, message: message.into(), reason: None, has_type: true }
    }

    /// 400 `InvalidParameterValueException`: the request is well-formed, its meaning is not allowed.
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterValueException", message)
    }

    /// For the few refusals that Lambda sends without `Type` (recorded).
    pub fn without_type(self) -> Self {
        Self { has_type: false, ..self }
    }

    /// 400 `ValidationException`: a member violates its constraint.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    /// 400 `SerializationException`: a member has the wrong JSON type.
    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    /// 404 `ResourceNotFoundException`.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "ResourceNotFoundException", message)
    }

    /// 409 `ResourceConflictException`.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "ResourceConflictException", message)
    }

    /// 412 `PreconditionFailedException`.
    pub fn precondition_failed(message: impl Into<String>) -> Self {
        Self::new(412, "PreconditionFailedException", message)
    }

    /// 500 `ServiceException`: the fault is ours.
    pub fn service(message: impl Into<String>) -> Self {
        Self::new(500, "ServiceException", message)
    }
}
