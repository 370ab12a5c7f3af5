//! What callers are told who are not let in, or whose body is not taken: AWS's codes and words, per protocol.

use http::StatusCode;

use crate::auth::AuthError;
use crate::auth::sigv4::SignatureError;
use crate::body::BodyError;
use crate::error::{ApiError, RETRY_AFTER_S};
use crate::protocol::Protocol;

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED_TOKEN: &str = "The security token included in the request is expired";

/// The error of a request that is not authenticated. Query services name errors otherwise, and JSON services answer 400
/// where the others answer 403 (recorded from the services).
pub(crate) fn unauthenticated(error: AuthError, protocol: Protocol) -> ApiError {
    let query = matches!(protocol, Protocol::Query { .. } | Protocol::RestXml);
    let pick = |rest: &'static str, in_query: &'static str| if query { in_query } else { rest };
    let (code, message) = match error {
        AuthError::UnknownKey => {
            (pick("UnrecognizedClientException", "InvalidClientTokenId"), INVALID_TOKEN.to_owned())
        }
        AuthError::Disabled(account) => {
            (pick("AccessDeniedException", "AccessDenied"), format!("Account {account} is disabled"))
        }
        AuthError::NoAccount => (
            pick("AccessDeniedException", "AccessDenied"),
            "This is an operator's key: it manages Hearth and has no functions. Use a key of an account".to_owned(),
        ),
        AuthError::ExpiredToken => (pick("ExpiredTokenException", "ExpiredToken"), EXPIRED_TOKEN.to_owned()),
        AuthError::Signature(SignatureError::Missing) => (
            pick("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
            pick("Missing Authentication Token", "Request is missing Authentication Token").to_owned(),
        ),
        AuthError::Signature(SignatureError::Incomplete(text)) => {
            (pick("IncompleteSignatureException", "IncompleteSignature"), text)
        }
        AuthError::Signature(SignatureError::Skewed(text)) => {
            (pick("InvalidSignatureException", "SignatureDoesNotMatch"), text)
        }
        AuthError::Region { signed } => (
            pick("InvalidSignatureException", "SignatureDoesNotMatch"),
            format!(
                "Credential should be scoped to a valid region, not '{}'. Regions have names such as us-east-1: 3 to 32 lower-case \
                 letters, digits and hyphens.",
                signed.chars().take(64).collect::<String>()
            ),
        ),
        AuthError::Signature(SignatureError::Expired) => ("RequestExpired", "Request has expired.".to_owned()),
        AuthError::Signature(SignatureError::Mismatch | SignatureError::Body) => {
            (pick("InvalidSignatureException", "SignatureDoesNotMatch"), MISMATCH.to_owned())
        }
    };
    let json = matches!(protocol, Protocol::Json { .. }) || code == "RequestExpired";
    let status = if json { StatusCode::BAD_REQUEST } else { StatusCode::FORBIDDEN };
    ApiError::new(status, code, message)
}

/// The error of a body that was not taken. `operation`: as messages name it.
pub(crate) fn body_not_taken(error: BodyError, operation: &str) -> ApiError {
    match error {
        BodyError::TooLarge { bytes_max } => ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            // Every operation's name in recordings from the service, though Invoke's model says `RequestTooLargeException`.
            "RequestEntityTooLargeException",
            format!("Request must be smaller than {bytes_max} bytes for the {operation} operation"),
        ),
        BodyError::TooSlow => ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "RequestTimeoutException",
            "The request body did not arrive in time",
        ),
        BodyError::NoRoom => ApiError {
            reason: Some("CallerRateLimitExceeded"),
            retry_after_s: Some(RETRY_AFTER_S),
            ..ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                "Too much memory is taken by the bodies of other requests of this caller: try again",
            )
        },
        BodyError::Broken => ApiError::bad_request("IncompleteBody", "The request body ended before its end"),
    }
}

/// The error of a request that is not begun because its caller leaves too much unread.
pub(crate) fn answers_not_read() -> ApiError {
    ApiError {
        reason: Some("CallerRateLimitExceeded"),
        retry_after_s: Some(RETRY_AFTER_S),
        ..ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            "Too much memory is taken by answers that this caller has not read yet: read them and try again",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_protocol_has_its_own_names() {
        let query = Protocol::Query { namespace: "", json: false };
        let mismatch = || AuthError::Signature(SignatureError::Mismatch);
        for (protocol, status, code) in [
            (Protocol::LAMBDA, 403, "InvalidSignatureException"),
            (Protocol::JSON, 400, "InvalidSignatureException"),
            (query, 403, "SignatureDoesNotMatch"),
        ] {
            let error = unauthenticated(mismatch(), protocol);
            assert_eq!((error.status.as_u16(), &*error.code), (status, code));
        }
        let error = unauthenticated(AuthError::UnknownKey, Protocol::LAMBDA);
        assert_eq!((error.status.as_u16(), &*error.code), (403, "UnrecognizedClientException"));
        assert_eq!(error.message, "The security token included in the request is invalid.");
    }

    #[test]
    fn too_large_bodies_name_limit_and_operation() {
        let error = body_not_taken(BodyError::TooLarge { bytes_max: 6_291_456 }, "InvokeFunction");
        assert_eq!(error.message, "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
        assert_eq!((error.status.as_u16(), &*error.code), (413, "RequestEntityTooLargeException"));
    }
}
