//! Room for connections: where there is none, those make room on which nothing happens that anybody has a right to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::Activity;

/// Who waits for room looks so often whether somebody can make it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The connections of clients. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    permits: Arc<Semaphore>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    connections: HashMap<u64, Arc<Activity>>,
}

/// A connection's place; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    shared: Arc<Shared>,
    id: u64,
    pub(crate) activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
}

impl Room {
    pub(crate) fn new(connections_max: usize) -> Self {
        Self(Arc::new(Shared { permits: Arc::new(Semaphore::new(connections_max)), open: Mutex::default() }))
    }

    /// A place, once there is one; `None` if the server ends.
    pub(crate) async fn enter(&self) -> Option<Place> {
        let mut permit = std::pin::pin!(self.0.permits.clone().acquire_owned());
        let permit = loop {
            tokio::select! {
                biased;
                permit = permit.as_mut() => break permit.ok()?,
                () = self.0.make_room() => {}
            }
        };
        let activity = Arc::new(Activity::default());
        let mut open = self.0.open();
        open.last += 1;
        let id = open.last;
        open.connections.insert(id, activity.clone());
        drop(open);
        Some(Place { shared: self.0.clone(), id, activity, _permit: permit })
    }
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the connection that was spare the longest, and gives it time to end.
    async fn make_room(&self) {
        let longest = {
            let open = self.open();
            let spare = open.connections.values().filter_map(|found| Some((found.spare_for()?, found)));
            spare.max_by_key(|(spare, _)| *spare).map(|(_, found)| found.clone())
        };
        if let Some(connection) = longest {
            connection.give_up();
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.open().connections.remove(&self.id);
    }
}
