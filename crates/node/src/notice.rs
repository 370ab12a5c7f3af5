//! What a function asks for and does not get here, told in its own log when it starts.

use std::path::Path;

use hearth_types::{LogLevel, Timestamp, VersionSpec};
use serde_json::json;

use crate::report::SystemLines;

/// More are not named, nor longer names.
const EXTENSIONS_NAMED_MAX: usize = 10;
const NAME_CHARS_MAX: usize = 100;

/// One line each, as the function's log has them.
pub(crate) fn lines(spec: &VersionSpec, opt_dir: Option<&Path>, now: Timestamp) -> Vec<String> {
    let tracing = spec.tracing_active.then(|| {
        "TracingConfig.Mode is Active: Hearth has no X-Ray and sends no traces. Functions get their trace header all the same."
            .to_owned()
    });
    let extensions = opt_dir.map(extensions).filter(|names| !names.is_empty()).map(|names| {
        format!(
            "The layers hold extensions, which Hearth does not start, as it has no Extensions API: {}",
            names.join(", ")
        )
    });
    let line = |message: String| {
        let text = || format!("[WARN] {message}\n");
        SystemLines::of(spec).line(LogLevel::Warn, now, "platform.hearthNotice", text, || json!({"message": message}))
    };
    tracing.into_iter().chain(extensions).filter_map(line).collect()
}

/// `/opt/extensions/*`: the files there. Layers are anybody's: a link is not followed, out of them or within.
fn extensions(opt_dir: &Path) -> Vec<String> {
    let dir = opt_dir.join("extensions");
    if !fs_err::symlink_metadata(&dir).is_ok_and(|metadata| metadata.is_dir()) {
        return Vec::new();
    }
    let Ok(entries) = fs_err::read_dir(&dir) else { return Vec::new() };
    let files = entries.filter_map(Result::ok).filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
    let plain = |character: &char| !character.is_control();
    let name = |entry: fs_err::DirEntry| {
        entry.file_name().to_string_lossy().chars().filter(plain).take(NAME_CHARS_MAX).collect()
    };
    let mut names: Vec<String> = files.map(name).take(EXTENSIONS_NAMED_MAX).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_the_extensions_directory_are_named_and_links_are_not_followed() {
        let opt = tempfile::tempdir().unwrap();
        assert_eq!(extensions(opt.path()), Vec::<String>::new());
        let dir = opt.path().join("extensions");
        fs_err::create_dir_all(dir.join("lib")).unwrap();
        assert_eq!(extensions(opt.path()), Vec::<String>::new());
        fs_err::write(dir.join("b\u{1b}[31m"), "").unwrap();
        fs_err::write(dir.join("a"), "").unwrap();
        assert_eq!(extensions(opt.path()), ["a", "b[31m"]);
        let linked = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(&dir, linked.path().join("extensions")).unwrap();
        assert_eq!(extensions(linked.path()), Vec::<String>::new());
    }
}
