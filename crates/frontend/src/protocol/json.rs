//! JSON 1.0 and 1.1.

use bytes::Bytes;
use hearth_aws_api::ApiError;
use hearth_aws_api::model::Model;
use hearth_aws_api::validate::Refused;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::context::{Body, Response, typed_response};

pub(super) fn operation_name(model: &Model, request: &http::Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let (prefix, name) = target.split_once('.').unwrap_or_default();
    let ours = model.metadata.target_prefix.as_deref() == Some(prefix);
    if ours { name.to_owned() } else { String::new() }
}

/// No body is an empty object.
pub(super) fn input(body: &Bytes) -> Result<Value, Refused> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(Refused::Type(ApiError::serialization("Expected map or null"))),
        Err(error) => Err(Refused::Syntax(error.to_string())),
    }
}

pub(super) fn answer(version: &str, members: &Value) -> Response {
    let body = if members.is_null() { Body::empty() } else { members.to_string().into() };
    typed_response(StatusCode::OK, content_type(version), body)
}

pub(crate) fn content_type(version: &str) -> &'static str {
    if version == "1.0" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" }
}
