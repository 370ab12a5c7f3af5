//! The loop: what is ready, what the daemon says, how the runtime lives and dies.

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    time::{Duration, Instant},
};

use hearth_agent_proto::{
    AGENT_SOCKET, ENDPOINT_PORT, ExitStatus, FromAgent, Init, Park, RUNTIME_API_PORT, Renewal, ToAgent, read_frame,
};
use hearth_sys::init_process;
use rustix::{
    fd::{AsFd, OwnedFd},
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, socket_with, sockopt},
    process::{Pid, Signal},
};

use crate::{
    buffer, confine,
    io::Io,
    link::Heard,
    parked::{Parked, Said},
    poller::{Poller, Ready, Source, Watched},
    runtime_api::RuntimeApi,
    runtime_process,
    tunnel::Tunnels,
};

const BACKLOG: i32 = 64;
/// How long the pipes are read behind the runtime's end, if processes that survive it hold them open.
const DRAIN_TIME: Duration = Duration::from_millis(100);
/// How long the last words may take when the agent ends.
const FAREWELL_TIME: Duration = Duration::from_millis(500);

/// Where the agent listens, and to whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Take up connections of processes that are not outside of this pid namespace. For tests.
    pub any_peer: bool,
    /// Abstract name of the socket for the daemon.
    pub socket: Vec<u8>,
    pub address: Ipv4Addr,
    /// A child that waits to become the runtime: its number, that of its telemetry pipe, and our descriptors of its control
    /// socket, its output and its telemetry.
    pub parked: Option<[i32; 5]>,
}

impl Default for Options {
    fn default() -> Self {
        Self { any_peer: false, socket: AGENT_SOCKET.to_vec(), address: Ipv4Addr::LOCALHOST, parked: None }
    }
}

/// Where the runtime's process is in its one life.
#[derive(Clone, Copy, Debug)]
enum Life {
    Unborn,
    Running(Pid),
    /// It has ended; its last log records are being read.
    Draining {
        status: ExitStatus,
        until: Instant,
    },
    Gone,
}

/// The daemon has told the agent to end.
#[derive(Clone, Copy, Debug)]
struct Ending {
    kill_at: Instant,
}

#[derive(Debug)]
pub struct Agent {
    any_peer: bool,
    io: Io,
    daemon_listener: Watched,
    runtime_listener: Watched,
    endpoint_listener: Watched,
    children: Watched,
    /// From the daemon, not yet understood.
    input: Vec<u8>,
    runtime_api: RuntimeApi,
    tunnels: Tunnels,
    /// Waits to become the runtime, while there is none.
    parked: Option<Parked>,
    /// The daemon has asked for one.
    park_asked: bool,
    life: Life,
    ending: Option<Ending>,
    has_dead_children: bool,
    has_logs: bool,
}

impl Agent {
    /// Opens all sockets, the daemon's first, and gives up what is not needed.
    ///
    /// # Errors
    /// An address is taken, or the loopback interface is down.
    pub fn new(options: &Options) -> std::io::Result<Self> {
        let daemon = listen_unix(&options.socket)?;
        let runtime = listen_tcp(options.address, RUNTIME_API_PORT)?;
        let endpoint = listen_tcp(options.address, ENDPOINT_PORT)?;
        // One who leads a group already, as under a test, cannot and need not.
        let _leader_already = rustix::process::setsid();
        confine::hide()?;
        confine::give_up_capabilities(confine::UNTIL_STARTED)?;
        let poller = Poller::new()?;
        let parked = options.parked.map(|parked| Parked::inherit(&poller, parked)).transpose()?;
        let mut endpoint_listener = poller.watch(endpoint, Source::EndpointListener)?;
        endpoint_listener.set_read(&poller, false);
        Ok(Self {
            any_peer: options.any_peer,
            daemon_listener: poller.watch(daemon, Source::DaemonListener)?,
            runtime_listener: poller.watch(runtime, Source::RuntimeListener)?,
            endpoint_listener,
            children: poller.watch(init_process::open_child_signals()?, Source::Children)?,
            io: Io::new(poller),
            input: Vec::new(),
            runtime_api: RuntimeApi::default(),
            tunnels: Tunnels::default(),
            parked,
            park_asked: false,
            life: Life::Unborn,
            ending: None,
            has_dead_children: false,
            has_logs: false,
        })
    }

    /// Serves until the daemon says that it is over.
    ///
    /// # Errors
    /// The kernel refuses to wait for events.
    pub fn run(mut self) -> std::io::Result<()> {
        let mut ready = Vec::new();
        while self.ending.is_none() || !matches!(self.life, Life::Unborn | Life::Gone) {
            self.io.poller.wait(self.timeout(), &mut ready)?;
            self.io.logs.begin_round();
            ready.iter().for_each(|&ready| self.on_ready(ready));
            self.settle();
        }
        self.say_farewell()
    }

