//! rest-json: method and path say which operation is meant. Members travel in the path, the query, headers and the body, there
//! mostly under names of their own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hearth_aws_api::model::{Member, Model, Operation, Shape};
use hearth_aws_api::validate::Refused;
use hearth_aws_api::{ApiError, Kind, Location};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, request};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::context::{Body, Response, empty_response, json_response};

/// What an input is read from.
#[derive(Default)]
pub(super) struct Request {
    /// Of the path, percent-encoded.
    parameters: Vec<(String, String)>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

/// The operation that the request means, and what its input is read from.
pub(super) fn route(model: &Model, request: http::Request<Bytes>) -> Option<(String, Request)> {
    let (request::Parts { method, uri, headers, .. }, body) = request.into_parts();
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect::<Vec<_>>();
    let matched = model.route(method.as_str(), uri.path(), &query)?;
    let parameters = matched.parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Some((matched.operation.name.clone(), Request { parameters, query, headers, body }))
}

/// The members of the operation's input, wherever they travel. None can be given at another place than its own.
pub(super) fn input(model: &Model, operation: &Operation, request: Request) -> Result<Value, Refused> {
    let Some(shape) = operation.input.as_deref().and_then(|name| model.shape(name)) else {
        return Ok(Value::Object(Map::new()));
    };
    let mut members = body(model, shape, &request.body)?;
    for (name, member) in &shape.members {
        let wire = wire_name(name, member);
        let kind = model.shape(&member.shape).map_or(Kind::String, |shape| shape.kind);
        let value = match member.location {
            Location::Uri => {
                let raw = request.parameters.iter().find(|(parameter, _)| parameter == wire);
                raw.map(|(_, raw)| scalar(kind, &decoded(raw)?)).transpose()?
            }
            Location::Querystring => in_query(&request.query, (operation, shape), wire, kind)?,
            Location::Header => {
                let value = request.headers.get(wire).and_then(|value| value.to_str().ok());
                value.map(|value| scalar(kind, value)).transpose()?
            }
            Location::Body | Location::Headers | Location::StatusCode => None,
        };
        members.extend(value.map(|value| (name.clone(), value)));
    }
    Ok(Value::Object(members))
}

fn wire_name<'a>(name: &'a str, member: &'a Member) -> &'a str {
    member.location_name.as_deref().unwrap_or(name)
}

fn decoded(raw: &str) -> Result<String, Refused> {
    let text = percent_decode_str(raw).decode_utf8();
    text.map(|text| text.into_owned())
        .map_err(|error| Refused::Type(ApiError::serialization(format!("The path is not valid UTF-8: {error}"))))
}

/// A list has each of its values under the member's name; a map has whatever is neither another member's nor the route's.
fn in_query(
    query: &[(String, String)],
    (operation, shape): (&Operation, &Shape),
    wire: &str,
    kind: Kind,
) -> Result<Option<Value>, Refused> {
    let mut values = query.iter().filter(|(key, _)| key == wire).map(|(_, value)| value.as_str());
    match kind {
        Kind::List => {
            let values: Vec<Value> = values.map(Value::from).collect();
            Ok((!values.is_empty()).then_some(Value::Array(values)))
        }
        Kind::Map => {
            let is_member = |key: &str| shape.members.iter().any(|(name, member)| wire_name(name, member) == key);
            let rest = query.iter().filter(|pair| !is_member(&pair.0) && !operation.is_routed_by(pair));
            let rest: Map<_, _> = rest.map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
            Ok((!rest.is_empty()).then_some(Value::Object(rest)))
        }
        kind => values.next().map(|value| scalar(kind, value)).transpose(),
    }
}

fn scalar(kind: Kind, text: &str) -> Result<Value, Refused> {
    let (read, what) = match kind {
        Kind::Integer | Kind::Long => (text.parse::<i64>().ok().map(Value::from), "an Integer"),
        Kind::Float | Kind::Double => (text.parse::<f64>().ok().map(Value::from), "a Double"),
        Kind::Boolean => (text.parse::<bool>().ok().map(Value::from), "a Boolean"),
        Kind::Timestamp => (super::iso_seconds(text), "a Date"),
        Kind::String | Kind::Blob | Kind::List | Kind::Map | Kind::Structure => (Some(Value::from(text)), "a String"),
    };
    read.ok_or_else(|| Refused::Type(ApiError::serialization(format!("STRING_VALUE can not be converted to {what}"))))
}

/// The members that the body holds; no body is an empty object.
fn body(model: &Model, shape: &Shape, body: &Bytes) -> Result<Map<String, Value>, Refused> {
    let payload = shape.payload.as_deref().and_then(|name| Some((name, model.shape(&shape.members.get(name)?.shape)?)));
    let wanted = payload.is_some() || shape.members.values().any(|member| member.location == Location::Body);
    if !wanted || body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let members = match payload {
        None => object(model, shape, body)?,
        Some((name, of)) => Value::Object(Map::from_iter([(name.to_owned(), whole(model, of, body)?)])),
    };
    if let Value::Object(members) = members { Ok(members) } else { Ok(Map::new()) }
}

/// A member that is the whole body.
fn whole(model: &Model, shape: &Shape, body: &Bytes) -> Result<Value, Refused> {
    match shape.kind {
        Kind::Structure => object(model, shape, body),
        Kind::Blob => Ok(Value::from(STANDARD.encode(body))),
        _ => Ok(Value::from(String::from_utf8_lossy(body))),
    }
}

fn object(model: &Model, shape: &Shape, body: &Bytes) -> Result<Value, Refused> {
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(Names { model, to: Side::Model }.value(shape, value)),
        Ok(_) => Err(Refused::Type(ApiError::serialization("Expected map or null"))),
        Err(error) => Err(Refused::Syntax(error.to_string())),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Model,
    Wire,
}

/// Gives members in JSON the names of one side, and leaves out what has none there.
struct Names<'a> {
    model: &'a Model,
    to: Side,
}

