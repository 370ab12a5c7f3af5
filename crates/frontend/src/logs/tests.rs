//! CloudWatch Logs, from request to response.

use bytes::Bytes;
use hearth_logs::LogConfig;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;
use crate::context::{RequestContext, Response};
use crate::protocol::Protocol;

struct Fixture {
    _dir: tempfile::TempDir,
    store: LogStore,
    stopping: CancellationToken,
}

const NOW: u64 = 1_800_000_000_000;

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = LogStore::open(dir.path(), LogConfig::default(), &"eu-west-1".parse().unwrap()).unwrap();
        Self { _dir: dir, store, stopping: CancellationToken::new() }
    }

    async fn start(&self, operation: &str, input: &Value) -> Result<Response, ApiError> {
        let context = RequestContext {
            home: "123456789012/eu-west-1".parse().unwrap(),
            request_id: "8fb0a1f4-6c77-4f2a-9a5e-2b1f3c4d5e6f".parse().unwrap(),
            principal_arn: String::new(),
            user_id: String::new(),
            now: hearth_types::Timestamp::from_millis(NOW),
            endpoint: String::new(),
        };
        let request = http::Request::post("/").header("x-amz-target", format!("Logs_20140328.{operation}"));
        let request = request.body(Bytes::from(input.to_string())).unwrap();
        let logs = Logs { store: self.store.clone(), stopping: self.stopping.clone() };
        let context = service::Context { backend: logs, request: context };
        TABLE.handle(&crate::permit::Guard::lenient(), context, Protocol::JSON, request).await
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        let response = self.start(operation, &input).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() }
    }

    async fn code(&self, operation: &str, input: Value) -> String {
        self.start(operation, &input).await.unwrap_err().code.into_owned()
    }
}

