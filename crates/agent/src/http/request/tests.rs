use proptest::{collection::vec, prelude::*};

use super::*;

fn parse(head: &str) -> Result<Option<Request>, Malformed> {
    parse_request(head.as_bytes(), &mut 0)
}

fn text(span: Option<Span>, head: &str) -> Option<&str> {
    span.map(|span| std::str::from_utf8(span.get(head.as_bytes())).unwrap())
}

#[test]
fn what_the_runtime_api_needs_is_found() {
    let head = "POST /2018-06-01/runtime/invocation/7/response?x=y HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\
        content-length: 12\r\nContent-Type:\t application/json \r\nLambda-Runtime-Invocation-Id: i-7\r\n\
        LAMBDA-RUNTIME-FUNCTION-ERROR-TYPE: Runtime.X\r\nlambda-runtime-function-response-mode: Streaming\r\n\
        Expect: 100-Continue\r\nUser-Agent:\r\n\r\nbody";
    let request = parse(head).unwrap().unwrap();
    assert_eq!((request.method, request.body), (Method::Post, BodyLength::Known(12)));
    assert_eq!(text(Some(request.path), head), Some("/2018-06-01/runtime/invocation/7/response"));
    assert_eq!(text(request.content_type, head), Some("application/json"));
    assert_eq!(text(request.invocation_id, head), Some("i-7"));
    assert_eq!(text(request.error_type, head), Some("Runtime.X"));
    assert!(request.streaming && request.expects_continue && request.keep_alive && !request.old);
    assert_eq!(&head[request.head_bytes..], "body");
}

#[test]
fn connections_stay_open_as_their_version_and_header_say() {
    for (version, header, keep_alive) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: x, CLOSE\r\n", false),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        let request = parse(&format!("GET / HTTP/{version}\r\n{header}\r\n")).unwrap().unwrap();
        assert_eq!(request.keep_alive, keep_alive, "{version} {header}");
    }
}

#[test]
fn a_target_for_a_proxy_has_its_path() {
    let head = "GET http://127.0.0.1:9001/a/b?c HTTP/1.1\r\n\r\n";
    let request = parse(head).unwrap().unwrap();
    assert_eq!(text(Some(request.path), head), Some("/a/b"));
    assert_eq!(parse("GET http://host HTTP/1.1\r\n\r\n"), Err(Malformed::RequestLine));
}

#[test]
fn a_chunked_body_is_one_of_the_newer_version() {
    let chunked = |version| parse(&format!("POST / HTTP/{version}\r\nTransfer-Encoding: CHUNKED\r\n\r\n"));
    assert_eq!(chunked("1.1").unwrap().unwrap().body, BodyLength::Chunked);
    assert_eq!(chunked("1.0"), Err(Malformed::Framing));
}

#[test]
fn a_head_that_does_not_end_is_refused_at_the_limit() {
    let mut buffer = b"GET / HTTP/1.1\r\nA: ".to_vec();
    buffer.resize(HEAD_BYTES_MAX, b'x');
    let mut scanned = 0;
    assert_eq!(parse_request(&buffer, &mut scanned), Ok(None));
    buffer.push(b'x');
    assert_eq!(parse_request(&buffer, &mut scanned), Err(Malformed::TooLong));
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "GET ",
        "POST ",
        "/",
        " HTTP/1.1",
        "\r\n",
        "\r\n\r\n",
        ": ",
        "Content-Length",
        "1",
        "Transfer-Encoding",
        "chunked",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ]
}

proptest! {
    #[test]
    fn any_bytes_parse_alike_whole_and_byte_by_byte(pieces in vec(piece(), 0..20)) {
        let bytes = pieces.concat();
        let mut scanned = 0;
        let mut stepwise = Ok(None);
        for end in 0..=bytes.len() {
            stepwise = parse_request(&bytes[..end], &mut scanned);
            if stepwise != Ok(None) {
                break;
            }
        }
        prop_assert_eq!(&stepwise, &parse_request(&bytes, &mut 0));
        if let Ok(Some(request)) = stepwise {
            prop_assert!(request.head_bytes <= bytes.len());
            prop_assert!(bytes[..request.head_bytes].ends_with(b"\r\n\r\n"));
        }
    }
}
