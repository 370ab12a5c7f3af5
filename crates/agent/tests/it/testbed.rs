//! An agent process, the daemon's side of it, and a client that speaks HTTP byte by byte.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddrV4, TcpStream},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixStream},
    },
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use hearth_agent_proto::{
    FrameHeader, FromAgent, Init, InvokeHead, PROTOCOL_VERSION, RUNTIME_API_PORT, Rlimits, ToAgent, read_frame,
};

/// Nothing here takes long; what takes this long has failed.
const DEADLINE: Duration = Duration::from_secs(20);
pub(crate) const RESPONSE_BYTES_MAX: u64 = 6 * 1024 * 1024 + 100;
pub(crate) const STREAM_BYTES_MAX: u64 = 20 * 1024 * 1024;

static AGENTS: AtomicU8 = AtomicU8::new(1);

/// An agent of its own, on a loopback address of its own.
pub(crate) struct Agent {
    child: Child,
    name: String,
    pub(crate) address: Ipv4Addr,
}

impl Agent {
    pub(crate) fn start() -> Self {
        let number = AGENTS.fetch_add(1, Ordering::Relaxed);
        let [.., high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, 1 + high % 250, low, number);
        let name = format!("hearth-agent-test-{address}");
        let child = Command::new(env!("CARGO_BIN_EXE_hearth-agent"))
            .args(["--any-peer", "--socket", &name, "--address", &address.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, name, address }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Connects as the daemon does, and is greeted.
    pub(crate) fn daemon(&self) -> Daemon {
        let address = SocketAddr::from_abstract_name(&self.name).unwrap();
        let stream = until(|| UnixStream::connect_addr(&address).ok());
        let mut daemon = Daemon::new(stream);
        assert_eq!(daemon.next().message(), FromAgent::Hello { version: PROTOCOL_VERSION });
        daemon
    }

    /// An agent whose runtime does nothing, for tests that speak in its place.
    pub(crate) fn with_idle_runtime() -> (Self, Daemon, Client) {
        let agent = Self::start();
        let mut daemon = agent.daemon();
        daemon.send(&ToAgent::Init(init(&["/bin/sleep", "1000"])));
        // Until then the Runtime API refuses everything, and another daemon's connection might come first.
        until(|| Some(agent.children()).filter(|children| !children.is_empty()));
        let client = agent.client();
        (agent, daemon, client)
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.connect(RUNTIME_API_PORT))
    }

    pub(crate) fn connect(&self, port: u16) -> TcpStream {
        let stream = until(|| TcpStream::connect(SocketAddrV4::new(self.address, port)).ok());
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Waits until the agent has no children, dead ones included.
    pub(crate) fn is_without_children(&self) -> bool {
        until(|| self.children().is_empty().then_some(true))
    }

    fn children(&self) -> String {
        let pid = self.child.id();
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default()
    }

    pub(crate) fn runtimes(&self) -> Vec<Pid> {
        self.children().split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }

    /// The agent's process ends by itself, with this success.
    pub(crate) fn ends(&mut self) -> bool {
        let child = &mut self.child;
        until(|| child.try_wait().unwrap()).success()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // Outside of a pid namespace the runtime outlives its agent.
        for runtime in self.runtimes() {
            let _ended = kill_process_group(runtime, Signal::KILL);
        }
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

pub(crate) fn init(command: &[&str]) -> Init {
    Init {
        commands: vec![command.iter().map(|&word| word.to_owned()).collect()],
        environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        cwd: "/".to_owned(),
        parked: false,
        telemetry: true,
        uid_gid: None,
        hostname: "sandbox".to_owned(),
        rlimits: Rlimits { files: 1024, processes: 1024, core_bytes: 0 },
        response_bytes_max: RESPONSE_BYTES_MAX,
        stream_bytes_max: STREAM_BYTES_MAX,
    }
}

pub(crate) fn shell(script: &str) -> ToAgent<'static> {
    ToAgent::Init(init(&["/bin/sh", "-c", script]))
}

pub(crate) fn invoke_head(number: u32) -> InvokeHead<'static> {
    InvokeHead {
        request_id: format!("request-{number}").into(),
        invocation_id: format!("attempt-{number}").into(),
        deadline_ms: 1_542_409_706_888,
        function_arn: "arn:aws:lambda:us-east-1:123456789012:function:test".into(),
        trace_id: Some("Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700".into()),
        client_context: None,
        cognito_identity: None,
    }
}

/// Asks until there is an answer.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain");
        std::thread::yield_now();
    }
}

