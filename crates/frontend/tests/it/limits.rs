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
async fn connections_beyond_the_limit_wait_their_turn() {
    let world = World::start(FrontendConfig { connections_max: 2, ..config() }).await;
    let mut one = world.connect().await;
    let mut two = world.connect().await;
    for stream in [&mut one, &mut two] {
        assert_eq!(send_on(stream, "GET", "/_hearth/health", &[], b"").await.status, 200);
    }
    let mut three = world.connect().await;
    three.write_all(b"GET /_hearth/health HTTP/1.1\r\nhost: h\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(200), three.read_u8()).await;
    assert!(early.is_err(), "served beyond the limit");
    drop(one);
    assert_eq!(receive(&mut three).await.unwrap().status, 200);
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
