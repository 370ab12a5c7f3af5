//! Where the service speaks for itself instead of its model, with the source of each.

/// `(enumeration, values)`: the order in which refusals list them, where it is not the model's. Recorded.
pub(crate) const ENUM_ORDER: &[(&str, &[&str])] = &[
    ("RecursiveLoop", &["Terminate", "Allow"]),
    ("InvokeMode", &["RESPONSE_STREAM", "BUFFERED"]),
    ("EventSourcePosition", &["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"]),
    ("Runtime", RUNTIME_ORDER),
];

/// Runtimes in the order in which refusals list them, as recorded of PublishLayerVersion; what is newer than the recording follows.
pub const RUNTIME_ORDER: &[&str] = &[
    "nodejs20.x",
    "python3.14",
    "provided.al2023",
    "python3.12",
    "python3.13",
    "nodejs24.x",
    "nodejs22.x",
    "java25",
    "python3.10",
    "python3.11",
    "java21",
    "ruby3.3",
    "ruby3.4",
    "ruby3.2",
    "python3.8",
    "python3.9",
    "java17",
    "nodejs16.x",
    "dotnet10",
    "dotnet8",
    "java11",
    "dotnet6",
    "nodejs18.x",
    "provided.al2",
    "java8.al2",
];
