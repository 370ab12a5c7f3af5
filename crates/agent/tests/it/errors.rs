use hearth_agent_proto::{ErrorHead, FromAgent};

use crate::testbed::{Agent, Client, Daemon, RESPONSE_BYTES_MAX};

/// An agent whose runtime has invocation 1.
fn running() -> (Agent, Daemon, Client) {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    (agent, daemon, client)
}

#[test]
fn an_error_is_reported_with_its_type_and_body() {
    let (_agent, mut daemon, mut client) = running();
    let headers = "Lambda-Runtime-Function-Error-Type: Runtime.UnmarshalError\r\n";
    let answer = client.post("invocation/request-1/error", headers, b"{\"errorMessage\":\"m\"}");
    assert_eq!((answer.status, answer.body.as_slice()), (202, &b"{\"status\":\"OK\"}\n"[..]));
    let head = ErrorHead { error_type: "Runtime.UnmarshalError".into() };
    assert_eq!(daemon.next().message(), FromAgent::InvocationError { id: 1, head, body: b"{\"errorMessage\":\"m\"}" });
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
}

#[test]
fn a_stack_trace_of_a_megabyte_in_a_header_is_taken() {
    let (_agent, mut daemon, mut client) = running();
    let headers = format!("Lambda-Runtime-Function-XRay-Error-Cause: {}\r\n", "x".repeat(1024 * 1024 - 1));
    assert_eq!(client.post("invocation/request-1/error", &headers, b"{}").status, 202);
    let head = ErrorHead { error_type: "".into() };
    assert_eq!(daemon.next().message(), FromAgent::InvocationError { id: 1, head, body: b"{}" });
}

#[test]
fn a_failed_initialisation_is_reported_once() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    let headers = "Lambda-Runtime-Function-Error-Type: Runtime.ImportModuleError\r\n";
    assert_eq!(client.post("init/error", headers, b"{}").status, 202);
    let head = ErrorHead { error_type: "Runtime.ImportModuleError".into() };
    assert_eq!(daemon.next().message(), FromAgent::InitError { head, body: b"{}" });
    let second = client.post("init/error", headers, b"{}");
    assert_eq!((second.status, second.error_type().as_str()), (403, "InvalidStateTransition"));
    assert_eq!(client.next().status, 403);
}

#[test]
fn initialisation_cannot_fail_once_it_is_over() {
    let (_agent, _daemon, mut client) = running();
    assert_eq!(client.post("init/error", "", b"{}").status, 403);
}

#[test]
fn the_next_event_is_refused_while_one_is_not_answered() {
    let (_agent, _daemon, mut client) = running();
    let answer = client.next();
    assert_eq!((answer.status, answer.error_type().as_str()), (403, "InvalidStateTransition"));
    assert_eq!(client.respond(1, b"").status, 202);
}

#[test]
fn an_answer_to_another_invocation_is_refused() {
    let (_agent, mut daemon, mut client) = running();
    for path in ["invocation/request-2/response", "invocation/request-2/error"] {
        let answer = client.post(path, "", b"{}");
        assert_eq!((answer.status, answer.error_type().as_str()), (400, "InvalidRequestID"));
    }
    let headers = "Lambda-Runtime-Invocation-Id: attempt-0\r\n";
    let answer = client.post("invocation/request-1/response", headers, b"{}");
    assert_eq!((answer.status, answer.error_type().as_str()), (400, "InvalidInvocationId"));
    let headers = "Lambda-Runtime-Invocation-Id: attempt-1\r\n";
    assert_eq!(client.post("invocation/request-1/response", headers, b"ok").status, 202);
    assert!(matches!(daemon.next().message(), FromAgent::Response { id: 1, body: b"ok", .. }));
}

#[test]
fn an_answer_before_any_event_is_refused() {
    let (_agent, _daemon, mut client) = Agent::with_idle_runtime();
    assert_eq!(client.respond(1, b"").error_type(), "InvalidRequestID");
}

