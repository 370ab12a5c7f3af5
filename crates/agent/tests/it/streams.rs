use std::{borrow::Cow, net::Shutdown};

use hearth_agent_proto::{CHUNK_BYTES_MAX, ExitStatus, FromAgent, ResponseHead, StreamEnd, ToAgent, WINDOW_BYTES};

use crate::testbed::{Agent, Client, Daemon, STREAM_BYTES_MAX, shell};

const HEAD: &str = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\n\
    Lambda-Runtime-Function-Response-Mode: streaming\r\n\
    Content-Type: application/vnd.awslambda.http-integration-response\r\n";
const GOOD: StreamEnd<'_> = StreamEnd { error: None, truncated: false };

/// An agent whose runtime has invocation 1 and has begun to stream its response in chunks.
fn streaming() -> (Agent, Daemon, Client) {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    client.write(format!(
        "{HEAD}Transfer-Encoding: chunked\r\n\
         Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n"
    ));
    let head = ResponseHead { content_type: "application/vnd.awslambda.http-integration-response".into() };
    assert_eq!(daemon.next().message(), FromAgent::StreamStart { id: 1, head });
    (agent, daemon, client)
}

/// The content of the stream up to its end, for a daemon that gives back all credit at once.
fn read_stream(daemon: &mut Daemon) -> (Vec<u8>, Result<(), String>) {
    let mut content = Vec::new();
    loop {
        let frame = daemon.next();
        match frame.message() {
            FromAgent::StreamChunk { id: 1, data } => {
                assert!(data.len() <= CHUNK_BYTES_MAX);
                content.extend_from_slice(data);
                let bytes = u32::try_from(data.len()).unwrap();
                daemon.send(&ToAgent::Credit { id: 1, tunnel: false, bytes });
            }
            FromAgent::StreamEnd { id: 1, end } if end == GOOD => return (content, Ok(())),
            FromAgent::StreamEnd { id: 1, end } => return (content, Err(format!("{end:?}"))),
            message => panic!("not of the stream: {message:?}"),
        }
    }
}

#[test]
fn chunks_come_as_they_are_written() {
    let (_agent, mut daemon, mut client) = streaming();
    for piece in ["{\"statusCode\":200}", "\0\0\0\0\0\0\0\0", "body"] {
        client.write(format!("{:x}\r\n{piece}\r\n", piece.len()));
        assert_eq!(daemon.next().message(), FromAgent::StreamChunk { id: 1, data: piece.as_bytes() });
    }
    client.write("0\r\n\r\n");
    assert_eq!(daemon.next().message(), FromAgent::StreamEnd { id: 1, end: GOOD });
    assert_eq!(client.answer().status, 202);
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
}

#[test]
fn a_stream_of_known_length_is_a_stream() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    client.write(format!("{HEAD}Content-Length: 5\r\n\r\nhello"));
    assert!(matches!(daemon.next().message(), FromAgent::StreamStart { id: 1, .. }));
    assert_eq!(read_stream(&mut daemon), (b"hello".to_vec(), Ok(())));
    assert_eq!(client.answer().status, 202);
}

#[test]
fn an_error_in_the_middle_comes_with_the_end() {
    let (_agent, mut daemon, mut client) = streaming();
    // {"errorMessage":"m"} in base64.
    client.write(
        "4\r\npart\r\n0\r\nlambda-runtime-function-error-type: Unhandled\r\n\
         lambda-runtime-function-error-body: eyJlcnJvck1lc3NhZ2UiOiJtIn0=\r\n\r\n",
    );
    assert_eq!(daemon.next().message(), FromAgent::StreamChunk { id: 1, data: b"part" });
    let error = Some(("Unhandled".into(), Cow::Borrowed(&b"{\"errorMessage\":\"m\"}"[..])));
    assert_eq!(daemon.next().message(), FromAgent::StreamEnd { id: 1, end: StreamEnd { error, truncated: false } });
    assert_eq!(client.answer().status, 202);
}

#[test]
fn a_long_error_arrives_though_its_line_comes_in_pieces() {
    let (_agent, mut daemon, mut client) = streaming();
    client.write("0\r\nLambda-Runtime-Function-Error-Body: ");
    for _ in 0..60 {
        client.write("eHh4".repeat(2_000));
    }
    client.write("\r\n\r\n");
    let error = Some(("".into(), Cow::Owned(b"xxx".repeat(120_000))));
    assert_eq!(daemon.next().message(), FromAgent::StreamEnd { id: 1, end: StreamEnd { error, truncated: false } });
}

