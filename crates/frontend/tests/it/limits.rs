//! What a hostile or broken client can do on a connection.

use std::time::Duration;

use hearth_frontend::{ConnectionTimes, FrontendConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{DEADLINE, World, config, receive, send_on};

fn impatient() -> FrontendConfig {
    FrontendConfig {
        times: ConnectionTimes { head: Duration::from_millis(100), idle: Duration::from_millis(200) },
        body_time: Duration::from_millis(100),
        ..config()
    }
}

/// Waits for the server to close, whatever it says before.
async fn closed(stream: &mut tokio::net::TcpStream) {
    let mut rest = Vec::new();
    let result = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut rest)).await.expect("closed in time");
    assert!(result.is_ok() || result.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn endless_headers_are_refused_without_being_kept() {
    let world = World::start(config()).await;
    let mut stream = world.connect().await;
    let line = format!("x-filler: {}\r\n", "a".repeat(1000));
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let mut sent = 0usize;
    while sent < 64 * 1024 * 1024 && stream.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }
    assert!(sent < 64 * 1024 * 1024, "the server read it all");
    let healthy = world.send("GET", "/_hearth/health", &[], b"").await;
    assert_eq!(healthy.status, 200);
}

#[tokio::test]
async fn too_many_or_too_long_headers_are_431() {
    let world = World::start(config()).await;
    for line in ["a: b\r\n".repeat(200), format!("a: {}\r\n", "b".repeat(100_000))] {
        let mut stream = world.connect().await;
        let head = format!("GET /_hearth/health HTTP/1.1\r\nhost: h\r\n{line}\r\n");
        let _may_be_cut = stream.write_all(head.as_bytes()).await;
        let answer = receive(&mut stream).await;
        assert!(answer.is_none_or(|answer| answer.status == 431));
    }
}

#[tokio::test]
async fn silent_and_dribbling_clients_are_cut_off() {
    let world = World::start(impatient()).await;
    for opening in
        ["", "P", "PRI * HTTP/2.0", "GET / HT", "GET / HTTP/1.1\r\nhost: h\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut stream = world.connect().await;
        stream.write_all(opening.as_bytes()).await.unwrap();
        closed(&mut stream).await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let world = World::start(impatient()).await;
    let mut stream = world.connect().await;
    let head = "POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\n123";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = receive(&mut stream).await.unwrap();
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (408, Some("RequestTimeoutException")));
}

#[tokio::test]
async fn a_body_announced_too_large_is_refused_before_it_comes() {
    let world = World::start(config()).await;
    let mut stream = world.connect().await;
    let head = "POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nhost: h\r\ncontent-length: 10000000000\r\n\r\n123";
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = receive(&mut stream).await.unwrap();
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (413, Some("RequestEntityTooLargeException")));
    // Nobody waits for what the client may never send: the body's own time is longer than this test's.
    closed(&mut stream).await;
}

#[tokio::test]
async fn a_client_that_writes_all_before_it_reads_sees_the_refusal() {
    let world = World::start(config()).await;
    let mut stream = world.connect().await;
    for _ in 0..2 {
        let body = vec![b'x'; 20 * 1024 * 1024];
        let answer = send_on(&mut stream, "POST", "/2015-03-31/functions/f/invocations", &[], &body).await;
        assert_eq!(answer.status, 413);
    }
}

