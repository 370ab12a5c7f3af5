//! The Lambda API but for Invoke: requests into calls of the control plane, results into Lambda's JSON.

mod absent;
mod decode;
mod operations;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use hearth_aws_api::Service;
use hearth_functions::{Functions, Scope};
use http::StatusCode;
use http::header::HOST;

use crate::context::{RequestContext, Response, empty_response, json_response};
use crate::error::ApiError;

/// What the service answers, whatever its model says (recorded from it).
const STATUSES: &[(&str, StatusCode)] = &[("DeleteFunction", StatusCode::NO_CONTENT)];

/// Serves an authenticated request whose body is complete. Runs as a task of its own: a change must not be dropped half
/// done.
pub(crate) async fn handle(
    functions: &Arc<Functions>,
    context: &RequestContext,
    request: http::Request<Bytes>,
) -> Result<Response, ApiError> {
    let decoded = decode::request(Service::Lambda.model(), &request)?;
    let endpoint = endpoint(&request);
    drop(request);
    let operation = decoded.operation;
    let scope =
        Scope { account: &context.account, principal: &context.principal_arn, now: context.now, endpoint: &endpoint };
    let owner = functions.granting_account(scope, &operation.name, &decoded.input)?;
    let scope = Scope { account: owner.as_ref().unwrap_or(scope.account), ..scope };
    let answer = operations::perform(functions, scope, &operation.name, decoded.input).await?;
    let status = STATUSES.iter().find(|(name, _)| *name == operation.name).map(|(_, status)| *status);
    let status = status.or(StatusCode::from_u16(operation.status).ok()).unwrap_or(StatusCode::OK);
    Ok(match answer {
        Some(body) => json_response(status, Bytes::from(body)),
        None => empty_response(status),
    })
}

/// Where the client found us: URLs in answers lead there again.
fn endpoint(request: &http::Request<Bytes>) -> String {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    format!("http://{}", host.unwrap_or("localhost"))
}
