//! `/_hearth`: what operators and tools ask of the daemon itself.

use hearth_control::LocationError;
use http::{Method, StatusCode};

use crate::context::{Response, json_response, typed_response};
use crate::dispatch::Exchange;
use crate::error::{ApiError, Protocol};
use crate::refusal::unauthenticated;
use crate::server::Peer;

/// Where `Code.Location` points; its signature is all the authentication that it needs.
const CODE: &str = "/_hearth/code/";

/// Answers `/_hearth/...`; no body is read.
pub(crate) async fn respond(exchange: &Exchange<'_>) -> Response {
    let path = exchange.parts.uri.path();
    let result = match (&exchange.parts.method, path) {
        (&Method::GET | &Method::HEAD, "/_hearth/health") => Ok(json_response(StatusCode::OK, health())),
        (&Method::GET, "/_hearth/state") => state(exchange),
        (&Method::GET, _) if path.starts_with(CODE) => code(exchange, &path[CODE.len()..]).await,
        _ => Err(ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", "There is no such page")),
    };
    result.unwrap_or_else(|error| error.into_response(Protocol::RestJson, &exchange.request_id))
}

fn health() -> String {
    serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }).to_string()
}

/// What runs on this node: not for functions, and only for those who may call the API at all.
fn state(exchange: &Exchange<'_>) -> Result<Response, ApiError> {
    if matches!(exchange.peer, Peer::Function { .. }) {
        return Err(ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", "Not open to functions"));
    }
    let refuse = |error| unauthenticated(error, Protocol::RestJson);
    let admission = exchange.admit().map_err(refuse)?;
    let authenticator = &exchange.shared.authenticator;
    authenticator.accept_body(&admission, exchange.parts, bytes::Bytes::new()).map_err(refuse)?;
    Ok(json_response(StatusCode::OK, exchange.shared.backends.invoker.view()))
}

/// A function's package, as `GetFunction` gave the URL of it.
async fn code(exchange: &Exchange<'_>, code: &str) -> Result<Response, ApiError> {
    let query = exchange.parts.uri.query().unwrap_or("");
    let field = |wanted: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (expires, signature) = (field("expires"), field("signature"));
    let control = &exchange.shared.backends.control;
    let file = control.verify_code_location(code, &expires, &signature, exchange.now).map_err(|error| {
        let (status, code) = match error {
            LocationError::Malformed => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            LocationError::Expired => (StatusCode::FORBIDDEN, "AccessDenied"),
            LocationError::Gone => (StatusCode::NOT_FOUND, "NoSuchKey"),
        };
        ApiError::new(status, code, error.to_string())
    })?;
    let bytes = tokio::task::spawn_blocking(move || fs_err::read(file)).await;
    match bytes {
        Ok(Ok(bytes)) => Ok(typed_response(StatusCode::OK, "application/zip", bytes)),
        Ok(Err(error)) => Err(unreadable(&error)),
        Err(error) => Err(unreadable(&error)),
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "a package cannot be read");
    ApiError::service("The package cannot be read")
}