#[tokio::test]
async fn a_running_invocation_is_not_idle() {
    let world = World::start(impatient()).await;
    world.create("waiting").await;
    let mut stream = world.connect().await;
    let path = "/2015-03-31/functions/waiting/invocations";
    let release = async {
        world.echo.started.notified().await;
        // Longer than an idle connection would last.
        tokio::time::sleep(Duration::from_millis(700)).await;
        world.echo.release.notify_one();
    };
    let (answer, ()) = tokio::join!(send_on(&mut stream, "POST", path, &[], b"1"), release);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_those_that_work() {
    let world = World::start(FrontendConfig { connections_max: 2, ..config() }).await;
    world.create("waiting").await;
    let mut working = Vec::new();
    for _ in 0..2 {
        let mut stream = world.connect().await;
        let head = "POST /2015-03-31/functions/waiting/invocations HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\n\r\n1";
        stream.write_all(head.as_bytes()).await.unwrap();
        world.echo.started.notified().await;
        working.push(stream);
    }
    let mut three = world.connect().await;
    three.write_all(b"GET /_hearth/health HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), three.read_u8()).await;
    assert!(early.is_err(), "served beyond the limit");
    world.echo.release.notify_one();
    assert_eq!(receive(&mut three).await.unwrap().status, 200);
}

#[tokio::test]
async fn connections_on_which_nothing_happens_make_room() {
    let world = World::start_guarded(FrontendConfig { connections_max: 4, ..config() }).await;
    let unproven = "POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nhost: h\r\nx-amz-date: 20260101T000000Z\r\n";
    let mut held = Vec::new();
    for opening in ["", "GET / HTTP/1.1\r\nhost: ", "GET /_hearth/health HTTP/1.1\r\nhost: h\r\n\r\n", unproven] {
        let mut stream = world.connect().await;
        stream.write_all(opening.as_bytes()).await.unwrap();
        held.push(stream);
    }
    for _ in 0..3 {
        for _ in 0..4 {
            held.push(world.connect().await);
        }
        assert_eq!(world.send("GET", "/_hearth/health", &[], b"").await.status, 200);
    }
}

#[tokio::test]
async fn http2_requests_without_data_hold_up_nobody() {
    use bytes::Bytes;
    use http_body_util::StreamBody;
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let world = World::start(config()).await;
    world.create("hello").await;
    let io = TokioIo::new(world.connect().await);
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let mut stalled = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let mut sender = sender.clone();
        let uri = format!("http://127.0.0.1:{}/2015-03-31/functions/hello/invocations", world.port);
        let begun = futures_util::stream::iter([Ok(http_body::Frame::data(Bytes::from_static(b"[")))]);
        let never = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, std::convert::Infallible>>();
        let body = StreamBody::new(futures_util::StreamExt::chain(begun, never));
        stalled.spawn(async move { sender.send_request(http::Request::post(uri).body(body).unwrap()).await });
    }
    for _ in 0..20 {
        let answer = world.send("POST", "/2015-03-31/functions/hello/invocations", &[], b"[2]").await;
        assert_eq!(answer.status, 200);
    }
    // Those beyond the streams of a connection are refused by HTTP/2 itself.
    let mut refused = 0;
    while let Some(ended) = stalled.try_join_next() {
        assert!(ended.unwrap().is_err(), "a request was answered before it ended");
        refused += 1;
    }
    assert!(refused < 200);
}

#[tokio::test]
async fn garbage_is_answered_400_or_closed() {
    let world = World::start(config()).await;
    for garbage in [
        &b"\x00\x01\x02\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
    ] {
        let mut stream = world.connect().await;
        stream.write_all(garbage).await.unwrap();
        assert!(receive(&mut stream).await.is_none_or(|answer| answer.status == 400));
    }
    assert_eq!(world.send("GET", "/_hearth/health", &[], b"").await.status, 200);
}

/// In pieces, of which none is lost.
#[tokio::test]
async fn large_answers_come_whole_over_either_protocol() {
    use bytes::Bytes;
    use http_body_util::{BodyExt, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let world = World::start(config()).await;
    world.create("hello").await;
    let body = serde_json::to_vec(&"x".repeat(3_000_000)).unwrap();
    let answer = world.send("POST", "/2015-03-31/functions/hello/invocations", &[], &body).await;
    assert_eq!((answer.status, answer.body.len()), (200, body.len()));
    let io = TokioIo::new(world.connect().await);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let uri = format!("http://127.0.0.1:{}/2015-03-31/functions/hello/invocations", world.port);
    let request = http::Request::post(uri).body(Full::new(Bytes::from(body.clone()))).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), body);
}
