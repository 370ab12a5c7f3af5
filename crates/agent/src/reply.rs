//! What the Runtime API answers.

use std::io::Write;

use hearth_agent_proto::InvokeHead;

/// Whether and how the connection stays open behind an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Persistence {
    Keep,
    /// An HTTP/1.0 client must be told so.
    KeepOld,
    Close,
}

impl Persistence {
    fn header(self) -> &'static [u8] {
        match self {
            Self::Keep => b"",
            Self::KeepOld => b"Connection: keep-alive\r\n",
            Self::Close => b"Connection: close\r\n",
        }
    }
}

/// A request that the Runtime API does not grant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error_type: &'static str,
    /// Plain ASCII without quotes: it goes into JSON as it is.
    pub(crate) message: String,
}

pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Most that one header of an event carries. Lambda bounds the largest, the client context, to 3583 bytes of base64.
const HEADER_VALUE_BYTES_MAX: usize = 16 * 1024;

/// The head of the answer to `GET /runtime/invocation/next`; `body_bytes` of event follow it.
pub(crate) fn write_event_head(out: &mut Vec<u8>, head: &InvokeHead<'_>, body_bytes: usize, persistence: Persistence) {
    // Python's client parses the event as JSON only if the type is exactly this.
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
    out.extend_from_slice(persistence.header());
    write_header(out, "Lambda-Runtime-Aws-Request-Id", &head.request_id);
    write_header(out, "Lambda-Runtime-Invocation-Id", &head.invocation_id);
    write_header(out, "Lambda-Runtime-Invoked-Function-Arn", &head.function_arn);
    write_number(out, "Lambda-Runtime-Deadline-Ms", head.deadline_ms);
    for (name, value) in [
        ("Lambda-Runtime-Trace-Id", &head.trace_id),
        ("Lambda-Runtime-Client-Context", &head.client_context),
        ("Lambda-Runtime-Cognito-Identity", &head.cognito_identity),
    ] {
        if let Some(value) = value {
            write_header(out, name, value);
        }
    }
    write_number(out, "Content-Length", body_bytes as u64);
    out.extend_from_slice(b"\r\n");
}

/// Functions characters become spaces: a client context may be JSON on several lines, and its author is not trusted.
fn write_header(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    let bytes = value.bytes().take(HEADER_VALUE_BYTES_MAX);
    out.extend(bytes.map(|byte| if byte < b' ' || byte == 0x7f { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

fn write_number(out: &mut Vec<u8>, name: &str, value: u64) {
    write!(out, "{name}: {value}\r\n").expect("writing to a vector does not fail");
}

/// The answer to a response or an error that was accepted.
pub(crate) fn write_accepted(out: &mut Vec<u8>, persistence: Persistence) {
    out.extend_from_slice(b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\n");
    out.extend_from_slice(persistence.header());
    out.extend_from_slice(b"Content-Length: 16\r\n\r\n{\"status\":\"OK\"}\n");
}

/// An answer that is JSON.
pub(crate) fn write_json(out: &mut Vec<u8>, body: &[u8], persistence: Persistence) {
    out.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
    out.extend_from_slice(persistence.header());
    write_number(out, "Content-Length", body.len() as u64);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
}

pub(crate) fn write_refusal(out: &mut Vec<u8>, refusal: &Refusal, persistence: Persistence) {
    let Refusal { status, error_type, message } = refusal;
    let body = format!("{{\"errorMessage\":\"{message}\",\"errorType\":\"{error_type}\"}}\n");
    let reason = reason(*status);
    write!(out, "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\n")
        .expect("writing to a vector does not fail");
    out.extend_from_slice(persistence.header());
    write_number(out, "Content-Length", body.len() as u64);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body.as_bytes());
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Request Entity Too Large",
        431 => "Request Header Fields Too Large",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> InvokeHead<'static> {
        InvokeHead {
            request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".into(),
            invocation_id: "i-1".into(),
            deadline_ms: 1_542_409_706_888,
            function_arn: "arn:aws:lambda:us-east-2:123456789012:function:custom".into(),
            trace_id: None,
            client_context: None,
            cognito_identity: None,
        }
    }

    #[test]
    fn an_event_carries_what_clients_read() {
        let mut out = Vec::new();
        write_event_head(&mut out, &head(), 2, Persistence::Keep);
        let expected = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
            Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
            Lambda-Runtime-Invocation-Id: i-1\r\n\
            Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-2:123456789012:function:custom\r\n\
            Lambda-Runtime-Deadline-Ms: 1542409706888\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_client_context_cannot_add_headers_or_a_body() {
        let mut out = Vec::new();
        let client_context = Some("{\r\n\r\n\"a\":\0\"\u{e9}\"}\n".into());
        write_event_head(&mut out, &InvokeHead { client_context, ..head() }, 0, Persistence::Keep);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("Lambda-Runtime-Client-Context: {    \"a\": \"\u{e9}\"} \r\n"), "{text}");
        assert_eq!(text.matches("\r\n\r\n").count(), 1);
    }

    #[test]
    fn the_length_of_a_refusal_is_its_length() {
        let mut out = Vec::new();
        let refusal = Refusal { status: 403, error_type: "InvalidStateTransition", message: "no".to_owned() };
        write_refusal(&mut out, &refusal, Persistence::Close);
        let text = String::from_utf8(out).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n") && head.contains("Connection: close"), "{head}");
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
    }
}
