//! Where the service speaks for itself instead of its model, with the source of each.

/// `(structure, member)`: plain text for the model's purposes, because the service answers in its own words.
pub(crate) const FREE_TEXT: &[(&str, &str)] = &[
    // Recorded: an unknown runtime is InvalidParameterValueException "Value x at 'runtime' failed to satisfy constraint: ..
    // or be a valid ARN", not ValidationException.
    ("CreateFunctionRequest", "Runtime"),
    ("UpdateFunctionConfigurationRequest", "Runtime"),
];
