//! A host's clock that is set back and forth, under an open store and between two of its lives.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hearth_store::{Embedded, Leased, Store, TimeSource, Write};
use hearth_types::Timestamp;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Clocks that a test moves.
#[derive(Debug)]
struct Hands {
    monotonic_ms: AtomicU64,
    wall_ms: AtomicU64,
}

impl Hands {
    fn new() -> Arc<Self> {
        Arc::new(Self { monotonic_ms: AtomicU64::new(5_000), wall_ms: AtomicU64::new(1_800_000_000_000) })
    }

    fn pass(&self, time: Duration) {
        self.monotonic_ms.fetch_add(ms(time), Ordering::Relaxed);
        self.wall_ms.fetch_add(ms(time), Ordering::Relaxed);
    }

    fn set_back(&self, by: Duration) {
        self.wall_ms.fetch_sub(ms(by), Ordering::Relaxed);
    }

    fn set_forth(&self, by: Duration) {
        self.wall_ms.fetch_add(ms(by), Ordering::Relaxed);
    }
}

impl TimeSource for Hands {
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic_ms.load(Ordering::Relaxed))
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.wall_ms.load(Ordering::Relaxed))
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap()
}

fn open(dir: &Path, hands: &Arc<Hands>) -> Embedded {
    Embedded::open_by(dir, Arc::clone(hands) as _).unwrap()
}

async fn enqueue(store: &Embedded, id: &str, delay: Duration) {
    let write = Write::Enqueue { queue: "q".to_owned(), id: id.to_owned(), body: "".into(), delay };
    store.commit("p", vec![], vec![write]).await.unwrap();
}

async fn lease(store: &Embedded, duration: Duration) -> Leased {
    store.lease("p", "q", 9, duration).await.unwrap()
}

async fn ids(store: &Embedded) -> Vec<String> {
    lease(store, HOUR).await.messages.into_iter().map(|message| message.lease.id).collect()
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_up_no_message() {
    let (dir, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let store = open(dir.path(), &hands);
    enqueue(&store, "retry", MINUTE).await;
    hands.set_back(HOUR);
    enqueue(&store, "new", Duration::ZERO).await;
    assert_eq!(ids(&store).await, ["new"]);
    hands.pass(59 * SECOND);
    assert_eq!(lease(&store, HOUR).await.next_in, Some(SECOND));
    hands.pass(SECOND);
    let due = lease(&store, HOUR).await.messages;
    assert_eq!((due.len(), due[0].age), (1, MINUTE));
}

#[tokio::test]
async fn a_clock_that_is_set_forth_ends_no_lease() {
    let (dir, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let store = open(dir.path(), &hands);
    enqueue(&store, "runs", Duration::ZERO).await;
    enqueue(&store, "retry", MINUTE).await;
    assert_eq!(lease(&store, 15 * SECOND).await.messages.len(), 1);
    hands.set_forth(24 * HOUR);
    assert_eq!(lease(&store, 15 * SECOND).await.messages, vec![]);
    hands.pass(15 * SECOND);
    let again = lease(&store, 15 * SECOND).await.messages;
    assert_eq!(again.iter().map(|message| (message.deliveries, message.age)).collect::<Vec<_>>(), [(2, 15 * SECOND)]);
}

#[tokio::test]
async fn a_restart_after_the_clock_was_set_back_waits_no_longer() {
    let (dir, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let store = open(dir.path(), &hands);
    enqueue(&store, "retry", MINUTE).await;
    hands.pass(10 * SECOND);
    drop(store);
    hands.set_back(HOUR);
    let store = open(dir.path(), &hands);
    assert_eq!(lease(&store, HOUR).await.next_in, Some(50 * SECOND));
    hands.pass(50 * SECOND);
    let due = lease(&store, HOUR).await.messages;
    assert_eq!((due.len(), due[0].age), (1, MINUTE));
}

/// As on a machine that has no clock of its own, boots in 1970, and learns the time from the network.
#[tokio::test]
async fn a_correction_while_the_store_is_open_makes_nothing_older() {
    let (dir, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    hands.set_back(50 * 365 * 24 * HOUR);
    let store = open(dir.path(), &hands);
    enqueue(&store, "accepted", MINUTE).await;
    hands.set_forth(50 * 365 * 24 * HOUR);
    hands.pass(SECOND);
    drop(store);
    hands.pass(9 * SECOND);
    let store = open(dir.path(), &hands);
    assert_eq!(lease(&store, HOUR).await.next_in, Some(50 * SECOND), "nine seconds were between the two lives");
}

#[tokio::test]
async fn the_time_between_two_lives_counts() {
    let (dir, hands) = (tempfile::tempdir().unwrap(), Hands::new());
    let store = open(dir.path(), &hands);
    enqueue(&store, "retry", MINUTE).await;
    drop(store);
    hands.pass(2 * MINUTE);
    let store = open(dir.path(), &hands);
    let due = lease(&store, HOUR).await.messages;
    assert_eq!((due.len(), due[0].age), (1, 2 * MINUTE));
}