impl Names<'_> {
    fn value(&self, shape: &Shape, value: Value) -> Value {
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => self.structure(shape, members),
            (Kind::List, Value::Array(items)) => match &shape.member {
                Some(member) => items.into_iter().map(|item| self.member(member, item)).collect(),
                None => Value::Array(items),
            },
            (Kind::Map, Value::Object(entries)) => match &shape.value {
                Some(member) => entries.into_iter().map(|(key, value)| (key, self.member(member, value))).collect(),
                None => Value::Object(entries),
            },
            (Kind::Timestamp, Value::String(text)) if self.to == Side::Model => {
                super::iso_seconds(&text).unwrap_or(Value::String(text))
            }
            (Kind::Timestamp, seconds)
                if self.to == Side::Wire && shape.timestamp_format.as_deref() == Some("iso8601") =>
            {
                super::iso_time(&seconds).into()
            }
            (_, value) => value,
        }
    }

    fn structure(&self, shape: &Shape, mut members: Map<String, Value>) -> Value {
        let mut renamed = Map::new();
        for (name, member) in shape.members.iter().filter(|(_, member)| member.location == Location::Body) {
            let wire = wire_name(name, member);
            let (from, to) = if self.to == Side::Model { (wire, name.as_str()) } else { (name.as_str(), wire) };
            if let Some(value) = members.remove(from) {
                renamed.insert(to.to_owned(), self.member(member, value));
            }
        }
        Value::Object(renamed)
    }

    fn member(&self, member: &Member, value: Value) -> Value {
        match self.model.shape(&member.shape) {
            Some(shape) => self.value(shape, value),
            None => value,
        }
    }
}

/// The operation's status, or the one that a member gives; members in headers; and the body, if any is left for it.
pub(super) fn answer(model: &Model, operation: &Operation, mut members: Value) -> Response {
    let status = StatusCode::from_u16(operation.status).unwrap_or(StatusCode::OK);
    let Some(shape) = operation.output.as_deref().and_then(|name| model.shape(name)) else {
        return empty_response(status);
    };
    let (mut status, mut headers) = (status, HeaderMap::new());
    for (name, member) in &shape.members {
        let Some(value) = members.get(name) else { continue };
        match member.location {
            Location::StatusCode => {
                let given = value.as_u64().and_then(|code| u16::try_from(code).ok());
                status = given.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(status);
            }
            Location::Header => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let header = HeaderName::try_from(wire_name(name, member)).ok().zip(HeaderValue::try_from(text).ok());
                headers.extend(header);
            }
            Location::Body | Location::Uri | Location::Querystring | Location::Headers => {}
        }
    }
    let payload = shape
        .payload
        .as_deref()
        .and_then(|name| Some((members.get_mut(name).map(Value::take).unwrap_or_default(), shape.members.get(name)?)));
    let in_body = |member: &Member| member.location == Location::Body;
    let mut response = match payload {
        Some((value, member)) => of_whole(model, status, member, value),
        None if status == StatusCode::NO_CONTENT => empty_response(status),
        None if shape.members.is_empty() || shape.members.values().any(in_body) => {
            json_response(status, Names { model, to: Side::Wire }.value(shape, members).to_string())
        }
        None => empty_response(status),
    };
    response.headers_mut().extend(headers);
    response
}

/// A member that is the whole body; one that is no JSON says in a header what it is.
fn of_whole(model: &Model, status: StatusCode, member: &Member, value: Value) -> Response {
    let shape = model.shape(&member.shape);
    let (kind, body): (_, Body) = match (shape, value) {
        (_, Value::Null) => return empty_response(status),
        (Some(shape), value @ Value::Object(_)) => {
            return json_response(status, Names { model, to: Side::Wire }.value(shape, value).to_string());
        }
        (Some(Shape { kind: Kind::Blob, .. }), Value::String(text)) => {
            ("application/octet-stream", STANDARD.decode(text).unwrap_or_default().into())
        }
        (_, Value::String(text)) => ("text/plain", text.into()),
        (_, value) => ("application/json", value.to_string().into()),
    };
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
#[path = "rest_tests.rs"]
mod tests;
