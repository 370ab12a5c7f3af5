use std::{
    io::{ErrorKind, Read, Write},
    net::Shutdown,
};

use hearth_agent_proto::{AGENT_SOCKET, FromAgent};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::testbed::{Agent, Client, Daemon};

/// The agent still does its work.
fn assert_works(daemon: &mut Daemon, client: &mut Client, id: u32) {
    daemon.invoke(id, b"e");
    assert_eq!(client.next().body, b"e");
    assert_eq!(client.respond(id, b"r").status, 202);
    loop {
        if matches!(daemon.next().message(), FromAgent::Response { id: answered, .. } if answered == id) {
            return;
        }
    }
}

#[test]
fn malformed_requests_are_refused_and_their_connections_closed() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    let post = "POST /2018-06-01/runtime/init/error HTTP/1.1\r\n";
    for (request, status) in [
        ("\0\0\0\0\r\n\r\n".to_owned(), 400),
        ("GET\r\n\r\n".to_owned(), 400),
        ("GET  / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1 \r\n\r\n".to_owned(), 400),
        ("GET / HTTP/2.0\r\n\r\n".to_owned(), 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nNo colon\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nSpace : a\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n".to_owned(), 400),
        (format!("{post}Content-Length: -1\r\n\r\n"), 400),
        (format!("{post}Content-Length: +1\r\n\r\n"), 400),
        (format!("{post}Content-Length: 1 1\r\n\r\n"), 400),
        (format!("{post}Content-Length: 0x1\r\n\r\n"), 400),
        (format!("{post}Content-Length:\r\n\r\n"), 400),
        (format!("{post}Content-Length: 99999999999999999999\r\n\r\n"), 400),
        (format!("{post}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx"), 400),
        (format!("{post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n-1\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n"), 400),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n{}\r\n", "0".repeat(5000)), 431),
        (format!("{post}Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n"), 400),
        (format!("{post}{}\r\n", "A: b\r\n".repeat(200)), 431),
        (format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "x".repeat(2 * 1024 * 1024)), 431),
    ] {
        let mut client = agent.client();
        client.write(&request);
        let what = &request[..request.len().min(120)];
        let answer = client.answer();
        assert_eq!((answer.status, answer.header("Connection")), (status, Some("close")), "{what}");
        assert_eq!(client.answer_or_end(), None, "{what}");
    }
    assert_works(&mut daemon, &mut good, 1);
}

#[test]
fn a_length_that_nobody_has_is_refused_before_a_byte_of_it() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    good.next();
    let mut client = agent.client();
    let head = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\n";
    client.write(format!("{head}Content-Length: {}\r\n\r\n", u64::MAX));
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    assert!(matches!(daemon.next().message(), FromAgent::InvocationError { id: 1, .. }));
    assert_works(&mut daemon, &mut good, 2);
}

#[test]
fn a_failed_initialisation_of_any_length_is_survived() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    let mut client = agent.client();
    client.write(format!("POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Length: {}\r\n\r\n", u64::MAX));
    client.write("never all of it");
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.answer_or_end(), None);
    assert_works(&mut daemon, &mut good, 1);
}

#[test]
fn a_body_without_end_is_not_kept() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    let mut client = agent.client();
    client.write("POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"10000\r\n", vec![b'x'; 65536].as_slice(), b"\r\n"].concat();
    let refused = loop {
        match client.stream.write_all(&chunk) {
            Ok(()) => {}
            Err(error) => break error.kind(),
        }
    };
    assert!(matches!(refused, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{refused}");
    assert!(resident_kib(agent.pid()) < 20 * 1024);
    assert_works(&mut daemon, &mut good, 1);
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn slow_clients_do_not_hold_up_others() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    let mut slow: Vec<_> = (0..20).map(|_| agent.client()).collect();
    slow.iter_mut().for_each(|client| client.write("POST /2018-06-01/runtime/init/error HTTP/1.1\r\nContent-Le"));
    assert_works(&mut daemon, &mut good, 1);
    for byte in "ngth: 0\r\n\r\n".bytes() {
        slow.iter_mut().for_each(|client| client.write([byte]));
    }
    slow.iter_mut().for_each(|client| assert_eq!(client.answer().status, 403));
}

#[test]
fn a_client_that_does_not_read_its_answers_is_not_served_ahead() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    let mut client = agent.client();
    client.stream.set_nonblocking(true).unwrap();
    let requests = "GET /nowhere HTTP/1.1\r\n\r\n".repeat(1000);
    // Until neither side's buffers take more.
    let mut refused = 0;
    while refused < 1000 {
        match client.stream.write(requests.as_bytes()) {
            Ok(_) => refused = 0,
            Err(_) => refused += 1,
        }
        std::thread::yield_now();
    }
    assert!(resident_kib(agent.pid()) < 20 * 1024);
    assert_works(&mut daemon, &mut good, 1);
}

#[test]
fn connections_beyond_the_limit_are_closed_and_closed_ones_make_place() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    let mut others: Vec<_> = (1..64).map(|_| agent.client()).collect();
    others.iter_mut().for_each(|client| client.write("GET / HTTP/1.1\r\n\r\n"));
    others.iter_mut().for_each(|client| assert_eq!(client.answer().status, 404));
    let mut beyond = agent.client();
    assert_eq!(beyond.answer_or_end(), None);
    drop(others);
    let mut again = crate::testbed::until(|| {
        let mut client = agent.client();
        client.stream.write_all(b"GET / HTTP/1.1\r\n\r\n").ok()?;
        let served = client.stream.peek(&mut [0; 1]).is_ok_and(|length| length > 0);
        served.then_some(client)
    });
    assert_eq!(again.answer().status, 404);
    assert_works(&mut daemon, &mut good, 1);
}

