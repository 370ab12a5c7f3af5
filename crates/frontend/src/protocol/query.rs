//! The query protocol: parameters of a form in, XML out.
//!
//! ```text
//! structure  Name.Member                  <Name><Member>..</Member></Name>
//! list       Name.member.1, ..            <Name><member>..</member></Name>
//! flattened  Name.1, ..                   <Name>..</Name><Name>..</Name>
//! map        Name.entry.1.key, .value     <Name><entry><key>..</key><value>..</value></entry></Name>
//! ```

use std::collections::BTreeMap;

use bytes::Bytes;
use hearth_aws_api::model::{Member, Model, Operation, Shape};
use hearth_aws_api::validate::Refused;
use hearth_aws_api::{ApiError, Kind};
use hearth_types::RequestId;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::legacy;
use crate::context::{Response, typed_response};

/// Parameters of a request; more are not looked at.
const PARAMETERS_MAX: usize = 2000;

/// The parameters of a request, from its query and its body.
#[derive(Debug, Default)]
pub(super) struct Form {
    values: BTreeMap<String, String>,
}

impl Form {
    pub(super) fn of(request: &http::Request<Bytes>) -> Self {
        let query = form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes());
        let body = form_urlencoded::parse(request.body());
        let values =
            query.chain(body).take(PARAMETERS_MAX).map(|(name, value)| (name.into_owned(), value.into_owned()));
        Self { values: values.collect() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether the member, or any part of it, is given.
    fn has(&self, name: &str) -> bool {
        let parts = format!("{name}.");
        let next = self.values.range(parts.clone()..).next();
        self.values.contains_key(name) || next.is_some_and(|(key, _)| key.starts_with(&parts))
    }
}

/// The members of the operation's input that the form has.
pub(super) fn input(model: &Model, operation: &Operation, form: &Form) -> Result<Value, Refused> {
    let shape = operation.input.as_deref().and_then(|name| model.shape(name));
    let reader = Reader { model, form };
    shape.map_or_else(|| Ok(Value::Object(Map::new())), |shape| reader.structure(shape, ""))
}

struct Reader<'a> {
    model: &'a Model,
    form: &'a Form,
}

impl Reader<'_> {
    fn structure(&self, shape: &Shape, prefix: &str) -> Result<Value, Refused> {
        let mut members = Map::new();
        for (name, member) in &shape.members {
            let path = format!("{prefix}{}", legacy::name(self.model, name, member));
            if self.form.has(&path) {
                members.insert(name.clone(), self.value(member, &path)?);
            }
        }
        Ok(Value::Object(members))
    }

    fn value(&self, member: &Member, path: &str) -> Result<Value, Refused> {
        let Some(shape) = self.model.shape(&member.shape) else { return Ok(Value::Null) };
        match shape.kind {
            Kind::Structure => self.structure(shape, &format!("{path}.")),
            Kind::List => self.list(shape, path, member.flattened || shape.flattened),
            Kind::Map => self.map(member, shape, path),
            kind => scalar(kind, self.form.get(path).unwrap_or_default()),
        }
    }

    /// `Name=` alone is an empty list.
    fn list(&self, shape: &Shape, path: &str, flattened: bool) -> Result<Value, Refused> {
        let Some(member) = &shape.member else { return Ok(Value::Null) };
        let step = if flattened { "" } else { ".member" };
        let paths = (1..=PARAMETERS_MAX).map(|index| format!("{path}{step}.{index}"));
        paths.take_while(|path| self.form.has(path)).map(|path| self.value(member, &path)).collect()
    }

    fn map(&self, member: &Member, shape: &Shape, path: &str) -> Result<Value, Refused> {
        let Some(value) = &shape.value else { return Ok(Value::Null) };
        let (key_name, value_name) = legacy::pair(self.model, &member.shape);
        let step = if member.flattened || shape.flattened { "" } else { ".entry" };
        let paths = (1..=PARAMETERS_MAX).map(|index| format!("{path}{step}.{index}"));
        let entries = paths.take_while(|path| self.form.has(path)).map(|path| {
            let key = self.form.get(&format!("{path}.{key_name}")).unwrap_or_default();
            Ok((key.to_owned(), self.value(value, &format!("{path}.{value_name}"))?))
        });
        entries.collect::<Result<Map<_, _>, _>>().map(Value::Object)
    }
}

