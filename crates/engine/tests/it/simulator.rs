//! A node and its callers in virtual time, all from one seed: random durations, crashes, failed and lost sandboxes, slow
//! finishing, late ends, duplicate reports, callers that give up, redeployments. What must hold is asserted at each step by the
//! world, which keeps its own books.

mod check;
mod perform;
mod random;
mod world;

use world::{World, WorldConfig};

/// Different for each test run in what they cover, the same on every run.
const SEEDS: u64 = 2_000;

#[test]
fn invariants_hold_for_thousands_of_seeds() {
    let mut totals = check::Coverage::default();
    for seed in 0..SEEDS {
        let mut world = World::new(seed, WorldConfig::from_seed(seed));
        world.run();
        world.end();
        totals.add(&world.coverage);
    }
    totals.assert_everything_happened();
}
