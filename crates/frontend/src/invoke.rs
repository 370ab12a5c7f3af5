//! Invoke, InvokeWithResponseStream and InvokeAsync: the hot path.
//!
//! A request is recognised by its path alone, before anything generic looks at it; payloads are passed on as they are.

mod jackson;
pub mod request;
mod stream;
mod trace;

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hearth_engine::port::{Invocation, InvokeError, Outcome, Reply, ThrottleReason, Timeline};
use hearth_functions::{Functions, Resolved};
use hearth_types::{FunctionRef, Home, Qualifier, RequestId, Timestamp, VersionLabel};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};

use crate::auth::AuthError;
use crate::body::Reader;
use crate::context::{Response, empty_response};
use crate::entropy;
use crate::error::{ApiError, RETRY_AFTER_S};
use crate::permit::{Caller, Guard, Need, ResourcePolicy};
use crate::protocol::Protocol;
use crate::refusal::unauthenticated;
use crate::server::Backends;
use crate::wishes;
use request::{Call, InvocationType, Operation, Options};
use trace::Traced;

const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
/// Asked for by its presence in the request; answered with how the invocation started and where its time went.
const TIMELINE: HeaderName = HeaderName::from_static("x-hearth-timeline");
const JSON: &str = "application/json";
const INVOKE_FUNCTION: &str = "lambda:InvokeFunction";

/// An authenticated invoke request.
#[derive(Debug)]
pub(crate) struct Authenticated<'a> {
    pub(crate) call: Call<'a>,
    pub(crate) parts: &'a Parts,
    /// Where it looks for the function.
    pub(crate) home: &'a Home,
    /// ARN of the caller.
    pub(crate) principal: &'a str,
    pub(crate) request_id: RequestId,
    pub(crate) payload: Bytes,
    pub(crate) now: Timestamp,
}

/// Runs or queues what is asked for. `reader`: who a stream is for.
pub(crate) async fn perform(
    Backends { functions, access, invoker, .. }: &Backends,
    guard: &Guard,
    request: Authenticated<'_>,
    reader: impl FnOnce() -> Reader,
) -> Result<Response, ApiError> {
    let (function, qualifier) = names(functions, &request)?;
    let options = Options::read(request.call.operation, &request.parts.headers)?;
    request::check_payload(&request.payload, options.kind)?;
    if guard.holds(request.principal) {
        let denial = denial(functions, guard, &request, (&function, qualifier.as_ref())).await?;
        if let Some(message) = denial {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "AccessDeniedException", message));
        }
    }
    let resolved =
        functions.resolve((request.home, request.principal), &function, qualifier.as_ref(), entropy::draw())?;
    let owner = &resolved.spec.key.account;
    if *owner != request.home.account && access.is_disabled(owner) {
        return Err(unauthenticated(AuthError::Disabled(owner.clone()), Protocol::LAMBDA));
    }
    if options.kind == InvocationType::DryRun {
        return Ok(empty_response(StatusCode::NO_CONTENT));
    }
    let kind = options.kind;
    let wants_timeline = request.parts.headers.contains_key(&TIMELINE);
    let version = version_header(resolved.executed_version);
    let wishes = wishes::read(&request.parts.headers)?;
    let invocation = Invocation { wishes, ..invocation(resolved, options, request)? };
    let trace = invocation.trace_id.as_deref().and_then(|trace| HeaderValue::from_str(trace).ok());
    let mut response = if kind == InvocationType::Event {
        invoker.enqueue(invocation).await.map_err(refused)?;
        empty_response(StatusCode::ACCEPTED)
    } else {
        let (mut response, timeline) = if invocation.streaming {
            let mut reply = invoker.invoke_streaming(invocation).await.map_err(refused)?;
            let timeline = std::mem::take(&mut reply.timeline);
            (stream::response(reply, reader()), timeline)
        } else {
            let (reply, timeline) = invoker.invoke(invocation).await.map_err(refused)?;
            (reply_response(reply), timeline)
        };
        if wants_timeline {
            response.headers_mut().insert(TIMELINE, timeline_header(&timeline));
        }
        response.headers_mut().insert(EXECUTED_VERSION, version);
        response
    };
    if let Some(trace) = trace {
        response.headers_mut().insert(TRACE_ID, trace);
    }
    Ok(response)
}

/// What the caller is told whose policies, and the function's, do not let it invoke.
async fn denial(
    functions: &Functions,
    guard: &Guard,
    request: &Authenticated<'_>,
    (function, qualifier): (&FunctionRef, Option<&Qualifier>),
) -> Result<Option<String>, ApiError> {
    let caller = Caller { home: request.home, arn: request.principal, now: request.now };
    let owner =
        Home::new(function.account.clone().unwrap_or_else(|| caller.home.account.clone()), caller.home.region.clone());
    let qualifier = function.qualifier.as_ref().or(qualifier);
    let mut resource = format!("arn:aws:lambda:{}:{}:function:{}", owner.region, owner.account, function.name);
    if let Some(qualifier) = qualifier {
        let _infallible = write!(resource, ":{qualifier}");
    }
    let policy = functions.resource_policy(&owner, &function.name, qualifier);
    let policy = policy.map_or(ResourcePolicy::None, ResourcePolicy::Given);
    guard.denial(caller, &Need { policy, ..Need::new(INVOKE_FUNCTION, resource) }, &owner.account).await
}

