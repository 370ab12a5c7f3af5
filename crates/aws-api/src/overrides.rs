//! Where the service is stricter or laxer than its model, with the source of each.

/// `(shape, largest value)`: what an ordinary function may have. The model has the limits of managed instances.
pub(crate) const MAXIMA: &[(&str, f64)] = &[
    // Developer Guide, "Lambda quotas": function timeout 900 seconds.
    ("Timeout", 900.0),
    // Developer Guide, "Lambda quotas": memory 128 MB to 10,240 MB.
    ("MemorySize", 10_240.0),
    // Developer Guide, "Lambda quotas": /tmp 512 MB to 10,240 MB.
    ("EphemeralStorageSize", 10_240.0),
];

/// `(structure, member)`: plain text for the model's purposes, because the service answers in its own words.
pub(crate) const FREE_TEXT: &[(&str, &str)] = &[
    // Recorded: an unknown runtime is InvalidParameterValueException "Value x at 'runtime' failed to satisfy constraint: ..
    // or be a valid ARN", not ValidationException.
    ("CreateFunctionRequest", "Runtime"),
    ("UpdateFunctionConfigurationRequest", "Runtime"),
];