    fn timeout(&self) -> Option<Duration> {
        let deadline = match (self.life, self.ending) {
            (Life::Draining { until, .. }, _) => until,
            (Life::Running(_), Some(Ending { kill_at })) => kill_at,
            (Life::Unborn | Life::Running(_) | Life::Gone, _) => return None,
        };
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    fn on_ready(&mut self, ready: Ready) {
        match ready.source {
            Source::Connection(key) => self.runtime_api.on_ready(&mut self.io, key, ready),
            Source::Daemon => self.on_daemon(ready),
            Source::Output | Source::Telemetry => self.has_logs = true,
            Source::Tunnel(key) => self.tunnels.on_ready(&mut self.io, key, ready),
            Source::Parked => self.on_parked(),
            Source::Children => self.on_children(),
            Source::RuntimeListener => {
                if let Some(socket) = accept(&self.runtime_listener) {
                    self.runtime_api.accept(&mut self.io, socket);
                }
            }
            Source::EndpointListener => self.on_endpoint_connection(),
            Source::DaemonListener => self.on_daemon_connection(),
        }
    }

    /// What follows from a round of events.
    fn settle(&mut self) {
        if self.io.link.take_broken() {
            self.lose_daemon();
        }
        // Behind what the runtime posted: an answer takes along what was logged before it.
        if std::mem::take(&mut self.has_logs) {
            self.on_logs();
        }
        // Last, so that what the runtime posted before it died was heard before.
        if std::mem::take(&mut self.has_dead_children) {
            self.reap();
        }
        self.meet_deadlines();
        if self.io.is_stalled && !self.io.link.is_congested() {
            self.io.is_stalled = false;
            self.io.logs.set_read(&self.io.poller, true);
            self.runtime_api.resume(&mut self.io);
            self.tunnels.resume(&self.io);
        }
    }

    fn meet_deadlines(&mut self) {
        if self.timeout() != Some(Duration::ZERO) {
            return;
        }
        match self.life {
            Life::Draining { status, .. } => self.announce_exit(status),
            Life::Running(pid) => {
                runtime_process::signal(pid, Signal::KILL);
                self.ending = Some(Ending { kill_at: Instant::now() + FAREWELL_TIME });
            }
            Life::Unborn | Life::Gone => {}
        }
    }

    fn on_daemon_connection(&mut self) {
        let Some(socket) = accept(&self.daemon_listener) else {
            return;
        };
        // A process without a number here is outside of the sandbox: it had to enter the network namespace to come here.
        if !self.any_peer && init_process::read_peer_pid(&socket).ok() != Some(0) {
            return;
        }
        self.lose_daemon();
        if self.io.link.connect(&self.io.poller, socket).is_ok() {
            self.endpoint_listener.set_read(&self.io.poller, true);
        }
    }

    /// The daemon is gone, and with it the other ends of the tunnels. The function's calls wait for the next.
    fn lose_daemon(&mut self) {
        self.io.link.disconnect();
        self.input.clear();
        self.tunnels.close_all();
        self.endpoint_listener.set_read(&self.io.poller, false);
    }

    fn on_endpoint_connection(&mut self) {
        if let Some(socket) = accept(&self.endpoint_listener) {
            self.tunnels.accept(&mut self.io, socket);
        }
    }

    fn on_daemon(&mut self, ready: Ready) {
        if ready.write {
            self.io.link.flush(&self.io.poller);
        }
        if !ready.read {
            return;
        }
        let mut input = std::mem::take(&mut self.input);
        let heard = self.io.link.read(&mut input);
        let mut taken = 0;
        let understood = loop {
            match read_frame(&input[taken..]) {
                Ok(None) => break true,
                Ok(Some((header, payload, length))) => match ToAgent::decode(header, payload) {
                    Ok(message) => {
                        self.obey(message);
                        taken += length;
                    }
                    Err(_) => break false,
                },
                Err(_) => break false,
            }
        };
        buffer::consume(&mut input, taken);
        self.input = input;
        if heard == Heard::End || !understood {
            self.lose_daemon();
        }
    }

    fn obey(&mut self, message: ToAgent<'_>) {
        let io = &mut self.io;
        match message {
            ToAgent::Park(park) => self.park(park),
            ToAgent::Init(init) => self.start(&init),
            ToAgent::Invoke { id, .. } if matches!(self.life, Life::Draining { .. } | Life::Gone) => {
                io.link.send(&io.poller, &FromAgent::Withdrawn { id });
            }
            ToAgent::Invoke { id, head, body } => self.runtime_api.invoke(io, id, &head, body),
            ToAgent::Renew(renewal) => {
                let is_started = !matches!(self.life, Life::Unborn);
                if is_started {
                    io.logs.reopen();
                }
                let renewal = Renewal {
                    secret: renewal.secret.into_owned().into(),
                    credentials: renewal.credentials.into_owned().into(),
                    variables: renewal.variables.into_owned().into(),
                };
                self.runtime_api.renew(io, renewal, is_started);
            }
            ToAgent::Withdraw { id } => self.runtime_api.withdraw(io, id),
            ToAgent::Credit { id, tunnel: true, bytes } => self.tunnels.add_credit(io, id, bytes),
            ToAgent::Credit { id, tunnel: false, bytes } => self.runtime_api.add_credit(io, id, bytes),
            ToAgent::TunnelData { id, data } => self.tunnels.send(io, id, data),
            ToAgent::TunnelClose { id } => self.tunnels.close_by_daemon(io, id),
            ToAgent::Shutdown { grace_ms } => self.begin_ending(Duration::from_millis(grace_ms.into())),
        }
    }

    /// Starts a process that is to wait, and answers when it does. Once, and before there is a runtime.
    fn park(&mut self, park: Park) {
        if self.park_asked || !matches!(self.life, Life::Unborn) {
            return;
        }
        self.park_asked = true;
        match &mut self.parked {
            Some(parked) => {
                parked.expect(park);
                if parked.is_ready() {
                    self.answer_park(true);
                }
            }
            None => match Parked::start(&self.io.poller, park) {
                Ok(parked) => self.parked = Some(parked),
                Err(_) => self.answer_park(false),
            },
        }
    }

    fn answer_park(&mut self, ready: bool) {
        self.io.link.send(&self.io.poller, &FromAgent::Parked { ready });
    }

    fn on_parked(&mut self) {
        let Some(parked) = &mut self.parked else { return };
        let was_ready = parked.is_ready();
        match parked.listen() {
            Said::Nothing => {}
            Said::Ready if self.park_asked => self.answer_park(true),
            Said::Ready => {}
            Said::End => {
                if let Some(parked) = self.parked.take() {
                    parked.end();
                }
                if self.park_asked && !was_ready {
                    self.answer_park(false);
                }
            }
        }
    }

    /// Starts the runtime. Once: another `Init` changes nothing.
    fn start(&mut self, init: &Init) {
        if !matches!(self.life, Life::Unborn) {
            return;
        }
        self.runtime_api.begin(init.response_bytes_max, init.stream_bytes_max);
        let parked = self.parked.take().and_then(|parked| parked.become_runtime(init));
        match parked.map_or_else(|| runtime_process::start(init), Ok) {
            Ok(started) => {
                self.life = Life::Running(started.pid);
                let opened = self.io.logs.open(&self.io.poller, started.output, started.telemetry);
                let confined = confine::give_up_capabilities(confine::ONCE_STARTED);
                // A function without logs, or an agent that kept its powers, is not what was asked for.
                if opened.and(confined).is_err() {
                    runtime_process::signal(started.pid, Signal::KILL);
                }
            }
            Err(status) => self.announce_exit(status),
        }
    }

    fn begin_ending(&mut self, grace: Duration) {
        self.ending = Some(Ending { kill_at: Instant::now() + grace });
        if let Life::Running(pid) = self.life
            && !grace.is_zero()
        {
            runtime_process::signal(pid, Signal::TERM);
        }
    }

    fn on_children(&mut self) {
        let mut told = [0; 1024];
        // What is told is not worth reading: signals merge, and the dead are asked for.
        let _empty = rustix::io::read(&self.children, &mut told);
        self.has_dead_children = true;
    }

    fn reap(&mut self) {
        let runtime = match self.life {
            Life::Running(pid) => Some(pid),
            Life::Unborn | Life::Draining { .. } | Life::Gone => None,
        };
        let (Some(status), Some(pid)) = (runtime_process::reap(runtime), runtime) else {
            return;
        };
        self.runtime_api.finish(&mut self.io);
        if init_process::kill_all_others().is_err() {
            runtime_process::signal(pid, Signal::KILL);
        }
        self.life = Life::Draining { status, until: Instant::now() + DRAIN_TIME };
        self.on_logs();
    }

    fn on_logs(&mut self) {
        if let Life::Draining { status, .. } = self.life {
            self.io.logs.drain(&mut self.io.link);
            if self.io.logs.is_over() {
                self.announce_exit(status);
            }
        } else if self.io.must_stall() {
            self.io.logs.set_read(&self.io.poller, false);
        } else {
            self.io.logs.drain_once(&mut self.io.link);
            self.io.link.flush(&self.io.poller);
        }
    }

    /// The last that the daemon hears of the runtime.
    fn announce_exit(&mut self, status: ExitStatus) {
        self.life = Life::Gone;
        self.io.logs.finish(&mut self.io.link);
        self.io.link.send(&self.io.poller, &FromAgent::Exit(status));
    }

    fn say_farewell(mut self) -> std::io::Result<()> {
        let until = Instant::now() + FAREWELL_TIME;
        let mut ready = Vec::new();
        while self.io.link.has_waiting() && self.io.link.is_connected() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.io.poller.wait(Some(left), &mut ready)?;
            self.io.link.flush(&self.io.poller);
        }
        Ok(())
    }
}

fn listen_unix(name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    bind(&socket, &SocketAddrUnix::new_abstract_name(name)?)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

fn listen_tcp(address: Ipv4Addr, port: u16) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &SocketAddrV4::new(address, port))?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// The next connection, if it is still there.
fn accept(listener: impl AsFd) -> Option<OwnedFd> {
    accept_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK).ok()
}
