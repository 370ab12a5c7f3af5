//! How long the steps take: printed, not judged.

use std::time::{Duration, Instant};

use hearth_sandbox::{BlankSpec, Isolation, Parking, Readiness};
use hearth_types::SandboxId;

use crate::host::{Host, root, skipped};

const ROUNDS: u64 = 50;

#[test]
fn steps_are_timed() {
    if skipped() {
        return;
    }
    let host = Host::new();
    let (spec, root) = (host.spec(), root());
    let mut times: [Vec<Duration>; 5] = Default::default();
    for number in 0..ROUNDS {
        let id = SandboxId(1000 + number);
        let mut step = |index: usize, action: &mut dyn FnMut()| {
            let start = Instant::now();
            action();
            times[index].push(start.elapsed());
        };
        let blank = BlankSpec { id, root: root.clone(), parking: Parking::None, urgent: true };
        step(0, &mut || assert_eq!(host.isolation.create(&blank).unwrap(), Readiness::Empty));
        std::thread::sleep(Duration::from_millis(3));
        step(1, &mut || drop(host.isolation.assign(id, &spec).unwrap()));
        step(2, &mut || host.isolation.freeze(id).unwrap());
        step(3, &mut || assert!(host.isolation.usage(id).unwrap().memory_bytes > 0));
        step(4, &mut || host.isolation.destroy(id).unwrap());
    }
    for (name, times) in ["create", "assign", "freeze", "usage", "destroy"].iter().zip(&mut times) {
        times.sort();
        println!(
            "{name}: median {:?}, fastest {:?}, slowest {:?}",
            times[times.len() / 2],
            times[0],
            times[times.len() - 1]
        );
    }
}
