//! AWS's protocols: how a request says which operation it asks for and with what, how answers and errors are written.
//!
//! Inputs and outputs pass as JSON objects with the model's names of members, whatever they are on the wire.

pub(crate) mod json;
pub(crate) mod legacy;
mod query;
mod rest;

use bytes::Bytes;
use hearth_aws_api::model::{Model, Operation};
use hearth_aws_api::validate::Refused;
use hearth_aws_api::{Service, model};
use hearth_types::RequestId;
use http::header::ACCEPT;
use http::request::Parts;
use serde_json::Value;

use self::query::Form;
use crate::context::Response;
use crate::route::{has_type, is_form};

/// How a request is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Protocol {
    /// Lambda and its like: operations by method and path, an error's type in a header. The service says what errors are made of.
    RestJson { service: Service },
    /// JSON 1.0 and 1.1: the operation in `X-Amz-Target`, everything else in the body. The version is in the content type.
    /// `namespace` is that of errors' types, if the service writes one.
    Json { version: &'static str, namespace: Option<&'static str> },
    /// A form with an `Action`; answers in XML, or in JSON for those who accept nothing else.
    Query { namespace: &'static str, json: bool },
    /// S3's.
    RestXml,
}

/// What a request asks for.
pub(crate) struct Asked {
    /// Empty if it names none.
    pub(crate) operation: String,
    wire: Wire,
}

/// How it was asked, with what the input is read from.
enum Wire {
    Rest(rest::Request),
    Json { version: &'static str, body: Bytes },
    Query { namespace: &'static str, json: bool, form: Form },
}

impl Protocol {
    /// JSON 1.1 of a service of which no more is known.
    pub(crate) const JSON: Self = Self::Json { version: "1.1", namespace: None };
    /// Lambda's: that too of what belongs to no service.
    pub(crate) const LAMBDA: Self = Self::RestJson { service: Service::Lambda };

    /// That of a request to the service.
    pub(crate) fn of(service: Service, parts: &Parts) -> Self {
        let metadata = &service.model().metadata;
        match metadata.protocol {
            model::Protocol::RestJson => Self::RestJson { service },
            model::Protocol::Json if metadata.is_legacy_query() && !is_json(parts) => {
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

    /// `None`: it asks for nothing that the service could have.
    pub(crate) fn asked(self, model: &Model, request: http::Request<Bytes>) -> Option<Asked> {
        match self {
            Self::RestJson { .. } => {
                let (operation, request) = rest::route(model, request)?;
                Some(Asked { operation, wire: Wire::Rest(request) })
            }
            Self::Json { version, .. } => Some(Asked {
                operation: json::operation_name(model, &request),
                wire: Wire::Json { version, body: request.into_body() },
            }),
            Self::Query { namespace, json } => {
                let form = Form::of(&request);
                let operation = form.get("Action").unwrap_or_default().to_owned();
                Some(Asked { operation, wire: Wire::Query { namespace, json, form } })
            }
            Self::RestXml => None,
        }
    }
}

impl Asked {
    /// The members of the input. What they are read from is gone then.
    pub(crate) fn take_input(&mut self, model: &Model, operation: &Operation) -> Result<Value, Refused> {
        match &mut self.wire {
            Wire::Rest(request) => rest::input(model, operation, std::mem::take(request)),
            Wire::Json { body, .. } => json::input(&std::mem::take(body)),
            Wire::Query { form, .. } => query::input(model, operation, &std::mem::take(form)),
        }
    }

    /// The answer with these members.
    pub(crate) fn answer(&self, model: &Model, operation: &Operation, members: Value, id: RequestId) -> Response {
        match self.wire {
            Wire::Rest(_) => rest::answer(model, operation, members),
            Wire::Json { version, .. } => json::answer(version, &members),
            Wire::Query { namespace, json: false, .. } => query::answer(model, operation, namespace, &members, id),
            Wire::Query { json: true, .. } => query::answer_json(operation, &members, id),
        }
    }
}

/// Whether a request to a service that has both speaks JSON, not the query protocol: of that not everybody sends the content type.
fn is_json(parts: &Parts) -> bool {
    !is_form(parts) && (parts.headers.contains_key("x-amz-target") || has_type(parts, b"application/x-amz-json"))
}

/// A point in time, which is seconds since 1970, in ISO 8601: UTC, whole seconds.
fn iso_time(seconds: &Value) -> String {
    let seconds = seconds.as_f64().unwrap_or_default() as i64;
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

/// Seconds since 1970 of a point in time in ISO 8601.
fn iso_seconds(text: &str) -> Option<Value> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Value::from(time.as_millisecond() as f64 / 1e3))
}