#[tokio::test]
async fn what_is_put_is_got_and_filtered() {
    let logs = Fixture::new();
    let stream = json!({ "logGroupName": "/aws/lambda/f", "logStreamName": "2026/01/01/[$LATEST]ab" });
    logs.call("CreateLogGroup", json!({ "logGroupName": "/aws/lambda/f", "tags": { "a": "b" } })).await;
    logs.call("CreateLogStream", stream.clone()).await;
    let mut put = stream.clone();
    put["logEvents"] = json!([
        { "timestamp": NOW - 20 * 24 * 3600 * 1000, "message": "ancient" },
    ]);
    let rejected = logs.call("PutLogEvents", put.clone()).await;
    assert_eq!(rejected["rejectedLogEventsInfo"], json!({ "tooOldLogEventEndIndex": 1 }));
    put["logEvents"] = json!([
        { "timestamp": NOW, "message": "START" },
        { "timestamp": NOW + 1, "message": "ERROR boom" },
    ]);
    assert_eq!(logs.call("PutLogEvents", put).await["rejectedLogEventsInfo"], Value::Null);

    let mut get = stream.clone();
    get["startFromHead"] = json!(true);
    let page = logs.call("GetLogEvents", get.clone()).await;
    assert_eq!(page["events"][0]["message"], "START");
    assert_eq!(page["events"].as_array().unwrap().len(), 2);
    get["nextToken"] = page["nextForwardToken"].clone();
    let end = logs.call("GetLogEvents", get).await;
    assert_eq!(end["events"], json!([]));
    assert_eq!(end["nextForwardToken"], page["nextForwardToken"]);

    let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f";
    let filter = json!({ "logGroupIdentifier": arn, "filterPattern": "ERROR", "endTime": NOW + 1 });
    let found = logs.call("FilterLogEvents", filter).await;
    assert_eq!(found["events"].as_array().unwrap().len(), 1);
    assert_eq!(found["events"][0]["logStreamName"], "2026/01/01/[$LATEST]ab");
    let before = json!({ "logGroupName": "/aws/lambda/f", "endTime": NOW });
    assert_eq!(logs.call("FilterLogEvents", before).await["events"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn groups_are_described_tagged_and_retained() {
    let logs = Fixture::new();
    for name in ["/a/1", "/a/2", "/b/1"] {
        logs.call("CreateLogGroup", json!({ "logGroupName": name })).await;
    }
    let page = logs.call("DescribeLogGroups", json!({ "logGroupNamePrefix": "/a", "limit": 1 })).await;
    assert_eq!(page["logGroups"][0]["arn"], "arn:aws:logs:eu-west-1:123456789012:log-group:/a/1:*");
    let token = page["nextToken"].clone();
    let rest = logs.call("DescribeLogGroups", json!({ "logGroupNamePrefix": "/a", "nextToken": token })).await;
    assert_eq!(rest["logGroups"][0]["logGroupName"], "/a/2");
    assert_eq!(rest["nextToken"], Value::Null);
    logs.call("PutRetentionPolicy", json!({ "logGroupName": "/b/1", "retentionInDays": 7 })).await;
    let group = logs.call("DescribeLogGroups", json!({ "logGroupNamePattern": "B/" })).await;
    assert_eq!(group["logGroups"][0]["retentionInDays"], 7);
    let arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/b/1";
    logs.call("TagResource", json!({ "resourceArn": arn, "tags": { "k": "v", "l": "w" } })).await;
    logs.call("UntagResource", json!({ "resourceArn": arn, "tagKeys": ["l"] })).await;
    assert_eq!(logs.call("ListTagsForResource", json!({ "resourceArn": arn })).await["tags"], json!({ "k": "v" }));
    assert_eq!(logs.call("ListTagsLogGroup", json!({ "logGroupName": "/b/1" })).await["tags"], json!({ "k": "v" }));
}

#[tokio::test]
async fn refusals_have_the_names_of_the_service() {
    let logs = Fixture::new();
    let group = json!({ "logGroupName": "g" });
    logs.call("CreateLogGroup", group.clone()).await;
    for (operation, input, code) in [
        ("CreateLogGroup", group.clone(), "ResourceAlreadyExistsException"),
        ("CreateLogGroup", json!({ "logGroupName": "a b" }), "InvalidParameterException"),
        ("CreateLogGroup", json!({ "logGroupName": 7 }), "SerializationException"),
        ("DeleteLogGroup", json!({ "logGroupName": "none" }), "ResourceNotFoundException"),
        ("DescribeLogStreams", json!({ "logGroupName": "none" }), "ResourceNotFoundException"),
        ("DescribeLogStreams", json!({}), "InvalidParameterException"),
        ("PutRetentionPolicy", json!({ "logGroupName": "g", "retentionInDays": 2 }), "InvalidParameterException"),
        ("GetLogEvents", json!({ "logGroupName": "g", "logStreamName": "none" }), "ResourceNotFoundException"),
        ("FilterLogEvents", json!({ "logGroupName": "g", "filterPattern": "{" }), "InvalidParameterException"),
        ("FilterLogEvents", json!({ "logGroupName": "g", "limit": 0 }), "InvalidParameterException"),
        ("StartLiveTail", json!({ "logGroupIdentifiers": ["none"] }), "ResourceNotFoundException"),
        ("StartQuery", json!({}), "UnknownOperationException"),
    ] {
        assert_eq!(logs.code(operation, input.clone()).await, code, "{operation} {input}");
    }
}

#[tokio::test]
async fn a_live_tail_begins_shows_what_is_written_and_ends_with_the_server() {
    let logs = Fixture::new();
    logs.call("CreateLogGroup", json!({ "logGroupName": "g" })).await;
    let input = json!({ "logGroupIdentifiers": ["g"], "logEventFilterPattern": "wanted" });
    let mut body = logs.start("StartLiveTail", &input).await.unwrap().into_body();
    let mut read = String::new();
    logs.call("CreateLogStream", json!({ "logGroupName": "g", "logStreamName": "s" })).await;
    let events = json!([{ "timestamp": NOW, "message": "wanted 1" }, { "timestamp": NOW, "message": "other" }]);
    logs.call("PutLogEvents", json!({ "logGroupName": "g", "logStreamName": "s", "logEvents": events })).await;
    while !read.contains("wanted 1") {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        read.push_str(&String::from_utf8_lossy(&frame));
    }
    assert!(read.find("initial-response").unwrap() < read.find("sessionStart").unwrap());
    assert!(!read.contains("other"));
    logs.stopping.cancel();
    let rest = body.collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&rest).contains("SessionTimeoutException"));
}

/// In the words that were recorded from the service.
#[tokio::test]
async fn names_and_limits_are_refused_in_awss_words() {
    let logs = Fixture::new();
    logs.call("CreateLogGroup", json!({ "logGroupName": "g" })).await;
    logs.call("CreateLogStream", json!({ "logGroupName": "g", "logStreamName": "s" })).await;
    let constraint = |value: &str, member: &str, rule: &str| {
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
        )
    };
    let long = "a".repeat(513);
    let too_long = "Invalid LogGroup or LogStream, both must have length less than or equal to 512.".to_owned();
    let both = json!({ "logGroupName": "g", "logGroupIdentifier": "g" });
    for (operation, input, code, message) in [
        ("CreateLogGroup", json!({ "logGroupName": long }), "InvalidParameterException", too_long.clone()),
        (
            "CreateLogStream",
            json!({ "logGroupName": "g", "logStreamName": long }),
            "InvalidParameterException",
            too_long,
        ),
        (
            "CreateLogStream",
            json!({ "logGroupName": "g", "logStreamName": "" }),
            "InvalidParameterException",
            constraint("", "logStreamName", "have length greater than or equal to 1"),
        ),
        // Recorded: not even the ARN that DescribeLogGroups gives.
        (
            "FilterLogEvents",
            json!({ "logGroupIdentifier": "arn:aws:logs:eu-west-1:123456789012:log-group:g:*" }),
            "InvalidParameterException",
            constraint(
                "arn:aws:logs:eu-west-1:123456789012:log-group:g:*",
                "logGroupIdentifier",
                "satisfy regular expression pattern: [\\w#+=/:,.@-]*",
            ),
        ),
        (
            "CreateLogGroup",
            json!({ "logGroupName": "a b" }),
            "InvalidParameterException",
            constraint("a b", "logGroupName", "satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+"),
        ),
        (
            "FilterLogEvents",
            json!({ "logGroupName": "g", "limit": 10001 }),
            "InvalidParameterException",
            constraint("10001", "limit", "have value less than or equal to 10000"),
        ),
        (
            "DescribeLogGroups",
            json!({ "limit": 0 }),
            "InvalidParameterException",
            constraint("0", "limit", "have value greater than or equal to 1"),
        ),
        (
            "DescribeLogStreams",
            both,
            "ValidationException",
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.".to_owned(),
        ),
    ] {
        let error = logs.start(operation, &input).await.unwrap_err();
        assert_eq!((&*error.code, error.message), (code, message), "{operation}");
    }
}

#[tokio::test]
async fn what_a_pattern_finds_has_fewer_members() {
    let logs = Fixture::new();
    logs.call("CreateLogGroup", json!({ "logGroupName": "/aws/lambda/one" })).await;
    let members = |answer: &Value| answer["logGroups"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let whole = logs.call("DescribeLogGroups", json!({ "logGroupNamePrefix": "/aws" })).await;
    let found = logs.call("DescribeLogGroups", json!({ "logGroupNamePattern": "LAMBDA" })).await;
    assert_eq!(
        members(&found),
        ["arn", "creationTime", "logGroupArn", "logGroupClass", "logGroupName", "metricFilterCount"]
    );
    assert!(members(&whole).contains(&"storedBytes".to_owned()));
}
