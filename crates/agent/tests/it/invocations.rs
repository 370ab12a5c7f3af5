use std::{io::Write, net::Shutdown};

use hearth_agent_proto::{FromAgent, ResponseHead, ToAgent};

use crate::testbed::{Agent, invoke_head};

#[test]
fn an_invocation_goes_to_the_runtime_and_its_response_to_the_daemon() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    let head = hearth_agent_proto::InvokeHead {
        client_context: Some("{\"custom\":\n1}".into()),
        cognito_identity: Some("{\"cognitoIdentityId\":\"a\"}".into()),
        ..invoke_head(1)
    };
    daemon.send(&ToAgent::Invoke { id: 1, head, body: b"{\"a\":1}" });
    let event = client.answer();
    assert_eq!((event.status, event.body.as_slice()), (200, &b"{\"a\":1}"[..]));
    for (name, value) in [
        ("Content-Type", "application/json"),
        ("Lambda-Runtime-Aws-Request-Id", "request-1"),
        ("Lambda-Runtime-Invocation-Id", "attempt-1"),
        ("Lambda-Runtime-Deadline-Ms", "1542409706888"),
        ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:test"),
        ("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"),
        ("Lambda-Runtime-Client-Context", "{\"custom\": 1}"),
        ("Lambda-Runtime-Cognito-Identity", "{\"cognitoIdentityId\":\"a\"}"),
    ] {
        assert_eq!(event.header(name), Some(value), "{name}");
    }

    let accepted = client.respond(1, b"\"done\"");
    assert_eq!((accepted.status, accepted.body.as_slice()), (202, &b"{\"status\":\"OK\"}\n"[..]));
    let head = ResponseHead { content_type: "application/json".into() };
    assert_eq!(daemon.next().message(), FromAgent::Response { id: 1, head, body: b"\"done\"" });
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
}

#[test]
fn an_event_without_optional_context_lacks_its_headers() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    let head = hearth_agent_proto::InvokeHead { trace_id: None, ..invoke_head(1) };
    daemon.send(&ToAgent::Invoke { id: 1, head, body: b"" });
    let event = client.next();
    for name in ["Trace-Id", "Client-Context", "Cognito-Identity"] {
        assert_eq!(event.header(&format!("Lambda-Runtime-{name}")), None);
    }
    assert_eq!(event.header("Content-Length"), Some("0"));
}

#[test]
fn an_invocation_that_comes_before_the_runtime_asks_waits_for_it() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"1");
    assert_eq!(client.next().body, b"1");
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    daemon.invoke(2, b"2");
    client.respond(1, b"");
    assert_eq!(client.next().body, b"2");
    assert!(matches!(daemon.next().message(), FromAgent::Response { id: 1, .. }));
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
}

#[test]
fn a_second_waiting_invocation_is_given_back() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"1");
    daemon.invoke(2, b"2");
    assert_eq!(daemon.next().message(), FromAgent::Withdrawn { id: 2 });
    assert_eq!(client.next().body, b"1");
}

#[test]
fn an_invocation_is_withdrawn_unless_the_runtime_has_it() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"1");
    daemon.send(&ToAgent::Withdraw { id: 1 });
    assert_eq!(daemon.next().message(), FromAgent::Withdrawn { id: 1 });
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    daemon.invoke(2, b"2");
    assert_eq!(client.answer().body, b"2");
    daemon.send(&ToAgent::Withdraw { id: 2 });
    client.respond(2, b"r");
    assert!(matches!(daemon.next().message(), FromAgent::Response { id: 2, body: b"r", .. }));
}

#[test]
fn a_large_event_and_response_arrive_whole() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    let body: Vec<_> = (0..6 * 1024 * 1024_u32).map(|number| (number % 251) as u8).collect();
    client.ask_next();
    daemon.invoke(1, &body);
    assert_eq!(client.answer().body, body);
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    // Nobody has to keep it any longer.
    assert_eq!(daemon.next().message(), FromAgent::Started { id: 1 });
    // The agent must take it from the runtime without waiting for the daemon, which reads only behind the runtime's answer.
    assert_eq!(client.respond(1, &body).status, 202);
    assert!(matches!(daemon.next().message(), FromAgent::Response { id: 1, body: echoed, .. } if echoed == body));
}

#[test]
fn the_connection_is_used_again_and_again() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    for id in 1..200 {
        daemon.invoke(id, b"{}");
        client.answer();
        assert_eq!(client.respond(id, b"{}").status, 202);
        client.ask_next();
        assert!(matches!(daemon.next().message(), FromAgent::Response { .. }));
        assert_eq!(daemon.next().message(), FromAgent::Idle { id });
    }
}

#[test]
fn a_runtime_may_post_on_another_connection_than_it_asked_on() {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(agent.client().respond(1, b"r").status, 202);
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    assert!(matches!(daemon.next().message(), FromAgent::Response { id: 1, .. }));
}

#[test]
fn an_event_goes_to_the_last_connection_that_asked() {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    let mut second = agent.client();
    second.ask_next();
    assert_eq!(client.answer_or_end(), None);
    daemon.invoke(1, b"e");
    assert_eq!(second.answer().body, b"e");
}

#[test]
fn an_event_is_not_lost_with_a_connection_that_went_away() {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    client.stream.shutdown(Shutdown::Both).unwrap();
    drop(client);
    daemon.invoke(1, b"e");
    assert_eq!(agent.client().next().body, b"e");
}

#[test]
fn chunks_are_put_together() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    client
        .write("POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in ["5\r\nhel", "lo\r", "\n1;x=y\r\n \r\n00", "5\r\nworld\r\n0\r\nIgnored: trailer\r\n", "\r\n"] {
        client.write(piece);
        client.stream.flush().unwrap();
    }
    assert_eq!(client.answer().status, 202);
    assert!(matches!(daemon.next().message(), FromAgent::Response { body: b"hello world", .. }));
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"1");
    let next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n";
    let post = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\nContent-Length: 1\r\n\r\nr";
    client.write([next, post, next].concat());
    assert_eq!(client.answer().body, b"1");
    assert_eq!(client.answer().status, 202);
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    assert!(matches!(daemon.next().message(), FromAgent::Response { body: b"r", .. }));
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
    daemon.invoke(2, b"2");
    assert_eq!(client.answer().body, b"2");
}

#[test]
fn a_client_that_waits_for_leave_to_send_its_body_gets_it() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    let head = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\nExpect: 100-continue\r\n";
    client.write(format!("{head}Content-Length: 2\r\n\r\n"));
    assert_eq!(client.answer().status, 100);
    client.write("ok");
    assert_eq!(client.answer().status, 202);
}

#[test]
fn an_old_client_is_told_whether_its_connection_stays_open() {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    let next = "GET /2018-06-01/runtime/invocation/next HTTP/1.0\r\n";
    daemon.invoke(1, b"1");
    client.write(format!("{next}Connection: keep-alive\r\n\r\n"));
    assert_eq!(client.answer().header("Connection"), Some("keep-alive"));
    assert_eq!(client.respond(1, b"").status, 202);
    daemon.invoke(2, b"2");
    let mut second = agent.client();
    second.write(format!("{next}\r\n"));
    assert_eq!(second.answer().header("Connection"), Some("close"));
    assert_eq!(second.answer_or_end(), None);
}
