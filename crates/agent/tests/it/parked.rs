//! A runtime that was started ahead of need.

use hearth_agent_proto::{ExitStatus, FromAgent, Init, Park, Rlimits, ToAgent};

use crate::testbed::{Agent, Daemon, init, until};

/// Says that it is ready and shows what it is told.
const WAITING: &str = "printf x >&0; head -c 4 >/dev/null; head -c $((N)) | tr '\\0' '\\n'";

fn park(script: &str) -> Park {
    Park {
        command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        environment: vec![("N".to_owned(), "40".to_owned()), ("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
        uid_gid: None,
        rlimits: Rlimits { files: 1024, processes: 1024, core_bytes: 0 },
    }
}

fn parked(script: &str) -> (Agent, Daemon) {
    let agent = Agent::start();
    let mut daemon = agent.daemon();
    daemon.send(&ToAgent::Park(park(script)));
    assert_eq!(daemon.next().message(), FromAgent::Parked { ready: true });
    (agent, daemon)
}

fn output(daemon: &mut Daemon, init: Init) -> String {
    daemon.send(&ToAgent::Init(init));
    let logs = daemon.logs_until(|message| matches!(message, FromAgent::Exit(ExitStatus::Code(0))));
    String::from_utf8(logs.concat()).unwrap()
}

fn executed(text: &str) -> Init {
    Init { parked: true, ..init(&["/bin/echo", text]) }
}

#[test]
fn a_parked_process_becomes_the_runtime_and_is_told_what_it_would_be() {
    let (_agent, mut daemon) = parked(WAITING);
    let environment = vec![("A".to_owned(), "1".to_owned())];
    let given = output(&mut daemon, Init { environment, cwd: "/var/task".to_owned(), ..executed("word") });
    assert!(given.starts_with("/var/task\n2\n/bin/echo\nword\nA=1\n_LAMBDA_T"), "{given}");
}

#[test]
fn the_end_of_a_parked_process_that_became_the_runtime_is_the_runtimes() {
    let (_agent, mut daemon) = parked("printf x >&0; head -c 9 >/dev/null; exit 7");
    daemon.send(&ToAgent::Init(executed("never")));
    assert_eq!(daemon.next_but_logs().message(), FromAgent::Exit(ExitStatus::Code(7)));
}

#[test]
fn the_command_is_executed_where_the_parked_process_is_not_wanted() {
    let (agent, mut daemon) = parked(WAITING);
    assert_eq!(output(&mut daemon, init(&["/bin/echo", "executed"])), "executed\n");
    assert!(agent.is_without_children());
}

#[test]
fn the_command_is_executed_under_other_limits_than_the_parked_process_has() {
    let (_agent, mut daemon) = parked(WAITING);
    let rlimits = Rlimits { files: 64, processes: 1024, core_bytes: 0 };
    assert_eq!(output(&mut daemon, Init { rlimits, ..executed("executed") }), "executed\n");
}

#[test]
fn the_command_is_executed_after_the_parked_process_has_died() {
    let (agent, mut daemon) = parked("printf x >&0; exec 0</dev/null");
    assert!(agent.is_without_children());
    assert_eq!(output(&mut daemon, executed("executed")), "executed\n");
}

#[test]
fn a_process_that_cannot_be_parked_is_reported_and_missed_by_nobody() {
    let missing = Park { command: vec!["/missing".to_owned()], ..park("") };
    let unwilling = park("exit 1");
    for park in [missing, unwilling] {
        let agent = Agent::start();
        let mut daemon = agent.daemon();
        daemon.send(&ToAgent::Park(park));
        assert_eq!(daemon.next().message(), FromAgent::Parked { ready: false });
        assert_eq!(output(&mut daemon, executed("executed")), "executed\n");
    }
}

#[test]
fn a_process_that_waits_may_connect_ahead_and_is_refused_until_it_is_the_runtime() {
    let (agent, mut daemon) = parked("printf x >&0; exec sleep 1000");
    let mut client = agent.client();
    let refused = client.next();
    assert_eq!((refused.status, refused.error_type().as_str()), (403, "InvalidStateTransition"));
    assert_eq!(client.respond(1, b"\"done\"").status, 400);
    daemon.send(&ToAgent::Init(executed("unused")));
    // The orders are taken before the same connection is heard again.
    daemon.invoke(1, b"1");
    let event = until(|| Some(client.next()).filter(|answer| answer.status == 200));
    assert_eq!(event.body, b"1");
    assert_eq!(daemon.next().message(), FromAgent::Ready);
}
