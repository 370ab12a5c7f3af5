//! The Lambda API from HTTP request to HTTP response, on a real store.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hearth_aws_api::{Location, Service};
use hearth_functions::{Functions, FunctionsConfig};
use hearth_iam::Iam;
use hearth_packages::{PackageLimits, Packages};
use hearth_store::{Embedded, Store};
use hearth_types::{RequestId, Timestamp};
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::context::RequestContext;
use crate::error::ApiError;
use crate::protocol::Protocol;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

struct World {
    _dir: tempfile::TempDir,
    functions: Arc<Functions>,
    context: RequestContext,
}

#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    error: Option<String>,
    body: Value,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(Embedded::open(&dir.path().join("store")).unwrap());
        let packages = Arc::new(Packages::open(&dir.path().join("code"), PackageLimits::default()).unwrap());
        let iam = Arc::new(Iam::open(Arc::clone(&store)).await.unwrap());
        let config = FunctionsConfig::new("us-east-1".parse().unwrap());
        let functions = Functions::open(store, packages, iam, config, Arc::new(|_| ())).await.unwrap();
        Self { _dir: dir, functions: Arc::new(functions), context: context() }
    }

    async fn send(&self, method: &str, uri: &str, body: &Value) -> Answer {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        self.send_text(method, uri, text).await
    }

    async fn send_text(&self, method: &str, uri: &str, body: String) -> Answer {
        let request = http::Request::builder().method(method).uri(uri).body(Bytes::from(body)).unwrap();
        let context = super::Context { backend: Arc::clone(&self.functions), request: self.context.clone() };
        let result = super::TABLE.handle(&crate::permit::Guard::lenient(), context, Protocol::LAMBDA, request).await;
        let response = result.unwrap_or_else(|error| error.into_response(Protocol::LAMBDA, &self.context.request_id));
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if !body.is_empty() {
            assert_eq!(parts.headers["content-type"], "application/json", "{uri}");
        }
        Answer {
            status: parts.status.as_u16(),
            error: parts.headers.get("x-amzn-errortype").map(|value| value.to_str().unwrap().to_owned()),
            body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() },
        }
    }

    async fn create(&self, name: &str) {
        let answer = self.send("POST", "/2015-03-31/functions", &function(name)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let deadline = Instant::now() + Duration::from_secs(10);
        let uri = format!("/2015-03-31/functions/{name}/configuration");
        while self.send("GET", &uri, &Value::Null).await.body["State"] != "Active" {
            assert!(Instant::now() < deadline, "{name} does not become active");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn context() -> RequestContext {
    RequestContext {
        home: "000000000000/us-east-1".parse().unwrap(),
        request_id: RequestId::from_random([7; 16]),
        principal_arn: "arn:aws:iam::000000000000:root".to_owned(),
        user_id: "000000000000".to_owned(),
        now: Timestamp::from_millis(1_790_000_000_123),
        endpoint: "http://127.0.0.1:4566".to_owned(),
    }
}

fn zip() -> String {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("index.py", zip::write::SimpleFileOptions::default()).unwrap();
    writer.write_all(b"def handler(event, context): return event").unwrap();
    STANDARD.encode(writer.finish().unwrap().into_inner())
}

fn function(name: &str) -> Value {
    json!({"FunctionName": name, "Role": ROLE, "Runtime": "python3.11", "Handler": "index.handler", "Code": {"ZipFile": zip()}})
}

#[tokio::test]
async fn a_function_is_created_shown_and_deleted() {
    let world = World::new().await;
    world.create("f").await;
    let answer = world.send("GET", "/2015-03-31/functions/f", &Value::Null).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["Configuration"]["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:f");
    assert_eq!(answer.body["Code"]["RepositoryType"], "S3");
    let location = answer.body["Code"]["Location"].as_str().unwrap();
    assert!(location.starts_with("http://127.0.0.1:4566/_hearth/code/"), "{location}");
    assert_eq!(answer.body.get("Tags"), None);
    let answer = world.send("DELETE", "/2015-03-31/functions/f", &Value::Null).await;
    assert_eq!(answer, Answer { status: 204, error: None, body: Value::Null });
    let answer = world.send("GET", "/2015-03-31/functions/f", &Value::Null).await;
    let message = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f";
    let body = json!({"Type": "User", "Message": message});
    assert_eq!(answer, Answer { status: 404, error: Some("ResourceNotFoundException".into()), body });
}

#[tokio::test]
async fn names_may_be_arns_percent_encoded_as_clients_do() {
    let world = World::new().await;
    world.create("f").await;
    let uri =
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af%3A%24LATEST/configuration";
    let answer = world.send("GET", uri, &Value::Null).await;
    assert_eq!(answer.body["FunctionArn"], "arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST");
    let uri = "/2015-03-31/functions/f/configuration?Qualifier=%24LATEST";
    assert_eq!(world.send("GET", uri, &Value::Null).await.body, answer.body);
}

#[tokio::test]
async fn bad_requests_get_lambdas_errors() {
    let world = World::new().await;
    let mut bad_type = function("f");
    bad_type["Timeout"] = json!("three");
    let mut bad_value = function("f");
    bad_value["MemorySize"] = json!(64);
    let mut bad_base64 = function("f");
    bad_base64["Code"]["ZipFile"] = json!("not base64!");
    let cases = [
        ("{", "InvalidRequestContentException", "Could not parse request body into json: "),
        (&bad_type.to_string(), "SerializationException", "STRING_VALUE can not be converted to an Integer"),
        (&bad_base64.to_string(), "SerializationException", "Invalid "),
        (
            &bad_value.to_string(),
            "ValidationException",
            "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must have value \
             greater than or equal to 128",
        ),
        ("{}", "ValidationException", "3 validation errors detected: "),
    ];
    for (body, name, message) in cases {
        let answer = world.send_text("POST", "/2015-03-31/functions", body.to_owned()).await;
        assert_eq!((answer.status, answer.error.as_deref()), (400, Some(name)));
        assert!(answer.body["message"].as_str().unwrap().starts_with(message), "{answer:?}");
    }
}

#[tokio::test]
async fn provisioned_concurrency_has_lambdas_wire_form() {
    let world = World::new().await;
    world.create("f").await;
    assert_eq!(world.send("POST", "/2015-03-31/functions/f/versions", &json!({})).await.status, 201);
    let uri = "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1";
    let missing = world.send("GET", uri, &Value::Null).await;
    assert_eq!(missing.error.as_deref(), Some("ProvisionedConcurrencyConfigNotFoundException"));
    let message = "No Provisioned Concurrency Config found for this function";
    assert_eq!((missing.status, missing.body), (404, json!({"Type": "User", "message": message})));
    let zero = world.send("PUT", uri, &json!({"ProvisionedConcurrentExecutions": 0})).await;
    assert_eq!((zero.status, zero.error.as_deref()), (400, Some("ValidationException")));
    let put = world.send("PUT", uri, &json!({"ProvisionedConcurrentExecutions": 2})).await;
    let config = json!({
        "RequestedProvisionedConcurrentExecutions": 2, "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0, "Status": "IN_PROGRESS", "LastModified": "2026-09-21T14:13:20+0000",
    });
    assert_eq!((put.status, &put.body), (202, &config));
    assert_eq!(world.send("GET", uri, &Value::Null).await.body, config);
    let list = world.send("GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", &Value::Null).await;
    let mut item = config;
    item["FunctionArn"] = json!("arn:aws:lambda:us-east-1:000000000000:function:f:1");
    assert_eq!((list.status, list.body), (200, json!({"ProvisionedConcurrencyConfigs": [item]})));
    assert_eq!(world.send("DELETE", uri, &Value::Null).await, Answer { status: 204, error: None, body: Value::Null });
}

/// A request for the operation that its model lets pass.
fn plain_request(name: &str) -> (String, String, Value) {
    let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af";
    let model = Service::Lambda.model();
    let operation = model.operation(name).unwrap();
    let mut uri = operation.uri.clone();
    for (parameter, value) in [
        ("FunctionName", "f"),
        ("Resource", arn),
        ("ResourceArn", arn),
        ("VersionNumber", "1"),
        ("UUID", "8fb0a1f4-6c77-4f2a-9a5e-2b1f3c4d5e6f"),
        ("CodeSigningConfigArn", "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-00000000000000000"),
    ] {
        uri = uri.replace(&format!("{{{parameter}}}"), value);
    }
    while let Some((before, rest)) = uri.split_once('{') {
        uri = format!("{before}x{}", rest.split_once('}').unwrap().1);
    }
    let mut query = Vec::new();
    for (member, location, wire) in model.members(operation.input.as_deref().unwrap_or_default()) {
        if *location == Location::Querystring && matches!(member, "Qualifier") {
            query.push(format!("{wire}=1"));
        }
    }
    if !query.is_empty() {
        uri = format!("{uri}{}{}", if uri.contains('?') { '&' } else { '?' }, query.join("&"));
    }
    (operation.method.clone(), uri, Value::Null)
}

#[tokio::test]
async fn every_operation_of_the_model_answers_as_lambda_does() {
    let world = World::new().await;
    world.create("f").await;
    for operation in Service::Lambda.model().operations() {
        let (method, uri, body) = plain_request(&operation.name);
        let answer = world.send(&method, &uri, &body).await;
        match &answer.error {
            None => {
                assert!(answer.status < 300, "{}: {answer:?}", operation.name);
                let output = operation.output.as_deref().unwrap_or_default();
                let known: Vec<&str> = Service::Lambda.model().members(output).map(|(member, _, _)| member).collect();
                for member in answer.body.as_object().into_iter().flat_map(|body| body.keys()) {
                    assert!(known.contains(&member.as_str()), "{}: {member}", operation.name);
                }
            }
            Some(name) => {
                assert!((400..500).contains(&answer.status), "{}: {answer:?}", operation.name);
                if let Some(exception) = Service::Lambda.model().exception(name) {
                    assert_eq!(answer.status, exception.status, "{}", operation.name);
                    assert!(answer.body.get(exception.message).is_some(), "{answer:?}");
                }
            }
        }
    }
}

#[test]
fn messages_have_the_key_that_the_model_gives_each_exception() {
    let id = RequestId::from_random([7; 16]);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for operation in Service::Lambda.model().operations() {
        for name in &operation.errors {
            let exception = Service::Lambda.model().exception(name).unwrap();
            let status = http::StatusCode::from_u16(exception.status).unwrap();
            let response = ApiError::new(status, name.clone(), "m").into_response(Protocol::LAMBDA, &id);
            let body = runtime.block_on(response.into_body().collect()).unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body[exception.message], "m", "{name}");
        }
    }
}
