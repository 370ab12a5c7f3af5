//! The alarm: something on which everybody counts is gone. A process has one, as it has one life.

use std::sync::LazyLock;

use tokio::sync::watch;

static ALARM: LazyLock<watch::Sender<Option<String>>> = LazyLock::new(|| watch::Sender::new(None));

/// Has the daemon end because of `task`. The first who rings is named.
pub fn ring(task: &str) {
    tracing::error!(task, "a system task has panicked");
    ALARM.send_if_modified(|rung| {
        let is_first = rung.is_none();
        if is_first {
            *rung = Some(task.to_owned());
        }
        is_first
    });
}

/// To be called where something is left that must be whole: rings if that is because of a panic.
pub fn ring_on_panic(task: &str) {
    if std::thread::panicking() {
        ring(task);
    }
}

pub fn has_rung() -> bool {
    ALARM.borrow().is_some()
}

/// Waits for the alarm: who rang it.
///
/// # Cancel safety
/// Nothing is lost if this is dropped.
pub async fn rung() -> String {
    let mut alarm = ALARM.subscribe();
    let named = alarm.wait_for(Option::is_some).await.ok().and_then(|rung| rung.clone());
    named.unwrap_or_default()
}
