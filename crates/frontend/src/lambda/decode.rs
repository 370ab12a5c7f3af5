//! A request's operation and its members, wherever they travel, as one checked JSON object.

use bytes::Bytes;
use hearth_aws_api::model::TextKind;
use hearth_aws_api::{ApiError, Location, Model, Operation, validate};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) operation: &'static Operation,
    /// Fits the operation's input structure.
    pub(super) input: Value,
}

pub(super) fn request(model: &'static Model, request: &http::Request<Bytes>) -> Result<Decoded, ApiError> {
    let query = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let query: Vec<(String, String)> = query.into_owned().collect();
    let matched = model.route(request.method().as_str(), request.uri().path(), &query);
    let matched = matched.ok_or_else(|| {
        ApiError::new(404, "UnknownOperationException", "The requested operation is not one of the service.")
    })?;
    let operation = matched.operation;
    let Some(structure) = operation.input.as_deref() else {
        return Ok(Decoded { operation, input: Value::Object(Map::new()) });
    };
    let mut input = match request.method().as_str() {
        "POST" | "PUT" => body(model, structure, request.body())?,
        _ => Map::new(),
    };
    for (member, location, name) in model.members(structure) {
        let kind = model.text_kind(structure, member);
        let value = match location {
            Location::Uri => {
                let raw = matched.parameters.iter().find(|(parameter, _)| *parameter == name);
                raw.map(|(_, raw)| text(kind, &decoded(raw)?)).transpose()?
            }
            Location::Querystring if kind == TextKind::List => {
                let values: Vec<Value> = values(&query, name).map(Value::from).collect();
                (!values.is_empty()).then_some(Value::Array(values))
            }
            Location::Querystring => values(&query, name).next().map(|value| text(kind, value)).transpose()?,
            Location::Header => {
                let value = request.headers().get(name).and_then(|value| value.to_str().ok());
                value.map(|value| text(kind, value)).transpose()?
            }
            Location::Body | Location::Headers | Location::StatusCode => continue,
        };
        match value {
            Some(value) => input.insert(member.to_owned(), value),
            None => input.remove(member),
        };
    }
    let mut input = Value::Object(input);
    validate::check(model, structure, &mut input)?;
    Ok(Decoded { operation, input })
}

/// The members that the body holds; no body is an empty object.
fn body(model: &Model, structure: &str, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let wanted = model.members(structure).any(|(_, location, _)| *location == Location::Body);
    if !wanted || body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(ApiError::serialization("Expected map or null")),
        Err(error) => Err(ApiError::new(
            400,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )),
    }
}

fn decoded(raw: &str) -> Result<String, ApiError> {
    let text = percent_decode_str(raw).decode_utf8();
    text.map(|text| text.into_owned())
        .map_err(|error| ApiError::serialization(format!("The path is not valid UTF-8: {error}")))
}

fn values<'q>(query: &'q [(String, String)], name: &'q str) -> impl Iterator<Item = &'q str> {
    query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn text(kind: TextKind, value: &str) -> Result<Value, ApiError> {
    let wrong = |what: &str| ApiError::serialization(format!("STRING_VALUE can not be converted to {what}"));
    match kind {
        TextKind::Integer => value.parse::<i64>().map(Value::from).ok().ok_or_else(|| wrong("an Integer")),
        TextKind::Boolean => value.parse::<bool>().map(Value::from).ok().ok_or_else(|| wrong("a Boolean")),
        TextKind::Text | TextKind::List => Ok(Value::from(value)),
    }
}

#[cfg(test)]
mod tests {
    use hearth_aws_api::Service;

    use super::*;

    fn decode(method: &str, uri: &str, body: &str) -> Result<Decoded, ApiError> {
        let request = http::Request::builder().method(method).uri(uri).body(Bytes::from(body.to_owned())).unwrap();
        super::request(Service::Lambda.model(), &request)
    }

    #[test]
    fn collects_members_from_path_query_and_body() {
        let decoded = decode(
            "PUT",
            "/2019-09-25/functions/hello%3Aprod/event-invoke-config?Qualifier=prod",
            r#"{"MaximumRetryAttempts":1}"#,
        )
        .unwrap();
        assert_eq!(decoded.operation.name, "PutFunctionEventInvokeConfig");
        let expected =
            serde_json::json!({"FunctionName": "hello:prod", "Qualifier": "prod", "MaximumRetryAttempts": 1});
        assert_eq!(decoded.input, expected);
    }

    #[test]
    fn a_body_cannot_speak_for_the_path() {
        let decoded = decode("PUT", "/2015-03-31/functions/a/code", r#"{"FunctionName":"b","DryRun":true}"#).unwrap();
        assert_eq!(decoded.input["FunctionName"], "a");
    }

    #[test]
    fn reads_lists_and_numbers_of_the_query() {
        let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
        let decoded = decode("DELETE", &format!("/2017-03-31/tags/{arn}?tagKeys=a&tagKeys=b%20c"), "").unwrap();
        assert_eq!(decoded.input["TagKeys"], serde_json::json!(["a", "b c"]));
        let decoded = self::decode("GET", "/2015-03-31/functions/?MaxItems=5", "").unwrap();
        assert_eq!(decoded.input["MaxItems"], 5);
        let error = self::decode("GET", "/2015-03-31/functions?MaxItems=x", "").unwrap_err();
        assert_eq!(error.name, "SerializationException");
    }

    #[test]
    fn refuses_what_is_no_json_and_what_is_no_operation() {
        let error = decode("POST", "/2015-03-31/functions", "{garbage").unwrap_err();
        assert_eq!((error.status, error.name), (400, "InvalidRequestContentException"));
        assert!(error.message.starts_with("Could not parse request body into json: "), "{}", error.message);
        let error = decode("POST", "/2015-03-31/functions", "[]").unwrap_err();
        assert_eq!((error.status, error.name), (400, "SerializationException"));
        let error = decode("GET", "/2015-03-31/nothing", "").unwrap_err();
        assert_eq!((error.status, error.name), (404, "UnknownOperationException"));
        let deep = "[".repeat(100_000);
        assert_eq!(decode("POST", "/2015-03-31/functions", &deep).unwrap_err().status, 400);
    }
}
