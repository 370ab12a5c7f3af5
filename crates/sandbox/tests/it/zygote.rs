//! Sandboxes whose interpreter waits, forked from a zygote, and what is left when something of that dies.

use hearth_agent_proto::{Park, Rlimits};
use hearth_sandbox::{BlankSpec, Isolation, IsolationError, Parking, Readiness, Zygote};
use hearth_types::SandboxId;

use crate::host::{Host, eventually, skipped};
use crate::lifecycle::pids_in;
use crate::standing::{Pump, await_standing, kill, launcher, let_go, outside, zombies};

/// In place of what waits with a runtime's client: as that one does, says a byte, and ends with its agent.
pub(crate) const PARK: &str = "
import os
def prepare(): pass
def wait():
    os.write(0, b'\\n')
    os._exit(len(os.read(0, 1)))
";
const ZYGOTE: &str = include_str!("../../../runtimes/src/assets/python/zygote.py");
/// Tells the zygote's process from others.
const WORDS: &str = "python3 -c";

fn parking(source: &str) -> Parking {
    let rlimits = Rlimits { files: 1024, processes: 1024, core_bytes: 0 };
    let (command, environment) = (vec!["/usr/bin/python3".to_owned(), "-c".to_owned(), source.to_owned()], Vec::new());
    let park =
        Park { command: vec!["/usr/bin/true".to_owned()], environment: Vec::new(), uid_gid: Some((993, 990)), rlimits };
    Parking::Zygote(park, Zygote { command, environment, rlimits })
}

fn zygote_source() -> String {
    format!("import sys\nsys.path.insert(0, '/.hearth')\n{ZYGOTE}")
}

fn create(host: &Host, parking: &Parking) -> Result<(SandboxId, Readiness), IsolationError> {
    let spec: BlankSpec = host.next_blank(parking.clone());
    host.isolation.create(&spec).map(|readiness| (spec.id, readiness))
}

/// Makes sandboxes until one is forked.
fn forked(host: &Host, parking: &Parking) -> SandboxId {
    let mut found = None;
    eventually("a zygote forks a sandbox", || {
        let (id, readiness) = create(host, parking).unwrap();
        match readiness {
            Readiness::Forked => found = Some(id),
            Readiness::Empty | Readiness::Parked => host.isolation.destroy(id).unwrap(),
        }
        found.is_some()
    });
    found.unwrap()
}

fn assert_works_and_leaves_nothing(host: &Host, parking: &Parking) {
    let id = forked(host, parking);
    assert_eq!(host.assign(id, &host.spec()).run(&["/usr/bin/true"]).0, 0);
    host.isolation.destroy(id).unwrap();
    assert_eq!(pids_in(&host.instance), []);
    eventually(&format!("no dead child is left: {:?}", zombies()), || zombies().is_empty());
}

#[test]
fn forked_sandboxes_are_as_good_as_others() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let parking = parking(&zygote_source());
    assert_works_and_leaves_nothing(&host, &parking);
    assert_eq!(outside(WORDS).len(), 1);
}

#[test]
fn child_that_dies_before_it_reports_is_reaped_and_the_sandbox_made_otherwise() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let parking = parking(&zygote_source().replace("os.write(go, b\"\\n\")", "os._exit(1)"));
    eventually("the zygote is there", || !outside(WORDS).is_empty() || create(&host, &parking).is_err());
    for _ in 0..5 {
        let (id, readiness) = create(&host, &parking).unwrap();
        assert_eq!(readiness, Readiness::Empty);
        host.isolation.destroy(id).unwrap();
    }
    assert_eq!(pids_in(&host.instance).len(), 1, "of the first that was made");
    eventually("no dead child is left", || zombies().is_empty());
}

/// What dies while somebody stands at a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Victim {
    Standing,
    Zygote,
    Launcher,
}

/// One sandbox is asked for while the victim dies at the point: what became of it.
fn birth_with(
    host: &Host,
    parking: &Parking,
    point: &'static str,
    victim: Victim,
) -> Result<SandboxId, IsolationError> {
    std::thread::scope(|scope| {
        let made = scope.spawn(|| create(host, parking));
        let standing = await_standing(point);
        match victim {
            Victim::Standing => kill(standing),
            Victim::Zygote => outside(WORDS).into_iter().for_each(kill),
            Victim::Launcher => {
                kill(launcher());
                // Without its launcher it is nobody's child, and the pump does not find it.
                let_go(standing);
            }
        }
        let _others_go_on = Pump::start(point);
        made.join().unwrap().map(|(id, _)| id)
    })
}

fn survive(point: &'static str, victims: &[Victim]) {
    for victim in victims {
        let host = Host::with_failpoint(point);
        let parking = parking(&zygote_source());
        let pump = Pump::start(point);
        host.isolation.destroy(forked(&host, &parking)).unwrap();
        drop(pump);
        let id = birth_with(&host, &parking, point, *victim).unwrap();
        let _pump = Pump::start(point);
        host.isolation.destroy(id).unwrap();
        assert_works_and_leaves_nothing(&host, &parking);
    }
}

#[test]
fn first_process_or_zygote_killed_at_any_step_costs_time_alone() {
    if skipped() {
        return;
    }
    for point in ["cradle", "birth.net", "birth.mounts", "birth.tied"] {
        survive(point, &[Victim::Standing, Victim::Zygote]);
    }
}

#[test]
fn zygote_killed_while_the_launcher_is_at_any_step_costs_time_alone() {
    if skipped() {
        return;
    }
    for point in ["zyg.asked", "born.told", "born.go"] {
        survive(point, &[Victim::Zygote]);
    }
}

#[test]
fn launcher_killed_at_any_step_of_a_forked_birth_costs_time_alone() {
    if skipped() {
        return;
    }
    for point in ["zyg.asked", "born.told", "born.go", "cradle", "birth.mounts", "birth.tied"] {
        let host = Host::with_failpoint(point);
        let parking = parking(&zygote_source());
        let pump = Pump::start(point);
        host.isolation.destroy(forked(&host, &parking)).unwrap();
        drop(pump);
        let id = birth_with(&host, &parking, point, Victim::Launcher).unwrap();
        let _pump = Pump::start(point);
        // One that was far enough is ready when its launcher dies, and ends with it all the same.
        drop(host.isolation.destroy(id));
        assert_works_and_leaves_nothing(&host, &parking);
        assert_eq!(outside(WORDS).len(), 1, "of the new launcher");
    }
}

#[test]
fn zygote_killed_before_it_loads_anything_is_started_again() {
    if skipped() {
        return;
    }
    for (point, victim) in [("zyg.exec", Victim::Standing), ("zyg.cloned", Victim::Zygote)] {
        let host = Host::with_failpoint(point);
        let parking = parking(&zygote_source());
        birth_with(&host, &parking, point, victim).unwrap();
        let _pump = Pump::start(point);
        forked(&host, &parking);
        eventually("no dead child is left", || zombies().is_empty());
    }
}
