//! Why IAM refuses.

/// Each with the message that IAM gives.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IamError {
    /// 404.
    #[error("{0}")]
    NoSuchEntity(String),
    /// 409.
    #[error("{0}")]
    EntityAlreadyExists(String),
    /// 409.
    #[error("{0}")]
    DeleteConflict(String),
    /// 409.
    #[error("{0}")]
    LimitExceeded(String),
    /// 400.
    #[error("{0}")]
    MalformedPolicyDocument(String),
    /// 400.
    #[error("{0}")]
    InvalidInput(String),
    /// 400 `ValidationError`.
    #[error("{0}")]
    Validation(String),
    /// 409: others kept changing the same thing.
    #[error("the entity was changed by another request at the same time")]
    ConcurrentModification,
    /// 500; the store did not answer.
    #[error("the store failed")]
    Store,
}

/// 400 for a member that does not match its pattern.
pub(crate) fn mismatch(member: &str, value: &str, pattern: &str) -> IamError {
    let value: String = value.chars().take(200).collect();
    IamError::Validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: {pattern}"
    ))
}

/// A name of a role or policy: `[\w+=,.@-]+`.
pub(crate) fn check_name(member: &str, name: &str, length_max: usize) -> Result<(), IamError> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (1..=length_max).contains(&name.len()) && name.bytes().all(word) {
        Ok(())
    } else {
        Err(mismatch(member, name, "[\\w+=,.@-]+"))
    }
}

/// `/` or `/a/b/`.
pub(crate) fn check_path(path: &str) -> Result<(), IamError> {
    let legal = path.len() <= 512 && path.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if legal && path.starts_with('/') && path.ends_with('/') {
        Ok(())
    } else {
        Err(mismatch("path", path, "(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)"))
    }
}
