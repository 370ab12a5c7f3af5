//! Errors as AWS writes them, in each of its protocols.

use std::borrow::Cow;

use hearth_aws_api::Service;
use hearth_aws_api::error::ErrorName;
use hearth_types::RequestId;
use http::StatusCode;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};

use crate::context::{REQUEST_ID, Response, typed_response};
use crate::protocol::{Protocol, json, legacy};

/// What a throttled client should wait, seconds.
pub const RETRY_AFTER_S: u32 = 1;

/// What those who spoke the query protocol before know an error by.
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");
/// What an error is called, for those who read no body.
pub(crate) const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// What a client is told: a status, AWS's error code and a message for people. Internal detail belongs in the log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    pub status: StatusCode,
    /// As in the service's model: `ResourceNotFoundException`, `NoSuchEntity`.
    pub code: Cow<'static, str>,
    pub message: String,
    /// `Reason` of a 429.
    pub reason: Option<&'static str>,
    /// `Retry-After`, seconds.
    pub retry_after_s: Option<u32>,
    /// Of Lambda's exceptions: whether `Type` names the side at fault.
    pub has_type: bool,
}

impl From<hearth_aws_api::ApiError> for ApiError {
    fn from(error: hearth_aws_api::ApiError) -> Self {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_s = (status == StatusCode::TOO_MANY_REQUESTS).then_some(RETRY_AFTER_S);
        Self {
            reason: error.reason,
            retry_after_s,
            has_type: error.has_type,
            ..Self::new(status, error.name, error.message)
        }
    }
}

impl ApiError {
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into(), reason: None, retry_after_s: None, has_type: true }
    }

    /// One of a service's model, with its status there.
    pub fn modelled(error: ErrorName, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::new(status, error.code, message)
    }

    /// 400.
    pub fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 500 `ServiceException`: the fault is ours.
    pub fn service(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", message)
    }

    pub(crate) fn into_response(self, protocol: Protocol, request_id: &RequestId) -> Response {
        let mut response = match protocol {
            Protocol::RestJson { service } => self.rest_json(service),
            Protocol::Json { version, namespace } => self.json(version, namespace),
            Protocol::Query { namespace, json: false } => self.query(namespace, request_id),
            Protocol::Query { json: true, .. } => self.query_json(request_id),
            Protocol::RestXml => self.rest_xml(request_id),
        };
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Ok(id) = HeaderValue::try_from(request_id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    fn rest_json(&self, service: Service) -> Response {
        let mut body = serde_json::Map::new();
        if let Some(reason) = self.reason {
            body.insert("Reason".into(), reason.into());
        }
        let modelled = service.model().exception(&self.code);
        // Recorded: what the service's framework refuses, such as a ValidationException, names no side.
        if self.has_type && modelled.is_some_and(|exception| exception.has_type) {
            body.insert("Type".into(), if self.status.is_server_error() { "Service" } else { "User" }.into());
        }
        let key = match modelled {
            Some(exception) => exception.message,
            // Every service has it, in hardly any model; SDKs read either key.
            None if self.code == "AccessDeniedException" => "Message",
            None => "message",
        };
        body.insert(key.into(), self.message.as_str().into());
        let body = serde_json::Value::Object(body).to_string();
        let mut response = typed_response(self.status, "application/json", body);
        if let Ok(code) = HeaderValue::try_from(&*self.code) {
            response.headers_mut().insert(ERROR_TYPE, code);
        }
        response
    }

    fn json(&self, version: &str, namespace: Option<&str>) -> Response {
        let kind = namespace.map_or_else(|| self.code.to_string(), |namespace| format!("{namespace}#{}", self.code));
        let body = serde_json::json!({ "__type": kind, "message": self.message }).to_string();
        let mut response = typed_response(self.status, json::content_type(version), body);
        let mut set = |name, value: &str| {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        };
        set(ERROR_TYPE, &self.code);
        if namespace.is_some() {
            set(QUERY_ERROR, &format!("{};{}", legacy::code(&self.code), self.side()));
        }
        response
    }

    fn side(&self) -> &'static str {
        if self.status.is_server_error() { "Receiver" } else { "Sender" }
    }

    fn query_json(&self, request_id: &RequestId) -> Response {
        let error = serde_json::json!({ "Type": self.side(), "Code": self.code, "Message": self.message });
        let body = serde_json::json!({ "Error": error, "RequestId": request_id.to_string() });
        typed_response(self.status, "application/json", body.to_string())
    }

    fn query(&self, namespace: &str, request_id: &RequestId) -> Response {
        let side = self.side();
        let code = quick_xml::escape::escape(legacy::code(&self.code));
        let message = quick_xml::escape::escape(&*self.message);
        let body = format!(
            "<ErrorResponse xmlns=\"{namespace}\">\n  <Error>\n    <Type>{side}</Type>\n    <Code>{code}</Code>\n    \
             <Message>{message}</Message>\n  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n"
        );
        typed_response(self.status, "text/xml", body)
    }
}

impl ApiError {
    fn rest_xml(&self, request_id: &RequestId) -> Response {
        let code = quick_xml::escape::escape(&*self.code);
        let message = quick_xml::escape::escape(&*self.message);
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
             <RequestId>{request_id}</RequestId></Error>"
        );
        typed_response(self.status, "application/xml", body)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn id() -> RequestId {
        "8fb0a1f4-6c77-4f2a-9a5e-2b1f3c4d5e6f".parse().unwrap()
    }

    async fn text(response: Response) -> String {
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn lambda_errors_have_the_type_in_a_header_and_the_message_as_modelled() {
        let error = ApiError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", "Function not found: x");
        let response = error.into_response(Protocol::LAMBDA, &id());
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["x-amzn-errortype"], "ResourceNotFoundException");
        assert_eq!(response.headers()["x-amzn-requestid"], id().to_string().as_str());
        assert_eq!(text(response).await, r#"{"Message":"Function not found: x","Type":"User"}"#);
    }

    /// As recorded: `{"message":"1 validation error detected: ..."}`.
    #[tokio::test]
    async fn lambda_errors_that_are_in_no_model_name_no_side() {
        let error = ApiError::bad_request("ValidationException", "1 validation error detected: x");
        assert_eq!(
            text(error.into_response(Protocol::LAMBDA, &id())).await,
            r#"{"message":"1 validation error detected: x"}"#
        );
        let refusal = hearth_aws_api::ApiError::invalid_parameter("too much").without_type();
        assert_eq!(
            text(ApiError::from(refusal).into_response(Protocol::LAMBDA, &id())).await,
            r#"{"message":"too much"}"#
        );
    }

    #[tokio::test]
    async fn throttles_carry_reason_and_retry_after() {
        let mut error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", "Rate Exceeded.");
        error.reason = Some("ConcurrentInvocationLimitExceeded");
        error.retry_after_s = Some(1);
        let response = error.into_response(Protocol::LAMBDA, &id());
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(
            text(response).await,
            r#"{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#
        );
    }

    #[tokio::test]
    async fn query_errors_escape_what_clients_sent() {
        let error = ApiError::new(StatusCode::NOT_FOUND, "NoSuchEntity", "role <b>&");
        let response = error.into_response(Protocol::Query { namespace: "urn:x", json: false }, &id());
        let body = text(response).await;
        assert!(body.contains("<Code>NoSuchEntity</Code>"), "{body}");
        assert!(body.contains("role &lt;b&gt;&amp;"), "{body}");
    }
}
