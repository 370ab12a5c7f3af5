//! Routing between services, functions' tunnels and the pages of the daemon.

use bytes::Bytes;
use hearth_frontend::{FrontendConfig, FunctionIdentity};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_util::sync::CancellationToken;

use crate::world::{World, config};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn identity() -> FunctionIdentity {
    FunctionIdentity {
        account: "123456789012".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        session_arn: "arn:aws:sts::123456789012:assumed-role/r/f".to_owned(),
    }
}

#[tokio::test]
async fn one_port_speaks_every_service() {
    let world = World::start(config()).await;
    let whoami = world.send("POST", "/", &[FORM], b"Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!((whoami.status, whoami.header("content-type")), (200, Some("text/xml")));
    assert!(whoami.text().contains("<Arn>arn:aws:iam::000000000000:root</Arn>"), "{}", whoami.text());
    let roles = world.send("POST", "/", &[FORM], b"Action=ListRoles&Version=2010-05-08").await;
    assert!(roles.text().contains("<IsTruncated>false</IsTruncated>"), "{}", roles.text());
    let target = ("x-amz-target", "Logs_20140328.DescribeLogGroups");
    let groups = world.send("POST", "/", &[target], b"{}").await;
    assert_eq!(groups.json()["logGroups"], serde_json::json!([]));
    let functions = world.send("GET", "/2015-03-31/functions/", &[], b"").await;
    assert_eq!(functions.json()["Functions"], serde_json::json!([]));
}

#[tokio::test]
async fn services_that_are_not_spoken_are_named() {
    let world = World::start(config()).await;
    let stream = world.send("POST", "/", &[("x-amz-target", "Kinesis_20131202.PutRecord")], b"{}").await;
    assert_eq!(stream.status, 501);
    assert_eq!(stream.json()["__type"], "NotImplemented");
    assert!(stream.json()["message"].as_str().unwrap().ends_with("iam, lambda, logs, sqs, sts"), "{}", stream.text());
    let action = world.send("POST", "/", &[FORM], b"Action=Nonsense&Version=2010-05-08").await;
    assert!(action.text().contains("<Code>InvalidAction</Code>"), "{}", action.text());
}

#[tokio::test]
async fn pages_of_the_daemon() {
    let world = World::start(config()).await;
    assert_eq!(world.send("GET", "/_hearth/health", &[], b"").await.json()["status"], "ok");
    assert_eq!(world.send("GET", "/_hearth/state", &[], b"").await.json()["sandboxes"], serde_json::json!([]));
    assert_eq!(world.send("GET", "/_hearth/nothing", &[], b"").await.status, 404);
    world.create("hello").await;
    let function = world.send("GET", "/2015-03-31/functions/hello", &[], b"").await.json();
    let location = function["Code"]["Location"].as_str().unwrap();
    let path = &location[location.find("/_hearth").unwrap()..];
    let package = world.send("GET", path, &[], b"").await;
    assert_eq!((package.status, &package.body[..2]), (200, &b"PK"[..]));
    let forged = world.send("GET", &path.replace("signature=", "signature=0"), &[], b"").await;
    assert_eq!(forged.status, 403);
}

/// Whoever asks for a function URL or an API that is not there hears so as from AWS, whatever the path and whether or not there
/// are keys; never from Lambda.
#[tokio::test]
async fn hosts_of_functions_and_apis_are_no_services() {
    for world in [World::start(config()).await, World::start_guarded(config()).await] {
        for path in ["/", "/2015-03-31/functions/", "/_hearth/health", "/2015-03-31/functions/f/invocations"] {
            let url = world.send("POST", path, &[("host", "x.lambda-url.localhost:4566")], b"{}").await;
            assert_eq!((url.status, url.text().as_str()), (403, r#"{"Message":null}"#), "{path}");
            assert_eq!(url.header("content-type"), Some("application/json"));
            assert_eq!(url.header("x-amzn-errortype"), Some("AccessDeniedException"));
            assert_eq!(url.count("x-amzn-requestid"), 1);
            let api = world.send("GET", path, &[("host", "x.execute-api.us-east-1.localhost")], b"").await;
            assert_eq!((api.status, api.text().as_str()), (403, r#"{"message":"Forbidden"}"#), "{path}");
            assert_eq!(api.header("x-amzn-errortype"), Some("ForbiddenException"));
        }
    }
}

#[tokio::test]
async fn with_keys_only_health_is_open() {
    let world = World::start_guarded(config()).await;
    assert_eq!(world.send("GET", "/_hearth/health", &[], b"").await.status, 200);
    for path in ["/_hearth/state", "/_hearth/metrics", "/2015-03-31/functions/"] {
        let answer = world.send("GET", path, &[], b"").await;
        assert_eq!(answer.status, 403, "{path}");
        assert_eq!(answer.header("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
    }
    let invoke = world.send("POST", "/2015-03-31/functions/f/invocations", &[], b"").await;
    assert_eq!(invoke.header("x-amzn-errortype"), Some("MissingAuthenticationTokenException"));
    let whoami = world.send("POST", "/", &[FORM], b"Action=GetCallerIdentity").await;
    assert!(whoami.text().contains("<Code>MissingAuthenticationToken</Code>"), "{}", whoami.text());
}

#[tokio::test]
async fn metrics_are_open_to_their_token() {
    let token = "a-token-for-prometheus";
    let world = World::start_guarded(FrontendConfig { metrics_token: Some(token.to_owned()), ..config() }).await;
    let read =
        async |path, authorization: String| world.send("GET", path, &[("authorization", &authorization)], b"").await;
    let answer = read("/_hearth/metrics", format!("Bearer {token}")).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "# EOF\n"));
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text; version=1.0.0"));
    for wrong in ["Bearer ", "Bearer a-token-for-prometheuS", "Basic a-token-for-prometheus"] {
        assert_eq!(read("/_hearth/metrics", wrong.to_owned()).await.status, 403, "{wrong}");
    }
    assert_eq!(read("/_hearth/state", format!("Bearer {token}")).await.status, 403);
}

#[tokio::test]
async fn web_pages_are_refused_where_anybody_may_call() {
    let world = World::start(config()).await;
    let evil = ("origin", "https://evil.example");
    assert_eq!(world.send("POST", "/2015-03-31/functions/f/invocations", &[evil], b"").await.status, 403);
    assert_eq!(world.send("GET", "/_hearth/health", &[("origin", "http://localhost:80")], b"").await.status, 200);
}

#[tokio::test]
async fn a_function_is_known_by_its_channel_not_by_what_it_signs_with() {
    let world = World::start_guarded(config()).await;
    let (near, far) = tokio::io::duplex(64 * 1024);
    let tunnel = {
        let frontend = world.frontend.clone();
        tokio::spawn(async move { frontend.serve_tunnel(far, identity(), CancellationToken::new()).await })
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    let connection = tokio::spawn(connection);
    let scope =
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=00";
    let request = http::Request::post("/")
        .header("host", "agent")
        .header("authorization", scope)
        .header("content-type", FORM.1)
        .body(Full::new(Bytes::from_static(b"Action=GetCallerIdentity&Version=2011-06-15")))
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains("<Arn>arn:aws:sts::123456789012:assumed-role/r/f</Arn>"), "{text}");
    for path in ["/_hearth/state", "/_hearth/metrics"] {
        let request = http::Request::get(path).header("host", "agent").body(Full::default()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), 403, "{path}");
    }
    drop(sender);
    connection.await.unwrap().unwrap();
    tunnel.await.unwrap();
}

#[tokio::test]
async fn http2_without_tls_works() {
    let world = World::start(config()).await;
    world.create("hello").await;
    let io = TokioIo::new(world.connect().await);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let uri = format!("http://127.0.0.1:{}/2015-03-31/functions/hello/invocations", world.port);
    let request = http::Request::post(uri).body(Full::new(Bytes::from_static(b"[2]"))).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "[2]");
}