/// The function and the qualifier. Whatever is wrong with them is told as AWS does, from the model; here it only has to be found fast.
fn names(functions: &Functions, request: &Authenticated<'_>) -> Result<(FunctionRef, Option<Qualifier>), ApiError> {
    let given = request::qualifier(request.parts.uri.query());
    let here = |function: &FunctionRef| function.region.as_ref().is_none_or(|region| *region == request.home.region);
    let function = request::function(request.call.function).filter(here);
    let qualifier = given.as_deref().map(str::parse::<Qualifier>).transpose();
    if let (Some(function), Ok(qualifier)) = (function, qualifier) {
        return Ok((function, qualifier));
    }
    let name = request::check_names(request.call.function, given.as_deref())?;
    Err(functions.unknown_function(request.home, &name, given.as_deref()).into())
}

fn invocation(resolved: Resolved, options: Options, request: Authenticated<'_>) -> Result<Invocation, ApiError> {
    let given = request.parts.headers.get(TRACE_ID).and_then(|value| value.to_str().ok());
    let traced = Traced {
        key: &resolved.spec.key,
        sampled: resolved.spec.tracing_active,
        may_recur: resolved.may_recur,
        now_s: request.now.as_millis() / 1000,
    };
    let trace = trace::header(given, traced).ok_or_else(recursive)?;
    Ok(Invocation {
        request_id: request.request_id,
        spec: resolved.spec,
        invoked_arn: resolved.invoked_arn.to_string(),
        // A function called without a payload finds an empty object as its event.
        payload: if request.payload.is_empty() { Bytes::from_static(b"{}") } else { request.payload },
        client_context: options.client_context,
        trace_id: Some(trace),
        log_tail: options.log_tail,
        streaming: request.call.operation == Operation::InvokeWithResponseStream,
        reserved_concurrency: resolved.reserved_concurrency,
        account_unreserved: resolved.account_unreserved,
        wishes: None,
    })
}

/// In the words of the API reference.
fn recursive() -> ApiError {
    ApiError::bad_request(
        "RecursiveInvocationException",
        "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your \
         function's invocation.",
    )
}

fn reply_response(reply: Reply) -> Response {
    let mut response = http::Response::new(reply.payload.into());
    let headers: &mut HeaderMap = response.headers_mut();
    let content_type = match &*reply.content_type {
        "" | JSON => HeaderValue::from_static(JSON),
        other => HeaderValue::from_str(other).unwrap_or(HeaderValue::from_static(JSON)),
    };
    headers.insert(CONTENT_TYPE, content_type);
    if reply.outcome == Outcome::FunctionError {
        headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    if let Some(tail) = reply.log_tail
        && let Ok(encoded) = HeaderValue::try_from(STANDARD.encode(tail))
    {
        headers.insert(LOG_RESULT, encoded);
    }
    response
}

/// Such as `blank (first): queue 0.2, sandbox 0.4, init 31.0, run 0.6 ms`; without `run` while the function still runs.
fn timeline_header(timeline: &Timeline) -> HeaderValue {
    let millis = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1e3;
    let mut text = timeline.start.as_str().to_owned();
    if let Some(reason) = timeline.cold_reason {
        text.push_str(&format!(" ({})", reason.as_str()));
    }
    text.push_str(&format!(": queue {:.1}", millis(timeline.queue_us)));
    if timeline.cold_reason.is_some() {
        text.push_str(&format!(", sandbox {:.1}, init {:.1}", millis(timeline.sandbox_us), millis(timeline.init_us)));
    }
    if let Some(run_us) = timeline.run_us {
        text.push_str(&format!(", run {:.1}", millis(run_us)));
    }
    text.push_str(" ms");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn version_header(version: VersionLabel) -> HeaderValue {
    match version {
        VersionLabel::Latest => HeaderValue::from_static("$LATEST"),
        VersionLabel::Number(number) => number.into(),
    }
}

fn refused(error: InvokeError) -> ApiError {
    match error {
        InvokeError::Throttled { reason } => ApiError {
            reason: Some(match reason {
                ThrottleReason::ConcurrentInvocationLimitExceeded => "ConcurrentInvocationLimitExceeded",
                ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded => {
                    "ReservedFunctionConcurrentInvocationLimitExceeded"
                }
                ThrottleReason::CallerRateLimitExceeded => "CallerRateLimitExceeded",
            }),
            // Nobody knows when the function's own reservation has room again, and Lambda does not say.
            retry_after_s: (reason != ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded)
                .then_some(RETRY_AFTER_S),
            ..ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.")
        },
        InvokeError::InvalidRuntime { message } => {
            ApiError::new(StatusCode::BAD_GATEWAY, "InvalidRuntimeException", message)
        }
        InvokeError::Service { message } => ApiError::service(message),
        InvokeError::RestoreHook { message } => ApiError::new(StatusCode::BAD_REQUEST, "SnapStartException", message),
        InvokeError::RestoreTimeout => ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "SnapStartTimeoutException",
            "Lambda couldn't restore the snapshot within the timeout limit.",
        ),
        InvokeError::Draining => {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceException", "The service is shutting down")
        }
    }
}
