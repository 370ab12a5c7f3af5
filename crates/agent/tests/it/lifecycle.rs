use std::{io::Read, net::Shutdown};

use hearth_agent_proto::{ErrorHead, ExitStatus, FromAgent, Init, Renewal, ToAgent};

use crate::testbed::{Agent, init, shell};

fn exit_of(agent: &Agent, message: &ToAgent<'_>) -> ExitStatus {
    let mut daemon = agent.daemon();
    daemon.send(message);
    match daemon.next_but_logs().message() {
        FromAgent::Exit(status) => status,
        message => panic!("not the end of the runtime: {message:?}"),
    }
}

#[test]
fn the_runtimes_exit_status_is_reported() {
    for (script, status) in [
        ("exit 0", ExitStatus::Code(0)),
        ("exit 7", ExitStatus::Code(7)),
        ("kill -9 $$", ExitStatus::Signal(9)),
        ("kill -TERM $$", ExitStatus::Signal(15)),
    ] {
        assert_eq!(exit_of(&Agent::start(), &shell(script)), status, "{script}");
    }
}

fn commands(programs: &[&str]) -> ToAgent<'static> {
    let commands = programs.iter().map(|&program| vec![program.to_owned()]).collect();
    ToAgent::Init(Init { commands, ..init(&[]) })
}

#[test]
fn the_first_program_that_is_there_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let links = [("dangling", "nowhere"), ("circle", "circle"), ("directory", "/etc"), ("program", "/bin/false")];
    for (name, target) in links {
        std::os::unix::fs::symlink(target, at(name)).unwrap();
    }
    let [dangling, circle, directory, program] = links.map(|(name, _)| at(name));
    for passed_over in [["/missing/bootstrap", "/etc/passwd/bootstrap", "/etc"], [&dangling, &circle, &directory]] {
        let programs = [&passed_over[..], &[&program, "/bin/true"]].concat();
        assert_eq!(exit_of(&Agent::start(), &commands(&programs)), ExitStatus::Code(1));
        assert_eq!(exit_of(&Agent::start(), &commands(&passed_over)), ExitStatus::NotFound);
    }
    assert_eq!(exit_of(&Agent::start(), &commands(&[])), ExitStatus::NotFound);
}

#[test]
fn a_program_that_is_there_and_cannot_be_started_is_not_passed_over() {
    let (enoent, eacces, enoexec) = (2, 13, 8);
    let dir = tempfile::tempdir().unwrap();
    for (content, mode, errno) in [
        ("#!/missing/interpreter\n", 0o755, enoent),
        ("#!/bin/sh\r\n", 0o755, enoent),
        ("#!/bin/sh\n", 0o644, eacces),
        ("", 0o755, enoexec),
        ("exit 0\n", 0o755, enoexec),
    ] {
        let path = dir.path().join("bootstrap");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let status = exit_of(&Agent::start(), &commands(&["/missing", path.to_str().unwrap(), "/bin/true"]));
        assert_eq!(status, ExitStatus::NotStarted { command: 1, errno }, "{content:?}");
    }
}

#[test]
fn an_environment_that_no_process_can_have_does_not_start_one() {
    let environment = vec![("A\0B".to_owned(), "value".to_owned())];
    let status = exit_of(&Agent::start(), &ToAgent::Init(Init { environment, ..init(&["/bin/true"]) }));
    assert!(matches!(status, ExitStatus::NotStarted { command: 0, .. }));
}

#[test]
fn the_runtime_has_the_environment_directory_and_limits_that_it_was_given() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    let script = "env | grep -v ^PWD= | sort | sed 's/FD=[0-9]*$/FD=n/'; pwd; ulimit -n; \
                  [ -p /proc/self/fd/$_LAMBDA_TELEMETRY_LOG_FD ] && echo pipe; cat";
    let environment = vec![("NAME".to_owned(), "a value".to_owned()), ("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    let given = Init { environment, cwd: "/tmp".to_owned(), ..init(&["/bin/sh", "-c", script]) };
    daemon.send(&ToAgent::Init(given));
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(0)));
    let expected = "NAME=a value\nPATH=/usr/bin:/bin\n_LAMBDA_TELEMETRY_LOG_FD=n\n/tmp\n1024\npipe\n";
    assert_eq!(String::from_utf8(logs.concat()).unwrap(), expected);
}

#[test]
fn the_runtime_inherits_nothing_but_its_pipes() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell("ls /proc/self/fd | grep -v -e '^[012]$' -e \"^$_LAMBDA_TELEMETRY_LOG_FD$\" | wc -l"));
    let logs = daemon.logs_until(|message| matches!(message, FromAgent::Exit(_)));
    // The directory that `ls` reads is one more.
    assert_eq!(String::from_utf8(logs.concat()).unwrap(), "1\n");
}