pub(crate) struct Frame {
    header: FrameHeader,
    payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn message(&self) -> FromAgent<'_> {
        FromAgent::decode(self.header, &self.payload).unwrap()
    }
}

/// The daemon's side of the link.
pub(crate) struct Daemon {
    pub(crate) stream: UnixStream,
    input: Vec<u8>,
}

impl Daemon {
    pub(crate) fn new(stream: UnixStream) -> Self {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Self { stream, input: Vec::new() }
    }

    pub(crate) fn send(&mut self, message: &ToAgent<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    pub(crate) fn invoke(&mut self, id: u32, body: &[u8]) {
        self.send(&ToAgent::Invoke { id, head: invoke_head(id), body });
    }

    pub(crate) fn next(&mut self) -> Frame {
        self.next_or_end().expect("the agent closed the connection")
    }

    /// The next frame, or `None` when the agent has closed the connection.
    pub(crate) fn next_or_end(&mut self) -> Option<Frame> {
        loop {
            if let Some((header, payload, taken)) = read_frame(&self.input).unwrap() {
                let frame = Frame { header, payload: payload.to_vec() };
                self.input.drain(..taken);
                return Some(frame);
            }
            let mut bytes = [0; 64 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(length) => self.input.extend_from_slice(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came from the agent: {error}"),
            }
        }
    }

    /// The next frame that is not a log record.
    pub(crate) fn next_but_logs(&mut self) -> Frame {
        loop {
            let frame = self.next();
            if !matches!(frame.message(), FromAgent::Log { .. }) {
                return frame;
            }
        }
    }

    /// The bytes of all log records that come before a message that `is_last` knows.
    pub(crate) fn logs_until(&mut self, is_last: impl Fn(&FromAgent<'_>) -> bool) -> Vec<Vec<u8>> {
        let mut logs = Vec::new();
        loop {
            let frame = self.next();
            match frame.message() {
                FromAgent::Log { data, .. } => logs.push(data.to_vec()),
                message if is_last(&message) => return logs,
                message => panic!("not a log record: {message:?}"),
            }
        }
    }
}

/// An HTTP client that sends what it is told and parses what it gets.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
    input: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |(header, _): &&(String, String)| header.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }

    pub(crate) fn error_type(&self) -> String {
        let text = String::from_utf8(self.body.clone()).unwrap();
        let (_, rest) = text.split_once("\"errorType\":\"").expect("an error");
        rest.split_once('"').unwrap().0.to_owned()
    }
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        Self { stream, input: Vec::new() }
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    pub(crate) fn ask_next(&mut self) {
        self.write("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n");
    }

    pub(crate) fn next(&mut self) -> Answer {
        self.ask_next();
        self.answer()
    }

    pub(crate) fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!("POST /2018-06-01/runtime/{path} HTTP/1.1\r\n{headers}Content-Length: {length}\r\n\r\n");
        self.write([head.as_bytes(), body].concat());
        self.answer()
    }

    pub(crate) fn respond(&mut self, number: u32, body: &[u8]) -> Answer {
        self.post(&format!("invocation/request-{number}/response"), "Content-Type: application/json\r\n", body)
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_or_end().expect("the agent closed the connection")
    }

    /// The next answer, or `None` when the agent has closed the connection.
    pub(crate) fn answer_or_end(&mut self) -> Option<Answer> {
        loop {
            if let Some((answer, taken)) = parse_answer(&self.input) {
                self.input.drain(..taken);
                return Some(answer);
            }
            let mut bytes = [0; 64 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(length) => self.input.extend_from_slice(&bytes[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no answer came: {error}"),
            }
        }
    }
}

fn parse_answer(input: &[u8]) -> Option<(Answer, usize)> {
    let end = input.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&input[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().unwrap();
    let headers: Vec<_> = lines
        .map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_owned(), value.to_owned())
        })
        .collect();
    let length =
        headers.iter().find(|(name, _)| name == "Content-Length").map_or(0, |(_, value)| value.parse().unwrap());
    let body = input.get(end + 4..end + 4 + length)?.to_vec();
    Some((Answer { status, headers, body }, end + 4 + length))
}
