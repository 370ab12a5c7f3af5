//! AWS's protocols: how a request says which operation it asks for and with what, how answers and errors are written.
//!
//! Inputs and outputs pass as JSON objects with the model's names of members, whatever they are on the wire.

pub(crate) mod json;
pub(crate) mod legacy;
mod query;

use bytes::Bytes;
use hearth_aws_api::model::{Model, Operation};
use hearth_aws_api::{Service, model};
use hearth_types::RequestId;
use http::header::ACCEPT;
use http::request::Parts;
use serde_json::Value;

use crate::context::Response;
use crate::error::ApiError;
use crate::route::is_form;

/// How a request is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Protocol {
    /// Lambda and its like: operations by method and path, an error's type in a header.
    RestJson,
    /// JSON 1.0 and 1.1: the operation in `X-Amz-Target`, everything else in the body. The version is in the content type.
    /// `namespace` is that of errors' types, if the service writes one.
    Json { version: &'static str, namespace: Option<&'static str> },
    /// A form with an `Action`; answers in XML, or in JSON for those who accept nothing else.
    Query { namespace: &'static str, json: bool },
    /// S3's.
    RestXml,
}

impl Protocol {
    /// JSON 1.1 of a service of which no more is known.
    pub(crate) const JSON: Self = Self::Json { version: "1.1", namespace: None };
}

impl Protocol {
    /// That of a request to the service.
    pub(crate) fn of(service: Service, parts: &Parts) -> Self {
        let metadata = &service.model().metadata;
        match metadata.protocol {
            model::Protocol::RestJson => Self::RestJson,
            model::Protocol::Json if metadata.is_legacy_query() && is_form(parts) => {
                Self::Query { namespace: legacy::SQS_NAMESPACE, json: false }
            }
            model::Protocol::Json => Self::Json {
                version: metadata.json_version.as_deref().unwrap_or("1.1"),
                namespace: metadata.is_legacy_query().then_some(legacy::SQS_ERRORS),
            },
            model::Protocol::Query => Self::Query {
                namespace: metadata.xml_namespace.as_deref().unwrap_or_default(),
                json: parts.headers.get(ACCEPT).is_some_and(|accepted| accepted == "application/json"),
            },
        }
    }

    /// The operation that the request names; empty if none.
    pub(crate) fn operation_name(self, model: &Model, request: &http::Request<Bytes>) -> String {
        match self {
            Self::Json { .. } => json::operation_name(model, request),
            Self::Query { .. } => query::Form::of(request).get("Action").unwrap_or_default().to_owned(),
            Self::RestJson | Self::RestXml => String::new(),
        }
    }

    /// The members of the input.
    pub(crate) fn input(
        self,
        model: &Model,
        operation: &Operation,
        request: &http::Request<Bytes>,
    ) -> Result<Value, ApiError> {
        match self {
            Self::Json { .. } => json::input(request.body()),
            Self::Query { .. } => query::input(model, operation, &query::Form::of(request)),
            Self::RestJson | Self::RestXml => Ok(Value::Object(serde_json::Map::new())),
        }
    }

    /// The answer with these members.
    pub(crate) fn answer(self, model: &Model, operation: &Operation, members: &Value, id: RequestId) -> Response {
        match self {
            Self::Json { version, .. } => json::answer(version, members),
            Self::Query { namespace, json: false } => query::answer(model, operation, namespace, members, id),
            Self::Query { json: true, .. } => query::answer_json(operation, members, id),
            Self::RestJson | Self::RestXml => crate::context::json_response(http::StatusCode::OK, members.to_string()),
        }
    }
}
