//! Invoke on the wire.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::world::{World, config};

const INVOKE: &str = "/2015-03-31/functions/hello/invocations";

#[tokio::test]
async fn an_answer_has_lambdas_headers() {
    let world = World::start(config()).await;
    world.create("hello").await;
    let answer = world.send("POST", INVOKE, &[("x-amz-log-type", "Tail")], br#"{"a":1}"#).await;
    assert_eq!((answer.status, &*answer.body), (200, &br#"{"a":1}"#[..]));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("x-amz-log-result"), Some(&*STANDARD.encode("END\n")));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("x-amzn-trace-id").unwrap().starts_with("Root=1-"));
    assert_eq!((answer.count("date"), answer.count("x-amzn-requestid")), (1, 1));
    let seen = world.echo.seen.lock().unwrap();
    assert_eq!(seen[0].request_id.to_string(), answer.header("x-amzn-requestid").unwrap());
    assert_eq!(seen[0].invoked_arn, "arn:aws:lambda:us-east-1:000000000000:function:hello");
}

#[tokio::test]
async fn names_and_qualifiers_come_in_every_form() {
    let world = World::start(config()).await;
    world.create("hello").await;
    for name in [
        "hello",
        "hello:$LATEST",
        "hello%3A%24LATEST",
        "000000000000:function:hello",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ahello",
        "hello/invocations?Qualifier=%24LATEST#",
    ] {
        let path = match name.split_once('/') {
            Some(_) => format!("/2015-03-31/functions/{}", name.trim_end_matches('#')),
            None => format!("/2015-03-31/functions/{name}/invocations"),
        };
        let answer = world.send("POST", &path, &[], b"").await;
        assert_eq!((answer.status, answer.text()), (200, "{}".to_owned()), "{name}");
    }
    let differing = "/2015-03-31/functions/hello:$LATEST/invocations?Qualifier=1";
    let answer = world.send("POST", differing, &[], b"").await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (400, Some("InvalidParameterValueException")));
}

#[tokio::test]
async fn events_are_queued_and_dry_runs_run_nothing() {
    let world = World::start(config()).await;
    world.create("hello").await;
    let dry = world.send("POST", INVOKE, &[("x-amz-invocation-type", "DryRun")], b"").await;
    assert_eq!((dry.status, dry.body.len()), (204, 0));
    assert!(world.echo.seen.lock().unwrap().is_empty());
    let event = world.send("POST", INVOKE, &[("x-amz-invocation-type", "Event")], b"[1]").await;
    assert_eq!((event.status, event.body.len()), (202, 0));
    let old = world.send("POST", "/2014-11-13/functions/hello/invoke-async/", &[], b"[2]").await;
    assert_eq!((old.status, old.body.len()), (202, 0));
    let payloads: Vec<_> = world.echo.seen.lock().unwrap().iter().map(|seen| seen.payload.clone()).collect();
    assert_eq!(payloads, ["[1]", "[2]"]);
}

#[tokio::test]
async fn errors_are_lambdas() {
    let world = World::start(config()).await;
    for name in ["hello", "failing", "throttled", "broken"] {
        world.create(name).await;
    }
    let send = async |name: &str, body: &'static [u8]| {
        world.send("POST", &format!("/2015-03-31/functions/{name}/invocations"), &[], body).await
    };
    let failing = send("failing", b"").await;
    assert_eq!((failing.status, failing.header("x-amz-function-error")), (200, Some("Unhandled")));
    let throttled = send("throttled", b"").await;
    assert_eq!((throttled.status, throttled.header("retry-after")), (429, Some("1")));
    assert_eq!(throttled.json()["Reason"], "ConcurrentInvocationLimitExceeded");
    assert_eq!(throttled.json()["Type"], "User");
    let broken = send("broken", b"").await;
    assert_eq!((broken.status, broken.header("x-amzn-errortype")), (502, Some("InvalidRuntimeException")));
    assert_eq!(broken.json()["Message"], "no such runtime");
    let missing = send("missing", b"").await;
    assert_eq!((missing.status, missing.header("x-amzn-errortype")), (404, Some("ResourceNotFoundException")));
    let garbage = send("hello", b"{").await;
    assert_eq!((garbage.status, garbage.header("x-amzn-errortype")), (400, Some("InvalidRequestContentException")));
    let name = send("a%20b", b"").await;
    assert_eq!((name.status, name.header("x-amzn-errortype")), (400, Some("ValidationException")));
}

#[tokio::test]
async fn a_streamed_answer_is_an_event_stream() {
    let world = World::start(config()).await;
    world.create("hello").await;
    let path = "/2021-11-15/functions/hello/response-streaming-invocations";
    let answer = world.send("POST", path, &[], br#""streamed""#).await;
    assert_eq!(answer.header("content-type"), Some("application/vnd.amazon.eventstream"));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.text().matches("PayloadChunk").count(), 3);
    assert_eq!(answer.text().matches("InvokeComplete").count(), 1);
}

#[tokio::test]
async fn payloads_up_to_six_megabytes_pass() {
    let world = World::start(config()).await;
    world.create("hello").await;
    let largest = format!("\"{}\"", "x".repeat(6 * 1024 * 1024 - 2));
    let answer = world.send("POST", INVOKE, &[], largest.as_bytes()).await;
    assert_eq!((answer.status, answer.body.len()), (200, 6 * 1024 * 1024));
    let one_more = format!("{largest} ");
    let answer = world.send("POST", INVOKE, &[], one_more.as_bytes()).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (413, Some("RequestEntityTooLargeException")));
    assert_eq!(answer.json()["message"], "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
}
