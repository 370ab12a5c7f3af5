//! What the agent adds to a warm invocation: wall time of the whole loop and CPU time of the agent alone.
//!
//! `cargo run --example warm_loop -- PATH_TO_AGENT [INVOCATIONS] [BODY_BYTES]`. Daemon, agent and runtime take turns, so on one
//! core (`taskset 1`) the wall time is the sum of their work, and on more it includes the wake-ups between cores.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a measurement that cannot be taken has no result")]

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixStream},
    },
    process::{Child, Command},
    time::{Duration, Instant},
};

use hearth_agent_proto::{FromAgent, Init, InvokeHead, Rlimits, ToAgent, read_frame};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 99, 99, 99);
const NEXT: &[u8] = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n";

fn main() {
    let mut words = std::env::args().skip(1);
    let path = words.next().unwrap();
    let invocations: u32 = words.next().map_or(20_000, |word| word.parse().unwrap());
    let body = vec![b' '; words.next().map_or(100, |word| word.parse().unwrap())];
    let mut agent = Command::new(path)
        .args(["--any-peer", "--socket", "hearth-warm-loop", "--address", &ADDRESS.to_string()])
        .spawn()
        .unwrap();
    let mut daemon = Daemon { stream: connect(), input: Vec::new() };
    daemon.until(|message| matches!(message, FromAgent::Hello { .. }));
    daemon.send(&ToAgent::Init(init()));
    let runtime = std::thread::spawn(runtime);
    daemon.until(|message| *message == FromAgent::Ready);
    run(&mut daemon, 1, invocations / 10, &body);
    let (before, started) = (cpu_time(&agent), Instant::now());
    run(&mut daemon, 1 + invocations / 10, invocations, &body);
    let (wall, cpu) = (started.elapsed(), cpu_time(&agent) - before);
    println!(
        "{} bytes: {:.1} us per invocation, of which the agent's CPU {:.1} us",
        body.len(),
        wall.as_secs_f64() * 1e6 / f64::from(invocations),
        cpu.as_secs_f64() * 1e6 / f64::from(invocations),
    );
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.id())).unwrap();
    status
        .lines()
        .filter(|line| line.starts_with("Rss") || line.starts_with("VmRSS"))
        .for_each(|line| println!("{line}"));
    daemon.send(&ToAgent::Shutdown { grace_ms: 0 });
    agent.wait().unwrap();
    drop(runtime);
}

fn init() -> Init {
    Init {
        commands: vec![vec!["/bin/sleep".to_owned(), "1000".to_owned()]],
        environment: Vec::new(),
        cwd: "/".to_owned(),
        parked: false,
        telemetry: true,
        uid_gid: None,
        hostname: String::new(),
        rlimits: Rlimits { files: 1024, processes: 1024, core_bytes: 0 },
        response_bytes_max: 6_291_556,
        stream_bytes_max: 1,
    }
}

fn connect() -> UnixStream {
    let address = SocketAddr::from_abstract_name("hearth-warm-loop").unwrap();
    loop {
        if let Ok(stream) = UnixStream::connect_addr(&address) {
            return stream;
        }
        std::thread::yield_now();
    }
}

fn run(daemon: &mut Daemon, first: u32, invocations: u32, body: &[u8]) {
    for id in first..first + invocations {
        let head = InvokeHead {
            request_id: "8476a536-e9f4-11e8-9739-2dfe598c3fcd".into(),
            invocation_id: "8476a536-e9f4-11e8-9739-2dfe598c3fce".into(),
            deadline_ms: 1_542_409_706_888,
            function_arn: "arn:aws:lambda:us-east-2:123456789012:function:custom-runtime".into(),
            trace_id: Some("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1".into()),
            client_context: None,
            cognito_identity: None,
        };
        daemon.send(&ToAgent::Invoke { id, head, body });
        daemon.until(|message| *message == FromAgent::Idle { id });
    }
}

/// Answers each event with its own body, as one write.
fn runtime() {
    let mut stream = TcpStream::connect((ADDRESS, hearth_agent_proto::RUNTIME_API_PORT)).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut input = Vec::new();
    while stream.write_all(NEXT).is_ok() {
        let Some(event) = read_message(&mut stream, &mut input) else {
            return;
        };
        let head = format!(
            "POST /2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response HTTP/1.1\r\n\
             Host: 127.0.0.1:9001\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            event.len()
        );
        if stream.write_all(&[head.as_bytes(), &event].concat()).is_err()
            || read_message(&mut stream, &mut input).is_none()
        {
            return;
        }
    }
}

fn read_message(stream: &mut TcpStream, input: &mut Vec<u8>) -> Option<Vec<u8>> {
    let mut bytes = [0; 64 * 1024];
    loop {
        if let Some(end) = input.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = std::str::from_utf8(&input[..end]).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
            let total = end + 4 + length.parse::<usize>().unwrap();
            if input.len() >= total {
                let body = input[end + 4..total].to_vec();
                input.drain(..total);
                return Some(body);
            }
        }
        match stream.read(&mut bytes) {
            Ok(length) if length > 0 => input.extend_from_slice(&bytes[..length]),
            _ => return None,
        }
    }
}

struct Daemon {
    stream: UnixStream,
    input: Vec<u8>,
}

impl Daemon {
    fn send(&mut self, message: &ToAgent<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    fn until(&mut self, wanted: impl Fn(&FromAgent<'_>) -> bool) {
        let mut bytes = [0; 64 * 1024];
        loop {
            while let Some((header, payload, taken)) = read_frame(&self.input).unwrap() {
                let is_wanted = wanted(&FromAgent::decode(header, payload).unwrap());
                self.input.drain(..taken);
                if is_wanted {
                    return;
                }
            }
            let length = self.stream.read(&mut bytes).unwrap();
            assert!(length > 0, "the agent ended");
            self.input.extend_from_slice(&bytes[..length]);
        }
    }
}

/// CPU time that the process has used, as the scheduler counts it.
fn cpu_time(process: &Child) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{}/schedstat", process.id())).unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
