//! Points at which a test can have a process stand still, to kill it or another just then, or panic. Only builds with debug
//! assertions have them.

/// What names the point, in the environment or as an argument (`--failpoint=NAME`): programs are executed without the former.
pub const FAILPOINT_VARIABLE: &str = "HEARTH_FAILPOINT";
#[cfg(debug_assertions)]
const ARGUMENT: &str = "--failpoint=";
/// Before the name of a point at which the first who comes there is to panic.
#[cfg(debug_assertions)]
const PANIC: &str = "panic:";

/// Stands still here if this process was told of this point. Meanwhile the thread is called `at NAME`, of which Linux shows 15
/// bytes; it goes on when its niceness is changed. Works in every process, whatever name spaces it is in.
#[cfg(debug_assertions)]
pub fn failpoint(name: &str) {
    let Some(wanted) = failpoint_name() else { return };
    if wanted == name {
        stand_still(name);
    } else if wanted.strip_prefix(PANIC) == Some(name) {
        panic_once(name);
    }
}

#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "that is what the test wants")]
fn panic_once(name: &str) {
    static HAS_PANICKED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    if !HAS_PANICKED.swap(true, std::sync::atomic::Ordering::AcqRel) {
        panic!("at {name}, as a test wants it");
    }
}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub const fn failpoint(_name: &str) {}

/// The argument by which a program that is executed learns of the point.
#[cfg(debug_assertions)]
pub fn failpoint_argument() -> Option<String> {
    failpoint_name().map(|name| format!("{ARGUMENT}{name}"))
}

#[cfg(not(debug_assertions))]
pub const fn failpoint_argument() -> Option<String> {
    None
}

#[cfg(debug_assertions)]
fn failpoint_name() -> Option<&'static str> {
    static NAME: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    NAME.get_or_init(|| {
        let argument = std::env::args().find_map(|word| word.strip_prefix(ARGUMENT).map(str::to_owned));
        argument.or_else(|| std::env::var(FAILPOINT_VARIABLE).ok())
    })
    .as_deref()
}

#[cfg(debug_assertions)]
fn stand_still(name: &str) {
    use rustix::process::getpriority_process;
    let niceness = getpriority_process(None);
    let own_name = rustix::thread::name();
    if let Ok(shown) = std::ffi::CString::new(format!("at {name}")) {
        let _only_shown = rustix::thread::set_name(&shown).is_err();
    }
    while getpriority_process(None) == niceness {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    if let Ok(own_name) = own_name {
        let _only_shown = rustix::thread::set_name(&own_name).is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_told_of_no_point_passes_all() {
        failpoint("anywhere");
        assert_eq!(failpoint_argument(), None);
    }
}