#[test]
fn a_second_answer_is_refused() {
    let (_agent, mut daemon, mut client) = running();
    assert_eq!(client.respond(1, b"first").status, 202);
    for path in ["invocation/request-1/response", "invocation/request-1/error"] {
        assert_eq!(client.post(path, "", b"second").error_type(), "InvalidStateTransition");
    }
    assert!(matches!(daemon.next().message(), FromAgent::Response { body: b"first", .. }));
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
}

#[test]
fn of_two_answers_under_way_the_first_that_is_whole_counts() {
    let (agent, mut daemon, mut client) = running();
    let head = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\nContent-Length: 4\r\n\r\n";
    client.write(format!("{head}sl"));
    assert_eq!(agent.client().respond(1, b"fast").status, 202);
    client.write("ow");
    assert_eq!(client.answer().status, 403);
    assert!(matches!(daemon.next().message(), FromAgent::Response { body: b"fast", .. }));
}

fn assert_too_large(daemon: &mut Daemon, client: &mut Client) {
    let answer = client.answer();
    assert_eq!((answer.status, answer.error_type().as_str()), (413, "RequestEntityTooLarge"));
    let head = ErrorHead { error_type: "Function.ResponseSizeTooLarge".into() };
    let body = b"{\"errorType\":\"Function.ResponseSizeTooLarge\",\"errorMessage\":\
        \"Response payload size exceeded maximum allowed payload size (6291556 bytes).\"}";
    assert_eq!(daemon.next().message(), FromAgent::InvocationError { id: 1, head, body });
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
}

#[test]
fn a_response_beyond_the_limit_fails_the_invocation() {
    let (_agent, mut daemon, mut client) = running();
    let length = RESPONSE_BYTES_MAX as usize + 1;
    let head = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\n";
    client.write(format!("{head}Content-Length: {length}\r\n\r\n"));
    client.write(vec![b'x'; length]);
    assert_too_large(&mut daemon, &mut client);
}

#[test]
fn a_chunked_response_beyond_the_limit_fails_the_invocation() {
    let (_agent, mut daemon, mut client) = running();
    let head = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\n";
    client.write(format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
    for _ in 0..RESPONSE_BYTES_MAX / 65536 + 1 {
        client.write([b"10000\r\n", vec![b'x'; 65536].as_slice(), b"\r\n"].concat());
    }
    client.write("0\r\n\r\n");
    assert_too_large(&mut daemon, &mut client);
}

#[test]
fn the_largest_response_is_taken() {
    let (_agent, mut daemon, mut client) = running();
    let body = vec![b'x'; RESPONSE_BYTES_MAX as usize];
    assert_eq!(client.respond(1, &body).status, 202);
    assert!(matches!(daemon.next().message(), FromAgent::Response { body: sent, .. } if sent == body));
}

#[test]
fn a_large_response_that_waits_for_leave_does_not_get_it() {
    let (_agent, _daemon, mut client) = running();
    let head = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\nExpect: 100-continue\r\n";
    client.write(format!("{head}Content-Length: 10000000\r\n\r\n"));
    let answer = client.answer();
    assert_eq!((answer.status, answer.header("Connection")), (413, Some("close")));
    assert_eq!(client.answer_or_end(), None);
}

#[test]
fn paths_and_methods_that_do_not_exist_are_refused() {
    let (_agent, _daemon, mut client) = Agent::with_idle_runtime();
    for (line, status) in [
        ("GET /", 404),
        ("GET /2018-06-01/runtime/invocation/next/more", 404),
        ("PUT /2020-08-15/logs", 404),
        ("DELETE /2018-06-01/runtime/invocation/next", 405),
        ("GET /2018-06-01/runtime/init/error", 405),
        ("GET /2018-06-01/runtime/restore/next", 403),
        ("POST /2018-06-01/runtime/restore/error", 403),
    ] {
        client.write(format!("{line} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}"));
        assert_eq!(client.answer().status, status, "{line}");
    }
}

#[test]
fn the_api_answers_404_where_extensions_would_register() {
    let (_agent, _daemon, mut client) = Agent::with_idle_runtime();
    client.write(
        "POST /2020-01-01/extension/register HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    );
    assert_eq!(client.answer().status, 404);
}
