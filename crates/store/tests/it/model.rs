//! Random commits against the store and against a naive model of it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use hearth_store::{CommitError, Embedded, Lease, Leased, Precondition, Revision, Store, Write};
use proptest::collection::vec;
use proptest::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
enum Step {
    Commit { preconditions: Vec<Check>, writes: Vec<Change> },
    Lease { queue: u8, limit: usize },
    Truncate { before: u64 },
    Reopen,
}

/// Small numbers name keys, messages and former leases, so that steps meet.
#[derive(Clone, Debug)]
enum Check {
    Absent(u8),
    AtLatest(u8),
    PrefixEmpty(u8),
    LeaseHeld(usize),
    LogAt(u64),
}

#[derive(Clone, Debug)]
enum Change {
    Put(u8, u8),
    Delete(u8),
    Append(u8),
    Enqueue(u8, bool),
    Acknowledge(usize),
    Extend(usize),
    Release(usize, Option<u8>),
}

fn step() -> impl Strategy<Value = Step> {
    let check = prop_oneof![
        (0..6u8).prop_map(Check::Absent),
        (0..6u8).prop_map(Check::AtLatest),
        (0..4u8).prop_map(Check::PrefixEmpty),
        (0..6usize).prop_map(Check::LeaseHeld),
        (0..6u64).prop_map(Check::LogAt),
    ];
    let change = prop_oneof![
        (0..6u8, any::<u8>()).prop_map(|(key, value)| Change::Put(key, value)),
        (0..6u8).prop_map(Change::Delete),
        any::<u8>().prop_map(Change::Append),
        (0..6u8, any::<bool>()).prop_map(|(id, late)| Change::Enqueue(id, late)),
        (0..6usize).prop_map(Change::Acknowledge),
        (0..6usize).prop_map(Change::Extend),
        (0..6usize, any::<Option<u8>>()).prop_map(|(lease, body)| Change::Release(lease, body)),
    ];
    prop_oneof![
        12 => (vec(check, 0..2), vec(change, 0..4))
            .prop_map(|(preconditions, writes)| Step::Commit { preconditions, writes }),
        4 => (0..2u8, 0..3usize).prop_map(|(queue, limit)| Step::Lease { queue, limit }),
        1 => (0..6u64).prop_map(|before| Step::Truncate { before }),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Clone, Debug, Default)]
struct Message {
    body: Bytes,
    token: Option<u64>,
    deliveries: u32,
    is_visible: bool,
}

#[derive(Clone, Debug, Default)]
struct Model {
    keys: BTreeMap<String, (Bytes, Revision)>,
    log_first: u64,
    log: Vec<Bytes>,
    /// By queue and id.
    messages: BTreeMap<(String, String), Message>,
}

impl Model {
    fn holds(&self, precondition: &Precondition) -> bool {
        match precondition {
            Precondition::Absent { key } => !self.keys.contains_key(key),
            Precondition::AtRevision { key, revision } => self.keys.get(key).is_some_and(|(_, at)| at == revision),
            Precondition::PrefixEmpty { prefix } => !self.keys.keys().any(|key| key.starts_with(prefix)),
            Precondition::LeaseHeld(lease) => self.is_held(lease),
            Precondition::LogAt { next, .. } => self.log.len() as u64 == *next,
        }
    }

    fn is_held(&self, lease: &Lease) -> bool {
        self.messages
            .get(&(lease.queue.clone(), lease.id.clone()))
            .is_some_and(|message| message.token == Some(lease.token))
    }

    fn queues(&self) -> BTreeMap<&str, u64> {
        let mut queues = BTreeMap::new();
        self.messages.keys().for_each(|(queue, _)| *queues.entry(queue.as_str()).or_default() += 1);
        queues
    }

    /// Makes all writes or says which lease is lost. `revision` is what the store gave this commit.
    fn write(&mut self, writes: &[Write], revision: Revision) -> Result<(), usize> {
        for (index, write) in writes.iter().enumerate() {
            match write {
                Write::Put { key, value } => drop(self.keys.insert(key.clone(), (value.clone(), revision))),
                Write::Delete { key } => drop(self.keys.remove(key)),
                Write::Append { record, .. } => self.log.push(record.clone()),
                Write::Enqueue { queue, id, body, delay } => {
                    let message = Message { body: body.clone(), is_visible: delay.is_zero(), ..Message::default() };
                    self.messages.entry((queue.clone(), id.clone())).or_insert(message);
                }
                Write::Acknowledge(lease) | Write::Extend { lease, .. } | Write::Release { lease, .. }
                    if !self.is_held(lease) =>
                {
                    return Err(index);
                }
                Write::Acknowledge(lease) => {
                    self.messages.remove(&(lease.queue.clone(), lease.id.clone()));
                }
                Write::Extend { .. } => {}
                Write::Release { lease, body, .. } => {
                    let message = self.messages.get_mut(&(lease.queue.clone(), lease.id.clone())).unwrap();
                    (message.token, message.is_visible) = (None, true);
                    if let Some(body) = body {
                        message.body = body.clone();
                    }
                }
            }
        }
        Ok(())
    }
}

fn name(number: u8) -> String {
    ["a", "a/1", "a/2", "b", "b\u{10ffff}", "ä"][usize::from(number) % 6].to_owned()
}

/// The queue of a message, or the one of this number.
fn queue_of(number: u8) -> String {
    ["q", "q/r"][usize::from(number) % 2].to_owned()
}

