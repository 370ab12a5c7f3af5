use std::time::SystemTime;

use hearth_agent_proto::{ExitStatus, FromAgent, LogSource, ToAgent};

use crate::testbed::{Agent, init, shell};

#[test]
fn lines_of_both_outputs_come_in_order_and_before_the_end() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell("echo one; echo two >&2; printf 'three\nfour'"));
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(0)));
    assert_eq!(logs, [&b"one\n"[..], b"two\n", b"three\n", b"four"]);
}

#[test]
fn many_lines_lose_nothing() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell("seq 1 200000"));
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(0)));
    assert_eq!(logs.len(), 200_000);
    let expected: String = (1..=200_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(logs.concat(), expected.into_bytes());
}

#[test]
fn what_was_logged_before_a_response_comes_before_it() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    let address = agent.address;
    // Output without a line end, at once followed by the response.
    let script = format!(
        "exec 3<>/dev/tcp/{address}/9001; next='GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n'; \
         printf \"$next\" >&3; while read -r line <&3; do [ ${{#line}} -le 1 ] && break; done; n=0; \
         while [ $n -lt 50 ]; do n=$((n+1)); printf \"handler $n\"; \
         printf \"POST /2018-06-01/runtime/invocation/request-$n/response HTTP/1.1\\r\\nContent-Length: 0\\r\\n\\r\\n$next\" >&3; \
         while read -r line <&3; do [ ${{#line}} -le 1 ] && break; done; read -r line <&3; \
         while read -r line <&3; do [ ${{#line}} -le 1 ] && break; done; done"
    );
    daemon.send(&ToAgent::Init(init(&["/bin/bash", "-c", &script])));
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    for id in 1..=50 {
        daemon.invoke(id, b"");
        let logs =
            daemon.logs_until(|message| matches!(message, FromAgent::Response { id: answered, .. } if *answered == id));
        assert_eq!(String::from_utf8(logs.concat()).unwrap(), format!("handler {id}"));
        assert_eq!(daemon.next().message(), FromAgent::Idle { id });
    }
}

/// A runtime that gets one event and does not answer it, but logs by `script`.
fn handler(agent: &Agent, script: &str) -> ToAgent<'static> {
    let address = agent.address;
    let script = format!(
        "exec 3<>/dev/tcp/{address}/9001; printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\n\\r\\n' >&3; \
         while read -r line <&3; do [ ${{#line}} -le 1 ] && break; done; {script}"
    );
    ToAgent::Init(init(&["/bin/bash", "-c", &script]))
}

#[test]
fn a_handler_that_takes_its_time_is_heard_meanwhile() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&handler(&agent, "echo begun; sleep 1000"));
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    daemon.invoke(1, b"");
    assert!(matches!(daemon.next().message(), FromAgent::Log { data: b"begun\n", .. }));
}

#[test]
fn a_handler_that_logs_much_is_not_held_back() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&handler(&agent, "seq 1 300000; exit 2"));
    assert_eq!(daemon.next().message(), FromAgent::Ready);
    daemon.invoke(1, b"");
    let logs = daemon.logs_until(|message| *message == FromAgent::Exit(ExitStatus::Code(2)));
    assert_eq!(logs.len(), 300_000);
}

#[test]
fn frames_of_the_telemetry_pipe_are_records() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    let before = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64;
    let script = "import os,struct,time\nfd=int(os.environ['_LAMBDA_TELEMETRY_LOG_FD'])\n\
         def log(kind,message,us=None):\n\
         \x20 us=us or time.time_ns()//1000\n\
         \x20 os.write(fd,struct.pack('>IIQ',kind,len(message),us)+message)\n\
         log(0xa55a0003|12,b'two\\nlines')\nlog(0xa55a0002|20,b'{}')\nlog(0xa55a0003,b'odd clock',1)\n";
    daemon.send(&ToAgent::Init(init(&["/usr/bin/python3", "-c", script])));
    for (json, level, text) in [(false, 12, &b"two\nlines"[..]), (true, 20, b"{}"), (false, 0, b"odd clock")] {
        let frame = daemon.next();
        let FromAgent::Log { head, data } = frame.message() else {
            panic!("not a log record: {:?}", frame.message());
        };
        assert_eq!((head.source, data), (LogSource::Framed { json, level }, text));
        let after = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64;
        assert!((before..=after).contains(&head.time_us), "{} is not now", head.time_us);
    }
    assert_eq!(daemon.next().message(), FromAgent::Exit(ExitStatus::Code(0)));
}

#[test]
fn a_daemon_that_does_not_read_holds_the_function_back_and_loses_nothing() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&shell("exec seq 1 2000000"));
    // The agent holds about a megabyte, so the runtime cannot have ended.
    let pid = rustix::process::Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap();
    crate::testbed::until(|| is_blocked_on_a_pipe(pid).then_some(()));
    let (mut bytes, mut last) = (0, 0);
    loop {
        let frame = daemon.next();
        match frame.message() {
            FromAgent::Log { data, .. } => {
                let number: u32 = std::str::from_utf8(data).unwrap().trim().parse().unwrap();
                assert_eq!(number, last + 1);
                (last, bytes) = (number, bytes + data.len());
            }
            message => {
                assert_eq!(message, FromAgent::Exit(ExitStatus::Code(0)));
                break;
            }
        }
    }
    assert!(last == 2_000_000 && bytes > 10_000_000);
}

/// A child of `parent` waits to write into a full pipe.
fn is_blocked_on_a_pipe(parent: rustix::process::Pid) -> bool {
    let parent = parent.as_raw_pid();
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    children.split_whitespace().any(|pid| {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        // Sleeping in write(2).
        state.contains(") S ") && call.starts_with("1 ")
    })
}

#[test]
fn without_a_daemon_logs_beyond_the_bound_are_dropped_and_counted() {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    let gone = std::env::temp_dir().join(format!("hearth-agent-test-gone-{}", agent.pid()));
    let path = gone.display();
    daemon.send(&shell(&format!("echo up; until [ -e {path} ]; do sleep 0.01; done; seq 1 400000; printf last")));
    assert!(matches!(daemon.next().message(), FromAgent::Log { data: b"up\n", .. }));
    drop(daemon);
    std::fs::write(&gone, "").unwrap();
    // The runtime ends though nobody reads.
    crate::testbed::until(|| {
        let pid = agent.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.is_empty().then_some(())
    });
    std::fs::remove_file(&gone).unwrap();
    let mut daemon = agent.daemon();
    let (mut kept, mut dropped) = (0, 0);
    loop {
        let frame = daemon.next();
        match frame.message() {
            FromAgent::Log { .. } => kept += 1,
            FromAgent::LogsDropped { records } => dropped += records,
            FromAgent::Exit(status) => {
                assert_eq!(status, ExitStatus::Code(0));
                break;
            }
            message => panic!("not expected: {message:?}"),
        }
    }
    assert_eq!(kept + dropped, 400_001);
    assert!(dropped > 0 && kept > 10_000, "{kept} kept, {dropped} dropped");
}
