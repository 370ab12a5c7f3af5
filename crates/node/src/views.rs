//! What the node tells about itself, as JSON for the `/_hearth` views and as metrics.

use std::sync::Arc;

use hearth_types::AccountId;
use serde_json::{Value, json};

use crate::async_invoke;
use crate::core::Core;
use crate::metrics::Scrape;

impl Core {
    /// Sandboxes, totals and the queue.
    pub(crate) async fn view(self: &Arc<Self>) -> Value {
        let (events, aside) = (async_invoke::queued(self).await, async_invoke::put_aside(self).await);
        let core = Arc::clone(self);
        // Waits while an image is written.
        let templates = hearth_tasks::blocking("view", move || core.templates.view()).await.unwrap_or_default();
        let (engine, roots) = self.engine_view();
        let tier = self.isolation.tier();
        json!({
            "isolation": {"tier": tier.name, "privilege": tier.privilege, "missing": tier.missing},
            "templates": templates,
            "engine": engine,
            "roots": roots.iter().map(|name| &**name).collect::<Vec<&str>>(),
            "totals": self.metrics.view(),
            "events": {"queued": events, "running": self.async_state.running(), "put_aside": aside},
            "daemon": {
                "resident_bytes": resident_bytes(), "uptime_ms": self.clock.now().as_nanos() / 1_000_000,
                "pid": std::process::id(), "runtimes_dir": self.runtimes.dir(),
            },
        })
    }

    /// What an account may know: its own versions with their sandboxes, and how much of it runs.
    pub(crate) fn view_of(&self, account: &AccountId) -> Value {
        let (engine, _) = self.engine_view();
        let versions = engine.versions.iter().filter(|version| version.key.account == *account);
        let own = engine.accounts.iter().find(|found| found.account == account.as_str());
        json!({
            "account": account,
            "versions": versions.collect::<Vec<_>>(),
            "running": own.map_or(0, |own| own.unreserved_running),
            "provisioned": own.map_or(0, |own| own.unreserved_provisioned),
            "queued": own.map_or(0, |own| own.queued),
        })
    }

    pub(crate) async fn metrics_text(&self) -> String {
        let events = async_invoke::queued(self).await;
        let (engine, runtimes) = self.engine_view();
        let scrape = Scrape {
            metrics: Arc::clone(&self.metrics),
            engine,
            runtimes,
            events,
            events_running: self.async_state.running() as u64,
            resident_bytes: resident_bytes(),
        };
        scrape.into_text()
    }
}

/// The daemon's own memory.
fn resident_bytes() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
