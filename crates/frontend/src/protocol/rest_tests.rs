//! Requests and answers of the services that speak rest-json.

use hearth_aws_api::Service;
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(service: Service, method: &str, uri: &str, body: &str) -> Result<(String, Value), ApiError> {
    let request = http::Request::builder().method(method).uri(uri).body(Bytes::from(body.to_owned())).unwrap();
    let model = service.model();
    let (operation, request) = route(model, request).expect("is an operation");
    let input = input(model, model.operation(&operation).unwrap(), request);
    input.map(|input| (operation, input)).map_err(|refused| refused.with_code("ValidationException"))
}

fn of_lambda(method: &str, uri: &str, body: &str) -> Result<(String, Value), ApiError> {
    read(Service::Lambda, method, uri, body)
}

async fn written(service: Service, operation: &str, members: Value) -> (u16, HeaderMap, String) {
    let model = service.model();
    let (parts, body) = answer(model, model.operation(operation).unwrap(), members).into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn members_come_from_path_query_and_body() {
    let uri = "/2019-09-25/functions/hello%3Aprod/event-invoke-config?Qualifier=prod";
    let (operation, input) = of_lambda("PUT", uri, r#"{"MaximumRetryAttempts":1}"#).unwrap();
    assert_eq!(operation, "PutFunctionEventInvokeConfig");
    assert_eq!(input, json!({"FunctionName": "hello:prod", "Qualifier": "prod", "MaximumRetryAttempts": 1}));
}

#[test]
fn a_body_cannot_speak_for_the_path() {
    let uri = "/2015-03-31/functions/a/code";
    let (_, input) = of_lambda("PUT", uri, r#"{"FunctionName":"b","DryRun":true}"#).unwrap();
    assert_eq!(input, json!({"FunctionName": "a", "DryRun": true}));
}

#[test]
fn lists_and_numbers_of_the_query_are_read() {
    let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
    let (_, input) = of_lambda("DELETE", &format!("/2017-03-31/tags/{arn}?tagKeys=a&tagKeys=b%20c"), "").unwrap();
    assert_eq!(input["TagKeys"], json!(["a", "b c"]));
    let (_, input) = of_lambda("GET", "/2015-03-31/functions/?MaxItems=5", "").unwrap();
    assert_eq!(input["MaxItems"], 5);
    let error = of_lambda("GET", "/2015-03-31/functions?MaxItems=x", "").unwrap_err();
    assert_eq!(
        (error.name, &*error.message),
        ("SerializationException", "STRING_VALUE can not be converted to an Integer")
    );
}

#[test]
fn what_is_no_json_object_is_refused() {
    for (body, message) in [("{garbage", "key must be a string"), ("[]", "Expected map or null")] {
        let error = of_lambda("POST", "/2015-03-31/functions", body).unwrap_err();
        assert_eq!((error.status, error.name), (400, "SerializationException"));
        assert!(error.message.starts_with(message), "{}", error.message);
    }
    assert_eq!(of_lambda("POST", "/2015-03-31/functions", &"[".repeat(100_000)).unwrap_err().status, 400);
    let nowhere = http::Request::get("/2015-03-31/nothing").body(Bytes::new()).unwrap();
    assert!(route(Service::Lambda.model(), nowhere).is_none());
}

#[test]
fn a_payload_is_the_whole_body_and_a_map_the_rest_of_the_query() {
    let uri = "/restapis?mode=import&failonwarnings=true&basepath=prepend";
    let (operation, input) = read(Service::ApiGateway, "POST", uri, "swagger: x").unwrap();
    assert_eq!(operation, "ImportRestApi");
    let body = STANDARD.encode("swagger: x");
    assert_eq!(input, json!({"failOnWarnings": true, "parameters": {"basepath": "prepend"}, "body": body}));
    let uri = "/2025-12-01/durable-executions/x/stop";
    let (_, input) = of_lambda("POST", uri, r#"{"ErrorType":"e"}"#).unwrap();
    assert_eq!(input, json!({"DurableExecutionArn": "x", "Error": {"ErrorType": "e"}}));
}

#[test]
fn members_of_bodies_have_the_models_names_at_every_depth() {
    let body = r#"{"name":"a","corsConfiguration":{"allowOrigins":["*"]},"protocolType":"HTTP","Name":"b"}"#;
    let (_, input) = read(Service::ApiGatewayV2, "POST", "/v2/apis", body).unwrap();
    let expected = json!({"Name": "a", "CorsConfiguration": {"AllowOrigins": ["*"]}, "ProtocolType": "HTTP"});
    assert_eq!(input, expected);
    let uri = "/restapis/r/resources/s/methods/GET/integration";
    let (_, input) = read(Service::ApiGateway, "PUT", uri, r#"{"type":"HTTP","httpMethod":"POST"}"#).unwrap();
    assert_eq!((&input["httpMethod"], &input["integrationHttpMethod"]), (&json!("GET"), &json!("POST")));
    let body = r#"{"ScheduleExpression":"rate(1 day)","StartDate":"2026-01-01T00:00:00Z"}"#;
    let (_, input) = read(Service::Scheduler, "POST", "/schedules/s", body).unwrap();
    assert_eq!(input["StartDate"], 1_767_225_600.0);
}

#[tokio::test]
async fn answers_have_the_names_and_dates_of_the_wire() {
    let members = json!({"ApiId": "a", "CorsConfiguration": {"AllowOrigins": ["*"]}, "CreatedDate": 1_767_225_600.5});
    let (status, headers, body) = written(Service::ApiGatewayV2, "CreateApi", members).await;
    assert_eq!((status, &headers["content-type"]), (201, &HeaderValue::from_static("application/json")));
    let expected =
        json!({"apiId": "a", "corsConfiguration": {"allowOrigins": ["*"]}, "createdDate": "2026-01-01T00:00:00Z"});
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    let (_, _, body) = written(Service::Scheduler, "GetSchedule", json!({"CreationDate": 1.5})).await;
    assert_eq!(body, r#"{"CreationDate":1.5}"#);
}

#[tokio::test]
async fn members_give_status_headers_and_whole_bodies() {
    let members =
        json!({"contentType": "application/yaml", "contentDisposition": "attachment", "body": STANDARD.encode("a: b")});
    let (status, headers, body) = written(Service::ApiGateway, "GetExport", members).await;
    assert_eq!((status, &*body), (200, "a: b"));
    assert_eq!(
        (&headers["content-type"], &headers["content-disposition"]),
        (&"application/yaml".parse().unwrap(), &"attachment".parse().unwrap())
    );
    let (status, headers, body) = written(Service::Lambda, "DeleteFunction", json!({"StatusCode": 204})).await;
    assert_eq!((status, headers.len(), &*body), (204, 0, ""));
}

#[tokio::test]
async fn an_output_without_members_is_an_empty_object_and_none_is_nothing() {
    let (status, _, body) = written(Service::Scheduler, "TagResource", json!({})).await;
    assert_eq!((status, &*body), (200, "{}"));
    let (status, _, body) = written(Service::Lambda, "TagResource", Value::Null).await;
    assert_eq!((status, &*body), (204, ""));
    let (status, _, body) = written(Service::Lambda, "DeleteCodeSigningConfig", json!({})).await;
    assert_eq!((status, &*body), (204, ""));
}

/// Any operation with anything in its place: `{parameters}`, query and body.
fn any_request() -> impl Strategy<Value = (Service, http::Request<Bytes>)> {
    let services = [Service::Lambda, Service::Scheduler, Service::ApiGateway, Service::ApiGatewayV2];
    let body = prop_oneof![
        Just(String::new()),
        ".{0,40}",
        r#"\{("[a-zA-Z]{1,12}":("x"|1|-2.5|null|\[1\]|\{\}),){0,4}"name":\{"a":[01]\}\}"#
    ];
    (
        prop::sample::select(services.to_vec()),
        any::<prop::sample::Index>(),
        "[a-z%0-9A-F:.]{1,12}",
        "[a-zA-Z]{1,8}=[a-z0-9%]{0,4}",
        body,
    )
        .prop_map(|(service, index, parameter, query, body)| {
            let operations: Vec<&Operation> = service.model().operations().collect();
            let operation = operations[index.index(operations.len())];
            let mut uri = operation.uri.clone();
            while let Some((before, rest)) = uri.split_once('{') {
                uri = format!("{before}{parameter}{}", rest.split_once('}').unwrap().1);
            }
            let uri = format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' });
            let request = http::Request::builder().method(&*operation.method).uri(uri);
            (service, request.body(Bytes::from(body)).unwrap())
        })
}

proptest! {
    /// What is read has no members but the input's, and checking it says what is wrong with it.
    #[test]
    fn whatever_comes_is_read_or_refused((service, request) in any_request()) {
        let model = service.model();
        let (name, request) = route(model, request).expect("has a route");
        let operation = model.operation(&name).unwrap();
        if let Ok(mut input) = input(model, operation, request) {
            let structure = operation.input.as_deref().unwrap_or_default();
            let known: Vec<&str> = model.members(structure).map(|(member, _, _)| member).collect();
            prop_assert!(input.as_object().unwrap().keys().all(|member| known.contains(&member.as_str())), "{name}: {input}");
            let _verdict = hearth_aws_api::validate::check(model, structure, &mut input);
        }
    }
}
