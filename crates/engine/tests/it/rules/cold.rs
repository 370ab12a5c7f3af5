//! Why a call found no sandbox.

use std::time::Duration;

use hearth_engine::{ColdReason, Demand, EngineConfig, Event, Start};
use hearth_types::SandboxId;

use crate::harness::{Bench, config, demand, destroyed, key, made};

/// Calls the version, which must start a sandbox for it: which, and the reason that is given.
fn cold(bench: &mut Bench, demand: Demand) -> (SandboxId, ColdReason) {
    use hearth_engine::Action;
    let (_, actions) = bench.invoke(demand);
    let sandbox = made(&actions)[0];
    bench.step(Event::BlankReady { sandbox });
    let actions = bench.step(Event::Initialised { sandbox });
    let reason = actions.iter().find_map(|action| match action {
        Action::Dispatch { start: Start::Cold(reason), .. } => Some(*reason),
        _ => None,
    });
    (sandbox, reason.expect("a cold start"))
}

fn version(generation: u64) -> Demand {
    demand(&key(1, 1, generation))
}

#[test]
fn the_first_call_and_the_one_beside_it() {
    let mut bench = Bench::new(config());
    assert_eq!(cold(&mut bench, version(1)).1, ColdReason::First);
    assert_eq!(cold(&mut bench, version(1)).1, ColdReason::AllBusy);
}

#[test]
fn after_the_keep_alive_time() {
    let mut bench = Bench::new(config());
    let (sandbox, _) = cold(&mut bench, version(1));
    bench.finish(sandbox);
    assert_eq!(destroyed(&bench.pass(Duration::from_secs(61))), [sandbox]);
    bench.step(Event::Dead { sandbox });
    assert_eq!(cold(&mut bench, version(1)).1, ColdReason::Expired);
}

#[test]
fn after_a_crash_and_after_a_failed_initialisation() {
    let mut bench = Bench::new(config());
    let (sandbox, _) = cold(&mut bench, version(1));
    bench.step(Event::Dead { sandbox });
    let (sandbox, reason) = cold(&mut bench, version(1));
    assert_eq!(reason, ColdReason::Failed);
    bench.finish(sandbox);
    bench.pass(Duration::from_secs(61));
    bench.step(Event::Dead { sandbox });
    let sandbox = made(&bench.invoke(version(1)).1)[0];
    bench.step(Event::BlankReady { sandbox });
    bench.step(Event::InitFailed { sandbox });
    assert_eq!(cold(&mut bench, version(1)).1, ColdReason::Failed);
}

#[test]
fn after_others_needed_the_place() {
    let mut bench = Bench::new(EngineConfig { memory_mib_max: 128, ..config() });
    let (sandbox, _) = cold(&mut bench, version(1));
    bench.finish(sandbox);
    let (_, actions) = bench.invoke(demand(&key(1, 2, 1)));
    assert_eq!(destroyed(&actions), [sandbox]);
    let other = made(&bench.step(Event::Dead { sandbox }))[0];
    bench.step(Event::BlankReady { sandbox: other });
    bench.step(Event::Initialised { sandbox: other });
    bench.step(Event::Dead { sandbox: other });
    assert_eq!(cold(&mut bench, version(1)).1, ColdReason::Evicted);
}

#[test]
fn after_an_update_whatever_becomes_of_the_old_sandboxes() {
    let mut bench = Bench::new(config());
    let (old, _) = cold(&mut bench, version(1));
    let (new, reason) = cold(&mut bench, version(2));
    assert_eq!(reason, ColdReason::Updated);
    bench.step(Event::Dead { sandbox: new });
    bench.step(Event::Retire { keys: vec![key(1, 1, 1)] });
    bench.finish(old);
    assert_eq!(cold(&mut bench, version(2)).1, ColdReason::Failed);
}
