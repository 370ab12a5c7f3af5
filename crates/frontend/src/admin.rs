//! `/_hearth`: what operators and tools ask of the daemon itself.

use std::sync::Arc;

use bytes::Bytes;
use hearth_types::AccountId;
use http::header::AUTHORIZATION;
use http::{Method, StatusCode};

use crate::auth::{Admission, Principal, Rights, sigv4};
use crate::context::{Response, json_response, typed_response};
use crate::dispatch::Exchange;
use crate::error::ApiError;
use crate::protocol::Protocol;
use crate::refusal::unauthenticated;
use crate::server::{FrontendConfig, Peer};
use crate::{access, capacity};

/// Where these pages begin.
pub(crate) const ROOT: &str = "/_hearth/";
/// Answers `/_hearth/...`; a body is read below [`capacity::ROOT`] alone.
pub(crate) async fn respond<B>(exchange: &Exchange<'_>, body: B) -> Response
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    let path = exchange.parts.uri.path();
    if let Some(below) = path.strip_prefix(capacity::ROOT) {
        return manage(exchange, below, body).await.unwrap_or_else(|error| capacity::error_response(&error));
    }
    let result = match (&exchange.parts.method, path) {
        (&Method::GET | &Method::HEAD, "/_hearth/health") => {
            Ok(json_response(StatusCode::OK, health(&exchange.shared.config)))
        }
        (&Method::GET, "/_hearth/state") => state(exchange).await,
        (&Method::GET, "/_hearth/metrics") => metrics(exchange).await,
        _ => Err(no_such_page()),
    };
    result.unwrap_or_else(|error| error.into_response(Protocol::LAMBDA, &exchange.request_id))
}

/// Who asks for a page of the daemon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Asker {
    /// With the name that the log of changes gets.
    Operator(String),
    /// Sees what is the account's own.
    Account(AccountId),
}

impl Asker {
    fn of(principal: &Principal) -> Self {
        match principal.rights {
            Rights::Operator | Rights::Everything => Self::Operator(principal.arn.clone()),
            Rights::Account => Self::Account(principal.account.clone()),
        }
    }

    /// 403 for all others than operators.
    fn check_operator(&self) -> Result<(), ApiError> {
        if matches!(self, Self::Operator(_)) { Ok(()) } else { Err(for_operators()) }
    }
}

/// What an account is told that asks for what is not its own; the same whether or not it exists.
pub(crate) fn for_operators() -> ApiError {
    let message = "This needs an operator's key, as [[operator_keys]] in the configuration or `hearth key create --operator` \
                   gives one: keys of accounts see what is their own";
    ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", message)
}

/// 404.
pub(crate) fn no_such_page() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", "There is no such page")
}

/// The Region is that of requests which are not signed for another.
fn health(config: &FrontendConfig) -> String {
    serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "region": config.default_region })
        .to_string()
}

/// What runs on this node; for an account, what of it is its own.
async fn state(exchange: &Exchange<'_>) -> Result<Response, ApiError> {
    let principal = identify(exchange)?;
    let account = match Asker::of(&principal) {
        Asker::Operator(_) => None,
        Asker::Account(account) => Some(account),
    };
    let view = exchange.shared.backends.invoker.view(account).await;
    Ok(exchange.answer(&principal, json_response(StatusCode::OK, view)))
}

/// For Prometheus, which cannot sign: a token will do, if one is configured.
async fn metrics(exchange: &Exchange<'_>) -> Result<Response, ApiError> {
    let wanted = exchange.shared.config.metrics_token.as_deref();
    let given = exchange.parts.headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let known = wanted.zip(given).is_some_and(|(wanted, given)| sigv4::equal(wanted.as_bytes(), given));
    if !known || matches!(exchange.peer, Peer::Function { .. }) {
        let principal = identify(exchange)?;
        Asker::of(&principal).check_operator()?;
    }
    let text = exchange.shared.backends.invoker.metrics().await;
    Ok(typed_response(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text))
}

/// Capacity, keys and accounts. A change is not left half done when the client goes away.
async fn manage<B>(exchange: &Exchange<'_>, path: &str, body: B) -> Result<Response, ApiError>
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
{
    let admission = admit(exchange)?;
    let limit = (capacity::BODY_BYTES_MAX, "requested");
    let bytes = exchange.take_body(&admission, body, limit, Protocol::LAMBDA).await?.into_bytes();
    let asker = Asker::of(&admission.principal);
    let backends = exchange.shared.backends.clone();
    let (method, path, now) = (exchange.parts.method.clone(), path.to_owned(), exchange.now);
    let query = exchange.parts.uri.query().map(str::to_owned);
    let task = exchange.shared.operations.spawn(async move {
        match path.strip_prefix(access::BELOW) {
            Some(below) => access::respond(&backends.access, &method, below, &bytes, (&asker, now)).await,
            None => capacity::respond(&backends.capacity, &method, &path, query.as_deref(), &bytes, &asker).await,
        }
    });
    let done = task.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an operation did not come to its end");
        Err(ApiError::service("An internal error occurred"))
    });
    done.map(|response| exchange.answer(&admission.principal, response))
}

/// Lets in who holds a key (anybody, where there are none): never a function, whatever it signs with.
fn admit<'a>(exchange: &Exchange<'a>) -> Result<Admission<'a>, ApiError> {
    let refused = || ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", "Not open to functions");
    if matches!(exchange.peer, Peer::Function { .. }) {
        return Err(refused());
    }
    let admission = exchange.admit().map_err(|error| unauthenticated(error, Protocol::LAMBDA))?;
    let principal = &admission.principal;
    if principal.rights != Rights::Operator && !principal.is_root() {
        return Err(refused());
    }
    Ok(admission)
}

/// Who sends a request without a body.
fn identify(exchange: &Exchange<'_>) -> Result<Arc<Principal>, ApiError> {
    let admission = admit(exchange)?;
    let refuse = |error| unauthenticated(error, Protocol::LAMBDA);
    let authenticator = &exchange.shared.authenticator;
    authenticator.accept_body(&admission, exchange.parts, Bytes::new(), None).map_err(refuse)?;
    exchange.authorise(&admission.principal).map_err(refuse)?;
    Ok(admission.principal)
}