#[test]
fn a_client_may_leave_at_any_point() {
    let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    good.next();
    let request = "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\n\
                   Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n";
    for cut in 0..request.len() - 1 {
        let mut client = agent.client();
        client.write(&request[..cut]);
        client.stream.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let _reset_or_end = client.stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }
    assert_eq!(good.respond(1, b"r").status, 202);
}

#[test]
fn processes_of_the_sandbox_are_not_taken_for_the_daemon() {
    let address = std::net::Ipv4Addr::new(127, 254, 254, 254);
    let name = String::from_utf8(AGENT_SOCKET.to_vec()).unwrap() + "-peer-test";
    let mut agent = std::process::Command::new(env!("CARGO_BIN_EXE_hearth-agent"))
        .args(["--socket", &name, "--address", &address.to_string()])
        .spawn()
        .unwrap();
    let mut stream = crate::testbed::until(|| {
        use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        std::os::unix::net::UnixStream::connect_addr(&address).ok()
    });
    let mut greeting = Vec::new();
    let end = stream.read_to_end(&mut greeting);
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(end.is_ok() && greeting.is_empty());
}

/// Pieces that requests are made of, so that random sequences get past the first line.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = [
        "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n",
        "POST /2018-06-01/runtime/invocation/request-1/response HTTP/1.1\r\n",
        "POST /2018-06-01/runtime/invocation/request-1/error HTTP/1.0\r\n",
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 18446744073709551615\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Lambda-Runtime-Function-Response-Mode: streaming\r\n",
        "Expect: 100-continue\r\n",
        "Connection: close\r\n",
        "\r\n",
        "\r\n\r\n",
        "5\r\nhello\r\n",
        "0\r\n",
        "ffffffffffffffff\r\n",
        "hello",
    ];
    prop_oneof![
        5 => prop::sample::select(known.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..20),
    ]
}

#[test]
fn no_sequence_of_bytes_stops_the_agent() {
    // A failed initialisation refuses most of what follows, so every few sequences meet an agent of their own.
    for round in 0..20 {
        let (agent, mut daemon, mut good) = Agent::with_idle_runtime();
        if round % 2 == 0 {
            daemon.invoke(1, b"");
            good.next();
        }
        let mut runner = TestRunner::new(ProptestConfig::with_cases(25));
        let sequences = (vec(piece(), 1..12), any::<bool>());
        runner
            .run(&sequences, |(pieces, at_once)| {
                send(&mut agent.client(), &pieces, at_once);
                Ok(())
            })
            .unwrap();
        // It may have been told of a failed initialisation: then there is no next event, but an answer. Nobody reads the
        // daemon's side meanwhile.
        daemon.invoke(2, b"");
        let status = agent.client().next().status;
        assert!([200, 403].contains(&status), "{status}");
    }
}

/// Sends all pieces and waits for the agent to have done with them.
fn send(client: &mut Client, pieces: &[Vec<u8>], at_once: bool) {
    if at_once {
        let _refused = client.stream.write_all(&pieces.concat());
    } else {
        pieces.iter().for_each(|piece| drop(client.stream.write_all(piece)));
    }
    let _refused = client.stream.shutdown(Shutdown::Write);
    let _reset = client.stream.read_to_end(&mut Vec::new());
}