fn scalar(kind: Kind, text: &str) -> Result<Value, Refused> {
    let read = match kind {
        Kind::Integer | Kind::Long => text.parse::<i64>().ok().map(Value::from),
        Kind::Float | Kind::Double => text.parse::<f64>().ok().map(Value::from),
        Kind::Boolean => text.to_ascii_lowercase().parse::<bool>().ok().map(Value::from),
        Kind::Timestamp => super::iso_seconds(text),
        Kind::String | Kind::Blob | Kind::List | Kind::Map | Kind::Structure => Some(Value::from(text)),
    };
    read.ok_or_else(|| {
        let text: String = text.chars().take(100).collect();
        let message = format!("'{text}' cannot be read as a value of type {kind:?}");
        Refused::Type(ApiError::new(400, "MalformedInput", message))
    })
}

/// 200 with `<ActionResponse>`: the result, if the operation has one, and the metadata.
pub(super) fn answer(
    model: &Model,
    operation: &Operation,
    namespace: &str,
    members: &Value,
    id: RequestId,
) -> Response {
    let name = &operation.name;
    let mut writer = Writer { model, text: format!("<{name}Response xmlns=\"{namespace}\">") };
    if let Some(shape) = operation.output.as_deref().and_then(|output| model.shape(output)) {
        let result = operation.result_wrapper.clone().unwrap_or_else(|| format!("{name}Result"));
        writer.element(&result, |writer| writer.structure(shape, members));
    }
    writer.element("ResponseMetadata", |writer| writer.scalar("RequestId", &id.to_string()));
    writer.text.push_str(&format!("</{name}Response>"));
    typed_response(StatusCode::OK, "text/xml", writer.text)
}

/// The same for `Accept: application/json`.
pub(super) fn answer_json(operation: &Operation, members: &Value, id: RequestId) -> Response {
    let mut response = json!({ "ResponseMetadata": { "RequestId": id.to_string() } });
    if operation.output.is_some() {
        let result = operation.result_wrapper.clone().unwrap_or_else(|| format!("{}Result", operation.name));
        response[result] = members.clone();
    }
    let body = json!({ format!("{}Response", operation.name): response });
    typed_response(StatusCode::OK, "application/json", body.to_string())
}

struct Writer<'a> {
    model: &'a Model,
    text: String,
}

impl Writer<'_> {
    fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.text.extend(["<", name, ">"]);
        inner(self);
        self.text.extend(["</", name, ">"]);
    }

    fn scalar(&mut self, name: &str, text: &str) {
        let legal: String = text.chars().filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r')).collect();
        self.element(name, |writer| writer.text.push_str(&quick_xml::escape::escape(&*legal)));
    }

    fn structure(&mut self, shape: &Shape, members: &Value) {
        for (name, member) in &shape.members {
            if let Some(value) = members.get(name) {
                self.value(legacy::name(self.model, name, member), member, value);
            }
        }
    }

    fn value(&mut self, name: &str, member: &Member, value: &Value) {
        let Some(shape) = self.model.shape(&member.shape) else { return };
        let flattened = member.flattened || shape.flattened;
        match (shape.kind, value) {
            (Kind::Structure, _) => self.element(name, |writer| writer.structure(shape, value)),
            (Kind::List, Value::Array(items)) => self.list(name, shape, items, flattened),
            (Kind::Map, Value::Object(entries)) => self.map((name, member), shape, entries),
            (Kind::Timestamp, value) => self.scalar(name, &super::iso_time(value)),
            (_, Value::String(text)) => self.scalar(name, text),
            (_, value) => self.scalar(name, &value.to_string()),
        }
    }

    fn list(&mut self, name: &str, shape: &Shape, items: &[Value], flattened: bool) {
        let Some(member) = &shape.member else { return };
        let item_name = member.location_name.as_deref();
        if flattened {
            items.iter().for_each(|item| self.value(item_name.unwrap_or(name), member, item));
        } else {
            self.element(name, |writer| {
                items.iter().for_each(|item| writer.value(item_name.unwrap_or("member"), member, item));
            });
        }
    }

    fn map(&mut self, (name, member): (&str, &Member), shape: &Shape, entries: &Map<String, Value>) {
        let Some(value_member) = &shape.value else { return };
        let (key_name, value_name) = legacy::pair(self.model, &member.shape);
        let write = |writer: &mut Self, element: &str| {
            for (key, value) in entries {
                writer.element(element, |writer| {
                    writer.scalar(key_name, key);
                    writer.value(value_name, value_member, value);
                });
            }
        };
        if member.flattened || shape.flattened {
            write(self, name);
        } else {
            self.element(name, |writer| write(writer, "entry"));
        }
    }
}

#[cfg(test)]
mod tests {
    use hearth_aws_api::Service;
    use http_body_util::BodyExt;

    use super::*;

