//! The host's own memory: when little is left, the engine is told to give some back.

use std::sync::Arc;
use std::time::Duration;

use hearth_engine::Event;

use crate::core::Core;

/// How often the host is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Less than a twentieth of the host's memory is too little, but a GiB always suffices.
const FLOOR_SHARE: u64 = 20;
const FLOOR_MIB_MAX: u64 = 1024;

/// Looks at the host until the node stops.
pub(crate) async fn watch(core: Arc<Core>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = core.stopping.cancelled() => return,
        }
        // A file of the kernel's, which is in memory. Without a free descriptor it is looked at next time.
        let Ok(text) = std::fs::read_to_string("/proc/meminfo") else { continue };
        if let Some(memory_mib) = lacking(&text).filter(|lacking| *lacking > 0) {
            tracing::warn!(memory_mib, "the host is short of memory: ending sandboxes that nobody uses");
            core.step(Event::Pressure { memory_mib });
        }
    }
}

/// What is lacking to the floor, MiB. `None` if the text does not say.
fn lacking(meminfo: &str) -> Option<u64> {
    let mib = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib / 1024)
    };
    let floor = (mib("MemTotal:")? / FLOOR_SHARE).min(FLOOR_MIB_MAX);
    Some(floor.saturating_sub(mib("MemAvailable:")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_told() {
        let meminfo = |total_mib: u64, available_mib: u64| {
            format!("MemTotal:  {} kB\nMemFree: 1 kB\nMemAvailable:   {} kB\n", total_mib * 1024, available_mib * 1024)
        };
        assert_eq!(lacking(&meminfo(2000, 100)), Some(0));
        assert_eq!(lacking(&meminfo(2000, 60)), Some(40));
        assert_eq!(lacking(&meminfo(1_000_000, 1000)), Some(24));
        assert_eq!(lacking("MemTotal: lots"), None);
    }
}