#[test]
fn a_second_init_changes_nothing() {
    let (_agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.send(&shell("exit 1"));
    daemon.invoke(1, b"e");
    assert_eq!(client.next().body, b"e");
    assert_eq!(daemon.next().message(), FromAgent::Ready);
}

#[test]
fn what_the_runtime_posts_before_it_dies_comes_before_its_end() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    let address = agent.address;
    let body = "x".repeat(100_000);
    let length = body.len();
    let script = format!(
        "exec 3<>/dev/tcp/{address}/9001; printf 'POST /2018-06-01/runtime/init/error HTTP/1.1\\r\\n\
         Lambda-Runtime-Function-Error-Type: E\\r\\nContent-Length: {length}\\r\\n\\r\\n%s' {body} >&3; echo last; kill -9 $$"
    );
    daemon.send(&ToAgent::Init(init(&["/bin/bash", "-c", &script])));
    assert_eq!(
        daemon
            .logs_until(|message| {
                let head = ErrorHead { error_type: "E".into() };
                *message == FromAgent::InitError { head, body: body.as_bytes() }
            })
            .len()
            + daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Signal(9))).len(),
        1
    );
}

#[test]
fn the_end_is_reported_though_a_process_that_was_left_behind_keeps_logging() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell(
        "trap 'exit 3' USR1; setsid sh -c \"echo \\$\\$; kill -USR1 $$; while echo more; do :; done\" & \
                  while :; do sleep 0.01; done",
    ));
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(3)));
    let left_behind = String::from_utf8(logs[0].clone()).unwrap();
    // Outside of a pid namespace the agent does not end what has left the runtime's process group; its pipe is closed.
    let pid = rustix::process::Pid::from_raw(left_behind.trim().parse().unwrap()).unwrap();
    crate::testbed::until(|| rustix::process::test_kill_process(pid).is_err().then_some(()));
}

#[test]
fn an_invocation_that_a_dying_runtime_did_not_get_is_given_back() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell("exec sleep 1000"));
    daemon.invoke(9, b"");
    daemon.invoke(10, b"");
    assert_eq!(daemon.next().message(), FromAgent::Withdrawn { id: 10 }, "one is held");
    for runtime in agent.runtimes() {
        rustix::process::kill_process(runtime, rustix::process::Signal::KILL).unwrap();
    }
    assert_eq!(daemon.next().message(), FromAgent::Withdrawn { id: 9 });
    assert_eq!(daemon.next().message(), FromAgent::Exit(ExitStatus::Signal(9)));
}

#[test]
fn an_invocation_for_a_dead_runtime_is_given_back() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell("exit 0"));
    assert_eq!(daemon.next().message(), FromAgent::Exit(ExitStatus::Code(0)));
    daemon.invoke(9, b"");
    assert_eq!(daemon.next().message(), FromAgent::Withdrawn { id: 9 });
}

#[test]
fn a_runtime_may_end_in_the_grace_of_a_shutdown() {
    let mut agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done"));
    assert!(matches!(daemon.next().message(), FromAgent::Log { data: b"up\n", .. }));
    daemon.send(&ToAgent::Shutdown { grace_ms: 10_000 });
    // The shell may tell of its child that was signalled with it.
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(5)));
    assert_eq!(logs.last().map(Vec::as_slice), Some(&b"bye\n"[..]));
    assert!(daemon.next_or_end().is_none());
    assert!(agent.ends());
}

#[test]
fn a_runtime_that_does_not_end_is_killed() {
    for grace_ms in [0, 20] {
        let mut agent = Agent::start();
        let mut daemon = agent.daemon();
        daemon.send(&shell("trap '' TERM; echo up; while :; do sleep 0.01; done"));
        assert!(matches!(daemon.next().message(), FromAgent::Log { data: b"up\n", .. }));
        daemon.send(&ToAgent::Shutdown { grace_ms });
        assert_eq!(daemon.next_but_logs().message(), FromAgent::Exit(ExitStatus::Signal(9)));
        assert!(agent.ends());
    }
}

#[test]
fn an_agent_without_a_runtime_ends_at_once() {
    let mut agent = Agent::start();
    agent.daemon().send(&ToAgent::Shutdown { grace_ms: 10_000 });
    assert!(agent.ends());
}

