//! The agent as what it is: the first process of its own pid and network namespaces.

use std::{
    fs,
    os::{linux::net::SocketAddrExt, unix::net::SocketAddr, unix::net::UnixStream},
    process::{Child, Command, Stdio},
};

use hearth_agent_proto::{AGENT_SOCKET, ExitStatus, FromAgent, Init, PROTOCOL_VERSION, ToAgent};
use rustix::{
    process::{Pid, Signal, geteuid, kill_process},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};

use crate::testbed::{Daemon, init, until};

struct Sandbox {
    unshare: Child,
    agent: i32,
}

impl Sandbox {
    /// `None`, with a word on it, where namespaces cannot be made.
    fn start() -> Option<Self> {
        if !geteuid().is_root() {
            println!("skipped: only root makes namespaces here");
            return None;
        }
        let script = format!("ip link set lo up && exec {}", env!("CARGO_BIN_EXE_hearth-agent"));
        let unshare = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child", "--net", "--mount", "--mount-proc", "/bin/sh", "-c", &script])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let agent = until(|| {
            let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", unshare.id())).ok()?;
            let agent: i32 = children.trim().parse().ok()?;
            (fs::read_to_string(format!("/proc/{agent}/comm")).ok()?.trim() == "hearth-agent").then_some(agent)
        });
        Some(Self { unshare, agent })
    }

    /// Enters the network namespace and connects, on a thread of its own.
    fn daemon(&self) -> Daemon {
        let namespace = fs::File::open(format!("/proc/{}/ns/net", self.agent)).unwrap();
        let connected = std::thread::spawn(move || {
            move_into_link_name_space(std::os::fd::AsFd::as_fd(&namespace), Some(LinkNameSpaceType::Network)).unwrap();
            let address = SocketAddr::from_abstract_name(AGENT_SOCKET).unwrap();
            until(|| UnixStream::connect_addr(&address).ok())
        });
        let mut daemon = Daemon::new(connected.join().unwrap());
        assert_eq!(daemon.next().message(), FromAgent::Hello { version: PROTOCOL_VERSION });
        daemon
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // The agent first: `unshare` reaps it and ends.
        if let Some(agent) = Pid::from_raw(self.agent) {
            let _ended = kill_process(agent, Signal::KILL);
        }
        let _ended = self.unshare.wait();
    }
}

fn bash(script: &str) -> ToAgent<'static> {
    ToAgent::Init(Init { uid_gid: Some((1000, 1000)), ..init(&["/bin/bash", "-c", script]) })
}

#[test]
fn the_first_process_takes_up_the_daemon_from_outside_and_hides_from_the_function() {
    let Some(sandbox) = Sandbox::start() else {
        return;
    };
    let mut daemon = sandbox.daemon();
    daemon.send(&bash(
        "id -u; grep CapEff /proc/self/status; cat /proc/1/environ /proc/1/mem 2>&1 | grep -c denied; \
         ls /proc/1/fd >/dev/null 2>&1 || echo hidden; kill -9 1 2>/dev/null || echo immune; cat /proc/self/oom_score_adj",
    ));
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(0)));
    let expected = "1000\nCapEff:\t0000000000000000\n2\nhidden\nimmune\n1000\n";
    assert_eq!(String::from_utf8(logs.concat()).unwrap(), expected);
}

#[test]
fn the_first_process_keeps_no_more_power_than_it_needs() {
    let Some(sandbox) = Sandbox::start() else {
        return;
    };
    let mut daemon = sandbox.daemon();
    daemon.send(&bash("echo up; read -r x < <(sleep 1000)"));
    assert!(matches!(daemon.next().message(), FromAgent::Log { data: b"up\n", .. }));
    let status = fs::read_to_string(format!("/proc/{}/status", sandbox.agent)).unwrap();
    // CAP_KILL alone.
    for line in ["CapPrm:\t0000000000000020", "CapEff:\t0000000000000020", "NoNewPrivs:\t1"] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
}

#[test]
fn every_process_ends_with_the_runtime_and_none_is_left_a_zombie() {
    let Some(sandbox) = Sandbox::start() else {
        return;
    };
    let mut daemon = sandbox.daemon();
    daemon.send(&bash(
        "for i in 1 2 3; do setsid sleep 1000 & done; (sleep 0.01 & setsid sh -c 'while echo x; do :; done' &) ; \
         read -r -t 0.1 x < <(sleep 1000); exit 6",
    ));
    assert_eq!(daemon.next_but_logs().message(), FromAgent::Exit(ExitStatus::Code(6)));
    let children = format!("/proc/{0}/task/{0}/children", sandbox.agent);
    until(|| fs::read_to_string(&children).unwrap().is_empty().then_some(()));
}

#[test]
fn a_function_that_connects_in_the_daemons_place_is_sent_away() {
    let Some(sandbox) = Sandbox::start() else {
        return;
    };
    let mut daemon = sandbox.daemon();
    let script = "import socket\ns=socket.socket(socket.AF_UNIX)\ns.connect('\\0hearth-agent')\nprint(s.recv(99))";
    let given = Init { uid_gid: Some((1000, 1000)), ..init(&["/usr/bin/python3", "-c", script]) };
    daemon.send(&ToAgent::Init(given));
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(0)));
    assert_eq!(logs.concat(), b"b''\n");
}
