use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
};

use hearth_agent_proto::{ENDPOINT_PORT, FromAgent, TUNNELS_MAX, ToAgent, WINDOW_BYTES};

use crate::testbed::{Agent, Daemon};

fn open(agent: &Agent, daemon: &mut Daemon, id: u32) -> TcpStream {
    let stream = agent.connect(ENDPOINT_PORT);
    assert_eq!(daemon.next().message(), FromAgent::TunnelOpen { id });
    stream
}

fn opened() -> (Agent, Daemon, TcpStream) {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    let stream = open(&agent, &mut daemon, 1);
    (agent, daemon, stream)
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|number| (number % 249) as u8).collect()
}

/// Reads what the agent sends through tunnel 1, `length` bytes of it.
fn read_tunnel(daemon: &mut Daemon, length: usize) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < length {
        let frame = daemon.next();
        match frame.message() {
            FromAgent::TunnelData { id: 1, data } => read.extend_from_slice(data),
            message => panic!("not of the tunnel: {message:?}"),
        }
    }
    read
}

fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 10]) {
        Ok(0) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
        Ok(_) => false,
    }
}

#[test]
fn bytes_go_both_ways_until_the_function_closes() {
    let (_agent, mut daemon, mut stream) = opened();
    stream.write_all(b"ping").unwrap();
    assert_eq!(daemon.next().message(), FromAgent::TunnelData { id: 1, data: b"ping" });
    daemon.send(&ToAgent::TunnelData { id: 1, data: b"pong" });
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"pong");
    drop(stream);
    assert_eq!(daemon.next().message(), FromAgent::TunnelClose { id: 1 });
}

#[test]
fn what_the_daemon_sent_before_it_closed_arrives() {
    let (_agent, mut daemon, mut stream) = opened();
    let sent = pattern(WINDOW_BYTES);
    sent.chunks(60_000).for_each(|data| daemon.send(&ToAgent::TunnelData { id: 1, data }));
    daemon.send(&ToAgent::TunnelClose { id: 1 });
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    assert_eq!(received, sent);
}

#[test]
fn tunnels_are_kept_apart() {
    let (agent, mut daemon, mut first) = opened();
    let mut second = open(&agent, &mut daemon, 2);
    daemon.send(&ToAgent::TunnelData { id: 2, data: b"2" });
    daemon.send(&ToAgent::TunnelData { id: 1, data: b"1" });
    daemon.send(&ToAgent::TunnelClose { id: 2 });
    daemon.send(&ToAgent::TunnelData { id: 2, data: b"late" });
    daemon.send(&ToAgent::TunnelData { id: 77, data: b"unknown" });
    daemon.send(&ToAgent::TunnelClose { id: 1 });
    let mut received = (String::new(), String::new());
    first.read_to_string(&mut received.0).unwrap();
    second.read_to_string(&mut received.1).unwrap();
    assert_eq!(received, ("1".to_owned(), "2".to_owned()));
}

#[test]
fn the_function_sends_no_more_than_the_daemon_takes() {
    let (_agent, mut daemon, mut stream) = opened();
    let sent = pattern(3 * WINDOW_BYTES);
    let writer = std::thread::spawn({
        let sent = sent.clone();
        move || {
            stream.write_all(&sent).unwrap();
            stream
        }
    });
    let mut received = read_tunnel(&mut daemon, WINDOW_BYTES);
    assert_eq!(received.len(), WINDOW_BYTES);
    // What comes next is not of the tunnel, which has no credit.
    daemon.invoke(1, b"");
    daemon.invoke(2, b"");
    assert_eq!(daemon.next().message(), FromAgent::Withdrawn { id: 2 });
    for _ in 0..2 {
        daemon.send(&ToAgent::Credit { id: 1, tunnel: true, bytes: u32::try_from(WINDOW_BYTES).unwrap() });
        received.extend(read_tunnel(&mut daemon, WINDOW_BYTES));
    }
    assert_eq!(received, sent);
    drop(writer.join().unwrap());
    // The end is read like any byte: with credit.
    daemon.send(&ToAgent::Credit { id: 1, tunnel: true, bytes: 1 });
    assert_eq!(daemon.next().message(), FromAgent::TunnelClose { id: 1 });
}

#[test]
fn the_daemon_gets_credit_for_what_the_function_took() {
    let (_agent, mut daemon, mut stream) = opened();
    let sent = pattern(4 * WINDOW_BYTES);
    let reader = std::thread::spawn(move || {
        let mut received = vec![0; 4 * WINDOW_BYTES];
        stream.read_exact(&mut received).unwrap();
        (stream, received)
    });
    let mut credit = WINDOW_BYTES;
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let (data, behind) = rest.split_at(rest.len().min(credit).min(60_000));
        if data.is_empty() {
            match daemon.next().message() {
                FromAgent::TunnelCredit { id: 1, bytes } => credit += bytes as usize,
                message => panic!("not credit: {message:?}"),
            }
            continue;
        }
        daemon.send(&ToAgent::TunnelData { id: 1, data });
        credit -= data.len();
        rest = behind;
    }
    assert_eq!(reader.join().unwrap().1, sent);
}

#[test]
fn a_daemon_that_sends_beyond_its_credit_loses_the_tunnel() {
    let (_agent, mut daemon, mut stream) = opened();
    // Nobody reads, so nothing is credited.
    for _ in 0..200 {
        daemon.send(&ToAgent::TunnelData { id: 1, data: &[0; 60_000] });
    }
    loop {
        match daemon.next().message() {
            FromAgent::TunnelCredit { id: 1, .. } => {}
            message => {
                assert_eq!(message, FromAgent::TunnelClose { id: 1 });
                break;
            }
        }
    }
    let mut received = Vec::new();
    let end = stream.read_to_end(&mut received);
    assert!(end.is_ok() || end.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
}

#[test]
fn connections_beyond_the_limit_are_closed() {
    let (agent, mut daemon, first) = opened();
    let mut streams = vec![first];
    for id in 2..=u32::try_from(TUNNELS_MAX).unwrap() {
        streams.push(open(&agent, &mut daemon, id));
    }
    assert!(is_closed(&mut agent.connect(ENDPOINT_PORT)));
    streams.pop();
    assert!(matches!(daemon.next().message(), FromAgent::TunnelClose { .. }));
    open(&agent, &mut daemon, u32::try_from(TUNNELS_MAX).unwrap() + 1);
}

#[test]
fn tunnels_end_with_the_daemons_connection_and_new_ones_wait_for_the_next() {
    let (agent, daemon, mut stream) = opened();
    drop(daemon);
    assert!(is_closed(&mut stream));
    let mut waiting = agent.connect(ENDPOINT_PORT);
    waiting.write_all(b"hello").unwrap();
    let mut daemon = agent.daemon();
    assert_eq!(daemon.next().message(), FromAgent::TunnelOpen { id: 2 });
    assert_eq!(daemon.next().message(), FromAgent::TunnelData { id: 2, data: b"hello" });
}
