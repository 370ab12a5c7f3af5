//! A request is for the Region that it is signed for.

use bytes::Bytes;
use hearth_frontend::FunctionIdentity;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Answer, World, config};

/// The Region of requests that are not signed.
const CONFIGURED: &str = "us-east-1";
const OTHER: &str = "ap-south-1";

fn signed_for(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=000000000000/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=00"
    )
}

async fn lambda(world: &World, region: &str, method: &str, path: &str, body: &[u8]) -> Answer {
    world.send(method, path, &[("authorization", &signed_for(region, "lambda"))], body).await
}

async fn logs(world: &World, region: &str, operation: &str, input: Value) -> Answer {
    let target = format!("Logs_20140328.{operation}");
    let headers = [("authorization", &*signed_for(region, "logs")), ("x-amz-target", &target)];
    world.send("POST", "/", &headers, input.to_string().as_bytes()).await
}

async fn query(world: &World, region: &str, service: &str, body: &str) -> Answer {
    let headers =
        [("authorization", &*signed_for(region, service)), ("content-type", "application/x-www-form-urlencoded")];
    world.send("POST", "/", &headers, body.as_bytes()).await
}

fn arns(answer: &Answer) -> Vec<String> {
    let functions = answer.json()["Functions"].as_array().unwrap().clone();
    functions.iter().map(|function| function["FunctionArn"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn what_is_in_one_region_is_not_in_another() {
    let world = World::start(config()).await;
    let arn = |region: &str| format!("arn:aws:lambda:{region}:000000000000:function:hello");
    let invocations = "/2015-03-31/functions/hello/invocations";
    world.create_with("hello", &[("authorization", &signed_for(OTHER, "lambda"))]).await;
    assert!(arns(&world.send("GET", "/2015-03-31/functions", &[], b"").await).is_empty());
    let missing = lambda(&world, CONFIGURED, "POST", invocations, b"1").await;
    assert_eq!(
        (missing.status, missing.json()["Message"].as_str().unwrap()),
        (404, &*format!("Function not found: {}:$LATEST", arn(CONFIGURED)))
    );
    world.create("hello").await;
    for region in [CONFIGURED, OTHER] {
        assert_eq!(arns(&lambda(&world, region, "GET", "/2015-03-31/functions", b"").await), [arn(region)]);
        assert_eq!(lambda(&world, region, "POST", invocations, b"1").await.status, 200);
        let by_arn = format!("/2015-03-31/functions/{}/invocations", arn(region));
        assert_eq!(lambda(&world, region, "POST", &by_arn, b"1").await.status, 200);
        let seen = world.echo.seen.lock().unwrap().pop().unwrap();
        assert_eq!((seen.spec.key.region.as_str(), seen.invoked_arn), (region, arn(region)));
    }
    let by_arn = format!("/2015-03-31/functions/{}/invocations", arn(OTHER));
    let refused = lambda(&world, CONFIGURED, "POST", &by_arn, b"1").await;
    assert_eq!(refused.status, 404);
    assert_eq!(
        refused.json()["Message"],
        format!("Functions from '{OTHER}' are not reachable in this region ('{CONFIGURED}')")
    );
    logs(&world, OTHER, "CreateLogGroup", json!({"logGroupName": "g"})).await;
    let groups = |answer: Answer| answer.json()["logGroups"].as_array().unwrap().clone();
    assert!(groups(logs(&world, CONFIGURED, "DescribeLogGroups", json!({})).await).is_empty());
    let found = groups(logs(&world, OTHER, "DescribeLogGroups", json!({})).await);
    assert_eq!(found[0]["logGroupArn"], format!("arn:aws:logs:{OTHER}:000000000000:log-group:g"));
}

#[tokio::test]
async fn identities_are_the_same_in_every_region() {
    let world = World::start(config()).await;
    let trust = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B\
                 %22Service%22%3A%22lambda.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
    let create = format!("Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument={trust}");
    assert_eq!(query(&world, OTHER, "iam", &create).await.status, 200);
    for region in [CONFIGURED, OTHER, "eu-west-1"] {
        let who = query(&world, region, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
        assert!(who.text().contains("<Arn>arn:aws:iam::000000000000:root</Arn>"), "{}", who.text());
        let role = query(&world, region, "iam", "Action=GetRole&Version=2010-05-08&RoleName=r").await;
        assert!(role.text().contains("<Arn>arn:aws:iam::000000000000:role/r</Arn>"), "{}", role.text());
    }
}

#[tokio::test]
async fn what_is_no_regions_name_is_refused() {
    let world = World::start(config()).await;
    let words = "Credential should be scoped to a valid region, not 'EU-WEST-1'.";
    let refused = lambda(&world, "EU-WEST-1", "GET", "/2015-03-31/functions", b"").await;
    assert_eq!((refused.status, refused.header("x-amzn-errortype")), (403, Some("InvalidSignatureException")));
    assert!(refused.json()["message"].as_str().unwrap().starts_with(words), "{refused:?}");
    let refused = logs(&world, "EU-WEST-1", "DescribeLogGroups", json!({})).await;
    assert_eq!((refused.status, refused.json()["__type"].as_str()), (400, Some("InvalidSignatureException")));
    let refused = query(&world, "EU-WEST-1", "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(refused.status == 403 && refused.text().contains("<Code>SignatureDoesNotMatch</Code>"), "{refused:?}");
}

#[tokio::test]
async fn a_functions_own_calls_go_to_its_region_or_to_the_one_that_it_signs_for() {
    let world = World::start_guarded(config()).await;
    let (near, far) = tokio::io::duplex(64 * 1024);
    let identity = FunctionIdentity {
        account: "123456789012".parse().unwrap(),
        region: "eu-west-1".parse().unwrap(),
        session_arn: "arn:aws:sts::123456789012:assumed-role/r/f".to_owned(),
    };
    let frontend = world.frontend.clone();
    tokio::spawn(async move { frontend.serve_tunnel(far, identity, CancellationToken::new()).await });
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(near)).await.unwrap();
    tokio::spawn(connection);
    for (signed, region) in [(None, "eu-west-1"), (Some("eu-west-1"), "eu-west-1"), (Some(OTHER), OTHER)] {
        let mut request = http::Request::get("/2015-03-31/functions/nobody").header("host", "agent");
        if let Some(signed) = signed {
            request = request.header("authorization", signed_for(signed, "lambda"));
        }
        let response = sender.send_request(request.body(Full::<Bytes>::default()).unwrap()).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let message = serde_json::from_slice::<Value>(&body).unwrap()["Message"].clone();
        assert_eq!(message, format!("Function not found: arn:aws:lambda:{region}:123456789012:function:nobody"));
    }
}