#[test]
fn answers_wait_for_a_daemon_that_went_away() {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    // As before a snapshot: the daemon has nothing more to say and reads to the end.
    daemon.stream.shutdown(Shutdown::Write).unwrap();
    assert!(daemon.next_or_end().is_none());
    assert_eq!(client.respond(1, b"kept").status, 202);
    client.ask_next();
    let mut daemon = agent.daemon();
    assert!(matches!(daemon.next().message(), FromAgent::Response { id: 1, body: b"kept", .. }));
    assert_eq!(daemon.next().message(), FromAgent::Idle { id: 1 });
    daemon.invoke(2, b"2");
    assert_eq!(client.answer().body, b"2");
}

#[test]
fn a_frame_that_was_sent_in_part_is_sent_again_from_its_start() {
    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.invoke(1, b"");
    client.next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    let body = vec![b'x'; 4 * 1024 * 1024];
    assert_eq!(client.respond(1, &body).status, 202);
    let mut part = [0; 1000];
    daemon.stream.read_exact(&mut part).unwrap();
    drop(daemon);
    let mut daemon = agent.daemon();
    assert!(matches!(daemon.next().message(), FromAgent::Response { id: 1, body: sent, .. } if sent == body));
}

#[test]
fn the_newest_daemon_replaces_the_old() {
    let (agent, mut old, mut client) = Agent::with_idle_runtime();
    let mut new = agent.daemon();
    assert!(old.next_or_end().is_none());
    client.ask_next();
    assert_eq!(new.next().message(), FromAgent::Ready);
    new.invoke(1, b"e");
    assert_eq!(client.answer().body, b"e");
}

#[test]
fn a_daemon_that_does_not_speak_the_protocol_is_cut_off() {
    use std::io::Write;

    let (agent, mut daemon, mut client) = Agent::with_idle_runtime();
    daemon.stream.write_all(&[0xff; 64]).unwrap();
    assert!(daemon.next_or_end().is_none());
    let mut daemon = agent.daemon();
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
}

fn renewal(number: u32) -> ToAgent<'static> {
    ToAgent::Renew(Renewal {
        secret: "s3cret".into(),
        credentials: format!("{{\"AccessKeyId\":\"{number}\"}}").into(),
        variables: "{}".into(),
    })
}

#[test]
fn a_runtime_that_asks_to_be_restored_is_held_until_it_is() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&renewal(1));
    daemon.send(&ToAgent::Init(init(&["/bin/sleep", "1000"])));
    let mut client = agent.client();
    client.write("GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n\r\n");
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    // The daemon that saved it is another than the one that restores it.
    drop(daemon);
    let mut daemon = agent.daemon();
    daemon.send(&renewal(2));
    assert_eq!(client.answer().status, 200);
    let mut other = agent.client();
    other.write("GET /hearth/s3cret/credentials HTTP/1.1\r\n\r\n");
    assert_eq!(other.answer().body, b"{\"AccessKeyId\":\"2\"}");
    other.write("GET /hearth/guess/credentials HTTP/1.1\r\n\r\n");
    assert_eq!(other.answer().status, 404);
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    daemon.invoke(1, b"e");
    assert_eq!(client.answer().body, b"e");
}

#[test]
fn a_runtime_that_waits_for_its_first_event_is_ready_at_once_when_restored() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&renewal(1));
    daemon.send(&ToAgent::Init(init(&["/bin/sleep", "1000"])));
    let mut client = agent.client();
    client.ask_next();
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    drop(daemon);
    let mut daemon = agent.daemon();
    daemon.send(&renewal(2));
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    daemon.invoke(1, b"e");
    assert_eq!(client.answer().body, b"e");
}

#[test]
fn a_hook_that_fails_after_a_restore_is_reported() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&renewal(1));
    daemon.send(&ToAgent::Init(init(&["/bin/sleep", "1000"])));
    let mut client = agent.client();
    let mut hooks = agent.client();
    let error_type = "Lambda-Runtime-Function-Error-Type: Runtime.AfterRestoreError\r\n";
    assert_eq!(hooks.post("restore/error", error_type, b"{}").status, 403);
    client.write("GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n\r\n");
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    daemon.send(&renewal(2));
    assert_eq!(client.answer().status, 200);
    assert_eq!(hooks.post("restore/error", error_type, b"{}").status, 202);
    let head = ErrorHead { error_type: "Runtime.AfterRestoreError".into() };
    assert_eq!(daemon.next().message(), FromAgent::InitError { head, body: b"{}" });
}

#[test]
fn a_sandbox_that_is_not_to_be_saved_restores_nothing() {
    let (_agent, _daemon, mut client) = Agent::with_idle_runtime();
    client.write("GET /2018-06-01/runtime/restore/next HTTP/1.1\r\n\r\n");
    assert_eq!(client.answer().error_type(), "InvalidStateTransition");
    client.write("GET /hearth//credentials HTTP/1.1\r\n\r\n");
    assert_eq!(client.answer().status, 404);
}
