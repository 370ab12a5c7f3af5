//! `/_hearth`: what operators and tools ask of the daemon itself.

use http::{Method, StatusCode};

use crate::context::{Response, json_response};
use crate::dispatch::Exchange;
use crate::error::{ApiError, Protocol};
use crate::refusal::unauthenticated;
use crate::server::Peer;

/// Answers `/_hearth/...`; no body is read.
pub(crate) fn respond(exchange: &Exchange<'_>) -> Response {
    let result = match (&exchange.parts.method, exchange.parts.uri.path()) {
        (&Method::GET | &Method::HEAD, "/_hearth/health") => Ok(json_response(StatusCode::OK, health())),
        (&Method::GET, "/_hearth/state") => state(exchange),
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