fn precondition(check: &Check, model: &Model, leases: &[Lease]) -> Option<Precondition> {
    Some(match check {
        Check::Absent(key) => Precondition::Absent { key: name(*key) },
        Check::AtLatest(key) => {
            let revision = model.keys.get(&name(*key)).map_or(Revision(1), |(_, revision)| *revision);
            Precondition::AtRevision { key: name(*key), revision }
        }
        Check::PrefixEmpty(key) => Precondition::PrefixEmpty { prefix: name(*key) },
        Check::LeaseHeld(index) => Precondition::LeaseHeld(leases.iter().rev().nth(*index)?.clone()),
        Check::LogAt(next) => Precondition::LogAt { log: "l".to_owned(), next: *next },
    })
}

fn write(change: &Change, leases: &[Lease]) -> Option<Write> {
    let lease = |index: &usize| leases.iter().rev().nth(*index).cloned();
    Some(match change {
        Change::Put(key, value) => Write::Put { key: name(*key), value: vec![*value].into() },
        Change::Delete(key) => Write::Delete { key: name(*key) },
        Change::Append(record) => Write::Append { log: "l".to_owned(), record: vec![*record].into() },
        Change::Enqueue(id, late) => Write::Enqueue {
            queue: queue_of(*id),
            id: name(*id),
            body: vec![*id].into(),
            delay: if *late { HOUR } else { Duration::ZERO },
        },
        Change::Acknowledge(index) => Write::Acknowledge(lease(index)?),
        Change::Extend(index) => Write::Extend { lease: lease(index)?, duration: HOUR },
        Change::Release(index, body) => {
            let body = body.map(|byte| Bytes::from(vec![byte]));
            Write::Release { lease: lease(index)?, delay: Duration::ZERO, body }
        }
    })
}

async fn run(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Embedded::open(dir.path()).unwrap();
    let mut model = Model::default();
    let mut leases: Vec<Lease> = Vec::new();
    for step in steps {
        match step {
            Step::Commit { preconditions, writes } => {
                let checks: Vec<_> = preconditions.iter().filter_map(|c| precondition(c, &model, &leases)).collect();
                let writes: Vec<_> = writes.iter().filter_map(|change| write(change, &leases)).collect();
                commit(&store, &mut model, checks, writes).await?;
            }
            Step::Lease { queue, limit } => leases.extend(lease(&store, &mut model, queue_of(queue), limit).await?),
            Step::Truncate { before } => {
                store.truncate_log("p", "l", before).await.unwrap();
                model.log_first = model.log_first.max(before.min(model.log.len() as u64));
            }
            Step::Reopen => {
                drop(store);
                store = Embedded::open(dir.path()).unwrap();
            }
        }
        compare(&store, &model).await?;
    }
    Ok(())
}

async fn commit(
    store: &Embedded,
    model: &mut Model,
    checks: Vec<Precondition>,
    writes: Vec<Write>,
) -> Result<(), TestCaseError> {
    let expected = checks.iter().position(|check| !model.holds(check));
    let result = store.commit("p", checks, writes.clone()).await;
    if let Some(index) = expected {
        prop_assert_eq!(result, Err(CommitError::Precondition { index }));
        return Ok(());
    }
    let mut after = model.clone();
    match after.write(&writes, result.clone().unwrap_or_default()) {
        Ok(()) => {
            prop_assert!(result.is_ok(), "{:?}", result);
            *model = after;
        }
        Err(write) => prop_assert_eq!(result, Err(CommitError::LeaseLost { write })),
    }
    Ok(())
}

async fn lease(store: &Embedded, model: &mut Model, queue: String, limit: usize) -> Result<Vec<Lease>, TestCaseError> {
    let Leased { messages: leased, next_in } = store.lease("p", &queue, limit, HOUR).await.unwrap();
    let of_queue = |model: &Model| -> Vec<bool> {
        let messages = model.messages.iter().filter(|((of, _), _)| *of == queue);
        messages.map(|(_, message)| message.is_visible).collect()
    };
    let before = of_queue(model);
    let visible = before.iter().filter(|is_visible| **is_visible).count();
    prop_assert_eq!(leased.len(), limit.min(visible));
    for message in &leased {
        let known = model.messages.get_mut(&(queue.clone(), message.lease.id.clone())).unwrap();
        prop_assert!(known.is_visible);
        known.deliveries += 1;
        (known.is_visible, known.token) = (false, Some(message.lease.token));
        prop_assert_eq!((&message.body, message.deliveries), (&known.body, known.deliveries));
    }
    prop_assert_eq!(next_in.is_none(), before.is_empty());
    prop_assert_eq!(next_in == Some(Duration::ZERO), of_queue(model).contains(&true));
    Ok(leased.into_iter().map(|message| message.lease).collect())
}

async fn compare(store: &Embedded, model: &Model) -> Result<(), TestCaseError> {
    let listed = store.list("p", "", None, 100).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|entry| (entry.key, (entry.value, entry.revision))).collect();
    prop_assert_eq!(listed, model.keys.clone().into_iter().collect::<Vec<_>>());
    let log = store.read_log("p", "l", 0, 1000).await.unwrap();
    prop_assert_eq!(log.first().map_or(model.log.len() as u64, |record| record.sequence), model.log_first);
    let records: Vec<Bytes> = log.into_iter().map(|record| record.record).collect();
    prop_assert_eq!(&records[..], &model.log[usize::try_from(model.log_first).unwrap()..]);
    let queues = store.queues("p").await.unwrap();
    let messages: Vec<(&str, u64)> = queues.iter().map(|queue| (queue.queue.as_str(), queue.messages)).collect();
    let expected: Vec<(&str, u64)> = model.queues().into_iter().collect();
    prop_assert_eq!(messages, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_store_does_what_the_model_does(steps in vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps))?;
    }
}