#[test]
fn no_more_is_sent_than_the_daemon_takes() {
    let (_agent, mut daemon, mut client) = streaming();
    let length = 4 * WINDOW_BYTES;
    let content: Vec<_> = (0..length).map(|number| (number % 253) as u8).collect();
    let writer = std::thread::spawn({
        let content = content.clone();
        move || {
            for chunk in content.chunks(50_000) {
                client.write(format!("{:x}\r\n", chunk.len()));
                client.write([chunk, b"\r\n"].concat());
            }
            client.write("0\r\n\r\n");
            client.answer().status
        }
    });
    let mut read = Vec::new();
    while read.len() < WINDOW_BYTES {
        let frame = daemon.next();
        let FromAgent::StreamChunk { data, .. } = frame.message() else {
            panic!("not a chunk: {:?}", frame.message());
        };
        read.extend_from_slice(data);
    }
    assert_eq!(read.len(), WINDOW_BYTES);
    // Nothing else comes before there is credit: the answer to another question overtakes the stream.
    daemon.invoke(2, b"");
    daemon.invoke(3, b"");
    assert_eq!(daemon.next().message(), FromAgent::Withdrawn { id: 3 });
    daemon.send(&ToAgent::Credit { id: 1, tunnel: false, bytes: u32::try_from(WINDOW_BYTES).unwrap() });
    let (rest, end) = read_stream(&mut daemon);
    assert_eq!(([read, rest].concat(), end), (content, Ok(())));
    assert_eq!(writer.join().unwrap(), 202);
}

#[test]
fn a_stream_that_fills_the_window_exactly_ends_without_credit() {
    let (_agent, mut daemon, mut client) = streaming();
    client.write(format!("{WINDOW_BYTES:x}\r\n"));
    client.write(vec![b'x'; WINDOW_BYTES]);
    client.write("\r\n0\r\n\r\n");
    let mut read = 0;
    loop {
        match daemon.next().message() {
            FromAgent::StreamChunk { data, .. } => read += data.len(),
            message => {
                // Chunks alone need credit, not the end.
                assert_eq!(message, FromAgent::StreamEnd { id: 1, end: GOOD });
                break;
            }
        }
    }
    assert_eq!(read, WINDOW_BYTES);
    assert_eq!(client.answer().status, 202);
}

#[test]
fn a_stream_that_breaks_off_is_truncated() {
    let (agent, mut daemon, mut client) = streaming();
    client.write("5\r\nhel");
    assert_eq!(daemon.next().message(), FromAgent::StreamChunk { id: 1, data: b"hel" });
    client.stream.shutdown(Shutdown::Both).unwrap();
    let end = StreamEnd { error: None, truncated: true };
    assert_eq!(daemon.next().message(), FromAgent::StreamEnd { id: 1, end });
    agent.client().ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
}

#[test]
fn a_malformed_chunk_truncates_the_stream() {
    let (_agent, mut daemon, mut client) = streaming();
    client.write("2\r\nokay\r\n");
    assert_eq!(daemon.next().message(), FromAgent::StreamChunk { id: 1, data: b"ok" });
    let end = StreamEnd { error: None, truncated: true };
    assert_eq!(daemon.next().message(), FromAgent::StreamEnd { id: 1, end });
    assert_eq!(client.answer().status, 400);
    assert_eq!(client.answer_or_end(), None);
}

#[test]
fn a_stream_beyond_the_limit_ends_with_an_error() {
    let (_agent, mut daemon, mut client) = streaming();
    let writer = std::thread::spawn(move || {
        for _ in 0..STREAM_BYTES_MAX / 65536 + 1 {
            client.write([b"10000\r\n", vec![b'x'; 65536].as_slice(), b"\r\n"].concat());
        }
        client.write("0\r\n\r\n");
        client.answer().status
    });
    let (content, end) = read_stream(&mut daemon);
    assert_eq!(content.len() as u64, STREAM_BYTES_MAX);
    assert!(end.unwrap_err().contains("Function.ResponseSizeTooLarge"));
    assert_eq!(writer.join().unwrap(), 413);
}

#[test]
fn no_other_answer_is_taken_beside_a_stream() {
    let (agent, _daemon, mut client) = streaming();
    let mut second = agent.client();
    assert_eq!(second.respond(1, b"").error_type(), "InvalidStateTransition");
    assert_eq!(second.post("invocation/request-1/error", "", b"{}").status, 403);
    assert_eq!(second.next().status, 403);
    client.write("0\r\n\r\n");
    assert_eq!(client.answer().status, 202);
}

#[test]
fn a_runtime_that_dies_truncates_its_stream() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    // The test is the runtime's client; the runtime itself ends when it is told to.
    let told = std::env::temp_dir().join(format!("hearth-agent-test-end-{}", agent.pid()));
    let path = told.display();
    daemon.send(&shell(&format!("until [ -e {path} ]; do sleep 0.01; done; exit 4")));
    let mut client = agent.client();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    client.write(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"));
    assert!(matches!(daemon.next().message(), FromAgent::StreamStart { .. }));
    assert_eq!(daemon.next().message(), FromAgent::StreamChunk { id: 1, data: b"abc" });
    std::fs::write(&told, "").unwrap();
    let end = StreamEnd { error: None, truncated: true };
    assert_eq!(daemon.next().message(), FromAgent::StreamEnd { id: 1, end });
    assert_eq!(daemon.next().message(), FromAgent::Exit(ExitStatus::Code(4)));
    std::fs::remove_file(&told).unwrap();
}