    fn read(service: Service, operation: &str, query: &str, body: &str) -> Result<Value, Refused> {
        let request = http::Request::post(format!("/?{query}")).body(Bytes::from(body.to_owned())).unwrap();
        let model = service.model();
        input(model, model.operation(operation).unwrap(), &Form::of(&request))
    }

    async fn written(service: Service, operation: &str, members: &Value) -> String {
        let model = service.model();
        let id = "8fb0a1f4-6c77-4f2a-9a5e-2b1f3c4d5e6f".parse().unwrap();
        let response = answer(model, model.operation(operation).unwrap(), "urn:x", members, id);
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[test]
    fn members_come_from_query_and_body_as_the_model_has_them() {
        let form =
            "RoleName=r&Tags.member.1.Key=k%20&Tags.member.1.Value=v&Tags.member.2.Key=l&Tags.member.4.Key=x&Other=1";
        let input = read(Service::Iam, "CreateRole", "Action=CreateRole&MaxSessionDuration=3600", form).unwrap();
        let expected = json!({
            "RoleName": "r", "MaxSessionDuration": 3600, "Tags": [{ "Key": "k ", "Value": "v" }, { "Key": "l" }],
        });
        assert_eq!(input, expected);
        assert_eq!(read(Service::Iam, "UntagRole", "", "TagKeys=").unwrap(), json!({ "TagKeys": [] }));
    }

    #[test]
    fn maps_have_numbered_entries() {
        let form = "Name=t&Attributes.entry.1.key=A&Attributes.entry.1.value=1&Attributes.entry.2.key=B&Attributes.entry.2.value=2";
        let input = read(Service::Sns, "CreateTopic", "", form).unwrap();
        assert_eq!(input, json!({ "Name": "t", "Attributes": { "A": "1", "B": "2" } }));
    }

    #[test]
    fn sqs_numbers_its_members_in_the_singular() {
        let form = "QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=k&Tag.1.Value=v";
        let input = read(Service::Sqs, "CreateQueue", "", form).unwrap();
        assert_eq!(input, json!({ "QueueName": "q", "Attributes": { "DelaySeconds": "5" }, "tags": { "k": "v" } }));
        let form = "QueueUrl=u&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=b\
                    &SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n\
                    &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String\
                    &SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=s";
        let attributes = json!({ "n": { "DataType": "String", "StringValue": "s" } });
        let entries = json!([{ "Id": "a", "MessageBody": "b", "MessageAttributes": attributes }]);
        let input = read(Service::Sqs, "SendMessageBatch", "", form).unwrap();
        assert_eq!(input, json!({ "QueueUrl": "u", "Entries": entries }));
    }

    #[tokio::test]
    async fn sqs_writes_its_messages_as_before() {
        let members = json!({ "Messages": [{ "MessageId": "m", "Attributes": { "SentTimestamp": "1" } }] });
        let text = written(Service::Sqs, "ReceiveMessage", &members).await;
        assert!(
            text.contains(
                "<ReceiveMessageResult><Message><MessageId>m</MessageId><Attribute><Name>SentTimestamp</Name>\
                 <Value>1</Value></Attribute></Message></ReceiveMessageResult>"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["x", "", "1.5"] {
            let refused = read(Service::Iam, "ListRoles", "", &format!("MaxItems={text}")).unwrap_err();
            assert_eq!(refused.with_code("ValidationError").name, "MalformedInput");
        }
    }

    #[tokio::test]
    async fn answers_have_the_models_order_and_are_escaped_and_legal() {
        let members = json!({
            "Roles": [{ "RoleName": "<a>\u{1}&", "Path": "/", "CreateDate": 1_440_938_160.999, "MaxSessionDuration": 3600 }],
            "IsTruncated": false,
        });
        assert_eq!(
            written(Service::Iam, "ListRoles", &members).await,
            "<ListRolesResponse xmlns=\"urn:x\"><ListRolesResult><Roles><member><Path>/</Path>\
             <RoleName>&lt;a&gt;&amp;</RoleName><CreateDate>2015-08-30T12:36:00Z</CreateDate>\
             <MaxSessionDuration>3600</MaxSessionDuration></member></Roles><IsTruncated>false</IsTruncated></ListRolesResult>\
             <ResponseMetadata><RequestId>8fb0a1f4-6c77-4f2a-9a5e-2b1f3c4d5e6f</RequestId></ResponseMetadata></ListRolesResponse>"
        );
        let nothing = written(Service::Iam, "DeleteRole", &Value::Null).await;
        assert!(!nothing.contains("Result"), "{nothing}");
    }
}
